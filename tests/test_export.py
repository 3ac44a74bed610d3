"""An export: plain files that say what the warehouse says, and the same bytes every time."""

import hashlib
import hmac
import json
import shutil

import duckdb
import pandas as pd
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hubs import relations
from raw_homes import RawHome
from typer.testing import CliRunner

from app.cli import cli
from warehouse import parquet
from warehouse.attach import AttachRefused, attach_statements, attach_to, check_export
from warehouse.export import Authors, ExportBusy, ExportFailed, ExportRefused, export
from warehouse.read import NoWarehouse

TOKEN = "hf_" + "a1B2c3D4e5" * 4
COMMITS = [
    {"id": "c2", "title": "Second", "date": "2025-01-02T00:00:00Z", "authors": [{"user": "ann"}]},
    {
        **{"id": "c1", "title": f"First {TOKEN}", "date": "2025-01-01T00:00:00Z"},
        "authors": [{"user": "bob"}, {"user": "ann"}],
    },
]
DISCUSSIONS = {
    "discussions": [
        {"num": 1, "title": "Hello", "status": "open", "author": {"name": "ann"}},
        {"num": 2, "title": "Anonymous", "status": "open"},
    ]
}
TREE = [{"type": "file", "path": "a.bin", "size": 3, "oid": "x"}]


def raw_files(home):
    """The raw files of a small hub, as steps that may be taken in any order."""
    base = {"id": "o/base", "_id": "i1", "sha": "c2", "createdAt": "2025-01-01T00:00:00.000Z"}
    child = {
        "id": "o/child",
        "_id": "i2",
        "tags": ["base_model:o/base", "en"],
        "surprise": {"a": 1},
    }
    return [
        lambda: home.listing(base, child, day=1),
        lambda: home.listing({**base, "likes": 3}, {**child, "id": "o/kid"}, day=3),
        lambda: home.answer("card", "o/base", b"---\nlicense: mit\n---\n# Base", day=1),
        lambda: home.answer("commits", "o/base", COMMITS, day=2),
        lambda: home.answer("discussions", "o/base", DISCUSSIONS, day=2),
        lambda: home.answer("tree", "o/base", TREE, day=2, revision="c2"),
        lambda: home.answer("config", "o/base", {"vocab_size": 9}, path="config.json"),
    ]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    made = RawHome(tmp_path_factory.mktemp("home"))
    for write in raw_files(made):
        write()
    made.listing({"id": "me/secret", "_id": "local-1", "localPath": "/models/secret"}, day=4)
    made.studied().close()
    return made.folder


@pytest.fixture(scope="module")
def exported(home, tmp_path_factory):
    """An export with everything in it. Read it, never write it."""
    folder = tmp_path_factory.mktemp("export") / "hub"
    export(home, folder, authors=Authors.KEEP, local=True)
    return folder


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "export"


def bytes_of(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "build.json"
    }


def manifest_of(folder):
    return json.loads((folder / "manifest.json").read_bytes())


def rows(folder, relation):
    return pq.read_table(folder / relation).to_pylist()


def said(db, name, hidden=()):
    columns = [row[0] for row in db.execute(f"describe {name}").fetchall()]
    shown = ", ".join(column for column in columns if column not in hidden)
    return sorted(map(repr, db.execute(f"select {shown} from {name}").fetchall()))


def test_an_export_says_what_the_warehouse_says(home, exported):
    with (
        duckdb.connect(home / "warehouse.duckdb", read_only=True) as warehouse,
        duckdb.connect() as bare,
    ):
        for statement in attach_statements(exported):
            bare.execute(statement)
        for name in set(relations(warehouse)) - {"leaked_token"}:
            types = (
                f"select column_name, data_type from duckdb_columns() where table_name = '{name}'"
            )
            assert (
                bare.execute(types).fetchall()
                == warehouse.execute(f"{types} and schema_name = 'main'").fetchall()
            ), name
            assert said(bare, name, ["local_path"]) == said(warehouse, name, ["local_path"]), name
        asked = "from model_as_of('2026-01-02') order by repo_id"
        assert bare.execute(asked).fetchall() == warehouse.execute(asked).fetchall() != []
        fates = "from survival('2026-01-02', '2026-01-05')"
        assert bare.execute(fates).fetchall() == warehouse.execute(fates).fetchall()


