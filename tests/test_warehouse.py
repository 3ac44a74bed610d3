"""Raw files into one DuckDB file: what is typed, what is rejected, and what is never lost."""

import contextlib
import re
import threading
from pathlib import Path

import duckdb
import orjson
import pytest
from hubs import built, contents, crawled, model, recording, relations
from huggingface_hub.utils import HFValidationError, validate_repo_id
from hypothesis import example, given
from hypothesis import strategies as st

from analysis.lineage import derive_lineage
from crawler.raw import envelope, write_raw
from crawler.sweep import is_safe_id
from warehouse.build import (
    BuildBusy,
    NothingToBuild,
    _locked,
    build,
    is_current,
)
from warehouse.front_matter import FrontMatterBroken, read_front_matter, split_card
from warehouse.raw import page_records
from warehouse.read import NoWarehouse, SqlRefused, open_warehouse, run_query
from warehouse.records import refusal
from warehouse.relations import published_names, read_relation

TAGGED = [
    model("root/base", card="---\nlicense: mit\n---\n# Base", sha="a" * 40, likes=3),
    model("o/tuned", tags=["base_model:root/base", "base_model:finetune:root/base", "license:mit"]),
    model("o/self", tags=["base_model:o/self"]),
    model("o/local", tags=["base_model:adapter:C:\\Models\\x"]),
    model("o/orphan", tags=["base_model:quantized:gone/away"]),
]


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub")
    with built(folder / "home", recording(folder, TAGGED)) as db:
        yield db


def page(home: Path, name: str, body: bytes) -> None:
    when = {"fetched_at": "2026-01-02T03:04:05.000Z", "sweep_id": 1}
    write_raw(home / "raw" / "model" / f"{name}.jsonl.zst", [envelope(body, **when)])


def cards(home: Path, name: str, **texts: str) -> None:
    when = {"fetched_at": "2026-01-02T03:04:05.000Z", "status": 200, "revision": "main"}
    rows = [envelope(t.encode(), repo_id=f"o/{repo}", **when) for repo, t in texts.items()]
    write_raw(home / "raw" / "card" / f"{name}.jsonl.zst", rows)


