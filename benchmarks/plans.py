"""``python -m benchmarks.plans``: how long crawls take under the Hub's published quotas.

A simulation on a virtual clock: the crawler's own governor asks, the embedded hub's own window
counts. Two processes with eight connections each share one budget. Windows are simulated request
by request; what takes longer than `SIMULATED_WINDOWS` of them is extrapolated from their mean.
"""

from __future__ import annotations

import heapq
import random
import sys
from collections import Counter
from dataclasses import dataclass, field

from crawler.governor import Governor
from crawler.localhub.ratelimit import WINDOW_SECONDS, Window

PLANS = {
    "anonymous": {"api": 500, "resolvers": 3_000},
    "free": {"api": 1_000, "resolvers": 5_000},
    "PRO": {"api": 2_500, "resolvers": 12_000},
}
PROCESSES = 2
CONNECTIONS = 8
CRAWLS = (
    ("listing of 2.5 M models", "api", 2_500, 1),  # page after page: the next is in the last
    ("2.5 M cards", "resolvers", 2_500_000, PROCESSES * CONNECTIONS),
    ("2.5 M commit histories", "api", 2_500_000, PROCESSES * CONNECTIONS),
)
LATENCY_S = (0.05, 0.4)
SIMULATED_WINDOWS = 5
ROW = "{:<11}{:<25}{:>11}{:>12}{:>16}   {}"


@dataclass
class Simulated:
    """A hub with one quota, and those who ask it; times in virtual seconds."""

    quota: int
    rng: random.Random
    now: float = 0.0
    refused_count: int = 0
    by_window: Counter[float] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._window = Window(self.quota)
        self._opened_at = -float(WINDOW_SECONDS)

    def spend(self, bucket: str, at: float) -> dict[str, str]:
        """Count one request as the embedded hub does; returns what it tells."""
        if at >= self._opened_at + WINDOW_SECONDS:
            self._opened_at = at
        allowed, left, seconds = self._window.spend(at)
        self.by_window[self._opened_at] += 1
        self.refused_count += not allowed
        return {
            "ratelimit": f'"{bucket}";r={left};t={seconds}',
            "ratelimit-policy": f'"fixed window";"{bucket}";q={self.quota};w={WINDOW_SECONDS}',
        }


def simulate(bucket: str, quota: int, requests: int, *, workers: int, seed: int = 0) -> Simulated:
    """Ask ``requests`` times as fast as the governor lets; returns the hub as it then stands."""
    hub = Simulated(quota, random.Random(seed))
    governor = Governor(clock=lambda: hub.now, rng=hub.rng)
    # Each worker's next event: its turn to ask, or (with what was told) the answer that it gets.
    events: list[tuple[float, int, float, dict[str, str]]] = [
        (hub.rng.random(), worker, 0.0, {}) for worker in range(workers)
    ]
    heapq.heapify(events)
    sent = 0
    while sent < requests or any(told for *_, told in events):
        hub.now, worker, sent_at, told = heapq.heappop(events)
        if told:
            governor.heed(bucket, told, sent_at=sent_at)
        if sent == requests:
            continue
        if (wait_s := governor.take(bucket)) > 0:
            heapq.heappush(events, (hub.now + wait_s, worker, 0.0, {}))
            continue
        sent += 1
        latency = hub.rng.uniform(*LATENCY_S)
        told = hub.spend(bucket, hub.now + latency / 2)
        heapq.heappush(events, (hub.now + latency, worker, hub.now, told))
    return hub


def measure(plan: str, crawl: str, bucket: str, requests: int, workers: int) -> bool:
    """Print one row; returns whether no window was exceeded."""
    quota = PLANS[plan][bucket]
    simulated = min(requests, SIMULATED_WINDOWS * quota)
    hub = simulate(bucket, quota, simulated, workers=workers)
    share = max(hub.by_window.values()) / quota
    whole = simulated == requests
    seconds = hub.now if whole else _extrapolated(hub.by_window, requests)
    how = "simulated whole" if whole else f"from {len(hub.by_window)} windows"
    print(ROW.format(plan, crawl, f"{requests:,}", _spell(seconds), f"{share:.1%}", how))
    return hub.refused_count == 0 and share <= 1


def main() -> None:
    """Print one row a plan and crawl; exit 1 where a window was exceeded."""
    print(ROW.format("plan", "crawl", "requests", "wall time", "most of a quota", "how"))
    kept = [measure(plan, *crawl) for plan in PLANS for crawl in CRAWLS]
    if not all(kept):
        sys.exit("a window was exceeded")


def _extrapolated(by_window: Counter[float], requests: int) -> float:
    # The last window is cut off by the simulation's end.
    opened = sorted(by_window)
    asked = sum(by_window[at] for at in opened[:-1])
    return requests * (opened[-1] - opened[0]) / asked


def _spell(seconds: float) -> str:
    hours = seconds / 3600
    return f"{hours * 60:.1f} min" if hours < 1 else f"{hours / 24:.1f} days"


if __name__ == "__main__":
    main()