def test_pandas_reads_it_with_types_that_it_knows(home, exported):
    with duckdb.connect(home / "warehouse.duckdb", read_only=True) as db:
        known = db.execute("select repo_id from model order by repo_id").df()["repo_id"]
    model = pd.read_parquet(exported / "model")
    assert model["repo_id"].tolist() == known.tolist()
    assert str(model["created_at"].dtype) == "datetime64[us, UTC]"
    assert model["created_at"].dropna().tolist() == [pd.Timestamp("2025-01-01", tz="UTC")]
    metadata = pd.read_parquet(exported / "model_metadata")
    assert json.loads(metadata["other_fields"].dropna().iloc[0]) == {"surprise": {"a": 1}}


def test_polars_reads_it_and_finds_the_same_rows(home, exported):
    with duckdb.connect(home / "warehouse.duckdb", read_only=True) as db:
        for name, relation in manifest_of(exported)["relations"].items():
            table = polars.read_parquet(exported / name / "**/*.parquet", hive_partitioning=False)
            assert table.height == db.execute(f"select count(*) from {name}").fetchone()[0]
            stored = [column["name"] for column in relation["columns"] if column["stored"]]
            assert table.columns == stored
        likes = db.execute("select sum(likes_count) from model").fetchone()[0]
    models = polars.scan_parquet(exported / "model" / "**/*.parquet")
    assert models.select(polars.col("likes_count").sum()).collect().item() == likes


def test_only_types_that_every_reader_has_are_used(exported):
    plain = {
        pa.string(),
        pa.bool_(),
        pa.int64(),
        pa.int32(),
        pa.float64(),
        pa.timestamp("us", "UTC"),
    }
    for relation in manifest_of(exported)["relations"]:
        for field in pq.read_schema(next((exported / relation).iterdir())):
            kind = field.type.value_type if pa.types.is_list(field.type) else field.type
            assert kind in plain, (relation, field)


def test_the_manifest_tells_of_each_file_and_column(home, exported):
    manifest = manifest_of(exported)
    listed = set()
    for name, relation in manifest["relations"].items():
        for file in relation["files"]:
            path = exported / file["path"]
            listed.add(path)
            assert file["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
            assert file["bytes"] == path.stat().st_size
            assert file["rows"] == pq.read_metadata(path).num_rows
            fields = {field.name: field for field in pq.read_schema(path)}
            stored = {c["name"]: c for c in relation["columns"] if c["stored"]}
            assert list(fields) == list(stored)
            for column, field in fields.items():
                told = field.metadata[b"description"].decode()
                assert told == stored[column]["description"] != "", (name, column)
    assert set(exported.rglob("*.parquet")) == listed
    assert manifest["data_as_of"] == "2026-01-04 03:04:05"
    assert manifest["relations"]["model"]["grain"] == ["repo_id"]
    with duckdb.connect(home / "warehouse.duckdb", read_only=True) as db:
        missing = set(relations(db)) - manifest["relations"].keys()
    assert missing == {"leaked_token"} <= manifest["not_exported"].keys()


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4, 5, 6], [6, 3, 1, 5, 0, 4, 2]])
def test_equal_raw_files_give_equal_bytes_whatever_the_builds(tmp_path, order):
    whole, stepwise = RawHome(tmp_path / "whole"), RawHome(tmp_path / "stepwise")
    for write in raw_files(whole):
        write()
    whole.built().close()
    (tmp_path / "stepwise" / "state").mkdir(parents=True)
    names = sorted((whole.folder / "raw").rglob("*.zst"))
    for at in order:
        to = stepwise.folder / names[at].relative_to(whole.folder)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(names[at], to)
        stepwise.built().close()
    export(whole.folder, tmp_path / "one")
    shutil.copy(whole.folder / "state" / "export-salt", stepwise.folder / "state")
    export(stepwise.folder, tmp_path / "two")
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")


