"""Tensor headers: what real writers write is read as it was meant, anything else is refused."""

import json
import struct

import gguf
import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from raw_homes import RawHome
from safetensors.numpy import save

from warehouse.gguf import read_gguf_header
from warehouse.safetensors_header import read_safetensors_header
from warehouse.tensor_header import HeaderBroken

SHAPES = st.lists(st.integers(0, 5), max_size=3)
DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "U8": "|u1", "BOOL": "|b1"}
ENTRY = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}


def header_text(file: bytes) -> str:
    (length,) = struct.unpack("<Q", file[:8])
    return file[8 : 8 + length].decode()


def refusal(read, content) -> str:
    try:
        return str(read(content).parameter_count)
    except HeaderBroken as broken:
        return str(broken)


@given(st.dictionaries(st.text(max_size=6), st.tuples(SHAPES, st.sampled_from(sorted(DTYPES)))))
def test_a_safetensors_file_is_what_was_saved(tensors):
    arrays = {n: np.zeros(shape, DTYPES[dtype]) for n, (shape, dtype) in tensors.items()}
    arrays.pop("__metadata__", None)
    text = header_text(save(arrays, metadata={"format": "pt"}))
    header = read_safetensors_header(text)
    assert {t.tensor_name: (t.dtype, t.shape, t.byte_count) for t in header.tensors} == {
        name: (tensors[name][1], list(array.shape), array.nbytes) for name, array in arrays.items()
    }
    assert header.parameter_count == sum(array.size for array in arrays.values())
    assert header.metadata == {"format": "pt"}
    assert header.header_byte_count == len(text.encode())


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("[]", "no object"),
        ("{", "not JSON"),
        ('{"a": NaN}', "NaN is no number"),
        ('{"a": 1, "a": 2}', "'a' is there twice"),
        ("[" * 100_000, "not JSON"),
        ({"a": 1}, "no data_offsets"),
        ({"a": {**ENTRY, "data_offsets": [0]}}, "no data_offsets"),
        ({"a": {**ENTRY, "data_offsets": [0, True]}}, "no data_offsets"),
        ({"a": {**ENTRY, "data_offsets": [0, 20]}}, "wrong offsets"),
        ({"a": {**ENTRY, "data_offsets": [4, 28]}}, "wrong offsets"),
        ({"a": ENTRY, "b": ENTRY}, "wrong offsets"),
        ({"a": ENTRY, "b": {**ENTRY, "data_offsets": [25, 49]}}, "wrong offsets"),
        ({"a": {**ENTRY, "shape": [2, -3]}}, "no shape"),
        ({"a": {**ENTRY, "shape": "2x3"}}, "no shape"),
        ({"a": {**ENTRY, "dtype": "F33"}}, "unknown type 'F33'"),
        ({"a": {**ENTRY, "shape": [2**40, 2**40]}}, "beyond any memory"),
        ({"a": {"dtype": "F4", "shape": [3], "data_offsets": [0, 1]}}, "end at a byte"),
        ({"__metadata__": [], "a": ENTRY}, "__metadata__ is no object"),
    ],
)
def test_a_safetensors_header_that_contradicts_itself_is_refused(header, reason):
    text = header if isinstance(header, str) else json.dumps(header)
    with pytest.raises(HeaderBroken, match=reason) as told:
        read_safetensors_header(text)
    assert len(str(told.value)) < 300


@given(st.text() | st.recursive(st.none() | st.integers(), st.lists).map(json.dumps))
def test_any_text_is_a_safetensors_header_or_refused(text):
    assert "\n" not in refusal(read_safetensors_header, text)


@pytest.fixture(scope="module")
def gguf_head(tmp_path_factory):
    path = tmp_path_factory.mktemp("gguf") / "m.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("A model")
    writer.add_context_length(32)
    writer.add_token_list(["a", "b", "c"])
    writer.add_token_scores([0.5, 1.0, 2.0])
    writer.add_tensor("plain.weight", np.zeros((3, 64), np.float32))
    quantized = gguf.quants.quantize(np.ones((4, 64), np.float32), gguf.GGMLQuantizationType.Q8_0)
    writer.add_tensor("q.weight", quantized, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    end = writer.fout[0].tell()
    writer.close()
    return path.read_bytes()[:end]


def test_a_gguf_file_is_what_was_written(gguf_head):
    header = read_gguf_header(gguf_head + b"\0" * 40)
    assert [vars(tensor) for tensor in header.tensors] == [
        {
            **{"tensor_name": "plain.weight", "dtype": "F32", "shape": [3, 64]},
            **{"element_count": 192, "byte_count": 768},
        },
        {
            **{"tensor_name": "q.weight", "dtype": "Q8_0", "shape": [4, 64]},
            **{"element_count": 256, "byte_count": 4 * 2 * 34},
        },
    ]
    assert header.metadata == {
        "general.architecture": "llama",
        "general.name": "A model",
        "llama.context_length": 32,
        "tokenizer.ggml.tokens": {"array_of": "string", "count": 3},
        "tokenizer.ggml.scores": {"array_of": "float32", "count": 3},
    }
    assert header.header_byte_count <= len(gguf_head)


def test_a_gguf_header_cut_anywhere_is_refused(gguf_head):
    whole = read_gguf_header(gguf_head).header_byte_count
    for end in range(whole):
        with pytest.raises(HeaderBroken):
            read_gguf_header(gguf_head[:end])


@given(st.data())
def test_a_gguf_header_with_any_byte_changed_is_read_or_refused(gguf_head, data):
    at = data.draw(st.integers(0, len(gguf_head) - 8))
    patch = data.draw(st.binary(min_size=1, max_size=8))
    changed = gguf_head[:at] + patch + gguf_head[at + len(patch) :]
    assert "\n" not in refusal(read_gguf_header, changed)


def info(name: bytes, dims: list[int], code: int, offset: int) -> bytes:
    packed = struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, code, offset)
    return struct.pack("<Q", len(name)) + name + packed


