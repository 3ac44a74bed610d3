"""Blast radius on a small hub of which every number was worked by hand, and by the command."""

import json
from datetime import datetime

import pytest
from known_hub import record
from raw_homes import RawHome
from typer.testing import CliRunner

from analysis.impact.asking import blast_radius
from analysis.impact.concentration import gini
from analysis.impact.hub import impact
from analysis.study.frame import lay_out
from analysis.study.measures import Study
from app.cli import cli
from app.impacting import UnknownOwner
from atlas.branches import UnknownModel
from warehouse.read import open_warehouse

COUNTS = (
    *("child", "finetune", "adapter", "quantized", "merge", "unknown", "descendant", "load"),
    *("break", "poison", "poison_unknown", "cut"),
)
SUMS = ("descendant", "load", "break", "poison", "poison_unknown", "cut")
OWNERS = ("descendant", "load", "break", "poison", "cut")
OLD, DAY = "2022-03-02", "2026-01-{:02d}"
UNDATED = {"createdAt": None}


def holds(*contents):
    return {
        "siblings": [
            {"rfilename": f"{name}.safetensors", "size": 9, "lfs": {"sha256": name * 64}}
            for name in contents
        ]
        # Every trainer writes one like it: no weights, and no mirror.
        + [{"rfilename": "training_args.bin", "size": 5, "lfs": {"sha256": "0" * 64}}]
    }


def records():
    return [
        record("base/a", 1, "2024-01-01", 100, **holds("a")),
        record("copy/a", 2, "2024-01-03", 1, **holds("a")),
        record("base/b", 3, OLD, 50, siblings=[{"rfilename": "b.bin"}]),
        record("fam/one", 4, "2024-02-01", 1),
        record("f/f1", 5, "2024-02-01", 10, bases=("finetune:base/a",), **holds("b", "c")),
        record("f/f2", 6, "2024-02-02", 20, bases=("finetune:base/a",), **holds("b")),
        record(
            *("m/diamond", 7, "2024-03-01", 5), bases=("merge:f/f1", "merge:f/f2"), **holds("d")
        ),
        record(
            *("m/three", 8, "2024-04-01", 7), bases=("merge:f/f1", "merge:f/f2", "merge:base/b")
        ),
        record("q/q1", 9, "2024-05-01", 30, bases=("quantized:m/diamond",)),
        record("ad/one", 10, "2024-02-10", 3, bases=("adapter:base/a",), **holds("e")),
        record("ad/two", 11, "2024-03-10", 4, bases=("adapter:ad/one",)),
        record("ad/both", 12, "2024-05-01", 6, bases=("adapter:base/a", "adapter:base/b")),
        record("ft/ofad", 13, "2024-06-01", 8, bases=("finetune:ad/one",)),
        record("old/child", 14, "2023-12-01", 9, bases=("finetune:base/a",)),
        record("old/grand", 15, "2024-01-15", 2, bases=("finetune:old/child",)),
        record("und/parent", 16, OLD, 11, bases=("finetune:base/b",)) | UNDATED,
        record("und/kid", 17, "2024-07-01", 12, bases=("finetune:und/parent",)),
        record("tr/x", 18, OLD, 13, bases=("finetune:base/b",)),
        record("g/orphan", 19, "2024-01-01", 14, bases=("finetune:ghost/z",)),
        record("g/adapter", 20, "2024-01-02", 15, bases=("adapter:ghost/z",)),
        record("self/loop", 21, "2024-01-01", 1, bases=("finetune:self/loop",)),
        record("ring/a", 22, "2024-01-02", 1, bases=("finetune:ring/b",)),
        record("ring/b", 23, "2024-01-01", 2, bases=("finetune:ring/a",)),
        record("ring/tail", 24, "2024-02-01", 4, bases=("finetune:ring/b",)),
        record("x/kid", 26, "2024-08-01", 16, bases=("finetune:x/gone",)),
        record("gone/kid", 28, "2024-02-01", 17, bases=("adapter:gone/base",)),
        record("gone/grand", 29, "2024-03-01", 18, bases=("adapter:gone/kid",)),
        record("gat/base", 30, "2024-01-01", 19, gated="manual"),
        record("gat/kid", 31, "2024-02-01", 21, bases=("adapter:gat/base", "adapter:base/b")),
        record("gat/fine", 32, "2024-02-01", 22, bases=("finetune:gat/base",)),
    ]


def gone():
    return [
        record("x/gone", 25, "2024-07-15", 90, bases=("finetune:base/a",), **holds("e")),
        record("gone/base", 27, "2024-01-01", 80),
    ]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = RawHome(tmp_path_factory.mktemp("impact") / "home")
    home.listing(*gone(), day=1)
    home.listing(*records(), day=20)
    for repo in gone():
        home.failed("probe", repo["id"], 404, "gone", day=19)
    home.studied().close()
    return home


