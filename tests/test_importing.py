"""Other doors to the same raw files: what they bring is what a crawl would have brought."""

import json
import os
import signal

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hubs import contents, crawled, model, recording
from safetensors.numpy import save_file
from test_crashes import in_process

from analysis.lineage import derive_lineage
from crawler.crawl import crawl
from crawler.doors import DoorRefused
from crawler.forget import forget
from crawler.importing import (
    NothingTakenIn,
    import_folder,
    import_hf_cache,
    import_hub_stats,
    import_records,
)
from crawler.localhub.running import running
from crawler.queue import queued_counts
from crawler.state import OtherHub
from warehouse.build import build

HUB = "https://huggingface.co"
SHA = "a" * 40


def warehouse(home):
    with duckdb.connect(build(home, derive=derive_lineage, from_scratch=True)) as db:
        return contents(db)


def query(home, sql):
    with duckdb.connect(build(home, derive=derive_lineage)) as db:
        return db.execute(sql).fetchall()


def cached_model(cache, repo_id, files):
    """A repo in the layout of huggingface_hub's cache."""
    folder = cache / f"models--{repo_id.replace('/', '--')}"
    snapshot = folder / "snapshots" / SHA
    for place in (snapshot, folder / "blobs", folder / "refs"):
        place.mkdir(parents=True)
    (folder / "refs" / "main").write_text(SHA)
    for number, (name, content) in enumerate(files.items()):
        blob = folder / "blobs" / f"{number:040x}"
        blob.write_bytes(content)
        (snapshot / name).symlink_to(os.path.relpath(blob, snapshot))
    return snapshot


def test_records_bring_what_a_crawl_brings(tmp_path):
    fixed = {"author": "o", "_id": "1" * 24, "createdAt": "2026-01-01T00:00:00.000Z"}
    lines = [
        model("o/m", card="# x\n", sha=SHA, tags=["license:mit"], **fixed),
        model("o/bare", sha="b" * 40, **{**fixed, "_id": "2" * 24}),
    ]
    source = recording(tmp_path, lines)
    listed = warehouse(crawled(tmp_path / "crawled", source))
    taken = import_records(tmp_path / "home", source, as_of="2026-02-01")
    assert (taken.record_count, taken.answer_count) == (2, 2)
    imported = warehouse(tmp_path / "home")
    assert {name: rows for name, rows in imported.items() if rows != listed[name]} == {}


def test_records_that_are_none_are_rejected_and_said(tmp_path):
    source, told = tmp_path / "odd.jsonl", []
    source.write_text('{"id": "o/m"}\nnot json\n{"id": "o/private", "private": true}\n')
    taken = import_records(tmp_path / "home", source, tell=told.append)
    assert len(told) == 1
    assert str(taken) == "1 model and 0 files taken in, 1 refused, 1 private or forgotten"
    assert query(tmp_path / "home", "select repo_id from model") == [("o/m",)]
    assert query(tmp_path / "home", "select stage, reason from rejected") == [
        ("listing", "record is not an object")
    ]


def test_an_import_settles_what_it_brings_and_a_crawl_fetches_the_rest(tmp_path):
    lines = [model("o/m", card="x", sha=SHA), model("o/n", card="y", sha="b" * 40)]
    source, home = recording(tmp_path, lines), tmp_path / "home"
    bare = tmp_path / "bare.jsonl"
    bare.write_text(json.dumps(lines[0]) + "\n" + json.dumps(lines[1]["model"]))
    import_records(home, bare, hub_name="test")
    with running(source) as endpoint:
        done = crawl(home, endpoint=endpoint, hub_name="test", listing=False)
    assert done.answered == {"card": 1}
    assert query(home, "select repo_id, text from card order by 1") == [("o/m", "x"), ("o/n", "y")]


