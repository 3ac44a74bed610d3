"""A shelf that holds one repo of every kind, for tests of the embedded hub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from huggingface_hub import get_session
from safetensors.numpy import save

from crawler.localhub.shelf import Commit, Repo, put_blob, write_folder

CREATED = "2022-03-02T23:29:04.000Z"
CROWD = 2300  # repos that share one creation time: three pages
WIDE = 1100  # files of one repo: two pages of a tree
README = b"---\nlicense: mit\n---\n# Base\n"
WEIGHTS = save({"w": np.arange(6, dtype=np.float32).reshape(2, 3)}, {"format": "pt"})
SHAS = [f"{n:040x}" for n in (3, 2, 1)]  # newest first


def record(repo_id: str, number: int, **fields: Any) -> dict[str, Any]:
    basic = {"_id": f"{number:024x}", "id": repo_id, "createdAt": CREATED, "private": False}
    return {**basic, "gated": False, "likes": number % 7, "tags": [], **fields}


def base_repo(blobs: Path) -> Repo:
    readme, config = put_blob(blobs, README), put_blob(blobs, b'{"model_type": "llama"}')
    weights, nested = put_blob(blobs, WEIGHTS), put_blob(blobs, b"deep")
    first = {"README.md": readme}
    second = {**first, "config.json": config, "onnx/deep/a.txt": nested}
    third = {**second, "model.safetensors": weights}
    commits = [
        Commit(
            sha,
            f"commit {sha[-1]}",
            f"2024-01-0{day}T00:00:00.000Z",
            files,
            authors=[{"user": "ada"}],
        )
        for sha, day, files in zip(SHAS, (3, 2, 1), (third, second, first), strict=True)
    ]
    refs = {
        "branches": [{"name": "main", "ref": "refs/heads/main", "targetCommit": SHAS[0]}],
        "tags": [{"name": "v1", "ref": "refs/tags/v1", "targetCommit": SHAS[1]}],
        "pullRequests": [{"name": "refs/pr/1", "ref": "refs/pr/1", "targetCommit": SHAS[2]}],
    }
    discussions = [
        {"num": n, "title": f"talk {n}", "status": "open" if n % 2 else "merged"}
        | {"isPullRequest": n % 2 == 0, "createdAt": CREATED, "author": {"name": "bo"}}
        for n in range(23, 0, -1)
    ]
    shown = record(
        "lab/base",
        1,
        author="lab",
        tags=["pytorch", "license:mit"],
        pipeline_tag="text-generation",
        library_name="transformers",
        downloads=5,
        downloadsAllTime=50,
        cardData={"license": "mit"},
        baseModels={"relation": "finetune", "models": [{"_id": "f" * 24, "id": "lab/root"}]},
        securityRepoStatus={"scansDone": True, "filesWithIssues": []},
    )
    return Repo(shown, commits, refs, discussions, ["lab/old-name"])


def shelf_repos(blobs: Path) -> list[Repo]:
    readme, weights = put_blob(blobs, README), put_blob(blobs, WEIGHTS)

    def small(repo_id: str, number: int, **fields: Any) -> Repo:
        files = {"README.md": readme, "model.safetensors": weights}
        commit = Commit(f"{number:040x}", "only", "2024-02-01T00:00:00.000Z", files)
        return Repo(record(repo_id, number, **fields), [commit])

    wide = {f"shard/{n:05}.txt": readme for n in range(WIDE)}
    crowd = [Repo(record(f"crowd/m{n}", 1000 + n)) for n in range(CROWD)]
    return [
        base_repo(blobs),
        small("lab/gated", 2, gated="manual"),
        small("lab/secret", 3, private=True),
        small("solo", 4, trendingScore=9),
        small("lab/off", 5, disabled=True),
        Repo(record("lab/wide", 6), [Commit("a" * 40, "wide", "2024-03-01T00:00:00.000Z", wide)]),
        *crowd,
    ]


def shelf_folder(path: Path) -> Path:
    write_folder(path, shelf_repos(path / "blobs"))
    return path


def pages(url: str, **params: Any) -> Iterator[list[dict[str, Any]]]:
    answer = get_session().get(url, params=params)
    yield answer.json()
    seen: set[str] = set()
    while "next" in answer.links:
        following = answer.links["next"]["url"]
        assert following not in seen
        seen.add(following)
        answer = get_session().get(following)
        yield answer.json()
