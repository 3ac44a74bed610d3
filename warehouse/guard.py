"""The one door for SQL of strangers: a process of its own, bounded in all that it may use.

DuckDB's own limits do not hold for a single function (``repeat('x', 4000000000)`` takes 4 GB, two
long texts keep ``levenshtein`` busy for hours, and neither hears an interrupt). So the statement
is parsed, judged and run by a child that the operating system keeps small and that is killed when
it overstays.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import orjson

from warehouse.read import NoWarehouse, Parameters, SqlRefused
from warehouse.shadowing import NothingAsOf

if TYPE_CHECKING:
    import pyarrow

GRACE_S = 2.0
REFUSALS = {kind.__name__: kind for kind in (SqlRefused, NoWarehouse, NothingAsOf)}


@dataclass(frozen=True)
class Limits:
    """What one statement of a stranger may take; counts are of rows, sizes in bytes.

    Attributes
    ----------
    memory_bytes
        Of DuckDB's buffers; the whole process gets as much again, for all that is not buffered.
    spill_bytes
        What may be put on disk meanwhile.

    """

    seconds: float = 10.0
    row_count: int = 10_000
    cell_bytes: int = 10_000
    result_bytes: int = 16 << 20
    memory_bytes: int = 1 << 30
    spill_bytes: int = 1 << 30
    threads: int = 2


@dataclass(frozen=True)
class Answer:
    """Rows of a guarded statement, and one sentence for each thing that was cut."""

    table: pyarrow.Table
    notices: list[str] = field(default_factory=list)

    def opened(self) -> duckdb.DuckDBPyConnection:
        """A database in memory that holds the rows as relation ``answer``, in DuckDB's types."""
        db = duckdb.connect(config={"enable_external_access": "false"})
        db.register("arrow", self.table)
        db.execute("create table answer as from arrow")
        return db


def ask(
    home: Path,
    sql: str,
    *,
    parameters: Parameters | None = None,
    as_of: datetime | None = None,
    limits: Limits = Limits(),
) -> Answer:
    """Run a stranger's statement on the newest published warehouse, within limits.

    Parameters
    ----------
    parameters
        Values of ``$name``: text, numbers, dates, datetimes (UTC) or None.
    as_of
        A UTC time: relations are what `warehouse.shadowing.shadow_as_of` makes of them.

    Raises
    ------
    SqlRefused
        The statement is wrong, asks for what it may not, or for more than the limits.
    NoWarehouse, NothingAsOf
        There is nothing to ask.

    """
    with tempfile.TemporaryDirectory(prefix="hubatlas-sql-") as spill:
        question = {
            "home": str(home.absolute()),
            "sql": sql,
            "parameters": {name: _encoded(value) for name, value in (parameters or {}).items()},
            "as_of": as_of.isoformat() if as_of else None,
            "limits": asdict(limits),
            "spill": spill,
        }
        said = _run_child(_question_bytes(question), limits)
    header, _, body = said.partition(b"\n")
    verdict = orjson.loads(header)
    if refusal := verdict.get("refusal"):
        raise REFUSALS[refusal](verdict["reason"])
    import pyarrow

    return Answer(pyarrow.ipc.open_stream(body).read_all(), verdict["notices"])


def _question_bytes(question: Mapping[str, object]) -> bytes:
    try:
        return orjson.dumps(question)
    except TypeError as unsayable:  # half a surrogate pair, a number beyond 64 bits
        raise SqlRefused(f"that cannot be asked: {unsayable}") from None


def _encoded(value: object) -> list[object]:
    if isinstance(value, datetime):
        return ["timestamp", value.isoformat()]
    if isinstance(value, date):
        return ["date", value.isoformat()]
    return ["", value]


def _run_child(question: bytes, limits: Limits) -> bytes:
    # A session of its own: Ctrl-C is for us, and the child is ended below.
    with subprocess.Popen(
        [sys.executable, "-m", "warehouse.guarded"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PYTHONPATH": str(Path(__file__).parents[1]), "LC_ALL": "C.UTF-8"},
        cwd=os.sep,
        start_new_session=True,
    ) as child:
        try:
            said, complaint = child.communicate(question, timeout=limits.seconds + GRACE_S)
        except subprocess.TimeoutExpired:
            raise SqlRefused(overtime(limits)) from None
        finally:
            child.kill()
            child.wait()
    if child.returncode in {-signal.SIGXCPU, -signal.SIGKILL}:
        raise SqlRefused(overtime(limits))
    # The bounds of the operating system end a process wherever it is, with whatever it says then.
    if child.returncode < 0 or b"MemoryError" in complaint or b"bad_alloc" in complaint:
        raise SqlRefused(overweight(limits))
    if child.returncode != 0:
        raise RuntimeError(f"the guarded process failed: {complaint.decode(errors='replace')}")
    return said


def overtime(limits: Limits) -> str:
    """Why a statement was stopped that took too long."""
    return f"the query was stopped after {limits.seconds:g} s; ask for less, or for fewer rows"


def overweight(limits: Limits) -> str:
    """Why a statement was stopped that took too much room."""
    memory, spill = limits.memory_bytes >> 20, limits.spill_bytes >> 20
    return (
        f"the query was stopped: it needs more than {memory:,} MB of memory"
        f" and {spill:,} MB of disk; ask for less"
    )
