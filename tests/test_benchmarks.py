"""The benchmarks run; what they measure is for people to read, not for tests to judge."""

import subprocess
import sys
from pathlib import Path

from hubs import model, recording
from studies import home_of

ROOT = Path(__file__).parent.parent


def test_every_step_is_measured(tmp_path):
    source = recording(tmp_path, [model(f"o/m{n}", card="# x") for n in range(5)])
    command = [sys.executable, "-m", "benchmarks", str(source)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    steps = [line.split("  ")[0] for line in ran.stdout.splitlines()[1:5]]
    assert steps == [
        *("listing into raw files", "cards into raw files"),
        *("build from scratch", "build with nothing new"),
    ]


def test_a_whole_hub_is_measured_beside_its_goals(tmp_path):
    source = recording(tmp_path, [model(f"o/m{n}", card="# x") for n in range(5)])
    command = [sys.executable, "-m", "benchmarks.scale", str(source), "--times", "3"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    steps = [line.split("  ")[0] for line in ran.stdout.splitlines()[2:-1]]
    assert steps == [
        *("sweep, models/s", "sweep, peak RSS in MB"),
        *("sweep with 5 facets, models/s", "sweep with 5 facets, peak RSS in MB"),
        *("queue opens, ms", "slowest of 20 claims, ms", "cards, requests/s"),
    ]
    assert "75 entries" in ran.stdout


def test_a_study_is_measured_step_by_step(tmp_path):
    home = home_of(tmp_path, [model(f"o/m{n}", card="# x") for n in range(5)])
    command = [sys.executable, "-m", "benchmarks.study", str(home)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    steps = [line.split("  ")[0] for line in ran.stdout.splitlines()[1:]]
    assert steps[0] == "models and edges"
    assert steps[-4:] == ["tables", "figures and report", "processor", "whole"]
    assert "peak" in ran.stdout.splitlines()[-1]