# By hand: dependants of each kind, their downloads, their owners. base/a loses x/gone, which is
# gone, and counts x/kid below it; old/child is older than base/a, so no poison flows to it.
KNOWN = {
    "base/a": (
        (5, 3, 2, 0, 0, 0, 12, 3, 2, 10, 0, 10),
        (120, 13, 7, 109, 0, 107),
        (7, 1, 1, 6, 7),
        ("finetune", None, "other_owner"),
    ),
    # older than all that is dated; with tr/x, as old as itself, in no known order
    "base/b": (
        (5, 2, 2, 0, 1, 0, 6, 2, 0, 3, 3, 3),
        (70, 27, 0, 34, 36, 36),
        (5, 2, 0, 3, 2),
        ("adapter", None, None),
    ),
    # every merge has another way
    "f/f1": (
        (2, 0, 0, 0, 2, 0, 3, 0, 0, 3, 0, 0),
        (42, 0, 0, 42, 0, 0),
        (2, 0, 0, 2, 0),
        ("merge", "base/a", "part"),
    ),
    "f/f2": (
        (2, 0, 0, 0, 2, 0, 3, 0, 0, 3, 0, 0),
        (42, 0, 0, 42, 0, 0),
        (2, 0, 0, 2, 0),
        ("merge", "base/a", "same_owner"),
    ),
    "m/diamond": (
        (1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 1),
        (30, 0, 0, 30, 0, 30),
        (1, 0, 0, 1, 1),
        ("quantized", "base/a", "none"),
    ),
    # what was finetuned from an adapter is no adapter
    "ad/one": (
        (2, 1, 1, 0, 0, 0, 2, 1, 1, 2, 0, 2),
        (12, 4, 4, 12, 0, 12),
        (2, 1, 1, 2, 2),
        ("adapter", "base/a", "none"),
    ),
    "old/child": (
        (1, 1, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1),
        (2, 0, 0, 2, 0, 2),
        (1, 0, 0, 1, 1),
        ("finetune", "base/a", None),
    ),
    "und/parent": (
        (1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1),
        (12, 0, 0, 0, 12, 12),
        (1, 0, 0, 0, 1),
        ("finetune", "base/b", None),
    ),
    "ghost/z": (
        (2, 1, 1, 0, 0, 0, 2, 1, 1, 0, 2, 2),
        (29, 15, 15, 0, 29, 29),
        (1, 1, 1, 0, 1),
        ("adapter", None, None),
    ),
    # a cycle may have begun at either; poison in ring/a came too late for ring/b
    "ring/a": (
        (1, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0),
        (6, 0, 0, 0, 0, 0),
        (1, 0, 0, 0, 0),
        ("finetune", None, None),
    ),
    "ring/b": (
        (2, 2, 0, 0, 0, 0, 2, 0, 0, 2, 0, 1),
        (5, 0, 0, 5, 0, 4),
        (1, 0, 0, 1, 1),
        ("finetune", None, None),
    ),
    "x/gone": (
        (1, 1, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1),
        (16, 0, 0, 16, 0, 16),
        (1, 0, 0, 1, 1),
        ("finetune", "base/a", "other_owner"),
    ),
    "gone/base": (
        (1, 0, 1, 0, 0, 0, 2, 2, 2, 2, 0, 2),
        (35, 35, 35, 35, 0, 35),
        (1, 1, 1, 1, 1),
        ("adapter", None, None),
    ),
    "gone/kid": (
        (1, 0, 1, 0, 0, 0, 1, 1, 1, 1, 0, 1),
        (18, 18, 18, 18, 0, 18),
        (1, 1, 1, 1, 1),
        ("adapter", "gone/base", None),
    ),
    "gat/base": (
        (2, 1, 1, 0, 0, 0, 2, 1, 0, 2, 0, 1),
        (43, 21, 0, 43, 0, 22),
        (1, 1, 0, 1, 1),
        ("adapter", None, None),
    ),
}


def named(counts, sums, owners):
    found = {f"{kind}_count": count for kind, count in zip(COUNTS, counts, strict=True)}
    found |= {f"{kind}_downloads_30d": amount for kind, amount in zip(SUMS, sums, strict=True)}
    return found | {
        f"{kind}_owner_count": count for kind, count in zip(OWNERS, owners, strict=True)
    }


@pytest.fixture(scope="module")
def relation(home):
    with open_warehouse(home.folder) as db:
        rows = db.execute("from repo_impact").fetchdf().astype(object)
    return {row["repo_id"]: row for row in rows.where(rows.notna(), None).to_dict("records")}


def test_only_repos_with_dependants_that_are_there_have_a_row(relation):
    assert set(relation) == set(KNOWN)


