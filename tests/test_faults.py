"""Every way in which a hub goes wrong: it is said or asked again, and afterwards nothing is odd.

Each test crawls a hub that goes wrong, then the same hub when it is well; the warehouse must be the
one that a crawl of the well hub alone would have made.
"""

import resource
import signal
from datetime import UTC, datetime, timedelta

import duckdb
import numpy as np
import pytest
from gguf import GGUFWriter
from hubs import contents, model, recording
from safetensors.numpy import save
from test_crashes import CHILDREN

from analysis.lineage import derive_lineage
from crawler.crawl import crawl
from crawler.hub import NotAHub
from crawler.localhub.running import running
from crawler.localhub.shelf import Commit, Repo, put_blob, write_folder
from crawler.queue import queued_counts
from crawler.runs import past_runs
from warehouse.build import build

FACETS = ("card", "tree", "refs", "discussions", "tensors", "mergekit_config")
WHEN = "2026-01-01T00:00:00.000Z"


def repo(folder, number):
    blobs = folder / "blobs"
    weights = save({"w": np.full((2, 3), number, np.float32)}, {"format": "pt"})
    files = {
        "README.md": put_blob(blobs, b"# %d\n" % number),
        "mergekit_config.yml": put_blob(blobs, b"merge_method: linear\n"),
        "model.safetensors": put_blob(blobs, weights),
    }
    talks = [
        {"num": n, "title": f"t{n}", "status": "open", "isPullRequest": False, "createdAt": WHEN}
        for n in range(1, 13)
    ]
    commits = [Commit(f"{number:040x}", "one", WHEN, files)]
    made = f"2026-01-01T00:00:{number:02d}.000Z"
    return Repo({"id": f"o/m{number}", "createdAt": made}, commits, discussions=talks)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shelf")
    write_folder(folder, [repo(folder, number) for number in range(4)])
    return folder


def crawled(home, endpoint, **options):
    told = {"hub_name": "test", "facets": FACETS, "backoff_s": 0.001, **options}
    return crawl(home, endpoint=endpoint, **told)


def warehouse(home):
    with duckdb.connect(build(home, derive=derive_lineage, from_scratch=True)) as db:
        held = contents(db)
    return {**held, "model_observation": sorted(set(held["model_observation"]))}


@pytest.fixture(scope="module")
def undisturbed(shelf, tmp_path_factory):
    home = tmp_path_factory.mktemp("undisturbed")
    with running(shelf) as endpoint:
        crawled(home, endpoint)
    held = warehouse(home)
    assert [len(held[name]) for name in ("card", "tensor", "discussion")] == [4, 4, 48]
    return held


WELL_AT_ONCE = (
    "reset",
    "no-range",
    "refuse-limit",
    "slow-pages",
    "endless-discussions",
)
WELL_LATER = ("short-body", "wrong-range", "redirect-loop", "gzip-bomb", "huge-header", "html")


@pytest.mark.parametrize("mode", WELL_AT_ONCE)
def test_what_a_crawl_gets_over_by_itself(shelf, undisturbed, tmp_path, mode):
    with running(shelf, mode=mode) as endpoint:
        crawled(tmp_path, endpoint)
    assert queued_counts(tmp_path) == {}
    assert warehouse(tmp_path) == undisturbed


@pytest.mark.parametrize("mode", WELL_LATER)
def test_what_is_asked_again_once_the_hub_is_well(shelf, undisturbed, tmp_path, mode):
    with running(shelf, mode=mode) as endpoint:
        try:
            crawled(tmp_path, endpoint)
        except NotAHub:
            assert mode == "html"
    with running(shelf) as endpoint:
        crawled(tmp_path, endpoint, listing=mode == "html")
    assert queued_counts(tmp_path) == {}
    assert warehouse(tmp_path) == undisturbed


def test_a_next_page_on_another_host_is_refused_and_the_next_crawl_lists_all(tmp_path):
    source, home = recording(tmp_path, [model(f"o/m{n}") for n in range(1500)]), tmp_path / "home"
    with running(source, mode="foreign-link") as endpoint, pytest.raises(NotAHub) as told:
        crawled(home, endpoint, facets=())
    assert "another host" in str(told.value)
    with running(source) as endpoint:
        assert crawled(home, endpoint, facets=()).listed_count == 1500


def _crawl_on_a_small_disk(home, endpoint, most):
    # No file may grow beyond this: what a full disk does to a write, without filling one.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    crawled(home, endpoint)


@pytest.mark.parametrize("most", [1, 2000, 40_000, 200_000])
def test_a_full_disk_stops_a_crawl_and_loses_nothing(shelf, undisturbed, tmp_path, most):
    with running(shelf) as endpoint:
        child = CHILDREN.Process(target=_crawl_on_a_small_disk, args=(tmp_path, endpoint, most))
        child.start()
        child.join()
        assert child.exitcode == 1
        crawled(tmp_path, endpoint)
    assert warehouse(tmp_path) == undisturbed


@pytest.mark.parametrize("hours", [-30, 30])
def test_a_clock_that_jumps_does_not_turn_the_order_of_looks(shelf, tmp_path, monkeypatch, hours):
    def jumped():
        return datetime.now(UTC) + timedelta(hours=hours)

    with running(shelf) as endpoint:
        crawled(tmp_path, endpoint, clock=jumped)
        crawled(tmp_path, endpoint, anew=True)
    with duckdb.connect(build(tmp_path, derive=derive_lineage)) as db:
        looks = db.execute(
            "select sweep_id from model_observation where repo_id = 'o/m1' order by observed_at"
        ).fetchall()
        span = db.execute("select max(observed_at) - min(observed_at) from model_observation")
        assert span.fetchone()[0] < timedelta(hours=1)
    assert looks == [(1,), (2,)]


def test_gguf_headers_are_asked_for_only_where_that_is_allowed(tmp_path):
    writer = GGUFWriter(tmp_path / "w.gguf", "llama")
    writer.add_block_count(1)
    writer.add_tensor("t", np.zeros((4, 32), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    folder = tmp_path / "hub"
    weights = put_blob(folder / "blobs", (tmp_path / "w.gguf").read_bytes())
    commit = Commit("a" * 40, "one", WHEN, {"w.gguf": weights})
    write_folder(folder, [Repo({"id": "o/quantized", "createdAt": WHEN}, [commit])])
    home, told = tmp_path / "home", []
    with running(folder) as endpoint:
        crawled(home, endpoint, facets=("tensors",), tell=told.append)
        assert any("--query-files" in sentence for sentence in told)
        assert past_runs(home)[0]["query_file_count"] == 0
        assert warehouse(home)["tensor"] == []
        home = tmp_path / "allowed"
        crawled(home, endpoint, facets=("tensors",), query_files=True)
    assert past_runs(home)[0]["query_file_count"] == 1
    assert len(warehouse(home)["tensor"]) == 1
