"""``python -m benchmarks.scale RECORDING [--times N]``: a whole Hub, listed and queued.

The embedded hub serves the recording N times over; each crawl runs in a process of its own, whose
peak of memory it reports. One table: what was measured beside what it should be, and beside a bare
loop over the same hub in the same run. The goals are those of two cores that the hub shares.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from benchmarks.__main__ import StepClock, pages, timed
from crawler.crawl import crawl
from crawler.hub import Hub
from crawler.localhub.running import running
from crawler.state import CrawlState

FACETS = ("card", "commits", "tree", "refs", "discussions")
BARE_PAGES = 200
CARDS = 4_000
CLAIM = 512
CLAIMS = 20
ROW = "{:<38}{:>14}{:>14}   {:<6}{}"

Measured = TypeVar("Measured")


@dataclass(frozen=True)
class Pace:
    """How one step of a crawl went; ``peak_mb`` is the crawling process's greatest RSS."""

    count: int
    seconds: float
    peak_mb: float

    @property
    def per_second(self) -> float:
        """Models, or requests, a second."""
        return self.count / self.seconds


@dataclass(frozen=True)
class Opened:
    """Seconds until a state is open, and of its slowest claim of `CLAIM` entries."""

    open_s: float
    claim_s: float
    queued_count: int
    state_mb: float


def main(recording: Path, *, times: int) -> None:
    """Measure all of it, in the order of the table."""
    print(f"load average at the start: {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores")
    print(ROW.format("step", "measured", "goal", "", "beside"))
    with tempfile.TemporaryDirectory() as folder, running(recording, times=times) as endpoint:
        bare = apart(bare_listing, endpoint)
        show_sweep("sweep", apart(crawl_listing, Path(folder) / "plain", endpoint, ()), bare)
        home = Path(folder) / "queued"
        show_sweep("sweep with 5 facets", apart(crawl_listing, home, endpoint, FACETS), bare)
        show_queue(apart(open_and_claim, home))
        show_cards(apart(crawl_cards, Path(folder) / "cards", endpoint))
    print(f"load average at the end: {os.getloadavg()[0]:.2f}")


def apart(measure: Callable[..., Measured], *given: object) -> Measured:
    """Run a measurement in a fresh process: its memory is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(measure, *given).result()


def bare_listing(endpoint: str) -> Pace:
    """The first `BARE_PAGES` pages of the listing, fetched and dropped."""
    with timed() as elapsed, Hub(endpoint) as hub:
        count = sum(page.count(b'"_id":') for page in islice(pages(hub), BARE_PAGES))
    return Pace(count, elapsed(), peak_mb())


def crawl_listing(home: Path, endpoint: str, facets: tuple[str, ...]) -> Pace:
    """The whole listing into raw files, its facets into the queue and no further."""
    clock = StepClock()
    crawled = crawl(home, endpoint=endpoint, facets=facets, time_limit_s=0, report=clock.report)
    return Pace(crawled.listed_count, clock.seconds("listing"), peak_mb())


def crawl_cards(home: Path, endpoint: str) -> Pace:
    """Cards of `CARDS` models into raw files."""
    clock = StepClock()
    crawled = crawl(
        home, endpoint=endpoint, model_limit=CARDS, facets=("card",), report=clock.report
    )
    return Pace(crawled.answered["card"], clock.seconds("card"), peak_mb())


def open_and_claim(home: Path) -> Opened:
    """Open a crawled home's state and claim `CLAIMS` batches, each facet in its turn."""
    with timed() as opening:
        state = CrawlState(home)
    slowest = 0.0
    for n in range(CLAIMS):
        started = time.perf_counter()
        state.queue.claim(FACETS[n % len(FACETS)], CLAIM)
        slowest = max(slowest, time.perf_counter() - started)
    queued = state.db.execute("select count(*) from facet_queue").fetchone()[0]
    state.close()
    size = (home / "state" / "crawl.sqlite").stat().st_size
    return Opened(opening(), slowest, int(queued), size / 1e6)


def peak_mb() -> float:
    """This process's greatest resident memory so far, in MB; Linux counts it in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def show_sweep(step: str, pace: Pace, bare: Pace) -> None:
    """Print how fast a sweep went, and how much memory it took."""
    ratio = bare.per_second / pace.per_second
    beside = f"{ratio:.2f} x bare GETs ({bare.per_second:,.0f}/s); {pace.count:,} models"
    beside += f" in {pace.seconds:,.1f} s"
    show(f"{step}, models/s", pace.per_second, 15_000, beside)
    show(f"{step}, peak RSS in MB", pace.peak_mb, 300, f"{bare.peak_mb:.0f} MB", at_most=True)


def show_queue(opened: Opened) -> None:
    """Print how long the queue takes to open and to give out a batch."""
    size = f"{opened.queued_count:,} entries, {opened.state_mb:,.0f} MB"
    show("queue opens, ms", opened.open_s * 1e3, 2_000, size, at_most=True)
    show(
        f"slowest of {CLAIMS} claims, ms",
        opened.claim_s * 1e3,
        50,
        f"{CLAIM} entries a claim",
        at_most=True,
    )


def show_cards(pace: Pace) -> None:
    """Print how fast facets are fetched, 404s counted."""
    show("cards, requests/s", pace.per_second, 300, f"{pace.count:,} in {pace.seconds:.1f} s")


def show(step: str, measured: float, goal: float, beside: str, *, at_most: bool = False) -> None:
    """Print one row."""
    met = measured <= goal if at_most else measured >= goal
    bound = f"{'<=' if at_most else '>='} {goal:,.0f}"
    print(ROW.format(step, f"{measured:,.0f}", bound, "" if met else "NOT", beside), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale")
    parser.add_argument("recording", type=Path)
    parser.add_argument("--times", type=int, default=160, help="160 x 15,904 are 2.5 M models")
    asked = parser.parse_args()
    main(asked.recording, times=asked.times)
