"""Fetching facets from the queue, batch by batch, resumable.

An answer is stored whatever its status: a 404 says that there is no card, a 401 that the repo is
gated. What passes (`crawler.failures`) is asked again by the next run, and so is all that a server
refuses because it knows no such facet: there a plain 404 says nothing of the repo.
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

FIRST_BATCH = 8  # repos to ask before it is known that the endpoint offers the facet
SETTLED = frozenset({"tombstone", "alias", "record", "stop"})
# Whoever says one of these knows the route.
OF_A_ROUTE = frozenset({None, "entry-missing", "revision-missing", "moved"})
VANISHED = frozenset({"gone", "disabled", "moved"})
BODIES = frozenset({"body", "body_base64"})


def fetch_facet(run: Run, name: str, *, least_priority: int = 0, until: float = math.inf) -> None:
    """Fetch all that is queued of one facet, the most wanted repos first.

    No batch is begun after ``until``, a time of `time.monotonic`.

    Each batch is one raw file. Raises what `Hub.get` raises; what a broken-off batch had fetched is
    stored, the rest of it goes back to the queue. A facet that the endpoint does not offer is said
    after a few repos and left to the next run.
    """
    queue = run.state.queue
    total = queue.open_count(name, least_priority=least_priority)
    with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix=name) as pool:
        while time.monotonic() < until:
            batch = queue.claim(name, _batch_size(run, name), least_priority=least_priority)
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
            if _is_lacking(run, name, told):
                run.say(f"{run.hub.endpoint} does not offer {name}: it is left out of this run")
                run.lacking.add(name)
                queue.set_aside(name)
            elif _shows_route(told):
                run.offered.add(name)
    run.report(name, run.tally[name], total)


def finish_claimed(run: Run) -> None:
    """Settle the batches that an earlier run claimed and was killed over, by their raw files."""
    for batch_id, name in run.state.queue.claimed():
        _finish(run, name, batch_id, run.raw_path(name, f"{batch_id:07d}"))


def _finish(run: Run, name: str, batch_id: int, path: Path) -> list[Envelope]:
    """Settle a batch by its raw file; returns what that tells, bodies left off."""
    told = _told(path) if path.exists() else []
    outcomes = _outcomes(told, lacking=_is_lacking(run, name, told))
    run.state.queue.finish(batch_id, outcomes, run_id=run.run_id)
    run.state.runs.keep(run.run_id, run.counted())
    run.tally[name] += len(outcomes)
    run.failed[name].update(one.failure for one in outcomes if one.failure)
    return told


def _fetch_batch(run: Run, pool: Executor, name: str, wanted: list[Wanted], path: Path) -> None:
    answered: list[Envelope] = []
    fetch = partial(fetch_headers, run) if name == "tensors" else partial(_fetch, run, name)
    try:
        for pages in pool.map(fetch, wanted):
            answered += pages
        if not _is_offered(run, name, answered):
            _call_unsupported(run, answered)
    except BaseException:
        run.hub.stop()  # else the pool would wait for those that wait for their turn
        if not (_is_certain(run, name) or _shows_route(answered)):
            answered = [page for page in answered if not _is_doubtful(page)]
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


def _outcomes(told: list[Envelope], *, lacking: bool) -> list[Outcome]:
    """How each repo of a batch ended: settled if no page of it has to be asked again.

    What an endpoint that is ``lacking`` the facet refused has not ended: it was no try.
    """
    outcomes = []
    for repo_id, group in groupby(told, key=lambda page: page["repo_id"]):
        pages = list(group)
        failures = {page["failure"] for page in pages if page["failure"]}
        if lacking and "unsupported" in failures:
            continue
        passing = sorted(name for name in failures if FAILURES[name].action not in SETTLED)
        gone = pages[0]["facet"] == "probe" and not failures.isdisjoint(VANISHED)
        failure = passing[0] if passing else None
        outcomes.append(Outcome(repo_id, pages[0]["revision"], not passing, gone, failure))
    return outcomes


def _batch_size(run: Run, name: str) -> int:
    whole = facet_named(name).batch_size
    return whole if _is_certain(run, name) else min(FIRST_BATCH, whole)


def _is_certain(run: Run, name: str) -> bool:
    """Whether the endpoint is known to offer a facet: files and records every hub has."""
    return name in run.offered or name == "probe" or facet_named(name).file is not None


def _shows_route(told: list[Envelope]) -> bool:
    return any(page["failure"] in OF_A_ROUTE for page in told)


def _is_lacking(run: Run, name: str, told: list[Envelope]) -> bool:
    """Whether a stored batch tells that the endpoint lacks the facet."""
    unsupported = any(page["failure"] == "unsupported" for page in told)
    return unsupported and not (_is_certain(run, name) or _shows_route(told))


def _is_doubtful(page: Envelope) -> bool:
    """Whether a refusal may be about the route as well as about the repo."""
    return page["failure"] == "gone" and page["error_code"] is None and page["status"] != 200


def _is_offered(run: Run, name: str, told: list[Envelope]) -> bool:
    """Whether the endpoint has a facet's route: where it refuses all, are the repos there?"""
    if _is_certain(run, name) or _shows_route(told):
        return True
    if any(page["failure"] == "unsupported" for page in told):
        return False
    return not any(_is_doubtful(page) and _is_there(run, page["repo_id"]) for page in told)


def _is_there(run: Run, repo_id: str) -> bool:
    return run.hub.get(API.format(repo_id=repo_id), json_due=True).status == 200


def _call_unsupported(run: Run, told: list[Envelope]) -> None:
    for page in told:
        if _is_doubtful(page):
            run.hub.recount(page["failure"], "unsupported")
            page["failure"] = "unsupported"
