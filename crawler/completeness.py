"""Whether a full listing lacks what it should hold, by what the listings before it held.

A repo that the full listing before held, or that was listed or imported since, is expected. One
that two full listings in a row lack is no evidence against the second: so a real loss is accepted
by the second, and its repos are asked for by name. Only where much is back that the first lacked,
that one was cut, and says nothing: then all that is known is expected.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

TOLERATED, TOLERATED_SHARE = 10, 50  # repos, and one in so many: what vanishes on any day
# What is only on this machine no hub lists.
ON_A_HUB = "gone = 0 and hub_id not like 'local-%'"


class Gap(NamedTuple):
    """What a full listing lacks.

    ``known`` are the repos that it should hold, ``missing`` those of them that it does not;
    ``lost`` are known repos that neither it nor the full listing before holds.
    """

    known: int
    missing: int
    lost: int

    @property
    def is_too_wide(self) -> bool:
        """Whether more is missing than vanishes between two listings."""
        return _is_many(self.missing, self.known)


def full_before(db: sqlite3.Connection, sweep_id: int | None = None) -> int | None:
    """The last full sweep, before this one, that came to the end of its listing."""
    row = db.execute(
        "select max(sweep_id) from sweep where kind = 'full'"
        " and outcome in ('complete', 'incomplete') and (? is null or sweep_id < ?)",
        (sweep_id, sweep_id),
    ).fetchone()
    return None if row[0] is None else int(row[0])


def absent_count(db: sqlite3.Connection) -> int:
    """How many known repos neither the last full sweep nor anything since has listed."""
    row = db.execute(
        f"select count(*) from repo where {ON_A_HUB} and last_sweep < ?",  # noqa: S608
        (full_before(db) or 0,),
    ).fetchone()
    return int(row[0])


def gap_of(db: sqlite3.Connection, sweep_id: int, *, absent_before: int) -> Gap:
    """What the full sweep lacks at its end; ``absent_before`` is `absent_count` at its begin."""
    row = db.execute(
        "select count(*), coalesce(sum(last_sweep < :sweep), 0),"  # noqa: S608
        " coalesce(sum(last_sweep < :former), 0)"
        f" from repo where {ON_A_HUB} and first_sweep < :sweep",
        {"sweep": sweep_id, "former": full_before(db, sweep_id) or 0},
    ).fetchone()
    known, missing, lost = map(int, row)
    if _is_many(absent_before - lost, known):
        return Gap(known, missing, lost)
    return Gap(known - lost, missing - lost, lost)


def _is_many(count: int, known: int) -> bool:
    return count > max(TOLERATED, known // TOLERATED_SHARE)
