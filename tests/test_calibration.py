"""How far sources of lineage agree and are right: by hand, and by plain Python on real records."""

import csv
import os
import re
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pytest
import zstandard
from pyarrow import csv as arrow_csv
from raw_homes import RawHome, answer

from analysis.calibration import agreements
from analysis.precision import labels, precisions, rereading, wilson
from benchmarks.calibration import main
from warehouse.read import open_warehouse

RECORDINGS = os.environ.get("HUBATLAS_RECORDINGS")
needs_recordings = pytest.mark.skipif(not RECORDINGS, reason="HUBATLAS_RECORDINGS is not set")
ADAPTER = "other: adapter_config.json"
PROPOSALS = [
    ("a/xyz-finetuned-y", "big/XYZ", "merged", "regex"),
    ("a/plain", "xyz", "open", "regex"),
    ("b/plain", "other/z", "merged", ADAPTER),
    ("c/unlisted-lora", "big/unlisted", "open", ADAPTER),
    ("c/bert-finetuned-q", "big/bert-base", "closed", "regex"),
    ("d/nothing", "big/xyz", "open", "regex"),
]


def proposals(rows):
    return pa.table(
        dict(zip(("child", "parent", "status", "method"), zip(*rows, strict=True), strict=True))
    )


@pytest.fixture
def hub(tmp_path):
    home = RawHome(tmp_path)
    tuned = "a fine-tuned version of [x](https://huggingface.co/{})"
    home.listing(
        {"id": "big/xyz"},
        {"id": "a/xyz-finetuned-y", "tags": ["base_model:big/xyz"]},
        {"id": "a/plain", "tags": ["base_model:big/xyz"]},
        {"id": "b/plain"},
        {"id": "d/nothing"},
    )
    home.answer("card", "a/xyz-finetuned-y", tuned.format("big/xyz").encode())
    home.answer("card", "a/plain", tuned.format("big/w").encode())
    body = {"base_model_name_or_path": "big/z"}
    home.answer("adapter_config", "b/plain", body, path="adapter_config.json")
    home.built().close()
    with open_warehouse(tmp_path) as db:
        yield db


def counted(found):
    return {(a.source, a.other, a.kind): (a.agreed, a.compared, a.owner_count) for a in found}


def test_agreement_is_counted_over_models_that_both_sources_speak_of(hub):
    found = agreements(hub, proposals(PROPOSALS), np.random.default_rng(0))
    cards, adapters = "proposed from card_text", "proposed from adapter_config"
    assert counted(found) == {
        ("card_text", "name", "all"): (1, 1, 1),
        ("card_text", "name of a model", "all"): (1, 1, 1),
        ("card_text", "tag", "all"): (1, 2, 1),
        ("name", "tag", "all"): (1, 1, 1),
        ("name of a model", "tag", "all"): (1, 1, 1),
        ("tag", cards, "all"): (2, 2, 1),
        ("tag", cards, "confirmed"): (1, 1, 1),
        ("card_text", cards, "all"): (1, 2, 1),
        ("card_text", cards, "confirmed"): (1, 1, 1),
        ("adapter_config", adapters, "all"): (1, 1, 1),
        ("adapter_config", adapters, "confirmed"): (1, 1, 1),
        # also of children that nobody listed
        ("name", cards, "all"): (1, 2, 2),
        ("name", cards, "confirmed"): (1, 1, 1),
        ("name", adapters, "all"): (1, 1, 1),
        # bert is no model's name here, nor is unlisted
        ("name of a model", cards, "all"): (1, 1, 1),
        ("name of a model", cards, "confirmed"): (1, 1, 1),
    }
    assert {one.by_owner.low for one in found} == {None}  # too few owners


def test_without_proposals_sources_are_compared_with_each_other_alone(hub):
    found = agreements(hub, None, np.random.default_rng(0))
    assert {one.other for one in found} == {"name", "name of a model", "tag"}


