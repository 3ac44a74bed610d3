"""Raw files of a made-up hub: what a crawl would have written, file by file.

Each file is one `Task`, so that processes can share the work; it holds all that tells the file's
bytes but the population, which lies on disk for all.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from benchmarks.resample.columns import DAY_S, LISTED_AT_S
from benchmarks.resample.commits import Histories
from benchmarks.resample.families import Ints
from benchmarks.resample.names import Names
from benchmarks.resample.population import Population
from benchmarks.resample.records import Records
from benchmarks.resample.sources import Templates, read_templates
from crawler.answer import CLIENT
from crawler.capabilities import EXPAND, listing_path
from crawler.facets import FACETS
from crawler.raw import Envelope, envelope, write_raw
from crawler.run import raw_path
from crawler.sweep import PAGE_SIZE

ENDPOINT = "https://resampled.invalid"
COMMITS_A_PAGE = 1_000
# Repos to a file, and from when to when of a day, in seconds, the files of a facet are fetched.
REPOS_A_FILE = {
    "model": PAGE_SIZE,
    "card": FACETS["card"].batch_size,
    "commits": FACETS["commits"].batch_size,
}
FETCHED = {"model": (0, 3_600), "card": (3_600, 21_600), "commits": (21_600, 64_800)}
NO_CARD = b"Entry not found"


@dataclass(frozen=True)
class Day:
    """One run of the crawler: 0 lists the whole hub, later ones what changed since."""

    number: int
    since_s: int | None = None

    @property
    def run_id(self) -> int:
        """Number of the run and of its sweep."""
        return self.number + 1

    @property
    def started_s(self) -> int:
        """When it began, seconds since 1970."""
        return LISTED_AT_S + self.number * DAY_S


@dataclass(frozen=True)
class Task:
    """One raw file: a page of the listing, or what was answered for a batch of repos.

    Attributes
    ----------
    first, total
        Place of its first model among all that are asked for the facet on that day, and their
        count; they tell when its answers came.
    sort
        What the listing was sorted by, ``page`` how many pages of that sort came before.
    """

    home: Path
    population: Path
    day: Day
    facet: str
    name: str
    models: Ints
    first: int
    total: int
    sort: str = "createdAt"
    page: int = 0


def begin(sources: list[Path], seed: int) -> None:
    """Prepare a process for `write`."""
    global _templates, _seed
    _templates, _seed = read_templates(sources), seed


def write(task: Task) -> Counter[str]:
    """Write a task's raw file; returns what is in it."""
    records = _records(task.population)
    envelopes = list(WRITERS[task.facet](task, records))
    path = raw_path(task.home, task.facet, task.name)
    write_raw(path, envelopes)
    found = Counter(e["failure"] for e in envelopes if e.get("failure"))
    counts = Counter({f"{task.facet} files": 1, f"{task.facet} answers": len(envelopes)})
    if task.facet == "commits":
        counts["commits"] = int(records.hub.commits[task.models].sum())
    if task.facet == "model":
        counts["listed"] = len(task.models)
    return counts + Counter({"bytes": path.stat().st_size}) + found


def tell(home: Path, day: Day, counts: Counter[str]) -> None:
    """Write the raw files of a day's sweep and run."""
    started, ended = _written(day.started_s), _written(day.started_s + FETCHED["commits"][1])
    ended_sweep = _written(day.started_s + FETCHED["model"][1])
    common = {"endpoint": ENDPOINT, "started_at": started, "listed_count": counts["listed"]}
    sweep = {
        **{"sweep_id": day.run_id, **common, "ended_at": ended_sweep, "watermark_at": started},
        "kind": "full" if day.since_s is None else "incremental",
        "since_at": None if day.since_s is None else _written(day.since_s),
        **{"outcome": "complete", "expand": EXPAND, "known_count": None, "missing_count": None},
        "notes": [],
    }
    answered = counts["card answers"] + counts["commits answers"]
    run = {
        **{"run_id": day.run_id, **common, "ended_at": ended, "outcome": "complete"},
        **{"facets": ["card", "commits"], "answered_count": answered, "query_file_count": 0},
        "request_count": answered + counts["model answers"],
        **{"failures": {"entry-missing": counts["entry-missing"]}, "notes": []},
    }
    for facet, name, told in (
        ("sweep", f"{day.run_id:05d}", sweep),
        ("run", f"{day.run_id:06d}", run),
    ):
        wrapped = envelope(orjson.dumps(told), facet=facet, fetched_at=told["ended_at"])
        write_raw(raw_path(home, facet, name), [wrapped])


_templates: Templates
_seed: int


