"""How much of a hub hangs on how few repos."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from analysis.impact.dependence import EARLIER, LATER, UNKNOWN, Dependence
from analysis.impact.graph import Bools, Graph, cut_off, reached
from analysis.impact.repos import Impacts
from analysis.impact.shares import ANALYSIS, Floats, Rows, Shares, note_shares
from analysis.study.measures import Study
from analysis.trees import Ints

TOPS = (1, 10, 100)
CURVE = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)
SHOWN = 20
LORENZ_POINTS = 100
NO_DERIVED = "no model that is there declares a base"
NO_DOWNLOADS = "no model that declares a base is downloaded"
NO_LOADING = "no model that is there is an adapter"
ORDERS = {"parent earlier": EARLIER, "order unknown": UNKNOWN, "parent later": LATER}
LOSSES = {"deletion": "break", "poisoning": "poison", "every way": "cut"}
KINDS = {"descendants": "descendant", "load-time": "load", **LOSSES}


def note_concentration(study: Study, dependence: Dependence, impacts: Impacts, rows: Rows) -> None:
    """Note shares of what hangs on the top repos, single points of failure, Gini and curves.

    The top repos are those with the most descendants (of adapters: with the most that break for
    sure without them); they are held fixed where owners of dependants are resampled.
    """
    is_derived = _children(dependence, dependence.graph)
    _note_dependence(study, dependence, impacts, rows, is_derived)
    _note_breaks(study, dependence, impacts, rows)
    _note_loading(study, dependence, rows, is_derived)
    _note_order(study, dependence, rows)
    _note_single_repos(study, dependence, impacts, is_derived)
    _note_gini(study, dependence, rows)


def gini(values: Floats) -> float | None:
    """Gini coefficient of amounts, 0 (all equal) to 1; None where they sum to nothing."""
    total = float(values.sum())
    if not total:
        return None
    ranks = np.arange(1, len(values) + 1)
    return float((2 * ranks - len(values) - 1) @ np.sort(values) / (len(values) * total))


def _top(counts: Ints, most: int) -> Ints:
    """The repos of the highest counts; of two the first by name; none that counts nothing."""
    order = np.argsort(-counts, kind="stable")[:most]
    return order[counts[order] > 0]


def _below(graph: Graph, top: Ints) -> Bools:
    return reached(top, graph.parent, graph.child, graph.count)


def _note_dependence(
    study: Study, dependence: Dependence, impacts: Impacts, rows: Rows, is_derived: Bools
) -> None:
    counts = impacts.columns["descendant_count"]
    parts = {f"top {k}": _below(dependence.graph, _top(counts, k)) for k in TOPS}
    models = Shares(rows=rows, base=is_derived, parts=parts, nothing=NO_DERIVED)
    note_shares(study, "dependent_share", models)
    amounts = dict.fromkeys(parts, dependence.downloads)
    downloads = replace(models, amounts=amounts, nothing=NO_DOWNLOADS)
    note_shares(study, "dependent_download_share", downloads)
    whole = int(is_derived.sum())
    for k in CURVE if whole else ():
        top = _top(counts, k)
        share = float((_below(dependence.graph, top) & is_derived).sum() / whole)
        study.plot(
            **{"analysis": ANALYSIS, "series": "dependent_share", "x": k, "label": f"top {k}"},
            **{"y": share, "count": whole},
        )
        if len(top) < k:
            break


def _note_breaks(study: Study, dependence: Dependence, impacts: Impacts, rows: Rows) -> None:
    loading = dependence.loading
    base, parts = _children(dependence, loading), {}
    for k in TOPS:
        lost = np.zeros(loading.count, dtype=bool)
        lost[_top(impacts.columns["break_count"], k)] = True
        parts[f"top {k}"] = cut_off(loading, lost)
    breaking = Shares(rows=rows, base=base, parts=parts, nothing=NO_LOADING)
    note_shares(study, "breaking_share", breaking)


def _note_loading(study: Study, dependence: Dependence, rows: Rows, is_derived: Bools) -> None:
    """Which share of all that was made from others needs another repo to load."""
    amounts = {"models": np.ones_like(dependence.downloads), "downloads": dependence.downloads}
    parts = dict.fromkeys(amounts, _children(dependence, dependence.loading))
    asked = Shares(rows=rows, base=is_derived, parts=parts, amounts=amounts, nothing=NO_DERIVED)
    note_shares(study, "load_time_share", asked)


def _children(dependence: Dependence, graph: Graph) -> Bools:
    """Shape (n,): models that are there and have a parent in a graph."""
    found = np.zeros(graph.count, dtype=bool)
    found[graph.child] = True
    return found & dependence.is_there


def _note_order(study: Study, dependence: Dependence, rows: Rows) -> None:
    child = dependence.graph.child
    parts = {name: dependence.creation == order for name, order in ORDERS.items()}
    base = dependence.is_there[child]
    asked = Shares(rows=rows.at(child), base=base, parts=parts, nothing=NO_DERIVED)
    note_shares(study, "creation_order", asked)


def _note_single_repos(
    study: Study, dependence: Dependence, impacts: Impacts, is_derived: Bools
) -> None:
    whole = int(is_derived.sum())
    names = _names(study, dependence, impacts)
    for subject, kind in KINDS.items():
        counts = impacts.columns[f"{kind}_count"]
        told = {"analysis": ANALYSIS, "subject": subject}
        for rank, at in enumerate(_top(counts, SHOWN).tolist(), 1):
            bar = {"x": rank, "label": names[at], "y": int(counts[at]), "count": whole}
            study.plot(**told, series="top_repos", **bar)
        if subject in LOSSES:
            share = float(counts.max()) / whole if whole else None
            why = None if whole else NO_DERIVED
            study.add(
                **{**told, "measure": "largest_single_share", "value": share, "reason": why},
                **{"count": whole, "unit": "share"},
            )


def _names(study: Study, dependence: Dependence, impacts: Impacts) -> dict[int, str]:
    shown = {
        at
        for kind in KINDS.values()
        for at in _top(impacts.columns[f"{kind}_count"], SHOWN).tolist()
    }
    nodes = {int(dependence.node[at]): at for at in shown}
    listed = ", ".join(map(str, nodes)) or "null"
    named = study.db.execute(f"select node, repo_id from node where node in ({listed})")  # noqa: S608
    return {nodes[node]: repo_id for node, repo_id in named.fetchall()}


def _note_gini(study: Study, dependence: Dependence, rows: Rows) -> None:
    """Of direct dependants, over all repos that have any (in any twin) and over all models."""
    graph, models = dependence.graph, study.db.execute("select count(*) from node").fetchall()[0][0]
    there = dependence.is_there[graph.child]
    children, parents = graph.child[there], graph.parent[there]
    with_any = np.unique(parents)
    single = {"analysis": ANALYSIS, "measure": "gini", "unit": "gini"}
    for twin, weight in _child_weights(rows, children).items():
        amounts: Floats = np.bincount(parents, weight, graph.count)[with_any].astype(np.float64)
        every = np.r_[np.zeros(models - len(with_any)), amounts]
        for subject, values in {"repos with dependants": amounts, "all models": every}.items():
            value = gini(values)
            why = NO_DERIVED if value is None else None
            told = {"subject": subject, "twin": twin, "value": value, "reason": why}
            study.add(**single, **told, count=len(values))
        _plot_lorenz(study, twin, amounts)


def _child_weights(rows: Rows, children: Ints) -> dict[str, Floats]:
    return rows.at(children).twins(np.ones(len(children), dtype=bool))


def _plot_lorenz(study: Study, twin: str, amounts: Floats) -> None:
    """Share of direct dependants that the least depended-on share of repos has."""
    total = float(amounts.sum())
    if not total:
        return
    running = np.r_[0.0, np.cumsum(np.sort(amounts))] / total
    for point in range(LORENZ_POINTS + 1):
        at = point * len(amounts) // LORENZ_POINTS
        study.plot(
            **{"analysis": ANALYSIS, "series": "lorenz", "twin": twin, "count": len(amounts)},
            **{"x": point / LORENZ_POINTS, "label": f"{point} %", "y": float(running[at])},
        )
