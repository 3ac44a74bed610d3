"""No secret and no private repo reaches a relation, wherever it came from."""

import hashlib

import pytest
from raw_homes import RawHome

from warehouse.masking import masked

TOKEN = "hf_" + "AbCdEfGhIjKlMnOpQrStUvWxYz01234567"
MASK = "hf_MASKED-" + hashlib.sha256(TOKEN.encode()).hexdigest()[:8]
MAIL = "jane.doe@example.org"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    made = RawHome(tmp_path_factory.mktemp("secrets"))
    made.listing(
        {"id": f"o/{TOKEN}", "_id": "i1", "tags": [TOKEN, "x"], "cardData": {"mail": MAIL}},
        {"id": "o/m", "_id": "i2"},
    )
    card = f"---\nlicense: mit\ncontact: {MAIL}, or call\ntoken: {TOKEN}\n---\n{TOKEN} {TOKEN}\n"
    made.answer("card", f"o/{TOKEN}", card.encode(), url=f"http://hub/o/{TOKEN}/README.md")
    commit = (
        f'[{{"id": "c", "title": "use\\n{TOKEN}", "message": "by jane.doe\\u0040example.org"}}]'
    )
    made.answer("commits", "o/m", commit.encode())
    made.answer("discussions", "o/m", {"discussions": [{"num": 1, "title": f"my {TOKEN}"}]})
    made.answer("config", "o/m", {"auth": TOKEN})
    entry = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    header = {"__metadata__": {"by": MAIL}, TOKEN: entry}
    made.answer("tensors", "o/m", header, path="m.safetensors", kind="safetensors")
    made.journal("run", {"run_id": 1, "notes": [f"asked with {TOKEN}"]})
    return made


def everything(home):
    with home.built() as db:
        tables = db.execute(
            "select table_schema, table_name from information_schema.tables order by all"
        ).fetchall()
        return {
            f"{schema}.{name}": repr(db.execute(f"select * from {schema}.{name}").fetchall())
            for schema, name in tables
        }


def test_no_table_holds_a_token_or_an_address(home):
    tables = everything(home)
    assert [name for name, text in tables.items() if TOKEN in text or MAIL in text] == []
    assert MASK in tables["main.tensor"]
    assert MASK in tables["main.commit"]
    assert MASK in tables["main.discussion"]
    assert MASK in tables["main.model_tag"]
    assert TOKEN not in tables["main.answer"]


def test_a_masked_card_still_declares_what_it_declared(home):
    assert home.rows("select repo_id, front_matter->>'license' from card") == [(f"o/{MASK}", "mit")]
    assert home.rows("select front_matter->>'contact' from card") == [("[e-mail], or call",)]


def test_the_operator_is_told_where_without_the_token(home):
    assert home.rows(
        "select place, repo_id, kind, mask, count from leaked_token order by place"
    ) == [
        (place, repo, "huggingface", MASK, count)
        for place, repo, count in [
            ("card", f"o/{MASK}", 3),
            ("commits", "o/m", 1),
            ("config", "o/m", 1),
            ("discussions", "o/m", 1),
            ("model", f"o/{MASK}", 2),
            ("tensors", "o/m", 1),
        ]
    ]


def test_a_reject_holds_no_token(tmp_path):
    made = RawHome(tmp_path)
    made.listing({"id": "o/m", "likes": TOKEN})
    made.answer("card", "o/m", f"---\n{TOKEN}: 1\n{TOKEN}: 2\n---\n".encode())
    assert [reason for (reason,) in made.rows("select reason from rejected order by 1")] == [
        f"duplicate key '{MASK}' in front matter: the last one counts",
        f"likes is no count: {MASK}",
    ]


def test_a_private_repo_is_a_hash_among_the_rejects_and_nothing_else(tmp_path):
    made = RawHome(tmp_path)
    made.listing({"id": "o/m"}, {"id": "o/secret", "private": True, "tags": ["base_model:o/m"]})
    made.answer("security", "o/secret", {"id": "o/secret", "private": True})
    made.answer("card", "o/secret", f"---\na: 1\na: {TOKEN}\n---\n# Hidden".encode())
    made.answer("refs", "o/secret", b"<html>")
    made.failed("tree", "o/secret", 403, "access")
    made.failed("probe", "o/secret", 404, "gone")
    made.answer("card", "o/m", b"# Shown")
    key = hashlib.sha256(b"o/secret").hexdigest()[:12]
    assert set(made.rows("select key, stage, reason from rejected")) == {
        (key, "withheld", "private")
    }
    tables = everything(made)
    assert [name for name, text in tables.items() if "secret" in text and "main." in name] == []
    assert "# Shown" in tables["main.card"]


def test_a_mask_is_made_once(home):
    assert masked(MASK) == MASK
    tables = everything(home)
    with home.built(from_scratch=True):
        assert everything(home)["main.model"] == tables["main.model"]
