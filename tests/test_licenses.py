"""Licences: what a declaration is, what a lineage drops, and what a study says of both."""

from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from license_count import assert_chains_are_conflicts
from license_walk import slow_spread
from raw_homes import RawHome

from analysis.licenses.chain import explain
from analysis.licenses.datasets import BadDatasetFile, publish_dataset_licenses
from analysis.licenses.ecosystem import licenses
from analysis.licenses.graph import Graph
from analysis.licenses.judging import Bench, class_of, judge
from analysis.licenses.naming import UNKNOWN, is_known, read_license, spdx_of
from analysis.licenses.rules import CLASSES, KINDS, rules
from analysis.licenses.spreading import MOST_ORIGINS, spread
from analysis.study.frame import lay_out
from analysis.study.measures import Study
from warehouse.read import open_warehouse

NEVER = np.iinfo(np.int64).max


# What a declaration is


@pytest.mark.parametrize(
    ("text", "license_id", "spdx"),
    [
        ("apache-2.0", "apache-2.0", "Apache-2.0"),
        ("Apache 2.0", "apache-2.0", "Apache-2.0"),
        ("apache license, version 2.0", "apache-2.0", "Apache-2.0"),
        ("MIT License", "mit", "MIT"),
        ("mit\n", "mit", "MIT"),
        ("cc by-nc 4.0", "cc-by-nc-4.0", "CC-BY-NC-4.0"),
        ("CC-BY-NC-SA-4.0", "cc-by-nc-sa-4.0", "CC-BY-NC-SA-4.0"),
        ("GPL", "gpl", None),
        ("gpl v3", "gpl-3.0", "GPL-3.0-only"),
        ("GPL-3.0", "gpl-3.0", "GPL-3.0-only"),
        ("GNU General Public License v3.0", "gpl-3.0", "GPL-3.0-only"),
        ("academic free license v3.0", "afl-3.0", "AFL-3.0"),
        ("bsd-3", "bsd-3-clause", "BSD-3-Clause"),
        ("Llama 3.1 Community License Agreement", "llama3.1", None),
        ("openrail++", "openrail++", None),
        ("BUSL-1.1", "busl-1.1", "BUSL-1.1"),
        (
            "GPL-2.0-only WITH Classpath-exception-2.0 OR MIT",
            "gpl-2.0 with Classpath-exception-2.0 or mit",
            "GPL-2.0-only WITH Classpath-exception-2.0 OR MIT",
        ),
        (
            "mit or (apache-2.0 and gpl-3.0)",
            "(apache-2.0 and gpl-3.0) or mit",
            "(Apache-2.0 AND GPL-3.0-only) OR MIT",
        ),
        ("mit or mit", "mit", "MIT"),
    ],
)
def test_a_declaration_is_what_it_says(text, license_id, spdx):
    terms = read_license(text)
    assert (str(terms), spdx_of(terms)) == (license_id, spdx)


@pytest.mark.parametrize(
    "text",
    [
        *("other", "unknown", "???", "", "  ", "null", "3", "<script>alert(1)</script>"),
        *("(mit and (apache-2.0", "()", "mit and", "mit apache-2.0", "not mit", "a or b"),
        *("x" * 10_000, "mit or " * 5_000 + "mit", "(" * 150 + "mit" + ")" * 150, "mit\x00"),
        *("mit with apache-2.0", "llama", "mit\u202e", '["mit"]'),
    ],
)
def test_what_cannot_be_told_is_unknown(text):
    assert read_license(text) == UNKNOWN


@given(st.text(max_size=250))
def test_any_text_is_read(text):
    terms = read_license(text)
    assert read_license(str(terms)) == terms


LEAF = st.sampled_from(["mit", "gpl-3.0", "cc-by-nc-4.0", "llama3", "gpl-2.0-only", "zlib"])
EXPRESSION = st.recursive(
    LEAF,
    lambda inner: st.tuples(inner, st.sampled_from(["and", "OR"]), inner).map(
        lambda three: f"({three[0]} {three[1]} {three[2]})"
    ),
    max_leaves=5,
)


