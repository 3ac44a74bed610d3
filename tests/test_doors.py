"""The doors to raw files that are no hub: real parquet, real lines, real folders, a real cache."""

import os
import random
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from huggingface_hub.utils import validate_repo_id
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from crawler.doors import DoorRefused
from crawler.doors.folder import folder
from crawler.doors.hf_cache import hf_cache
from crawler.doors.hub_stats import hub_stats
from crawler.doors.records import MISSING, records

NOON = datetime(2024, 5, 6, 12, 0, 0, 250_000, tzinfo=UTC)
NOON_TEXT = "2024-05-06T12:00:00.250Z"
COMMIT, OLDER = "a" * 40, "b" * 40
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
).filter(lambda value: "\ud800" not in repr(value))

FILE_NAMES = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=("Cs",)), min_size=1, max_size=60
)


def parquet(folder, columns, **options):
    path = folder / "models.parquet"
    pq.write_table(pa.table(columns), path, **options)
    return path


def stats(folder, **columns):
    """The records of a hub-stats file of these columns, in one list."""
    named = {"id": [f"o/m{n}" for n in range(len(next(iter(columns.values()))))], **columns}
    return [record for page in hub_stats(parquet(folder, named)) for record in page]


def lines_file(folder, content, name="r.jsonl"):
    path = folder / name
    path.write_bytes(content)
    return path


def page_of(lines):
    return orjson.loads("[" + ",".join(line.record for line in lines) + "]")


