"""The commands that fill a home from a hub, and empty it again: crawl, schedule, forget."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.building import built
from app.taking_in import HUB, taking_in
from app.terminal import progress_bars, say

if TYPE_CHECKING:
    from crawler.crawl import Crawled
    from crawler.plan import SampleRequest

__all__ = ["FACETS", "chosen_facets", "crawl", "forget", "schedule", "taking_in"]

# What crawler.facets offers; spelled out here so that --help need not import an HTTP client.
FACETS = (
    *("card", "commits", "tree", "commit_files", "refs", "discussions", "security"),
    *("adapter_config", "mergekit_config", "config", "tensors"),
)
FACETS_HELP = f"What to fetch of each model, comma-separated: {', '.join(FACETS)}; or none."
STRATA_HELP = "Strata, comma-separated: pipeline_tag, size, popularity, cohort."

# Done, but not all of the listing came; 1 is a failure, 2 wrong usage.
INCOMPLETE = 3


class Allocation(StrEnum):
    """How a sample is shared out among strata."""

    PROPORTIONAL = "proportional"
    NEYMAN = "neyman"


Endpoint = Annotated[str, typer.Option(help="The Hub to crawl.")]
TokenEnv = Annotated[
    str | None, typer.Option(help="Name of the environment variable that holds a token.")
]
Facets = Annotated[str, typer.Option(help=FACETS_HELP)]
QueryFiles = Annotated[
    bool,
    typer.Option(
        "--query-files",
        help="Fetch files too whose requests the Hub counts as downloads of the model.",
    ),
]
MaxRequests = Annotated[int | None, typer.Option(min=1, help="A hard stop.")]
TimeLimit = Annotated[
    str,
    typer.Option(help="Begin no batch of facets this long after the listing: 30m, 1h, off."),
]
Contact = Annotated[str | None, typer.Option(help="Address or URL for the User-Agent header.")]


def crawl(
    ctx: typer.Context,
    endpoint: Endpoint = HUB,
    token_env: TokenEnv = None,
    since: Annotated[
        str | None,
        typer.Option(help="List only what changed since a UTC time, or auto: the last sweep."),
    ] = None,
    anew: Annotated[
        bool, typer.Option("--anew", help="List anew, though facets are still to be fetched.")
    ] = False,
    no_listing: Annotated[
        bool, typer.Option("--no-listing", help="List nothing: fetch facets of what is known.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Stop the listing after about this many models.")
    ] = None,
    facets: Facets = "card",
    sample: Annotated[
        int | None, typer.Option(min=2, help="Fetch facets of a random sample of this size only.")
    ] = None,
    strata: Annotated[str, typer.Option(help=STRATA_HELP)] = "pipeline_tag,popularity",
    allocation: Annotated[
        Allocation, typer.Option(help="How the sample is shared out among strata.")
    ] = Allocation.PROPORTIONAL,
    seed: Annotated[int, typer.Option(help="Of the sample.")] = 0,
    query_files: QueryFiles = False,
    max_requests: MaxRequests = None,
    time_limit: TimeLimit = "off",
    contact: Contact = None,
) -> None:
    """Crawl a Hub into raw files. Stop it anywhere; run again to go on."""
    with _usage():
        from crawler.crawl import crawl as run_crawl

        wanted, token, limit_s = chosen_facets(facets), _token(token_env), _seconds(time_limit)
        _check_hub(endpoint, token, contact)
        _check_sample_options(ctx, sample)
        request = None if sample is None else _sample_request(sample, strata, allocation, seed)
        with _told_when_stopped(), progress_bars() as report:
            crawled = run_crawl(
                ctx.obj,
                endpoint=endpoint,
                token=token,
                since=since,
                anew=anew,
                listing=not no_listing,
                model_limit=limit,
                facets=wanted,
                sample=request,
                query_files=query_files,
                max_requests=max_requests,
                time_limit_s=limit_s,
                contact=contact,
                report=report,
                tell=say,
            )
    say(_brought(crawled))
    if crawled.outcome == "incomplete":
        raise typer.Exit(INCOMPLETE)


def schedule(
    ctx: typer.Context,
    endpoint: Endpoint = HUB,
    token_env: TokenEnv = None,
    listing: Annotated[str, typer.Option(help="How often to list what changed, or off.")] = "1h",
    sweep: Annotated[str, typer.Option(help="How often to list everything, or off.")] = "1d",
    facets: Facets = "card",
    query_files: QueryFiles = False,
    build: Annotated[
        bool, typer.Option("--build/--no-build", help="Build the warehouse after each crawl.")
    ] = True,
    max_requests: Annotated[
        int | None, typer.Option(min=1, help="A hard stop for each crawl.")
    ] = None,
    contact: Contact = None,
) -> None:
    """Crawl and build again and again, in one process that runs for months."""
    from app.schedule import Steps, log, parse_period, run_schedule
    from crawler.crawl import crawl as run_crawl
    from crawler.plan import check_query_files

    with _usage():
        wanted, token = chosen_facets(facets), _token(token_env)
        _check_hub(endpoint, token, contact)
        check_query_files(wanted, allowed=query_files)
        periods = {"listing": parse_period(listing), "sweep": parse_period(sweep)}
    # Facets of a whole Hub take days; what is listed every hour must not wait for them.
    shortest = min((p.total_seconds() for p in periods.values() if p), default=None)

    def crawl_once(*, since: str | None) -> str:
        crawled = run_crawl(
            ctx.obj,
            endpoint=endpoint,
            token=token,
            since=since,
            anew=since is None and _is_due(ctx.obj, "sweep", periods["sweep"]),
            facets=wanted,
            query_files=query_files,
            max_requests=max_requests,
            time_limit_s=shortest,
            contact=contact,
            tell=log,
        )
        return _brought(crawled)

    steps = Steps(
        list_new=lambda: crawl_once(since="auto"),
        sweep_all=lambda: crawl_once(since=None),
        build=lambda: built(ctx.obj),
        last_ended=lambda kind: _last_ended(ctx.obj, kind),
    )
    with _usage(), _told_when_stopped():
        run_schedule(
            ctx.obj,
            listing=periods["listing"],
            sweep=periods["sweep"],
            facets=wanted,
            build=build,
            step=steps,
        )


def forget(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="OWNER/NAME, or OWNER for all that is theirs.")],
) -> None:
    """Erase all that is stored of a repo or an owner, and never store it again."""
    from crawler.forget import forget as run_forget
    from warehouse.build import FILE

    forgotten = run_forget(ctx.obj, name)
    say(
        f"{forgotten.repo_count:,} repos forgotten, {forgotten.file_count:,} raw files written anew"
    )
    if (ctx.obj / "study").exists():
        shutil.rmtree(ctx.obj / "study")
        say("studies in this home are erased as well; those written elsewhere with --out are not")
    if (ctx.obj / FILE).exists():
        say(built(ctx.obj, from_scratch=True))


def chosen_facets(text: str) -> tuple[str, ...]:
    """Facets out of a comma-separated list; ``none`` is none of them."""
    wanted = tuple(facet for facet in text.split(",") if facet not in {"", "none"})
    if unknown := set(wanted) - set(FACETS):
        known = ", ".join(FACETS)
        raise typer.BadParameter(f"unknown: {', '.join(sorted(unknown))}; there are {known}")
    return tuple(dict.fromkeys(wanted))


@contextmanager
def _usage() -> Iterator[None]:
    """Tell of what cannot be asked for as of wrong usage, with exit code 2."""
    from app.schedule import NothingScheduled, PeriodUnreadable
    from crawler.plan import OptionRefused

    try:
        yield
    except (OptionRefused, PeriodUnreadable, NothingScheduled) as refused:
        raise typer.BadParameter(str(refused)) from None


@contextmanager
def _told_when_stopped() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        say("stopped; what came is stored, and the same command goes on from there")
        raise


def _check_hub(endpoint: str, token: str | None, contact: str | None) -> None:
    from crawler.hub import DEFAULT_ENDPOINT, HeaderUnusable, Hub, NotAHub

    try:
        hub = Hub(endpoint, token=token, contact=contact)
    except (HeaderUnusable, NotAHub) as refused:
        raise typer.BadParameter(str(refused)) from None
    if hub.endpoint.count("/") > 2 or set(hub.endpoint) & {"?", "#"}:
        raise typer.BadParameter(
            f"{endpoint!r} has more to it than a host; give one like {DEFAULT_ENDPOINT}"
        )


def _check_sample_options(ctx: typer.Context, sample: int | None) -> None:
    sources = {name: ctx.get_parameter_source(name) for name in ("strata", "allocation", "seed")}
    given = [f"--{name}" for name, source in sources.items() if source and source.name != "DEFAULT"]
    if sample is None and given:
        raise typer.BadParameter(f"{given[0]} is of a sample: say --sample too, or leave it away")


def _brought(crawled: Crawled) -> str:
    """One line on what a crawl brought."""
    listed = "nothing listed"
    if crawled.has_listed:
        resumed = crawled.whole_count > crawled.listed_count
        listed = f"{crawled.listed_count:,} {'more ' if resumed else ''}models listed"
        if crawled.new_count < crawled.listed_count:
            listed += f" ({crawled.new_count:,} new, {crawled.changed_count:,} changed)"
        if resumed:
            listed += f", {crawled.whole_count:,} in all"
    answered = "".join(f", {summary}" for summary in crawled.summaries)
    missing = "; the listing is incomplete" if crawled.outcome == "incomplete" else ""
    return listed + answered + missing


def _sample_request(size: int, strata: str, allocation: Allocation, seed: int) -> SampleRequest:
    from crawler.plan import SampleRequest
    from crawler.strata import parse_strata

    return SampleRequest(size, parse_strata(strata), allocation.value, seed)


def _last_ended(home: Path, kind: str) -> datetime | None:
    from crawler.sweeps import last_ended

    ended_at = last_ended(home, {"sweep": "full", "listing": "incremental"}[kind])
    return None if ended_at is None else datetime.fromisoformat(ended_at)


def _is_due(home: Path, kind: str, period: timedelta | None) -> bool:
    """Whether a new sweep is due, and not only the rest of one that was broken off."""
    ended_at = _last_ended(home, kind)
    return not ended_at or not period or datetime.now(UTC) - ended_at > period / 2


def _seconds(period: str) -> float | None:
    from app.schedule import parse_period

    limit = parse_period(period)
    return None if limit is None else limit.total_seconds()


def _token(variable: str | None) -> str | None:
    if variable is None:
        return None
    token = os.environ.get(variable)
    if not token:
        raise typer.BadParameter(f"the environment variable {variable} holds no token")
    return token
