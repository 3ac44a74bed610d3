"""Listing: what a hub can do, what changed, what is missing, what has gone or bears a new name."""

import json
import re

import duckdb
import pytest
from hubs import crawled, model, recording

from analysis.lineage import derive_lineage
from crawler.crawl import crawl
from crawler.hub import BudgetSpent
from crawler.importing import import_records
from crawler.localhub.running import running
from crawler.plan import SinceUnreadable
from crawler.queue import queued_counts
from crawler.raw import body_of, read_raw
from crawler.restraint import split_page
from crawler.runs import past_runs
from crawler.sweeps import ENDED_WELL
from warehouse.build import build

EARLY, LATE = "2026-01-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z"


def dated(name, *, created=EARLY, modified=EARLY, **fields):
    return model(
        name, createdAt=created, lastModified=modified, sha=f"{hash(name):040x}"[-40:], **fields
    )


def pages(home):
    files = sorted((home / "raw" / "model").glob("*"))
    return [split_page(body_of(e))[0] for file in files for e in read_raw(file)]


def told_of_sweeps(home):
    files = sorted((home / "raw" / "sweep").glob("*"))
    return [json.loads(body_of(next(read_raw(file)))) for file in files]


def query(home, sql):
    with duckdb.connect(build(home, derive=derive_lineage)) as db:
        return db.execute(sql).fetchall()


def test_since_auto_lists_what_changed_and_what_is_new(tmp_path):
    old = [dated(f"o/old{n}") for n in range(1500)]
    home = crawled(tmp_path / "home", recording(tmp_path, old), facets=())
    new = [dated("o/new", created=LATE, modified=LATE), dated("o/old7", modified=LATE, likes=5)]
    crawled(home, recording(tmp_path, [*old[:7], *old[8:], *new]), facets=(), since="auto")
    assert [len(page) for page in pages(home)] == [1000, 500, 1000, 1000]
    assert {r["id"] for r in pages(home)[2][:2]} == {"o/new", "o/old7"}
    assert pages(home)[3][0]["id"] == "o/new"
    assert [s["kind"] for s in told_of_sweeps(home)] == ["full", "incremental"]
    looks = query(
        home,
        "select likes_count from model_observation where repo_id = 'o/old7' order by observed_at",
    )
    assert looks[-1] == (5,)


def test_a_model_that_both_passes_list_is_counted_once(tmp_path):
    old = [dated(f"o/old{n}") for n in range(1500)]
    home, told = crawled(tmp_path / "home", recording(tmp_path, old), facets=()), []
    new, changed = dated("o/new", created=LATE, modified=LATE), dated("o/old7", modified=LATE)
    changed["model"]["sha"] = "f" * 40
    with running(recording(tmp_path, [*old[:7], *old[8:], new, changed])) as endpoint:
        done = crawl(home, endpoint=endpoint, hub_name="test", since="auto", tell=told.append)
    ids = {record["id"] for page in pages(home)[2:] for record in page}
    assert done.listed_count == len(ids) < 1501
    assert (done.new_count, done.changed_count) == (1, 1)
    assert told_of_sweeps(home)[1]["listed_count"] == past_runs(home)[0]["listed_count"] == len(ids)


def test_since_auto_without_a_sweep_lists_everything(tmp_path):
    home = crawled(tmp_path / "home", recording(tmp_path, [dated("o/m")]), since="auto")
    assert [s["kind"] for s in told_of_sweeps(home)] == ["full"]


def test_since_a_time_goes_back_to_it_and_an_hour_more(tmp_path):
    home = crawled(tmp_path / "home", recording(tmp_path, [dated("o/m")]), since="2026-05-01")
    (sweep,) = told_of_sweeps(home)
    assert sweep["since_at"] == "2026-04-30T23:00:00.000Z"


def test_a_time_that_is_none_is_one_line(tmp_path):
    with pytest.raises(SinceUnreadable, match="give auto, or one like"):
        crawled(tmp_path / "home", recording(tmp_path, [dated("o/m")]), since="yesterday")


def test_a_repo_that_changed_is_asked_for_its_facets_again(tmp_path):
    home = crawled(tmp_path / "home", recording(tmp_path, [dated("o/m", card="old")]))
    changed = dated("o/m", card="new", modified=LATE)
    changed["model"]["sha"] = "f" * 40
    crawled(home, recording(tmp_path, [changed]), since="auto")
    assert query(home, "select text from card") == [("new",)]


