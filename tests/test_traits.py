"""Traits, their mutation rates and transitions: a hub worked by hand, and a slow second opinion."""

from __future__ import annotations

import math
import os
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import orjson
import pytest
import zstandard
from known_hub import record
from raw_homes import RawHome, answer

from analysis.study.frame import lay_out
from analysis.study.measures import Study
from analysis.traits.drift import drift
from analysis.traits.mutation import traits
from analysis.traits.numbers import weighted_quantile
from analysis.traits.values import SAYS_GENERATED, UNSTATED, read_table
from warehouse.read import open_warehouse

RECORDINGS = os.environ.get("HUBATLAS_RECORDINGS")
needs_recordings = pytest.mark.skipif(RECORDINGS is None, reason="HUBATLAS_RECORDINGS is unset")
GENERATED = "This card was generated automatically by a script."
TEXT = {"pipeline_tag": "text-generation", "library_name": "transformers"}


def told(db):
    study = Study(db.cursor())
    lay_out(study)
    traits(study)
    drift(study)
    return study


def studied(home):
    home.built().close()
    with open_warehouse(home.folder) as db:
        yield told(db)


def number(study, measure, subject="", twin="raw"):
    (found,) = [
        one
        for one in study.measures
        if (one.measure, one.subject, one.twin) == (measure, subject, twin)
    ]
    return found


def value(study, measure, subject="", twin="raw"):
    return number(study, measure, subject, twin).value


def rows(study, sql):
    return study.db.execute(sql).fetchall()


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """Six edges from three parents; what each changes is said beside it."""
    home = RawHome(tmp_path_factory.mktemp("traits"))
    base = {"created": "2025-01-01", "downloads": 1}
    own_tags = ("region:us", "alpha", "transformers", "endpoints_compatible", "text-generation")
    child = {"created": "2025-02-01", "downloads": 1}
    home.listing(
        record("p/a", 1, **base, license="mit", total=1_000, tags=own_tags, **TEXT)
        | {"cardData": {"language": ["en", "FR"]}},
        record("p/b", 2, **base, license="apache-2.0") | {"cardData": {"language": "en"}},
        record("p/o", 3, **base, license="other"),
        # licence changes, loses a language, same task, half the parameters, gains a tag
        record("o/c1", 4, **child, bases=("finetune:p/a",), license="apache-2.0", total=500)
        | {**TEXT, "cardData": {"language": ["en"]}, "tags": _tags("p/a", "alpha", "beta")},
        # two languages for two others, another task, four times the parameters, another tag
        record("o/c2", 5, **child, bases=("adapter:p/a",), license="mit", total=4_000)
        | {
            "pipeline_tag": "summarization",
            "cardData": {"language": ["de", "es"]},
            "tags": ["base_model:adapter:p/a", "license:mit", "beta"],
        },
        # the same licence as another's, spelled otherwise; no language
        record("o/c3", 6, **child, bases=("quantized:p/b",), license="MIT"),
        # states no licence
        record("q/c4", 7, **child, bases=("finetune:p/b",), license="unknown"),
        record("q/c5", 8, **child, bases=("finetune:p/o",), license="mit"),
        record("q/c6", 9, **child, bases=("finetune:p/a",), license="apache-2.0"),
    )
    home.answer("card", "p/a", b"plain text")
    home.answer("card", "o/c1", GENERATED.encode())
    home.answer("card", "o/c2", b"ab")
    home.failed("card", "o/c3", 404, "gone")
    yield from studied(home)


def _tags(parent, *more):
    return [f"base_model:finetune:{parent}", "license:apache-2.0", "transformers", *more]


def test_a_mutation_rate_is_the_mean_distance_where_both_ends_report(hub):
    # mit→apache, mit→mit, apache→mit, other→mit, mit→apache; c4 reports none
    assert value(hub, "mutation_rate", "license") == 4 / 5
    assert number(hub, "mutation_rate", "license").count == 5
    assert value(hub, "mutation_rate_named", "license") == 3 / 4
    assert value(hub, "mutation_rate", "license, finetune") == 1
    assert value(hub, "mutation_rate", "license, adapter") == 0
    assert value(hub, "reported_share", "license") == 5 / 6
    assert value(hub, "mutation_rate", "task") == 1 / 2
    assert value(hub, "mutation_rate", "language") == (1 / 2 + 1) / 2
    assert value(hub, "changed_share", "language") == 1
    assert value(hub, "reported_share", "language") == 2 / 6


