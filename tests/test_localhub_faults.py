"""Quotas, and every way in which the embedded hub goes wrong, over real HTTP."""

from __future__ import annotations

import subprocess
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from huggingface_hub import get_session
from huggingface_hub.utils import httpx, parse_ratelimit_headers
from shelves import CROWD, README, SHAS, WEIGHTS, pages, shelf_folder

from crawler.localhub.access import READER_TOKEN
from crawler.localhub.bad_files import BOMB_CHUNK_BYTES, BOMB_CHUNKS, HEADER_BYTES
from crawler.localhub.faults import ELSEWHERE, FAULTS
from crawler.localhub.fields import BARE, BASIC
from crawler.localhub.ratelimit import WINDOW_SECONDS, Window
from crawler.localhub.recording import made_up_id
from crawler.localhub.running import running
from crawler.localhub.spoilers import STORM, Dice, struck

CARD = "/lab/base/resolve/main/README.md"
TENSORS = "/lab/base/resolve/main/model.safetensors"
LIST = "/api/models?limit=100"
BROKEN = (httpx.NetworkError, httpx.RemoteProtocolError)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shelf_folder(tmp_path_factory.mktemp("shelf"))


@pytest.fixture(scope="module")
def hub(folder: Path) -> Iterator[str]:
    with running(folder) as endpoint:
        yield endpoint


Get = Callable[..., httpx.Response]


@contextmanager
def asked(folder: Path, mode: str, **options: Any) -> Iterator[Get]:
    """GET by path on a hub of this mode, redirects followed."""
    with (
        running(folder, mode=mode, **options) as endpoint,
        httpx.Client(base_url=endpoint, follow_redirects=True, timeout=30) as client,
    ):
        yield client.get


# Quotas


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


def test_each_bucket_has_its_quota_and_all_have_one_window(folder: Path) -> None:
    with running(folder, quotas={"resolvers": 1, "pages": 7}, window_s=5) as endpoint:
        url = f"{endpoint}/lab/base/resolve/main/README.md"
        answers = [get_session().get(url) for _ in range(2)]
        raw = get_session().get(f"{endpoint}/lab/base/raw/main/README.md")
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].headers["ratelimit-policy"] == '"fixed window";"resolvers";q=1;w=5'
    assert int(answers[1].headers["retry-after"]) <= 5
    assert raw.headers["ratelimit"] == '"pages";r=6;t=5'


def test_a_window_opens_anew() -> None:
    window = Window(1)
    assert window.spend(10.0) == (True, 0, 300)
    assert window.spend(309.5) == (False, 0, 1)
    assert window.spend(310.0) == (True, 0, 300)
    short = Window(1, seconds=2)
    assert [short.spend(at)[0] for at in (0.0, 1.9, 2.0)] == [True, False, True]


# The list


def test_a_plain_list_goes_on_and_shows_all_that_was_asked(hub: str) -> None:
    answer = get_session().get(f"{hub}{LIST}&expand=usedStorage")
    assert answer.status_code == 200
    assert answer.links["next"]["url"].startswith(hub)


def test_without_links_a_list_is_one_page(folder: Path) -> None:
    with asked(folder, "no-link") as get:
        answer = get(LIST)
    assert len(answer.json()) == 100
    assert "link" not in answer.headers


def test_a_looping_page_names_itself(folder: Path) -> None:
    with asked(folder, "loop-cursor") as get:
        first = get(LIST)
        again = get(first.links["next"]["url"])
    assert again.json() == first.json()
    assert again.links == first.links


def test_a_foreign_link_leads_to_another_origin_and_ends_with_the_list(folder: Path) -> None:
    with asked(folder, "foreign-link") as get:
        assert get(LIST).links["next"]["url"].startswith(f"{ELSEWHERE}{LIST}&cursor=")
        assert "link" not in get(f"{LIST}&author=lab").headers


@pytest.mark.parametrize("field", ["baseModels", "childrenModelCount", "usedStorage"])
def test_some_expands_are_refused(folder: Path, field: str) -> None:
    with asked(folder, "refuse-expand") as get:
        assert get(f"{LIST}&expand=likes").status_code == 200
        assert get(f"{LIST}&expand=likes&expand={field}").status_code == 400


def test_an_ignored_expand_shows_basic_fields(folder: Path) -> None:
    with asked(folder, "ignore-expand") as get:
        shown = get(f"{LIST}&author=lab&search=base&expand=sha&expand=beauty").json()[0]
        alone = get("/api/models/lab/base?expand=likes").json()
    assert shown.keys() <= {"_id", "id", *BASIC}
    assert shown["tags"] == ["pytorch", "license:mit"]
    assert alone["sha"] == SHAS[0]


