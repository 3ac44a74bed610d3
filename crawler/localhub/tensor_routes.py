"""``/api/models/{id}/safetensors-metadata/{index}``: the headers of all shards in one answer."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.responses import Response

from crawler.localhub.access import check_files, no_entry, token_of
from crawler.localhub.ask import Ask, json_answer
from crawler.localhub.history import head
from crawler.localhub.shelf import Commit, RepoFile

LENGTH_BYTES = 8


async def safetensors_metadata(ask: Ask) -> Response:
    """``{"index": …, "headers": {shard: header}}`` of a sharded repo's main branch."""
    check_files(ask.repo.record, token_of(ask.request))
    path = "/".join(ask.rest)
    commit = head(ask.repo)
    index = _index(ask, commit, path) if commit else None
    if commit is None or index is None:
        raise no_entry(path, commit.id if commit else None)
    folder = path.rpartition("/")[0]
    shards = sorted(set(index["weight_map"].values()))
    headers = {shard: _header(ask, commit, f"{folder}/{shard}".lstrip("/")) for shard in shards}
    return json_answer({"index": index, "headers": headers})


def _index(ask: Ask, commit: Commit, path: str) -> dict[str, Any] | None:
    if path not in commit.files or not path.endswith(".safetensors.index.json"):
        return None
    index: dict[str, Any] = orjson.loads(_start(ask, commit.files[path], None))
    return index


def _header(ask: Ask, commit: Commit, path: str) -> Any:
    if path not in commit.files:
        raise no_entry(path, commit.id)
    file = commit.files[path]
    size = int.from_bytes(_start(ask, file, LENGTH_BYTES), "little")
    return orjson.loads(_start(ask, file, LENGTH_BYTES + size)[LENGTH_BYTES:])


def _start(ask: Ask, file: RepoFile, size: int | None) -> bytes:
    with ask.hub.catalogue.shelf.content(file).open("rb") as content:
        return content.read(size)
