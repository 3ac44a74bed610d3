"""A build that is killed at any step leaves the published file, and the next one ends as if not."""

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hubs import contents
from raw_homes import RawHome

from warehouse.relations import RELATIONS

# One child for each step, forked before anything opens a database; the last one is not killed.
NURSERY = """
import hashlib, os, signal, sys
from itertools import count
from pathlib import Path
from analysis.lineage import derive_lineage
from warehouse.build import FILE, build

def build_until(steps):
    def report(label, done, total):
        if next(steps, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
    build(Path(sys.argv[1]), derive=derive_lineage, report=report)
    os._exit(0)

for step in count():
    print(hashlib.sha256((Path(sys.argv[1]) / FILE).read_bytes()).hexdigest(), flush=True)
    child = os.fork()
    if not child:
        build_until(iter(range(step)))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(code, flush=True)
    if code != -signal.SIGKILL:
        break
"""


@pytest.fixture
def home(tmp_path):
    made = RawHome(tmp_path)
    made.listing({"id": "o/m", "_id": "i1", "tags": ["base_model:o/b"], "likes": 1})
    made.built().close()
    made.listing({"id": "o/m", "_id": "i1", "likes": 2}, {"id": "o/b", "private": True}, day=2)
    made.answer("card", "o/m", b"---\nlicense: mit\n---\n# M")
    made.answer("commits", "o/m", [{"id": "c"}])
    return made


def test_a_build_that_is_killed_at_any_step_leaves_the_published_file(home):
    before = hashlib.sha256((home.folder / "warehouse.duckdb").read_bytes()).hexdigest()
    root = str(Path(__file__).parent.parent)
    told = subprocess.run(
        [sys.executable, "-c", NURSERY, str(home.folder)],
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    hashes, codes = told[::2], told[1::2]
    assert set(hashes) == {before}
    assert codes == [str(-signal.SIGKILL)] * (len(codes) - 1) + ["0"]
    assert len(codes) > len(RELATIONS)
    with home.built() as db:
        found = contents(db)
    with home.built(from_scratch=True) as db:
        assert contents(db) == found
