"""Whether traffic runs one way more than chance would have it, where owners are what is random.

The null: which of two values an owner leaves for the other is a toss of a coin, one for each owner,
so that all edges of an owner turn round together and bulk uploads decide nothing. The order is
sought anew in each toss, as any traffic has an order that most of it follows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.stats import false_discovery_control

from analysis.study.twins import Floats, Ints
from analysis.traits.climbing import becker_order, climb

TOSSES = 1_999
ORDER_TOSSES = 499
SPLITS = 100
BLOCK = 250  # tosses held at a time


@dataclass(frozen=True)
class OwnedTraffic:
    """Traffic between n values by owner: arrays of shape (k entries,).

    Attributes
    ----------
    owner
        Numbered from 0.
    source, target
        Numbers of values, different in each entry.
    weight
        Traffic, more than 0.
    count
        n.
    """

    owner: Ints
    source: Ints
    target: Ints
    weight: Floats
    count: int

    @property
    def matrix(self) -> Floats:
        """Traffic of all owners, shape (n, n)."""
        flat = self.source * self.count + self.target
        summed: Floats = np.bincount(flat, self.weight, self.count**2).astype(np.float64)
        return summed.reshape(self.count, self.count)

    @property
    def owners(self) -> int:
        """How many owners there are."""
        return int(self.owner.max(initial=-1)) + 1

    def by_owner(self) -> csr_array:
        """Shape (n², owners): of each owner, its traffic."""
        shape = (self.count**2, self.owners)
        return csr_array((self.weight, (self.source * self.count + self.target, self.owner)), shape)


@dataclass(frozen=True)
class PairTests:
    """Pairs of values with net traffic, in the order of their numbers: arrays of shape (p,).

    Attributes
    ----------
    first, second
        Numbers of values; ``net`` flows from the first to the second and is positive.
    p_value
        Chance of so much net traffic either way, if owners tossed coins.
    q_value
        Least rate of false discoveries at which the pair is one (Benjamini, Hochberg 1995).
    """

    first: Ints
    second: Ints
    net: Floats
    p_value: Floats
    q_value: Floats


def heuristic_share(traffic: OwnedTraffic) -> float:
    """Forward share of the order that a climb from Becker's order finds: what is tested."""
    return float(_shares(traffic.matrix[None])[0])


def forward_p_value(traffic: OwnedTraffic, rng: np.random.Generator) -> float:
    """Chance of a forward share as large as this one's, if owners tossed coins."""
    share = heuristic_share(traffic)
    as_large = 0
    for tossed in _tossed(traffic, rng, ORDER_TOSSES):
        as_large += int(np.count_nonzero(_shares(tossed) >= share - 1e-9))
    return (1 + as_large) / (1 + ORDER_TOSSES)


def held_out_share(traffic: OwnedTraffic, rng: np.random.Generator) -> float | None:
    """Forward share among one half of the owners in the order that the other half gives.

    The mean over `SPLITS` random halvings; None where no halving leaves traffic on both sides.
    """
    owned = traffic.by_owner()
    half = rng.integers(0, 2, (traffic.owners, SPLITS)).astype(np.float64)
    shape = (SPLITS, traffic.count, traffic.count)
    learned = (owned @ half).T.reshape(shape)
    tested = (owned @ (1 - half)).T.reshape(shape)
    order, _ = climb(learned, becker_order(learned))
    told = (learned.sum(axis=(1, 2)) > 0) & (tested.sum(axis=(1, 2)) > 0)
    if not told.any():
        return None
    runs = np.arange(SPLITS)[:, None, None]
    arranged = tested[runs, order[:, :, None], order[:, None, :]]
    forward, total = np.triu(arranged, 1).sum(axis=(1, 2)), arranged.sum(axis=(1, 2))
    return float((forward[told] / total[told]).mean())


def pair_tests(traffic: OwnedTraffic, rng: np.random.Generator) -> PairTests:
    """Test each pair of values with net traffic by turning whole owners round."""
    matrix = traffic.matrix
    net = matrix - matrix.T
    net[np.abs(net) <= 1e-9 * matrix.sum()] = 0.0
    first, second = np.nonzero(net > 0)
    owned = traffic.by_owner()
    there = owned[first * traffic.count + second] - owned[second * traffic.count + first]
    coins = _coins(there, rng)
    as_large = np.zeros(len(first), np.int64)
    for size in _blocks(TOSSES):
        tossed = np.abs(coins.net @ coins.tossed(size))
        as_large += np.count_nonzero(tossed >= net[first, second][:, None] - 1e-9, axis=1)
    p_value = (1 + as_large) / (1 + TOSSES)
    q_value = false_discovery_control(p_value) if len(first) else p_value
    return PairTests(first, second, net[first, second], p_value, q_value)


def _tossed(traffic: OwnedTraffic, rng: np.random.Generator, tosses: int) -> list[Floats]:
    """Traffic after tosses, in blocks of shape (block, n, n): an owner's turns round or stays."""
    owned, count = traffic.by_owner(), traffic.count
    turned = np.arange(count**2).reshape(count, count).T.ravel()
    both, net = owned + owned[turned], owned - owned[turned]
    always = np.asarray(both.sum(axis=1))[:, None]
    coins = _coins(net, rng)
    return [
        ((always + coins.net @ coins.tossed(size)) / 2).T.reshape(size, count, count)
        for size in _blocks(tosses)
    ]


@dataclass(frozen=True)
class _Coins:
    """Owners whose net traffic is the same, or the same turned round, tossed together.

    Shape (p, kinds) is the net traffic of one of each kind; the sum of k coins is 2 · B(k, ½) - k.
    """

    net: csr_array
    counts: Ints
    rng: np.random.Generator

    def tossed(self, size: int) -> Floats:
        """Shape (kinds, size): heads less tails of each kind."""
        heads = self.rng.integers(0, 2, (len(self.counts), size), dtype=np.int8).astype(np.float64)
        several = self.counts > 1  # one coin is tossed far faster than drawn from B(1, ½)
        times = self.counts[several, None]
        heads[several] = self.rng.binomial(times, 0.5, (len(times), size))
        return 2 * heads - self.counts[:, None]


def _coins(net: csr_array, rng: np.random.Generator) -> _Coins:
    # One number an owner tells kinds apart: weights drawn at random give no two kinds the same.
    mark = np.round(np.abs(np.random.default_rng(0).random(net.shape[0]) @ net), 9)
    kinds, first, counts = np.unique(mark, return_index=True, return_counts=True)
    told = kinds > 0
    return _Coins(net.tocsc()[:, first[told]].tocsr(), counts[told], rng)


def _blocks(tosses: int) -> list[int]:
    return [min(BLOCK, tosses - done) for done in range(0, tosses, BLOCK)]


def _shares(traffic: Floats) -> Floats:
    _, forward = climb(traffic, becker_order(traffic))
    share: Floats = forward / traffic.sum(axis=(1, 2))
    return share
