"""The real atlas in a real Chromium, for tests."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

SHOTS = Path(__file__).with_name("shots")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HUBATLAS = str(Path(sys.executable).parent / "hubatlas")


def start_atlas(home: Path, port: int) -> subprocess.Popen[str]:
    """`hubatlas app` as a child."""
    command = [HUBATLAS, "--home", str(home), "app", "--port", str(port)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


@contextmanager
def serving(home: Path) -> Iterator[str]:
    """Serve the atlas of a home in a process of its own; yields host and port."""
    port = free_port()
    server = start_atlas(home, port)
    try:
        wait_until_ready(server, port)
        yield f"localhost:{port}"
    finally:
        server.terminate()
        server.communicate(timeout=20)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(server: subprocess.Popen[str], port: int, *, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if server.poll() is not None:
            pytest.fail(f"the server ended: {server.communicate()[1]}")
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=1)
            connection.request("GET", "/_stcore/health", headers={"Host": f"localhost:{port}"})
            if connection.getresponse().status == 200:
                return
        except OSError:
            with suppress(subprocess.TimeoutExpired):
                server.wait(0.05)
        finally:
            connection.close()
    pytest.fail("the server did not answer in time")


def shoot(page: Any, name: str) -> None:
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png")


def ink_share(page: Any) -> float:
    """Share of the largest canvas's pixels that hold anything."""
    return float(
        page.evaluate(
            """() => {
              const all = [...document.querySelectorAll('canvas')];
              const size = canvas => canvas.width * canvas.height;
              const canvas = all.sort((a, b) => size(b) - size(a))[0];
              const {width, height} = canvas;
              const seen = canvas.getContext('2d').getImageData(0, 0, width, height).data;
              let inked = 0;
              for (let at = 3; at < seen.length; at += 4) inked += seen[at] > 0;
              return inked / (width * height);
            }"""
        )
    )


def wait_for_ink(page: Any) -> None:
    chart = page.get_by_test_id("stEChartsChart").locator("canvas").first
    chart.wait_for()
    page.wait_for_function(
        """() => {
          const canvas = document.querySelector('[data-testid=stEChartsChart] canvas');
          const {width, height} = canvas;
          const seen = canvas.getContext('2d').getImageData(0, 0, width, height).data;
          return seen.some((value, at) => at % 4 === 3 && value > 0);
        }"""
    )
