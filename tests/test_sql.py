"""SQL for people, and the guarded door for SQL of strangers."""

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path

import duckdb
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_homes import RawHome

from app.asking import WrongParameter, parse_parameters, parse_time
from warehouse.build import build
from warehouse.guard import Limits, ask
from warehouse.projecting import without_end
from warehouse.read import NoWarehouse, Reader, SqlRefused, open_warehouse, run_query
from warehouse.shadowing import NothingAsOf, shadow_as_of, shadowed_names
from warehouse.statement import REFUSED_FUNCTIONS, review

COMMAND = [str(Path(sys.executable).parent / "python"), "-m", "app.cli"]
ROOT = Path(__file__).parent.parent
ENDLESS = "select sum(a.i * b.i) from range(10000000) a(i), range(10000000) b(i)"

ATTACKS = [
    # files
    "from read_csv('/etc/passwd')",
    "select * from read_text('/etc/passwd')",
    "from READ_BLOB('/etc/passwd')",
    "from \"read_parquet\"('x.parquet')",
    "from system.main.read_json('x.json')",
    "from '/etc/passwd'",
    "from 'data.csv'",
    'from "data.parquet"',
    'with "data.csv" as (select 1) from "data.csv"',
    "from glob('/*')",
    "from sniff_csv('/etc/passwd')",
    "from parquet_metadata('x')",
    "from read_duckdb('/tmp/x.duckdb')",
    "from sqlite_scan('x', 'y')",
    "copy model to '/tmp/stolen.csv'",
    "copy (select 1) to '/tmp/stolen.csv'",
    "from (copy model to '/tmp/x.csv')",
    "export database '/tmp/x'",
    "attach '/tmp/other.db'",
    "attach ':memory:' as x",
    "use landing",
    "select write_log('x')",
    # settings, secrets, paths, the text of views
    "select current_setting('temp_directory')",
    "select CURRENT_SETTING('temp_directory')",
    "select 'temp_directory'.current_setting()",
    "select (select max(current_setting('home_directory')) from model)",
    "select getvariable('x')",
    "select getenv('HOME')",
    "from duckdb_settings()",
    "from duckdb_settings() as model",
    'from "duckdb_settings"()',
    "from DuckDB_Settings/* */(/* */)",
    "select * from/**/duckdb_secrets()",
    "from duckdb_databases",
    "from duckdb_databases()",
    "from duckdb_views",
    "from main.duckdb_views",
    "from system.main.duckdb_views",
    "select sql from duckdb_tables()",
    "select sql from sqlite_master",
    "from duckdb_logs",
    "from pragma_database_list",
    "from pragma_database_size()",
    "from pragma_storage_info('model')",
    "from duckdb_temporary_files()",
    "from duckdb_functions()",
    "select * from model, lateral (select * from duckdb_variables()) x",
    "select (select path from duckdb_databases() limit 1)",
    "select [x for x in (select list(path) from duckdb_databases())]",
    "select * from model where exists (from duckdb_secrets())",
    "select count(*) over (order by (select max(value) from duckdb_settings()))",
    "from model order by (select path from pragma_database_list)",
    "from model limit (select count(*) from duckdb_settings())",
    "from information_schema.views",
    "from pg_catalog.pg_views",
    "from pg_settings",
    "select pg_get_viewdef(1)",
    "select pg_catalog.pg_get_viewdef(1)",
    "with duckdb_views as (select 1) select (select max(sql) from duckdb_views)",
    "with x as (with duckdb_logs as (select 1) select 1) from duckdb_logs",
    "show databases",
    "show all tables",
    "describe",
    "describe duckdb_settings()",
    "describe duckdb_views",
    "summarize duckdb_settings()",
    "from (show databases)",
    "show tables from landing",
    "show landing.raw_file",
    # what is kept out of sight
    "from landing.look",
    'from "landing"."raw_file"',
    "from warehouse.landing.raw_file",
    "select * from model join landing.answer using (repo_id)",
    "from temp.main.x",
    # SQL in a text
    "from query('select 1')",
    "from query_table('duckdb_settings')",
    "from query_table(['model'])",
    "select json_serialize_plan('from duckdb_settings()')",
    "from json_execute_serialized_sql('{}')",
    "pragma json_execute_serialized_sql('{}')",
    "prepare p as select 1",
    "execute p",
    "call pragma_version()",
    "pragma database_list",
    "pragma show_tables",
    # changes
    "insert into model (repo_id) values ('x')",
    "with x as (insert into model (repo_id) values ('x') returning *) from x",
    "with x as (delete from model returning *) from x",
    "update model set repo_id = 'x'",
    "create table x as select 1",
    "create temp macro f() as 1",
    "drop table model",
    "set memory_limit = '100GB'",
    "set variable x = 1",
    "reset all",
    "install httpfs",
    "load httpfs",
    "begin",
    "checkpoint",
    "vacuum",
    "select nextval('x')",
    "select setseed(0.5)",
    "select sleep_ms(1000)",
    "select pg_sleep(1)",
    "select __internal_decompress_string(1)",
    # two in one, or none
    "select 1; select 2",
    "select 1; drop table model",
    "select 1; -- x\n; select 2",
    "",
    "-- only a comment",
    ";",
    "select 1) as x, (select 2",
    "select 1) from read_csv('x') --",
    # EXPLAIN that runs, or explains what may not be
    "explain analyze select 1",
    "explain /* */ analyze select 1",
    "explain (analyze) select 1",
    "EXPLAIN (ANALYZE, FORMAT json) select 1",
    "explain (format json) select 1",
    "/* x */ explain analyze select 1",
    "explain select * from duckdb_settings()",
    "explain drop table model",
    "explain copy model to '/tmp/x'",
    "explain explain select 1",
    "explain",
    "pivot model on author",
    "select " + "[" * 5_000 + "]" * 5_000,
    "select " + "1 + " * 30_000 + "1",
]
LEGITIMATE = [
    "select 1",
    "  select 1 ; ",
    "select 1; -- done",
    "/* why */ select 1 -- so",
    "from model",
    "FROM main.model",
    'select "repo_id" from "model"',
    "table model",
    "values (1, 'a'), (2, 'b')",
    "(select 1)",
    "with a as (from model) select count(*) from a",
    "with recursive n as (select 1 as i union all select i + 1 from n where i < 5) from n",
    "select author, count(*) from model group by all order by all",
    "select row_number() over (partition by author order by repo_id) from model",
    "select * from model semi join model_tag using (repo_id)",
    "select m.* exclude (author) from model as m left join card using (repo_id)",
    "select unnest([1, 2]), [x * 2 for x in [1, 2]], {'a': 1}, map {'a': 1}",
    "from range(3) union all from generate_series(1, 3)",
    "select * from model, unnest([1, 2]) as u(n)",
    "select key, value from json_each('{\"a\": 1}')",
    "select '{\"a\": 1}'::json ->> 'a'",
    "select nullif(1, 2), coalesce(null, 1), list_sum([1]), date_add(date '2026-01-01', 1)",
    "select now(), current_date, [now()], today() - interval 3 days",
    "select regexp_extract('a1', '\\d'), lower('A'), 'x' ilike 'X', extract(year from now())",
    "select count(*) filter (where known), quantile_cont(1, 0.5) from model",
    "from (pivot model on known in (true, false) using count(*) group by author)",
    "select count(*) from model tablesample 10%",
    "select 1 as a, 2 as a",
    "describe model",
    "describe select 1",
    "show tables",
    "show model",
    "from (describe model)",
    "summarize model",
    "explain select * from model",
    "explain from model",
    "-- plan\nexplain with a as (select 1) from a",
    "from model_as_of('2026-01-02')",
    "from main.model_as_of(timestamp '2026-01-02')",
    "select * from model_as_of('2026-01-02') join model using (repo_id)",
    "from survival('2026-01-01', '2026-01-02')",
    "select 'read_csv(''/etc/passwd'')', '; drop table model'",
    "select 1::hugeint, 1::bignum, '101'::bit, 'x'::blob, uuid(), interval 1 day, null",
]


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    home = RawHome(tmp_path_factory.mktemp("sql") / "home")
    home.listing({"id": "o/a", "downloads": 1, "tags": []}, {"id": "o/b", "tags": []}, day=1)
    home.listing(
        {"id": "o/a", "downloads": 5, "tags": ["license:mit"]},
        {"id": "o/b", "tags": ["base_model:finetune:o/a"]},
        {"id": "o/c", "tags": []},
        day=3,
    )
    build(home.folder)
    return home


