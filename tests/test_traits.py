"""Traits, their mutation rates and transitions: a hub worked by hand."""

from __future__ import annotations

import math
from datetime import datetime

import numpy as np
import pytest
from known_hub import LLAMA, record
from raw_homes import RawHome
from trait_studies import number, rows, studied, told, value

from analysis.traits.numbers import weighted_quantile
from warehouse.read import open_warehouse

GENERATED = "This card was generated automatically by a script."
TEXT = {"pipeline_tag": "text-generation", "library_name": "transformers"}


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


def test_a_dtype_is_what_quantization_tags_or_parameters_say(tmp_path):
    home = RawHome(tmp_path)
    made = {"created": "2025-01-01", "downloads": 1}
    number_of = iter(range(2, 99))

    def child(name, bits=None, **fields):
        kinds = {"safetensors": {"parameters": bits, "total": 9}} if bits else {}
        bases = ("finetune:p/a",)
        return record(name, next(number_of), **made, bases=bases, **kinds, **fields)

    quantized = lambda **said: {"quantization_config": said}  # noqa: E731
    home.listing(
        record("p/a", 1, **made, safetensors={"parameters": {"BF16": 5, "F32": 9}, "total": 14}),
        child("c/same", {"F32": 9}),
        # a count that is none is not the most
        child("c/unread", {"BF16": 5, "F32": "many"}),
        # what a quantization says comes before what its numbers are packed into
        child("c/gptq", {"F32": 5}, config=quantized(bits=4, quant_method="gptq")),
        child("c/load", config=quantized(load_in_8bit=True)),
        child("c/method", config=quantized(quant_method="FP8")),
        # the fewest bits of two tags
        child("c/tags", {"F32": 9}, tags=("8-bit", "4bit")),
        # no such list, and packed numbers of unknown width
        child("c/list", [1]),
        child("c/packed", {"I32": 5, "F16": 2}),
    )
    for study in studied(home):
        assert number(study, "mutation_rate", "dtype").count == 6
        assert value(study, "mutation_rate", "dtype") == 5 / 6
        assert value(study, "reported_share", "dtype") == 6 / 8
        sql = (
            "select child_value, traffic from trait_transition where trait = 'dtype'"
            " and twin = 'raw' and parent_value = 'f32' order by child_value"
        )
        assert rows(study, sql) == [
            *(("4-bit", 2), ("8-bit", 1), ("bf16", 1)),
            *(("f32", 1), ("fp8", 1)),
        ]


def test_an_architecture_is_the_model_type_or_else_the_first_named(tmp_path):
    home = RawHome(tmp_path)
    made, child = {"created": "2025-01-01", "downloads": 1}, {"bases": ("finetune:p/a",)}
    unnamed = {"model_type": " ", "architectures": ["LlamaForCausalLM", "Another"]}
    home.listing(
        record("p/a", 1, **made, **LLAMA),
        record("c/same", 2, **made, **child, config={"model_type": "llama"}),
        record("c/first", 3, **made, **child, config=unnamed),
        record("c/none", 4, **made, **child),
    )
    for study in studied(home):
        assert value(study, "mutation_rate", "architecture") == 1 / 2
        assert value(study, "reported_share", "architecture") == 2 / 3
        order = "select value from drift_order where trait = 'architecture' and twin = 'raw'"
        assert rows(study, f"{order} order by position") == [("llama",), ("LlamaForCausalLM",)]


def test_a_parent_is_looked_up_by_what_it_is_and_not_by_its_name(tmp_path):
    home = RawHome(tmp_path)
    old, child = {"created": "2025-01-01", "downloads": 1}, {"created": "2026-01-05"}
    home.listing(
        record("p/old", 1, **old, license="mit"), record("p/x", 2, **old, license="mit"), day=1
    )
    home.listing(
        # renamed since
        record("p/new", 1, **old, license="gpl-3.0"),
        record("r/k", 3, **child, downloads=1, bases=("finetune:p/new",), license="mit"),
        # another repo has the name now, and was never looked at before its child was made
        record("p/x", 9, **old, license="gpl-3.0"),
        record("r/x", 4, **child, downloads=1, bases=("finetune:p/x",), license="gpl-3.0"),
        day=20,
    )
    for study in studied(home):
        assert number(study, "mutation_rate", "license").count == 2
        assert value(study, "mutation_rate", "license") == 0
        assert value(study, "parent_observed_share", "license") == 1 / 2
        assert number(study, "mutation_rate_observed", "license").count == 1
        assert rows(
            study,
            "select parent_value, child_value, observed_count from trait_transition"
            " where trait = 'license' and twin = 'raw' order by 1",
        ) == [("gpl-3.0", "gpl-3.0", 0), ("mit", "mit", 1)]


