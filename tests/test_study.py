"""The ground of studies: frame, measures, twins, resampling, publication."""

import math
from datetime import datetime

import duckdb
import numpy as np
import pytest
from hubs import model
from hypothesis import given
from hypothesis import strategies as st
from raw_homes import RawHome
from rich_homes import rich_home
from studies import home_of, studied

from analysis.findings import findings
from analysis.study import resampling
from analysis.study.measures import Measure, NumberMissing, Point, Study, as_table
from analysis.study.resampling import cluster_sums, kinds_of, mean_intervals, resample
from analysis.study.twins import OWNER_CAP, capped, twin_weights
from warehouse.read import open_warehouse
from warehouse.relations import read_relation

DAY = "2024-05-0{}T00:00:00.000Z"
OLD = "2022-03-02T23:29:04.000Z"
LINES = [
    model("a/base", createdAt=OLD),
    model("b/kid", createdAt=DAY.format(2), tags=["base_model:finetune:a/base"]),
    model(
        "b/merge",
        createdAt=DAY.format(3),
        tags=["base_model:merge:b/kid", "base_model:merge:g/ghost"],
    ),
    model("solo"),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return home_of(tmp_path_factory.mktemp("study"), LINES)


@pytest.fixture(scope="module")
def study(home):
    with studied(home) as study:
        yield study


def test_models_are_numbered_by_name_and_placed_in_families(study):
    rows = study.db.execute(
        "select node, repo_id, known, is_dated, family, family_size, primary_parent, generation,"
        " is_root from node order by node"
    ).fetchall()
    assert rows == [
        (0, "a/base", True, False, 0, 4, None, 0, True),
        (1, "b/kid", True, True, 0, 4, 0, 1, False),
        (2, "b/merge", True, True, 0, 4, 1, 2, False),
        (3, "g/ghost", False, False, 0, 4, None, 0, True),
        (4, "solo", True, False, 4, 1, None, 0, True),
    ]


def test_edges_are_numbered_and_ranked(study):
    rows = study.db.execute(
        "select child, parent, relation, rank from kin order by edge"
    ).fetchall()
    assert rows == [(1, 0, "finetune", 1), (2, 1, "merge", 1), (2, 3, "merge", 2)]


def test_who_has_no_owner_is_its_own(study):
    rows = study.db.execute("select name, is_bulk from owner order by owner").fetchall()
    assert rows == [("a", False), ("b", False), ("g", False), ("solo", False)]


def test_missing_values_are_none_nan_and_no_time(study):
    node = study.arrays("select created_at, license, downloads_30d, cycle from node order by node")
    assert node["license"].tolist() == [None] * 5
    assert np.isnan(node["downloads_30d"]).all()
    assert np.isnat(node["created_at"][3])
    assert np.isnan(node["cycle"]).all()


def bulk(tmp_path, lines):
    with studied(home_of(tmp_path, lines)) as study:
        rows = study.db.execute("from bulk_uploader").fetchall()
        told = study.arrays("select owner.name, node.is_bulk from node join owner using (owner)")
    assert {name for name, flag in zip(told["name"], told["is_bulk"], strict=True) if flag} == {
        row[0] for row in rows
    }
    return rows


def made(owner, count, **fields):
    return [model(f"{owner}/m{n}", **fields) for n in range(count)]


def test_bulk_uploaders_are_bursts_or_many_of_one_shape(tmp_path):
    lines = [
        *made("burst", 100, createdAt=DAY.format(1), pipeline_tag="text-generation"),
        *made("almost", 99, createdAt=DAY.format(1)),
        *made("shape", 180, createdAt=OLD, library_name="peft"),
        *[model(f"shape/x{n}", createdAt=OLD, pipeline_tag=f"t{n}") for n in range(20)],
        *made("undated", 150, createdAt=OLD),
        *made("both", 200, createdAt=DAY.format(2)),
        *made("varied", 179, createdAt=OLD, library_name="peft"),
        *[model(f"varied/x{n}", createdAt=OLD, pipeline_tag=f"t{n}") for n in range(21)],
    ]
    assert bulk(tmp_path, lines) == [
        ("both", 200, 200, 1.0, "both"),
        ("shape", 200, 0, 0.9, "shape"),
        ("burst", 100, 100, 1.0, "burst"),
    ]


def test_as_of_a_time_only_what_was_known_then_is_there(tmp_path):
    home = RawHome(tmp_path)
    first = {"id": "o/base", "_id": "1", "tags": ["license:mit"], "downloads": 1}
    home.listing(first, day=1)
    child = {"id": "o/kid", "_id": "2", "tags": ["base_model:finetune:o/base"], "downloads": 1}
    home.listing({**first, "tags": ["license:gpl-3.0"]}, child, day=3)
    home.built().close()
    with open_warehouse(tmp_path) as db:
        from analysis.study.frame import lay_out

        then = Study(db.cursor(), as_of=datetime(2026, 1, 2))
        lay_out(then)
        assert then.db.execute("select repo_id, license from node").fetchall() == [
            ("o/base", "mit")
        ]
        assert then.db.execute("from kin").fetchall() == []
        later = Study(db.cursor(), as_of=datetime(2026, 1, 4))
        lay_out(later)
        rows = later.db.execute("select repo_id, license from node order by node").fetchall()
        assert rows == [("o/base", "gpl-3.0"), ("o/kid", None)]
        assert later.db.execute("select child, parent, relation from kin").fetchall() == [
            (1, 0, "finetune")
        ]


ONE = {"analysis": "a", "measure": "m", "count": 1, "unit": "share"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"value": math.nan},
        {"value": math.inf},
        {"value": 1.0, "low": math.nan},
        {"value": None},
        {"value": 1.0, "reason": "and yet"},
    ],
)
def test_a_number_is_a_number_or_has_a_reason(wrong):
    with pytest.raises(NumberMissing, match="m of"):
        Measure(**ONE, **wrong)


