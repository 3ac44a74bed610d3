"""Headers of weight files: what tensors a repo holds, without its weights.

Sharded safetensors are asked in one request where the server has that route; everything else by
ranges at the start of each file, beyond the first straight from the content host.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

import orjson

from crawler.facets import API, FILE, facet_named, next_page, stored
from crawler.headers import HeaderRefused, header_of
from crawler.hub import Answer
from crawler.queue import Wanted
from crawler.raw import Envelope
from crawler.run import Run

MOST_FILES = 64
INDEX = ".safetensors.index.json"
NAME = "tensors"


def fetch_headers(run: Run, want: Wanted) -> list[Envelope]:
    """The header of each weight file of a repo; what the tree answered where there is none."""
    tree, paths = _listed_files(run, want)
    found = _from_indexes(run, want, paths) if tree.status == 200 else []
    covered = {shard for envelope in found for shard in _shards(envelope)}
    weights = [p for p in paths if p.endswith((".safetensors", ".gguf")) and p not in covered]
    for path in weights[:MOST_FILES]:
        query_file = is_query_file(path, paths)
        if query_file and not run.query_files:
            run.say("GGUF and diffusers headers are left out: --query-files asks for them too")
            continue
        found.append(_from_file(run, want, path, query_file=query_file))
    for page, envelope in enumerate(found):
        envelope["page"] = page
    return found or [stored(run, NAME, want, tree, page=0, kind="tree")]


def is_query_file(path: str, siblings: list[str]) -> bool:
    """Whether the Hub counts a request for this file as a download of the model.

    https://huggingface.co/docs/hub/models-download-stats: every GGUF file, and the safetensors of
    a diffusers repo.
    """
    return path.endswith(".gguf") or ("/" not in path and "model_index.json" in siblings)


def _listed_files(run: Run, want: Wanted) -> tuple[Answer, list[str]]:
    path: str | None = facet_named(NAME).path.format(
        repo_id=want.repo_id, revision=quote(want.revision, safe="")
    )
    names: list[str] = []
    first: Answer | None = None
    for _ in range(facet_named("tree").most_pages):
        answer = run.hub.get(str(path), gated=want.gated, json_due=True)
        first = first or answer
        names += _paths(answer)
        path = next_page(run, NAME, want, answer, str(path))
        if path is None:
            break
    assert first is not None
    return first, names


def _paths(answer: Answer) -> list[str]:
    if answer.status != 200 or answer.failure:
        return []
    entries = orjson.loads(answer.body)
    entries = [e for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []
    return [e["path"] for e in entries if isinstance(e.get("path"), str)]


def _from_indexes(run: Run, want: Wanted, paths: list[str]) -> list[Envelope]:
    """Answers of the route that reads all shards at once, as far as it has this very commit."""
    found = []
    for index in [path for path in paths if path.endswith(INDEX)]:
        route = f"{API.format(repo_id=want.repo_id)}/safetensors-metadata/{quote(index)}"
        answer = run.hub.get(route, gated=want.gated, json_due=True)
        commit = answer.headers.get("x-repo-commit", want.revision)
        if answer.status == 200 and not answer.failure and commit in {want.revision, "main"}:
            more = {"path": index, "kind": "safetensors-index", "query_file": False}
            found.append(stored(run, NAME, want, answer, **more))
    return found


def _shards(envelope: Envelope) -> list[str]:
    answer = orjson.loads(envelope["body"])
    headers = answer.get("headers") if isinstance(answer, dict) else None
    folder = str(envelope["path"]).rpartition("/")[0]
    names = headers if isinstance(headers, dict) else {}
    return [f"{folder}/{name}" if folder else name for name in names]


def _from_file(run: Run, want: Wanted, path: str, *, query_file: bool) -> Envelope:
    source = _Ranges(run, want, path, query_file=query_file)
    try:
        read = header_of(path, source.fetch)
    except HeaderRefused:
        return source.told(b"", kind=None, failure="malformed")
    except _NoRange as broken:
        return source.told(b"", kind=None, failure=broken.failure)
    kind, header = read if read else (None, b"")
    return source.told(header, kind=kind, failure=None)


class _NoRange(Exception):
    """A range could not be had; what `crawler.failures` calls it."""

    def __init__(self, failure: str) -> None:
        super().__init__(failure)
        self.failure = failure


class _Ranges:
    """Ranges of one file: the first by the hub, the others where it sent us to."""

    def __init__(self, run: Run, want: Wanted, path: str, *, query_file: bool) -> None:
        self.run, self.want, self.path, self.query_file = run, want, path, query_file
        self.first: Answer | None = None

    def fetch(self, start: int, stop: int) -> bytes:
        """The bytes from ``start`` to ``stop``, fewer at the file's end."""
        url = self.first.resolved_url if self.first else None
        elsewhere = url if url and not url.startswith(self.run.hub.endpoint) else None
        answer = self.run.hub.get(
            self._resolve_path(), gated=self.want.gated, span=(start, stop), url=elsewhere
        )
        if self.query_file and elsewhere is None:
            self.run.count_query_file()
        self.first = self.first or answer
        if answer.failure or answer.status not in {200, 206}:
            raise _NoRange(answer.failure or "entry-missing")
        return answer.body

    def told(self, header: bytes, *, kind: str | None, failure: str | None) -> Envelope:
        """The header's envelope, with where the first range came from."""
        assert self.first is not None
        answer = replace(self.first, body=header)
        more = {"path": self.path, "kind": kind, "query_file": self.query_file}
        start = 8 if kind == "safetensors" else 0  # the length before it is not stored
        span = [start, start + len(header)]
        told = stored(self.run, NAME, self.want, answer, span=span, **more)
        return {**told, "failure": failure}

    def _resolve_path(self) -> str:
        start = FILE.format(repo_id=self.want.repo_id, revision=quote(self.want.revision, safe=""))
        return start + quote(self.path)
