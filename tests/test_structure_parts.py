"""Formulas of structure: known answers, brute force, and what must hold of any input."""

from __future__ import annotations

from itertools import permutations

import networkx as nx
import numpy as np
import powerlaw
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import exp, lerchphi
from scipy.special import zeta

from analysis.structure.alternatives import compare_tails, truncated_sum
from analysis.structure.distances import (
    EXACT_UP_TO,
    depths,
    mean_distance,
    subtree_sizes,
    undirected,
    wiener_indices,
)
from analysis.structure.inequality import inequality, lorenz, resampled_inequality
from analysis.structure.means import Rows
from analysis.structure.medians import weighted_medians, weighted_quantile
from analysis.structure.motifs import (
    MOTIFS,
    ancestor_pairs,
    count_motifs,
    parent_pairs,
    shuffled,
    sibling_pairs,
    sort_edges,
)
from analysis.structure.tails import (
    bootstrap_alpha,
    draw_power_law,
    fit_power_law,
    goodness,
    histogram,
    survival_of,
)
from analysis.trees import grow_trees

SEED = 7


@st.composite
def forests(draw):
    count = draw(st.integers(1, 40))
    return np.array([draw(st.integers(-1, at - 1)) for at in range(count)])


@st.composite
def digraphs(draw):
    count = draw(st.integers(1, 8))
    node = st.integers(0, count - 1)
    pairs = draw(st.sets(st.tuples(node, node).filter(lambda pair: pair[0] != pair[1])))
    edges = np.array(sorted(pairs), np.int64).reshape(-1, 2)
    return count, edges[:, 0], edges[:, 1]


@given(forests())
def test_wiener_indices_are_those_of_networkx(up):
    graph = nx.Graph()
    graph.add_nodes_from(range(len(up)))
    graph.add_edges_from((at, int(above)) for at, above in enumerate(up) if above >= 0)
    root = np.arange(len(up))
    for at, above in enumerate(up):
        root[at] = root[above] if above >= 0 else at
    found = wiener_indices(up, root)
    for tree in nx.connected_components(graph):
        top = min(tree)
        assert found[top] == nx.wiener_index(graph.subgraph(tree))
        assert found[sorted(tree)].sum() == found[top]
        assert subtree_sizes(up)[top] == len(tree)
        assert depths(up)[max(tree)] == nx.shortest_path_length(graph, max(tree), top)


def test_a_row_of_models_has_the_cube_of_its_length():
    count = 60_000
    up = np.arange(-1, count - 1)
    found = wiener_indices(up, np.zeros(count, np.int64))
    assert found[0] == (count**3 - count) // 6


def test_a_star_has_the_square_of_its_rays():
    up = np.r_[-1, np.zeros(60_000, np.int64)]
    assert wiener_indices(up, np.zeros(60_001, np.int64))[0] == 60_000**2


@given(digraphs())
def test_mean_distance_of_a_small_family_is_exact(digraph):
    _, child, parent = digraph
    graph = nx.Graph(zip(child.tolist(), parent.tolist(), strict=True))
    if graph.number_of_nodes() < 2 or not nx.is_connected(graph):
        return
    order = {node: at for at, node in enumerate(graph)}
    ends = [np.array([order[node] for node in side.tolist()]) for side in (child, parent)]
    found = mean_distance(undirected(*ends, len(order)), np.random.default_rng(SEED))
    assert found.mean == pytest.approx(nx.average_shortest_path_length(graph))
    assert (found.low, found.high, found.source_count) == (None, None, len(order))


def test_mean_distance_of_a_large_family_is_sampled_with_an_interval():
    count = 4 * EXACT_UP_TO
    rng = np.random.default_rng(SEED)
    child = np.arange(1, count)
    parent = np.array([rng.integers(max(0, at - 9), at) for at in child])
    far = rng.integers(0, count, (2, 60))
    ends = np.r_[child, far[0]], np.r_[parent, far[1]]
    graph = nx.Graph([pair for pair in zip(*ends, strict=True) if pair[0] != pair[1]])
    found = mean_distance(undirected(*ends, count), rng)
    exact = nx.average_shortest_path_length(graph)
    assert found.source_count < count
    assert found.low < exact < found.high
    assert found.mean == pytest.approx(exact, rel=0.05)


