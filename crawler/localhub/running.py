"""The embedded hub on loopback: in the foreground, or as a child of a test or a command."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO

import uvicorn
from starlette.types import ASGIApp

from crawler import CrawlError
from crawler.localhub.cutting import CuttableProtocol
from crawler.localhub.ratelimit import WINDOW_SECONDS
from crawler.localhub.recording import open_shelf
from crawler.localhub.server import cdn_app, hub_app
from crawler.localhub.spoilers import Dice

HOST = "127.0.0.1"
READY = "hub "  # what the child's one line on stdout begins with
GRACE_SECONDS = 10


class HubNotStarted(CrawlError):
    """The hub did not start; the message says why and what to do next."""


def serve(
    source: Path,
    *,
    port: int = 0,
    mode: str = "plain",
    on_ready: Callable[[str], None] = lambda endpoint: None,
    quotas: Mapping[str, int] | None = None,
    window_s: int = WINDOW_SECONDS,
    dice: Dice | None = None,
    times: int = 1,
    until_stdin_ends: bool = False,
) -> None:
    """Serve a shelf folder or a recording until a signal ends it.

    Blocks; belongs in the main thread, for it takes SIGINT and SIGTERM.

    Parameters
    ----------
    source
        The shelf folder or recording.
    port
        0 takes a free one. The CDN always takes a free one.
    mode
        One of `crawler.localhub.faults.FAULTS`.
    on_ready
        Called once with the endpoint, when it accepts connections.
    quotas, window_s, dice, times
        As for `hub_app`.
    until_stdin_ends
        End as well when stdin does: a child does not outlive its parent.

    Raises
    ------
    HubNotStarted
        The port is busy.
    ShelfError
        The source cannot be read.
    KeyboardInterrupt
        Ctrl-C, after both servers have stopped.
    """
    with _listener(port) as hub_socket, _listener(0) as cdn_socket:
        shelf = open_shelf(source)
        endpoint = _origin(hub_socket)
        hub = hub_app(
            shelf,
            origin=endpoint,
            cdn_origin=_origin(cdn_socket),
            mode=mode,
            quotas=quotas,
            window_s=window_s,
            dice=dice,
            times=times,
        )
        cdn = cdn_app(shelf, mode=mode, dice=dice)
        servers = [_Server(hub, hub_socket), _Server(cdn, cdn_socket)]
        ended_by = asyncio.run(
            _run(servers, lambda: on_ready(endpoint), until_stdin_ends=until_stdin_ends)
        )
    if ended_by == signal.SIGINT:
        raise KeyboardInterrupt


@contextlib.contextmanager
def running(
    source: Path,
    *,
    port: int = 0,
    mode: str = "plain",
    api_quota: int | None = None,
    quotas: Mapping[str, int] | None = None,
    window_s: int = WINDOW_SECONDS,
    fault_share: float = Dice.fault_share,
    seed: int = Dice.seed,
    times: int = 1,
) -> Iterator[str]:
    """Run the hub as a child process for as long as the block lasts; yields its endpoint.

    Parameters
    ----------
    source, port, mode
        As for `serve`.
    api_quota
        Short for ``quotas={"api": …}``.
    quotas, window_s, times
        As for `hub_app`.
    fault_share, seed
        As for `Dice`.

    Raises
    ------
    HubNotStarted
        With the last line that the child wrote to stderr.
    """
    given = {"--mode": mode, "--port": port, "--window": window_s, "--times": times}
    given |= {"--fault-share": fault_share, "--seed": seed}
    limits = dict(quotas or {}) | ({} if api_quota is None else {"api": api_quota})
    given |= {quota_flag(bucket): quota for bucket, quota in limits.items()}
    options = [f"{name}={value}" for name, value in given.items()] + ["--until-stdin-ends"]
    command = [sys.executable, "-m", "crawler.localhub", str(source), *options]
    with tempfile.TemporaryFile() as errors, _child(command, errors) as child:
        line = child.stdout.readline().decode().strip() if child.stdout else ""
        if not line.startswith(READY):
            child.wait()
            errors.seek(0)
            said = errors.read().decode(errors="replace").splitlines()
            raise HubNotStarted(said[-1] if said else f"the hub ended with {child.returncode}")
        yield line.removeprefix(READY)


def quota_flag(bucket: str) -> str:
    """The option of the command line that a bucket's quota is given by."""
    return f"--{bucket.removesuffix('s')}-quota"


@contextlib.contextmanager
def _child(command: list[str], errors: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    # The child must find this very package, whatever folder the caller stands in.
    here = str(Path(__file__).parents[2])
    paths = os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])
    child = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        env={**os.environ, "PYTHONPATH": paths},
    )
    with child:
        try:
            yield child
        finally:
            child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(GRACE_SECONDS)
            child.kill()


class _Server(uvicorn.Server):
    """One of two servers in one loop: signals are taken once, for both."""

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=CuttableProtocol,
                log_level="warning",
                access_log=False,
                lifespan="off",
                ws="none",
                timeout_graceful_shutdown=1,
            )
        )
        self.listener = listener

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _run(
    servers: list[_Server], on_ready: Callable[[], None], *, until_stdin_ends: bool
) -> int:
    loop = asyncio.get_running_loop()
    ended_by: asyncio.Future[int] = loop.create_future()

    def end(reason: int) -> None:
        if not ended_by.done():
            ended_by.set_result(reason)
        for server in servers:
            server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end, number)
    if until_stdin_ends:
        _watch_stdin(lambda: loop.call_soon_threadsafe(end, 0))
    # The sockets listen already: whoever connects now waits for the loop, and is served.
    on_ready()
    await asyncio.gather(*(server.serve([server.listener]) for server in servers))
    return await ended_by


def _watch_stdin(at_end: Callable[[], object]) -> None:
    def read() -> None:
        while os.read(0, 4096):
            pass
        with contextlib.suppress(RuntimeError):  # the loop is closed: the hub has ended already
            at_end()

    threading.Thread(target=read, daemon=True).start()


def _listener(port: int) -> socket.socket:
    # asyncio switches Nagle's delay (40 ms an answer) off only where the protocol is spelled out.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        raise HubNotStarted(_why_not(port, error)) from error
    return listener


def _why_not(port: int, error: OSError | OverflowError) -> str:
    busy = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
    reason = "is busy" if busy else f"cannot be used ({error})"
    return f"port {port} {reason}; choose another with --port"


def _origin(listener: socket.socket) -> str:
    return f"http://{HOST}:{listener.getsockname()[1]}"
