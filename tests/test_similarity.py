"""Likeness of relatives: by hand on a small hub, and counted anew on real records."""

import math
import re
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hubs import model
from hypothesis import given
from hypothesis import strategies as st
from studies import found, home_of, needs_recordings, recorded, studied

from analysis.similarity.likeness import FEATURES, Vocabulary, edit_likeness
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


def distance(one, other):
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        last, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (a != b))
    return row[-1]


@given(st.lists(st.tuples(st.text(min_size=1), st.text(min_size=1)), min_size=1, max_size=5))
def test_edit_likeness_is_levenshtein_over_the_longer(pairs):
    first, second = zip(*pairs, strict=True)
    slow = [1 - distance(a, b) / max(len(a), len(b)) for a, b in pairs]
    assert edit_likeness(first, second) == pytest.approx(slow)


def terms(text, *, pairs):
    words = re.findall(r"[\w.:/+#-]*\w", text.lower())
    return words + [f"{a} {b}" for a, b in pairwise(words)] * pairs


def cosine(one, other):
    norms = [math.sqrt(sum(x * x for x in vector.values())) for vector in (one, other)]
    dot = sum(one[term] * other[term] for term in one if term in other)
    return dot / (norms[0] * norms[1]) if all(norms) else math.nan


def slow_tfidf(sample):
    counted = [Counter(terms(text, pairs=True)) for text in sample]
    total = Counter()
    for one in counted:
        total.update(one)
    features = {term for term, _ in sorted(total.items(), key=lambda x: (-x[1], x[0]))[:FEATURES]}
    seen = Counter(term for one in counted for term in one)

    def vector(text):
        of = Counter(terms(text, pairs=True))
        return {
            term: n * (1 + math.log((1 + len(sample)) / (1 + seen[term])))
            for term, n in of.items()
            if term in features
        }

    return vector


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
        ids = study.arrays("select repo_id from node order by node")["repo_id"]
        drawn = draw_pairs(study)
    models = {line["model"]["id"]: line["model"] for line in lines}
    words = {repo_id: slow_metadata(record) for repo_id, record in models.items()}
    parents = {
        repo_id: {tag.split(":")[-1] for tag in record["tags"] if tag.startswith("base_model:")}
        for repo_id, record in models.items()
    }
    sample = [
        words[name] for name in sorted({ids[n] for n in drawn["random"].first}) if words[name]
    ]
    vector = slow_tfidf(sample)
    for kind, pairs in drawn.items():
        ends = [(ids[a], ids[b]) for a, b in zip(pairs.first, pairs.second, strict=True)]
        related = {
            "random": lambda a, b: True,
            "parent_child": lambda a, b: b in parents[a],
            "siblings": lambda a, b: parents[a] & parents[b],
            "grandparent": lambda a, b: any(b in parents.get(p, ()) for p in parents[a]),
        }[kind]
        assert all(related(a, b) and a != b for a, b in ends)
        told = [(words[a], words[b]) for a, b in ends if words[a] and words[b]]
        likeness = [cosine(vector(a), vector(b)) for a, b in told]
        compared = [x for x in likeness if not math.isnan(x)]
        measure = found(study)["metadata_tfidf", kind, "raw"]
        assert measure.count == len(compared)
        assert measure.value == pytest.approx(sum(compared) / len(compared))
        assert measure.low < measure.value < measure.high
        some = told[:: max(1, len(told) // 40)]
        fast = edit_likeness(*zip(*some, strict=True))
        slow = [1 - distance(a, b) / max(len(a), len(b)) for a, b in some]
        assert fast == pytest.approx(slow)


def slow_metadata(record):
    left_out = ("base_model:", "region:", "deploy:")
    words = {tag for tag in record["tags"] if not tag.startswith(left_out)}
    words |= {record[name] for name in ("pipeline_tag", "library_name") if record.get(name)}
    return " ".join(sorted(word.replace(" ", "_") for word in words))[:512].strip()
