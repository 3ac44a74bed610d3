"""Traits that are numbers: the parameter count and the length of the card; and who wrote the card.

Medians of a twin are weighted: the least value that half of the weight does not exceed. Their
intervals are Woodruff's: the share of weight up to the median is resampled, and its ends are read
off the distribution again.

Source: Woodruff, "Confidence intervals for medians and other position measures", JASA 47 (1952).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.study.measures import Study
from analysis.study.resampling import NO_INTERVAL, Interval, mean_intervals
from analysis.study.twins import Bools, Floats, Ints, twin_weights
from analysis.traits.edges import RELATIONS, Edges
from analysis.traits.means import Mean, note_means

PARAMETERS = "select node, parameter_count as number from related where parameter_count > 0"
LENGTHS = "select node, character_count as number from card_read"
GENERATED = "select node, is_generated::double as number from card_read"
ASKED = """
with asked as (
    select distinct repo_id from main.answer where facet = 'card' and repo_id is not null
)
select owner, is_bulk, is_dated, (card.repo_id is not null)::double as has_card
from node
semi join asked using (repo_id)
left join (select repo_id from main.card) as card using (repo_id)
where known
order by node
"""
UNCOUNTED = "no edge has a parameter count at both ends"
NO_CARDS = "no edge has a card at both ends"
UNASKED = "no model was asked for its card"


@dataclass(frozen=True)
class Ends:
    """Edges whose ends both have a number: arrays of shape (m edges,)."""

    edge: Ints
    child: Floats
    parent: Floats

    @property
    def everything(self) -> Bools:
        """A mask of all of them."""
        return np.ones(len(self.edge), np.bool_)


def note_numbers(study: Study, edges: Edges) -> None:
    """Note how parameter counts and cards change along edges, and how many models have a card.

    Of edges whose ends both have the number, by twin: ``parameter_log2_ratio`` (mean of child to
    parent: 1 is a doubling; also by relation) and ``parameter_changed_share``;
    ``card_length_parent_mean``, ``card_length_child_mean``, the same with ``median``, and
    ``card_length_log2_ratio`` (of cards that are not empty); ``generated_share_parent``,
    ``generated_share_child`` and ``generated_rise``, the difference. Of the known models that were
    asked for a card: ``card_share``.
    """
    _note_parameters(study, edges)
    _note_lengths(study, edges)
    _note_origins(study, edges)
    _note_card_share(study)


def _ends(study: Study, edges: Edges, sql: str) -> Ends:
    told = study.arrays(sql)
    size = 1 + max(edges.child.max(initial=-1), edges.parent.max(initial=-1))
    number = np.full(size, np.nan)
    number[told["node"]] = told["number"]
    child, parent = number[edges.child], number[edges.parent]
    at = np.flatnonzero(~np.isnan(child) & ~np.isnan(parent))
    return Ends(at, child[at], parent[at])


def _note_parameters(study: Study, edges: Edges) -> None:
    ends = _ends(study, edges, PARAMETERS)
    relation = edges.relation[ends.edge]
    ratio = np.log2(ends.child) - np.log2(ends.parent)
    changed = (ends.child != ends.parent).astype(np.float64)
    groups = {"": ends.everything} | {name: relation == name for name in RELATIONS}
    rows = [("parameter_log2_ratio", group, "doublings", ratio, groups[group]) for group in groups]
    rows += [("parameter_changed_share", "", "share", changed, ends.everything)]
    _note(study, edges, ends, rows, UNCOUNTED)


def _note_lengths(study: Study, edges: Edges) -> None:
    ends = _ends(study, edges, LENGTHS)
    both = (ends.child > 0) & (ends.parent > 0)
    ratio = np.zeros(len(both))
    ratio[both] = np.log2(ends.child[both]) - np.log2(ends.parent[both])
    rows = [
        ("card_length_parent_mean", "", "characters", ends.parent, ends.everything),
        ("card_length_child_mean", "", "characters", ends.child, ends.everything),
        ("card_length_log2_ratio", "", "doublings", ratio, both),
    ]
    _note(study, edges, ends, rows, NO_CARDS)
    _note_median(study, edges, ends, "parent")
    _note_median(study, edges, ends, "child")


def _note_origins(study: Study, edges: Edges) -> None:
    ends = _ends(study, edges, GENERATED)
    rows = [
        ("generated_share_parent", "", "share", ends.parent, ends.everything),
        ("generated_share_child", "", "share", ends.child, ends.everything),
        ("generated_rise", "", "share", ends.child - ends.parent, ends.everything),
    ]
    _note(study, edges, ends, rows, NO_CARDS)


def _note(
    study: Study,
    edges: Edges,
    ends: Ends,
    rows: list[tuple[str, str, str, Floats, Bools]],
    reason: str,
) -> None:
    means = [
        Mean(measure=measure, subject=subject, unit=unit, values=values, mask=mask, reason=reason)
        for measure, subject, unit, values, mask in rows
    ]
    weights, clusters = edges.weights(ends.edge), edges.clusters(ends.edge)
    note_means(study, means, weights=weights, clusters=clusters, purpose=means[0].measure)


def _note_median(study: Study, edges: Edges, ends: Ends, which: str) -> None:
    measure = f"card_length_{which}_median"
    values = ends.child if which == "child" else ends.parent
    clusters = edges.clusters(ends.edge)
    for twin, weight in edges.weights(ends.edge).items():
        rng = study.generator(f"traits {measure} {twin}")
        told = bool(weight.any())
        interval = _median_interval(values, weight, clusters, rng) if told else NO_INTERVAL
        study.add(
            analysis="traits",
            measure=measure,
            twin=twin,
            value=weighted_quantile(values, weight, 0.5) if told else None,
            low=interval.low,
            high=interval.high,
            resampled=interval.resampled,
            count=int(np.count_nonzero(weight)),
            unit="characters",
            reason=None if told else f"{NO_CARDS}{' in this twin' if len(values) else ''}",
        )


def weighted_quantile(values: Floats, weight: Floats, share: float) -> float:
    """The least value up to which at least this share of the weight lies; some weight is wanted."""
    order = np.argsort(values, kind="stable")
    order = order[weight[order] > 0]
    reached = np.cumsum(weight[order])
    at = np.searchsorted(reached, share * reached[-1] * (1 - 1e-12))
    return float(values[order[min(at, len(order) - 1)]])


def _median_interval(
    values: Floats, weight: Floats, clusters: dict[str, Ints], rng: np.random.Generator
) -> Interval:
    median = weighted_quantile(values, weight, 0.5)
    below = (weight * (values <= median))[:, None]
    share = mean_intervals(below, weight[:, None], clusters, rng)[0]
    if share.low is None or share.high is None:
        return NO_INTERVAL
    # The share at the median may lie above one half, where many values equal it.
    excess = float(below.sum() / weight.sum()) - 0.5
    ends = [
        weighted_quantile(values, weight, min(max(end - excess, 0.0), 1.0))
        for end in (share.low, share.high)
    ]
    return Interval(ends[0], ends[1], share.resampled)


def _note_card_share(study: Study) -> None:
    asked = study.arrays(ASKED)
    has_card = asked["has_card"].astype(np.float64)
    mean = Mean(
        measure="card_share",
        unit="share",
        values=has_card,
        mask=np.ones(len(has_card), np.bool_),
        reason=UNASKED,
    )
    note_means(
        study,
        [mean],
        weights=twin_weights(asked["owner"], asked["is_bulk"], asked["is_dated"]),
        clusters={"owner": asked["owner"]},
        purpose="card_share",
    )
