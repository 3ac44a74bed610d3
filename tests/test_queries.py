"""The library of named queries: what each answers of a hub of which everything is known."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from known_hub import SHA256, known_hub
from raw_homes import RawHome

from warehouse.query_library import ParamRefused, UnknownQuery, ask, query_names, read_query

ROOT = Path(__file__).parent.parent
COMMAND = str(Path(sys.executable).parent / "hubatlas")
QUERIES = [read_query(name) for name in query_names()]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    made = known_hub(tmp_path_factory.mktemp("known"))
    made.built().close()
    return made.folder


@pytest.fixture(scope="module")
def hub(home):
    with duckdb.connect(home / "warehouse.duckdb", read_only=True) as db:
        yield db


@pytest.fixture(scope="module")
def turned_hub(home):
    """The same relations with their rows in another order."""
    with duckdb.connect() as db:
        db.execute(f"attach '{home / 'warehouse.duckdb'}' as told (read_only)")
        for (name,) in db.execute(
            "select table_name from information_schema.tables"
            " where table_catalog = 'told' and table_schema = 'main'"
        ).fetchall():
            db.execute(f"create table {name} as from told.{name} as row order by md5(row::varchar)")
        yield db


@pytest.fixture(scope="module")
def bare_hub(tmp_path_factory):
    home = RawHome(tmp_path_factory.mktemp("bare"))
    home.listing({"id": "o/m"})
    with home.built() as db:
        yield db


def answer(db, name, **given):
    return [tuple(map(plain, row)) for row in ask(db, name, given).fetchall()]


def plain(value):
    if isinstance(value, float):
        return round(value, 6)
    return str(value) if hasattr(value, "isoformat") else value


def by_name(query):
    return query.name


BIG = 7_000_000_000
OTHER_SHA256 = "e" * 64
GAINED = [
    ("big/base", 4000, 50000, "2026-01-01 03:04:05", "2026-01-20 03:04:05"),
    ("abe/small", 1000, 15000, "2026-01-01 03:04:05", "2026-01-20 03:04:05"),
    ("big/new", 300, 20000, "2026-01-01 03:04:05", "2026-01-20 03:04:05"),
    ("quant/gguf", 200, 9000, "2026-01-01 03:04:05", "2026-01-20 03:04:05"),
]
RELICENSED = [
    ("kid/z3", "mit", "big/base", "apache-2.0", "quantized", 400),
    ("ada/one", "mit", "big/base", "apache-2.0", "finetune", 300),
    ("zed/three", "mit", "big/base", "apache-2.0", "finetune", 250),
    ("ada/closed", "cc-by-nc-4.0", "big/base", "apache-2.0", "finetune", 150),
    ("kid/orphan", "mit", "lost/parent", "gpl-3.0", "finetune", 40),
    ("ada/more", "mit", "big/base", "apache-2.0", "finetune", 1),
]
CANDIDATES = [
    ("ada/one", "zed/three", "big/base", "LlamaForCausalLM", BIG, "mit", "mit", 300, 250),
    ("ada/one", "bob/two", "big/base", "LlamaForCausalLM", BIG, "mit", "apache-2.0", 300, 200),
    ("bob/two", "zed/three", "big/base", "LlamaForCausalLM", BIG, "apache-2.0", "mit", 200, 250),
]
PICKLED = [("big/new", 2, 2000), ("abe/small", 1, 1500)]
DOUBLES = [
    (SHA256, 200000000, 3, 2, 400000000, "ada/one"),
    (OTHER_SHA256, 150000000, 2, 2, 150000000, "kid/z1"),
]
UNQUANTIZED = [
    ("ada/one", 300, BIG, "mit"),
    ("zed/three", 250, BIG, "mit"),
    ("ada/closed", 150, BIG, "cc-by-nc-4.0"),
]
SHY = [("2026-01-01 03:04:05", "shy/late", 8, 80, 17, None)]
KNOWN: list[tuple[str, dict[str, str], list[tuple[Any, ...]]]] = [
    (
        "bases_in_card_text_only",
        {},
        [("eve/prose", "big/base", "finetune", 5), ("ada/more", "big/ghost", "finetune", 1)],
    ),
    (
        "card_length_by_relation",
        {},
        [("finetune", 4, 71.0, 71.7), ("none declared", 1, 23.0, 23.0), ("several", 1, 12.0, 12.0)],
    ),
    (
        "cards_by_month",
        {},
        [
            ("2022-03-01", 1, 0, 0.0, 0.0),
            ("2023-01-01", 1, 0, 0.0, 0.0),
            ("2024-01-01", 1, 0, 0.0, 0.0),
            ("2025-09-01", 4, 0, 0.0, 0.0),
            ("2025-10-01", 7, 1, 0.142857, 0.142857),
            ("2025-11-01", 15, 4, 0.266667, 0.0),
            ("2025-12-01", 6, 1, 0.166667, 0.0),
            ("2026-01-01", 5, 0, 0.0, 0.0),
        ],
    ),
    ("commit_cadence", {}, [("transformers", 2, 2.0, 2.0), ("diffusers", 1, 1.0, None)]),
    (
        "contradictory_evidence",
        {},
        [
            ("ada/torn", "zed/ghost", ["card_data: merge", "tag: adapter"]),
            ("eve/torn", "ada/one", ["card_data: adapter", "tag: finetune"]),
        ],
    ),
    (
        "crawl_costs",
        {},
        [
            (2, "2026-01-20 00:00:00", "complete", 150, 30, 2, 14, 9),
            (1, "2026-01-20 00:00:00", "complete", 90, 30, 1, 14, 9),
        ],
    ),
    (
        "crawl_freshness",
        {},
        [("1: up to a day", 35, 0.972222, 0.999262), ("3: up to 30 days", 1, 0.027778, 0.000738)],
    ),
    (
        "declared_bases_by_month",
        {},
        [
            ("2022-03-01", 1, 0, 0.0),
            ("2023-01-01", 1, 1, 1.0),
            ("2024-01-01", 1, 0, 0.0),
            ("2025-09-01", 4, 0, 0.0),
            ("2025-10-01", 7, 6, 0.857143),
            ("2025-11-01", 15, 15, 1.0),
            ("2025-12-01", 6, 6, 1.0),
            ("2026-01-01", 5, 4, 0.8),
        ],
    ),
    (
        "deepest_lineages",
        {},
        [
            ("zed/deep", 3, 3, "eve/merge", "big/base"),
            ("eve/m2", 3, 1, "big/base", "big/base"),
            ("eve/m3", 3, 1, "big/base", "big/base"),
            ("eve/adapter", 2, 2, "ada/one", "big/base"),
            ("eve/merge", 2, 2, "ada/one", "big/base"),
            ("eve/torn", 2, 2, "ada/one", "big/base"),
            ("kid/z6", 2, 2, "bob/two", "big/base"),
            ("abe/orphan", 1, 1, "lost/parent", "lost/parent"),
            ("ada/closed", 1, 1, "big/base", "big/base"),
            ("ada/more", 1, 1, "big/base", "big/base"),
            ("ada/one", 1, 1, "big/base", "big/base"),
            ("ada/torn", 1, 1, "zed/ghost", "zed/ghost"),
            ("bob/two", 1, 1, "big/base", "big/base"),
            ("eve/prose", 1, 1, "big/base", "big/base"),
            ("kid/both", 1, 1, "abe/small", "abe/small"),
            ("kid/ghostly", 1, 1, "gone/ghost", "gone/ghost"),
            ("kid/new", 1, 1, "abe/small", "abe/small"),
            ("kid/orphan", 1, 1, "lost/parent", "lost/parent"),
            ("kid/shut", 1, 1, "shut/parent", "shut/parent"),
            ("kid/z1", 1, 1, "zed/ghost", "zed/ghost"),
        ],
    ),
    ("discussions_by_month", {}, [("2026-01-01", 2, 1, 1, 0.5)]),
    ("downloads_gained", {}, GAINED),
    ("duplicate_files", {}, DOUBLES),
    (
        "families_by_downloads_gained",
        {},
        [("big/base", 4200, 2), ("abe/small", 1000, 1), ("big/new", 300, 1)],
    ),
    ("fastest_growing_families", {}, [("big/base", 3, 18, 0.166667), ("abe/small", 1, 5, 0.2)]),
    (
        "formats_by_month",
        {},
        [
            ("2022-03-01", 1, 0.0, 0.0, 1.0),
            ("2023-01-01", 1, 0.0, 0.0, 1.0),
            ("2024-01-01", 1, 0.0, 0.0, 1.0),
            ("2025-10-01", 7, 0.428571, 0.142857, 0.571429),
            ("2025-12-01", 1, 1.0, 0.0, 0.0),
        ],
    ),
    (
        "ghosts",
        {},
        [
            ("zed/ghost", 4, "ada/torn"),
            ("big/ghost", 1, "ada/more"),
            ("gone/ghost", 1, "kid/ghostly"),
        ],
    ),
    (
        "gone_by_month",
        {},
        [
            ("2026-01-01", "disabled", 1, 90, 139.0),
            ("2026-01-01", "gated", 1, 60, 137.0),
            ("2026-01-01", "gone", 2, 5070, 627.0),
        ],
    ),
    ("language_distribution", {}, [("fr", 2), ("de", 1)]),
    (
        "largest_families",
        {},
        [
            ("big/base", 18, 17, 20, 3, 12246),
            ("abe/small", 5, 5, 5, 1, 1505),
            ("zed/ghost", 5, 4, 4, 1, 4),
            ("lost/parent", 3, 3, 2, 1, 113),
            ("zoo/a", 3, 3, 3, 0, 3),
            ("big/new", 2, 2, 1, 1, 2001),
            ("shut/parent", 2, 2, 1, 1, 61),
            ("gone/ghost", 2, 1, 1, 1, 30),
            ("off/model", 1, 1, 0, 0, 90),
            ("shy/late", 1, 1, 0, 0, 8),
            ("kid/lone", 1, 1, 0, 0, 1),
        ],
    ),
    (
        "library_distribution",
        {},
        [
            (None, 33, 0.916667, 5342, 0.492714),
            ("transformers", 2, 0.055556, 5300, 0.48884),
            ("diffusers", 1, 0.027778, 200, 0.018447),
        ],
    ),
    (
        "license_distribution",
        {},
        [
            (None, 27, 0.75, 3601, 0.332134),
            ("mit", 5, 0.138889, 991, 0.091404),
            ("apache-2.0", 3, 0.083333, 6100, 0.562627),
            ("cc-by-nc-4.0", 1, 0.027778, 150, 0.013835),
        ],
    ),
    (
        "license_drift",
        {},
        [
            ("apache-2.0", "mit", 4, 3, 0.5),
            ("apache-2.0", "cc-by-nc-4.0", 1, 1, 0.125),
            ("gpl-3.0", "mit", 1, 1, 1.0),
        ],
    ),
    (
        "lineage_cycles",
        {},
        [("zoo/a", 3, ["zoo/a", "zoo/b", "zoo/c"]), ("ring/a", 2, ["ring/a", "ring/b"])],
    ),
    (
        "looks_at_model",
        {},
        [
            ("2026-01-20 03:04:05", "big/base", 5000, 50000, 1, None),
            ("2026-01-01 03:04:05", "big/base", 4600, 46000, 1, None),
        ],
    ),
    ("merge_candidates", {}, CANDIDATES),
    ("models_with_another_license", {}, RELICENSED),
    (
        "most_active_repos",
        {},
        [
            ("big/base", 7, "2026-01-08 00:00:00", 5000),
            ("bob/two", 2, "2026-01-09 00:00:00", 200),
            ("ada/one", 1, "2026-01-05 00:00:00", 300),
        ],
    ),
    (
        "orphans_of_gone_parents",
        {},
        [
            ("kid/orphan", "lost/parent", "finetune", "gone", "2026-01-19 03:04:05", 40),
            ("abe/orphan", "lost/parent", "finetune", "gone", "2026-01-19 03:04:05", 3),
        ],
    ),
    (
        "owner_concentration",
        {},
        [("downloads_30d", 11, 10842, 0.751036, 0.645637), ("models", 11, 36, 0.434343, 0.333333)],
    ),
    (
        "parameter_classes",
        {},
        [
            ("1: below 100M", 3, 0.083333, 14),
            ("4: 4B to 10B", 7, 0.194444, 7200),
            (None, 26, 0.722222, 3628),
        ],
    ),
    (
        "parameter_count_mismatch",
        {},
        [("eve/prose", 50, 80, 1.6, 2), ("abe/orphan", 10, 40, 4.0, 1)],
    ),
    (
        "parents_by_relation",
        {},
        [
            ("zed/ghost", 3, None, None, None),
            ("big/base", 2, 5000, BIG, "apache-2.0"),
            ("big/new", 1, 2000, None, None),
            ("bob/two", 1, 200, BIG, "apache-2.0"),
        ],
    ),
    (
        "parents_merged_together",
        {},
        [("big/base", "eve/merge", 2, 1), ("ada/one", "bob/two", 1, 1)],
    ),
    ("pickle_only_models", {}, PICKLED),
    (
        "popular_gated_models",
        {},
        [("quant/gguf", "auto", 900, 6, "apache-2.0"), ("eve/adapter", "manual", 10, 7, None)],
    ),
    (
        "popular_without_license",
        {},
        [
            ("big/new", 2000, 2, None, "2022-03-02 00:00:00"),
            ("abe/small", 1500, 20, None, "2024-01-01 00:00:00"),
            ("kid/ghostly", 30, 10, None, "2025-12-02 00:00:00"),
            ("eve/merge", 20, 8, None, "2026-01-08 00:00:00"),
            ("eve/adapter", 10, 7, None, "2025-12-20 00:00:00"),
            ("shy/late", 8, 17, None, "2025-09-03 00:00:00"),
            ("eve/torn", 6, None, None, "2025-11-04 00:00:00"),
            ("eve/prose", 5, 13, None, "2025-11-03 00:00:00"),
            ("abe/orphan", 3, 21, None, "2025-12-03 00:00:00"),
            ("ring/b", 2, 12, None, "2025-11-02 00:00:00"),
            ("ada/torn", 1, 34, None, "2025-11-06 00:00:00"),
            ("eve/m2", 1, 35, None, "2025-11-07 00:00:00"),
            ("eve/m3", 1, 36, None, "2025-11-07 00:00:00"),
            ("kid/both", 1, 38, None, "2025-11-07 00:00:00"),
            ("kid/lone", 1, 39, None, "2026-01-11 00:00:00"),
            ("kid/new", 1, 40, None, "2026-01-10 00:00:00"),
            ("kid/shut", 1, 43, None, "2025-11-10 00:00:00"),
            ("kid/z1", 1, 22, None, "2025-10-20 00:00:00"),
            ("kid/z2", 1, 23, None, "2025-10-20 00:00:00"),
            ("kid/z4", 1, 25, None, "2025-10-20 00:00:00"),
        ],
    ),
    ("popular_without_quantization", {}, UNQUANTIZED),
    (
        "pull_request_acceptance",
        {},
        [("big/base", 4, 2, 1, 1, 0.666667), ("abe/small", 3, 1, 1, 1, 0.5)],
    ),
    ("quantization_lag_by_month", {}, [("2025-10-01", 1, 2.0)]),
    (
        "rejects_by_reason",
        {},
        [
            ("lineage", "declares itself as its base model", 2, "eve/torn"),
            ("listing", "malformed repo id", 2, "bad id"),
            ("listing", "likes is no count", 1, "eve/torn"),
        ],
    ),
    (
        "renamed_models",
        {},
        [
            ("big/old", "big/new", "hub_id", "2026-01-20 03:04:05", 2000),
            ("aaa/was", "abe/small", "hub_id", "2026-01-20 03:04:05", 1500),
        ],
    ),
    (
        "rewritten_histories",
        {},
        [
            ("big/base", 2, 4, "2026-01-18 03:04:05", 5000),
            ("bob/two", 1, 1, "2026-01-20 03:04:05", 200),
        ],
    ),
    (
        "sample_estimate",
        {},
        [
            ("base", 7, 18, 0.888889, 0.622172, 1.0),
            ("card", 7, 18, 0.388889, 0.068335, 0.709443),
            ("license", 7, 18, 0.555556, 0.247577, 0.863534),
        ],
    ),
    (
        "schema_drift",
        {},
        [
            ("moonPhase", "unknown", "VARCHAR", 2, "eve/torn"),
            ("likes", "unfit", "VARCHAR", 1, "eve/torn"),
        ],
    ),
    (
        "security_findings",
        {},
        [
            ("big/new", 2, ["caution", "unsafe"], "pytorch_model.bin", 2000),
            ("abe/small", 1, ["unsafe"], "pytorch_model.bin", 1500),
        ],
    ),
    (
        "stale_popular_models",
        {},
        [
            ("big/new", 2000, "2022-03-02 00:00:00", None),
            ("abe/small", 1500, "2024-01-01 00:00:00", None),
        ],
    ),
    ("storage_by_owner", {}, [("big", 15000, 2, 2), ("ada", 500, 1, 4)]),
    (
        "survival_by_month",
        {},
        [
            ("2022-03-01", 1, 0, 0, 1.0),
            ("2023-01-01", 1, 1, 0, 0.0),
            ("2024-01-01", 1, 0, 0, 1.0),
            ("2025-09-01", 4, 1, 1, 0.5),
            ("2025-10-01", 7, 0, 0, 1.0),
            ("2025-11-01", 15, 0, 0, 1.0),
            ("2025-12-01", 6, 0, 0, 1.0),
            ("2026-01-01", 5, 0, 0, 1.0),
        ],
    ),
    (
        "task_distribution",
        {},
        [(None, 34, 0.944444, 5542, 0.51116), ("text-generation", 2, 0.055556, 5300, 0.48884)],
    ),
    ("tensor_dtypes", {}, [("F32", 5, 150, 0.75), ("BF16", 5, 50, 0.25)]),
    ("top_datasets", {}, [("squad", 2), ("own", 1)]),
    (
        "top_owners",
        {},
        [
            ("big", 2, 7000, 3),
            ("abe", 2, 1503, 41),
            ("quant", 1, 900, 6),
            ("kid", 12, 479, 326),
            ("ada", 4, 452, 83),
            ("zed", 2, 251, 79),
            ("bob", 1, 200, 4),
            ("eve", 6, 43, 99),
            ("shy", 1, 8, 17),
            ("ring", 2, 3, 23),
            ("zoo", 3, 3, 93),
        ],
    ),
    (
        "top_parents",
        {},
        [
            ("big/base", 11, 7, 0, 2, 2, 0, 7),
            ("zed/ghost", 4, 0, 1, 3, 0, 0, 2),
            ("ada/one", 3, 1, 1, 0, 1, 0, 1),
            ("eve/merge", 3, 1, 0, 0, 2, 0, 2),
            ("abe/small", 2, 2, 0, 0, 0, 0, 1),
            ("bob/two", 2, 0, 0, 1, 1, 0, 2),
            ("lost/parent", 2, 2, 0, 0, 0, 0, 2),
            ("ring/a", 2, 1, 1, 0, 0, 0, 2),
            ("big/ghost", 1, 1, 0, 0, 0, 0, 1),
            ("big/new", 1, 0, 0, 1, 0, 0, 1),
            ("gone/ghost", 1, 1, 0, 0, 0, 0, 1),
            ("ring/b", 1, 1, 0, 0, 0, 0, 1),
            ("shut/parent", 1, 1, 0, 0, 0, 0, 1),
            ("zoo/a", 1, 1, 0, 0, 0, 0, 1),
            ("zoo/b", 1, 1, 0, 0, 0, 0, 1),
            ("zoo/c", 1, 1, 0, 0, 0, 0, 1),
        ],
    ),
    (
        "unsafe_files",
        {},
        [
            ("big/new", "pytorch_model.bin", "unsafe", 5, 2000),
            ("abe/small", "m.ckpt", "suspicious", 5, 1500),
        ],
    ),
]
# Asked otherwise than by default.
OTHERWISE: list[tuple[str, dict[str, str], list[tuple[Any, ...]]]] = [
    (
        "fastest_growing_families",
        {"days": "14"},
        [("abe/small", 1, 5, 0.2), ("big/base", 1, 18, 0.055556)],
    ),
    ("downloads_gained", {"days": "20"}, []),
    ("downloads_gained", {"days": "19"}, GAINED),
    ("downloads_gained", {"least_downloads": "20000"}, [GAINED[0], GAINED[2]]),
    ("families_by_downloads_gained", {"least_downloads": "50000"}, [("big/base", 4000, 1)]),
    ("families_by_downloads_gained", {"days": "20"}, []),
    (
        "parents_by_relation",
        {"relation": "adapter"},
        [
            ("ada/one", 1, 300, BIG, "mit"),
            ("ring/a", 1, 1, None, None),
            ("zed/ghost", 1, None, None, None),
        ],
    ),
    ("models_with_another_license", {"parent_license": "gpl-3.0"}, [RELICENSED[4]]),
    ("merge_candidates", {"least_downloads": "250"}, CANDIDATES[:1]),
    ("merge_candidates", {"most_of_root": "2"}, CANDIDATES[:1]),
    ("merge_candidates", {"most_of_root": "1"}, []),
    ("popular_without_quantization", {"least_parameters": str(BIG)}, UNQUANTIZED),
    ("popular_without_quantization", {"least_parameters": str(BIG + 1)}, []),
    ("duplicate_files", {"least_bytes": "200000000"}, DOUBLES[:1]),
    ("stale_popular_models", {"days": "2000"}, []),
    ("pickle_only_models", {"least_downloads": "2000"}, PICKLED[:1]),
    ("pickle_only_models", {"least_downloads": "1"}, PICKLED),
    (
        "most_active_repos",
        {"days": "13"},
        [("big/base", 1, "2026-01-08 00:00:00", 5000), ("bob/two", 1, "2026-01-09 00:00:00", 200)],
    ),
    ("commit_cadence", {"least_downloads": "300"}, [("transformers", 2, 2.0, 2.0)]),
    ("pull_request_acceptance", {"least_pull_requests": "4"}, [("big/base", 4, 2, 1, 1, 0.666667)]),
    ("parameter_count_mismatch", {"tolerance": "0.6"}, [("abe/orphan", 10, 40, 4.0, 1)]),
    ("sample_estimate", {"sample_id": "2"}, []),
    ("looks_at_model", {"model": "shy/late"}, SHY),
    ("looks_at_model", {"model": "nobody/s"}, []),
]


@pytest.mark.parametrize(("name", "given", "rows"), [*KNOWN, *OTHERWISE])
def test_a_query_answers_what_is_known(hub, name, given, rows):
    assert answer(hub, name, **given) == rows


def test_every_query_is_asked_of_the_known_hub():
    assert sorted(name for name, _, rows in KNOWN if rows) == list(query_names())


def test_half_of_the_owners_hold_their_share(hub):
    (downloads, models) = answer(hub, "owner_concentration", top_share="0.5")
    # of 11 owners the six largest
    assert downloads[-1] == round((7000 + 1503 + 900 + 479 + 452 + 251) / 10842, 6)
    assert models[-1] == round((12 + 6 + 4 + 3 + 2 + 2) / 36, 6)


def test_a_renamed_model_gains_by_looks_under_its_earlier_name(hub):
    names = [row[1] for row in answer(hub, "looks_at_model", model="big/new")]
    assert names == ["big/new", "big/old"]


@pytest.mark.parametrize("query", QUERIES, ids=by_name)
def test_a_query_runs_where_there_is_next_to_nothing(bare_hub, query):
    answer(bare_hub, query.name)


@pytest.mark.parametrize("query", [q for q in QUERIES if "$limit" in q.sql], ids=by_name)
def test_a_limit_takes_the_first_rows(hub, query):
    assert answer(hub, query.name, limit="1") == answer(hub, query.name)[:1]


@pytest.mark.parametrize("query", QUERIES, ids=by_name)
def test_a_header_says_what_its_sql_needs(query):
    assert re.fullmatch(r"[A-Z][^?]+\?", query.question)
    body = re.sub(r"^--.*", "", query.sql, flags=re.M)
    assert set(re.findall(r"\$(\w+)", body)) == {param.name for param in query.params}
    assert all(param.meaning for param in query.params)


@pytest.mark.parametrize("query", QUERIES, ids=by_name)
def test_sql_is_bare_ordered_and_names_its_columns(hub, query):
    assert len(duckdb.extract_statements(query.sql)) == 1
    last = query.sql[query.sql.rindex("\nselect") :]
    assert not last.startswith("\nselect *")
    assert "\norder by" in last
    assert max(map(len, query.sql.splitlines())) <= 100
    assert query.sql.endswith("\n")
    columns = [column[0] for column in ask(hub, query.name, {}).description]
    assert [name for name in columns if not re.fullmatch(r"[a-z][a-z0-9_]*", name)] == []


@pytest.mark.parametrize("query", QUERIES, ids=by_name)
def test_a_query_reads_published_relations_only(query):
    assert "landing" not in query.sql


@pytest.mark.parametrize("query", QUERIES, ids=by_name)
def test_an_answer_does_not_hang_on_the_order_of_rows(hub, turned_hub, query):
    assert answer(turned_hub, query.name) == answer(hub, query.name)


def test_a_value_is_read_as_its_default_s_kind():
    query = read_query("owner_concentration")
    assert query.bind({}) == {"top_share": 0.01}
    assert query.bind({"top_share": "1"}) == {"top_share": 1.0}
    assert read_query("parents_by_relation").bind({"relation": "7"})["relation"] == "7"
    assert read_query("looks_at_model").bind({"model": "null"})["model"] is None
    assert read_query("looks_at_model").bind({"model": "o/m"})["model"] == "o/m"


@pytest.mark.parametrize(
    ("name", "given", "reason"),
    [
        ("ghosts", {"limits": "3"}, "ghosts has no parameter 'limits'; it has: limit"),
        ("tensor_dtypes", {"limit": "3"}, "tensor_dtypes has no parameter 'limit'; it has: none"),
        ("ghosts", {"limit": "many"}, "ghosts: limit is a whole number, not 'many'"),
        ("ghosts", {"limit": "1.5"}, "ghosts: limit is a whole number, not '1.5'"),
        ("owner_concentration", {"top_share": "x"}, "top_share is a number, not 'x'"),
        ("owner_concentration", {"top_share": "nan"}, "top_share is a number, not 'nan'"),
        ("ghosts", {"limit": "-1"}, "ghosts: Binder Error: LIMIT/OFFSET cannot be negative"),
        ("most_active_repos", {"days": "9" * 12}, "most_active_repos: "),
        ("ghosts", {"limit": "9" * 50}, "ghosts: "),
        ("sample_estimate", {"sample_id": "one"}, "sample_estimate: Conversion Error"),
    ],
)
def test_a_parameter_that_cannot_be_is_refused(hub, name, given, reason):
    with pytest.raises(ParamRefused, match=re.escape(reason)) as refused:
        ask(hub, name, given)
    assert "\n" not in str(refused.value)


@given(text=st.text())
def test_a_value_is_bound_and_never_sql(hub, text):
    assert answer(hub, "parents_by_relation", relation=f"'; drop table model; --{text}") == []


def test_an_unknown_query_is_refused_with_near_names():
    with pytest.raises(UnknownQuery, match="did you mean lineage_cycles"):
        read_query("linage_cycle")
    with pytest.raises(UnknownQuery, match="hubatlas query lists all"):
        read_query("../sql/model")


def hubatlas(home, *arguments):
    return subprocess.run(
        [COMMAND, "--home", str(home), "query", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={k: v for k, v in os.environ.items() if not k.startswith("HUBATLAS_")},
    )


def test_the_command_lists_every_query_with_its_question(home):
    ran = hubatlas(home, "--format", "csv")
    assert ran.stdout.splitlines()[0] == "query,params,question"
    assert all(f"{query.name}," in ran.stdout for query in QUERIES)
    assert all(query.question in ran.stdout for query in QUERIES)


def test_the_command_answers_on_stdout_and_warns_on_stderr(home):
    ran = hubatlas(home, "largest_families", "--param", "limit=1", "--format", "csv")
    assert ran.stdout.splitlines()[1:] == ["big/base,18,17,20,3,12246"]
    assert ran.stderr.startswith("beware: a family is all that declarations connect")


def test_the_command_writes_a_file(home, tmp_path):
    out = tmp_path / "answer.parquet"
    hubatlas(home, "ghosts", "--format", "parquet", "--out", str(out))
    rows = duckdb.execute(f"select parent_id from '{out}'").fetchall()
    assert rows == [("zed/ghost",), ("big/ghost",), ("gone/ghost",)]


def test_the_list_is_not_written_to_a_file(home, tmp_path):
    ran = hubatlas(home, "--out", str(tmp_path / "list"))
    assert ran.returncode == 2
    assert "name a query" in ran.stderr


def test_the_command_prints_the_sql_itself(home):
    assert hubatlas(home, "ghosts", "--sql").stdout == read_query("ghosts").sql


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["ghost"], "no query 'ghost'; did you mean ghosts?"),
        (["ghosts", "--param", "limit"], "limit is no parameter; write NAME=VALUE"),
        (["ghosts", "--param", "limit=x"], "ghosts: limit is a whole number, not 'x'"),
    ],
)
def test_a_failure_of_the_command_is_one_line(home, arguments, reason):
    ran = hubatlas(home, *arguments)
    assert (ran.returncode, ran.stderr) == (1, f"hubatlas: {reason}\n")


def queries_page(db):
    """The page on queries, from the headers of their SQL and the columns of their answers."""
    listed = "".join(f"- [{q.name}](#{q.name}): {q.question}\n" for q in QUERIES)
    return f"{HEAD}\n{listed}\n" + "\n".join(_section(db, query) for query in QUERIES)


HEAD = """# Queries

