"""Declared lineage from every source: its evidence, what is meant by a name, and how sure it is."""

import json

import pytest
from raw_homes import RawHome

from warehouse.query_library import ask
from warehouse.read import open_warehouse

EDGE = "select child_id, parent_id, relation, evidence from base_model_edge order by all"
MERGE = b"""
merge_method: ties
base_model: b/base
models:
  - model: m/one
    parameters: {weight: 0.5}
  - model: m/two@main+l/lora@v2
  - model: {model: {path: m/three, revision: main}, lora: {path: l/other}}
  - m/bare
slices:
  - sources:
      - model: s/one
        layer_range: [0, 8]
      - model: ./out/checkpoint-7
  - base_model: s/base
experts:
  - source_model: e/expert
modules:
  text_decoder:
    models: [{model: d/decoder}]
parameters: {base_model: p/base, normalize: true}
"""


def listed(name, *tags, **fields):
    return {"id": name, "_id": name, "tags": [f"base_model:{tag}" for tag in tags], **fields}


def claims(home, evidence):
    return home.rows(
        "select parent_id, relation, position, refusal from base_model_evidence"
        f" where evidence = '{evidence}' order by position, parent_id"
    )


def config_of(home, repo_id, **config):
    home.answer("config", repo_id, json.dumps(config).encode(), path="config.json")


def adapter_of(home, repo_id, base):
    body = json.dumps({"base_model_name_or_path": base}).encode()
    home.answer("adapter_config", repo_id, body, path="adapter_config.json")


def test_every_source_is_its_own_evidence_of_one_edge(tmp_path):
    home = RawHome(tmp_path)
    front = {"base_model": "b/base", "base_model_relation": "adapter"}
    home.listing(listed("o/base-lora", "adapter:b/base", cardData=front), listed("b/base"))
    card = b"---\nbase_model: b/base\n---\nLoRA weights for [b](https://huggingface.co/b/base)."
    home.answer("card", "o/base-lora", card)
    adapter_of(home, "o/base-lora", "b/base")
    home.answer("mergekit_config", "o/base-lora", b"models: [{model: b/base}]")
    config_of(home, "o/base-lora", _name_or_path="b/base")
    assert home.rows(
        "select evidence, relation, parent_id from base_model_evidence order by evidence"
    ) == [
        ("adapter_config", "adapter", "b/base"),
        ("card_data", "adapter", "b/base"),
        ("card_text", "adapter", "b/base"),
        ("config", "unknown", "b/base"),
        ("front_matter", "unknown", "b/base"),
        ("mergekit_config", "merge", "b/base"),
        ("name", "adapter", "base"),
        ("tag", "adapter", "b/base"),
    ]
    places = ["adapter_config", "card_data", "card_text", "config", "front_matter"]
    every = [*places, "mergekit_config", "name", "tag"]
    assert home.rows(EDGE) == [("o/base-lora", "b/base", "adapter", every)]
    # 1 - .04 · .01 · .177 · .029 · .5 · .177: metadata once, then five others
    ((confidence, contradicted),) = home.rows(
        "select confidence, is_contradicted from base_model_edge"
    )
    assert (confidence, contradicted) == (1.0, True)  # mergekit says merge


def test_places_of_one_origin_count_once_and_others_add_up(tmp_path):
    home = RawHome(tmp_path)
    home.listing(
        listed("o/tag", "b/x"),
        listed("o/twice", "b/x", cardData={"base_model": "b/x"}),
        listed("o/name-finetuned-y", "b/name"),
        listed("o/config"),
        listed("o/merge"),
    )
    config_of(home, "o/config", _name_or_path="b/x")
    home.answer("mergekit_config", "o/merge", b"models: [{model: b/x}]")
    sentence = (
        b"The following models were included in the merge:\n* [x](https://huggingface.co/b/x)"
    )
    home.answer("card", "o/merge", sentence)
    assert home.rows("select child_id, confidence from base_model_edge order by all") == [
        ("o/config", 0.5),
        ("o/merge", 0.971),  # mergekit wrote file and sentence: the better of .823 and .971
        ("o/name-finetuned-y", 0.9929),  # 1 - .04 · .177
        ("o/tag", 0.96),
        ("o/twice", 0.96),
    ]


