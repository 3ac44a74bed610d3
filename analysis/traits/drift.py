"""Drift: the order of a trait's values that traffic along edges follows, and how firmly.

Source: Laufer, Oderinwa, Kleinberg, "Anatomy of a Machine Learning Ecosystem" (2025), for the order
as a linear ordering problem over the twenty values with most traffic.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from analysis.study.measures import Study
from analysis.study.resampling import NO_INTERVAL, Interval, mean_intervals
from analysis.study.twins import TWINS, Bools, Ints
from analysis.traits.agreement import note_agreement, note_published
from analysis.traits.asymmetry import (
    OwnedTraffic,
    PairTests,
    forward_p_value,
    held_out_share,
    pair_tests,
)
from analysis.traits.drift_rows import ORDER_SCHEMA, PAIR_SCHEMA, Drift, order_rows, pair_rows
from analysis.traits.ordering import best_order
from analysis.traits.traffic import COUNTINGS
from analysis.traits.values import TRAITS, UNNAMED

VALUES = 20
STILL = "no two values of the trait have traffic between them"
BUSIEST = """
create or replace temp table placed as
with moved as (
    select unnest([parent_value, child_value]) as value, traffic
    from trait_transition
    where trait = '{trait}' and twin = '{twin}' and parent_value <> child_value
        and parent_value not in {unnamed} and child_value not in {unnamed}
)
select row_number() over (order by round(sum(traffic), 9) desc, value) - 1 as number, value
from moved
group by value
qualify number < {values}
"""
OWNED = """
select owner, source.number as source, target.number as target, {twin} as weight
from trait_traffic
join placed as source on source.value = parent_value
join placed as target on target.value = child_value
where trait = '{trait}' and parent_value <> child_value and {twin} > 0
order by owner, source.number, target.number
"""
# What charts show of the matrix: licences with most traffic, their change by the parent's licence.
CHARTED = """
with placed as (
    select value, position, twin from drift_order where trait = 'license'
)
select
    parent_value, child_value, told.twin, position, share, edge_count
from trait_transition as told
join placed on placed.value = child_value and placed.twin = told.twin
where trait = 'license'
    and (parent_value, told.twin) in (select (value, twin) from placed)
