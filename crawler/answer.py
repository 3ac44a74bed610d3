"""One answer of a hub, and what its headers say of time."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property, lru_cache
from importlib.metadata import version

from huggingface_hub.utils import httpx

CLIENT = f"hubatlas/{version('hubatlas')}"
MOST_DRIFT = timedelta(seconds=2)


@dataclass(frozen=True)
class Answer:
    """One answer: where it came from, when, its bytes, and what is wrong with it.

    Attributes
    ----------
    url
        What was asked for at the endpoint.
    final_url
        Where redirects ended; without its query where that is another origin, for that holds a
        signature.
    status
        HTTP status; 0 where none came.
    body
        Empty where the failure is ``integrity``: half of an answer is none.
    fetched_at
        UTC with milliseconds. By the server's Date where the clock here is more than 2 s off.
    failure
        A name out of `crawler.failures.FAILURES`; None for what was asked for.
    reason
        One clause on the failure where there is more to say than its name.
    resolved_url
        Where redirects ended, signature and all: for further ranges of the same file. Never stored.
    repo_commit
        The commit that the endpoint answered from, also where a content host sent the bytes.
    span_ignored
        A range was asked for, the whole file came, and the range was cut out of it here.
    """

    url: str
    final_url: str
    status: int
    headers: httpx.Headers
    body: bytes
    fetched_at: str
    endpoint: str = ""
    failure: str | None = None
    reason: str | None = None
    resolved_url: str = field(default="", repr=False)
    repo_commit: str | None = None
    span_ignored: bool = False

    @cached_property
    def body_sha256(self) -> str:
        """Hex digest of the body's bytes."""
        return hashlib.sha256(self.body).hexdigest()

    @property
    def provenance(self) -> dict[str, str | int | None]:
        """What an envelope says of an answer besides its body."""
        return {
            "url": self.url,
            "final_url": None if self.final_url == self.url else self.final_url,
            "endpoint": self.endpoint,
            "fetched_at": self.fetched_at,
            "status": self.status,
            "etag": self.headers.get("etag"),
            "repo_commit": self.repo_commit,
            "error_code": self.headers.get("x-error-code"),
            "body_sha256": self.body_sha256,
            "client": CLIENT,
        }


def plain_headers(headers: httpx.Headers) -> dict[str, str]:
    """Headers by their lower-case names, for those who look up many; repeated ones are joined."""
    plain: dict[str, str] = {}
    for raw_name, raw_value in headers.raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        plain[name] = f"{plain[name]}, {value}" if name in plain else value
    return plain


def answered_at(headers: Mapping[str, str], here: datetime) -> datetime:
    """When an answer was given: ``here``, or the server's Date where that is far from it.

    The clock here may jump; the order of looks at a model must not. A cache's Age is added.
    """
    date = _date(headers.get("date", ""))
    if date is None:
        return here
    age = headers.get("age", "")
    there = date + timedelta(seconds=int(age) if re.fullmatch("[0-9]{1,8}", age) else 0)
    return there if abs(there - here) > MOST_DRIFT else here


def retry_after_s(headers: Mapping[str, str], here: datetime) -> float | None:
    """Seconds that Retry-After states; None where it states none.

    A date is measured against the answer's own Date, so that no clock here matters.
    """
    stated = headers.get("retry-after", "").strip()
    if re.fullmatch("[0-9]+", stated):
        return float(stated) if len(stated) < 10 else math.inf
    until = _date(stated)
    if until is None:
        return None
    return max((until - (_date(headers.get("date", "")) or here)).total_seconds(), 0.0)


@lru_cache(maxsize=64)  # servers say the same second many times
def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
