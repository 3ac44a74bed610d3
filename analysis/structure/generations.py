"""Relations by generation, and which of them bear children.

Source: Laufer, Oderinwa, Kleinberg (2025), for edges whose child has children.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from analysis.structure.graph import ANALYSIS, RELATIONS, Graph
from analysis.structure.means import Rows, add_means, weighted_means
from analysis.study.measures import Study

Ints = npt.NDArray[np.int64]
LAST = 8  # the generation that stands for itself and all after it


def generations(study: Study, graph: Graph) -> None:
    """Note each relation's share of edges, also by the child's generation, and its fertility.

    The generation of a child is its longest path from a root; inside a cycle that has no parents
    without it is 0.
    """
    is_of = graph.relation[:, None] == np.arange(len(RELATIONS))
    rows = edge_rows(graph, np.arange(len(graph.child)))
    part = np.ones(is_of.shape, bool)
    subjects = list(RELATIONS)
    values = is_of.astype(np.float64)
    add_means(
        study, "relation_share", subjects, values=values, has_part=part, rows=rows, unit="share"
    )
    _plot_by_generation(study, graph)
    _add_fertile(study, graph, rows)


def edge_rows(graph: Graph, edges: Ints) -> Rows:
    """Some edges as rows of means: an edge is its child's owner's."""
    children = graph.child[edges]
    return Rows(
        weights=graph.weights(children),
        clusters={"owner": graph.owner[children], "family": graph.family[children]},
    )


def _plot_by_generation(study: Study, graph: Graph) -> None:
    rng = study.generator("relation by generation")
    generation = np.minimum(graph.generation[graph.child], LAST)
    for at in np.unique(generation).tolist():
        edges = np.flatnonzero(generation == at)
        values = (graph.relation[edges, None] == np.arange(len(RELATIONS))).astype(np.float64)
        shares = weighted_means(values, np.ones(values.shape, bool), edge_rows(graph, edges), rng)
        for twin, ratios in shares.items():
            for relation, ratio in zip(RELATIONS, ratios, strict=True):
                if ratio.value is None:
                    continue
                study.plot(
                    analysis=ANALYSIS,
                    series="relation_by_generation",
                    subject=relation,
                    twin=twin,
                    x=float(at),
                    label=f"{at} and later" if at == LAST else str(at),
                    y=ratio.value,
                    low=ratio.interval.low,
                    high=ratio.interval.high,
                    count=ratio.count,
                )


def _add_fertile(study: Study, graph: Graph, rows: Rows) -> None:
    bears = np.bincount(graph.parent, minlength=graph.count)[graph.child] > 0
    fertile = np.bincount(graph.relation[bears], minlength=len(RELATIONS))
    for relation, number in zip(
        ("", *RELATIONS), (int(bears.sum()), *fertile.tolist()), strict=True
    ):
        study.add(
            analysis=ANALYSIS,
            measure="fertile_edges",
            subject=relation,
            value=number,
            count=number,
            unit="edges",
        )
    part = graph.relation[:, None] == np.arange(len(RELATIONS))
    values = np.broadcast_to(bears[:, None], part.shape).astype(np.float64)
    subjects = list(RELATIONS)
    add_means(
        study, "fertile_share", subjects, values=values, has_part=part, rows=rows, unit="share"
    )
