"""The linear ordering problem: against all permutations, and against other exact ways."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binomtest

from analysis.traits.agreement import common_tau
from analysis.traits.asymmetry import (
    ORDER_TOSSES,
    SPLITS,
    TOSSES,
    OwnedTraffic,
    forward_p_value,
    held_out_share,
    heuristic_share,
    pair_tests,
)
from analysis.traits.climbing import becker_order, climb, forward_traffic
from analysis.traits.ordering import best_order, pair_bound

matrices = st.integers(0, 6).flatmap(
    lambda n: arrays(np.float64, (n, n), elements=st.integers(0, 4).map(float))
)
RNG = np.random.default_rng(0)


def best_of_all(traffic):
    orders = permutations(range(len(traffic)))
    return max(forward_traffic(traffic, np.array(order, np.int64)) for order in orders)


@given(matrices)
@settings(max_examples=60)
def test_no_permutation_has_more_forward_traffic(traffic):
    best = best_of_all(traffic)
    for largest_dynamic in (12, 2):  # by subsets, and as a programme
        order = best_order(traffic, RNG, largest_dynamic=largest_dynamic)
        assert sorted(order.values) == list(range(len(traffic)))
        assert order.forward == pytest.approx(best)
        assert (order.method, order.gap) == ("exact", 0)


@given(matrices)
@settings(max_examples=60)
def test_a_heuristic_order_stays_under_its_bound(traffic):
    best = best_of_all(traffic)
    order = best_order(traffic, RNG, largest_dynamic=0, largest_programme=0)
    assert order.forward <= best + 1e-9
    assert best <= order.bound + 1e-9
    assert 0 <= order.gap <= 1


def test_subsets_and_the_programme_agree_on_twenty_values_in_one_circle():
    rng = np.random.default_rng(3)
    traffic = rng.exponential(1.0, (16, 16))
    by_programme = best_order(traffic, rng, largest_dynamic=2)
    by_subsets = best_order(traffic, rng, largest_dynamic=16)
    assert by_programme.forward == pytest.approx(by_subsets.forward)
    assert by_programme.method == by_subsets.method == "exact"


def test_a_circle_of_three_loses_its_least_edge():
    traffic = np.zeros((3, 3))
    traffic[0, 1], traffic[1, 2], traffic[2, 0] = 5, 4, 1
    order = best_order(traffic, RNG)
    assert order.values.tolist() == [0, 1, 2]
    assert (order.forward, order.bound, order.total) == (9, 9, 10)
    assert pair_bound(traffic) == 9


def test_ties_stand_by_number_and_nothing_is_an_order_too():
    assert best_order(np.zeros((4, 4)), RNG).values.tolist() == [0, 1, 2, 3]
    traffic = np.zeros((3, 3))
    traffic[2, 0] = 1
    assert best_order(traffic, RNG).values.tolist() == [1, 2, 0]
    assert best_order(np.ones((3, 3)), RNG).values.tolist() == [0, 1, 2]
    nothing = best_order(np.zeros((0, 0)), RNG)
    assert (nothing.values.tolist(), nothing.forward, nothing.gap) == ([], 0, 0)
    assert best_order(np.ones((1, 1)), RNG).total == 0


def test_a_climb_ends_where_no_single_move_helps():
    traffic = np.random.default_rng(5).integers(0, 9, (20, 7, 7)).astype(float)
    order, forward = climb(traffic, becker_order(traffic))
    for one, own, reached in zip(traffic, order, forward, strict=True):
        assert forward_traffic(one, own) == reached
        for source in range(7):
            rest = np.delete(own, source)
            for target in range(7):
                assert forward_traffic(one, np.insert(rest, target, own[source])) <= reached


def owned(entries, count):
    owner, source, target, weight = (np.array(column) for column in zip(*entries, strict=True))
    return OwnedTraffic(owner, source, target, weight.astype(float), count)


def test_a_pair_is_tested_by_the_owners_not_by_their_edges():
    twelve = owned([(at, 0, 1, 1) for at in range(12)], 2)
    tests = pair_tests(twelve, np.random.default_rng(0))
    exact = binomtest(12, 12).pvalue
    assert tests.p_value[0] == pytest.approx(exact, abs=3 / TOSSES)
    bulk = owned([(0, 0, 1, 1_000)], 2)
    assert pair_tests(bulk, np.random.default_rng(0)).p_value.tolist() == [1]
    assert forward_p_value(bulk, np.random.default_rng(0)) == 1


# Nine owners, two of whom are alike and one their mirror image; what is rare takes several at once.
TOSSED = [
    *((0, 0, 1, 3), (0, 1, 2, 1), (1, 0, 1, 1), (1, 0, 2, 2), (2, 0, 1, 1), (2, 0, 2, 2)),
    *((3, 1, 0, 1), (3, 2, 0, 2), (4, 1, 2, 4), (5, 0, 3, 2), (5, 1, 3, 1), (6, 2, 3, 2)),
    *((6, 3, 2, 1), (7, 0, 1, 2), (7, 2, 3, 1), (8, 1, 2, 1), (8, 0, 3, 1)),
]


def all_tosses(entries, count, owners):
    """Traffic of every way in which owners may turn round, written out."""
    for turned in product((False, True), repeat=owners):
        traffic = np.zeros((count, count))
        for owner, source, target, weight in entries:
            ends = (target, source) if turned[owner] else (source, target)
            traffic[ends] += weight
        yield traffic


def test_the_chance_of_an_order_is_that_of_all_tosses():
    total = sum(weight for *_, weight in TOSSED)
    shares = np.array([best_of_all(one) / total for one in all_tosses(TOSSED, 4, 9)])
    exact = np.mean(shares >= shares[0] - 1e-9)
    assert 0.05 < exact < 0.3
    traffic = owned(TOSSED, 4)
    assert heuristic_share(traffic) == pytest.approx(shares[0])
    drawn = [forward_p_value(traffic, np.random.default_rng(seed)) for seed in range(4)]
    deviation = (exact * (1 - exact) / (len(drawn) * ORDER_TOSSES)) ** 0.5
    assert np.mean(drawn) == pytest.approx(exact, abs=4 * deviation + 1 / ORDER_TOSSES)


def test_the_chance_of_a_pair_is_that_of_all_tosses():
    nets = np.array([one - one.T for one in all_tosses(TOSSED, 4, 9)])
    tests = pair_tests(owned(TOSSED, 4), np.random.default_rng(0))
    assert list(zip(tests.first.tolist(), tests.second.tolist(), strict=True)) == [
        (int(a), int(b)) for a, b in np.argwhere(nets[0] > 0)
    ]
    for a, b, net, found in zip(tests.first, tests.second, tests.net, tests.p_value, strict=True):
        assert net == nets[0, a, b]
        exact = np.mean(np.abs(nets[:, a, b]) >= net - 1e-9)
        deviation = (exact * (1 - exact) / TOSSES) ** 0.5
        assert found == pytest.approx(exact, abs=4 * deviation + 1 / TOSSES)


def test_a_held_out_share_is_the_mean_over_halves():
    shares = []
    for learning in product((False, True), repeat=9):
        halves = np.zeros((2, 4, 4))
        for owner, source, target, weight in TOSSED:
            halves[int(learning[owner]), source, target] += weight
        tested, learned = halves
        if tested.any() and learned.any():
            order, _ = climb(learned[None], becker_order(learned[None]))
            shares.append(forward_traffic(tested, order[0]) / tested.sum())
    traffic = owned(TOSSED, 4)
    drawn = [held_out_share(traffic, np.random.default_rng(seed)) for seed in range(8)]
    deviation = np.std(shares) / (len(drawn) * SPLITS) ** 0.5
    assert np.mean(drawn) == pytest.approx(np.mean(shares), abs=4 * deviation)


def test_q_values_are_those_of_benjamini_and_hochberg():
    entries = [(at, 0, 1, 1) for at in range(14)] + [(at, 2, 3, 1) for at in range(14, 19)]
    entries += [(19, 0, 3, 1)]
    tests = pair_tests(owned(entries, 4), np.random.default_rng(0))
    ranked = np.sort(tests.p_value)
    expected = [min(ranked[at:] * 3 / np.arange(at + 1, 4)) for at in range(3)]
    assert np.sort(tests.q_value) == pytest.approx(expected)


def test_coins_without_drift_are_seldom_told_from_chance():
    rng = np.random.default_rng(7)
    small = 0
    for _ in range(60):
        ends = [rng.choice(5, 2, replace=False) for _ in range(80)]
        traffic = owned([(at // 2, a, b, 1) for at, (a, b) in enumerate(ends)], 5)
        small += forward_p_value(traffic, rng) <= 0.05
    assert small <= 9  # 3 expected; binomial, one in a thousand for more


def test_an_order_is_tried_on_owners_that_it_was_not_made_of():
    one_way = owned([(at, 0, 1, 1) for at in range(40)], 2)
    assert held_out_share(one_way, np.random.default_rng(0)) == 1
    alone = owned([(0, 0, 1, 1)], 2)
    assert held_out_share(alone, np.random.default_rng(0)) is None


def test_tau_of_orders():
    assert common_tau(["a", "b", "c"], ["a", "x", "b", "c"])[0] == 1
    assert common_tau(["a", "b", "c"], ["c", "b", "a"]) == (-1, pytest.approx(1 / 3), 3)
    assert common_tau(["a", "b"], ["a", "b"]) == (None, None, 2)