@given(digraphs())
def test_motifs_are_those_of_brute_force(digraph):
    count, child, parent = digraph
    edges = sort_edges(child, parent, count)
    there = set(zip(parent.tolist(), child.tolist(), strict=True))

    def seen(size, *pairs):
        return sum(
            all((at[a], at[b]) in there for a, b in pairs)
            for at in permutations(range(count), size)
        )

    assert count_motifs(edges) == {
        "chain_3": seen(4, (0, 1), (1, 2), (2, 3)),
        "shared_parents": seen(4, (0, 2), (0, 3), (1, 2), (1, 3)) // 4,
        "feed_forward": seen(3, (0, 1), (0, 2), (1, 2)),
        "diamond": seen(4, (0, 1), (0, 2), (1, 3), (2, 3)) // 2,
        "reciprocal_pair": seen(2, (0, 1), (1, 0)) // 2,
    }
    assert sibling_pairs(edges) == seen(3, (0, 1), (0, 2)) // 2


@given(digraphs())
def test_a_parent_is_found_to_descend_from_another_also_around_cycles(digraph):
    count, child, parent = digraph
    edges = sort_edges(child, parent, count)
    graph = nx.DiGraph()
    graph.add_nodes_from(range(count))
    graph.add_edges_from(zip(parent.tolist(), child.tolist(), strict=True))
    trees = grow_trees(child, parent, np.arange(len(child)), model_count=count)
    _, first, second = parent_pairs(edges)
    assert ancestor_pairs(edges, trees.generation).tolist() == [
        nx.has_path(graph, a, b) or nx.has_path(graph, b, a)
        for a, b in zip(first.tolist(), second.tolist(), strict=True)
    ]


@given(digraphs(), st.integers(0, 3))
def test_a_shuffled_graph_keeps_degrees_by_relation(digraph, seed):
    count, child, parent = digraph
    relation = np.arange(len(child)) % 2
    edges, lacking = shuffled(child, parent, relation, count, np.random.default_rng(seed))
    assert len(edges.child) == len(child) - lacking
    assert not (edges.child == edges.parent).any()
    if not lacking:
        for ours, theirs in ((edges.child, child), (edges.parent, parent)):
            assert np.array_equal(np.sort(ours), np.sort(theirs))


def test_a_star_cannot_be_shuffled_into_another():
    child, parent = np.arange(1, 60_001), np.zeros(60_000, np.int64)
    rng = np.random.default_rng(SEED)
    edges, lacking = shuffled(child, parent, np.zeros(60_000, np.int64), 60_001, rng)
    assert lacking == 0
    assert count_motifs(edges) == dict.fromkeys(MOTIFS, 0)
    assert sibling_pairs(edges) == 60_000 * 59_999 // 2


amounts = st.lists(st.integers(0, 1000), min_size=1, max_size=60)


