"""Trials: a predictor learned on a part of what is declared, and held against the rest of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from analysis.prediction import splits
from analysis.prediction.predictor import (
    POOLED_MOST,
    Predictor,
    best_two,
    find_threshold,
    learn_text,
    learn_trust,
    opinions,
)
from analysis.prediction.questions import MISSING, Question
from analysis.prediction.votes import tallies

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
FEWEST_HELD_OUT = 30


@dataclass(frozen=True)
class Lesson:
    """What is declared of a question, or a sample of it, with its text.

    Attributes
    ----------
    question
        Of n instances.
    rows
        Shape (m,): which of them.
    matrix
        Shape (m, d): their tokens.
    echo
        Shape (d,): columns that restate the attribute.
    """

    question: Question
    rows: Ints
    matrix: sparse.csr_array
    echo: Bools

    @property
    def label(self) -> Ints:
        """Shape (m,): the classes of its rows."""
        return self.question.label[self.rows]


@dataclass(frozen=True)
class Trial:
    """How a predictor did where it was not taught.

    Attributes
    ----------
    question, split
        Of what, and how held out.
    predictor
        What was learned.
    rows
        Shape (t,): the instances of the test, by their numbers in the question.
    label
        Shape (t,): the class declared; the number of classes for a rare value.
    value, probability
        Shape (t,): the class predicted, and how probable it is said to be.
    is_told
        Shape (t,): whether it is probable enough.
    majority
        The class that was most frequent where it was taught.
    family_vote
        Shape (t,): the most frequent class of the family without the model itself, else majority.
    """

    question: Question
    split: str
    predictor: Predictor
    rows: Ints
    label: Ints
    value: Ints
    probability: Floats
    is_told: Bools
    majority: int
    family_vote: Ints


def attempt(lesson: Lesson, split: str, rng: np.random.Generator) -> Trial | str:
    """Learn and test.

    Returns
    -------
    The trial, or in one sentence why there is none.
    """
    question, label = lesson.question, lesson.label
    if len(question.classes) < 2:
        return f"fewer than two values of {question.name} are declared often enough"
    fold = _folds(lesson, split, rng)
    if np.bincount(fold, minlength=4).min() < FEWEST_HELD_OUT:
        return f"too few models declare {question.name} to hold some of them out by {split}"
    taught = fold == splits.TEXT
    if len(np.unique(label[taught])) < 2:
        return f"held out by {split}, fewer than two values of {question.name} are left to learn"
    class_count = len(question.classes) + 1
    votes = _votes(lesson, _voting(lesson, split, taught), class_count)
    predictor = _learn(lesson, fold, votes, rng)
    test = fold == splits.TEST
    probability = _probability(predictor, lesson, votes, test)
    value, _ = best_two(probability)
    likely = probability[np.arange(len(value)), value]
    majority = int(np.argmax(predictor.share[:-1]))
    names = [source.name for source in question.sources]
    family = votes[names.index("family")][test][:, :-1]
    return Trial(
        question=question,
        split=split,
        predictor=predictor,
        rows=lesson.rows[test],
        label=label[test],
        value=value,
        probability=likely,
        is_told=likely >= predictor.threshold,
        majority=majority,
        family_vote=np.where(family.any(axis=1), family.argmax(axis=1), majority),
    )


def _folds(lesson: Lesson, split: str, rng: np.random.Generator) -> Ints:
    question = lesson.question
    if split == "time":
        return splits.folds_by_time(question.created_at[lesson.rows])
    group = question.family if split == "family" else question.owner
    return splits.folds_by_group(group[lesson.rows], rng)


def _voting(lesson: Lesson, split: str, taught: Bools) -> Ints:
    """Labels that may vote: all that is declared; by time, what was made when it was taught."""
    question = lesson.question
    if split != "time":
        return question.label
    last = question.created_at[lesson.rows[taught]].max()
    early = np.isnat(question.created_at) | (question.created_at <= last)
    return np.where(early, question.label, MISSING)


def _votes(lesson: Lesson, label: Ints, class_count: int) -> list[npt.NDArray[np.float32]]:
    added = tallies(lesson.question.sources, label, class_count)
    return [tally.of(lesson.rows) for tally in added]


def _learn(
    lesson: Lesson, fold: Ints, votes: list[npt.NDArray[np.float32]], rng: np.random.Generator
) -> Predictor:
    label, class_count = lesson.label, len(lesson.question.classes) + 1
    taught, pool = fold == splits.TEXT, np.flatnonzero(fold == splits.POOL)
    share = (np.bincount(label[taught], minlength=class_count) + 1.0).astype(np.float32)
    share /= share.sum()
    text = learn_text(lesson.matrix[taught], label[taught], lesson.echo, class_count, rng)
    pool = np.sort(rng.permutation(pool)[:POOLED_MOST])
    opinion = opinions(text, share, lesson.matrix[pool], [vote[pool] for vote in votes])
    sceptic = Predictor(text, share, learn_trust(opinion, label[pool]), threshold=2.0)
    judged = fold == splits.THRESHOLD
    probability = _probability(sceptic, lesson, votes, judged)
    value, _ = best_two(probability)
    likely = probability[np.arange(len(value)), value]
    threshold = find_threshold(likely, value == label[judged])
    return Predictor(text, share, sceptic.trust, threshold)


def _probability(
    predictor: Predictor, lesson: Lesson, votes: list[npt.NDArray[np.float32]], at: Bools
) -> Floats:
    opinion = predictor.opinions(lesson.matrix[at], [vote[at] for vote in votes])
    return predictor.probabilities(opinion).astype(np.float64)
