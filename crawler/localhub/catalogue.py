"""The shelf indexed for answering: repos by name, orders by sort key, records as JSON bytes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Any

import orjson

from crawler.localhub.history import head, siblings
from crawler.localhub.recording import made_up_id
from crawler.localhub.shelf import Repo, Shelf, ShelfError

NUMBERS = frozenset({"likes", "downloads", "trendingScore"})
SORTABLE = frozenset({"createdAt", "lastModified", "id"}) | NUMBERS
CACHED_VIEWS = 4

SortKey = tuple[int, Any, str]  # 0 where the record lacks the key, else 1; the value; _id


def sort_key(record: dict[str, Any], key: str) -> SortKey:
    """Where a record stands in an order; records without a usable value come before all others.

    ``_id`` breaks ties, so that two records never share a place.
    """
    value = record.get(key)
    usable = isinstance(value, (int, float) if key in NUMBERS else str)
    return (1, value, record["_id"]) if usable else (0, None, record["_id"])


class Order:
    """All records of a catalogue sorted by one key, ascending.

    Attributes
    ----------
    keys
        `SortKey` of each place.
    numbers
        Index into `Catalogue.records` of each place.
    """

    def __init__(self, records: list[dict[str, Any]], key: str) -> None:
        pairs = sorted((sort_key(record, key), n) for n, record in enumerate(records))
        self.keys = [place for place, _ in pairs]
        self.numbers = [n for _, n in pairs]

    def after(self, cursor: SortKey | None, *, descending: bool) -> Iterator[int]:
        """Record numbers that follow a place (None: from the start), in the asked direction.

        The place need not be taken any more: a cursor outlives its record.
        """
        if descending:
            stop = len(self.keys) if cursor is None else bisect_left(self.keys, cursor)
            return (self.numbers[n] for n in range(stop - 1, -1, -1))
        start = 0 if cursor is None else bisect_right(self.keys, cursor)
        return (self.numbers[n] for n in range(start, len(self.keys)))


class Catalogue:
    """A shelf made ready to be asked.

    Raises
    ------
    ShelfError
        Two repos share an id or an ``_id``.
    """

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.repos = {repo.id: repo for repo in shelf.repos}
        self.records = [full_record(repo) for repo in shelf.repos]
        self.former = {old: repo for repo in shelf.repos for old in repo.former_ids}
        self._orders: dict[str, Order] = {}
        self._views: dict[tuple[str, ...], list[bytes | None]] = {}
        for key in ("id", "_id"):
            _check_unique(self.records, key)

    def order(self, key: str) -> Order:
        """The order by one of `SORTABLE`, sorted at its first use."""
        if key not in self._orders:
            self._orders[key] = Order(self.records, key)
        return self._orders[key]

    def encoded(self, numbers: list[int], fields: tuple[str, ...]) -> bytes:
        """A JSON list of records with ``_id``, ``id`` and those fields that each has.

        Each record's bytes are kept for the next sweep, for the `CACHED_VIEWS` newest field sets.
        """
        cache = self._cache(fields)
        parts: list[bytes] = []
        for n in numbers:
            part = cache[n]
            if part is None:
                part = cache[n] = orjson.dumps(view(self.records[n], fields))
            parts.append(part)
        return b"[" + b",".join(parts) + b"]"

    def _cache(self, fields: tuple[str, ...]) -> list[bytes | None]:
        if fields not in self._views:
            if len(self._views) >= CACHED_VIEWS:
                del self._views[next(iter(self._views))]
            self._views[fields] = [None] * len(self.records)
        return self._views[fields]


def full_record(repo: Repo) -> dict[str, Any]:
    """A repo's record with what follows from its newest commit on main, where commits are known."""
    record = {"_id": made_up_id(repo.id), **repo.record}
    newest = head(repo)
    if newest is not None:
        record |= {
            "sha": newest.id,
            "lastModified": newest.date,
            "siblings": siblings(newest),
        }
    return record


def view(record: dict[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    """``_id``, ``id`` and the asked fields; a field that the record lacks stays away."""
    return {name: record[name] for name in ("_id", "id", *fields) if name in record}


def _check_unique(records: list[dict[str, Any]], key: str) -> None:
    seen: set[Any] = set()
    for record in records:
        if record[key] in seen:
            raise ShelfError(f"two repos on the shelf have the {key} {record[key]!r}")
        seen.add(record[key])
