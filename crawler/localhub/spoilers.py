"""ASGI wrappers that spoil answers: at the first try of a path, by chance, or in their headers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from hashlib import blake2b

import orjson
from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crawler.localhub.cutting import cut, cut_answer

SPARED_TRY = 3  # of every path, so that whoever tries three times always gets through
CONTENT_RANGE = re.compile(r"bytes ([0-9]+)-([0-9]+)/([0-9]+)")


@dataclass(frozen=True)
class Dice:
    """What chance depends on: a seed, and the share (0 to 1) of requests that go wrong."""

    seed: int = 0
    fault_share: float = 0.05


Spoil = Callable[[ASGIApp, Scope, Receive, Send], Awaitable[None]]
Spoiler = Callable[[ASGIApp, Dice], ASGIApp]


def untouched(app: ASGIApp, dice: Dice) -> ASGIApp:
    """The application as it is."""
    return app


def storm(app: ASGIApp, dice: Dice) -> ASGIApp:
    """Spoil by chance, the same way each time for one seed, path and number of the try.

    Every third try of a path is spared.
    """
    return _each_try(app, partial(struck, dice))


def reset_first(app: ASGIApp, dice: Dice) -> ASGIApp:
    """Tear the connection in the middle of the first answer to each path."""
    return _each_try(app, lambda path, tried: _reset_within if tried == 0 else None)


def date_first(app: ASGIApp, dice: Dice) -> ASGIApp:
    """429 at the first try of each path; Retry-After is an HTTP-date one second ahead."""
    return _each_try(app, lambda path, tried: partial(_throttled, 1) if tried == 0 else None)


def throttle_first(app: ASGIApp, dice: Dice) -> ASGIApp:
    """429 without Retry-After at the first try of each path."""
    return _each_try(app, lambda path, tried: partial(_failed, 429, {}) if tried == 0 else None)


def short_files(app: ASGIApp, dice: Dice) -> ASGIApp:
    """Half of every file (200, 206), under the Content-Length of the whole; not below ``/api``."""

    async def spoilt(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith("/api/"):
            await app(scope, receive, send)
        else:
            await cut_answer(app, scope, receive, send, torn=False, statuses=range(200, 300))

    return spoilt


def no_ranges(app: ASGIApp, dice: Dice) -> ASGIApp:
    """Overlook Range: the whole file with 200."""

    async def spoilt(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(name, value) for name, value in scope["headers"] if name != b"range"]
        await app({**scope, "headers": headers}, receive, send)

    return spoilt


def wrong_ranges(app: ASGIApp, dice: Dice) -> ASGIApp:
    """Content-Range tells of a span one byte further on than the one that is sent."""

    async def spoilt(scope: Scope, receive: Receive, send: Send) -> None:
        async def lie(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 206:
                headers = MutableHeaders(scope=message)
                headers["content-range"] = CONTENT_RANGE.sub(_moved_on, headers["content-range"])
            await send(message)

        await app(scope, receive, lie)

    return spoilt


def struck(dice: Dice, path: str, tried: int) -> Spoil | None:
    """How `storm` spoils the request after ``tried`` earlier ones of its path; None: not at all."""
    if tried % SPARED_TRY == SPARED_TRY - 1:
        return None
    roll = blake2b(f"{dice.seed} {path} {tried}".encode(), digest_size=16).digest()
    if int.from_bytes(roll[:8], "big") >= dice.fault_share * 2**64:
        return None
    return STORM[int.from_bytes(roll[8:], "big") % len(STORM)]


def _each_try(app: ASGIApp, spoil_of: Callable[[str, int], Spoil | None]) -> ASGIApp:
    tried: Counter[str] = Counter()

    async def spoilt(scope: Scope, receive: Receive, send: Send) -> None:
        target = scope["raw_path"] + b"?" + scope["query_string"]
        path = f"{scope['method']} {target.decode('latin-1')}"
        spoil = spoil_of(path, tried[path])
        tried[path] += 1
        if spoil is None:
            await app(scope, receive, send)
        else:
            await spoil(app, scope, receive, send)

    return spoilt


async def _failed(
    status: int, headers: dict[str, str], app: ASGIApp, scope: Scope, receive: Receive, send: Send
) -> None:
    body = orjson.dumps({"error": "the hub is not well"})
    await Response(body, status, headers, media_type="application/json")(scope, receive, send)


async def _throttled(
    ahead_s: int, app: ASGIApp, scope: Scope, receive: Receive, send: Send
) -> None:
    again_at = format_datetime(datetime.now(UTC) + timedelta(seconds=ahead_s), usegmt=True)
    await _failed(429, {"Retry-After": again_at}, app, scope, receive, send)


async def _reset_before(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await cut(scope, receive, torn=True)


async def _reset_within(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await cut_answer(app, scope, receive, send, torn=True)


async def _short(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await cut_answer(app, scope, receive, send, torn=False)


def _moved_on(told: re.Match[str]) -> str:
    first, last, size = map(int, told.groups())
    return f"bytes {first + 1}-{last + 1}/{size}"


STORM: tuple[Spoil, ...] = (
    partial(_failed, 500, {}),
    partial(_failed, 503, {"Retry-After": "0"}),
    partial(_failed, 504, {}),
    partial(_failed, 429, {"Retry-After": "0"}),
    partial(_throttled, 0),
    _reset_before,
    _reset_within,
    _short,
)
