"""Connections that end before their answer does: cleanly, or torn."""

from __future__ import annotations

import asyncio
import socket
import struct

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

LINGER_NOT = struct.pack("ii", 1, 0)  # SO_LINGER of 0 s: the close becomes a TCP reset
ANY_STATUS = range(100, 600)


class CuttableProtocol(H11Protocol):
    """uvicorn's HTTP/1.1, which lets the application reach the connection that it answers on."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a new connection."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


async def cut(scope: Scope, receive: Receive, *, torn: bool) -> None:
    """End the connection now: torn by a reset that drops what is unsent, or closed behind it."""
    transport: asyncio.Transport = scope["state"]["transport"]
    if torn:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        transport.abort()
    else:
        transport.close()
    # uvicorn complains of an unfinished answer unless it has seen the connection end.
    while (await receive())["type"] != "http.disconnect":
        pass


async def cut_answer(
    app: ASGIApp,
    scope: Scope,
    receive: Receive,
    send: Send,
    *,
    torn: bool,
    statuses: range = ANY_STATUS,
) -> None:
    """Answer with the true headers and half the body, then `cut`; HEAD has no body to cut.

    An empty body is announced as one byte, so that it too falls short. Answers of other than
    these statuses stay whole.
    """
    if scope["method"] == "HEAD":
        await app(scope, receive, send)
        return
    left = 0
    is_cut, is_whole = False, False

    async def send_half(message: Message) -> None:
        nonlocal left, is_cut, is_whole
        is_whole = is_whole or message.get("status", statuses[0]) not in statuses
        if is_whole:
            await send(message)
            return
        if is_cut:
            return
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            size = int(headers.get("content-length", 0))
            left = size // 2
            headers["content-length"] = str(max(size, 1))
            await send(message)
            return
        body = message.get("body", b"")[:left]
        left -= len(body)
        await send({"type": "http.response.body", "body": body, "more_body": True})
        is_cut = left == 0
        if is_cut:
            await cut(scope, receive, torn=torn)

    await app(scope, receive, send_half)
