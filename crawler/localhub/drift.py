"""Records that change while somebody pages over them."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

from crawler.localhub.catalogue import Catalogue
from crawler.localhub.recording import LEFT_TRUNCATION

MOVED_SHARE = 0.05


class Drift:
    """Changes that follow from a seed and how many there have been.

    Parameters
    ----------
    seed
        The same seed gives the same changes in the same order.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._moves = 0

    def move(self, catalogue: Catalogue) -> None:
        """Touch `MOVED_SHARE` of all records, two at least.

        Every other one rises above all in likes and downloads, the rest fall to nothing; each gets
        a lastModified of its own, later than any before.
        """
        self._moves += 1
        records = catalogue.records
        chance = Random(f"{self._seed}/{self._moves}")  # noqa: S311 - has to be repeatable
        count = min(len(records), max(2, int(MOVED_SHARE * len(records))))
        newest = datetime.fromisoformat(max(_modified(record) for record in records))
        for turn, number in enumerate(chance.sample(range(len(records)), count)):
            changed_at = newest + timedelta(milliseconds=turn + 1)
            changes: dict[str, Any] = {
                "likes": 10**6 + self._moves if turn % 2 else 0,
                "downloads": 10**9 + self._moves if turn % 2 else 0,
                "lastModified": changed_at.isoformat(timespec="milliseconds")[:23] + "Z",
            }
            catalogue.change(number, changes)


def _modified(record: dict[str, Any]) -> str:
    value = record.get("lastModified")
    return value if isinstance(value, str) else LEFT_TRUNCATION
