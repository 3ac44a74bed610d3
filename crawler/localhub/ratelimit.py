"""The Hub's fixed-window quotas, told on every answer so that a client can pace itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import orjson
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

WINDOW_SECONDS = 300
UNHURRIED = {"api": 1_000_000, "resolvers": 1_000_000, "pages": 1_000_000}


def bucket_of(path: str) -> str:
    """Which quota a path spends: ``api``, ``resolvers`` or ``pages``."""
    if path.startswith("/api/"):
        return "api"
    return "resolvers" if "/resolve/" in path else "pages"


class Window:
    """One caller's spending of one quota; a window opens with its first request.

    Parameters
    ----------
    quota
        Requests in one window.
    seconds
        Length of a window.
    """

    def __init__(self, quota: int, *, seconds: int = WINDOW_SECONDS) -> None:
        self.quota = quota
        self.seconds = seconds
        self._spent = 0
        self._closes_at = -math.inf

    def spend(self, now: float) -> tuple[bool, int, int]:
        """Take one request at ``now`` (seconds): allowed or not, requests and seconds left."""
        if now >= self._closes_at:
            self._closes_at, self._spent = now + self.seconds, 0
        allowed = self._spent < self.quota
        self._spent += allowed
        return allowed, self.quota - self._spent, math.ceil(self._closes_at - now)


class RateLimit:
    """Wraps an application: a `Window` for every token (or none) and bucket; 429 where it is spent.

    Parameters
    ----------
    quotas
        Requests in one window, by bucket.
    window_s
        Length of a window in seconds.
    told
        Whether every answer tells what is left; else only Retry-After does, once nothing is.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        quotas: Mapping[str, int],
        clock: Callable[[], float],
        window_s: int = WINDOW_SECONDS,
        told: bool = True,
    ) -> None:
        self._app = app
        self._quotas = quotas
        self._clock = clock
        self._window_s = window_s
        self._told = told
        self._windows: dict[tuple[str, str], Window] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, in ASGI's terms."""
        bucket = bucket_of(scope["path"])
        window = self._window(Headers(scope=scope).get("authorization", ""), bucket)
        allowed, left, seconds = window.spend(self._clock())
        limits = [
            (b"ratelimit", f'"{bucket}";r={left};t={seconds}'.encode()),
            (
                b"ratelimit-policy",
                f'"fixed window";"{bucket}";q={window.quota};w={window.seconds}'.encode(),
            ),
        ]

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *limits]
            await send(message)

        answer = self._app if allowed else _spent(seconds)
        await answer(scope, receive, tell if self._told else send)

    def _window(self, caller: str, bucket: str) -> Window:
        window = self._windows.get((caller, bucket))
        if window is None:
            window = Window(self._quotas[bucket], seconds=self._window_s)
            self._windows[caller, bucket] = window
        return window


def _spent(seconds: int) -> Response:
    body = orjson.dumps({"error": "We had to rate limit you"})
    headers = {"Retry-After": str(seconds)}
    return Response(body, 429, headers, media_type="application/json")
