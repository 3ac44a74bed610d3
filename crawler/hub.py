"""One Hub over HTTP: governed, retried, bounded answers. Nothing here knows what a model is.

What is wrong with one answer is in the answer (`Answer.failure`); an exception says that the whole
crawl cannot go on.
"""

from __future__ import annotations

import itertools
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Self

# Against other endpoints, building a User-Agent would otherwise call the endpoint first.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

from huggingface_hub.utils import build_hf_headers, httpx

from crawler import CrawlError
from crawler.addresses import RedirectRefused, next_hop
from crawler.answer import Answer, answered_at, plain_headers, retry_after_s
from crawler.body import MAX_BODY_BYTES, BodyUnreadable
from crawler.endpoint import DEFAULT_ENDPOINT, NotAHub, checked_endpoint, path_of, same_origin
from crawler.exchange import Ask, Reply, Turn, answer_of, judged, receive
from crawler.governor import Governor, bucket_of, ledger_path, refusal_of
from crawler.network import CONNECTIONS, OverTime, ending_within, open_client

__all__ = [
    "CONNECTIONS",
    "DEFAULT_ENDPOINT",
    "Answer",
    "BudgetSpent",
    "CrawlStopped",
    "HeaderUnusable",
    "Hub",
    "HubUnreachable",
    "NotAHub",
    "TokenRefused",
    "path_of",
    "same_origin",
]

TRIES = 5
MOST_REDIRECTS = 5
EXCHANGE_S = 300.0
BROKEN_OFF = (
    httpx.TimeoutException,
    httpx.NetworkError,
    httpx.ProxyError,
    httpx.RemoteProtocolError,
)


class HubUnreachable(CrawlError):
    """The endpoint did not answer; the message names it and the cause."""


class BudgetSpent(CrawlError):
    """``max_requests`` is reached; what is stored stays, and a later run goes on from there."""


class CrawlStopped(CrawlError):
    """The crawl is ending: a request that was waiting for its turn is not sent any more."""


class TokenRefused(CrawlError):
    """The endpoint refuses the token, or wants one where there is none."""


class HeaderUnusable(CrawlError):
    """The token or the contact holds characters that no header may."""


