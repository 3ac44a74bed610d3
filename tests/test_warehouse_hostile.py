"""Raw files that no crawl should leave, records that no hub should list, a disk without room."""

import os
import re
import resource
import signal
import subprocess
import sys
import tracemalloc
from pathlib import Path

import orjson
import pytest
import zstandard
from raw_homes import RawHome, answer

from analysis.lineage import derive_lineage
from warehouse.build import build
from warehouse.landing import WORTH_PROCESSES
from warehouse.raw import RawFileUnreadable, read_raw_file
from warehouse.workers import WorkerDied

COMMAND = str(Path(sys.executable).parent / "hubatlas")
MIB = 2**20
CARDS = "select count(*) from answer where facet = 'card'"


def packed(path: Path, pieces) -> None:
    """A raw file of pieces that are never whole in memory."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file, zstandard.ZstdCompressor().stream_writer(file) as sink:
        for piece in pieces:
            sink.write(piece)


def line_of(mib):
    yield b'{"facet": "card", "status": 200, "body": "'
    yield from (b"x" * MIB for _ in range(mib))
    yield b'"}\n'


def many_lines(mib):
    yield from (b'"' + b"x" * (MIB - 3) + b'"\n' for _ in range(mib))


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        (line_of(200), "refused: it has a line of more than 100,663,296 bytes"),
        (many_lines(1025), "refused: it holds more than 1,073,741,824 bytes"),
    ],
)
def test_what_would_not_fit_in_memory_is_refused_before_it_is_there(tmp_path, pieces, reason):
    home = RawHome(tmp_path)
    home.listing({"id": "o/m"})
    packed(tmp_path / "raw" / "card" / "00009.jsonl.zst", pieces)
    source = "card/00009.jsonl.zst"
    if "line" in reason:
        tracemalloc.start()
        with pytest.raises(RawFileUnreadable):
            read_raw_file(tmp_path, source)
        assert tracemalloc.get_traced_memory()[1] < 180 * MIB
        tracemalloc.stop()
    rows = home.rows("select source, reason from rejected")
    remedy = "restore it from a copy, or crawl into a new home"
    assert rows == [(source, f"raw file is {reason}; {remedy}")]
    assert home.rows("select repo_id from model") == [("o/m",)]


def test_bytes_that_are_no_utf_8_are_kept_and_shown_as_such(tmp_path):
    home = RawHome(tmp_path)
    home.listing({"id": "o/m"})
    home.answer("card", "o/m", b"# caf\xe9 \xff\n")
    assert home.rows("select text from card") == [("# caf\ufffd \ufffd\n",)]
    assert home.rows("select count(*) from rejected") == [(0,)]


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59.000Z", "1970-01-01T00:00:00.000Z", "+1"])
def test_a_time_that_cannot_be_is_null_and_told(tmp_path, moment):
    home = RawHome(tmp_path)
    home.listing({"id": "o/m", "createdAt": moment, "downloads": -5, "likes": 1.5})
    assert home.rows("select created_at, downloads_30d, likes_count from model") == [
        (None, None, None)
    ]
    told = [reason for (reason,) in home.rows("select reason from rejected order by reason")]
    assert told == [
        f"createdAt is no time: {moment}",
        "downloads is no count: -5",
        "likes is no count: 1.5",
    ]
    (other,) = home.rows("select other_fields->>'createdAt' from model_metadata")
    assert other == (moment,)


def test_a_commit_of_year_9999_is_kept_and_breaks_no_question(tmp_path):
    home = RawHome(tmp_path)
    home.listing({"id": "o/m"})
    dates = ["9999-12-31T23:59:59.000Z", "1970-01-01T00:00:00.000Z", "99999-01-01", "soon"]
    home.answer("commits", "o/m", [{"id": f"c{n}", "date": date} for n, date in enumerate(dates)])
    rows = home.rows("select commit_sha, year(committed_at) from commit order by position")
    assert rows == [("c0", 9999), ("c1", 1970), ("c2", 99999), ("c3", None)]
    assert len(home.rows("select * from (from commit where committed_at < '2026-01-01')")) == 1


def test_a_model_of_ten_thousand_tags_keeps_them_all(tmp_path):
    home = RawHome(tmp_path)
    tags = [f"base_model:adapter:o/b{n}" if n % 2 else f"t{n}" for n in range(10_000)]
    home.listing({"id": "o/m", "tags": [*tags, *tags]})
    assert home.rows("select count(*), max(position) from model_tag") == [(10_000, 10_000)]
    assert home.rows("select count(*) from base_model_edge") == [(5_000,)]


def test_ids_that_differ_by_case_alone_are_two_models(tmp_path):
    home = RawHome(tmp_path)
    home.listing({"id": "o/m", "likes": 1}, {"id": "O/M", "tags": ["base_model:o/m"]})
    home.answer("card", "O/M", b"# Upper")
    assert home.rows("select repo_id, likes_count from model order by 1") == [
        ("O/M", None),
        ("o/m", 1),
    ]
    assert home.rows("select repo_id from card") == [("O/M",)]
    assert home.rows("select child_id, parent_id from base_model_edge") == [("O/M", "o/m")]


def test_repos_that_swap_names_keep_what_is_theirs(tmp_path):
    home = RawHome(tmp_path)
    home.listing({"id": "o/a", "_id": "1", "likes": 1}, {"id": "o/b", "_id": "2", "likes": 2})
    home.built().close()
    home.listing(
        {"id": "o/b", "_id": "1", "likes": 3}, {"id": "o/a", "_id": "2", "likes": 4}, day=2
    )
    assert home.rows("select repo_id, hub_id, likes_count from model order by 1") == [
        ("o/a", "2", 4),
        ("o/b", "1", 3),
    ]


@pytest.fixture
def large(tmp_path):
    """A home that has been built, and so many raw files more that processes unpack them."""
    home = RawHome(tmp_path)
    home.listing({"id": "o/m"})
    home.built().close()
    for number in range(WORTH_PROCESSES + 1):
        home.answer("card", f"o/m{number}", os.urandom(4000).hex().encode())
    return home


def test_a_build_whose_process_dies_says_so_and_leaves_the_published_file(large):
    before = (large.folder / "warehouse.duckdb").read_bytes()

    def kill_children(label, done, total):
        if label == "loading raw files" and done < total:
            for child in _children_of(os.getpid()):
                os.kill(child, signal.SIGKILL)

    with pytest.raises(WorkerDied, match=r"ended with -9.*the published warehouse is unchanged"):
        build(large.folder, derive=derive_lineage, report=kill_children)
    assert (large.folder / "warehouse.duckdb").read_bytes() == before
    assert large.rows(CARDS) == [(WORTH_PROCESSES + 1,)]


def _children_of(pid):
    told = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    return [int(child) for child in " ".join(told).split()]


@pytest.mark.parametrize("room", [0, 100_000, 600_000])
def test_a_disk_without_room_is_one_line_and_leaves_the_published_file(large, room):
    published = large.folder / "warehouse.duckdb"
    before = published.read_bytes()
    most = len(before) * (room > 0) + room

    def no_larger_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    ended = subprocess.run(
        [COMMAND, "--home", large.folder, "build"],
        preexec_fn=no_larger_files,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in re.split(r"[\r\n]+", ended.stderr) if line.strip()]
    assert ended.returncode == 1
    assert "unchanged" in lines[-1]
    assert not any("Traceback" in line for line in lines)
    assert published.read_bytes() == before
    assert list(large.folder.glob("*.building*")) == []
    assert large.rows(CARDS) == [(WORTH_PROCESSES + 1,)]


def test_json_that_is_nested_too_deep_is_rejected_and_its_neighbours_are_not(tmp_path):
    home = RawHome(tmp_path)
    deep = b"[" * 500 + b"]" * 500
    page = b'[{"id": "o/a"}, {"id": "o/deep", "cardData": {"x": %s}}, {"id": "o/b"}]' % deep
    home.write("model", answer(page, facet="model", day=1, sweep_id=1))
    assert home.rows("select repo_id from model order by 1") == [("o/a",), ("o/b",)]
    assert home.rows("select reason from rejected") == [("record is not JSON",)]


DEEP = ["a: " + "[" * 30_000 + "]" * 30_000, "a: " + "{a: " * 90_000, "- " * 100_000 + "a"]


@pytest.mark.parametrize("yaml", [*DEEP, "? " * 100_000, "a:\n" + "- [{b: [c]}]\n" * 30_000])
def test_a_card_that_is_nested_deep_ends_no_build(tmp_path, yaml):
    home = RawHome(tmp_path)
    home.listing({"id": "o/m"})
    home.answer("card", "o/m", f"---\n{yaml}\n---\n# M".encode())
    (reason,) = home.rows("select reason from rejected")[0]
    assert reason.startswith("front matter ")
    assert home.rows("select count(*) from card") == [(1,)]


def test_numbers_that_json_does_not_have_stay_text(tmp_path):
    home = RawHome(tmp_path)
    home.listing({"id": "o/m"})
    home.answer("card", "o/m", b"---\na: 1e400\nb: !!float nan\nc: 1e4\n---\n")
    (row,) = home.rows("select front_matter from card")
    assert orjson.loads(row[0]) == {"a": "1e400", "b": "nan", "c": 10000.0}


def test_sums_beyond_all_counts_end_no_build(tmp_path):
    home = RawHome(tmp_path)
    most = 2**53 - 1
    home.listing(
        {"id": "o/base", "downloads": most},
        *[{"id": f"o/m{n}", "downloads": most, "tags": ["base_model:o/base"]} for n in range(1100)],
        {"id": "o/huge", "downloads": 2**53},
    )
    assert home.rows("select max(downloads_30d) from family") == [(2**63 - 1,)]
    assert home.rows("select reason from rejected") == [(f"downloads is no count: {2**53}",)]


def test_a_time_that_leaves_the_calendar_is_no_time(tmp_path):
    home = RawHome(tmp_path)
    home.listing({"id": "o/m", "createdAt": "9999-12-31T23:59:59-05:00"})
    assert home.rows("select created_at from model") == [(None,)]


def test_authors_that_are_no_names_are_null(tmp_path):
    home = RawHome(tmp_path)
    home.listing({"id": "o/m"})
    authors = [{"user": 5}, {"user": {"a": 1}}, {"user": "jane"}, "x"]
    home.answer("commits", "o/m", [{"id": "c", "authors": authors}])
    assert home.rows("select authors from commit") == [([None, None, "jane"],)]


@pytest.mark.parametrize("facet", ["tree", "refs", "discussions", "security", "probe"])
def test_answers_that_are_nested_deep_are_rejected(tmp_path, facet):
    home = RawHome(tmp_path)
    home.listing({"id": "o/m"})
    home.answer(facet, "o/m", b"[" * 300 + b"]" * 300)
    assert home.rows("select reason from rejected") == [(f"answer for {facet} is not JSON",)]


ODD = [
    *({"body": body} for body in (None, 5, ["x"])),
    *({"body_base64": body} for body in ("abc", 5, "\u00e9")),
    *({"body": "x", **odd} for odd in ({"status": [200]}, {"failure": []}, {"fetched_at": 5})),
]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("facet", ["model", "card", "tensors"])
def test_an_envelope_that_no_crawl_writes_is_rejected(tmp_path, odd, facet):
    home = RawHome(tmp_path)
    home.listing({"id": "o/m"})
    home.write(facet, {"facet": facet, "repo_id": "o/m", "status": 200, **odd})
    assert home.rows("select reason from rejected") == [("envelope 0 is not one of ours",)]
    assert home.rows("select repo_id from model") == [("o/m",)]


def test_an_answer_about_nobody_is_no_row_of_a_repo(tmp_path):
    home = RawHome(tmp_path)
    home.listing({"id": "o/m"})
    home.answer("card", None, b"# nobody")
    home.answer("commits", None, [{"id": "c"}])
    assert home.rows("select count(*) from card") == home.rows("select count(*) from commit")
    assert home.rows("select count(*) from card") == [(0,)]


@pytest.mark.parametrize("page", [b"<html>sorry</html>", b'{"id": "a/x"}', b"5"])
def test_a_page_that_is_no_list_is_rejected(tmp_path, page):
    home = RawHome(tmp_path)
    home.listing({"id": "o/m"})
    home.write("model", answer(page, facet="model", day=2, sweep_id=2))
    assert home.rows("select count(*) > 0 from rejected") == [(True,)]


def test_bytes_after_a_frame_are_damage(tmp_path):
    home = RawHome(tmp_path)
    name = home.listing({"id": "o/m"})
    path = tmp_path / "raw" / name
    path.write_bytes(path.read_bytes() * 2)
    assert "after its zstd frame" in home.rows("select reason from rejected")[0][0]


def test_what_is_no_file_is_no_raw_file(tmp_path):
    home = RawHome(tmp_path)
    home.listing({"id": "o/m"})
    (tmp_path / "raw" / "model" / "folder.jsonl.zst").mkdir()
    (tmp_path / "raw" / "model" / "nowhere.jsonl.zst").symlink_to("nowhere")
    assert home.rows("select repo_id from model") == [("o/m",)]


def test_a_log_that_another_program_left_is_swept_away(tmp_path):
    home = RawHome(tmp_path)
    home.listing({"id": "o/m"})
    home.built().close()
    script = """
import duckdb, os, sys
db = duckdb.connect(sys.argv[1])
db.execute("set checkpoint_threshold = '1GB'; create table mine (a int)")
os._exit(9)
"""
    subprocess.run([sys.executable, "-c", script, tmp_path / "warehouse.duckdb"], check=False)
    assert (tmp_path / "warehouse.duckdb.wal").exists()
    home.built(from_scratch=True).close()
    assert home.rows("select repo_id from model") == [("o/m",)]
