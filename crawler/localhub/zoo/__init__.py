"""A zoo of small real models, trained here, for the embedded hub to show.

`build_zoo` trains them on scikit-learn's digits and writes a shelf folder with the truth
of who descends from whom beside it. `plan` is the zoo as a table.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


def build_zoo(
    folder: Path, *, seed: int = 0, on_step: Callable[[int, int, str], None] | None = None
) -> None:
    """Train every animal of the plan and publish it under a folder, whole or not at all.

    Writes ``hub/repos.jsonl`` and ``hub/blobs/`` (see `crawler.localhub.shelf`) and
    ``truth.json``, which no route of the hub reaches. About a minute on two cores; the same
    seed on the same machine gives the same bytes.

    Parameters
    ----------
    folder
        Where the zoo comes to stand; must not exist yet.
    seed
        Changes every model, popularity and id.
    on_step
        Called with (done, total, label) after each animal.

    Raises
    ------
    FileExistsError
        Where the folder is already there.
    """
    from crawler.localhub.zoo.build import build  # torch loads only here

    build(folder, seed=seed, on_step=on_step)
