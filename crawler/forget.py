"""Forgetting on request: what is stored of a repo or an owner is erased, and stays away."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from crawler import CrawlError
from crawler.database import transaction
from crawler.listed import is_safe_id
from crawler.names import FORGOTTEN, NEVER, Names, Span, answered_by, fetched_at, gather, is_lasting
from crawler.raw import Envelope, body_of, envelope, read_raw, replace_raw
from crawler.restraint import digest, sift
from crawler.state import CrawlState

# By the digest of a name when it was the repo's: a name alone would not do, for it may have been
# another's before, or be another's now.
NAMES = """
create table if not exists forgotten_name (
  digest text not null, since_at text not null, until_at text not null,
  erased integer not null default 0, primary key (digest, since_at, until_at)) without rowid
"""


class NotForgettable(CrawlError):
    """What was named can be neither a repo nor an owner."""


class NothingStored(CrawlError):
    """The home from which something is to be erased holds no crawl."""


@dataclass(frozen=True)
class Forgotten:
    """What a `forget` erased: repos known by the state, raw files written anew."""

    repo_count: int
    file_count: int


def forget(home: Path, name: str) -> Forgotten:
    """Erase a repo (OWNER/NAME) or all of an owner (OWNER) from ``home/raw`` and the state.

    A repo is followed through its names (`crawler.names`): what was stored of it under others goes
    too, what is another repo's under the same name stays. Only digests are kept, of the name, of
    the repos' ``_id`` and of old names that nobody has now, so that no later crawl or import stores
    it again. What others say of it (a child that names it as its base) is theirs and stays. The
    warehouse is to be built from scratch afterwards. A `forget` that was broken off is finished by
    the next one.

    Raises `NotForgettable`, `NothingStored`, `HomeBusy`; `RawFileDamaged` before anything is
    erased.
    """
    if not is_safe_id(name):
        raise NotForgettable(f"{name!r} is neither a repo (OWNER/NAME) nor an owner")
    if not any((home / room).is_dir() for room in ("raw", "state")):
        raise NothingStored(f"{home} holds no crawl; give the --home of one")
    state = CrawlState(home)
    try:
        with state.locked():
            return _forget(state, home / "raw", _Wanted(name))
    finally:
        state.close()


@dataclass(frozen=True)
class _Wanted:
    """Whether a name is the one to be forgotten, or its owner's."""

    name: str

    def __call__(self, name: str) -> bool:
        owner, slash, _ = name.lower().partition("/")
        asked = self.name.lower()
        return name.lower() == asked or (bool(slash) and owner == asked)

    @property
    def digests(self) -> list[str]:
        kinds = ("repo",) if "/" in self.name else ("repo", "owner")
        return [digest(kind, self.name) for kind in kinds]


def _forget(state: CrawlState, raw: Path, wanted: _Wanted) -> Forgotten:
    db = state.db
    db.execute("pragma secure_delete = on")  # else deleted names would stay in the file
    db.execute(NAMES)
    for part in raw.rglob("*.part"):  # what a crash left half written
        part.unlink()
    files = sorted(raw.rglob("*.jsonl.zst"))
    repo_count = _remember(state, files, wanted)
    due = _Due.read(db)
    file_count = sum(_erase(path, due) for path in files)
    with transaction(db, "forgotten"):
        for table in ("forgotten", "forgotten_name"):
            db.execute(f"update {table} set erased = 1 where erased = 0")  # noqa: S608
    db.execute("pragma wal_checkpoint(truncate)")
    return Forgotten(repo_count, file_count)


def _remember(state: CrawlState, files: list[Path], wanted: _Wanted) -> int:
    """Keep the digests and what is to be erased, drop the state's own rows; how many repos."""
    db = state.db
    known = [(key, hub_id) for key, hub_id, name in _repos(db) if wanted(name)]
    found = gather(files, wanted, (hub_id for _, hub_id in known if is_lasting(hub_id)))
    names = Names(found, partial(_forgotten_since, db))
    # Of what raw files say nothing of, the state's word counts.
    repos = {hub_id for _, hub_id in known if hub_id not in names.last}
    before = state.forgotten()
    repos |= {hub_id for hub_id in names.last if digest("hub_id", hub_id) in before}
    repos = names.repos_called(wanted, repos | {FORGOTTEN})
    keys = [(key,) for key, hub_id, name in _repos(db) if _is_one_of(repos, names, hub_id, name)]
    with transaction(db, "forget"):
        _keep_digests(db, names, repos, wanted)
        for table in ("facet_queue", "repo"):
            db.executemany(f"delete from {table} where repo_key = ?", keys)  # noqa: S608
    return len(keys)