def published(home: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(build(home, derive=derive_lineage), read_only=True)


def rejected(db, stage):
    rows = db.execute("select key, reason from rejected where stage = ? order by 1, 2", [stage])
    return rows.fetchall()


def test_every_relation_keeps_its_grain(hub):
    assert set(relations(hub)) == {*published_names(), "family", "family_member"}
    for name in relations(hub):
        grain = ", ".join(_relation(name).grain)
        doubles = hub.execute(f"select {grain} from {name} group by all having count(*) > 1")
        assert doubles.fetchall() == [], f"{name} is not unique by {grain}"


def test_every_relation_says_in_the_file_what_it_is(hub):
    rows = hub.execute(
        "select table_name, comment from duckdb_tables() where schema_name = 'main'"
    ).fetchall()
    for name, comment in rows:
        if name != "build":
            assert comment.startswith(_relation(name).comment[:40])
            assert "Grain: " in comment


def _relation(name):
    return read_relation("analysis" if name in {"family", "family_member"} else "warehouse", name)


def test_a_record_becomes_typed_columns(tmp_path):
    line = model(
        "Owner/Name",
        createdAt="2024-05-06T07:08:09.000Z",
        downloads=5,
        gated="manual",
        safetensors={"parameters": {"BF16": 7}, "total": 7},
        config={"model_type": "llama", "architectures": ["LlamaForCausalLM"]},
        tags=["license:mit", "pytorch"],
        siblings=[{"rfilename": "a.bin", "size": 3, "lfs": {"sha256": "f" * 64}}],
    )
    with built(tmp_path / "home", recording(tmp_path, [line])) as db:
        row = db.execute(
            "select repo_id, author, created_at::varchar, downloads_30d, gated, parameter_count,"
            " model_type, architecture, license, known from model"
        ).fetchone()
        file = db.execute("select path, size_bytes, lfs_sha256 from repo_file").fetchone()
        tags = db.execute("select tag, kind, tag_value from model_tag order by tag").fetchall()
    assert row == (
        *("Owner/Name", "Owner", "2024-05-06 07:08:09", 5, "manual", 7, "llama"),
        *("LlamaForCausalLM", "mit", True),
    )
    assert file == ("a.bin", 3, "f" * 64)
    assert tags == [("license:mit", "license", "mit"), ("pytorch", None, "pytorch")]


def test_one_edge_however_often_it_is_declared(hub):
    rows = hub.execute("select child_id, parent_id, relation, evidence from base_model_edge")
    assert sorted(rows.fetchall()) == [
        ("o/orphan", "gone/away", "quantized", ["tag"]),
        ("o/tuned", "root/base", "finetune", ["tag"]),
    ]


def test_what_cannot_be_an_edge_is_rejected_with_its_reason(hub):
    assert rejected(hub, "lineage") == [
        ("o/local", r"malformed base model id: C:\Models\x"),
        ("o/self", "declares itself as its base model: o/self"),
    ]


def test_a_parent_that_nobody_listed_is_a_ghost(hub):
    rows = hub.execute("select repo_id, known from model where not known").fetchall()
    assert rows == [("gone/away", False)]
    assert hub.execute("select count(*) from model where known").fetchone() == (5,)


def test_all_places_that_declare_a_base_model_are_evidence(tmp_path):
    home = tmp_path / "home"
    record = {
        "id": "o/child",
        "tags": ["base_model:o/base"],
        "cardData": {"base_model": ["o/base", "o/second"], "base_model_relation": "merge"},
    }
    page(home, "1", orjson.dumps([record]))
    cards(
        home,
        "1",
        child="---\nbase_model: o/base\n---\nThis model is a fine-tuned version of"
        " [o/base](https://huggingface.co/o/base) on the digits dataset.",
    )
    with published(home) as db:
        rows = db.execute("select parent_id, relation, evidence from base_model_edge order by 1")
        assert rows.fetchall() == [
            ("o/base", "merge", ["card_data", "card_text", "front_matter", "tag"]),
            ("o/second", "merge", ["card_data"]),
        ]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("a fine-tuned version of [x](https://huggingface.co/o/x) on", ("o/x", "finetune")),
        ("Fine-tuned version of [`x`](https://huggingface.co/x/)", ("x", "finetune")),
        (
            "- **Finetuned from model :** unsloth/llama-3-8b-bnb",
            ("unsloth/llama-3-8b-bnb", "finetune"),
        ),
        ("These are LoRA weights for [b](https://huggingface.co/o/b).", ("o/b", "adapter")),
        ("GGUF format model files for [B 7B](https://huggingface.co/o/b).", ("o/b", "quantized")),
        ("static quants of https://huggingface.co/o/b\n", ("o/b", "quantized")),
        (
            "merged using the [TIES](https://arxiv.org/abs/1) merge method using"
            " [b](https://huggingface.co/o/b) as a base.",
            None,
        ),
        ("merge method using [b](https://huggingface.co/o/b) as a base.", ("o/b", "merge")),
        (
            "The following models were included in the merge:\n* [b](https://huggingface.co/o/b)\n",
            ("o/b", "merge"),
        ),
        ("we compare with [b](https://huggingface.co/o/b)", None),
    ],
)
def test_sentences_of_known_templates(tmp_path, sentence, expected):
    home = tmp_path / "home"
    page(home, "1", b'[{"id": "o/child"}]')
    cards(home, "1", child=f"# Title\n\n{sentence}\n\nMore text.")
    with published(home) as db:
        rows = db.execute("select parent_id, relation from base_model_edge").fetchall()
    if "TIES" in sentence:
        expected = ("o/b", "merge")
    assert rows == ([expected] if expected else [])


NAME_CHARACTERS = st.text("ab9_.-/ \\é", max_size=12)


@given(NAME_CHARACTERS | st.from_regex(r"[\w.-]{90,100}/?[\w.-]{0,5}", fullmatch=True))
def test_malformed_parents_are_those_that_the_hub_library_refuses(declared):
    try:
        validate_repo_id(declared)
        valid = True
    except HFValidationError:
        valid = False
    sql = read_relation("warehouse", "base_model_evidence").sql
    rule = re.search(r"(not regexp_full_match\(.*?)\s+then 'malformed", sql, re.S)[1]
    refused = duckdb.execute(f"select {rule} from (select ? as parent_id)", [declared]).fetchone()
    assert refused == (not valid,)


