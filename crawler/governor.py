"""How fast a hub may be asked: one budget for all processes of this user on this machine.

A quota is a fixed window: so many requests, then none until it closes. Every answer tells what is
left of it, so a governor stops ahead of the end, at `WINDOW_SHARE`, and never meets a refusal.
"""

from __future__ import annotations

import hashlib
import math
import os
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub.utils import parse_ratelimit_headers

from crawler.ledger import BUCKETS, Bucket, Ledger

WINDOW_SHARE = 0.8
LONGEST_WAIT_S = 3600.0
LATEST_ANSWER_S = 60.0
JITTER_SHARE = 0.05
MOST_JITTER_S = 6.0
MOST_REQUESTS = 10**12


def bucket_of(path: str) -> str:
    """Which quota a path spends: ``api``, ``resolvers`` or ``pages``."""
    if path.startswith("/api/"):
        return "api"
    return "resolvers" if "/resolve/" in path else "pages"


def ledger_path(endpoint: str, token: str | None) -> Path:
    """Where the budget of an endpoint and a token is kept; the token cannot be read from it.

    The name holds the machine's boot, for the clock in the file begins anew with each.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    caller = hashlib.sha256(token.encode()).hexdigest()[:16] if token else "anonymous"
    name = hashlib.sha256(f"{endpoint} {caller}".encode()).hexdigest()[:32]
    return cache / "hubatlas" / "governor" / f"{name}-{_boot()}"


def refusal_of(headers: Mapping[str, str], stated_s: float | None) -> tuple[float | None, bool]:
    """What a 429 says: seconds to wait (None: nothing), and whether the quota explains it not.

    Parameters
    ----------
    stated_s
        Seconds out of Retry-After.
    """
    told = _told(headers)
    if told is None:
        return stated_s, stated_s is None
    if told.remaining > 0 or stated_s is not None:
        return stated_s, told.remaining > 0
    return told.reset_s + 1, False


class Governor:
    """Says when the next request may start.

    Parameters
    ----------
    path
        The file that processes share; None keeps the budget in memory.
    clock
        Seconds that only grow and that all who share the file agree on.
    rng
        For jitter: who waits for the same moment does not come back in step.
    long_backoff_s
        First wait in seconds after a refusal that the quota does not explain; doubled while they
        go on, up to `LONGEST_WAIT_S`.

    Raises
    ------
    LedgerUnusable
        The file cannot be made or locked.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
        long_backoff_s: float = 60.0,
    ) -> None:
        self._ledger = Ledger(path)
        self._clock = clock
        self._rng = rng or random.Random()  # noqa: S311 - no secret hangs on it
        self._long_backoff_s = long_backoff_s
        self._lock = threading.Lock()

    def close(self) -> None:
        """Let go of the file."""
        self._ledger.close()

    def take(self, bucket: str) -> float:
        """Reserve one request: 0 where it may start now, else the seconds to wait and ask again."""
        with self._ledger.locked():
            now = self._clock()
            index = self._spent_from(bucket)
            state = _begun_anew(self._ledger.read(index), now)
            wait = max(_hold(state, now), _till_open(state, now))
            if wait <= 0:
                state.spent += 1
                self._ledger.write(index, state)
                return 0.0
        return wait + self._jitter(wait)

    def heed(
        self,
        bucket: str,
        headers: Mapping[str, str],
        *,
        sent_at: float | None = None,
        refused: bool = False,
    ) -> None:
        """Learn from the RateLimit and RateLimit-Policy headers of an answer.

        Parameters
        ----------
        bucket
            What the path spends by `bucket_of`; where the headers name another, they are believed.
        sent_at
            When the request was sent, on this governor's clock; by default, now.
        refused
            Whether the answer is a refusal; any other ends a series of unexplained ones.
        """
        told = _told(headers)
        with self._ledger.locked():
            now = self._clock()
            if told is not None and told.bucket in BUCKETS:
                self._count_as(bucket, told.bucket)
            index = self._spent_from(bucket)
            state = self._ledger.read(index)
            if not refused and state.held_until <= now:
                state.refused_count = 0
            if told is not None:
                _learn(state, told, now if sent_at is None else sent_at, now)
            self._ledger.write(index, state)

    def throttle(self, bucket: str, retry_after_s: float | None, *, granular: bool) -> None:
        """Hold a bucket after a 429, or a 503 that says for how long.

        Parameters
        ----------
        retry_after_s
            What the server said, honoured up to `LONGEST_WAIT_S`; None where it said nothing.
        granular
            Whether the quota does not explain the refusal. Where nothing is said, such a one is
            waited out long, and longer while they go on.
        """
        with self._ledger.locked():
            now = self._clock()
            index = self._spent_from(bucket)
            state = self._ledger.read(index)
            wait_s = retry_after_s or 0.0
            if granular and retry_after_s is None:
                # Requests that were under way together are refused together: that is one refusal.
                state.refused_count += state.held_until <= now
                wait_s = self._long_backoff_s * 2 ** min(max(state.refused_count - 1, 0), 40)
            state.held_until = max(state.held_until, now + min(wait_s, LONGEST_WAIT_S))
            self._ledger.write(index, state)

    def _count_as(self, bucket: str, told: str) -> None:
        index, counted_as = BUCKETS.index(bucket), 1 + BUCKETS.index(told)
        state = self._ledger.read(index)
        if (state.counted_as or index + 1) != counted_as:
            state.counted_as = counted_as
            self._ledger.write(index, state)

    def _spent_from(self, bucket: str) -> int:
        index = BUCKETS.index(bucket)
        return int(self._ledger.read(index).counted_as or index + 1) - 1

    def _jitter(self, wait_s: float) -> float:
        with self._lock:
            return self._rng.uniform(0.0, min(JITTER_SHARE * wait_s, MOST_JITTER_S))