@pytest.mark.parametrize(
    ("mode", "says"),
    [
        ("ignore-sort", "ignores sort"),
        ("ignore-expand", "ignores expand"),
        ("refuse-expand", "refuses to expand usedStorage, baseModels, childrenModelCount"),
        ("refuse-limit", "asking for smaller pages"),
        ("bare", "ignores sort"),
    ],
)
def test_what_a_hub_cannot_do_is_said_and_the_crawl_goes_on(tmp_path, mode, says):
    records = [
        dated(f"o/m{n}", card=f"# {n}", created=f"2026-01-01T00:00:{n % 60:02d}.000Z", likes=n)
        for n in range(300)
    ]
    told, home = [], tmp_path / "home"
    with running(recording(tmp_path, records), mode=mode) as endpoint:
        done = crawl(home, endpoint=endpoint, tell=told.append)
    assert any(says in sentence for sentence in told)
    assert done.answered == {"card": 300}
    assert past_runs(home)[0]["notes"] == told
    assert told_of_sweeps(home)[0]["notes"] == told
    assert query(home, "select count(*) from card") == [(300,)]


def test_what_a_hub_lacks_is_said_again_by_the_run_that_goes_on(tmp_path):
    records = [
        dated(f"o/m{n}", created=f"2026-01-01T00:00:{n % 60:02d}.000Z", likes=n) for n in range(300)
    ]
    home, told = tmp_path / "home", []
    with running(recording(tmp_path, records), mode="refuse-limit") as endpoint:
        with pytest.raises(BudgetSpent):
            crawl(home, endpoint=endpoint, facets=(), max_requests=9, tell=told.append)
        before = list(told)
        told.clear()
        crawl(home, endpoint=endpoint, facets=(), tell=told.append)
    assert before
    assert told[0].startswith("going on with the full listing begun at ")
    assert told[1:] == before == told_of_sweeps(home)[0]["notes"]


def test_a_page_that_takes_too_long_is_asked_for_in_halves(tmp_path):
    home, told = tmp_path / "home", []
    records = [dated(f"o/m{n}") for n in range(600)]
    with running(recording(tmp_path, records), mode="slow-pages") as endpoint:
        crawl(home, endpoint=endpoint, facets=(), tell=told.append, backoff_s=0.001)
    assert [len(page) for page in pages(home)] == [250, 250, 100]
    assert any("smaller pages" in sentence for sentence in told)


def test_an_incremental_listing_of_a_hub_that_ignores_sort_is_a_whole_one(tmp_path):
    records = [
        dated(f"o/m{n}", created=f"2026-01-01T00:00:{n:02d}.000Z", likes=n % 7) for n in range(60)
    ]
    home, source = tmp_path / "home", recording(tmp_path, records)
    with running(source, mode="ignore-sort") as endpoint:
        for _ in range(2):
            crawl(home, endpoint=endpoint, facets=(), since="auto")
    assert [s["kind"] for s in told_of_sweeps(home)] == ["full", "full"]


def test_facets_that_an_endpoint_lacks_are_left_out_and_said(tmp_path):
    records = [dated(f"o/m{n}", card=f"# {n}") for n in range(20)]
    home, told = tmp_path / "home", []
    with running(recording(tmp_path, records), mode="bare") as endpoint:
        done = crawl(home, endpoint=endpoint, facets=("refs", "card"), tell=told.append)
    assert any("does not offer refs" in sentence for sentence in told)
    assert done.answered["card"] == 20


def test_a_listing_from_which_many_are_missing_is_said_to_be_incomplete(tmp_path):
    records = [dated(f"o/m{n}") for n in range(100)]
    home, told = crawled(tmp_path / "home", recording(tmp_path, records), facets=()), []
    crawled(home, recording(tmp_path, records[50:]), facets=(), tell=told.append)
    assert told == ["the listing is incomplete: 50 of 100 models known before are not in it"]
    assert [s["outcome"] for s in told_of_sweeps(home)] == ["complete", "incomplete"]
    assert [s["notes"] for s in told_of_sweeps(home)] == [[], told]
    assert not (home / "raw" / "probe").exists()


LOSS = (
    "100 models known before are in neither this listing nor the full one before it: they are"
    " taken as lost and asked for by name"
)


def numbered(count):
    return [dated(f"o/m{n}") for n in range(count)]


def outcomes(home):
    return [sweep["outcome"] for sweep in told_of_sweeps(home)]


