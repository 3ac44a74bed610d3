"""The lineage of one model or family as nested branches, each model drawn once.

Declared lineage is a graph: a merge has several parents and cycles occur. A branch hangs under
one parent; its other parents are listed beside it, so the picture hides none.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import duckdb

from atlas import AtlasError

MOST_NODES = 5_000
ALIKE = 0.75  # Jaro-Winkler similarity from which a name is offered in place of another

Direction = Literal["up", "down"]


class UnknownModel(AtlasError):
    """No such model in the warehouse; the message names the nearest."""


@dataclass
class Branch:
    """One model in a drawn tree, and what hangs below (or, walking up, above) it.

    ``relation`` and ``evidence`` describe the edge to the branch that it hangs on. Walking down,
    ``others`` are the model's further parents. Walking up, an ancestor that several ways lead to is
    drawn whole at the first and as a bare name, ``again``, at the others. ``cut`` counts what hangs
    directly on the branch and is not drawn.
    """

    repo_id: str
    relation: str | None
    evidence: list[str]
    known: bool
    downloads_30d: int | None
    generation: int
    others: list[str] = field(default_factory=list)
    branches: list[Branch] = field(default_factory=list)
    cut: int = 0
    again: bool = False

    def as_json(self) -> dict[str, Any]:
        """Nested plain values."""
        return asdict(self)


REACHED = """
with recursive reached(repo_id, distance) using key (repo_id) as (
    select ?, 0
    union
    select edge.{to_id}, min(reached.distance) + 1
    from reached
    join base_model_edge as edge on edge.{from_id} = reached.repo_id
    left join recurring.reached as known on known.repo_id = edge.{to_id}
    where reached.distance < ? and known.repo_id is null
    group by edge.{to_id}
)
select reached.repo_id, reached.distance, model.known, model.downloads_30d,
    family_member.generation, family_member.primary_parent_id, family_member.cycle_id
from reached
join model using (repo_id)
join family_member using (repo_id)
order by distance, downloads_30d desc nulls last, repo_id
limit ?
"""


def lineage(
    db: duckdb.DuckDBPyConnection,
    repo_id: str,
    *,
    direction: Direction,
    depth: int = 50,
    most: int = MOST_NODES,
) -> Branch:
    """Descendants (``down``) or ancestors (``up``) of a model, at most ``depth`` edges away.

    Beyond ``most`` models the farthest and least downloaded are left out, and each branch says in
    ``cut`` how many it lacks. Raises `UnknownModel`.
    """
    check_known(db, repo_id)
    from_id, to_id = ("parent_id", "child_id") if direction == "down" else ("child_id", "parent_id")
    sql = REACHED.format(from_id=from_id, to_id=to_id)
    nodes = db.execute(sql, [repo_id, depth, most]).fetchall()
    return _hang(nodes, _edges_around(db, [row[0] for row in nodes]), direction)


def family_trees(
    db: duckdb.DuckDBPyConnection, family_id: str, *, most: int = MOST_NODES
) -> list[Branch]:
    """The trees of a family by primary parents, the largest first; see `lineage` for ``most``."""
    nodes = db.execute(FAMILY, [family_id, most]).fetchall()
    edges = _edges_around(db, [row[0] for row in nodes])
    drawn = {row[0] for row in nodes}
    place = {row[0]: row[5] for row in nodes if row[5] in drawn}
    trees = _drawn(nodes, {(p, c): edge for (c, p), edge in edges.items()}, place)
    return sorted(trees, key=lambda tree: (-count_models(tree), tree.repo_id))


FAMILY = """
select model.repo_id, family_member.generation, model.known, model.downloads_30d,
    family_member.generation, family_member.primary_parent_id