Written by the tests from the headers of the SQL files. `hubatlas query NAME` asks one,
`--param NAME=VALUE` replaces a default, `--sql` prints it to be changed. "Now" is always the newest
look that the warehouse holds, never the clock.
"""


def _section(db, query):
    columns = ", ".join(f"`{column[0]}`" for column in ask(db, query.name, {}).description)
    facts = {"Beware": query.caveat, "Ref": query.ref, "Gives": columns}
    facts["SQL"] = f"[`{query.name}.sql`](../warehouse/queries/{query.name}.sql)"
    told = "  \n".join(f"{fact}: {value}" for fact, value in facts.items() if value)
    rows = [f"| `{p.name}` | {_default(p)} | {p.meaning} |\n" for p in query.params]
    table = "| parameter | default | meaning |\n|---|---|---|\n" + "".join(rows) + "\n"
    return f"## {query.name}\n\n{query.question}\n\n{table if rows else ''}{told}\n"


def _default(param):
    return "null" if param.default is None else param.default


def test_the_page_on_queries_is_what_the_sql_says(hub):
    page = ROOT / "docs" / "queries.md"
    if os.environ.get("HUBATLAS_WRITE_GOLDEN"):
        page.write_text(queries_page(hub), "utf-8")
    assert page.read_text("utf-8") == queries_page(hub)
