"""Likeness of relatives: by hand on a small hub, and counted anew on real records."""

import math

import numpy as np
import pytest
from hubs import model
from hypothesis import given
from hypothesis import strategies as st
from likeness_count import SlowLikeness, cosine, distance, slow_metadata, slow_tfidf
from studies import found, home_of, needs_recordings, recorded, studied

from analysis.similarity.likeness import Vocabulary, edit_likeness
from analysis.similarity.pairs import Pairs, draw_pairs
from analysis.similarity.similarity import similarity
from analysis.similarity.texts import bodies, metadata_texts, own_ends

OF = "base_model:finetune:"
LINES = [
    model("a/base", tags=["x", "y", "region:us"], card="---\nlicense: mit\n---\nold words\nown"),
    model("b/one", tags=["x", "y", "license:mit", f"{OF}a/base"], card="old words\nnew"),
    model("b/two", tags=["x", f"{OF}a/base"], card="old words\nnew"),
    model("c/deep", pipeline_tag="y", tags=[f"{OF}b/two"], card="old words"),
    model("d/orphan", tags=["z", f"{OF}g/ghost"]),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return home_of(tmp_path_factory.mktemp("similarity"), LINES)


@pytest.fixture(scope="module")
def study(home):
    with studied(home) as study:
        similarity(study)
        yield study


def test_metadata_are_words_without_what_names_the_parent(study):
    texts = metadata_texts(study, np.arange(6))
    assert texts == {0: "x y", 1: "license:mit x y", 2: "x", 3: "y", 4: "z"}


def test_pairs_are_drawn_one_for_each_edge(study):
    drawn = draw_pairs(study)
    pairs = {
        kind: sorted(zip(p.first.tolist(), p.second.tolist(), p.source.tolist(), strict=True))
        for kind, p in drawn.items()
    }
    assert pairs["parent_child"] == [(1, 0, 0), (2, 0, 0), (3, 2, 2)]
    assert pairs["siblings"] == [(1, 2, 0), (2, 1, 0)]
    assert pairs["grandparent"] == [(3, 0, 2)]
    assert {node for pair in pairs["random"] for node in pair[:2]} == {0, 1, 2, 3, 4}
    assert all(first != second for first, second, _ in pairs["random"])


def test_likeness_by_hand(study):
    measures = found(study)
    edges = measures["metadata_words", "parent_child", "raw"]
    # {license:mit x y} and {x y}; {x} and {x y}; {y} and {x}
    assert edges.value == pytest.approx((2 / math.sqrt(6) + 1 / math.sqrt(2) + 0) / 3)
    assert edges.count == 3
    siblings = measures["metadata_words", "siblings", "raw"]
    assert siblings.value == pytest.approx(1 / math.sqrt(3))
    assert measures["metadata_words", "grandparent", "raw"].value == pytest.approx(1 / math.sqrt(2))
    # "x" is one of three characters of "x y"
    assert measures["metadata_edits", "parent_child", "raw"].value == pytest.approx(
        ((1 - 12 / 15) + 1 / 3 + 0) / 3
    )


def test_cards_are_compared_without_front_matter_and_without_what_is_the_parents(study):
    measures = found(study)
    assert measures["card_edits", "siblings", "raw"].value == 1
    # "new" is what both siblings have of their own; deep has nothing left
    assert measures["card_edits", "siblings", "own_text"].value == 1
    own = measures["card_edits", "parent_child", "own_text"]
    assert own.count == 2
    assert own.value == pytest.approx(1 - 12 / 13)  # "new" and "old words\nown"
    assert measures["card_edits", "grandparent", "own_text"].count == 0


def test_pairs_of_two_owners_alone(study):
    measures = found(study)
    assert measures["metadata_words", "siblings", "other_owner"].reason
    assert measures["metadata_words", "parent_child", "other_owner"].count == 3


def test_what_cannot_be_told_says_why(study):
    undated = found(study)["metadata_words", "siblings", "dated"]
    assert (undated.value, undated.count) == (None, 0)
    assert undated.reason == "no pair has words to compare at both ends"


@pytest.mark.parametrize(
    "lines",
    [
        [model("a/alone", tags=["x"])],
        [model("a/one"), model("a/two")],
        [model("a/one", card="—"), model("a/two", card="…", tags=[f"{OF}a/one"])],
        [model("a/one", tags=[f"{OF}a/two"]), model("a/two", tags=[f"{OF}a/one"])],
    ],
    ids=["one model", "no metadata", "no words", "a cycle"],
)
def test_hubs_with_nothing_to_compare(tmp_path, lines):
    with studied(home_of(tmp_path, lines)) as study:
        similarity(study)
    assert all((one.value is None) == (one.count == 0) for one in study.measures)


def test_a_family_of_many_siblings_weighs_by_its_edges(tmp_path):
    lines = [model("a/base"), *[model(f"b/m{n}", tags=[f"{OF}a/base"]) for n in range(300)]]
    with studied(home_of(tmp_path, lines)) as study:
        siblings = draw_pairs(study, 100)["siblings"]
        every = draw_pairs(study)["siblings"]
    assert len(siblings) == 100
    assert sorted(every.first.tolist()) == list(range(1, 301))
    assert (every.first != every.second).all()


@given(st.lists(st.tuples(st.text(min_size=1), st.text(min_size=1)), min_size=1, max_size=5))
def test_edit_likeness_is_levenshtein_over_the_longer(pairs):
    first, second = zip(*pairs, strict=True)
    slow = [1 - distance(a, b) / max(len(a), len(b)) for a, b in pairs]
    assert edit_likeness(first, second) == pytest.approx(slow)


WORDS = st.lists(st.sampled_from(["alpha", "beta", "gamma", "license:mit", "x-y", "z"]), max_size=6)


@given(st.lists(WORDS, min_size=1, max_size=6), st.lists(st.tuples(WORDS, WORDS), min_size=1))
def test_tfidf_is_what_it_says(sample, pairs):
    texts = [" ".join(["word", *words]) for words in sample]
    first, second = ([" ".join(pair[end]) for pair in pairs] for end in (0, 1))
    vector = slow_tfidf(texts)
    slow = [cosine(vector(a), vector(b)) for a, b in zip(first, second, strict=True)]
    fast = Vocabulary(texts, words=False).likeness(first, second)
    assert fast == pytest.approx(slow, nan_ok=True)


def test_own_text_leaves_an_end_that_is_the_parent_whole():
    cards = bodies({0: "a\nb", 1: "a\nc", 2: "b\n a "})
    pairs = Pairs(np.array([1, 2]), np.array([0, 0]), np.array([0, 0]))
    assert own_ends(cards, pairs) == ({0: "c"}, {0: "a\nb", 1: "a\nb"})


HOSTILE = "---\n" * 20_000 + "[" * 50_000


def test_hostile_cards_are_only_long(tmp_path):
    lines = [model("a/one", card=HOSTILE), model("a/two", card=HOSTILE[1:], tags=[f"{OF}a/one"])]
    with studied(home_of(tmp_path, lines)) as study:
        similarity(study)
    assert found(study)["card_edits", "parent_child", "raw"].count <= 1


@needs_recordings
def test_real_relatives_counted_anew(tmp_path):
    lines = recorded("hub_2026_08.jsonl.zst")
    with studied(home_of(tmp_path, lines)) as study:
        similarity(study)
        slow = SlowLikeness(study, draw_pairs(study))
    models = {line["model"]["id"]: line["model"] for line in lines}
    parents = {
        repo_id: {tag.split(":")[-1] for tag in record["tags"] if tag.startswith("base_model:")}
        for repo_id, record in models.items()
    }
    for kind, related in {
        "random": lambda a, b: True,
        "parent_child": lambda a, b: b in parents[a],
        "siblings": lambda a, b: parents[a] & parents[b],
        "grandparent": lambda a, b: any(b in parents.get(p, ()) for p in parents[a]),
    }.items():
        assert slow.pairs[kind]
        assert all(related(a, b) and a != b for a, b, _ in slow.pairs[kind])
    words = {repo_id: slow_metadata(record) for repo_id, record in models.items()}
    slow.compare("metadata", {name: text for name, text in words.items() if text})
    measures = {key: one for key, one in found(study).items() if key[0].startswith("metadata")}
    assert measures.keys() == slow.means.keys()
    for key, (value, count) in slow.means.items():
        assert measures[key].count == count > 0, key
        assert measures[key].value == pytest.approx(value), key
        assert measures[key].low < value < measures[key].high