@given(EXPRESSION)
def test_an_expression_reads_as_itself_again(text):
    terms = read_license(text)
    assert is_known(terms)
    assert read_license(str(terms)) == terms
    spdx = spdx_of(terms)
    assert spdx is None or read_license(spdx) == terms


def test_every_rule_has_its_source_and_knows_its_words():
    assert len(rules()) > 100
    for entry in rules().values():
        assert entry.source
        assert entry.license_class in {*CLASSES, "unknown"}
        assert {entry.adapter, entry.quantized} <= {"yes", "unclear"}
        asked = {entry.duties.get(kind) for kind in KINDS if kind != "naming"}
        assert asked <= {None, "yes", "unclear"}
        assert read_license(entry.license).license == entry.license
        if entry.spdx:
            assert read_license(entry.spdx).license == entry.license
        for name in (*entry.kept_by, *entry.aliases):
            assert is_known(read_license(name)), name


@pytest.mark.parametrize(
    ("kind", "origin", "child", "verdict"),
    [
        ("share_alike", "gpl-3.0", "gpl-3.0", 0),
        ("share_alike", "gpl-3.0", "agpl-3.0", 2),  # kin
        ("share_alike", "gpl-3.0", "mit", 3),
        ("share_alike", "cc-by-sa-4.0", "gpl-3.0", 0),  # one way
        ("share_alike", "gpl-3.0", "cc-by-sa-4.0", 3),
        ("share_alike", "cc-by-sa-3.0", "cc-by-sa-4.0", 0),
        ("share_alike", "cc-by-sa-4.0", "cc-by-sa-3.0", 2),
        ("use_restrictions", "llama3", "llama3.1", 2),
        ("use_restrictions", "llama3", "apache-2.0", 3),
        ("use_restrictions", "openrail++", "creativeml-openrail-m", 2),
        ("non_commercial", "cc-by-nc-4.0", "apple-amlr", 0),  # research alone is no commerce
        ("non_commercial", "cc-by-nc-4.0", "h-research", 2),
        ("non_commercial", "cc-by-nc-4.0", "gpl-3.0", 3),
        ("research_only", "apple-amlr", "cc-by-nc-4.0", 3),
        ("no_derivatives", "cc-by-nd-4.0", "cc-by-nd-4.0", 3),
        ("share_alike", "gpl-3.0", "other", 1),
        ("share_alike", "gpl-3.0", "cc", 1),  # a family whose terms are not told
        ("share_alike", "gpl-3.0", "mit and gpl-3.0", 0),  # both bind
        ("share_alike", "gpl-3.0", "mit or gpl-3.0", 3),  # the mildest may be chosen
        ("share_alike", "gpl-3.0 or cc-by-sa-4.0", "cc-by-sa-4.0", 0),
        ("share_alike", "gpl-3.0 and cc-by-sa-4.0", "cc-by-sa-4.0", 3),
    ],
)
def test_verdicts(kind, origin, child, verdict):
    assert judge(kind, read_license(origin), read_license(child)) == verdict


def test_of_several_the_strictest_class_and_of_a_choice_the_mildest():
    assert class_of(read_license("mit and gpl-3.0")) == "copyleft"
    assert class_of(read_license("mit or gpl-3.0")) == "permissive"
    assert class_of(read_license("mpl-1.1")) == "weak copyleft"  # by ScanCode's category alone
    assert class_of(UNKNOWN) == "unknown"


# A hub of which every answer is known


def record(repo_id, *said, bases=(), downloads=10, month=1, **fields):
    tags = [f"license:{one}" for one in said] + [f"base_model:{base}" for base in bases]
    made = f"2025-{month:02d}-01T00:00:00.000Z"
    return {"id": repo_id, "tags": tags, "downloads": downloads, "createdAt": made, **fields}


