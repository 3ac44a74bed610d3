"""One request put to a hub, hop by hop, and what is made of the replies."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

from huggingface_hub.utils import httpx

from crawler.answer import Answer, retry_after_s
from crawler.body import BodyUnreadable, content_encoding, cut_span, read_body, read_span
from crawler.failures import classify
from crawler.times import api_time

REDIRECTS = frozenset({301, 302, 303, 307, 308})
LONGEST_WAIT_S = 3600.0
MOST_REDIRECT_BYTES = 2**16


@dataclass(frozen=True)
class Ask:
    """What is asked for; see `crawler.hub.Hub.get`. ``token`` None: anonymously."""

    path: str
    url: str
    token: str | None
    span: tuple[int, int] | None
    json_due: bool
    most_bytes: int
    gated: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """Headers that every hop gets."""
        if self.span is None:
            return {}
        start, stop = self.span
        return {"Range": f"bytes={start}-{stop - 1}", "Accept-Encoding": "identity"}


@dataclass(frozen=True)
class Reply:
    """One hop's reply; ``own`` where the endpoint itself gave it.

    ``told`` are the headers by lower-case names; ``failure`` and ``fault`` say what is wrong with
    the bytes, ``torn`` that the connection broke off amid them: that is worth asking again.
    """

    url: str
    own: bool
    status: int
    headers: httpx.Headers
    told: dict[str, str]
    answered_at: datetime
    body: bytes = b""
    failure: str | None = None
    fault: str | None = None
    torn: bool = False

    @property
    def location(self) -> str | None:
        """Where it redirects to."""
        return self.told.get("location") if self.status in REDIRECTS else None

    def with_fault(self, failure: str, fault: str, *, torn: bool = False) -> Reply:
        """The reply without its body, which is not to be had."""
        return replace(self, body=b"", failure=failure, fault=fault, torn=torn)


@dataclass(frozen=True)
class Turn:
    """What one try came to.

    Attributes
    ----------
    again
        Whether another try may mend it, after ``wait_s`` (None: as the backoff has it).
    unanswered
        Whether the endpoint gave no reply at all.
    nobody
        Whether not even a connection could be made.
    """

    replies: tuple[Reply, ...]
    failure: str | None
    fault: str | None = None
    again: bool = False
    wait_s: float | None = None
    unanswered: bool = False
    nobody: bool = False


def receive(ask: Ask, reply: Reply, pieces: Iterable[bytes]) -> Reply:
    """The reply with its bytes: all of them, or the asked span; `BodyUnreadable` where it is not.

    A redirect's own words are read over, so that its connection can be used again.
    """
    encoding = content_encoding(reply.told)
    if reply.location is not None:
        with contextlib.suppress(BodyUnreadable):
            read_body(pieces, "", most_bytes=MOST_REDIRECT_BYTES)
        return reply
    if reply.status == 206:
        if ask.span is None:
            raise BodyUnreadable("a part where the whole was asked for")
        told = reply.told.get("content-range", "")
        body = read_span(pieces, ask.span, content_range=told, encoding=encoding)
    elif reply.status == 200 and ask.span is not None:
        if ask.span[1] > ask.most_bytes:
            raise BodyUnreadable("the whole file where a range was asked for")
        body = cut_span(pieces, ask.span, encoding)
    else:
        body = read_body(pieces, encoding, most_bytes=ask.most_bytes)
    return replace(reply, body=body)


def judged(ask: Ask, replies: tuple[Reply, ...], here: datetime) -> Turn:
    """The failure of a try that came to its end, and whether to try again."""
    last = replies[-1]
    if last.failure is not None:
        return Turn(replies, last.failure, last.fault, again=last.torn)
    failure = classify(
        last.status,
        last.told,
        path=ask.path,
        final_path=_path(_own(replies).url) if len(replies) > 1 else None,
        elsewhere=not last.own,
        gated=ask.gated,
        json_body=last.body if ask.json_due and last.own else None,
    )
    # A signature that has run out stays so; through the endpoint there is a new one.
    stale = len(replies) == 1 and not last.own and last.status < 404
    again = failure in {"transient", "throttled"} and not stale
    return Turn(replies, failure, again=again, wait_s=_wait_s(last, here))


def answer_of(ask: Ask, turn: Turn, *, endpoint: str, here: datetime) -> Answer:
    """The answer that a crawl gets."""
    asked_url = endpoint + ask.path
    if not turn.replies:
        return Answer(
            url=asked_url,
            final_url=asked_url,
            status=0,
            headers=httpx.Headers(),
            body=b"",
            fetched_at=api_time(here),
            endpoint=endpoint,
            failure=turn.failure,
            reason=turn.fault,
        )
    last = turn.replies[-1]
    return Answer(
        url=asked_url,
        final_url=last.url if last.own else _unsigned(last.url),
        status=last.status,
        headers=last.headers,
        body=b"" if turn.failure == "integrity" else last.body,
        fetched_at=api_time(turn.replies[0].answered_at),
        endpoint=endpoint,
        failure=turn.failure,
        reason=turn.fault,
        resolved_url=last.url,
        repo_commit=_own(turn.replies).told.get("x-repo-commit"),
        span_ignored=ask.span is not None and last.status == 200 and turn.failure is None,
    )


def _own(replies: tuple[Reply, ...]) -> Reply:
    return next((reply for reply in reversed(replies) if reply.own), replies[-1])


def _wait_s(reply: Reply, here: datetime) -> float | None:
    stated = retry_after_s(reply.told, here)
    if reply.own and (reply.status == 429 or (reply.status == 503 and stated is not None)):
        return 0.0  # the governor holds the bucket for as long as it takes
    return None if stated is None else min(stated, LONGEST_WAIT_S)


def _path(url: str) -> str:
    return urlsplit(url).path


def _unsigned(url: str) -> str:
    # A content host's query string holds a signature; it is never written down.
    return urlsplit(url)._replace(query="", fragment="").geturl()
