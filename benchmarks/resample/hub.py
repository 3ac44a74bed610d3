"""``python -m benchmarks.resample SOURCE… HOME --models N``: a hub of N models out of real records.

SOURCE is a recording or the home of a crawl. HOME gets raw files alone, as a crawl of the whole hub
would have left them: its listing by creation, a card and the commits of each model, then, for each
of ``--days``, what was listed and fetched because it had changed.

Method. Real records are drawn with replacement for tags, libraries, sizes, file lists,
configurations and cards (`sources.py`); names, commits and times are made up to be unique.
Who descends from whom is drawn by preferential attachment with the published numbers of each
relation (`families.py`); licence, task and languages come from the parent as often as is
published (`population.py`). Every number that this rests on is in `published.py`, with
its source. The same sources, sizes and seed give the same bytes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from benchmarks.resample.answers import REPOS_A_FILE, Day, Task, begin, tell, write
from benchmarks.resample.columns import DAY_S, LISTED_AT_S, Wanted
from benchmarks.resample.families import Ints
from benchmarks.resample.population import Population, draw_population, live_a_day
from benchmarks.resample.sources import NothingToResample, Templates, read_templates

PROCESSES = 2
OVERLAP_S = 3_600  # how far an incremental sweep looks back behind the last one
LEAST_MODELS = 100
FILES_AT_ONCE = 8  # that a process takes


def resample(sources: list[Path], home: Path, wanted: Wanted, *, seed: int = 0) -> Counter[str]:
    """Fill a home with raw files; returns how many files, answers, commits and bytes they hold.

    Raises
    ------
    NothingToResample
        The sources lack records, the home holds raw files already, or the hub would be too small to
        have shares of anything.
    """
    if wanted.models < LEAST_MODELS:
        raise NothingToResample(
            f"a hub of {wanted.models} models is too small; ask for {LEAST_MODELS}"
        )
    if (home / "raw").exists():
        raise NothingToResample(f"{home} holds raw files already; name an empty folder")
    templates = read_templates(sources)
    if wanted.cards and not templates.carded:
        raise NothingToResample(f"no record of {sources[0]} has a card; add one, or ask for none")
    rng = np.random.default_rng(seed)
    hub = draw_population(wanted, templates, rng)
    context = get_context("spawn")
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(PROCESSES, context, begin, (sources, seed)) as pool,
    ):
        told: Counter[str] = Counter()
        for day, parts in _days(hub, wanted, templates, rng):
            population = Path(folder) / str(day.number)
            hub.save(population)
            tasks = _tasks(home, population, day, parts, first_batch=_batches(told))
            counts = sum(pool.map(write, tasks, chunksize=FILES_AT_ONCE), Counter[str]())
            tell(home, day, counts)
            told += counts
    return told


Parts = list[tuple[str, str, Ints]]  # (facet, sort, models in the order in which they are asked)


def _days(
    hub: Population, wanted: Wanted, templates: Templates, rng: np.random.Generator
) -> Iterator[tuple[Day, Parts]]:
    """The first sweep, then each later day, with the population changed in place."""
    listed = np.arange(wanted.models)[::-1]
    yield Day(0), [("model", "createdAt", listed), *_asked(hub, np.arange(wanted.models))]
    for number in range(1, wanted.days + 1):
        changed = live_a_day(hub, wanted, number, look_count=len(templates.looks), rng=rng)
        day = Day(number, since_s=LISTED_AT_S + (number - 1) * DAY_S - OVERLAP_S)
        born = wanted.models + number * wanted.new_a_day
        yield (
            day,
            [
                ("model", "lastModified", _down_to(day, hub.modified_at[:born])),
                ("model", "createdAt", _down_to(day, hub.created_at[:born])),
                *_asked(hub, changed),
            ],
        )


def _asked(hub: Population, models: Ints) -> Parts:
    # A crawl asks the popular first.
    order = models[np.argsort(-hub.downloads[models], kind="stable")]
    return [("card", "", order), ("commits", "", order)]


def _down_to(day: Day, times: Ints) -> Ints:
    """Models from the latest down, in whole pages, the last of which goes past the day's since."""
    latest = np.argsort(-times, kind="stable")
    pages = int((times >= (day.since_s or 0)).sum()) // REPOS_A_FILE["model"] + 1
    return latest[: pages * REPOS_A_FILE["model"]]


def _tasks(
    home: Path, population: Path, day: Day, parts: Parts, *, first_batch: int
) -> Iterator[Task]:
    """One task a raw file, numbered as a crawl does: pages by sweep, batches by queue."""
    total = Counter[str]()
    for facet, _, models in parts:
        total[facet] += len(models)
    done, page, batch = Counter[str](), 0, first_batch
    for facet, sort, models in parts:
        for place, start in enumerate(range(0, len(models), REPOS_A_FILE[facet])):
            taken = models[start : start + REPOS_A_FILE[facet]]
            batch, page = batch + (facet != "model"), page + (facet == "model")
            name = f"{day.run_id:05d}-{page - 1:06d}" if facet == "model" else f"{batch:07d}"
            places = {"first": done[facet], "total": total[facet], "page": place}
            yield Task(home, population, day, facet, name, taken, **places, sort=sort)
            done[facet] += len(taken)


def _batches(told: Counter[str]) -> int:
    return told["card files"] + told["commits files"]


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line, fill the home, print what is in it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.resample", description=__doc__)
    parser.add_argument("sources", nargs="+", type=Path, metavar="SOURCE")
    parser.add_argument("home", type=Path, metavar="HOME")
    parser.add_argument("--models", type=int, default=2_500_000)
    parser.add_argument("--cards", type=int, help="default: three fifths of the models")
    parser.add_argument("--commits", type=int, help="default: four a model")
    parser.add_argument("--days", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    cards = given.models * 3 // 5 if given.cards is None else given.cards
    commits = given.models * 4 if given.commits is None else given.commits
    started = time.perf_counter()
    try:
        wanted = Wanted(given.models, cards, commits, given.days)
        told = resample(given.sources, given.home, wanted, seed=given.seed)
    except NothingToResample as refused:
        sys.exit(str(refused))
    for what, count in sorted(told.items()):
        print(f"{what:<24}{count:>16,}")
    print(f"{'seconds':<24}{time.perf_counter() - started:>16,.0f}")
