"""Facets beside the card: commits, files, refs and discussions, from the hub to relations."""

import sqlite3
from contextlib import closing

import duckdb
import orjson
import pytest
from hubs import OddHub, contents, crawled, model, recording

from analysis.lineage import derive_lineage
from crawler.crawl import crawl
from crawler.hub import BudgetSpent
from crawler.listed import listed
from crawler.localhub.access import READER_TOKEN
from crawler.localhub.running import running
from crawler.localhub.shelf import Commit, Repo, put_blob, read_folder, write_folder
from crawler.queue import Enqueue, Outcome
from crawler.raw import envelope, read_raw, write_raw
from crawler.runs import past_runs
from crawler.state import CrawlState
from warehouse.build import build

ALL = ("card", "commits", "tree", "refs", "discussions")
COMMITS, DISCUSSIONS, FILES = 2_100, 25, 1_200


@pytest.fixture(scope="module")
def zoo_warehouse(zoo, tmp_path_factory):
    home = crawled(tmp_path_factory.mktemp("facets") / "home", zoo / "hub", facets=ALL)
    with duckdb.connect(build(home, derive=derive_lineage), read_only=True) as db:
        yield db


@pytest.fixture(scope="module")
def shelf(zoo):
    return {repo.id: repo for repo in read_folder(zoo / "hub").repos}


@pytest.fixture
def long(tmp_path):
    """A hub of one repo whose answers all need several pages."""
    folder = tmp_path / "long"
    file = put_blob(folder / "blobs", b"x")
    files = {f"{n:04d}.txt": file for n in range(FILES)}
    commits = [
        Commit(f"{n:040x}", f"commit {n}", "2026-01-01T00:00:00.000Z", files) for n in range(2)
    ] + [
        Commit(f"{n:040x}", f"commit {n}", "2025-01-01T00:00:00.000Z", {})
        for n in range(2, COMMITS)
    ]
    discussions = [
        {"num": n, "title": f"question {n}", "status": "open", "isPullRequest": False}
        for n in range(1, DISCUSSIONS + 1)
    ]
    write_folder(folder, [Repo({"id": "o/long"}, commits, discussions=discussions)])
    return folder


def test_commits_are_those_of_the_zoo(zoo_warehouse, shelf):
    rows = zoo_warehouse.execute(
        "select repo_id, commit_sha, title, message, authors from commit order by repo_id, position"
    ).fetchall()
    assert rows == [
        (name, c.id, c.title, c.message, [author["user"] for author in c.authors])
        for name, repo in sorted(shelf.items())
        for c in repo.commits
    ]


def test_refs_are_those_of_the_zoo(zoo_warehouse, shelf):
    rows = zoo_warehouse.execute("select repo_id, ref, commit_sha from ref").fetchall()
    assert set(rows) == {
        (name, ref["ref"], ref["targetCommit"])
        for name, repo in shelf.items()
        for refs in repo.refs.values()
        for ref in refs
    }
    kinds = zoo_warehouse.execute("select distinct kind from ref order by kind").fetchall()
    assert kinds == [("branch",), ("pr",), ("tag",)]


def test_discussions_are_those_of_the_zoo(zoo_warehouse, shelf):
    rows = zoo_warehouse.execute(
        "select repo_id, discussion_number, title, status, is_pull_request, author from discussion"
    ).fetchall()
    assert set(rows) == {
        (name, d["num"], d["title"], d["status"], d["isPullRequest"], d["author"]["name"])
        for name, repo in shelf.items()
        for d in repo.discussions
    }


def test_files_have_the_sizes_and_hashes_of_their_tree(zoo_warehouse, shelf):
    rows = zoo_warehouse.execute(
        "select repo_id, path, size_bytes, lfs_sha256, commit_sha from repo_file"
    ).fetchall()
    assert set(rows) == {
        (name, path, file.size, file.sha256 if file.lfs else None, repo.commits[0].id)
        for name, repo in shelf.items()
        if repo.commits
        for path, file in repo.commits[0].files.items()
    }


def test_every_page_is_followed(tmp_path, long):
    home = crawled(tmp_path / "home", long, facets=ALL)
    with duckdb.connect(build(home, derive=derive_lineage)) as db:
        assert db.execute("select count(*), max(position) from commit").fetchall() == [
            (COMMITS, COMMITS)
        ]
        assert db.execute("select count(*) from discussion").fetchone() == (DISCUSSIONS,)
        assert db.execute("select count(*), sum(size_bytes) from repo_file").fetchall() == [
            (FILES, FILES)
        ]
        titles = db.execute("select title from commit order by position limit 2").fetchall()
    assert titles == [("commit 0",), ("commit 1",)]


def test_stopped_after_every_few_requests_it_ends_as_if_undisturbed(tmp_path, long):
    whole, home, stops = crawled(tmp_path / "whole", long, facets=ALL), tmp_path / "home", 0
    with running(long) as endpoint:
        for _ in range(40):
            try:
                crawl(home, endpoint=endpoint, hub_name="test", facets=ALL, max_requests=4)
                break
            except BudgetSpent:
                stops += 1
    assert stops > 1
    first, second = (duckdb.connect(build(at, derive=derive_lineage)) for at in (whole, home))
    assert contents(first) == contents(second)


def test_pinned_facets_are_asked_for_once_the_others_at_every_sweep(tmp_path):
    source = recording(tmp_path, [model("o/m", sha="a" * 40)])
    home = crawled(tmp_path / "home", source, facets=ALL)
    crawled(home, source, facets=ALL)
    batches = {facet: len(list((home / "raw" / facet).iterdir())) for facet in ALL}
    assert batches == {"card": 1, "commits": 1, "tree": 1, "refs": 2, "discussions": 2}


