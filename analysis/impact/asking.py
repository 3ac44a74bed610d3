"""The blast radius of one repo, or of all of an owner's at once, without a study.

Only what was made from the repos is read, with all its parents. What their loss cuts off is found
by walking from the roots around them, which shares nothing with the dominators of a whole hub and
comes to the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import duckdb
import numpy as np

from analysis.impact.below import lay_out_below
from analysis.impact.dependence import RELATIONS, Dependence, read_dependence
from analysis.impact.graph import Bools, Graph, cut_off, reached
from analysis.impact.losses import DISABLED, LOSS
from analysis.impact.mirrors import OF_REPOS, find_mirrors
from analysis.trees import Ints

# Other repos that hold weight files of those asked for.
MIRRORS = """
with own as (
    select distinct content_id
    from held
    where content_id is not null and repo_id in (select repo_id from asked)
)
select held.repo_id, held.owner_name, count(*) as file_count, (select count(*) from own)
from held
join own using (content_id)
where held.is_there and held.repo_id not in (select repo_id from asked)
group by held.repo_id, held.owner_name
order by file_count desc, held.repo_id
"""
LOSSES = f"""
with judged as (
    select {LOSS.format(is_disabled=DISABLED, look="model")} as loss
    from asked
    join main.model as model using (repo_id)
)
select loss, count(*) from judged where loss is not null group by loss order by loss
"""  # noqa: S608
STATES = """
select coalesce(repo_mirror.mirror, 'unknown') as mirror, count(*)
from asked
left join repo_mirror using (repo_id)
group by mirror
order by mirror
"""


@dataclass(frozen=True)
class Dependant:
    """One model that depends on what was asked for.

    Attributes
    ----------
    relation
        What it declares of a repo that was asked for; None where it depends on it by others.
    breaks
        Without it: ``yes``, ``maybe`` (it declares another base to load with) or ``no``.
    poison
        Whether poison flows to it: ``yes``, ``maybe`` (an order of creation is unknown) or ``no``.
    has_way_around
        Whether some way of its provenance leads around what was asked for.
    """

    repo_id: str
    owner: str
    downloads_30d: int
    relation: str | None
    breaks: str
    poison: str
    has_way_around: bool


@dataclass(frozen=True)
class Mirror:
    """Another repo that holds weight files of those asked for, byte for byte.

    Attributes
    ----------
    file_count, of_count
        How many distinct ones, and how many there are.
    """

    repo_id: str
    owner: str
    file_count: int
    of_count: int


@dataclass(frozen=True)
class BlastRadius:
    """What depends on repos, in the numbers of ``repo_impact``.

    Attributes
    ----------
    counts
        By name of a column of ``repo_impact``.
    dependants
        The most downloaded ones of each kind: of all (``descendant``), that load with it
        (``load``), that poison flows to (``poison``) or may flow to (``poison_unknown``), and that
        could not be made again (``child``).
    losses
        How many of the repos are lost already, by why; as ``lost_base`` has it.
    mirror_states
        How many of the repos have which state of ``repo_impact.mirror``; unknown where null.
    mirrors
        The repos that hold most of their weight files.
    """

    counts: dict[str, int]
    dependants: dict[str, list[Dependant]] = field(default_factory=dict)
    losses: dict[str, int] = field(default_factory=dict)
    mirror_states: dict[str, int] = field(default_factory=dict)
    mirrors: list[Mirror] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Nested plain values."""
        return asdict(self)


def blast_radius(
    db: duckdb.DuckDBPyConnection, repo_ids: Sequence[str], *, most: int = 5
) -> BlastRadius:
    """What depends on repos that vanish, or are corrupted, together.

    Parameters
    ----------
    db
        An opened warehouse; temporary tables are made in it.
    repo_ids
        Known models or ghosts. What depends on one of them and is one of them is not counted.
    most
        Dependants of each kind, and mirrors, to name.
    """
    lay_out_below(db, repo_ids)
    dependence = read_dependence(db)
    asked = np.isin(dependence.node, _places(db))
    reach = _Reach(dependence, asked)
    find_mirrors(db, models="main.model", scope=OF_REPOS)
    return BlastRadius(
        counts=reach.counts(),
        dependants={
            kind: _dependants(db, reach, mask, most) for kind, mask in reach.listed().items()
        },
        losses=dict(db.execute(LOSSES).fetchall()),
        mirror_states=dict(db.execute(STATES).fetchall()),
        mirrors=[Mirror(*row) for row in db.execute(f"{MIRRORS} limit {most:d}").fetchall()],
    )


