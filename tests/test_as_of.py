"""Questions about a time: what was known then, what was true, what has vanished since."""

import random
from datetime import datetime

import duckdb
import pytest
from raw_homes import DAY, RawHome

from warehouse.as_of import MACROS, read_macro
from warehouse.shadowing import shadow_as_of

EVER = "2030-01-01"
DAY_NAME = "2026-01-{:02d} 12:00:00"
UPPER = 1.959963984540054


@pytest.fixture
def home(tmp_path):
    return RawHome(tmp_path)


def noon(day):
    """A time between the looks of a day and the next day's."""
    return DAY_NAME.format(day)


def test_a_model_is_as_its_newest_look_at_or_before_the_time_told(home):
    home.listing({"id": "o/m", "_id": "i1", "downloads": 5, "tags": ["license:mit"]}, day=2)
    home.listing({"id": "o/m", "_id": "i1", "downloads": 9, "tags": ["license:gpl"]}, day=4)
    asked = "select downloads_30d, license, last_seen_at::date::varchar from model_as_of('{}')"
    assert home.rows(asked.format(noon(1))) == []
    assert home.rows(asked.format(noon(3))) == [(5, "mit", "2026-01-02")]
    assert home.rows(asked.format(DAY.format(4))) == [(9, "gpl", "2026-01-04")]


def test_the_age_of_a_look_is_told_in_days(home):
    home.listing({"id": "o/m", "_id": "i1"}, day=2)
    ((age,),) = home.rows("select look_age_days from model_as_of('2026-01-04T15:04:05')")
    assert age == 2.5


def test_a_repo_has_the_name_that_it_had_and_tells_the_one_that_it_has(home):
    home.listing({"id": "o/old", "_id": "i1", "likes": 1}, day=1)
    home.listing({"id": "o/new", "_id": "i1", "likes": 2}, day=3)
    asked = "select repo_id, name_now, likes_count, is_vanished from model_as_of('{}')"
    assert home.rows(asked.format(noon(2))) == [("o/old", "o/new", 1, False)]
    assert home.rows(asked.format(noon(4))) == [("o/new", "o/new", 2, False)]
    first = "select first_seen_at::date::varchar from model_as_of('2026-02-01')"
    assert home.rows(first) == [("2026-01-01",)]


def test_repos_that_swap_names_are_told_apart(home):
    home.listing({"id": "o/a", "_id": "i1", "likes": 1}, {"id": "o/b", "_id": "i2", "likes": 2})
    home.listing(
        {"id": "o/b", "_id": "i1", "likes": 3}, {"id": "o/a", "_id": "i2", "likes": 4}, day=3
    )
    asked = "select repo_id, name_now, likes_count from model_as_of('{}') order by 1"
    assert home.rows(asked.format(noon(2))) == [("o/a", "o/b", 1), ("o/b", "o/a", 2)]
    assert home.rows(asked.format(noon(3))) == [("o/a", "o/a", 4), ("o/b", "o/b", 3)]


def test_a_name_that_another_repo_has_taken_is_a_repo_that_was_replaced(home):
    home.listing({"id": "o/m", "_id": "i1", "likes": 1}, day=1)
    home.listing({"id": "o/m", "_id": "i2", "likes": 2}, day=3)
    asked = "select likes_count, name_now, is_vanished, vanished_reason from model_as_of('{}')"
    assert home.rows(asked.format(noon(2))) == [(1, None, True, "replaced")]
    assert home.rows(asked.format(noon(3))) == [(2, "o/m", False, None)]


def test_a_repo_that_is_listed_without_id_and_then_with_one_is_the_same(home):
    home.listing({"id": "o/m", "likes": 1}, day=1)
    home.listing({"id": "o/m", "_id": "i1", "likes": 2}, day=3)
    asked = f"select likes_count, name_now, is_vanished from model_as_of('{noon(2)}')"
    assert home.rows(asked) == [(1, "o/m", False)]
    fates = f"select outcome from survival('{noon(2)}', '{noon(4)}') where model_count > 0"
    assert home.rows(fates) == [("listed",)]


def test_what_a_hub_lists_goes_before_what_a_copy_on_this_machine_knows(home):
    home.listing({"id": "o/m", "_id": "i1", "likes": 1}, day=1)
    home.listing({"id": "o/m", "_id": "local-1", "likes": 2}, day=2)
    asked = f"select hub_id, likes_count from model_as_of('{noon(3)}')"
    assert home.rows(asked) == [("i1", 1)]