@given(NAME_CHARACTERS | st.from_regex(r"[\w.-]{295,303}/?[\w.-]{0,5}", fullmatch=True))
def test_the_crawler_and_the_warehouse_take_the_same_ids(repo_id):
    assert (refusal({"id": repo_id}) is None) == is_safe_id(repo_id)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ('{"tags": []}', "record has no id"),
        ('{"id": 7}', "malformed repo id"),
        ('{"id": "../../x"}', "malformed repo id"),
        ('{"id": "a b/c"}', "malformed repo id"),
        ('{"id": "<img src=x>/c"}', "malformed repo id"),
        ('{"id": "a/b/c"}', "malformed repo id"),
        ('"text"', "record is not an object"),
        ('{"id": "x/y", "n": NaN}', "record is not JSON"),
    ],
)
def test_a_bad_record_is_rejected_and_its_neighbours_are_not(tmp_path, record, reason):
    home = tmp_path / "home"
    page(home, "1", f'[{{"id": "o/before"}}, {record}, {{"id": "o/after"}}]'.encode())
    with published(home) as db:
        assert db.execute("select repo_id from model").fetchall() == [("o/after",), ("o/before",)]
        (row,) = db.execute("select reason, key from rejected").fetchall()
    assert row[0] == reason
    assert row[1]


def test_a_wrong_type_is_null_not_a_failure(tmp_path):
    home = tmp_path / "home"
    odd = {"id": "o/x", "tags": "text", "likes": "many", "siblings": {"a": 1}, "createdAt": "soon"}
    page(home, "1", orjson.dumps([odd]))
    with published(home) as db:
        row = db.execute("select likes_count, created_at, known from model").fetchone()
        told = [reason for _, reason in rejected(db, "listing")]
    assert row == (None, None, True)
    assert told == [
        "createdAt is no time: soon",
        "likes is no count: many",
        "siblings is no list",
        "tags is no list",
    ]


def test_a_base_model_that_is_no_text_is_rejected(tmp_path):
    home = tmp_path / "home"
    odd = {"base_model": ["o/fine", None, 5, {"a": 1}, "", "7", 7]}
    tags = ["base_model:", "base_model:finetune:"]
    page(home, "1", orjson.dumps([{"id": "o/x", "cardData": odd, "tags": tags}]))
    with published(home) as db:
        edges = db.execute("select parent_id from base_model_edge").fetchall()
        assert sorted(edges) == [("7",), ("o/fine",)]
        assert [reason for _, reason in rejected(db, "lineage")] == [
            "base model id is not text: 5",
            "base model id is not text: null",
            'base model id is not text: {"a":1}',
            "malformed base model id: ",
            "malformed base model id: ",
        ]


def test_types_do_not_depend_on_what_is_there(hub, tmp_path):
    home = tmp_path / "home"
    page(home, "1", b'[{"id": "o/alone"}]')
    with published(home) as db:
        for name in relations(db):
            assert db.execute(f"describe {name}").fetchall() == (
                hub.execute(f"describe {name}").fetchall()
            )