def fill(root, files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def weights(**shapes):
    return save({name: np.zeros(shape, np.float32) for name, shape in shapes.items()})


def by_id(found):
    return {local.record["id"]: local for local in found}


def facets(local):
    return [(facet, path, kind) for facet, path, kind, _ in local.files]


# hub-stats


def test_text_structs_and_maps_give_the_same_record(tmp_path):
    kept = {"cardData": {"license": "mit"}, "safetensors": {"parameters": {"F32": 7}, "total": 7}}
    text = stats(tmp_path, **{name: [orjson.dumps(v).decode()] for name, v in kept.items()})
    counts = pa.struct([("F32", pa.int64()), ("BF16", pa.int64())])
    struct = pa.struct([("parameters", counts), ("total", pa.int64())])
    structs = stats(
        tmp_path,
        cardData=[{"license": "mit", "datasets": None}],
        safetensors=pa.array([kept["safetensors"]], struct),
    )
    counted = pa.struct([("parameters", pa.map_(pa.string(), pa.int64())), ("total", pa.int64())])
    mapped = pa.array([{"parameters": [("F32", 7)], "total": 7}], counted)
    maps = stats(
        tmp_path,
        cardData=pa.array([[("license", "mit")]], pa.map_(pa.string(), pa.string())),
        safetensors=mapped,
    )
    assert text == structs == maps == [{"id": "o/m0", **kept}]


def test_times_are_spelled_as_the_api_does(tmp_path):
    nanoseconds = pa.array([1_714_996_800_250_000_000], pa.timestamp("ns"))
    zoned = pa.array([NOON], pa.timestamp("us", tz="Europe/Paris"))
    (record,) = stats(tmp_path, createdAt=nanoseconds, lastModified=zoned)
    assert record == {"id": "o/m0", "createdAt": NOON_TEXT, "lastModified": NOON_TEXT}
    (text,) = stats(tmp_path, createdAt=["2024-05-06 14:00:00.25+02:00"], lastModified=["later"])
    assert text == {"id": "o/m0", "createdAt": NOON_TEXT, "lastModified": "later"}


def test_files_are_named_whatever_the_list_holds(tmp_path):
    names = [{"rfilename": "a"}, {"rfilename": "b"}]
    for siblings in ([["a", "b"]], [names], [orjson.dumps(names).decode()], ['["a", "b"]']):
        assert stats(tmp_path, siblings=siblings) == [{"id": "o/m0", "siblings": names}]


def test_gated_and_private_are_what_the_api_says(tmp_path):
    found = stats(
        tmp_path,
        gated=["False", "false", "auto", "manual", None],
        private=["true", "False", "", None, None],
    )
    assert [record.get("gated") for record in found] == [False, False, "auto", "manual", None]
    assert [record.get("private") for record in found] == [True, False, None, None, None]
    (boolean,) = stats(tmp_path, gated=[False])
    assert boolean["gated"] is False


def test_what_says_nothing_is_left_out(tmp_path):
    struct = pa.struct([("total", pa.int64()), ("more", pa.struct([("x", pa.float64())]))])
    found = stats(
        tmp_path,
        likes=[3.0, float("nan")],
        trendingScore=[0.5, None],
        gguf=pa.array([{"total": 0, "more": None}, {"total": None, "more": {"x": None}}], struct),
        cardData=["null", ""],
        tags=pa.array([[], None], pa.list_(pa.string())),
    )
    kept = {"likes": 3, "trendingScore": 0.5, "gguf": {"total": 0}, "tags": []}
    assert found == [{"id": "o/m0", **kept}, {"id": "o/m1"}]
    assert type(found[0]["likes"]) is int


def test_json_that_python_wrote_and_json_that_is_none_are_both_kept(tmp_path):
    found = stats(tmp_path, cardData=['{"loss": NaN, "x": 1}', '{"cut', "[" * 5_000])
    assert found[0]["cardData"] == {"loss": None, "x": 1}
    assert [record["cardData"] for record in found[1:]] == ['{"cut', "[" * 5_000]


def test_other_columns_pass_and_every_record_is_json(tmp_path):
    (record,) = stats(
        tmp_path,
        sha=pa.array([b"\xc3\xa9"], pa.binary()),
        price=[Decimal("1.50")],
        day=[NOON.date()],
        big=pa.array([2**63], pa.uint64()),
        kind=pa.array(["x"]).dictionary_encode(),
    )
    wanted = {"sha": "é", "price": "1.50", "day": "2024-05-06", "big": 2**63, "kind": "x"}
    assert orjson.loads(orjson.dumps(record)) == {"id": "o/m0", **wanted}


def test_rows_without_an_id_are_given_as_they_are(tmp_path):
    path = parquet(tmp_path, {"id": [None, "o/m"], "likes": [1, 2]})
    assert list(hub_stats(path)) == [[{"likes": 1}, {"id": "o/m", "likes": 2}]]


def test_pages_are_of_a_thousand_records_across_row_groups(tmp_path):
    ids = [f"o/m{n}" for n in range(2_500)]
    pages = list(hub_stats(parquet(tmp_path, {"id": ids}, row_group_size=700)))
    assert [len(page) for page in pages] == [1000, 1000, 500]
    assert [record["id"] for page in pages for record in page] == ids


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", b"PAR1" + bytes(40) + b"PAR1"])
def test_what_is_no_parquet_is_refused_in_one_line(tmp_path, content):
    path = tmp_path / "models.parquet"
    path.write_bytes(content)
    with pytest.raises(DoorRefused, match=r"models\.parquet cannot be read as parquet") as refused:
        next(hub_stats(path))
    assert "\n" not in str(refused.value)


def test_a_parquet_of_something_else_and_an_absent_one_are_refused(tmp_path):
    with pytest.raises(DoorRefused, match="no column id"):
        next(hub_stats(parquet(tmp_path, {"name": ["x"]})))
    with pytest.raises(DoorRefused, match="cannot be read"):
        next(hub_stats(tmp_path / "absent.parquet"))


def test_a_parquet_damaged_in_its_middle_says_how_far_it_could_be_read(tmp_path):
    rng = np.random.default_rng(0)
    names = {"id": [rng.bytes(30).hex() for _ in range(20_000)]}
    path = parquet(tmp_path, names, row_group_size=5_000, compression="zstd")
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 4_000] = bytes(4_000)
    path.write_bytes(content)
    pages = []
    with pytest.raises(DoorRefused, match=r"after [0-9,]+ records"):
        pages.extend(hub_stats(path))
    assert pages


# records


@given(
    model=st.dictionaries(st.text(max_size=5), JSON), card=st.none() | st.text(), pad=st.booleans()
)
def test_a_record_is_the_text_that_stands_in_the_line(tmp_path_factory, model, card, pad):
    spelled = orjson.dumps(model).replace(b":", b" :  ") if pad else orjson.dumps(model)
    if orjson.loads(spelled) != model:  # a colon within a string
        spelled = orjson.dumps(model)
    line = b'{ "removed_at": [{"model": 1}], "model" : %b , "card":%b}' % (
        spelled,
        orjson.dumps(card),
    )
    (found,) = records(lines_file(tmp_path_factory.mktemp("r"), line + b"\r\n"))
    assert (found.record, found.card, found.refusal) == (spelled.decode(), card, None)