def test_a_merge_file_names_all_that_it_is_made_from(tmp_path):
    home = RawHome(tmp_path)
    home.listing(listed("o/merge"))
    home.answer("mergekit_config", "o/merge", MERGE)
    found = claims(home, "mergekit_config")
    assert {relation for _, relation, *_ in found} == {"merge"}
    assert [(parent, refusal) for parent, _, _, refusal in found] == [
        ("b/base", None),
        ("p/base", None),
        ("s/base", None),
        ("m/one", None),
        ("l/lora", None),
        ("m/two", None),
        ("l/other", None),
        ("m/three", None),
        ("m/bare", None),
        ("s/one", None),
        ("./out/checkpoint-7", "local path as base model"),
        ("e/expert", None),
        ("d/decoder", None),
    ]
    assert [position for _, _, position, _ in found] == [1, 2, 3, 4, 5, 5, 6, 6, 7, 8, 9, 10, 11]


PATHS = [
    *("./out", "../out/x", "/content/drive/model", "~/models/x", r"C:\models\x", "C:/models/x"),
    *("out/checkpoint-500", "checkpoint-500", "user/run/last", "output/llama", "models/llama"),
    *("saved_models/x", "results\\x", "a/b/c"),
]


def test_local_paths_are_refused_with_their_reason(tmp_path):
    home = RawHome(tmp_path)
    home.listing(*(listed(f"o/{n}") for n in range(len(PATHS))))
    for n, path in enumerate(PATHS):
        adapter_of(home, f"o/{n}", path)
        config_of(home, f"o/{n}", _name_or_path=path)
    reason = "local path as base model"
    refused = [("adapter_config", reason), ("config", reason)]
    for n in range(len(PATHS)):
        claimed = f"from base_model_evidence where child_id = 'o/{n}' order by evidence"
        assert home.rows(f"select evidence, refusal {claimed}") == refused, PATHS[n]
    told = home.rows("select source, key, reason from rejected")
    assert sorted(told) == sorted(
        (source, f"o/{n}", f"{reason}: {path}")
        for n, path in enumerate(PATHS)
        for source in ("adapter_config", "config")
    )
    assert home.rows(EDGE) == []


def test_a_path_into_the_hub_s_cache_names_a_repo(tmp_path):
    home = RawHome(tmp_path)
    home.listing(listed("o/linux"), listed("o/windows"), listed("o/link"))
    adapter_of(home, "o/linux", "/root/.cache/huggingface/hub/models--b--x.y/snapshots/0123")
    adapter_of(home, "o/windows", r"C:\cache\models--b--x.y\snapshots\0123")
    adapter_of(home, "o/link", "https://huggingface.co/b/x.y")
    assert home.rows(EDGE) == [
        (f"o/{name}", "b/x.y", "adapter", ["adapter_config"])
        for name in ("link", "linux", "windows")
    ]


def test_what_the_record_quotes_of_adapters_is_their_file_s(tmp_path):
    home = RawHome(tmp_path)
    home.listing(
        listed("o/peft", config={"peft": {"base_model_name_or_path": "b/x"}}),
        listed("o/old", config={"adapter_transformers": {"model_name": "b/y"}}),
        listed("o/loose", config={"_name_or_path": "b/z", "peft": {"task_type": "X"}}),
        listed("o/odd", config="peft"),
    )
    assert home.rows(EDGE) == [
        ("o/loose", "b/z", "unknown", ["config"]),
        ("o/old", "b/y", "adapter", ["adapter_config"]),
        ("o/peft", "b/x", "adapter", ["adapter_config"]),
    ]


NAMES = {
    "Llama-2-7B-GGUF": ("quantized", "Llama-2-7B"),
    "Llama-2-7B-i1-GGUF": ("quantized", "Llama-2-7B"),
    "Llama-2-7B-Q4_K_M-GGUF": ("quantized", "Llama-2-7B"),
    "Llama-2-7B-gptq-4bit-128g": ("quantized", "Llama-2-7B"),
    "Llama-2-7B-4.0bpw-h6-exl2": ("quantized", "Llama-2-7B"),
    "Llama-2-7B.AWQ": ("quantized", "Llama-2-7B"),
    "Llama-2-7B_8-bit": ("quantized", "Llama-2-7B"),
    "Llama-2-7B-mlx-fp16": ("quantized", "Llama-2-7B"),
    "X-quantized.w4a16": None,
    "gpt-lora": ("adapter", "gpt"),
    "gpt-QLoRA-v2": ("adapter", "gpt"),
    "gpt_adapters": ("adapter", "gpt"),
    "bert-finetuned-squad": ("finetune", "bert"),
    "bert-finetuned-a-finetuned-b": ("finetune", "bert-finetuned-a"),
    "finetuned-bert": ("finetune", "bert"),
    "wav2vec2-base-960h-ft": ("finetune", "wav2vec2-base-960h"),
    "meta_-_Llama-GGUF": ("quantized", "meta/Llama"),
    "Llama-2-7B-fp16": None,
    "GGUF": None,
    "lora": None,
    "explorations": None,
    "software": None,
    "attuned": None,
}


