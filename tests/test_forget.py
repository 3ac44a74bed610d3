"""Forgetting follows a repo through its names, and takes nothing of who has them now."""

import os
import shutil
import signal
import subprocess
import sys

import duckdb
import pytest
from hubs import crawled, model, recording
from raw_homes import DAY, RawHome, answer

from analysis.lineage import derive_lineage
from crawler.forget import NotForgettable, NothingStored, forget
from crawler.importing import import_folder, import_records
from crawler.raw import RawFileDamaged, body_of, read_raw
from crawler.state import CrawlState
from warehouse.build import build

OLD, NEW = "ada/first-name", "bo/second-name"
FORGET = (
    "import sys, pathlib, crawler.forget as f; f.forget(pathlib.Path(sys.argv[1]), sys.argv[2])"
)


def raw_text(folder):
    """All that raw files say, decompressed, bodies as text."""
    paths = sorted((folder / "raw").rglob("*.zst"))
    stored = [one for path in paths for one in read_raw(path)]
    return repr(stored) + "".join(body_of(one).decode("utf-8", "replace") for one in stored)


def tables(folder):
    """Every table of a warehouse built from scratch, as text."""
    with duckdb.connect(build(folder, derive=derive_lineage, from_scratch=True)) as db:
        asked = "select table_schema, table_name from information_schema.tables"
        names = db.execute(asked).fetchall()
        return {
            f"{schema}.{name}": repr(db.execute(f"select * from {schema}.{name}").fetchall())
            for schema, name in names
        }


def mentions(folder, *names):
    """Where any of these names still stands."""
    found = [place for place, text in tables(folder).items() if any(n in text for n in names)]
    return found + (["raw"] if any(n in raw_text(folder) for n in names) else [])


def cards(home):
    return home.rows("select repo_id, text from landing.card order by fetched_at, repo_id")


@pytest.fixture
def renamed(tmp_path):
    """A repo under two names, with answers under both, beside one that stays."""
    home = RawHome(tmp_path / "home")
    home.listing({"id": OLD, "_id": "i1"}, {"id": "cy/other", "_id": "i2"}, day=1)
    home.write(
        "card",
        answer(b"# One", facet="card", repo_id=OLD, day=2),
        answer(b"# Other", facet="card", repo_id="cy/other", day=2),
    )
    home.answer("refs", OLD, {"branches": []}, day=2)
    home.listing({"id": NEW, "_id": "i1"}, {"id": "cy/other", "_id": "i2"}, day=3)
    home.answer("card", NEW, b"# Two", day=4)
    home.answer("security", NEW, {"id": NEW, "_id": "i1"}, day=4)
    entry = {"sample_id": 1, "drawn_at": DAY.format(2), "members": [[OLD, "x"], ["cy/other", "x"]]}
    home.journal("sample", entry)
    return home


@pytest.mark.parametrize("name", [OLD, NEW, OLD.upper(), "ada", "bo"])
def test_a_renamed_repo_goes_under_each_of_its_names(renamed, name):
    assert forget(renamed.folder, name).file_count == 7
    assert mentions(renamed.folder, "first-name", "second-name") == []
    assert cards(renamed) == [("cy/other", "# Other")]
    assert renamed.rows("select repo_id from model") == [("cy/other",)]


def test_neither_name_nor_id_comes_back(renamed):
    forget(renamed.folder, NEW)
    for number, record in enumerate([{"id": OLD}, {"id": NEW}, {"id": "x/third", "_id": "i1"}]):
        source = recording(renamed.folder.parent, [{"model": record}])
        import_records(renamed.folder, source, as_of=f"2027-01-{number + 1:02d}")
    assert mentions(renamed.folder, "first-name", "second-name", "x/third") == []


def test_a_redirect_ties_names_that_share_no_id(tmp_path):
    source = [model("o/old", card="# One"), model("o/other", card="# Other")]
    home = crawled(tmp_path / "home", recording(tmp_path, source))
    moved = {**model("o/new", card="# Two"), "former_ids": ["o/old"]}
    for _ in range(2):
        crawled(home, recording(tmp_path, [moved, source[1]]))
    assert "main.alias" in mentions(home, "o/old")
    assert forget(home, "o/old").repo_count == 2
    assert mentions(home, "o/old", "o/new") == []
    assert "o/other" in tables(home)["main.card"]


@pytest.mark.parametrize("name", ["o/old", "o/new"])
def test_a_redirected_file_ties_names_that_no_probe_asked_for(tmp_path, name):
    home = RawHome(tmp_path)
    home.listing({"id": "o/old"}, day=1)
    final = "http://hub/api/resolve-cache/models/o/new/" + "a" * 40 + "/README.md"
    home.answer("card", "o/old", b"# One", day=2, final_url=final, failure="moved")
    home.listing({"id": "o/new"}, {"id": "o/other"}, day=3)
    home.answer("card", "o/new", b"# Two", day=4)
    forget(home.folder, name)
    assert mentions(home.folder, "o/old", "o/new") == []
    assert home.rows("select repo_id from model") == [("o/other",)]