def test_no_measures_make_a_typed_table():
    assert str(as_table([], Measure).schema.field("value").type) == "double"
    assert str(as_table([], Point).schema.field("count").type) == "int64"


def test_one_purpose_draws_the_same_whatever_else_is_drawn():
    study, other = Study(None), Study(None)
    other.generator("else").random(5)
    assert study.generator("pairs").random() == other.generator("pairs").random()
    assert study.generator("pairs").random() != study.generator("pear").random()
    assert study.generator("pairs").random() != Study(None, seed=1).generator("pairs").random()


def test_rows_of_one_owner_weigh_as_much_as_the_cap():
    owner = np.array([1] * (4 * OWNER_CAP) + [2] * 3)
    weights = capped(owner)
    assert weights[owner == 1].sum() == OWNER_CAP
    assert weights[owner == 2].tolist() == [1.0] * 3


def test_twins_leave_out_bulk_and_undated_rows():
    twins = twin_weights(np.array([1, 2]), np.array([True, False]), np.array([True, False]))
    assert {twin: weights.tolist() for twin, weights in twins.items()} == {
        "raw": [1.0, 1.0],
        "owner_capped": [1.0, 1.0],
        "no_bulk": [0.0, 1.0],
        "dated": [1.0, 0.0],
    }


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(-9, 9), st.integers(-9, 9)), min_size=1))
def test_sums_within_clusters(rows):
    cluster, *columns = map(np.array, zip(*rows, strict=True))
    sums = cluster_sums(np.column_stack(columns).astype(float), cluster)
    slow = {
        c: [sum(r[1] for r in rows if r[0] == c), sum(r[2] for r in rows if r[0] == c)]
        for c in sorted({row[0] for row in rows})
    }
    assert sums.tolist() == list(slow.values())


def test_whole_clusters_are_drawn():
    sums = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])
    drawn = resample(sums, np.random.default_rng(0), 200)
    assert np.array_equal(drawn[:, 1], 10 * drawn[:, 0])
    assert set(drawn[:, 0]) == set(map(float, range(3, 10)))


def test_intervals_are_those_of_a_bootstrap_written_out():
    rng = np.random.default_rng(5)
    cluster = rng.integers(0, 30, 200)
    values, weights = rng.random(200), rng.random(200)
    columns = np.column_stack([weights * values]), weights[:, None]
    (interval,) = mean_intervals(*columns, {"owner": cluster}, np.random.default_rng(1))
    means = []
    for _ in range(4000):
        drawn = np.unique(cluster)[rng.integers(0, 30, 30)]
        rows = np.concatenate([np.flatnonzero(cluster == number) for number in drawn])
        means.append(np.average(values[rows], weights=weights[rows]))
    low, high = np.percentile(means, [2.5, 97.5])
    assert interval.resampled == "owner"
    assert interval.low == pytest.approx(low, abs=0.1 * (high - low))
    assert interval.high == pytest.approx(high, abs=0.1 * (high - low))


