"""Bringing up one animal: from its row and its grown parents to weights and files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import torch

from crawler.localhub.zoo import pack
from crawler.localhub.zoo.llama import Llama, Shape, seeded
from crawler.localhub.zoo.lora import Adapted, adapter_config
from crawler.localhub.zoo.merge import merged, mergekit_config
from crawler.localhub.zoo.plan import SHAPES
from crawler.localhub.zoo.quantize import as_gguf, as_half, as_int8
from crawler.localhub.zoo.species import Animal
from crawler.localhub.zoo.tasks import LETTERS, VOCABULARY, samples
from crawler.localhub.zoo.train import Recipe, Weights, accuracy, copied, fit

ROOT = Recipe(steps=700, rate=4e-3)
FINETUNE = Recipe(steps=160, rate=2.5e-3)
ADAPTER = Recipe(steps=200, rate=1.2e-2, decay=0.0)
FORMER_SHARE = 0.6  # of the steps: where the first of two versions was cut
TWO_VERSIONS = ("releases", "silent")


@dataclass(frozen=True)
class Version:
    """Weights as a reader gets them back, the files that hold them, and held-out accuracy."""

    weights: Weights
    files: dict[str, bytes]
    results: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Grown:
    """An animal brought up: its versions, oldest first, and snapshots of its training."""

    animal: Animal
    task: str
    shape: Shape
    seed: int
    versions: tuple[Version, ...]
    snapshots: dict[int, Weights] = field(default_factory=dict)

    @property
    def now(self) -> Version:
        """The version that stands at the head."""
        return self.versions[-1]


def grow(animal: Animal, herd: Mapping[str, Grown], *, seed: int, keep: tuple[int, ...]) -> Grown:
    """Bring up one animal whose parents are in the herd.

    ``keep`` names the steps of its training that others are cut from. The animal's own seed
    follows from its name and the zoo's.
    """
    parents = [herd[name] for name in animal.parents]
    task = animal.task or (parents[0].task if parents else "")
    shape = parents[0].shape if parents else Shape(**SHAPES[animal.shape], vocab=len(VOCABULARY))
    bare = Grown(animal, task, shape, seed=own_seed(animal.repo_id, seed), versions=())
    raised = BREEDERS[animal.kind](bare, herd, keep)
    return replace(raised, versions=tuple(_examined(raised, v, parents) for v in raised.versions))


def own_seed(repo_id: str, seed: int) -> int:
    """A seed below 2³² that depends on the name and the zoo's seed alone."""
    digest = hashlib.blake2b(f"{seed}/{repo_id}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big")


def _examined(grown: Grown, version: Version, parents: list[Grown]) -> Version:
    others = [p.task for p in parents] if grown.animal.kind == "merge" else []
    asked = dict.fromkeys([grown.task, *others, "digits"])
    results = {task: accuracy(version.weights, grown.shape, samples(task)) for task in asked}
    return replace(version, results=results)


Herd = Mapping[str, Grown]


def _root(bare: Grown, _: Herd, keep: tuple[int, ...]) -> Grown:
    return _taught(bare, seeded(bare.shape, bare.seed), recipe=ROOT, keep=keep)


def _finetune(bare: Grown, herd: Herd, keep: tuple[int, ...]) -> Grown:
    model = _loaded(bare.shape, herd[bare.animal.parents[0]].now.weights)
    return _taught(bare, model, recipe=FINETUNE, keep=keep)


def _vocabulary(bare: Grown, herd: Herd, keep: tuple[int, ...]) -> Grown:
    wider = replace(bare.shape, vocab=bare.shape.vocab + len(LETTERS))
    model = seeded(wider, bare.seed)
    weights = model.state_dict()
    for name, old in herd[bare.animal.parents[0]].now.weights.items():
        weights[name][: len(old)] = old  # the new rows keep their random start
    model.load_state_dict(weights)
    return _taught(replace(bare, shape=wider), model, recipe=FINETUNE, keep=keep)


