"""What is fetched beside the card: files and who changed them, findings, configs, provenance."""

import hashlib

import orjson
import pytest
from raw_homes import RawHome

from warehouse.relations import published_names, read_relation

SHA = "a" * 40


@pytest.fixture
def home(tmp_path):
    made = RawHome(tmp_path)
    made.listing({"id": "o/m", "_id": "i1", "sha": SHA})
    return made


TREE = [
    {
        **{"type": "file", "path": "tokenizer.json", "size": 7, "oid": "1"},
        "lastCommit": {"id": "c1", "title": "Add it", "date": "2025-01-02T00:00:00.000Z"},
        "securityFileStatus": {"status": "safe", "avScan": {"status": "safe"}},
    },
    {"type": "file", "path": "vocab.txt", "size": 5, "oid": "2"},
    {"type": "file", "path": "sub/merges.txt", "size": 100, "oid": "3"},
    {"type": "directory", "path": "sub", "lastCommit": {"id": "c1"}},
]


def test_commit_files_tell_who_changed_a_file_and_what_scanners_say(home):
    home.answer("commit_files", "o/m", TREE, revision=SHA)
    assert home.rows(
        "select path, commit_sha, title, committed_at::date::varchar from commit_file"
    ) == [("tokenizer.json", "c1", "Add it", "2025-01-02")]
    assert home.rows("select path, size_bytes, security_status from repo_file order by path") == [
        ("sub/merges.txt", 100, None),
        ("tokenizer.json", 7, "safe"),
        ("vocab.txt", 5, None),
    ]


def test_a_tree_has_the_files_and_commit_files_their_status(home):
    home.answer("tree", "o/m", TREE[:1], revision=SHA)
    home.answer("commit_files", "o/m", TREE, revision=SHA)
    assert home.rows("select path, security_status from repo_file") == [("tokenizer.json", "safe")]


def test_a_tokenizer_s_size_counts_the_files_at_the_top_and_no_guess(home):
    home.answer("tree", "o/m", TREE, revision=SHA)
    assert home.rows("select tokenizer_bytes from model") == [(12,)]
    del TREE[1]["size"]
    home.answer("tree", "o/m", TREE, revision=SHA, day=2)
    TREE[1]["size"] = 5
    assert home.rows("select tokenizer_bytes from model") == [(None,)]


def test_findings_and_whether_a_repo_was_scanned(home):
    found = {"scansDone": True, "filesWithIssues": [{"path": "m.bin", "level": "unsafe"}]}
    assert home.rows("select security_scanned from model") == [(None,)]
    home.answer("security", "o/m", {"id": "o/m", "securityRepoStatus": found})
    assert home.rows("select * from security_finding") == [("o/m", "m.bin", "unsafe")]
    assert home.rows("select security_scanned from model") == [(True,)]


def test_configs_are_kept_as_json_yaml_too(home):
    home.answer("config", "o/m", {"vocab_size": 9}, path="config.json", revision=SHA)
    home.answer("adapter_config", "o/m", {"r": 8}, path="adapter_config.json")
    merge = b"merge_method: ties\nslices:\n- {layer_range: [0, 2]}\nowner: jane@example.org\n"
    home.answer("mergekit_config", "o/m", merge, path="mergekit_config.yml")
    rows = home.rows("select path, commit_sha, config from model_config")
    assert [(path, sha, orjson.loads(config)) for path, sha, config in rows] == [
        ("adapter_config.json", None, {"r": 8}),
        ("config.json", SHA, {"vocab_size": 9}),
        (
            "mergekit_config.yml",
            None,
            {
                "merge_method": "ties",
                "slices": [{"layer_range": [0, 2]}],
                "owner": "[e-mail]",
            },
        ),
    ]
    assert home.rows("select vocab_size from model") == [(9,)]


def test_a_broken_config_is_rejected(home):
    home.answer("mergekit_config", "o/m", b"a: [", path="mergekit_config.yml")
    home.answer("config", "o/m", b"{'a': 1}", path="config.json")
    home.answer("adapter_config", "o/m", [1], path="adapter_config.json")
    assert home.rows("select * from model_config") == []
    (first, second) = home.rows("select key, stage, reason from rejected order by reason")
    assert first == ("o/m", "parse", "answer for config is not JSON")
    assert second[2].startswith("mergekit_config.yml is not YAML: ")


