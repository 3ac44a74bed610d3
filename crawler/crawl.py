"""A crawl: sweep the listing, then fetch the facets. Stop it anywhere, run it again."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crawler import CrawlError
from crawler.facets import FACETS, enqueue_of
from crawler.fetching import fetch_facet, finish_claimed
from crawler.hub import DEFAULT_ENDPOINT, Hub
from crawler.queue import SAMPLED
from crawler.restraint import Restraint
from crawler.run import Report, Run, Tell, record_runs_and_sweeps
from crawler.sample import SampleRequest, is_unfetched, queue_sample
from crawler.state import CrawlState
from crawler.sweep import sweep_listing
from crawler.sweeps import ENDED_WELL, Sweep

DEFAULT_FACETS = ("card",)
AUTO = "auto"
LONG_WAIT_S = 20.0


class QueryFilesNotAllowed(CrawlError):
    """A facet was asked for whose requests the Hub counts as downloads."""


class NothingToSample(CrawlError):
    """A sample was asked for without the listing that it is drawn from."""


class SinceUnreadable(CrawlError):
    """``since`` is neither ``auto`` nor a time."""


@dataclass(frozen=True)
class Crawled:
    """What a crawl brought.

    Attributes
    ----------
    listed_count
        Models listed by this run.
    answered
        Repos answered by facet; 404s are answers.
    outcome
        complete, limited (by ``model_limit``), or incomplete: ``notes`` say what is missing.
    """

    listed_count: int
    answered: dict[str, int]
    outcome: str = "complete"
    notes: list[str] = field(default_factory=list)


def crawl(
    home: Path,
    *,
    endpoint: str = DEFAULT_ENDPOINT,
    token: str | None = None,
    since: str | None = None,
    anew: bool = False,
    listing: bool = True,
    model_limit: int | None = None,
    facets: tuple[str, ...] = DEFAULT_FACETS,
    sample: SampleRequest | None = None,
    query_files: bool = False,
    max_requests: int | None = None,
    time_limit_s: float | None = None,
    contact: str | None = None,
    hub_name: str | None = None,
    backoff_s: float = 0.5,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    report: Report = lambda label, done, total: None,
    tell: Tell = lambda sentence: None,
) -> Crawled:
    """Crawl a Hub into ``home/raw``; resumes what an earlier crawl left open.

    Parameters
    ----------
    home
        Folder that holds ``raw/`` and ``state/``; made if missing.
    since
        ``auto`` lists what changed since the last sweep that listed all it should (everything
        where there is none), a UTC time what changed since then; None lists everything.
    anew
        List also where facets of the last sweep are still to be fetched. Implied by ``since``.
    listing
        Whether to list at all; else the facets are those of all repos known by now, from earlier
        crawls or imports.
    facets
        Names out of `crawler.facets.FACETS`, fetched in this order.
    sample
        Fetch the facets of a random sample of the listed models only.
    query_files
        Allow facets whose requests the Hub counts as downloads.
    time_limit_s
        Seconds after the listing's end when no further batch of facets is begun; the queue keeps
        the rest. None for no limit.
    hub_name
        What the home remembers the hub by; the endpoint where not given. An embedded hub
        changes its port, not its name.
    report
        Called with (step, done, total or None) as the crawl goes on.
    tell
        Called with each sentence that a user should read: what the hub lacks, what is missing.

    Raises
    ------
    `CrawlError`, with a one-line message. Whatever is stored stays.
    """
    _check(facets, query_files=query_files)
    if sample and not listing:
        raise NothingToSample("a sample is drawn from a listing: leave --no-listing away")
    state = CrawlState(home)
    opened = Hub(
        endpoint,
        token=token,
        max_requests=max_requests,
        contact=contact,
        backoff_s=backoff_s,
        clock=clock,
        on_wait=lambda bucket, seconds: _tell_of_wait(tell, bucket, seconds),
    )
    try:
        with state.locked(), opened as hub:
            state.claim_hub(hub_name or hub.endpoint)
            record_runs_and_sweeps(home, state, current=None)
            run_id = state.runs.start(hub.endpoint, facets)
            restraint = Restraint(state.forgotten())
            run = Run(
                *(run_id, hub, home, state, facets, report, tell, restraint),
                query_files=query_files,
            )
            plan = _Plan(since, anew, listing, model_limit, sample, time_limit_s)
            return _crawl(run, plan)
    finally:
        state.close()


def _tell_of_wait(tell: Tell, bucket: str, seconds: float) -> None:
    if seconds >= LONG_WAIT_S:
        until = (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%H:%M:%S UTC")
        tell(f"waiting {seconds:,.0f} s, until {until}, for the hub's quota of {bucket} requests")


@dataclass(frozen=True)
class _Plan:
    since: str | None
    anew: bool
    listing: bool
    model_limit: int | None
    sample: SampleRequest | None
    time_limit_s: float | None


def _crawl(run: Run, plan: _Plan) -> Crawled:
    outcome = "failed"
    try:
        _clear_away(run.home)
        finish_claimed(run)
        sweep = _listed(run, plan) if plan.listing else _nothing_listed(run)
        run.state.queue.retry_failed(run.facets)
        if sweep and sweep.outcome == "complete" and run.state.sweeps.queue_vanished(sweep):
            fetch_facet(run, "probe")
        if sweep and plan.sample:
            queue_sample(run, sweep, plan.sample)
        least, until = SAMPLED if plan.sample else 0, _deadline(plan.time_limit_s)
        for facet in run.facets:
            fetch_facet(run, facet, least_priority=least, until=until)
        outcome = _outcome(sweep)
    except KeyboardInterrupt:
        outcome = "stopped"
        raise
    finally:
        _end(run, outcome)
    answered = {name: run.tally[name] for name in run.facets}
    return Crawled(run.tally["listed"], answered, outcome, run.notes)


def _deadline(time_limit_s: float | None) -> float:
    return math.inf if time_limit_s is None else time.monotonic() + time_limit_s


def _clear_away(home: Path) -> None:
    """Remove what a crash left half written; the lock says that nobody is writing."""
    for part in (home / "raw").rglob("*.part"):
        part.unlink()


def _listed(run: Run, plan: _Plan) -> Sweep:
    """The sweep whose facets are to be fetched: the last one where it is not all fetched yet."""
    last = run.state.sweeps.latest()
    if last and last.outcome in ENDED_WELL and _is_unfetched(run, plan, last):
        return last
    since = run.state.sweeps.watermark() if plan.since == AUTO else _time(plan.since)
    return sweep_listing(run, since=since, model_limit=plan.model_limit, queued=plan.sample is None)


def _nothing_listed(run: Run) -> Sweep | None:
    last = run.state.sweeps.latest()
    run.state.sweeps.queue_known(enqueue_of(run.facets, last.sweep_id if last else 0))
    return None


def _is_unfetched(run: Run, plan: _Plan, last: Sweep) -> bool:
    if plan.since or plan.anew:
        return False
    if plan.sample:
        return is_unfetched(run, plan.sample)
    return set(run.facets) <= set(last.facets) and run.state.queue.has_open(run.facets)


def _end(run: Run, outcome: str) -> None:
    run.state.runs.end(run.run_id, outcome, run.counted())
    record_runs_and_sweeps(run.home, run.state, current=None)


def _outcome(sweep: Sweep | None) -> str:
    if sweep is None:
        return "complete"
    if sweep.outcome in {"complete", "limited"}:
        return str(sweep.outcome)
    return "incomplete"


def _check(facets: tuple[str, ...], *, query_files: bool) -> None:
    counted = [name for name in facets if FACETS[name].query_file]
    if counted and not query_files:
        raise QueryFilesNotAllowed(
            f"the Hub counts each request for {', '.join(counted)} as a download of the model;"
            " --query-files allows it"
        )


def _time(since: str | None) -> str | None:
    if since is None:
        return None
    try:
        told = datetime.fromisoformat(since)
    except ValueError:
        raise SinceUnreadable(f"{since!r} is no time; give auto, or one like 2026-11-01") from None
    aware = told if told.tzinfo else told.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
