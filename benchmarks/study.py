"""``python -m benchmarks.study HOME [OUT]``: what a study costs, step by step.

HOME holds a built warehouse; OUT takes tables, figures and report (a folder beside it if unset).
The study runs in a process of its own, so that its peak memory is its own. Nothing is published.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROW = "{:<28}{:>10}   {}"
STUDY = """
import resource, sys, time
from pathlib import Path
from analysis.anatomy import OPENED_WITH, study_anatomy
from analysis.study.publishing import write_tables
from atlas.report.writing import write_report
from warehouse.read import open_warehouse
home, out = map(Path, sys.argv[1:])
last = [None, time.perf_counter()]
def report(label, done, total):
    if not done:
        step(label)
def step(label):
    now = time.perf_counter()
    if last[0]:
        print(f"{last[0]}\\t{now - last[1]:.1f}", flush=True)
    last[:] = [label, now]
with open_warehouse(home, OPENED_WITH) as db:
    study = study_anatomy(db.cursor(), report=report)
    step("tables")
    write_tables(study, out / "tables")
    step("figures and report")
    write_report(study.db, out)
step(None)
use = resource.getrusage(resource.RUSAGE_SELF)
print(f"processor\\t{use.ru_utime + use.ru_stime:.1f}")
print(f"peak\\t{use.ru_maxrss / 1000:.0f}")
"""


def main(home: Path, out: Path) -> None:
    """Measure the study."""
    print(ROW.format("step", "seconds", ""))
    begun = time.perf_counter()
    command = [sys.executable, "-c", STUDY, str(home), str(out)]
    ran = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    whole = time.perf_counter() - begun
    told = dict(line.split("\t") for line in ran.stdout.splitlines())
    peak = told.pop("peak")
    for step, seconds in told.items():
        print(ROW.format(step, seconds, ""))
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    print(ROW.format("whole", f"{whole:.1f}", f"peak {peak} MB, {size / 1e6:.0f} MB written"))


if __name__ == "__main__":
    given = [Path(argument) for argument in sys.argv[1:]]
    with tempfile.TemporaryDirectory() as folder:
        main(given[0], given[1] if len(given) > 1 else Path(folder))