def test_a_loss_that_lasts_is_accepted_by_the_second_sweep(tmp_path):
    home, told = crawled(tmp_path / "home", recording(tmp_path, numbered(300)), facets=()), []
    left = recording(tmp_path, numbered(200))
    for _ in range(2):
        crawled(home, left, facets=(), anew=True, tell=told.append)
    assert outcomes(home) == ["complete", "incomplete", "complete"]
    assert told[1:] == [LOSS] == told_of_sweeps(home)[2]["notes"]
    assert query(home, "select reason, count(*) from tombstone group by all") == [("gone", 100)]
    told.clear()
    crawled(home, left, facets=(), since="auto", tell=told.append)
    assert told_of_sweeps(home)[-1]["kind"] == "incremental"
    crawled(home, left, facets=(), anew=True, tell=told.append)
    assert (told, outcomes(home)[-1]) == ([], "complete")


def test_questions_by_name_that_a_time_limit_leaves_are_asked_by_the_next_crawl(tmp_path):
    home = crawled(tmp_path / "home", recording(tmp_path, numbered(5)), facets=())
    left = recording(tmp_path, numbered(4))
    for _ in range(2):
        crawled(home, left, facets=(), anew=True, time_limit_s=0)
    assert queued_counts(home) == {"probe": 1}
    crawled(home, left, facets=(), since="auto")
    assert queued_counts(home) == {}
    assert query(home, "select repo_id from tombstone") == [("o/m4",)]


@pytest.mark.parametrize("crawled_before", [False, True])
def test_what_an_older_listing_told_of_is_accepted_as_lost_likewise(tmp_path, crawled_before):
    home, older = tmp_path / "home", tmp_path / "older"
    older.mkdir()
    left = recording(tmp_path, numbered(200))
    if crawled_before:
        crawled(home, left, facets=())
    path = recording(older, numbered(300))
    import_records(home, path, as_of="2026-02-01", hub_name="test")
    done = len(told_of_sweeps(home))
    for _ in range(2):
        crawled(home, left, facets=(), anew=True)
    assert outcomes(home)[done:] == ["incomplete", "complete"]
    assert query(home, "select reason, count(*) from tombstone group by all") == [("gone", 100)]


@pytest.mark.parametrize(
    "cuts",
    [
        [range(150), range(200), range(120), range(250)],
        [range(n, 300, 2) for n in (0, 1, 0, 1)],
        [range(100), range(300)[150:], range(50, 200), range(0, 200)],
    ],
)
def test_a_hub_that_cuts_its_listing_ever_elsewhere_never_lists_completely(tmp_path, cuts):
    records = numbered(300)
    home = crawled(tmp_path / "home", recording(tmp_path, records), facets=())
    for cut in cuts:
        crawled(home, recording(tmp_path, [records[n] for n in cut]), facets=(), anew=True)
    assert outcomes(home)[1:] == ["incomplete"] * len(cuts)
    assert not (home / "raw" / "probe").exists()
    crawled(home, recording(tmp_path, records), facets=(), anew=True)
    assert outcomes(home)[-1] == "complete"


def test_an_incremental_listing_asks_for_nothing_that_one_full_sweep_lacked(tmp_path):
    records = numbered(5)
    home = crawled(tmp_path / "home", recording(tmp_path, records), facets=())
    changed = recording(tmp_path, [*records[1:4], dated("o/m4", modified=LATE)])
    crawled(home, changed, facets=())
    crawled(home, changed, facets=(), since="auto")
    assert told_of_sweeps(home)[-1]["kind"] == "incremental"
    assert not (home / "raw" / "probe").exists()


def broken_off(home, endpoint, *, max_requests, **options):
    with pytest.raises(BudgetSpent):
        crawl(
            *(home,),
            endpoint=endpoint,
            hub_name="test",
            facets=(),
            max_requests=max_requests,
            **options,
        )


def test_everything_is_listed_though_an_incremental_sweep_was_broken_off(tmp_path):
    records, home, told = numbered(2500), tmp_path / "home", []
    with running(recording(tmp_path, records)) as endpoint:
        crawl(home, endpoint=endpoint, hub_name="test", facets=())
        broken_off(home, endpoint, max_requests=4, since="2025-01-01")
        done = crawl(
            home, endpoint=endpoint, hub_name="test", facets=(), anew=True, tell=told.append
        )
    assert [(s["kind"], s["outcome"]) for s in told_of_sweeps(home)] == [
        ("full", "complete"),
        ("incremental", "superseded"),
        ("full", "complete"),
    ]
    assert done.listed_count == done.whole_count == 2500
    assert re.fullmatch(
        r"the incremental listing begun at [-0-9]{10} [:0-9]{5} UTC is given up: it would not list"
        " all that is asked for now",
        told[0],
    )
    assert "superseded" not in ENDED_WELL


