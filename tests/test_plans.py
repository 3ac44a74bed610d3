"""The published quotas: what the crawler spends of them on a virtual clock."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.plans import PLANS, simulate

ROOT = Path(__file__).parent.parent


def test_every_plan_is_simulated_and_none_exceeded():
    command = [sys.executable, "-m", "benchmarks.plans"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    rows = ran.stdout.splitlines()[1:]
    assert [row.split()[0] for row in rows] == [plan for plan in PLANS for _ in range(3)]


@pytest.mark.parametrize("quota", [10, 500])
def test_a_window_is_used_to_four_fifths_and_no_further(quota):
    hub = simulate("api", quota, 4 * quota, workers=4)
    assert max(hub.by_window.values()) == quota * 4 // 5
    assert hub.refused_count == 0