def test_what_cannot_be_told_says_why(hub):
    merged = number(hub, "mutation_rate", "license, merge")
    assert (merged.value, merged.reason) == (None, "no edge has the trait at both ends")
    dataset = number(hub, "mutation_rate", "dataset")
    assert (dataset.value, dataset.count) == (None, 0)
    assert value(hub, "parent_observed_share", "license") == 0
    reason = number(hub, "mutation_rate_observed", "license").reason
    assert reason == "no parent was looked at before its child was made"


def test_a_free_tag_is_none_that_another_trait_holds(hub):
    # alpha → alpha, beta; alpha → beta
    assert value(hub, "mutation_rate", "tag") == (1 / 2 + 1) / 2
    found = rows(
        hub, "select distinct parent_value, child_value from trait_transition where trait = 'tag'"
    )
    assert found == [("alpha", "beta")]


def test_numbers_are_told_as_ratios_and_lengths(hub):
    assert value(hub, "parameter_log2_ratio") == (-1 + 2) / 2
    assert value(hub, "parameter_log2_ratio", "adapter") == 2
    assert value(hub, "parameter_changed_share") == 1
    assert value(hub, "card_length_parent_mean") == 10
    assert value(hub, "card_length_child_mean") == (len(GENERATED) + 2) / 2
    assert value(hub, "card_length_child_median") == 2
    assert value(hub, "card_length_parent_median") == 10
    expected = (math.log2(len(GENERATED) / 10) + math.log2(2 / 10)) / 2
    assert value(hub, "card_length_log2_ratio") == pytest.approx(expected)
    assert value(hub, "generated_share_parent") == 0
    assert value(hub, "generated_share_child") == value(hub, "generated_rise") == 1 / 2
    assert value(hub, "card_share") == 3 / 4


def test_an_edge_weighs_one_at_most_in_traffic(hub):
    sql = """select parent_value, child_value, traffic, edge_count, owner_count
        from trait_transition where trait = '{}' and twin = '{}'
        order by parent_value, child_value"""
    assert rows(hub, sql.format("license", "raw")) == [
        ("apache-2.0", "mit", 1, 1, 1),
        ("mit", "apache-2.0", 2, 2, 2),
        ("mit", "mit", 1, 1, 1),
        ("other", "mit", 1, 1, 1),
    ]
    # a single value that changed counts twice in the study
    assert [row[2] for row in rows(hub, sql.format("license", "study_counting"))] == [2, 4, 1, 2]
    pairs = [(a, b) for a in ("en", "fr") for b in ("de", "es")]
    assert rows(hub, sql.format("language", "raw")) == [(*pair, 0.25, 1, 1) for pair in pairs]
    assert [row[2] for row in rows(hub, sql.format("language", "study_counting"))] == [1, 1, 1, 1]
    share = rows(
        hub,
        "select share from trait_transition where trait = 'license' and twin = 'raw'"
        " and parent_value = 'mit' and child_value = 'apache-2.0'",
    )
    assert share == [(2 / 3,)]


def test_the_order_of_two_licences(hub):
    order = rows(
        hub,
        "select position, value, forward_traffic, backward_traffic, sent, received,"
        " method, gap from drift_order where trait = 'license' and twin = 'raw'",
    )
    assert order == [
        (1, "mit", 2, 1, 2, 1, "exact", 0),
        (2, "apache-2.0", 2, 1, 1, 2, "exact", 0),
    ]
    assert value(hub, "forward_share", "license") == pytest.approx(2 / 3)
    assert value(hub, "traffic_pairs", "license") == value(hub, "consistent_pairs", "license") == 1
    # o changed one each way, so that q alone decides the net traffic, whichever way its coin falls
    assert value(hub, "forward_p", "license") == 1
    assert rows(
        hub,
        "select from_value, to_value, traffic_forward, traffic_back, is_consistent,"
        " p_value, q_value from drift_pair where trait = 'license' and twin = 'raw'",
    ) == [("mit", "apache-2.0", 2, 1, True, 1, 1)]
    assert value(hub, "published_order_share", "license") == pytest.approx(1 / 3)
    assert value(hub, "published_order_share_reversed", "license") == pytest.approx(2 / 3)
    assert number(hub, "published_order_tau", "license").reason.startswith("fewer than three")
    assert number(hub, "forward_share", "dataset").value is None


