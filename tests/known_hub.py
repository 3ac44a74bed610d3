"""A small hub of which everything is known: what the named queries are asked about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from raw_homes import RawHome

LLAMA = {"config": {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}}
BIG = 7_000_000_000
SHA256 = "f" * 64
ZOO = ((0, "a", "b"), (1, "b", "c"), (2, "c", "a"))
TENSORS = {
    "a": {"dtype": "BF16", "shape": [10], "data_offsets": [0, 20]},
    "b": {"dtype": "F32", "shape": [5, 6], "data_offsets": [20, 140]},
}
ENGLISH = "---\nlicense: mit\n---\nok"
SENTENCE = "A fine-tuned version of [b](https://huggingface.co/big/base) on digits."


def record(
    repo_id: str,
    number: int,
    created: str,
    downloads: int,
    *,
    bases: tuple[str, ...] = (),
    license: str | None = None,  # noqa: A002
    tags: tuple[str, ...] = (),
    total: int | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """A listed record; bases are tags without their prefix."""
    named = [f"base_model:{base}" for base in bases] + ([f"license:{license}"] if license else [])
    shown = {
        **{"id": repo_id, "_id": f"i{number}", "createdAt": f"{created}T00:00:00.000Z"},
        **{"downloads": downloads, "downloadsAllTime": downloads * 10, "likes": number},
        **{"gated": False, "tags": [*named, *tags], "lastModified": f"{created}T00:00:00.000Z"},
    }
    return shown | ({"safetensors": {"total": total}} if total else {}) | fields


def known_hub(folder: Path) -> RawHome:
    """Models listed on 1 January, on the 20th or both, some gone since, and what is told of them.

    Wherever a query ranks, what comes first by rank comes later by name.
    """
    home = RawHome(folder)
    home.listing(*_earlier(), day=1)
    home.listing(*_records(), *_more(), day=20)
    _answers(home)
    _histories(home)
    _journals(home)
    return home


def _records() -> list[dict[str, Any]]:
    text = {"pipeline_tag": "text-generation", "library_name": "transformers"}
    base = record("big/base", 1, "2025-10-05", 5000, license="apache-2.0", total=BIG, **LLAMA)
    files = [{"rfilename": "model.safetensors", "size": 200_000_000, "lfs": {"sha256": SHA256}}]
    return [
        base
        | text
        | {
            "usedStorage": 14_000,
            "siblings": [*files, {**files[0], "rfilename": "twin.safetensors"}],
        },
        record("big/new", 2, "2022-03-02", 2000, siblings=[{"rfilename": "pytorch_model.bin"}])
        | {"usedStorage": 1_000},
        record(
            *("ada/one", 3, "2025-12-10", 300),
            **{"bases": ("finetune:big/base",), "license": "mit", "total": BIG},
            **LLAMA,
            siblings=[{**files[0], "rfilename": "copy.safetensors"}],
            cardData={"language": "fr"},
            usedStorage=500,
        )
        | text,
        record(
            *("bob/two", 4, "2026-01-05", 200),
            **{"bases": ("finetune:big/base",), "license": "apache-2.0", "total": BIG},
            **LLAMA,
            tags=("dataset:squad",),
            library_name="diffusers",
        ),
        record(
            *("ada/closed", 5, "2026-01-06", 150),
            **{"bases": ("finetune:big/base",), "license": "cc-by-nc-4.0", "total": BIG},
            **LLAMA,
            tags=("dataset:squad", "dataset:own"),
            cardData={"language": ["fr", "de"]},
        ),
        record(
            *("quant/gguf", 6, "2025-10-07", 900),
            **{"bases": ("quantized:big/base",), "license": "apache-2.0"},
            gguf={"total": BIG},
            gated="auto",
            siblings=[{"rfilename": "q4.gguf"}, {"rfilename": "d.bin"}],
        ),
        record("eve/adapter", 7, "2025-12-20", 10, bases=("adapter:ada/one",), gated="manual"),
        record("eve/merge", 8, "2026-01-08", 20, bases=("merge:ada/one", "merge:bob/two")),
        record("kid/orphan", 9, "2025-12-01", 40, bases=("finetune:lost/parent",), license="mit"),
        record("kid/ghostly", 10, "2025-12-02", 30, bases=("finetune:gone/ghost",)),
        record("ring/a", 11, "2025-11-01", 1, bases=("finetune:ring/b",)),
        record("ring/b", 12, "2025-11-02", 2, bases=("finetune:ring/a",)),
        record("eve/prose", 13, "2025-11-03", 5, total=50),
        record(
            *("eve/torn", 14, "2025-11-04", 6),
            total=40,
            bases=("finetune:ada/one", "finetune:eve/torn"),
            cardData={"base_model": ["ada/one", "eve/torn"], "base_model_relation": "adapter"},
            likes="some",
            moonPhase="new",
        ),
        {"id": "bad id"},
        {"id": "bad too"},
    ]


def _more() -> list[dict[str, Any]]:
    ghostly = {"bases": ("quantized:zed/ghost",)}
    lfs = {"size": 150_000_000, "lfs": {"sha256": "e" * 64}}
    alike = [{"rfilename": "w.safetensors", **lfs}]
    unknown = [{"rfilename": "large.txt", "size": 500_000_000}]
    named = {"base_model": "zed/ghost", "base_model_relation": "merge"}
    return [
        record("abe/small", 20, "2024-01-01", 1500, siblings=_files("m.ckpt", "training_args.bin")),
        record("abe/orphan", 21, "2025-12-03", 3, bases=("finetune:lost/parent",), total=10),
        record("kid/z1", 22, "2025-10-20", 1, **ghostly, siblings=alike),
        record("kid/z2", 23, "2025-10-20", 1, **ghostly, siblings=alike),
        record(
            *("kid/z3", 24, "2025-10-20", 400),
            **{"bases": ("quantized:big/base",), "license": "mit", "total": BIG},
            **LLAMA,
            siblings=[*_files("a.pt", "m.onnx"), *unknown],
        ),
        record(
            *("kid/z4", 25, "2025-10-20", 1),
            **ghostly,
            siblings=[*_files("c.bin", "f.msgpack"), *unknown],
        ),
        record(
            *("kid/z5", 26, "2025-10-20", 1),
            bases=("quantized:big/new",),
            siblings=_files("b.pth", "h.h5"),
        ),
        record(
            *("kid/z6", 27, "2025-12-01", 1),
            bases=("quantized:bob/two",),
            siblings=_files("README.md"),
        ),
        *(
            record(f"zoo/{a}", 30 + n, "2025-11-05", 1, bases=(f"finetune:zoo/{b}",))
            for n, a, b in ZOO
        ),
        record("ada/torn", 34, "2025-11-06", 1, bases=("adapter:zed/ghost",), cardData=named),
        record("eve/m2", 35, "2025-11-07", 1, bases=("merge:big/base", "merge:eve/merge")),
        record("eve/m3", 36, "2025-11-07", 1, bases=("merge:big/base", "merge:eve/merge")),
        record("zed/deep", 37, "2025-11-07", 1, bases=("finetune:eve/merge",)),
        record("kid/both", 38, "2025-11-07", 1, bases=("finetune:abe/small", "adapter:ring/a")),
        record("kid/lone", 39, "2026-01-11", 1, siblings=_files("training_args.bin"))
        | {"moonPhase": "full"},
        record("kid/new", 40, "2026-01-10", 1, bases=("finetune:abe/small",)),
        record("ada/more", 41, "2025-11-08", 1, bases=("finetune:big/base",), license="mit"),
        record(
            *("zed/three", 42, "2025-11-09", 250),
            **{"bases": ("finetune:big/base",), "license": "mit", "total": BIG},
            **LLAMA,
        ),
        record("kid/shut", 43, "2025-11-10", 1, bases=("finetune:shut/parent",)),
    ]


def _files(*paths: str) -> list[dict[str, Any]]:
    return [{"rfilename": path} for path in paths]


def _earlier() -> list[dict[str, Any]]:
    return [
        record("big/base", 1, "2025-10-05", 4600),
        record("big/old", 2, "2022-03-02", 1970),
        record("quant/gguf", 6, "2025-10-07", 880),
        record("lost/parent", 15, "2025-09-01", 70, license="gpl-3.0"),
        record("off/model", 16, "2025-09-02", 90),
        record("shy/late", 17, "2025-09-03", 8),
        record(
            *("lost/second", 18, "2023-01-01", 5000),
            **{"bases": ("finetune:big/base",), "license": "apache-2.0", "total": BIG},
            **LLAMA,
            gated="manual",
            siblings=_files("gone.bin"),
        ),
        record("shut/parent", 19, "2025-09-04", 60),
        record("aaa/was", 20, "2024-01-01", 1400),
    ]


def _answers(home: RawHome) -> None:
    home.failed("probe", "lost/parent", 404, "gone", day=19)
    home.failed("probe", "lost/second", 404, "gone", day=19)
    home.failed("probe", "off/model", 451, "disabled", day=19)
    home.failed("probe", "shut/parent", 403, "access", day=19, error_code="GatedRepo")
    home.answer("card", "big/base", ENGLISH.encode(), day=20)
    home.answer("card", "ada/one", b"four", day=20)
    home.answer("card", "kid/both", b"several ways", day=20)
    for repo_id in ("eve/prose", "zed/three"):
        home.answer("card", repo_id, SENTENCE.encode(), day=20)
    home.answer("card", "ada/more", SENTENCE.replace("big/base", "big/ghost").encode(), day=20)
    finding = {"path": "pytorch_model.bin", "level": "unsafe"}
    scan = {"scansDone": True, "filesWithIssues": [finding, {"path": "x.pkl", "level": "caution"}]}
    home.answer("security", "big/new", {"id": "big/new", "securityRepoStatus": scan}, day=20)
    one = {"securityRepoStatus": {"scansDone": True, "filesWithIssues": [finding]}}
    home.answer("security", "abe/small", one, day=20)
    home.answer(
        *("commit_files", "big/new"),
        [_scanned("pytorch_model.bin", "unsafe"), _scanned("x.pkl", "safe")],
        day=20,
    )
    home.answer("commit_files", "abe/small", [_scanned("m.ckpt", "suspicious")], day=20)
    for repo_id, path in [
        *(("eve/prose", "one.safetensors"), ("eve/prose", "two.safetensors")),
        *(("eve/prose", "deep/three.safetensors"), ("eve/torn", "model.safetensors")),
        ("abe/orphan", "model.safetensors"),
    ]:
        home.answer("tensors", repo_id, TENSORS, path=path, kind="safetensors", day=20)


def _scanned(path: str, status: str) -> dict[str, Any]:
    return {
        **{"path": path, "size": 5, "oid": "1", "type": "file"},
        "securityFileStatus": {"status": status},
    }


def _histories(home: RawHome) -> None:
    home.answer("commits", "big/base", _commits("c", "b", "a"), day=16)
    home.answer("commits", "big/base", _commits("d"), day=17, known_commit="c")
    home.answer("commits", "big/base", _commits("h", "f", "e"), day=18, known_commit="d")
    home.answer("commits", "ada/one", _commits("g"), day=20)
    home.answer("commits", "bob/two", _commits("b"), day=18)
    home.answer("commits", "bob/two", _commits("k"), day=20, known_commit="b")
    talks = [
        {"num": 1, "status": "open", "isPullRequest": False},
        {"num": 2, "status": "closed", "isPullRequest": False},
        {"num": 3, "status": "merged", "isPullRequest": True},
        {"num": 4, "status": "closed", "isPullRequest": True},
        {"num": 5, "status": "merged", "isPullRequest": True},
        {"num": 6, "status": "draft", "isPullRequest": True},
    ]
    dated = [{**talk, "title": "t", "createdAt": "2026-01-02T00:00:00.000Z"} for talk in talks]
    home.answer("discussions", "big/base", {"discussions": dated}, day=20)
    fewer = [{**talk, "isPullRequest": True} for talk in dated[:3]]
    home.answer("discussions", "abe/small", {"discussions": fewer}, day=20)


def _commits(*shas: str) -> list[dict[str, str]]:
    days = {"a": 1, "b": 2, "c": 3, "d": 4, "e": 4, "f": 5, "g": 5, "h": 8, "k": 9}
    return [{"id": s, "title": s, "date": f"2026-01-{days[s]:02d}T00:00:00.000Z"} for s in shas]


def _journals(home: RawHome) -> None:
    for number in (1, 2):
        costs = {
            **{"run_id": number, "outcome": "complete", "request_count": 30},
            **{"query_file_count": number, "listed_count": 14, "answered_count": 9},
            "started_at": "2026-01-20T00:00:00.000Z",
            "ended_at": f"2026-01-20T00:0{number}:30.000Z",
        }
        home.journal("run", costs)
    strata = [
        {"stratum": "popular", "frame_count": 2, "sample_count": 2, "inclusion_probability": 1.0},
        {"stratum": "other", "frame_count": 12, "sample_count": 4, "inclusion_probability": 1 / 3},
        {"stratum": "rare", "frame_count": 4, "sample_count": 1, "inclusion_probability": 0.25},
    ]
    others = ("ada/one", "bob/two", "eve/prose", "kid/orphan")
    members = [
        *(["big/base", "popular"], ["big/new", "popular"], ["ring/a", "rare"]),
        *([repo_id, "other"] for repo_id in others),
    ]
    home.journal("sample", {"sample_id": 1, "stratum": strata, "members": members})
    home.journal("sample", {"sample_id": 0, "stratum": strata, "members": members[:1]})
