"""Serving the atlas: one process, one port, loopback unless told otherwise."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from app import AppError

SCRIPT = Path(__file__).with_name("main.py")


class PortBusy(AppError):
    """Something else listens on the port."""


def serve_app(home: Path, *, port: int, host: str = "127.0.0.1") -> None:
    """Serve the atlas of ``home`` until Ctrl-C; raises `PortBusy` before anything is started."""
    check_port(port, host=host)
    import streamlit as st

    from app.middleware import middleware
    from app.warehouse_cache import HOME_VARIABLE

    os.environ[HOME_VARIABLE] = str(home.resolve())
    hosts = sorted({"localhost", "127.0.0.1", host})
    atlas = st.App(SCRIPT, middleware=middleware(hosts))
    shown = "localhost" if host == "127.0.0.1" else host
    sys.stderr.write(f"the atlas is on http://{shown}:{port} (Ctrl-C ends it)\n")
    atlas.run(config=server_options(host=host, port=port, hosts=hosts))


def check_port(port: int, *, host: str = "127.0.0.1") -> None:
    """Raise `PortBusy` unless the port can be listened on now."""
    with closing(socket.socket()) as probe:
        # As the server itself will: a port that only waits for its last packets is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError as busy:
            raise PortBusy(
                f"port {port} is busy; choose another with --port (make demo: PORT={port + 1})"
            ) from busy


def server_options(*, host: str, port: int, hosts: list[str]) -> dict[str, Any]:
    """Streamlit options: nothing leaves the machine, nothing is offered that is not the atlas."""
    from app.look import theme_options

    return {
        "server.address": host,
        "server.port": port,
        "server.headless": True,
        "server.allowedHosts": hosts,
        "server.fileWatcherType": "none",
        "server.enableXsrfProtection": True,
        "server.enableCORS": True,
        "browser.gatherUsageStats": False,
        "client.showErrorDetails": "none",
        "client.showErrorLinks": False,
        "client.toolbarMode": "minimal",
        "logger.hideWelcomeMessage": True,
        "logger.level": "warning",
        "runner.magicEnabled": False,
        **theme_options(),
    }