HUB = [
    record("meta/base", "llama3.1", downloads=100),
    record("ada/Llama-one", "llama3.1", bases=["finetune:meta/base"]),
    record("ada/two", "mit", bases=["finetune:ada/Llama-one"], downloads=50),
    record("bob/three", bases=["finetune:ada/two"]),
    record("bob/four", "apache-2.0", bases=["adapter:bob/three"]),
    # a diamond: one side keeps, of the other nothing is known
    record("nc/root", "cc-by-nc-4.0"),
    record("x/left", "cc-by-nc-4.0", bases=["finetune:nc/root"]),
    record("x/right", bases=["finetune:nc/root"]),
    record("y/join", "apache-2.0", bases=["merge:x/left", "merge:x/right"], downloads=30),
    # an owner licenses their own work anew
    record("nc/own", "mit", bases=["finetune:nc/root"]),
    record("z/after", "apache-2.0", bases=["finetune:nc/own"]),
    # a cycle, and a licence that enters it
    record("gp/root", "agpl-3.0"),
    record("cy/a", "gpl-3.0", bases=["finetune:cy/b", "finetune:gp/root"]),
    record("cy/b", "mit", bases=["finetune:cy/a"]),
    record("below/cy", "mit", bases=["finetune:cy/b"]),
    # nothing but a ghost
    record("gh/child", "mit", bases=["finetune:lost/ghost"]),
    # no derivatives
    record("nd/root", "cc-by-nd-4.0"),
    record("o/tuned", bases=["finetune:nd/root"]),
    record("o/quant", "mit", bases=["quantized:nd/root"]),
    # several licences, which all bind
    record("mu/root", "mit", "gpl-3.0"),
    record("mw/both", "gpl-3.0", "mit", bases=["finetune:mu/root"]),
    record("mw/one", "mit", bases=["finetune:mu/root", "finetune:mw/one"]),
    record("data/user", "mit", cardData={"datasets": ["squad", "d/nc"]}),
    record("data/below", "mit", bases=["finetune:data/user"]),
]
CONFLICTS = """
select child_id, obligation, origin_id, hops, verdict, unclear_because, drop_parent_id,
    drop_child_id, drop_hops, may_be_earlier
from license_conflict
order by child_id, obligation, origin_id
"""
TUNED = "ada/Llama-one", "ada/two", 2
QUANT = "nd/root", "o/quant", 1, False
LEFT = "x/left", "y/join", 2, True
EXPECTED = [
    ("ada/two", "naming", "meta/base", 2, "conflict", None, *TUNED, False),
    ("ada/two", "use_restrictions", "meta/base", 2, "conflict", None, *TUNED, False),
    ("below/cy", "share_alike", "cy/a", 1, "conflict", None, "cy/b", "below/cy", 1, False),
    ("below/cy", "share_alike", "gp/root", 2, "conflict", None, "gp/root", "cy/b", 1, False),
    ("bob/four", "naming", "meta/base", 4, "unclear", "relation", *TUNED, False),
    ("bob/four", "use_restrictions", "meta/base", 4, "unclear", "relation", *TUNED, False),
    ("bob/three", "naming", "meta/base", 3, "conflict", None, *TUNED, False),
    ("cy/a", "share_alike", "gp/root", 1, "unclear", "license", None, None, None, None),
    ("cy/b", "share_alike", "gp/root", 1, "conflict", None, "gp/root", "cy/b", 1, False),
    ("mw/one", "share_alike", "mu/root", 1, "conflict", None, "mu/root", "mw/one", 1, False),
    ("o/quant", "no_derivatives", "nd/root", 1, "unclear", "relation", *QUANT),
    ("o/tuned", "no_derivatives", "nd/root", 1, "conflict", None, "nd/root", "o/tuned", 1, False),
    ("y/join", "non_commercial", "nc/root", 2, "conflict", None, *LEFT),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    made = RawHome(tmp_path_factory.mktemp("licenses"))
    made.listing(*HUB)
    made.built().close()
    return made.folder


@pytest.fixture(scope="module")
def study(home):
    with open_warehouse(home) as db:
        yield studied(db)


def studied(db):
    made = Study(db.cursor())
    lay_out(made)
    licenses(made)
    return made


def value(study, measure, subject="", twin="raw"):
    found = [
        m.value
        for m in study.measures
        if (m.measure, m.subject, m.twin) == (measure, subject, twin)
    ]
    assert len(found) == 1, (measure, subject, twin)
    return found[0]


def test_what_a_lineage_drops(study):
    assert study.db.execute(CONFLICTS).fetchall() == EXPECTED


def test_shares_of_classes(study):
    # 24 models, of which 12 declare mit or apache
    assert value(study, "class_share", "permissive") == pytest.approx(12 / 24)
    assert value(study, "class_share", "named terms") == pytest.approx(2 / 24)
    assert value(study, "class_share", "none") == pytest.approx(3 / 24)
    assert value(study, "class_share", "copyleft") == pytest.approx(4 / 24)
    # all downloads: 24 models of 10, and 90, 40, 20 more
    assert value(study, "class_download_share", "named terms") == pytest.approx(110 / 390)


def test_shares_of_charges(study):
    # 18 models have a parent. In conflict: ada/two, bob/three, cy/b, below/cy, mw/one, o/tuned,
    # y/join; unclear: bob/four, cy/a, o/quant; unknown: gh/child, below a ghost, and x/right,
    # whose own licence is; kept: the others
    assert value(study, "model_charge_share", "conflict") == pytest.approx(7 / 18)
    assert value(study, "model_charge_share", "unclear") == pytest.approx(3 / 18)
    assert value(study, "model_charge_share", "unknown") == pytest.approx(2 / 18)
    assert value(study, "model_charge_share", "kept") == pytest.approx(6 / 18)
    # downloads of those 18: 10 each, and 40 and 20 more
    assert value(study, "exposure", "conflict") == pytest.approx((70 + 60) / 240)
    # of the seven bob/three alone drops none itself
    assert value(study, "first_drop_share", "drop it themselves") == pytest.approx(6 / 7)


def test_shares_of_edges(study):
    # 20 edges. In conflict: into ada/two, bob/three, y/join from x/left and x/right, below/cy,
    # mw/one, o/tuned; unclear: into bob/four, o/quant, and gp/root's into cy/a;
    # unknown: the two of the cycle, the ghost's, and into x/right
    assert value(study, "edge_charge_share", "conflict") == pytest.approx(7 / 20)
    assert value(study, "edge_charge_share", "unclear") == pytest.approx(3 / 20)
    assert value(study, "edge_charge_share", "unknown") == pytest.approx(4 / 20)


def test_drift(study):
    rows = study.db.execute(
        "select parent_class, child_class, relation, edge_count from license_drift"
        " where parent_class <> child_class order by all"
    ).fetchall()
    assert rows == [
        ("copyleft", "permissive", "finetune", 2),  # cy/a to cy/b, mu/root to mw/one
        ("named terms", "permissive", "finetune", 1),
        ("no-derivatives", "permissive", "quantized", 1),
        ("non-commercial", "permissive", "finetune", 1),
        ("non-commercial", "permissive", "merge", 1),
        ("permissive", "copyleft", "finetune", 1),
    ]
    # six looser, one stricter
    assert value(study, "drift_asymmetry") == pytest.approx(5 / 7)
    assert value(study, "turn_share", "restricted to permissive") == pytest.approx(4 / 6)


def test_a_share_of_nothing_says_why(study):
    (missing,) = [
        m
        for m in study.measures
        if (m.measure, m.subject, m.twin) == ("duty_charge_share", "research_only, conflict", "raw")
    ]
    assert (missing.value, missing.reason) == (None, "no models: models that research_only reaches")


def test_datasets_are_unknown_until_somebody_tells(home, tmp_path):
    with open_warehouse(home) as db:
        before = studied(db)
        assert value(before, "dataset_count", "datasets") == 2
        assert value(before, "dataset_count", "datasets of known licence") == 0
    told = tmp_path / "datasets.csv"
    told.write_text(
        "dataset_id,license,source\nd/nc,CC BY-NC 4.0,its card\nsquad,see site,\nd/other,mit,\n"
    )
    own = tmp_path / "own"
    own.mkdir()
    (own / "warehouse.duckdb").write_bytes((home / "warehouse.duckdb").read_bytes())
    assert publish_dataset_licenses(own, told) == 3
    with open_warehouse(own) as db:
        after = studied(db)
        assert value(after, "dataset_count", "datasets of known licence") == 1
        rows = after.db.execute(
            "select child_id, obligation, origin_id, verdict, unclear_because, drop_child_id"
            " from license_conflict where origin_kind = 'dataset' order by child_id"
        ).fetchall()
        assert rows == [
            ("data/below", "non_commercial", "d/nc", "unclear", "relation", "data/user"),
            ("data/user", "non_commercial", "d/nc", "unclear", "relation", "data/user"),
        ]
        # and nobody's charge is the worse for it
        assert value(after, "model_charge_share", "kept") == pytest.approx(6 / 18)
        chain = explain(db, "data/below")
        assert [(d["dataset_id"], d["license"]) for d in chain.datasets] == [
            ("d/nc", ["cc-by-nc-4.0"]),
            ("squad", ["?"]),
        ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"dataset,license\n", "wants a header"),
        (b"", "wants a header"),
        (b"dataset_id,license\n,mit\n", "line 2"),
        (b"dataset_id,license\na,mit,x,y\n", "line 2"),
        (b"dataset_id,license\na\n", "line 2"),
        (b"dataset_id;license\na;mit\n", "wants a header"),
        (b"dataset_id,dataset_id,license\na,b,mit\n", "each once"),
        (b"dataset_id,license\na," + b"x" * 200_000 + b"\n", "no CSV"),
        ("dataset_id,license\na,mit\n".encode("utf-16"), "not UTF-8"),
        (b"dataset_id,license\na,\xff\n", "not UTF-8"),
        (b'dataset_id,license\na,"mit\n', "no CSV"),
    ],
)
def test_a_bad_file_of_datasets_says_where(tmp_path, home, text, why):
    file = tmp_path / "bad.csv"
    file.write_bytes(text)
    with pytest.raises(BadDatasetFile, match=why) as raised:
        publish_dataset_licenses(home, file)
    assert "\n" not in str(raised.value)