class _Reach:
    """Which models the repos that were asked for reach, by kind; masks over the dependence."""

    def __init__(self, dependence: Dependence, asked: Bools) -> None:
        self.dependence, self.asked = dependence, asked
        self.counted = dependence.is_there & ~asked
        self.descendant = self._below(dependence.graph)
        self.load = self._below(dependence.loading)
        self.breaks = self._cut(dependence.loading)
        self.poison = self._below(dependence.poisoning)
        self.poison_unknown = self._below(dependence.perhaps_poisoning) & ~self.poison
        self.cut = self._cut(dependence.graph)
        self.relations = {relation: self._children(at) for at, relation in enumerate(RELATIONS)}
        self.child = np.any([*self.relations.values()], axis=0)

    def counts(self) -> dict[str, int]:
        found = {"child_count": int(self.child.sum())}
        found |= {f"{name}_count": int(mask.sum()) for name, mask in self.relations.items()}
        kinds = ("descendant", "load", "break", "poison", "poison_unknown", "cut")
        for kind in kinds:
            mask = getattr(self, "breaks" if kind == "break" else kind)
            found[f"{kind}_count"] = int(mask.sum())
            found[f"{kind}_downloads_30d"] = int(self.dependence.downloads[mask].sum())
            found[f"{kind}_owner_count"] = len(np.unique(self.dependence.owner[mask]))
        del found["poison_unknown_owner_count"]
        return found

    def listed(self) -> dict[str, Bools]:
        kinds = ("descendant", "load", "poison", "poison_unknown", "child")
        return {kind: getattr(self, kind) for kind in kinds}

    def dependant(self, at: int, repo_id: str, owner: str) -> Dependant:
        declared = [name for name, mask in self.relations.items() if mask[at]]
        return Dependant(
            repo_id=repo_id,
            owner=owner,
            downloads_30d=int(self.dependence.downloads[at]),
            relation=", ".join(declared) or None,
            breaks="yes" if self.breaks[at] else "maybe" if self.load[at] else "no",
            poison="yes" if self.poison[at] else "maybe" if self.poison_unknown[at] else "no",
            has_way_around=not self.cut[at],
        )

    def _below(self, graph: Graph) -> Bools:
        start = np.flatnonzero(self.asked)
        return reached(start, graph.parent, graph.child, graph.count) & self.counted

    def _cut(self, graph: Graph) -> Bools:
        return cut_off(graph, self.asked) & self.counted

    def _children(self, relation: int) -> Bools:
        graph = self.dependence.graph.only(self.dependence.relation == relation)
        found = np.zeros(graph.count, dtype=bool)
        found[graph.child[self.asked[graph.parent]]] = True
        return found & self.counted


def _places(db: duckdb.DuckDBPyConnection) -> Ints:
    sql = "select node from node where repo_id in (select repo_id from asked)"
    return np.asarray(db.execute(sql).fetchnumpy()["node"], dtype=np.int64)


def _dependants(
    db: duckdb.DuckDBPyConnection, reach: _Reach, mask: Bools, most: int
) -> list[Dependant]:
    """The most downloaded; of two the first by name."""
    places = np.flatnonzero(mask)
    top = places[np.argsort(-reach.dependence.downloads[places], kind="stable")[:most]].tolist()
    nodes = [int(reach.dependence.node[at]) for at in top]
    sql = "select node, repo_id, owner_name from node where node in (select unnest($1::bigint[]))"
    named = {node: names for node, *names in db.execute(sql, [nodes]).fetchall()}
    return [reach.dependant(at, *named[node]) for at, node in zip(top, nodes, strict=True)]
