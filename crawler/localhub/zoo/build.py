"""Growing the whole plan and writing it down."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

import orjson

from crawler.localhub.shelf import Repo, write_folder
from crawler.localhub.zoo.breed import Grown, grow
from crawler.localhub.zoo.chronicle import chronicle, edits
from crawler.localhub.zoo.plan import ZOO
from crawler.localhub.zoo.records import record
from crawler.localhub.zoo.species import Animal
from crawler.localhub.zoo.train import give_up, one_thread_each
from crawler.localhub.zoo.truth import truth

WORKERS = 2

OnStep = Callable[[int, int, str], None]


def build(
    folder: Path,
    *,
    seed: int,
    on_step: OnStep | None = None,
    plan: tuple[Animal, ...] = ZOO,
) -> None:
    """Build `crawler.localhub.zoo.build_zoo`'s folder from any plan."""
    if folder.exists():
        raise FileExistsError(f"{folder} is there already: remove it to build the zoo anew")
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    with one_thread_each():
        herd = raise_herd(plan, seed=seed, on_step=on_step)
    repos = [publish(a, herd, blobs=part / "hub" / "blobs", seed=seed) for a in plan if a.published]
    write_folder(part / "hub", repos)
    answers = truth(plan, herd, repos, seed=seed)
    (part / "truth.json").write_bytes(orjson.dumps(answers, option=orjson.OPT_INDENT_2))
    part.rename(folder)


def raise_herd(
    plan: tuple[Animal, ...], *, seed: int, on_step: OnStep | None = None
) -> dict[str, Grown]:
    """Grow every animal that has weights, each once its parents are, two at a time.

    Raises
    ------
    ValueError
        Where a parent is not in the plan, or is its own descendant.
    """
    waiting = [animal for animal in plan if animal.kind != "empty"]
    count = len(waiting)
    herd: dict[str, Grown] = {}
    pool = ThreadPoolExecutor(WORKERS)
    running: set[Future[Grown]] = set()
    try:
        while len(herd) < count:
            ready = [animal for animal in waiting if herd.keys() >= _needs(animal)]
            waiting = [animal for animal in waiting if animal not in ready]
            running |= {_started(pool, animal, herd, plan=plan, seed=seed) for animal in ready}
            _check_parents(running, waiting)
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for grown in (job.result() for job in done):
                herd[grown.animal.repo_id] = grown
                if on_step is not None:
                    on_step(len(herd), count, grown.animal.repo_id)
    except BaseException:
        give_up()  # else Ctrl-C would wait for the animals that are training
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    return herd


def publish(animal: Animal, herd: dict[str, Grown], *, blobs: Path, seed: int) -> Repo:
    """Write an animal's files and give its repo."""
    grown = herd.get(animal.repo_id)
    copied = _copied_card(animal, herd, seed)
    steps = edits(animal, grown, copied=copied, seed=seed)
    story = chronicle(animal, steps, blobs=blobs, seed=seed)
    made = record(animal, grown, story.commits, blobs=blobs, seed=seed)
    return Repo(
        made, story.commits, story.refs, story.discussions, former_ids=list(animal.former_ids)
    )


def _check_parents(running: set[Future[Grown]], waiting: list[Animal]) -> None:
    if not running:
        raise ValueError(f"no parents for {[animal.repo_id for animal in waiting]}")


def _copied_card(animal: Animal, herd: dict[str, Grown], seed: int) -> bytes:
    if animal.card != "copied":
        return b""
    original = herd[animal.parents[0]]
    return edits(original.animal, original, copied=b"", seed=seed)[-1].files["README.md"]


def _cuts(animal: Animal, plan: tuple[Animal, ...]) -> tuple[int, ...]:
    return tuple(other.steps for other in plan if other.run == animal.repo_id)


def _started(
    pool: ThreadPoolExecutor,
    animal: Animal,
    herd: dict[str, Grown],
    *,
    plan: tuple[Animal, ...],
    seed: int,
) -> Future[Grown]:
    relatives = {name: herd[name] for name in _needs(animal)}
    return pool.submit(grow, animal, relatives, seed=seed, keep=_cuts(animal, plan))


def _needs(animal: Animal) -> set[str]:
    base = {animal.merge.base} if animal.merge and animal.merge.base else set()
    return {*animal.parents, *base, *({animal.run} if animal.run else ())}
