"""Structure of a small hub of which every number is worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from known_hub import record
from raw_homes import RawHome

from analysis.anatomy import study_anatomy

FANS = [f"fan/c{number:02}" for number in range(50)]
OLD = "2022-03-02"
# Families: a star of 51, a chain of four, a diamond, a merge with its own grandparent, a cycle of
# two with a child, two children of a ghost, a merge of two roots. Three models have no family: one
# older than dates are told, one of now, one that names itself.
MODELS = [
    ("star/base", "2024-01-15", ()),
    *((fan, "2024-02-14", ("quantized:star/base",)) for fan in FANS),
    ("chain/a", OLD, ()),
    ("chain/b", "2022-05-01", ("finetune:chain/a",)),
    ("chain/c", "2022-05-11", ("finetune:chain/b",)),
    ("chain/d", "2022-05-06", ("quantized:chain/c",)),
    ("dia/top", "2024-01-01", ()),
    ("dia/left", "2024-01-11", ("finetune:dia/top",)),
    ("dia/right", "2024-01-21", ("finetune:dia/top",)),
    ("dia/bottom", "2024-01-31", ("merge:dia/left", "merge:dia/right")),
    ("tri/top", "2024-01-01", ()),
    ("tri/mid", "2024-01-02", ("adapter:tri/top",)),
    ("tri/low", "2024-01-02", ("merge:tri/mid", "merge:tri/top")),
    ("ring/a", "2024-03-01", ("finetune:ring/b",)),
    ("ring/b", "2024-03-05", ("finetune:ring/a",)),
    ("ring/kid", "2024-03-06", ("adapter:ring/b",)),
    ("ghostly/one", "2024-05-01", ("finetune:away/ghost",)),
    ("ghostly/two", "2024-05-02", ("finetune:away/ghost",)),
    ("two/x", "2024-04-01", ()),
    ("two/y", "2024-04-01", ()),
    ("two/z", "2024-04-03", ("merge:two/x", "merge:two/y")),
    ("lone/model", "2024-04-01", ()),
    ("lone/old", OLD, ()),
    ("self/model", "2024-04-01", ("finetune:self/model",)),
]


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    home = RawHome(tmp_path_factory.mktemp("structure") / "home")
    home.listing(*records(MODELS))
    with home.studied() as db:
        yield db


def records(models):
    for at, (name, created, bases) in enumerate(models):
        yield record(name, at, created, at, bases=bases)


def value(db, measure, subject="", twin="raw", analysis="structure"):
    rows = db.execute(
        "select value, reason from study_measure"
        " where analysis = ? and measure = ? and subject = ? and twin = ?",
        [analysis, measure, subject, twin],
    ).fetchall()
    assert len(rows) == 1, (measure, subject, twin)
    return rows[0][0] if rows[0][1] is None else rows[0][1]


def values(db, measure, twin="raw"):
    rows = db.execute(
        "select subject, value from study_measure"
        " where analysis = 'structure' and measure = ? and twin = ?",
        [measure, twin],
    ).fetchall()
    return dict(rows)


def curve(db, series, subject="", column="label"):
    rows = db.execute(
        f"select {column}, y from study_series"
        " where series = ? and subject = ? and twin = 'raw' order by x",
        [series, subject],
    ).fetchall()
    return dict(rows)


def test_models_edges_and_families_are_counted(hub):
    models = values(hub, "models")
    assert (models[""], models["known"], models["ghost"]) == (74, 73, 1)
    assert (models["with a parent"], models["with several parents"]) == (64, 3)
    assert (models["with ghost parents only"], models["in a cycle"]) == (2, 2)
    assert values(hub, "edges") == {
        **{"": 67, "finetune": 8, "quantized": 51, "adapter": 2, "merge": 6, "unknown": 0},
        "merge or unknown": 6,
    }
    assert {name: values(hub, "families")[name] for name in ("", "of two or more", "of one")} == {
        **{"": 10, "of two or more": 7, "of one": 3},
    }
    assert value(hub, "cycles") == 1
    assert values(hub, "refused_pairs") == {"self": 1, "malformed": 0, "not_text": 0}
    assert value(hub, "models_share", "with a parent") == pytest.approx(64 / 73)
    # of fifty by one owner ten count
    capped = value(hub, "models_share", "with a parent", "owner_capped")
    assert capped == pytest.approx(24 / 33)
    assert value(hub, "models_share", "with a parent", "dated") == pytest.approx(64 / 71)


def test_a_published_count_stands_beside_the_raw_one(hub):
    told = hub.execute(
        "select published from study_measure where measure = 'edges' and subject = 'adapter'"
    ).fetchall()
    assert told == [(241417.0,)]


def test_the_shape_of_each_family(hub):
    rows = hub.execute(
        "select family_id, member_count, known_count, edge_count, owner_count, depth, breadth,"
        " widest_generation, max_child_count, tree_count, tree_member_count, wiener_index"
        " from family_shape order by family_id"
    ).fetchall()
    assert rows == [
        ("away/ghost", 3, 2, 2, 1, 1, 2, 1, 2, 1, 3, 4),
        ("chain/a", 4, 4, 3, 1, 3, 1, 0, 1, 1, 4, 10),
        ("dia/top", 4, 4, 4, 1, 2, 2, 1, 2, 1, 4, 10),
        ("ring/a", 3, 3, 3, 1, 1, 2, 0, 2, 1, 3, 4),
        ("star/base", 51, 51, 50, 2, 1, 50, 1, 50, 1, 51, 2500),
        ("tri/top", 3, 3, 3, 1, 2, 1, 0, 2, 1, 3, 4),
        ("two/x", 3, 3, 2, 1, 1, 2, 0, 1, 2, 2, 1),
    ]


def test_distances_within_each_family(hub):
    rows = hub.execute(
        "select family_id, tree_mean_distance, mean_distance, leaf_share from family_shape"
    ).fetchall()
    found = {name: numbers for name, *numbers in rows}
    wanted = {
        "away/ghost": (4 / 3, 4 / 3, 2 / 3),
        "chain/a": (10 / 6, 10 / 6, 1 / 4),
        "dia/top": (10 / 6, 8 / 6, 1 / 4),  # the family is a square, its tree a path
        "ring/a": (4 / 3, 4 / 3, 1 / 3),
        "star/base": (2500 / 1275, 2500 / 1275, 50 / 51),
        "tri/top": (4 / 3, 1, 1 / 3),
        "two/x": (1, 4 / 3, 1 / 3),
    }
    assert found == {name: pytest.approx(numbers) for name, numbers in wanted.items()}


def test_when_a_family_was_made_is_told_of_its_dated_models(hub):
    rows = hub.execute(
        "select first_created_at::date::varchar, last_created_at::date::varchar, dated_count,"
        " bulk_share, mean_distance_low, source_count from family_shape"
        " where family_id in ('chain/a', 'away/ghost') order by family_id"
    ).fetchall()
    assert rows == [
        ("2024-05-01", "2024-05-02", 2, 0, None, None),
        ("2022-05-01", "2022-05-11", 3, 0, None, None),
    ]


def test_means_over_families(hub):
    assert value(hub, "depth") == pytest.approx(11 / 7)
    assert value(hub, "breadth") == pytest.approx(60 / 7)
    # all but the chain, whose root is older than dates, and the ghost's
    assert value(hub, "depth", twin="dated") == pytest.approx(7 / 5)
    assert (value(hub, "most_depth"), value(hub, "most_breadth")) == (3, 50)
    assert (value(hub, "largest_family"), value(hub, "largest_family_wiener_index")) == (51, 2500)
    assert value(hub, "largest_family_most_children") == 50
    assert value(hub, "largest_family_distance") == pytest.approx(2500 / 1275)
    assert curve(hub, "family_depth") == {"1": 4, "2": 2, "3": 1}
    assert curve(hub, "generation") == {"0": 9, "1": 58, "2": 3, "3": 1}
    distances = curve(hub, "mean_distance_by_size")
    assert distances["2 to 3 models"] == pytest.approx((4 / 3 + 4 / 3 + 1 + 4 / 3) / 4)
    assert distances["4 to 7 models"] == pytest.approx((10 / 6 + 8 / 6) / 2)


def test_motifs(hub):
    assert values(hub, "motif") == {
        **{"chain_3": 1, "shared_parents": 0, "feed_forward": 1, "diamond": 1},
        # 50 · 49 / 2 of the star, and one each of dia/top, tri/top, ring/b, away/ghost
        **{"reciprocal_pair": 1, "sibling_pair": 1229, "merge_with_ancestor": 1},
    }
    assert values(hub, "chain_2_by_relation") == {
        **{"finetune → finetune": 1, "finetune → quantized": 1, "finetune → merge": 2},
        **{"adapter → merge": 1, "finetune → adapter": 1},
    }
    assert values(hub, "chain_3_by_relation") == {"finetune → finetune → quantized": 1}
    assert values(hub, "models")["with a parent and its ancestor"] == 1
    assert values(hub, "models")["merged with an ancestor"] == 1


def test_chance_is_said_to_make_nothing_rather_than_divided_by(hub):
    assert value(hub, "motif_ratio", "shared_parents") in (
        0,
        "chance made none in 20 draws",
    )
    assert isinstance(value(hub, "motif_by_chance", "diamond"), float)


def test_relations_by_generation_and_which_bear_children(hub):
    assert value(hub, "relation_share", "quantized") == pytest.approx(51 / 67)
    assert value(hub, "relation_share", "quantized", "owner_capped") == pytest.approx(11 / 27)
    assert curve(hub, "relation_by_generation", "quantized") == {
        **{"0": 0, "1": pytest.approx(50 / 59), "2": 0, "3": 1},
    }
    assert curve(hub, "relation_by_generation", "merge")["2"] == pytest.approx(4 / 5)
    assert values(hub, "fertile_edges") == {
        **{"": 7, "finetune": 6, "quantized": 0, "adapter": 1, "merge": 0, "unknown": 0},
    }
    assert value(hub, "fertile_share", "finetune") == pytest.approx(6 / 8)
    assert value(hub, "fertile_share", "adapter") == pytest.approx(1 / 2)
    assert value(hub, "fertile_share", "unknown") == "nothing of the kind here"


def test_growth_by_month(hub):
    assert curve(hub, "models_created") == {
        **{"2022-05": 3, "2024-01": 8, "2024-02": 50, "2024-03": 3, "2024-04": 5, "2024-05": 2},
    }
    assert curve(hub, "edges_created", "merge") == {"2024-01": 4, "2024-04": 2}
    assert curve(hub, "families") == {
        **{"2022-05": 3, "2024-01": 6, "2024-02": 6, "2024-03": 7, "2024-04": 10, "2024-05": 10},
    }
    assert curve(hub, "families_of_two") == {
        **{"2022-05": 1, "2024-01": 3, "2024-02": 4, "2024-03": 5, "2024-04": 6, "2024-05": 7},
    }
    assert curve(hub, "families_begun") == {
        **{"2024-01": 3, "2024-03": 1, "2024-04": 1, "2024-05": 1},
    }
    families, models = values(hub, "families"), values(hub, "models")
    assert families["begun before dates are told"] == 1
    assert (families["begun when dated"], families["with a model without a time"]) == (6, 0)
    assert (models["dated"], models["made before dates are told"]) == (71, 2)
    assert curve(hub, "models_created", column="x::bigint")[2022 * 12 + 4] == 3


def test_the_median_age_of_families(hub):
    # the third youngest of six: the cycle's, begun on 1 March 2024
    wanted = hub.execute(
        "select epoch(data_as_of - timestamp '2024-03-01') / 86400 from study"
    ).fetchone()
    assert value(hub, "family_age") == pytest.approx(wanted[0])


def test_days_from_parent_to_child(hub):
    assert values(hub, "edges_in_time") == {
        **{"a ghost parent": 2, "a parent without a date": 1, "a child without a date": 0},
        **{"the child before its parent": 2, "the child after its parent": 62},
    }
    assert values(hub, "days_to_child") == {
        **{"": 30, "finetune": 10, "quantized": 30, "adapter": 1, "merge": 2, "unknown": None},
    }
    assert value(hub, "days_to_child_q1", "merge") == 1
    assert value(hub, "days_to_child_q3", "merge") == 10
    assert value(hub, "wrong_order_share", "finetune") == pytest.approx(1 / 5)
    assert value(hub, "wrong_order_share", "quantized") == pytest.approx(1 / 51)
    # of six merges two wait a day at most, four a week
    waits = curve(hub, "days_to_child", "merge")
    assert (waits["1 days"], waits["7 days"]) == (pytest.approx(2 / 6), pytest.approx(4 / 6))
    # of 22, as the star's fifty count as ten, the eleventh
    assert value(hub, "days_to_child", "", "owner_capped") == 20


def test_too_few_families_have_no_power_law(hub):
    reason = "fewer than 50 of two sizes or more"
    assert value(hub, "alpha", "family_size") == reason
    assert value(hub, "power_law_p", "children") == reason
    assert hub.execute("select count(*) from tail_fit").fetchone() == (0,)
    sizes = curve(hub, "family_size")
    assert sizes == {"3": 1, "4": pytest.approx(3 / 7), "51": pytest.approx(1 / 7)}


def test_uploads_by_owner(hub):
    def index(name, quantity="uploads", twin="raw"):
        return value(hub, name, f"{quantity} by owner", twin, "concentration")

    # 1 1 2 2 3 3 3 4 4 50 of 73
    assert index("gini") == pytest.approx(475 / 730)
    assert index("hoover") == pytest.approx(42.7 / 73)
    assert index("top_1_percent_share") == pytest.approx(50 / 73)
    assert index("top_10_share") == 1
    by_organisation = value(hub, "gini", "uploads by organisation", analysis="concentration")
    assert by_organisation.startswith("listings do not tell an organisation")
    held = curve(hub, "lorenz", "uploads")
    assert held["poorest 50 %"] == pytest.approx(9 / 73)
    assert curve(hub, "top_owner", "uploads")["fan"] == 50


def test_the_same_seed_gives_the_same_numbers(hub):
    again = study_anatomy(hub.cursor())
    told = {(m.measure, m.subject, m.twin): (m.value, m.low, m.high) for m in again.measures}
    kept = hub.execute("select measure, subject, twin, value, low, high from study_measure")
    for measure, subject, twin, *numbers in kept.fetchall():
        assert told[measure, subject, twin] == tuple(numbers)


@pytest.mark.parametrize(
    "models",
    [
        [("lone/one", "2024-01-01", ())],
        [("lone/one", OLD, ()), ("self/model", OLD, ("finetune:self/model",))],
        [("kid/one", "2024-01-01", ("finetune:away/ghost",))],
        [("ring/a", "2024-01-01", ("merge:ring/b",)), ("ring/b", OLD, ("merge:ring/a",))],
    ],
    ids=["one model", "no edge", "a ghost's only child", "a cycle alone"],
)
def test_hubs_with_next_to_nothing_are_studied(tmp_path, models):
    home = RawHome(tmp_path / "home")
    home.listing(*(one | {"downloads": 0} for one in records(models)))
    with home.studied() as db:
        assert value(db, "models", "known") == len(models)
        assert value(db, "gini", "downloads by owner", analysis="concentration") == (
            "nobody holds any"
        )
        rows = db.execute("select value, reason from study_measure").fetchall()
        assert all((number is None) != (reason is None) for number, reason in rows)
        assert not any(number is not None and np.isnan(number) for number, _ in rows)
