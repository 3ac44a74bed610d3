"""The command line as a user has it: a process, its streams and its exit code."""

import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hubs import crawled, model, recording
from raw_homes import RawHome

from app.terminal import printable
from crawler.localhub.running import running

COMMAND = [str(Path(sys.executable).parent / "hubatlas")]
VERBS = [
    *("crawl", "build", "sql", "status", "tree", "serve", "app", "demo", "import"),
    *("import hub-stats", "import records", "import folder", "import hf-cache"),
    *("schedule", "forget", "describe", "query", "export", "attach", "check"),
    *("study", "licenses", "impact"),
]
GOLDEN = Path(__file__).parent / "golden"
LINES = [
    model("a/root", card="---\nlicense: mit\n---\n# A"),
    model("b/child", tags=["base_model:finetune:a/root"]),
    model("c/grandchild", tags=["base_model:merge:b/child", "base_model:merge:gone/ghost"]),
    model("evil/name", tags=["\x1b[31mred\u202e"]),
]


def hubatlas(*arguments, home=None, **environment):
    command = COMMAND + (["--home", str(home)] if home else []) + list(arguments)
    clean = {k: v for k, v in os.environ.items() if not k.startswith("HUBATLAS_")}
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**clean, "COLUMNS": "100", "TERM": "dumb", **environment},
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli")
    at = crawled(folder / "home", recording(folder, LINES))
    assert hubatlas("build", home=at).returncode == 0
    return at


def failed_with_one_line(ran, code=1):
    return ran.returncode == code and len(ran.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_help_is_as_documented(verb):
    ran = hubatlas(*verb.split(), "--help")
    assert ran.returncode == 0
    golden = GOLDEN / f"help-{verb.replace(' ', '-') or 'hubatlas'}.txt"
    if os.environ.get("HUBATLAS_WRITE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(ran.stdout)
    assert ran.stdout == golden.read_text()


def test_help_starts_without_torch_streamlit_or_the_hub_s_library():
    probe = (
        "import sys, app.cli\n"
        "heavy = {'torch', 'streamlit', 'huggingface_hub', 'sklearn', 'scipy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_a_crawl_a_build_and_a_question(tmp_path):
    source, at = recording(tmp_path, LINES), tmp_path / "home"
    with served(source) as endpoint:
        ran = hubatlas("crawl", "--endpoint", endpoint, home=at)
    assert (ran.returncode, ran.stdout) == (0, "")
    assert "4 models listed, 4 asked for card" in ran.stderr
    assert hubatlas("build", home=at).returncode == 0
    asked = hubatlas("sql", "select count(*) as n from model", "--format", "json", home=at)
    assert json.loads(asked.stdout) == [{"n": 5}]


def served(source):
    """`hubatlas serve` as a child; the endpoint is read from what it says."""
    return Serving([*COMMAND, "serve", str(source), "--port", "0"])


class Serving:
    def __init__(self, command):
        self.command = command

    def __enter__(self):
        self.child = subprocess.Popen(self.command, stderr=subprocess.PIPE, text=True)
        return next(w for w in self.child.stderr.readline().split() if w.startswith("http")).rstrip(
            ";"
        )

    def __exit__(self, *exc):
        self.child.send_signal(signal.SIGINT)
        self.child.stderr.read()
        self.child.stderr.close()
        assert self.child.wait() == 130


def test_formats_of_sql(home):
    query = "select repo_id, license from model where author in ('a', 'b') order by repo_id"
    csv = hubatlas("sql", query, "--format", "csv", home=home).stdout
    assert csv == "repo_id,license\na/root,\nb/child,\n"
    rows = json.loads(hubatlas("sql", query, "--format", "json", home=home).stdout)
    assert rows == [{"repo_id": "a/root", "license": None}, {"repo_id": "b/child", "license": None}]
    assert "a/root" in hubatlas("sql", query, home=home).stdout


def test_hostile_text_does_not_move_the_cursor(home):
    ran = hubatlas("sql", "select tag from model_tag where repo_id = 'evil/name'", home=home)
    assert "\x1b" not in ran.stdout
    assert "\u202e" not in ran.stdout
    assert r"\u001b[31mred\u202e" in ran.stdout


def test_a_tree_in_the_terminal_and_as_json(home):
    ran = hubatlas("tree", "b/child", home=home)
    assert "made from: 1" in ran.stdout
    assert "a/root  finetune (tag)" in ran.stdout
    assert "c/grandchild  merge (tag)  also: gone/ghost" in ran.stdout
    plain = json.loads(hubatlas("tree", "b/child", "--down", "--format", "json", home=home).stdout)
    assert list(plain) == ["descendants"]
    assert plain["descendants"]["branches"][0]["repo_id"] == "c/grandchild"
    up = hubatlas("tree", "c/grandchild", "--up", "--depth", "1", home=home).stdout
    assert "gone/ghost  merge (tag)  not in this hub" in up
    assert "a/root" not in up


def test_status_says_what_is_there(home):
    ran = hubatlas("status", home=home)
    assert ran.returncode == 0
    for word in ("complete", "known_models", "finetune", "data_as_of"):
        assert word in ran.stdout


def test_status_needs_no_warehouse(tmp_path):
    ran = hubatlas("status", home=tmp_path / "none")
    assert ran.returncode == 0
    assert f"run: hubatlas --home {tmp_path / 'none'} crawl" in ran.stderr
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["sql", "select * from nowhere"], "nowhere"),
        (["sql", "drop table model"], "read-only"),
        (["tree", "A/Root"], "did you mean a/root"),
        (["tree", "<script>/../x"], "no model"),
        (["crawl", "--endpoint", "http://127.0.0.1:9"], "did not answer"),
        (["crawl", "--no-listing"], "knows no models yet: crawl with a listing, or import some"),
        (["serve", "/nowhere/at/all.jsonl"], "/nowhere/at/all.jsonl"),
    ],
)
def test_a_failure_is_one_line_and_exit_1(home, tmp_path, arguments, says):
    at = tmp_path / "home" if arguments[0] == "crawl" else home
    ran = hubatlas(*arguments, home=at)
    assert failed_with_one_line(ran), ran.stderr
    assert says in ran.stderr


