"""How good a trial was: accuracy, coverage, macro F1, calibration; with intervals and twins.

- Right is a prediction of the value that is declared; a value too rare to be told counts as wrong.
- ``accuracy_told`` is the share that is right of what is told, ``coverage`` the share told.
- ``macro_f1`` is the mean of F1 over the classes that the test declares.
- ``ece`` is the expected calibration error of the likeliest class in `BINS` bins of equal width:
  Σ bins |right - Σ probability| / n (Guo et al., "On calibration of modern neural networks", 2017).
  Chance alone makes it larger than 0.
- ``brier`` is the mean of (probability - right)² of the likeliest class.

Intervals resample what is held out: families, owners, or for the split by time owners.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.prediction.trials import Trial
from analysis.study.measures import RAW, Study
from analysis.study.resampling import (
    FEWEST_CLUSTERS,
    NO_INTERVAL,
    Interval,
    cluster_sums,
    percentile_interval,
    resample,
)
from analysis.study.twins import twin_weights

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
BINS = 15
NAME = "prediction"
NO_ROWS = "no row of the test has weight in this twin"
REASONS = {"accuracy_told": "nothing is told of the rows that have weight in this twin"}


@dataclass(frozen=True)
class Ratio:
    """A measure that is Σ numerator / Σ denominator over the t rows of a test."""

    measure: str
    twin: str
    numerator: Floats
    denominator: Floats


def note_scores(study: Study, trial: Trial) -> None:
    """Add the measures and points of a trial to the study."""
    subject = f"{trial.question.name} by {trial.split}"
    kind = "family" if trial.split == "family" else "owner"
    cluster = getattr(trial.question, kind)[trial.rows]
    ratios = _ratios(trial)
    counts, bins = _class_counts(trial), _bin_sums(trial)
    columns = [np.column_stack([r.numerator for r in ratios]).astype(np.float64)]
    columns += [np.column_stack([r.denominator for r in ratios]), *counts, bins]
    whole = np.hstack(columns)
    sums = cluster_sums(whole, cluster)
    drawn = resample(sums, study.generator(f"prediction {subject}"))
    parts = np.cumsum([part.shape[1] for part in columns])[:-1]
    once = np.split(whole.sum(axis=0)[None], parts, axis=1)
    again = np.split(drawn, parts, axis=1)
    kind_or_none = kind if len(sums) >= FEWEST_CLUSTERS else None
    _note_ratios(study, subject, ratios, (again[0], again[1]), kind_or_none)
    others = {
        "macro_f1": (_macro_f1(once[2]), _macro_f1(again[2])),
        "macro_f1_family_vote": (_macro_f1(once[3]), _macro_f1(again[3])),
        "ece": (_ece(once[4]), _ece(again[4])),
    }
    for measure, (value, replicates) in others.items():
        told = _interval(replicates, kind_or_none)
        _add(study, measure, subject, float(value[0]), told, count=len(trial.rows))
    _plot_reliability(study, subject, once[4][0])
    _plot_coverage(study, subject, trial)


def note_absence(study: Study, name: str, split: str, reason: str) -> None:
    """Add that there is no trial, and why."""
    study.add(
        analysis=NAME,
        measure="accuracy",
        subject=f"{name} by {split}",
        value=None,
        count=0,
        unit="share",
        reason=reason,
    )


def right_by_bin(trial: Trial, probability: Floats) -> Floats:
    """How often the test was right in the bin of each of n probabilities; itself where it had none.

    Whoever lacks an attribute may be told with other probabilities than whoever declares it; this
    carries the accuracy over, if equal probabilities are equally right.
    """
    rows, right, _ = np.split(_bin_sums(trial).sum(axis=0), 3)
    at = _bin(probability)
    return np.where(rows[at] > 0, right[at] / np.maximum(rows[at], 1), probability)


def _ratios(trial: Trial) -> list[Ratio]:
    question, rows = trial.question, trial.rows
    right = np.equal(trial.value, trial.label).astype(np.float64)
    family = np.equal(trial.family_vote, trial.label).astype(np.float64)
    told = trial.is_told.astype(np.float64)
    ones = np.ones(len(rows))
    weights = twin_weights(question.owner[rows], question.is_bulk[rows], question.is_dated[rows])
    named = {
        "accuracy": (right, ones),
        "accuracy_told": (right * told, told),
        "coverage": (told, ones),
        "accuracy_majority": (np.equal(trial.majority, trial.label).astype(np.float64), ones),
        "accuracy_family_vote": (family, ones),
        "gain_over_family_vote": (right - family, ones),
        "brier": ((trial.probability - right) ** 2, ones),
    }
    return [
        Ratio(measure, twin, weight * top, weight * bottom)
        for twin, weight in weights.items()
        for measure, (top, bottom) in named.items()
    ]


def _note_ratios(
    study: Study, subject: str, ratios: list[Ratio], again: tuple[Floats, Floats], kind: str | None
) -> None:
    for at, one in enumerate(ratios):
        bottom = one.denominator.sum()
        kept = again[1][:, at] > 0
        replicates = again[0][kept, at] / again[1][kept, at]
        _add(
            study,
            one.measure,
            subject,
            float(one.numerator.sum() / bottom) if bottom > 0 else None,
            _interval(replicates, kind if bottom > 0 else None),
            count=int(np.count_nonzero(one.denominator)),
            twin=one.twin,
            reason=None if bottom > 0 else REASONS.get(one.measure, NO_ROWS),
        )


def _add(
    study: Study,
    measure: str,
    subject: str,
    value: float | None,
    interval: Interval,
    *,
    count: int,
    twin: str = RAW,
    reason: str | None = None,
) -> None:
    study.add(
        analysis=NAME,
        measure=measure,
        subject=subject,
        twin=twin,
        value=value,
        low=interval.low,
        high=interval.high,
        resampled=interval.resampled,
        count=count,
        unit="squared error" if measure == "brier" else "share",
        reason=reason,
    )


def _interval(replicates: Floats, kind: str | None) -> Interval:
    if kind is None or not len(replicates):
        return NO_INTERVAL
    return percentile_interval(replicates, kind)


def _class_counts(trial: Trial) -> tuple[Floats, Floats]:
    """Of ours and of the family's vote: hits, predictions and declarations by class, (t, 3c)."""
    classes = np.arange(len(trial.question.classes))
    declared = trial.label[:, None] == classes
    both = []
    for value in (trial.value, trial.family_vote):
        said = value[:, None] == classes
        both.append(np.hstack([said & declared, said, declared]).astype(np.float64))
    return both[0], both[1]


