"""The embedded hub, asked by the Hub's own client over real HTTP."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("HF_HUB_DISABLE_XET", "1")
os.environ.setdefault("HF_HOME", str(Path(tempfile.gettempdir()) / "hubatlas-test-hf-home"))

import pytest
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
from hypothesis import given
from hypothesis import strategies as st
from shelves import CREATED, CROWD, README, SHAS, WEIGHTS, WIDE, pages, record, shelf_folder

from crawler.localhub.access import GRANTED_TOKEN, READER_TOKEN, Refusal
from crawler.localhub.catalogue import Order, sort_key
from crawler.localhub.history import Folder, entries
from crawler.localhub.listing import read_cursor, write_cursor
from crawler.localhub.running import running
from crawler.localhub.shelf import (
    Commit,
    git_blob_id,
    put_blob,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shelf_folder(tmp_path_factory.mktemp("shelf"))


@pytest.fixture(scope="module")
def hub(folder: Path) -> Iterator[str]:
    with running(folder) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def api(hub: str) -> HfApi:
    return HfApi(endpoint=hub, token=False)


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
            cursor = read_cursor(
                write_cursor((sort_key(records[page[-1]], "likes"), 0), "likes"), "likes"
            )
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
        ("/api/models/lab/x%20", 404),
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
