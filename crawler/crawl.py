"""A crawl: sweep the listing, then fetch the facets. Stop it anywhere, run it again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from crawler.facets import fetch_facet
from crawler.hub import DEFAULT_ENDPOINT, Hub
from crawler.run import Report, Run
from crawler.state import CrawlState
from crawler.sweep import sweep_listing

DEFAULT_FACETS = ("card",)


@dataclass(frozen=True)
class Crawled:
    """What a crawl brought: models listed, and repos answered by facet (404s are answers)."""

    listed_count: int
    answered: dict[str, int]


def crawl(
    home: Path,
    *,
    endpoint: str = DEFAULT_ENDPOINT,
    token: str | None = None,
    model_limit: int | None = None,
    facets: tuple[str, ...] = DEFAULT_FACETS,
    max_requests: int | None = None,
    contact: str | None = None,
    hub_name: str | None = None,
    report: Report = lambda label, done, total: None,
) -> Crawled:
    """Crawl a Hub into ``home/raw``; resumes what an earlier crawl left open.

    Parameters
    ----------
    home
        Folder that holds ``raw/`` and ``state/``; made if missing.
    facets
        Names out of `crawler.facets.FACETS`, fetched in this order.
    hub_name
        What the home remembers the hub by; the endpoint where not given. An embedded hub
        changes its port, not its name.
    report
        Called with (step, done, total or None) as the crawl goes on.

    Raises
    ------
    `CrawlError`, with a one-line message. Whatever is stored stays.
    """
    state = CrawlState(home)
    opened = Hub(endpoint, token=token, max_requests=max_requests, contact=contact)
    try:
        with state.locked(), opened as hub:
            state.claim_hub(hub_name or hub.endpoint)
            run = Run(state.start_run(hub.endpoint, facets), hub, home, state, facets, report)
            return _crawl(run, model_limit)
    finally:
        state.close()


def _crawl(run: Run, model_limit: int | None) -> Crawled:
    outcome = "failed"
    run.state.retry_failed()
    try:
        unfetched = run.state.unfetched_sweep(run.facets)
        sweep = unfetched or sweep_listing(run, model_limit=model_limit)
        for facet in run.facets:
            fetch_facet(run, facet)
        run.state.sweep_fetched(sweep)
        outcome = "complete" if sweep.next_path is None else "limited"
    except KeyboardInterrupt:
        outcome = "stopped"
        raise
    finally:
        run.state.end_run(run.run_id, outcome)
    return Crawled(run.tally["listed"], {name: run.tally[name] for name in run.facets})