def test_two_that_were_listed_beside_each_other_are_two_whatever_a_redirect_says(tmp_path):
    home = RawHome(tmp_path)
    home.listing({"id": "o/a", "_id": "i1"}, {"id": "o/b", "_id": "i2"}, day=1)
    home.answer("card", "o/b", b"# B", day=2)
    home.answer("refs", "o/a", b"", day=2, final_url="http://hub/api/models/o/b/refs")
    home.listing({"id": "o/b", "_id": "i1"}, {"id": "o/c", "_id": "i2"}, day=3)
    forget(home.folder, "o/b")
    assert home.rows("select repo_id, hub_id from model") == [("o/c", "i2")]
    assert cards(home) == [("o/b", "# B")]


def swapped(folder):
    """Two repos that have swapped their names between the days 2 and 3."""
    home = RawHome(folder)
    for day, (first, second) in {1: ("i1", "i2"), 3: ("i2", "i1")}.items():
        home.listing({"id": "o/a", "_id": first}, {"id": "o/b", "_id": second}, day=day)
        for name, repo in (("o/a", first), ("o/b", second)):
            home.answer("card", name, f"# {repo}".encode(), day=day + 1)
    return home


@pytest.mark.parametrize(("name", "left"), [("o/a", ("o/b", "i1")), ("o/b", ("o/a", "i2"))])
def test_of_two_that_swapped_names_only_the_one_goes(tmp_path, name, left):
    home = swapped(tmp_path)
    forget(home.folder, name)
    other_name, other_id = left
    assert home.rows("select repo_id, hub_id from model") == [left]
    assert cards(home) == [(name, f"# {other_id}"), (other_name, f"# {other_id}")]
    forget(home.folder, other_name)
    assert mentions(home.folder, "o/a", "o/b") == []


def test_an_owner_goes_without_who_took_a_name_over(tmp_path):
    home = RawHome(tmp_path)
    home.listing({"id": "o/a", "_id": "i1"}, {"id": "o/z", "_id": "i3"}, day=1)
    home.answer("card", "o/a", b"# i1", day=2)
    home.listing({"id": "p/a", "_id": "i1"}, {"id": "o/a", "_id": "i2"}, day=3)
    home.answer("card", "o/a", b"# i2", day=4)
    forget(home.folder, "o")
    assert home.rows("select repo_id from model") == [("p/a",)]
    assert cards(home) == [("o/a", "# i1")]


def test_a_name_given_anew_by_the_same_owner_goes_with_both_repos(tmp_path):
    home = RawHome(tmp_path)
    for day, hub_id in ((1, "i1"), (3, "i2")):
        home.listing({"id": "o/a", "_id": hub_id}, day=day)
        home.answer("card", "o/a", hub_id.encode(), day=day + 1)
    forget(home.folder, "o/a")
    assert mentions(home.folder, "o/a", "i1", "i2") == []


def test_answers_from_before_the_first_listing_are_its_repos(tmp_path):
    home = RawHome(tmp_path)
    home.answer("card", "o/a", b"# early", day=1)
    home.listing({"id": "o/a", "_id": "i1"}, day=2)
    home.listing({"id": "o/new", "_id": "i1"}, {"id": "o/a", "_id": "i2"}, day=3)
    home.answer("card", "o/a", b"# late", day=4)
    forget(home.folder, "o/new")
    assert cards(home) == [("o/a", "# late")]


def test_answers_go_where_no_listing_names_them(tmp_path):
    home = RawHome(tmp_path)
    for name in ("o/a", "o/b", "p/c"):
        home.answer("card", name, b"# x")
    forget(home.folder, "o")
    assert cards(home) == [("p/c", "# x")]


def test_a_record_that_is_no_json_goes_by_the_ids_that_it_states(tmp_path):
    home = RawHome(tmp_path)
    nested = '{"id": "o/b", "baseModels": {"models": [{"id": "o/a"}]}, "likes": NaN}'
    page = f'[{{"_id": "i1", "id": "o/a", "x": {{}}, "likes": NaN}}, {nested}]'
    home.write("model", answer(page.encode(), facet="model", day=1, sweep_id=1))
    home.answer("card", "o/a", b"# A", day=2)
    forget(home.folder, "o/a")
    (page,) = read_raw(next((tmp_path / "raw" / "model").iterdir()))
    assert body_of(page).decode() == f"[{nested}]"
    assert page["withheld"] == 1
    assert cards(home) == []


def test_a_copy_on_this_machine_goes_with_the_repo_that_it_is_of(tmp_path):
    home = RawHome(tmp_path)
    home.listing({"id": "o/a", "_id": "i1"}, day=1)
    home.listing({"id": "o/a", "_id": "local-a", "localPath": "/cache/a"}, day=2)
    home.listing({"id": "o/b", "_id": "i1"}, {"id": "o/c", "_id": "i3"}, day=3)
    forget(home.folder, "o/b")
    again = recording(tmp_path, [model("me/a", _id="local-a"), model("o/c", _id="i3")])
    import_records(home.folder, again, as_of="2027-01-01")
    assert mentions(home.folder, "o/a", "o/b", "me/a", "local-a") == []