def test_numbers_and_spelling_survive(tmp_path):
    record = '{"id": "o/m", "big": 123456789012345678901234567890, "x": 1.50, "é": "\\u00e9"}'
    content = f'{{"model": {record}, "card": null}}\n{record}\n'.encode()
    wrapped, bare = records(lines_file(tmp_path, content))
    assert wrapped.record == bare.record == record
    assert (wrapped.card, bare.card) == (None, MISSING)


def test_a_line_that_is_no_record_stops_nothing_and_breaks_no_page(tmp_path):
    deep = '{"model": {"x": ' + "[" * 1_000 + "]" * 1_000 + "}}"
    digits = '{"model": {"x": ' + "9" * 5_000 + "}}"
    bad = ['{"id": "o/cut", "x": "', "]},{", "7", '"text"', '{"model": 3}', deep, digits]
    content = "\n".join(["\ufeff" + '{"id": "o/a"}', *bad, "", '{"id": "o/b"}']).encode()
    found = list(records(lines_file(tmp_path, content + b'\n{"id": "\xff"}\n')))
    page = page_of(found)
    assert [record["id"] for record in page if isinstance(record, dict)] == ["o/a", "o/b"]
    refused = [line for line in found if line.refusal]
    assert [line.number for line in refused] == [*range(2, 9), 11]
    assert page[1:8] == bad
    assert page[-1] == '{"id": "\\xff"}'
    assert all("\n" not in line.refusal for line in refused)


def test_a_card_that_is_no_text_is_told_and_the_record_kept(tmp_path):
    content = b'{"model": {"id": "o/m"}, "card": 5}\n{"model": {"id": "o/n"}}'
    odd, silent = records(lines_file(tmp_path, content))
    assert (odd.record, odd.card, odd.refusal) == (
        '{"id": "o/m"}',
        MISSING,
        "its card is neither text nor null",
    )
    assert (silent.card, silent.refusal) == (MISSING, None)


def zst(*parts):
    packer = zstandard.ZstdCompressor(write_checksum=True)
    return b"".join(packer.compress(part) for part in parts)


def many_lines(count):
    """Lines that compress badly, so that a file of them is long."""
    rng = random.Random(0)
    return [b'{"id": "o/m%d", "x": "%032x"}\n' % (n, rng.getrandbits(128)) for n in range(count)]


def test_frames_are_read_one_after_the_other(tmp_path):
    lines = many_lines(999)
    content = b"".join(lines)
    skippable = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"12345"
    packed = zst(content[:30_001]) + skippable + zst(b"", content[30_001:])
    found = records(lines_file(tmp_path, packed, "r.jsonl.zst"))
    assert [line.record.encode() + b"\n" for line in found] == lines


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "plain"])
def test_a_damaged_zstandard_file_gives_its_whole_lines_and_says_so(tmp_path, damage):
    lines = many_lines(9_999)
    packed = zst(b"".join(lines[:5_000]), b"".join(lines[5_000:]))
    damaged = {
        "cut": packed[:-100],
        "flipped": packed[:-200] + bytes([packed[-200] ^ 255]) + packed[-199:],
        "empty": b"",
        "plain": lines[0],
    }[damage]
    found = []
    path = lines_file(tmp_path, damaged, "r.jsonl.zst")
    with pytest.raises(DoorRefused, match=r"r\.jsonl\.zst is no whole Zstandard file"):
        found.extend(records(path))
    assert (len(found) >= 5_000) is (damage in {"cut", "flipped"})
    assert [line.record.encode() + b"\n" for line in found[:5_000]] == lines[: len(found)][:5_000]


def test_other_files_are_refused(tmp_path):
    with pytest.raises(DoorRefused, match="neither"):
        next(records(lines_file(tmp_path, b"", "r.json")))
    with pytest.raises(DoorRefused, match="cannot be read"):
        next(records(tmp_path / "absent.jsonl"))
    endless = lines_file(tmp_path, b'{"id": "o/m"}\n' + bytes(70 * 2**20))
    found = []
    with pytest.raises(DoorRefused, match="line 2 is too long"):
        found.extend(records(endless))
    assert [line.record for line in found] == ['{"id": "o/m"}']


# folder


