"""What depends on each repo of a hub, all repos at once: the numbers of ``repo_impact``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.impact.dependence import RELATIONS, Dependence
from analysis.impact.dominators import immediate_dominators
from analysis.impact.forest import colours_below, lay_forest, sums_below
from analysis.impact.graph import Graph
from analysis.impact.reachability import Below, count_below
from analysis.trees import Ints


@dataclass(frozen=True)
class Impacts:
    """What depends on each model that edges touch.

    Attributes
    ----------
    columns
        By name of a column of ``repo_impact``, shape (n,).
    dominator
        Shape (n,): the immediate dominator; -1 where no single model dominates.
    """

    columns: dict[str, Ints]
    dominator: Ints


def count_impacts(dependence: Dependence) -> Impacts:
    """Count dependants of every kind, of every model; see `analysis.impact.dependence`."""
    dominator = immediate_dominators(dependence.graph)
    load_dominator = immediate_dominators(dependence.loading)
    sure = _below(dependence, dependence.poisoning)
    perhaps = _below(dependence, dependence.perhaps_poisoning)
    columns = {
        **_direct(dependence),
        **named("descendant", _below(dependence, dependence.graph)),
        **named("load", _below(dependence, dependence.loading)),
        **named("break", _dominated(dependence, load_dominator)),
        **named("poison", sure),
        "poison_unknown_count": perhaps.sums[:, 0] - sure.sums[:, 0],
        "poison_unknown_downloads_30d": perhaps.sums[:, 1] - sure.sums[:, 1],
        **named("cut", _dominated(dependence, dominator)),
    }
    return Impacts(columns, dominator)


def named(kind: str, below: Below) -> dict[str, Ints]:
    """Count, downloads and owners of what lies below, under the names of columns."""
    return {
        f"{kind}_count": below.sums[:, 0],
        f"{kind}_downloads_30d": below.sums[:, 1],
        f"{kind}_owner_count": below.colours,
    }


def _values(dependence: Dependence) -> Ints:
    ones = np.ones_like(dependence.downloads)
    return np.column_stack([ones, dependence.downloads]) * dependence.is_there[:, None]


def _below(dependence: Dependence, graph: Graph) -> Below:
    return count_below(graph, _values(dependence), dependence.owner, dependence.is_there)


def _dominated(dependence: Dependence, dominator: Ints) -> Below:
    forest, values = lay_forest(dominator), _values(dependence)
    colours = colours_below(forest, dependence.owner, dependence.is_there)
    return Below(sums_below(forest, values) - values, colours)


def _direct(dependence: Dependence) -> dict[str, Ints]:
    graph, counts = dependence.graph, {}
    there = dependence.is_there[graph.child]
    for at, relation in enumerate(RELATIONS):
        parents = graph.parent[there & (dependence.relation == at)]
        counts[f"{relation}_count"] = np.bincount(parents, minlength=graph.count)
    return {"child_count": np.asarray(sum(counts.values())), **counts}