def test_failures_are_rejects_but_what_need_not_be_there_is_not(home):
    for facet in ("card", "config", "adapter_config", "mergekit_config", "tree"):
        home.failed(facet, "o/m", 404, "entry-missing", error_code="EntryNotFound")
    home.failed("refs", "o/m", 403, "access", error_code="GatedRepo")
    home.failed("discussions", "o/m", 503, "transient")
    home.answer("discussions", "o/m", {"discussions": []}, day=2)
    assert home.rows("select source, key, reason from rejected where stage = 'fetch'") == [
        ("refs", "o/m", "access: status 403 GatedRepo"),
        ("tree", "o/m", "entry-missing: status 404 EntryNotFound"),
    ]


def test_a_failed_answer_takes_away_nothing_that_was_known(home):
    refs = {"branches": [{"name": "main", "ref": "refs/heads/main", "targetCommit": SHA}]}
    home.answer("refs", "o/m", refs)
    home.answer("refs", "o/m", b"<html>", day=2, failure="malformed")
    assert home.rows("select ref from ref") == [("refs/heads/main",)]


def test_every_stored_answer_tells_where_it_came_from(home):
    body = b"# Card"
    digest = hashlib.sha256(body).hexdigest()
    fields = {"etag": '"e"', "repo_commit": SHA, "final_url": "http://cdn/f", "query_file": True}
    name = home.answer("card", "o/m", body, body_sha256=digest, path="README.md", **fields)
    assert home.rows(
        "select position, facet, repo_id, revision, page, path, url, final_url, endpoint, status,"
        " failure, etag, repo_commit, fetched_at::varchar, run_id, body_sha256, client, query_file"
        f" from answer where raw_file = '{name}'"
    ) == [
        (
            *(0, "card", "o/m", "main", 0, "README.md", "http://hub/x", "http://cdn/f"),
            *("http://hub", 200, None, '"e"', SHA, "2026-01-01 03:04:05", 1, digest),
            *("hubatlas/0", True),
        )
    ]
    assert home.rows("select facet, query_file from answer order by facet") == [
        ("card", True),
        ("model", False),
    ]


@pytest.mark.parametrize(
    "url",
    [
        "http://hub/o/m/resolve/main/README.md",
        "http://hub/{repo_id}/o/m/{path}",
        "http://hub/api/o/m?o/m=http://hub&main",
        "README.md",
        "",
        None,
    ],
)
@pytest.mark.parametrize("repo_id", ["o/m", "o", "path", "endpoint"])
def test_an_address_is_told_as_it_was_whatever_stands_in_it(tmp_path, url, repo_id):
    home = RawHome(tmp_path)
    home.listing({"id": repo_id})
    home.answer("card", repo_id, b"# M", url=url, path="README.md")
    assert home.rows("select url from answer where facet = 'card'") == [(url,)]


def test_facets_and_envelopes_of_another_version_break_no_build(home):
    home.answer("moon_phase", "o/m", b"\xff no json", page="x", run_id="later", query_file="yes")
    home.answer("moon_phase", "o/m", {"a": 1}, fetched_at="soon", path=["p"])
    home.write("moon_phase", {"no": "body"})
    home.journal("run", [1, 2])
    home.write("sweep", {"body": "{", "fetched_at": None})
    assert home.rows("select facet, count(*) from answer group by all order by all") == [
        ("model", 1),
        ("moon_phase", 2),
    ]
    assert home.rows("select key, stage, reason from rejected order by reason") == [
        ("o/m", "parse", "answer for moon_phase is not JSON"),
        ("#0", "raw", "envelope 0 is not one of ours"),
        ("sweep/00006.jsonl.zst", "parse", "sweep is not JSON"),
    ]


def test_runs_and_sweeps_are_rows(home):
    run = {
        **{"run_id": 4, "endpoint": "http://hub", "started_at": "2026-01-01T00:00:00.000Z"},
        **{"ended_at": None, "outcome": "killed", "facets": ["card"], "listed_count": 3},
        **{"answered_count": 2, "request_count": 9, "query_file_count": 1},
        **{"failures": {"gone": 2}, "notes": ["It rained."], "client": "hubatlas/0"},
    }
    sweep = {
        **{"sweep_id": 7, "kind": "incremental", "endpoint": "http://hub"},
        **{"started_at": "2026-01-01T00:00:00.000Z", "ended_at": "2026-01-01T01:00:00.000Z"},
        **{"watermark_at": "2026-01-01T00:00:00.000Z", "since_at": "2025-12-31T00:00:00.000Z"},
        **{"outcome": "complete", "expand": ["sha", "tags"], "listed_count": 3},
        **{"known_count": 4, "missing_count": 1, "notes": []},
    }
    home.journal("run", run)
    home.journal("sweep", sweep)
    assert home.rows(
        "select run_id, ended_at, outcome, facets, request_count, failures->>'gone', notes"
        " from crawl_run"
    ) == [(4, None, "killed", ["card"], 9, "2", ["It rained."])]
    assert home.rows(
        "select sweep_id, kind, since_at::varchar, outcome, expand, missing_count from sweep"
    ) == [(7, "incremental", "2025-12-31 00:00:00", "complete", ["sha", "tags"], 1)]


