"""Classes of licences: their shares, by month and generation, and how they move along edges."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from analysis.licenses.frame import ALL_CLASSES, Frame
from analysis.licenses.ledger import Ints
from analysis.licenses.rules import CLASSES
from analysis.licenses.shares import Bools, Floats, add_asymmetry, add_shares
from analysis.study.measures import Study
from analysis.study.twins import capped

PERMISSIVE = CLASSES.index("permissive")
# From here on a licence forbids uses, or what may be made of it.
RESTRICTED = CLASSES.index("use-restricted")
RELATIONS = ("finetune", "adapter", "quantized", "merge", "unknown")
PLOTTED_TWINS = ("raw", "no_bulk")


def add_classes(study: Study, frame: Frame) -> None:
    """Note the share of each class among known models, plain and weighed by downloads."""
    known = frame.node["known"]
    place = frame.node["class"][known]
    parts = {name: place == at for at, name in enumerate(ALL_CLASSES)}
    rows = frame.models(known)
    # Most families are of one model: owners say more of how models depend on each other.
    rows = type(rows)({"owner": rows.clusters["owner"]}, rows.weights, rows.unit)
    add_shares(study, "class_share", parts, rows, among="known models")
    weighed = rows.times(frame.node["downloads_30d"][known])
    add_shares(study, "class_download_share", parts, weighed, among="downloads of known models")
    month = np.where(frame.node["is_dated"], frame.node["month"], np.nan)[known]
    _plot(study, "class_by_month", place, month, rows.weights)
    generation = frame.node["generation"][known].astype(np.float64)
    _plot(study, "class_by_generation", place, generation, rows.weights)


def add_drift(study: Study, frame: Frame) -> None:
    """Keep ``license_drift``; note how often a child's class is looser or stricter, and which way
    moves go: 1 where all are to a looser class, -1 where all are to a stricter one.
    """
    told = len(CLASSES)
    known = (frame.node["class"][frame.parent] < told) & (frame.node["class"][frame.child] < told)
    parent, child = (frame.node["class"][ends[known]] for ends in (frame.parent, frame.child))
    relation = frame.relation[known]
    study.keep("license_drift", _transitions(frame, known, parent, child))
    rows = frame.edges(known)
    for name in ("", *RELATIONS):
        which = relation == name if name else np.ones(len(relation), np.bool_)
        looser, stricter = (child < parent)[which], (child > parent)[which]
        moves = {"looser": looser, "same": ~looser & ~stricter, "stricter": stricter}
        suffix = f", {name}" if name else ""
        parts = {f"{move}{suffix}": part for move, part in moves.items()}
        among = f"both ends of a known class{suffix}"
        add_shares(study, "drift_share", parts, rows.where(which), among=among)
        add_asymmetry(study, "drift_asymmetry", name, looser, stricter, rows.where(which))
    ends = {
        "permissive to restricted": (parent == PERMISSIVE, child >= RESTRICTED),
        "restricted to permissive": (parent >= RESTRICTED, child == PERMISSIVE),
    }
    for subject, (begun, ended) in ends.items():
        among = f"parents of the class that {subject} begins with"
        add_shares(study, "turn_share", {subject: ended[begun]}, rows.where(begun), among=among)


def _transitions(frame: Frame, known: Bools, parent: Ints, child: Ints) -> pa.Table:
    made = frame.child[known]
    rows = pa.table(
        {
            "parent_class": pa.array(CLASSES).take(pa.array(parent)),
            "child_class": pa.array(CLASSES).take(pa.array(child)),
            "relation": pa.array(frame.relation[known], pa.string()),
            "edge": np.ones(len(made), np.int64),
            "owner_capped": capped(frame.node["owner"][made]),
            "no_bulk": (~frame.node["is_bulk"][made]).astype(np.int64),
        }
    )
    counted = [(name, "sum") for name in ("edge", "owner_capped", "no_bulk")]
    found = rows.group_by(["parent_class", "child_class", "relation"]).aggregate(counted)
    renamed = {f"{name}_sum": f"{name}_count" for name, _ in counted}
    return found.rename_columns([renamed.get(name, name) for name in found.column_names])


def _plot(study: Study, series: str, place: Ints, x: Floats, weights: dict[str, Floats]) -> None:
    """Shares of classes at each x, by twin; rows without an x are left out."""
    told = ~np.isnan(x)
    xs, column = np.unique(x[told].astype(np.int64), return_inverse=True)
    cells = place[told] * len(xs) + column
    for twin in PLOTTED_TWINS:
        weight = weights[twin][told]
        wholes = np.bincount(column, weight, len(xs))
        counts = np.bincount(cells, weight, len(ALL_CLASSES) * len(xs)).reshape(
            len(ALL_CLASSES), -1
        )
        for at, name in enumerate(ALL_CLASSES):
            for number in np.flatnonzero(wholes).tolist():
                x_here = int(xs[number])
                study.plot(
                    analysis="licenses",
                    series=series,
                    subject=name,
                    twin=twin,
                    x=x_here,
                    label=_label(series, x_here),
                    y=float(counts[at, number] / wholes[number]),
                    count=int(wholes[number]),
                )


def _label(series: str, x: int) -> str:
    return f"{x // 12}-{x % 12 + 1:02d}" if series.endswith("month") else str(x)