def test_authors_are_pseudonyms_that_stay_the_same_in_a_home(home, folder, tmp_path):
    export(home, folder)
    salt = (home / "state" / "export-salt").read_bytes()

    def pseudonym(name):
        return "~" + hmac.new(salt, name.encode(), hashlib.sha256).hexdigest()[:16]

    assert {row["commit_sha"]: row["authors"] for row in rows(folder, "commit")} == {
        "c2": [pseudonym("ann")],
        "c1": [pseudonym("bob"), pseudonym("ann")],
    }
    assert [row["author"] for row in rows(folder, "discussion")] == [pseudonym("ann"), None]
    export(home, tmp_path / "again")
    assert bytes_of(tmp_path / "again") == bytes_of(folder)
    assert (home / "state" / "export-salt").stat().st_mode & 0o777 == 0o600


def test_homes_have_pseudonyms_of_their_own(home, folder, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(home, other)
    (other / "state" / "export-salt").unlink(missing_ok=True)
    export(home, folder)
    export(other, tmp_path / "of-other")
    assert rows(folder, "commit") != rows(tmp_path / "of-other", "commit")


def test_authors_may_be_kept_or_dropped(home, folder, exported):
    assert rows(exported, "discussion")[0]["author"] == "ann"
    export(home, folder, authors=Authors.DROP)
    assert "author" not in rows(folder, "discussion")[0]
    assert "authors" not in rows(folder, "commit")[0]


def test_every_column_of_people_is_known(home):
    with duckdb.connect(home / "warehouse.duckdb", read_only=True) as db:
        found = db.execute(
            "select table_name, column_name from duckdb_columns() where schema_name = 'main'"
            " and (column_name like '%author%' or column_name like '%user%') order by all"
        ).fetchall()
    owners_of_repos = [("edge_license", "child_author"), ("model", "author")]
    assert found == [("commit", "authors"), ("discussion", "author"), *owners_of_repos]


def test_what_is_private_or_masked_stays_so(home, folder):
    export(home, folder)
    everything = b"".join(
        str(pq.read_table(path).to_pylist()).encode() for path in folder.rglob("*.parquet")
    )
    assert b"MASKED-" in everything
    for secret in (TOKEN.encode(), b"/models/secret", b"me/secret", b"local-1"):
        assert secret not in everything + (folder / "manifest.json").read_bytes()
    assert not (folder / "leaked_token").exists()
    assert not (folder / "landing").exists()


def test_models_of_this_machine_come_along_when_asked_for(exported):
    assert "me/secret" in [row["repo_id"] for row in rows(exported, "model")]
    assert b"/models/secret" not in (exported / "model" / "part-00000.parquet").read_bytes()


def test_the_text_of_cards_may_be_left_out(home, folder, exported):
    assert rows(exported, "card")[0]["text"].endswith("# Base")
    export(home, folder, card_text=False)
    (card,) = rows(folder, "card")
    assert "text" not in card
    assert card["character_count"] == rows(exported, "card")[0]["character_count"]
    with duckdb.connect() as db:
        for statement in attach_statements(folder):
            db.execute(statement)
        assert db.execute("select text from card").fetchall() == [(None,)]


def test_a_big_relation_is_cut_into_files_by_count_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "ROWS_A_GROUP", 3000)
    monkeypatch.setattr(parquet, "GROUPS_A_FILE", 2)
    written = []
    for threads in (1, 4):
        with duckdb.connect(config={"threads": threads}) as db:
            found = db.sql("select i, i::varchar as t from range(20000) r(i) order by i")
            columns = [parquet.StoredColumn(name, "", "", name) for name in ("i", "t")]
            parts = parquet.write_parts(found, tmp_path / str(threads), columns)
        assert [part.row_count for part in parts] == [6000, 6000, 6000, 2000]
        written.append([part.path.read_bytes() for part in parts])
        assert pq.read_metadata(parts[0].path).num_row_groups == 2
        assert [row for part in parts for row in pq.read_table(part.path)["i"].to_pylist()] == list(
            range(20000)
        )
    assert written[0] == written[1]


def test_an_export_replaces_an_export_only_and_only_when_told(home, folder):
    export(home, folder)
    with pytest.raises(ExportRefused, match="--replace"):
        export(home, folder)
    before = bytes_of(folder)
    export(home, folder, authors=Authors.KEEP, replace=True)
    assert bytes_of(folder).keys() == before.keys()
    assert bytes_of(folder) != before
    assert [path.name for path in folder.parent.iterdir()] == ["export"]


