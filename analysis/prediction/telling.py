"""Predictions for those that lack an attribute: only those probable enough to be told are kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy import sparse

from analysis.prediction.evidence import evidence, strongest_token, token_phrases
from analysis.prediction.predictor import MOST_WRONG, best_two
from analysis.prediction.scores import right_by_bin
from analysis.prediction.tokens import Dictionary, ask, make_matrix, read_cards
from analysis.prediction.trials import Trial
from analysis.prediction.votes import Tally, tallies
from analysis.study.measures import Study

Ints = npt.NDArray[np.int64]
READ_AT_ONCE = 300_000  # instances whose text is read in one query
PREDICTED_AT_ONCE = 50_000


SCHEMA = pa.schema(
    [
        ("instance", pa.int64()),
        ("value", pa.string()),
        ("probability", pa.float64()),
        ("runner_up", pa.string()),
        ("runner_up_probability", pa.float64()),
        ("evidence", pa.string()),
    ]
)


@dataclass(frozen=True)
class Told:
    """What is told of a question.

    Attributes
    ----------
    trial
        Whose predictor tells.
    rows
        Those told: instance, value, probability, runner_up, runner_up_probability, evidence.
    threshold
        Probability from which on something is told: that of the predictor, or a higher one where
        whoever lacks the attribute is told with lower probabilities than whoever declares it.
    expected_accuracy
        Mean accuracy that the test had at these probabilities; None where nothing is told.
    """

    trial: Trial
    rows: pa.Table
    threshold: float
    expected_accuracy: float | None


def tell(study: Study, trials: list[Trial], dictionary: Dictionary) -> list[Told]:
    """Predict what is not declared, with the predictors of trials over the same instances."""
    added = [
        tallies(one.question.sources, one.question.label, len(one.question.classes) + 1)
        for one in trials
    ]
    tables: list[list[pa.Table]] = [[] for _ in trials]
    phrases = token_phrases(dictionary)
    for rows, matrix in _texts(study, trials, dictionary):
        for trial, tally, parts in zip(trials, added, tables, strict=True):
            asked = np.flatnonzero(trial.question.is_asked[rows])
            for at in range(0, len(asked), PREDICTED_AT_ONCE):
                part = asked[at : at + PREDICTED_AT_ONCE]
                parts.append(_tell_part(study, trial, tally, rows[part], matrix[part], phrases))
    return [settle(trial, parts) for trial, parts in zip(trials, tables, strict=True)]


def settle(trial: Trial, parts: list[pa.Table]) -> Told:
    """Keep as many of the surest as are right nine times in ten, by what the test found.

    Its threshold was found among those that declare the attribute.
    """
    rows = pa.concat_tables([SCHEMA.empty_table(), *parts])
    probability = rows["probability"].to_numpy()
    order = np.argsort(-probability, kind="stable")
    falling = probability[order]
    mean = np.cumsum(right_by_bin(trial, falling)) / np.arange(1, len(order) + 1)
    is_last = np.append(falling[1:] != falling[:-1], True)[: len(order)]  # of those that are equal
    enough = np.flatnonzero((mean >= 1 - MOST_WRONG) & is_last)
    if not len(enough):
        return Told(trial, SCHEMA.empty_table(), 2.0, None)
    least = float(falling[enough[-1]])
    kept = rows.filter(pa.array(probability >= least))
    expected = right_by_bin(trial, kept["probability"].to_numpy()).mean()
    return Told(trial, kept, least, float(expected))


def _texts(
    study: Study, trials: list[Trial], dictionary: Dictionary
) -> Iterator[tuple[Ints, sparse.csr_array]]:
    """The instances that lack any of the attributes, and their tokens, part by part."""
    if not trials:
        return
    question = trials[0].question
    wanted = np.flatnonzero(np.any([trial.question.is_asked for trial in trials], axis=0))
    for at in range(0, len(wanted), READ_AT_ONCE):
        rows = wanted[at : at + READ_AT_ONCE]
        ask(study, question.node[rows], question.parent[rows])
        yield rows, make_matrix(study, dictionary, read_cards(study))


def _tell_part(
    study: Study,
    trial: Trial,
    tally: list[Tally],
    rows: Ints,
    matrix: sparse.csr_array,
    phrases: pa.Array,
) -> pa.Table:
    votes = [one.of(rows) for one in tally]
    predictor = trial.predictor
    opinion = predictor.opinions(matrix, votes)
    probability = predictor.probabilities(opinion)
    value, runner_up = best_two(probability)
    every = np.arange(len(rows))
    likely = probability[every, value].astype(np.float64)
    kept = np.flatnonzero(likely >= predictor.threshold)
    value, runner_up = value[kept], runner_up[kept]
    gain = opinion[:, kept, value] - opinion[:, kept, runner_up]
    token = strongest_token(predictor, matrix[kept], value, runner_up)
    counts = [np.column_stack([vote[kept, value], vote[kept].sum(axis=1)]) for vote in votes]
    names = [one.source.name for one in tally]
    classes = pa.array(trial.question.classes, pa.string())
    columns: dict[str, Any] = {
        "instance": rows[kept],
        "value": classes.take(pa.array(value)),
        "probability": likely[kept],
        "runner_up": classes.take(pa.array(runner_up)),
        "runner_up_probability": probability[kept, runner_up].astype(np.float64),
        "evidence": evidence(
            study,
            names,
            predictor.trust[1:, None] * gain[1:],
            counts,
            phrases.take(pa.array(np.where(token < 0, len(phrases) - 1, token))),
        ),
    }
    return pa.table(columns).cast(SCHEMA)
