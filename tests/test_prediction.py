"""Undocumented attributes: votes by hand, echoes dropped, honest splits, measured calibration."""

import os
import random
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from raw_homes import RawHome, answer
from sklearn.metrics import brier_score_loss, f1_score

from analysis.prediction import splits
from analysis.prediction.card_words import words_of
from analysis.prediction.echoes import echo_columns
from analysis.prediction.lessons import make_lessons
from analysis.prediction.predictor import find_threshold, learn_trust
from analysis.prediction.questions import (
    MISSING,
    license_family,
    model_questions,
    relation_question,
)
from analysis.prediction.scores import note_scores
from analysis.prediction.step import predict
from analysis.prediction.tokens import Dictionary, ask, make_dictionary, make_matrix, read_cards
from analysis.prediction.trials import attempt
from analysis.prediction.votes import edge_sources, node_sources, tallies
from analysis.study.frame import lay_out
from analysis.study.measures import Study
from warehouse.read import open_warehouse


def studied(home, *, seed=0):
    home.built().close()
    study = Study(open_warehouse(home.folder).cursor(), seed=seed)
    lay_out(study)
    return study


def record(repo_id, *, tags=(), day="2025-01-01", **fields):
    return {"id": repo_id, "tags": list(tags), "createdAt": f"{day}T00:00:00.000Z", **fields}


def value(study, measure, subject):
    return next(
        one
        for one in study.measures
        if (one.measure, one.subject, one.twin) == (measure, subject, "raw")
    )


# Votes. 0 is the root; 1, 2, 3 are its children, 4 is the child of 1 and of 2; 5 is alone.
FAMILY = [0, 0, 0, 0, 0, 5]
OWNER = [0, 1, 1, 2, 2, 1]
PRIMARY = [-1, 0, 0, 0, 1, -1]
CHILD, PARENT = [1, 2, 3, 4, 4], [0, 0, 0, 1, 2]
LABEL = [0, 0, 1, MISSING, 1, 0]


def votes_of_models():
    told = {"family": np.array(FAMILY), "owner": np.array(OWNER), "parent": np.array(PRIMARY)}
    sources = node_sources(told, np.array(CHILD), np.array(PARENT))
    every = np.arange(6)
    return {one.source.name: one.of(every) for one in tallies(sources, np.array(LABEL), 2)}


def test_votes_of_a_small_hub():
    votes = votes_of_models()
    assert votes["parents"].tolist() == [[0, 0], [1, 0], [1, 0], [1, 0], [1, 1], [0, 0]]
    assert votes["children"].tolist() == [[1, 1], [0, 1], [0, 1], [0, 0], [0, 0], [0, 0]]
    # Siblings are by the primary parent; 3 declares nothing, and nobody votes for itself.
    assert votes["siblings"].tolist() == [[0, 0], [0, 1], [1, 0], [1, 1], [0, 0], [0, 0]]
    assert votes["family"].tolist() == [[1, 2], [1, 2], [2, 1], [2, 2], [2, 1], [0, 0]]
    assert votes["owner"].tolist() == [[0, 0], [1, 1], [2, 0], [0, 1], [0, 0], [1, 1]]


def test_votes_on_edges_leave_the_child_out():
    # Edges 0→9 and 1→9, two merges of 2 (of 0 and of 9), and 9's own edge up to 8.
    told = {
        "node": np.array([0, 1, 2, 2, 9]),
        "parent": np.array([9, 9, 0, 9, 8]),
        "family": np.zeros(5, int),
        "owner": np.array([0, 0, 0, 0, 1]),
    }
    label = np.array([0, 1, 2, 2, 0])
    added = tallies(edge_sources(told), label, 3)
    votes = {one.source.name: one.of(np.arange(5)).tolist() for one in added}
    assert votes["siblings"] == [[0, 1, 1], [1, 0, 1], [0, 0, 0], [1, 1, 0], [0, 0, 0]]
    assert votes["parent_edges"] == [[1, 0, 0], [1, 0, 0], [1, 0, 0], [1, 0, 0], [0, 0, 0]]
    assert votes["family"] == [[1, 1, 2], [2, 0, 2], [2, 1, 0], [2, 1, 0], [1, 1, 2]]
    assert votes["owner"] == [[0, 1, 2], [1, 0, 2], [1, 1, 0], [1, 1, 0], [0, 0, 0]]


