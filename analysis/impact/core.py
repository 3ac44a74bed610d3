"""Exact unions over the few nodes of a hub below which ways meet again, as rows of bits.

Where a node has several parents, sums along edges would count it more than once. Below most nodes
there is no such meeting; the others are the core, and each of them keeps the set of what it reaches
as a row of bits, in blocks of columns so that memory stays bounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.impact.graph import Knots, reached
from analysis.trees import NONE, Ints, generations

Bits = npt.NDArray[np.uint64]
CELLS = 2**25  # of rows times columns of a block


@dataclass(frozen=True)
class Core:
    """Knots below which ways meet again, and those where they meet; numbered 0 to c - 1.

    Attributes
    ----------
    knots
        Shape (c,): which knots they are.
    meets
        Shape (j,): those of several parents, by their numbers here.
    child, parent
        Shape (e,): edges among them, in the order in which sets grow: by the height of the parent,
        then by the parent.
    heights
        Where each height starts among the edges, and their end.
    """

    knots: Ints
    meets: Ints
    child: Ints
    parent: Ints
    heights: Ints


def find_core(knots: Knots) -> Core:
    """Knots of several parents, cycles, and all that is above one of either."""
    graph, several = knots.graph, knots.parent_count > 1
    odd = np.flatnonzero(several | (knots.size > 1))
    is_core = reached(odd, graph.child, graph.parent, graph.count)
    is_core[odd] = True
    inside = is_core[graph.child] & is_core[graph.parent]
    number = np.cumsum(is_core) - 1
    child, parent = number[graph.child[inside]], number[graph.parent[inside]]
    members = np.flatnonzero(is_core)
    height = generations(parent, child, len(members))[0][parent]
    order = np.lexsort((parent, height))
    last = int(height.max(initial=0))
    return Core(
        knots=members,
        meets=np.flatnonzero(several[members]),
        child=child[order],
        parent=parent[order],
        heights=np.searchsorted(height[order], np.arange(1, last + 2)),
    )


def sums_of_meets(core: Core, values: Ints) -> Ints:
    """Sum over all distinct meeting knots that each knot of the core reaches, itself included.

    Parameters
    ----------
    values
        Shape (j meets, k columns).

    Returns
    -------
    Shape (c, k).
    """
    total = np.zeros((len(core.knots), values.shape[1]), dtype=np.int64)
    for start, stop in _blocks(len(core.meets), len(core.knots)):
        bits = _no_bits(core, stop - start)
        set_bits(bits, core.meets[start:stop], np.arange(stop - start))
        spread(core, bits)
        cells = np.unpackbits(bits.view(np.uint8), axis=1, bitorder="little").view(np.bool_)
        row, column = np.nonzero(cells)
        first = np.flatnonzero(np.diff(row, prepend=NONE))
        if len(first):
            total[row[first]] += np.add.reduceat(values[start:stop][column], first)
    return total


@dataclass(frozen=True)
class ColourBlock:
    """Sets of some of the colours, as bits.

    Attributes
    ----------
    start, stop
        Which colours: those from ``start`` up to ``stop``.
    strict, whole
        Shape (c, words): colours below each knot of the core; with those of its own nodes.
    """

    start: int
    stop: int
    strict: Bits
    whole: Bits


def colour_blocks(
    core: Core, below: tuple[Ints, Ints], own: tuple[Ints, Ints], colour_count: int
) -> Iterator[ColourBlock]:
    """The colours that each knot of the core reaches, a block of colours at a time.

    Parameters
    ----------
    below, own
        Pairs (number in the core, colour): of nodes that hang below a knot without another of the
        core between; of the knot's own nodes. Doubles do no harm.
    """
    rows = max(len(core.knots), len(core.child))
    for start, stop in _blocks(colour_count, rows // 8 + 1):
        strict = _no_bits(core, stop - start)
        set_bits(strict, *_within(below, start, stop))
        whole = strict.copy()
        set_bits(whole, *_within(own, start, stop))
        spread(core, whole)
        _lift(strict, whole, core.child, core.parent, by_parent=False)
        yield ColourBlock(start, stop, strict, whole)


def set_bits(bits: Bits, row: Ints, column: Ints) -> None:
    """Set bits in place."""
    np.bitwise_or.at(bits, (row, column // 64), np.uint64(1) << (column % 64).astype(np.uint64))


def get_bits(bits: Bits, row: Ints, column: Ints) -> npt.NDArray[np.bool_]:
    """Whether bits are set."""
    shifted = bits[row, column // 64] >> (column % 64).astype(np.uint64)
    return (shifted & np.uint64(1)).astype(bool)


def spread(core: Core, bits: Bits) -> None:
    """Give each knot of the core what the knots below it have, in place."""
    for start, stop in zip(core.heights[:-1], core.heights[1:], strict=True):
        _lift(bits, bits, core.child[start:stop], core.parent[start:stop])


def _lift(upper: Bits, lower: Bits, child: Ints, parent: Ints, *, by_parent: bool = True) -> None:
    if not by_parent:
        order = np.argsort(parent, kind="stable")
        child, parent = child[order], parent[order]
    first = np.flatnonzero(np.diff(parent, prepend=NONE))
    if len(first):
        upper[parent[first]] |= np.bitwise_or.reduceat(lower[child], first, axis=0)


def _blocks(columns: int, rows: int) -> Iterator[tuple[int, int]]:
    width = max(64, CELLS // max(rows, 1))
    for start in range(0, columns, width):
        yield start, min(start + width, columns)


def _no_bits(core: Core, columns: int) -> Bits:
    return np.zeros((len(core.knots), -(-columns // 64)), dtype=np.uint64)


def _within(pairs: tuple[Ints, Ints], start: int, stop: int) -> tuple[Ints, Ints]:
    row, colour = pairs
    kept = (colour >= start) & (colour < stop)
    return row[kept], colour[kept] - start
