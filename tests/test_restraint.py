"""What is not to be known is not stored, or not shown: private, gated, leaked, forgotten."""

import duckdb
from hubs import contents, model, recording
from raw_homes import RawHome

from analysis.lineage import derive_lineage
from app.status import STATUS
from crawler.crawl import crawl
from crawler.forget import forget
from crawler.localhub.access import GRANTED_TOKEN
from crawler.localhub.running import running
from crawler.raw import body_of, read_raw
from warehouse.build import build

TOKEN = "hf_" + "aB3" * 12  # the shape of one that somebody left in a card


def crawled_with_token(home, lines, **options):
    source = recording(home.parent, lines)
    with running(source) as endpoint:
        crawl(home, endpoint=endpoint, hub_name="test", token=GRANTED_TOKEN, **options)
    return home


def raw_text(home):
    stored = [e for path in (home / "raw").rglob("*.zst") for e in read_raw(path)]
    return repr(stored) + "".join(body_of(e).decode() for e in stored)


def warehouse(home):
    with duckdb.connect(build(home, derive=derive_lineage, from_scratch=True)) as db:
        return contents(db)


def query(home, sql):
    with duckdb.connect(build(home, derive=derive_lineage)) as db:
        return db.execute(sql).fetchall()


def test_private_models_that_the_token_reaches_are_not_stored(tmp_path):
    lines = [model("o/open", card="x"), model("o/hidden", card="secret words", private=True)]
    home = crawled_with_token(tmp_path / "home", lines, facets=("card", "security"))
    assert "o/hidden" not in raw_text(home)
    assert "secret words" not in raw_text(home)
    (page,) = read_raw(next((home / "raw" / "model").iterdir()))
    assert page["withheld"] == 1
    assert query(home, "select repo_id from model") == [("o/open",)]


def test_gated_cards_are_asked_for_without_the_token(tmp_path):
    lines = [model("o/gated", card="behind the gate", gated="manual")]
    home = crawled_with_token(tmp_path / "home", lines)
    assert "behind the gate" not in raw_text(home)
    assert query(home, "select reason from rejected") == [("access: status 401 GatedRepo",)]


def test_a_model_that_has_become_private_is_gone(tmp_path):
    lines = [model("o/m", card="x"), model("o/n", card="y")]
    home = crawled_with_token(tmp_path / "home", lines)
    for _ in range(2):
        crawled_with_token(home, [model("o/m", private=True), lines[1]], anew=True)
    assert query(home, "select repo_id, reason from tombstone") == [("o/m", "gone")]


def test_a_token_in_a_card_is_masked_and_listed_for_the_operator(tmp_path):
    lines = [model("o/m", card=f"login with {TOKEN}, ask me@lab.test", sha="a" * 40)]
    home = crawled_with_token(tmp_path / "home", lines)
    assert TOKEN not in repr(warehouse(home))
    assert "me@lab.test" not in repr(warehouse(home))
    assert query(home, "select repo_id, place from leaked_token") == [("o/m", "card")]


def test_a_leak_that_every_sweep_lists_again_is_one(tmp_path):
    home = RawHome(tmp_path)
    leaking = {"id": "o/m", "tags": [TOKEN, TOKEN]}
    home.listing(leaking, {"tags": [TOKEN]}, day=1)
    home.answer("card", "o/m", TOKEN.encode(), day=3)
    # Loaded last, though it tells of an earlier time: what stands there now is one.
    newest = home.listing({**leaking, "tags": [TOKEN]}, day=4)
    home.listing(leaking, day=2)
    assert home.rows("select repo_id, place, count, file_count from leaked_token") == [
        ("o/m", "card", 1, 1),
        ("o/m", "model", 1, 3),
        (None, "model", 1, 1),
    ]
    found = "select source from leaked_token where repo_id = 'o/m' and place = 'model'"
    assert home.rows(found) == [(newest,)]
    with home.built() as db:
        told = db.execute(STATUS["what has changed its place"])
        assert dict(zip([c[0] for c in told.description], told.fetchone(), strict=True)) == {
            **dict.fromkeys(("gone", "renamed", "commits_lost"), 0),
            "leaked_tokens_masked": 1,
        }


def test_what_is_forgotten_is_in_no_file_and_does_not_come_back(tmp_path):
    lines = [model(f"{owner}/m{n}", card=f"# {n}") for owner in ("ada", "bo") for n in range(3)]
    lines.append(model("cy/child", tags=["base_model:ada/m1"]))
    home = crawled_with_token(tmp_path / "home", lines, facets=("card", "refs"))
    told = forget(home, "Ada")
    assert told.repo_count == 3
    left = raw_text(home)
    assert "ada/m0" not in left
    assert "bo/m0" in left
    crawled_with_token(home, lines, facets=("card", "refs"), anew=True)
    assert "ada/m0" not in raw_text(home)
    known = query(home, "select repo_id from model where known order by 1")
    assert known == [("bo/m0",), ("bo/m1",), ("bo/m2",), ("cy/child",)]
    # What another says of it is that other's word.
    assert query(home, "select parent_id from base_model_edge") == [("ada/m1",)]


def test_a_renamed_repo_is_forgotten_under_both_names(tmp_path):
    lines = [model("o/old", card="x", _id="7" * 24)]
    home = crawled_with_token(tmp_path / "home", lines)
    forget(home, "o/old")
    crawled_with_token(home, [model("o/new", card="x", _id="7" * 24)], anew=True)
    assert "o/new" not in raw_text(home)
    assert "o/old" not in raw_text(home)
