"""How the embedded hub starts and ends."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from shelves import shelf_folder

from crawler.localhub.running import HubNotStarted, running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shelf_folder(tmp_path_factory.mktemp("shelf"))


def test_a_busy_port_is_told_in_one_line(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(
                HubNotStarted, match=rf"^port {port} is busy; choose another with --port$"
            ),
            running(folder, port=port),
        ):
            pass


def test_an_unreadable_source_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(HubNotStarted, match=r"it has no repos\.jsonl$"), running(tmp_path):
        pass


@pytest.mark.parametrize("options", [{"times": 0}, {"window_s": 0}, {"fault_share": 1.5}])
def test_an_option_that_makes_no_sense_is_told_in_one_line(
    folder: Path, options: dict[str, Any]
) -> None:
    with pytest.raises(HubNotStarted, match="invalid"), running(folder, **options):
        pass


def test_the_hub_ends_with_its_block(folder: Path) -> None:
    with running(folder) as endpoint:
        port = int(endpoint.rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        (lambda child: child.send_signal(signal.SIGINT), 130),
        (lambda child: child.terminate(), 0),
        (lambda child: child.stdin.close(), 0),
    ],
)
def test_the_child_ends_cleanly(
    folder: Path, ending: Callable[[subprocess.Popen[bytes]], None], code: int
) -> None:
    command = [sys.executable, "-m", "crawler.localhub", str(folder), "--until-stdin-ends"]
    with subprocess.Popen(
        command,
        cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        assert child.stdout.readline().startswith(b"hub http://127.0.0.1:")
        ending(child)
        assert child.wait(60) == code
        assert child.stderr.read() == b""
