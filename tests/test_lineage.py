"""Family trees: known answers, invariants, and agreement with networkx on random graphs."""

import networkx as nx
import numpy as np
import pyarrow as pa
import pytest
from hubs import built, model, recording
from hypothesis import given
from hypothesis import strategies as st

from analysis.lineage import family_members
from analysis.trees import grow_trees
from atlas.branches import UnknownModel, count_models, family_trees, lineage

LINES = [
    model("a/root"),
    model("b/root"),
    model("c/one", tags=["base_model:finetune:a/root"]),
    model("d/two", tags=["base_model:finetune:c/one"]),
    model("e/merge", tags=["base_model:merge:b/root", "base_model:merge:d/two"]),
    model("x/ring", tags=["base_model:finetune:y/ring"]),
    model("y/ring", tags=["base_model:finetune:z/ring"]),
    model("z/ring", tags=["base_model:finetune:x/ring"]),
    model("w/below", tags=["base_model:adapter:y/ring"]),
    model("l/lonely"),
    model("o/orphan", tags=["base_model:quantized:g/ghost"]),
]


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lineage")
    with built(folder / "home", recording(folder, LINES)) as db:
        yield db


def member(db, repo_id, columns):
    query = f"select {columns} from family_member where repo_id = ?"
    return db.execute(query, [repo_id]).fetchone()


def test_a_merge_joins_families_and_keeps_both_roots(hub):
    row = hub.execute(
        "select member_count, edge_count, root_ids, depth, cycle_count from family"
        " where family_id = 'a/root'"
    ).fetchone()
    assert row == (5, 4, ["a/root", "b/root"], 3, 0)


def test_generations_longest_and_shortest(hub):
    columns = "generation, generation_shortest, root_id, primary_parent_id"
    assert member(hub, "d/two", columns) == (2, 2, "a/root", "c/one")
    assert member(hub, "e/merge", columns) == (3, 1, "b/root", "b/root")


def test_a_cycle_is_contracted_and_named_by_its_smallest_id(hub):
    columns = "family_id, root_id, cycle_id, generation, is_root"
    assert member(hub, "x/ring", columns) == ("x/ring", "x/ring", "x/ring", 0, True)
    assert member(hub, "z/ring", columns) == ("x/ring", "x/ring", "x/ring", 0, False)
    assert member(hub, "w/below", columns) == ("x/ring", "x/ring", None, 1, False)


def test_a_ghost_is_a_root_and_a_lonely_model_a_family(hub):
    assert member(hub, "o/orphan", "family_id, root_id") == ("g/ghost", "g/ghost")
    assert member(hub, "l/lonely", "family_id, root_id, generation") == ("l/lonely", "l/lonely", 0)


def names(branch):
    return {branch.repo_id: [names(below) for below in branch.branches]}


def test_branches_down_draw_each_model_once(hub):
    assert names(lineage(hub, "a/root", direction="down")) == {
        "a/root": [{"c/one": [{"d/two": [{"e/merge": []}]}]}]
    }
    merge = lineage(hub, "d/two", direction="down").branches[0]
    assert (merge.repo_id, merge.relation, merge.others) == ("e/merge", "merge", ["b/root"])


def test_branches_up_reach_all_parents(hub):
    assert names(lineage(hub, "e/merge", direction="up")) == {
        "e/merge": [{"b/root": []}, {"d/two": [{"c/one": [{"a/root": []}]}]}]
    }


def test_an_ancestor_by_several_ways_is_named_at_each(tmp_path):
    lines = [
        model("o/base"),
        model("o/left", tags=["base_model:o/base"]),
        model("o/right", tags=["base_model:o/base"]),
        model("o/merge", tags=["base_model:merge:o/left", "base_model:merge:o/right"]),
    ]
    with built(tmp_path / "home", recording(tmp_path, lines)) as db:
        tree = lineage(db, "o/merge", direction="up")
    assert names(tree) == {"o/merge": [{"o/left": [{"o/base": []}]}, {"o/right": [{"o/base": []}]}]}
    assert [below.branches[0].again for below in tree.branches] == [False, True]
    assert count_models(tree) == 4


