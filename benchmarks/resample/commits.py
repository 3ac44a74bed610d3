"""Commit histories of a made-up hub: how many is drawn, what they say follows from model and place.

A commit looks the same whenever its repo is asked, which is what tells a history that goes on from
one that was rewritten.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from benchmarks.resample.families import Ints
from benchmarks.resample.names import Names
from benchmarks.resample.population import Population
from benchmarks.resample.published import TITLES

TITLE_TABLE = [title for title, count in TITLES for _ in range(count)]


@dataclass(frozen=True)
class Histories:
    """Commits of a hub's models; models are rows of the population."""

    hub: Population
    names: Names
    seed: int

    def newest(self, models: Ints, *, before: int = 0) -> list[str]:
        """The newest commit of each, or one so many places before it."""
        pairs = zip(models.tolist(), self.hub.commits[models].tolist(), strict=True)
        return [self._sha(model, count - 1 - before) for model, count in pairs]

    def commits(self, models: Ints) -> list[list[str]]:
        """Commits of each as JSON texts, newest first."""
        hub = self.hub
        columns = (hub.commits, hub.created_at, hub.first_span_s, hub.recommitted_at)
        drawn = zip(*(column[models].tolist() for column in columns), strict=True)
        times = [_times(*row) for row in drawn]
        written = written_times(np.array([at for one in times for at in one]))
        ends = np.cumsum([len(one) for one in times]).tolist()
        rows = zip(models.tolist(), self.names.ids(models), [0, *ends], ends, strict=False)
        return [
            [
                self._commit(model, repo_id, place, written[first + place])
                for place in reversed(range(last - first))
            ]
            for model, repo_id, first, last in rows
        ]

    def _commit(self, model: int, repo_id: str, place: int, at: str) -> str:
        sha = self._sha(model, place)
        title = "initial commit" if place == 0 else TITLE_TABLE[int(sha[:6], 16) % len(TITLE_TABLE)]
        owner, _, name = repo_id.rpartition("/")
        if "{" in title:
            title = title.format(n=int(sha[6:10], 16) % 5000, name=name)
        # Written by hand: nothing in it needs an escape, and there are millions.
        return (
            f'{{"id":"{sha}","title":"{title}","message":"",'
            f'"authors":[{{"user":"{owner or name}"}}],"date":"{at}"}}'
        )

    def _sha(self, model: int, place: int) -> str:
        made = b"%d %d %d" % (self.seed, model, place)
        return hashlib.sha1(made, usedforsecurity=False).hexdigest()


def written_times(seconds: Ints) -> list[str]:
    """Times, in seconds since 1970, as the Hub writes them."""
    texts = np.datetime_as_string(np.asarray(seconds).astype("datetime64[s]"), unit="s")
    return [f"{text}.000Z" for text in texts.tolist()]


def _times(count: int, created_at: int, first_span_s: int, recommitted_at: int) -> list[int]:
    """Seconds since 1970, oldest first; later days add one commit at most."""
    added = [recommitted_at] if recommitted_at else []
    first_count = count - len(added)
    steps = max(1, first_count - 1)
    return [created_at + first_span_s * place // steps for place in range(first_count)] + added