@pytest.fixture(scope="module")
def home(raw):
    return raw.folder


@pytest.fixture(scope="module")
def reader(home):
    with open_warehouse(home) as db:
        yield db


def hubatlas(*arguments, home, **options):
    return subprocess.run(
        [*COMMAND, "--home", str(home), *arguments],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", "TZ": "Asia/Tokyo"},
        **options,
    )


def asked(home, *arguments, **options):
    ran = hubatlas("sql", *arguments, home=home, **options)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.decode()


def refused(home, *arguments, **options):
    ran = hubatlas("sql", *arguments, home=home, **options)
    assert ran.returncode == 1, ran
    assert ran.stdout == b""
    lines = ran.stderr.decode().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def rows(answer):
    with answer.opened() as db:
        return db.execute("from answer").fetchall()


@pytest.mark.parametrize("sql", ATTACKS, ids=lambda sql: sql[:60])
def test_an_attack_is_refused_in_one_line(reader, sql):
    with pytest.raises(SqlRefused) as told:
        review(reader.cursor(), sql)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("sql", LEGITIMATE, ids=lambda sql: sql[:60])
def test_an_honest_query_passes_and_runs(reader, sql):
    statement = review(reader.cursor(), sql)
    explain = "explain " if statement.is_explain else ""
    assert run_query(reader, explain + statement.select).fetchall()


