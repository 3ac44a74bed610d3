"""The shelf indexed for answering: repos by name, orders by sort key, records as JSON bytes.

A catalogue may hold every repo many times over. Copy k > 0 of ``OWNER/NAME`` is
``OWNER/NAME-ck`` with an ``_id`` of its own and everything else alike; a copy stands right behind
its original in every order. Copies take no memory: a *place number* is
``record number * times + k``.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import orjson

from crawler.localhub.history import head, siblings
from crawler.localhub.recording import made_up_id
from crawler.localhub.shelf import Repo, Shelf, ShelfError

NUMBERS = frozenset({"likes", "downloads", "trendingScore"})
SORTABLE = frozenset({"createdAt", "lastModified", "id"}) | NUMBERS
SHUFFLED = "id hash"  # a sort key that nobody can ask for
CACHED_VIEWS = 4
COPY_NAME = re.compile(r"(.+)-c([1-9][0-9]{0,8})", re.DOTALL)

SortKey = tuple[int, Any, str]  # 0 where the record lacks the key, else 1; the value; _id
Cursor = tuple[SortKey, int]  # of a record, and which of its copies


def sort_key(record: dict[str, Any], key: str) -> SortKey:
    """Where a record stands in an order; records without a usable value come before all others.

    ``_id`` breaks ties, so that two records never share a place.
    """
    value = made_up_id(record["id"]) if key == SHUFFLED else record.get(key)
    usable = isinstance(value, (int, float) if key in NUMBERS else str)
    return (1, value, record["_id"]) if usable else (0, None, record["_id"])


class Order:
    """All records of a catalogue sorted by one key, ascending.

    Attributes
    ----------
    keys
        `SortKey` of each record in this order.
    numbers
        Index into `Catalogue.records` of each.
    times
        Copies of each record, the record itself counted.
    """

    def __init__(self, records: list[dict[str, Any]], key: str, *, times: int = 1) -> None:
        pairs = sorted((sort_key(record, key), n) for n, record in enumerate(records))
        self.keys = [place for place, _ in pairs]
        self.numbers = [n for _, n in pairs]
        self.times = times

    def after(self, cursor: Cursor | None, *, descending: bool) -> Iterator[int]:
        """Place numbers that follow a cursor (None: from the start), in the asked direction.

        The place need not be taken any more: a cursor outlives its record.
        """
        end = len(self.keys) * self.times
        if cursor is None:
            start, taken = (end if descending else 0), False
        else:
            start, taken = self._found(cursor)
        if descending:
            return self._places(range(start - 1, -1, -1))
        return self._places(range(start + taken, end))

    def _found(self, cursor: Cursor) -> tuple[int, bool]:
        place, copy = cursor
        n = bisect_left(self.keys, place)
        taken = n < len(self.keys) and self.keys[n] == place and copy < self.times
        return n * self.times + (copy if taken else 0), taken

    def _places(self, ranks: Iterable[int]) -> Iterator[int]:
        numbers, times = self.numbers, self.times
        for rank in ranks:
            n, copy = divmod(rank, times)
            yield numbers[n] * times + copy


class Catalogue:
    """A shelf made ready to be asked.

    Parameters
    ----------
    times
        How many times over every repo is there.

    Raises
    ------
    ShelfError
        Two repos share an id or an ``_id``, or one has the name of another's copy.
    """

    def __init__(self, shelf: Shelf, *, times: int = 1) -> None:
        self.shelf = shelf
        self.times = times
        self.records = [full_record(repo) for repo in shelf.repos]
        self.former = {old: repo for repo in shelf.repos for old in repo.former_ids}
        self._orders: dict[str, Order] = {}
        self._views: dict[tuple[str, ...], list[bytes | None]] = {}
        for key in ("id", "_id"):
            _check_unique(self.records, key)
        self._numbers = {record["id"]: n for n, record in enumerate(self.records)}
        self._check_copies()

    def find(self, name: str) -> Repo | None:
        """The repo or copy of this name, or the repo that once had it; None where there is none."""
        place = self._place(name)
        if place is None:
            return self.former.get(name)
        repo = self.shelf.repos[place // self.times]
        if place % self.times == 0:
            return repo
        return replace(repo, record=repo.record | self._identity(place), former_ids=[])

    def record_of(self, repo: Repo) -> dict[str, Any]:
        """The full record, as of now, of a repo that `find` found."""
        place = self._place(repo.id)
        assert place is not None
        return self.records[place // self.times] | self._identity(place)

    def order(self, key: str) -> Order:
        """The order by one of `SORTABLE` or `SHUFFLED`, sorted at its first use."""
        if key not in self._orders:
            self._orders[key] = Order(self.records, key, times=self.times)
        return self._orders[key]

    def cursor(self, place: int, key: str) -> Cursor:
        """Where a place number stands in the order by this key."""
        n, copy = divmod(place, self.times)
        return sort_key(self.records[n], key), copy

    def encoded(self, places: list[int], fields: tuple[str, ...]) -> bytes:
        """A JSON list of records with ``_id``, ``id`` and those fields that each has.

        Each record's bytes but those two are kept for its copies and for the next sweep, for the
        `CACHED_VIEWS` newest field sets.
        """
        cache = self._cache(fields)
        parts: list[bytes] = []
        for place in places:
            n = place // self.times
            rest = cache[n]
            if rest is None:
                rest = cache[n] = _rest(self.records[n], fields)
            parts.append(orjson.dumps(self._identity(place))[:-1] + rest)
        return b"[" + b",".join(parts) + b"]"

    def change(self, number: int, changes: dict[str, Any]) -> None:
        """Give a record (and its copies) new values of sortable fields."""
        self.records[number] = self.records[number] | changes
        for key in changes:
            self._orders.pop(key, None)
        for cache in self._views.values():
            cache[number] = None

    def _identity(self, place: int) -> dict[str, str]:
        n, copy = divmod(place, self.times)
        record = self.records[n]
        if copy == 0:
            return {"_id": record["_id"], "id": record["id"]}
        return {"_id": f"{record['_id']}{copy:08x}", "id": f"{record['id']}-c{copy}"}

    def _place(self, name: str) -> int | None:
        if name in self._numbers:
            return self._numbers[name] * self.times
        found = COPY_NAME.fullmatch(name)
        if found is None or found[1] not in self._numbers or int(found[2]) >= self.times:
            return None
        return self._numbers[found[1]] * self.times + int(found[2])

    def _cache(self, fields: tuple[str, ...]) -> list[bytes | None]:
        if fields not in self._views:
            if len(self._views) >= CACHED_VIEWS:
                del self._views[next(iter(self._views))]
            self._views[fields] = [None] * len(self.records)
        return self._views[fields]

    def _check_copies(self) -> None:
        for name in self._numbers:
            found = COPY_NAME.fullmatch(name)
            if found and found[1] in self._numbers and int(found[2]) < self.times:
                raise ShelfError(
                    f"{name!r} has the name of a copy of {found[1]!r}; serve this shelf"
                    f" {int(found[2])} times at most"
                )


def full_record(repo: Repo) -> dict[str, Any]:
    """A repo's record with what follows from its newest commit on main, where commits are known."""
    record = {"_id": made_up_id(repo.id), **repo.record}
    newest = head(repo)
    if newest is not None:
        record |= {"sha": newest.id, "lastModified": newest.date}
        if repo.trees_known:
            record["siblings"] = siblings(newest)
    return record


def view(record: dict[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    """``_id``, ``id`` and the asked fields; a field that the record lacks stays away."""
    return {name: record[name] for name in ("_id", "id", *fields) if name in record}


def _rest(record: dict[str, Any], fields: tuple[str, ...]) -> bytes:
    shown = orjson.dumps({name: record[name] for name in fields if name in record})
    return shown[1:] if shown == b"{}" else b"," + shown[1:]


def _check_unique(records: list[dict[str, Any]], key: str) -> None:
    seen: set[Any] = set()
    for record in records:
        if record[key] in seen:
            raise ShelfError(f"two repos on the shelf have the {key} {record[key]!r}")
        seen.add(record[key])