def test_other_facets_ask_for_a_new_sweep_also_after_a_crawl_that_broke_off(tmp_path):
    source, home = recording(tmp_path, [model(f"o/m{n}") for n in range(9)]), tmp_path / "home"
    with running(source) as endpoint:
        with pytest.raises(BudgetSpent):
            crawl(home, endpoint=endpoint, hub_name="test", max_requests=5)
        crawl(home, endpoint=endpoint, hub_name="test", facets=("card", "refs"))
    assert (home / "raw" / "refs").exists()


def test_other_facets_are_queued_for_what_a_listing_that_broke_off_had_listed(tmp_path):
    source, home = recording(tmp_path, [model(f"o/m{n}") for n in range(1500)]), tmp_path / "home"
    with running(source) as endpoint:
        with pytest.raises(BudgetSpent):
            crawl(home, endpoint=endpoint, hub_name="test", max_requests=3)
        done = crawl(home, endpoint=endpoint, hub_name="test", facets=("refs",))
    assert done.answered == {"refs": 1500}
    assert done.listed_count == 500


def test_the_most_wanted_come_first(tmp_path):
    records = [{"id": f"o/m{n}", "downloads": n} for n in (1, 30, 2)] + [{"id": "o/unknown"}]
    state, when = CrawlState(tmp_path), "2026-01-01T00:00:00.000Z"
    sweep = state.sweeps.start("full", "/1", endpoint="e", watermark_at=when)
    rows = list(map(listed, records))
    state.sweeps.record_page(
        sweep, run_id=1, next_path=None, listed=rows, enqueue=[Enqueue("card")]
    )
    order = []
    while batch := state.queue.claim("card", 1):
        batch_id, (want,) = batch
        order.append(want.repo_id)
        state.queue.finish(batch_id, [Outcome(want.repo_id, "main", settled=True)], run_id=1)
    state.close()
    assert order == ["o/m30", "o/m2", "o/m1", "o/unknown"]


def test_what_is_queued_can_be_counted_while_another_writes(tmp_path):
    state = CrawlState(tmp_path)
    assert state.queue.open_count("card") == 0
    state.db.execute("pragma busy_timeout = 0")
    with closing(sqlite3.connect(state.folder / "crawl.sqlite", isolation_level=None)) as other:
        other.execute("begin immediate")
        assert state.queue.open_count("card") == 0
        assert not state.queue.has_open(("card",))
    state.close()


def test_a_gate_is_known_as_one_on_a_hub_that_says_nothing_of_errors(tmp_path):
    fields = {"private": False, "createdAt": "2026-01-01T00:00:00.000Z"}
    records = [model("o/shut", card="x", gated="auto", **fields), model("o/open", **fields)]
    home, source = tmp_path / "home", recording(tmp_path, records)
    with running(source, mode="bare") as endpoint:
        crawl(home, endpoint=endpoint, token=READER_TOKEN)
    (path,) = (home / "raw" / "card").glob("*")
    answers = {answer["repo_id"]: answer for answer in read_raw(path)}
    told = [
        tuple(answers[name][key] for key in ("status", "error_code", "failure"))
        for name in ("o/shut", "o/open")
    ]
    assert told == [(401, None, "access"), (404, None, "entry-missing")]
    assert past_runs(home)[0]["failures"] == {"access": 1, "entry-missing": 1}


def test_a_gate_does_not_hide_that_a_repo_is_gone(tmp_path):
    shut, home = model("o/shut", gated="auto", private=False), tmp_path / "home"
    for records in ([shut, model("o/open")], [model("o/open")], [model("o/open")]):
        with running(recording(tmp_path, records), mode="bare") as endpoint:
            crawl(home, endpoint=endpoint, hub_name="test", facets=())
    (path,) = (home / "raw" / "probe").glob("*")
    (answer,) = read_raw(path)
    assert (answer["status"], answer["failure"]) == (404, "gone")


def test_an_answer_that_is_no_json_is_rejected(tmp_path):
    when = {"fetched_at": "2026-01-02T03:04:05.000Z", "status": 200}
    listing = envelope(b'[{"id": "o/m"}]', **when)
    write_raw(tmp_path / "raw" / "model" / "1.jsonl.zst", [listing])
    answers = {"commits": b"<html>", "refs": b"[1]", "discussions": b'"x"', "tree": b"{}"}
    for facet, body in answers.items():
        row = envelope(body, facet=facet, repo_id="o/m", revision="main", page=0, **when)
        write_raw(tmp_path / "raw" / facet / "1.jsonl.zst", [row])
    with duckdb.connect(build(tmp_path, derive=derive_lineage)) as db:
        assert db.execute("select key, reason from rejected").fetchall() == [
            ("o/m", "answer for commits is not JSON")
        ]
        for relation in ("commit", "ref", "discussion", "repo_file"):
            assert db.execute(f"select count(*) from {relation}").fetchone() == (0,)


def test_an_empty_page_that_repeats_for_ever_ends(tmp_path):
    listing = orjson.dumps([{"id": "o/m"}])
    endless = orjson.dumps({"discussions": [], "count": 99, "start": 0})
    answers = iter([listing] * 3)  # two questions and the sweep; whatever follows is endless
    with OddHub(lambda is_card: (200, {}, next(answers, endless))) as odd:
        done = crawl(tmp_path, endpoint=odd.endpoint, facets=("discussions",))
    assert done.answered == {"discussions": 1}
    assert len(odd.seen) == 4