def _keep_digests(db: sqlite3.Connection, names: Names, repos: set[str], wanted: _Wanted) -> None:
    spans = [
        (digest("repo", name), *span) for name in names.looks for span in names.spans(name, repos)
    ]
    db.executemany(
        "insert into forgotten_name (digest, since_at, until_at) values (?, ?, ?)"
        " on conflict do update set erased = 0",
        spans,
    )
    db.executemany(
        "insert into forgotten (digest) values (?) on conflict do update set erased = 0",
        [(one,) for one in {*wanted.digests, *_digests(names, repos)}],
    )


def _forgotten_since(db: sqlite3.Connection, name: str) -> list[str]:
    question = "select since_at from forgotten_name where digest = ?"
    return [at for (at,) in db.execute(question, (digest("repo", name),))]


def _repos(db: sqlite3.Connection) -> Iterator[tuple[int, str, str]]:
    yield from db.execute("select repo_key, hub_id, repo_id from repo")


def _is_one_of(repos: set[str], names: Names, hub_id: str, name: str) -> bool:
    return hub_id in repos or (not is_lasting(hub_id) and names.holder(name, NEVER) in repos)


def _digests(names: Names, repos: set[str]) -> Iterator[str]:
    for hub_id in (repos | names.copies(repos)) - {FORGOTTEN}:
        yield digest("hub_id", hub_id)
    for name in names.looks:
        if names.spans(name, repos) and names.present(name) <= repos:
            yield digest("repo", name)


@dataclass(frozen=True)
class _Due:
    """What is to be erased: records by the digest of their ``_id``, the rest by name and time."""

    hub_ids: frozenset[str]
    spans: dict[str, list[Span]]

    @classmethod
    def read(cls, db: sqlite3.Connection) -> _Due:
        spans = defaultdict[str, list[Span]](list)
        for name, since, until in db.execute(
            "select digest, since_at, until_at from forgotten_name where erased = 0"
        ):
            spans[name].append((since, until))
        pending = db.execute("select digest from forgotten where erased = 0")
        return cls(frozenset(row[0] for row in pending), spans)

    def has_record(self, record: dict[str, Any], *, at: str) -> bool:
        hub_id = record.get("_id")
        if isinstance(hub_id, str) and is_lasting(hub_id):
            return digest("hub_id", hub_id) in self.hub_ids
        return self.has_name(record.get("id"), at)

    def has_name(self, name: object, at: str) -> bool:
        spans = self.spans.get(digest("repo", name), []) if isinstance(name, str) else []
        return any(since <= at < until for since, until in spans)

    def has_answer(self, one: Envelope) -> bool:
        """Whether a repo to be forgotten was asked, or answered by another's name."""
        (name, hub_id), at = answered_by(one), fetched_at(one)
        told = hub_id is not None and self.has_record({"id": name, "_id": hub_id}, at=at)
        return told or self.has_name(one.get("repo_id"), at) or self.has_name(name, at)


def _erase(path: Path, due: _Due) -> bool:
    """Write a raw file anew without what is due; whether there was anything."""
    stored = list(read_raw(path))
    kept = list(_kept(stored, due))
    if kept == stored:
        return False
    replace_raw(path, kept)
    return True


def _kept(stored: list[Envelope], due: _Due) -> Iterator[Envelope]:
    for one in stored:
        if one.get("facet") == "model":
            yield _listing(one, due)
        elif one.get("facet") == "sample":
            yield _sample(one, due)
        elif not due.has_answer(one):
            yield one


def _listing(one: Envelope, due: _Due) -> Envelope:
    body, _, withheld = sift(body_of(one), partial(due.has_record, at=fetched_at(one)))
    return _with_body(one, body, withheld=one.get("withheld", 0) + withheld) if withheld else one


def _sample(one: Envelope, due: _Due) -> Envelope:
    told, at = orjson.loads(body_of(one)), fetched_at(one)
    members = [member for member in told["members"] if not due.has_name(member[0], at)]
    if len(members) == len(told["members"]):
        return one
    return _with_body(one, orjson.dumps({**told, "members": members}))


def _with_body(one: Envelope, body: bytes, **changes: Any) -> Envelope:
    rest = {key: value for key, value in one.items() if key not in {"body", "body_base64"}}
    return envelope(body, **{**rest, **changes})