order by told.twin, parent_value, position
"""


@dataclass
class Found:
    """Rows of the relations, as they come."""

    orders: list[dict[str, Any]] = field(default_factory=list)
    pairs: list[dict[str, Any]] = field(default_factory=list)


def drift(study: Study) -> None:
    """Order the values of each trait, in each twin; keep ``drift_order`` and ``drift_pair``.

    Reads ``trait_transition`` and ``trait_traffic``, as `analysis.traits.mutation.traits` leaves
    them. Measures, by trait and twin (``study_counting`` too, see `analysis.traits.traffic`):
    ``traffic_pairs``, pairs of values with net traffic, and ``consistent_pairs``, those that it
    runs forward in; ``forward_share`` of traffic; ``forward_share_held_out``, among owners that the
    order was not made of; ``forward_p``, the chance of such a share if owners tossed coins;
    ``significant_pairs`` at q ≤ .05; ``optimality_gap``; ``order_tau_raw``, Kendall's tau with the
    raw order. Those of the published order: see `analysis.traits.agreement`.
    """
    found = Found()
    for at, trait in enumerate(TRAITS):
        study.report(f"drift: {trait.name}", at, len(TRAITS))
        drifts = {twin: _ordered(study, trait.name, twin) for twin in COUNTINGS}
        for twin, one in drifts.items():
            _note(study, one, found)
            note_agreement(study, trait.name, twin, one.ordered, drifts["raw"].ordered)
            note_published(study, trait.name, twin, one.names, one.traffic.matrix, one.ordered)
    study.keep("drift_order", pa.Table.from_pylist(found.orders, ORDER_SCHEMA))
    study.keep("drift_pair", pa.Table.from_pylist(found.pairs, PAIR_SCHEMA))
    _plot_transitions(study)


def _ordered(study: Study, trait: str, twin: str) -> Drift:
    unnamed = ", ".join(f"'{name}'" for name in UNNAMED.get(trait, ("",)))
    filled = {"trait": trait, "twin": twin, "unnamed": f"({unnamed})", "values": VALUES}
    study.db.execute(BUSIEST.format(**filled))
    named = study.db.execute("select value from placed order by number").fetchall()
    owned = study.arrays(OWNED.format(**filled))
    _, owner = np.unique(owned["owner"], return_inverse=True)
    source, target = (owned[end].astype(np.int64) for end in ("source", "target"))
    weight = owned["weight"].astype(np.float64)
    traffic = OwnedTraffic(owner, source, target, weight, len(named))
    order = best_order(traffic.matrix, study.generator(f"drift {trait} {twin}"))
    return Drift(trait, twin, [name for (name,) in named], traffic, order)


def _note(study: Study, drift: Drift, found: Found) -> None:
    tests = pair_tests(drift.traffic, study.generator(f"pairs {drift.trait} {drift.twin}"))
    place = np.empty(drift.traffic.count, np.int64)
    place[drift.order.values] = np.arange(drift.traffic.count)
    consistent = place[tests.first] < place[tests.second]
    _note_pairs(study, drift, tests, consistent)
    _note_share(study, drift, place)
    _note_chance(study, drift)
    rows = order_rows(drift, place)
    _plot_order(study, rows)
    found.orders.extend(rows)
    found.pairs.extend(pair_rows(drift, tests, consistent))


def _note_pairs(study: Study, drift: Drift, tests: PairTests, consistent: Bools) -> None:
    count = len(tests.first)
    told = {
        "traffic_pairs": count,
        "consistent_pairs": int(np.count_nonzero(consistent)),
        "significant_pairs": int(np.count_nonzero(tests.q_value <= 0.05)),
    }
    for measure, value in told.items():
        _add(study, drift, measure, float(value), unit="pairs", count=count)


def _note_share(study: Study, drift: Drift, place: Ints) -> None:
    traffic, order = drift.traffic, drift.order
    entries = len(traffic.weight)
    share = order.forward / order.total if order.total else None
    forward = traffic.weight * (place[traffic.source] < place[traffic.target])
    rng = study.generator(f"forward {drift.trait} {drift.twin}")
    interval = mean_intervals(
        forward[:, None], traffic.weight[:, None], {"owner": traffic.owner}, rng
    )[0]
    _add(study, drift, "forward_share", share, unit="share", count=entries, interval=interval)
    gap = order.gap if order.total else None
    _add(study, drift, "optimality_gap", gap, unit="share", count=entries)


def _note_chance(study: Study, drift: Drift) -> None:
    """Not of the study's counting, which is there to be compared and no better founded."""
    if drift.twin not in TWINS:
        return
    traffic = drift.traffic
    held_out, p_value = None, None
    if len(traffic.weight):
        rng = study.generator(f"held out {drift.trait} {drift.twin}")
        held_out = held_out_share(traffic, rng)
        p_value = forward_p_value(traffic, study.generator(f"toss {drift.trait} {drift.twin}"))
    reason = STILL if p_value is None else "too few owners to halve"
    owners = traffic.owners
    measure = "forward_share_held_out"
    _add(study, drift, measure, held_out, unit="share", count=owners, reason=reason)
    _add(study, drift, "forward_p", p_value, unit="probability", count=owners)


def _add(
    study: Study,
    drift: Drift,
    measure: str,
    value: float | None,
    *,
    unit: str,
    count: int,
    reason: str = STILL,
    interval: Interval = NO_INTERVAL,
) -> None:
    study.add(
        analysis="drift",
        measure=measure,
        subject=drift.trait,
        twin=drift.twin,
        value=value,
        count=count,
        unit=unit,
        reason=reason if value is None else None,
        low=interval.low,
        high=interval.high,
        resampled=interval.resampled,
    )


def _plot_order(study: Study, rows: list[dict[str, Any]]) -> None:
    """``drift_order``: where each value stands, and what share of its traffic runs forward."""
    for row in (row for row in rows if row["sent"] + row["received"] > 0):
        study.plot(
            analysis="drift",
            series="drift_order",
            subject=row["trait"],
            twin=row["twin"],
            x=float(row["position"]),
            label=row["value"],
            y=row["forward_traffic"] / (row["sent"] + row["received"]),
        )


def _plot_transitions(study: Study) -> None:
    """``transition``: of a parent's licence (subject) the share that became each in drift order."""
    for parent, child, twin, position, share, edges in study.db.execute(CHARTED).fetchall():
        study.plot(
            analysis="drift",
            series="transition",
            subject=parent,
            twin=twin,
            x=float(position),
            label=child,
            y=share,
            count=edges,
        )