def test_a_model_folder_becomes_the_record_that_a_hub_would_list(tmp_path):
    config = b'{"architectures": ["BertModel"], "model_type": "bert", "vocab_size": 3}'
    files = {
        "config.json": config,
        "README.md": b"---\nlicense: mit\n---\n\xff",
        "model.safetensors": weights(a=(2, 3), b=()),
        "pytorch_model.bin": b"\x80pickle",
        "unet/more.safetensors": weights(c=(4,)),
        "mergekit_config.yml": b"merge_method: linear\n",
        ".git/objects/x.safetensors": b"",
        ".gitattributes": b"*",
    }
    root = fill(tmp_path, {f"bert/{name}": content for name, content in files.items()})
    moments = {"config.json": 1_714_996_800_250_000_000, "README.md": 10**18}
    for name in files:
        ns = moments.get(name, 15 * 10**17)
        os.utime(root / "bert" / name, ns=(ns, ns))
    told = []
    (local,) = folder(root, tell=told.append)
    listed = {name: len(content) for name, content in files.items() if ".git/" not in name}
    record = dict(local.record)
    assert [(s["rfilename"], s["size"]) for s in record.pop("siblings")] == sorted(listed.items())
    assert len(record.pop("sha")) == 40
    assert record.pop("_id").startswith("local-")
    assert record == {
        "id": "local/bert",
        "author": "local",
        "private": False,
        "createdAt": "2001-09-09T01:46:40.000Z",
        "lastModified": NOON_TEXT,
        "config": {"architectures": ["BertModel"], "model_type": "bert"},
        "safetensors": {"parameters": {"F32": 7}, "total": 7},
        "localPath": str((root / "bert").resolve()),
    }
    assert local.card == files["README.md"]
    found = list(local.files)
    assert [entry[:3] for entry in found] == [
        ("config", "config.json", None),
        ("mergekit_config", "mergekit_config.yml", None),
        ("tensors", "model.safetensors", "safetensors"),
        ("tensors", "unet/more.safetensors", "safetensors"),
    ]
    assert found[0][3] == config
    assert orjson.loads(found[2][3])["a"]["shape"] == [2, 3]
    assert told == []


def test_folders_are_found_where_they_lie_and_parts_stay_with_their_model(tmp_path):
    fill(
        tmp_path,
        {
            "loose.gguf": b"GGUF",
            "team/adapter/adapter_config.json": "{}",
            "pipe/model_index.json": "{}",
            "pipe/unet/config.json": "{}",
            "carded/README.md": "# x",
            "carded/w.pt": b"",
            "prose/README.md": "# x",
            "tokens/vocab.txt": "",
            ".hidden/config.json": "{}",
        },
    )
    found = by_id(folder(tmp_path, owner="me"))
    top = f"me/{tmp_path.name}"
    assert set(found) == {top, "me/team-adapter", "me/pipe", "me/carded"}
    names = {repo: [s["rfilename"] for s in x.record["siblings"]] for repo, x in found.items()}
    assert names[top] == ["loose.gguf"]
    assert names["me/pipe"] == ["model_index.json", "unet/config.json"]


@given(st.lists(FILE_NAMES, min_size=1, max_size=5, unique=True))
def test_every_folder_gets_an_id_of_its_own_that_the_hub_would_take(tmp_path_factory, names):
    root = tmp_path_factory.mktemp("names")
    usable = [n for n in names if not n.startswith(".")]
    for name in usable:
        fill(root / name, {"config.json": "{}"})
    ids = [local.record["id"] for local in folder(root)]
    assert len({repo_id.lower() for repo_id in ids}) == len(usable)
    for repo_id in ids:
        validate_repo_id(repo_id)


def test_names_that_would_be_one_are_told_apart_whatever_their_order(tmp_path):
    long = "x" * 150
    for name in ("a b", "a-b", "A.B", "模型", "x.git", long):
        fill(tmp_path / name, {"config.json": "{}"})
    found = {Path(x.record["localPath"]).name: x.record["id"] for x in folder(tmp_path)}
    assert found["a b"] != found["a-b"]
    assert {found["a b"][:-10], found["a-b"][:-10]} == {"local/a-b-"}
    assert found["A.B"] == "local/A.B"
    assert found["模型"].startswith("local/model-")
    assert found["x.git"] == "local/x-git"
    assert len(found[long]) == 96


def test_the_sha_follows_what_changes_and_nothing_else(tmp_path):
    root = fill(tmp_path / "m", {"config.json": "{}", "model.safetensors": weights(a=(1,))})
    (first,), (again,) = folder(root), folder(root)
    assert first.record == again.record
    os.utime(root / "config.json", ns=(5, 5))
    (touched,) = folder(root)
    assert touched.record["sha"] != first.record["sha"]
    assert touched.record["_id"] == first.record["_id"]


