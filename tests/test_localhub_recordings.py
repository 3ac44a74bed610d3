"""Recordings, served by the embedded hub over real HTTP."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("HF_HUB_DISABLE_XET", "1")
os.environ.setdefault("HF_HOME", str(Path(tempfile.gettempdir()) / "hubatlas-test-hf-home"))

import orjson
import pytest
import zstandard
from huggingface_hub import HfApi, get_session
from huggingface_hub.errors import (
    EntryNotFoundError,
)
from shelves import README, pages, record

from crawler.localhub.catalogue import SORTABLE, Catalogue
from crawler.localhub.recording import LEFT_TRUNCATION, open_shelf, read_recording
from crawler.localhub.running import running
from crawler.localhub.shelf import (
    Repo,
    Shelf,
    ShelfError,
)

RECORDINGS = os.environ.get("HUBATLAS_RECORDINGS")

needs_recordings = pytest.mark.skipif(RECORDINGS is None, reason="HUBATLAS_RECORDINGS is unset")


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


VERBS = ["", "/commits/main", "/commits/v1", "/discussions", "/refs", "/tree/main"]
COMMITS = [
    {"id": "c" * 40, "title": "newer", "date": "2024-05-02T00:00:00.000Z", "message": "why"},
    {"id": "d" * 40, "title": "older", "date": "2024-05-01T00:00:00.000Z"},
]


def test_a_line_may_hold_history_and_keeps_its_files(tmp_path: Path) -> None:
    files = [{"rfilename": "README.md"}, {"rfilename": "model.bin"}]
    line = {
        "model": {"id": "lab/told", "siblings": files, "sha": "e" * 40},
        "card": README.decode(),
        "former_ids": ["lab/first-name"],
        "commits": COMMITS,
        "discussions": [{"num": 1, "title": "hello", "status": "open", "isPullRequest": False}],
        "refs": {"tags": [{"name": "v1", "ref": "refs/tags/v1", "targetCommit": "d" * 40}]},
    }
    path = tmp_path / "hub.jsonl"
    path.write_bytes(orjson.dumps(line) + b"\n")
    with running(path) as endpoint:
        api = f"{endpoint}/api/models/lab/told"
        got = {verb: get_session().get(f"{api}{verb}") for verb in VERBS}
        moved = get_session().get(f"{endpoint}/api/models/lab/first-name", follow_redirects=True)
        card = get_session().get(f"{endpoint}/lab/told/resolve/v1/README.md")
        lost = get_session().get(f"{endpoint}/lab/told/resolve/v9/README.md")
    model = got[""].json()
    assert (model["sha"], model["lastModified"]) == ("c" * 40, COMMITS[0]["date"])
    assert model["siblings"] == files
    assert [one["id"] for one in got["/commits/main"].json()] == ["c" * 40, "d" * 40]
    assert [one["message"] for one in got["/commits/main"].json()] == ["why", ""]
    assert [one["id"] for one in got["/commits/v1"].json()] == ["d" * 40]
    assert got["/discussions"].json()["count"] == 1
    assert got["/refs"].json()["branches"][0]["targetCommit"] == "c" * 40
    assert got["/tree/main"].headers["x-error-code"] == "EntryNotFound"
    assert moved.json()["id"] == "lab/told"
    assert (card.content, card.headers["x-repo-commit"]) == (README, "d" * 40)
    assert lost.headers["x-error-code"] == "RevisionNotFound"


@pytest.mark.parametrize(
    ("second", "told"),
    [
        (b'{"model": {"id": "b"}, "commits": {}}', "line 2: the history of 'b': commits"),
        (b'{"model": {"id": "b"}, "commits": [{"id": "1"}]}', "line 2: the history of 'b': a co"),
        (b'{"model": {"id": "b"}, "former_ids": [3]}', "line 2: the history of 'b': former_ids"),
        (b'{"model": {"id": "b"}, "refs": []}', "line 2: the history of 'b': refs"),
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
