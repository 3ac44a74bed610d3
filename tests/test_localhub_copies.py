"""A hub that holds every repo many times over, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import get_session
from hypothesis import given
from hypothesis import strategies as st
from shelves import README, SHAS, WEIGHTS, pages, record, shelf_folder

from crawler.localhub.catalogue import Catalogue, Order
from crawler.localhub.listing import read_cursor, write_cursor
from crawler.localhub.running import running
from crawler.localhub.shelf import Repo, Shelf, ShelfError

TIMES = 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shelf_folder(tmp_path_factory.mktemp("shelf"))


@pytest.fixture(scope="module")
def hub(folder: Path) -> Iterator[str]:
    with running(folder, times=TIMES) as endpoint:
        yield endpoint


def json(url: str, **params: Any) -> Any:
    return get_session().get(url, params=params).json()


@pytest.mark.parametrize("limit", [1, 3, 7, 1000])
@pytest.mark.parametrize("sort", ["createdAt", "likes"])
@pytest.mark.parametrize("direction", ["-1", "1"])
def test_every_copy_is_listed_once(hub: str, limit: int, sort: str, direction: str) -> None:
    params = {"sort": sort, "direction": direction, "limit": limit, "author": "lab"}
    found = [model for page in pages(f"{hub}/api/models", **params) for model in page]
    names = ["base", "gated", "off", "wide"]
    expected = [f"lab/{name}" for name in names]
    expected += [f"lab/{name}-c{k}" for name in names for k in range(1, TIMES)]
    assert sorted(model["id"] for model in found) == sorted(expected)
    assert len({model["_id"] for model in found}) == len(expected)
    values = [model.get(sort) for model in found]
    assert values == sorted(values, reverse=direction == "-1")


def test_a_copy_differs_by_its_names_alone(hub: str) -> None:
    params = {"search": "lab/base", "expand": ["tags", "siblings", "cardData", "usedStorage"]}
    first, *copies = sorted(json(f"{hub}/api/models", **params), key=lambda model: model["id"])
    assert first["id"] == "lab/base"
    assert [one["id"] for one in copies] == [f"lab/base-c{k}" for k in range(1, TIMES)]
    for copy in copies:
        assert copy | {"_id": 0, "id": 0} == first | {"_id": 0, "id": 0}


def test_a_record_without_asked_fields_is_sound_in_every_copy(hub: str) -> None:
    found = json(f"{hub}/api/models", search="crowd/m7", limit=TIMES, expand="gguf")
    assert [model.keys() for model in found] == [{"_id", "id"}] * TIMES


def test_a_copy_has_every_route_of_its_original(hub: str) -> None:
    api = f"{hub}/api/models/lab/base-c3"
    listed = {model["id"]: model for model in json(f"{hub}/api/models", search="lab/base")}
    alone = json(api)
    assert (alone["id"], alone["sha"]) == ("lab/base-c3", SHAS[0])
    assert alone["_id"] == listed["lab/base-c3"]["_id"]
    assert [commit["id"] for commit in json(f"{api}/commits/main")] == SHAS
    assert json(f"{api}/refs")["tags"][0]["name"] == "v1"
    assert json(f"{api}/tree/v1") == json(f"{hub}/api/models/lab/base/tree/v1")
    talk = json(f"{api}/discussions")["discussions"][0]
    assert (talk["num"], talk["repo"]["name"]) == (23, "lab/base-c3")
    for path, content in (("README.md", README), ("model.safetensors", WEIGHTS)):
        url = f"{hub}/lab/base-c3/resolve/main/{path}"
        assert get_session().get(url, follow_redirects=True).content == content


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("solo-c4", 200),
        ("solo-c5", 404),
        ("solo-c0", 404),
        ("solo-c01", 404),
        ("solo-c", 404),
        ("lab/secret-c1", 404),
        ("lab/old-name-c1", 404),
        ("lab/old-name", 200),
    ],
)
def test_a_name_is_a_copys_or_not(hub: str, name: str, status: int) -> None:
    answer = get_session().get(f"{hub}/api/models/{name}", follow_redirects=True)
    assert answer.status_code == status


def test_copies_move_with_their_original(folder: Path) -> None:
    with running(folder, mode="moving", times=2) as endpoint:
        first = get_session().get(f"{endpoint}/api/models", params={"limit": 10})
        get_session().get(first.links["next"]["url"])
        top = json(f"{endpoint}/api/models", sort="lastModified", limit=2, full=1)
        alone = [json(f"{endpoint}/api/models/{model['id']}") for model in top]
    assert top[0]["lastModified"] == top[1]["lastModified"] == alone[1]["lastModified"]
    assert {alone[0]["id"], alone[1]["id"]} == {top[0]["id"], top[1]["id"]}


def test_a_shelf_that_has_the_name_of_a_copy_is_refused() -> None:
    shelf = Shelf([Repo(record("a", 1)), Repo(record("a-c2", 2))])
    assert Catalogue(shelf, times=2).find("a-c1") is not None
    with pytest.raises(ShelfError, match=r"'a-c2' has the name of a copy of 'a'; .* 2 times"):
        Catalogue(shelf, times=3)


@given(
    values=st.lists(st.one_of(st.none(), st.integers(0, 3)), max_size=12),
    times=st.integers(1, 4),
    limit=st.integers(1, 8),
    descending=st.booleans(),
)
def test_a_cursor_neither_loses_nor_doubles_copies(
    values: list[int | None], times: int, limit: int, descending: bool
) -> None:
    repos = [Repo(record(f"m{n}", n) | {"likes": value}) for n, value in enumerate(values)]
    catalogue = Catalogue(Shelf(repos), times=times)
    order, found, cursor = catalogue.order("likes"), [], None
    for _ in range(len(values) * times // limit + 1):
        page = list(order.after(cursor, descending=descending))[:limit]
        found += page
        if page:
            written = write_cursor(catalogue.cursor(page[-1], "likes"), "likes")
            cursor = read_cursor(written, "likes")
    assert sorted(found) == list(range(len(values) * times))


def test_a_cursor_outlives_its_record() -> None:
    records = [record(f"m{n}", n, likes=n) for n in range(4)]
    left = Order(records[:2] + records[3:], "likes", times=3)
    gone = ((1, 2, records[2]["_id"]), 1)
    assert list(left.after(gone, descending=False)) == [6, 7, 8]
    assert list(left.after(gone, descending=True)) == [5, 4, 3, 2, 1, 0]
