"""Unpacking raw files in several processes, each batch's rows as Arrow streams over a pipe.

Plain child processes that are asked over pipes: multiprocessing would import the caller's main
module anew, which a script need not stand. A child has at most two batches in hand and waits until
its rows are taken, which bounds the memory.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import IO

import orjson
import pyarrow as pa

from warehouse import WarehouseError
from warehouse.landing_tables import Row, as_arrow
from warehouse.raw import RawFile, RawFileUnreadable, read_raw_file
from warehouse.unpacking import unpack

COMMAND = (sys.executable, "-P", "-c", "from warehouse.workers import serve; serve()")
IN_HAND = 2
REMEDY = "restore it from a copy, or crawl into a new home"

Landed = dict[str, pa.Table]
Child = subprocess.Popen[bytes]


class WorkerDied(WarehouseError):
    """A process that unpacks raw files has ended amid its work."""


def landed(home: Path, names: Iterable[str]) -> Landed:
    """What raw files land as: for each landing table its rows.

    A file that cannot be read to its end is a row of rejects.
    """
    rows: dict[str, list[Row]] = defaultdict(list)
    for name in names:
        try:
            file = read_raw_file(home, name)
        except RawFileUnreadable as broken:
            reason = f"raw file is {broken}; {REMEDY}"
            refused = {"source": name, "key": None, "stage": "raw", "reason": reason}
            rows["rejected"].append(refused)
            continue
        rows["raw_file"].append(_raw_file_row(file))
        for table, found in unpack(file).items():
            rows[table] += found
    return {table: as_arrow(table, found) for table, found in rows.items() if found}


def landed_by_many(home: Path, batches: Iterable[list[str]]) -> Iterator[Landed]:
    """What each batch lands as, in order, by as many processes as there are cores.

    Raises `WorkerDied`.
    """
    with _children(len(os.sched_getaffinity(0))) as children:
        asked: deque[Child] = deque()
        for child, batch in zip(cycle(children), batches, strict=False):
            if len(asked) == IN_HAND * len(children):
                yield _answer(asked.popleft())
            _ask(child, {"home": str(home), "names": batch})
            asked.append(child)
        while asked:
            yield _answer(asked.popleft())


def serve() -> None:
    """Answer batches from stdin on stdout until there are no more; what a child process runs."""
    gc.disable()  # rows have no cycles, and there are millions to look through
    sink = sys.stdout.buffer
    for line in sys.stdin.buffer:
        asked = orjson.loads(line)
        tables = landed(Path(asked["home"]), asked["names"])
        sink.write(orjson.dumps(list(tables)) + b"\n")
        for rows in tables.values():
            with pa.ipc.new_stream(sink, rows.schema) as writer:
                writer.write_table(rows)
        sink.flush()


@contextmanager
def _children(count: int) -> Iterator[list[Child]]:
    # In sessions of their own: Ctrl-C is for the build, which ends them.
    pipe = subprocess.PIPE
    children = [
        subprocess.Popen(COMMAND, stdin=pipe, stdout=pipe, start_new_session=True)
        for _ in range(count)
    ]
    try:
        yield children
    finally:
        for child in children:
            child.kill()
            child.communicate()


def _ask(child: Child, asked: dict[str, object]) -> None:
    sink = _pipe(child.stdin)
    try:
        sink.write(orjson.dumps(asked) + b"\n")
        sink.flush()
    except BrokenPipeError:
        raise _died(child) from None


def _answer(child: Child) -> Landed:
    source = _pipe(child.stdout)
    try:
        tables = orjson.loads(source.readline())
        return {table: pa.ipc.open_stream(source).read_all() for table in tables}
    except (orjson.JSONDecodeError, pa.ArrowInvalid, OSError):
        raise _died(child) from None


def _died(child: Child) -> WorkerDied:
    code = child.wait()
    return WorkerDied(
        f"a process that unpacks raw files ended with {code}, for want of memory perhaps;"
        " the published warehouse is unchanged"
    )


def _pipe(end: IO[bytes] | None) -> IO[bytes]:
    if end is None:
        raise TypeError("a child without pipes")
    return end


def _raw_file_row(file: RawFile) -> Row:
    return {
        "name": file.name,
        "facet": file.facet,
        "byte_count": file.byte_count,
        "envelope_count": len(file.envelopes),
    }
