"""Who lives on a made-up hub: one row a model, in the order of creation, and how days change it.

Everything is drawn once, by columns, and kept as ``.npy`` files, which the processes that write raw
files map into memory. Those born on later days are part of the population from the start; a sweep
lists the first so many.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.resample import published
from benchmarks.resample.columns import (
    CODED,
    DAY_S,
    LISTED_AT_S,
    PLAIN,
    Bools,
    Wanted,
    draw_carded,
    draw_commits,
    draw_created_at,
    draw_modified_at,
    draw_naming,
    draw_owners,
    draw_popularity,
    drawn,
    inherited,
    made_unique,
    named_after_parents,
)
from benchmarks.resample.families import Families, Ints, draw_families
from benchmarks.resample.sources import Look, Templates


@dataclass
class Population:
    """A hub's models at one time; each array has one row a model unless it says otherwise.

    Attributes
    ----------
    look, body
        Places in `Templates`; ``license``, ``task`` and ``language`` are the looks that those
        traits come from.
    owner, name, naming
        What ids are made of (`names.py`); ghosts have the last ``ghost_count`` rows.
    quantized
        Whether a model is made by quantizing: its files bear its name.
    first_edge, parent, relation
        Model i has the edges first_edge[i] to first_edge[i + 1]; a parent -1 - g is the ghost g.
    created_at, modified_at, recommitted_at
        Seconds since 1970, UTC; recommitted_at is 0 where no later day brought a commit.
    first_span_s
        Seconds over which the commits of the first sweep are spread.
    """

    look: Ints
    body: Ints
    carded: Bools
    license: Ints
    task: Ints
    language: Ints
    owner: Ints
    name: Ints
    naming: Ints
    quantized: Bools
    first_edge: Ints
    parent: Ints
    relation: Ints
    created_at: Ints
    modified_at: Ints
    recommitted_at: Ints
    first_span_s: Ints
    downloads: Ints
    likes: Ints
    commits: Ints

    def __len__(self) -> int:
        return len(self.look)

    def save(self, folder: Path) -> None:
        """Write each array to a file of its own."""
        folder.mkdir(parents=True)
        for column in fields(self):
            np.save(folder / f"{column.name}.npy", getattr(self, column.name))

    @classmethod
    def load(cls, folder: Path) -> Population:
        """Map the arrays that were saved; they are not read before they are used."""
        return cls(
            **{c.name: np.load(folder / f"{c.name}.npy", mmap_mode="r") for c in fields(cls)}
        )


def draw_population(wanted: Wanted, templates: Templates, rng: np.random.Generator) -> Population:
    """Draw a hub's models with the distributions of `published.py`."""
    n = wanted.all_models
    families = draw_families(n, rng)
    looks = templates.looks
    look = rng.integers(0, len(looks), n)
    child_count = np.bincount(families.parent[families.parent >= 0], minlength=n)
    is_child = np.bincount(families.child, minlength=n) > 0
    carded = draw_carded(is_child, wanted.cards / wanted.models, rng)
    created_at = draw_created_at(wanted)
    modified_at = draw_modified_at(created_at, look, looks, rng)
    named = _named(families, created_at, templates, rng)
    commits = draw_commits(n, round(wanted.commits / wanted.models * n), rng)
    return Population(
        look=look,
        body=np.where(carded, drawn(templates.carded, n, rng), drawn(templates.cardless, n, rng)),
        carded=carded,
        **_traits(look, families.heir_of, looks, rng),
        **named,
        first_edge=np.searchsorted(families.child, np.arange(n + 1)),
        parent=families.parent,
        relation=families.relation,
        created_at=created_at,
        modified_at=modified_at,
        first_span_s=modified_at - created_at,
        recommitted_at=np.zeros(n, dtype=np.int64),
        downloads=draw_popularity([one.downloads for one in looks], look, child_count, rng),
        likes=draw_popularity([one.likes for one in looks], look, child_count, rng),
        commits=commits,
    )


def live_a_day(
    hub: Population, wanted: Wanted, day: int, *, look_count: int, rng: np.random.Generator
) -> Ints:
    """Change a population in place by one day, 1 the first; returns who has new commits.

    Those born on this day are among them.
    """
    known = wanted.models + (day - 1) * wanted.new_a_day
    changed = rng.choice(known, round(wanted.models * published.CHANGED_A_DAY), replace=False)
    ends_at = LISTED_AT_S + day * DAY_S
    hub.modified_at[changed] = ends_at - rng.integers(1, DAY_S, len(changed))
    hub.downloads[changed] += rng.poisson(1 + hub.downloads[changed] * 0.03)
    recommitted = changed[: round(len(changed) * published.RECOMMITTED_SHARE)]
    # One more commit a model at most, so that the dates of the others stand still.
    recommitted = recommitted[hub.recommitted_at[recommitted] == 0]
    hub.commits[recommitted] += 1
    hub.recommitted_at[recommitted] = hub.modified_at[recommitted]
    retagged = changed[len(changed) - round(len(changed) * published.RETAGGED_SHARE) :]
    hub.look[retagged] = rng.integers(0, look_count, len(retagged))
    return np.sort(np.r_[recommitted, np.arange(known, known + wanted.new_a_day)])


def _named(
    families: Families, created_at: Ints, templates: Templates, rng: np.random.Generator
) -> dict[str, Any]:
    n = len(created_at)
    quantized = np.zeros(n, dtype=bool)
    quantized[families.child[families.relation == published.QUANTIZED]] = True
    naming = draw_naming(n + families.ghost_count, created_at, rng)
    owner = draw_owners(len(naming), rng)
    name = np.array(templates.spellings)[rng.integers(0, len(templates.names), len(naming))]
    name = named_after_parents(name, families.heir_of, quantized)
    naming[:n][quantized & (naming[:n] == PLAIN)] = CODED  # their suffix may be another's name
    naming = made_unique(naming, owner, name)
    return {"owner": owner, "name": name, "naming": naming, "quantized": quantized}


def _traits(
    look: Ints, heir_of: Ints, looks: list[Look], rng: np.random.Generator
) -> dict[str, Any]:
    reported = {
        "license": [frozenset({one.license} - {""}) for one in looks],
        "task": [frozenset({one.task} - {""}) for one in looks],
        "language": [frozenset(one.languages) for one in looks],
    }
    return {
        trait: inherited(look, heir_of, values, published.MUTATION_RATES[trait], rng=rng)
        for trait, values in reported.items()
    }