# Echoes.
CARD = b"""---
license: mit
pipeline_tag: text-classification
---
# Greetings
Weights for text-classification and text classification.
License: MIT, see below
"""


def echoing_home(folder):
    home = RawHome(folder)
    tags = ["text-classification", "license:mit", "conversational", "bert", "Text_Classification"]
    tags += ["base_model:adapter:big/base", "fine-tuned", "mit", "region:us", "kept"]
    records = [
        record(
            f"me/text-classification-{n}",
            tags=tags,
            pipeline_tag="text-classification",
            library_name="peft",
            config={"model_type": "bert", "architectures": ["BertModel"]},
            safetensors={"parameters": {"BF16": 8}, "total": 8},
        )
        for n in range(6)
    ]
    home.listing(*records)
    for one in records:
        home.answer("card", one["id"], CARD)
    return home


def test_planted_echoes_are_dropped(tmp_path):
    study = studied(echoing_home(tmp_path))
    questions = {one.name: one for one in model_questions(study)}
    questions["relation"] = relation_question(study)
    _, dictionary = make_lessons(study, list(questions.values()))
    tokens = list(zip(dictionary.kind, dictionary.text, strict=True))

    def dropped(name):
        echo = echo_columns(name, questions[name].spellings, dictionary)
        return {token for token, is_echo in zip(tokens, echo, strict=True) if is_echo}

    # No token at all: prefixed tags and front matter.
    assert not {text for kind, text in tokens if kind == "tag" and ":" in text}
    assert {("tag", "kept"), ("name", "classification"), ("dtype", "BF16")} <= set(tokens)
    assert {kind for kind, text in tokens if text == "pipeline_tag"} == set()
    assert dropped("pipeline_tag") == {
        ("own.pipeline_tag", "text-classification"),
        ("own.architecture", "BertModel"),
        ("tag", "text-classification"),
        ("tag", "Text_Classification"),
        ("tag", "conversational"),
        ("word[]", "text-classification"),
        ("word[]", "text"),
        ("word[]", "classification"),
    }
    license_echoes = {("own.license", "mit"), ("tag", "mit")} | {
        ("word[license]", word) for word in ("license", "mit", "see", "below")
    }
    assert dropped("license") == dropped("license_family") == license_echoes
    assert dropped("library_name") == {("own.library_name", "peft")}
    assert dropped("model_type") == {
        *(("own.model_type", "bert"), ("own.architecture", "BertModel"), ("tag", "bert")),
    }
    assert dropped("relation") == {("relation", "adapter"), ("tag", "fine-tuned")}


def test_every_line_that_talks_of_an_attribute_is_told_apart():
    text = (
        "LICENCE is MIT\nA fine-tuned version\n\nfrom x import y\nplain, Words\r\nlicense|adapter"
    )
    words = words_of(pa.table({"row": [7], "body": [text]}))
    told = list(zip(words.word.to_pylist(), words.talk.tolist(), strict=True))
    assert [word for word, talk in told if talk == 1] == ["licence", "is", "mit"]
    assert [word for word, talk in told if talk == 16] == ["a", "fine-tuned", "version"]
    assert [word for word, talk in told if talk == 4] == ["from", "x", "import", "y"]
    assert [word for word, talk in told if talk == 0] == ["plain", "words"]
    assert [word for word, talk in told if talk == 17] == ["license", "adapter"]
    assert set(words.row.tolist()) == {7}


def test_words_of_unicode_and_of_nothing_stay_whole():
    words = words_of(pa.table({"row": [1, 2], "body": ["ÄRGER 你好, wörld", ""]}))
    assert words.word.to_pylist() == ["Ärger", "你好", "wörld"]
    assert words_of(pa.table({"row": [1], "body": pa.array([""])})).word.to_pylist() == []