def label(evidence, stratum, count, told, second=""):
    said = {"is_parent": told[0], "is_relation": told[1], "second_parent": second}
    both = {"first_parent": told[0], "first_relation": told[1], "second_relation": second}
    where = {"recording": 2022, "evidence": evidence, "stratum": stratum, "stratum_count": count}
    return where | said | both


def test_precision_by_hand():
    rows = [
        *[label("tag", "small", 100, ("yes", "yes"), "yes")] * 3,
        label("tag", "small", 100, ("no", "yes"), "yes"),
        *[label("tag", "large", 300, ("yes", "no"))] * 2,
        label("tag", "large", 300, ("unclear", "unclear")),
    ]
    large, small, tag = precisions(pa.Table.from_pylist(rows))
    assert (small.right, small.wrong, small.unclear, small.share) == (3, 1, 0, 0.75)
    assert (small.low, small.high) == pytest.approx((0.3006, 0.9544), abs=1e-4)
    assert (small.relation_share, large.relation_share) == (1.0, 0.0)
    assert (large.share, large.unclear) == (1.0, 1)
    # 100 of 400 claims at .75, 300 at 1; variance .0625 · 4/6 · 2/6 / 4 + .5625 · 3/4 · 1/4 / 2
    assert tag.share == pytest.approx(0.9375)
    reach = 1.959964 * (0.0625 * 2 / 9 / 4 + 0.5625 * 3 / 16 / 2) ** 0.5
    assert (tag.low, tag.high) == (pytest.approx(0.9375 - reach), 1.0)
    assert tag.relation_share == pytest.approx(0.25)


def test_two_readings_by_hand():
    pairs = [*[("yes", "yes")] * 6, *[("no", "no")] * 2, ("yes", "no"), ("no", "yes")]
    rows = [label("tag", "x", 1, (one, one), other) for one, other in pairs]
    rows.append(label("tag", "x", 1, ("yes", "yes")))  # read once
    # 8 of 10 alike; by chance .7 · .7 + .3 · .3 = .58
    assert rereading(pa.Table.from_pylist(rows))["parent"] == (10, 8, pytest.approx(0.22 / 0.42))


def test_wilson_of_nothing_and_of_all():
    assert wilson(0, 0) == (0.0, 1.0)
    # 1 / (1 + z² / n)
    assert wilson(10, 10) == (pytest.approx(10 / (10 + 1.959964**2)), pytest.approx(1.0))


def test_labels_are_well_formed_and_of_what_was_drawn():
    rows = labels().to_pylist()
    assert len(rows) == len({(r["evidence"], r["child_id"], r["parent_id"]) for r in rows}) == 184
    told = {"yes", "no", "unclear"}
    assert {r[c] for r in rows for c in ("is_parent", "is_relation", "first_parent")} <= told
    twice = [r for r in rows if r["second_parent"]]
    assert len(twice) == 62
    assert all(r["second_relation"] in told for r in twice)
    assert all(5 < len(r["why"]) < 120 for r in rows)


def test_confidences_are_made_of_what_was_measured(hub):
    held = {
        name: (precision, low, high, count)
        for name, precision, low, high, count in hub.execute(
            "select evidence, precision, low, high, measured_count from evidence_precision"
        ).fetchall()
    }
    read = {p.evidence: p for p in precisions(labels()) if not p.stratum}
    for evidence, measured in (
        *(("tag", "tag"), ("card_data", "tag"), ("front_matter", "tag")),
        ("card_text", "card_text"),
    ):
        one = read[measured]
        told = [round(n, 3) for n in (one.share, one.low, one.high)]
        assert held[evidence] == (*told, one.right + one.wrong)
    assert {name for name, row in held.items() if row[3] == 0} == {"mergekit_config", "config"}
    lines = Path(__file__).parent.parent.joinpath("docs/lineage.md").read_text("utf-8")
    for name, row in held.items():
        assert f"| {name} | {row[0]:.3f} |" in lines


