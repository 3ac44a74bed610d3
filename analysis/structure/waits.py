"""How long after its parent a child is made.

Only edges whose two ends are dated, and whose child is not older than its parent, take part. The
rest is counted by what is wrong.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from analysis.structure.generations import edge_rows
from analysis.structure.graph import ANALYSIS, RELATIONS, Graph
from analysis.structure.means import Rows, add_means
from analysis.structure.medians import add_medians, weighted_quantile
from analysis.study.measures import Study

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
DAY = np.timedelta64(1, "D")
GRID = (1, 3, 7, 14, 30, 60, 90, 180, 365, 730, 1095)  # days
ORDER = (
    "a ghost parent",
    "a parent without a date",
    "a child without a date",
    "the child before its parent",
    "the child after its parent",
)


def waits(study: Study, graph: Graph) -> None:
    """Note the days from parent to child by relation: median, quartiles, and how they are spread.

    An edge counts under the first of `ORDER` that is true of it.
    """
    fate, days = _fates(graph)
    for at, subject in enumerate(ORDER):
        number = int((fate == at).sum())
        study.add(
            analysis=ANALYSIS,
            measure="edges_in_time",
            subject=subject,
            value=number,
            count=number,
            unit="edges",
        )
    _add_wrong(study, graph, fate)
    _add_days(study, graph, np.flatnonzero(fate == len(ORDER) - 1), days)


def _fates(graph: Graph) -> tuple[Ints, Floats]:
    days = (graph.created_at[graph.child] - graph.created_at[graph.parent]) / DAY
    ghost = ~graph.known[graph.parent]
    undated = ~graph.is_dated[graph.parent], ~graph.is_dated[graph.child]
    wrong = days < 0
    return np.select([ghost, *undated, wrong], [0, 1, 2, 3], 4), days


def _dated_rows(graph: Graph, edges: Ints) -> Rows:
    rows = edge_rows(graph, edges)
    rows.weights.pop("dated")  # all are
    return rows


def _add_wrong(study: Study, graph: Graph, fate: Ints) -> None:
    dated = np.flatnonzero(fate >= 3)
    part = graph.relation[dated, None] == np.arange(len(RELATIONS))
    values = np.broadcast_to((fate[dated] == 3)[:, None], part.shape).astype(np.float64)
    add_means(
        study,
        "wrong_order_share",
        list(RELATIONS),
        values=values,
        has_part=part,
        rows=_dated_rows(graph, dated),
        unit="share",
    )


def _add_days(study: Study, graph: Graph, edges: Ints, days: Floats) -> None:
    relation = graph.relation[edges]
    for subject in ("", *RELATIONS):
        of = edges[relation == RELATIONS.index(subject)] if subject else edges
        rows = _dated_rows(graph, of)
        add_medians(
            study,
            "days_to_child",
            subject,
            values=days[of],
            rows=rows,
            unit="days",
        )
        _add_quartiles(study, subject, days[of])
        _plot_days(study, subject, days[of])


def _add_quartiles(study: Study, subject: str, days: Floats) -> None:
    for measure, share in (("days_to_child_q1", 0.25), ("days_to_child_q3", 0.75)):
        value = weighted_quantile(days, np.ones(len(days)), share)
        study.add(
            analysis=ANALYSIS,
            measure=measure,
            subject=subject,
            value=value,
            count=len(days),
            unit="days",
            reason=None if value is not None else "no edge whose ends are dated in order",
        )


def _plot_days(study: Study, subject: str, days: Floats) -> None:
    if not len(days):
        return
    for day in GRID:
        study.plot(
            analysis=ANALYSIS,
            series="days_to_child",
            subject=subject,
            x=float(day),
            label=f"{day} days",
            y=float(np.mean(days <= day)),
            count=len(days),
        )
