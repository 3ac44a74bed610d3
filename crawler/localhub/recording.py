"""Recordings: records that a hub once answered, one JSON object a line, served as a shelf.

Each line is ``{"model": <API record>, "card": <README text or null>, ...}``. A line may also hold

- ``former_ids``: old names, which lead to the present one;
- ``discussions``: newest first, as the Hub's route lists them;
- ``commits``: newest first, each ``{"id", "title", "date"}`` and, where known, ``message`` and
  ``authors``. The newest gives the record its ``sha`` and ``lastModified``; the files stay those
  of the record, for a recording holds no trees;
- ``refs``: as the Hub's route answers them.

Further keys are left alone.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import zstandard

from crawler.localhub.shelf import Commit, Repo, Shelf, ShelfError, read_folder

LEFT_TRUNCATION = "2022-03-02T23:29:04.000Z"  # what the Hub says of all that is older


def open_shelf(source: Path) -> Shelf:
    """Read what there is to serve: a shelf folder, or a recording (``.jsonl``, ``.jsonl.zst``).

    Raises `ShelfError` where the source is absent or cannot be read.
    """
    return read_folder(source) if source.is_dir() else read_recording(source)


def read_recording(path: Path) -> Shelf:
    """Read a recording; `ShelfError` names the file and the line that cannot be served."""
    repos: list[Repo] = []
    seen: set[str] = set()
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        repo = _repo(line, f"{path}: line {number}")
        if repo.id in seen:
            raise ShelfError(f"{path}: line {number}: a second record of {repo.id!r}")
        seen.add(repo.id)
        repos.append(repo)
    return Shelf(repos)


def completed(record: dict[str, Any]) -> dict[str, Any]:
    """The record with ``_id``, ``createdAt`` and ``author`` where it lacks them, nothing else.

    ``_id`` is made of the id's hash, so that one recording gives the same cursor every time.
    """
    repo_id = str(record["id"])
    owner, slash, _ = repo_id.partition("/")
    added = {"_id": made_up_id(repo_id), "createdAt": LEFT_TRUNCATION}
    if slash:
        added["author"] = owner
    return {**added, **record}


def made_up_id(repo_id: str) -> str:
    """24 hexadecimal characters in the shape of the Hub's ``_id``, the same for the same id."""
    return hashlib.sha256(repo_id.encode()).hexdigest()[:24]


def _lines(path: Path) -> Iterator[bytes]:
    try:
        if path.suffix != ".zst":
            with path.open("rb") as file:
                yield from file
            return
        yield from io.BytesIO(b"".join(_frames(path.read_bytes(), path)))
    except OSError as error:
        raise ShelfError(f"{path} cannot be read: {error.strerror or error}") from error
    except zstandard.ZstdError as error:
        raise ShelfError(f"{path} is no whole Zstandard file: {error}") from error


def _frames(packed: bytes, path: Path) -> Iterator[bytes]:
    # Not by a stream reader: that takes a missing end for the end.
    while packed:
        frame = zstandard.ZstdDecompressor().decompressobj()
        yield frame.decompress(packed)
        if not frame.eof:
            raise ShelfError(f"{path} is no whole Zstandard file: its end is missing")
        packed = frame.unused_data


def _repo(line: bytes, where: str) -> Repo:
    try:
        stored = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise ShelfError(f"{where}: not JSON ({error})") from error
    record = stored.get("model") if isinstance(stored, dict) else None
    if not isinstance(record, dict) or not isinstance(record.get("id"), str) or not record["id"]:
        raise ShelfError(f'{where}: no {{"model": {{"id": …}}, "card": …}}')
    card = stored.get("card")
    if card is not None and not isinstance(card, str):
        raise ShelfError(f"{where}: the card of {record['id']!r} is neither text nor null")
    history = _history(stored, f"{where}: the history of {record['id']!r}")
    return Repo(record=completed(record), card=card, trees_known=False, **history)


def _history(stored: dict[str, Any], where: str) -> dict[str, Any]:
    kinds = {"former_ids": str, "discussions": dict, "commits": dict}
    history: dict[str, Any] = {key: stored[key] for key in (*kinds, "refs") if key in stored}
    for key, kind in kinds.items():
        listed = history.get(key, [])
        if not isinstance(listed, list) or not all(isinstance(one, kind) for one in listed):
            raise ShelfError(f"{where}: {key} is no list of {kind.__name__}")
    if not isinstance(history.get("refs", {}), dict):
        raise ShelfError(f"{where}: refs is no dict")
    try:
        history["commits"] = [Commit(**one, files={}) for one in history.get("commits", [])]
    except TypeError as error:
        raise ShelfError(f"{where}: a commit has odd or missing keys ({error})") from error
    return history
