"""Records and cards of a made-up hub, as its API would give them.

All but the numbers in a card follows from a model's row, so that two looks at it agree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import orjson

from benchmarks.resample.cards import CardTemplate, Digits, Facts, cut_card, cut_digits
from benchmarks.resample.commits import Histories, written_times
from benchmarks.resample.families import Ints
from benchmarks.resample.names import Names, Parents, scattered
from benchmarks.resample.population import Population
from benchmarks.resample.sources import Templates

WEIGHTS = "pytorch_model.bin"
DIGITS = 1_000_000


class Model(NamedTuple):
    """One row of the population, with its names spelled out."""

    row: int
    repo_id: str
    parents: Parents
    look: int
    body: int
    carded: bool
    license: int
    task: int
    language: int
    quantized: bool


@dataclass(frozen=True)
class Records:
    """What a hub says of its models; models are rows of the population."""

    hub: Population
    templates: Templates
    names: Names
    histories: Histories
    _cards: dict[int, CardTemplate] = field(default_factory=dict)
    _siblings: dict[int, list[str]] = field(default_factory=dict)

    def listing(self, models: Ints) -> bytes:
        """A page of the listing."""
        moving = zip(
            self.histories.newest(models),
            written_times(self.hub.modified_at[models]),
            written_times(self.hub.created_at[models]),
            self.hub.downloads[models].tolist(),
            self.hub.likes[models].tolist(),
            strict=True,
        )
        ids = self._hub_ids(models)
        keys = ("sha", "lastModified", "createdAt", "downloads", "likes")
        rows = zip(ids, self._models(models), moving, strict=True)
        return orjson.dumps(
            [
                self._record(hub_id, model, dict(zip(keys, moved, strict=True)))
                for hub_id, model, moved in rows
            ]
        )

    def cards(self, models: Ints, rng: np.random.Generator) -> list[bytes | None]:
        """README.md of each; None where there is none."""
        digits = Digits(rng.integers(48, 58, DIGITS, dtype=np.uint8).tobytes().decode())
        return [
            self._card(model).filled(self._facts(model), digits).encode() if model.carded else None
            for model in self._models(models)
        ]

    def _models(self, models: Ints) -> list[Model]:
        columns = [getattr(self.hub, name)[models].tolist() for name in Model._fields[3:]]
        names = self.names.ids(models), self.names.parents(models)
        return list(map(Model._make, zip(models.tolist(), *names, *columns, strict=True)))

    def _hub_ids(self, models: Ints) -> list[str]:
        # As the Hub's own database makes them: the time in front.
        pairs = zip(models.tolist(), self.hub.created_at[models].tolist(), strict=True)
        return [f"{seconds:08x}{scattered(row):016x}" for row, seconds in pairs]

    def _record(self, hub_id: str, model: Model, moving: dict[str, Any]) -> dict[str, Any]:
        owner, slash, _ = model.repo_id.partition("/")
        look, body = self.templates.looks[model.look], self.templates.bodies[model.body]
        traits = self._traits(model)
        named = {**traits, **_declared(model.parents)}
        return {
            "_id": hub_id,
            "id": model.repo_id,
            **({"author": owner} if slash else {}),
            **moving,
            "private": False,
            "disabled": False,
            **look.fields,
            **_varied(look.fields, model.row),
            "pipeline_tag": traits.get("pipeline_tag"),
            "tags": _tags(look.tags, traits, model.parents),
            "siblings": orjson.Fragment(self._files(model)),
            "config": orjson.Fragment(body.config),
            **({} if look.card_data is None else {"cardData": {**look.card_data, **named}}),
        }

    def _traits(self, model: Model) -> dict[str, Any]:
        looks = self.templates.looks
        found = {
            "license": looks[model.license].license,
            "pipeline_tag": looks[model.task].task,
            "language": list(looks[model.language].languages),
        }
        return {name: value for name, value in found.items() if value}

    def _files(self, model: Model) -> str:
        """The file list; long numbers in it are other ones, and quantized weights bear a name."""
        if model.body not in self._siblings:
            self._siblings[model.body] = cut_digits(self.templates.bodies[model.body].siblings)
        texts, numbers = self._siblings[model.body][::2], self._siblings[model.body][1::2]
        shift = scattered(model.row) % 1000
        shifted = [f"{int(number) + shift:0{len(number)}d}" for number in numbers]
        listed = "".join(part for pair in zip(texts, [*shifted, ""], strict=True) for part in pair)
        name = model.repo_id.rpartition("/")[2]
        return listed.replace(WEIGHTS, f"{name}.gguf") if model.quantized else listed

    def _card(self, model: Model) -> CardTemplate:
        if model.body not in self._cards:
            self._cards[model.body] = cut_card(self.templates.bodies[model.body])
        return self._cards[model.body]

    def _facts(self, model: Model) -> Facts:
        lines: list[str] = []
        for key, value in {**_declared(model.parents), **self._traits(model)}.items():
            many = isinstance(value, list)
            lines += [f"{key}:", *(f"- {one}" for one in value)] if many else [f"{key}: {value}"]
        parents = [parent for _, parent in model.parents]
        return Facts(model.repo_id, parents, "".join(line + "\n" for line in lines))


def _declared(parents: Parents) -> dict[str, Any]:
    if not parents:
        return {}
    named = [parent for _, parent in parents]
    return {"base_model": named, "base_model_relation": parents[0][0]}


def _tags(shown: list[str], traits: dict[str, Any], parents: Parents) -> list[str]:
    tags = [*shown, *traits.get("language", [])]
    tags += [traits["pipeline_tag"]] if "pipeline_tag" in traits else []
    # The Hub names each base model twice.
    tags += [f"base_model:{parent}" for _, parent in parents]
    tags += [f"base_model:{relation}:{parent}" for relation, parent in parents]
    tags += [f"license:{traits['license']}"] if "license" in traits else []
    return [*tags, "region:us"]


def _varied(fields: dict[str, Any], row: int) -> dict[str, Any]:
    used = fields.get("usedStorage")
    return {"usedStorage": used + row % 4096} if isinstance(used, int) else {}
