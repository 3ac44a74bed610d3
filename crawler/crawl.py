"""A crawl: sweep the listing, then fetch the facets. Stop it anywhere, run it again."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from crawler import CrawlError
from crawler.facets import enqueue_of
from crawler.fetching import fetch_facet, finish_claimed
from crawler.hub import DEFAULT_ENDPOINT, BudgetSpent, Hub
from crawler.known import knows_any
from crawler.plan import AUTO, Plan, SampleRequest, since_time
from crawler.queue import SAMPLED
from crawler.restraint import Restraint
from crawler.run import Report, Run, Tell, record_runs_and_sweeps
from crawler.sample import queue_sample, sampled_sweep
from crawler.state import CrawlState
from crawler.sweep import say_notes, sweep_listing
from crawler.sweeps import ENDED_WELL, Sweep
from crawler.waits import Waits

DEFAULT_FACETS = ("card",)


class NothingKnown(CrawlError):
    """Facets were asked for without a listing, of a home that knows no repo."""


@dataclass(frozen=True)
class Crawled:
    """What a crawl brought.

    Attributes
    ----------
    listed_count
        Models listed by this run, each once.
    answered
        Repos answered by facet; 404s are answers.
    outcome
        complete, limited (by ``model_limit``), or incomplete: ``notes`` say what is missing.
    new_count, changed_count
        Of the models listed, those never heard of before and those known at another commit.
    has_listed
        Whether there was a listing at all, and not an earlier one or what is known used instead.
    whole_count
        Models of that listing, those that an earlier run listed of it included; 0 without one.
    summaries
        Of each facet in words how many repos were asked, and what waits for the next run.
    """

    listed_count: int
    answered: dict[str, int]
    outcome: str = "complete"
    notes: list[str] = field(default_factory=list)
    new_count: int = 0
    changed_count: int = 0
    has_listed: bool = True
    whole_count: int = 0
    summaries: list[str] = field(default_factory=list)


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
        Fetch the facets of a random sample of the listed models only. It is drawn from the last
        full listing where there is one, unless ``anew`` asks for another.
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
    `CrawlError`, with a one-line message; `crawler.plan.OptionRefused` before anything is made.
    Whatever is stored stays.
    """
    plan = Plan(facets, since, anew, listing, model_limit, sample, query_files, time_limit_s)
    plan.check()
    if not listing and not knows_any(home):
        raise NothingKnown(f"{home} knows no models yet: crawl with a listing, or import some")
    opened = Hub(
        endpoint,
        token=token,
        max_requests=max_requests,
        contact=contact,
        backoff_s=backoff_s,
        clock=clock,
        on_wait=Waits(tell).tell_of,
    )
    state = CrawlState(home)
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
            return _crawl(run, plan)
    finally:
        state.close()


def _crawl(run: Run, plan: Plan) -> Crawled:
    outcome = "failed"
    try:
        _clear_away(run.home)
        finish_claimed(run)
        reused = _reused(run, plan)
        sweep = reused or (_listed(run, plan) if plan.listing else _nothing_listed(run))
        run.state.queue.retry_failed(run.facets)
        limit = plan.time_limit_s
        until = math.inf if limit is None else time.monotonic() + limit
        if sweep and sweep.outcome == "complete":
            run.state.sweeps.queue_vanished(sweep)
        if sweep and run.state.queue.has_open(("probe",)):
            fetch_facet(run, "probe", until=until)
        if sweep and plan.sample:
            queue_sample(run, sweep, plan.sample)
        _fetch_facets(run, plan, until)
        outcome = _outcome(sweep)
    except (KeyboardInterrupt, BudgetSpent):
        outcome = "stopped"
        raise
    finally:
        _end(run, outcome)
    has_listed = plan.listing and reused is None
    return Crawled(
        listed_count=run.tally["listed"],
        answered={name: run.tally[name] for name in run.facets},
        outcome=outcome,
        notes=run.notes,
        new_count=run.tally["new"],
        changed_count=run.tally["changed"],
        has_listed=has_listed,
        whole_count=sweep.listed_count if sweep and has_listed else 0,
        summaries=[run.summary(name) for name in run.facets],
    )


def _clear_away(home: Path) -> None:
    """Remove what a crash left half written; the lock says that nobody is writing."""
    for part in (home / "raw").rglob("*.part"):
        part.unlink()


def _reused(run: Run, plan: Plan) -> Sweep | None:
    """A sweep that has ended and that this crawl goes on from; None where it has to list."""
    last = run.state.sweeps.latest()
    if not plan.listing or plan.since or plan.anew or last is None:
        return None
    sweep = _sampled(run, plan, plan.sample) if plan.sample else _unfetched(run, last)
    if sweep is None or last.outcome not in ENDED_WELL:
        return None
    run.say(
        f"the listing of {sweep.begun_at} is used again, {sweep.listed_count:,} models;"
        " crawl --anew lists anew"
    )
    say_notes(run, sweep)
    return sweep


def _unfetched(run: Run, last: Sweep) -> Sweep | None:
    is_asked = set(run.facets) <= set(last.facets)
    return last if is_asked and run.state.queue.has_open(run.facets) else None


def _sampled(run: Run, plan: Plan, request: SampleRequest) -> Sweep | None:
    sweep_id = sampled_sweep(run, request)
    if sweep_id is not None:
        return run.state.sweeps.numbered(sweep_id)
    return run.state.sweeps.latest_whole(plan.model_limit)


def _listed(run: Run, plan: Plan) -> Sweep:
    if plan.since == AUTO:
        since = run.state.sweeps.watermark()
    else:
        since = None if plan.since is None else since_time(plan.since)
    return sweep_listing(run, since=since, model_limit=plan.model_limit, queued=plan.sample is None)


def _nothing_listed(run: Run) -> Sweep | None:
    last = run.state.sweeps.latest()
    run.state.sweeps.queue_known(enqueue_of(run.facets, last.sweep_id if last else 0))
    return None


def _fetch_facets(run: Run, plan: Plan, until: float) -> None:
    least = SAMPLED if plan.sample else 0
    for facet in run.facets:
        fetch_facet(run, facet, least_priority=least, until=until)
    if time.monotonic() >= until:
        queue = run.state.queue
        left = {name: queue.open_count(name, least_priority=least) for name in run.facets}
        waiting = ", ".join(f"{count:,} for {name}" for name, count in left.items() if count)
        if waiting:
            run.say(f"the time is up: still to be asked are {waiting}; a later crawl goes on")


def _end(run: Run, outcome: str) -> None:
    run.state.runs.end(run.run_id, outcome, run.counted())
    record_runs_and_sweeps(run.home, run.state, current=None)


def _outcome(sweep: Sweep | None) -> str:
    if sweep is None:
        return "complete"
    if sweep.outcome in {"complete", "limited"}:
        return str(sweep.outcome)
    return "incomplete"
