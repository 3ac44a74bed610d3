"""The schedule: a month on a virtual clock, real timers, real signals, a home that is held."""

import re
import signal
import subprocess
import sys
import textwrap
import threading
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from app import AppError
from app.schedule import (
    NothingScheduled,
    PeriodUnreadable,
    Rhythm,
    Steps,
    first_due,
    parse_period,
    run_schedule,
)
from crawler.hub import BudgetSpent, Hub
from crawler.state import CrawlState
from warehouse.build import build

MONDAY = datetime(2026, 6, 1, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
RHYTHM = {"sweep": DAY, "listing": HOUR}


class VirtualTime:
    """A clock and an alarm: nobody waits, and what is due is due at once."""

    def __init__(self, until, *, asleep=()):
        self.now, self.until, self.due, self.asleep = MONDAY, until, {}, list(asleep)
        self.turns, self.said = [], []

    def clock(self):
        return self.now

    def set(self, kind, due):
        self.due[kind] = due

    def wait(self, stop):
        kind = min(self.due, key=lambda name: (self.due[name], name))
        self.now = max(self.now, self.due.pop(kind))
        while self.asleep and self.asleep[0][0] <= self.now:
            self.now = max(self.now, self.asleep.pop(0)[1])
        if self.now >= self.until:
            stop.set()
            return None
        return kind

    def step(self, kind, *, lasts=timedelta(0), does=lambda: "something"):
        def run():
            began = self.now
            self.now += lasts
            self.turns.append((kind, began, self.now))
            return does()

        return run

    def began(self, kind):
        return [began for name, began, _ in self.turns if name == kind]

    def run(self, periods=RHYTHM, *, last=lambda kind: None, builds=True, **steps):
        made = {name: steps.get(name) or self.step(name) for name in ("sweep", "listing", "build")}
        step = Steps(made["listing"], made["sweep"], made["build"], last)
        rhythm = Rhythm(step, dict(periods), self, self.said.append, builds, self.clock)
        rhythm.run(threading.Event())
        return self


def ago(**ended):
    return lambda kind: MONDAY - ended[kind] if kind in ended else None


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("90s", timedelta(seconds=90)),
        ("10s", timedelta(seconds=10)),
        (" 30m ", timedelta(minutes=30)),
        ("1h", HOUR),
        ("366d", timedelta(days=366)),
        ("off", None),
    ],
)
def test_a_period_is_a_number_and_a_unit(text, period):
    assert parse_period(text) == period


@pytest.mark.parametrize(
    "text", ["", "1", "h", "1w", "1.5h", "-1h", "1h30m", "9s", "0s", "367d", "99999999d", "9" * 99]
)
def test_what_is_no_period_is_told_in_one_line(text):
    with pytest.raises(PeriodUnreadable) as told:
        parse_period(text)
    assert isinstance(told.value, AppError)
    assert "\n" not in str(told.value)


def test_without_any_period_nothing_is_scheduled(tmp_path):
    step = Steps(lambda: "", lambda: "", lambda: "", lambda kind: None)
    with pytest.raises(NothingScheduled, match="try --sweep 1d"):
        run_schedule(tmp_path, listing=None, sweep=None, facets=(), step=step)


def test_a_turn_is_due_a_period_after_the_last_end_whatever_the_clock_did():
    assert first_due(None, DAY, MONDAY) == MONDAY
    assert first_due(MONDAY - HOUR, DAY, MONDAY) == MONDAY + 23 * HOUR
    assert first_due(MONDAY - 3 * DAY, DAY, MONDAY) == MONDAY
    assert first_due(MONDAY + 900 * DAY, DAY, MONDAY) == MONDAY + DAY


def test_a_new_home_is_swept_then_listed_then_built():
    time = VirtualTime(MONDAY + HOUR)
    time.run(sweep=time.step("sweep", lasts=10 * MINUTE))
    assert [kind for kind, _, _ in time.turns] == ["sweep", "listing", "build"]


