"""Killed at any boundary, a crawl that is run again ends as one that nobody disturbed."""

import multiprocessing
import shutil
import signal
from collections import Counter

import duckdb
import pytest
from hubs import contents, model, recording

from analysis.lineage import derive_lineage
from crawler import faultpoint
from crawler.crawl import crawl
from crawler.forget import forget
from crawler.localhub.running import running
from crawler.sample import SampleRequest
from warehouse.build import build

FACETS = ("card", "refs")
SAMPLE = SampleRequest(20, ("popularity",))
TRANSACTIONS = ("page", "claim", "batch", "end of sweep", "end of run")
MOMENTS = ("begins", "not yet committed", "committed")
PLACES = [
    *(f"raw {moment}" for moment in ("not yet written", "written", "synced", "renamed", "whole")),
    *(f"{name} {moment}" for name in TRANSACTIONS for moment in MOMENTS),
]
RECORDS = [
    model(f"o/m{n:03d}", card=f"# {n}" if n % 3 else None, sha=f"{n:040x}", downloads=n)
    for n in range(150)
]


CHILDREN = multiprocessing.get_context("forkserver")
CHILDREN.set_forkserver_preload(["crawler.crawl", "crawler.sample", "crawler.forget"])


def armed(crash_at, log, work, *args, **options):
    """Run in a child: ``work``, to be killed when it reaches a place."""
    faultpoint.arm(crash_at=crash_at, log=log)
    work(*args, **options)


def in_process(work, *args, at="", log="", **options):
    """Work in a process of its own: its exit code, negative for a signal."""
    child = CHILDREN.Process(target=armed, args=(at, log, work, *args), kwargs=options)
    child.start()
    child.join()
    return child.exitcode


def crawled(home, endpoint, *, at="", log="", **options):
    told = {"hub_name": "test", "facets": FACETS, **options}
    return in_process(crawl, home, endpoint=endpoint, at=at, log=log, **told)


def warehouse(home):
    with duckdb.connect(build(home, derive=derive_lineage, from_scratch=True)) as db:
        held = contents(db)
    # A run that was killed over its last words lists once more: one look more, the same said.
    return {**held, "model_observation": sorted(set(held["model_observation"]))}


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    # Pages of at most 62 records, so that there are several.
    source = recording(tmp_path_factory.mktemp("hub"), RECORDS)
    with running(source, mode="refuse-limit") as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def undisturbed(hub, tmp_path_factory):
    """The warehouse of a crawl that nobody disturbed, and how often it passed each place."""
    home = tmp_path_factory.mktemp("undisturbed")
    assert crawled(home, hub, log=str(home / "log")) == 0
    return warehouse(home), Counter((home / "log").read_text().splitlines())


def test_every_boundary_is_named(undisturbed):
    assert sorted(undisturbed[1]) == sorted(PLACES)


@pytest.mark.parametrize("place", PLACES)
def test_killed_at_a_boundary_it_goes_on(hub, undisturbed, tmp_path, place):
    for number in sorted({1, undisturbed[1][place] // 2 + 1}):
        home = tmp_path / str(number)
        assert crawled(home, hub, at=f"{place}:{number}") == -signal.SIGKILL
        assert crawled(home, hub) == 0
        assert warehouse(home) == undisturbed[0]
        assert not list(home.rglob("*.part"))


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_over_a_sample_it_goes_on(hub, tmp_path, moment):
    whole, home = tmp_path / "whole", tmp_path / "home"
    assert crawled(whole, hub, sample=SAMPLE) == 0
    assert crawled(home, hub, sample=SAMPLE, at=f"sample {moment}:1") == -signal.SIGKILL
    assert crawled(home, hub, sample=SAMPLE) == 0
    first, second = warehouse(whole), warehouse(home)
    assert first["card"] == second["card"]
    assert first["sample_member"] == second["sample_member"]
    assert len(first["sample_member"]) == 20


@pytest.fixture(scope="module")
def vanished(tmp_path_factory):
    """A home that has not listed three models once, and a hub that still lacks them."""
    home = tmp_path_factory.mktemp("vanished")
    for left in (RECORDS, RECORDS[3:]):
        with running(recording(home, left)) as endpoint:
            assert crawled(home, endpoint, facets=()) == 0
    with running(home / "recording.jsonl") as endpoint:
        yield home, endpoint


@pytest.mark.parametrize("place", ["vanished committed", "batch begins", "batch committed"])
def test_killed_over_what_has_vanished_it_goes_on(vanished, tmp_path, place):
    source, endpoint = vanished
    for name, at in (("whole", ""), ("home", f"{place}:1")):
        shutil.copytree(source, tmp_path / name)
        assert crawled(tmp_path / name, endpoint, facets=(), at=at) == (
            -signal.SIGKILL if at else 0
        )
    assert crawled(tmp_path / "home", endpoint, facets=()) == 0
    first, second = warehouse(tmp_path / "whole"), warehouse(tmp_path / "home")
    assert len(first["tombstone"]) == 3
    assert first["tombstone"] == second["tombstone"]
    assert first["model"] == second["model"]


@pytest.mark.parametrize("place", ["forget committed", "raw renamed"])
def test_killed_over_forgetting_it_is_finished_by_repeating(hub, undisturbed, tmp_path, place):
    home = tmp_path / "home"
    assert crawled(home, hub) == 0
    assert in_process(forget, home, "o/m007", at=f"{place}:1") == -signal.SIGKILL
    forget(home, "o/m007")
    left = warehouse(home)
    assert len(left["model"]) == len(undisturbed[0]["model"]) - 1
    assert "o/m007" not in repr(left)