def test_a_folder_of_something_else_is_never_touched(home, folder):
    folder.mkdir()
    (folder / "thesis.tex").write_text("…")
    with pytest.raises(ExportRefused, match="is no export"):
        export(home, folder, replace=True)
    part = folder.with_name("other.part")
    part.mkdir()
    (part / "thesis.tex").write_text("…")
    with pytest.raises(ExportRefused, match="not ours"):
        export(home, folder.with_name("other"))
    assert (folder / "thesis.tex").exists()
    assert (part / "thesis.tex").exists()


def test_what_a_crash_left_is_cleared_away(home, folder):
    left = folder.with_name("export.part")
    (left / ".spill").mkdir(parents=True)
    (left / "model").mkdir()
    (left / "model" / "part-00000.parquet").write_bytes(b"half")
    export(home, folder)
    assert not left.exists()
    assert [finding.outcome for finding in check_export(folder)] == ["good"]


def test_two_exports_into_one_folder_at_once_are_refused(home, folder):
    import fcntl
    import os

    part = folder.with_name("export.part")
    part.mkdir()
    held = os.open(part, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    with pytest.raises(ExportBusy):
        export(home, folder)
    os.close(held)
    export(home, folder)


def test_an_export_that_fails_leaves_nothing(home, folder, tmp_path):
    broken = tmp_path / "broken"
    broken.mkdir()
    shutil.copy(home / "warehouse.duckdb", broken)
    with duckdb.connect(broken / "warehouse.duckdb") as db:
        db.execute("drop table landing.look")
    with pytest.raises(ExportFailed, match="nothing was exported"):
        export(broken, folder)
    assert not folder.exists()
    assert not folder.with_name("export.part").exists()
    with pytest.raises(NoWarehouse):
        export(tmp_path, folder)


def test_a_stand_alone_file_says_the_same_without_the_export(home, exported, tmp_path):
    moved = tmp_path / "moved"
    shutil.copytree(exported, moved)
    made = attach_to(moved, tmp_path / "alone.duckdb")
    shutil.rmtree(moved)
    with (
        duckdb.connect(home / "warehouse.duckdb", read_only=True) as warehouse,
        duckdb.connect(made, read_only=True) as alone,
    ):
        for name in relations(alone):
            assert said(alone, name, ["local_path"]) == said(warehouse, name, ["local_path"]), name
        comments = (
            "select column_name, comment from duckdb_columns() where table_name = 'model'"
            " and schema_name = 'main' order by 1"
        )
        assert alone.execute(comments).fetchall() == warehouse.execute(comments).fetchall()
        asked = "from model_as_of('2026-01-02') order by repo_id"
        assert alone.execute(asked).fetchall() == warehouse.execute(asked).fetchall()
    with pytest.raises(AttachRefused):
        attach_to(exported, made)
    assert [path.name for path in tmp_path.iterdir()] == ["alone.duckdb"]


def test_a_stand_alone_file_is_no_warehouse_to_build_on(exported, tmp_path):
    from warehouse.read import open_warehouse

    attach_to(exported, tmp_path / "warehouse.duckdb")
    with pytest.raises(NoWarehouse, match="another version"):
        open_warehouse(tmp_path)


def test_the_check_of_an_export_finds_what_was_changed(exported, tmp_path):
    damaged = tmp_path / "damaged"
    shutil.copytree(exported, damaged)
    flipped = damaged / "model" / "part-00000.parquet"
    content = bytearray(flipped.read_bytes())
    content[40] ^= 1
    flipped.write_bytes(content)
    (damaged / "card" / "part-00000.parquet").unlink()
    broken = [f.detail for f in check_export(damaged) if f.outcome == "broken"]
    assert broken == [
        "card/part-00000.parquet is missing; export it anew",
        "model/part-00000.parquet is not as it was exported; export it anew",
    ]


def test_the_commands_export_and_attach(home, folder):
    run = CliRunner().invoke
    assert run(cli, ["--home", str(home), "export", str(folder), "--no-card-text"]).exit_code == 0
    printed = run(cli, ["attach", str(folder)])
    with duckdb.connect() as db:
        db.execute(printed.stdout)
        assert db.execute("select count(*) from model where known").fetchone() == (2,)
    checked = run(cli, ["check", "--export", str(folder)])
    assert checked.exit_code == 0
    (folder / "model" / "part-00000.parquet").unlink()
    assert run(cli, ["check", "--export", str(folder)]).exit_code == 1
