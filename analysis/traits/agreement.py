"""How far two orders of a trait's values agree: those of the twins, and the published one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import kendalltau

from analysis.study.measures import Study
from analysis.study.twins import Floats
from analysis.traits.climbing import forward_traffic
from analysis.traits.values import read_table

FEWEST = 3  # values that two orders must share: of two there is but one pair
STILL = "no traffic between values of the published order"
TOO_FEW = "fewer than three values stand in both orders"


def note_agreement(
    study: Study, trait: str, twin: str, order: Sequence[str], raw: Sequence[str]
) -> None:
    """Note ``order_tau_raw``: Kendall's tau with the raw order, over the values of both."""
    if twin != "raw":
        tau, _, count = common_tau(order, raw)
        _add(study, "order_tau_raw", trait, twin, value=tau, count=count, unit="tau")


def note_published(
    study: Study, trait: str, twin: str, names: Sequence[str], traffic: Floats, order: Sequence[str]
) -> None:
    """Note how a trait's order agrees with the published one, where there is one.

    ``published_order_tau`` over the values of both, and ``published_order_tau_p``, the chance of
    one so far from 0 among random orders; ``published_order_share`` of traffic between these values
    that runs forward in the published order, and ``published_order_share_reversed``.

    Parameters
    ----------
    names
        Shape (n,): the values.
    traffic
        Shape (n, n), in the order of names.
    order
        Names in our order.
    """
    told = _published(trait)
    if not told:
        return
    tau, chance, count = common_tau(order, told)
    _add(study, "published_order_tau", trait, twin, value=tau, count=count, unit="tau")
    measure = "published_order_tau_p"
    _add(study, measure, trait, twin, value=chance, count=count, unit="probability")
    at = np.array([names.index(name) for name in told if name in names], np.int64)
    within = traffic[np.ix_(at, at)]
    total = float(within.sum() - np.trace(within))
    share = forward_traffic(traffic, at) / total if total else None
    back = forward_traffic(traffic, at[::-1]) / total if total else None
    shares = {"published_order_share": share, "published_order_share_reversed": back}
    for measure, value in shares.items():
        _add(study, measure, trait, twin, value=value, count=len(at), unit="share", reason=STILL)


def common_tau(
    order: Sequence[str], other: Sequence[str]
) -> tuple[float | None, float | None, int]:
    """Kendall's tau over the values of both orders, its two-sided p, and how many those are.

    Tau is from -1 (reversed) to 1 (the same). P is that of random orders, exactly. Both None where
    fewer than `FEWEST` values are in both.
    """
    common = [name for name in order if name in other]
    if len(common) < FEWEST:
        return None, None, len(common)
    places = [other.index(name) for name in common]
    found = kendalltau(range(len(common)), places, method="exact")
    return float(found.statistic), float(found.pvalue), len(common)


def _published(trait: str) -> list[str]:
    rows = read_table("published_order").to_pylist()
    of_it = sorted((row["position"], row["value"]) for row in rows if row["trait"] == trait)
    return [value for _, value in of_it]


def _add(
    study: Study,
    measure: str,
    trait: str,
    twin: str,
    *,
    value: float | None,
    count: int,
    unit: str,
    reason: str = TOO_FEW,
) -> None:
    study.add(
        analysis="drift",
        measure=measure,
        subject=trait,
        twin=twin,
        value=value,
        count=count,
        unit=unit,
        reason=reason if value is None else None,
    )
