"""A hub that lacks facets: it is found out by few requests, and nothing is taken for an answer."""

import dataclasses
import signal
from collections import Counter

import duckdb
import pytest
from hubs import contents, crawled, model, recording
from test_crashes import in_process

from analysis.lineage import derive_lineage
from crawler.crawl import crawl
from crawler.facets import enqueue_of
from crawler.fetching import FIRST_BATCH, fetch_facet
from crawler.hub import BudgetSpent, Hub
from crawler.localhub.running import running
from crawler.localhub.shelf import Commit, Repo, put_blob, write_folder
from crawler.queue import MOST_TRIES, queued_counts
from crawler.raw import read_raw
from crawler.restraint import Restraint
from crawler.run import Run
from crawler.runs import past_runs
from crawler.state import CrawlState
from warehouse.build import build

LACKED = ("commits", "tree", "refs", "discussions", "security")
ALL = ("card", *LACKED)
REPOS = 20
WHEN = "2026-01-01T00:00:00.000Z"


def repo(folder, number):
    content = {"README.md": b"# %d\n" % number, "pytorch_model.bin": b"\x80%d" % number}
    files = {name: put_blob(folder / "blobs", held) for name, held in content.items()}
    talk = {"num": 1, "title": "t", "status": "open", "isPullRequest": False, "createdAt": WHEN}
    made = f"2026-01-01T00:00:{number:02d}.000Z"
    commits = [Commit(f"{number:040x}", "one", WHEN, files)]
    return Repo({"id": f"o/m{number}", "createdAt": made}, commits, discussions=[talk])


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shelf")
    write_folder(folder, [repo(folder, number) for number in range(REPOS)])
    return folder


def of_a_hub(home, shelf, *, mode="plain", **options):
    told = {"hub_name": "test", "facets": ALL, "backoff_s": 0.001, **options}
    with running(shelf, mode=mode) as endpoint:
        return crawl(home, endpoint=endpoint, **told)


def warehouse(home):
    with duckdb.connect(build(home, derive=derive_lineage, from_scratch=True)) as db:
        held = contents(db)
    del held["model_observation"]  # a look at the bare hub is one more
    return held


@pytest.fixture(scope="module")
def undisturbed(shelf, tmp_path_factory):
    home = tmp_path_factory.mktemp("undisturbed")
    of_a_hub(home, shelf)
    held = warehouse(home)
    relations = ("card", "commit", "repo_file", "ref", "discussion", "security_finding")
    assert [len(held[name]) for name in relations] == [20, 20, 40, 20, 20, 20]
    return held


def answers(home, facet):
    return [a for path in sorted((home / "raw" / facet).iterdir()) for a in read_raw(path)]


def test_what_a_bare_hub_lacked_is_asked_of_the_hub_that_has_it(shelf, undisturbed, tmp_path):
    for _ in range(2):
        done = of_a_hub(tmp_path, shelf, mode="bare", anew=True)
        assert done.answered == {"card": done.answered["card"], **dict.fromkeys(LACKED, 0)}
    assert queued_counts(tmp_path) == dict.fromkeys(LACKED, REPOS)
    of_a_hub(tmp_path, shelf)
    assert queued_counts(tmp_path) == {}
    assert warehouse(tmp_path) == undisturbed


def test_a_facet_that_is_lacking_costs_few_requests_and_is_said_once(shelf, tmp_path):
    told = []
    of_a_hub(tmp_path, shelf, mode="bare", tell=told.append)
    for facet in LACKED:
        asked = answers(tmp_path, facet)
        assert [answer["failure"] for answer in asked] == ["unsupported"] * FIRST_BATCH
        assert sum(f"does not offer {facet}:" in sentence for sentence in told) == 1
    (run,) = past_runs(tmp_path)
    assert run["failures"] == {"unsupported": FIRST_BATCH * len(LACKED)}
    assert run["answered_count"] == REPOS


def test_it_is_asked_again_however_often_it_was_lacking(shelf, tmp_path):
    options = {"facets": ("commits",), "listing": False}
    of_a_hub(tmp_path, shelf, facets=())
    with running(shelf, mode="bare") as endpoint:
        for _ in range(MOST_TRIES + 1):
            crawl(tmp_path, endpoint=endpoint, hub_name="test", **options)
    assert len(answers(tmp_path, "commits")) == FIRST_BATCH * (MOST_TRIES + 1)
    assert of_a_hub(tmp_path, shelf, **options).answered == {"commits": REPOS}


