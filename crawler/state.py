"""The crawl's own memory of one home: whose it is, its runs, its sweeps and its queue."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crawler import CrawlError
from crawler.database import now, open_database
from crawler.queue import Queue
from crawler.runs import Runs
from crawler.sweeps import Sweeps


class HomeBusy(CrawlError):
    """Another crawl holds this home."""


class OtherHub(CrawlError):
    """The home already holds records of another hub."""


class CrawlState:
    """One home's state; `runs`, `sweeps` and `queue` share its file."""

    def __init__(self, home: Path) -> None:
        """Open or create it; raises `StateDamaged`, `StateOfOtherVersion`."""
        self.folder = home / "state"
        self.db = open_database(home)
        self.runs = Runs(self.db)
        self.queue = Queue(self.db)
        self.sweeps = Sweeps(self.db, self.queue)

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the home for one crawl; raises `HomeBusy` when another process has it."""
        with (self.folder / "crawl.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise HomeBusy(
                    f"another crawl is running on {self.folder.parent}; wait for it or stop it"
                ) from None
            yield

    def claim_hub(self, name: str) -> None:
        """Remember whose records this home holds; raises `OtherHub` where it holds others'.

        A hub that has not answered anything yet, for a slip of the pen in its address perhaps, is
        forgotten for the next.
        """
        known = self.db.execute("select name from hub").fetchone()
        if known and known[0] != name:
            if any((self.folder.parent / "raw" / "model").glob("*.jsonl.zst")):
                raise OtherHub(
                    f"this home holds records of {known[0]}, not of {name}; give another --home"
                )
            self.db.executescript("delete from hub; delete from sweep where ended_at is null")
        self.db.execute("insert or ignore into hub values (?, ?)", (name, now()))

    def forgotten(self) -> frozenset[str]:
        """Digests of what is never to be stored again (`crawler.restraint`)."""
        return frozenset(row[0] for row in self.db.execute("select digest from forgotten"))
