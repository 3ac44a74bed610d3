"""What has lost its base already: broken at load, or only without what it was made from."""

from __future__ import annotations

import numpy as np

from analysis.impact.dependence import RELATIONS, Dependence
from analysis.impact.graph import Bools, cut_off
from analysis.impact.losses import DISABLED, LOSS, NOT_TOLD
from analysis.impact.shares import Rows, Shares, note_shares
from analysis.study.measures import Study

LOST = """
create or replace temp table loss as
with judged as (
    select node.node, {loss} as loss
    from node
    left join main.model as model on model.repo_id = node.repo_id
    where node.node in (select parent from kin)
)
select node, loss from judged where loss is not null
"""
LOSSES = ("gone", "disabled", "gated", "ghost")
SUBJECTS = {
    **{loss: (loss,) for loss in LOSSES},
    "known to be lost": ("gone", "disabled", "gated"),
    "lost or a ghost": LOSSES,
}
NO_LOADING = "no model that is there is an adapter"
NO_OTHER = "no model that is there declares a base otherwise than as an adapter"


def note_orphans(study: Study, dependence: Dependence, rows: Rows) -> None:
    """Keep ``lost_base``, and note shares of models that have lost a base, by kind and by why.

    A model is broken at load where every base that it could load with is lost, or is broken; one
    gated itself is not. What was made otherwise has lost its provenance where any parent is lost.
    """
    is_disabled = DISABLED if study.as_of is None else NOT_TOLD
    study.db.execute(LOST.format(loss=LOSS.format(is_disabled=is_disabled, look="node")))
    study.keep("lost_base")
    lost = _lost(study, dependence)
    _note_load_time(study, dependence, rows, lost)
    _note_provenance(study, dependence, rows, lost)


def _lost(study: Study, dependence: Dependence) -> dict[str, Bools]:
    """By subject, shape (n,): whether a model is lost in such a way."""
    found = study.arrays("select node, loss from loss order by node")
    place = np.searchsorted(dependence.node, found["node"].astype(np.int64))
    lost = {}
    for subject, losses in SUBJECTS.items():
        lost[subject] = np.zeros(dependence.graph.count, dtype=bool)
        lost[subject][place[np.isin(found["loss"].astype(str), losses)]] = True
    return lost


def _note_load_time(
    study: Study, dependence: Dependence, rows: Rows, lost: dict[str, Bools]
) -> None:
    loading = dependence.loading
    base = _children(dependence, dependence.relation == RELATIONS.index("adapter"))
    parts = {subject: cut_off(loading, mask) for subject, mask in lost.items()}
    asked = Shares(rows=rows, base=base, parts=parts, nothing=NO_LOADING)
    note_shares(study, "broken_share", asked)


def _note_provenance(
    study: Study, dependence: Dependence, rows: Rows, lost: dict[str, Bools]
) -> None:
    made = dependence.relation != RELATIONS.index("adapter")
    parts = {
        subject: _children(dependence, made & mask[dependence.graph.parent])
        for subject, mask in lost.items()
    }
    asked = Shares(rows=rows, base=_children(dependence, made), parts=parts, nothing=NO_OTHER)
    note_shares(study, "orphan_share", asked)
    for at, relation in enumerate(RELATIONS):
        _note_relation(study, dependence, rows, lost, relation=(at, relation))


def _note_relation(
    study: Study,
    dependence: Dependence,
    rows: Rows,
    lost: dict[str, Bools],
    *,
    relation: tuple[int, str],
) -> None:
    """Of one relation: the models that could not be made again, as a parent of theirs is lost."""
    at, name = relation
    related, parent = dependence.relation == at, dependence.graph.parent
    asked = Shares(
        rows=rows,
        base=_children(dependence, related),
        parts={
            f"{name}, parent {subject}": _children(dependence, related & lost[subject][parent])
            for subject in ("known to be lost", "lost or a ghost")
        },
        nothing=f"no model that is there declares the relation {name}",
    )
    note_shares(study, "unmakeable_share", asked)


def _children(dependence: Dependence, edges: Bools) -> Bools:
    """Shape (n,): models that are there and child of any of these edges."""
    found = np.zeros(dependence.graph.count, dtype=bool)
    found[dependence.graph.child[edges]] = True
    return found & dependence.is_there
