"""Likeness of real cards, all measures and twins, counted anew without the analysis's own code."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from likeness_count import KINDS, TWINS, SlowLikeness, distance, swift_distance
from studies import found, home_of, needs_recordings, recorded, studied

from analysis.similarity.pairs import draw_pairs
from analysis.similarity.similarity import similarity

SAYS = "fine-tuned version of"


@given(st.text("abc", max_size=12), st.text("abc", max_size=12))
def test_the_swift_distance_is_the_distance(one, other):
    assert swift_distance(one, other) == distance(one, other)


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
        edges = study.db.execute("select child_id, parent_id from main.base_model_edge").fetchall()
        slow = SlowLikeness(study, draw_pairs(study))
        # as they were taken in: without addresses of people
        cards = dict(study.db.execute("select repo_id, text from main.card").fetchall())
    assert cards.keys() == {line["model"]["id"] for line in lines if line["card"] is not None}
    is_edge, pairs = set(edges), slow.pairs
    assert len(pairs["parent_child"]) > 1_500
    assert all((a, b) in is_edge and b == s for a, b, s in pairs["parent_child"])
    assert all({(a, s), (b, s)} <= is_edge and a != b for a, b, s in pairs["siblings"])
    assert all({(a, s), (s, b)} <= is_edge for a, b, s in pairs["grandparent"])
    slow.count_cards(cards)
    measures = {key: one for key, one in found(study).items() if key[0].startswith("card")}
    assert measures.keys() == slow.means.keys()
    assert len(measures) == 2 * 3 * len(KINDS) * len(TWINS) + 3 * 3
    for key, (value, count) in slow.means.items():
        assert measures[key].count == count, key
        assert measures[key].value == (None if value is None else pytest.approx(value)), key
