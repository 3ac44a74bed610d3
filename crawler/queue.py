"""The queue of facets: what is still to be asked of which repo, the most wanted first.

Wanted most is what is popular and long unseen: priority = 1000·log10(1 + downloads) + 10 for each
day since the facet was last answered, at most 365 of them; a repo never asked counts as 365.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from crawler.database import reading, transaction
from crawler.listed import GATED

OPEN, CLAIMED, DONE, FAILED = 0, 1, 2, 3
MOST_TRIES = 10  # runs that ask in vain for one version of a facet
NEVER = 3650  # the priority of a year without an answer
SAMPLED = 1_000_000  # added to what a sample asks for: above all else


@dataclass(frozen=True)
class Enqueue:
    """A facet to be queued for the repos of a page.

    Attributes
    ----------
    needs
        Bits of `crawler.listed`: queue only repos that hold one of these files; 0 queues all.
    version
        What the answer is pinned to; None takes the repo's own, that of its commit.
    """

    facet: str
    needs: int = 0
    version: int | None = None
    raised: int = 0


@dataclass(frozen=True)
class Wanted:
    """One facet of one repo to fetch, pinned to a revision where one is known."""

    repo_key: int
    repo_id: str
    revision: str
    gated: bool
    known_revision: str | None = None


@dataclass(frozen=True)
class Outcome:
    """How one entry of a batch ended: its revision, and whether that settles it.

    ``failure`` is what keeps it from being settled.
    """

    repo_id: str
    revision: str
    settled: bool
    gone: bool = False
    failure: str | None = None


@dataclass(frozen=True)
class Queue:
    """The rows of the queue in a home's state."""

    db: sqlite3.Connection

    def add(self, enqueue: Iterable[Enqueue]) -> None:
        """Queue facets of the repos in ``temp.listing``, within the caller's transaction.

        A facet whose version is queued or answered already stays as it is.
        """
        # A cross join is SQLite's word for: the page first, never all repos.
        for wanted in enqueue:
            self.db.execute(
                "insert into facet_queue (repo_key, facet_id, version, priority)"
                " select repo_key, :facet, coalesce(:version, repo.version),"
                " repo.popularity + :never + :raised"
                " from temp.listing cross join repo using (repo_key)"
                " where (:needs = 0 or repo.holds & :needs)"
                " on conflict (repo_key, facet_id) do update set version = excluded.version,"
                " priority = excluded.priority - :never + 10 * min(365, max(0,"
                " :today - coalesce(answered_day, :today - 365))), state = 0, batch_id = null,"
                " tries = 0"
                " where facet_queue.version <> excluded.version"
                " or (:raised > 0 and state = 0)",
                {
                    "facet": self._facet_id(wanted.facet),
                    "version": wanted.version,
                    "needs": wanted.needs,
                    "raised": wanted.raised,
                    "today": _today(),
                    "never": NEVER,
                },
            )

    def open_count(self, facet: str, *, least_priority: int = 0) -> int:
        """How many repos are still to be asked for a facet, failed ones left out."""
        row = self.db.execute(
            "select count(*) from facet_queue where facet_id = ? and state = 0 and priority >= ?",
            (self._facet_id(facet), least_priority),
        ).fetchone()
        return int(row[0])

    def has_open(self, facets: Iterable[str], *, least_priority: int = 0) -> bool:
        """Whether anything of these facets is still to be asked."""
        question = (
            "select 1 from facet_queue where facet_id = ? and state = 0 and priority >= ? limit 1"
        )
        ids = [self._facet_id(facet) for facet in facets]
        return any(self.db.execute(question, (one, least_priority)).fetchone() for one in ids)

    def claim(
        self, facet: str, size: int, *, least_priority: int = 0
    ) -> tuple[int, list[Wanted]] | None:
        """Take the next entries of a facet as a batch; None where none is left.

        A batch's number is never used again: it names the raw file.
        """
        facet_id = self._facet_id(facet)
        with transaction(self.db, "claim"):
            keys = self.db.execute(
                "select repo_key from facet_queue indexed by facet_queue_open"
                " where facet_id = ? and state = 0 and priority >= ?"
                " order by priority desc, repo_key limit ?",
                (facet_id, least_priority, size),
            ).fetchall()
            if not keys:
                return None
            batch_id = self._new_batch(facet_id)
            self.db.executemany(
                "update facet_queue set state = 1, batch_id = ? where repo_key = ?"
                " and facet_id = ?",
                [(batch_id, key, facet_id) for (key,) in keys],
            )
        return batch_id, self._wanted(batch_id)

    def _wanted(self, batch_id: int) -> list[Wanted]:
        rows = self.db.execute(
            "select repo_key, repo_id, revision, holds & ?, answered_revision from facet_queue"
            " indexed by facet_queue_claimed join repo using (repo_key)"
            " where batch_id = ? and state = 1 order by priority desc, repo_key",
            (GATED, batch_id),
        ).fetchall()
        return [Wanted(key, repo, rev, bool(gated), known) for key, repo, rev, gated, known in rows]

    def claimed(self) -> list[tuple[int, str]]:
        """Batches that an earlier run claimed and did not finish: (batch_id, facet)."""
        rows = self.db.execute(
            "select distinct batch_id, name from facet_queue indexed by facet_queue_claimed"
            " join facet using (facet_id) where state = 1"
        ).fetchall()
        return [(int(batch), str(name)) for batch, name in rows]

    def finish(self, batch_id: int, outcomes: Iterable[Outcome], *, run_id: int) -> None:
        """Mark a batch's entries by what its raw file holds of them.

        Entries without an outcome, where a crawl was stopped amid a batch, go back to the queue;
        those that are not settled (the hub failed) wait for the next run (`retry_failed`).
        """
        told = {outcome.repo_id: outcome for outcome in outcomes}
        with transaction(self.db, "batch"):
            wanted = self._wanted(batch_id)
            answered = [(want, told[want.repo_id]) for want in wanted if want.repo_id in told]
            self.db.executemany(
                "update facet_queue set state = ?, batch_id = null, answered_day = ?,"
                " tries = tries + 1,"
                " answered_revision = case when ? = 2 then ? else answered_revision end"
                " where repo_key = ? and batch_id = ? and state = 1",
                [_mark(want, outcome, batch_id) for want, outcome in answered],
            )
            self.db.execute(
                "update facet_queue set state = 0, batch_id = null"
                " where batch_id = ? and state = 1",
                (batch_id,),
            )
            self.db.executemany(
                "update repo set gone = 1 where repo_key = ?",
                [(want.repo_key,) for want, outcome in answered if outcome.gone],
            )
            self.db.execute(
                "update run set answered_count = answered_count + ? where run_id = ?",
                (len(answered), run_id),
            )

    def settle(self, facet: str, hub_ids: Iterable[str]) -> None:
        """Mark a facet of repos as answered, within the caller's transaction, as an import does."""
        facet_id = self._facet_id(facet)
        self.db.executemany(
            "insert into facet_queue (repo_key, facet_id, version, priority, state, answered_day,"
            " answered_revision) select repo_key, ?, version, 0, 2, ?, revision from repo"
            " where hub_id = ? on conflict (repo_key, facet_id) do update set"
            " version = excluded.version, state = 2, answered_day = excluded.answered_day",
            [(facet_id, _today(), hub_id) for hub_id in hub_ids],
        )

    def set_aside(self, facet: str) -> None:
        """Leave all of a facet that the endpoint does not offer to the next run."""
        self.db.execute(
            "update facet_queue set state = 3 where facet_id = ? and state = 0",
            (self._facet_id(facet),),
        )

    def retry_failed(self, facets: Iterable[str]) -> None:
        """Put what earlier runs could not get back into the queue."""
        for facet in facets:
            self.db.execute(
                "update facet_queue set state = 0 where facet_id = ? and state = 3 and tries < ?",
                (self._facet_id(facet), MOST_TRIES),
            )

    def _new_batch(self, facet_id: int) -> int:
        row = self.db.execute(
            "insert into facet_batch (facet_id) values (?) returning batch_id", (facet_id,)
        ).fetchone()
        return int(row[0])

    def _facet_id(self, name: str) -> int:
        # Asked first: an insert shuts out all other writers, also where it changes nothing.
        row = self.db.execute("select facet_id from facet where name = ?", (name,)).fetchone()
        if row is None:
            insert = "insert into facet (name) values (?) returning facet_id"
            row = self.db.execute(insert, (name,)).fetchone()
        return int(row[0])


def queued_counts(home: Path) -> dict[str, int]:
    """How many repos are still to be asked, by facet, failed ones included."""
    with reading(home) as db:
        if db is None:
            return {}
        rows = db.execute(
            "select name, count(*) from facet_queue join facet using (facet_id)"
            " where state <> ? group by name order by name",
            (DONE,),
        ).fetchall()
        return {name: int(count) for name, count in rows}


def _mark(want: Wanted, outcome: Outcome, batch_id: int) -> tuple[int | str | None, ...]:
    # An answer for another revision than is wanted by now is an answer, but settles nothing.
    ended = DONE if outcome.settled else FAILED
    state = ended if outcome.revision == want.revision else OPEN
    return (state, _today(), state, outcome.revision, want.repo_key, batch_id)


def _today() -> int:
    return datetime.now(UTC).toordinal()