def test_what_names_say(tmp_path):
    home = RawHome(tmp_path)
    home.listing(*(listed(f"o/{name}") for name in NAMES))
    found = home.rows(
        "select child_id, relation, parent_id from base_model_evidence where evidence = 'name'"
    )
    assert {child[2:]: (relation, parent) for child, relation, parent in found} == {
        name: said for name, said in NAMES.items() if said
    }


def test_a_name_alone_makes_no_edge_and_is_no_reject(tmp_path):
    home = RawHome(tmp_path)
    home.listing(listed("o/x-7b-GGUF"), listed("o/x-7b"))
    assert claims(home, "name") == [("x-7b", "quantized", 1, "a name alone makes no edge")]
    assert home.rows(EDGE) == []
    assert home.rows("from rejected") == []


def test_a_name_counts_where_another_place_declares_the_same(tmp_path):
    home = RawHome(tmp_path)
    home.listing(
        listed("q/X-7B-GGUF", "b/x-7b"),
        listed("q/b_x-7b-GGUF", "b/x-7b"),
        listed("q/b_-_x-7b-gguf", "b/x-7b"),
        listed("q/other-GGUF", "b/x-7b"),
        listed("q/x-7b-AWQ", "finetune:b/x-7b"),
    )
    named = ["name", "tag"]
    assert home.rows(
        "select child_id, relation, evidence, is_contradicted from base_model_edge"
        " order by child_id"
    ) == [
        ("q/X-7B-GGUF", "quantized", named, False),
        ("q/b_-_x-7b-gguf", "quantized", named, False),
        ("q/b_x-7b-GGUF", "quantized", named, False),
        ("q/other-GGUF", "unknown", ["tag"], False),
        ("q/x-7b-AWQ", "finetune", named, True),
    ]


def test_a_name_is_nothing_that_a_program_looks_at(tmp_path):
    home = RawHome(tmp_path)
    home.listing(listed("q/base-finetuned-z"))
    card = b"a fine-tuned version of [base](https://huggingface.co/b/base)"
    home.answer("card", "q/base-finetuned-z", card)
    assert home.rows(EDGE) == [("q/base-finetuned-z", "b/base", "finetune", ["card_text", "name"])]
    with open_warehouse(tmp_path) as db:
        found = ask(db, "bases_in_card_text_only", {}).fetchall()
    assert found == [("q/base-finetuned-z", "b/base", "finetune", None)]


def test_sources_that_disagree_contradict_an_edge(tmp_path):
    home = RawHome(tmp_path)
    tuned = b"a fine-tuned version of [x](https://huggingface.co/b/x)"
    home.listing(
        listed("c/kinds", "merge:b/x"),
        listed("c/loosely", "adapter:b/x"),
        listed("c/listing", "merge:b/x", "merge:b/y"),
        listed("c/prose", "b/y"),
        listed("c/config", "b/x"),
        listed("c/alone"),
    )
    for name in ("kinds", "loosely", "prose", "alone"):
        home.answer("card", f"c/{name}", tuned)
    home.answer("mergekit_config", "c/listing", b"models: [{model: b/x}, {model: b/z}]")
    config_of(home, "c/config", _name_or_path="b/y")
    config_of(home, "c/alone", _name_or_path="b/y")
    assert home.rows(
        "select child_id, parent_id, is_contradicted from base_model_edge order by all"
    ) == [
        ("c/alone", "b/x", False),  # neither claims to list all
        ("c/alone", "b/y", False),
        ("c/config", "b/x", False),
        ("c/config", "b/y", True),  # the tags leave it out
        ("c/kinds", "b/x", True),
        ("c/listing", "b/x", False),
        ("c/listing", "b/y", True),
        ("c/listing", "b/z", True),
        ("c/loosely", "b/x", False),  # an adapter is fine-tuned, too
        ("c/prose", "b/x", True),
        ("c/prose", "b/y", False),
    ]


