"""Fetching facets from the queue, batch by batch, resumable.

An answer is stored whatever its status: a 404 says that there is no card, a 401 that the repo is
gated. What passes (`crawler.failures`) is asked again by the next run.
"""

from __future__ import annotations

import math
import time
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from itertools import groupby
from pathlib import Path
from urllib.parse import quote

from crawler.facets import API, facet_named, next_page, stored
from crawler.failures import FAILURES
from crawler.hub import CONNECTIONS
from crawler.queue import Outcome, Wanted
from crawler.raw import Envelope, read_raw, write_raw
from crawler.run import Run
from crawler.tensors import fetch_headers

SETTLED = frozenset({"tombstone", "alias", "record", "stop"})
VANISHED = frozenset({"gone", "disabled", "moved"})
BODIES = frozenset({"body", "body_base64"})


def fetch_facet(run: Run, name: str, *, least_priority: int = 0, until: float = math.inf) -> None:
    """Fetch all that is queued of one facet, the most wanted repos first.

    No batch is begun after ``until``, a time of `time.monotonic`.

    Each batch is one raw file. Raises what `Hub.get` raises; what a broken-off batch had fetched is
    stored, the rest of it goes back to the queue. A facet that the endpoint does not offer is said
    and left to the next run.
    """
    queue, size = run.state.queue, facet_named(name).batch_size
    total = queue.open_count(name, least_priority=least_priority)
    with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix=name) as pool:
        while time.monotonic() < until:
            batch = queue.claim(name, size, least_priority=least_priority)
            if batch is None:
                break
            run.report(name, run.tally[name], total)
            batch_id, wanted = batch
            path = run.raw_path(name, f"{batch_id:07d}")
            try:
                if not path.exists():  # else of a crash, or of a state brought back from a copy
                    _fetch_batch(run, pool, name, wanted, path)
            finally:
                told = _finish(run, name, batch_id, path)
            if _is_not_offered(run, name, told):
                run.say(f"{run.hub.endpoint} does not offer {name}: it is left out of this run")
                queue.set_aside(name)
    run.report(name, run.tally[name], total)


def finish_claimed(run: Run) -> None:
    """Settle the batches that an earlier run claimed and was killed over, by their raw files."""
    for batch_id, name in run.state.queue.claimed():
        _finish(run, name, batch_id, run.raw_path(name, f"{batch_id:07d}"))


def _finish(run: Run, name: str, batch_id: int, path: Path) -> list[Envelope]:
    """Settle a batch by its raw file; returns what that tells, bodies left off."""
    told = _told(path) if path.exists() else []
    outcomes = _outcomes(told)
    run.state.queue.finish(batch_id, outcomes, run_id=run.run_id)
    run.state.runs.keep(run.run_id, run.counted())
    run.tally[name] += len(outcomes)
    return told


def _fetch_batch(run: Run, pool: Executor, name: str, wanted: list[Wanted], path: Path) -> None:
    answered: list[Envelope] = []
    fetch = partial(fetch_headers, run) if name == "tensors" else partial(_fetch, run, name)
    try:
        for pages in pool.map(fetch, wanted):
            answered += pages
    except BaseException:
        run.hub.stop()  # else the pool would wait for those that wait for their turn
        raise
    finally:
        if answered:
            write_raw(path, answered)


def _fetch(run: Run, name: str, want: Wanted) -> list[Envelope]:
    facet, revision = facet_named(name), quote(want.revision, safe="")
    path: str | None = facet.path.format(repo_id=want.repo_id, revision=revision)
    asked: dict[str, Envelope] = {}
    while path is not None and path not in asked and len(asked) < facet.most_pages:
        answer = run.hub.get(path, gated=want.gated, json_due=facet.file is None)
        if facet.query_file:
            run.count_query_file()
        asked[path] = stored(run, name, want, answer, page=len(asked), query_file=facet.query_file)
        path = next_page(run, name, want, answer, path)
    return list(asked.values())


def _told(path: Path) -> list[Envelope]:
    # The bodies stay on disk: those of a batch may be large.
    return [{name: page[name] for name in page.keys() - BODIES} for page in read_raw(path)]


def _outcomes(told: list[Envelope]) -> list[Outcome]:
    """How each repo of a batch ended: settled if no page of it has to be asked again."""
    outcomes = []
    for repo_id, group in groupby(told, key=lambda page: page["repo_id"]):
        pages = list(group)
        failures = {page["failure"] for page in pages if page["failure"]}
        settled = all(FAILURES[name].action in SETTLED for name in failures)
        gone = pages[0]["facet"] == "probe" and not failures.isdisjoint(VANISHED)
        outcomes.append(Outcome(repo_id, pages[0]["revision"], settled, gone))
    return outcomes


def _is_not_offered(run: Run, name: str, told: list[Envelope]) -> bool:
    """Whether an endpoint lacks a facet's route: refused for all, while the repos are there."""
    if facet_named(name).file or name == "probe" or not told:
        return False
    firsts = [page for page in told if page["page"] == 0]
    refused = {"unsupported", "gone"}
    if not all(p["failure"] in refused and p["error_code"] is None for p in firsts):
        return False
    there = run.hub.get(API.format(repo_id=firsts[0]["repo_id"]), json_due=True)
    return there.status == 200 or all(p["failure"] == "unsupported" for p in firsts)
