"""What the zoo's cards declare comes back as edges; what they hide does not."""

import duckdb
import orjson
import pytest
from hubs import built_in_steps
from huggingface_hub.utils import HFValidationError, validate_repo_id

from analysis.lineage import derive_lineage
from crawler.crawl import crawl
from crawler.facets import FACETS
from crawler.localhub.running import running
from warehouse.build import build
from warehouse.export import Authors, export


@pytest.fixture(scope="module")
def truth(zoo):
    repos = orjson.loads((zoo / "truth.json").read_bytes())["repos"]
    return {name: repo for name, repo in repos.items() if repo["published"]}


@pytest.fixture(scope="module")
def warehouse(zoo, tmp_path_factory):
    home = tmp_path_factory.mktemp("zoo-home")
    with running(zoo / "hub") as endpoint:
        crawl(home, endpoint=endpoint)
    with duckdb.connect(build(home, derive=derive_lineage), read_only=True) as db:
        yield db


def readable(repo):
    """Whether tags, cardData or card can tell: not a base named in config.json or broken YAML."""
    return repo["declared_in"] != "config" and "broken-yaml" not in repo["odd"]


def is_edge(child, parent):
    try:
        validate_repo_id(parent)
    except HFValidationError:
        return False
    return child != parent


def test_every_repo_of_the_zoo_is_a_model(truth, warehouse):
    rows = warehouse.execute("select repo_id from model where known").fetchall()
    assert {repo_id for (repo_id,) in rows} == set(truth)


def test_declared_parents_are_the_edges(truth, warehouse):
    rows = warehouse.execute("select child_id, parent_id from base_model_edge").fetchall()
    assert set(rows) == {
        (child, parent)
        for child, repo in truth.items()
        for parent in repo["declared"]
        if readable(repo) and is_edge(child, parent)
    }


def test_what_cannot_be_an_edge_is_rejected(truth, warehouse):
    rows = warehouse.execute("select distinct key from rejected where stage = 'lineage'").fetchall()
    odd = {c for c, repo in truth.items() for p in repo["declared"] if not is_edge(c, p)}
    assert {key for (key,) in rows} == odd
    assert odd


def test_the_ring_is_one_cycle(truth, warehouse):
    ring = {name for name, repo in truth.items() if "cyclic" in repo["odd"]}
    rows = warehouse.execute("select repo_id from family_member where cycle_id is not null")
    assert {repo_id for (repo_id,) in rows.fetchall()} == ring


def test_a_deleted_and_a_renamed_parent_are_ghosts(truth, warehouse):
    rows = warehouse.execute("select repo_id from model where not known").fetchall()
    declared = {p for c, repo in truth.items() for p in repo["declared"] if is_edge(c, p)}
    assert {repo_id for (repo_id,) in rows} == declared - set(truth)
    assert len(rows) == 2


def test_gated_cards_are_not_there_and_said_to_be_so(truth, warehouse):
    gated = {name for name, repo in truth.items() if repo["gated"]}
    rows = warehouse.execute("select key from rejected where reason like '%GatedRepo%'").fetchall()
    assert {key for (key,) in rows} == gated
    cards = warehouse.execute("select count(*) from card where repo_id in ?", [sorted(gated)])
    assert cards.fetchone() == (0,)


def test_a_relation_is_the_one_declared_or_inferred_by_the_hub(truth, warehouse):
    rows = warehouse.execute("select child_id, relation from base_model_edge").fetchall()
    kinds = {"adapter": "adapter", "merge": "merge", "finetune": "finetune"}
    for child, relation in rows:
        kind = truth[child]["kind"]
        if kind in kinds:
            assert relation == kinds[kind], child


def test_from_scratch_and_in_three_parts_the_export_is_the_same_byte_for_byte(zoo, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    with running(zoo / "hub") as endpoint:
        crawl(whole, endpoint=endpoint, facets=tuple(FACETS), query_files=True)
    build(whole, derive=derive_lineage)
    built_in_steps(whole / "raw", parts, seed=2)
    told = [exported(home, authors=Authors.KEEP) for home in (whole, parts)]
    assert len(told[0]) > 20
    assert told[0] == told[1]


def exported(home, **options):
    folder = home / "export"
    export(home, folder, **options)
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "build.json")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