def test_as_of_a_time_traits_are_as_they_were_then(tmp_path):
    home = RawHome(tmp_path)
    old = {"created": "2025-01-01", "downloads": 1}
    made, child = "2025-12-20", {"downloads": 1, "bases": ("finetune:p/x",)}
    k = record("r/k", 2, made, **child, license="gpl-3.0")
    m = record("r/m", 3, "2026-01-05", **child, license="apache-2.0")
    home.listing(record("p/x", 1, **old, license="mit"), k, day=2)
    home.listing(record("p/x", 1, **old, license="gpl-3.0"), k, m, day=10)
    home.listing(record("p/x", 1, **old, license="apache-2.0"), k, m, day=20)
    home.built().close()
    expected = {
        1: (0, None, None),
        # of the parent nothing is known but what the first look says: k changed it
        5: (1, 1, 0),
        # k has the licence that its parent has by then; m left the one that its parent had first
        15: (2, 1 / 2, 1 / 2),
        # the parent's newest licence is neither k's nor what it had when m was made
        25: (2, 1, 1 / 2),
    }
    with open_warehouse(home.folder) as db:
        for day, told_of in expected.items():
            study = told(db, as_of=datetime(2026, 1, day))
            found = number(study, "mutation_rate", "license")
            observed = value(study, "parent_observed_share", "license")
            assert (found.count, found.value, observed) == told_of
            reported = number(study, "reported_share", "license")
            assert (reported.value, reported.reason) == (
                (1, None) if found.count else (None, "no edges")
            )


def test_twins_weigh_a_bulk_uploader_by_its_kind(tmp_path):
    """A mill makes a hundred of mit from apache in a day; ann does the same once, bob keeps it."""
    home = RawHome(tmp_path)
    child = {"downloads": 1, "bases": ("finetune:p/a",)}
    mill = [
        record(f"mill/m{at}", 10 + at, "2025-02-01", **child, license="mit") for at in range(100)
    ]
    home.listing(
        record("p/a", 1, "2025-01-01", 1, license="apache-2.0"),
        record("ann/x", 2, "2025-03-01", **child, license="mit"),
        record("bob/y", 3, "2021-03-01", **child, license="apache-2.0"),
        *mill,
    )
    for study in studied(home):
        found = {
            one.twin: (one.value, one.count)
            for one in study.measures
            if (one.measure, one.subject) == ("mutation_rate", "license")
        }
        assert found == {
            "raw": (pytest.approx(101 / 102), 102),
            "owner_capped": (pytest.approx(11 / 12), 102),
            "no_bulk": (1 / 2, 2),
            "dated": (1, 101),
        }
        told_of = rows(
            study,
            "select twin, child_value, traffic, share, edge_count, owner_count"
            " from trait_transition where trait = 'license' order by twin, child_value",
        )
        assert [(*row[:2], *map(pytest.approx, row[2:])) for row in told_of] == [
            ("dated", "mit", 101, 1, 101, 2),
            ("no_bulk", "apache-2.0", 1, 1 / 2, 1, 1),
            ("no_bulk", "mit", 1, 1 / 2, 1, 1),
            ("owner_capped", "apache-2.0", 1, 1 / 12, 1, 1),
            ("owner_capped", "mit", 11, 11 / 12, 101, 2),
            ("raw", "apache-2.0", 1, 1 / 102, 1, 1),
            ("raw", "mit", 101, 101 / 102, 101, 2),
            ("study_counting", "apache-2.0", 1, 1 / 203, 1, 1),
            ("study_counting", "mit", 202, 202 / 203, 101, 2),
        ]