@dataclass(frozen=True)
class _Told:
    """What the headers of an answer say, within bounds; ``limit`` and ``window_s`` 0: nothing."""

    bucket: str
    remaining: float
    reset_s: float
    limit: float
    window_s: float


def _told(headers: Mapping[str, str]) -> _Told | None:
    found = {name: headers[name] for name in ("ratelimit", "ratelimit-policy") if name in headers}
    try:
        limits = parse_ratelimit_headers(found)
    except ValueError:  # more digits than Python turns into a number
        return None
    if limits is None:
        return None
    return _Told(
        bucket=limits.resource_type,
        remaining=float(min(limits.remaining, MOST_REQUESTS)),
        reset_s=float(min(limits.reset_in_seconds, LONGEST_WAIT_S)),
        limit=float(min(limits.limit or 0, MOST_REQUESTS)),
        window_s=float(min(limits.window_seconds or 0, LONGEST_WAIT_S)),
    )


def _begun_anew(state: Bucket, now: float) -> Bucket:
    """The bucket, in a new window where the one that was counted is over."""
    # Until an answer tells when the server's window closes, ours is taken to close late.
    latest = now + state.window_s + LATEST_ANSWER_S
    if not state.opened_at <= now < state.closes_at <= latest + 2:
        state.opened_at, state.closes_at, state.spent = now, latest, 0
    return state


def _learn(state: Bucket, told: _Told, sent_at: float, now: float) -> None:
    # The server spoke between `sent_at` and `now` and rounds to whole seconds: its window closes
    # between these two.
    earliest, latest = sent_at + told.reset_s - 1, now + told.reset_s + 1
    over = now >= state.closes_at
    state.window_s = max(told.window_s or state.window_s, told.reset_s)
    state.limit = told.limit or state.limit or state.spent + told.remaining
    if earliest < state.opened_at or (over and earliest <= state.closes_at):
        return  # a late answer, about a window that is over
    if over:
        state.opened_at, state.spent, state.closes_at = sent_at, 0, latest
    state.spent = max(state.spent, state.limit - told.remaining)
    later = earliest > state.closes_at
    state.closes_at = latest if later else min(state.closes_at, latest)


def _hold(state: Bucket, now: float) -> float:
    # Longer than any hold: a clock that has begun anew without a new name for the file.
    left = state.held_until - now
    return left if left <= LONGEST_WAIT_S else 0.0


def _till_open(state: Bucket, now: float) -> float:
    if not state.limit or state.spent < max(1, math.floor(state.limit * WINDOW_SHARE)):
        return 0.0
    return state.closes_at - now


def _boot() -> str:
    source = Path("/proc/sys/kernel/random/boot_id")
    return source.read_text().strip() if source.exists() else "boot"
