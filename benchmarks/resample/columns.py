"""How each column of a made-up hub's population is drawn.

Arrays have one row a model, in the order of creation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.resample import published
from benchmarks.resample.families import NONE, Ints, ends_of
from benchmarks.resample.sources import Look

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

DAY_S = 86_400
LISTED_AT_S = int(np.datetime64(published.GROWTH[-1][0], "s").astype(np.int64))
CODED, PLAIN, OWNERLESS, CASE_TWIN = range(4)  # how an id is made
PAIRS = 4_000  # of looks, to learn how alike two strangers are


@dataclass(frozen=True)
class Wanted:
    """How much there is to be: models, cards and commits of the first sweep, and days after it."""

    models: int
    cards: int
    commits: int
    days: int = 0

    @property
    def new_a_day(self) -> int:
        """Models that are born each day."""
        return max(1, round(self.models * published.NEW_A_DAY))

    @property
    def all_models(self) -> int:
        """Models at the end of the last day."""
        return self.models + self.days * self.new_a_day


def drawn(places: list[int], n: int, rng: np.random.Generator) -> Ints:
    """Some of the places, with replacement; zeros where there are none to use."""
    if not places:
        return np.zeros(n, dtype=np.int64)
    return np.array(places)[rng.integers(0, len(places), n)]


def draw_carded(is_child: Bools, share: float, rng: np.random.Generator) -> Bools:
    """Who has a card: children first, since base models are declared in cards."""
    order = np.argsort(-(is_child + rng.random(len(is_child))))
    carded = np.zeros(len(is_child), dtype=bool)
    carded[order[: round(share * len(is_child))]] = True
    return carded


def draw_created_at(wanted: Wanted) -> Ints:
    """Growth as published, exponential between what was counted; then days of equal growth."""
    times = np.array([np.datetime64(at, "s").astype(np.int64) for at, _ in published.GROWTH])
    counts = np.log([count for _, count in published.GROWTH])
    shares = (np.arange(wanted.models) + 1) / wanted.models
    listed = np.interp(np.log(shares) + counts[-1], counts, times)
    later = np.arange(wanted.all_models - wanted.models) + 1
    born = np.ceil(LISTED_AT_S + later / wanted.new_a_day * DAY_S) - 1
    created_at: Ints = np.r_[np.floor(listed), born].astype(np.int64)
    return created_at


def draw_modified_at(
    created_at: Ints, look: Ints, looks: list[Look], rng: np.random.Generator
) -> Ints:
    """As long after the creation as with a real model; where that is yet to come, at some time.

    Who is born later has not changed when it is first listed.
    """
    changed = created_at + np.array([found.age_s for found in looks])[look]
    left = np.maximum(LISTED_AT_S - created_at, 0)
    since = created_at + (rng.random(len(look)) * left).astype(np.int64)
    modified_at: Ints = np.where(changed < LISTED_AT_S, changed, since)
    return modified_at


def draw_naming(n: int, created_at: Ints, rng: np.random.Generator) -> Ints:
    """How ids are made: the oldest have no owner, a few are case twins of the model before."""
    naming = np.where(rng.random(n) < published.REUSED_NAME_SHARE, PLAIN, CODED)
    oldest = int((created_at == created_at[0]).sum())
    ownerless_count = max(1, round(oldest * published.OWNERLESS_SHARE))
    naming[:ownerless_count] = OWNERLESS
    pair_count = max(1, round(len(created_at) * published.CASE_TWIN_SHARE))
    # A twin follows its model; even places, so that no twin has a twin.
    second = rng.choice((len(created_at) - ownerless_count) // 2 - 1, pair_count, replace=False)
    naming[ownerless_count + 2 * second + 1] = CASE_TWIN
    naming[ownerless_count + 2 * second] = CODED
    return naming


def draw_owners(n: int, rng: np.random.Generator) -> Ints:
    """Each model's owner is new or that of an earlier one: Simon's process, by pointers."""
    place = np.arange(n)
    earlier: Ints = (rng.random(n) * place).astype(np.int64)
    first = ends_of(np.where(rng.random(n) < published.NEW_OWNER_SHARE, place, earlier))
    owner: Ints = np.unique(first, return_inverse=True)[1]
    return owner


def named_after_parents(name: Ints, heir_of: Ints, quantized: Bools) -> Ints:
    """Names, where who quantizes keeps the parent's."""
    named_after = np.flatnonzero(quantized & (heir_of >= 0))
    kept = name.copy()
    kept[named_after] = name[heir_of[named_after]]
    return kept


def made_unique(naming: Ints, owner: Ints, name: Ints) -> Ints:
    """A second model of one owner under one plain name gets a code."""
    plain = np.flatnonzero(naming == PLAIN)
    keys = owner[plain] * (int(name.max()) + 1) + name[plain]
    _, first = np.unique(keys, return_index=True)
    unique = naming.copy()
    unique[np.delete(plain, first)] = CODED
    return unique


def inherited(
    look: Ints,
    heir_of: Ints,
    values: list[frozenset[str]],
    rate: float,
    *,
    rng: np.random.Generator,
) -> Ints:
    """The looks that a trait comes from, so often the parent's that it mutates at its rate.

    Strangers agree by chance too, and pairs of which one reports nothing are not counted.
    """
    told = [value for value in values if value]
    if not told:
        return look
    pairs = rng.integers(0, len(told), (PAIRS, 2)).tolist()
    alike = float(np.mean([len(told[a] & told[b]) / len(told[a] | told[b]) for a, b in pairs]))
    heirs = min(max((1 - rate - alike) / max(1 - alike, 1e-9), 0), 1)
    reporting = len(told) / len(values)
    share = heirs * reporting / (1 - heirs + heirs * reporting)
    takes = (heir_of != NONE) & (rng.random(len(look)) < share)
    return look[ends_of(np.where(takes, heir_of, np.arange(len(look))))]


def draw_popularity(
    counts: list[int], look: Ints, child_count: Ints, rng: np.random.Generator
) -> Ints:
    """A real count, spread, more for those with children, and no more than was ever counted."""
    spread: Floats = np.exp(rng.normal(0, 0.5, len(look))) * np.sqrt(1 + child_count)
    return np.minimum(np.array(counts)[look] * spread, max(counts)).astype(np.int64)


def draw_commits(n: int, total: int, rng: np.random.Generator) -> Ints:
    """How many commits each repo has: few, but for the share of popular ones that the total needs.

    At least one each; a total that is less than that counts as one each.
    """
    few, weights = zip(*published.FEW_COMMITS, strict=True)
    quantiles, many = zip(*published.MANY_COMMITS, strict=True)
    drawn = np.exp(np.interp(rng.random(n), quantiles, np.log(many))).astype(np.int64)
    usual = rng.choice(few, n, p=weights)
    popular = np.clip((total / n - usual.mean()) / (drawn.mean() - usual.mean()), 0, 1)
    commits = np.where(rng.random(n) < popular, drawn, usual)
    while (missing := total - int(commits.sum())) and (missing > 0 or commits.max() > 1):
        step = 1 if missing > 0 else -1
        able = np.flatnonzero(commits > 1) if step < 0 else np.arange(n)
        commits[rng.choice(able, min(abs(missing), len(able)), replace=False)] += step
    return commits.astype(np.int64)