from family_member
join model using (repo_id)
where family_member.family_id = ?
order by family_member.generation, model.downloads_30d desc nulls last, model.repo_id
limit ?
"""


def count_models(branch: Branch) -> int:
    """Number of models drawn in a branch, itself included."""
    total, left = 0, [branch]
    while left:
        at = left.pop()
        total += not at.again
        left += at.branches
    return total


def check_known(db: duckdb.DuckDBPyConnection, repo_id: str) -> None:
    """Raise `UnknownModel`, with the nearest names, unless this is a model or a ghost here."""
    if any("\ud800" <= letter <= "\udfff" for letter in repo_id):  # bytes of a shell, not UTF-8
        raise UnknownModel(f"no model {repo_id!r} in this warehouse: its name is not UTF-8")
    if db.execute("select 1 from model where repo_id = ?", [repo_id]).fetchone():
        return
    near = nearest_models(db, repo_id, most=3)
    hint = f"; did you mean {', '.join(near)}?" if near else ""
    raise UnknownModel(f"no model {repo_id!r} in this warehouse{hint}")


def nearest_models(db: duckdb.DuckDBPyConnection, text: str, *, most: int = 5) -> list[str]:
    """Names close enough to what was typed to be offered in place of one that is not there."""
    rows = db.execute(
        "select repo_id from model"
        " where jaro_winkler_similarity(lower(repo_id), lower($1)) > $2"
        " order by jaro_winkler_similarity(lower(repo_id), lower($1)) desc,"
        " downloads_30d desc nulls last, repo_id limit $3",
        [text[:300], ALIKE, most],
    )
    return [row[0] for row in rows.fetchall()]


Edges = dict[tuple[str, str], tuple[str, list[str]]]


def _edges_around(db: duckdb.DuckDBPyConnection, ids: list[str]) -> Edges:
    rows = db.execute(
        "select child_id, parent_id, relation, evidence from base_model_edge"
        " where child_id in (select unnest($1::varchar[]))"
        " or parent_id in (select unnest($1::varchar[]))"
        " order by child_id, position, parent_id",
        [ids],
    ).fetchall()
    return {(child, parent): (relation, evidence) for child, parent, relation, evidence in rows}


def _hang(nodes: list[tuple[Any, ...]], edges: Edges, direction: Direction) -> Branch:
    # Seen from the walk, an edge leads from an inner model to an outer one.
    steps = {(p, c) if direction == "down" else (c, p): edge for (c, p), edge in edges.items()}
    distance = {row[0]: row[1] for row in nodes}
    nearest: dict[str, list[str]] = {}
    for inner, outer in steps:
        if inner in distance and distance.get(outer) == distance[inner] + 1:
            nearest.setdefault(outer, []).append(inner)
    place = {}
    for repo_id, *_, primary, cycle in nodes[1:]:
        # The primary parent, as in the family's tree, where it is drawn; else the first declared of
        # the nearest. Inside a cycle only the nearest lead inward for sure.
        drawn = direction == "down" and primary in distance and cycle is None
        near = nearest[repo_id]
        place[repo_id] = primary if drawn or primary in near else near[0]
    top = _drawn(nodes, steps, place)[0]
    if direction == "up":
        _name_again(top, steps, place, {row[0]: row for row in nodes})
    return top


def _name_again(
    top: Branch, steps: Edges, place: dict[str, str], rows: dict[str, tuple[Any, ...]]
) -> None:
    branches, left = {}, [top]
    while left:
        at = left.pop()
        branches[at.repo_id], at.others = at, []
        left += at.branches
    for (inner, outer), (relation, evidence) in steps.items():
        if inner in branches and outer in branches and place.get(outer) != inner:
            bare = replace(_branch(rows[outer]), relation=relation, evidence=evidence, again=True)
            branches[inner].branches.append(bare)


def _drawn(nodes: list[tuple[Any, ...]], steps: Edges, place: dict[str, str]) -> list[Branch]:
    branches = {row[0]: _branch(row) for row in nodes}
    for outer, inner in place.items():
        branches[outer].relation, branches[outer].evidence = steps[inner, outer]
        branches[inner].branches.append(branches[outer])
    for inner, outer in steps:
        if outer in place and place[outer] != inner:
            branches[outer].others.append(inner)
        if inner in branches and outer not in branches:
            branches[inner].cut += 1
    return [branches[row[0]] for row in nodes if row[0] not in place]


def _branch(row: tuple[Any, ...]) -> Branch:
    return Branch(
        repo_id=row[0],
        relation=None,
        evidence=[],
        known=row[2],
        downloads_30d=row[3],
        generation=row[4],
    )
