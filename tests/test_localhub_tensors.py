"""Headers of sharded weights and the verdicts on pickles, told by the embedded hub over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from huggingface_hub import HfApi, get_session
from safetensors.numpy import save
from shelves import record

from crawler.localhub.access import GRANTED_TOKEN
from crawler.localhub.running import running
from crawler.localhub.shelf import Commit, Repo, put_blob, write_folder

INDEX = "model.safetensors.index.json"
SHARDS = {
    "model-00001-of-00002.safetensors": {"a": np.zeros((2, 3), dtype=np.float16)},
    "model-00002-of-00002.safetensors": {"b": np.ones(5, dtype=np.float32)},
}
WHERE = {name: shard for shard, tensors in SHARDS.items() for name in tensors}
PICKLES = ["pytorch_model.bin", "deep/optimizer.pt", "notes.txt"]


def sharded(blobs: Path, repo_id: str, number: int, *, below: str = "", **fields: Any) -> Repo:
    files = {f"{below}{name}": put_blob(blobs, save(t)) for name, t in SHARDS.items()}
    index = orjson.dumps({"metadata": {"total_size": 32}, "weight_map": WHERE})
    files[f"{below}{INDEX}"] = put_blob(blobs, index)
    return Repo(record(repo_id, number, **fields), [commit(number, files)])


def commit(number: int, files: dict[str, Any]) -> Commit:
    return Commit(f"{number:040x}", "only", "2024-02-01T00:00:00.000Z", files)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("shelf")
    blobs = folder / "blobs"
    pickled = {path: put_blob(blobs, path.encode()) for path in PICKLES}
    verdict = {"scansDone": False, "filesWithIssues": [{"path": PICKLES[0], "level": "unsafe"}]}
    single = {"model.safetensors": put_blob(blobs, save(SHARDS[WHERE["a"]]))}
    repos = [
        sharded(blobs, "lab/sharded", 1),
        sharded(blobs, "lab/below", 2, below="unet/"),
        sharded(blobs, "lab/gated", 3, gated="auto"),
        Repo(record("lab/single", 4), [commit(4, single)]),
        Repo(record("lab/pickled", 5), [commit(5, pickled)]),
        Repo(record("lab/scanned", 6, securityRepoStatus=verdict), [commit(6, pickled)]),
    ]
    write_folder(folder, repos)
    with running(folder) as endpoint:
        yield endpoint


def test_one_answer_holds_the_headers_of_all_shards(hub: str) -> None:
    url = f"{hub}/api/models/lab/sharded/safetensors-metadata/{INDEX}"
    answer = get_session().get(url).json()
    assert answer["index"]["weight_map"] == WHERE
    assert answer["headers"].keys() == SHARDS.keys()
    assert answer["headers"][WHERE["a"]]["a"]["shape"] == [2, 3]
    assert answer["headers"][WHERE["b"]]["b"]["dtype"] == "F32"


def test_the_library_counts_the_same_parameters_in_it(hub: str) -> None:
    found = HfApi(endpoint=hub, token=False).get_safetensors_metadata("lab/sharded")
    assert found.parameter_count == {"F16": 6, "F32": 5}


def test_shards_lie_beside_their_index(hub: str) -> None:
    url = f"{hub}/api/models/lab/below/safetensors-metadata/unet/{INDEX}"
    assert get_session().get(url).json()["headers"].keys() == SHARDS.keys()


@pytest.mark.parametrize(
    ("repo_id", "path"),
    [
        ("lab/single", INDEX),
        ("lab/single", "model.safetensors"),
        ("lab/sharded", "model-00001-of-00002.safetensors"),
        ("lab/sharded", ""),
    ],
)
def test_there_are_headers_of_sharded_weights_alone(hub: str, repo_id: str, path: str) -> None:
    answer = get_session().get(f"{hub}/api/models/{repo_id}/safetensors-metadata/{path}")
    assert answer.status_code == 404
    assert answer.headers["x-error-code"] == "EntryNotFound"


def test_a_gate_stands_before_headers_too(hub: str) -> None:
    url = f"{hub}/api/models/lab/gated/safetensors-metadata/{INDEX}"
    granted = {"Authorization": f"Bearer {GRANTED_TOKEN}"}
    assert get_session().get(url).headers["x-error-code"] == "GatedRepo"
    assert get_session().get(url, headers=granted).status_code == 200


def test_pickles_are_suspected_where_no_verdict_is_stored(hub: str) -> None:
    url = f"{hub}/api/models/lab/pickled"
    assert "securityRepoStatus" not in get_session().get(url).json()
    told = get_session().get(url, params={"securityStatus": "true"}).json()["securityRepoStatus"]
    suspected = [{"path": path, "level": "suspicious"} for path in sorted(PICKLES[:2])]
    assert told == {"scansDone": True, "filesWithIssues": suspected}


def test_a_stored_verdict_stands(hub: str) -> None:
    url = f"{hub}/api/models/lab/scanned?securityStatus=true"
    told = get_session().get(url).json()["securityRepoStatus"]
    assert told["scansDone"] is False
    assert told["filesWithIssues"] == [{"path": PICKLES[0], "level": "unsafe"}]


@pytest.mark.parametrize(
    ("repo_id", "expected"),
    [
        ("lab/pickled", ["suspicious", "suspicious", "safe"]),
        ("lab/scanned", ["unsafe", "safe", "safe"]),
    ],
)
def test_an_expanded_tree_tells_what_is_safe(hub: str, repo_id: str, expected: list[str]) -> None:
    api = HfApi(endpoint=hub, token=False)
    listed = api.list_repo_tree(repo_id, recursive=True, expand=True)
    told = {entry.path: getattr(entry, "security", None) for entry in listed}
    assert [told[path].status for path in PICKLES] == expected
    assert told["deep"] is None
    plain = get_session().get(f"{hub}/api/models/{repo_id}/tree/main").json()
    assert not any("securityFileStatus" in entry for entry in plain)