def test_a_sample_its_strata_and_its_members(home):
    stratum = {"frame_count": 10, "sample_count": 2, "deviation": 0.5}
    sample = {
        **{"sample_id": 1, "seed": 3, "drawn_at": "2026-01-01T00:00:00.000Z"},
        **{"strata": ["size"], "allocation": "neyman", "target": "likes"},
        **{"frame_count": 10, "sample_count": 2},
        "stratum": [{"stratum": "size=3B", **stratum, "inclusion_probability": 0.2}],
        "members": [["o/m", "size=3B"], ["o/n", "size=3B"]],
    }
    home.journal("sample", sample)
    assert home.rows("select sample_id, seed, strata, allocation from sample") == [
        (1, 3, ["size"], "neyman")
    ]
    assert home.rows("select * from sample_stratum") == [(1, "size=3B", 10, 2, 0.5, 0.2)]
    assert home.rows("select * from sample_member") == [
        (1, "o/m", "size=3B", 0.2),
        (1, "o/n", "size=3B", 0.2),
    ]


def test_an_imported_folder_is_where_its_files_are(home):
    record = {"id": "local/m", "localPath": "/models/m", "siblings": [{"rfilename": "a/b.bin"}]}
    home.listing(record, day=2)
    assert home.rows("select repo_id, local_path from model order by 1") == [
        ("local/m", "/models/m"),
        ("o/m", None),
    ]
    assert home.rows("select path, local_path from repo_file") == [("a/b.bin", "/models/m/a/b.bin")]


def test_every_relation_keeps_its_grain_where_all_is_told_twice(home):
    token = "hf_" + "AbCdEfGhIjKlMnOpQrStUvWxYz01234567"
    tags = ["base_model:o/b", "base_model:O/B", token, "en", "dataset:squad", "license:mit"] * 2
    listed = {"id": "o/m", "_id": "i1", "tags": tags, "private": None, "moonPhase": "full"}
    refs = [{"name": "main", "ref": "refs/heads/main", "targetCommit": SHA}]
    finding = {"path": "m.bin", "level": "unsafe"}
    sample = {
        "sample_id": 1,
        "stratum": [{"stratum": "all"}],
        "members": [["o/m", "all"], ["o/m", "all"]],
    }
    entry = {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}
    for _ in range(2):
        base = {"id": "o/b", "_id": "i2", "tags": ["license:mit"]}
        home.listing(listed, listed, base, day=2)
        home.listing({"id": "o/old", "_id": "i1"}, {"id": "o/older", "_id": "i1"})
        home.answer("card", "o/m", token.encode())
        home.answer("commits", "o/m", [{"id": "c"}] * 2)
        home.answer("commits", "o/m", [{"id": "d"}] * 2, day=2)
        home.answer("commit_files", "o/m", TREE * 2, revision=SHA)
        home.answer("refs", "o/m", {"branches": refs * 2, "tags": refs})
        home.answer("discussions", "o/m", {"discussions": [{"num": 1}] * 2})
        home.answer("security", "o/m", {"securityRepoStatus": {"filesWithIssues": [finding] * 2}})
        home.answer("config", "o/m", {}, path="config.json")
        home.answer("adapter_config", "o/m", {}, path="config.json")
        home.answer("tensors", "o/b", {"w": entry}, path="w.safetensors", kind="safetensors")
        home.failed("probe", "o/b", 404, "gone", day=3)
        home.answer("probe", "o/older", {"id": "o/m"}, day=3)
        home.answer("moon_phase", "o/m", b"<", path="x")
        home.journal("run", {"run_id": 1})
        home.journal("sweep", {"sweep_id": 1})
        home.journal("sample", sample)
    with home.built() as db:
        for name in published_names():
            grain = ", ".join(read_relation("warehouse", name).grain)
            sql = f"select {grain} from {name} group by all having count(*) > 1"
            assert db.execute(sql).fetchall() == [], f"{name} is not unique by {grain}"
            filled = db.execute(f"select count(*) from {name}").fetchone() != (0,)
            assert filled, f"{name} is empty: nothing is tested"