class Hub:
    """A Hub-compatible endpoint, asked politely.

    Parameters
    ----------
    endpoint
        ``https://host[:port]``; plain http only on loopback.
    token
        Sent to this endpoint alone, over https or loopback alone; never stored.
    max_requests
        A hard stop: the request after it raises `BudgetSpent`. Redirects and retries count.
    backoff_s
        First wait in seconds after a passing failure; doubled each time, with jitter.
    contact
        Told in the User-Agent; plain ASCII.
    long_backoff_s
        First wait in seconds after a 429 that the quota does not explain.
    exchange_s
        Longest that one request and its answer may take, in seconds.
    clock
        The time of day, in UTC.
    on_wait
        Called with (bucket, seconds) whenever a request waits for its turn, by the waiting thread;
        the bucket is None where the hub has asked to wait and its quota does not say why.

    Attributes
    ----------
    request_count
        Requests sent so far.
    failures
        How often each failure came, those that a retry mended too.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        token: str | None = None,
        max_requests: int | None = None,
        backoff_s: float = 0.5,
        contact: str | None = None,
        long_backoff_s: float = 60.0,
        exchange_s: float = EXCHANGE_S,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        on_wait: Callable[[str | None, float], None] = lambda bucket, seconds: None,
    ) -> None:
        self.endpoint = checked_endpoint(endpoint)
        self.request_count = 0
        self.failures: Counter[str] = Counter()
        self._left = max_requests
        self._backoff_s, self._long_backoff_s = backoff_s, long_backoff_s
        self._exchange_s = exchange_s
        self._now, self._on_wait = clock, on_wait
        self._heard_count = 0
        self._asked_to_wait: dict[str, float] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._token = token or None
        self._headers = {who: _headers(who, contact) for who in {self._token, None}}
        self._governors: dict[str | None, Governor] = {}

    def __enter__(self) -> Self:
        self._client = open_client(self.endpoint)
        for who in self._headers:
            path = ledger_path(self.endpoint, who)
            self._governors[who] = Governor(path, long_backoff_s=self._long_backoff_s)
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()
        self._client.close()
        for governor in self._governors.values():
            governor.close()

    def stop(self) -> None:
        """Send nothing more; whoever waits for a turn gets `CrawlStopped` at once."""
        self._stopped.set()

    def get(
        self,
        path: str,
        *,
        gated: bool = False,
        span: tuple[int, int] | None = None,
        json_due: bool = False,
        most_bytes: int = MAX_BODY_BYTES,
        url: str | None = None,
    ) -> Answer:
        """GET a path of this endpoint, redirects followed, passing failures retried.

        Parameters
        ----------
        gated
            Whether the path is about a repo that is known to be gated. What its gate lets only this
            token through to is nobody else's: it is asked without, out of the quota of those who
            have none, and a refusal that names no error is the gate's.
        span
            The bytes of the file to fetch: from the first up to, not with, the second.
        json_due
            Whether an answer that is no JSON is ``malformed``.
        most_bytes
            Longer bodies are left off.
        url
            Where an earlier answer's ``resolved_url`` led: asked in place of the endpoint, without
            a token and without spending a quota.

        Raises
        ------
        `HubUnreachable`, `BudgetSpent`, `CrawlStopped`, `TokenRefused`. What one answer does wrong
        is its ``failure``. Where only this one request goes unanswered, ``status`` is 0.
        """
        who = None if gated else self._token
        ask = Ask(path, url or self.endpoint + path, who, span, json_due, most_bytes, gated)
        heard_before = self._heard_count
        for attempt in itertools.count(1):
            turn = self._follow(ask)
            self._count(turn.failure)
            if turn.failure == "auth" and not gated:
                raise TokenRefused(_on_token(self.endpoint, self._token))
            never_heard = turn.nobody and self._heard_count == 0
            if not turn.again or attempt == TRIES or never_heard:
                break
            self._pause(self._backoff(attempt) if turn.wait_s is None else turn.wait_s)
        if turn.unanswered and heard_before == self._heard_count:
            raise HubUnreachable(f"{self.endpoint} did not answer: {turn.fault}")
        return answer_of(ask, turn, endpoint=self.endpoint, here=self._now())

    def recount(self, failure: str | None, truth: str) -> None:
        """Count an answer under another name, as only who reads what came can call it.

        ``failure`` None: it had passed for what was asked for.
        """
        with self._lock:
            self.failures[truth] += 1
            if failure is not None:
                self.failures[failure] -= 1
                self.failures += Counter()  # drops what has come to nothing

    def _follow(self, ask: Ask) -> Turn:
        """One try, along all redirects."""
        replies: list[Reply] = []
        url, fault = ask.url, f"redirected more than {MOST_REDIRECTS} times"
        try:
            while len(replies) <= MOST_REDIRECTS:
                reply = self._exchange(ask, url)
                replies.append(reply)
                if reply.location is None:
                    return judged(ask, tuple(replies), self._now())
                url = next_hop(url, reply.location, endpoint=self.endpoint)
        except RedirectRefused as refused:
            fault = str(refused)
        except OverTime as slow:
            return Turn(tuple(replies), "transient", str(slow))
        except BROKEN_OFF as broken:
            return self._broken_off(ask, tuple(replies), broken)
        return Turn(tuple(replies), "integrity", fault)

    def _broken_off(self, ask: Ask, replies: tuple[Reply, ...], broken: Exception) -> Turn:
        own = not replies and same_origin(ask.url, self.endpoint)
        garbled = isinstance(broken, httpx.RemoteProtocolError) and "disconnect" not in str(broken)
        return Turn(
            replies,
            "integrity" if garbled else "transient",
            str(broken) or type(broken).__name__,
            again=True,
            unanswered=own and not garbled,
            nobody=own and isinstance(broken, httpx.ConnectError),
        )

    def _exchange(self, ask: Ask, url: str) -> Reply:
        """One request and its reply; the endpoint's own come out of a quota."""
        own = same_origin(url, self.endpoint)
        self._spend()
        governor = self._await_turn(ask.token, url) if own else None
        headers = {**self._headers[ask.token if own else None], **ask.headers}
        reply: Reply | None = None
        sent_at = time.monotonic()
        try:
            with (
                ending_within(self._exchange_s),
                self._client.stream("GET", url, headers=headers) as response,
            ):
                told = plain_headers(response.headers)
                now = answered_at(told, self._now())
                reply = Reply(url, own, response.status_code, response.headers, told, now)
                if governor is not None:
                    self._heed(governor, reply, sent_at)
                return receive(ask, reply, self._until_stopped(response.iter_raw()))
        except BodyUnreadable as odd:
            if reply is not None:
                return reply.with_fault("integrity", str(odd))
            raise
        except (OverTime, *BROKEN_OFF) as broken:
            if reply is None:
                raise
            if isinstance(broken, OverTime):
                return reply.with_fault("transient", str(broken))
            return reply.with_fault("integrity", f"broke off: {broken}", torn=True)

    def _heed(self, governor: Governor, reply: Reply, sent_at: float) -> None:
        bucket, refused = self._bucket(reply.url), reply.status == 429
        governor.heed(bucket, reply.told, sent_at=sent_at, refused=refused)
        stated = retry_after_s(reply.told, reply.answered_at)
        explained = True
        if refused:
            wait_s, granular = refusal_of(reply.told, stated)
            governor.throttle(bucket, wait_s, granular=granular)
            explained = "ratelimit" in reply.told and not granular
        elif reply.status == 503 and stated is not None:
            governor.throttle(bucket, stated, granular=False)
            explained = False
        with self._lock:
            self._heard_count += 1
            if not explained:
                self._asked_to_wait[bucket] = time.monotonic()

    def _await_turn(self, who: str | None, url: str) -> Governor:
        governor, bucket = self._governors[who], self._bucket(url)
        tried_at = time.monotonic()
        while not self._stopped.is_set() and (wait_s := governor.take(bucket)) > 0:
            self._on_wait(None if bucket in self._asked_to_wait else bucket, wait_s)
            self._pause(wait_s)
            tried_at = time.monotonic()
        with self._lock:
            if self._asked_to_wait.get(bucket, tried_at) < tried_at:
                del self._asked_to_wait[bucket]
        self._pause(0)
        return governor

    def _bucket(self, url: str) -> str:
        return bucket_of(url.removeprefix(self.endpoint))

    def _pause(self, seconds: float) -> None:
        if self._stopped.wait(seconds) if seconds > 0 else self._stopped.is_set():
            raise CrawlStopped("the crawl is stopped")

    def _until_stopped(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._pause(0)
            yield piece

    def _spend(self) -> None:
        with self._lock:
            if self._left is not None and self.request_count >= self._left:
                raise BudgetSpent("--max-requests is reached; run again to go on from here")
            self.request_count += 1

    def _count(self, failure: str | None) -> None:
        if failure is not None:
            with self._lock:
                self.failures[failure] += 1

    def _backoff(self, attempt: int) -> float:
        # Jitter, so that several crawlers do not come back in step.
        return float(self._backoff_s * 2 ** (attempt - 1) * random.uniform(0.5, 1.5))  # noqa: S311


def _headers(token: str | None, contact: str | None) -> dict[str, str]:
    for name, text in (("token", token or ""), ("contact", contact or "")):
        if not (text.isascii() and text.isprintable()):  # never shown: it may be a secret
            raise HeaderUnusable(f"the {name} holds more than plain ASCII characters in one line")
    return build_hf_headers(
        token=token or False,
        library_name="hubatlas",
        library_version=version("hubatlas"),
        user_agent={"contact": contact} if contact else None,
    )


def _on_token(endpoint: str, token: str | None) -> str:
    if token is None:
        return f"{endpoint} answers nobody without a token; give one"
    return f"{endpoint} refuses the token; give another, or none"