def test_hostile_cards_are_kept_or_rejected(tmp_path):
    home = tmp_path / "home"
    bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{b}: &{b} [{','.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdef", "bcdefg", strict=True)
    )
    page(
        home, "1", orjson.dumps([{"id": f"o/{n}"} for n in ("nul", "long", "bomb", "twice", "no")])
    )
    cards(
        home,
        "1",
        nul="# a\x00b",
        long="x" * 600_000,
        bomb=f"---\n{bomb}---\n# Bomb",
        twice="---\nlicense: mit\nlicense: apache-2.0\n---\n",
        no="---\nlanguage: no\n---\n",
    )
    with published(home) as db:
        kept = dict(db.execute("select repo_id, character_count from card").fetchall())
        front = dict(db.execute("select repo_id, front_matter from card").fetchall())
        refused = dict(rejected(db, "front_matter"))
        assert db.execute("select text from card where repo_id = 'o/nul'").fetchone() == ("# a\0b",)
    assert kept["o/nul"] == 5
    assert kept["o/long"] == 600_000
    assert "expands to more than" in refused["o/bomb"]
    assert refused["o/twice"] == "duplicate key 'license' in front matter: the last one counts"
    assert orjson.loads(front["o/twice"]) == {"license": "apache-2.0"}
    assert orjson.loads(front["o/no"]) == {"language": "no"}


def test_a_card_that_was_mended_is_no_longer_rejected(tmp_path):
    home = tmp_path / "home"
    page(home, "1", b'[{"id": "o/m"}]')
    cards(home, "1", m="---\na: [\n---\n")
    with published(home) as db:
        assert len(rejected(db, "front_matter")) == 1
    row = {"repo_id": "o/m", "status": 200, "fetched_at": "2026-03-02T03:04:05.000Z"}
    write_raw(home / "raw" / "card" / "2.jsonl.zst", [envelope(b"---\na: 1\n---\n", **row)])
    with published(home) as db:
        assert rejected(db, "front_matter") == []
        assert db.execute("select front_matter from card").fetchone() == ('{"a":1}',)


def test_a_truncated_raw_file_is_rejected_and_takes_nothing_away(tmp_path):
    home = tmp_path / "home"
    page(home, "1", b'[{"id": "o/old"}]')
    build(home, derive=derive_lineage)
    page(home, "2", b'[{"id": "o/new"}]')
    for name in ("1", "2"):
        path = home / "raw" / "model" / f"{name}.jsonl.zst"
        path.write_bytes(path.read_bytes()[:-6])
    with published(home) as db:
        assert db.execute("select repo_id from model").fetchall() == [("o/old",)]
        assert db.execute("select source, stage from rejected").fetchall() == [
            ("model/2.jsonl.zst", "raw")
        ]
    assert not is_current(home)


def test_a_flipped_bit_is_seen(tmp_path):
    home = tmp_path / "home"
    page(home, "1", b'[{"id": "o/x"}]' + b" " * 2000)
    path = home / "raw" / "model" / "1.jsonl.zst"
    flipped = bytearray(path.read_bytes())
    flipped[len(flipped) // 2] ^= 1
    path.write_bytes(flipped)
    with published(home) as db:
        assert db.execute("select count(*) from model").fetchone() == (0,)
        assert db.execute("select stage from rejected").fetchall() == [("raw",)]


def test_a_renamed_repo_is_one_model(tmp_path):
    home = tmp_path / "home"
    page(home, "1", b'[{"_id": "i1", "id": "o/old"}]')
    when = {"fetched_at": "2026-02-02T03:04:05.000Z", "sweep_id": 2}
    new = envelope(b'[{"_id": "i1", "id": "o/new"}]', **when)
    write_raw(home / "raw" / "model" / "2.jsonl.zst", [new])
    with published(home) as db:
        assert db.execute("select repo_id from model").fetchall() == [("o/new",)]
        assert db.execute("select count(*) from rejected").fetchone() == (0,)


def test_from_scratch_and_step_by_step_give_the_same(tmp_path):
    home = tmp_path / "home"
    for n in range(3):
        page(home, str(n), orjson.dumps([{"id": f"o/{n}", "tags": [f"base_model:o/{n - 1}"]}]))
        build(home, derive=derive_lineage)
    with published(home) as db:
        stepwise = contents(db)
    with duckdb.connect(build(home, derive=derive_lineage, from_scratch=True)) as db:
        assert contents(db) == stepwise


def test_a_reader_keeps_the_old_file_while_a_new_one_is_published(tmp_path):
    home = tmp_path / "home"
    page(home, "1", b'[{"id": "o/a"}]')
    build(home, derive=derive_lineage)
    with open_warehouse(home) as reader:
        page(home, "2", b'[{"id": "o/b"}]')
        build(home, derive=derive_lineage)
        assert reader.execute("select count(*) from model").fetchone() == (1,)
    with open_warehouse(home) as reader:
        assert reader.execute("select count(*) from model").fetchone() == (2,)


def test_a_failed_build_leaves_the_published_file(tmp_path):
    def failing(db, report):
        raise KeyboardInterrupt

    home = tmp_path / "home"
    page(home, "1", b'[{"id": "o/a"}]')
    before = build(home, derive=derive_lineage).read_bytes()
    page(home, "2", b'[{"id": "o/b"}]')
    with pytest.raises(KeyboardInterrupt):
        build(home, derive=failing)
    assert (home / "warehouse.duckdb").read_bytes() == before
    with published(home) as db:
        assert db.execute("select count(*) from model").fetchone() == (2,)


def test_a_file_that_is_no_warehouse_is_built_anew_from_raw(tmp_path):
    home = tmp_path / "home"
    page(home, "1", b'[{"id": "o/a"}]')
    (home / "warehouse.duckdb").write_bytes(b"not a database")
    with pytest.raises(NoWarehouse, match="cannot be opened"):
        open_warehouse(home)
    with published(home) as db:
        assert db.execute("select count(*) from model").fetchone() == (1,)


def test_two_builds_do_not_run_at_once(tmp_path):
    home = tmp_path / "home"
    page(home, "1", b'[{"id": "o/a"}]')
    with _locked(home), pytest.raises(BuildBusy):
        build(home)


def test_nothing_to_build_or_read_says_what_to_run(tmp_path):
    with pytest.raises(NothingToBuild, match=f"hubatlas --home {tmp_path} crawl"):
        build(tmp_path)
    with pytest.raises(NoWarehouse, match=f"hubatlas --home {tmp_path} build"):
        open_warehouse(tmp_path)


@pytest.mark.parametrize(
    "sql",
    [
        "drop table model",
        "select 1; select 2",
        "select * from read_csv('/etc/passwd')",
        "copy model to '/tmp/stolen.csv'",
        "attach '/tmp/other.db'",
        "set enable_external_access = true",
        "selec 1",
        "",
    ],
)
def test_a_reader_changes_nothing_and_leaves_nothing(tmp_path, sql):
    home = tmp_path / "home"
    page(home, "1", b'[{"id": "o/a"}]')
    build(home, derive=derive_lineage)
    with open_warehouse(home) as db, pytest.raises(SqlRefused) as told:
        run_query(db, sql)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("card", "source", "body"),
    [
        ("---\na: 1\n---\ntext", "a: 1\n", "\ntext"),
        ("\ufeff---\r\na: 1\r\n---\r\ntext", "a: 1\r\n", "\ntext"),
        ("---\na: 1\n...\ntext", "a: 1\n", "\ntext"),
        ("---\n---\n", "", "\n"),
        ("# no\n---\na: 1\n---\n", None, "# no\n---\na: 1\n---\n"),
        ("---\nnever ends", None, "---\nnever ends"),
    ],
)
def test_where_front_matter_ends(card, source, body):
    found, rest = split_card(card)
    assert found == source
    assert rest.replace("\r", "") == body


def test_yaml_by_the_rules_of_1_2():
    read, duplicates = read_front_matter(
        "language: no\non: yes\nyear: 2022-01-01\nn: 010\nx: 1.5\nempty:\nflag: true\nv: 1.10.2"
    )
    assert duplicates == []
    assert read == {
        **{"language": "no", "on": "yes", "year": "2022-01-01", "n": 10, "x": 1.5},
        **{"empty": None, "flag": True, "v": "1.10.2"},
    }


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("a: !!int '7'", 7),
        ("a: !!str 7", "7"),
        ("a: '7'", "7"),
        ("a: !!timestamp 2020-01-01", "2020-01-01"),
        ("a: &x [1]\nb: *x", [1]),
        ("a: [~, null, .5, -1e3, TRUE]", [None, None, 0.5, -1000.0, True]),
        ("a: !!set {b, c}", {"b": None, "c": None}),
    ],
)
def test_yaml_with_tags_and_aliases(source, value):
    assert read_front_matter(source)[0]["a"] == value


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("a: !!bool yes", "'yes' is no bool"),
        ("a: !!python/name:os.system x", "'x' is no python/name:os.system"),
        ("a: !mine 1", "'1' is no !mine"),
        ("a: !!int 99999999999999999999", "more than 64 bits"),
        ("a: &x [*x]", "60 levels"),
    ],
)
def test_yaml_that_is_refused(source, reason):
    assert reason in refusal_of(source)


