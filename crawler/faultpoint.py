"""Places where a crash would hurt most, named so that a test can crash there.

``HUBATLAS_CRASH_AT=NAME:N`` ends the process as ``kill -9`` does when the place NAME is reached for
the N-th time; ``HUBATLAS_CRASH_LOG=FILE`` appends each name as it is reached. Without these two,
which nobody but a test sets, a place costs one comparison.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path

_reached: Counter[str] = Counter()
_crash_at = os.environ.get("HUBATLAS_CRASH_AT", "")
_log = os.environ.get("HUBATLAS_CRASH_LOG", "")


def reach(name: str) -> None:
    """Pass a named place between a write, an fsync, a rename or a change of state and the next."""
    if not _crash_at and not _log:
        return
    _reached[name] += 1
    if _log:
        with Path(_log).open("a") as log:
            log.write(f"{name}\n")
    if f"{name}:{_reached[name]}" == _crash_at:
        os.kill(os.getpid(), signal.SIGKILL)


def arm(*, crash_at: str = "", log: str = "") -> None:
    """Set both for a process that has imported this already."""
    global _crash_at, _log
    _crash_at, _log = crash_at, log
