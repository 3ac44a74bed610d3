"""Fixtures for more than one module of tests."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from browsing import FLAGS

from crawler.localhub import shelf
from crawler.localhub import zoo as zoo_package

# What makes the zoo's bytes beside its own code.
TRAINERS = ("gguf", "numpy", "safetensors", "scikit-learn", "torch")

# Slow machines must not fail a test.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of each test's own: request budgets are shared by all that share one."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="session", autouse=True)
def cache_of_fixtures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache for fixtures that outlive a test, lest they use the one of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def zoo(pytestconfig: pytest.Config) -> Path:
    """The zoo of seed 0: a folder with ``hub/`` and ``truth.json``. Read it, never write it.

    Trained once for a state of the trainer's code and kept in pytest's cache, for it takes a
    minute; ``pytest --cache-clear`` trains it anew.
    """
    folder = pytestconfig.cache.mkdir("zoo") / _state_of_the_trainer()
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # other processes of the same run want it too
        if not folder.exists():
            zoo_package.build_zoo(folder, seed=0)
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


def _state_of_the_trainer() -> str:
    sources = [Path(shelf.__file__), *sorted(Path(zoo_package.__path__[0]).glob("*.py"))]
    told = [source.read_bytes() for source in sources]
    told += [f"{name} {version(name)}".encode() for name in TRAINERS]
    return hashlib.sha256(b"\0".join(told)).hexdigest()[:16]
