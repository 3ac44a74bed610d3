"""One Hub over HTTP: paced, retried, bounded answers. Nothing here knows what a model is."""

from __future__ import annotations

import itertools
import os
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Self
from urllib.parse import urljoin, urlsplit

# Against other endpoints, building a User-Agent would otherwise call the endpoint first.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

from huggingface_hub import close_session, get_session, set_client_factory
from huggingface_hub.utils import build_hf_headers, httpx, parse_ratelimit_headers

from crawler import CrawlError

DEFAULT_ENDPOINT = "https://huggingface.co"
CONNECTIONS = 8
TRIES = 5
LONGEST_WAIT_S = 300.0
WINDOW_SHARE = 0.8
MAX_BODY_BYTES = 256 * 2**20
TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
BROKEN_OFF = (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError)


class HubUnreachable(CrawlError):
    """The endpoint did not answer; the message names it and the cause."""


class NotAHub(CrawlError):
    """The endpoint answered, but not as a Hub does."""


class BudgetSpent(CrawlError):
    """``max_requests`` is reached; what is stored stays, and a later run goes on from there."""


class CrawlStopped(CrawlError):
    """The crawl is ending: a request that was waiting for its turn is not sent any more."""


@dataclass(frozen=True)
class Answer:
    """One answer: where it came from, when, and its bytes."""

    url: str
    final_url: str
    status: int
    headers: httpx.Headers
    body: bytes
    fetched_at: str

    @property
    def provenance(self) -> dict[str, str | int | None]:
        """What an envelope says of an answer besides its body."""
        return {
            "url": self.url,
            "final_url": None if self.final_url == self.url else self.final_url,
            "fetched_at": self.fetched_at,
            "status": self.status,
            "etag": self.headers.get("etag"),
            "repo_commit": self.headers.get("x-repo-commit"),
            "error_code": self.headers.get("x-error-code"),
        }


class Hub:
    """A Hub-compatible endpoint, asked politely.

    Parameters
    ----------
    endpoint
        ``https://host[:port]``; plain http only on loopback.
    token
        Sent to this endpoint alone, over https or loopback alone; never stored.
    max_requests
        A hard stop: the request after it raises `BudgetSpent`.
    backoff_s
        First wait in seconds after a passing failure; doubled each time, with jitter.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        token: str | None = None,
        max_requests: int | None = None,
        backoff_s: float = 0.5,
        contact: str | None = None,
    ) -> None:
        self.endpoint = _checked(endpoint)
        self._left = max_requests
        self._backoff_s = backoff_s
        self._pace = Pace()
        self._lock = threading.Lock()
        self._headers = build_hf_headers(
            token=token or False,
            library_name="hubatlas",
            library_version=version("hubatlas"),
            user_agent={"contact": contact} if contact else None,
        )

    def __enter__(self) -> Self:
        set_client_factory(_client)
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()
        close_session()

    def stop(self) -> None:
        """Send nothing more; whoever waits for a turn gets `CrawlStopped` at once."""
        self._pace.stop()

    def get(self, path: str) -> Answer:
        """GET a path of this endpoint, redirects followed, passing failures retried.

        Raises `HubUnreachable`, `NotAHub` (redirect loops, oversized bodies), `BudgetSpent`,
        `CrawlStopped`.
        A status other than a passing one (408, 425, 429, 5xx) is an answer, not an error.
        """
        url = self.endpoint + path
        for attempt in itertools.count(1):
            self._pace.wait()
            try:
                answer = self._once(url)
            except BROKEN_OFF as broken:
                if attempt == TRIES or _nobody_there(broken, attempt):
                    raise HubUnreachable(f"{self.endpoint} did not answer: {broken}") from broken
                self._pace.hold(self._backoff(attempt))
                continue
            if answer.status not in TRANSIENT or attempt == TRIES:
                return answer
            stated = _retry_after(answer.headers)
            self._pace.hold(self._backoff(attempt) if stated is None else stated)
        raise AssertionError  # the loop above has no other end

    def _once(self, url: str) -> Answer:
        self._spend()
        fetched_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        try:
            with get_session().stream("GET", url, headers=self._headers) as response:
                self._pace.heed(response.headers)
                body = _bounded(response)
        except (httpx.TooManyRedirects, httpx.DecodingError, httpx.UnsupportedProtocol) as odd:
            raise NotAHub(f"{url} cannot be read: {odd}") from odd
        return Answer(
            url=url,
            final_url=_unsigned(str(response.url)),
            status=response.status_code,
            headers=response.headers,
            body=body,
            fetched_at=fetched_at.replace("+00:00", "Z"),
        )

    def _spend(self) -> None:
        with self._lock:
            if self._left is None:
                return
            if self._left <= 0:
                raise BudgetSpent("--max-requests is reached; run again to go on from here")
            self._left -= 1

    def _backoff(self, attempt: int) -> float:
        # Jitter, so that several crawlers do not come back in step.
        return float(self._backoff_s * 2 ** (attempt - 1) * random.uniform(0.5, 1.5))  # noqa: S311


class Pace:
    """Waits ahead of a spent window: at most `WINDOW_SHARE` of what each window allows."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.held_until = 0.0
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def heed(self, headers: httpx.Headers) -> None:
        """Read the RateLimit headers of an answer."""
        limits = parse_ratelimit_headers(headers)
        if limits and limits.limit:
            spent = limits.limit - limits.remaining
            if spent >= limits.limit * WINDOW_SHARE:
                self.hold(limits.reset_in_seconds)

    def hold(self, seconds: float) -> None:
        """Let no request start for this many seconds, `LONGEST_WAIT_S` at most."""
        with self._lock:
            until = self._clock() + min(seconds, LONGEST_WAIT_S)
            self.held_until = max(self.held_until, until)

    def wait(self) -> None:
        """Return once a request may start; raises `CrawlStopped` as soon as none may any more."""
        while (left := self.held_until - self._clock()) > 0 and not self._stopped.is_set():
            self._stopped.wait(left)
        if self._stopped.is_set():
            raise CrawlStopped("the crawl is stopped")

    def stop(self) -> None:
        """Wake all that wait."""
        self._stopped.set()


