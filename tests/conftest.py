"""Fixtures for more than one module of tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.localhub.zoo import build_zoo


@pytest.fixture(scope="session")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zoo of seed 0: a folder with ``hub/`` and ``truth.json``. Read it, never write it."""
    folder = tmp_path_factory.mktemp("zoo") / "zoo"
    build_zoo(folder, seed=0)
    return folder
