"""The graph that duties spread through: models, what they were made from, and known datasets."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from analysis.licenses.judging import RELATIONS
from analysis.licenses.ledger import Ints

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Graph:
    """Nodes and edges.

    Attributes
    ----------
    child, parent, relation
        Shape (m edges,): nodes, and places in `analysis.licenses.judging.RELATIONS`.
    state, owner, level, knot
        Shape (n nodes,): its declared licence (0 is unknown), its owner's number, its generation
        (greater than any parent's outside its cycle), the smallest member of its cycle, else
        itself.
    may_ask
        Shape (n,): whether what its licence asks is to spread.
    """

    child: Ints
    parent: Ints
    relation: Ints
    state: Ints
    owner: Ints
    level: Ints
    knot: Ints
    may_ask: Bools


def relation_codes(relations: npt.NDArray[np.object_]) -> Ints:
    """Places in `RELATIONS`, shape (m,)."""
    places = {name: at for at, name in enumerate(RELATIONS)}
    return np.array([places[name] for name in relations.tolist()], dtype=np.int64)


def with_datasets(models: Graph, *, state: Ints, owner: Ints, model: Ints, dataset: Ints) -> Graph:
    """The graph with datasets as nodes of their own, above all models; they alone ask.

    Parameters
    ----------
    state, owner
        Shape (d datasets,): as of a node. An owner that has no model has a number of its own.
    model, dataset
        Shape (k,): pairs of a model's node and the dataset, 0 to d - 1, that it declares.
    """
    count, new = len(models.state), len(state)
    made = np.full(len(model), RELATIONS.index("dataset"))
    return replace(
        models,
        child=np.r_[models.child, model],
        parent=np.r_[models.parent, count + dataset],
        relation=np.r_[models.relation, made],
        state=np.r_[models.state, state],
        owner=np.r_[models.owner, owner],
        level=np.r_[models.level + 1, np.zeros(new, np.int64)],
        knot=np.r_[models.knot, count + np.arange(new)],
        may_ask=np.r_[np.zeros(count, np.bool_), np.ones(new, np.bool_)],
    )
