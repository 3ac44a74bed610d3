"""Each page and each of its states, without a browser, over a warehouse built from raw files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from analysis.lineage import derive_lineage
from app import warehouse_cache
from app.words import FIRST_CREATION, creation_day
from atlas.branches import Branch
from atlas.crowd import LABELS, LABELS_ALL
from atlas.palette import DARK, LIGHT, RELATIONS, palette
from atlas.pruning import DEEPEST, prune, tree_depth, walk
from atlas.table_file import csv_bytes
from atlas.tree_chart import Paint, draw
from crawler.raw import envelope, write_raw
from warehouse.build import build

MAIN = Path(__file__).parents[1] / "app" / "main.py"
NOW = "2026-11-23T00:00:00.000Z"
CARD = """---
license: mit
base_model: org/root
---
# A card

<script>window.hurt = 1</script><img src=x onerror="window.hurt = 2">

and **bold** <i onclick="window.hurt = 3">words</i>

[bad](javascript:alert(1)) [good](https://good.test)
"""


def model(repo_id: str, *tags: str, **fields: Any) -> dict[str, Any]:
    return {"_id": repo_id.encode().hex()[:24], "id": repo_id, "tags": list(tags), **fields}


MODELS = [
    model(
        "org/root",
        "license:mit",
        downloads=5_000,
        likes=7,
        pipeline_tag="text-generation",
        sha="a" * 40,
        createdAt="2026-01-02T03:04:05.000Z",
        safetensors={"total": 7_000_000_000},
        siblings=[{"rfilename": "model.safetensors", "size": 123}, {"rfilename": "README.md"}],
    ),
    model("org/tuned", "base_model:org/root", "base_model:finetune:org/root", downloads=50),
    model("org/small", "base_model:quantized:org/tuned", downloads=5, gated="manual"),
    model("org/other", "base_model:adapter:org/away", downloads=1),
    model("org/merged", "base_model:merge:org/tuned", "base_model:merge:org/other"),
    model("org/egg", "base_model:finetune:org/hen"),
    model("org/hen", "base_model:finetune:org/egg"),
    model("org/alone"),
    model("org/selfish", "base_model:finetune:org/selfish", "base_model:<b>x</b>"),
    model("-sum"),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    asked = {"facet": "probe", "repo_id": "org/alone", "revision": "main", "page": 0, "url": "u"}
    missing = {"status": 404, "error_code": "RepoNotFound", "failure": "gone"}
    answer = envelope(b"", fetched_at="2026-11-24T00:00:00.000Z", **asked, **missing)
    write_raw(home / "raw/probe/0000001.jsonl.zst", [answer])
    return made_home(home, MODELS, {"org/tuned": CARD})


@pytest.fixture(autouse=True)
def _reads(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(warehouse_cache.HOME_VARIABLE, str(home))
    yield
    warehouse_cache.close()


def made_home(home: Path, models: list[dict[str, Any]], cards: dict[str, str]) -> Path:
    number = len(list(home.glob("raw/model/*"))) + 1
    listing = envelope(
        json.dumps(models).encode(),
        facet="model",
        run_id=number,
        sweep_id=number,
        next_path=None,
        url="u",
        fetched_at=NOW,
        status=200,
    )
    write_raw(home / f"raw/model/{number:05}-000000.jsonl.zst", [listing])
    answers = [
        envelope(
            text.encode(),
            facet="card",
            run_id=number,
            repo_id=repo_id,
            revision="main",
            url="u",
            fetched_at=NOW,
            status=200,
        )
        for repo_id, text in cards.items()
    ]
    if answers:
        write_raw(home / f"raw/card/{number:07}.jsonl.zst", answers)
    build(home, derive=derive_lineage)
    return home


def open_page(page: str | None = None, **query: str) -> AppTest:
    at = AppTest.from_file(MAIN, default_timeout=30).run()
    if page:
        at.switch_page(f"screens/{page}.py")
        at.query_params.update(query)
        at.run()
    assert not at.exception
    return at


def text_of(at: AppTest) -> str:
    said = [element.body for element in at.get("html")]
    links = [element.proto.label for element in at.get("page_link")]
    return "\n".join([*said, *links]).replace("\\", "")


def test_home_counts_and_links_to_examples() -> None:
    at = open_page()
    text = text_of(at)
    assert "data as of 2026-11-23 00:00 UTC" in text
    for name, number in {"Known models": 10, "Ghosts": 1, "Cards": 1, "Rejected": 2}.items():
        assert f"<dt>{name}</dt><dd>{number}</dd>" in text
    assert "org/merged :gray[2 parents]" in text
    assert "declares itself as its base model" in text


def test_search_finds_and_says_when_it_does_not() -> None:
    at = open_page()
    assert "org/small" in text_of(at.text_input(key="q").set_value("SMA").run())
    nothing = at.text_input(key="q").set_value("<b>zzz").run()
    assert "No model here has “&lt;b&gt;zzz”" in text_of(nothing)


def test_family_page_tells_all() -> None:
    at = open_page("family", id="org/root")
    text = text_of(at)
    assert "Family of" in text
    assert "<dt>Members</dt><dd>6</dd>" in text
    assert "<dt>Ghosts</dt><dd>1</dd>" in text
    assert "hangs under one primary parent" in text
    members = at.dataframe[0].value
    assert len(members) == 6
    merged = members[members["repo_id"] == "org/merged"].iloc[0]
    assert {merged["primary_parent_id"], merged["other_parents"]} == {"org/tuned", "org/other"}
    assert {link for link in ("org/root", "org/away") if link in text} == {"org/root", "org/away"}


def test_family_shapes_can_be_switched() -> None:
    at = open_page("family", id="org/root")
    assert at.segmented_control(key="shape").value == "left to right"
    at.segmented_control(key="shape").set_value("radial").run()
    assert not at.exception


def test_cycle_is_said_plainly() -> None:
    text = text_of(open_page("family", id="org/egg"))
    assert "A cycle: org/egg and org/hen declare one another" in text


def test_family_of_one_and_family_by_a_members_name() -> None:
    assert "A family of one" in text_of(open_page("family", id="org/alone"))
    text = text_of(open_page("family", id="org/small"))
    assert "name of a model, not of a family" in text


def test_choice_of_families_and_models() -> None:
    families = open_page("family")
    assert set(families.dataframe[0].value["member_count"]) == {6, 2}
    models = open_page("model")
    assert len(models.dataframe[0].value) == 11


def test_model_page_shows_facts_lineage_evidence_and_files() -> None:
    at = open_page("model", id="org/root")
    text = text_of(at)
    assert "<dt>Parameters</dt><dd>7 B</dd>" in text
    assert "<dt>Created</dt><dd>2 Jan 2026</dd>" in text
    assert "root of its tree" in text
    assert "2 files, 123 B" in text_of(open_page("model", id="org/root", part="Files"))
    text = text_of(open_page("model", id="org/merged"))
    assert "org/tuned</a>" in text
    assert "org/other</a>" in text
    assert "merge</td>" in text


def test_a_left_truncated_creation_time_says_so() -> None:
    assert creation_day(FIRST_CREATION) == "2 Mar 2022 or before"
    assert creation_day(datetime(2022, 3, 2, 23, 29, 5)) == "2 Mar 2022"
    assert creation_day(None) == "—"


def test_card_is_harmless_and_its_front_matter_a_table() -> None:
    at = open_page("model", id="org/tuned", part="Card")
    card = next(part.body for part in at.get("html") if "atlas-card" in part.body)
    assert "<strong>bold</strong>" in card
    assert "<script" not in card
    assert "<img" not in card
    assert 'href="javascript' not in card
    assert json.loads(at.json[0].value) == {"license": "mit", "base_model": "org/root"}


def test_refused_claims_are_shown_as_text() -> None:
    text = text_of(open_page("model", id="org/selfish"))
    assert "declares itself as its base model" in text
    assert "malformed base model id" in text
    assert "&lt;b&gt;x&lt;/b&gt;" in text
    assert "<b>x</b>" not in text


def test_ghost_alone_and_gated_models() -> None:
    assert "Nobody listed this model" in text_of(open_page("model", id="org/away"))
    assert "declares no base model" in text_of(open_page("model", id="org/alone"))
    assert "gated: manual" in text_of(open_page("model", id="org/small"))
    assert "gone from the hub by 24 Nov 2026" in text_of(open_page("model", id="org/alone"))
    assert "No card" in text_of(open_page("model", id="org/alone", part="Card"))


@pytest.mark.parametrize("page", ["model", "family"])
@pytest.mark.parametrize("wanted", ["org/rot", "<b>x</b>", "../../etc/passwd", "a" * 4_000, "%00'"])
def test_unknown_names_offer_the_nearest(page: str, wanted: str) -> None:
    at = open_page(page, id=wanted)
    text = text_of(at)
    assert f"No such {page}" in text
    assert "<b>x</b>" not in text
    if wanted == "org/rot":
        assert "org/root" in text


def test_missing_warehouse_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(warehouse_cache.HOME_VARIABLE, str(tmp_path))
    at = open_page()
    assert "There is no warehouse to read" in text_of(at)
    assert f"hubatlas --home {tmp_path} build" in at.code[0].value


def test_new_warehouse_is_seen_without_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(warehouse_cache.HOME_VARIABLE, str(tmp_path))
    made_home(tmp_path, MODELS[:1], {})
    at = open_page()
    assert "<dt>Known models</dt><dd>1</dd>" in text_of(at)
    made_home(tmp_path, MODELS[:3], {})
    assert "<dt>Known models</dt><dd>3</dd>" in text_of(at.run())


def test_csv_cells_are_no_formulas() -> None:
    at = open_page("model")
    lines = csv_bytes(at.dataframe[0].value[["repo_id"]]).decode().splitlines()
    assert "'-sum" in lines
    assert "org/root" in lines


def star(leaf_count: int) -> Branch:
    leaves = [Branch(f"o/leaf{at}", "finetune", ["tag"], True, at, 1) for at in range(leaf_count)]
    return Branch("o/star", None, [], True, 1, 0, branches=leaves)


def test_pruning_keeps_the_most_downloaded_and_counts_the_rest() -> None:
    cut = prune([star(500)], most=100, total_count=501)
    assert cut.drawn_count == 100
    assert cut.trees[0].cut == 401
    assert {branch.repo_id for branch in walk(cut.trees)} >= {"o/star", "o/leaf499", "o/leaf402"}


def test_endless_chains_are_cut() -> None:
    top = at = Branch("o/0", None, [], True, 1, 0)
    for depth in range(1, 1_000):
        at.branches = [Branch(f"o/{depth}", "finetune", [], True, 1, depth)]
        at = at.branches[0]
    cut = prune([top], most=5_000, total_count=1_000)
    assert tree_depth(cut.trees) == DEEPEST
    assert json.dumps(draw(cut.trees, Paint("left to right", LIGHT)).option)


@pytest.mark.parametrize("leaf_count", [3, LABELS_ALL + 1])
@pytest.mark.parametrize("forest", [False, True])
def test_a_click_names_the_model_behind_its_index(leaf_count: int, forest: bool) -> None:
    trees = [star(leaf_count)] + ([Branch("o/lone", None, [], False, None, 0)] if forest else [])
    radial = draw(trees, Paint("radial", DARK))
    nodes = radial.option["series"][0]["nodes"]
    assert [node["name"] for node in nodes] == radial.names
    assert sum(node["label"]["show"] for node in nodes) == (
        len(nodes) if leaf_count == 3 else LABELS
    )
    sideways = draw(trees, Paint("left to right", DARK))
    assert sideways.names[0] is None
    assert sideways.names[2 if forest else 1] == "o/star"


def test_every_relation_has_its_own_colour() -> None:
    for look in (LIGHT, DARK):
        colours = [look.of(name) for name in (*RELATIONS, None)]
        assert len(set(colours)) == len(colours)
    assert palette("dark") is DARK
    assert palette(None) is LIGHT