def test_an_ignored_sort_is_by_likes(folder: Path) -> None:
    with asked(folder, "ignore-sort") as get:
        url = str(get(f"{LIST}&sort=createdAt&direction=1").url)
        found = [model for page in pages(url) for model in page]
    likes = [model["likes"] for model in found]
    assert likes == sorted(likes, reverse=True)
    assert len({model["_id"] for model in found}) == CROWD + 5


@pytest.mark.parametrize(
    ("mode", "most", "status"), [("refuse-limit", 100, 422), ("slow-pages", 250, 504)]
)
def test_a_page_has_a_largest_size(folder: Path, mode: str, most: int, status: int) -> None:
    with asked(folder, mode) as get:
        assert get(f"/api/models?limit={most + 1}").status_code == status
        assert len(get(f"/api/models?limit={most}").json()) == most
        assert len(get("/api/models").json()) == most


def listed(folder: Path, sort: str, **options: Any) -> Counter[str]:
    with running(folder, mode="moving", **options) as endpoint:
        found = pages(f"{endpoint}/api/models", sort=sort, limit=200, search="crowd/")
        return Counter(model["_id"] for page in found for model in page)


def test_a_list_by_what_moves_loses_and_doubles_and_one_by_creation_does_not(folder: Path) -> None:
    by_likes = listed(folder, "likes")
    assert len(by_likes) < CROWD
    assert by_likes.most_common(1)[0][1] > 1
    assert len(listed(folder, "lastModified")) < CROWD
    by_creation = listed(folder, "createdAt")
    assert len(by_creation) == by_creation.total() == CROWD


def test_what_moves_follows_from_the_seed(folder: Path) -> None:
    assert listed(folder, "likes", seed=1) == listed(folder, "likes", seed=1)
    assert listed(folder, "likes", seed=1) != listed(folder, "likes", seed=2)


def test_a_moved_record_is_the_same_alone_and_in_the_list(folder: Path) -> None:
    url = "/api/models?sort=createdAt&limit=1000&expand=likes&expand=lastModified"
    with asked(folder, "moving") as get:
        before = get(url)
        get(before.links["next"]["url"])
        after = get(url).json()
        moved = [new for old, new in zip(before.json(), after, strict=True) if old != new]
        alone = get(f"/api/models/{moved[0]['id']}").json()
    assert 10 < len(moved) < 100
    assert moved[0].items() <= alone.items()


# What a server other than the Hub leaves out


def test_a_bare_hub_lists_in_its_own_way(folder: Path) -> None:
    with asked(folder, "bare") as get:
        plain = get("/api/models?limit=1000")
        base = get("/api/models?search=lab/base").json()[0]
        other = get("/api/models?limit=1000&sort=beauty&direction=1&expand=beauty")
    found = plain.json()
    assert len(found) == 1000
    assert other.json() == found
    hashes = [made_up_id(model["id"]) for model in found]
    assert hashes == sorted(hashes, reverse=True)
    assert {"sha", "siblings", "lastModified"} < base.keys() <= {"_id", "id", *BARE}
    assert "link" not in plain.headers


@pytest.mark.parametrize(
    "path",
    [
        "/api/models/lab/base/refs",
        "/api/models/lab/base/commits/main",
        "/api/models/lab/base/tree/main",
        "/api/models/lab/base/discussions",
        "/api/models/lab/nothing",
        "/lab/base/resolve/main/absent",
        "/lab/base/resolve/v9/README.md",
    ],
)
def test_a_bare_hub_answers_a_plain_404(folder: Path, path: str) -> None:
    with asked(folder, "bare") as get:
        answer = get(path)
    assert (answer.status_code, answer.text) == (404, "Not Found")
    assert answer.headers["content-type"].startswith("text/plain")
    assert not any(name.startswith(("x-error", "ratelimit")) for name in answer.headers)


def test_a_bare_hub_has_records_and_files_and_a_quota_that_it_does_not_tell(folder: Path) -> None:
    with asked(folder, "bare", quotas={"resolvers": 1}) as get:
        assert get("/api/models/lab/base").json()["sha"] == SHAS[0]
        first, second = get(CARD), get(CARD)
    assert (first.content, second.status_code) == (README, 429)
    assert "retry-after" in second.headers
    assert not any(name.startswith("ratelimit") for name in (*first.headers, *second.headers))


