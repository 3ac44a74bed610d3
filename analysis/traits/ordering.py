"""The linear ordering problem: the order of n values that most of their traffic follows.

An order is scored by its forward traffic, Σ w[i, j] over i before j. Values whose net traffic leads
round in no circle can be ordered without loss, so the strong components of the net traffic are
ordered one by one: small ones by dynamic programming over subsets, larger ones as a 0/1 programme
with the triangle inequalities, both exact; what is too large for that by climbing from many orders
(`analysis.traits.climbing`), with a bound above.

Of several best orders, that of least numbers is taken as far as a component or the order of
components leaves a choice: callers number values by total traffic, then by name.

Source: Martí, Reinelt, "The Linear Ordering Problem" (Springer, 2011); Grötschel, Jünger, Reinelt,
Operations Research 32 (1984) for the triangle inequalities.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from analysis.study.twins import Floats, Ints
from analysis.traits.climbing import ROUNDING, climb_often, forward_traffic

LARGEST_DYNAMIC = 12
LARGEST_PROGRAMME = 30
NODE_LIMIT = 2_000  # branches, not seconds: the same on each machine


@dataclass(frozen=True)
class Order:
    """An order and what is known of it.

    Attributes
    ----------
    values
        Shape (n,): numbers of values, first to last.
    forward
        Traffic that follows it.
    bound
        No order has more; equal to ``forward`` where it is proved to be best.
    total
        All traffic between different values.
    method
        ``exact``, or ``bounded`` where a component was too large to prove it.
    """

    values: Ints
    forward: float
    bound: float
    total: float
    method: str

    @property
    def gap(self) -> float:
        """What the best order may have more, as a share of the bound; 0 where it is proved."""
        return (self.bound - self.forward) / self.bound if self.bound else 0.0


def best_order(
    traffic: Floats,
    rng: np.random.Generator,
    *,
    largest_dynamic: int = LARGEST_DYNAMIC,
    largest_programme: int = LARGEST_PROGRAMME,
) -> Order:
    """The order of most forward traffic.

    Parameters
    ----------
    traffic
        Shape (n, n), not negative: from the row's value to the column's. Its diagonal is ignored.
    rng
        Random starts, where a component is too large for proof.
    largest_dynamic, largest_programme
        Components up to which size are solved by dynamic programming, and as a programme.
    """
    traffic = np.where(np.eye(len(traffic), dtype=np.bool_), 0.0, traffic)
    total = float(traffic.sum())
    net = net_traffic(traffic)
    lost = 0.0
    order: list[int] = []
    for part in _components(net):
        inner = net[np.ix_(part, part)]
        if len(part) <= largest_dynamic:
            found = _dynamic(inner)
            bound = forward_traffic(inner, found)
        elif len(part) <= largest_programme:
            found, bound = _programme(inner)
        else:
            found, bound = climb_often(inner, rng), pair_bound(inner)
        lacking = bound - forward_traffic(inner, found)
        lost += lacking if lacking > ROUNDING * total else 0.0
        order.extend(part[found].tolist())
    values = np.array(order, np.int64)
    forward = forward_traffic(traffic, values)
    return Order(values, forward, forward + lost, total, "bounded" if lost else "exact")


def net_traffic(traffic: Floats) -> Floats:
    """Shape (n, n): what goes more one way than the other; 0 for what only rounding tells apart."""
    net = np.maximum(traffic - traffic.T, 0.0)
    net[net <= ROUNDING * traffic.sum()] = 0.0
    return net


def pair_bound(net: Floats) -> float:
    """No order has more forward traffic than this, of net traffic of shape (n, n).

    Each circle of three must be cut somewhere; of circles that share no edge all are.
    """
    left = net.copy()
    cut = 0.0
    for i, j, k in combinations(range(len(net)), 3):
        for a, b, c in ((i, j, k), (i, k, j)):
            least = min(left[a, b], left[b, c], left[c, a])
            if least > 0:
                cut += least
                for edge in ((a, b), (b, c), (c, a)):
                    left[edge] -= least
    return float(net.sum() - cut)


def _components(net: Floats) -> list[Ints]:
    """Strong components, each after those that send to it, the one of least number first."""
    count, label = connected_components(csr_array(net), directed=True, connection="strong")
    members = [np.flatnonzero(label == at) for at in range(count)]
    source, target = (label[end] for end in np.nonzero(net))
    across = {(a, b) for a, b in zip(source, target, strict=True) if a != b}
    waits = np.bincount([b for _, b in across], minlength=count) if across else np.zeros(count)
    ready = [(members[at][0], at) for at in range(count) if not waits[at]]
    heapq.heapify(ready)
    ordered = []
    while ready:
        _, at = heapq.heappop(ready)
        ordered.append(members[at])
        for _, after in sorted(edge for edge in across if edge[0] == at):
            waits[after] -= 1
            if not waits[after]:
                heapq.heappush(ready, (members[after][0], after))
    return ordered


def _dynamic(net: Floats) -> Ints:
    """Exact, over all subsets: best[S] = max over v in S of best[S without v] + v's traffic to it.

    Source: Held, Karp, J. SIAM 10 (1962), for the recursion.
    """
    count = len(net)
    sends = np.zeros((count, 1 << count))  # from v to all of a subset
    for at in range(count):
        sends[:, 1 << at : 2 << at] = sends[:, : 1 << at] + net[:, at : at + 1]
    best = np.zeros(1 << count)
    subsets = np.arange(1 << count)
    sizes = np.bitwise_count(subsets)
    for size in range(1, count + 1):
        layer = subsets[sizes == size]
        best[layer] = _options(layer, best, sends).max(axis=0)
    return _first_of_best(best, sends, ROUNDING * net.sum())


def _options(layer: Ints, best: Floats, sends: Floats) -> Floats:
    """Shape (n, subsets): what each value gives as the first of each subset; -inf if not in it."""
    bits = 1 << np.arange(len(sends))[:, None]
    rest = layer & ~bits
    value = best[rest] + np.take_along_axis(sends, rest, axis=1)
    return np.where(layer & bits, value, -np.inf)


def _first_of_best(best: Floats, sends: Floats, tolerance: float) -> Ints:
    subset, order = len(best) - 1, []
    for _ in range(len(sends)):
        options = _options(np.array([subset]), best, sends)[:, 0]
        first = int(np.flatnonzero(options >= options.max() - tolerance)[0])
        order.append(first)
        subset &= ~(1 << first)
    return np.array(order, np.int64)


def _programme(net: Floats) -> tuple[Ints, float]:
    """Exact as a 0/1 programme: x[i, j] = 1 where i stands before j, i < j; with its bound."""
    count = len(net)
    pairs = np.column_stack(np.triu_indices(count, 1))
    number = np.zeros((count, count), np.int64)
    number[tuple(pairs.T)] = np.arange(len(pairs))
    # 0 ≤ x[i, j] + x[j, k] - x[i, k] ≤ 1 forbids both circles through i < j < k.
    i, j, k = np.array(list(combinations(range(count), 3))).T
    columns = np.column_stack([number[i, j], number[j, k], number[i, k]]).ravel()
    rows = np.repeat(np.arange(len(i)), 3)
    circles = csr_array((np.tile([1.0, 1.0, -1.0], len(i)), (rows, columns)))
    gains = net - net.T
    found = milp(
        -gains[tuple(pairs.T)] / net.sum(),
        integrality=np.ones(len(pairs), np.int64),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(circles, 0, 1),
        options={"mip_rel_gap": 0.0, "node_limit": NODE_LIMIT},
    )
    backward = float(np.tril(net).sum())
    climbed = climb_often(net, np.random.default_rng(0))
    if found.x is None:
        return climbed, pair_bound(net)
    before = np.zeros((count, count))
    before[tuple(pairs.T)] = np.round(found.x)
    before[tuple(pairs.T[::-1])] = 1 - np.round(found.x)
    order = np.argsort(-before.sum(axis=1), kind="stable")
    bound = backward - found.mip_dual_bound * net.sum()
    better = max(order, climbed, key=lambda one: forward_traffic(net, one))
    return better, min(bound, pair_bound(net))