def test_hub_stats_is_a_listing(tmp_path):
    rows = pa.table(
        {
            "id": ["o/m", "o/n"],
            "downloads": [5, None],
            "tags": [["license:mit"], ["base_model:o/m", "base_model:finetune:o/m"]],
            "cardData": ['{"license": "mit"}', None],
            "siblings": [["config.json"], []],
            "sha": [SHA, "b" * 40],
        }
    )
    pq.write_table(rows, tmp_path / "models.parquet")
    home = tmp_path / "home"
    import_hub_stats(home, tmp_path / "models.parquet", as_of="2026-11-01T00:00:00Z")
    assert query(home, "select repo_id, license, downloads_30d from model order by 1") == [
        ("o/m", "mit", 5),
        ("o/n", None, None),
    ]
    assert query(home, "select child_id, parent_id, relation from base_model_edge") == [
        ("o/n", "o/m", "finetune")
    ]
    assert query(home, "select path from repo_file") == [("config.json",)]


def test_an_import_of_an_earlier_time_does_not_hide_what_was_listed_since(tmp_path):
    source = recording(tmp_path, [model("o/m", sha=SHA, likes=9, _id="1" * 24)])
    home = crawled(tmp_path / "home", source)
    old = tmp_path / "old.jsonl"
    old.write_text(json.dumps({"id": "o/m", "_id": "1" * 24, "sha": "b" * 40, "likes": 1}))
    import_records(home, old, as_of="2020-01-01", hub_name="test")
    assert query(home, "select likes_count, commit_sha from model") == [(9, SHA)]
    assert queued_counts(home) == {}
    assert query(home, "select likes_count from model_observation order by observed_at") == [
        (1,),
        (9,),
    ]


def test_one_home_holds_one_hub_whatever_the_door(tmp_path):
    home = crawled(tmp_path / "home", recording(tmp_path, [model("o/m")]))
    with pytest.raises(OtherHub):
        import_records(home, tmp_path / "recording.jsonl")


def test_a_folder_of_models_is_a_small_hub_with_its_tensors(tmp_path):
    mine = tmp_path / "models" / "tiny"
    mine.mkdir(parents=True)
    save_file({"w": np.zeros((2, 3), np.float32)}, mine / "model.safetensors")
    (mine / "config.json").write_text('{"model_type": "bert", "vocab_size": 7}')
    (mine / "README.md").write_text("---\nbase_model: o/base\n---\n# mine\n")
    home = tmp_path / "home"
    import_folder(home, tmp_path / "models")
    assert query(
        home,
        "select repo_id, model_type, parameter_count, vocab_size, local_path"
        " from model where known",
    ) == [("local/tiny", "bert", 6, 7, str(mine))]
    assert query(home, "select tensor_name, dtype, shape, byte_count from tensor") == [
        ("w", "F32", [2, 3], 24)
    ]
    assert query(home, "select parent_id from base_model_edge") == [("o/base",)]
    files = query(home, "select path, local_path from repo_file")
    assert dict(files)["model.safetensors"] == str(mine / "model.safetensors")


def test_a_cache_adds_what_is_here_and_hides_nothing_of_the_hub(tmp_path):
    source = recording(tmp_path, [model("o/m", sha=SHA, likes=9, tags=["license:mit"])])
    home = crawled(tmp_path / "home", source, hub_name=HUB)
    snapshot = cached_model(tmp_path / "cache", "o/m", {"config.json": b"{}", "README.md": b"# c"})
    cached_model(tmp_path / "cache", "o/other", {"config.json": b'{"model_type": "bert"}'})
    import_hf_cache(home, tmp_path / "cache")
    held = query(home, "select repo_id, likes_count, license, local_path from model order by 1")
    assert held[0] == ("o/m", 9, "mit", str(snapshot))
    assert held[1][0] == "o/other"
    crawled(home, source, hub_name=HUB)
    crawled(home, source, hub_name=HUB)
    assert query(home, "select count(*) from tombstone") == [(0,)]


def test_only_what_is_taken_in_is_counted_and_each_model_once(tmp_path):
    odd = [{"nothing": 1}, {"id": "a/b/c"}, {"id": 7}, "text", None]
    whole = model("o/m", card="x", sha=SHA)
    lines = [whole, whole, {"id": "o/n", "sha": SHA}, *odd]
    source = recording(tmp_path, lines)
    taken = import_records(tmp_path / "home", source)
    assert (taken.record_count, taken.refused_count, taken.withheld_count) == (2, 5, 0)
    assert str(taken) == "2 models and 1 file taken in, 5 refused"
    assert query(tmp_path / "home", "select count(*) from model where known") == [(2,)]


