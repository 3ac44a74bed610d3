"""What a user is told while a crawl waits for the hub's quota."""

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
        self.told: dict[str, float] = {}
        self.lock = threading.Lock()

    def tell_of(self, bucket: str, seconds: float) -> None:
        """Tell that a request waits for its turn, where it is long and not told yet."""
        end = time.monotonic() + seconds
        with self.lock:
            if seconds < LONG_WAIT_S or end < self.told.get(bucket, -math.inf) + LONG_WAIT_S:
                return
            self.told[bucket] = end
        until = (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%H:%M:%S UTC")
        self.tell(
            f"waiting {seconds:,.0f} s, until {until}, for the hub's quota of {bucket} requests"
        )