def test_a_month_keeps_its_rhythm_and_a_sweep_makes_listings_wait_and_coalesce():
    time = VirtualTime(MONDAY + 30 * DAY)
    time.run(
        sweep=time.step("sweep", lasts=6 * HOUR), listing=time.step("listing", lasts=5 * MINUTE)
    )
    ends = [MONDAY, *(end for _, _, end in time.turns)]
    assert all(began >= end for (_, began, _), end in zip(time.turns, ends, strict=False))
    sweeps, listings = time.began("sweep"), time.began("listing")
    assert len(sweeps) == 24  # every 30 hours: six of work, then a day
    for began in sweeps:
        missed = [at for at in listings if began + 6 * HOUR <= at < began + 7 * HOUR]
        assert len(missed) == 1, "six listings that were due make one"
    # Between sweeps, an hour and five minutes apart.
    assert 24 * 22 <= len(listings) <= 24 * 24
    assert len(time.began("build")) >= len(listings)


def test_a_restart_goes_on_with_the_old_rhythm():
    time = VirtualTime(MONDAY + DAY)
    time.run(last=ago(sweep=3 * HOUR, listing=20 * MINUTE))
    assert time.began("sweep") == [MONDAY + 21 * HOUR]
    assert time.began("listing")[:2] == [MONDAY + 40 * MINUTE, MONDAY + 100 * MINUTE]
    assert time.turns[0] == ("build", MONDAY, MONDAY), "what was left unbuilt is built"


def test_what_is_overdue_after_a_restart_begins_at_once():
    time = VirtualTime(MONDAY + HOUR)
    time.run(last=ago(sweep=3 * HOUR, listing=9 * HOUR))
    assert time.turns[0][:2] == ("listing", MONDAY)


def test_a_laptop_that_slept_takes_one_turn():
    time = VirtualTime(MONDAY + 12 * HOUR, asleep=[(MONDAY + HOUR, MONDAY + 10 * HOUR)])
    time.run({"listing": HOUR}, builds=False)
    assert time.began("listing") == [MONDAY, MONDAY + 10 * HOUR, MONDAY + 11 * HOUR]


def test_without_builds_nothing_is_built():
    assert VirtualTime(MONDAY + DAY).run(builds=False).began("build") == []


def test_a_home_that_another_process_holds_is_told_and_tried_again(tmp_path):
    state = CrawlState(tmp_path)
    time = VirtualTime(MONDAY + HOUR)
    with ExitStack() as other:
        other.enter_context(state.locked())

        def listing():
            if len(time.began("listing")) == 3:
                other.close()
            with CrawlState(tmp_path).locked():
                return "7 models listed"

        time.run({"listing": HOUR}, listing=time.step("listing", does=listing), builds=False)
    state.close()
    assert time.began("listing") == [MONDAY, MONDAY + 10 * MINUTE, MONDAY + 20 * MINUTE]
    assert time.said[:3] == [
        "2026-06-01T00:00:00Z listing begins",
        "2026-06-01T00:00:00Z listing failed: another crawl is running on"
        f" {tmp_path}; wait for it or stop it",
        "2026-06-01T00:00:00Z next listing at 2026-06-01T00:10:00Z",
    ]
    assert "2026-06-01T00:20:00Z listing ended: 7 models listed" in time.said


def test_a_hub_that_is_down_is_tried_again_sooner():
    def sweep():
        with Hub("http://127.0.0.1:1") as nobody:
            return str(nobody.get("/api/models"))

    time = VirtualTime(MONDAY + 25 * MINUTE)
    time.run({"sweep": DAY}, sweep=time.step("sweep", does=sweep))
    assert time.began("sweep") == [MONDAY, MONDAY + 10 * MINUTE, MONDAY + 20 * MINUTE]
    assert time.began("build") == [], "a turn that brought nothing is not built"
    assert any("sweep failed: http://127.0.0.1:1 did not answer" in line for line in time.said)


def test_a_short_period_is_not_made_longer_by_a_failure(tmp_path):
    time = VirtualTime(MONDAY + 5 * MINUTE)
    failing = time.step("listing", does=lambda: str(build(tmp_path)))
    time.run({"listing": 2 * MINUTE}, listing=failing)
    assert time.began("listing") == [MONDAY, MONDAY + 2 * MINUTE, MONDAY + 4 * MINUTE]