def random_home(folder, *, models=400):
    """Tasks drawn by lot; only a tag tells them. Licences go with the name."""
    draw = random.Random(5)
    home = RawHome(folder)
    records = []
    for n in range(models):
        task = draw.choice(["fill-mask", "translation"])
        license_name = draw.choice(["mit", "gemma"])
        tags = [task, f"license:{license_name}", f"noise{draw.randrange(4)}"]
        name = f"own{n % 80}/{'free' if license_name == 'mit' else 'bound'}-{n}"
        day = f"2025-01-{1 + n * 28 // models:02d}"
        records.append(record(name, tags=tags, pipeline_tag=task, day=day))
    records += [record(f"own{n}/free-lacking-{n}", tags=["noise1"]) for n in range(20)]
    records.append(record("odd/one", pipeline_tag="seen-once", tags=["license:once"]))
    home.listing(*records)
    return home


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    study = studied(random_home(tmp_path_factory.mktemp("drawn")))
    predict(study)
    return study


def test_an_echo_would_tell_what_nothing_else_does(drawn):
    questions = [one for one in model_questions(drawn) if one.name == "pipeline_tag"]
    lesson = make_lessons(drawn, questions)[0][0]
    honest = attempt(lesson, "owner", drawn.generator("a test"))
    nothing_dropped = np.zeros(len(lesson.echo), bool)
    cheat = attempt(replace(lesson, echo=nothing_dropped), "owner", drawn.generator("a test"))
    assert np.mean(cheat.value == cheat.label) > 0.95
    assert np.mean(honest.value == honest.label) < 0.65
    assert not honest.is_told.any()


def test_what_cannot_be_known_is_not_told_and_what_can_is(drawn):
    told = drawn.db.execute("select repo_id, attribute, value from attribute_prediction").fetchall()
    assert sorted(told) == sorted(
        (f"own{n}/free-lacking-{n}", name, value)
        for n in range(20)
        for name, value in (("license", "mit"), ("license_family", "permissive"))
    )
    assert value(drawn, "accuracy", "license by owner").value > 0.95
    assert value(drawn, "accuracy_told", "pipeline_tag by owner").reason
    evidence = drawn.db.execute("select distinct evidence from attribute_prediction").fetchall()
    assert all("name free" in one for (one,) in evidence)


def test_a_value_declared_once_is_never_told(drawn):
    question = next(one for one in model_questions(drawn) if one.name == "pipeline_tag")
    assert sorted(question.classes) == ["fill-mask", "translation"]
    assert question.values[2:] == ["seen-once"]
    assert np.count_nonzero(question.label == 2) == 1
    assert value(drawn, "rest_share", "pipeline_tag").value == pytest.approx(1 / 401)


def test_what_nobody_declares_has_a_reason(drawn):
    for split in splits.SPLITS:
        for name in ("model_type", "relation", "library_name"):
            found = value(drawn, "accuracy", f"{name} by {split}")
            assert found.value is None
            assert "declared often enough" in found.reason
    assert value(drawn, "lacking", "model_type").value == 421
    assert value(drawn, "told", "model_type").value == 0


def test_the_same_seed_gives_the_same_numbers(drawn, tmp_path):
    again = studied(random_home(tmp_path))
    predict(again)
    assert again.measures == drawn.measures
    assert again.points == drawn.points
    other = studied(random_home(tmp_path / "other"), seed=1)
    predict(other)
    assert other.measures != drawn.measures


@pytest.mark.parametrize("records", [[], [record("a/b", pipeline_tag="x", tags=["license:mit"])]])
def test_a_hub_of_one_and_of_none(tmp_path, records):
    home = RawHome(tmp_path)
    home.listing(*records)
    study = studied(home)
    predict(study)
    for name in ("attribute_prediction", "relation_prediction", "held_out_prediction"):
        assert study.db.execute(f"from {name}").fetchall() == []
    assert all(one.value is None for one in study.measures if one.measure == "accuracy")