def test_an_incremental_sweep_is_gone_on_with_by_one_that_asks_for_no_more(tmp_path):
    home = tmp_path / "home"
    with running(recording(tmp_path, numbered(2500))) as endpoint:
        crawl(home, endpoint=endpoint, hub_name="test", facets=())
        broken_off(home, endpoint, max_requests=4, since="2025-01-01")
        crawl(home, endpoint=endpoint, hub_name="test", facets=(), since="auto")
        assert outcomes(home) == ["complete", "complete"]
        broken_off(home, endpoint, max_requests=4, since="2025-01-01")
        crawl(home, endpoint=endpoint, hub_name="test", facets=(), since="2024-01-01")
    assert outcomes(home)[2:] == ["superseded", "complete"]


def test_a_full_sweep_is_gone_on_with_also_by_one_for_what_changed(tmp_path):
    home, told = tmp_path / "home", []
    with running(recording(tmp_path, numbered(2500))) as endpoint:
        broken_off(home, endpoint, max_requests=4)
        before = len(pages(home)) * 1000
        done = crawl(
            home, endpoint=endpoint, hub_name="test", facets=(), since="auto", tell=told.append
        )
    assert [s["kind"] for s in told_of_sweeps(home)] == ["full"]
    assert told[0].endswith(f" UTC, {before:,} models so far")
    assert (done.listed_count, done.whole_count) == (2500 - before, 2500)


def test_gone_from_two_complete_sweeps_it_is_asked_for_and_gets_a_tombstone(tmp_path):
    records = [dated(f"o/m{n}") for n in range(5)]
    home = crawled(tmp_path / "home", recording(tmp_path, records), facets=())
    crawled(home, recording(tmp_path, records[1:]), facets=())
    assert query(home, "select count(*) from tombstone") == [(0,)]
    crawled(home, recording(tmp_path, records[1:]), facets=())
    assert query(home, "select repo_id, reason from tombstone") == [("o/m0", "gone")]
    kept = "select known, gone_reason from model where repo_id = 'o/m0'"
    assert query(home, kept) == [(True, "gone")]


def test_a_repo_that_comes_back_loses_its_tombstone(tmp_path):
    records = [dated(f"o/m{n}") for n in range(5)]
    home = crawled(tmp_path / "home", recording(tmp_path, records), facets=())
    for left in (records[1:], records[1:], records):
        crawled(home, recording(tmp_path, left), facets=())
    assert query(home, "select count(*) from tombstone") == [(0,)]


def test_a_new_name_for_the_same_id_is_an_alias_and_its_facets_come_anew(tmp_path):
    home = crawled(tmp_path / "home", recording(tmp_path, [dated("o/old", card="x", _id="7" * 24)]))
    renamed = dated("o/new", card="x", _id="7" * 24)
    crawled(home, recording(tmp_path, [renamed]))
    assert query(home, "select old_id, repo_id, evidence from alias") == [
        ("o/old", "o/new", "hub_id")
    ]
    assert query(home, "select repo_id, text from card") == [("o/new", "x")]
    assert query(home, "select repo_id from model") == [("o/new",)]


def test_a_redirect_of_what_is_listed_no_more_is_an_alias(tmp_path):
    records = [dated("o/old"), dated("o/other")]
    home = crawled(tmp_path / "home", recording(tmp_path, records), facets=())
    moved = {**dated("o/new"), "former_ids": ["o/old"]}
    for _ in range(2):
        crawled(home, recording(tmp_path, [moved, records[1]]), facets=())
    assert query(home, "select old_id, repo_id, evidence from alias") == [
        ("o/old", "o/new", "redirect")
    ]


def test_a_crawl_without_a_listing_fetches_what_is_known(tmp_path):
    source = recording(tmp_path, [dated(f"o/m{n}", card="x") for n in range(5)])
    home = crawled(tmp_path / "home", source, facets=())
    crawled(home, source, listing=False)
    assert len(pages(home)) == 1
    assert query(home, "select count(*) from card") == [(5,)]
    assert queued_counts(home) == {}


def test_records_that_change_between_pages_are_neither_lost_nor_doubled(tmp_path):
    records = [
        dated(f"o/m{n}", created=f"2026-01-01T00:{n // 60:02d}:{n % 60:02d}.000Z")
        for n in range(2500)
    ]
    home = tmp_path / "home"
    with running(recording(tmp_path, records), mode="moving") as endpoint:
        crawl(home, endpoint=endpoint, facets=())
    ids = [r["id"] for page in pages(home) for r in page]
    assert sorted(ids) == sorted(line["model"]["id"] for line in records)