@pytest.mark.parametrize("name", sorted(REFUSED_FUNCTIONS))
@pytest.mark.parametrize("written", ["select {}(1)", "from {}(1)", "select main.{}(1)"])
def test_a_refused_function_is_refused_however_it_is_written(reader, name, written):
    with pytest.raises(SqlRefused, match=name):
        review(reader.cursor(), written.format(name))


def test_no_table_function_of_the_system_is_open_by_chance(reader):
    found = reader.execute(
        "select distinct function_name from duckdb_functions()"
        " where function_type in ('table', 'table_macro', 'pragma') and internal"
    ).fetchall()
    opened = set()
    for (name,) in found:
        try:
            review(reader.cursor(), f'from "{name}"(1)')
        except SqlRefused:
            continue
        opened.add(name)
    assert opened == {"unnest", "range", "generate_series", "json_each", "json_tree"}


def test_no_relation_of_the_system_is_open_by_chance(reader):
    found = reader.execute("select schema_name, view_name from duckdb_views() where internal")
    for schema, name in found.fetchall():
        for written in (name, f"{schema}.{name}", f"system.{schema}.{name}"):
            with pytest.raises(SqlRefused):
                review(reader.cursor(), f"from {written}")


SECRETS = [
    "duckdb_settings()",
    "read_text('/etc/passwd')",
    "landing.look",
    "duckdb_views",
    "'x.csv'",
]
WRAPS = [
    "select * from {}",
    "with a as (select * from {}) from a",
    "select (select count(*) from {})",
    "select * from (values (1)) v(n) where exists (select 1 from {})",
    "from model union all by name select * from {}",
    "select * from model cross join {} as x",
    "select * from (select * from {}) as y",
    "select case when 1 = 1 then (select 1 from {}) end",
    "from (pivot (from {}) on name in ('a') using count(*))",
    "select list_transform([1], lambda x: (select max(x) from {}))",
    "explain select * from {}",
    "describe select * from {}",
]
SPACE = st.sampled_from([" ", "\n", "\t", "/* model */", " -- model\n"])