@given(amounts)
def test_gini_is_half_the_relative_mean_difference(held):
    found = inequality(*np.unique(held, return_counts=True))
    if not sum(held):
        assert found is None
        return
    differences = sum(abs(a - b) for a in held for b in held)
    assert found["gini"] == pytest.approx(differences / (2 * len(held) * sum(held)), abs=1e-12)
    mean = sum(held) / len(held)
    assert found["hoover"] == pytest.approx(
        sum(abs(one - mean) for one in held) / (2 * sum(held)), abs=1e-12
    )
    assert found["hoover"] <= found["gini"] + 1e-12
    assert found["top_10_share"] == pytest.approx(sum(sorted(held)[-10:]) / sum(held))
    top = sorted(held)[-max(1, -(-len(held) // 100) or 1) :]
    assert found["top_1_percent_share"] == pytest.approx(sum(top) / sum(held))


@given(amounts.filter(any))
def test_a_lorenz_curve_rises_below_its_diagonal(held):
    curve = lorenz(*np.unique(held, return_counts=True), np.linspace(0, 1, 11))
    assert curve[0] == 0
    assert curve[-1] == pytest.approx(1)
    assert (np.diff(curve) >= -1e-12).all()
    assert (curve <= np.linspace(0, 1, 11) + 1e-12).all()


def test_ends_of_inequality():
    assert inequality(np.array([5]), np.array([20]))["gini"] == 0
    one_of_twenty = inequality(np.array([0, 9]), np.array([19, 1]))
    assert one_of_twenty["gini"] == pytest.approx(0.95)
    assert one_of_twenty["top_1_percent_share"] == 1
    drawn = resampled_inequality(
        np.array([0, 9]), np.array([19, 1]), np.random.default_rng(SEED), 100
    )
    # where the one who holds all was not drawn there is nothing to share
    assert 40 < len(drawn["gini"]) < 90


def test_a_power_law_is_found_again():
    sizes = draw_power_law(np.random.default_rng(SEED), 2.3, 4, size=20_000)
    assert sizes.min() == 4
    for at in (4, 5, 10, 100):
        wanted = zeta(2.3, at) / zeta(2.3, 4)
        assert (sizes >= at).mean() == pytest.approx(wanted, abs=0.01)
    noise = np.random.default_rng(1).integers(1, 4, 20_000)
    law = fit_power_law(*histogram(np.r_[sizes, noise]))
    assert law.xmin in range(4, 20)
    assert law.alpha == pytest.approx(2.3, abs=0.05)
    theirs = powerlaw.Fit(
        np.sort(sizes), discrete=True, xmin=law.xmin, estimate_discrete=False, verbose=0
    )
    assert law.alpha == pytest.approx(theirs.power_law.alpha, abs=1e-3)


def test_the_distance_is_taken_at_every_whole_number_also_between_sizes():
    sizes = np.repeat([12, 14, 21], [100, 40, 20])
    law = fit_power_law(*histogram(sizes))
    x = np.arange(law.xmin, 23)
    tail = sizes[sizes >= law.xmin]
    seen = np.array([(tail >= at).mean() for at in x])
    assert law.distance == pytest.approx(np.abs(survival_of(law, x) - seen).max())


def test_draws_far_beyond_the_table_follow_the_law_too():
    sizes = draw_power_law(np.random.default_rng(SEED), 1.5, 1, size=200_000)
    for at in (100, 10_000, 1_000_000):
        assert (sizes >= at).mean() == pytest.approx(zeta(1.5, at) / zeta(1.5, 1), rel=0.2)


def test_a_law_that_holds_is_not_ruled_out_and_one_that_does_not_is():
    rng = np.random.default_rng(SEED)
    lawful = histogram(draw_power_law(rng, 2.2, 3, size=1000))
    assert goodness(*lawful, fit_power_law(*lawful), rng=rng, replicates=60) >= 0.1
    bounded = histogram(rng.poisson(6, 2000) + 1)
    assert goodness(*bounded, fit_power_law(*bounded), rng=rng, replicates=60) < 0.1


@pytest.mark.parametrize("sizes", [[], [3] * 500, [2, 3] * 20])
def test_sizes_that_tell_no_law(sizes):
    assert fit_power_law(*histogram(np.array(sizes, np.int64))) is None


def test_the_exponent_of_few_large_clusters_is_less_sure():
    rng = np.random.default_rng(SEED)
    sizes = draw_power_law(rng, 2.2, 1, size=3000)
    alone = bootstrap_alpha(sizes, np.arange(3000), rng, 60)
    together = bootstrap_alpha(sizes, np.argsort(np.argsort(sizes)) // 300, rng, 60)
    assert len(alone) == 60
    assert together.std() > alone.std()


def test_alternatives_are_told_apart_where_they_can_be():
    rng = np.random.default_rng(SEED)
    sizes, counts = histogram(draw_power_law(rng, 2.5, 2, size=4000))
    law = fit_power_law(sizes, counts)
    tails = {tail.distribution: tail for tail in compare_tails(sizes, counts, law)}
    assert list(tails) == [
        *("power_law", "lognormal", "truncated_power_law", "stretched_exponential"),
        "exponential",
    ]
    assert tails["exponential"].verdict == "fits worse than the power law"
    assert tails["truncated_power_law"].verdict == "cannot be told apart from the power law"
    assert tails["truncated_power_law"].ratio <= 1e-6  # the power law is one of them
    for tail in tails.values():
        assert tail.survival[0] == pytest.approx(1)
        assert (np.diff(tail.survival) <= 0).all()


def test_a_lognormal_is_preferred_where_sizes_are_lognormal():
    rng = np.random.default_rng(SEED)
    sizes, counts = histogram(np.round(rng.lognormal(3, 0.8, 5000)).astype(np.int64) + 1)
    law = fit_power_law(sizes, counts)
    whole = law.__class__(law.alpha, 20, law.distance, law.tail_count, law.count)
    best = {tail.distribution: tail for tail in compare_tails(sizes, counts, whole)}["lognormal"]
    assert best.verdict == "fits better"
    assert best.parameters["mu"] == pytest.approx(3, abs=0.2)


def test_the_package_agrees_where_its_numbers_hold():
    rng = np.random.default_rng(SEED)
    data = np.sort(np.round(rng.lognormal(3, 0.8, 3000)) + 9).astype(np.int64)
    sizes, counts = histogram(data)
    fit = powerlaw.Fit(data, discrete=True, xmin=10, verbose=0, estimate_discrete=False)
    law = fit_power_law(sizes, counts)
    own = law.__class__(fit.power_law.alpha, 10, 0.0, int((data >= 10).sum()), len(data))
    tails = {tail.distribution: tail for tail in compare_tails(sizes, counts, own)}
    for name in ("exponential", "lognormal"):
        ratio, p = fit.distribution_compare("power_law", name)
        assert tails[name].ratio == pytest.approx(ratio, rel=1e-3)
        assert tails[name].p == pytest.approx(p, rel=1e-2, abs=1e-12)


@pytest.mark.parametrize(
    ("alpha", "rate", "xmin"), [(2.0, 1e-5, 3), (1.5, 1e-3, 20), (0.7, 1e-6, 5), (3.0, 0.5, 1)]
)
def test_the_constant_of_a_truncated_law(alpha, rate, xmin):
    wanted = float(exp(-rate * xmin) * lerchphi(exp(-rate), alpha, xmin))
    assert truncated_sum(alpha, rate, xmin) == pytest.approx(wanted, rel=1e-9)


def test_survival_begins_at_one():
    law = fit_power_law(*histogram(draw_power_law(np.random.default_rng(1), 2.0, 2, size=500)))
    assert survival_of(law, np.array([law.xmin]))[0] == pytest.approx(1)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5)), min_size=1, max_size=40))
def test_a_weighted_median_is_that_of_rows_written_out(rows):
    values, weights = (np.array(side, float) for side in zip(*rows, strict=True))
    written = sorted(value for value, weight in rows for _ in range(weight))
    wanted = written[(len(written) - 1) // 2] if written else None
    assert weighted_quantile(values, weights, 0.5) == wanted


def test_the_interval_of_a_median_holds_it_and_shrinks_with_more():
    rng = np.random.default_rng(SEED)

    def interval(count):
        values = rng.exponential(10, count)
        rows = Rows({"raw": np.ones(count)}, {"owner": np.arange(count)})
        return weighted_medians(values, rows, rng)["raw"]

    few, many = interval(200), interval(20_000)
    assert few.interval.low <= few.value <= few.interval.high
    assert many.interval.low <= 10 * np.log(2) * 1.05
    assert many.interval.high - many.interval.low < few.interval.high - few.interval.low
