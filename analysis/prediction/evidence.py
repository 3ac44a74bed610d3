"""What spoke for a prediction, in a few words: votes and the token that weighed most.

An opinion speaks for a value as far as it moves its score above that of the runner-up.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy import sparse

from analysis.prediction.predictor import Predictor
from analysis.prediction.tokens import Dictionary
from analysis.study.measures import Study

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[Any]
MOST_NAMED = 3
# How a reader is told of 3 of 4 votes.
PHRASES = {
    "parents": "parents",
    "children": "children",
    "siblings": "siblings",
    "parent_edges": "edges of its parent",
    "family": "in its family",
    "owner": "of its owner",
}
LEAST_SAID = 0.1  # in the score's unit, natural logarithms of odds
WORDED = """
select coalesce(nullif(array_to_string(list_transform(
    list_sort(list_filter(
        [{opinions}], lambda one: one.weight > {least} and one.words is not null
    ), 'desc')[:{most}],
    lambda one: one.words
), '; '), ''), 'the most frequent') as evidence
from (select *, row_number() over () as place from evidence_rows)
order by place
"""


def evidence(
    study: Study, sources: list[str], weight: Floats, votes: list[Floats], words: pa.Array
) -> pa.Array:
    """A few words on each of n predictions.

    Parameters
    ----------
    sources
        Names of the sources of votes.
    weight
        Shape (1 + sources, n): how far the text and each source speak for the value.
    votes
        Of each source, shape (n, 2): votes for the value, and votes for any.
    words
        n texts: the token that weighs most; null where none does.
    """
    columns: dict[str, Any] = {"words": words, "weight": weight[0].astype(np.float64)}
    opinions = ["{'weight': weight, 'words': words}"]
    for at, (name, vote) in enumerate(zip(sources, votes, strict=True)):
        columns |= {f"weight_{at}": weight[at + 1].astype(np.float64)}
        columns |= {f"for_{at}": vote[:, 0].astype(int), f"any_{at}": vote[:, 1].astype(int)}
        opinions.append(
            f"{{'weight': weight_{at}, 'words': case when any_{at} > 0 then"
            f" for_{at} || ' of ' || any_{at} || ' {PHRASES[name]}' end}}"
        )
    study.db.register("evidence_rows", pa.table(columns))
    sql = WORDED.format(opinions=", ".join(opinions), least=LEAST_SAID, most=MOST_NAMED)
    worded = study.db.sql(sql).to_arrow_table()["evidence"]
    study.db.unregister("evidence_rows")
    return worded


def strongest_token(
    predictor: Predictor, matrix: sparse.csr_array, value: Ints, runner_up: Ints
) -> Ints:
    """The column that speaks most for the value against the runner-up, shape (n,); -1 for none."""
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    weights, column = predictor.text.weights, matrix.indices
    gain = weights[column, value[row]] - weights[column, runner_up[row]]
    most = np.zeros(matrix.shape[0], gain.dtype)
    np.maximum.at(most, row, gain)
    found = np.full(matrix.shape[0], -1)
    best = np.flatnonzero((gain == most[row]) & (gain > 0))[::-1]
    found[row[best]] = column[best]
    return found


def token_phrases(dictionary: Dictionary) -> pa.Array:
    """How a reader is told of each token, shape (d,), and a null behind them."""
    phrases: list[str | None] = [
        f"{_kind_phrase(kind)} {text}"
        for kind, text in zip(dictionary.kind, dictionary.text, strict=True)
    ]
    return pa.array([*phrases, None], pa.string())


def _kind_phrase(kind: str) -> str:
    if kind.startswith("word"):
        return "card:"
    owner, _, trait = kind.rpartition(".")
    prefix = {"own": "its ", "parent": "parent's ", "": ""}[owner]
    return prefix + trait.replace("parent_name", "parent's name").replace("_", " ")
