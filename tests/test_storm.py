"""A hub that fails, throttles and cuts off, and a crawler that is killed: the same warehouse."""

import multiprocessing
import random

import duckdb
import pytest
from hubs import contents, model, recording
from test_crashes import CHILDREN, armed

from analysis.lineage import derive_lineage
from crawler.crawl import crawl
from crawler.localhub.running import running
from crawler.queue import queued_counts
from crawler.runs import past_runs
from warehouse.build import build


def warehouse(home):
    with duckdb.connect(build(home, derive=derive_lineage, from_scratch=True)) as db:
        return held(db)


def held(db):
    """All that a warehouse holds, each look at a model once: a killed crawl may look twice."""
    found = contents(db)
    return {**found, "model_observation": sorted(set(found["model_observation"]))}


def undisturbed(home, source, facets):
    with running(source) as endpoint:
        crawl(home, endpoint=endpoint, hub_name="test", facets=facets)
    return warehouse(home)


def raw_count(home):
    return len(list((home / "raw").rglob("*.jsonl.zst")))


def killed_after(files, work, home, **options):
    """Kill a crawl once it has written some more raw files; whether it was still running."""
    child = CHILDREN.Process(target=armed, args=("", "", work, home), kwargs=options)
    child.start()
    wanted = raw_count(home) + files
    while child.is_alive() and raw_count(home) < wanted:
        multiprocessing.connection.wait([child.sentinel], timeout=0.01)
    still_running = child.is_alive()
    child.kill()
    child.join()
    return still_running


def stormy(home, source, facets, *, kills, seed):
    """Crawl through a storm, killed as often as told; how often it was killed amid its work."""
    rng = random.Random(seed)
    options = {"hub_name": "test", "facets": facets, "backoff_s": 0.001}
    killed = 0
    quotas = {"api": 50_000, "resolvers": 6_000}
    storm = {"mode": "storm", "fault_share": 0.05, "seed": seed, "quotas": quotas, "window_s": 2}
    with running(source, **storm) as endpoint:
        for _ in range(10 * kills):
            if killed == kills:
                break
            killed += killed_after(rng.randint(1, 6), crawl, home, endpoint=endpoint, **options)
        for _ in range(5):  # what failed five times over is asked again by the next run
            crawl(home, endpoint=endpoint, **options)
            if queued_counts(home) == {}:
                break
    return killed


@pytest.mark.parametrize("seed", [1, 2])
def test_five_in_a_hundred_requests_fail_and_nothing_is_missing(tmp_path, seed):
    records = [
        model(f"o/m{n}", card=f"# {n}" if n % 2 else None, sha=f"{n:040x}", downloads=n)
        for n in range(400)
    ]
    source, facets = recording(tmp_path, records), ("card", "refs")
    whole = undisturbed(tmp_path / "whole", source, facets)
    assert stormy(tmp_path / "home", source, facets, kills=3, seed=seed) == 3
    assert warehouse(tmp_path / "home") == whole
    failures = sum((sum(r["failures"].values()) for r in past_runs(tmp_path / "home")), 0)
    assert failures > 10