# Rows: a/x, a/y, a/y2 (beside the ghost), no/ghost.
ODD_CELLS = [[1, 0, 0], [0, 0, 0], [0, 1, 1], [0, 0, 0]]


def test_cycles_ghosts_and_odd_names_are_read(tmp_path):
    home = RawHome(tmp_path)
    home.listing(
        record("a/x", tags=["base_model:finetune:a/y", "tag'{1}", ""]),
        record("a/y", tags=["base_model:merge:a/x", "base_model:merge:no/ghost"]),
        record("a/y2", tags=["base_model:no/ghost"], safetensors={"parameters": "odd"}),
    )
    home.answer("card", "a/y2", b"---\nno end\nlicense: mit")
    study = studied(home)
    ask(study, np.arange(4), np.array([-1, 0, 3, -1]))
    tokens = make_dictionary(study, read_cards(study))
    assert len(tokens) == 0
    tokens = Dictionary(["tag", "word[license]", "parent_name"], ["tag'{1}", "mit", "ghost"])
    assert make_matrix(study, tokens, read_cards(study)).toarray().tolist() == ODD_CELLS
    predict(study)


# Splits.
@given(st.lists(st.integers(0, 30), min_size=1, max_size=300), st.integers(0, 9))
def test_no_group_is_in_two_folds(groups, seed):
    groups = np.array(groups)
    fold = splits.folds_by_group(groups, np.random.default_rng(seed))
    assert all(len(set(fold[groups == one])) == 1 for one in set(groups.tolist()))
    large = [one for one, n in Counter(groups.tolist()).items() if n > 0.1 * len(groups)]
    assert all(set(fold[groups == one]) == {splits.TEXT} for one in large)


@given(st.lists(st.one_of(st.none(), st.integers(0, 50)), min_size=1, max_size=200))
def test_no_time_is_in_two_folds_and_none_goes_back(days):
    at = np.array(
        [np.datetime64("NaT") if day is None else np.datetime64("2026-01-01") + day for day in days]
    ).astype("datetime64[us]")
    fold = splits.folds_by_time(at)
    for one, its in zip(days, fold, strict=True):
        for other, others in zip(days, fold, strict=True):
            if (one is None) or (other is not None and one <= other):
                assert its <= others


@given(st.lists(st.integers(0, 4), min_size=1, max_size=400), st.integers(1, 100))
def test_a_sample_keeps_the_shares(labels, most):
    labels = np.array(labels)
    chosen = splits.stratified(labels, most, np.random.default_rng(0))
    assert len(chosen) == len(set(chosen.tolist())) == min(most, len(labels))
    for label in set(labels.tolist()):
        expected = len(chosen) * np.mean(labels == label)
        assert abs(np.count_nonzero(labels[chosen] == label) - expected) <= 1.5


# Thresholds and trust.
def test_the_threshold_keeps_nine_in_ten_right():
    rng = np.random.default_rng(0)
    probability = rng.random(4000) ** 0.25
    is_right = rng.random(4000) < probability
    threshold = find_threshold(probability, is_right)
    # The mean above t is .8 · (1 - t⁵) / (1 - t⁴), .9 at t = .77.
    assert 0.77 < threshold < 0.87
    assert find_threshold(probability, np.zeros(4000, bool)) == 2
    assert find_threshold(probability, np.ones(4000, bool)) == 0.5
    assert find_threshold(np.ones(29), np.ones(29, bool)) == 2
    assert find_threshold(np.zeros(0), np.zeros(0, bool)) == 2


def test_trust_goes_to_the_opinion_that_is_right():
    rng = np.random.default_rng(1)
    label = rng.integers(0, 3, 500)
    good = np.full((500, 3), -2.0)
    good[np.arange(500), np.where(rng.random(500) < 0.8, label, rng.integers(0, 3, 500))] = 0
    trust = learn_trust(np.stack([good, rng.normal(size=(500, 3))]), label)
    assert trust[0] > 0.8
    assert trust[1] < 0.2
    assert (trust >= 0).all()


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        (None, None),
        ("unknown", None),
        ("Apache-2.0", "permissive"),
        ("cc-by-4.0", "permissive"),
        ("cc-by-nc-sa-4.0", "non-commercial"),
        ("cc-by-sa-4.0", "copyleft"),
        ("agpl-3.0", "copyleft"),
        ("llama3.1", "use-restricted"),
        ("creativeml-openrail-m", "use-restricted"),
        ("gemma", "use-restricted"),
        ("my own words", "other"),
        ("other", "other"),
    ],
)
def test_families_of_licenses(declared, expected):
    assert license_family(declared) == expected