@given(
    st.sampled_from(SECRETS),
    st.lists(st.sampled_from(WRAPS[:9]), max_size=3),
    st.sampled_from(WRAPS),
    SPACE,
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_what_is_secret_is_refused_however_deep_it_lies(reader, secret, wraps, last, space, upper):
    sql = f"select * from {secret}"
    for wrap in wraps:
        sql = wrap.format(f"({sql}) as s")
    sql = last.format(f"({sql}) as t")
    sql = sql.replace(" ", space) if "'" not in sql else sql
    with pytest.raises(SqlRefused):
        review(reader.cursor(), sql.upper() if upper and "'" not in sql else sql)


@given(st.text(st.sampled_from("select from()'\";,*-/model\n\x00é$1"), max_size=40))
@settings(max_examples=60, deadline=None)
def test_any_text_is_a_select_or_refused(reader, text):
    with suppress(SqlRefused):
        statement = review(reader.cursor(), text)
        kinds = [one.type for one in duckdb.extract_statements(statement.select)]
        assert kinds == [duckdb.StatementType.SELECT]


@pytest.mark.parametrize(
    ("sql", "kept"),
    [
        ("select 1", "select 1"),
        ("select 'é;' ;; -- é;\n/* ; */", "select 'é;' "),
        ("select ';'", "select ';'"),
        ("select 1 -- ;", "select 1 "),
    ],
)
def test_what_follows_a_statement_is_taken_off(sql, kept):
    assert without_end(sql) == kept


def test_the_door_answers_with_types_and_parameters(home):
    sql = "select repo_id, sum(downloads_30d) as d, $day as t, $x as x, now() as n from model"
    answer = ask(
        home,
        f"{sql} where repo_id = $name group by all; -- so",
        parameters={"name": "o/a", "day": date(2026, 1, 2), "x": None},
    )
    (found,) = rows(answer)
    assert found[:4] == ("o/a", 5, date(2026, 1, 2), None)
    assert isinstance(found[4], datetime)
    assert answer.notices == []


def test_the_door_shows_the_past(home):
    answer = ask(home, "select count(*) from model", as_of=datetime(2026, 1, 2))
    assert rows(answer) == [(2,)]
    (notice,) = answer.notices
    assert "model, " in notice
    assert notice.startswith("as known at 2026-01-02 00:00:00 UTC: ")


def test_rows_are_capped_in_their_order_with_a_notice(home):
    answer = ask(home, "from range(100) order by 1 desc", limits=Limits(row_count=3))
    assert rows(answer) == [(99,), (98,), (97,)]
    assert answer.notices == ["only the first 3 rows are shown"]
    assert ask(home, "from range(3)", limits=Limits(row_count=3)).notices == []


def test_cells_are_capped_with_a_notice(home):
    sql = "select repeat('é', 100) as a, range(100) as b, repeat('x', 100)::blob as c, 'x' as d"
    answer = ask(home, sql, limits=Limits(cell_bytes=80))
    assert rows(answer) == [("é" * 20 + "…", None, None, "x")]
    assert answer.notices == [
        "a: 1 values over 80 bytes are cut",
        "b: 1 values over 80 bytes are left out",
        "c: 1 values over 80 bytes are left out",
    ]


def test_the_whole_result_is_capped_with_a_notice(home):
    sql = "select repeat('x', 1000) as a from range(9000)"
    answer = ask(home, sql, limits=Limits(result_bytes=100_000))
    assert 0 < len(rows(answer)) <= 100
    assert len(answer.notices) == 1
    assert "100,000 bytes hold no more" in answer.notices[0]


def test_time_is_up_for_a_query_that_hears_an_interrupt(home):
    with pytest.raises(SqlRefused, match=r"stopped after 0\.5 s"):
        ask(home, ENDLESS, limits=Limits(seconds=0.5))


def test_time_is_up_for_a_function_that_hears_nothing(home):
    deaf = "select levenshtein(repeat('a', 1000000), repeat('b', 1000000))"
    with pytest.raises(SqlRefused, match=r"stopped after 0\.5 s"):
        ask(home, deaf, limits=Limits(seconds=0.5))


@pytest.mark.parametrize(
    "sql",
    [
        "select strlen(repeat('x', 4000000000) || now()::varchar)",
        "select len(range(1000000000))",
        "select list(i) from range(1000000000) as t(i)",
        "select max(x) from (select repeat(i::varchar, 50) as x from range(5000000) as t(i)"
        " order by hash(i) limit 4900000)",
    ],
)
def test_memory_and_disk_are_bounded(home, sql):
    limits = Limits(seconds=60, memory_bytes=200 << 20, spill_bytes=20 << 20)
    with pytest.raises(SqlRefused, match="needs more than 200 MB of memory and 20 MB of disk"):
        ask(home, sql, limits=limits)


def test_the_door_says_what_is_missing(home, tmp_path):
    with pytest.raises(NoWarehouse, match="run: hubatlas"):
        ask(tmp_path, "select 1")
    with pytest.raises(SqlRefused, match=r"not found.*\(line 1, column 8\)"):
        ask(home, "select nope from model")
    with pytest.raises(SqlRefused, match="cannot be asked"):
        ask(home, "select '\ud800'")


def test_a_reader_s_clock_is_utc_and_its_variables_are_its_own(home):
    hidden = duckdb.sql("select 42 as secret")  # noqa: F841, DuckDB would find it by its name
    with open_warehouse(home) as db:
        assert run_query(db, "select current_setting('TimeZone')").fetchall() == [("UTC",)]
        ((now, several),) = run_query(db, "select now() as n, [now()] as s; -- x").fetchall()
        assert several == [now]
        with pytest.raises(SqlRefused, match="hidden"):
            run_query(db, "from hidden")


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("select\n nope from model", "(line 2, column 2)"),
        ("from modle", '"model"'),
        (f"select {'1,' * 100} nope, {'1,' * 100} 1 from model", "near"),
        ("select $x", "x"),
    ],
)
def test_an_error_says_where_in_one_line(reader, sql, says):
    with pytest.raises(SqlRefused) as told:
        run_query(reader, sql)
    assert says in str(told.value)
    assert "\n" not in str(told.value)