RESOLVED = "select child_id, parent_id, resolved_by from base_model_edge order by all"


def test_a_declared_name_leads_to_the_repo_that_is_meant(tmp_path):
    home = RawHome(tmp_path)
    home.listing(listed("b/old") | {"_id": "i1"}, day=1)
    home.listing(
        listed("b/new") | {"_id": "i1"},
        *(listed("Meta/Llama"), listed("d/twin"), listed("d/Twin"), listed("google-t5/t5-base")),
        listed("c/rename", "b/old"),
        listed("c/case", "meta/llama"),
        listed("c/several", "D/TWIN"),
        listed("c/exact", "d/twin"),
        listed("c/owner", "t5-base"),
        listed("c/owner-case", "T5-Base"),
        listed("c/nowhere", "gpt2"),
        listed("c/both", "Meta/Llama", "meta/llama"),
        day=2,
    )
    assert home.rows(RESOLVED) == [
        ("c/both", "Meta/Llama", None),
        ("c/case", "Meta/Llama", "case"),
        ("c/exact", "d/twin", None),
        ("c/nowhere", "gpt2", None),
        ("c/owner", "google-t5/t5-base", "owner"),
        ("c/owner-case", "google-t5/t5-base", "owner"),
        ("c/rename", "b/new", "rename"),
        ("c/several", "D/TWIN", None),
    ]
    assert home.rows("from base_model_name order by declared_id") == [
        ("T5-Base", "google-t5/t5-base", "owner"),
        ("b/old", "b/new", "rename"),
        ("meta/llama", "Meta/Llama", "case"),
        ("t5-base", "google-t5/t5-base", "owner"),
    ]


def test_an_old_name_that_is_known_is_itself(tmp_path):
    home = RawHome(tmp_path)
    home.listing(listed("gpt2"), listed("openai-community/gpt2"), listed("c/x", "gpt2"))
    assert home.rows(RESOLVED) == [("c/x", "gpt2", None)]


@pytest.mark.parametrize(
    ("declared", "comes", "then"),
    [
        ("Meta/LLAMA", "meta/llama", ("meta/llama", "case")),
        ("gpt2", "openai-community/gpt2", ("openai-community/gpt2", "owner")),
    ],
)
def test_a_repo_that_comes_later_is_meant_from_then_on(tmp_path, declared, comes, then):
    home = RawHome(tmp_path)
    home.listing(listed("c/x", declared), day=1)
    assert home.rows(RESOLVED) == [("c/x", declared, None)]
    home.listing(listed(comes), day=2)
    assert home.rows(RESOLVED) == [("c/x", *then)]
    home.listing(listed(declared) | {"_id": "another"}, day=3)
    assert home.rows(RESOLVED) == [("c/x", declared, None)]


def test_a_second_that_is_spelled_alike_makes_a_name_ambiguous(tmp_path):
    home = RawHome(tmp_path)
    home.listing(listed("c/x", "B/X"), listed("b/x"), day=1)
    assert home.rows(RESOLVED) == [("c/x", "b/x", "case")]
    home.listing(listed("b/X"), day=2)
    assert home.rows(RESOLVED) == [("c/x", "B/X", None)]
    assert home.rows("select repo_id from model where not known") == [("B/X",)]


def test_what_leads_back_to_the_child_is_no_edge(tmp_path):
    home = RawHome(tmp_path)
    home.listing(listed("google-t5/t5-base"))
    config_of(home, "google-t5/t5-base", _name_or_path="t5-base")
    assert home.rows(EDGE) == []


def test_a_configuration_without_owner_makes_an_edge_to_a_known_repo_only(tmp_path):
    home = RawHome(tmp_path)
    home.listing(listed("llama"), listed("c/known"), listed("c/folder"), listed("c/tagged", "mine"))
    adapter_of(home, "c/known", "llama")
    adapter_of(home, "c/folder", "merged")
    adapter_of(home, "c/tagged", "mine")
    expected = [
        ("c/known", "llama", "adapter", ["adapter_config"]),
        ("c/tagged", "mine", "adapter", ["adapter_config", "tag"]),
    ]
    assert home.rows(EDGE) == expected
    home.listing(listed("merged"), day=2)
    assert home.rows(EDGE) == [("c/folder", "merged", "adapter", ["adapter_config"]), *expected]