@pytest.mark.parametrize("repo_id", KNOWN)
def test_what_depends_on_a_repo(relation, repo_id):
    *numbers, (largest, dominator, mirror) = KNOWN[repo_id]
    text = {"largest_relation": largest, "dominator_id": dominator, "mirror": mirror}
    assert relation[repo_id] == {"repo_id": repo_id, **text, **named(*numbers)}


@pytest.mark.parametrize("repo_id", [*KNOWN, "fam/one", "self/loop", "q/q1"])
def test_the_command_gives_the_numbers_of_the_relation(home, repo_id):
    ran = CliRunner().invoke(
        cli, ["--home", str(home.folder), "impact", repo_id, "--format", "json"]
    )
    found = json.loads(ran.stdout)
    nothing = ((0,) * len(COUNTS), (0,) * len(SUMS), (0,) * len(OWNERS))
    numbers = KNOWN[repo_id][:3] if repo_id in KNOWN else nothing
    assert found["counts"] == named(*numbers)
    if repo_id in KNOWN:
        assert found["mirror_states"] == {KNOWN[repo_id][3][2] or "unknown": 1}


def test_the_command_says_what_breaks_and_where_poison_flows(home):
    text = CliRunner().invoke(cli, ["--home", str(home.folder), "impact", "base/a"]).stdout
    for line in (
        "  made from it      12 models of 7 owners, 120 downloads in 30 days",
        "  directly          5 (3 finetune, 2 adapter)",
        "  deleted or gated  breaks 2 models of 1 owner, 7 downloads in 30 days",
        "                    may break 1 more: they declare another base as well",
        "  weights replaced  taken up at the next load by 3 models of 1 owner, 13 downloads"
        " in 30 days",
        "  poisoned          reaches 10 models of 6 owners, 109 downloads in 30 days",
        "  re-making         impossible for 5 direct dependants",
        "  no way around     for 10 models of 7 owners, 107 downloads in 30 days",
        "  mirrors           every weight file lies with another owner, too",
        "                    copy/a  1 of 1 weight file",
        "  q/q1  30 downloads  (by others; poison)",
        "  ad/both  6 downloads  (adapter; may break; poison; way around)",
        "  old/child  9 downloads  (finetune)",
    ):
        assert f"{line}\n" in text
    ghost = CliRunner().invoke(cli, ["--home", str(home.folder), "impact", "ghost/z"]).stdout
    assert "lost already      1: a ghost" in ghost
    assert "may reach 2 more: an order of creation is unknown" in ghost
    assert "g/orphan  14 downloads  (finetune; poison perhaps)" in ghost


def test_an_owner_whose_repos_all_vanish(home):
    with open_warehouse(home.folder) as db:
        found = blast_radius(db.cursor(), ["f/f1", "f/f2"])
    # m/three has base/b still; one dependant of two of the owner's repos is one dependant
    assert found.counts == named(
        (2, 0, 0, 0, 2, 0, 3, 0, 0, 3, 0, 2), (42, 0, 0, 42, 0, 35), (2, 0, 0, 2, 2)
    )
    assert found.mirror_states == {"part": 1, "same_owner": 1}
    ran = CliRunner().invoke(cli, ["--home", str(home.folder), "impact", "--owner", "f"])
    assert ran.stdout.startswith("f, 2 repos\n  made from it      3 models of 2 owners, 42 ")
    one = CliRunner().invoke(
        cli, ["--home", str(home.folder), "impact", "--owner", "ring", "--format", "json"]
    )
    assert json.loads(one.stdout)["counts"]["descendant_count"] == 0


def test_what_is_not_there_is_said(home):
    def fails(*arguments):
        return CliRunner().invoke(cli, ["--home", str(home.folder), "impact", *arguments])

    unknown = fails("base/A")
    assert isinstance(unknown.exception, UnknownModel)
    assert "did you mean base/a" in str(unknown.exception)
    owner = fails("--owner", "BASE")
    assert isinstance(owner.exception, UnknownOwner)
    assert "did you mean base?" in str(owner.exception)
    assert "case-sensitive" in str(fails("--owner", "[bold]x").exception)
    assert [fails().exit_code, fails("base/a", "--owner", "f").exit_code] == [2, 2]


def test_names_of_strangers_are_made_visible():
    from analysis.impact.asking import BlastRadius, Dependant, Mirror
    from app.impacting import impact_lines

    odd = Dependant("\x1b[31mred", "x", 1, None, "no", "no", has_way_around=False)
    counts = named((0,) * len(COUNTS), (0,) * len(SUMS), (0,) * len(OWNERS))
    found = BlastRadius(counts, {"child": [odd]}, {}, {"part": 1}, [Mirror("a\u202eb", "x", 1, 2)])
    text = "\n".join(impact_lines("\x1b", found))
    assert "\x1b" not in text
    assert "\\u001b[31mred" in text
    assert "a\\u202eb  1 of 2 weight files" in text