def test_the_parent_is_as_it_was_when_the_child_was_made(tmp_path):
    home = RawHome(tmp_path)
    old = {"created": "2025-01-01", "downloads": 1}
    home.listing(record("p/x", 1, **old, license="mit"), record("p/n", 2, **old), day=1)
    home.listing(
        record("p/x", 1, **old, license="gpl-3.0"),
        record("p/n", 2, **old, license="mit"),
        record("r/k", 3, "2026-01-05", 1, bases=("finetune:p/x",), license="mit"),
        record("r/j", 4, "2025-12-05", 1, bases=("finetune:p/x",), license="mit"),
        # its parent declared none then
        record("r/n", 5, "2026-01-05", 1, bases=("finetune:p/n",), license="mit"),
        day=20,
    )
    for study in studied(home):
        assert number(study, "mutation_rate", "license").count == 2
        assert value(study, "mutation_rate", "license") == 1 / 2
        assert value(study, "parent_observed_share", "license") == 1 / 2
        assert value(study, "mutation_rate_observed", "license") == 0
        told_of = rows(
            study,
            "select parent_value, observed_count from trait_transition"
            " where trait = 'license' and twin = 'raw' order by 1",
        )
        assert told_of == [("gpl-3.0", 0), ("mit", 1)]


def test_hostile_and_empty_values(tmp_path):
    home = RawHome(tmp_path)
    long, markup = "x" * 500, "<script>alert(1)</script>"
    home.listing(
        record("p/a", 1, "2025-01-01", 1, license=markup),
        record("c/1", 2, "2025-01-01", 1, bases=("finetune:p/a",), license=long),
        record("c/2", 3, "2025-01-01", 1, bases=("finetune:p/a",), license="   "),
        record("c/3", 4, "2025-01-01", 1, bases=("finetune:ghost/x",), license="mit"),
        record("c/4", 5, "2025-01-01", 1, bases=("finetune:c/5",), license="mit"),
        record("c/5", 6, "2025-01-01", 1, bases=("finetune:c/4",), license="['mit', 'gpl']"),
    )
    for study in studied(home):
        found = rows(
            study,
            "select parent_value, child_value from trait_transition"
            " where trait = 'license' and twin = 'raw' order by all",
        )
        assert found == [(markup, "x" * 200), ("['mit', 'gpl']", "mit"), ("mit", "['mit', 'gpl']")]


def test_a_hub_without_edges_has_a_reason_for_each_number(tmp_path):
    home = RawHome(tmp_path)
    home.listing(record("p/a", 1, "2025-01-01", 1, license="mit"))
    for study in studied(home):
        assert all(one.value is None or one.count == 0 for one in study.measures)
        assert rows(study, "select count(*) from trait_transition") == [(0,)]
        assert rows(study, "select count(*) from drift_order") == [(0,)]


def test_a_weighted_median_is_the_least_value_that_half_does_not_exceed():
    values = np.array([5.0, 1.0, 3.0, 9.0])
    assert weighted_quantile(values, np.ones(4), 0.5) == 3
    assert weighted_quantile(values, np.array([0.0, 1, 1, 5]), 0.5) == 9
    assert weighted_quantile(values, np.array([0.1, 0.1, 0.1, 0.0]), 1.0) == 5


# --- a second opinion on the 2026 recording, in plain Python ---


def replayed(folder, name, models=None):
    """A home of a recording's records, its first so many, as one listing would have given them."""
    packed = (Path(RECORDINGS or "") / name).read_bytes()
    content = zstandard.ZstdDecompressor().stream_reader(packed).read()
    lines = [orjson.loads(line) for line in content.splitlines()[:models]]
    home = RawHome(folder)
    home.listing(*(line["model"] for line in lines))
    cards = [line for line in lines if line["card"] is not None]
    home.write(
        "card",
        *(
            answer(line["card"].encode(), day=2, facet="card", repo_id=line["model"]["id"])
            for line in cards
        ),
    )
    return home


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    yield from studied(replayed(tmp_path_factory.mktemp("recorded"), "hub_2026_08.jsonl.zst"))