# The measures, counted anew from what is published.
def counted_anew(study, split="license by owner"):
    attribute, _, kind = split.partition(" by ")
    return study.db.execute(
        "select * from held_out_prediction where attribute = ? and split = ?", [attribute, kind]
    ).df()


def assert_counted(study, subject):
    rows = counted_anew(study, subject)
    right = rows.declared == rows.predicted
    found = {
        one.measure: one for one in study.measures if (one.subject, one.twin) == (subject, "raw")
    }
    assert found["accuracy"].value == pytest.approx(right.mean())
    assert found["accuracy"].count == len(rows)
    assert found["coverage"].value == pytest.approx(rows.is_told.mean())
    if rows.is_told.any():
        assert found["accuracy_told"].value == pytest.approx(right[rows.is_told].mean())
    assert found["accuracy_majority"].value == pytest.approx(
        (rows.majority == rows.declared).mean()
    )
    vote = (rows.family_vote == rows.declared).mean()
    assert found["accuracy_family_vote"].value == pytest.approx(vote)
    assert found["gain_over_family_vote"].value == pytest.approx(right.mean() - vote)
    assert found["brier"].value == pytest.approx(
        brier_score_loss(right, rows.probability, pos_label=True)
    )
    assert found["ece"].value == pytest.approx(slow_ece(rows.probability, right))
    classes = next(
        one.classes
        for one in [*model_questions(study), relation_question(study)]
        if one.name == subject.split(" by ")[0]
    )
    for measure, column in (("macro_f1", "predicted"), ("macro_f1_family_vote", "family_vote")):
        labels = sorted(set(rows.declared) & set(classes))
        expected = f1_score(
            rows.declared, rows[column], labels=labels, average="macro", zero_division=0
        )
        assert found[measure].value == pytest.approx(expected)
    for one in ("accuracy", "coverage", "gain_over_family_vote", "brier"):
        assert found[one].low <= found[one].value <= found[one].high


def slow_ece(probability, right):
    bins = {}
    for said, is_right in zip(probability, right, strict=True):
        bins.setdefault(min(int(said * 15), 14), []).append((said, is_right))
    gaps = [abs(sum(r for _, r in one) - sum(p for p, _ in one)) for one in bins.values()]
    return sum(gaps) / len(probability)


def test_measures_are_those_of_the_published_predictions(drawn):
    for split in ("family", "owner", "time"):
        assert_counted(drawn, f"license by {split}")
    curve = [one for one in drawn.points if one.series == "coverage_accuracy"]
    for subject in {one.subject for one in curve}:
        last = max((one for one in curve if one.subject == subject), key=lambda one: one.x)
        assert last.x == 1
        assert last.y == pytest.approx(value(drawn, "accuracy", subject).value)
    bins = [one for one in drawn.points if one.series == "reliability"]
    for subject in {one.subject for one in bins}:
        rows = [one for one in bins if one.subject == subject]
        gap = sum(one.count * abs(one.y - one.x) for one in rows) / sum(one.count for one in rows)
        assert gap == pytest.approx(value(drawn, "ece", subject).value)


@pytest.fixture(scope="module")
def tried(drawn):
    questions = [one for one in model_questions(drawn) if one.name == "license"]
    return attempt(make_lessons(drawn, questions)[0][0], "owner", drawn.generator("a test"))


