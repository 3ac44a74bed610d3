"""The embedded hub, asked by the Hub's own client over real HTTP."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("HF_HUB_DISABLE_XET", "1")
os.environ.setdefault("HF_HOME", str(Path(tempfile.gettempdir()) / "hubatlas-test-hf-home"))

import numpy as np
import orjson
import pytest
import zstandard
from huggingface_hub import HfApi, get_session
from huggingface_hub.errors import (
    BadRequestError,
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.hf_api import RepoFile as ListedFile
from huggingface_hub.hf_api import RepoFolder as ListedFolder
from huggingface_hub.utils import parse_ratelimit_headers
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from crawler.localhub.access import GRANTED_TOKEN, READER_TOKEN, Refusal
from crawler.localhub.catalogue import SORTABLE, Catalogue, Order
from crawler.localhub.faults import FAULTS
from crawler.localhub.history import Folder, entries
from crawler.localhub.listing import read_cursor, write_cursor
from crawler.localhub.ratelimit import WINDOW_SECONDS, Window
from crawler.localhub.recording import LEFT_TRUNCATION, open_shelf, read_recording
from crawler.localhub.running import HubNotStarted, running
from crawler.localhub.shelf import (
    Commit,
    Repo,
    Shelf,
    ShelfError,
    git_blob_id,
    put_blob,
    write_folder,
)

CREATED = "2022-03-02T23:29:04.000Z"
CROWD = 2300  # repos that share one creation time: three pages
WIDE = 1100  # files of one repo: two pages of a tree
README = b"---\nlicense: mit\n---\n# Base\n"
WEIGHTS = save({"w": np.arange(6, dtype=np.float32).reshape(2, 3)}, {"format": "pt"})
SHAS = [f"{n:040x}" for n in (3, 2, 1)]  # newest first
RECORDINGS = os.environ.get("HUBATLAS_RECORDINGS")

needs_recordings = pytest.mark.skipif(RECORDINGS is None, reason="HUBATLAS_RECORDINGS is unset")


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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shelf")
    write_folder(path, shelf_repos(path / "blobs"))
    return path


@pytest.fixture(scope="module")
def hub(folder: Path) -> Iterator[str]:
    with running(folder) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def api(hub: str) -> HfApi:
    return HfApi(endpoint=hub, token=False)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = tmp_path_factory.mktemp("recording") / "hub.jsonl.zst"
    lines = [
        {"model": {"id": "lab/with-card", "sha": "b" * 40, "likes": 1}, "card": README.decode()},
        {"model": {"id": "blank", "pipeline_tag": None}, "card": ""},
        {"model": {"id": "lab/bare"}, "card": None, "removed_at": None},
    ]
    path.write_bytes(zstandard.compress(b"\n".join(orjson.dumps(line) for line in lines)))
    with running(path) as endpoint:
        yield endpoint


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


# The list


def test_every_visible_repo_is_listed_once(api: HfApi) -> None:
    ids = [model.id for model in api.list_models(sort="created_at")]
    assert len(ids) == len(set(ids)) == CROWD + 5
    assert "lab/secret" not in ids


@pytest.mark.parametrize("limit", [1, 7, 100])
@pytest.mark.parametrize("sort", ["createdAt", "likes", "trendingScore"])
def test_pages_of_any_size_hold_each_repo_once(hub: str, limit: int, sort: str) -> None:
    url = f"{hub}/api/models"
    sizes = [len(page) for page in pages(url, search="crowd/m22", limit=limit, sort=sort)]
    ids = [m["id"] for page in pages(url, search="crowd/m22", limit=limit, sort=sort) for m in page]
    assert all(size == limit for size in sizes[:-1])
    assert sorted(ids) == sorted(f"crowd/m{n}" for n in range(CROWD) if str(n).startswith("22"))


def test_a_page_never_exceeds_a_thousand(hub: str) -> None:
    assert [len(page) for page in pages(f"{hub}/api/models", limit=5000)] == [1000, 1000, 305]


def test_a_full_last_page_leads_nowhere(hub: str) -> None:
    assert [len(page) for page in pages(f"{hub}/api/models", author="lab", limit=2)] == [2, 2]


def test_a_link_has_one_cursor_and_keeps_the_question(hub: str) -> None:
    params = {"limit": 1, "author": "lab", "expand": ["likes", "tags"]}
    second = get_session().get(f"{hub}/api/models", params=params).links["next"]["url"]
    third = get_session().get(second).links["next"]["url"]
    assert second.partition("&cursor=")[0] == third.partition("&cursor=")[0]
    assert third.startswith(f"{hub}/api/models?limit=1&author=lab&expand=likes&expand=tags&cursor=")
    assert third.count("cursor=") == 1


@given(
    values=st.lists(st.one_of(st.none(), st.integers(0, 3)), max_size=30),
    limit=st.integers(1, 8),
    descending=st.booleans(),
)
def test_a_cursor_neither_loses_nor_doubles(
    values: list[int | None], limit: int, descending: bool
) -> None:
    records = [record(f"m{n}", n) | {"likes": value} for n, value in enumerate(values)]
    order, found, cursor = Order(records, "likes"), [], None
    for _ in range(len(values) // limit + 1):
        page = list(order.after(cursor, descending=descending))[:limit]
        found += page
        if page:
            cursor = read_cursor(write_cursor(records[page[-1]], "likes"), "likes")
    assert sorted(found) == list(range(len(records)))
    likes = [-1 if values[n] is None else values[n] for n in found]
    assert likes == sorted(likes, reverse=descending)


def test_sorts_downwards_unless_told_otherwise(hub: str) -> None:
    def likes(**params: Any) -> list[int]:
        answer = get_session().get(f"{hub}/api/models", params={"sort": "likes", **params})
        return [model["likes"] for model in answer.json()]

    assert likes()[0] == likes(direction="-1")[0] == 6
    assert likes(direction="1")[0] == 0


def test_expand_shows_what_was_asked_and_is_known(hub: str) -> None:
    params = {"author": "lab", "search": "base", "expand": ["cardData", "gguf", "sha"]}
    answer = get_session().get(f"{hub}/api/models", params=params)
    shown = {"_id": f"{1:024x}", "id": "lab/base", "cardData": {"license": "mit"}, "sha": SHAS[0]}
    assert answer.json() == [shown]


def test_full_adds_siblings_and_card_data_comes_when_asked(api: HfApi) -> None:
    plain = next(iter(api.list_models(search="lab/base")))
    full = next(iter(api.list_models(search="lab/base", full=True, cardData=True)))
    assert (plain.siblings, plain.sha, plain.card_data) == (None, None, None)
    assert full.sha == SHAS[0]
    assert [one.rfilename for one in full.siblings or []][:2] == ["README.md", "config.json"]
    assert full.card_data is not None
    assert full.card_data.license == "mit"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"filter": ["license:mit", "transformers"]}, ["lab/base"]),
        ({"filter": ["license:mit", "jax"]}, []),
        ({"filter": "text-generation"}, ["lab/base"]),
        ({"pipeline_tag": "text-generation"}, ["lab/base"]),
        ({"gated": True}, ["lab/gated"]),
        ({"author": "lab"}, ["lab/base", "lab/gated", "lab/off", "lab/wide"]),
        ({"search": "SOLO"}, ["solo"]),
    ],
)
def test_filters(api: HfApi, asked: dict[str, Any], expected: list[str]) -> None:
    assert sorted(model.id for model in api.list_models(**asked)) == expected


def test_the_default_order_puts_the_trending_first(api: HfApi) -> None:
    assert next(iter(api.list_models(limit=1))).id == "solo"


@pytest.mark.parametrize(
    "params",
    [
        {"sort": "beauty"},
        {"expand": ["likes", "beauty"]},
        {"limit": "0"},
        {"limit": "many"},
        {"cursor": "?"},
        {"cursor": "eyJsaWtlcyI6MSwiX2lkIjoiMSJ9", "sort": "downloads"},
    ],
)
def test_a_list_that_cannot_be_served_is_refused(hub: str, params: dict[str, Any]) -> None:
    answer = get_session().get(f"{hub}/api/models", params=params)
    assert answer.status_code == 400
    assert answer.json()["error"] == answer.headers["x-error-message"]


@given(st.text(max_size=40))
def test_a_foreign_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(Refusal):
        read_cursor(cursor, "likes")


# One repo


def test_a_model_has_its_head_and_no_field_that_only_expand_shows(api: HfApi) -> None:
    model = api.model_info("lab/base")
    assert (model.sha, model.pipeline_tag) == (SHAS[0], "text-generation")
    assert str(model.last_modified).startswith("2024-01-03")
    assert (model.downloads_all_time, model.base_models) == (None, None)
    expanded = api.model_info("lab/base", expand=["baseModels", "downloadsAllTime"])
    assert expanded.downloads_all_time == 50
    assert expanded.base_models is not None


@pytest.mark.parametrize(
    ("revision", "sha"),
    [("main", SHAS[0]), ("v1", SHAS[1]), ("refs/pr/1", SHAS[2]), (SHAS[1], SHAS[1])],
)
def test_a_revision_has_the_files_of_its_commit(api: HfApi, revision: str, sha: str) -> None:
    model = api.model_info("lab/base", revision=revision)
    files = [one.rfilename for one in model.siblings or []]
    assert model.sha == sha
    assert ("model.safetensors" in files) == (sha == SHAS[0])
    assert ("config.json" in files) == (sha != SHAS[2])


def test_blobs_and_security_come_when_asked(api: HfApi) -> None:
    model = api.model_info("lab/base", files_metadata=True, securityStatus=True)
    files = {one.rfilename: one for one in model.siblings or []}
    assert files["README.md"].size == len(README)
    assert files["README.md"].blob_id == git_blob_id(README)
    lfs = files["model.safetensors"].lfs
    assert lfs is not None
    assert lfs.size == len(WEIGHTS)
    assert model.security_repo_status == {"scansDone": True, "filesWithIssues": []}


def test_a_name_without_an_owner_is_a_name(api: HfApi) -> None:
    assert api.model_info("solo").id == "solo"
    assert len(api.list_repo_commits("solo")) == 1


def test_commits_stand_on_the_revision_newest_first(api: HfApi) -> None:
    assert [one.commit_id for one in api.list_repo_commits("lab/base")] == SHAS
    assert [one.commit_id for one in api.list_repo_commits("lab/base", revision="v1")] == SHAS[1:]


def test_commits_come_in_pages(hub: str) -> None:
    url = f"{hub}/api/models/lab/base/commits/main"
    assert [[c["id"] for c in page] for page in pages(url, limit=2)] == [SHAS[:2], SHAS[2:]]
    assert get_session().get(url).headers["x-total-count"] == "3"


def test_refs(api: HfApi) -> None:
    refs = api.list_repo_refs("lab/base", include_pull_requests=True)
    assert [(ref.name, ref.target_commit) for ref in refs.branches] == [("main", SHAS[0])]
    assert [ref.name for ref in refs.tags] == ["v1"]
    assert [ref.target_commit for ref in refs.pull_requests or []] == [SHAS[2]]
    assert api.list_repo_refs("lab/base").pull_requests is None


def test_a_tree_lists_a_folder_or_all_below(api: HfApi) -> None:
    flat = [entry.path for entry in api.list_repo_tree("lab/base")]
    assert flat == ["README.md", "config.json", "model.safetensors", "onnx"]
    below = list(api.list_repo_tree("lab/base", "onnx", recursive=True))
    assert [entry.path for entry in below] == ["onnx/deep", "onnx/deep/a.txt"]
    assert [type(entry) for entry in below] == [ListedFolder, ListedFile]


def test_an_expanded_tree_names_the_last_change(api: HfApi) -> None:
    tree = api.list_repo_tree("lab/base", expand=True)
    changed = {entry.path: entry.last_commit.oid for entry in tree if entry.last_commit}
    expected = [SHAS[2], SHAS[1], SHAS[0], SHAS[1]]
    assert changed == dict(
        zip(["README.md", "config.json", "model.safetensors", "onnx"], expected, strict=True)
    )


@pytest.mark.parametrize(("expand", "size"), [(False, 1000), (True, 50)])
def test_a_wide_tree_comes_in_pages(hub: str, expand: bool, size: int) -> None:
    url = f"{hub}/api/models/lab/wide/tree/main"
    found = list(pages(url, recursive=True, expand=expand))
    assert {len(page) for page in found[:-1]} == {size}
    paths = [entry["path"] for page in found for entry in page]
    assert paths == ["shard", *(f"shard/{n:05}.txt" for n in range(WIDE))]


def test_tree_ids_are_gits_own(tmp_path: Path) -> None:
    # Below one folder, for the root's own id is not listed; the names tell git's order from ours.
    names = ("a.txt", "a/b.txt", "a/c/d.txt", "a-b/e.txt", "z")
    files = {f"top/{name}": name.encode() for name in names}
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    git = ["git", "-C", str(tmp_path), "-c", "core.autocrlf=false"]
    for command in (["init", "-q"], ["add", "."]):
        subprocess.run([*git, *command], check=True, capture_output=True)
    index = subprocess.run([*git, "write-tree"], check=True, capture_output=True, text=True)
    listed = [*git, "ls-tree", "-r", "-t", "--format=%(path) %(objectname)", index.stdout.strip()]
    said = subprocess.run(listed, check=True, capture_output=True, text=True).stdout.split("\n")
    stored = {name: put_blob(tmp_path / "blobs", content) for name, content in files.items()}
    ours = entries(Commit("c", "t", CREATED, stored))
    assert {f"{path} {entry.oid}" for path, entry in ours.items()} == set(filter(None, said))
    assert isinstance(ours["top/a/c"], Folder)


def test_paths_info_leaves_out_what_is_not_there(api: HfApi) -> None:
    found = api.get_paths_info("lab/base", ["README.md", "onnx", "absent"], expand=True)
    assert [type(entry) for entry in found] == [ListedFile, ListedFolder]
    assert [entry.last_commit.oid for entry in found if entry.last_commit] == [SHAS[2], SHAS[1]]


def test_paths_info_takes_json(hub: str) -> None:
    url = f"{hub}/api/models/lab/base/paths-info/v1"
    answer = get_session().post(url, json={"paths": ["README.md", "model.safetensors"]})
    assert [entry["oid"] for entry in answer.json()] == [git_blob_id(README)]
    assert get_session().post(url, json={"files": []}).status_code == 400


def test_discussions_come_in_pages_and_past_the_end_empty(api: HfApi, hub: str) -> None:
    assert [one.num for one in api.get_repo_discussions("lab/base")] == list(range(23, 0, -1))
    merged = api.get_repo_discussions("lab/base", discussion_type="pull_request")
    assert [one.num for one in merged] == list(range(22, 0, -2))
    closed = api.get_repo_discussions("lab/base", discussion_status="closed")
    assert {one.status for one in closed} == {"merged"}
    beyond = get_session().get(f"{hub}/api/models/lab/base/discussions", params={"p": 9}).json()
    assert (beyond["count"], beyond["discussions"]) == (23, [])


# Files


def test_a_small_file_is_answered_directly(api: HfApi, hub: str, tmp_path: Path) -> None:
    path = api.hf_hub_download("lab/base", "README.md", cache_dir=tmp_path)
    assert Path(path).read_bytes() == README
    answer = get_session().head(f"{hub}/lab/base/resolve/main/README.md")
    assert answer.headers["etag"] == f'"{git_blob_id(README)}"'
    assert answer.headers["x-repo-commit"] == SHAS[0]
    assert answer.headers["content-length"] == str(len(README))


def test_a_large_file_comes_from_the_cdn(api: HfApi, hub: str, tmp_path: Path) -> None:
    path = api.hf_hub_download("lab/base", "model.safetensors", cache_dir=tmp_path)
    assert Path(path).read_bytes() == WEIGHTS
    url = f"{hub}/lab/base/resolve/main/model.safetensors"
    answer = get_session().get(url, follow_redirects=False)
    assert answer.status_code == 302
    assert not answer.headers["location"].startswith(hub)
    assert answer.headers["x-linked-size"] == str(len(WEIGHTS))
    assert answer.headers["x-linked-etag"].strip('"') in answer.headers["location"]
    assert answer.headers["x-repo-commit"] == SHAS[0]


@pytest.mark.parametrize("name", ["README.md", "model.safetensors"])
@pytest.mark.parametrize(
    ("asked", "span"), [("bytes=2-5", (2, 6)), ("bytes=9-", (9, None)), ("bytes=-4", (-4, None))]
)
def test_a_range_is_kept(hub: str, name: str, asked: str, span: tuple[int, int | None]) -> None:
    whole = {"README.md": README, "model.safetensors": WEIGHTS}[name]
    url = f"{hub}/lab/base/resolve/main/{name}"
    answer = get_session().get(url, headers={"Range": asked}, follow_redirects=True)
    start, stop, _ = slice(*span).indices(len(whole))
    assert answer.status_code == 206
    assert answer.content == whole[start:stop]
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(whole)}"


@pytest.mark.parametrize("name", ["README.md", "model.safetensors"])
def test_a_range_past_the_end_is_416(hub: str, name: str) -> None:
    url = f"{hub}/lab/base/resolve/main/{name}"
    headers = {"Range": "bytes=100000-100010"}
    answer = get_session().get(url, headers=headers, follow_redirects=True)
    assert answer.status_code == 416
    assert answer.headers["content-range"].startswith("bytes */")


def test_safetensors_headers_are_read_in_ranges(api: HfApi) -> None:
    found = api.get_safetensors_metadata("lab/base")
    assert found.parameter_count == {"F32": 6}


def test_raw_is_what_git_holds(hub: str) -> None:
    pointer = get_session().get(f"{hub}/lab/base/raw/main/model.safetensors").text
    assert pointer.startswith("version https://git-lfs.github.com/spec/v1\noid sha256:")
    assert get_session().get(f"{hub}/lab/base/raw/main/README.md").content == README


def test_the_cdn_takes_no_token(hub: str) -> None:
    url = f"{hub}/lab/base/resolve/main/model.safetensors"
    target = get_session().get(url, follow_redirects=False).headers["location"]
    leaked = {"Authorization": f"Bearer {READER_TOKEN}"}
    assert get_session().get(target).status_code == 200
    assert get_session().get(target, headers=leaked).status_code == 400


# Who may see what


@pytest.mark.parametrize(
    ("call", "error", "status"),
    [
        (lambda api: api.model_info("lab/nothing"), RepositoryNotFoundError, 404),
        (lambda api: api.model_info("nobody"), RepositoryNotFoundError, 404),
        (lambda api: api.model_info("lab/secret"), RepositoryNotFoundError, 404),
        (lambda api: api.list_repo_refs("lab/nothing"), RepositoryNotFoundError, 404),
        (lambda api: api.model_info("lab/base", revision="v9"), RevisionNotFoundError, 404),
        (lambda api: api.list_repo_commits("lab/base", revision="v9"), RevisionNotFoundError, 404),
        (lambda api: list(api.list_repo_tree("lab/base", "v9")), EntryNotFoundError, 404),
        (lambda api: api.hf_hub_download("lab/base", "absent"), EntryNotFoundError, 404),
        (lambda api: api.hf_hub_download("lab/gated", "README.md"), GatedRepoError, 401),
        (
            lambda api: api.hf_hub_download("lab/gated", "README.md", token=READER_TOKEN),
            GatedRepoError,
            403,
        ),
        (lambda api: api.model_info("solo", token="hf_wrong"), HfHubHTTPError, 401),
        (lambda api: api.model_info("solo", expand=["beauty"]), BadRequestError, 400),
    ],
)
def test_refusals_are_the_librarys_own(
    api: HfApi, call: Callable[[HfApi], Any], error: type[HfHubHTTPError], status: int
) -> None:
    with pytest.raises(error) as raised:
        call(api)
    assert type(raised.value).__name__.endswith(error.__name__)
    assert raised.value.response.status_code == status


def test_gates_open_with_the_granted_token(api: HfApi, tmp_path: Path) -> None:
    assert api.model_info("lab/gated").gated == "manual"
    for name, content in (("README.md", README), ("model.safetensors", WEIGHTS)):
        path = api.hf_hub_download("lab/gated", name, token=GRANTED_TOKEN, cache_dir=tmp_path)
        assert Path(path).read_bytes() == content


def test_a_private_repo_is_there_for_the_granted_token_alone(api: HfApi) -> None:
    assert api.model_info("lab/secret", token=GRANTED_TOKEN).id == "lab/secret"
    listed = api.list_models(author="lab", token=GRANTED_TOKEN)
    assert "lab/secret" in {model.id for model in listed}
    with pytest.raises(RepositoryNotFoundError):
        api.model_info("lab/secret", token=READER_TOKEN)


def test_a_disabled_repo_keeps_its_files(hub: str) -> None:
    answer = get_session().get(f"{hub}/lab/off/resolve/main/README.md")
    assert answer.status_code == 403
    assert answer.headers["x-error-message"] == "Access to this resource is disabled."


def test_an_old_name_leads_to_the_present_one(api: HfApi, hub: str, tmp_path: Path) -> None:
    assert api.model_info("lab/old-name", revision="refs/pr/1").id == "lab/base"
    path = api.hf_hub_download("lab/old-name", "onnx/deep/a.txt", cache_dir=tmp_path)
    assert Path(path).read_bytes() == b"deep"
    url = f"{hub}/api/models/lab/old-name/revision/refs%2Fpr%2F1?blobs=1"
    answer = get_session().get(url, follow_redirects=False)
    assert answer.status_code == 307
    assert answer.headers["location"] == "/api/models/lab/base/revision/refs%2Fpr%2F1?blobs=1"


def test_whoami(api: HfApi) -> None:
    assert api.whoami(token=READER_TOKEN)["name"] == "reader"


@pytest.mark.parametrize("path", ["/", "/lab/base", "/api/datasets", "/api/models/lab/base/moods"])
def test_any_other_path_is_404_json(hub: str, path: str) -> None:
    answer = get_session().get(hub + path)
    assert answer.status_code == 404
    assert "error" in answer.json()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/models/lab/x%e2%82%ac", 404),
        ("/api/models/lab/x%0d%0aSet-Cookie:%20a", 404),
        ("/api/models?expand=x%0d%0aSet-Cookie:%20a%e2%82%ac", 400),
        ("/lab/base/resolve/main/%ff%e2%82%ac", 404),
        ("/lab/base/resolve/main/../../../etc/passwd", 404),
        ("/lab/base/resolve/main/..%2f..%2fREADME.md", 404),
    ],
)
def test_a_hostile_address_cannot_break_the_answer(hub: str, path: str, status: int) -> None:
    answer = get_session().get(hub + path)
    assert answer.status_code == status
    assert answer.json()["error"] == answer.headers["x-error-message"]
    assert "set-cookie" not in answer.headers


# Quotas and faults


def test_every_answer_tells_its_bucket(hub: str) -> None:
    for path, bucket in (
        ("/api/models?limit=1", "api"),
        ("/lab/base/resolve/main/README.md", "resolvers"),
        ("/lab/base/raw/main/absent", "pages"),
    ):
        left = parse_ratelimit_headers(get_session().get(hub + path).headers)
        assert left is not None
        assert (left.resource_type, left.window_seconds) == (bucket, 300)


def test_a_spent_quota_is_429_for_its_bucket_alone(folder: Path) -> None:
    with running(folder, api_quota=2) as endpoint:
        answers = [get_session().get(f"{endpoint}/api/models?limit=1") for _ in range(3)]
        resolved = get_session().get(f"{endpoint}/lab/base/resolve/main/README.md")
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    left = [parse_ratelimit_headers(answer.headers) for answer in answers]
    assert [one.remaining for one in left if one] == [1, 0, 0]
    assert 0 < int(answers[2].headers["retry-after"]) <= WINDOW_SECONDS
    assert resolved.status_code == 200


def test_a_window_opens_anew() -> None:
    window = Window(1)
    assert window.spend(10.0) == (True, 0, 300)
    assert window.spend(309.5) == (False, 0, 1)
    assert window.spend(310.0) == (True, 0, 300)


@pytest.mark.parametrize("mode", sorted(FAULTS))
def test_faults(folder: Path, mode: str) -> None:
    with running(folder, mode=mode) as endpoint:
        url = f"{endpoint}/api/models?limit=1000"
        answer = get_session().get(url)
        refused = get_session().get(f"{url}&expand=usedStorage").status_code
    follows = answer.links.get("next", {}).get("url")
    assert (follows is None) == (mode in {"no-link", "html"})
    assert (follows == url) == (mode == "loop-cursor")
    assert answer.headers["content-type"].startswith("text/html") == (mode == "html")
    assert refused == (400 if mode == "refuse-expand" else 200)


# Recordings


def test_a_recording_is_completed_and_nothing_is_invented(recorded: str) -> None:
    api = HfApi(endpoint=recorded, token=False)
    model = api.model_info("lab/bare")
    assert (model.author, model.sha, model.likes) == ("lab", None, None)
    assert api.model_info("blank").author is None
    answer = get_session().get(f"{recorded}/api/models/lab/bare").json()
    assert answer.keys() == {"_id", "id", "author", "createdAt"}
    assert answer["createdAt"] == LEFT_TRUNCATION
    assert len(bytes.fromhex(answer["_id"])) == 12


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("lab/with-card/resolve/main/README.md", 200, README),
        (f"lab/with-card/resolve/{'b' * 40}/README.md", 200, README),
        ("blank/resolve/main/README.md", 200, b""),
        ("lab/bare/resolve/main/README.md", 404, None),
        ("lab/with-card/resolve/v1/README.md", 404, None),
        ("lab/with-card/resolve/main/config.json", 404, None),
    ],
)
def test_a_recorded_card(recorded: str, path: str, status: int, body: bytes | None) -> None:
    answer = get_session().get(f"{recorded}/{path}")
    assert answer.status_code == status
    assert body is None or answer.content == body
    assert ("x-repo-commit" in answer.headers) == ("with-card" in path and "v1" not in path)


def test_the_history_of_a_recording_is_not_made_up(recorded: str) -> None:
    api = HfApi(endpoint=recorded, token=False)
    assert [ref.target_commit for ref in api.list_repo_refs("lab/with-card").branches] == ["b" * 40]
    assert api.list_repo_refs("blank").branches == []
    with pytest.raises(EntryNotFoundError):
        api.list_repo_commits("lab/with-card")
    with pytest.raises(EntryNotFoundError):
        list(api.list_repo_tree("lab/with-card"))


@pytest.mark.parametrize(
    ("second", "told"),
    [
        (b"{", "line 2: not JSON"),
        (b"[]", 'line 2: no {"model"'),
        (b'{"model": {"id": 3}}', 'line 2: no {"model"'),
        (b'{"model": {"id": "b"}, "card": 3}', "line 2: the card of 'b'"),
        (b'{"model": {"id": "a"}, "card": null}', "line 2: a second record of 'a'"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, second: bytes, told: str) -> None:
    path = tmp_path / "hub.jsonl"
    path.write_bytes(b'{"model": {"id": "a"}, "card": null}\n' + second + b"\n")
    with pytest.raises(ShelfError) as raised:
        read_recording(path)
    assert str(raised.value).startswith(f"{path}: {told}")
    assert "\n" not in str(raised.value)


def test_a_torn_or_absent_recording_is_told(tmp_path: Path) -> None:
    path = tmp_path / "hub.jsonl.zst"
    path.write_bytes(b"no zstandard")
    for source in (path, tmp_path / "absent.jsonl", tmp_path):
        with pytest.raises(ShelfError, match=str(source)):
            open_shelf(source)


def test_a_recording_without_its_end_is_told_and_one_in_several_frames_is_whole(
    tmp_path: Path,
) -> None:
    path = tmp_path / "hub.jsonl.zst"
    lines = [b'{"model": {"id": "o/%d"}, "card": null}\n' % n for n in range(50)]
    halves = (b"".join(lines[:20]), b"".join(lines[20:]))
    packed = b"".join(map(zstandard.ZstdCompressor().compress, halves))
    path.write_bytes(packed)
    assert len(read_recording(path).repos) == 50
    path.write_bytes(packed[:-7])
    with pytest.raises(ShelfError, match="its end is missing"):
        read_recording(path)


@pytest.mark.parametrize("field", ["id", "_id"])
def test_two_repos_of_one_name_are_refused(field: str) -> None:
    twins = [Repo(record("a", 1)), Repo(record("b", 2) | {field: record("a", 1)[field]})]
    with pytest.raises(ShelfError, match=f"the {field} "):
        Catalogue(Shelf(twins))


# Starting and ending


def test_a_busy_port_is_told_in_one_line(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(
                HubNotStarted, match=rf"^port {port} is busy; choose another with --port$"
            ),
            running(folder, port=port),
        ):
            pass


def test_an_unreadable_source_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(HubNotStarted, match=r"it has no repos\.jsonl$"), running(tmp_path):
        pass


def test_the_hub_ends_with_its_block(folder: Path) -> None:
    with running(folder) as endpoint:
        port = int(endpoint.rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        (lambda child: child.send_signal(signal.SIGINT), 130),
        (lambda child: child.terminate(), 0),
        (lambda child: child.stdin.close(), 0),
    ],
)
def test_the_child_ends_cleanly(
    folder: Path, ending: Callable[[subprocess.Popen[bytes]], None], code: int
) -> None:
    command = [sys.executable, "-m", "crawler.localhub", str(folder), "--until-stdin-ends"]
    with subprocess.Popen(
        command,
        cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        assert child.stdout.readline().startswith(b"hub http://127.0.0.1:")
        ending(child)
        assert child.wait(60) == code
        assert child.stderr.read() == b""


# Real recordings


@needs_recordings
@pytest.mark.parametrize(
    ("name", "count"), [("hub_2022_02.jsonl.zst", 24179), ("hub_2026_08.jsonl.zst", 15904)]
)
def test_a_real_recording_is_listed_whole(name: str, count: int) -> None:
    with running(Path(RECORDINGS or "") / name) as endpoint:
        found = pages(f"{endpoint}/api/models", sort="createdAt", expand=["tags", "likes"])
        ids = [model["_id"] for page in found for model in page]
    assert len(ids) == len(set(ids)) == count


@needs_recordings
def test_every_order_of_a_real_recording_is_total() -> None:
    catalogue = Catalogue(read_recording(Path(RECORDINGS or "") / "hub_2026_08.jsonl.zst"))
    for key in sorted(SORTABLE):
        assert len(set(catalogue.order(key).keys)) == len(catalogue.records)
