"""What has been spent of a hub's quotas, kept where all processes of a user see it.

One record of fixed size for each quota, in memory or in a small file that is locked for as long
as one request is reserved or one answer heeded: microseconds.
"""

from __future__ import annotations

import contextlib
import fcntl
import math
import mmap
import os
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from crawler import CrawlError

BUCKETS = ("api", "resolvers", "pages")
WINDOW_S = 300.0


class LedgerUnusable(CrawlError):
    """The shared budget cannot be kept; the message names the file and the cause."""


@dataclass
class Bucket:
    """One quota: what was told of it and what we have spent. Times in seconds on one clock.

    Attributes
    ----------
    limit
        Requests in one window, as last told; 0 where never told.
    window_s
        Length of a window.
    opened_at, closes_at
        The window that is counted now.
    spent
        Requests in it: ours, or all where the server tells of more.
    held_until
        Nothing starts before.
    refused_count
        Refusals in a row that the quota does not explain.
    counted_as
        1 + the index of the bucket that the server really counts these requests in; 0: itself.
    """

    limit: float = 0.0
    window_s: float = WINDOW_S
    opened_at: float = 0.0
    closes_at: float = 0.0
    spent: float = 0.0
    held_until: float = 0.0
    refused_count: float = 0.0
    counted_as: float = 0.0

    def packed(self) -> bytes:
        """The record as it lies in the file."""
        return _RECORD.pack(
            *(self.limit, self.window_s, self.opened_at, self.closes_at),
            *(self.spent, self.held_until, self.refused_count, self.counted_as),
        )


class Ledger:
    """The buckets of one caller of one endpoint.

    Read and write them within `locked` only. Raises `LedgerUnusable` where the file cannot be made
    or locked; a file that is not a ledger's is begun anew.
    """

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.Lock()
        self._path = path
        self._file = None if path is None else _opened(path)
        # Mapped, not read: a system call lets other threads in, and each would have to wait here.
        self._records: bytearray | mmap.mmap = (
            bytearray(_EMPTY) if self._file is None else mmap.mmap(self._file, len(_EMPTY))
        )

    def close(self) -> None:
        """Let go of the file; closing twice is closing once."""
        with self._lock:
            if self._file is not None:
                if isinstance(self._records, mmap.mmap):
                    self._records.close()
                os.close(self._file)
                self._file = None

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep all other threads and processes out."""
        with self._lock:
            if self._path is None:
                yield
                return
            if self._file is None:
                raise LedgerUnusable(f"the request budget in {self._path} is closed already")
            fcntl.flock(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def read(self, index: int) -> Bucket:
        """One bucket's record."""
        return Bucket(*_RECORD.unpack_from(self._records, _at(index)))

    def write(self, index: int, bucket: Bucket) -> None:
        """Replace one bucket's record."""
        self._records[_at(index) : _at(index) + _RECORD.size] = bucket.packed()


_RECORD = struct.Struct("<8d")
_MAGIC = b"hubatlas governor 1\n".ljust(64, b"\0")
_EMPTY = _MAGIC + Bucket().packed() * len(BUCKETS)
_OLD_S = 86400.0


def _at(index: int) -> int:
    return len(_MAGIC) + index * _RECORD.size


def _opened(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.parent.chmod(0o700)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        _remove_old(path)
        try:
            _begin(file)
        except OSError:
            os.close(file)
            raise
    except OSError as error:
        raise LedgerUnusable(
            f"the request budget cannot be kept in {path} ({error.strerror});"
            " name a folder that can be written in XDG_CACHE_HOME"
        ) from error
    return file


def _begin(file: int) -> None:
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        if not _is_ledger(os.pread(file, len(_EMPTY) + 1, 0)):
            os.ftruncate(file, 0)
            os.pwrite(file, _EMPTY, 0)
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def _is_ledger(content: bytes) -> bool:
    if len(content) != len(_EMPTY) or not content.startswith(_MAGIC):
        return False
    return all(math.isfinite(n) for n in struct.unpack_from("<24d", content, len(_MAGIC)))


def _remove_old(path: Path) -> None:
    # Each boot of the machine begins a new file. A shared home may hold those of other machines,
    # which are in use: only what nobody has touched for a day goes.
    for other in path.parent.glob(path.name.partition("-")[0] + "-*"):
        with contextlib.suppress(FileNotFoundError):
            if other != path and time.time() - other.stat().st_mtime > _OLD_S:
                other.unlink()
