"""Likeness of real cards, all measures and twins, counted anew without the analysis's own code."""

import math
import re
from collections import Counter
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from studies import found, home_of, needs_recordings, recorded, studied
from test_similarity import cosine, distance, slow_tfidf, terms

from analysis.similarity.pairs import draw_pairs
from analysis.similarity.similarity import similarity

KINDS = ("random", "parent_child", "siblings", "grandparent")
TWINS = ("raw", "owner_capped", "no_bulk", "dated", "other_owner")
SAYS = "fine-tuned version of"


@cache
def swift_distance(one, other):
    """Levenshtein distance, a column of the table as the bits of one number (Myers 1999)."""
    mask, score = (1 << len(one)) - 1, len(one)
    if one == other:
        return 0
    if not one or not other:
        return max(len(one), len(other))
    at = {}
    for place, letter in enumerate(one):
        at[letter] = at.get(letter, 0) | 1 << place
    up, down, last = mask, 0, 1 << (len(one) - 1)
    for letter in other:
        same = at.get(letter, 0)
        vertical = same | down
        horizontal = (((same & up) + up) ^ up) | same
        more, less = down | (~(horizontal | up) & mask), up & horizontal
        score += bool(more & last) - bool(less & last)
        more, less = (more << 1 | 1) & mask, less << 1 & mask
        up, down = less | (~(vertical | more) & mask), more & vertical
    return score


@given(st.text("abc", max_size=12), st.text("abc", max_size=12))
def test_the_swift_distance_is_the_distance(one, other):
    assert swift_distance(one, other) == distance(one, other)


def edits(one, other):
    return 1 - swift_distance(one, other) / max(len(one), len(other))


def slow_words(sample):
    known = {word for text in sample for word in terms(text, pairs=False)}

    @cache
    def vector(text):
        return {w: n for w, n in Counter(terms(text, pairs=False)).items() if w in known}

    return vector


def body(card):
    """What follows the fenced head of a card."""
    lines = card.removeprefix("\ufeff").lstrip().split("\n")
    if lines[0].rstrip("\r \t") != "---":
        return card
    for at, line in enumerate(lines[1:], 1):
        if line.rstrip("\r \t") in {"---", "..."}:
            return "\n" + "\n".join(lines[at + 1 :])
    return card


def begun(texts):
    cut = {name: text.strip()[:512] for name, text in texts.items()}
    return {name: text for name, text in cut.items() if text}


def own(cards, name, source):
    """A card without the lines of its parent's; None where nothing is left, or there is none."""
    if name not in cards:
        return None
    taken = set() if name == source else {x.strip() for x in cards.get(source, "").splitlines()}
    lines = [x.strip() for x in cards[name].splitlines()]
    return "\n".join(x for x in lines if x and x not in taken).strip()[:512] or None