# Hostile declarations


def test_hostile_declarations(tmp_path):
    home = RawHome(tmp_path)
    home.listing(
        record("a/long", "x" * 10_000),
        record("a/markup", "<b>mit</b>"),
        record("a/lines", "mit\nor\nmore"),
        record("a/spaced", " MIT License "),
        record("a/list", cardData={"license": ["mit", "gpl-3.0", None, "mit"]}),
        record("a/nested", cardData={"license": [["mit"], {"a": 1}]}),
        record("a/number", cardData={"license": 3}),
        record("a/null", cardData={"license": None}),
        record("a/empty", cardData={"license": []}),
        record("a/text", cardData={"license": "cc by-nc 4.0"}),
        record("a/named", "other", cardData={"license": "other", "license_name": "llama-3.1"}),
        record("a/odd", "other", cardData={"license": "other", "license_name": "<i>my own</i>"}),
        record("a/listed", "other", cardData={"license": "other", "license_name": ["mit"]}),
        record("a/tagged", "mit", cardData={"license": "gpl-3.0"}),
    )
    home.built().close()
    with open_warehouse(tmp_path) as db:
        made = studied(db)
        rows = made.db.execute(
            "select repo_id, left(declared, 12), license_name, evidence, license, is_known"
            " from model_license order by repo_id, declared"
        ).fetchall()
    assert rows == [
        ("a/lines", "mit\nor\nmore", None, "tag", None, False),
        ("a/list", "gpl-3.0", None, "card_data", "gpl-3.0", True),
        ("a/list", "mit", None, "card_data", "mit", True),
        ("a/listed", "other", None, "tag", None, False),
        ("a/long", "x" * 12, None, "tag", None, False),
        ("a/markup", "<b>mit</b>", None, "tag", None, False),
        ("a/named", "other", "llama-3.1", "tag", "llama3.1", True),
        ("a/nested", '["mit"]', None, "card_data", None, False),
        ("a/nested", '{"a":1}', None, "card_data", None, False),
        ("a/number", "3", None, "card_data", None, False),
        ("a/odd", "other", "<i>my own</i>", "tag", None, False),
        ("a/spaced", " MIT License", None, "tag", "mit", True),
        ("a/tagged", "mit", None, "tag", "mit", True),
        ("a/text", "cc by-nc 4.0", None, "card_data", "cc-by-nc-4.0", True),
    ]