def test_a_probe_counts_from_its_time_on_until_the_repo_is_listed_again(home):
    home.listing({"id": "o/m", "_id": "i1"}, day=1)
    home.failed("probe", "o/m", 404, "gone", day=2)
    home.listing({"id": "o/m", "_id": "i1"}, day=4)
    home.failed("probe", "o/m", 403, "disabled", day=6)
    asked = "select gone_reason, is_vanished, vanished_reason from model_as_of('{}')"
    assert home.rows(asked.format(noon(1))) == [(None, True, "disabled")]
    assert home.rows(asked.format(noon(3))) == [("gone", True, "disabled")]
    assert home.rows(asked.format(noon(5))) == [(None, True, "disabled")]
    assert home.rows(asked.format(noon(7))) == [("disabled", False, None)]
    told = "select repo_id, reason, noticed_at::date::varchar from tombstone_as_of('{}')"
    assert home.rows(told.format(noon(3))) == [("o/m", "gone", "2026-01-02")]
    assert home.rows(told.format(noon(5))) == []


def test_a_repo_that_a_redirect_leads_away_from_is_no_model_from_then_on(home):
    home.listing({"id": "o/old"}, {"id": "o/new"}, day=1)
    home.answer("probe", "o/old", {"id": "o/new"}, day=3, failure="moved")
    asked = "select repo_id, name_now from model_as_of('{}') order by 1"
    assert home.rows(asked.format(noon(2))) == [("o/new", "o/new"), ("o/old", "o/new")]
    assert home.rows(asked.format(noon(4))) == [("o/new", "o/new")]
    assert home.rows(f"select old_id from alias_as_of('{noon(2)}')") == []
    assert home.rows(f"select old_id from alias_as_of('{noon(4)}')") == [("o/old",)]


def test_an_edge_of_then_knows_its_relation_where_it_is_still_declared(home):
    tags = ["base_model:quantized:o/base", "base_model:o/base", "base_model:o/other"]
    home.listing({"id": "o/base", "_id": "i1"}, {"id": "o/child", "_id": "i2", "tags": tags})
    home.listing({"id": "o/child", "_id": "i2", "tags": tags[:2]}, day=3)
    asked = (
        "select child_id, parent_id, relation, is_declared_now"
        " from base_model_edge_as_of('{}') order by parent_id"
    )
    assert home.rows(asked.format(noon(2))) == [
        ("o/child", "o/base", "quantized", True),
        ("o/child", "o/other", None, False),
    ]
    assert home.rows(asked.format(noon(3))) == [("o/child", "o/base", "quantized", True)]


def test_edges_of_then_follow_renames_and_leave_out_what_is_no_id(home):
    tags = ["base_model:o/base", "base_model:..", "base_model:o/child"]
    home.listing({"id": "o/base", "_id": "i1"}, {"id": "o/child", "_id": "i2", "tags": tags})
    home.listing({"id": "o/basis", "_id": "i1"}, {"id": "p/child", "_id": "i2"}, day=3)
    home.listing({"id": "p/child", "_id": "i2", "tags": tags[:1]}, day=5)
    asked = "select child_id, parent_id, is_declared_now from base_model_edge_as_of('{}')"
    assert home.rows(asked.format(noon(2))) == [("o/child", "o/base", True)]
    assert home.rows(asked.format(noon(4))) == []
    assert home.rows(asked.format(noon(5))) == [("p/child", "o/basis", True)]


def test_a_licence_of_then_is_compared_with_the_present_one(home):
    before = [("o/a", "mit"), ("o/b", "mit"), ("o/c", "mit")]
    home.listing(*({"id": i, "_id": i[-1], "tags": [f"license:{x}"]} for i, x in before))
    home.listing(
        {"id": "o/a", "_id": "a", "tags": ["license:gpl"]}, {"id": "o/d", "_id": "b"}, day=3
    )
    home.failed("probe", "o/c", 404, "gone", day=4)
    asked = (
        "select repo_id, license, license_now, is_changed"
        f" from license_as_of('{noon(2)}') order by repo_id"
    )
    assert home.rows(asked) == [
        ("o/a", "mit", "gpl", True),
        ("o/b", "mit", None, True),
        ("o/c", "mit", "mit", None),
    ]


def test_whether_a_repo_was_there_is_told_apart_from_whether_it_was_known(home):
    home.listing(
        {"id": "o/late", "_id": "1", "createdAt": "2025-06-01T00:00:00.000Z"},
        {"id": "o/first", "_id": "2", "createdAt": "2022-03-02T23:29:04.000Z"},
        {"id": "o/dateless", "_id": "3"},
        {"id": "o/gone", "_id": "4", "createdAt": "2025-06-01T00:00:00.000Z"},
        day=3,
    )
    home.failed("probe", "o/gone", 404, "gone", day=5)
    asked = "select repo_id, existence, was_known from existence_at('{}') order by repo_id"
    assert home.rows(asked.format("2021-01-01")) == [("o/first", "unsure", False)]
    assert home.rows(asked.format("2025-12-01")) == [
        ("o/first", "there", False),
        ("o/gone", "there", False),
        ("o/late", "there", False),
    ]
    assert home.rows(asked.format(noon(6))) == [
        ("o/dateless", "unsure", True),
        ("o/first", "unsure", True),
        ("o/gone", "gone", True),
        ("o/late", "unsure", True),
    ]


