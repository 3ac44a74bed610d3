"""Counting below nodes and dominators, against networkx and plain sets on arbitrary graphs."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.impact import core
from analysis.impact.dominators import immediate_dominators
from analysis.impact.forest import colours_below, lay_forest, sums_below
from analysis.impact.graph import Graph
from analysis.impact.reachability import count_below

MOST = 12


def pairs_of(count):
    node = st.integers(0, count - 1)
    pair = st.tuples(node, node).filter(lambda ends: ends[0] != ends[1])
    return st.sets(pair, max_size=2 * count)


@st.composite
def graphs(draw, *, acyclic=False):
    """n, and distinct (child, parent) without self-loops."""
    count = draw(st.integers(1, MOST))
    pairs = sorted(draw(pairs_of(count)) if count > 1 else [])
    if acyclic:
        pairs = sorted({(max(pair), min(pair)) for pair in pairs})
    return count, pairs


@st.composite
def coloured(draw):
    count, pairs = draw(graphs(acyclic=draw(st.booleans())))
    trait = st.tuples(st.integers(0, 9), st.integers(0, 4), st.booleans())
    return count, pairs, draw(st.lists(trait, min_size=count, max_size=count))


def graph_of(count, pairs):
    ends = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return Graph(ends[:, 0], ends[:, 1], count)


def way_of(count, pairs):
    way = nx.DiGraph()
    way.add_nodes_from(range(count))
    way.add_edges_from((parent, child) for child, parent in pairs)
    return way


def dominators_of(way):
    """By networkx, from a super-root -1 over every root and every member of a cycle without one."""
    whole = way.copy()
    for members in nx.strongly_connected_components(way):
        if all(parent in members for node in members for parent in way.pred[node]):
            whole.add_edges_from((-1, node) for node in members)
    return nx.immediate_dominators(whole, -1)


@pytest.mark.parametrize("cells", [1, core.CELLS], ids=["blocks", "whole"])
def test_what_lies_below_is_counted_once(cells, monkeypatch):
    monkeypatch.setattr(core, "CELLS", cells)

    @given(coloured())
    def holds(drawn):
        count, pairs, told = drawn
        seen = np.array([is_seen for *_, is_seen in told])
        colour = np.array([colour for _, colour, _ in told])
        values = np.array([[1, value] for value, *_ in told]) * seen[:, None]
        below = count_below(graph_of(count, pairs), values, colour, seen)
        way = way_of(count, pairs)
        for node in range(count):
            found = [at for at in nx.descendants(way, node) - {node} if seen[at]]
            assert below.sums[node].tolist() == [len(found), sum(told[at][0] for at in found)]
            assert below.colours[node] == len({told[at][1] for at in found})

    holds()


@given(graphs())
def test_dominators_of_any_graph_are_those_of_networkx(drawn):
    found = immediate_dominators(graph_of(*drawn)).tolist()
    expected = dominators_of(way_of(*drawn))
    assert found == [expected[node] for node in range(drawn[0])]


@given(graphs(acyclic=True))
def test_dominators_of_an_acyclic_graph_are_those_of_networkx(drawn):
    found = immediate_dominators(graph_of(*drawn)).tolist()
    expected = dominators_of(way_of(*drawn))
    assert found == [expected[node] for node in range(drawn[0])]


def test_dominators_of_wide_merges_and_long_chains():
    """A merge of three, a chain below it that a second root joins late, and a cycle."""
    #   0 → 1, 2, 3 → 4 → 5 → … → 40 → 41;  42 → 41;  43 ⇄ 44 → 45;  41 → 43
    pairs = [(1, 0), (2, 0), (3, 0), (4, 1), (4, 2), (4, 3)]
    pairs += [(node + 1, node) for node in range(4, 40)]
    pairs += [(41, 40), (41, 42), (43, 41), (44, 43), (43, 44), (45, 44)]
    found = immediate_dominators(graph_of(46, pairs))
    assert found[[0, 4, 5, 40]].tolist() == [-1, 0, 4, 39]
    assert found[[41, 42, 43, 44, 45]].tolist() == [-1, -1, 41, 43, 44]


def test_a_deep_chain_and_a_wide_star_are_laid_out():
    chain = lay_forest(np.arange(-1, 4999))
    ones = np.ones(5000, dtype=np.int64)
    assert sums_below(chain, ones).tolist() == list(range(5000, 0, -1))
    star = lay_forest(np.r_[-1, np.zeros(4999, dtype=np.int64)])
    colours = colours_below(star, np.arange(5000) % 7, np.ones(5000, dtype=bool))
    assert colours.tolist() == [7, *[0] * 4999]


def test_nothing_is_below_nothing():
    none = np.zeros(0, dtype=np.int64)
    below = count_below(graph_of(0, []), none.reshape(0, 2), none, none.astype(bool))
    assert below.sums.shape == (0, 2)
    assert immediate_dominators(graph_of(0, [])).tolist() == []


@pytest.mark.parametrize(
    ("colours", "expected"),
    [([5, 5, 5], [1, 1, 1]), ([5, 5, 6], [2, 2, 1]), ([5, 6, 6], [1, 2, 2])],
)
def test_members_of_a_cycle_have_one_another_below_but_not_themselves(colours, expected):
    colour, seen = np.array(colours), np.ones(3, dtype=bool)
    ring = graph_of(3, [(0, 1), (1, 2), (2, 0)])
    below = count_below(ring, np.ones((3, 1), dtype=np.int64), colour, seen)
    assert below.sums[:, 0].tolist() == [2, 2, 2]
    assert below.colours.tolist() == expected
