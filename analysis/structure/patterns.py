"""Motifs of a study: how often each is found, and how often chance would make it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from analysis.structure.graph import ANALYSIS, RELATIONS, Graph
from analysis.structure.motifs import (
    MOTIFS,
    Edges,
    ancestor_pairs,
    count_motifs,
    parent_pairs,
    shuffled,
    sibling_pairs,
    sort_edges,
)
from analysis.study.measures import Study
from analysis.study.resampling import percentile_interval

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
DRAWS = 20
# An owner-capped count of motifs is no number: a motif has several owners.
TWINS = ("raw", "no_bulk", "dated")
CHAINS = """
select one.relation || ' → ' || two.relation as chain, count(*) as found
from kin as one
join kin as two on two.parent = one.child
where two.child <> one.parent
group by chain
order by chain
"""
LONGER_CHAINS = """
select one.relation || ' → ' || two.relation || ' → ' || three.relation as chain, count(*) as found
from kin as one
join kin as two on two.parent = one.child
join kin as three on three.parent = two.child
where two.child <> one.parent and three.child <> two.parent and three.child <> one.parent
group by chain
order by chain
"""


def patterns(study: Study, graph: Graph) -> None:
    """Note motifs (see `analysis.structure.motifs`), chains by relation, and what chance makes.

    A twin counts the motifs of the edges whose child it keeps. Chance is `DRAWS` graphs in which
    each model has as many parents and children of each relation; ``motif_ratio`` is what is found
    divided by their mean, with the interval of the draws.
    """
    child, parent, generation = _renumbered(graph)
    for twin in TWINS:
        keep = graph.weights(graph.child)[twin] > 0
        edges = sort_edges(child[keep], parent[keep], len(generation))
        _add_found(study, twin, edges, generation)
    _add_merges(study, graph, sort_edges(child, parent, len(generation)), generation)
    _add_chains(study)
    _add_chance(study, graph, child, parent, len(generation))


def _renumbered(graph: Graph) -> tuple[Ints, Ints, Ints]:
    """Child and parent by their place among models that an edge touches, and generations there."""
    tied, place = np.unique(np.r_[graph.child, graph.parent], return_inverse=True)
    child, parent = np.split(place, 2)
    return child, parent, graph.generation[tied]


def _add_found(study: Study, twin: str, edges: Edges, generation: Ints) -> None:
    found = count_motifs(edges) | {
        "sibling_pair": sibling_pairs(edges),
        "merge_with_ancestor": int(ancestor_pairs(edges, generation).sum()),
    }
    for motif, number in found.items():
        _add(study, "motif", motif, number, twin)


def _add_merges(study: Study, graph: Graph, edges: Edges, generation: Ints) -> None:
    """Models that name a parent and that parent's ancestor; and those that do so by merges only."""
    of, _, _ = parent_pairs(edges)
    doubly = np.unique(of[ancestor_pairs(edges, generation)])
    tied, place = np.unique(np.r_[graph.child, graph.parent], return_inverse=True)
    child = place[: len(graph.child)]
    other = graph.relation != RELATIONS.index("merge")
    merges_only = np.bincount(child, other, len(tied)) == 0
    _add(study, "models", "with a parent and its ancestor", len(doubly))
    _add(study, "models", "merged with an ancestor", int(merges_only[doubly].sum()))


def _add_chains(study: Study) -> None:
    for measure, sql in (("chain_2_by_relation", CHAINS), ("chain_3_by_relation", LONGER_CHAINS)):
        for chain, found in study.db.execute(sql).fetchall():
            _add(study, measure, chain, found)


def _add_chance(study: Study, graph: Graph, child: Ints, parent: Ints, n: int) -> None:
    rng = study.generator("shuffled lineage")
    found = count_motifs(sort_edges(child, parent, n))
    drawn = []
    for done in range(DRAWS):
        study.report("lineage by chance", done, DRAWS)
        edges, _ = shuffled(child, parent, graph.relation, n, rng)
        drawn.append(count_motifs(edges))
    for motif in MOTIFS:
        counts = np.array([one[motif] for one in drawn], np.float64)
        _add_ratio(study, motif, found[motif], counts)


def _add_ratio(study: Study, motif: str, found: int, by_chance: npt.NDArray[np.float64]) -> None:
    interval = percentile_interval(by_chance, "draw")
    low, high = interval.low or 0.0, interval.high or 0.0
    mean, spread = float(by_chance.mean()), float(by_chance.std(ddof=1))
    note = {"analysis": ANALYSIS, "subject": motif, "count": found}
    draws = {"low": low, "high": high, "resampled": "draw"}
    study.add(measure="motif_by_chance", value=mean, unit="motifs", **draws, **note)
    told = {"low": found / high, "high": found / low, "resampled": "draw"} if low else {}
    study.add(
        measure="motif_ratio",
        value=found / mean if mean else None,
        unit="ratio",
        reason=None if mean else f"chance made none in {DRAWS} draws",
        **told,
        **note,
    )
    study.add(
        measure="motif_z",
        value=(found - mean) / spread if spread else None,
        unit="standard deviations",
        reason=None if spread else f"all {DRAWS} draws by chance are alike",
        **note,
    )


def _add(study: Study, measure: str, subject: str, number: int, twin: str = "raw") -> None:
    study.add(
        analysis=ANALYSIS,
        measure=measure,
        subject=subject,
        twin=twin,
        value=number,
        count=number,
        unit="models" if measure == "models" else "motifs",
    )