def _macro_f1(sums: Floats) -> Floats:
    """Shape (replicates,), of sums of shape (replicates, 3c)."""
    hits, said, declared = np.split(sums, 3, axis=1)
    f1 = 2 * hits / np.maximum(said + declared, 1)
    return np.asarray((f1 * (declared > 0)).sum(axis=1) / np.maximum((declared > 0).sum(axis=1), 1))


def _bin_sums(trial: Trial) -> Floats:
    """Rows, right ones, and probability by bin, shape (t, 3 · `BINS`)."""
    inside = (_bin(trial.probability)[:, None] == np.arange(BINS)).astype(np.float64)
    right = trial.value == trial.label
    return np.hstack([inside, inside * right[:, None], inside * trial.probability[:, None]])


def _bin(probability: Floats) -> Ints:
    return np.minimum((probability * BINS).astype(np.int64), BINS - 1)


def _ece(sums: Floats) -> Floats:
    rows, right, probability = np.split(sums, 3, axis=1)
    return np.asarray(np.abs(right - probability).sum(axis=1) / np.maximum(rows.sum(axis=1), 1))


def _plot_reliability(study: Study, subject: str, sums: Floats) -> None:
    """How often right, at each mean probability said."""
    rows, right, probability = np.split(sums, 3)
    for at in np.flatnonzero(rows):
        study.plot(
            analysis=NAME,
            series="reliability",
            subject=subject,
            x=float(probability[at] / rows[at]),
            label=f"{at / BINS:.2f} to {(at + 1) / BINS:.2f}",
            y=float(right[at] / rows[at]),
            count=int(rows[at]),
        )


def _plot_coverage(study: Study, subject: str, trial: Trial) -> None:
    """How often right, of the surest so many."""
    order = np.argsort(-trial.probability, kind="stable")
    right = np.cumsum((trial.value == trial.label)[order])
    for share in range(5, 101, 5):
        told = max(1, round(share / 100 * len(order)))
        study.plot(
            analysis=NAME,
            series="coverage_accuracy",
            subject=subject,
            x=told / len(order),
            label=f"{share} %",
            y=float(right[told - 1] / told),
            count=told,
        )