def test_the_tables_are_printed(hub, tmp_path, capsys):
    path = tmp_path / "proposals.csv"
    arrow_csv.write_csv(proposals(PROPOSALS), path)
    hub.close()
    main(tmp_path, path)
    out = capsys.readouterr().out
    assert "| tag | proposed from card_text | all | 2 of 2 | 1.000 | 0.342 to 1.000 |" in out
    assert "kappa" in out


def records(name):
    with (Path(RECORDINGS) / name).open("rb") as file:
        text = zstandard.ZstdDecompressor().stream_reader(file).read()
    return [orjson.loads(line) for line in text.splitlines()]


def listed(folder, lines, carded):
    """A built home of a recording, with the cards of some of its repos."""
    home = RawHome(folder)
    home.listing(*(line["model"] for line in lines))
    cards = [
        answer(line["card"].encode(), facet="card", repo_id=line["model"]["id"], day=1)
        for line in lines
        if line["card"] and line["model"]["id"] in carded
    ]
    if cards:
        home.write("card", *cards)
    home.built().close()
    return open_warehouse(folder)


WORDS = (
    r"gguf|ggml|gptq|awq|exl[23]|hqq|aqlm|quip|bnb|nf4|mlx|fp8|fp4|nvfp4|mxfp4|w\d+a\d+|int[48]"
    r"|[2-8]-?bits?|i?q\d(_\w{1,4})*|\d(\.\d+)?bpw|quantized|quant"
)
MORE = r"imat(rix)?|i1|h[68]|\d+g|g\d+|bf16|fp16|f16|dynamic|static|smashed"


def hinted(repo_id):
    """What a name says, as plainly as it can be told: (relation, what is left) or None."""
    name = repo_id.split("/")[-1]
    for start in range(1, len(name)):
        if name[start] in "-_." and re.fullmatch(
            rf"([-_.]({WORDS}|{MORE}))+", name[start:], re.I | re.A
        ):
            if re.search(rf"[-_.]({WORDS})($|[-_.])", name[start:], re.I | re.A):
                return told("quantized", name[:start])
            break
    low = name.lower()
    if "lora" in low or "adapter" in low or "peft" in low:
        found = re.fullmatch(r"(.+?)[-_.](q?lora|adapters?|peft)([-_.]?v?[0-9]{1,3})?", name, re.I)
        return told("adapter", found[1] if found else "")
    found = re.fullmatch(r"(fine-?tuned|ft)[-_.](?P<of>.+)", name, re.I) or re.fullmatch(
        r"(?P<of>.+)[-_.](fine[-_]?tuned|ft)([-_.].*)?", name, re.I
    )
    return told("finetune", found["of"] if found else "")


def told(relation, stem):
    return (relation, stem.replace("_-_", "/")) if len(stem) > 2 else None


def last(repo_id):
    return repo_id.split("/")[-1].lower()


