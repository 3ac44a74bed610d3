"""``python -m benchmarks RECORDING``: crawl and build a recording, beside the plainest loops.

Prints one table: what was done, how fast, and the ratio to a loop that does only what cannot be
left out (one HTTP GET after the other, or one JSON parse), in the same run on the same machine.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import orjson

from crawler.crawl import crawl
from crawler.hub import CONNECTIONS, Hub
from crawler.localhub.recording import open_shelf
from crawler.localhub.running import running
from warehouse.raw import raw_names, read_raw_file, text_of

ROW = "{:<34}{:>12}{:>10}{:>14}   {}"


def main(recording: Path) -> None:
    """Measure all steps on one recording."""
    print(ROW.format("step", "count", "seconds", "per second", "beside"))
    with tempfile.TemporaryDirectory() as folder, running(recording) as endpoint:
        home = Path(folder)
        measure_crawl(home, endpoint, [repo.id for repo in open_shelf(recording).repos])
        measure_build(home)


def measure_crawl(home: Path, endpoint: str, ids: list[str]) -> None:
    """Listing and cards into raw files, beside the same GETs without storing anything."""
    clock = StepClock()
    crawl(home, endpoint=endpoint, report=clock.report)
    with timed() as bare, Hub(endpoint) as hub:
        for _ in pages(hub):
            pass
    show("listing into raw files", len(ids), clock.seconds("listing"), bare(), "bare GETs")
    with timed() as bare, Hub(endpoint) as hub, ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(lambda i: hub.get(f"/{i}/resolve/main/README.md").status, ids))
    show("cards into raw files", len(ids), clock.seconds("card"), bare(), "bare GETs")


def measure_build(home: Path) -> None:
    """The whole build from scratch, beside reading and parsing all raw files in Python."""
    # Only here: a crawl that is measured for its memory must not hold pandas and DuckDB.
    from analysis.lineage import derive_lineage
    from warehouse.build import build

    with timed() as whole:
        published = build(home, derive=derive_lineage, from_scratch=True)
    with timed() as bare:
        count = sum(parsed(home, name) for name in raw_names(home))
    show("build from scratch", count, whole(), bare(), "parsing the raw files")
    with timed() as again:
        build(home, derive=derive_lineage)
    show("build with nothing new", count, again(), whole(), "build from scratch")
    print(f"warehouse: {published.stat().st_size / 1e6:.0f} MB")


class StepClock:
    """Seconds from a step's first report to its last."""

    def __init__(self) -> None:
        self._spans: dict[str, list[float]] = {}

    def report(self, label: str, done: int, total: int | None) -> None:
        """Take a report of a crawl."""
        self._spans.setdefault(label, []).append(time.perf_counter())

    def seconds(self, label: str) -> float:
        """How long the step took."""
        return self._spans[label][-1] - self._spans[label][0]


@contextmanager
def timed() -> Iterator[Callable[[], float]]:
    """Seconds spent in the block, asked for after it."""
    started, ended = time.perf_counter(), 0.0
    yield lambda: ended
    ended = time.perf_counter()
    ended -= started


def pages(hub: Hub) -> Iterator[bytes]:
    """All pages of the listing, with the fields that a crawl asks for."""
    from crawler.capabilities import EXPAND

    path: str | None = "/api/models?sort=createdAt&limit=1000&" + "&".join(
        f"expand={field}" for field in EXPAND
    )
    while path:
        answer = hub.get(path)
        yield answer.body
        found = re.search("<([^>]+)>", answer.headers.get("link", ""))
        path = found[1].removeprefix(hub.endpoint) if found else None


def parsed(home: Path, name: str) -> int:
    """Parse one raw file; returns the number of models or cards in it."""
    file = read_raw_file(home, name)
    if file.facet == "card":
        return len(file.envelopes)
    return sum(len(orjson.loads(text_of(envelope))) for envelope in file.envelopes)


def show(step: str, count: int, seconds: float, bare: float, beside: str) -> None:
    """Print one row."""
    ratio = f"{seconds / bare:.2f} x {beside} ({bare:.2f} s)"
    print(ROW.format(step, f"{count:,}", f"{seconds:.2f}", f"{count / seconds:,.0f}", ratio))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m benchmarks RECORDING.jsonl.zst")
    main(Path(sys.argv[1]))