@given(st.text())
@example('a: "\\ud800"')
@example("a: !!int x")
@example("a: !!set {b, c}")
@example("? [a, b]\n: c")
@example("a: " + "[" * 3000)
def test_any_front_matter_is_a_mapping_or_refused_in_one_line(source):
    with contextlib.suppress(FrontMatterBroken):
        read, _ = read_front_matter(source)
        assert orjson.loads(orjson.dumps(read)) == read
    assert "\n" not in refusal_of(source)


def refusal_of(source):
    try:
        read_front_matter(source)
    except FrontMatterBroken as broken:
        return str(broken)
    return ""


RECORDS = st.lists(
    st.dictionaries(st.text(max_size=5), st.text() | st.integers(0, 9) | st.lists(st.text()))
)


@given(RECORDS)
def test_a_page_splits_into_its_records(records):
    text = orjson.dumps(records).decode()
    assert [orjson.loads(part) for part in page_records(text)] == records


def test_reading_while_a_build_runs(tmp_path):
    home = crawled(tmp_path / "home", recording(tmp_path, TAGGED))
    build(home, derive=derive_lineage)
    failures = []

    def read():
        for _ in range(20):
            with open_warehouse(home) as db:
                if db.execute("select count(*) from model where known").fetchone() != (5,):
                    failures.append("a reader saw half a build")

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(3):
        build(home, derive=derive_lineage, from_scratch=True)
    reader.join()
    assert failures == []
