"""Crawl and build at a rhythm, in one long-running process.

The work is done in the main thread, one thing after the other: there Ctrl-C and SIGTERM reach a
crawl, and two crawls never meet. APScheduler, with its job store in memory, only tells what is due.
What was done when is the home's own state, so a new process goes on with the old rhythm.
"""

from __future__ import annotations

import queue
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Literal, Protocol

from apscheduler.executors.debug import DebugExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from analysis import AnalysisError
from app import AppError
from app.terminal import printable
from crawler import CrawlError
from crawler.hub import BudgetSpent
from warehouse import WarehouseError

Kind = Literal["sweep", "listing", "build"]
Say = Callable[[str], None]
Clock = Callable[[], datetime]

SHORTEST, LONGEST = timedelta(seconds=10), timedelta(days=366)
RETRY = timedelta(minutes=10)
# How often to look at the clock on the wall, which runs on while a laptop sleeps.
LOOK_S = 5.0
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
PASSING = (CrawlError, WarehouseError, AnalysisError)


class PeriodUnreadable(AppError):
    """A period is no number with a unit, or out of bounds."""


class NothingScheduled(AppError):
    """Neither the listing nor the sweep has a period."""


@dataclass(frozen=True)
class Steps:
    """What a schedule does; each returns one line on what it brought.

    Attributes
    ----------
    list_new
        The incremental listing, and the facets of what it lists.
    sweep_all
        The full sweep, and the facets of what it lists.
    build
        Build the warehouse and publish it.
    last_ended
        When a listing or sweep last ended, with a time zone, by the home's state; None for never.
    """

    list_new: Callable[[], str]
    sweep_all: Callable[[], str]
    build: Callable[[], str]
    last_ended: Callable[[Kind], datetime | None]


class Alarm(Protocol):
    """Tells what is due; each kind is set once at a time."""

    def set(self, kind: Kind, due: datetime) -> None:
        """Let ``wait`` return this kind once it is due, in place of an earlier time for it."""

    def wait(self, stop: threading.Event) -> Kind | None:
        """The next kind that is due, once it is; None as soon as ``stop`` is seen to be set."""


def parse_period(text: str) -> timedelta | None:
    """Read ``90s``, ``30m``, ``1h`` or ``1d``; ``off`` is None.

    Raises `PeriodUnreadable` for anything else, and outside 10 seconds to 366 days.
    """
    if text.strip() == "off":
        return None
    found = re.fullmatch(r"\s*([0-9]{1,8})([smhd])\s*", text)
    if not found:
        raise PeriodUnreadable(f"{text!r} is no period; write 90s, 30m, 1h, 1d or off")
    period = timedelta(**{UNITS[found[2]]: int(found[1])})
    if not SHORTEST <= period <= LONGEST:
        raise PeriodUnreadable(f"a period of {text} is out of bounds; 10s to 366d will do")
    return period


def first_due(last_ended: datetime | None, period: timedelta, now: datetime) -> datetime:
    """When to begin after a start: a period after the last end, at once where that has passed.

    A last end in the future, of a clock that was wrong, counts as now.
    """
    return now if last_ended is None else max(now, min(last_ended, now) + period)


def run_schedule(
    home: Path,
    *,
    listing: timedelta | None,
    sweep: timedelta | None,
    facets: tuple[str, ...],
    build: bool = True,
    step: Steps,
    stop: threading.Event | None = None,
    say: Say | None = None,
) -> None:
    """List, sweep and build until told to stop; call it from the main thread.

    A turn begins a period after the last of its kind has ended, so that nothing piles up behind
    one that takes long. SIGTERM ends the turn as Ctrl-C ends a crawl, and this returns; ``stop``
    ends it between two turns.

    Parameters
    ----------
    listing, sweep
        Periods; None for none.
    facets
        Only told: the steps know what they fetch.
    build
        Whether to build after every turn that brought something.
    say
        Takes each line of the log; stderr where not given.

    Raises
    ------
    `NothingScheduled`; KeyboardInterrupt on Ctrl-C; and what a step raises that does not pass: not
    `CrawlError`, `WarehouseError` and `AnalysisError`, which are told and tried again.
    """
    periods: dict[Kind, timedelta] = {}
    if sweep is not None:
        periods["sweep"] = sweep
    if listing is not None:
        periods["listing"] = listing
    if not periods:
        raise NothingScheduled("neither --listing nor --sweep has a period; try --sweep 1d")
    stop, say = stop or threading.Event(), say or _say
    rhythm = ", ".join(f"{kind} every {_written(period)}" for kind, period in periods.items())
    with _ended_by_signals(stop), _timed_alarm() as alarm:
        turns = Rhythm(step, periods, alarm, say, builds=build)
        turns.tell(f"{home}: {rhythm}; facets: {', '.join(facets) or 'none'}")
        turns.run(stop)
    turns.tell("stopped; the same command goes on from there")


def log(sentence: str) -> None:
    """Write a sentence to stderr as a line of the log, with the time before it."""
    _say(f"{_iso(datetime.now(UTC))} {sentence}")