def test_relations_are_hidden_by_their_past_for_one_connection(home, reader):
    names = shadowed_names(reader)
    assert {"model", "base_model_edge"} <= set(names)
    before = reader.cursor()
    assert shadow_as_of(before, datetime(2026, 1, 2)) == names
    for name in names:
        hidden = before.execute(f"select count(*) from {name}").fetchall()
        told = reader.execute(f"select count(*) from {name}_as_of('2026-01-02')").fetchall()
        assert hidden == told, name
    assert reader.execute("select count(*) from model").fetchall() == [(3,)]
    run = run_query(reader, "select count(*) from base_model_edge", as_of=datetime(2026, 1, 2))
    assert run.fetchall() == [(0,)]
    run = run_query(reader, "select count(*) from base_model_edge", as_of=datetime(2026, 1, 4))
    assert run.fetchall() == [(1,)]


def test_without_macros_there_is_no_past(tmp_path):
    with duckdb.connect(tmp_path / "x.duckdb") as db, pytest.raises(NothingAsOf):
        shadow_as_of(db, datetime(2026, 1, 2))


def test_a_long_reader_notices_what_is_published(tmp_path):
    home = RawHome(tmp_path / "home")
    home.listing({"id": "o/a"})
    build(home.folder)
    reader = Reader(lambda: home.folder)
    assert reader.is_newer()
    with reader.cursor() as db:
        assert db.execute("select count(*) from model").fetchall() == [(1,)]
        home.listing({"id": "o/a"}, {"id": "o/b"}, day=2)
        assert not reader.is_newer()
        build(home.folder)
        assert reader.is_newer()
        assert db.execute("select count(*) from model").fetchall() == [(1,)]
        seen = []
        waiting = threading.Thread(target=lambda: seen.append(count(reader)))
        waiting.start()
    waiting.join()
    assert seen == [2]
    assert not reader.is_newer()
    reader.close()


