"""Foreign keys are checked, not assumed: what a header says of references and grain holds."""

import os
import random
from pathlib import Path

import duckdb
import pytest
from hubs import crawled, relations
from raw_homes import RawHome
from rich_homes import rich_home
from test_warehouse_order import raw_file

from analysis.lineage import derive_lineage
from warehouse.build import build
from warehouse.describe import describe_all

RECORDINGS = os.environ.get("HUBATLAS_RECORDINGS")
HELD = [*range(10), "rich", *(["2022_02", "2026_08"] if RECORDINGS else [])]


def built(folder, which):
    """The warehouse of random raw files, of the rich home, or of a recording."""
    home = folder / "home"
    if which == "rich":
        return rich_home(home).built()
    if isinstance(which, str):
        crawled(home, Path(RECORDINGS) / f"hub_{which}.jsonl.zst")
        return duckdb.connect(build(home, derive=derive_lineage), read_only=True)
    rng, made = random.Random(which), RawHome(home)
    made.listing({"id": "o/a"}, day=1)
    for number in range(10, 20):
        raw_file(rng, made, number)
    return made.built()


@pytest.fixture(scope="module", params=HELD, ids=str)
def warehouse(request, tmp_path_factory):
    with built(tmp_path_factory.mktemp("held"), request.param) as db:
        yield db


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    with built(tmp_path_factory.mktemp("rich"), "rich") as db:
        yield db


def refers(reference, relation):
    """What a reference joins, as SQL: from, condition that all its columns say something, match."""
    match = " and ".join(
        f"target.{there} = source.{here}"
        for here, there in zip(reference.columns, reference.target_columns, strict=True)
    )
    said = " and ".join(f"source.{column} is not null" for column in reference.columns)
    return f"from {relation} as source where {said}", match


def asked(one):
    """How a relation is asked; a macro about a time amid the days of the tests."""
    times = ", ".join(["timestamp '2026-01-03'"] * len(one.parameters))
    return f"{one.name}({times})" if one.kind == "macro" else one.name


def test_what_a_reference_names_is_there(warehouse):
    for one in describe_all(warehouse):
        for reference in one.header.references:
            source, match = refers(reference, asked(one))
            warehouse.execute(
                f"select 1 {source} and exists (from {reference.relation} as target where {match})"
            )
            if reference.dangling is not None:
                continue
            dangling = warehouse.execute(
                f"select {', '.join(reference.columns)} {source}"
                f" and not exists (from {reference.relation} as target where {match}) limit 3"
            )
            assert dangling.fetchall() == [], f"{one.name}: {reference}"


def test_rows_are_unique_by_their_grain(warehouse):
    for one in describe_all(warehouse):
        if one.header.grain:
            grain = ", ".join(one.header.grain)
            doubled = f"select {grain} from {asked(one)} group by all having count(*) > 1 limit 3"
            assert warehouse.execute(doubled).fetchall() == [], f"{one.name} by {grain}"


def test_every_reference_has_something_to_check(rich):
    unchecked = [
        f"{one.name}: {reference}"
        for one in describe_all(rich)
        for reference in one.header.references
        if rich.execute(f"select 1 {refers(reference, asked(one))[0]} limit 1").fetchone() is None
    ]
    assert unchecked == []


def test_a_reference_that_may_dangle_is_to_a_repo_s_name_or_to_what_was_fetched_apart(rich):
    """Lineage, families and everything kept of a repo by its present name may not."""
    loose = {
        (one.name, reference.relation)
        for one in describe_all(rich)
        for reference in one.header.references
        if reference.dangling is not None
    }
    assert {name for name, target in loose if target == "model"} == {
        *("alias", "answer", "base_model_evidence", "leaked_token", "model_observation"),
        "sample_member",
    }
    assert {target for _, target in loose} == {"model", "commit", "repo_file", "crawl_run", "sweep"}


def test_every_relation_of_the_rich_home_has_rows(rich):
    filled = {name for name in relations(rich) if rich.execute(f"from {name} limit 1").fetchone()}
    assert filled == set(relations(rich))