def test_lost_bases(home):
    rows = home.rows(
        "select child_id, parent_id, loss, is_load_time, kept_base_count from lost_base"
    )
    assert rows == [
        ("g/adapter", "ghost/z", "ghost", True, 0),
        ("g/orphan", "ghost/z", "ghost", False, 0),
        ("gat/fine", "gat/base", "gated", False, 0),
        ("gat/kid", "gat/base", "gated", True, 1),
        ("gone/kid", "gone/base", "gone", True, 0),
        ("x/kid", "x/gone", "gone", False, 0),
    ]


def test_mirrors(home):
    columns = "content_id[8], repo_id, repo_count, owner_count, is_there, is_elsewhere, is_oldest"
    assert home.rows(f"select {columns} from mirror") == [
        ("a", "base/a", 2, 2, True, True, True),
        ("a", "copy/a", 2, 2, True, True, False),
        ("b", "f/f1", 2, 1, True, False, True),
        ("b", "f/f2", 2, 1, True, False, False),
        ("e", "ad/one", 2, 2, True, False, True),
        # it is gone, but its weights are not
        ("e", "x/gone", 2, 2, False, True, False),
    ]
    same = home.rows("select set_id, list(repo_id order by repo_id) from mirror group by all")
    assert sorted(repos for _, repos in same) == [
        *(["ad/one", "x/gone"], ["base/a", "copy/a"], ["f/f1"], ["f/f2"])
    ]


def measure(home, name, subject, twin="raw"):
    sql = (
        "select value, count, low, reason from study_measure where analysis = 'impact'"
        f" and measure = '{name}' and subject = '{subject}' and twin = '{twin}'"
    )
    return home.rows(sql)[0]


# 24 models that are there declare a base, 7 of them as an adapter; 29 edges lead from these. They
# are downloaded 270 times. What is gone, disabled or gated is known to be lost.
@pytest.mark.parametrize(
    ("name", "subject", "value", "count"),
    [
        ("dependent_share", "top 1", 12 / 24, 24),
        ("dependent_share", "top 100", 1, 24),
        ("dependent_download_share", "top 1", 120 / 270, 24),
        ("breaking_share", "top 1", 2 / 7, 7),
        ("load_time_share", "models", 7 / 24, 24),
        ("load_time_share", "downloads", 84 / 270, 24),
        ("creation_order", "parent later", 2 / 29, 29),
        ("creation_order", "order unknown", 5 / 29, 29),
        ("largest_single_share", "deletion", 2 / 24, 24),
        ("largest_single_share", "every way", 10 / 24, 24),
        # g/adapter, gone/kid and with it gone/grand; gat/kid has another base
        ("broken_share", "ghost", 1 / 7, 7),
        ("broken_share", "gone", 2 / 7, 7),
        ("broken_share", "gated", 0, 7),
        ("broken_share", "known to be lost", 2 / 7, 7),
        ("broken_share", "lost or a ghost", 3 / 7, 7),
        ("orphan_share", "gone", 1 / 17, 17),
        ("orphan_share", "lost or a ghost", 3 / 17, 17),
        ("unmakeable_share", "adapter, parent known to be lost", 2 / 7, 7),
        ("unmakeable_share", "merge, parent lost or a ghost", 0, 2),
        ("mirror_share", "other_owner", 2 / 6, 6),
        ("mirror_share", "none", 2 / 6, 6),
    ],
)
def test_shares(home, name, subject, value, count):
    assert measure(home, name, subject)[:2] == (pytest.approx(value), count)


def studied(home, as_of):
    with open_warehouse(home.folder) as db:
        made = Study(db.cursor(), as_of=as_of)
        lay_out(made)
        impact(made)
        return made, made.db.execute("select repo_id, descendant_count from repo_impact").fetchall()


def test_the_past_has_what_was_known_then(home):
    made, rows = studied(home, datetime(2026, 1, 10))
    assert rows == [("base/a", 1)]
    assert [one.value for one in made.measures if one.measure == "orphan_share"][-1] == 1


def test_a_hub_of_nothing_has_reasons_for_all(home):
    made, rows = studied(home, datetime(2025, 1, 1))
    assert rows == []
    assert {one.value for one in made.measures} == {None}
    assert made.points == []


def test_a_share_of_nothing_has_a_reason(home):
    name = "unknown, parent known to be lost"
    assert measure(home, "unmakeable_share", name)[3].startswith("no model that is there declares")


@pytest.mark.parametrize(
    ("values", "expected"), [([1, 1, 1], 0), ([0, 0, 1], 2 / 3), ([1, 3], 0.25), ([0, 0], None)]
)
def test_gini(values, expected):
    import numpy as np

    assert gini(np.array(values, dtype=float)) == pytest.approx(expected)