@needs_recordings
def test_agreement_with_a_bot_of_2023_is_that_of_plain_python(tmp_path):
    with (Path(RECORDINGS) / "base_model_prs.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    lines = records("hub_2022_02.jsonl.zst")
    with listed(tmp_path, lines, {row["child"] for row in rows}) as db:
        given = arrow_csv.read_csv(Path(RECORDINGS) / "base_model_prs.csv")
        found = counted(agreements(db, given, np.random.default_rng(0)))
        names = {last(name) for (name,) in db.execute("select repo_id from model").fetchall()}
        sentence = defaultdict(set)
        for child, parent in db.execute(
            "select child_id, parent_id from base_model_evidence"
            " where evidence = 'card_text' and refusal is null"
        ).fetchall():
            sentence[child].add(last(parent))
    tally = defaultdict(Counter)
    for row in rows:
        other = "card_text" if row["method"] == "regex" else "adapter_config"
        hint = hinted(row["child"])
        said = {"card_text": sentence.get(row["child"])}
        if hint:
            said["name"] = {last(hint[1])}
            said["name of a model"] = said["name"] & names
        for source, bases in said.items():
            if bases:
                kinds = ("all", "confirmed") if row["status"] == "merged" else ("all",)
                for kind in kinds:
                    tally[source, f"proposed from {other}", kind][last(row["parent"]) in bases] += 1
    expected = {key: (count[True], count.total()) for key, count in tally.items()}
    compared = {
        key: value[:2]
        for key, value in found.items()
        if key[1].startswith("proposed") and key[0] != "adapter_config"
    }
    assert compared == expected
    assert expected["card_text", "proposed from card_text", "all"][1] > 300
    # evidence_precision holds these
    agreed, count = expected["name of a model", "proposed from card_text", "all"]
    assert (round(agreed / count, 3), count) == (0.823, 1575)
    answered = Counter(r["status"] for r in rows if r["method"] != "regex")
    assert (answered["merged"], answered["closed"]) == (191, 2)


@needs_recordings
def test_edges_of_2026_are_those_of_plain_python(tmp_path):
    lines = records("hub_2026_08.jsonl.zst")
    with listed(tmp_path, lines, set()) as db:
        found = db.execute(
            "select child_id, parent_id, relation, evidence, resolved_by, confidence,"
            " is_contradicted from base_model_edge"
        ).fetchall()
        old = dict(db.execute("select old_id, repo_id from alias").fetchall())
        moved = dict(db.execute("select declared_id, repo_id from base_model_name").fetchall())
    known = {line["model"]["id"] for line in lines}
    alike = defaultdict(list)
    for name in known:
        alike[name.lower()].append(name)
    edges = defaultdict(list)
    for line in lines:
        child = line["model"]["id"]
        for declared, relation in declared_by_tags(line["model"].get("tags") or []).items():
            parent, how = meant(declared, known, old, alike)
            if parent != child and valid(declared):
                edges[child, parent].append((declared, relation, how))
    assert sorted(found) == sorted(edge(*pair, claims) for pair, claims in edges.items())
    assert moved == {"gpt2": "openai-community/gpt2"}


def declared_by_tags(tags):
    """Relation by base model; the Hub writes each twice, once without relation."""
    pairs = {}
    for tag in tags:
        found = re.fullmatch(r"base_model:(?:(finetune|adapter|quantized|merge):)?(.*)", tag, re.S)
        if found:
            pairs[found[2]] = found[1] or pairs.get(found[2], "unknown")
    return pairs


def valid(name):
    shape = r"([A-Za-z0-9_]([\w.\-]{0,94}[A-Za-z0-9_])?/)?[A-Za-z0-9_]([\w.\-]{0,94}\w)?"
    whole = re.fullmatch(shape, name, re.A) and "--" not in name and ".." not in name
    return bool(whole) and not name.endswith(".git")


def meant(name, known, old, alike):
    if name in known:
        return name, None
    if old.get(name) in known:
        return old[name], "rename"
    if len(alike.get(name.lower(), [])) == 1:
        return alike[name.lower()][0], "case"
    if name == "gpt2" and "openai-community/gpt2" in known:
        return "openai-community/gpt2", "owner"
    return name, None


def edge(child, parent, claims):
    """The expected row, out of tags and the child's name."""
    relations = {relation for _, relation, _ in claims} - {"unknown"}
    hint = hinted(child)
    names = {parent.lower(), last(parent), parent.lower().replace("/", "_")}
    names |= {parent.lower().replace("/", "-"), *(last(declared) for declared, *_ in claims)}
    named = bool(hint) and hint[1].lower() in names
    others = {hint[0]} if named else set()
    contradicted = len(relations | others) > 1
    if others == {"finetune"}:  # says little
        contradicted = bool(relations - {"finetune", "adapter"})
    relation = sorted(relations or others or {"unknown"})[0]
    resolved = {how for *_, how in claims}
    return (
        *(child, parent, relation, ["name", "tag"] if named else ["tag"]),
        None if None in resolved else min(resolved),
        round(1 - 0.04 * 0.177, 4) if named else 0.96,
        contradicted,
    )
