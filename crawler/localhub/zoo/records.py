"""Model records as the Hub derives them from what a repo holds."""

from __future__ import annotations

import hashlib
import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from crawler.localhub.shelf import Commit
from crawler.localhub.zoo.breed import Grown, own_seed
from crawler.localhub.zoo.chronicle import born_at, stamp
from crawler.localhub.zoo.species import Animal

FRONT_MATTER = re.compile(r"\A---\n(.*?\n)---\s*\n", re.DOTALL)
PULL = {"root": 40.0, "quantized": 4.0, "merge": 2.0, "adapter": 2.0}
DTYPE_NAMES = {
    "float32": "F32",
    "float16": "F16",
    "bfloat16": "BF16",
    "int8": "I8",
}
Record = dict[str, Any]


def record(
    animal: Animal, grown: Grown | None, commits: list[Commit], *, blobs: Path, seed: int
) -> Record:
    """Everything but what the server derives from the commits (sha, siblings, lastModified)."""
    front = front_matter(_text(commits, "README.md", blobs))
    formats = _formats(grown)
    config = _config(commits, blobs)
    made: Record = {
        "_id": object_id(animal, seed),
        "id": animal.repo_id,
        "author": animal.owner,
        "createdAt": stamp(born_at(animal, seed)),
        "private": False,
        "gated": animal.gated or False,
        "disabled": False,
        **_popularity(animal, seed),
        "tags": tags(front or {}, formats=formats, config=config),
        "usedStorage": _used_storage(commits),
        **formats,
    }
    optional = {
        "library_name": (front or {}).get("library_name"),
        "pipeline_tag": (front or {}).get("pipeline_tag"),
        "cardData": front,
        "model-index": (front or {}).get("model-index"),
        "config": config,
        "transformersInfo": _transformers(config, front or {}),
    }
    return made | {key: value for key, value in optional.items() if value}


def object_id(animal: Animal, seed: int) -> str:
    """24 hex digits, the first eight of them the second of creation, as in a real ``_id``."""
    digest = hashlib.sha256(f"{seed}/{animal.repo_id}".encode()).hexdigest()
    return f"{int(born_at(animal, seed).timestamp()):08x}{digest[:16]}"


def front_matter(text: str | None) -> Record | None:
    """The front matter of a card by the rules of YAML 1.2; None where it is absent or broken."""
    found = FRONT_MATTER.match(text or "")
    if found is None:
        return None
    try:
        front = yaml.load(found[1], Loader=_Yaml12)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError:
        return None
    return front if isinstance(front, dict) else None


def tags(front: Record, *, formats: Record, config: Record | None) -> list[str]:
    """The tags that the Hub makes of front matter and files, in its order."""
    derived = [
        front.get("library_name"),
        "safetensors" if "safetensors" in formats else None,
        "gguf" if "gguf" in formats else None,
        (config or {}).get("model_type"),
        front.get("pipeline_tag"),
        *_listed(front.get("tags")),
        *(f"dataset:{name}" for name in _listed(front.get("datasets"))),
        *_listed(front.get("language")),
        *base_model_tags(front, formats),
        f"license:{front['license']}" if front.get("license") else None,
        "model-index" if front.get("model-index") else None,
        "endpoints_compatible" if (config or {}).get("model_type") else None,
        "region:us",
    ]
    return list(dict.fromkeys(tag for tag in derived if tag))


def base_model_tags(front: Record, formats: Record) -> list[str]:
    """Two tags an edge: ``base_model:X`` and ``base_model:RELATION:X``, inferred if not given."""
    bases = _listed(front.get("base_model"))
    relation = front.get("base_model_relation") or _inferred(front, bases, formats)
    prefixes = ("base_model", f"base_model:{relation}")
    return [f"{prefix}:{base}" for base in bases for prefix in prefixes]


def _inferred(front: Record, bases: list[str], formats: Record) -> str:
    if front.get("library_name") == "peft":
        return "adapter"
    if "gguf" in formats or "I8" in formats.get("safetensors", {}).get("parameters", {}):
        return "quantized"
    return "merge" if len(bases) > 1 or "merge" in _listed(front.get("tags")) else "finetune"


def _formats(grown: Grown | None) -> Record:
    if grown is None:
        return {}
    if grown.animal.quant == "gguf":
        total = sum(tensor.numel() for tensor in grown.now.weights.values())
        length = grown.shape.positions
        return {"gguf": {"total": total, "architecture": "llama", "context_length": length}}
    counts: dict[str, int] = {}
    for path, content in sorted(grown.now.files.items()):
        if path.endswith(".safetensors") and "/" not in path:
            _count(content, counts)
    return {"safetensors": {"parameters": counts, "total": sum(counts.values())}}


def _count(content: bytes, counts: dict[str, int]) -> None:
    # A safetensors file starts with the length of its JSON header.
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    for name, tensor in header.items():
        if name != "__metadata__":
            counts[tensor["dtype"]] = counts.get(tensor["dtype"], 0) + math.prod(tensor["shape"])


def _config(commits: list[Commit], blobs: Path) -> Record | None:
    whole = _text(commits, "config.json", blobs)
    if whole is not None:
        config = json.loads(whole)
        kept = ("architectures", "model_type", "quantization_config")
        special = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
        return {k: config[k] for k in kept if k in config} | {"tokenizer_config": special}
    adapter = _text(commits, "adapter_config.json", blobs)
    if adapter is None:
        return None
    config = json.loads(adapter)
    return {"peft": {k: config[k] for k in ("base_model_name_or_path", "task_type")}}


def _transformers(config: Record | None, front: Record) -> Record | None:
    if front.get("library_name") != "transformers" or "model_type" not in (config or {}):
        return None
    return {
        "auto_model": "AutoModelForCausalLM",
        "pipeline_tag": "text-generation",
        "processor": "AutoTokenizer",
    }


def _text(commits: list[Commit], path: str, blobs: Path) -> str | None:
    file = commits[0].files.get(path) if commits else None
    return None if file is None else (blobs / file.sha256).read_text()


def _used_storage(commits: list[Commit]) -> int:
    large = {f.sha256: f.size for c in commits for f in c.files.values() if f.lfs}
    return sum(large.values())


def _popularity(animal: Animal, seed: int) -> Record:
    """Downloads and likes from a Pareto law of exponent 1.1, larger for roots."""
    draw = np.random.default_rng(own_seed(f"popularity/{animal.repo_id}", seed))
    fame = PULL.get(animal.kind, 1.0) * float(draw.pareto(1.1)) if animal.kind != "empty" else 0.0
    downloads = int(min(30 * fame, 2e7))
    return {
        "downloads": downloads,
        "downloadsAllTime": int(downloads * draw.uniform(2, 25)),
        "likes": int(fame**0.7),
        "trendingScore": int(fame**0.35 * draw.uniform(0, 1.5)),
    }


def _listed(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


class _Yaml12(yaml.SafeLoader):
    """Only true, false, null and numbers are more than strings: ``no`` stays a word."""


_Yaml12.yaml_implicit_resolvers = {
    letter: [
        (tag, re.compile("true|false", re.IGNORECASE) if tag.endswith(":bool") else pattern)
        for tag, pattern in resolvers
        if not tag.endswith(":timestamp") and not (tag.endswith(":bool") and letter not in "tTfF")
    ]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