@pytest.mark.parametrize(
    "path", ["/api/models/lab/nothing", "/api/models/lab/secret", "/lab/nothing/resolve/main/a"]
)
def test_a_missing_repo_is_hidden_from_those_without_a_token(folder: Path, path: str) -> None:
    with asked(folder, "hide-missing") as get:
        anonymous = get(path)
        named = get(path, headers={"Authorization": f"Bearer {READER_TOKEN}"})
        assert get("/api/models/lab/base").status_code == 200
    assert [a.status_code for a in (anonymous, named)] == [401, 404]
    assert [a.headers["x-error-code"] for a in (anonymous, named)] == ["RepoNotFound"] * 2


def test_discussions_without_end_are_counted_and_never_come(folder: Path) -> None:
    with asked(folder, "endless-discussions") as get:
        found = [get(f"/api/models/lab/base/discussions?p={p}").json() for p in (0, 3, 90)]
    assert [len(page["discussions"]) for page in found] == [10, 0, 0]
    assert all(page["start"] < page["count"] for page in found)


def test_a_portal_answers_everything_with_a_page(folder: Path) -> None:
    with asked(folder, "html") as get:
        answers = [get(path) for path in (LIST, CARD, "/api/models/lab/nothing")]
    assert {answer.status_code for answer in answers} == {200}
    assert all(answer.text.startswith("<!doctype html>") for answer in answers)


# Files


def test_an_address_that_leads_to_itself(folder: Path) -> None:
    with asked(folder, "redirect-loop") as get:
        assert get(CARD, follow_redirects=False).headers["location"] == CARD
        with pytest.raises(httpx.TooManyRedirects):
            get(CARD)


def test_a_small_readme_grows_without_end_for_those_who_take_gzip(folder: Path) -> None:
    with running(folder, mode="gzip-bomb") as endpoint:
        plain = get_session().get(endpoint + CARD, headers={"Accept-Encoding": "identity"})
        with get_session().stream("GET", endpoint + CARD) as answer:
            sizes = [(len(raw), raw) for raw in answer.iter_raw()]
    assert plain.content == README
    assert sum(size for size, _ in sizes) < 2**21
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
    assert sum(len(inflate.decompress(raw)) for _, raw in sizes) == BOMB_CHUNKS * BOMB_CHUNK_BYTES
    assert inflate.eof  # the checksum holds too
    assert BOMB_CHUNKS * BOMB_CHUNK_BYTES > 2**30


def test_a_huge_header_is_claimed_and_sent(folder: Path) -> None:
    with asked(folder, "huge-header") as get:
        start = get(TENSORS, headers={"Range": "bytes=0-8"})
        whole = get(TENSORS)
    assert start.content == HEADER_BYTES.to_bytes(8, "little") + b"{"
    assert len(whole.content) == HEADER_BYTES + 8
    assert orjson.loads(whole.content[8:]).keys() == {"__metadata__"}


@pytest.mark.parametrize("path", [LIST, CARD, TENSORS])
def test_the_first_answer_of_each_path_is_reset_in_its_middle(folder: Path, path: str) -> None:
    with asked(folder, "reset") as get:
        # A file of the CDN is reset there too: it costs two tries.
        for _ in range(2 if path == TENSORS else 1):
            with pytest.raises(BROKEN):
                get(path)
        assert get(path).status_code == 200
        with pytest.raises(BROKEN):
            get(f"{path}{'&' if '?' in path else '?'}another")


def test_a_reset_answer_has_begun(folder: Path) -> None:
    with running(folder, mode="reset") as endpoint, httpx.Client() as client:
        request = client.build_request("GET", f"{endpoint}/api/models?limit=1000")
        answer = client.send(request, stream=True)
        with pytest.raises(httpx.ReadError):
            answer.read()
    assert answer.status_code == 200
    assert answer.num_bytes_downloaded < int(answer.headers["content-length"])


@pytest.mark.parametrize(("path", "whole"), [(CARD, README), (TENSORS, WEIGHTS)])
def test_a_short_body_ends_before_its_length(folder: Path, path: str, whole: bytes) -> None:
    told = f"received {len(whole) // 2} bytes, expected {len(whole)}"
    with asked(folder, "short-body") as get:
        for _ in range(2):
            with pytest.raises(httpx.RemoteProtocolError, match=told):
                get(path)
        assert get(LIST).status_code == 200
        assert get("/lab/base/resolve/main/absent").json()["error"]


@pytest.mark.parametrize(("path", "whole"), [(CARD, README), (TENSORS, WEIGHTS)])
def test_ranges_may_lie_or_be_overlooked(folder: Path, path: str, whole: bytes) -> None:
    ranged = {"Range": "bytes=2-5"}
    with asked(folder, "wrong-range") as get:
        lie = get(path, headers=ranged)
    assert (lie.status_code, lie.content) == (206, whole[2:6])
    assert lie.headers["content-range"] == f"bytes 3-6/{len(whole)}"
    with asked(folder, "no-range") as get:
        overlooked = get(path, headers=ranged)
    assert (overlooked.status_code, overlooked.content) == (200, whole)