def count(reader):
    with reader.cursor() as db:
        return db.execute("select count(*) from model").fetchall()[0][0]


@pytest.mark.parametrize(
    ("given_", "value"),
    [
        ("x=null", None),
        ("x=12", 12),
        ("x=-3", -3),
        ("x=1.5", 1.5),
        ("x=0.5", 0.5),
        ("x=1e3", 1000.0),
        ("x=007", "007"),
        ("x=00.5", "00.5"),
        ("x=1e999", "1e999"),
        ("x=123456789012345678901", "123456789012345678901"),
        ("x=2026-01-02", date(2026, 1, 2)),
        ("x=2026-01-99", "2026-01-99"),
        ("x=2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5)),
        ("x=2026-01-02T03:04+02:00", datetime(2026, 1, 2, 1, 4)),
        ("x=o/a=b", "o/a=b"),
        ("x=", ""),
        ("x:text=12", "12"),
        ("x:text=null", "null"),
        ("x:integer=12345678901234567890", 12345678901234567890),
        ("x:boolean=true", True),
        ("x:date=null", None),
        ("x:number=1", 1.0),
    ],
)
def test_a_parameter_is_read(given_, value):
    assert parse_parameters([given_]) == {"x": value}


@pytest.mark.parametrize("text", ["x", "=1", "x y=1", "x:colour=red", "x:integer=a", "x:boolean=1"])
def test_a_parameter_that_cannot_be_read_is_refused(text):
    with pytest.raises(WrongParameter):
        parse_parameters([text])


def test_a_time_is_utc_whatever_its_zone():
    assert parse_time("2026-01-02T03:00+03:00") == datetime(2026, 1, 2)
    assert parse_time("2026-01-02") == datetime(2026, 1, 2)
    with pytest.raises(WrongParameter):
        parse_time("yesterday")


def test_the_command_takes_a_statement_from_anywhere(home, tmp_path):
    (tmp_path / "q.sql").write_text("select count(*) as n\nfrom model;\n")
    told = "n\n3\n"
    assert asked(home, "select count(*) as n from model", "--format", "csv") == told
    assert asked(home, "-f", str(tmp_path / "q.sql"), "--format", "csv") == told
    given_ = b"select count(*) as n from model"
    assert asked(home, "-", "--format", "csv", input=given_) == told
    assert asked(home, "-", "--format", "csv", "--safe", input=given_) == told
    assert "UTF-8" in refused(home, "-", input=b"select '\xff'")
    both = hubatlas("sql", "select 1", "-f", str(tmp_path / "q.sql"), home=home)
    assert both.returncode == 2


QUERY = (
    "select 'a|b' as t, 1.50::decimal(9, 2) as d, true as y, [1, null] as l, null as n,"
    " {'a': date '2026-01-02'} as s, 'x\ny' as m, 1::hugeint as h, map {1: 'x'} as k,"
    " '\\xC3\\xA9'::blob as b"
)


@pytest.mark.parametrize("safe", [(), ("--safe",)], ids=["plain", "safe"])
def test_formats(home, tmp_path, safe):
    csv = asked(home, QUERY, "--format", "csv", *safe)
    assert csv == (
        "t,d,y,l,n,s,m,h,k,b\n"
        'a|b,1.50,true,"[1,null]",,"{""a"":""2026-01-02""}","x\ny",1,"{""1"":""x""}",é\n'
    )
    (row,) = json.loads(asked(home, QUERY, "--format", "json", *safe))
    assert row["l"] == [1, None]
    assert row["h"] == 1
    assert row["s"] == {"a": "2026-01-02"}
    markdown = asked(home, "select 'a|b' as t, 'x\ny' as m", "--format", "markdown", *safe)
    assert markdown == "| t | m |\n| --- | --- |\n| a\\|b | x y |\n"
    out = tmp_path / "out.parquet"
    assert asked(home, QUERY, "--format", "parquet", "--out", str(out), *safe) == ""
    table = pyarrow.parquet.read_table(out)
    assert table.column("h").to_pylist() == [1]
    assert table.column("s").to_pylist() == [{"a": date(2026, 1, 2)}]
    asked(home, QUERY, "--format", "json", "--out", str(tmp_path / "out.json"), *safe)
    assert json.loads((tmp_path / "out.json").read_text()) == [row]


def test_a_file_that_is_asked_for_is_whole_or_absent(home, tmp_path):
    out = tmp_path / "out.csv"
    sql = "select case when i = 60000 then error('late') end from range(70000) as t(i)"
    ran = hubatlas("sql", sql, "--format", "csv", "--out", str(out), home=home)
    assert ran.returncode == 1
    assert list(tmp_path.iterdir()) == []
    assert hubatlas("sql", "select 1", "--format", "parquet", home=home).returncode == 2


def test_the_command_takes_parameters_and_a_time(home):
    sql = "select repo_id from model where first_seen_at >= $since and repo_id <> $not order by all"
    arguments = ["--param", "since=2026-01-02", "--param", "not=o/z", "--format", "csv"]
    for safe in ([], ["--safe"]):
        assert asked(home, sql, *arguments, *safe) == "repo_id\no/c\n"
        ran = hubatlas(
            *("sql", "select count(*) as n from model", "--as-of", "2026-01-02T00:00Z"),
            *("--format", "csv", *safe),
            home=home,
        )
        assert ran.stdout == b"n\n2\n"
    assert "x is no parameter" in refused(home, "select 1", "--param", "x")


def test_what_the_guard_cuts_is_said_beside_the_rows(home):
    ran = hubatlas("sql", "from range(20000)", "--safe", "--format", "csv", home=home)
    assert len(ran.stdout.splitlines()) == 10_001
    assert ran.stderr == b"only the first 10,000 rows are shown\n"
    assert "duckdb_settings() is refused" in refused(home, "from duckdb_settings()", "--safe")
    assert asked(home, "select count(*) > 9 as n from duckdb_settings()", "--format", "csv")


def test_ctrl_c_stops_a_query(home):
    with running("sql", ENDLESS, "--as-of", "2026-01-04", home=home) as child:
        assert child.stderr.readline().startswith(b"as known at")  # said before it begins
        child.send_signal(signal.SIGINT)
        said = child.stderr.read()
    assert (child.returncode, said) == (130, b"stopped\n")


def test_ctrl_c_stops_a_guarded_query_and_its_process(home):
    with running("sql", ENDLESS, "--safe", home=home) as child:
        children = Path(f"/proc/{child.pid}/task/{child.pid}/children")
        while not (guarded := holders(children, "warehouse.duckdb")):
            assert child.poll() is None
        child.send_signal(signal.SIGINT)
        said = child.stderr.read()
    assert (child.returncode, said) == (130, b"stopped\n")
    assert not Path(f"/proc/{guarded[0]}").exists()


def holders(children, name):
    return [pid for pid in children.read_text().split() if has_opened(pid, name)]


def has_opened(pid, name):
    """Whether a process holds a file of this name: the guarded one has its question by then."""
    with suppress(FileNotFoundError):
        held = [link.readlink() for link in Path(f"/proc/{pid}/fd").iterdir()]
        return any(path.name == name for path in held)
    return False


def running(*arguments, home):
    command = [*COMMAND, "--home", str(home), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, stderr=subprocess.PIPE, env=environment)