@pytest.mark.parametrize(
    "arguments", [["build"], ["sql", "select 1"], ["tree", "a/b"]], ids=lambda a: a[0]
)
def test_without_a_warehouse_it_says_what_to_run(tmp_path, arguments):
    ran = hubatlas(*arguments, home=tmp_path)
    assert failed_with_one_line(ran)
    assert "run: hubatlas" in ran.stderr


def test_a_build_tells_of_raw_files_that_cannot_be_read(tmp_path):
    home = RawHome(tmp_path / "home")
    home.listing({"id": "o/m"})
    name = home.listing({"id": "o/cut"})
    whole = (home.folder / "raw" / name).read_bytes()
    (home.folder / "raw" / name).write_bytes(whole[:-9])
    ran = hubatlas("build", home=home.folder)
    assert ran.returncode == 0
    assert f"without 1 raw file(s) that cannot be read, {name} for one" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("fly", "No such command"),
        ("sql", "give one statement"),
        ("tree", "Missing argument"),
        ("crawl --facets gold", "unknown: gold"),
        ("crawl --facets config", "--query-files allows it"),
        ("crawl --since yesterday", "'yesterday' is no time"),
        ("crawl --since 0001-01-01T00:00+05:00", "is no time"),
        ("crawl --endpoint nonsense", "is no endpoint"),
        ("crawl --contact \x07", "plain ASCII"),
        ("crawl --token-env NO_SUCH_VARIABLE", "holds no token"),
        ("crawl --time-limit soon", "is no period"),
        ("crawl --sample 1", "greater than or equal to 2"),
        ("crawl --sample 5 --strata colour", "no strata by 'colour'"),
        ("crawl --sample 5 --no-listing", "--sample needs a listing"),
        ("crawl --since auto --no-listing", "--since needs a listing"),
        ("crawl --anew --no-listing", "--anew needs a listing"),
        ("crawl --limit 5 --no-listing", "--limit needs a listing"),
        ("crawl --sample 5 --since auto", "leave --since away"),
        ("crawl --sample 5 --facets none", "--sample fetches facets"),
        ("crawl --sample 5 --seed -1", "a seed of -1 is out of bounds"),
        (f"crawl --sample 5 --seed {2**64}", "is out of bounds"),
        ("crawl --seed 0", "--seed is of a sample"),
        ("crawl --strata none", "--strata is of a sample"),
        ("crawl --allocation neyman", "--allocation is of a sample"),
        ("crawl --endpoint http://127.0.0.1:9/api", "has more to it than a host"),
        ("crawl --endpoint http://127.0.0.1:9/?", "has more to it than a host"),
        ("crawl --endpoint http://127.0.0.1:9?x=1", "is no endpoint"),
        ("schedule --endpoint http://127.0.0.1:9/api/models", "has more to it than a host"),
        ("schedule --facets config", "--query-files allows it"),
        ("schedule --listing soon", "is no period"),
        ("schedule --listing off --sweep off", "neither --listing nor --sweep has a period"),
        ("schedule --token-env NO_SUCH_VARIABLE", "holds no token"),
        ("schedule --endpoint ftp://x", "is no endpoint"),
    ],
)
def test_wrong_usage_is_exit_2_before_anything_is_made(tmp_path, arguments, says):
    ran = hubatlas(*arguments.split(" "), home=tmp_path / "home")
    assert (ran.returncode, says in ran.stderr) == (2, True), ran.stderr
    assert not (tmp_path / "home").exists()


