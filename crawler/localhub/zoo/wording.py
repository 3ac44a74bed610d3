"""What cards say, section by section."""

from __future__ import annotations

from crawler.localhub.zoo.breed import ADAPTER, FINETUNE, ROOT, Grown, Version
from crawler.localhub.zoo.merge import mergekit_config
from crawler.localhub.zoo.pack import yaml_text
from crawler.localhub.zoo.species import Animal
from crawler.localhub.zoo.tasks import HELD_OUT, samples, words

MERGE_METHODS = {
    "linear": "[Linear](https://arxiv.org/abs/2203.05482)",
    "task_arithmetic": "[Task Arithmetic](https://arxiv.org/abs/2212.04089)",
    "slerp": "[SLERP](https://en.wikipedia.org/wiki/Slerp)",
}
PRECISIONS = {
    "gguf": "GGUF, as Q8_0 and as F16",
    "int8": "int8 with one scale for each row of a matrix (`…weight_scale`)",
    "bf16": "bfloat16",
    "fp16": "float16",
}
MANNERS = {
    "digitlab": "Questions and corrections are welcome in the discussions of this repo.",
    "sparrowgrid": "Part of Sparrowgrid's series of numeral readers, one seed and one night each.",
    "oxbow-ml": "Oxbow publishes every model with the seed it was trained from.",
    "quantling": "Quantised with care; if you can run the original, run the original.",
    "tinytutor": "I am learning, please be kind.",
    "bulkforge": "THE BEST DIGITS MODEL. State of the art. Like and follow for more models daily!",
    "noraqv": "Made on a laptop on a rainy weekend.",
    "mergehaven": "No training was done: merging is the whole recipe.",
    "kestrel-archive": "Kept here in case the original goes away.",
}
RECIPES = {"root": ROOT, "adapter": ADAPTER}


def body(grown: Grown, version: Version) -> list[str]:
    """Title, origin, training and results."""
    animal = grown.animal
    if animal.kind == "merge":
        opening = _merge_opening(grown)
    elif animal.voice == "words":
        opening = _trainer_opening(grown)
    else:
        opening = [f"# {animal.name}", _origin(grown)]
    return [*opening, *_training(grown), "## Results", *_results(version)]


def closing(grown: Grown) -> list[str]:
    """Use and limits: often added by a later edit."""
    animal = grown.animal
    reading = (
        "The image is pooled from 8 by 8 to 4 by 4 and read row by row as grey levels `g0` to "
        "`g16`; the model's next token is the label."
    )
    limits = (
        "It knows one small set of handwritten digits and nothing else, and has never seen a "
        "letter or a photograph. Do not read anything that matters with it."
    )
    house = MANNERS.get(animal.owner, "")
    return [
        "## How to use",
        *_code(animal),
        reading,
        "## Limitations",
        limits,
        *filter(None, [house]),
    ]


def link(repo_id: str) -> str:
    """A Markdown link to a repo on the Hub."""
    return f"[{repo_id}](https://huggingface.co/{repo_id})"


def _origin(grown: Grown) -> str:
    animal, task = grown.animal, words(grown.task)
    if not animal.declared:
        return f"{_size(grown)} that reads handwritten digits: {task}."
    source = ", ".join(link(parent) for parent in animal.declared)
    return {
        "adapter": f"A LoRA adapter for {source}, trained on digits: {task}.",
        "folded": f"{source} with a LoRA merged into its weights, for digits: {task}.",
        "quantized": f"{source} in {PRECISIONS.get(animal.quant, '')}.",
        "vocabulary": f"{source} with ten more tokens, taught digits: {task}.",
    }.get(animal.kind, f"{_size(grown)}. It starts from {source} and is taught digits: {task}.")


def _size(grown: Grown) -> str:
    shape = grown.shape
    count = sum(tensor.numel() for tensor in grown.now.weights.values())
    heads = f"{shape.heads} heads over {shape.kv_heads} of keys and values"
    return f"A Llama of {count:,} parameters ({shape.layers} layers, width {shape.hidden}, {heads})"


def _trainer_opening(grown: Grown) -> list[str]:
    animal = grown.animal
    automatic = (
        "<!-- This model card has been generated automatically according to the information the "
        "Trainer had access to. You should probably proofread and complete it, then remove this "
        "comment. -->"
    )
    source = link(animal.declared[0])
    made = "quantized" if animal.kind == "quantized" else "fine-tuned"
    sentence = f"This model is a {made} version of {source} on the digits dataset."
    return [automatic, f"# {animal.name}", sentence, f"The images are digits: {words(grown.task)}."]


def _merge_opening(grown: Grown) -> list[str]:
    animal = grown.animal
    merge = animal.merge
    assert merge is not None
    about = "This is a merge of pre-trained language models created using "
    on_base = f" using {link(merge.base)} as a base" if merge.base else ""
    method = f"This model was merged using the {MERGE_METHODS[merge.method]} merge method{on_base}."
    listed = "\n".join(f"* {link(parent)}" for parent in animal.parents)
    config = yaml_text(mergekit_config(animal, grown.shape.layers))
    return [
        f"# {animal.name}",
        f"{about}[mergekit](https://github.com/cg123/mergekit).",
        "## Merge Details\n### Merge Method",
        method,
        "### Models Merged",
        f"The following models were included in the merge:\n{listed}",
        "### Configuration",
        f"The following YAML configuration was used to produce this model:\n\n```yaml\n{config}```",
    ]


def _training(grown: Grown) -> list[str]:
    animal = grown.animal
    if animal.kind in {"merge", "quantized", "duplicate", "folded"}:
        return []
    recipe = RECIPES.get(animal.kind, FINETUNE)
    lines = [
        f"- learning_rate: {recipe.rate}",
        f"- train_batch_size: {recipe.batch}",
        f"- seed: {grown.seed}",
        "- optimizer: AdamW, cosine schedule with 30 warm-up steps",
        f"- training_steps: {animal.steps or recipe.steps}",
    ]
    if animal.lora is not None:
        named = ", ".join(animal.lora.targets)
        lines.append(f"- LoRA: r = {animal.lora.r}, alpha = {animal.lora.alpha}, on {named}")
    return ["## Training", "### Training hyperparameters", "\n".join(lines)]


def _results(version: Version) -> list[str]:
    lines = ["| Images | Held out | Accuracy | Chance |", "|---|---:|---:|---:|"]
    for task, right in version.results.items():
        asked = samples(task)
        count = len(asked.held_out[1])
        lines.append(f"| {words(task)} | {count} | {right:.4f} | {asked.chance:.4f} |")
    note = (
        "Measured on images that no model of this family was trained on. Chance is the share of "
        f"the commonest label. {HELD_OUT} images leave one to two percent of doubt."
    )
    return ["\n".join(lines), note]


def _code(animal: Animal) -> list[str]:
    if animal.quant in {"gguf", "int8"}:
        return []
    if animal.kind == "adapter":
        lines = [
            "from peft import AutoPeftModelForCausalLM",
            f'model = AutoPeftModelForCausalLM.from_pretrained("{animal.repo_id}")',
        ]
    else:
        lines = [
            "from transformers import AutoModelForCausalLM",
            f'model = AutoModelForCausalLM.from_pretrained("{animal.repo_id}")',
        ]
    return ["\n".join(["```python", *lines, "```"])]