@given(st.integers(0, 1000), st.sampled_from([0.2, 1.0, 5.0]))
def test_calibration_is_that_of_a_slow_count(tried, seed, power):
    rng = np.random.default_rng(seed)
    count = len(tried.rows)
    made = replace(
        tried,
        probability=np.append(rng.random(count - 2) ** power, [0.0, 1.0]),
        value=rng.integers(0, 2, count),
        label=rng.integers(0, 3, count),
        is_told=rng.random(count) < 0.5,
    )
    study = Study(None, seed=seed)
    note_scores(study, made)
    right = made.value == made.label
    subject = "license by owner"
    assert value(study, "ece", subject).value == pytest.approx(slow_ece(made.probability, right))
    assert value(study, "brier", subject).value == pytest.approx(
        brier_score_loss(right, made.probability, pos_label=True)
    )
    assert value(study, "coverage", subject).value == pytest.approx(made.is_told.mean())
    expected = f1_score(
        made.label, made.value, labels=sorted({0, 1} & set(made.label)), average="macro"
    )
    assert value(study, "macro_f1", subject).value == pytest.approx(expected)


def evidence_votes(evidence):
    """Of "3 of 4 in its family; name x": {"in its family": (3, 4)}."""
    found = re.findall(
        r"(\d+) of (\d+) (parents|children|siblings|in its family|of its owner)", evidence
    )
    return {name: (int(some), int(all_)) for some, all_, name in found}


# The 2026 recording, against counts that share no code with us.
RECORDINGS = os.environ.get("HUBATLAS_RECORDINGS")
needs_recordings = pytest.mark.skipif(RECORDINGS is None, reason="HUBATLAS_RECORDINGS is unset")
LATER = "2026-09-01T00:00:00.000Z"
DONE_BETTER = ("pipeline_tag", "library_name", "license", "relation")


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    packed = (Path(RECORDINGS) / "hub_2026_08.jsonl.zst").read_bytes()
    content = zstandard.ZstdDecompressor().stream_reader(packed).read()
    home = RawHome(tmp_path_factory.mktemp("real"))
    records = [orjson.loads(line)["model"] for line in content.splitlines()]
    home.write(
        "model",
        *(answer(orjson.dumps([one]), facet="model", day=1, fetched_at=LATER) for one in records),
    )
    study = studied(home)
    predict(study)
    return study


@needs_recordings
def test_the_recording_is_counted_anew(real):
    for name in (*DONE_BETTER, "license_family"):
        for split in splits.SPLITS:
            assert_counted(real, f"{name} by {split}")


@needs_recordings
def test_the_recording_is_told_better_than_by_its_families(real):
    for name in DONE_BETTER:
        for split in splits.SPLITS:
            assert value(real, "gain_over_family_vote", f"{name} by {split}").low > 0
            assert value(real, "accuracy_told", f"{name} by {split}").high > 0.9
    for split in splits.SPLITS:
        assert value(real, "gain_over_family_vote", f"license_family by {split}").high > 0


@needs_recordings
def test_no_family_owner_or_time_of_the_recording_teaches_and_is_tested(real):
    for split, column in (("family", "family"), ("owner", "owner")):
        rows = real.db.execute(
            f"select attribute, count(*), count(distinct {column}) from held_out_prediction"
            " join node using (repo_id) where split = ? group by attribute",
            [split],
        ).fetchall()
        for name, count, groups in rows:
            question = next(
                one for one in [*model_questions(real), relation_question(real)] if one.name == name
            )
            declared = question.label != MISSING
            ours = getattr(question, column)[declared]
            tested = real.db.execute(
                f"select distinct node.{column} from held_out_prediction join node using (repo_id)"
                " where split = ? and attribute = ?",
                [split, name],
            ).fetchall()
            # All that is declared in a tested group is tested, so none of it taught.
            assert count == np.isin(ours, [one for (one,) in tested]).sum()
            assert groups == len(tested)


