"""A crawl over real HTTP: whole, resumable, and honest about servers that are no good hub."""

import itertools
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import duckdb
import orjson
import pytest
from hubs import OddHub, contents, crawled, model, recording

from analysis.lineage import derive_lineage
from crawler import CrawlError
from crawler.crawl import crawl
from crawler.database import StateDamaged, StateOfOtherVersion
from crawler.hub import BudgetSpent, HubUnreachable, NotAHub
from crawler.listed import is_safe_id
from crawler.listed import listed as listed_row
from crawler.localhub.access import READER_TOKEN
from crawler.localhub.running import running
from crawler.queue import Enqueue, queued_counts
from crawler.raw import RawFileDamaged, body_of, envelope, read_raw, write_raw
from crawler.restraint import split_page
from crawler.runs import past_runs
from crawler.state import CrawlState, HomeBusy, OtherHub
from crawler.waits import Waits
from warehouse.build import build

ZERO_CARDS = [model(f"owner/model-{n:04d}", sha=f"{n:040x}") for n in range(2500)]


@pytest.fixture
def few(tmp_path):
    lines = [model(f"o/m{n}", card=f"# {n}" if n % 3 else None, sha=f"{n:040x}") for n in range(40)]
    return recording(tmp_path, lines)


def listed(home):
    pages = sorted((home / "raw" / "model").glob("*"))
    return [r["id"] for page in pages for e in read_raw(page) for r in split_page(body_of(e))[0]]


def answered(home):
    return [e["repo_id"] for batch in (home / "raw" / "card").glob("*") for e in read_raw(batch)]


def test_every_page_and_every_card_exactly_once(tmp_path):
    home = crawled(tmp_path / "home", recording(tmp_path, ZERO_CARDS))
    ids = [line["model"]["id"] for line in ZERO_CARDS]
    assert sorted(listed(home)) == ids
    assert sorted(answered(home)) == ids


def test_an_answer_is_stored_verbatim_with_its_provenance(tmp_path):
    text = "---\nlicense: mit\n---\n# Titel mit Umlaut ü \x00 and NUL\n"
    home = crawled(tmp_path / "home", recording(tmp_path, [model("o/m", card=text, sha="a" * 40)]))
    (card,) = read_raw(next((home / "raw" / "card").glob("*")))
    assert body_of(card) == text.encode()
    assert card["status"] == 200
    assert card["url"].endswith("/o/m/resolve/" + "a" * 40 + "/README.md")
    assert card["repo_commit"] == "a" * 40
    assert card["fetched_at"].endswith("Z")


def test_a_hub_without_shas_is_crawled_at_main(tmp_path):
    home = crawled(tmp_path / "home", recording(tmp_path, [model("o/m", card="")]))
    (card,) = read_raw(next((home / "raw" / "card").glob("*")))
    assert (card["status"], card["revision"], card["body"]) == (200, "main", "")


def test_stopped_after_every_number_of_requests_it_ends_as_if_undisturbed(tmp_path, few):
    whole = crawled(tmp_path / "whole", few)
    home, stops = tmp_path / "home", 0
    with running(few) as endpoint:
        for _ in range(100):
            try:
                crawl(home, endpoint=endpoint, hub_name="test", max_requests=3)
                break
            except BudgetSpent:
                stops += 1
    assert stops > 10
    assert sorted(answered(home)) == sorted(answered(whole))
    assert sorted(listed(home)) == sorted(listed(whole))
    assert queued_counts(home) == {}


@pytest.mark.parametrize("requests", [2, 5, 20])
def test_a_crash_between_raw_file_and_state_loses_and_doubles_nothing(tmp_path, few, requests):
    whole, home = crawled(tmp_path / "whole", few), tmp_path / "home"
    with running(few) as endpoint:
        with pytest.raises(BudgetSpent):
            crawl(home, endpoint=endpoint, hub_name="test", max_requests=requests)
        before = tmp_path / "state-before"
        shutil.copytree(home / "state", before)
        with pytest.raises(BudgetSpent):
            crawl(home, endpoint=endpoint, hub_name="test", max_requests=6)
        # As after a power cut: the raw files are there, the state never moved.
        shutil.rmtree(home / "state")
        before.rename(home / "state")
        crawl(home, endpoint=endpoint, hub_name="test")
    assert sorted(answered(home)) == sorted(answered(whole))
    built = [duckdb.connect(build(at, derive=derive_lineage)) for at in (whole, home)]
    assert contents(built[0]) == contents(built[1])


def test_a_second_crawl_looks_again_but_asks_for_no_card_twice(tmp_path, few):
    home = crawled(tmp_path / "home", few)
    crawled(home, few)
    assert len(listed(home)) == 80
    assert len(answered(home)) == 40


