"""How much there is: models, edges, families, cycles, and what was refused as an edge.

Source of the definitions: Laufer, Oderinwa, Kleinberg (2025): a family is a weak component.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from analysis.structure.graph import ANALYSIS, RELATIONS, Graph
from analysis.structure.means import Rows, add_means
from analysis.study.measures import Study

Ints = npt.NDArray[np.int64]
REFUSED = """
select refusal, count(distinct (child_id, parent_id)) as pairs
from main.base_model_evidence
where refusal is not null
group by refusal
"""
SELF = "declares itself as its base model"
REFUSALS = {
    "self": SELF,
    "malformed": "malformed base model id",
    "not_text": "base model id is not text",
}
NO_PAST = "looks keep no refused declarations, so they are told of the present only"


def counts(study: Study, graph: Graph) -> None:
    """Note how many models, edges, families and cycles there are.

    They are counts of everything and have no interval. A declaration of a model as its own base is
    no edge here; it is counted as ``refused_pairs`` of ``self``.
    """
    parents = np.bincount(graph.child, minlength=graph.count)
    _add_models(study, graph, parents)
    _add_edges(study, graph)
    _add_families(study, graph)
    _add_refused(study)
    _add_parent_share(study, graph, parents)


def _add_models(study: Study, graph: Graph, parents: Ints) -> None:
    known = int(graph.known.sum())
    child = parents > 0
    ghost_parents = np.bincount(graph.child, ~graph.known[graph.parent], graph.count)
    for subject, number in (
        ("", graph.count),
        ("known", known),
        ("ghost", graph.count - known),
        ("with a parent", int(child.sum())),
        ("with several parents", int((parents > 1).sum())),
        ("with ghost parents only", int((child & (ghost_parents == parents)).sum())),
        ("in a cycle", int(graph.in_cycle.sum())),
    ):
        _add(study, "models", subject, number, "models")


def _add_edges(study: Study, graph: Graph) -> None:
    _add(study, "edges", "", len(graph.child), "edges")
    by_relation = np.bincount(graph.relation, minlength=len(RELATIONS))
    for relation, number in zip(RELATIONS, by_relation.tolist(), strict=True):
        _add(study, "edges", relation, number, "edges")
    untyped = by_relation[[RELATIONS.index("merge"), RELATIONS.index("unknown")]].sum()
    _add(study, "edges", "merge or unknown", int(untyped), "edges")


def _add_families(study: Study, graph: Graph) -> None:
    is_family = graph.family == np.arange(graph.count)
    larger = int((is_family & (graph.family_size >= 2)).sum())
    _add(study, "families", "", int(is_family.sum()), "families")
    _add(study, "families", "of two or more", larger, "families")
    _add(study, "families", "of one", int(is_family.sum()) - larger, "families")
    sql = "select count(distinct cycle) from node"
    _add(study, "cycles", "", study.db.execute(sql).fetchall()[0][0], "cycles")


def _add_refused(study: Study) -> None:
    refused = dict(study.db.execute(REFUSED).fetchall()) if study.as_of is None else None
    for subject, refusal in REFUSALS.items():
        found = None if refused is None else refused.get(refusal, 0)
        study.add(
            analysis=ANALYSIS,
            measure="refused_pairs",
            subject=subject,
            value=found,
            count=found or 0,
            unit="edges",
            reason=NO_PAST if found is None else None,
        )


def _add_parent_share(study: Study, graph: Graph, parents: Ints) -> None:
    known = np.flatnonzero(graph.known)
    rows = Rows(
        weights=graph.weights(known),
        clusters={"owner": graph.owner[known], "family": graph.family[known]},
    )
    declared = np.column_stack([parents[known] > 0, parents[known] > 1])
    add_means(
        study,
        "models_share",
        ["with a parent", "with several parents"],
        values=declared.astype(np.float64),
        has_part=np.ones(declared.shape, bool),
        rows=rows,
        unit="share",
    )


def _add(study: Study, measure: str, subject: str, number: int, unit: str) -> None:
    study.add(
        analysis=ANALYSIS, measure=measure, subject=subject, value=number, count=number, unit=unit
    )