def test_roots_of_many_licences_keep_names_of_their_own(tmp_path):
    free = [entry.license for entry in rules().values() if entry.license_class == "permissive"]
    many = [*free, "agpl-3.0"]  # alike for the first 200 characters
    assert len(" and ".join(sorted(many))) > 200
    home = RawHome(tmp_path)
    home.listing(
        record("a/one", *many),
        record("a/two", *many, "zlib", "gpl-3.0"),
        record("b/one", "mit", bases=["finetune:a/one"]),
        record("b/two", "mit", bases=["finetune:a/two"]),
    )
    home.built().close()
    with open_warehouse(tmp_path) as db:
        made = studied(db)
    found = [one.subject for one in made.measures if one.measure == "root_charge_share"]
    assert len(set(found)) == len(found) / 4 == 8
    assert max(map(len, found)) < 250


def test_of_a_past_time_licences_are_those_of_then(tmp_path):
    home = RawHome(tmp_path)
    below = record("b/below", "mit", bases=["finetune:a/one"])
    home.listing(record("a/one", "cc-by-nc-4.0"), below, day=1)
    home.listing(record("a/one", "apache-2.0"), below, day=9)
    home.built().close()
    with open_warehouse(tmp_path) as db:
        for moment, verdicts in ((datetime(2026, 1, 5), ["conflict"]), (None, [])):
            made = Study(db.cursor(), as_of=moment)
            lay_out(made)
            licenses(made)
            rows = made.db.execute("select verdict from license_conflict").fetchall()
            assert [verdict for (verdict,) in rows] == verdicts