def test_a_link_out_of_the_root_is_listed_and_never_read(tmp_path):
    secret = fill(tmp_path / "outside", {"secret.json": '{"model_type": "secret"}'})
    root = fill(tmp_path / "root", {"m/model.safetensors": weights(a=(1,)), "m/card": "# in"})
    (root / "m" / "config.json").symlink_to(secret / "secret.json")
    (root / "m" / "README.md").symlink_to("card")
    (root / "m" / "gone.gguf").symlink_to("nowhere")
    (root / "m" / "round").symlink_to("round")
    (root / "m" / "up").symlink_to(root)
    os.mkfifo(root / "m" / "pipe.safetensors")
    told = []
    (local,) = folder(root, tell=told.append)
    sizes = {s["rfilename"]: s.get("size") for s in local.record["siblings"]}
    assert sizes == {
        "README.md": 4,
        "card": 4,
        "config.json": None,
        "model.safetensors": len(weights(a=(1,))),
    }
    assert local.card == b"# in"
    assert "config" not in local.record
    assert facets(local) == [("tensors", "model.safetensors", "safetensors")]
    assert [
        reason for name in ("config", "gone", "pipe", "round") for reason in told if name in reason
    ]
    assert len(told) == 4


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("config.json", b"{", "is not JSON"),
        ("model.safetensors", b"\x00" * 7, "model.safetensors: its first 8 bytes"),
        ("model.safetensors", b"\x02" + bytes(7) + b"{]", "cannot be counted"),
        ("m.gguf", b"GGML", "m.gguf: does not begin with GGUF"),
        ("config.json", bytes(17 * 2**20), "it is not read"),
        ("model-00001-of-00002.safetensors", weights(a=(1,)), "1 of 2 shards"),
        (b"caf\xe9.bin", b"", "not UTF-8"),
    ],
)
def test_a_bad_file_is_told_and_hides_nothing_else(tmp_path, name, content, sentence):
    fill(tmp_path / "m", {"adapter_config.json": "{}"})
    (tmp_path / "m" / os.fsdecode(name)).write_bytes(content)
    told = []
    (local,) = folder(tmp_path, tell=told.append)
    assert ("adapter_config", "adapter_config.json", None) in facets(local)
    assert any(sentence in line for line in told)
    assert "\n" not in "".join(told)
    assert not {"config", "safetensors"} & set(local.record)
    orjson.dumps([local.record, told])


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [([2**62, 4], "F32"), ([-1], "F32"), ([2] * 100, "F32"), (["2"], "F32"), (3, "F32")],
)
def test_shapes_that_no_tensor_has_are_not_counted(tmp_path, shape, dtype):
    header = orjson.dumps({"t": {"shape": shape, "dtype": dtype, "data_offsets": [0, 0]}})
    content = len(header).to_bytes(8, "little") + header
    fill(tmp_path, {"m/model.safetensors": content})
    (local,) = folder(tmp_path)
    assert "safetensors" not in local.record
    assert [entry[3] for entry in local.files] == [header]


@pytest.mark.parametrize(
    ("names", "total"),
    [
        (["model-00001-of-00002", "model-00002-of-00002"], 8),
        (["model", "model-00001-of-00002", "consolidated"], 4),
        (["adapter_model", "checkpoint-5/adapter_model"], 4),
        (["one", "other"], None),
    ],
)
def test_parameters_are_counted_once_or_not_at_all(tmp_path, names, total):
    files = {f"m/{name}.safetensors": weights(a=(4,)) for name in names}
    fill(tmp_path, {"m/config.json": "{}", **files})
    (local,) = folder(tmp_path)
    counted = local.record.get("safetensors")
    assert counted == (total and {"parameters": {"F32": total}, "total": total})


def test_what_is_no_folder_and_an_owner_that_is_none_are_refused(tmp_path):
    with pytest.raises(DoorRefused, match="is no folder"):
        next(folder(tmp_path / "absent"))
    for owner in ("", "a/b", "-x", "é", "x" * 60):
        with pytest.raises(DoorRefused, match="cannot be an owner"):
            next(folder(tmp_path, owner=owner))


# the Hugging Face cache


