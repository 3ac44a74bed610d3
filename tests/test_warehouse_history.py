"""What changes over time: commits and rewritten histories, looks, renames, repos that are gone."""

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from raw_homes import RawHome, answer

COMMITS = "select commit_sha, position, is_current from commit order by position, commit_sha"
REWRITES = "select repo_id, noticed_at::date::varchar, lost_commit_count from history_rewrite"


@pytest.fixture
def home(tmp_path):
    made = RawHome(tmp_path)
    made.listing({"id": "o/m", "_id": "i1"})
    return made


def commits(*shas):
    return [{"id": sha, "title": f"commit {sha}", "date": "2025-01-01T00:00:00Z"} for sha in shas]


def test_an_answer_that_stops_at_a_known_commit_continues_the_history(home):
    home.answer("commits", "o/m", commits("b", "a"), day=1)
    home.answer("commits", "o/m", commits("d", "c", "b"), day=2, known_commit="b")
    home.answer("commits", "o/m", commits("e", "d"), day=3, known_commit="d")
    assert home.rows(COMMITS) == [
        (sha, n, True) for n, sha in enumerate(["e", "d", "c", "b", "a"], 1)
    ]
    assert home.rows(REWRITES) == []


def test_a_squashed_history_is_noticed_and_its_commits_are_kept(home):
    home.answer("commits", "o/m", commits("c", "b", "a"), day=1)
    home.answer("commits", "o/m", commits("z"), day=2, known_commit="c")
    assert home.rows(COMMITS) == [
        ("z", 1, True),
        ("a", None, False),
        ("b", None, False),
        ("c", None, False),
    ]
    assert home.rows(REWRITES) == [("o/m", "2026-01-02", 3)]


def test_a_history_that_was_listed_whole_again_is_no_rewrite(home):
    home.answer("commits", "o/m", commits("b", "a"), day=1)
    home.answer("commits", "o/m", commits("c", "b", "a"), day=2)
    assert home.rows(COMMITS) == [("c", 1, True), ("b", 2, True), ("a", 3, True)]
    assert home.rows(REWRITES) == []


def test_after_a_rewrite_the_history_goes_on(home):
    home.answer("commits", "o/m", commits("b", "a"), day=1)
    home.answer("commits", "o/m", commits("y", "a"), day=2, known_commit="b")
    home.answer("commits", "o/m", commits("z", "y"), day=3, known_commit="y")
    assert home.rows(COMMITS) == [
        ("z", 1, True),
        ("y", 2, True),
        ("a", 3, True),
        ("b", None, False),
    ]
    assert home.rows(REWRITES) == [("o/m", "2026-01-02", 1)]


def test_an_answer_that_broke_off_rewrites_nothing(home):
    home.answer("commits", "o/m", commits("b", "a"), day=1)
    home.answer("commits", "o/m", b"<html>", day=2, known_commit="b")
    home.failed("commits", "o/m", 404, "gone", day=3, known_commit="b")
    assert home.rows(COMMITS) == [("b", 1, True), ("a", 2, True)]
    assert home.rows(REWRITES) == []


def test_an_answer_of_which_a_page_failed_adds_commits_and_rewrites_nothing(home):
    home.answer("commits", "o/m", commits("b", "a"), day=1)
    first = orjson.dumps(commits("e", "d"))
    common = {"facet": "commits", "repo_id": "o/m", "day": 2, "known_commit": "b"}
    home.write(
        "commits",
        answer(first, **common),
        answer(b"late", **common, page=1, status=503, failure="transient"),
    )
    assert home.rows(COMMITS) == [(sha, n, True) for n, sha in enumerate(["e", "d", "b", "a"], 1)]
    assert home.rows(REWRITES) == []


@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(order=st.permutations(range(4)))
def test_the_order_of_loading_does_not_matter(tmp_path_factory, order):
    home = RawHome(tmp_path_factory.mktemp("order"))
    home.listing({"id": "o/m", "_id": "i1"})
    steps = [
        lambda: home.answer("commits", "o/m", commits("b", "a"), day=1),
        lambda: home.answer("commits", "o/m", commits("c", "b"), day=2, known_commit="b"),
        lambda: home.listing({"id": "o/new", "_id": "i1", "likes": 2}, day=3),
        lambda: home.listing({"id": "o/m", "_id": "i1", "likes": 3}, day=4),
    ]
    for step in order:
        steps[step]()
        home.built().close()
    assert [row[0] for row in home.rows(COMMITS)] == ["c", "b", "a"]
    assert home.rows("select repo_id, likes_count from model") == [("o/m", 3)]
    assert home.rows("select old_id, repo_id from alias") == [("o/new", "o/m")]