def test_a_card_is_asked_for_again_once_its_repo_has_moved(tmp_path):
    source = recording(tmp_path, [model("o/m", card="old", sha="a" * 40)])
    home = crawled(tmp_path / "home", source)
    crawled(home, recording(tmp_path, [model("o/m", card="new", sha="b" * 40)]))
    db = duckdb.connect(build(home, derive=derive_lineage))
    assert db.execute("select text, commit_sha from card").fetchall() == [("new", "b" * 40)]
    looks = db.execute("select commit_sha from model_observation order by observed_at").fetchall()
    assert looks == [("a" * 40,), ("b" * 40,)]


def test_a_limit_stops_the_listing_and_says_so(tmp_path):
    home = crawled(tmp_path / "home", recording(tmp_path, ZERO_CARDS), model_limit=7)
    assert len(listed(home)) == 7
    assert past_runs(home)[0]["outcome"] == "limited"


@pytest.mark.parametrize("limit", [500, 1000])
def test_a_limit_that_was_reached_is_no_incompleteness(tmp_path, limit):
    source, home = recording(tmp_path, ZERO_CARDS), tmp_path / "home"
    with running(source, mode="no-link") as endpoint:
        done = crawl(home, endpoint=endpoint, facets=(), model_limit=limit)
        assert (done.outcome, done.listed_count, done.notes) == ("limited", limit, [])
        assert crawl(home, endpoint=endpoint, facets=(), model_limit=2000).outcome == "incomplete"


def test_no_card_is_asked_for_where_the_facet_is_not_wanted(tmp_path, few):
    home = crawled(tmp_path / "home", few, facets=())
    assert not (home / "raw" / "card").exists()


def test_an_unsafe_id_is_stored_but_never_put_into_a_url(tmp_path):
    odd = ["../../etc", "a b/c", "<b>x</b>/y", "a/b/c", "x" * 400]
    home = crawled(tmp_path / "home", recording(tmp_path, [model(i) for i in [*odd, "o/fine"]]))
    assert sorted(listed(home)) == sorted([*odd, "o/fine"])
    assert answered(home) == ["o/fine"]


@pytest.mark.parametrize(
    ("repo_id", "safe"),
    [
        ("bert-base-uncased", True),
        ("o/NLP-datasets.git", True),
        ("espnet/" + "x" * 120, True),
        ("..", False),
        ("o/..", False),
        ("o/a\n", False),
        ("ö/x", False),
        ("", False),
        (7, False),
        (None, False),
    ],
)
def test_ids_that_may_stand_in_a_url(repo_id, safe):
    assert is_safe_id(repo_id) is safe


def test_a_web_page_is_no_hub(tmp_path):
    source, home = recording(tmp_path, ZERO_CARDS), tmp_path / "home"
    with running(source, mode="html") as endpoint, pytest.raises(NotAHub) as told:
        crawl(home, endpoint=endpoint)
    assert str(told.value).endswith("is it a Hub endpoint?")
    assert past_runs(home)[0]["outcome"] == "failed"


@pytest.mark.parametrize(
    ("mode", "says"),
    [
        ("no-link", "sends no Link header: its listing ends after 1,000 models"),
        ("loop-cursor", "loops: page 2 of the listing"),
    ],
)
def test_a_listing_without_an_end_is_said_and_what_came_is_used(tmp_path, mode, says):
    source, home, told = recording(tmp_path, ZERO_CARDS), tmp_path / "home", []
    with running(source, mode=mode) as endpoint:
        crawled = crawl(home, endpoint=endpoint, tell=told.append)
    assert [says in sentence for sentence in told] == [True]
    assert len(listed(home)) == crawled.answered["card"] == 1000
    assert past_runs(home)[0]["outcome"] == crawled.outcome == "incomplete"
    assert past_runs(home)[0]["notes"] == told


def test_a_loop_that_is_mended_is_swept_anew(tmp_path):
    source, home = recording(tmp_path, ZERO_CARDS), tmp_path / "home"
    with running(source, mode="loop-cursor") as endpoint:
        crawl(home, endpoint=endpoint, hub_name="test", facets=())
    crawled(home, source, facets=())
    assert set(listed(home)) == {line["model"]["id"] for line in ZERO_CARDS}


def test_a_limit_also_holds_for_a_sweep_that_is_gone_on_with(tmp_path):
    source, home = recording(tmp_path, ZERO_CARDS), tmp_path / "home"
    with running(source) as endpoint:
        with pytest.raises(BudgetSpent):
            crawl(home, endpoint=endpoint, hub_name="test", max_requests=2)
        crawl(home, endpoint=endpoint, hub_name="test", model_limit=500, facets=())
    assert len(listed(home)) == 1000