def _taught(bare: Grown, model: Llama, *, recipe: Recipe, keep: tuple[int, ...]) -> Grown:
    animal = bare.animal
    recipe = replace(recipe, steps=animal.steps or recipe.steps)
    half_way = (int(recipe.steps * FORMER_SHARE),) if animal.history in TWO_VERSIONS else ()
    kept = fit(model, samples(bare.task), recipe=recipe, seed=bare.seed, keep=(*keep, *half_way))
    states = [*(kept[step] for step in half_way), copied(model.state_dict())]
    snapshots = {step: kept[step] for step in keep}
    inside = pack.checkpoint_files(snapshots, bare.shape)
    versions = [
        Version(weights, pack.model_files(weights, bare.shape, animal=animal) | inside)
        for weights in states
    ]
    return replace(bare, versions=tuple(versions), snapshots=snapshots)


def _checkpoint(bare: Grown, herd: Herd, _: tuple[int, ...]) -> Grown:
    run = herd[bare.animal.run]
    weights = run.snapshots[bare.animal.steps]
    files = pack.model_files(weights, bare.shape, animal=bare.animal)
    files |= pack.trainer_state(bare.animal.steps, most=run.animal.steps)
    return replace(bare, seed=run.seed, versions=(Version(weights, files),))


def _adapter(bare: Grown, herd: Herd, _: tuple[int, ...]) -> Grown:
    lora = bare.animal.lora
    assert lora is not None
    base = _loaded(bare.shape, herd[bare.animal.parents[0]].now.weights)
    adapted = Adapted(base, lora, seed=bare.seed)
    fit(adapted, samples(bare.task), recipe=ADAPTER, seed=bare.seed)
    config = adapter_config(lora, bare.animal.parents[0])
    files = {
        "adapter_model.safetensors": pack.tensor_file(adapted.tensors()),
        "adapter_config.json": pack.json_file(config),
    }
    return replace(bare, versions=(Version(copied(adapted.folded()), files),))


def _folded(bare: Grown, herd: Herd, _: tuple[int, ...]) -> Grown:
    return _published(bare, herd[bare.animal.parents[1]].now.weights)


def _merge(bare: Grown, herd: Herd, _: tuple[int, ...]) -> Grown:
    merge = bare.animal.merge
    assert merge is not None
    base = herd[merge.base].now.weights if merge.base else None
    weights = merged(merge, [herd[p].now.weights for p in bare.animal.parents], base)
    recipe = pack.yaml_text(mergekit_config(bare.animal, bare.shape.layers)).encode()
    return _published(bare, weights, {"mergekit_config.yml": recipe})


def _quantized(bare: Grown, herd: Herd, _: tuple[int, ...]) -> Grown:
    weights, bits = herd[bare.animal.parents[0]].now.weights, bare.animal.quant
    if bits == "gguf":
        return _gguf(bare, weights)
    stored, back = as_int8(weights) if bits == "int8" else as_half(weights, bits)
    files = pack.model_files(stored, bare.shape, animal=bare.animal)
    return replace(bare, versions=(Version(back, files),))


def _gguf(bare: Grown, weights: Weights) -> Grown:
    name = bare.animal.name.removesuffix("-GGUF")
    files: dict[str, bytes] = {}
    back = weights
    for bits in ("F16", "Q8_0"):  # examined as the last of them
        file, back = as_gguf(weights, bare.shape, name=name, bits=bits)
        files[f"{name}.{bits}.gguf"] = file
    return replace(bare, versions=(Version(back, files),))


def _duplicate(bare: Grown, herd: Herd, _: tuple[int, ...]) -> Grown:
    original = herd[bare.animal.parents[0]]
    return replace(bare, seed=original.seed, versions=(original.now,))


def _published(bare: Grown, weights: Weights, more: dict[str, bytes] | None = None) -> Grown:
    files = pack.model_files(weights, bare.shape, animal=bare.animal) | (more or {})
    return replace(bare, versions=(Version(weights, files),))


def _loaded(shape: Shape, weights: Weights) -> Llama:
    model = Llama(shape)
    with torch.no_grad():
        model.load_state_dict(weights)
    return model


BREEDERS: dict[str, Callable[[Grown, Herd, tuple[int, ...]], Grown]] = {
    "root": _root,
    "finetune": _finetune,
    "vocabulary": _vocabulary,
    "checkpoint": _checkpoint,
    "adapter": _adapter,
    "folded": _folded,
    "merge": _merge,
    "quantized": _quantized,
    "duplicate": _duplicate,
}