def test_survival_tells_what_became_of_each_repo(home):
    names = ["kept", "renamed", "gated", "unseen", "gone", "disabled", "taken"]
    home.listing(*({"id": f"o/{name}", "_id": name} for name in names), day=1)
    home.listing(
        {"id": "o/kept", "_id": "kept"},
        {"id": "p/renamed", "_id": "renamed"},
        {"id": "o/taken", "_id": "other"},
        {"id": "o/new", "_id": "new"},
        day=3,
    )
    home.failed("probe", "o/gated", 403, "access", day=4, error_code="GatedRepo")
    home.failed("probe", "o/gone", 404, "gone", day=4)
    home.failed("probe", "o/disabled", 403, "disabled", day=4)
    asked = f"select outcome, model_count, is_lost from survival('{noon(2)}', '{noon(5)}')"
    assert sorted(home.rows(asked)) == [
        ("disabled", 1, True),
        ("gated", 1, False),
        ("gone", 1, True),
        ("listed", 1, False),
        ("renamed", 1, False),
        ("replaced", 1, True),
        ("unseen", 1, None),
    ]


def test_shares_of_survival_have_wilson_s_bounds(home):
    home.listing(*({"id": f"o/{n}", "_id": str(n)} for n in range(10)), day=1)
    home.listing(*({"id": f"o/{n}", "_id": str(n)} for n in range(8)), day=3)
    asked = (
        "select model_share, low_share, high_share"
        f" from survival('{noon(2)}', '{noon(4)}') where outcome = 'listed'"
    )
    # as statsmodels' proportion_confint(8, 10, method="wilson") has it
    assert home.rows(asked) == [pytest.approx((0.8, 0.4901625, 0.9433178), abs=1e-6)]
    nobody = (
        f"select distinct model_share, low_share, high_share from survival('2020-01-01', '{EVER}')"
    )
    assert home.rows(nobody) == [(None, None, None)]


def followed(home, lives):
    """Repos that were created, first seen, last seen and, it may be, lost at days of January."""
    for number, (created, first, last, lost) in enumerate(lives):
        record = {"id": f"o/{number}", "_id": str(number), "createdAt": DAY.format(created)}
        home.listing(record, day=first)
        home.listing(record, day=last)
        if lost:
            home.failed("probe", f"o/{number}", 404, "gone", day=lost)


def test_the_survival_curve_is_the_product_over_those_at_risk(home):
    # (created, first seen, last seen, lost): ages of entry 0, 0, 4; lost at ages 3 and 8
    followed(home, [(1, 1, 3, 4), (1, 1, 12, None), (2, 6, 9, 10), (2, 6, 12, None)])
    asked = (
        f"select age_days, at_risk_count, lost_count, survival_share from survival_curve('{EVER}')"
    )
    assert home.rows(asked) == [(3, 2, 1, 0.5), (8, 3, 1, pytest.approx(0.5 * 2 / 3))]
    early = "select age_days, at_risk_count from survival_curve('2026-01-09')"
    assert home.rows(early) == [(3, 2)]


def test_the_bounds_of_the_survival_curve_are_greenwood_s(home):
    followed(home, [(1, 1, 4, 5), (1, 1, 20, None), (1, 1, 20, None), (1, 1, 20, None)])
    ((share, low, high),) = home.rows(
        f"select survival_share, low_share, high_share from survival_curve('{EVER}')"
    )
    # log(-log S) ± z·sqrt(d / (n (n − d))) / log S, as R's survfit(conf.type = "log-log") has it
    assert (share, low, high) == pytest.approx((0.75, 0.1279, 0.9605), abs=1e-4)


def test_a_curve_on_which_all_are_lost_has_no_bounds(home):
    followed(home, [(1, 1, 4, 5)])
    asked = f"select survival_share, low_share, high_share from survival_curve('{EVER}')"
    assert home.rows(asked) == [(0, None, None)]


def test_repos_from_before_the_hub_s_records_are_not_on_the_curve(home):
    record = {"id": "o/m", "_id": "1", "createdAt": "2022-03-02T23:29:04.000Z"}
    home.listing(record, {"id": "o/dateless", "_id": "2"}, day=1)
    home.failed("probe", "o/m", 404, "gone", day=5)
    home.failed("probe", "o/dateless", 404, "gone", day=5)
    assert home.rows(f"from survival_curve('{EVER}')") == []


