"""A check finds each kind of damage, and nothing where there is none."""

import hashlib
import shutil

import duckdb
import pytest
from hubs import crawled, model, recording
from raw_homes import RawHome, answer
from typer.testing import CliRunner

from analysis.lineage import derive_lineage
from app.cli import cli
from crawler.forget import forget
from crawler.raw import write_raw
from warehouse.build import build
from warehouse.check import check
from warehouse.raw import read_raw_file

TAGS = ["base_model:finetune:o/base", "license:mit", "en"]
HEADERS_BYTES, BLOCK_BYTES = 3 * 4096, 2**18  # of a DuckDB file
COMMITS = [{"id": "c1", "title": "First", "authors": [{"user": "ann"}]}]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A home with a bit of everything, built. Read it, never write it."""
    home = RawHome(tmp_path_factory.mktemp("whole"))
    home.listing(
        {"id": "o/base", "_id": "i1", "sha": "c1"}, {"id": "o/kid", "_id": "i2", "tags": TAGS}
    )
    home.listing({"id": "o/base", "_id": "i1"}, {"id": "o/child", "_id": "i2", "tags": TAGS}, day=3)
    home.answer("card", "o/base", b"# Base")
    home.answer("commits", "o/base", COMMITS)
    home.failed("refs", "o/base", 503, "transient")
    home.answer("refs", "o/child", b"<html>")
    home.write("card", answer(b"# Kid", facet="card", repo_id="o/kid", day=1), {"what": "is this"})
    home.journal("run", {"run_id": 1, "outcome": "complete"})
    home.write("run", answer(b"{", facet="run", day=1))
    home.built().close()
    return home.folder


@pytest.fixture
def home(whole, tmp_path):
    """A copy of it, to be damaged."""
    return shutil.copytree(whole, tmp_path / "home")


def found(home, outcome="broken", **options):
    return [
        (finding.check, finding.detail)
        for finding in check(home, **options)
        if finding.outcome == outcome
    ]


def damaged(home, *statements):
    with duckdb.connect(home / "warehouse.duckdb") as db:
        for statement in statements:
            db.execute(statement)
    return found(home)


def told(findings, where, what):
    """Whether just one thing is broken, and is told so."""
    return len(findings) == 1 and findings[0][0] == where and what in findings[0][1]


def test_a_whole_home_has_nothing_broken(whole):
    assert found(whole, deep=True) == []
    assert found(whole, "behind") == []
    checks = {name for name, _ in found(whole, "good", deep=True)}
    assert checks == {
        *("file", "relations", "grains", "references", "counts", "raw files", "raw contents"),
    }


def test_a_crawled_home_has_nothing_broken(tmp_path):
    lines = [
        model("o/base", card="# Base"),
        model("o/child", tags=["base_model:o/base"], card="# Child"),
        model("o/secret", private=True),
        model("p/forgotten", card="# Forget me"),
    ]
    home = crawled(tmp_path / "home", recording(tmp_path, lines), facets=("card", "tree", "refs"))
    build(home, derive=derive_lineage)
    assert found(home, deep=True) == []
    forget(home, "p/forgotten")
    assert "not what was loaded" in found(home)[0][1]
    build(home, derive=derive_lineage, from_scratch=True)
    assert found(home, deep=True) == []


def test_a_key_that_stands_twice_is_found(home):
    findings = damaged(home, "insert into model_tag from model_tag where tag = 'en'")
    assert told(findings, "grains", "model_tag: repo_id, tag is not unique: 1: [o/child, en]")


def test_a_reference_that_leads_nowhere_is_found(home):
    findings = damaged(home, "update model_language set repo_id = 'o/nobody'")
    assert told(
        findings, "references", "model_language: repo_id -> model leads nowhere: 1: [o/nobody]"
    )


def test_a_relation_that_is_missing_is_found(home):
    findings = damaged(home, "drop table sweep")
    assert told(findings, "relations", "sweep is missing")


def test_a_view_that_cannot_be_read_is_found(home):
    findings = damaged(home, "alter table landing.card rename text to words")
    assert any(where == "relations" and "card cannot be read" in what for where, what in findings)


def test_a_macro_that_is_missing_is_found(home):
    findings = damaged(home, "drop macro table survival")
    assert told(findings, "relations", "survival cannot be read")


def test_an_answer_that_was_lost_is_found(home):
    findings = damaged(home, "delete from landing.answer where facet = 'commits'")
    assert told(findings, "counts", "each envelope of a raw file is an answer")
    assert "[commits/00004.jsonl.zst, 1 envelopes, 0 taken in]" in findings[0][1]


def test_a_model_that_was_lost_is_found(home):
    findings = damaged(
        home,
        "delete from model where repo_id = 'o/child'",
        "delete from model_tag where repo_id = 'o/child'",
    )
    counts = [what for where, what in findings if where == "counts"]
    assert "known model, and no other is: 1: [o/child]" in counts[0]


def test_a_model_that_nobody_has_looked_at_is_found(home):
    findings = damaged(home, "delete from landing.look where hub_id = 'i1'")
    assert told(findings, "counts", "each known model has been looked at: 1: [o/base]")


def test_a_family_that_counts_wrong_is_found(home):
    findings = damaged(home, "update family set member_count = 7")
    assert told(findings, "counts", "[o/base, 7 told, 2 found]")


def test_a_model_without_a_family_is_found(home):
    findings = damaged(home, "delete from family_member where repo_id = 'o/child'")
    assert "each model has its place in a family: 1: [o/child]" in " ".join(f[1] for f in findings)


def test_a_raw_file_that_is_missing_is_found(home):
    (home / "raw" / "card" / "00003.jsonl.zst").unlink()
    assert told(found(home), "raw files", "missing now: 1: [card/00003.jsonl.zst]")


def test_a_raw_file_that_was_replaced_is_found(home):
    path = home / "raw" / "card" / "00003.jsonl.zst"
    path.unlink()
    write_raw(path, [answer(b"# Another card", facet="card", repo_id="o/base", day=1)])
    assert told(found(home), "raw files", "not what was loaded: 1: [card/00003.jsonl.zst]")


def test_a_raw_file_that_is_not_loaded_yet_is_no_damage(home):
    extra = answer(b"# New", facet="card", repo_id="o/base", day=9)
    write_raw(home / "raw" / "card" / "00090.jsonl.zst", [extra])
    assert found(home) == []
    assert told(found(home, "behind"), "raw files", "not loaded yet: 1: [card/00090.jsonl.zst]")


def test_a_raw_file_that_could_not_be_loaded_is_found(home):
    (home / "raw" / "card" / "00090.jsonl.zst").write_bytes(b"no zstd")
    made = RawHome(home)
    made.built().close()
    assert told(found(home), "raw files", "card/00090.jsonl.zst: raw file is damaged")


def test_a_flipped_bit_in_a_raw_file_is_found_by_a_deep_check_alone(home):
    path = home / "raw" / "card" / "00003.jsonl.zst"
    content = bytearray(path.read_bytes())
    content[-6] ^= 1
    path.write_bytes(content)
    assert found(home) == []
    assert told(found(home, deep=True), "raw contents", "card/00003.jsonl.zst: damaged")


def test_a_body_that_is_not_the_one_that_came_is_found_by_a_deep_check(home):
    path = home / "raw" / "card" / "00003.jsonl.zst"
    (envelope,) = read_raw_file(home, "card/00003.jsonl.zst").envelopes
    path.unlink()
    came = hashlib.sha256(b"# Base").hexdigest()
    write_raw(path, [{**envelope, "body": "# Bose", "body_sha256": came}])
    findings = found(home, deep=True)
    assert ("raw contents", True) in [(w, "card/00003" in what) for w, what in findings]


def test_a_flipped_bit_in_a_block_is_found_by_a_deep_check(home):
    path = home / "warehouse.duckdb"
    with duckdb.connect(path, read_only=True) as db:
        stored = "select max(block_id) from pragma_storage_info('landing.answer')"
        ((block,),) = db.execute(stored).fetchall()
    content = bytearray(path.read_bytes())
    content[HEADERS_BYTES + block * BLOCK_BYTES + 100] ^= 1
    path.write_bytes(content)
    findings = found(home, deep=True)
    assert told([f for f in findings if f[0] == "file"], "file", "Corrupt database file")
    assert "--from-scratch" in findings[0][1]


def test_a_file_that_does_not_open_is_one_finding(home):
    (home / "warehouse.duckdb").write_bytes(b"no database")
    assert told(found(home), "file", "cannot be opened")
    (home / "warehouse.duckdb").unlink()
    assert told(found(home), "file", "holds no warehouse")


def test_the_command_tells_one_line_a_damage_and_exits_with_one(home):
    run = CliRunner().invoke
    good = run(cli, ["--home", str(home), "check", "--deep"])
    assert (good.exit_code, "broken" in good.output) == (0, False)
    damaged(home, "drop table sweep", "drop table sample_member")
    bad = run(cli, ["--home", str(home), "check"])
    assert bad.exit_code == 1
    lines = [line for line in bad.stderr.splitlines() if line.startswith("broken: ")]
    assert [line.split(";")[0] for line in lines] == [
        "broken: relations: sample_member is missing",
        "broken: relations: sweep is missing",
    ]
