"""The benchmarks run; what they measure is for people to read, not for tests to judge."""

import subprocess
import sys
from pathlib import Path

from hubs import model, recording

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
