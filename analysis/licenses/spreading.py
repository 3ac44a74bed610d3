"""How duties spread through a lineage: along every path, without walking any path.

A *duty* is a kind of obligation (`analysis.licenses.rules.KINDS`) that the licence of one model,
its *origin*, lays on all that is made from it. It spreads generation by generation, once to each
model that it reaches, however many paths lead there: a diamond of forty storeys costs forty steps.
At each model it is judged by what that model declares, and it spreads on either way: what a child
drops still binds the grandchild.

- A model whose licence asks the same under the same licence as what reaches it passes that on and
  is no origin of its own.
- An owner may license their own work anew: a duty ends at a model of the origin's owner that drops
  it, where all on every way there is that owner's.
- A cycle counts as one model, as in `analysis.trees`: what reaches or begins in one of its models
  passes to all below, and counts as dropped once one of them drops it. Nobody in it is judged by
  what another of it asks, as nobody can say who was first.
- Of the origins of one kind and licence the `MOST_ORIGINS` nearest are handed on by a model.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from analysis.licenses.graph import Graph
from analysis.licenses.judging import ASKED, DROPPED, KEPT, UNCLEAR, UNKNOWN, Bench, Codes
from analysis.licenses.ledger import (
    NEVER,
    NONE,
    Columns,
    Ints,
    Ledger,
    group_starts,
    joined,
    merged,
    ranges,
    select,
)

Bools = npt.NDArray[np.bool_]
MOST_ORIGINS = 64
NOTED = (
    *("child", "kind", "origin", "hops", "is_sure", "verdict"),
    *("drop_parent", "drop_child", "drop_hops", "drop_blind"),
)


@dataclass(frozen=True)
class Spread:
    """What `spread` finds.

    Attributes
    ----------
    reached
        One entry for each child, kind and origin that reaches it, in that order: ``child``,
        ``kind``, ``origin``, ``hops`` (fewest edges), ``is_sure`` (on some path the duty passes
        each edge for sure), ``verdict``; of the first drop over all paths, that nearest to the
        origin, ``drop_parent`` and ``drop_child`` (-1 where nobody drops it), ``drop_hops``
        (edges from the origin to ``drop_child``) and ``drop_blind`` (a licence on a way there is
        unknown, so it may have been dropped before).
    edge_verdict
        Shape (m,): the worst among what the edge hands down; `UNKNOWN` inside a cycle, and where
        nothing is dropped but a licence above is unknown.
    unknown_above
        Shape (n,): whether the licence of any ancestor is unknown, or the model is in a cycle.
    cut_count
        Entries that `MOST_ORIGINS` left out.
    """

    reached: Columns
    edge_verdict: Codes
    unknown_above: Bools
    cut_count: int


def spread(graph: Graph, bench: Bench) -> Spread:
    """Spread all duties down a graph.

    Returns
    -------
    `Spread`. Work grows with the entries that each edge's parent hands down, in NumPy, one round a
    generation.
    """
    return _Spreading(graph, bench).run()


class _Spreading:
    """One run. The ledger holds what each knot hands down, a knot's entries in a row."""

    def __init__(self, graph: Graph, bench: Bench) -> None:
        count = len(graph.state)
        self.graph, self.bench = graph, bench
        self.ledger = Ledger(self._begun(np.empty(0, np.int64), None))
        self.start, self.stop = np.zeros(count, np.int64), np.zeros(count, np.int64)
        self.edge_verdict = np.full(len(graph.child), KEPT, np.int8)
        self.found: list[Columns] = []
        self.cut_count = 0

    def run(self) -> Spread:
        graph = self.graph
        is_inner = graph.knot[graph.child] == graph.knot[graph.parent]
        edges = _by_level(np.flatnonzero(~is_inner), graph.level[graph.child])
        asks = np.count_nonzero(self.bench.asked, axis=1) > 0
        asking = asks[graph.state] & graph.may_ask
        nodes = _by_level(np.flatnonzero(asking), graph.level)
        turns = np.arange(int(max(graph.level, default=-1)) + 2)
        edge_ends = np.searchsorted(graph.level[graph.child[edges]], turns)
        node_ends = np.searchsorted(graph.level[nodes], turns)
        above = np.zeros(len(graph.state), dtype=np.bool_)
        blind = above.copy()
        blind[graph.knot[self.bench.is_unknown[graph.state]]] = True
        for turn in turns[:-1]:
            here = edges[edge_ends[turn] : edge_ends[turn + 1]]
            self._see(here, above, blind)
            self._step(here, nodes[node_ends[turn] : node_ends[turn + 1]])
        self.edge_verdict[is_inner] = UNKNOWN
        above[graph.knot[graph.child[is_inner]]] = True
        return Spread(self._reached(), self.edge_verdict, above[graph.knot], self.cut_count)

    def _see(self, edges: Ints, above: Bools, blind: Bools) -> None:
        knot = self.graph.knot
        unseen = edges[blind[knot[self.graph.parent[edges]]]]
        self.edge_verdict[unseen] = UNKNOWN
        above[knot[self.graph.child[unseen]]] = True
        blind[knot[self.graph.child[unseen]]] = True

    def _step(self, edges: Ints, asking: Ints) -> None:
        came = self._handed_down(edges)
        kept = self._judged(came) if len(came["knot"]) else None
        begun = self._begun(asking, kept)
        rows = joined([kept, begun]) if kept else begun
        if len(rows["knot"]):
            self._write(select(rows, np.argsort(rows["knot"], kind="stable")))

    def _write(self, rows: Columns) -> None:
        knots, first, counts = np.unique(rows["knot"], return_index=True, return_counts=True)
        self.start[knots] = self.ledger.count + first
        self.stop[knots] = self.start[knots] + counts
        self.ledger.append(rows)

    def _handed_down(self, edges: Ints) -> Columns:
        """What reaches the children of these edges: an entry for each edge and duty."""
        graph = self.graph
        above = graph.knot[graph.parent[edges]]
        rows = self.ledger.take(ranges(self.start[above], self.stop[above]))
        edge = np.repeat(edges, self.stop[above] - self.start[above])
        child, origin = graph.child[edge], rows["origin"]
        reach = self.bench.reach[graph.state[origin], rows["kind"], graph.relation[edge]]
        is_open = rows["open_hops"] < NEVER
        return rows | {
            "edge": edge,
            "parent": graph.parent[edge],
            "knot": graph.knot[child],
            "hops": rows["hops"] + 1,
            "open_hops": np.where(is_open, rows["open_hops"] + is_open, NEVER),
            "is_sure": rows["is_sure"] & (reach == ASKED),
            "is_own": rows["is_own"] & (graph.owner[child] == graph.owner[origin]),
        }

    def _judged(self, came: Columns) -> Columns:
        """Judge what came, note it, and return what each knot hands on."""
        child = self.graph.child[came["edge"]]
        self._blame(came, self._verdict(came, child))
        rows = merged(came)
        members = self._members(rows)
        is_free = members["is_own"] & (members["verdict"] >= UNCLEAR)
        self.found.append({name: members[name][~is_free] for name in NOTED})
        return self._nearest(self._handed_on(rows, members, is_free))

    def _verdict(self, rows: Columns, node: Ints) -> Codes:
        state = self.graph.state
        return self.bench.judge(rows["kind"], state[rows["origin"]], node, state[node])

    def _blame(self, came: Columns, verdict: Codes) -> None:
        charge = np.where((verdict == DROPPED) & ~came["is_sure"], UNCLEAR, verdict)
        charge[came["is_own"] & (verdict >= UNCLEAR)] = KEPT
        np.maximum.at(self.edge_verdict, came["edge"], charge.astype(np.int8))

    def _members(self, rows: Columns) -> Columns:
        """Each entry once for each model of its knot, judged, with the first drop up to there."""
        order, starts, stops = self._knots
        knot = rows["knot"]
        row = np.repeat(np.arange(len(knot)), stops[knot] - starts[knot])
        child = order[ranges(starts[knot], stops[knot])]
        at = select(rows, row)
        owner, verdict = self.graph.owner, self._verdict(at, child)
        nearer = at["open_hops"] < at["drop_hops"]
        nearer |= (at["open_hops"] == at["drop_hops"]) & (child < at["drop_child"])
        drops = (verdict == DROPPED) & (at["open_hops"] < NEVER) & nearer
        return at | {
            "row": row,
            "child": child,
            "verdict": verdict,
            "is_own": at["is_own"] & (owner[child] == owner[at["origin"]]),
            "drop_hops": np.where(drops, at["open_hops"], at["drop_hops"]),
            "drop_child": np.where(drops, child, at["drop_child"]),
            "drop_parent": np.where(drops, at["via"], at["drop_parent"]),
            "drop_blind": np.where(drops, at["open_blind"], at["drop_blind"]),
        }

    @cached_property
    def _knots(self) -> tuple[Ints, Ints, Ints]:
        """Nodes by knot, and where each knot's begin and end."""
        order = np.argsort(self.graph.knot, kind="stable")
        sizes = np.bincount(self.graph.knot, minlength=len(order))
        stops = np.cumsum(sizes)
        return order, stops - sizes, stops

    def _handed_on(self, rows: Columns, members: Columns, is_free: Bools) -> Columns:
        count, row = len(rows["knot"]), members["row"]
        by_drop = np.lexsort((members["child"], members["drop_hops"], row))
        best = select(members, by_drop[group_starts(row[by_drop])])
        drop = ("drop_hops", "drop_child", "drop_parent", "drop_blind")
        rows = rows | {name: best[name] for name in drop}
        dropped, unseen, goes_on = (np.zeros(count, dtype=np.bool_) for _ in range(3))
        dropped[row[members["verdict"] == DROPPED]] = True
        unseen[row[self.bench.is_unknown[self.graph.state[members["child"]]]]] = True
        goes_on[row[~is_free]] = True
        rows["open_hops"] = np.where(dropped, NEVER, rows["open_hops"])
        rows["open_blind"] = rows["open_blind"] | unseen
        np.logical_and.at(rows["is_own"], row, members["is_own"])
        return select(rows, goes_on)

    def _nearest(self, rows: Columns) -> Columns:
        state = self.graph.state[rows["origin"]]
        order = np.lexsort((rows["origin"], rows["hops"], state, rows["kind"], rows["knot"]))
        rows, place = select(rows, order), np.arange(len(order))
        starts = group_starts(rows["knot"], rows["kind"], state[order])
        near = place - np.maximum.accumulate(np.where(starts, place, 0)) < MOST_ORIGINS
        self.cut_count += int(np.count_nonzero(~near))
        return {name: column[near] for name, column in rows.items() if name in self._handed}

    @cached_property
    def _handed(self) -> frozenset[str]:
        return frozenset(self._begun(np.empty(0, np.int64), None))

    def _begun(self, asking: Ints, kept: Columns | None) -> Columns:
        """Duties that begin at these models: what no duty of the same licence brings already."""
        graph = self.graph
        place, kind = np.nonzero(self.bench.asked[graph.state[asking]])
        origin = asking[place]
        if kept:
            there = self._case(kept["knot"], kept["kind"], kept["origin"])
            new = ~np.isin(self._case(graph.knot[origin], kind, origin), there)
            origin, kind = origin[new], kind[new]
        zero, nowhere = np.zeros(len(origin), np.int64), np.full(len(origin), NONE)
        return {
            "knot": graph.knot[origin],
            "origin": origin,
            "kind": kind,
            "hops": zero,
            "is_sure": self.bench.asked[graph.state[origin], kind] == ASKED,
            "is_own": np.ones(len(origin), np.bool_),
            "open_hops": zero,
            "open_blind": np.zeros(len(origin), np.bool_),
            "drop_hops": np.full(len(origin), NEVER),
            "drop_child": nowhere,
            "drop_parent": nowhere,
            "drop_blind": np.zeros(len(origin), np.bool_),
        }

    def _case(self, knot: Ints, kind: Ints, origin: Ints) -> Ints:
        kinds, states = self.bench.asked.shape[1], self.bench.asked.shape[0]
        case: Ints = (knot * kinds + kind) * states + self.graph.state[origin]
        return case

    def _reached(self) -> Columns:
        if not self.found:
            return {name: np.empty(0, np.int64) for name in NOTED}
        rows = joined(self.found)
        return select(rows, np.lexsort((rows["origin"], rows["kind"], rows["child"])))


def _by_level(places: Ints, level: Ints) -> Ints:
    return places[np.argsort(level[places], kind="stable")]
