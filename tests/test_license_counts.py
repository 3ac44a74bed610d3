"""Every number of the analysis of licences on real records, against plain loops and plain draws."""

from collections import Counter

import numpy as np
import pytest
from license_count import TWINS, SlowCount, assert_chains_are_conflicts, by_charge
from license_walk import TABLE, slow_spread
from studies import home_of, needs_recordings, recorded, studied

from analysis.licenses.datasets import publish_dataset_licenses
from analysis.licenses.ecosystem import licenses

pytestmark = needs_recordings


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return home_of(tmp_path_factory.mktemp("recorded"), recorded("hub_2026_08.jsonl.zst"))


@pytest.fixture(scope="module")
def study(home):
    with studied(home) as study:
        licenses(study)
        yield study


@pytest.fixture(scope="module")
def slow(study):
    return SlowCount(study.db)


def test_the_recording_is_what_the_slow_count_reads(study):
    # No cycle, and no model with several licences or one that has to be read.
    assert study.db.execute("select count(*) from node where cycle is not null").fetchall() == [
        (0,)
    ]
    rows = study.db.execute("select repo_id, declared, license from model_license").fetchall()
    assert max(Counter(repo_id for repo_id, *_ in rows).values()) == 1
    odd = {declared for _, declared, license_id in rows if declared != license_id}
    assert odd == {"other", "unknown"}


def test_every_measure_is_a_plain_count(study, slow):
    found = {(one.measure, one.subject, one.twin): one for one in study.measures}
    assert len(found) == len(study.measures)
    assert found.keys() == slow.shares.keys()
    assert len(found) > 700
    for key, one in found.items():
        value, count = slow.shares[key]
        assert one.value == (None if value is None else pytest.approx(value)), key
        assert one.count == count, key


def test_every_point_is_a_plain_count(study, slow):
    found = {(one.series, one.subject, one.twin, one.x): one for one in study.points}
    assert len(found) == len(study.points)
    assert found.keys() == slow.points.keys()
    assert len(found) > 900
    for key, one in found.items():
        assert (one.y, one.count) == (pytest.approx(slow.points[key][0]), slow.points[key][1]), key
        year, month = divmod(one.x, 12)
        is_month = one.series == "class_by_month"
        assert one.label == (f"{year:.0f}-{month + 1:02.0f}" if is_month else str(int(one.x)))


def test_conflicts_are_those_of_a_walk(study, slow):
    found = study.db.execute(
        "select child_id, obligation, origin_id, hops, verdict, drop_hops, drop_child_id,"
        " drop_parent_id, may_be_earlier from license_conflict order by all"
    ).fetchall()
    assert found == conflicts(slow.reached)
    assert len(found) > 50


def test_transitions_are_a_plain_count(study, slow):
    found = study.db.execute(
        "select parent_class, child_class, relation, edge_count, owner_capped_count, no_bulk_count"
        " from license_drift"
    ).fetchall()
    told = [
        (slow.license_class(parent), slow.license_class(child), relation, child)
        for child, parent, relation in slow.edges
        if not {slow.license_class(parent), slow.license_class(child)} & {"unknown", "none"}
    ]
    weights = slow.weights([child for *_, child in told])
    counted = {}
    for at, (*key, _) in enumerate(told):
        row = counted.setdefault(tuple(key), [0.0, 0.0, 0.0])
        for column, twin in enumerate(("raw", "owner_capped", "no_bulk")):
            row[column] += weights[twin][at]
    assert {row[:3]: list(row[3:]) for row in found} == {
        key: pytest.approx(row) for key, row in counted.items()
    }


def test_chains_are_the_conflicts(study):
    assert_chains_are_conflicts(study, most=15)


def conflicts(reached):
    """Rows of ``license_conflict``, of what a walk finds."""
    rows = [
        (
            *(*key, hops, ("unclear", "conflict")[charge - 2]),
            *(*(drop or (None,) * 3), blind if drop else None),
        )
        for key, (hops, charge, drop, blind) in reached.items()
        if charge >= 2
    ]
    return sorted(rows, key=lambda row: row[:3])


# Licences that nobody gave, so that there are some of each kind.
GIVEN = ("cc-by-nc-4.0", "gpl-3.0", "mit", "see its site", "llama3.1", "cc-by-sa-4.0", None)