def test_a_hub_of_one_model_of_which_nothing_is_told(tmp_path):
    home = RawHome(tmp_path)
    home.listing({"id": "a/one", "tags": []})
    home.built().close()
    with open_warehouse(tmp_path) as db:
        made = studied(db)
        assert value(made, "class_share", "none") == 1
        assert value(made, "exposure", "conflict") is None
        assert {point.series for point in made.points} == {"class_by_generation"}
        assert explain(db, "a/one").duties == []


# Shapes that must not cost a walk of each path


def graph_of(licenses_of, edges, *, level, owner=None):
    states = [UNKNOWN, *sorted({read_license(t) for t in licenses_of if t}, key=str)]
    state = np.array([states.index(read_license(t)) if t else 0 for t in licenses_of])
    count = len(licenses_of)
    child, parent = (np.array(ends, dtype=np.int64) for ends in zip(*edges, strict=True))
    graph = Graph(
        child=child,
        parent=parent,
        relation=np.zeros(len(edges), np.int64),
        state=state,
        owner=np.arange(count) if owner is None else np.array(owner),
        level=np.array(level),
        knot=np.arange(count),
        may_ask=np.ones(count, np.bool_),
    )
    return graph, Bench(states, pa.array([f"o/m{at}" for at in range(count)]))


def test_sixty_thousand_children():
    count = 60_001
    edges = [(at, 0) for at in range(1, count)]
    said = ["cc-by-nc-4.0", *["mit"] * 59_999, "cc-by-nc-4.0"]
    found = spread(*graph_of(said, edges, level=[0, *[1] * 60_000]))
    assert len(found.reached["child"]) == 60_000
    assert np.bincount(found.reached["verdict"]).tolist() == [1, 0, 0, 59_999]


