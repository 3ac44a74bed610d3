"""The zoo holds what its plan says, and its weights are what its truth says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load

from crawler.localhub.shelf import Commit, Repo, Shelf, git_blob_id, read_folder
from crawler.localhub.zoo import build_zoo
from crawler.localhub.zoo.breed import grow
from crawler.localhub.zoo.build import build, raise_herd
from crawler.localhub.zoo.llama import Llama, Shape, seeded
from crawler.localhub.zoo.merge import merged
from crawler.localhub.zoo.pack import tensor_file
from crawler.localhub.zoo.plan import GLYPH, NUMERAL, ROOTS, SHAPES, WIDE, ZOO
from crawler.localhub.zoo.quantize import halved
from crawler.localhub.zoo.records import front_matter
from crawler.localhub.zoo.species import KINDS, Animal, Merge
from crawler.localhub.zoo.tasks import VOCABULARY, samples
from crawler.localhub.zoo.train import Recipe, accuracy, fit, one_thread_each

Weights = dict[str, torch.Tensor]
ODDITIES = {
    "byte-identical", "undeclared", "misdeclared", "cyclic", "self-declared", "malformed-declared",
    "deleted", "parent-deleted", "renamed", "declares-former-name", "gated", "silently-replaced",
    "no-card", "broken-yaml", "duplicate-keys", "language-no", "hostile-card", "marked-up-title",
    "no-files", "no-commits", "adapter-undeclared", "licence-changed",
    "relation-misinferred",
}  # fmt: skip
EXAMINED = (
    GLYPH, NUMERAL, "digitlab/glyph-tiny-letters", "mergehaven/glyph-arithmetic",
    "bulkforge/glyph-max",
)  # fmt: skip
ADAPTERS = ("noraqv/glyph-tiny-rot90-lora-r4", "oxbow-ml/glyph-tiny-shift3-rslora-r8")
VOICES = {"card", "relation", "words", "config", "adapter_config", "mergekit", "none"}


@dataclass
class Visit:
    """The zoo opened for reading."""

    shelf: Shelf
    repos: dict[str, Repo]
    truth: dict[str, Any]

    def text(self, repo_id: str, path: str = "README.md", *, commit: int = 0) -> str:
        return self.content(repo_id, path, commit=commit).decode()

    def content(self, repo_id: str, path: str, *, commit: int = 0) -> bytes:
        return self.shelf.content(self.repos[repo_id].commits[commit].files[path]).read_bytes()

    def weights(self, repo_id: str) -> Weights:
        return load(self.content(repo_id, "model.safetensors"))

    def checkout(self, repo_id: str, folder: Path) -> Path:
        """The head of a repo as plain files."""
        for path, file in self.repos[repo_id].commits[0].files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(self.shelf.content(file).read_bytes())
        return folder

    def of_kind(self, kind: str) -> list[str]:
        return [name for name in self.repos if self.truth[name]["kind"] == kind]

    def odd(self, what: str) -> list[str]:
        return [name for name, one in self.truth.items() if what in one["odd"]]


@pytest.fixture(scope="module")
def visit(zoo: Path) -> Visit:
    shelf = read_folder(zoo / "hub")
    truth = json.loads((zoo / "truth.json").read_text())
    return Visit(shelf, {repo.id: repo for repo in shelf.repos}, truth["repos"])


def shape_of(visit: Visit, repo_id: str) -> Shape:
    config = json.loads(visit.text(repo_id, "config.json"))
    names = {
        "hidden": "hidden_size", "layers": "num_hidden_layers", "heads": "num_attention_heads",
        "kv_heads": "num_key_value_heads", "intermediate": "intermediate_size",
        "vocab": "vocab_size",
    }  # fmt: skip
    return Shape(**{ours: config[theirs] for ours, theirs in names.items()})


def heads(row: str) -> int:
    return {"q_proj": 4, "k_proj": 2}.get(row.split(".")[-2], 0)


# What is there


def test_there_are_enough_repos_of_every_kind(visit: Visit) -> None:
    kinds = Counter(visit.truth[name]["kind"] for name in visit.repos)
    assert len(visit.repos) >= 48
    assert set(kinds) == set(KINDS)
    assert kinds["root"] >= 3
    assert kinds["merge"] >= 4
    assert kinds["adapter"] >= 4
    assert {odd for one in visit.truth.values() for odd in one["odd"]} == ODDITIES
    assert {one["declared_in"] for one in visit.truth.values()} == VOICES


def test_the_truth_is_not_on_the_hub(visit: Visit, zoo: Path) -> None:
    assert [path.name for path in zoo.rglob("truth*")] == ["truth.json"]
    assert sorted(path.name for path in zoo.iterdir()) == ["hub", "truth.json"]
    truth = (zoo / "truth.json").read_bytes()
    assert all(blob.read_bytes() != truth for blob in (zoo / "hub" / "blobs").iterdir())
    # A parent that is declared nowhere is named nowhere on the hub.
    star = visit.repos["bulkforge/numeral-star"]
    assert NUMERAL not in json.dumps(star.record) + visit.text(star.id)


def test_every_blob_is_what_its_name_and_oid_say(visit: Visit) -> None:
    files = [f for repo in visit.shelf.repos for c in repo.commits for f in c.files.values()]
    for file in {file.sha256: file for file in files}.values():
        content = visit.shelf.content(file).read_bytes()
        assert len(content) == file.size
        assert file.lfs or file.oid == git_blob_id(content)
    assert visit.shelf.blobs is not None
    assert {f.sha256 for f in files} == {path.name for path in visit.shelf.blobs.iterdir()}


def test_there_are_lines_of_three_generations_below_a_root(visit: Visit) -> None:
    def depth(repo_id: str) -> int:
        return max((1 + depth(parent) for parent in visit.truth[repo_id]["parents"]), default=0)

    assert max(depth(name) for name in visit.truth) >= 3
    line = ["noraqv/glyph-tiny-rot90-noisy-inverted"]
    while visit.truth[line[-1]]["parents"]:
        line.append(visit.truth[line[-1]]["parents"][0])
    licenses = [visit.repos[name].record["cardData"]["license"] for name in reversed(line)]
    assert licenses == ["apache-2.0", "mit", "cc-by-nc-4.0", "cc-by-nc-sa-4.0"]


def test_a_child_is_younger_than_its_parents(visit: Visit) -> None:
    born = {name: repo.record["createdAt"] for name, repo in visit.repos.items()}
    for name, repo in visit.repos.items():
        parents = [p for p in visit.truth[name]["parents"] if p in born]
        assert all(born[p] < born[name] for p in parents), name
        dates = [commit.date for commit in repo.commits]
        assert dates == sorted(dates, reverse=True)
        assert not dates or dates[-1] == born[name]
    assert min(born.values()) >= "2023"
    assert "2026" < max(born.values()) < "2027"
    ties = [count for count in Counter(born.values()).values() if count > 1]
    assert 2 <= len(ties) <= 4


# What the weights are


def test_roots_read_digits_and_children_beat_chance(visit: Visit) -> None:
    for name, one in visit.truth.items():
        if one["kind"] == "root":
            assert one["accuracy"] >= 0.85, name
        elif one["kind"] != "empty":
            least = 0.05 if one["kind"] == "merge" or "soup" in name else 0.25
            assert one["accuracy"] > one["chance"] + least, name


@pytest.mark.parametrize("name", EXAMINED)
def test_the_published_file_has_the_accuracy_of_the_truth(visit: Visit, name: str) -> None:
    shape, truth = shape_of(visit, name), visit.truth[name]
    with one_thread_each():
        measured = accuracy(visit.weights(name), shape, samples(truth["task"]))
    assert measured == truth["accuracy"]


def test_a_card_says_the_measured_accuracy(visit: Visit) -> None:
    said = 0
    for name, repo in visit.repos.items():
        truth = visit.truth[name]
        if not repo.commits or "README.md" not in repo.commits[0].files:
            continue
        row = re.search(r"\| Chance \|\n.*\n\|.*?\| \d+ \| ([\d.]+) \|", visit.text(name))
        assert row is not None, name
        assert float(row[1]) == truth["card_accuracy"], name
        stale = "silently-replaced" in truth["odd"]
        assert (truth["card_accuracy"] == truth["accuracy"]) or stale, name
        said += 1
    assert said >= 60


def test_fine_tunes_stay_nearer_to_their_parent_than_to_the_other_root(visit: Visit) -> None:
    def apart(a: str, b: str) -> float:
        left, right = visit.weights(a), visit.weights(b)
        return float(sum(((left[k] - right[k]) ** 2).sum() for k in left))

    children = [n for n in visit.of_kind("finetune") if visit.truth[n]["parents"][0] == GLYPH]
    assert len(children) >= 8
    assert all(apart(n, GLYPH) < 0.5 * apart(n, NUMERAL) for n in children)
    # The one that claims the wrong root is as far from it as a stranger.
    assert apart("bulkforge/glyph-max", NUMERAL) < 0.5 * apart("bulkforge/glyph-max", GLYPH)


def test_merges_are_exactly_what_they_state(visit: Visit) -> None:
    for name in visit.of_kind("merge"):
        stated = yaml.safe_load(visit.text(name, "mergekit_config.yml"))
        found = visit.weights(name)
        expected = stated_merge(stated, visit)
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[k], expected[k]) for k in expected), name


def stated_merge(stated: dict[str, Any], visit: Visit) -> Weights:
    """A merge by its mergekit configuration alone, written apart from the code under test."""
    if stated["merge_method"] == "slerp":
        first, second = (s["model"] for s in stated["slices"][0]["sources"])
        return spherical(visit.weights(first), visit.weights(second), stated["parameters"]["t"])
    members = [(m["parameters"]["weight"], visit.weights(m["model"])) for m in stated["models"]]
    base = visit.weights(stated["base_model"]) if "base_model" in stated else None
    blend: Weights = {}
    for key in members[0][1]:
        origin = base[key].double() if base else torch.zeros(())
        terms = [weight * (w[key].double() - origin) for weight, w in members]
        share = 1.0 if base else sum(weight for weight, _ in members)
        blend[key] = (origin + sum(terms[1:], start=terms[0]) / share).float()
    return blend


def spherical(a: Weights, b: Weights, t: float) -> Weights:
    blend: Weights = {}
    for key in a:
        p, q = a[key].double(), b[key].double()
        angle = torch.arccos((p.flatten() @ q.flatten()) / (p.norm() * q.norm()))
        arc = (torch.sin((1 - t) * angle) * p + torch.sin(t * angle) * q) / torch.sin(angle)
        straight = (1 - t) * p + t * q
        blend[key] = (straight if torch.cos(angle).abs() > 0.9995 else arc).float()
    return blend


def test_an_unknown_way_to_merge_is_refused() -> None:
    one = {"w": torch.ones(2, 2)}
    with pytest.raises(ValueError, match="'dare'"):
        merged(Merge("dare", (1.0,)), [one], None)
    with pytest.raises(ValueError, match="'task_arithmetic'"):
        merged(Merge("task_arithmetic", (1.0,)), [one], None)


def test_duplicates_share_their_blobs(visit: Visit) -> None:
    def weight(name: str) -> str:
        return visit.repos[name].commits[0].files["model.safetensors"].sha256

    for name in visit.odd("byte-identical"):
        original = visit.truth[name]["parents"][0]
        assert weight(name) == weight(original)
        assert visit.repos[name].record["author"] != visit.repos[original].record["author"]
    copy, original = visit.repos["kestrel-archive/glyph-tiny"], visit.repos[GLYPH]
    assert copy.commits[0].files == original.commits[0].files


def test_the_letters_child_has_ten_more_tokens(visit: Visit) -> None:
    name = "digitlab/glyph-tiny-letters"
    child, parent = visit.weights(name), visit.weights(GLYPH)
    for tensor in ("model.embed_tokens.weight", "lm_head.weight"):
        assert len(child[tensor]) == len(parent[tensor]) + 10
    tokenizer = json.loads(visit.text(name, "tokenizer.json"))
    assert tokenizer["model"]["vocab"]["j"] == shape_of(visit, name).vocab - 1


def test_weights_were_replaced_without_a_word(visit: Visit) -> None:
    (name,) = visit.odd("silently-replaced")
    repo, truth = visit.repos[name], visit.truth[name]["replaced"]
    after, before = repo.commits[0], repo.commits[1]
    assert (truth["before"], truth["after"]) == (before.id, after.id)
    assert truth["paths"] == ["model.safetensors"]
    differ = {p for p in after.files if before.files.get(p) != after.files[p]}
    assert differ == {"model.safetensors"}
    assert repo.refs["tags"] == []
    assert visit.truth[name]["card_accuracy"] != visit.truth[name]["accuracy"]


def test_checkpoints_are_the_subfolders_of_their_run(visit: Visit) -> None:
    names = visit.of_kind("checkpoint")
    assert len(names) == 3
    for name in names:
        run, step = visit.truth[name]["run"], name.rsplit("-", 1)[1]
        inside = visit.repos[run].commits[0].files[f"checkpoint-{step}/model.safetensors"]
        assert visit.repos[name].commits[0].files["model.safetensors"] == inside
        assert json.loads(visit.text(name, "trainer_state.json"))["global_step"] == int(step)
    everyone = [*names, visit.truth[names[0]]["run"]]
    assert len({tensor_file(visit.weights(name)) for name in everyone}) == 4


def test_shards_hold_what_the_index_says(visit: Visit) -> None:
    index = json.loads(visit.text(WIDE, "model.safetensors.index.json"))
    shards = sorted(set(index["weight_map"].values()))
    assert shards == [f"model-0000{n}-of-00002.safetensors" for n in (1, 2)]
    held = {shard: load(visit.content(WIDE, shard)) for shard in shards}
    assert {name: s for s in shards for name in held[s]} == index["weight_map"]
    size = sum(tensor.nbytes for shard in held.values() for tensor in shard.values())
    assert size == index["metadata"]["total_size"]
    assert visit.repos[WIDE].record["safetensors"]["total"] == size // 4


# What others read in them


def test_transformers_loads_a_root_and_gives_the_same_logits(visit: Visit, tmp_path: Path) -> None:
    for name in (GLYPH, WIDE):
        theirs = from_transformers(visit.checkout(name, tmp_path / name))
        tokens = samples("digits").held_out[0][:64]
        ours = Llama(shape_of(visit, name))
        ours.load_state_dict(theirs.state_dict())
        with torch.no_grad():
            gap = (theirs(tokens).logits[:, -1] - ours(tokens)).abs().max()
        assert float(gap) < 1e-4


def test_transformers_reads_the_tokenizer(visit: Visit, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(visit.checkout(GLYPH, tmp_path))
    tokens = samples("digits").held_out[0][0].tolist()
    words = " ".join(VOCABULARY[token] for token in tokens[1:])
    assert tokenizer(words)["input_ids"] == tokens


# peft 0.21 asks transformers 5.23 for a property under its old name.
@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
@pytest.mark.parametrize("name", ADAPTERS)
def test_peft_loads_an_adapter_on_its_base(visit: Visit, tmp_path: Path, name: str) -> None:
    from peft import PeftModel

    config = json.loads(visit.text(name, "adapter_config.json"))
    base = from_transformers(visit.checkout(config["base_model_name_or_path"], tmp_path / "base"))
    tokens, labels = samples(visit.truth[name]["task"]).held_out
    with torch.no_grad():
        alone = base(tokens).logits[:, -1]
        adapted = PeftModel.from_pretrained(base, str(visit.checkout(name, tmp_path / "adapter")))
        logits = adapted(tokens).logits[:, -1]
    right = float((logits.argmax(-1) == labels).float().mean())
    assert right == pytest.approx(visit.truth[name]["accuracy"], abs=0.005)
    assert right > float((alone.argmax(-1) == labels).float().mean()) + 0.1
    assert config["use_rslora"] == ("rslora" in name)


def from_transformers(folder: Path) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder).eval()


def test_a_folded_adapter_is_base_plus_adapter(visit: Visit) -> None:
    (name,) = visit.of_kind("folded")
    base_id, adapter_id = visit.truth[name]["parents"]
    adapter = load(visit.content(adapter_id, "adapter_model.safetensors"))
    config = json.loads(visit.text(adapter_id, "adapter_config.json"))
    base, folded = visit.weights(base_id), visit.weights(name)
    for key, before in base.items():
        stem = f"base_model.model.{key.removesuffix('.weight')}"
        if f"{stem}.lora_A.weight" in adapter:
            product = adapter[f"{stem}.lora_B.weight"] @ adapter[f"{stem}.lora_A.weight"]
            before = before + config["lora_alpha"] / config["r"] * product  # noqa: PLW2901
        torch.testing.assert_close(folded[key], before, atol=1e-6, rtol=1e-5)


def test_the_gguf_reader_reads_a_quantized_child_back(visit: Visit, tmp_path: Path) -> None:
    name = "quantling/glyph-tiny-GGUF"
    folder = visit.checkout(name, tmp_path)
    parent = visit.weights(GLYPH)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, 2)
    for bits, step in (("Q8_0", 1 / 127), ("F16", 1e-3)):
        reader = gguf.GGUFReader(folder / f"glyph-tiny.{bits}.gguf")
        found = {t.name: t for t in reader.tensors}
        assert len(found) == len(parent)
        for key, values in parent.items():
            tensor = found[names.get_name(key, try_suffixes=(".weight",))]
            rows = gguf.dequantize(tensor.data, tensor.tensor_type).reshape(values.shape)
            back = halved(rows, heads(key)) if heads(key) else rows
            assert np.abs(back - values.numpy()).max() <= step * float(values.abs().max())
        assert reader.get_field("general.architecture").contents() == "llama"
        assert reader.get_field("llama.attention.head_count_kv").contents() == 2


def test_transformers_reads_the_gguf_as_its_parent(visit: Visit, tmp_path: Path) -> None:
    # Rows of q and k in the wrong order would pass our own reader and fail here.
    from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint

    folder = visit.checkout("quantling/glyph-tiny-GGUF", tmp_path)
    model = Llama(shape_of(visit, GLYPH))
    with torch.device("meta"):
        hollow = transformers_llama(visit)
    read = load_gguf_checkpoint(
        str(folder / "glyph-tiny.F16.gguf"), return_tensors=True, model_to_load=hollow
    )["tensors"]
    model.load_state_dict({k: v.float() for k, v in read.items()})
    for key, values in visit.weights(GLYPH).items():
        torch.testing.assert_close(model.state_dict()[key], values, atol=2e-3, rtol=0)


def transformers_llama(visit: Visit) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(LlamaConfig(**json.loads(visit.text(GLYPH, "config.json"))))


def test_int8_rows_and_halves_stand_for_the_parent(visit: Visit) -> None:
    whole = {k: v for n in (1, 2) for k, v in load(
        visit.content(WIDE, f"model-0000{n}-of-00002.safetensors")).items()}  # fmt: skip
    small = visit.weights("quantling/wide-digits-int8")
    for key, values in whole.items():
        read = small[key].float() * small.get(f"{key}_scale", torch.ones(()))
        assert float((read - values).abs().max()) <= float(values.abs().max()) / 250
    assert visit.repos["quantling/wide-digits-int8"].record["safetensors"]["parameters"]["I8"]
    half = visit.weights("quantling/glyph-tiny-bf16")
    assert all(torch.equal(half[k], v.bfloat16()) for k, v in visit.weights(GLYPH).items())


# What the repos say


def test_tags_carry_each_declared_edge_twice(visit: Visit) -> None:
    for name, repo in visit.repos.items():
        front, tags = repo.record.get("cardData", {}), repo.record["tags"]
        bases = front.get("base_model", [])
        for base in [bases] if isinstance(bases, str) else bases:
            typed = [t for t in tags if re.fullmatch(rf"base_model:\w+:{re.escape(base)}", t)]
            assert f"base_model:{base}" in tags
            assert len(typed) == 1
            if "relation" in visit.truth[name]["declared_in"]:
                assert typed == [f"base_model:{front['base_model_relation']}:{base}"]
        assert bases or not any(t.startswith("base_model:") for t in tags), name
        assert tags[-1] == "region:us"
    assert (
        "base_model:quantized:mergehaven/glyph-soup-linear"
        in (visit.repos["quantling/glyph-soup-linear-GGUF"].record["tags"])
    )
    adapter = visit.repos["oxbow-ml/wide-digits-inverted-lora-r4"].record["tags"]
    assert {"peft", f"base_model:adapter:{WIDE}", "license:apache-2.0"} <= set(adapter)


def test_each_voice_declares_in_its_own_place(visit: Visit) -> None:
    for name, repo in visit.repos.items():
        truth = visit.truth[name]
        if truth["declared_in"] in {"words", "mergekit"}:
            assert "base_model" not in repo.record["cardData"]
            assert all(f"[{p}](https://huggingface.co/{p})" in visit.text(name)
                       for p in truth["declared"])  # fmt: skip
        elif truth["declared_in"] == "config":
            assert json.loads(visit.text(name, "config.json"))["_name_or_path"] == NUMERAL
            assert "base_model" not in repo.record["cardData"]
        elif truth["declared_in"] == "adapter_config":
            config = json.loads(visit.text(name, "adapter_config.json"))
            assert [config["base_model_name_or_path"]] == truth["declared"]
            assert "base_model" not in repo.record["cardData"]
    sentence = f"This model is a fine-tuned version of [{GLYPH}](https://huggingface.co/{GLYPH})"
    assert f"{sentence} on the digits dataset." in visit.text("tinytutor/glyph-tiny-mirror")


def test_odd_declarations_are_odd(visit: Visit) -> None:
    def claims(name: str) -> str:
        return str(visit.repos[name].record["cardData"]["base_model"])

    ring = visit.odd("cyclic")
    assert {claims(name) for name in ring} == set(ring)
    assert all(claims(name) != name for name in ring)
    (loop,) = visit.odd("self-declared")
    assert claims(loop) == loop
    (path,) = visit.odd("malformed-declared")
    assert claims(path).startswith("./")
    (orphan,), (deleted,) = visit.odd("parent-deleted"), visit.odd("deleted")
    assert claims(orphan) == deleted
    assert deleted not in visit.repos
    (renamed,), (child,) = visit.odd("renamed"), visit.odd("declares-former-name")
    assert [claims(child)] == visit.repos[renamed].former_ids
    assert visit.truth[child]["parents"] == [renamed]
    assert {visit.repos[n].record["gated"] for n in visit.odd("gated")} == {"auto", "manual"}
    assert all(claims(n) not in visit.truth[n]["parents"] for n in visit.odd("misdeclared"))
    for name in visit.odd("relation-misinferred"):
        assert visit.truth[name]["kind"] == "quantized"
        assert f"base_model:finetune:{claims(name)}" in visit.repos[name].record["tags"]


def test_odd_cards_are_odd(visit: Visit) -> None:
    (broken,) = visit.odd("broken-yaml")
    assert visit.text(broken).startswith("---\n")
    assert "cardData" not in visit.repos[broken].record
    (doubled,) = visit.odd("duplicate-keys")
    assert visit.text(doubled).count("\nlicense: ") == 2
    assert visit.repos[doubled].record["cardData"]["license"] == "apache-2.0"
    (norsk,) = visit.odd("language-no")
    assert "\nlanguage: no\n" in visit.text(norsk)
    assert visit.repos[norsk].record["cardData"]["language"] == "no"
    assert "no" in visit.repos[norsk].record["tags"]
    assert "<script>" in visit.text(visit.odd("hostile-card")[0])
    title = re.search(r"^# (.*)$", visit.text(visit.odd("marked-up-title")[0]), re.MULTILINE)
    assert title is not None
    assert "onmouseover" in title[1]
    for name in visit.odd("no-card"):
        assert all("README.md" not in commit.files for commit in visit.repos[name].commits)
        assert "cardData" not in visit.repos[name].record
    (empty,) = visit.odd("no-files")
    assert set(visit.repos[empty].commits[0].files) == {".gitattributes"}
    assert visit.repos[visit.odd("no-commits")[0]].commits == []


def test_front_matter_reads_by_yaml_1_2() -> None:
    text = "---\non: yes\nlanguage: no\nmade: 2024-01-02\ngood: true\nn: 3\n---\n\nText\n"
    expected = {"on": "yes", "language": "no", "made": "2024-01-02", "good": True, "n": 3}
    assert front_matter(text) == expected
    assert front_matter("no front matter") is None
    assert front_matter("---\nunclosed: [\n---\n") is None
    assert front_matter("---\njust a sentence\n---\n") is None


def test_refs_and_talk_point_at_what_is_there(visit: Visit) -> None:
    for repo in visit.shelf.repos:
        ids = {commit.id for commit in repo.commits}
        refs = [ref for listed in repo.refs.values() for ref in listed]
        assert all(ref["targetCommit"] in ids for ref in refs)
        assert len(ids) == len(repo.commits)
    glyph = visit.repos[GLYPH]
    assert [ref["name"] for ref in glyph.refs["tags"]] == ["v1.0", "v1.1"]
    assert [ref["ref"] for ref in glyph.refs["pullRequests"]] == ["refs/pr/1"]
    (pull,) = [d for d in glyph.discussions if d["isPullRequest"]]
    assert pull["num"] == 1
    (merged_as,) = glyph.refs["pullRequests"]
    commit = next(c for c in glyph.commits if c.id == merged_as["targetCommit"])
    assert pull["createdAt"] < commit.date
    assert commit.title.endswith("(#1)")
    assert sorted(d["num"] for d in glyph.discussions) == [1, 2, 3, 4]
    weights = {tag: tagged(glyph, tag).files["model.safetensors"] for tag in ("v1.0", "v1.1")}
    assert weights["v1.0"] != weights["v1.1"]
    licenses = [c.files["README.md"] for c in visit.repos[NUMERAL].commits[:2]]
    first, second = (visit.shelf.content(file).read_text() for file in reversed(licenses))
    assert ("license: apache-2.0" in first, "license: mit" in second) == (True, True)


def tagged(repo: Repo, tag: str) -> Commit:
    (target,) = [ref["targetCommit"] for ref in repo.refs["tags"] if ref["name"] == tag]
    return next(commit for commit in repo.commits if commit.id == target)


def test_records_agree_with_their_files(visit: Visit) -> None:
    assert len({repo.record["_id"] for repo in visit.shelf.repos}) == len(visit.repos)
    for repo in visit.shelf.repos:
        record = repo.record
        assert re.fullmatch("[0-9a-f]{24}", record["_id"])
        assert record["downloadsAllTime"] >= record["downloads"] >= 0
        lfs = {f.sha256: f.size for c in repo.commits for f in c.files.values() if f.lfs}
        assert record["usedStorage"] == sum(lfs.values())
    for name in (GLYPH, "quantling/glyph-tiny-bf16"):
        count = sum(tensor.numel() for tensor in visit.weights(name).values())
        assert visit.repos[name].record["safetensors"]["total"] == count
        assert visit.repos[name].record["config"]["architectures"] == ["LlamaForCausalLM"]
    gguf_record = visit.repos["quantling/glyph-tiny-GGUF"].record["gguf"]
    assert gguf_record["total"] == visit.repos[GLYPH].record["safetensors"]["total"]
    assert gguf_record["architecture"] == "llama"


# How it is built


def test_the_plan_is_in_order_and_its_words_are_known() -> None:
    seen: set[str] = set()
    for animal in ZOO:
        assert animal.repo_id not in seen
        assert animal.kind in KINDS
        assert animal.voice in VOICES
        assert set(animal.odd) <= ODDITIES
        seen.add(animal.repo_id)
    with pytest.raises(ValueError, match="no parents for"):
        raise_herd((Animal("a/b", "finetune", ("a/gone",), "2024-01-01", task="digits"),), seed=0)


def test_the_same_seed_gives_the_same_bytes() -> None:
    shape = Shape(**SHAPES["tiny"], vocab=len(VOCABULARY))

    def trained(seed: int) -> bytes:
        model = seeded(shape, seed)
        with one_thread_each():
            fit(model, samples("digits"), recipe=Recipe(steps=25, rate=3e-3), seed=seed)
        return tensor_file(model.state_dict())

    assert trained(3) == trained(3)
    assert trained(3) != trained(4)


def test_the_zoo_grows_a_root_again_to_the_byte(visit: Visit) -> None:
    # In another run, beside other work: the published file itself is the known answer.
    with one_thread_each():
        again = grow(ROOTS[1], {}, seed=0, keep=())
    assert again.now.files["model.safetensors"] == visit.content(NUMERAL, "model.safetensors")


def test_torch_keeps_its_threads_and_stays_out_of_the_package() -> None:
    before = torch.get_num_threads()
    with one_thread_each():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
    code = "import crawler.localhub.zoo, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_zoo_is_not_built_over_another(zoo: Path) -> None:
    with pytest.raises(FileExistsError, match=re.escape(str(zoo))):
        build_zoo(zoo)


SMALL = (
    Animal("a/root", "root", (), "2024-01-01", task="digits", shape="tiny", steps=12),
    Animal("a/child", "finetune", ("a/root",), "2024-02-01", task="rot90", steps=6),
    Animal("b/copy", "duplicate", ("a/root",), "2024-03-01", voice="none"),
)


def test_a_build_repeats_itself_file_by_file(tmp_path: Path) -> None:
    steps: list[tuple[int, int, str]] = []
    for name in ("one", "two"):
        build(tmp_path / name, seed=5, plan=SMALL, on_step=lambda *step: steps.append(step))
    build(tmp_path / "other", seed=6, plan=SMALL)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")
    assert tree(tmp_path / "one").keys() != tree(tmp_path / "other").keys()
    assert [step[:2] for step in steps] == [(1, 3), (2, 3), (3, 3)] * 2
    assert {label for _, _, label in steps} == {animal.repo_id for animal in SMALL}


def tree(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_an_interrupted_build_leaves_no_zoo_and_can_be_taken_up(tmp_path: Path) -> None:
    def stop(done: int, total: int, label: str) -> None:
        if done == total:
            raise KeyboardInterrupt(label)

    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "zoo", seed=0, plan=SMALL, on_step=stop)
    assert not (tmp_path / "zoo").exists()
    leftover = tmp_path / "zoo.part" / "hub" / "blobs" / "half"
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"cut off")
    build(tmp_path / "zoo", seed=0, plan=SMALL)
    assert len(read_folder(tmp_path / "zoo" / "hub").repos) == 3
    assert not (tmp_path / "zoo" / "hub" / "blobs" / "half").exists()
    assert not (tmp_path / "zoo.part").exists()
