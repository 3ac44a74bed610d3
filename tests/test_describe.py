"""The warehouse tells of itself: every column is described, in the file, for any client."""

import json
import os
import shutil
import subprocess
import sys

import duckdb
import pytest
from hubs import relations
from rich_homes import MODELS, rich_home
from typer.testing import CliRunner

from app.cli import cli
from warehouse.describe import NoRelation, describe, describe_all, row_count
from warehouse.header import Header, Reference, read_header
from warehouse.relations import published_names, read_relation

CLIENT = {
    **dict.fromkeys(("autoinstall_known_extensions", "autoload_known_extensions"), "false"),
    **{"enable_external_access": "false", "lock_configuration": "true"},
}
HEADER = """A row of two
lines. And a second sentence, 0.5 long.
Grain: a, b
Source: here
and there
Per: a
Columns:
  a: what: a colon
  b: in two
    lines
References:
  a -> other
  a, b -> another(x, y): dangles where
    nobody looked"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    made = rich_home(tmp_path_factory.mktemp("describe") / "home")
    made.studied().close()
    return made


@pytest.fixture(scope="module")
def warehouse(home):
    """A published file as a client has it that knows nothing of us and may nothing but read."""
    copy = shutil.copy(home.folder / "warehouse.duckdb", home.folder / "copy.duckdb")
    with duckdb.connect(copy, read_only=True, config=CLIENT) as db:
        yield db


@pytest.fixture(scope="module")
def described(warehouse):
    return {one.name: one for one in describe_all(warehouse) if one.name != "build"}


def test_a_header_is_read_and_told_again():
    header = read_header(HEADER)
    assert header.sentence == "A row of two lines. And a second sentence, 0.5 long."
    assert header.first_sentence == "A row of two lines."
    assert header.fields == {"Grain": "a, b", "Source": "here and there", "Per": "a"}
    assert header.grain == ("a", "b")
    assert header.columns == {"a": "what: a colon", "b": "in two lines"}
    assert header.references == (
        Reference(("a",), "other", ("a",), None),
        Reference(("a", "b"), "another", ("x", "y"), "dangles where nobody looked"),
    )
    told = read_header(header.as_comment())
    del header.fields["Per"]
    assert told == Header(header.sentence, header.fields, {}, header.references)


def test_a_reference_that_is_none_is_noticed():
    with pytest.raises(ValueError, match="a to b"):
        read_header("A row.\nReferences:\n  a to b")


def test_every_column_of_every_relation_and_macro_is_described(described):
    assert set(relations_and_macros(described)) <= described.keys()
    bare = {
        f"{one.name}.{column.name}"
        for one in described.values()
        for column in one.columns
        if not column.description
    }
    assert bare == set()


def relations_and_macros(described):
    return [*published_names(), "family", "family_member", "model_as_of"]


def test_headers_describe_the_columns_that_are_there_in_their_order(described):
    for name in (*published_names(), "family", "family_member"):
        room = "analysis" if name.startswith("family") else "warehouse"
        headed = list(read_relation(room, name).columns)
        assert headed == [column.name for column in described[name].columns], name


def test_no_description_says_only_what_the_name_says(described):
    for one in described.values():
        for column in one.columns:
            words = set(column.description.lower().replace(",", "").split())
            filler = {"the", "a", "an", "of", "its", "is", *column.name.split("_"), column.name}
            assert words - filler, f"{one.name}.{column.name}: {column.description}"


def test_the_file_says_what_the_headers_say(warehouse, described):
    for name in published_names():
        relation = read_relation("warehouse", name)
        assert described[name].header.as_comment() == relation.told
        assert {x.name: x.description for x in described[name].columns} == relation.columns
    column = warehouse.execute(
        "select comment from duckdb_columns() where table_name = 'card' and column_name = 'text'"
        " and schema_name = 'main'"
    ).fetchone()
    assert "masked" in column[0]


def test_comments_outlive_a_build_that_patches(tmp_path):
    home = rich_home(tmp_path)
    with home.built() as db:
        before = describe_all(db)
    home.listing({"id": "lab/new", "_id": "new", "tags": ["base_model:lab/gone"]}, day=4)
    with home.built() as db:
        assert describe_all(db) == before
        assert db.execute("select known from model where repo_id = 'lab/new'").fetchone() == (True,)


def test_every_view_works_for_a_client_that_reaches_no_file_and_loads_no_extension(
    warehouse, described
):
    views = [one.name for one in described.values() if one.kind == "view"]
    assert {"card", "tensor", "answer", "model_observation", "model_metadata"} <= set(views)
    for name in views:
        assert warehouse.execute(f"from {name}").fetchall(), name


def test_an_unknown_name_is_told_with_names_that_are_near(warehouse):
    for asked, near in (
        ("modle_tag", "model_tag"),
        ("base_model", "base_model_edge"),
        ("z", "lis"),
    ):
        with pytest.raises(NoRelation, match=near):
            describe(warehouse, asked)


def test_rows_are_counted_and_of_a_macro_are_not(warehouse):
    assert row_count(warehouse, describe(warehouse, "alias")) == 2
    assert row_count(warehouse, describe(warehouse, "model_as_of")) is None


def hubatlas(home, *arguments):
    return CliRunner().invoke(cli, ["--home", str(home.folder), "describe", *arguments])


def test_the_command_lists_all_with_rows(home, warehouse):
    listed = json.loads(hubatlas(home, "--format", "json").stdout)
    counts = {one["name"]: one["row_count"] for one in listed}
    assert set(relations(warehouse)) <= counts.keys()
    assert (
        counts["model_tag"] == sum(len(tags) for name, tags, _ in MODELS if name != "lab/was") + 5
    )
    table = hubatlas(home).stdout
    assert "model_as_of(ts)" in table
    assert "One file of a repo" in table


def test_the_command_shows_one_in_three_ways(home):
    shown = json.loads(hubatlas(home, "base_model_edge", "--format", "json").stdout)
    assert shown["grain"] == ["child_id", "parent_id"]
    assert [column["name"] for column in shown["columns"]][:3] == [
        *("child_id", "parent_id", "relation"),
    ]
    assert shown["references"][0]["relation"] == "model"
    assert "| `relation` | varchar | finetune, adapter" in (
        hubatlas(home, "base_model_edge", "--format", "markdown").stdout
    )
    table = hubatlas(home, "base_model_edge").stdout
    for said in ("Grain: child_id, parent_id", "child_id -> model(repo_id)", "finetune, adapter"):
        assert said in table


def test_an_unknown_name_is_one_line_and_exit_1(home):
    command = [sys.executable, "-m", "app.cli", "--home", str(home.folder), "describe", "modle"]
    ran = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "TERM": "dumb"}
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith("hubatlas: no relation is called 'modle'; did you mean model")
    assert len(ran.stderr.splitlines()) == 1
    assert ran.stdout == ""


def test_languages_are_those_declared_and_tags_that_are_codes(home):
    rows = home.rows("select * from model_language order by all")
    assert rows == [
        ("lab/base", "de", ["card_data"]),
        ("lab/base", "en", ["card_data", "tag"]),
        ("lab/tuned", "en", ["front_matter"]),
    ]


def test_datasets_are_those_declared_in_any_place(home):
    assert home.rows("select * from model_dataset") == [("lab/base", "squad", ["card_data", "tag"])]


def test_what_is_declared_in_odd_ways_breaks_nothing(tmp_path):
    home = rich_home(tmp_path)
    odd = {"language": ["no", 7, None, "", {"a": 1}, ["x"], "no"], "datasets": {"squad": 1}}
    tags = ["ner", "gan", "tts", "dataset:", "yue", "YUE"]
    home.listing({"id": "odd/card", "_id": "o", "tags": tags, "cardData": odd}, day=4)
    home.answer("card", "odd/card", b"---\nlanguage: no\ndatasets: [a/b, 3]\n---\n", day=4)
    assert home.rows("select * exclude repo_id from model_language where repo_id = 'odd/card'") == [
        ("no", ["card_data", "front_matter"]),
        ("yue", ["tag"]),
    ]
    assert home.rows("select * exclude repo_id from model_dataset where repo_id = 'odd/card'") == [
        ("a/b", ["front_matter"])
    ]


def test_fields_that_are_new_or_came_in_another_type_are_told(tmp_path):
    home = rich_home(tmp_path)
    odd = {'"a/~b"': [1], "": 1, "config": "llama", "gguf": {}, "likes": -1, "createdAt": "soon"}
    home.listing({"id": "odd/record", "_id": "o", "spaces": [], **odd}, day=4)
    assert home.rows("select * from model_field_drift order by repo_id, field") == [
        ("lab/base", "moonPhase", "unknown", "VARCHAR"),
        ("odd/record", "", "unknown", "UBIGINT"),
        ("odd/record", '"a/~b"', "unknown", "ARRAY"),
        ("odd/record", "config", "unfit", "VARCHAR"),
        ("odd/record", "createdAt", "unfit", "VARCHAR"),
        ("odd/record", "likes", "unfit", "BIGINT"),
    ]


def test_status_tells_of_fields_that_are_new(home):
    ran = CliRunner().invoke(cli, ["--home", str(home.folder), "status"])
    assert "moonPhase" in ran.stdout


def test_metadata_is_what_came(home):
    row = home.rows(
        "select card_data->>'license', config->>'model_type', safetensors->>'total', gguf,"
        " other_fields->>'moonPhase' from model_metadata where repo_id = 'lab/base'"
    )
    assert row == [("apache-2.0", "llama", "6", None, "full")]


def test_fields_that_are_known_and_untyped_are_those_that_records_have_no_column_for():
    from warehouse.records import COLUMNS

    sql = read_relation("warehouse", "model_field_drift").sql
    typed = {field for field, _ in COLUMNS.values()} | {"cardData", "config", "gguf", "safetensors"}
    named = sql[sql.index("when field in (") :].split(")", 1)[0]
    assert set(named.split("'")[1::2]) == typed