def test_every_look_keeps_what_moves_and_only_the_newest_record_is_stored(home):
    tags = ["base_model:o/z", "base_model:adapter:o/z", "base_model:o/a", "license:mit"]
    home.listing({"id": "o/m", "_id": "i1", "tags": tags, "gated": "auto", "likes": 1}, day=2)
    home.listing(
        {"id": "o/m", "_id": "i1", "tags": ["license:gpl"], "disabled": True, "likes": 5}, day=3
    )
    with home.built() as db:
        looks = db.execute(
            "select sweep_id, likes_count, license, base_models, gated, is_disabled"
            " from model_observation order by observed_at"
        ).fetchall()
        assert db.execute("select count(*) from landing.record").fetchone() == (1,)
    assert looks == [
        (1, None, None, None, None, None),
        (2, 1, "mit", ["o/a", "o/z"], "auto", None),
        (3, 5, "gpl", [], None, True),
    ]


def test_an_old_name_under_the_same_hub_id_is_an_alias_and_its_children_follow(home):
    child = {"id": "o/child", "_id": "i2", "tags": ["base_model:o/m"]}
    home.listing({"id": "o/renamed", "_id": "i1"}, child, day=2)
    assert home.rows("select old_id, repo_id, evidence, noticed_at::date::varchar from alias") == [
        ("o/m", "o/renamed", "hub_id", "2026-01-02")
    ]
    assert home.rows("select parent_id from base_model_edge") == [("o/renamed",)]
    assert home.rows("select repo_id from model order by 1") == [("o/child",), ("o/renamed",)]


def test_repos_that_swap_names_have_no_alias(home):
    home.listing({"id": "o/n", "_id": "i2"}, day=1)
    home.listing({"id": "o/n", "_id": "i1"}, {"id": "o/m", "_id": "i2"}, day=2)
    assert home.rows("select * from alias") == []
    assert home.rows("select repo_id, hub_id from model order by 1") == [
        ("o/m", "i2"),
        ("o/n", "i1"),
    ]


def test_a_probe_that_is_led_to_another_name_makes_an_alias(home):
    home.answer("probe", "o/m", {"id": "o/now"}, day=2, failure="moved")
    assert home.rows("select old_id, repo_id, evidence from alias") == [
        ("o/m", "o/now", "redirect")
    ]
    assert home.rows("select repo_id from model") == [("o/m",)]
    home.listing({"id": "o/now"}, day=3)
    assert home.rows("select repo_id from model") == [("o/now",)]
    assert home.rows("select * from rejected") == []


@pytest.mark.parametrize(
    ("status", "code", "failure", "reason"),
    [
        (404, "RepoNotFound", "gone", "gone"),
        (401, "RepoNotFound", "gone", "gone"),
        (401, None, "gone", "gone"),
        (403, "GatedRepo", "access", "gated"),
        (401, None, "access", "gated"),
        (403, None, "disabled", "disabled"),
        (451, None, "disabled", "disabled"),
        (503, None, "transient", None),
    ],
)
def test_a_model_that_is_gone_stays_and_says_why(home, status, code, failure, reason):
    home.answer("card", "o/m", b"# Kept")
    home.failed("probe", "o/m", status, failure, day=2, error_code=code)
    home.failed("card", "o/m", status, failure, day=2, error_code=code)
    expected = [("o/m", reason, status)] if reason else []
    assert home.rows("select repo_id, reason, probe_status from tombstone") == expected
    assert home.rows("select repo_id, gone_reason, gone_at is null from model") == [
        ("o/m", reason, reason is None)
    ]
    assert home.rows("select text from card") == [("# Kept",)]


def test_a_model_that_is_listed_again_has_no_tombstone(home):
    home.failed("probe", "o/m", 404, "gone", day=2)
    home.listing({"id": "o/m", "_id": "i1"}, day=3)
    assert home.rows("select * from tombstone") == []
    assert home.rows("select gone_at from model") == [(None,)]


def test_a_model_that_the_probe_found_has_no_tombstone(home):
    home.failed("probe", "o/m", 404, "gone", day=2)
    home.answer("probe", "o/m", {"id": "o/m"}, day=3)
    assert home.rows("select * from tombstone") == []
    assert home.rows("select * from alias") == []


def test_rows_that_were_replaced_do_not_pile_up_in_the_file(tmp_path):
    home = RawHome(tmp_path)
    tags = [f"t{n}" for n in range(250)]  # so many that a row group is full
    for day, models in ((1, range(1000)), (2, range(500)), (3, range(500))):
        home.listing(*[{"id": f"o/m{n}", "likes": day, "tags": tags} for n in models], day=day)
        home.built().close()
    with home.built() as db:
        (stored,) = db.execute(
            "select sum(count) from pragma_storage_info('model_tag')"
            " where column_path = '[0]' and segment_type <> 'VALIDITY'"
        ).fetchone()
        assert db.execute("select count(*) from model_tag").fetchone() == (250_000,)
    assert stored <= 1.25 * 250_000
