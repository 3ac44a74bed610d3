"""The schedule against a real hub: what its log says, and that nothing is built twice."""

import re
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from hubs import model, recording

from app.schedule import Steps, run_schedule
from crawler.localhub.running import running

HUBATLAS = str(Path(sys.executable).parent / "hubatlas")


def test_a_sweep_and_the_listing_behind_it_are_built_once(tmp_path):
    stop, turns = threading.Event(), []

    def step(kind):
        def run():
            turns.append(kind)
            if turns.count("listing") == 2:
                stop.set()
            if kind == "listing":
                stop.wait(0.2)  # lasts, so that the build of the sweep falls due behind it
            return "done"

        return run

    run_schedule(
        tmp_path,
        listing=timedelta(milliseconds=500),
        sweep=timedelta(hours=1),
        facets=(),
        step=Steps(step("listing"), step("sweep"), step("build"), lambda kind: None),
        stop=stop,
        say=lambda line: None,
    )
    assert turns == ["sweep", "listing", "build", "listing"]


@pytest.fixture
def truncated(tmp_path):
    """A hub that gives its first page only."""
    source = recording(tmp_path, [model(f"o/m{n}") for n in range(1200)])
    with running(source, mode="no-link") as endpoint:
        yield endpoint


def test_each_line_of_the_log_has_its_time_and_what_is_missing_is_in_it(tmp_path, truncated):
    command = [HUBATLAS, "--home", str(tmp_path / "home"), "schedule", "--endpoint", truncated]
    options = ["--listing", "off", "--sweep", "1h", "--facets", "none", "--no-build"]
    log = []
    with subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True) as child:
        try:
            while child.stderr and not (log and "next sweep" in log[-1]):
                log.append(child.stderr.readline().rstrip())
            child.send_signal(signal.SIGINT)
            _, rest = child.communicate(timeout=60)
        finally:
            child.kill()
    assert child.returncode == 130
    assert rest.splitlines() == [
        "stopped; what came is stored, and the same command goes on from there"
    ]
    assert [line for line in log if not re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ", line)] == []
    assert "sends no Link header" in log[2]
    assert log[3].endswith("sweep ended: 1,000 models listed; the listing is incomplete")
