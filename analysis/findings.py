"""What papers found, held against this hub: raw, and under each robust twin.

A finding is an inequality of two measures (``findings.csv``). It holds where the one said to be
larger is, and is not told where both are the same; it is clear where their 95 % intervals are apart
as well. A paper's sign says more than its size: hubs grow, and what is counted differs.
"""

from __future__ import annotations

from importlib import resources

import pyarrow as pa
from pyarrow import csv

from analysis.study.measures import Measure, Study

Key = tuple[str, str, str, str]
COLUMNS = {
    "place": pa.int64(),
    "finding": pa.string(),
    "twin": pa.string(),
    "statement": pa.string(),
    "source": pa.string(),
    "larger_value": pa.float64(),
    "smaller_value": pa.float64(),
    "holds": pa.bool_(),
    "is_clear": pa.bool_(),
    "reason": pa.string(),
}
TIED = "both are the same"
NOT_MEASURED = "this study does not measure it"


def findings(study: Study) -> None:
    """Keep ``study_finding``: each published finding with each twin that both its sides have."""
    measures = {(m.analysis, m.measure, m.subject, m.twin): m for m in study.measures}
    rows = [
        {"place": place, **row}
        for place, claim in enumerate(_claims(), 1)
        for row in _judged(claim, measures)
    ]
    columns = {
        name: pa.array([row.get(name) for row in rows], kind) for name, kind in COLUMNS.items()
    }
    study.keep("study_finding", pa.table(columns))


def _claims() -> list[dict[str, str]]:
    with (resources.files("analysis") / "findings.csv").open("rb") as file:
        read: list[dict[str, str]] = csv.read_csv(file).to_pylist()
    return read


def _judged(claim: dict[str, str], measures: dict[Key, Measure]) -> list[dict[str, object]]:
    told = {name: claim[name] for name in ("finding", "statement", "source")}
    sides = [
        (claim["analysis"], claim[f"{side}_measure"], claim[f"{side}_subject"] or "")
        for side in ("larger", "smaller")
    ]
    twins = [m.twin for m in measures.values() if (m.analysis, m.measure, m.subject) == sides[0]]
    common = [twin for twin in twins if (*sides[1], twin) in measures]
    if not common:
        return [{**told, "twin": "raw", "reason": NOT_MEASURED}]
    return [
        {**told, "twin": twin, **_compared(*(measures[*side, twin] for side in sides))}
        for twin in common
    ]


def _compared(larger: Measure, smaller: Measure) -> dict[str, object]:
    values: dict[str, object] = {"larger_value": larger.value, "smaller_value": smaller.value}
    if larger.value is None or smaller.value is None:
        return values | {"reason": larger.reason or smaller.reason}
    if larger.value == smaller.value:
        return values | {"reason": TIED}
    return values | {
        "holds": larger.value > smaller.value,
        "is_clear": _are_apart(larger, smaller) or _are_apart(smaller, larger),
    }


def _are_apart(above: Measure, below: Measure) -> bool:
    return above.low is not None and below.high is not None and above.low > below.high