@needs_recordings
def test_only_those_that_lack_an_attribute_are_told_it(real):
    rows = real.db.execute("from attribute_prediction").df().set_index("repo_id")
    models = real.db.execute("from node").df().set_index("repo_id")
    told = rows.join(models.drop(columns=["node"]))
    for name in ("pipeline_tag", "library_name"):
        assert told[told.attribute == name][name].isna().all()
    for name in ("license", "license_family"):
        of_it = told[told.attribute == name]
        assert (of_it.license.isna() | (of_it.license == "unknown")).all()
    assert told.known.all()
    assert (told.probability > told.runner_up_probability).all()
    assert (told.value != told.runner_up).all()
    for name, of_it in told.groupby("attribute"):
        assert of_it.probability.min() == value(real, "threshold", name).value
        assert value(real, "told", name).value == len(of_it)
        assert value(real, "expected_accuracy", name).value >= 0.9


@needs_recordings
def test_votes_in_the_evidence_are_counted_anew(real):
    models = real.db.execute("from node").df()
    edges = real.db.execute("from kin").df()
    by_number = models.set_index("node")
    rows = real.db.execute(
        "select * from attribute_prediction join node using (repo_id)"
        " where attribute in ('pipeline_tag', 'library_name') order by repo_id, attribute"
    ).df()
    seen = Counter()
    for row in rows.sample(200, random_state=0).itertuples():
        value_of = by_number[row.attribute].dropna()
        common = value_of.value_counts()
        tellable = set(common[common >= 20].index)
        parent = by_number.primary_parent[row.node]
        groups = {
            "parents": edges[edges.child == row.node].parent,
            "children": edges[edges.parent == row.node].child,
            "siblings": models[models.primary_parent == parent].node,
            "in its family": models[models.family == row.family].node,
            "of its owner": models[models.owner == row.owner].node,
        }
        for name, (some, every) in evidence_votes(row.evidence).items():
            votes = value_of[value_of.index.isin(groups[name]) & (value_of.index != row.node)]
            assert some == (votes == row.value).sum()
            assert every == len(votes)
            assert row.value in tellable
            seen[name] += 1
    assert min(seen[name] for name in groups) > 0


@needs_recordings
@pytest.mark.parametrize("split", ["family", "time"])
def test_the_family_vote_of_the_recording_is_counted_anew(real, split):
    models = real.db.execute("select * from node order by node").df()
    rows = real.db.execute(
        "select * from held_out_prediction join node using (repo_id)"
        " where attribute = 'pipeline_tag' and split = ?",
        [split],
    ).df()
    common = models.pipeline_tag.value_counts()
    rank = {one: at for at, one in enumerate(sorted(common.index, key=lambda v: (-common[v], v)))}
    tellable = {one for one in common.index if common[one] >= 20}
    if split == "time":  # only those may vote that were made when it was taught
        declared = models[models.pipeline_tag.notna()].created_at.sort_values().tolist()
        first_untaught = declared[int(0.55 * len(declared))]
        assert rows.created_at.min() > first_untaught
        models = models[models.created_at < first_untaught]
    members = dict(iter(models.groupby("family")))
    for row in rows.sample(400, random_state=0).itertuples():
        its = members.get(row.family, models[:0])
        votes = Counter(its[(its.node != row.node)].pipeline_tag.dropna())
        votes = {one: n for one, n in votes.items() if one in tellable}
        best = min(votes, key=lambda one: (-votes[one], rank[one])) if votes else row.majority
        assert row.family_vote == best
        assert row.declared == row.pipeline_tag


@needs_recordings
def test_twins_of_the_recording_are_counted_anew(real):
    rows = real.db.execute(
        "select * from held_out_prediction join node using (repo_id)"
        " where attribute = 'library_name' and split = 'owner'"
    ).df()
    right = (rows.declared == rows.predicted).astype(float)
    weights = {
        "no_bulk": (~rows.is_bulk).astype(float),
        "dated": rows.is_dated.astype(float),
        "owner_capped": np.minimum(1, 10 / rows.groupby("owner").owner.transform("size")),
    }
    found = {
        one.twin: one.value
        for one in real.measures
        if (one.measure, one.subject) == ("accuracy", "library_name by owner")
    }
    for twin, weight in weights.items():
        assert found[twin] == pytest.approx((right * weight).sum() / weight.sum())