def test_licences_of_datasets_are_a_plain_count(home, slow, tmp_path):
    ids = slow.datasets
    given = {dataset: GIVEN[at % len(GIVEN)] for at, dataset in enumerate(ids)}
    file = tmp_path / "given.csv"
    lines = [f'"{dataset}",{said}\n' for dataset, said in given.items() if said]
    file.write_text("dataset_id,license\n" + "".join(lines))
    own = tmp_path / "own"
    own.mkdir()
    (own / "warehouse.duckdb").write_bytes((home / "warehouse.duckdb").read_bytes())
    assert publish_dataset_licenses(own, file) == len(lines)
    with studied(own) as study:
        licenses(study)
        found = study.db.execute(
            "select child_id, obligation, origin_id, hops, verdict, drop_hops, drop_child_id,"
            " drop_parent_id, may_be_earlier from license_conflict"
            " where origin_kind = 'dataset' order by all"
        ).fetchall()
    known = {dataset for dataset, said in given.items() if said in TABLE}
    expected = conflicts(walk_of_datasets(slow, {one: given[one] for one in known}))
    assert found == expected
    assert len(found) > 100
    declared = slow.declared
    unknown = [not set(declared[name]) <= known for name in declared]
    slow.share(
        "dataset_license_share",
        {"some unknown": unknown, "all known": [not one for one in unknown]},
        slow.weights(list(declared)),
    )
    measures = {(one.measure, one.subject, one.twin): one.value for one in study.measures}
    for subject in ("some unknown", "all known"):
        for twin in TWINS:
            key = "dataset_license_share", subject, twin
            assert measures[key] == pytest.approx(slow.shares[key][0])
    assert 0 < measures["dataset_license_share", "all known", "raw"] < 1
    counts = {key[1]: value for key, value in measures.items() if key[0] == "dataset_count"}
    assert counts == {
        "datasets": len(ids),
        "datasets of known licence": len(known),
        "declarations": sum(map(len, declared.values())),
        "models in question": len({row[0] for row in expected}),
    }


def walk_of_datasets(slow, given):
    """What datasets' licences alone come to: they are nodes above the models."""
    by_name = {name.split("/")[0]: row["owner"] for name, row in slow.nodes.items() if "/" in name}
    owners = {
        f"data {one}": by_name.get(one.split("/")[0] if "/" in one else None, one) for one in given
    }
    parents = {f"data {one}": [] for one in given}
    for name in slow.nodes:
        parents[name] = [*slow.parents[name]]
        parents[name] += [
            (f"data {one}", "dataset") for one in slow.declared.get(name, ()) if one in given
        ]
    said = slow.said | {f"data {one}": license_id for one, license_id in given.items()}
    owners |= {name: row["owner"] for name, row in slow.nodes.items()}
    reached, _, _ = slow_spread(said, owners, parents)

    def plain(name):
        return name.removeprefix("data ")

    return {
        (child, kind, plain(origin)): (
            hops,
            charge,
            drop and (drop[0], drop[1], plain(drop[2])),
            blind,
        )
        for (child, kind, origin), (hops, charge, drop, blind) in reached.items()
        if origin.startswith("data ")
    }


# Intervals


DRAWS = 1_500


def plain_interval(weights, part, clusters):
    """The wider 95 % interval of a share when whole owners, or whole families, are drawn anew."""
    widest = (0.0, 0.0)
    for seed, cluster in enumerate(clusters):
        rng = np.random.default_rng(seed)
        _, group = np.unique(cluster, return_inverse=True)
        whole = np.bincount(group, weights)
        top = np.bincount(group, weights * part)
        drawn = []
        for _ in range(DRAWS):
            at = rng.integers(0, len(whole), len(whole))
            drawn.append(top[at].sum() / whole[at].sum())
        found = np.percentile(drawn, [2.5, 97.5])
        widest = max(widest, tuple(found), key=lambda ends: ends[1] - ends[0])
    return widest


def test_intervals_are_those_of_plain_draws(study, slow):
    found = {(one.measure, one.subject, one.twin): one for one in study.measures}
    family = dict(study.db.execute("select repo_id, family from node").fetchall())
    every = [name for name, row in slow.nodes.items() if row["known"]]
    made = [child for child, *_ in slow.edges]
    charge = by_charge([slow.edge_charge[child, parent] for child, parent, _ in slow.edges])
    worst = by_charge([slow.worst[name] for name in slow.derived])
    classes = [slow.license_class(name) for name in every]
    cases = {
        ("class_share", "permissive"): (every, [one == "permissive" for one in classes], None),
        ("class_download_share", "none"): (every, [one == "none" for one in classes], "weighed"),
        ("edge_charge_share", "conflict"): (made, charge["conflict"], None),
        ("model_charge_share", "unknown"): (slow.derived, worst["unknown"], None),
        ("exposure", "unclear"): (slow.derived, worst["unclear"], "weighed"),
    }
    for (measure, subject), (names, part, weighed) in cases.items():
        weights = slow.weights(names)
        weights = slow.downloads(names, weights) if weighed else weights
        owners = [slow.nodes[name]["owner"] for name in names]
        families = [family[name] for name in names]
        clusters = [owners] if names is every else [owners, families]
        for twin in ("raw", "owner_capped"):
            one = found[measure, subject, twin]
            low, high = plain_interval(np.array(weights[twin]), np.array(part), clusters)
            # Of 400 draws an end is off by a thirtieth of the width, as a standard error.
            near = pytest.approx((low, high), abs=0.15 * (high - low), rel=0)
            assert (one.low, one.high) == near, (measure, subject, twin)
            assert one.low < one.value < one.high