def test_a_full_last_page_is_no_truncation(tmp_path):
    home = crawled(tmp_path / "home", recording(tmp_path, ZERO_CARDS[:1000]), facets=())
    assert len(listed(home)) == 1000
    assert past_runs(home)[0]["outcome"] == "complete"


def test_refused_expands_are_dropped(tmp_path):
    source = recording(tmp_path, [model("o/m", downloads=5, usedStorage=9)])
    with running(source, mode="refuse-expand") as endpoint:
        crawl(tmp_path / "home", endpoint=endpoint)
    (page,) = read_raw(next((tmp_path / "home" / "raw" / "model").glob("*")))
    ((record,), _) = split_page(body_of(page))
    assert record["downloads"] == 5
    assert "usedStorage" not in record


def test_an_endpoint_that_is_down_is_one_line(tmp_path, few):
    with running(few) as endpoint:
        pass
    with pytest.raises(HubUnreachable, match=f"{endpoint} did not answer"):
        crawl(tmp_path / "home", endpoint=endpoint)


def test_a_hub_that_never_answered_does_not_lock_the_home(tmp_path, few):
    home = tmp_path / "home"
    with running(few) as gone:
        pass
    with pytest.raises(HubUnreachable):
        crawl(home, endpoint=gone)
    with running(few) as endpoint:
        crawl(home, endpoint=endpoint)
    assert len(listed(home)) == 40


def test_a_crawl_after_one_that_found_nobody_lists_anew(tmp_path, few):
    home = crawled(tmp_path / "home", few)
    with running(few) as gone:
        pass
    with pytest.raises(HubUnreachable):
        crawl(home, endpoint=gone, hub_name="test")
    crawled(home, few)
    assert len(listed(home)) == 80


def test_a_run_counts_what_it_stored_before_it_was_stopped(tmp_path, few):
    home = tmp_path / "home"
    with running(few) as endpoint, pytest.raises(BudgetSpent):
        crawl(home, endpoint=endpoint, max_requests=12)
    assert past_runs(home)[0]["listed_count"] == 40
    assert past_runs(home)[0]["answered_count"] == 9
    assert past_runs(home)[0]["outcome"] == "stopped"


@pytest.mark.parametrize("garbage", [b"no database at all", b"x" * 5000])
def test_a_damaged_state_is_one_line(tmp_path, few, garbage):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "crawl.sqlite").write_bytes(garbage)
    with running(few) as endpoint, pytest.raises(StateDamaged, match="cannot be read"):
        crawl(tmp_path, endpoint=endpoint)
    with pytest.raises(StateDamaged):
        past_runs(tmp_path)


def test_one_home_holds_one_hub(tmp_path, few):
    home = crawled(tmp_path / "home", few)
    with running(few) as endpoint, pytest.raises(OtherHub, match="give another --home"):
        crawl(home, endpoint=endpoint)


def test_a_home_of_another_version_is_refused_and_left_alone(tmp_path, few):
    (tmp_path / "state").mkdir()
    with closing(sqlite3.connect(tmp_path / "state" / "crawl.sqlite")) as db:
        db.executescript("create table run (run_id integer); pragma user_version = 99")
    before = (tmp_path / "state" / "crawl.sqlite").read_bytes()
    with running(few) as endpoint, pytest.raises(StateOfOtherVersion, match="give a new --home"):
        crawl(tmp_path, endpoint=endpoint)
    with pytest.raises(StateOfOtherVersion):
        past_runs(tmp_path)
    assert (tmp_path / "state" / "crawl.sqlite").read_bytes() == before


def test_two_crawls_of_one_home_do_not_run_at_once(tmp_path, few):
    home = tmp_path / "home"
    state = CrawlState(home)
    with state.locked(), running(few) as endpoint, pytest.raises(HomeBusy):
        crawl(home, endpoint=endpoint)
    state.close()


def test_a_gated_repo_is_an_answer(tmp_path):
    home = crawled(tmp_path / "home", recording(tmp_path, [model("o/m", card="x", gated="manual")]))
    (card,) = read_raw(next((home / "raw" / "card").glob("*")))
    assert (card["status"], card["error_code"]) == (401, "GatedRepo")


LISTING = (200, {}, orjson.dumps([{"id": f"o/m{n}"} for n in range(9)]))


def test_no_token_is_ever_written(tmp_path, few):
    home = tmp_path / "home"
    with running(few) as endpoint:
        crawl(home, endpoint=endpoint, token=READER_TOKEN)
    written = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    unpacked = b"".join(body_of(e) for f in home.rglob("*.zst") for e in read_raw(f))
    assert READER_TOKEN.encode() not in written + unpacked