@pytest.mark.parametrize("most", [5, 8, 11, 12])
def test_stopped_before_it_is_sure_it_takes_no_repo_for_gone(shelf, tmp_path, most):
    with pytest.raises(BudgetSpent):
        of_a_hub(tmp_path, shelf, mode="bare", facets=("refs", "card"), max_requests=most)
    stored = answers(tmp_path, "refs") if (tmp_path / "raw" / "refs").exists() else []
    assert {answer["failure"] for answer in stored} <= {"unsupported"}
    assert of_a_hub(tmp_path, shelf, facets=("refs",)).answered == {"refs": REPOS}


@pytest.mark.parametrize("place", ["raw whole:2", "batch begins:1", "batch not yet committed:1"])
def test_killed_between_the_file_and_the_state_it_is_asked_again(shelf, tmp_path, place):
    options = {"hub_name": "test", "facets": ("refs",)}
    with running(shelf, mode="bare") as endpoint:
        killed = in_process(crawl, tmp_path, endpoint=endpoint, at=place, **options)
    assert killed == -signal.SIGKILL
    assert {answer["failure"] for answer in answers(tmp_path, "refs")} == {"unsupported"}
    of_a_hub(tmp_path, shelf, facets=("refs",))
    assert queued_counts(tmp_path) == {}
    settled = [answer for answer in answers(tmp_path, "refs") if answer["failure"] is None]
    assert Counter(answer["repo_id"] for answer in settled) == {f"o/m{n}": 1 for n in range(REPOS)}


def test_repos_that_are_gone_are_not_taken_for_a_lacking_facet(shelf, tmp_path):
    # All that is listed is gone by the time it is asked for: a plain 404 of repo and facet alike.
    home = tmp_path / "home"
    listed = [model(f"o/away{n}", sha="a" * 40, downloads=n) for n in range(FIRST_BATCH + 2)]
    crawled(home, recording(tmp_path, listed), facets=())
    told = []
    of_a_hub(home, shelf, mode="bare", facets=("refs",), listing=False, tell=told.append)
    assert {answer["failure"] for answer in answers(home, "refs")} == {"gone"}
    assert queued_counts(home) == {}
    assert not any("does not offer" in sentence for sentence in told)


def test_a_record_without_a_status_is_no_answer_for_security(shelf, tmp_path):
    of_a_hub(tmp_path, shelf, mode="bare", facets=("security",))
    told = {(answer["status"], answer["failure"]) for answer in answers(tmp_path, "security")}
    assert told == {(200, "unsupported")}


def test_one_refusal_among_answers_is_about_its_repo(shelf, tmp_path):
    # Commits of a repo whose history the hub does not know: 404, while others answer.
    folder = tmp_path / "mixed"
    odd = dataclasses.replace(repo(folder, 1), commits=[])
    write_folder(folder, [repo(folder, 0), odd])
    told = []
    of_a_hub(tmp_path / "home", folder, facets=("commits",), tell=told.append)
    assert queued_counts(tmp_path / "home") == {}
    assert not any("does not offer" in sentence for sentence in told)


def fetched(home, shelf, mode, facets):
    """The run that fetched what an earlier crawl queued."""
    of_a_hub(home, shelf, facets=(), mode="plain")
    state = CrawlState(home)
    with running(shelf, mode=mode) as endpoint, state.locked(), Hub(endpoint, backoff_s=0) as hub:
        run_id, silent = state.runs.start(hub.endpoint, facets), lambda *told: None
        rules = Restraint(state.forgotten())
        run = Run(run_id, hub, home, state, facets, silent, silent, rules)
        state.sweeps.queue_known(enqueue_of(facets, 1))
        for facet in facets:
            fetch_facet(run, facet)
    state.close()
    return run


@pytest.mark.parametrize(
    ("mode", "facet", "said"),
    [
        ("plain", "refs", "20 asked for refs"),
        ("bare", "refs", "0 asked for refs (the hub does not offer it)"),
        (
            "redirect-loop",
            "card",
            "20 asked for card (20 failed: integrity; they wait for the next run)",
        ),
    ],
)
def test_a_run_sums_up_what_came_of_a_facet(shelf, tmp_path, mode, facet, said):
    assert fetched(tmp_path, shelf, mode, (facet,)).summary(facet) == said