def test_a_listing_that_is_not_whole_is_exit_3_and_said_again_as_long_as_it_is_used(tmp_path):
    source, at = recording(tmp_path, [model(f"o/m{n}") for n in range(1200)]), tmp_path / "home"
    with running(source, mode="no-link") as endpoint:
        crawl = ("crawl", "--endpoint", endpoint)
        spent = hubatlas(*crawl, "--max-requests", "400", home=at)
        assert (spent.returncode, "--max-requests is reached" in spent.stderr) == (1, True)
        rest = hubatlas(*crawl, home=at)
    assert rest.returncode == 3
    assert "sends no Link header" in rest.stderr
    assert "UTC is used again, 1,000 models; crawl --anew lists anew" in rest.stderr
    last = rest.stderr.splitlines()[-1]
    assert re.fullmatch(r"nothing listed, \d+ asked for card; the listing is incomplete", last)


def test_a_listing_that_is_gone_on_with_counts_as_one(tmp_path):
    source, at = recording(tmp_path, [model(f"o/m{n}") for n in range(2500)]), tmp_path / "home"
    with running(source) as endpoint:
        crawl = ("crawl", "--endpoint", endpoint, "--facets", "none")
        assert hubatlas(*crawl, "--max-requests", "4", home=at).returncode == 1
        rest = hubatlas(*crawl, home=at)
    assert rest.returncode == 0
    before = int(re.search(r"UTC, ([0-9,]+) models so far", rest.stderr)[1].replace(",", ""))
    assert 0 < before < 2500
    assert rest.stderr.splitlines()[-1] == f"{2500 - before:,} more models listed, 2,500 in all"


@pytest.mark.parametrize("verb", ["app", "serve"])
def test_a_busy_port_is_one_line(home, tmp_path, verb):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        arguments = [verb] + ([str(recording(tmp_path, LINES))] if verb == "serve" else [])
        ran = hubatlas(*arguments, "--port", port, home=home)
    assert failed_with_one_line(ran), ran.stderr
    assert f"port {port} is busy" in ran.stderr


def test_numbers_beyond_64_bits_are_json_too(home):
    ran = hubatlas("sql", f"select {2**100}::hugeint as big", "--format", "json", home=home)
    assert json.loads(ran.stdout) == [{"big": 2**100}]


def test_a_wide_row_is_printed_upright_on_a_terminal_and_whole_in_a_pipe(home):
    wide = "select " + ", ".join(f"'{'x' * 20}' as column_{n}" for n in range(9))
    assert "│ " + "x" * 20 in hubatlas("sql", wide, home=home).stdout
    shown = on_terminal("sql", wide, home=home)
    assert "column_8: " + "x" * 20 in shown


def on_terminal(*arguments, home):
    """What a terminal of 100 columns shows."""
    ours, theirs = os.openpty()
    command = [*COMMAND, "--home", str(home), *arguments]
    environment = {**os.environ, "COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1"}
    with subprocess.Popen(command, stdout=theirs, env=environment) as child:
        os.close(theirs)
        seen = b""
        try:
            while chunk := os.read(ours, 65536):
                seen += chunk
        except OSError:  # the terminal's other end is closed: the child has ended
            os.close(ours)
    assert child.returncode == 0
    return seen.decode()