def test_a_build_that_failed_is_tried_again_without_a_new_crawl(tmp_path):
    time = VirtualTime(MONDAY + 25 * MINUTE)
    failing = time.step("build", does=lambda: str(build(tmp_path)))
    time.run({"sweep": DAY}, build=failing)
    assert time.began("build") == [MONDAY, MONDAY + 10 * MINUTE, MONDAY + 20 * MINUTE]
    assert time.began("sweep") == [MONDAY]


def test_a_spent_budget_is_built_and_waits_for_the_next_turn():
    def spent():
        raise BudgetSpent("--max-requests is reached; run again to go on from here")

    time = VirtualTime(MONDAY + 50 * HOUR)
    time.run({"sweep": DAY}, sweep=time.step("sweep", does=spent))
    assert time.began("sweep") == [MONDAY, MONDAY + DAY, MONDAY + 2 * DAY]
    assert len(time.began("build")) == 3
    assert any("sweep ended early: --max-requests is reached" in line for line in time.said)


def test_a_bug_ends_the_schedule():
    time = VirtualTime(MONDAY + DAY)
    with pytest.raises(ZeroDivisionError):
        time.run(listing=time.step("listing", does=lambda: 1 / 0))


def test_real_timers_take_turns_in_the_main_thread_and_never_two_at_once(tmp_path):
    stop, turns, said, held = threading.Event(), [], [], threading.Lock()

    def step(kind):
        def run():
            assert held.acquire(blocking=False), "two at once"
            turns.append((kind, threading.current_thread()))
            if {"sweep", "listing", "build"} == {name for name, _ in turns} and len(turns) > 12:
                stop.set()
            held.release()
            return "done"

        return run

    run_schedule(
        tmp_path,
        listing=timedelta(milliseconds=10),
        sweep=timedelta(milliseconds=40),
        facets=("card",),
        step=Steps(step("listing"), step("sweep"), step("build"), lambda kind: None),
        stop=stop,
        say=said.append,
    )
    names = [name for name, _ in turns]
    assert names[:2] == ["sweep", "listing"]
    assert names.count("listing") > 1
    assert {thread for _, thread in turns} == {threading.main_thread()}
    assert re.search(r"^\S+Z .*: sweep every \w+, listing every \w+; facets: card$", said[0])
    assert said[-1].endswith("stopped; the same command goes on from there")
    assert [t.name for t in threading.enumerate() if t.name == "APScheduler"] == []
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


DRIVER = """
    import sys, threading
    from datetime import timedelta
    from pathlib import Path

    from app.schedule import Steps, run_schedule

    def crawl():
        try:
            print("ready", flush=True)
            threading.Event().wait()
        finally:
            print("put away", flush=True)

    def rest():
        threading.Timer(0, print, ["ready"], {"flush": True}).start()
        return "nothing new"

    def build():
        try:
            print("ready", flush=True)
            threading.Event().wait()
        except KeyboardInterrupt:
            raise RuntimeError("Query interrupted") from None  # as DuckDB tells it

    step = Steps({step}, crawl, build, lambda kind: None)
    run_schedule(Path("home"), listing=timedelta(hours=1), sweep=None, facets=(), build=False,
                 step=step)
    print("ended", flush=True)
"""


@pytest.mark.parametrize("step", ["crawl", "rest", "build"])
@pytest.mark.parametrize(
    ("number", "code", "last"),
    [(signal.SIGTERM, 0, "ended"), (signal.SIGINT, -signal.SIGINT, None)],
)
def test_signals_end_a_turn_or_the_wait_for_one(tmp_path, step, number, code, last):
    driver = tmp_path / "driver.py"
    driver.write_text(textwrap.dedent(DRIVER).replace("{step}", step))
    with subprocess.Popen(
        [sys.executable, str(driver)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    ) as child:
        assert child.stdout.readline() == "ready\n"
        child.send_signal(number)
        out, err = child.communicate(timeout=60)
    assert child.returncode == code, err
    assert out.splitlines() == ["put away"] * (step == "crawl") + [last] * (last is not None)
    assert re.search(r"Z home: listing every 1h; facets: none$", err.splitlines()[0])
    assert ("stopped; the same command" in err) == (last is not None)
    assert ("Traceback" in err) == (last is None)