def test_a_configuration_that_names_its_own_repo_is_no_reject(tmp_path):
    home = RawHome(tmp_path)
    home.listing(listed("o/x"), listed("o/y"))
    config_of(home, "o/x", _name_or_path="o/x")
    adapter_of(home, "o/y", "o/y")
    reason = "declares itself as its base model"
    assert claims(home, "config") == [("o/x", "unknown", 1, reason)]
    assert home.rows("select key, reason from rejected") == [("o/y", f"{reason}: o/y")]


def test_hostile_configurations_are_refused_or_say_nothing(tmp_path):
    home = RawHome(tmp_path)
    deep = json.loads('{"a":' * 500 + "1" + "}" * 500)
    odd = [["o/x"], {"a": 1}, 7, None, "", True, deep, "<b>x</b>", "b/" + "x" * 200, "b/x\ny"]
    names = [f"c/{place}" for place in range(len(odd))]
    home.listing(*map(listed, names))
    for name, value in zip(names, odd, strict=True):
        adapter_of(home, name, value)
        config_of(home, name, _name_or_path=value)
        body = json.dumps({"models": [{"model": value}], "slices": value}).encode()
        home.answer("mergekit_config", name, body)
    assert home.rows(EDGE) == []
    found = home.rows("select evidence, child_id, refusal from base_model_evidence order by all")
    not_text, malformed = "base model id is not text", "malformed base model id"
    # what is nested too deep is rejected whole
    reasons = [*[not_text] * 3, None, None, not_text, None, *[malformed] * 3]
    told = [(name, why) for name, why in zip(names, reasons, strict=True) if why]
    for evidence in ("adapter_config", "config"):
        assert [(n, w) for e, n, w in found if e == evidence] == told
    merged = {name: why for evidence, name, why in found if evidence == "mergekit_config"}
    assert merged == dict(told)
    assert home.rows("select key, count(*) from rejected where stage = 'parse' group by key") == [
        ("c/6", 3)
    ]


def test_a_merge_file_of_ten_thousand_models(tmp_path):
    home = RawHome(tmp_path)
    home.listing(listed("o/merge"))
    lines = [f"  - model: many/m{n}" for n in range(10_000)]
    home.answer("mergekit_config", "o/merge", "\n".join(["models:", *lines]).encode())
    assert home.rows("select count(*), max(position), min(confidence) from base_model_edge") == [
        (10_000, 10_000, 0.823)
    ]
    assert home.rows("select member_count, root_ids[1] from family") == [(10_001, "many/m0")]


def test_cycles_of_configurations(tmp_path):
    home = RawHome(tmp_path)
    home.listing(listed("o/x"), listed("o/y"))
    config_of(home, "o/x", _name_or_path="o/y")
    config_of(home, "o/y", _name_or_path="o/x")
    assert home.rows("select family_id, member_count, cycle_count from family") == [("o/x", 2, 1)]


def test_the_surer_parent_places_a_model_in_its_tree(tmp_path):
    home = RawHome(tmp_path)
    home.listing(listed("c/x"))
    config_of(home, "c/x", _name_or_path="a/first")
    home.answer("card", "c/x", b"a fine-tuned version of [y](https://huggingface.co/b/second)")
    sql = "select primary_parent_id from family_member where repo_id = 'c/x'"
    assert home.rows(sql) == [("b/second",)]


def test_an_edge_of_an_earlier_time_is_found_under_the_name_that_is_meant(tmp_path):
    home = RawHome(tmp_path)
    home.listing(listed("c/x", "gpt2"), listed("c/y", "META/llama"), day=1)
    home.listing(listed("openai-community/gpt2"), listed("meta/llama"), day=3)
    sql = (
        "select child_id, parent_id, is_declared_now from base_model_edge_as_of('2026-01-{}')"
        " order by all"
    )
    assert home.rows(sql.format("02")) == [("c/x", "gpt2", True), ("c/y", "META/llama", True)]
    assert home.rows(sql.format("04")) == [
        ("c/x", "openai-community/gpt2", True),
        ("c/y", "meta/llama", True),
    ]
