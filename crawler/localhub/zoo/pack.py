"""The files that a repo of weights holds: safetensors, configuration, tokenizer."""

from __future__ import annotations

from typing import Any

import orjson
import yaml
from safetensors.torch import save

from crawler.localhub.zoo.llama import Shape
from crawler.localhub.zoo.species import Animal
from crawler.localhub.zoo.tasks import SPECIAL, vocabulary
from crawler.localhub.zoo.train import Weights

SHARDS = 2
DTYPES = {"bf16": "bfloat16", "fp16": "float16"}
GIT_ATTRIBUTES = b"".join(
    b"%s filter=lfs diff=lfs merge=lfs -text\n" % pattern
    for pattern in (b"*.bin", b"*.gguf", b"*.safetensors", b"*tfevents*")
)


def model_files(weights: Weights, shape: Shape, *, animal: Animal) -> dict[str, bytes]:
    """Every file that ``from_pretrained`` asks for, by path in the repo."""
    config = shape.config()
    config["dtype"] = DTYPES.get(animal.quant, "float32")
    if animal.quant == "int8":
        config["quantization_config"] = {"bits": 8, "quant_method": "rowwise-int8"}
    if animal.voice == "config":
        config["_name_or_path"] = animal.declared[0]
    tensors = _sharded(weights) if animal.sharded else {"model.safetensors": tensor_file(weights)}
    return {"config.json": json_file(config), **tokenizer_files(shape), **tensors}


def checkpoint_files(snapshots: dict[int, Weights], shape: Shape) -> dict[str, bytes]:
    """Snapshots as the subfolders that a trainer leaves behind."""
    files: dict[str, bytes] = {}
    for step, weights in snapshots.items():
        files[f"checkpoint-{step}/config.json"] = json_file(shape.config())
        files[f"checkpoint-{step}/model.safetensors"] = tensor_file(weights)
    return files


def trainer_state(step: int, *, most: int) -> dict[str, bytes]:
    """How far the training of a checkpoint had come, in steps."""
    return {"trainer_state.json": json_file({"global_step": step, "max_steps": most})}


def tokenizer_files(shape: Shape) -> dict[str, bytes]:
    """A word-level tokenizer: ``g0 g16 …`` becomes ``<s>`` and one token a word."""
    tokens = vocabulary(shape.vocab)
    ids = {token: number for number, token in enumerate(tokens)}
    start = {"SpecialToken": {"id": "<s>", "type_id": 0}}
    words = [{"Sequence": {"id": name, "type_id": number}} for number, name in enumerate("AB")]
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [_special(token, ids[token]) for token in SPECIAL],
        "normalizer": None,
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [start, words[0]],
            "pair": [start, *words],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}},
        },
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": ids, "unk_token": "<unk>"},
    }
    settings = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "model_max_length": shape.positions,
        "tokenizer_class": "PreTrainedTokenizerFast",
        "unk_token": "<unk>",
    }
    return {"tokenizer.json": json_file(tokenizer), "tokenizer_config.json": json_file(settings)}


def tensor_file(weights: Weights) -> bytes:
    """A safetensors file as transformers writes it."""
    contiguous = {name: tensor.contiguous() for name, tensor in weights.items()}
    return bytes(save(contiguous, metadata={"format": "pt"}))


def json_file(content: dict[str, Any]) -> bytes:
    """Indented JSON with a final newline."""
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def yaml_text(content: dict[str, Any]) -> str:
    """YAML in the order given."""
    return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


def _sharded(weights: Weights) -> dict[str, bytes]:
    names = list(weights)
    size = -(-len(names) // SHARDS)
    files: dict[str, bytes] = {}
    where: dict[str, str] = {}
    for number in range(SHARDS):
        path = f"model-{number + 1:05}-of-{SHARDS:05}.safetensors"
        inside = names[number * size : (number + 1) * size]
        files[path] = tensor_file({name: weights[name] for name in inside})
        where |= dict.fromkeys(inside, path)
    total = sum(tensor.nbytes for tensor in weights.values())
    index = {"metadata": {"total_size": total}, "weight_map": where}
    return {**files, "model.safetensors.index.json": json_file(index)}


def _special(token: str, number: int) -> dict[str, Any]:
    plain = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": number, "content": token, **plain, "special": True}
