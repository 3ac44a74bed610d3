"""The Hub's fixed-window quotas, told on every answer so that a client can pace itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import orjson
from starlette.datastructures import Headers, MutableHeaders
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
    """

    def __init__(self, quota: int) -> None:
        self.quota = quota
        self._spent = 0
        self._closes_at = -math.inf

    def spend(self, now: float) -> tuple[bool, int, int]:
        """Take one request at ``now`` (seconds): allowed or not, requests and seconds left."""
        if now >= self._closes_at:
            self._closes_at, self._spent = now + WINDOW_SECONDS, 0
        allowed = self._spent < self.quota
        self._spent += allowed
        return allowed, self.quota - self._spent, math.ceil(self._closes_at - now)


class RateLimit:
    """Middleware: a `Window` for every token (or none) and bucket; 429 where it is spent."""

    def __init__(
        self, app: ASGIApp, *, quotas: Mapping[str, int], clock: Callable[[], float]
    ) -> None:
        self._app = app
        self._quotas = quotas
        self._clock = clock
        self._windows: dict[tuple[str, str], Window] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, in ASGI's terms."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        bucket = bucket_of(scope["path"])
        window = self._window(Headers(scope=scope).get("authorization", ""), bucket)
        allowed, left, seconds = window.spend(self._clock())
        limits = {
            "RateLimit": f'"{bucket}";r={left};t={seconds}',
            "RateLimit-Policy": f'"fixed window";"{bucket}";q={window.quota};w={WINDOW_SECONDS}',
        }

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(limits)
            await send(message)

        await (self._app if allowed else _spent(seconds))(scope, receive, tell)

    def _window(self, caller: str, bucket: str) -> Window:
        return self._windows.setdefault((caller, bucket), Window(self._quotas[bucket]))


def _spent(seconds: int) -> Response:
    body = orjson.dumps({"error": "We had to rate limit you"})
    headers = {"Retry-After": str(seconds)}
    return Response(body, 429, headers, media_type="application/json")