class Slow:
    """Traits of models as Python sets, read row by row; edges as tuples."""

    def __init__(self, study):
        ask = study.db.execute
        self.edges = ask(
            "select child_id, parent_id, relation from main.base_model_edge"
        ).fetchall()
        models = ask(
            "select repo_id, author, license, pipeline_tag, library_name, parameter_count,"
            " created_at, model_type, architecture from main.model"
        ).fetchall()
        bulk = {name for (name,) in ask("select owner from bulk_uploader").fetchall()}
        self.owner = {row[0]: row[1] or row[0] for row in models}
        self.is_bulk = {name: owner in bulk for name, owner in self.owner.items()}
        self.is_dated = {
            r[0]: r[6] is not None and r[6].isoformat() >= "2022-03-03" for r in models
        }
        self.parameters = {row[0]: row[5] for row in models if row[5]}
        clean = {r[0]: [(one or "").strip().lower() for one in r[2:5]] for r in models}
        self.traits = {
            "license": {n: {c[0]} - {"", *UNSTATED} for n, c in clean.items()},
            "task": {n: {c[1]} - {""} for n, c in clean.items()},
            "library": {n: {c[2]} - {""} for n, c in clean.items()},
            "size_class": {n: {_size(count)} for n, count in self.parameters.items()},
            "language": defaultdict(set),
            "dataset": defaultdict(set),
            "region": defaultdict(set),
            "tag": defaultdict(set),
        }
        for name, said in ask("select repo_id, language from main.model_language").fetchall():
            self.traits["language"][name].add(said.lower())
        for name, said in ask("select repo_id, dataset_id from main.model_dataset").fetchall():
            self.traits["dataset"][name].add(said)
        automatic = set(read_table("auto_tags")["tag"].to_pylist())
        bits = set(read_table("dtype_tags")["spelling"].to_pylist())
        spoken = defaultdict(set)
        for name, said in ask("select repo_id, language from main.model_language").fetchall():
            spoken[name].add(said)
        own = {r[0]: {(one or "").lower() for one in (*r[2:5], r[7], r[8])} for r in models}
        for name, kind, said in ask(
            "select repo_id, kind, tag_value from main.model_tag"
        ).fetchall():
            if kind == "region":
                self.traits["region"][name].add(said)
            elif kind is None and not (
                said in automatic
                or said in spoken[name]
                or said.lower() in own[name] | bits
                or not said.strip(" ")
            ):
                self.traits["tag"][name].add(said.strip(" ")[:200])

    def compared(self, trait):
        held = self.traits[trait]
        for child, parent, relation in self.edges:
            ends = held.get(parent, set()), held.get(child, set())
            if all(ends):
                yield child, relation, *ends

    def weights(self, children):
        rows = Counter(self.owner[child] for child in children)
        return {
            "raw": [1.0 for _ in children],
            "owner_capped": [min(1, 10 / rows[self.owner[child]]) for child in children],
            "no_bulk": [float(not self.is_bulk[child]) for child in children],
            "dated": [float(self.is_dated[child]) for child in children],
        }


def _size(count):
    for limit, name in ((1e8, "under 0.1B"), (1e9, "0.1B to 1B"), (3e9, "1B to 3B")):
        if count < limit:
            return name
    for limit, name in ((8e9, "3B to 8B"), (1.5e10, "8B to 15B"), (3.5e10, "15B to 35B")):
        if count < limit:
            return name
    return "35B to 100B" if count < 1e11 else "100B and over"


@needs_recordings
def test_rates_are_those_of_a_slow_second_opinion(recorded):
    slow = Slow(recorded)
    for trait in slow.traits:
        edges = list(slow.compared(trait))
        for twin, weights in slow.weights([edge[0] for edge in edges]).items():
            for group in ("", "finetune", "adapter", "quantized", "merge"):
                top = bottom = 0.0
                for (_, relation, before, after), weight in zip(edges, weights, strict=True):
                    if group in ("", relation):
                        top += weight * (1 - len(before & after) / len(before | after))
                        bottom += weight
                found = number(
                    recorded, "mutation_rate", f"{trait}, {group}" if group else trait, twin
                )
                assert (found.value is None) == (bottom == 0), (trait, twin, group)
                if bottom:
                    assert found.value == pytest.approx(top / bottom), (trait, twin, group)
                if found.low is not None:
                    assert found.low <= found.value <= found.high