def same_origin(url: str, endpoint: str) -> bool:
    """Whether a URL lies on the endpoint's own scheme, host and port."""
    ours, theirs = urlsplit(endpoint), urlsplit(url)
    return (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc)


def path_of(link: str, endpoint: str) -> str:
    """A Link's path and query; raises `NotAHub` when it leads to another origin.

    The token would otherwise go to whatever host the header names.
    """
    absolute = urljoin(endpoint + "/", link)
    if not same_origin(absolute, endpoint):
        raise NotAHub(f"{endpoint} names a next page on another host: {urlsplit(absolute).netloc}")
    return absolute[len(endpoint) :]


def _checked(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    loopback = parts.hostname in {"127.0.0.1", "localhost", "::1"}
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise NotAHub(f"{endpoint!r} is no endpoint; give one like {DEFAULT_ENDPOINT}")
    if parts.scheme == "http" and not loopback:
        raise NotAHub(f"{endpoint} is plain http; only loopback may be, use https")
    return endpoint.rstrip("/")


def _client() -> httpx.Client:
    return httpx.Client(
        timeout=httpx.Timeout(60.0, connect=10.0),
        limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
        follow_redirects=True,
        max_redirects=5,
    )


def _bounded(response: httpx.Response) -> bytes:
    chunks: list[bytes] = []
    size = 0
    for chunk in response.iter_bytes():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise NotAHub(f"{response.url} answered more than {MAX_BODY_BYTES:,} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def _unsigned(url: str) -> str:
    # A content host's query string holds a signature; it is never written down.
    return urlsplit(url)._replace(query="", fragment="").geturl() if "Signature" in url else url


def _nobody_there(broken: Exception, attempt: int) -> bool:
    return attempt == 1 and isinstance(broken, httpx.ConnectError)


def _retry_after(headers: httpx.Headers) -> float | None:
    stated = headers.get("retry-after", "")
    return float(stated) if stated.isdigit() else None