class SlowLikeness:
    """Means by (measure, kind, twin): value and count; ``pairs`` are (first, second, source)."""

    def __init__(self, cards, pairs, owner, bulk):
        self.pairs, self.owner, self.bulk, self.means = pairs, owner, bulk, {}
        bodies = {name: body(text) for name, text in cards.items()}
        self.compare("card_file", begun(cards))
        ways = self.compare("card", begun(bodies))
        for kind in KINDS[1:]:
            told = [(own(bodies, a, s), own(bodies, b, s), a, b) for a, b, s in pairs[kind]]
            for way, likeness in ways.items():
                values = [likeness(a, b) for a, b, *_ in told if a and b]
                values = [x for x in values if not math.isnan(x)]
                self.mean(f"card_{way}", kind, "own_text", values, [1.0] * len(values))

    def compare(self, text, texts):
        firsts = {first for first, *_ in self.pairs["random"]}
        sample = [texts[name] for name in sorted(firsts) if name in texts]
        tfidf, words = cache(slow_tfidf(sample)), slow_words(sample)
        ways = {
            "tfidf": lambda a, b: cosine(tfidf(a), tfidf(b)),
            "words": lambda a, b: cosine(words(a), words(b)),
            "edits": edits,
        }
        for kind, pairs in self.pairs.items():
            for way, likeness in ways.items():
                told = [
                    (likeness(texts[a], texts[b]), a, b)
                    for a, b, _ in pairs
                    if a in texts and b in texts
                ]
                told = [row for row in told if not math.isnan(row[0])]
                for twin, weights in self.weights(told).items():
                    self.mean(f"{text}_{way}", kind, twin, [x for x, *_ in told], weights)
        return ways

    def weights(self, told):
        sizes = Counter(self.owner[a] for _, a, _ in told)
        return {
            "raw": [1.0 for _ in told],
            "owner_capped": [min(1.0, 10 / sizes[self.owner[a]]) for _, a, _ in told],
            "no_bulk": [float(not {a, b} & self.bulk) for _, a, b in told],
            "dated": [0.0 for _ in told],  # all of them are from before the Hub kept dates
            "other_owner": [float(self.owner[a] != self.owner[b]) for _, a, b in told],
        }

    def mean(self, measure, kind, twin, values, weights):
        whole = sum(weights)
        total = sum(w * x for w, x in zip(weights, values, strict=True))
        count = sum(w != 0 for w in weights)
        self.means[measure, kind, twin] = total / whole if whole else None, count


def related(lines):
    """Nearly all models that a card names or that name one, and some of the others."""
    says = {line["model"]["id"]: line["card"] for line in lines if SAYS in (line["card"] or "")}
    named = {name for card in says.values() for name in re.findall(r"\[([\w./-]+)\]", card)}
    named |= says.keys() | {name.split("/")[-1] for name in named}
    rest = [line for line in lines if line["model"]["id"] not in named]
    carded = [line for line in rest if line["card"] is not None]
    bare = [line for line in rest if line["card"] is None]
    return [x for x in lines if x["model"]["id"] in named] + carded[::25] + bare[::2]


@needs_recordings
def test_real_cards_of_relatives_counted_anew(tmp_path):
    lines = related(recorded("hub_2022_02.jsonl.zst"))
    with studied(home_of(tmp_path, lines)) as study:
        similarity(study)
        nodes = study.db.execute(
            "select repo_id, owner, is_bulk, is_dated from node order by node"
        ).fetchall()
        edges = study.db.execute("select child_id, parent_id from main.base_model_edge").fetchall()
        drawn = draw_pairs(study)
        # as they were taken in: without addresses of people
        cards = dict(study.db.execute("select repo_id, text from main.card").fetchall())
    assert cards.keys() == {line["model"]["id"] for line in lines if line["card"] is not None}
    ids = [name for name, *_ in nodes]
    assert not any(is_dated for *_, is_dated in nodes)
    pairs = {
        kind: [(ids[a], ids[b], None if s < 0 else ids[s]) for a, b, s in rows(drawn[kind])]
        for kind in KINDS
    }
    is_edge = set(edges)
    assert len(pairs["parent_child"]) > 1_500
    assert all((a, b) in is_edge and b == s for a, b, s in pairs["parent_child"])
    assert all({(a, s), (b, s)} <= is_edge and a != b for a, b, s in pairs["siblings"])
    assert all({(a, s), (s, b)} <= is_edge for a, b, s in pairs["grandparent"])
    slow = SlowLikeness(
        cards,
        pairs,
        {name: owner for name, owner, *_ in nodes},
        {name for name, _, is_bulk, _ in nodes if is_bulk},
    )
    measures = {key: one for key, one in found(study).items() if key[0].startswith("card")}
    assert measures.keys() == slow.means.keys()
    assert len(measures) == 2 * 3 * len(KINDS) * len(TWINS) + 3 * 3
    for key, (value, count) in slow.means.items():
        assert measures[key].count == count, key
        assert measures[key].value == (None if value is None else pytest.approx(value)), key


def rows(pairs):
    return zip(pairs.first.tolist(), pairs.second.tolist(), pairs.source.tolist(), strict=True)
