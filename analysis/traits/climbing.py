"""Good orders of values without proof: Becker's, and what moving single values makes of an order.

Many orders are improved at once, each of a traffic of its own.

Source: Becker, "Das Helmstädtersche Reihenfolgeproblem" (1967); for insertion, Martí, Reinelt, "The
Linear Ordering Problem" (Springer, 2011).
"""

from __future__ import annotations

import numpy as np

from analysis.study.twins import Floats, Ints

STARTS = 64
ROUNDING = 1e-9  # of all traffic: what sums of floats may be off


def forward_traffic(traffic: Floats, order: Ints) -> float:
    """Traffic that follows an order."""
    return float(np.triu(traffic[np.ix_(order, order)], 1).sum())


def climb(traffic: Floats, order: Ints) -> tuple[Ints, Floats]:
    """Improve r orders by moving one value at a time, the best move first, until none helps.

    Parameters
    ----------
    traffic
        Shape (r, n, n): of each order its own.
    order
        Shape (r, n).

    Returns
    -------
    The orders, and the forward traffic of each, shape (r,).
    """
    runs, count = order.shape
    order, tolerance = order.copy(), ROUNDING * traffic.sum(axis=(1, 2))
    active = np.arange(runs)
    while len(active) and count > 1:
        source, target, gain = _best_moves(_arranged(traffic[active], order[active]))
        helps = gain > tolerance[active]
        active, source, target = active[helps], source[helps], target[helps]
        order[active] = _moved(order[active], source, target)
    forward = np.triu(_arranged(traffic, order), 1).sum(axis=(1, 2))
    return order, forward


def becker_order(traffic: Floats) -> Ints:
    """Becker's orders: again and again the value that sends most for what it gets of those left.

    Parameters
    ----------
    traffic
        Shape (r, n, n), diagonal 0.

    Returns
    -------
    Shape (r, n).
    """
    runs, count, _ = traffic.shape
    sent, got = traffic.sum(axis=2), traffic.sum(axis=1)
    left = np.ones((runs, count), np.bool_)
    order = np.empty((runs, count), np.int64)
    every = np.arange(runs)
    for place in range(count):
        ratio = np.where(left, (sent + 1e-12) / (got + 1e-12), -1.0)
        order[:, place] = first = ratio.argmax(axis=1)
        left[every, first] = False
        sent, got = sent - traffic[every, :, first], got - traffic[every, first, :]
    return order


def climb_often(traffic: Floats, rng: np.random.Generator) -> Ints:
    """The best order of a climb from Becker's order and from `STARTS` random ones; shape (n,)."""
    starts = rng.permuted(np.tile(np.arange(len(traffic)), (STARTS, 1)), axis=1)
    starts = np.vstack([becker_order(traffic[None]), starts])
    order, forward = climb(np.broadcast_to(traffic, (len(starts), *traffic.shape)), starts)
    best: Ints = order[forward.argmax()]
    return best


def _arranged(traffic: Floats, order: Ints) -> Floats:
    runs = np.arange(len(order))[:, None, None]
    return traffic[runs, order[:, :, None], order[:, None, :]]


def _best_moves(arranged: Floats) -> tuple[Ints, Ints, Floats]:
    """Of each order which place to move where, and what that gains; shapes (r,)."""
    runs, count, _ = arranged.shape
    net = arranged - arranged.transpose(0, 2, 1)
    reached = np.zeros((runs, count, count + 1))
    np.cumsum(net, axis=2, out=reached[:, :, 1:])
    own = np.take_along_axis(reached, np.arange(count)[None, :, None], axis=2)
    # Down to place j > i it loses net[i, i+1..j]; up to j < i it gains net[i, j..i-1].
    later = np.arange(count)[None, :] > np.arange(count)[:, None]
    gain = np.where(later, own - reached[:, :, 1:], own - reached[:, :, :-1])
    flat = gain.reshape(runs, -1)
    at = flat.argmax(axis=1)
    return at // count, at % count, flat[np.arange(runs), at]


def _moved(order: Ints, source: Ints, target: Ints) -> Ints:
    place = np.arange(order.shape[1])[None, :]
    source, target = source[:, None], target[:, None]
    taken = np.where((place >= source) & (place < target), place + 1, place)
    taken = np.where((place <= source) & (place > target), place - 1, taken)
    taken = np.where(place == target, source, taken)
    return np.take_along_axis(order, taken, axis=1)
