"""Are siblings more alike than parent and child? Likeness of relatives, by metadata and by card.

Source: Laufer, Oderinwa, Kleinberg, "Anatomy of a Machine Learning Ecosystem: 2 Million Models on
Hugging Face" (2025), who resample pairs; here whole owners and whole families are resampled, since
pairs of one owner, or one family, are alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.similarity.likeness import Vocabulary, edit_likeness
from analysis.similarity.pairs import Ints, Pairs, draw_pairs
from analysis.similarity.texts import (
    Texts,
    beginnings,
    bodies,
    card_texts,
    ends,
    metadata_texts,
    own_ends,
)
from analysis.study.measures import Study
from analysis.study.resampling import mean_intervals
from analysis.study.twins import twin_weights

Floats = npt.NDArray[np.float64]
Likeness = Callable[[Sequence[str], Sequence[str]], Floats]
TOO_FEW = "no pair has words to compare at both ends"


@dataclass(frozen=True)
class Placed:
    """Pairs of one kind with what their weights and clusters are made of; all shape (n,)."""

    pairs: Pairs
    owners: tuple[Ints, Ints]
    family: Ints
    is_bulk: npt.NDArray[np.bool_]
    is_dated: npt.NDArray[np.bool_]

    def weights(self, at: Ints) -> dict[str, Floats]:
        """Weights of some pairs by twin; ``other_owner`` keeps those of two different owners."""
        first, second = self.owners[0][at], self.owners[1][at]
        twins = twin_weights(first, self.is_bulk[at], self.is_dated[at])
        return twins | {"other_owner": (first != second).astype(np.float64)}


def similarity(study: Study) -> None:
    """Note the mean likeness of each kind of pair, by text, way of comparing and twin.

    Measures are called ``metadata_tfidf`` and so on: texts are ``metadata``, ``card`` (its body)
    and ``card_file`` (with its front matter, which restates the metadata); ways are ``tfidf``,
    ``words`` and ``edits``. Subjects are the kinds of pairs. Beside the usual twins there are
    ``other_owner`` (two owners) and, for the body, ``own_text`` (without lines of the parent's
    card). Each likeness is in 0–1; pairs of which an end has no text are left out.
    """
    kinds = {kind: _placed(study, pairs) for kind, pairs in draw_pairs(study).items()}
    nodes = np.unique(np.concatenate([_nodes(placed.pairs) for placed in kinds.values()]))
    cards = card_texts(study, nodes)
    plain = bodies(cards)
    _compare(study, "metadata", metadata_texts(study, nodes), kinds)
    _compare(study, "card_file", beginnings(cards), kinds)
    ways = _compare(study, "card", beginnings(plain), kinds)
    for kind in ("parent_child", "siblings", "grandparent"):
        _note(study, "card", kind, kinds[kind], own_ends(plain, kinds[kind].pairs), ways, own=True)


def _compare(
    study: Study, text: str, texts: Texts, kinds: dict[str, Placed]
) -> dict[str, Likeness | None]:
    ways = _ways(texts, kinds["random"].pairs)
    for kind, placed in kinds.items():
        _note(study, text, kind, placed, ends(texts, placed.pairs), ways)
    return ways


def _ways(texts: Texts, random: Pairs) -> dict[str, Likeness | None]:
    # Words are weighed by how often random models use them, not those that happen to be related.
    sample = [texts[node] for node in np.unique(random.first).tolist() if node in texts]
    if not any(re.search(r"\w", text) for text in sample):
        return {"tfidf": None, "words": None, "edits": edit_likeness}
    return {
        "tfidf": Vocabulary(sample, words=False).likeness,
        "words": Vocabulary(sample, words=True).likeness,
        "edits": edit_likeness,
    }


def _note(
    study: Study,
    text: str,
    kind: str,
    placed: Placed,
    told: tuple[Texts, Texts],
    ways: dict[str, Likeness | None],
    *,
    own: bool = False,
) -> None:
    first, second = told
    places = np.array(sorted(first.keys() & second.keys()), np.int64)
    for way, likeness in ways.items():
        if likeness is None or not len(places):
            at, values = places[:0], np.zeros(0)
        else:
            found = likeness([first[n] for n in places], [second[n] for n in places])
            at, values = places[~np.isnan(found)], found[~np.isnan(found)]
        rng = study.generator(f"{text} {way} {kind} {own}")
        for row in _means(placed, at, values, rng, own=own):
            study.add(
                analysis="similarity", measure=f"{text}_{way}", subject=kind, unit="likeness", **row
            )


def _means(
    placed: Placed, at: Ints, values: Floats, rng: np.random.Generator, *, own: bool
) -> Iterator[dict[str, object]]:
    twins = {"own_text": np.ones(len(at))} if own else placed.weights(at)
    weights = np.column_stack(list(twins.values()))
    clusters = {"owner": placed.owners[0][at], "family": placed.family[at]}
    intervals = mean_intervals(weights * values[:, None], weights, clusters, rng)
    for (twin, weight), interval in zip(twins.items(), intervals, strict=True):
        if not weight.any():
            yield {"twin": twin, "value": None, "count": 0, "reason": TOO_FEW}
            continue
        yield {
            "twin": twin,
            "value": float(np.average(values, weights=weight)),
            "low": interval.low,
            "high": interval.high,
            "resampled": interval.resampled,
            "count": int(np.count_nonzero(weight)),
        }


def _placed(study: Study, pairs: Pairs) -> Placed:
    node = study.arrays("select owner, family, is_bulk, is_dated from node order by node")
    first, second = pairs.first, pairs.second
    return Placed(
        pairs=pairs,
        owners=(node["owner"][first], node["owner"][second]),
        family=node["family"][first],
        is_bulk=node["is_bulk"][first] | node["is_bulk"][second],
        is_dated=node["is_dated"][first] & node["is_dated"][second],
    )


def _nodes(pairs: Pairs) -> Ints:
    return np.concatenate([pairs.first, pairs.second, pairs.source[pairs.source >= 0]])
