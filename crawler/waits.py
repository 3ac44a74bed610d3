"""What a user is told while a crawl waits for its turn."""

from __future__ import annotations

import math
import threading
import time
from datetime import UTC, datetime, timedelta

from crawler.run import Tell

LONG_WAIT_S = 20.0


class Waits:
    """Tells of long waits, once for all the connections that wait for the same."""

    def __init__(self, tell: Tell) -> None:
        self.tell = tell
        self.told: dict[str | None, float] = {}
        self.lock = threading.Lock()

    def tell_of(self, bucket: str | None, seconds: float) -> None:
        """Tell that a request waits for its turn, where it is long and not told yet.

        ``bucket`` is the quota that is spent; None where the hub asks to wait for other reasons.
        """
        end = time.monotonic() + seconds
        with self.lock:
            if seconds < LONG_WAIT_S or end < self.told.get(bucket, -math.inf) + LONG_WAIT_S:
                return
            self.told[bucket] = end
        until = (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%H:%M:%S UTC")
        quota = f", for the hub's quota of {bucket} requests"
        why = ": the hub asks to wait" if bucket is None else quota
        self.tell(f"waiting {seconds:,.0f} s, until {until}{why}")