@lru_cache(maxsize=1)  # a day's tasks come together
def _records(population: Path) -> Records:
    hub = Population.load(population)
    names = Names(hub, _templates)
    return Records(hub, _templates, names, Histories(hub, names, _seed))


def _listing(task: Task, records: Records) -> Iterator[Envelope]:
    start = listing_path(PAGE_SIZE, EXPAND, sort=task.sort)
    paths = [start if page == 0 else f"{start}&cursor={page}" for page in range(task.page + 2)]
    is_last = task.day.since_s is None and task.first + len(task.models) == task.total
    body = records.listing(task.models)
    yield envelope(
        body,
        facet="model",
        run_id=task.day.run_id,
        sweep_id=task.day.run_id,
        next_path=None if is_last else paths[-1],
        withheld=0,
        **_provenance(task, 0, paths[-2], body, etag=_weak(body)),
    )


def _cards(task: Task, records: Records) -> Iterator[Envelope]:
    numbers = np.random.default_rng([_seed, task.day.number, task.first])
    cards = records.cards(task.models, numbers)
    shas = records.histories.newest(task.models)
    ids = records.names.ids(task.models)
    for place, (repo_id, sha, card) in enumerate(zip(ids, shas, cards, strict=True)):
        body = NO_CARD if card is None else card
        path = f"/{repo_id}/resolve/{sha}/README.md"
        told = _provenance(task, place, path, body, etag=_strong(card), repo_commit=sha)
        if card is None:
            told |= {"status": 404, "error_code": "EntryNotFound"}
        failure = "entry-missing" if card is None else None
        about = {"facet": "card", "run_id": task.day.run_id, "repo_id": repo_id, "revision": sha}
        more = {"failure": failure, "page": 0, "query_file": False}
        yield envelope(body, **about, path="README.md", **told, **more)


def _commits(task: Task, records: Records) -> Iterator[Envelope]:
    shas = records.histories.newest(task.models)
    known = _known_commits(task, records)
    rows = zip(
        *(records.names.ids(task.models), shas, known, records.histories.commits(task.models)),
        strict=True,
    )
    for place, (repo_id, sha, known_commit, commits) in enumerate(rows):
        start = f"/api/models/{repo_id}/commits/{sha}?limit={COMMITS_A_PAGE}"
        firsts = [0] if known_commit else range(0, len(commits), COMMITS_A_PAGE)
        for page, first in enumerate(firsts):
            body = f"[{','.join(commits[first : first + COMMITS_A_PAGE])}]".encode()
            path = f"{start}&p={page}" if page else start
            about = {"facet": "commits", "run_id": task.day.run_id, "repo_id": repo_id}
            about |= {"revision": sha, "known_commit": known_commit}
            told = _provenance(task, place, path, body, etag=_weak(body))
            yield envelope(body, **about, **told, failure=None, page=page, query_file=False)


def _known_commits(task: Task, records: Records) -> list[str | None]:
    """The commit that is stored already of each repo that a later day finds changed."""
    known = records.histories.newest(task.models, before=1)
    changed = (records.hub.recommitted_at[task.models] > 0).tolist()
    return [sha if before else None for sha, before in zip(known, changed, strict=True)]


def _provenance(task: Task, place: int, path: str, body: bytes, **more: Any) -> dict[str, Any]:
    """What an envelope says of an answer, in the crawler's order."""
    begun, ended = FETCHED[task.facet]
    waited = begun + (ended - begun) * (task.first + place) / task.total
    return {
        **{"url": ENDPOINT + path, "final_url": None, "endpoint": ENDPOINT},
        **{"fetched_at": _written(task.day.started_s + waited), "status": 200},
        **{"etag": None, "repo_commit": None, "error_code": None, **more},
        **{"body_sha256": hashlib.sha256(body).hexdigest(), "client": CLIENT},
    }


def _strong(card: bytes | None) -> str | None:
    # A file's tag on the Hub is the id of its git blob.
    if card is None:
        return None
    blob = b"blob %d\0" % len(card) + card
    return f'"{hashlib.sha1(blob, usedforsecurity=False).hexdigest()}"'


def _weak(body: bytes) -> str:
    return f'W/"{len(body):x}-{hashlib.sha1(body, usedforsecurity=False).hexdigest()[:27]}"'


def _written(seconds: float) -> str:
    moment = np.datetime64(round(seconds * 1000), "ms")
    return f"{np.datetime_as_string(moment)}Z"


WRITERS: dict[str, Callable[[Task, Records], Iterator[Envelope]]] = {
    "model": _listing,
    "card": _cards,
    "commits": _commits,
}