@needs_recordings
def test_transitions_are_those_of_a_slow_second_opinion(recorded):
    slow = Slow(recorded)
    for trait in ("license", "task", "library", "size_class", "language", "tag"):
        edges = list(slow.compared(trait))
        expected = {
            twin: defaultdict(float) for twin in ("raw", "owner_capped", "no_bulk", "dated")
        }
        for twin, weights in slow.weights([edge[0] for edge in edges]).items():
            for (_, _, before, after), weight in zip(edges, weights, strict=True):
                lost, gained = before - after, after - before
                for gone in lost:
                    for come in gained:
                        expected[twin][gone, come] += weight / (len(lost) * len(gained))
        found = rows(
            recorded,
            "select twin, parent_value, child_value, traffic from trait_transition"
            f" where trait = '{trait}' and parent_value <> child_value"
            " and twin <> 'study_counting'",
        )
        assert found
        for twin, gone, come, traffic in found:
            assert traffic == pytest.approx(expected[twin][gone, come]), (trait, twin, gone, come)
        if trait in ("license", "task", "size_class"):  # all their values are told
            raw = sum(traffic for twin, *_, traffic in found if twin == "raw")
            assert raw == pytest.approx(sum(expected["raw"].values()))


@needs_recordings
def test_orders_and_pairs_are_those_of_a_slow_second_opinion(recorded):
    for trait in ("license", "task", "library", "language"):
        traffic = {
            (a, b): w
            for a, b, w in rows(
                recorded,
                "select parent_value, child_value, traffic from trait_transition"
                f" where trait = '{trait}' and twin = 'raw' and parent_value <> child_value",
            )
            if not (trait == "license" and "other" in (a, b))
        }
        busy = Counter()
        for (a, b), w in traffic.items():
            busy[a] += w
            busy[b] += w
        expected = sorted(busy, key=lambda name: (-round(busy[name], 9), name))[:20]
        order = [
            v
            for (v,) in rows(
                recorded,
                f"select value from drift_order where trait = '{trait}' and twin = 'raw'"
                " order by position",
            )
        ]
        assert sorted(order) == sorted(expected)
        inner = {pair: w for pair, w in traffic.items() if set(pair) <= set(order)}
        place = {name: at for at, name in enumerate(order)}
        forward = sum(w for (a, b), w in inner.items() if place[a] < place[b])
        found = value(recorded, "forward_share", trait)
        assert found == pytest.approx(forward / sum(inner.values()))
        net = {p: w - inner.get(p[::-1], 0) for p, w in inner.items()}
        ahead = [pair for pair, w in net.items() if w > 1e-9]
        assert value(recorded, "traffic_pairs", trait) == len(ahead)
        consistent = sum(place[a] < place[b] for a, b in ahead)
        assert value(recorded, "consistent_pairs", trait) == consistent


@needs_recordings
def test_parameters_are_those_of_a_slow_second_opinion(recorded):
    slow = Slow(recorded)
    ratios = [
        math.log2(slow.parameters[child] / slow.parameters[parent])
        for child, parent, _ in slow.edges
        if child in slow.parameters and parent in slow.parameters
    ]
    assert value(recorded, "parameter_log2_ratio") == pytest.approx(sum(ratios) / len(ratios))
    changed = sum(ratio != 0 for ratio in ratios) / len(ratios)
    assert value(recorded, "parameter_changed_share") == pytest.approx(changed, abs=1e-3)


@needs_recordings
def test_cards_of_the_recording_of_2022(tmp_path_factory):
    home = replayed(tmp_path_factory.mktemp("cards"), "hub_2022_02.jsonl.zst")
    for study in studied(home):
        cards = dict(rows(study, "select repo_id, text from main.card"))
        edges = rows(study, "select child_id, parent_id from main.base_model_edge")
    both = [(cards[c], cards[p]) for c, p in edges if c in cards and p in cards]
    says = [[any(s in text for s in SAYS_GENERATED) for text in pair] for pair in both]
    assert number(study, "generated_rise").count == len(both) > 100
    assert value(study, "generated_share_child") == pytest.approx(np.mean([s[0] for s in says]))
    assert value(study, "generated_share_parent") == pytest.approx(np.mean([s[1] for s in says]))
    lengths = np.array([[len(text) for text in pair] for pair in both])
    assert value(study, "card_length_child_mean") == pytest.approx(lengths[:, 0].mean())
    assert value(study, "card_length_parent_mean") == pytest.approx(lengths[:, 1].mean())
    middle = np.percentile(lengths[:, 1], 50, method="inverted_cdf")
    assert value(study, "card_length_parent_median") == middle
