"""Entries as columns: taken, appended, and those that several paths bring merged into one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Columns = dict[str, npt.NDArray[Any]]
NEVER = np.iinfo(np.int64).max
NONE = -1


class Ledger:
    """Columns that grow, written once: room is doubled, so that many small writes stay cheap."""

    def __init__(self, empty: Columns) -> None:
        self.count = 0
        self._columns = {name: np.empty(1024, column.dtype) for name, column in empty.items()}

    def append(self, rows: Columns) -> None:
        """Write entries behind the others."""
        stop = self.count + len(next(iter(rows.values())))
        for name, column in self._columns.items():
            if stop > len(column):
                grown = np.empty(max(stop, 2 * len(column)), column.dtype)
                grown[: self.count] = column[: self.count]
                self._columns[name] = grown
            self._columns[name][self.count : stop] = rows[name]
        self.count = stop

    def take(self, rows: Ints) -> Columns:
        """Entries by their places."""
        return {name: column[rows] for name, column in self._columns.items()}


def select(rows: Columns, at: npt.NDArray[Any]) -> Columns:
    """Some entries, by places or by a mask."""
    return {name: column[at] for name, column in rows.items()}


def joined(parts: list[Columns]) -> Columns:
    """Entries one after another; all parts have the same columns."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def ranges(start: Ints, stop: Ints) -> Ints:
    """All places from each start to its stop, in a row."""
    lengths = stop - start
    offsets = np.repeat(start - np.r_[0, np.cumsum(lengths)[:-1]], lengths)
    return offsets + np.arange(int(lengths.sum()))


def group_starts(*keys: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Where a run of equal keys begins, of rows that are sorted by them."""
    new = np.zeros(len(keys[0]), dtype=np.bool_)
    new[:1] = True
    for key in keys:
        new[1:] |= key[1:] != key[:-1]
    return new


def merged(came: Columns) -> Columns:
    """One entry a knot, origin and kind, of entries that came there by several edges.

    Fewest hops; sure where any path is; the owner's own where all are. Of drops on the way the one
    nearest to the origin, then that of the smallest child, then parent. Of paths without a drop the
    fewest hops, and the parent by which they come (``via``).
    """
    group = (came["kind"], came["origin"], came["knot"])
    by_drop = np.lexsort((came["drop_parent"], came["drop_child"], came["drop_hops"], *group))
    rows = select(came, by_drop)
    starts = np.flatnonzero(group_starts(rows["kind"], rows["origin"], rows["knot"]))
    sizes = np.diff(np.r_[starts, len(by_drop)])
    first = select(rows, starts)
    is_open = rows["open_hops"] < NEVER
    drop = ("drop_hops", "drop_child")
    is_first = np.all([rows[n] == np.repeat(first[n], sizes) for n in drop], axis=0)
    by_hops = np.lexsort((came["parent"], came["open_hops"], *group))
    return first | {
        "hops": np.minimum.reduceat(rows["hops"], starts),
        "is_sure": np.logical_or.reduceat(rows["is_sure"], starts),
        "is_own": np.logical_and.reduceat(rows["is_own"], starts),
        "open_hops": np.minimum.reduceat(rows["open_hops"], starts),
        "open_blind": np.logical_or.reduceat(rows["open_blind"] & is_open, starts),
        "drop_blind": np.logical_or.reduceat(rows["drop_blind"] & is_first, starts),
        "via": came["parent"][by_hops][starts],
    }
