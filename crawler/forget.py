"""Forgetting on request: what is stored of a repo or an owner is erased, and stays away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from crawler import CrawlError
from crawler.database import transaction
from crawler.listed import is_safe_id
from crawler.raw import Envelope, body_of, envelope, read_raw, replace_raw
from crawler.restraint import Restraint, digest
from crawler.state import CrawlState


class NotForgettable(CrawlError):
    """What was named can be neither a repo nor an owner."""


@dataclass(frozen=True)
class Forgotten:
    """What a `forget` erased: repos known by the state, raw files written anew."""

    repo_count: int
    file_count: int


def forget(home: Path, name: str) -> Forgotten:
    """Erase a repo (OWNER/NAME) or all of an owner (OWNER) from ``home/raw`` and the state.

    Only digests of the names stay, so that no later crawl or import stores it again. What others
    say of it (a child that names it as its base) is theirs and stays. The warehouse is to be built
    from scratch afterwards. A `forget` that was broken off is finished by repeating it.

    Raises `NotForgettable`, `HomeBusy`.
    """
    if not is_safe_id(name):
        raise NotForgettable(f"{name!r} is neither a repo (OWNER/NAME) nor an owner")
    state = CrawlState(home)
    try:
        with state.locked():
            repo_count = _remember(state, name)
            restraint = Restraint(state.forgotten())
            files = sorted((home / "raw").rglob("*.jsonl.zst"))
            return Forgotten(repo_count, sum(_erase(path, restraint) for path in files))
    finally:
        state.close()


def _remember(state: CrawlState, name: str) -> int:
    """Keep the digests and drop the state's own rows; how many repos these were."""
    db, whole_owner = state.db, "/" not in name
    kinds = [("repo", name), *([("owner", name)] if whole_owner else [])]
    rows = db.execute(
        "select repo_key, hub_id from repo where lower(repo_id) = lower(?)"
        " or (? and lower(substr(repo_id, 1, instr(repo_id, '/') - 1)) = lower(?))",
        (name, whole_owner, name),
    ).fetchall()
    kinds += [("hub_id", hub_id) for _, hub_id in rows]
    with transaction(db, "forget"):
        db.executemany(
            "insert or ignore into forgotten (digest) values (?)", [(digest(*k),) for k in kinds]
        )
        for table in ("facet_queue", "repo"):
            db.executemany(
                f"delete from {table} where repo_key = ?",  # noqa: S608
                [(key,) for key, _ in rows],
            )
    return len(rows)


def _erase(path: Path, restraint: Restraint) -> bool:
    """Write a raw file anew without what is forgotten; whether there was anything."""
    stored = list(read_raw(path))
    kept = list(_kept(stored, restraint))
    if kept == stored:
        return False
    replace_raw(path, kept)
    return True


def _kept(stored: list[Envelope], restraint: Restraint) -> Iterator[Envelope]:
    for one in stored:
        if one.get("facet") == "model":
            body, _, withheld = restraint.sifted(body_of(one))
            yield (
                _with_body(one, body, withheld=one.get("withheld", 0) + withheld)
                if withheld
                else one
            )
        elif one.get("facet") == "sample":
            yield _sample(one, restraint)
        elif not _is_about(one, restraint):
            yield one


def _is_about(one: Envelope, restraint: Restraint) -> bool:
    """Whether an answer is about what is forgotten, also under the name that a redirect led to."""
    if restraint.is_forgotten(one.get("repo_id")):
        return True
    if one.get("facet") not in {"probe", "security"}:
        return False
    try:
        record = orjson.loads(body_of(one))
    except orjson.JSONDecodeError:
        return False
    told = record if isinstance(record, dict) else {}
    return restraint.is_forgotten(told.get("id"), told.get("_id"))


def _sample(one: Envelope, restraint: Restraint) -> Envelope:
    told = orjson.loads(body_of(one))
    members = [m for m in told["members"] if not restraint.is_forgotten(m[0])]
    if len(members) == len(told["members"]):
        return one
    return _with_body(one, orjson.dumps({**told, "members": members}))


def _with_body(one: Envelope, body: bytes, **changes: Any) -> Envelope:
    rest = {key: value for key, value in one.items() if key not in {"body", "body_base64"}}
    return envelope(body, **{**rest, **changes})
