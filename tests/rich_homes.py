"""A home in which every relation of the warehouse has rows, and every odd fate has a model."""

from __future__ import annotations

from pathlib import Path

from raw_homes import RawHome

SHA = "a" * 40
TOKEN = "hf_" + "AbCdEfGhIjKlMnOpQrStUvWxYz01234567"
BASE = {
    **{"id": "lab/base", "_id": "i1", "sha": SHA, "private": False, "gated": False},
    **{"createdAt": "2024-01-01T00:00:00.000Z", "downloads": 900, "likes": 9},
    **{"library_name": "transformers", "pipeline_tag": "text-generation"},
    "tags": ["license:apache-2.0", "en", "dataset:squad", "arxiv:1706.03762", "region:us"],
    "cardData": {"language": ["en", "de"], "datasets": "squad", "license": "apache-2.0"},
    "config": {"model_type": "llama", "architectures": ["LlamaForCausalLM"]},
    "safetensors": {"parameters": {"F32": 6}, "total": 6},
    "siblings": [{"rfilename": "README.md"}, {"rfilename": "w.safetensors"}],
    "moonPhase": "full",
}
MODELS = (
    ("lab/tuned", ["base_model:finetune:lab/base", "license:mit"], 500),
    ("lab/small", ["base_model:quantized:lab/tuned", "base_model:quantized:lab/base"], 400),
    ("lab/merged", ["base_model:merge:lab/tuned", "base_model:merge:away/ghost"], 30),
    ("odd/ring", ["base_model:odd/round", "base_model:lab/was"], 2),
    ("odd/case", ["base_model:LAB/Tuned", "base_model:gpt2"], 3),
    ("openai-community/gpt2", [], 9),
    ("lab/tuned-GGUF", ["base_model:finetune:lab/tuned"], 3),
    ("odd/round", ["base_model:odd/ring"], 1),
    ("odd/self", ["base_model:odd/self"], 0),
    ("lab/gone", [], 7),
    ("lab/shut", [], 6),
    ("lab/led", [], 5),
    ("lab/was", [], 4),
)
RENAMED = {"id": "lab/now", "_id": "lab/was", "downloads": 8, "tags": []}
FILES = [
    {
        **{"type": "file", "path": path, "size": 7, "oid": path},
        "lastCommit": {"id": "c2", "title": "Add", "date": "2025-01-02T00:00:00.000Z"},
        "securityFileStatus": {"status": "safe"},
    }
    for path in ("README.md", "config.json", "w.safetensors")
]
STRATUM = {"stratum": "all", "frame_count": 10, "sample_count": 2, "deviation": 0.5}
SAMPLE = {
    **{"sample_id": 1, "seed": 3, "drawn_at": "2026-01-01T00:00:00.000Z", "strata": []},
    **{"allocation": "proportional", "target": "log1p downloads"},
    **{"frame_count": 10, "sample_count": 2},
    "stratum": [{**STRATUM, "inclusion_probability": 0.2}],
    "members": [["lab/base", "all"], ["lab/was", "all"]],
}


def rich_home(folder: Path) -> RawHome:
    """Four days of a small hub, as raw files; nothing is built yet."""
    home = RawHome(folder)
    _write_listings(home)
    _write_files(home)
    _write_history(home)
    home.failed("probe", "lab/gone", 404, "gone", day=3, sweep_id=2)
    home.failed("probe", "lab/shut", 451, "disabled", day=3, sweep_id=2)
    home.answer("probe", "lab/led", {"id": "lab/elsewhere"}, day=3, failure="moved", sweep_id=2)
    home.journal("run", {"run_id": 1, "outcome": "complete", "failures": {"gone": 1}})
    for sweep_id in (1, 2):
        home.journal("sweep", {"sweep_id": sweep_id, "kind": "full", "outcome": "complete"})
    home.journal("sample", SAMPLE)
    return home


def _write_listings(home: RawHome) -> None:
    listed = [
        {"id": name, "_id": name, "tags": tags, "downloads": downloads, "likes": downloads}
        for name, tags, downloads in MODELS
    ]
    staying = [row for row in listed if row["id"] not in {"lab/gone", "lab/shut", "lab/was"}]
    home.listing(BASE, *listed)
    home.listing({**BASE, "downloads": 1000}, *staying, RENAMED, {"id": 7}, day=2)


def _write_files(home: RawHome) -> None:
    card = f"---\nlanguage: en\nbase_model: lab/base\n---\nA fine-tuned model. {TOKEN}\n"
    entry = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}
    finding = {"path": "w.safetensors", "level": "suspicious"}
    scans = {"scansDone": True, "filesWithIssues": [finding]}
    home.answer("card", "lab/tuned", card.encode(), path="README.md", repo_commit=SHA)
    home.answer("commit_files", "lab/base", FILES, revision=SHA)
    home.answer("security", "lab/base", {"id": "lab/base", "securityRepoStatus": scans})
    home.answer("config", "lab/base", {"vocab_size": 9}, path="config.json", revision=SHA)
    home.answer(
        "config", "lab/small", {"_name_or_path": "lab/base"}, path="config.json", revision=SHA
    )
    local = {"base_model_name_or_path": "./out/checkpoint-9"}
    home.answer("adapter_config", "lab/led", local, path="adapter_config.json", revision=SHA)
    mixed = b"models: [{model: lab/tuned}, {model: lab/small+away/lora}]"
    home.answer("mergekit_config", "lab/merged", mixed, revision=SHA)
    home.answer(
        "tensors", "lab/base", {"w": entry}, path="w.safetensors", kind="safetensors", revision=SHA
    )


def _write_history(home: RawHome) -> None:
    commits = [
        {"id": sha, "title": sha, "date": "2025-01-01T00:00:00Z", "authors": [{"user": "ada"}]}
        for sha in (SHA, "c2", "c1")
    ]
    home.answer("commits", "lab/base", commits)
    home.answer("commits", "lab/base", commits[:2], day=2, known_commit="c1")
    home.answer("commits", "lab/base", commits[:1], day=3, known_commit="gone")
    refs = [{"name": "main", "ref": "refs/heads/main", "targetCommit": SHA}]
    home.answer("refs", "lab/base", {"branches": refs})
    talk = {"num": 1, "title": "Thanks", "status": "open", "isPullRequest": False}
    home.answer("discussions", "lab/base", {"discussions": [talk]})