def test_a_file_without_a_single_record_is_an_error(tmp_path):
    source = tmp_path / "odd.jsonl"
    source.write_text('[]\n{"id": "a/b/c"}\n')
    with pytest.raises(NothingTakenIn, match=r"odd\.jsonl: 2 refused;") as told:
        import_records(tmp_path / "home", source)
    assert "\n" not in str(told.value)


def test_an_empty_source_brings_nothing_and_says_so(tmp_path):
    (tmp_path / "empty.jsonl").write_text("")
    for name in ("cache", "folder"):
        (tmp_path / name).mkdir()
    home = tmp_path / "home"
    for taken in (
        import_records(home, tmp_path / "empty.jsonl"),
        import_hf_cache(home, tmp_path / "cache"),
        import_folder(home, tmp_path / "folder"),
    ):
        assert str(taken) == "nothing taken in: there is nothing in it"
    assert not home.exists()


def test_a_cache_and_a_listing_are_of_the_hub_that_is_named(tmp_path):
    mirror, home = "https://hub.example", tmp_path / "home"
    cached_model(tmp_path / "cache", "o/m", {"config.json": b"{}"})
    pq.write_table(pa.table({"id": ["o/n"]}), tmp_path / "models.parquet")
    import_hf_cache(home, tmp_path / "cache", hub_name=mirror)
    import_hub_stats(home, tmp_path / "models.parquet", hub_name=mirror)
    assert query(home, "select repo_id from model order by 1") == [("o/m",), ("o/n",)]
    with pytest.raises(OtherHub):
        import_hf_cache(home, tmp_path / "cache")


def test_the_folder_above_a_cache_will_do_and_another_one_is_refused(tmp_path):
    cached_model(tmp_path / "parent" / "hub", "o/m", {"config.json": b"{}"})
    (tmp_path / "parent" / "token").write_text("x")
    assert import_hf_cache(tmp_path / "home", tmp_path / "parent").record_count == 1
    told = []
    with pytest.raises(DoorRefused, match="models--OWNER--NAME"):
        import_hf_cache(tmp_path / "other", tmp_path, tell=told.append)
    assert told == []


def test_a_source_that_cannot_be_read_leaves_the_home_as_it_was(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "1.jpg").write_bytes(b"x")
    for refused in (import_folder, import_hf_cache):
        with pytest.raises(DoorRefused):
            refused(tmp_path / "home", tmp_path / "photos")
    assert not (tmp_path / "home").exists()


def test_a_cache_that_is_absent_is_one_line(tmp_path):
    with pytest.raises(DoorRefused, match="nowhere"):
        import_hf_cache(tmp_path / "home", tmp_path / "nowhere")


@pytest.mark.parametrize("place", ["raw whole:2", "page not yet committed:2", "page committed:1"])
def test_an_import_that_was_killed_goes_on(tmp_path, place):
    lines = [model(f"o/m{n}", card=f"# {n}", sha=f"{n:040x}") for n in range(2500)]
    source = recording(tmp_path, lines)
    import_records(tmp_path / "whole", source)
    home = tmp_path / "home"
    assert in_process(import_records, home, source, at=place) == -signal.SIGKILL
    import_records(home, source)
    assert len(list((home / "raw" / "model").iterdir())) == 3
    assert warehouse(home) == warehouse(tmp_path / "whole")


def test_what_is_forgotten_does_not_come_back_through_a_door(tmp_path):
    source = recording(tmp_path, [model("o/m", card="x"), model("o/n", card="y")])
    home = tmp_path / "home"
    import_records(home, source)
    assert forget(home, "o/m").repo_count == 1
    import_records(home, source, as_of="2030-01-01")
    assert "o/m" not in repr(warehouse(home))
    assert query(home, "select repo_id from card") == [("o/n",)]