def test_ctrl_c_ends_a_crawl_that_waits_for_its_turn(tmp_path):
    held_back = (429, {"Retry-After": "300"}, b"")
    command = [sys.executable, "-m", "app.cli", "--home", str(tmp_path), "crawl"]
    with (
        OddHub(lambda is_card: held_back if is_card else LISTING) as odd,
        subprocess.Popen([*command, "--endpoint", odd.endpoint], stderr=subprocess.PIPE) as child,
    ):
        try:
            assert odd.card_asked.wait(60)
            child.send_signal(signal.SIGINT)
            _, said = child.communicate(timeout=60)
        finally:
            child.kill()
    assert child.returncode == 130
    assert b"the same command goes on from there" in said
    assert past_runs(tmp_path)[0]["outcome"] == "stopped"


def test_a_wait_of_all_connections_is_said_once():
    told = []
    waits = Waits(told.append)
    for bucket, seconds in [("api", 5), *[("api", 60)] * 8, ("resolvers", 60), ("api", 300)]:
        waits.tell_of(bucket, seconds)
    assert [sentence.partition(",")[0] for sentence in told] == [
        "waiting 60 s",
        "waiting 60 s",
        "waiting 300 s",
    ]
    assert told[1].endswith("for the hub's quota of resolvers requests")


def test_what_a_time_limit_leaves_is_said(tmp_path, few):
    told = []
    with running(few) as endpoint:
        done = crawl(tmp_path, endpoint=endpoint, time_limit_s=0, tell=told.append)
        assert done.answered == {"card": 0}
        assert told == ["the time is up: still to be asked are 40 for card; a later crawl goes on"]
        assert crawl(tmp_path, endpoint=endpoint).answered == {"card": 40}


def test_ever_new_cursors_to_the_same_models_are_a_loop(tmp_path):
    number, told = itertools.count(), []

    def answer(is_card):
        after = {"Link": f'</api/models?cursor=x{next(number)}>; rel="next"'}
        return (404, {}, b"") if is_card else (200, after, LISTING[2])

    with OddHub(answer) as odd:
        crawled = crawl(tmp_path, endpoint=odd.endpoint, facets=(), tell=told.append)
    assert (crawled.listed_count, crawled.outcome) == (9, "incomplete")
    assert "loops: page 2 of the listing has nothing but models of earlier pages" in told[-1]


def test_cards_that_a_hub_failed_to_answer_are_asked_for_again(tmp_path):
    ill, well = (500, {"Retry-After": "0"}, b""), (200, {}, b"# A card")
    with OddHub(lambda is_card: ill if is_card else LISTING) as odd:
        crawl(tmp_path, endpoint=odd.endpoint)
        with duckdb.connect(build(tmp_path, derive=derive_lineage)) as db:
            assert db.execute("select count(*) from card").fetchone() == (0,)
            reasons = db.execute("select distinct reason from rejected").fetchall()
            assert reasons == [("transient: status 500",)]
        odd.answer = lambda is_card: well if is_card else LISTING
        crawl(tmp_path, endpoint=odd.endpoint)
    with duckdb.connect(build(tmp_path, derive=derive_lineage)) as db:
        assert db.execute("select count(*) from card").fetchone() == (9,)
        assert db.execute("select count(*) from rejected").fetchone() == (0,)


def test_a_raw_file_is_whole_or_says_so(tmp_path):
    path = tmp_path / "raw" / "x.jsonl.zst"
    write_raw(path, [envelope(b"\xff\xfe", a=1), envelope("ü".encode(), a=2)])
    assert [body_of(e) for e in read_raw(path)] == [b"\xff\xfe", "ü".encode()]
    with pytest.raises(FileExistsError):
        write_raw(path, [])
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(RawFileDamaged, match=str(path)):
        list(read_raw(path))


def test_of_a_broken_page_the_other_records_are_used():
    page = b'[{"id": "a/b", "t": ["]"]}, {"id": "c/d", "n": NaN}, {"id": "e/f", "s": "}\\""}]'
    records, whole = split_page(page)
    assert [record["id"] for record in records] == ["a/b", "e/f"]
    assert not whole


def test_an_interrupted_step_moves_nothing(tmp_path):
    def interrupted():
        yield Enqueue("card")
        raise KeyboardInterrupt

    state = CrawlState(tmp_path)
    sweeps = state.sweeps
    sweep = sweeps.start("full", "/first", endpoint="e", watermark_at="2026-01-01T00:00:00.000Z")
    row = listed_row({"id": "o/m"})
    with pytest.raises(KeyboardInterrupt):
        sweeps.record_page(
            sweep, run_id=1, next_path="/second", listed=[row], enqueue=interrupted()
        )
    assert sweeps.latest().next_path == "/first"
    assert not state.queue.has_open(["card"])
    state.close()


def test_every_failure_is_a_crawl_error():
    assert all(issubclass(e, CrawlError) for e in (BudgetSpent, NotAHub, HomeBusy, RawFileDamaged))