def test_a_diamond_of_forty_storeys():
    # 2**40 paths lead from the top to the bottom
    storeys = 40
    edges, level = [], [0]
    for storey in range(storeys):
        top = 3 * storey
        edges += [(top + 1, top), (top + 2, top), (top + 3, top + 1), (top + 3, top + 2)]
        level += [2 * storey + 1, 2 * storey + 1, 2 * storey + 2]
    said = ["gpl-3.0", *["gpl-3.0"] * (3 * storeys - 1), "mit"]
    found = spread(*graph_of(said, edges, level=level))
    last = found.reached["child"] == 3 * storeys
    assert found.reached["hops"][last].tolist() == [2 * storeys]
    assert found.reached["drop_hops"][last].tolist() == [2 * storeys]
    assert found.reached["verdict"][last].tolist() == [3]


def test_of_too_many_origins_the_nearest_are_handed_on():
    roots = MOST_ORIGINS + 6
    edges = [(roots, at) for at in range(roots)] + [(roots + 1, roots)]
    said = [*["gpl-3.0"] * roots, "mit", "mit"]
    found = spread(*graph_of(said, edges, level=[*[0] * roots, 1, 2]))
    counts = np.bincount(found.reached["child"], minlength=roots + 2)
    assert (counts[roots], counts[roots + 1], found.cut_count) == (roots, MOST_ORIGINS, 6)


# Against an implementation that walks each path


def fast_reached(graph, bench):
    found = spread(graph, bench)
    names = bench._names.to_pylist()
    rows, out = found.reached, {}
    for at in range(len(rows["child"])):
        verdict = int(rows["verdict"][at])
        hops, drop = int(rows["hops"][at]), None
        if rows["drop_hops"][at] < NEVER:
            ends = names[rows["drop_child"][at]], names[rows["drop_parent"][at]]
            drop = (int(rows["drop_hops"][at]), *ends)
        key = names[rows["child"][at]], KINDS[rows["kind"][at]], names[rows["origin"][at]]
        charge = 2 if verdict == 3 and not rows["is_sure"][at] else verdict
        out[key] = (hops, charge, drop, bool(rows["drop_blind"][at]) if drop else False)
    return out, found


SAID = st.sampled_from(
    [None, "mit", "gpl-3.0", "agpl-3.0", "cc-by-nc-4.0", "llama3.1", "llama3", "gemma", "mpl-2.0"]
)


@st.composite
def lineages(draw):
    count = draw(st.integers(2, 8))
    pairs = [(c, p) for c in range(count) for p in range(c)]
    edges = sorted(draw(st.sets(st.sampled_from(pairs), min_size=1, max_size=14)))
    relation = draw(st.lists(st.integers(0, 4), min_size=len(edges), max_size=len(edges)))
    said = draw(st.lists(SAID, min_size=count, max_size=count))
    owner = draw(st.lists(st.integers(0, 2), min_size=count, max_size=count))
    return said, owner, edges, relation


@settings(max_examples=300)
@given(lineages())
def test_spreading_is_walking_each_path(lineage):
    said, owner, edges, relation = lineage
    level = [0] * len(said)
    for child, parent in edges:  # in the order of children, and parents are before them
        level[child] = max(level[child], level[parent] + 1)
    graph, bench = graph_of(said, edges, level=level, owner=owner)
    graph.relation[:] = relation
    found, spreading = fast_reached(graph, bench)
    names = [f"o/m{at}" for at in range(len(said))]
    kinds = ("finetune", "adapter", "quantized", "merge", "unknown")
    parents = {name: [] for name in names}
    for (child, parent), at in zip(edges, relation, strict=True):
        parents[names[child]].append((names[parent], kinds[at]))
    by_name = dict(zip(names, said, strict=True)), dict(zip(names, owner, strict=True))
    slow, edge_charge, above = slow_spread(*by_name, parents)
    assert found == slow
    told = [edge_charge[names[c], names[p]] for c, p in edges]
    assert spreading.edge_verdict.tolist() == told
    assert spreading.unknown_above.tolist() == [above[name] for name in names]


def test_a_chain_says_what_the_study_says(study):
    assert_chains_are_conflicts(study, most=100)
