"""One model, from the hub's HTTP answer to its dot on the page. Read this first.

The model is a merge that the zoo trained: ``mergehaven/glyph-soup-linear``, the average of two
fine-tunes of ``digitlab/glyph-tiny``. Each test is one room of the house.
"""

import json
import os
import shutil
from pathlib import Path
from urllib.request import urlopen

import pytest
from browsing import SHOTS, serving, shoot, wait_for_ink

from analysis.lineage import derive_lineage
from atlas.branches import family_trees, lineage
from atlas.palette import LIGHT
from atlas.pruning import walk
from atlas.tree_chart import Paint, draw
from crawler.crawl import crawl
from crawler.localhub.running import running
from crawler.raw import body_of, read_raw
from warehouse.build import build
from warehouse.read import open_warehouse

MODEL = "mergehaven/glyph-soup-linear"
PARENTS = ["digitlab/glyph-tiny-rot90", "digitlab/glyph-tiny-inverted"]
FAMILY = "digitlab/glyph-tiny"
README_PICTURE = Path(__file__).parents[1] / "docs" / "family.png"


@pytest.fixture(scope="module")
def hub(zoo):
    with running(zoo / "hub") as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def home(hub, tmp_path_factory):
    folder = tmp_path_factory.mktemp("journey")
    crawl(folder, endpoint=hub)
    build(folder, derive=derive_lineage)
    return folder


@pytest.fixture(scope="module")
def warehouse(home):
    with open_warehouse(home) as db:
        yield db


def answered(hub, path):
    with urlopen(hub + path) as answer:
        return answer.read()


def test_1_the_hub_answers(hub):
    record = json.loads(answered(hub, f"/api/models/{MODEL}"))
    assert {f"base_model:merge:{parent}" for parent in PARENTS} < set(record["tags"])
    assert answered(hub, f"/{MODEL}/resolve/{record['sha']}/README.md").startswith(b"---\n")


def test_2_the_crawler_keeps_the_answer_word_for_word(hub, home):
    (page,) = read_raw(next((home / "raw" / "model").iterdir()))
    listed = {record["id"]: record for record in json.loads(body_of(page))}
    assert listed[MODEL]["tags"] == json.loads(answered(hub, f"/api/models/{MODEL}"))["tags"]
    assert (page["status"], page["facet"]) == (200, "model")
    cards = read_raw(next((home / "raw" / "card").iterdir()))
    card = next(card for card in cards if card["repo_id"] == MODEL)
    assert card["repo_commit"] == listed[MODEL]["sha"]
    assert body_of(card) == answered(hub, f"/{MODEL}/resolve/main/README.md")


def test_3_the_warehouse_names_and_types_it(warehouse):
    row = warehouse.execute(
        "select author, known, license, architecture, parameter_count > 1000, commit_sha"
        " from model where repo_id = ?",
        [MODEL],
    ).fetchone()
    assert row[:5] == ("mergehaven", True, "apache-2.0", "LlamaForCausalLM", True)
    card = warehouse.execute("select commit_sha from card where repo_id = ?", [MODEL]).fetchone()
    assert card == (row[5],)


def test_4_its_declarations_become_edges_with_their_evidence(warehouse):
    rows = warehouse.execute(
        "select parent_id, relation, evidence from base_model_edge where child_id = ?"
        " order by position",
        [MODEL],
    ).fetchall()
    everywhere = ["card_data", "card_text", "front_matter", "tag"]
    assert rows == [(parent, "merge", everywhere) for parent in PARENTS]


def test_5_the_analysis_finds_its_family(warehouse):
    row = warehouse.execute(
        "select family_id, root_id, generation, primary_parent_id from family_member"
        " where repo_id = ?",
        [MODEL],
    ).fetchone()
    assert row == (FAMILY, FAMILY, 2, PARENTS[0])


def test_6_the_atlas_gives_it_a_place_and_a_colour(warehouse):
    up = lineage(warehouse, MODEL, direction="up")
    assert [parent.repo_id for parent in up.branches] == PARENTS
    trees = family_trees(warehouse, FAMILY)
    branch = next(branch for branch in walk(trees) if branch.repo_id == MODEL)
    assert branch.others == [PARENTS[1]]
    drawing = draw(trees, Paint("left to right", LIGHT))
    dot = next(item for item in items(drawing.option) if item["name"] == MODEL)
    assert (dot["symbol"], dot["itemStyle"]["color"]) == ("diamond", LIGHT.relation["merge"])


def items(option):
    left = list(option["series"][0]["data"])
    for item in left:
        left += item["children"]
        yield item


@pytest.mark.browser
def test_7_the_page_shows_its_dot(home, chromium):
    with serving(home) as host:
        page = chromium.new_page(viewport={"width": 1400, "height": 1290})
        page.goto(f"http://{host}/family?id={FAMILY}")
        wait_for_ink(page)
        wait_for_rest(page)
        shoot(page, "journey")
        page.goto(f"http://{host}/model?id={MODEL}")
        page.locator("h1.atlas-title", has_text="glyph-soup-linear").wait_for()
        page.locator(".atlas-table").get_by_text(PARENTS[1]).first.wait_for()
        page.close()
    if os.environ.get("HUBATLAS_WRITE_GOLDEN"):
        shutil.copyfile(SHOTS / "journey.png", README_PICTURE)


def wait_for_rest(page):
    """Wait until the chart's entry animation has ended: two frames that are the same."""
    page.wait_for_function(
        """() => {
          const seen = document.querySelector('[data-testid=stEChartsChart] canvas').toDataURL();
          const rest = window.lastSeen === seen;
          window.lastSeen = seen;
          return rest;
        }""",
        polling=500,
    )
