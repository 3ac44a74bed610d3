"""What is never stored: private repos, and what somebody asked to be forgotten."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

MARKED_PRIVATE = re.compile(r'"private"\s*:\s*true')
STATED_ID = re.compile(r'"(_?id)"\s*:\s*("[^"\\\x00-\x1f]*")')
BRACKET_OR_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]')


@dataclass(frozen=True)
class Restraint:
    """Takes out of an answer what must not be stored.

    Attributes
    ----------
    forgotten
        Digests (`digest`) of repo ids, owners and hub ids: not even their names are kept.
    """

    forgotten: frozenset[str] = frozenset()

    def withholds(self, record: dict[str, Any]) -> bool:
        """Whether a listed record is private or forgotten."""
        if record.get("private") is True:
            return True
        return bool(self.forgotten) and self.is_forgotten(record.get("id"), record.get("_id"))

    def is_forgotten(self, repo_id: object, hub_id: object = None) -> bool:
        """Whether a repo, its owner, or what it was called before is forgotten."""
        return bool(self.forgotten) and not self.forgotten.isdisjoint(digests(repo_id, hub_id))

    def sifted(self, body: bytes) -> tuple[bytes, list[dict[str, Any]], int]:
        """A listing page without what is withheld: its bytes, its records, how many were taken out.

        A page with nothing to withhold stays as it came, byte for byte; so do the records that
        stay of any other.
        """
        return sift(body, self.withholds)


def sift(
    body: bytes, withholds: Callable[[dict[str, Any]], bool]
) -> tuple[bytes, list[dict[str, Any]], int]:
    """As `Restraint.sifted`, by any rule; of a record that does not parse it gets what it states.

    That is ``id`` and ``_id`` as far as they can be read, and ``private`` where that is marked.
    """
    records, whole = split_page(body)
    if whole and not any(map(withholds, records)):
        return body, records, 0
    parts = _texts(body, whole=whole)
    kept = [part for part in parts if not withholds(_stated(part))]
    if len(kept) == len(parts):
        return body, records, 0
    sifted = ("[" + ",".join(kept) + "]").encode()
    return sifted, split_page(sifted)[0], len(parts) - len(kept)


def digest(kind: str, name: str) -> str:
    """What stands for a forgotten repo, owner or hub id in the state."""
    return hashlib.sha256(f"hubatlas {kind} {name.lower()}".encode()).hexdigest()


def digests(repo_id: object, hub_id: object = None) -> list[str]:
    """All digests under which a repo may have been forgotten."""
    found = [digest("hub_id", hub_id)] if isinstance(hub_id, str) else []
    if isinstance(repo_id, str):
        owner, slash, _ = repo_id.partition("/")
        found.append(digest("repo", repo_id))
        found += [digest("owner", owner)] if slash else []
    return found


def split_page(body: bytes) -> tuple[list[dict[str, Any]], bool]:
    """The records of a page, and whether it parses; if not, those of its parts that do."""
    try:
        records, whole = orjson.loads(body), True
    except orjson.JSONDecodeError:
        parts = page_parts(body.decode("utf-8", "replace"))
        records, whole = [_parsed(part) for part in parts], False
    return [record for record in records if isinstance(record, dict)], whole


def page_records(body: bytes) -> list[dict[str, Any]]:
    """The records of a page; of those that do not parse, what they state of their repo."""
    records, whole = split_page(body)
    return records if whole else [_stated(part) for part in _texts(body, whole=False)]


def page_parts(page: str) -> Iterator[str]:
    """Each record of a page as its own text, as far as brackets can be matched."""
    depth, start = 0, 0
    for token in BRACKET_OR_STRING.finditer(page):
        if token[0] in "[{":
            depth += 1
            start = token.start() if depth == 2 else start
        elif token[0] in "]}":
            depth -= 1
            if depth == 1:
                yield page[start : token.end()]


def _texts(body: bytes, *, whole: bool) -> list[str]:
    """The text of each member of a page; what is neither object nor list by its value."""
    parts = page_parts(body.decode("utf-8", "replace"))
    if not whole:
        return list(parts)
    members = orjson.loads(body)
    nested = (dict, list)
    return [next(parts) if isinstance(m, nested) else orjson.dumps(m).decode() for m in members]


def _stated(part: str) -> dict[str, Any]:
    """A record; of one that does not parse the ids it states and whether it is marked private."""
    record = _parsed(part)
    if isinstance(record, dict):
        return record
    if record is not None:
        return {}
    stated = {key: orjson.loads(text) for key, text in STATED_ID.findall(_outermost(part))}
    return {**stated, **({"private": True} if MARKED_PRIVATE.search(part) else {})}


def _outermost(part: str) -> str:
    """A record's text without what is nested in it."""
    depth, end, kept = 0, 0, []
    for token in BRACKET_OR_STRING.finditer(part):
        if token[0] in "[{":
            kept += [part[end : token.start()]] if depth == 1 else []
            depth += 1
        elif token[0] in "]}":
            depth -= 1
            end = token.end() if depth == 1 else end
    return "".join([*kept, part[end:]])


def _parsed(part: str) -> Any:
    try:
        return orjson.loads(part)
    except orjson.JSONDecodeError:
        return None  # The page is stored as it came; the warehouse rejects this record by position.
