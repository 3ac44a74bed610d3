"""What is so, whatever the repos say: for tests and for scoring a recovery."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from crawler.localhub.shelf import Repo
from crawler.localhub.zoo.breed import Grown
from crawler.localhub.zoo.species import KINDS, Animal
from crawler.localhub.zoo.tasks import samples

Truth = dict[str, Any]


def truth(
    plan: tuple[Animal, ...], herd: dict[str, Grown], repos: list[Repo], *, seed: int
) -> Truth:
    """The content of ``truth.json``: under ``repos`` one entry for each animal of the plan.

    ``parents`` are the true ones and ``declared`` the claimed; ``accuracy`` is that of the
    weights at the head on the animal's own task, ``card_accuracy`` what its card says.
    """
    on_hub = {repo.id: repo for repo in repos}
    entries = {
        animal.repo_id: _animal(animal, herd.get(animal.repo_id), on_hub.get(animal.repo_id))
        for animal in plan
    }
    return {"seed": seed, "kinds": KINDS, "repos": entries}


def _animal(animal: Animal, grown: Grown | None, repo: Repo | None) -> Truth:
    return {
        "kind": animal.kind,
        "how": KINDS[animal.kind],
        "parents": list(animal.parents),
        "declared": list(animal.declared),
        "declared_in": animal.voice,
        "odd": list(animal.odd),
        "published": animal.published,
        "former_ids": list(animal.former_ids),
        "gated": animal.gated or False,
        "run": animal.run or None,
        "lora": asdict(animal.lora) if animal.lora else None,
        "merge": asdict(animal.merge) if animal.merge else None,
        "quant": animal.quant or None,
        **(_measured(grown) if grown else {}),
        **(_replaced(animal, repo) if repo else {}),
    }


def _measured(grown: Grown) -> Truth:
    on_card = grown.versions[0] if grown.animal.history == "silent" else grown.now
    silent = grown.animal.card == "none"
    return {
        "task": grown.task,
        "seed": grown.seed,
        "chance": round(samples(grown.task).chance, 4),
        "accuracy": grown.now.results[grown.task],
        "results": grown.now.results,
        "card_accuracy": None if silent else on_card.results[grown.task],
    }


def _replaced(animal: Animal, repo: Repo) -> Truth:
    """The two commits between which weights changed under an unchanged card."""
    if animal.history != "silent":
        return {}
    after, before = repo.commits[:2]
    changed = [path for path, file in after.files.items() if before.files.get(path) != file]
    return {"replaced": {"paths": changed, "before": before.id, "after": after.id}}