REPOS = ["o/a", "o/A", "p/c", "p/d"]
PROBES = [(404, "gone"), (403, "disabled"), (403, "access"), (200, "moved")]
IDS = ["i1", "i2", "i3", None]


def wandering(rng, home):
    """Looks and probes of repos that change names, each at a time of its own."""
    for day in rng.sample(range(1, 29), 12):
        repo = rng.choice(REPOS)
        if rng.random() < 0.3:
            status, failure = rng.choice(PROBES)
            body = {"id": rng.choice([other for other in REPOS if other != repo])}
            home.answer("probe", repo, body, day=day, status=status, failure=failure)
            continue
        tags = rng.sample(["base_model:o/a", "base_model:p/c", "base_model:x/y", "license:mit"], 2)
        record = {"id": repo, "_id": rng.choice(IDS), "likes": day, "tags": tags}
        home.listing({k: v for k, v in record.items() if v is not None}, day=day)


@pytest.mark.parametrize("seed", range(24))
def test_as_of_now_is_what_the_warehouse_says(tmp_path, seed):
    home = RawHome(tmp_path)
    wandering(random.Random(seed), home)
    if not (tmp_path / "raw" / "model").exists():
        pytest.skip("nothing was listed")
    columns = "repo_id, hub_id, likes_count, license, gone_reason"
    assert sorted(map(str, home.rows(f"select {columns} from model_as_of('{EVER}')"))) == sorted(
        map(str, home.rows(f"select {columns} from model where known"))
    )
    told = "select repo_id, reason, noticed_at from {} order by 1"
    assert home.rows(told.format(f"tombstone_as_of('{EVER}')")) == home.rows(
        told.format("tombstone")
    )
    edges = "select child_id, parent_id, relation from {} order by all"
    assert home.rows(edges.format(f"base_model_edge_as_of('{EVER}')")) == home.rows(
        edges.format("base_model_edge")
    )


@pytest.mark.parametrize("seed", range(8))
def test_what_was_known_then_is_what_a_warehouse_of_then_said(tmp_path, seed):
    rng = random.Random(seed)
    whole, before = RawHome(tmp_path / "whole"), RawHome(tmp_path / "before")
    for day in rng.sample(range(1, 29), 8):
        record = {"id": rng.choice(REPOS), "_id": rng.choice(IDS[:3]), "likes": day}
        for home in (whole, before) if day <= 14 else (whole,):
            home.listing(record, day=day)
    asked = "select repo_id, hub_id, likes_count from {} order by 1"
    if not (tmp_path / "before" / "raw").exists():
        assert whole.rows(asked.format(f"model_as_of('{noon(14)}')")) == []
        return
    assert whole.rows(asked.format(f"model_as_of('{noon(14)}')")) == before.rows(
        asked.format("model where known")
    )


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    home = RawHome(tmp_path_factory.mktemp("small"))
    home.listing({"id": "o/m", "_id": "i1", "tags": ["base_model:o/b"]})
    home.listing({"id": "o/n", "_id": "i1", "tags": ["base_model:o/b"]}, day=2)
    return home


@pytest.mark.parametrize("name", MACROS)
def test_every_macro_is_documented_column_by_column_in_the_plain_file(small, name):
    small.built().close()
    macro = read_macro(name)
    times = ", ".join(f"timestamp '{EVER}'" for _ in macro.parameters)
    with duckdb.connect(small.folder / "warehouse.duckdb", read_only=True) as db:
        columns = [row[0] for row in db.execute(f"describe from {name}({times})").fetchall()]
        assert columns == list(macro.header.columns)
        grain = ", ".join(macro.header.grain)
        doubled = f"select 1 from {name}({times}) group by {grain} having count(*) > 1"
        assert db.execute(doubled).fetchall() == []
        said = db.execute(
            "select comment from duckdb_functions() where function_name = ?", [name]
        ).fetchall()
    assert said == [(macro.as_comment(),)]


def test_relations_may_be_hidden_by_what_was_known_of_them(small):
    small.built().close()
    with duckdb.connect(small.folder / "warehouse.duckdb", read_only=True) as db:
        shadow_as_of(db, datetime(2026, 1, 1, 12))
        assert db.execute("select repo_id from model").fetchall() == [("o/m",)]
        assert db.execute("select child_id from base_model_edge").fetchall() == [("o/m",)]
        assert db.execute("select count(*) from model_observation").fetchall() == [(1,)]
        assert db.execute("select * from alias").fetchall() == []
