"""Facets: what can be asked of each repo beside its record, and how an answer is kept."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from crawler.hub import Answer, path_of
from crawler.listed import ADAPTER, CONFIG, MERGEKIT, WEIGHTS
from crawler.queue import Enqueue, Wanted
from crawler.raw import Envelope, envelope
from crawler.run import Run

API = "/api/models/{repo_id}"
FILE = "/{repo_id}/resolve/{revision}/"


@dataclass(frozen=True)
class Facet:
    """One kind of answer about a repo.

    Attributes
    ----------
    path
        Of the first request, with ``{repo_id}`` and ``{revision}``.
    pinned
        Whether the answer can only change with the repo's commit; else every sweep asks again.
    batch_size
        Repos to a raw file.
    most_pages
        Where to stop following pages, so that no server can keep a crawl for ever.
    needs
        Bits of `crawler.listed`: asked only of repos that list such a file. 0 asks all.
    file
        The file that the path ends in, where it is one.
    query_file
        Whether the Hub counts each request as a download: asked only where that is allowed.
    is_record
        Whether the answer is the repo's record, as a listing has it.
    due
        The key that the record must hold: a server that does not know the facet leaves it out.
    """

    path: str
    pinned: bool = True
    batch_size: int = 128
    most_pages: int = 1
    needs: int = 0
    file: str | None = None
    query_file: bool = False
    is_record: bool = False
    due: str | None = None


def _file(name: str, *, needs: int = 0, query_file: bool = False) -> Facet:
    return Facet(FILE + name, batch_size=512, needs=needs, file=name, query_file=query_file)


# Every listed repo is asked for its card, also one whose file list names no README: lists lag
# behind (one of the 24,179 of early 2022 did).
FACETS = {
    "card": _file("README.md"),
    "commits": Facet(API + "/commits/{revision}?limit=1000", most_pages=200),
    "tree": Facet(API + "/tree/{revision}?recursive=1", most_pages=200),
    "commit_files": Facet(API + "/tree/{revision}?recursive=1&expand=1", most_pages=400),
    "refs": Facet(API + "/refs?include_prs=1", pinned=False),
    "discussions": Facet(API + "/discussions", pinned=False, most_pages=500),
    "security": Facet(API + "?securityStatus=true", is_record=True, due="securityRepoStatus"),
    "adapter_config": _file("adapter_config.json", needs=ADAPTER, query_file=True),
    "mergekit_config": _file("mergekit_config.yml", needs=MERGEKIT),
    "config": _file("config.json", needs=CONFIG, query_file=True),
    "tensors": Facet(API + "/tree/{revision}?recursive=1", batch_size=16, needs=WEIGHTS),
}
PROBE = Facet(API, pinned=False, is_record=True)


def enqueue_of(names: Iterable[str], sweep_id: int, *, raised: int = 0) -> list[Enqueue]:
    """What to queue of each repo of a page: facets that no commit changes, once a sweep."""
    return [
        Enqueue(
            name,
            needs=FACETS[name].needs,
            version=None if FACETS[name].pinned else sweep_id,
            raised=raised,
        )
        for name in names
    ]


def next_path(link: str, endpoint: str) -> str | None:
    """The path that a Link header names as next; None where it names none."""
    found = re.search(r'<([^>]+)>\s*;\s*rel="?next"?', link)
    return path_of(found[1], endpoint) if found else None


def facet_named(name: str) -> Facet:
    """A row of `FACETS`, or the probe that no user asks for."""
    return PROBE if name == "probe" else FACETS[name]


def next_page(run: Run, name: str, want: Wanted, answer: Answer, path: str) -> str | None:
    """Path of the page after an answer; None where it was the last that is wanted."""
    if answer.status != 200:
        return None
    if name == "discussions":
        return _next_discussions(answer.body, path)
    if want.known_revision and name == "commits" and want.known_revision.encode() in answer.body:
        return None  # all that is older is stored already
    return next_path(answer.headers.get("link", ""), run.hub.endpoint)


def stored(run: Run, name: str, want: Wanted, answer: Answer, **more: object) -> Envelope:
    """An answer's envelope; of a repo that has become private, that it is gone."""
    facet = facet_named(name)
    record = _record(answer) if facet.is_record else None
    withheld = record is not None and run.restraint.withholds(record)
    failure = "gone" if withheld else answer.failure
    if failure is None and record is not None and facet.due and facet.due not in record:
        failure = "unsupported"
        run.hub.recount(None, failure)
    known = {"known_commit": want.known_revision} if name == "commits" else {}
    about = {
        "facet": name,
        "run_id": run.run_id,
        "repo_id": want.repo_id,
        "revision": want.revision,
        **known,
        **({"path": facet.file} if facet.file else {}),
        **answer.provenance,
        "failure": failure,
        **more,
    }
    return envelope(b"" if withheld else answer.body, **about)


def _record(answer: Answer) -> dict[str, Any] | None:
    try:
        record = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return None
    return record if isinstance(record, dict) else None


def _next_discussions(body: bytes, path: str) -> str | None:
    # No Link here, and past the end the hub repeats empty pages for ever.
    try:
        page = orjson.loads(body)
        shown, start, count = len(page["discussions"]), int(page["start"]), int(page["count"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None  # stored as it came; the warehouse rejects it
    base, _, number = path.partition("?p=")
    return f"{base}?p={int(number or 0) + 1}" if shown and start + shown < count else None