@dataclass
class Rhythm:
    """The turns of a schedule, one after the other."""

    step: Steps
    periods: dict[Kind, timedelta]
    alarm: Alarm
    say: Say
    builds: bool = True
    clock: Clock = lambda: datetime.now(UTC)
    _waiting: list[Kind] = field(default_factory=list)

    def run(self, stop: threading.Event) -> None:
        """Take turns until ``stop`` is set."""
        self._begin()
        while not stop.is_set():
            kind = self._waiting.pop(0) if self._waiting else self.alarm.wait(stop)
            if kind is not None:
                self._turn(kind)

    def tell(self, sentence: str) -> None:
        """Say something with the time before it."""
        self.say(f"{_iso(self.clock())} {sentence}")

    def _begin(self) -> None:
        # The sweep before the listing: what it lists the listing need not.
        for kind, period in self.periods.items():
            due = first_due(self.step.last_ended(kind), period, self.clock())
            if due <= self.clock():
                self._waiting.append(kind)
            else:
                self._set(kind, due)
        if self.builds and not self._waiting:
            # A process that was killed between a crawl and its build has left that to this one.
            self._waiting.append("build")

    def _turn(self, kind: Kind) -> None:
        self.tell(f"{kind} begins")
        period, began = self.periods.get(kind), self.clock()
        try:
            brought = self._step(kind)()
        except BudgetSpent as spent:
            # The budget is one for each turn: a sooner try would spend it many times over.
            self.tell(f"{kind} ended early: {spent}")
            self._rest(kind, period)
        except PASSING as failure:
            self.tell(f"{kind} failed: {failure}")
            self._set(kind, self.clock() + min(period or RETRY, RETRY))
        else:
            self.tell(f"{kind} ended: {brought}")
            self._rest(kind, period, began=began)

    def _step(self, kind: Kind) -> Callable[[], str]:
        match kind:
            case "sweep":
                return self.step.sweep_all
            case "listing":
                return self.step.list_new
            case "build":
                return self.step.build

    def _rest(self, kind: Kind, period: timedelta | None, *, began: datetime | None = None) -> None:
        if period is None:
            return
        # The period runs from the end of this turn's listing: what is fetched after it fills the
        # time. Without one it runs from now.
        listed_at = self.step.last_ended(kind) if began else None
        if listed_at is None or began is None or listed_at < began:
            listed_at = self.clock()
        self._set(kind, first_due(listed_at, period, self.clock()))
        if self.builds:
            self.alarm.set("build", self.clock())

    def _set(self, kind: Kind, due: datetime) -> None:
        self.alarm.set(kind, due)
        self.tell(f"next {kind} at {_iso(due)}")


class _TimedAlarm:
    """An `Alarm` on APScheduler: one job for each kind, which puts the kind into a queue."""

    def __init__(self) -> None:
        self._due: queue.SimpleQueue[Kind] = queue.SimpleQueue()
        self._waiting: set[Kind] = set()
        # The job only puts a word into a queue, so it needs no threads of its own. However late
        # it is, it runs once.
        self.scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": DebugExecutor()},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def set(self, kind: Kind, due: datetime) -> None:
        # What fell due behind the turn that sets it anew is one with it.
        self._waiting.discard(kind)
        self.scheduler.add_job(
            self._put, "date", run_date=due, args=[kind], id=kind, replace_existing=True
        )

    def wait(self, stop: threading.Event) -> Kind | None:
        while not stop.is_set():
            try:
                kind = self._due.get(timeout=LOOK_S)
            except queue.Empty:
                # Its own timer stands still while the machine is asleep.
                self.scheduler.wakeup()
            else:
                if kind in self._waiting:
                    self._waiting.discard(kind)
                    return kind
        return None

    def _put(self, kind: Kind) -> None:
        self._waiting.add(kind)
        self._due.put(kind)


@contextmanager
def _timed_alarm() -> Iterator[_TimedAlarm]:
    alarm = _TimedAlarm()
    alarm.scheduler.start()
    try:
        yield alarm
    finally:
        alarm.scheduler.shutdown(wait=False)


@contextmanager
def _ended_by_signals(stop: threading.Event) -> Iterator[None]:
    """End the block on SIGTERM quietly, on Ctrl-C with KeyboardInterrupt."""
    received: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        repeated = number in received
        received.append(number)
        stop.set()
        # A second SIGTERM must not disturb a crawl that is putting its things away.
        if number == signal.SIGINT or not repeated:
            raise KeyboardInterrupt

    ends = (signal.SIGTERM, signal.SIGINT)
    former = {number: signal.signal(number, interrupt) for number in ends}
    try:
        yield
    except (KeyboardInterrupt, RuntimeError):
        # DuckDB tells of an interrupted query as a RuntimeError.
        if not received:
            raise
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
    if signal.SIGINT in received:
        raise KeyboardInterrupt


def _written(period: timedelta) -> str:
    seconds = int(period.total_seconds())
    sizes = {"d": 86_400, "h": 3_600, "m": 60}
    units = (f"{seconds // size}{unit}" for unit, size in sizes.items() if not seconds % size)
    return next(units, f"{seconds}s")


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _say(sentence: str) -> None:
    sys.stderr.write(printable(sentence) + "\n")
    sys.stderr.flush()