def cached(cache, repo, files, *, commit=COMMIT, ref="main", moment=NOON):
    """A repo as huggingface_hub lays it out: blobs, a snapshot of links, a ref."""
    place = cache / ("models--" + repo.replace("/", "--"))
    for name, (blob, content) in files.items():
        fill(place, {f"blobs/{blob}": content})
        os.utime(place / "blobs" / blob, (moment.timestamp(), moment.timestamp()))
        link = place / "snapshots" / commit / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(place / "blobs" / blob, link.parent))
    if ref:
        fill(place, {f"refs/{ref}": commit})
    return place / "snapshots" / commit


BERT = {
    "README.md": ("1" * 40, b"# bert"),
    "config.json": ("2" * 40, b'{"model_type": "bert"}'),
    "onnx/model.safetensors": ("3" * 64, weights(a=(2, 2))),
}


def test_a_cached_model_is_the_snapshot_of_main_under_its_hub_id(tmp_path):
    snapshot = cached(tmp_path, "google/bert", BERT)
    cached(tmp_path, "google/bert", {"x": ("4" * 40, b"")}, commit=OLDER, ref="refs/pr/1")
    cached(tmp_path, "gpt2", {"config.json": ("5" * 40, b"{}")}, ref=None)
    fill(tmp_path, {"datasets--o--d/snapshots/x/README.md": "# no model"})
    bert, gpt2 = hf_cache(tmp_path)
    assert bert.record == {
        "id": "google/bert",
        "author": "google",
        "sha": COMMIT,
        "lastModified": NOON_TEXT,
        "siblings": [
            {"rfilename": "README.md", "size": 6, "blobId": "1" * 40},
            {"rfilename": "config.json", "size": 22, "blobId": "2" * 40},
            {
                "rfilename": "onnx/model.safetensors",
                "size": len(BERT["onnx/model.safetensors"][1]),
                "lfs": {"sha256": "3" * 64, "size": len(BERT["onnx/model.safetensors"][1])},
            },
        ],
        "config": {"model_type": "bert"},
        "safetensors": {"parameters": {"F32": 4}, "total": 4},
        "localPath": str(snapshot.resolve()),
    }
    assert bert.card == b"# bert"
    assert facets(bert) == [
        ("config", "config.json", None),
        ("tensors", "onnx/model.safetensors", "safetensors"),
    ]
    assert (gpt2.record["id"], gpt2.record.get("author"), gpt2.card) == ("gpt2", None, None)


def test_without_main_the_snapshot_that_came_last_counts(tmp_path):
    later = datetime(2025, 1, 1, tzinfo=UTC)
    cached(tmp_path, "o/m", {"a": ("1" * 40, b"1")}, ref=None, moment=later)
    cached(tmp_path, "o/m", {"b": ("2" * 40, b"2")}, commit=OLDER, ref=None)
    (local,) = hf_cache(tmp_path)
    assert local.record["sha"] == COMMIT < OLDER  # not by the greatest hash


def test_a_broken_repo_of_the_cache_is_told_and_hides_no_other(tmp_path):
    cached(tmp_path, "o/good", BERT)
    broken = cached(tmp_path, "o/broken", BERT)
    (broken / "more").symlink_to("nowhere")
    leaving = cached(tmp_path, "o/leaving", {"config.json": ("9" * 40, b"{}")})
    secret = fill(tmp_path.parent / f"{tmp_path.name}-secret", {"s": "# secret"})
    (leaving / "README.md").symlink_to(secret / "s")
    told = []
    good, left = sorted(hf_cache(tmp_path, tell=told.append), key=lambda x: x.record["id"])
    assert (good.record["id"], left.record["id"], left.card) == ("o/good", "o/leaving", None)
    assert [s["rfilename"] for s in left.record["siblings"]] == ["README.md", "config.json"]
    assert len(told) == 2
    assert any("Blob missing" in line for line in told)


def test_the_cache_is_a_folder_of_models_too(tmp_path):
    snapshot = cached(tmp_path, "o/m", BERT)
    told = []
    (inside,) = folder(snapshot, tell=told.append)
    assert inside.card == b"# bert"
    assert told == []


def test_an_absent_cache_is_refused_in_one_line(tmp_path):
    with pytest.raises(DoorRefused, match="no Hugging Face cache at") as refused:
        next(hf_cache(tmp_path / "absent"))
    assert "\n" not in str(refused.value)
    with pytest.raises(DoorRefused, match="cannot be read"):
        next(hf_cache(fill(tmp_path, {"file": ""}) / "file"))
