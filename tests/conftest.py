"""Fixtures for more than one module of tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import FLAGS

from crawler.localhub.zoo import build_zoo


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of each test's own: request budgets are shared by all that share one."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="session")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zoo of seed 0: a folder with ``hub/`` and ``truth.json``. Read it, never write it."""
    folder = tmp_path_factory.mktemp("zoo") / "zoo"
    build_zoo(folder, seed=0)
    return folder


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    binary = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not binary:
        missing = "no Chromium here: install it or name it in CHROMIUM"
        if os.environ.get("HUBATLAS_REQUIRE_BROWSER") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=FLAGS)
        yield browser
        browser.close()