# Throttling and storms


def test_the_first_try_is_429_until_a_date_a_second_ahead(folder: Path) -> None:
    with asked(folder, "http-date") as get:
        before = datetime.now(UTC)
        answers = [get(path) for path in (CARD, CARD, LIST, LIST)]
    assert [answer.status_code for answer in answers] == [429, 200, 429, 200]
    stated = parsedate_to_datetime(answers[0].headers["retry-after"])
    assert -1 < (stated - before).total_seconds() < 3


def test_the_first_try_is_429_with_requests_left(folder: Path) -> None:
    with asked(folder, "granular", api_quota=50) as get:
        answers = [get(path) for path in (LIST, LIST, f"{LIST}&sort=likes")]
    assert [answer.status_code for answer in answers] == [429, 200, 429]
    left = [parse_ratelimit_headers(answer.headers) for answer in answers]
    assert [one.remaining for one in left if one] == [49, 48, 47]
    assert "retry-after" not in answers[0].headers


def outcome(get: Get, path: str) -> str:
    try:
        answer = get(path)
    except BROKEN as broken:
        return type(broken).__name__
    return f"{answer.status_code} {answer.headers.get('retry-after', '')[-3:]}".strip()


def weathered(folder: Path, *, tries: int = 1, **options: Any) -> list[str]:
    with asked(folder, "storm", **options) as get:
        paths = [f"/crowd/m{n}/resolve/main/README.md" for n in range(80)]
        return [outcome(get, path) for _ in range(tries) for path in paths]


def test_a_storm_is_the_same_for_one_seed(folder: Path) -> None:
    seven = weathered(folder, fault_share=0.5, seed=7)
    assert seven == weathered(folder, fault_share=0.5, seed=7)
    assert seven != weathered(folder, fault_share=0.5, seed=8)


def test_a_storm_brings_every_fault_and_spares_every_third_try(folder: Path) -> None:
    met = weathered(folder, tries=4, fault_share=1)
    first = Counter(met[:80])
    assert {"500", "503 0", "504", "429 0", "429 GMT"} < first.keys()
    assert {"ReadError", "RemoteProtocolError"} < first.keys()
    assert sum(first.values()) == 80 > first["404"] == 0
    assert Counter(met[160:240]) == {"404": 80}
    assert "404" not in met[240:]


@pytest.mark.parametrize("share", [0.0, 0.05, 0.3])
def test_a_storm_strikes_its_share(share: float) -> None:
    struck_count = sum(struck(Dice(0, share), f"/{n}", 0) is not None for n in range(4000))
    assert struck_count / 4000 == pytest.approx(share, abs=0.02)


def test_a_storm_knows_each_of_its_faults() -> None:
    met = {struck(Dice(0, 1.0), f"/{n}", 0) for n in range(500)}
    assert met == set(STORM)


def test_a_storm_over_lists_and_files_passes_with_retries(folder: Path) -> None:
    with asked(folder, "storm", fault_share=0.4) as get:

        def patient(path: str) -> httpx.Response:
            for _ in range(9):  # three tries for each of two origins, and one more
                try:
                    answer = get(path)
                except BROKEN:
                    continue
                if answer.status_code == 200:
                    return answer
            raise AssertionError(path)

        found, path = [], LIST
        while path:
            page = patient(path)
            found += [model["_id"] for model in page.json()]
            path = page.links.get("next", {}).get("url")
        assert patient(TENSORS).content == WEIGHTS
    assert len(found) == len(set(found)) == CROWD + 5


@pytest.mark.parametrize("mode", ["storm", "reset", "short-body"])
def test_an_intended_fault_is_no_complaint(folder: Path, mode: str) -> None:
    command = [sys.executable, "-m", "crawler.localhub", str(folder), "--mode", mode]
    with subprocess.Popen(
        [*command, "--fault-share=1", "--until-stdin-ends"],
        cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        endpoint = child.stdout.readline().decode().removeprefix("hub ").strip()
        with httpx.Client(base_url=endpoint) as client:
            for n in range(60):
                outcome(client.get, f"/lab/base/resolve/main/README.md?{n}")
        child.terminate()
        assert child.wait(60) == 0
        assert child.stderr.read() == b""


@pytest.mark.parametrize("mode", FAULTS)
def test_every_mode_says_in_a_sentence_what_it_does(mode: str) -> None:
    assert FAULTS[mode].does[0].isalnum()
    assert FAULTS[mode].does.endswith(".")