def test_a_folder_that_was_imported_is_forgotten_by_its_name(tmp_path):
    for name in ("kept", "gone"):
        (tmp_path / "models" / name).mkdir(parents=True)
        (tmp_path / "models" / name / "config.json").write_text("{}")
    home = tmp_path / "home"
    import_folder(home, tmp_path / "models")
    assert forget(home, "local/gone").repo_count == 1
    import_folder(home, tmp_path / "models", owner="me")
    assert "local/kept" in raw_text(home)
    assert mentions(home, "local/gone", "me/gone") == []


@pytest.mark.parametrize("again", [OLD, NEW, "no/other"])
def test_broken_off_anywhere_it_is_finished_by_the_next(tmp_path, again):
    whole = many_named(tmp_path / "whole")
    forget(whole, OLD)
    assert mentions(whole, "second-name", "i1") == []
    assert OLD in tables(whole)["landing.card"]  # that of the repo that had the name before
    for number in range(1, 8):
        home = many_named(tmp_path / str(number))
        killed = forgetting(home, OLD, at=f"raw renamed:{number}")
        assert killed.returncode == -signal.SIGKILL
        forget(home, again)
        assert raw_text(home) == raw_text(whole)


def test_forgotten_twice_it_takes_no_more_than_once(tmp_path):
    home = many_named(tmp_path)
    forget(home, OLD)
    left = raw_text(home)
    assert "i2" in left
    assert forget(home, OLD).file_count == 0
    assert raw_text(home) == left


def test_what_a_copy_brings_back_goes_again(tmp_path):
    home = many_named(tmp_path / "home")
    shutil.copytree(home / "raw", tmp_path / "copy")
    forget(home, OLD)
    left = raw_text(home)
    shutil.copytree(tmp_path / "copy", home / "raw", dirs_exist_ok=True)
    assert raw_text(home) != left
    forget(home, OLD)
    assert raw_text(home) == left
    shutil.copytree(tmp_path / "copy", home / "raw", dirs_exist_ok=True)
    forget(home, "cy/other")  # had one of the names, too
    assert mentions(home, OLD, NEW, "cy/other") == []


@pytest.mark.parametrize("place", ["forget begins", "forget not yet committed"])
def test_killed_before_it_is_remembered_nothing_is_changed(tmp_path, place):
    home = many_named(tmp_path / "home")
    before = raw_text(home)
    assert forgetting(home, OLD, at=f"{place}:1").returncode == -signal.SIGKILL
    assert raw_text(home) == before


def many_named(folder):
    """A home where a repo has had two names, of which another repo had the first before."""
    home = RawHome(folder)
    home.listing({"id": OLD, "_id": "i2"}, day=1)
    home.answer("card", OLD, b"# i2", day=2)
    home.listing({"id": OLD, "_id": "i1"}, {"id": "cy/other", "_id": "i2"}, day=3)
    home.answer("card", OLD, b"# i1", day=4)
    home.answer("refs", OLD, {"branches": []}, day=5)
    home.answer("tree", OLD, b"", day=6, final_url=f"http://hub/api/models/{NEW}/tree/main")
    home.listing({"id": NEW, "_id": "i1"}, {"id": "cy/other", "_id": "i2"}, day=7)
    home.answer("card", NEW, b"# i1", day=8)
    home.answer("security", NEW, {"id": NEW, "_id": "i1"}, day=8)
    return folder


def forgetting(home, name, *, at):
    command = [sys.executable, "-c", FORGET, str(home), name]
    return subprocess.run(command, env={**os.environ, "HUBATLAS_CRASH_AT": at}, check=False)


def test_the_state_keeps_no_name(tmp_path):
    source = recording(tmp_path, [model(OLD, card="x", _id="7" * 24), model("cy/other")])
    home = crawled(tmp_path / "home", source, facets=("card", "refs"))
    forget(home, OLD)
    kept = b"".join(path.read_bytes() for path in (home / "state").iterdir())
    assert b"cy/other" in kept
    assert OLD.encode() not in kept
    assert b"7" * 24 not in kept


def test_a_damaged_raw_file_stops_it_before_anything_is_erased(renamed):
    (renamed.folder / "raw" / "card" / "00099.jsonl.zst").write_bytes(b"no")
    before = sorted((renamed.folder / "raw").rglob("*.zst"))
    bytes_before = [path.read_bytes() for path in before]
    with pytest.raises(RawFileDamaged):
        forget(renamed.folder, OLD)
    assert [path.read_bytes() for path in before] == bytes_before
    state = CrawlState(renamed.folder)
    assert state.forgotten() == frozenset()
    state.close()


def test_a_home_that_is_none_is_told_and_not_made(tmp_path):
    home = tmp_path / "nowhere"
    with pytest.raises(NothingStored, match="nowhere holds no crawl"):
        forget(home, "o/a")
    assert not home.exists()
    with pytest.raises(NotForgettable):
        forget(home, "a/b/c")