def head(*infos: bytes, keys: tuple[bytes, ...] = (), version: int = 3) -> bytes:
    start = b"GGUF" + struct.pack("<IQQ", version, len(infos), len(keys))
    return start + b"".join(keys) + b"".join(infos)


KEY = struct.pack("<Q", 1) + b"k"
NESTED = struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 9 + struct.pack("<IQB", 0, 1, 1)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"GGML" + bytes(30), "does not begin with GGUF"),
        (head(version=1), "version 1"),
        (head(version=3 << 24), "version 50331648"),
        (b"GGUF" + struct.pack("<IQQ", 3, 2**60, 0), "claims 1,152,921,504,606,846,976 entries"),
        (head(keys=(struct.pack("<Q", 2**63) + b"k",)), "more than its header can hold"),
        (head(keys=(KEY + struct.pack("<I", 77) + bytes(8),)), "unknown type 77"),
        (head(keys=(KEY + struct.pack("<II", 4, 1),) * 2), "the key 'k' twice"),
        (head(keys=(KEY + NESTED,)), "array of the unknown type 9"),
        (head(info(b"a", [2] * 9, 0, 0)), "9 dimensions"),
        (head(info(b"a", [2**33, 2**33], 0, 0)), "beyond any memory"),
        (head(info(b"a", [31], 8, 0)), "rows of 31 elements"),
        (head(info(b"a", [8], 0, 7)), "multiple of 32"),
        (head(info(b"a", [16], 0, 0), info(b"b", [16], 0, 32)), "'b' overlaps"),
        (head(info(b"a", [8], 0, 0), info(b"a", [8], 0, 32)), "a tensor twice"),
    ],
)
def test_a_hostile_gguf_header_is_refused(content, reason):
    with pytest.raises(HeaderBroken, match=reason):
        read_gguf_header(content)


def test_a_gguf_type_of_the_future_has_no_size():
    (tensor,) = read_gguf_header(head(info(b"a", [8], 99, 0))).tensors
    assert (tensor.dtype, tensor.element_count, tensor.byte_count) == ("ggml_type_99", 8, None)


def test_tensors_of_all_kinds_become_rows(tmp_path, gguf_head):
    home = RawHome(tmp_path)
    home.listing({"id": "o/m"})
    text = orjson.dumps({"__metadata__": {"format": "pt"}, "w": ENTRY})
    home.answer("tensors", "o/m", text, path="a.safetensors", kind="safetensors", repo_commit="c")
    index = {"index": {}, "headers": {"s-1.safetensors": {"x": ENTRY}, "s-2.safetensors": {"y": 1}}}
    home.answer("tensors", "o/m", index, path="sub/i.json", kind="safetensors-index")
    home.answer("tensors", "o/m", gguf_head, path="m.gguf", kind="gguf")
    home.answer("tensors", "o/m", b"{}", path="m.bin", kind="pickle")
    home.failed("tensors", "o/m", 404, "entry-missing", path="gone.gguf", kind="gguf")
    assert home.rows(
        "select path, format, tensor_count, parameter_count, header_byte_count, commit_sha"
        " from weight_file order by path"
    ) == [
        ("a.safetensors", "safetensors", 1, 6, len(text), "c"),
        ("m.gguf", "gguf", 2, 448, read_gguf_header(gguf_head).header_byte_count, None),
        ("sub/s-1.safetensors", "safetensors", 1, 6, None, None),
    ]
    assert home.rows(
        "select path, tensor_name, dtype, shape, element_count, byte_count from tensor"
        " order by path, tensor_name"
    ) == [
        ("a.safetensors", "w", "F32", [2, 3], 6, 24),
        ("m.gguf", "plain.weight", "F32", [3, 64], 192, 768),
        ("m.gguf", "q.weight", "Q8_0", [4, 64], 256, 272),
        ("sub/s-1.safetensors", "x", "F32", [2, 3], 6, 24),
    ]
    assert home.rows(
        "select metadata->>'format' from weight_file where path = 'a.safetensors'"
    ) == [("pt",)]
    assert home.rows("select reason from rejected where stage = 'parse' order by 1") == [
        ("m.bin: header is of the unknown kind 'pickle'",),
        ("sub/s-2.safetensors: tensor 'y' has no data_offsets",),
    ]


def test_a_weight_file_is_as_last_read_and_only_while_the_repo_holds_it(tmp_path):
    home = RawHome(tmp_path)
    home.listing({"id": "o/m", "siblings": [{"rfilename": "a.safetensors"}]})
    for day, shape in ((1, [6]), (2, [2, 3])):
        entry = {**ENTRY, "shape": shape}
        home.answer(
            "tensors", "o/m", {"w": entry}, path="a.safetensors", kind="safetensors", day=day
        )
    home.answer("tensors", "o/m", {"w": ENTRY}, path="old.safetensors", kind="safetensors")
    assert home.rows("select path, shape from tensor") == [("a.safetensors", [2, 3])]