def test_a_merge_hangs_where_its_family_s_tree_has_it(tmp_path):
    lines = [
        model("o/base"),
        model("o/tuned", tags=["base_model:o/base"]),
        model("o/merge", tags=["base_model:merge:o/tuned", "base_model:merge:o/base"]),
    ]
    with built(tmp_path / "home", recording(tmp_path, lines)) as db:
        assert member(db, "o/merge", "primary_parent_id") == ("o/tuned",)
        down = lineage(db, "o/base", direction="down")
        (tree,) = family_trees(db, "o/base")
    assert names(down) == names(tree) == {"o/base": [{"o/tuned": [{"o/merge": []}]}]}


def test_branches_survive_a_cycle(hub):
    ring = lineage(hub, "x/ring", direction="down")
    assert count_models(ring) == 4
    assert count_models(lineage(hub, "w/below", direction="up")) == 4


def test_a_branch_says_how_much_it_leaves_out(hub):
    cut = lineage(hub, "a/root", direction="down", depth=1)
    assert (cut.cut, cut.branches[0].cut) == (0, 1)
    assert count_models(cut) == 2


def test_a_family_is_drawn_as_its_trees(hub):
    assert [names(tree) for tree in family_trees(hub, "a/root")] == [
        {"a/root": [{"c/one": [{"d/two": []}]}]},
        {"b/root": [{"e/merge": []}]},
    ]


def test_an_unknown_model_names_the_nearest(hub):
    with pytest.raises(UnknownModel, match="did you mean a/root"):
        lineage(hub, "A/Root", direction="up")


EDGES = st.integers(1, 12).flatmap(
    lambda n: st.tuples(
        st.just(n),
        st.sets(
            st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda e: e[0] != e[1])
        ),
    )
)


@given(EDGES)
def test_trees_agree_with_networkx(graph):
    n, pairs = graph
    edges = sorted(pairs)
    child = np.array([c for c, _ in edges], dtype=np.int64)
    parent = np.array([p for _, p in edges], dtype=np.int64)
    trees = grow_trees(child, parent, np.arange(len(edges)), model_count=n)

    down = nx.DiGraph([(p, c) for c, p in edges])
    down.add_nodes_from(range(n))
    strong = {v: min(s) for s in nx.strongly_connected_components(down) for v in s}
    for component in nx.weakly_connected_components(down):
        assert len({trees.family[v] for v in component}) == 1
        assert trees.family[min(component)] in component
    knots = nx.DiGraph()
    knots.add_nodes_from(set(strong.values()))
    knots.add_edges_from((strong[p], strong[c]) for c, p in edges if strong[p] != strong[c])
    roots = {v for v in knots if knots.in_degree(v) == 0}
    assert {int(v) for v in np.flatnonzero(trees.is_root)} == roots
    for v in range(n):
        ways = [p for r in roots for p in nx.all_simple_paths(knots, r, strong[v])] or [[0]]
        assert trees.generation[v] == max(map(len, ways)) - 1
        assert trees.generation_shortest[v] == min(map(len, ways)) - 1
        _walk_up(v, trees, pairs, roots, strong)


def _walk_up(v, trees, pairs, roots, strong):
    steps, at = 0, v
    while trees.primary_parent[at] != -1:
        assert (at, int(trees.primary_parent[at])) in pairs
        at, steps = int(trees.primary_parent[at]), steps + 1
        assert steps <= len(strong)
    assert at == trees.root[v]
    assert at in roots


@given(EDGES, st.randoms(use_true_random=False))
def test_the_order_of_edges_changes_nothing(graph, shuffler):
    n, pairs = graph
    edges = [(c, p, c * 31 + p) for c, p in sorted(pairs)]
    shuffled = edges[:]
    shuffler.shuffle(shuffled)
    ids = pa.chunked_array([[f"m{i:02d}" for i in range(n)]], pa.string())
    first, second = (
        family_members(ids, *np.array(e, dtype=np.int64).reshape(-1, 3).T)
        for e in (edges, shuffled)
    )
    assert first.equals(second)
