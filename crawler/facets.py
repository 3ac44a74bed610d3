"""Facets: what is fetched of each repo beside its record, batch by batch, resumable.

An answer is stored whatever its status: a 404 says that there is no card, a 401 that the repo is
gated. Only a hub that failed (5xx) is asked again, by the next run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson

from crawler.hub import CONNECTIONS, Answer, Hub, path_of
from crawler.raw import Envelope, envelope, read_raw, write_raw
from crawler.run import Run
from crawler.state import Wanted


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
    """

    path: str
    pinned: bool = True
    batch_size: int = 128
    most_pages: int = 1


# Every listed repo is asked for its card, also one whose file list names no README: lists lag
# behind (one of the 24,179 of early 2022 did).
FACETS = {
    "card": Facet("/{repo_id}/resolve/{revision}/README.md", batch_size=512),
    "commits": Facet("/api/models/{repo_id}/commits/{revision}?limit=1000", most_pages=200),
    "tree": Facet("/api/models/{repo_id}/tree/{revision}?recursive=1", most_pages=200),
    "refs": Facet("/api/models/{repo_id}/refs?include_prs=1", pinned=False),
    "discussions": Facet("/api/models/{repo_id}/discussions", pinned=False, most_pages=500),
}


def wanted_facets(
    record: dict[str, Any], names: tuple[str, ...], *, sweep_id: int
) -> Iterator[tuple[str, str, str, str, int]]:
    """Queue rows for a listed record: (facet, repo_id, version, revision, popularity)."""
    sha = record.get("sha")
    seen = str(sha or record.get("lastModified") or "")
    downloads = record.get("downloads")
    popularity = downloads if isinstance(downloads, int) else 0
    for name in names:
        version = seen if FACETS[name].pinned else f"sweep {sweep_id}"
        yield name, record["id"], version, str(sha or "main"), popularity


def fetch_facet(run: Run, name: str) -> None:
    """Fetch all that is queued of one facet, the most popular repos first.

    Each batch is one raw file. Raises what `Hub.get` raises; what a broken-off batch had fetched is
    stored, the rest of it goes back to the queue.
    """
    total = run.state.open_count(name)
    with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix=name) as pool:
        while batch := run.state.next_batch(name, FACETS[name].batch_size):
            run.report(name, run.tally[name], total)
            batch_id, wanted = batch
            path = run.raw_path(name, f"{batch_id:07d}")
            try:
                if not path.exists():  # else a crash came between the file and the state
                    _fetch_batch(run, pool, name, wanted, path)
            finally:
                statuses = _statuses(path) if path.exists() else []
                run.state.finish_batch(batch_id, statuses, run_id=run.run_id)
                run.tally[name] += len(statuses)
    run.report(name, run.tally[name], total)


def _fetch_batch(run: Run, pool: Executor, name: str, wanted: list[Wanted], path: Path) -> None:
    answered: list[Envelope] = []
    try:
        for pages in pool.map(lambda want: _fetch(run, name, want), wanted):
            answered += pages
    except BaseException:
        run.hub.stop()  # else the pool would wait for those that wait for their turn
        raise
    finally:
        if answered:
            write_raw(path, answered)


def _fetch(run: Run, name: str, want: Wanted) -> list[Envelope]:
    facet, revision = FACETS[name], quote(want.revision, safe="")
    path: str | None = facet.path.format(repo_id=want.repo_id, revision=revision)
    asked: dict[str, Envelope] = {}
    while path is not None and path not in asked and len(asked) < facet.most_pages:
        answer = run.hub.get(path)
        asked[path] = envelope(
            answer.body,
            facet=name,
            run_id=run.run_id,
            repo_id=want.repo_id,
            revision=want.revision,
            page=len(asked),
            **answer.provenance,
        )
        path = _next_page(run.hub, name, answer, path)
    return list(asked.values())


def _next_page(hub: Hub, name: str, answer: Answer, path: str) -> str | None:
    if answer.status != 200:
        return None
    if name == "discussions":
        return _next_discussions(answer.body, path)
    return next_path(answer.headers.get("link", ""), hub.endpoint)


def next_path(link: str, endpoint: str) -> str | None:
    """The path that a Link header names as next; None where it names none."""
    found = re.search(r'<([^>]+)>\s*;\s*rel="?next"?', link)
    return path_of(found[1], endpoint) if found else None


def _next_discussions(body: bytes, path: str) -> str | None:
    # No Link here, and past the end the hub repeats empty pages for ever.
    try:
        page = orjson.loads(body)
        shown, start, count = len(page["discussions"]), int(page["start"]), int(page["count"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None  # stored as it came; the warehouse rejects it
    base, _, number = path.partition("?p=")
    return f"{base}?p={int(number or 0) + 1}" if shown and start + shown < count else None


def _statuses(path: Path) -> list[int]:
    """The worst status of each repo in a raw file, in the file's order."""
    worst: list[int] = []
    for page in read_raw(path):
        if page["page"] == 0:
            worst.append(page["status"])
        worst[-1] = max(worst[-1], page["status"])
    return worst