def test_a_home_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("in the way")
    ran = hubatlas("crawl", "--endpoint", "http://127.0.0.1:9", home=tmp_path / "file" / "below")
    assert failed_with_one_line(ran), ran.stderr


def with_files_up_to(size, *arguments, home):
    """Run with files limited to ``size`` bytes: to a writer, a full disk that needs no disk."""
    return subprocess.run(
        [*COMMAND, "--home", str(home), *arguments],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )


def test_a_full_disk_is_one_line_and_what_is_stored_stays(tmp_path):
    lines = [model(f"o/m{n}", card=f"{n} " * 400, sha=f"{n:040x}") for n in range(700)]
    source, at = recording(tmp_path, lines), tmp_path / "home"
    with served(source) as endpoint:
        for size in (30_000, 120_000):
            ran = with_files_up_to(size, "crawl", "--endpoint", endpoint, home=at)
            assert ran.returncode == 1
            assert "Traceback" not in ran.stderr
        assert hubatlas("crawl", "--endpoint", endpoint, home=at).returncode == 0
    ran = with_files_up_to(300_000, "build", home=at)
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1].endswith("; the published warehouse is unchanged")
    assert not (at / "warehouse.duckdb").exists()
    assert hubatlas("build", home=at).returncode == 0
    asked = "select (select count(*) from model), (select count(*) from card)"
    assert hubatlas("sql", asked, "--format", "csv", home=at).stdout.splitlines()[1] == "700,700"


def test_home_comes_from_the_environment(home):
    ran = hubatlas("sql", "select 1 as one", "--format", "csv", HUBATLAS_HOME=str(home))
    assert ran.stdout == "one\n1\n"


def test_killed_amid_a_crawl_it_goes_on_from_there(tmp_path):
    lines = [model(f"o/m{n:04d}", card=str(n), sha=f"{n:040x}") for n in range(1500)]
    source, at = recording(tmp_path, lines), tmp_path / "home"
    with Serving([*COMMAND, "serve", str(source), "--port", "0"]) as endpoint:
        child = subprocess.Popen(
            [*COMMAND, "--home", str(at), "crawl", "--endpoint", endpoint], stderr=subprocess.PIPE
        )
        assert b"listing: 1,500" in child.stderr.readline()
        child.kill()
        child.wait()
        child.stderr.close()
        assert hubatlas("crawl", "--endpoint", endpoint, home=at).returncode == 0
    assert hubatlas("build", home=at).returncode == 0
    asked = hubatlas(
        *("sql", "select (select count(*) from model_observation), (select count(*) from card)"),
        *("--format", "csv"),
        home=at,
    )
    assert asked.stdout.splitlines()[1] == "1500,1500"
    shutil.rmtree(at)


@pytest.mark.parametrize("text", ["\x1b[2J", "a\nb", "\u2066x", "\x00", "\u200b"])
def test_printable_shows_what_is_hidden(text):
    assert printable(text).isprintable()
    assert printable(text) != text


def test_records_are_taken_in_shown_and_forgotten(tmp_path):
    source, home = recording(tmp_path, LINES), tmp_path / "home"
    taken = hubatlas("import", "records", str(source), "--hub", "test", home=home)
    assert taken.returncode == 0
    assert f"{len(LINES):,} models" in taken.stderr
    assert hubatlas("build", home=home).returncode == 0
    asked = "select count(*) as known from model where known"
    before = json.loads(hubatlas("sql", asked, "--format", "json", home=home).stdout)
    forgotten = hubatlas("forget", LINES[0]["model"]["id"], home=home)
    assert "1 repos forgotten" in forgotten.stderr
    after = json.loads(hubatlas("sql", asked, "--format", "json", home=home).stdout)
    assert before[0]["known"] - after[0]["known"] == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("import", "hub-stats", "nowhere.parquet"),
        ("import", "records", "nowhere.jsonl"),
        ("import", "folder", "nowhere"),
        ("import", "hf-cache", "nowhere"),
        ("forget", "a/b/c"),
    ],
)
def test_what_cannot_be_done_is_one_line(tmp_path, arguments):
    assert failed_with_one_line(hubatlas(*arguments, home=tmp_path / "home"))