def test_kinds_of_clusters_draw_as_clusters_do(monkeypatch):
    rng = np.random.default_rng(0)
    owner = rng.zipf(1.6, 30_000) % 9_000
    values = rng.random((30_000, 2)) * (1 + owner % 3)[:, None]
    values[:, 1] = values[:, 1] > 0.3
    sums = cluster_sums(values, owner)
    rows, counts = kinds_of(sums)
    assert len(rows) < len(sums) / 3
    assert counts @ rows == pytest.approx(sums.sum(axis=0))
    args = (values, np.ones_like(values), {"owner": owner})
    ours = mean_intervals(*args, np.random.default_rng(1))
    monkeypatch.setattr(resampling, "MOST_APART", 10**9)
    theirs = mean_intervals(*args, np.random.default_rng(2))
    for one, other in zip(ours, theirs, strict=True):
        width = other.high - other.low
        assert abs(one.low - other.low) < 0.2 * width
        assert abs(one.high - other.high) < 0.2 * width


def test_the_wider_resampling_counts():
    values = np.repeat(np.arange(40) % 2, 10).astype(float)
    own, alike = np.arange(400), np.repeat(np.arange(40), 10)
    columns = values[:, None], np.ones((400, 1))
    clusters = {"owner": own, "family": alike}
    (interval,) = mean_intervals(*columns, clusters, np.random.default_rng(0))
    assert interval.resampled == "family"
    (narrow,) = mean_intervals(*columns, {"owner": own}, np.random.default_rng(0))
    assert interval.high - interval.low > 2 * (narrow.high - narrow.low)


def test_too_few_clusters_make_no_interval():
    values = np.arange(18.0)[:, None]
    few = np.arange(18) // 2
    (interval,) = mean_intervals(values, np.ones((18, 1)), {"owner": few}, np.random.default_rng())
    assert (interval.low, interval.high, interval.resampled) == (None, None, None)
    unweighed = np.zeros((18, 1))
    (interval,) = mean_intervals(
        unweighed, unweighed, {"owner": np.arange(18)}, np.random.default_rng()
    )
    assert interval.low is None


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    home = rich_home(tmp_path_factory.mktemp("published") / "home")
    home.studied().close()
    return home


def test_what_a_study_publishes_keeps_its_grain(published):
    with open_warehouse(published.folder) as db:
        kept = [path.stem for path in (published.folder / "study" / "tables").glob("*.parquet")]
        assert "study_measure" in kept
        for name in kept:
            grain = ", ".join(read_relation("analysis.study", name).grain)
            sql = f"select {grain} from {name} group by all having count(*) > 1"
            assert db.execute(sql).fetchall() == [], name


def test_tables_on_disk_and_in_the_warehouse_are_the_same(published):
    folder = published.folder / "study" / "tables"
    with open_warehouse(published.folder) as db, duckdb.connect() as free:
        for path in folder.glob("*.parquet"):
            told = free.execute("from read_parquet(?)", [str(path)]).fetchall()
            assert db.execute(f"from {path.stem}").fetchall() == told
            lines = path.with_suffix(".csv").read_text("utf-8").count("\n")
            assert lines >= len(told) + 1


def test_a_build_leaves_the_study_and_one_from_scratch_takes_it_away(tmp_path):
    home = rich_home(tmp_path / "home")
    home.studied().close()
    home.listing({"id": "new/model", "_id": "n1"}, day=9)
    with home.built() as db:
        assert db.execute("select study, model_count from study").fetchall() == [("anatomy", 16)]
    with home.built(from_scratch=True) as db:
        names = db.execute("select table_name from duckdb_tables() where table_name = 'study'")
        assert names.fetchall() == []


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ((0.2, 0.1), (True, None)),
        ((0.1, 0.2), (False, None)),
        ((0.1, 0.1), (None, "both are the same")),
    ],
)
def test_a_tie_neither_upholds_nor_refutes_a_finding(values, told):
    common = {"analysis": "structure", "measure": "fertile_share", "count": 1, "unit": "share"}
    with duckdb.connect() as db:
        study = Study(db)
        for subject, value in zip(("quantized", "adapter"), values, strict=True):
            study.add(**common, subject=subject, value=value)
        findings(study)
        sql = "select holds, reason from study_finding where finding = 'quantized_bear'"
        assert db.execute(sql).fetchall() == [told]
