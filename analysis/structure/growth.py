"""Growth: models, edges and families by month, and how long a parent waits for its children.

Only what is dated takes part: the Hub gives all repos made before March 2022 one and the same time
(left-truncated), and ghosts have none. Both are counted apart.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import minimum_spanning_tree

from analysis.structure.graph import ANALYSIS, RELATIONS, Graph
from analysis.structure.means import Rows
from analysis.structure.medians import add_medians
from analysis.study.measures import Study

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
DAY = np.timedelta64(1, "D")
EPOCH = 1970 * 12
TWINS = ("raw", "no_bulk")  # a capped or dated count of what is dated says nothing more
AS_OF = "select data_as_of from main.build"


def growth(study: Study, graph: Graph) -> None:
    """Note what was made when, and when families began.

    A family begins with its first model; it is left out, and counted, where it holds one from
    before dates are told or one without a time. A ghost never has one, and does not count here.
    Points at a month count what it saw made, or (``families``, ``families_of_two``) how many weak
    components there were at its end, models without a date standing there from the first. A month
    that saw nothing made has no point.
    """
    months = _months(graph)
    _count_dated(study, graph)
    _plot_made(study, graph, months)
    _plot_families(study, graph, months)
    _add_families(study, graph)


def _months(graph: Graph) -> Ints:
    """Month of creation since year 0; 0 where it is not told."""
    months = graph.created_at.astype("datetime64[M]").astype(np.int64) + EPOCH
    return np.where(graph.is_dated, months, 0)


def _count_dated(study: Study, graph: Graph) -> None:
    has_time = ~np.isnat(graph.created_at)
    for subject, which in (
        ("dated", graph.is_dated),
        ("made before dates are told", graph.known & has_time & ~graph.is_dated),
        ("without a time", graph.known & ~has_time),
    ):
        number = int(which.sum())
        study.add(
            analysis=ANALYSIS,
            measure="models",
            subject=subject,
            value=number,
            count=number,
            unit="models",
        )


def _plot_made(study: Study, graph: Graph, months: Ints) -> None:
    for twin in TWINS:
        kept = graph.weights(np.arange(graph.count))[twin] > 0
        _plot_months(study, "models_created", "", months[kept & graph.is_dated], twin)
        child = graph.child[kept[graph.child] & graph.is_dated[graph.child]]
        _plot_months(study, "edges_created", "", months[child], twin)
        for at, relation in enumerate(RELATIONS):
            which = (graph.relation == at) & kept[graph.child] & graph.is_dated[graph.child]
            made = months[graph.child[which]]
            _plot_months(study, "edges_created", relation, made, twin)


def _plot_months(study: Study, series: str, subject: str, months: Ints, twin: str = "raw") -> None:
    for month, count in zip(*np.unique(months, return_counts=True), strict=True):
        _point(study, series, int(month), int(count), subject=subject, twin=twin)


def _plot_families(study: Study, graph: Graph, months: Ints) -> None:
    """Weak components at the end of each month.

    A component fewer for each edge of a minimum spanning forest, at the month in which the later
    of its ends was made.
    """
    if not months.any():
        return
    first = int(months[months > 0].min())
    born = np.maximum(months, first)
    tied = np.maximum(born[graph.child], born[graph.parent]) - first + 1  # 0 would be no edge
    joined = _joining_months(graph, tied)
    step = np.full(graph.count, np.iinfo(np.int64).max)
    np.minimum.at(step, graph.child, tied)
    np.minimum.at(step, graph.parent, tied)
    in_family = step < np.iinfo(np.int64).max
    length = int(born.max()) - first + 1
    made = np.cumsum(np.bincount(born - first, minlength=length))
    joins = np.cumsum(np.bincount(joined - 1, minlength=length))
    members = np.cumsum(np.bincount(step[in_family] - 1, minlength=length))
    for at in np.unique(born - first).tolist():
        _point(study, "families", first + at, int(made[at] - joins[at]))
        _point(study, "families_of_two", first + at, int(members[at] - joins[at]))


def _joining_months(graph: Graph, tied: Ints) -> Ints:
    low, high = np.minimum(graph.child, graph.parent), np.maximum(graph.child, graph.parent)
    # of two edges between the same models the earlier one ties them
    keys, place = np.unique(low * graph.count + high, return_inverse=True)
    earliest = np.full(len(keys), np.iinfo(np.int64).max)
    np.minimum.at(earliest, place, tied)
    ends = (keys // max(graph.count, 1), keys % max(graph.count, 1))
    ties = coo_array((earliest.astype(np.float64), ends), shape=(graph.count, graph.count))
    return np.asarray(minimum_spanning_tree(ties.tocsr()).data, np.int64)


def _add_families(study: Study, graph: Graph) -> None:
    families = np.unique(graph.family[graph.family_size >= 2])
    begun, is_old, is_untold = _beginnings(graph)
    told = families[~is_old[families] & ~is_untold[families]]
    for subject, number in (
        ("begun when dated", len(told)),
        ("begun before dates are told", int(is_old[families].sum())),
        ("with a model without a time", int((is_untold & ~is_old)[families].sum())),
    ):
        study.add(
            analysis=ANALYSIS,
            measure="families",
            subject=subject,
            value=number,
            count=number,
            unit="families",
        )
    months = begun[told].astype("datetime64[M]").astype(np.int64) + EPOCH
    _plot_months(study, "families_begun", "", months)
    _add_age(study, graph, told, begun)


def _beginnings(graph: Graph) -> tuple[npt.NDArray[np.datetime64], Bools, Bools]:
    """By family: its first dated creation; whether a model is older; whether one has no time."""
    begun = np.full(graph.count, np.iinfo(np.int64).max)
    dated = np.flatnonzero(graph.is_dated)
    times = graph.created_at[dated].astype("datetime64[us]").astype(np.int64)
    np.minimum.at(begun, graph.family[dated], times)
    undated, has_time = graph.known & ~graph.is_dated, ~np.isnat(graph.created_at)
    marks = np.zeros((2, graph.count), bool)
    for mark, which in zip(marks, (undated & has_time, undated & ~has_time), strict=True):
        mark[graph.family[which]] = True
    return begun.astype("datetime64[us]"), marks[0], marks[1]


def _add_age(study: Study, graph: Graph, families: Ints, begun: npt.NDArray[np.datetime64]) -> None:
    now = study.as_of or study.db.execute(AS_OF).fetchall()[0][0]
    ages = np.asarray((np.datetime64(now, "us") - begun[families]) / DAY)
    rows = Rows(
        weights=graph.weights(families),
        clusters={"family": families, "owner": graph.owner[families]},
    )
    rows.weights.pop("dated")  # all are
    add_medians(study, "family_age", "", values=ages, rows=rows, unit="days")


def _point(
    study: Study, series: str, month: int, count: int, *, subject: str = "", twin: str = "raw"
) -> None:
    study.plot(
        analysis=ANALYSIS,
        series=series,
        subject=subject,
        twin=twin,
        x=float(month),
        label=f"{month // 12:04}-{month % 12 + 1:02}",
        y=float(count),
        count=count,
    )
