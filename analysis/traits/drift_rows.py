"""The traffic of a trait and its order, as rows of ``drift_order`` and ``drift_pair``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from analysis.study.twins import Bools, Ints
from analysis.traits.asymmetry import OwnedTraffic, PairTests
from analysis.traits.ordering import Order

ORDER_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("trait", "twin", "value", "method")),
        ("position", pa.int64()),
        *((name, pa.float64()) for name in ("forward_traffic", "backward_traffic", "sent")),
        *((name, pa.float64()) for name in ("received", "gap")),
    ]
)
PAIR_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("trait", "twin", "from_value", "to_value")),
        *((name, pa.float64()) for name in ("traffic_forward", "traffic_back")),
        ("is_consistent", pa.bool_()),
        *((name, pa.float64()) for name in ("p_value", "q_value")),
    ]
)


@dataclass(frozen=True)
class Drift:
    """The traffic of one trait and twin among its values with most of it, and their order.

    Attributes
    ----------
    names
        Shape (n,): values by total traffic, then by name; all numbers refer to it.
    """

    trait: str
    twin: str
    names: list[str]
    traffic: OwnedTraffic
    order: Order

    @property
    def ordered(self) -> list[str]:
        """Names, first to last."""
        return [self.names[at] for at in self.order.values]


def order_rows(drift: Drift, place: Ints) -> list[dict[str, Any]]:
    """Rows of ``drift_order``; place is where each value stands in the order, shape (n,)."""
    matrix = drift.traffic.matrix
    along = np.where(place[:, None] < place[None, :], matrix, 0.0)
    forward = along.sum(axis=1) + along.sum(axis=0)
    sent, received = matrix.sum(axis=1), matrix.sum(axis=0)
    return [
        {
            "trait": drift.trait,
            "twin": drift.twin,
            "position": position,
            "value": drift.names[at],
            "forward_traffic": float(forward[at]),
            "backward_traffic": max(0.0, float(sent[at] + received[at] - forward[at])),
            "sent": float(sent[at]),
            "received": float(received[at]),
            "method": drift.order.method,
            "gap": drift.order.gap,
        }
        for position, at in enumerate(drift.order.values.tolist(), 1)
    ]


def pair_rows(drift: Drift, tests: PairTests, consistent: Bools) -> list[dict[str, Any]]:
    """Rows of ``drift_pair``; consistent is whether a pair's traffic runs forward, shape (p,)."""
    matrix, names = drift.traffic.matrix, drift.names
    pairs = zip(tests.first.tolist(), tests.second.tolist(), strict=True)
    return [
        {
            "trait": drift.trait,
            "twin": drift.twin,
            "from_value": names[first],
            "to_value": names[second],
            "traffic_forward": float(matrix[first, second]),
            "traffic_back": float(matrix[second, first]),
            "is_consistent": bool(consistent[at]),
            "p_value": float(tests.p_value[at]),
            "q_value": float(tests.q_value[at]),
        }
        for at, (first, second) in enumerate(pairs)
    ]
