"""How families are shaped: depth, breadth, fan-out and the distances between their members."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from analysis.structure.distances import (
    NONE,
    Distance,
    mean_distance,
    undirected,
    wiener_indices,
)
from analysis.structure.graph import ANALYSIS, Graph
from analysis.structure.means import Rows, add_means
from analysis.study.measures import Study

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
NO_FAMILY = "no family of two or more"
SHAPES = """
select node.node, depth, breadth, leaf_share, mean_distance
from family_shape
join node on repo_id = family_id
order by node.node
"""
LARGEST = """
select
    member_count, depth, breadth, max_child_count, tree_member_count, wiener_index,
    tree_mean_distance, mean_distance, mean_distance_low, mean_distance_high
from family_shape
order by member_count desc, family_id
limit 1
"""
DEPTHS = """
select depth, count(*) as families from family_shape group by depth order by depth
"""
GENERATIONS = """
select generation, count(*) as models from node where family_size >= 2
group by generation order by generation
"""
BY_SIZE = """
select
    floor(log2(member_count))::bigint as step,
    avg(mean_distance) as distance,
    count(*) as families
from family_shape
group by step
order by step
"""


def shapes(study: Study, graph: Graph) -> None:
    """Keep ``family_shape``, and note what it says of all families and of the largest.

    Means are over families of two or more; in the twins a family counts as its root's owner's.
    """
    study.keep("family_shape", distance_rows(graph, study.generator("family distances")))
    _add_means(study, graph)
    _add_largest(study)
    _plot(study)


def distance_rows(graph: Graph, rng: np.random.Generator) -> pa.Table:
    """Distances in every family of two or more.

    Returns
    -------
    A row a family, in the order of their numbers: family, tree_member_count, wiener_index,
    tree_mean_distance, mean_distance, mean_distance_low, mean_distance_high, source_count. Of a
    family that is one tree, and no more, the mean is that of the tree; else see
    `analysis.structure.distances.mean_distance`.
    """
    families = np.unique(graph.family[graph.family_size >= 2])
    members = graph.family_size[families]
    wiener = wiener_indices(graph.up, graph.root)[families]
    tree_members = np.bincount(graph.root, minlength=graph.count)[families]
    of_tree = wiener / (tree_members * (tree_members - 1) / 2)
    ties = _tie_counts(graph)[families]
    found = _odd_distances(graph, families[(tree_members < members) | (ties >= members)], rng)
    return _as_table(families, tree_members, wiener, of_tree, found)


def _as_table(
    families: Ints, tree_members: Ints, wiener: Ints, of_tree: Floats, found: dict[int, Distance]
) -> pa.Table:
    odd = [found.get(family) for family in families.tolist()]
    drawn = [one if one and one.low is not None else None for one in odd]
    means = [one.mean if one else usual for one, usual in zip(odd, of_tree.tolist(), strict=True)]
    return pa.table(
        {
            "family": families,
            "tree_member_count": tree_members,
            "wiener_index": wiener,
            "tree_mean_distance": of_tree,
            "mean_distance": pa.array(means, pa.float64()),
            "mean_distance_low": pa.array([one and one.low for one in drawn], pa.float64()),
            "mean_distance_high": pa.array([one and one.high for one in drawn], pa.float64()),
            "source_count": pa.array([one and one.source_count for one in drawn], pa.int64()),
        }
    )


def _tie_counts(graph: Graph) -> Ints:
    """By family, pairs of models that an edge ties, whichever way and once; shape (n,)."""
    low, high = np.minimum(graph.child, graph.parent), np.maximum(graph.child, graph.parent)
    pairs = np.unique(low * graph.count + high)
    return np.bincount(graph.family[pairs // max(graph.count, 1)], minlength=graph.count)


def _odd_distances(graph: Graph, families: Ints, rng: np.random.Generator) -> dict[int, Distance]:
    """Distances in families that are not one tree."""
    members = np.flatnonzero(np.isin(graph.family, families))
    members = members[np.argsort(graph.family[members], kind="stable")]
    place = np.full(graph.count, NONE)
    place[members] = np.arange(len(members))
    inside = place[graph.child] != NONE
    ties = undirected(place[graph.child[inside]], place[graph.parent[inside]], len(members))
    ends = np.searchsorted(graph.family[members], families, side="right")
    starts = np.r_[0, ends].astype(np.int64)[:-1]
    return {
        int(family): mean_distance(ties[start:end, start:end], rng)
        for family, start, end in zip(families, starts, ends, strict=True)
    }


def _add_means(study: Study, graph: Graph) -> None:
    told = study.arrays(SHAPES)
    families = told.pop("node")
    rows = Rows(
        weights=graph.weights(families),
        clusters={"family": families, "owner": graph.owner[families]},
    )
    units = {"depth": "edges", "breadth": "models", "leaf_share": "share", "mean_distance": "edges"}
    for name, unit in units.items():
        values = told[name][:, None].astype(np.float64)
        part = np.ones(values.shape, bool)
        add_means(study, name, [""], values=values, has_part=part, rows=rows, unit=unit)


def _add_largest(study: Study) -> None:
    told = study.db.execute(LARGEST).fetchall()
    count, depth, breadth, children, tree, wiener, of_tree, mean, low, high = (
        told[0] if told else [None] * 10
    )
    note = {"analysis": ANALYSIS, "reason": None if told else NO_FAMILY}
    for measure, value, rests_on, unit in (
        ("largest_family", count, count, "models"),
        ("largest_family_depth", depth, count, "edges"),
        ("largest_family_breadth", breadth, count, "models"),
        ("largest_family_most_children", children, count, "models"),
        ("largest_family_wiener_index", wiener, tree, "edges"),
        ("largest_family_tree_distance", of_tree, tree, "edges"),
    ):
        study.add(measure=measure, value=value, count=rests_on or 0, unit=unit, **note)
    study.add(
        **note,
        measure="largest_family_distance",
        value=mean,
        low=low,
        high=high,
        resampled=None if low is None else "draw",
        count=count or 0,
        unit="edges",
    )
    _add_deepest(study)


def _add_deepest(study: Study) -> None:
    ((depth, breadth, count),) = study.db.execute(
        "select max(depth), max(breadth), count(*) from family_shape"
    ).fetchall()
    reason = None if count else NO_FAMILY
    note = {"analysis": ANALYSIS, "reason": reason, "count": count}
    study.add(measure="most_depth", value=depth, unit="edges", **note)
    study.add(measure="most_breadth", value=breadth, unit="models", **note)


def _plot(study: Study) -> None:
    families = study.arrays(DEPTHS)
    for depth, count in zip(families["depth"], families["families"], strict=True):
        _point(study, "family_depth", int(depth), float(count), int(count))
    models = study.arrays(GENERATIONS)
    for generation, count in zip(models["generation"], models["models"], strict=True):
        _point(study, "generation", int(generation), float(count), int(count))
    for step, distance, count in study.db.execute(BY_SIZE).fetchall():
        study.plot(
            analysis=ANALYSIS,
            series="mean_distance_by_size",
            x=float(2**step),
            label=f"{2**step} to {2 ** (step + 1) - 1} models",
            y=distance,
            count=count,
        )


def _point(study: Study, series: str, x: int, y: float, count: int) -> None:
    study.plot(analysis=ANALYSIS, series=series, x=float(x), label=str(x), y=y, count=count)
