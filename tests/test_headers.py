"""Tensor headers by ranges, against files written by safetensors and gguf themselves."""

import contextlib
import struct
import tempfile
from pathlib import Path

import numpy as np
import orjson
import pytest
from gguf import GGUFReader, GGUFWriter
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from crawler import headers
from crawler.headers import HeaderRefused, gguf_header, header_of, safetensors_header

NAMES = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)
SHAPES = st.lists(st.integers(1, 3), max_size=4)
DTYPES = st.sampled_from(["float16", "float32", "float64", "int8", "int32"])
TENSORS = st.dictionaries(NAMES, st.builds(np.zeros, SHAPES, DTYPES), max_size=6)
VALUES = st.one_of(
    st.integers(-(2**31), 2**31 - 1),
    st.booleans(),
    st.floats(width=32, allow_nan=False),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=40),
    st.lists(st.integers(0, 1000), min_size=1, max_size=5),
    st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=9), min_size=1),
)


class Bytes:
    """A file in memory that remembers which ranges were asked for."""

    def __init__(self, content):
        self.content, self.asked = content, []

    def __call__(self, start, stop):
        self.asked.append((start, stop))
        return self.content[start:stop]


def written_gguf(fields, tensors):
    """A file as llama.cpp's own writer makes it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.gguf"
        writer = GGUFWriter(path, "test")
        for number, value in enumerate(fields):
            add = {bool: writer.add_bool, int: writer.add_int32, float: writer.add_float32}
            add |= {str: writer.add_string, list: writer.add_array}
            add[type(value)](f"key.{number}", value)
        for name, tensor in tensors.items():
            writer.add_tensor(name, tensor)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path.read_bytes()


def table_end(content):
    """Where the tensor table ends, as gguf's reader finds it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.gguf"
        path.write_bytes(content)
        last = GGUFReader(path).tensors[-1].field
        return last.offset + sum(part.nbytes for part in last.parts)


def gguf(body=b"", *, version=3, tensors=0, entries=0):
    return b"GGUF" + struct.pack("<IQQ", version, tensors, entries) + body


def safetensors(text):
    return struct.pack("<Q", len(text)) + text


@given(TENSORS)
def test_a_safetensors_header_is_the_text_that_names_every_tensor(tensors):
    content = save(tensors)
    header = safetensors_header(Bytes(content))
    assert content.startswith(safetensors(header))
    shapes = {name: entry["shape"] for name, entry in orjson.loads(header).items()}
    assert shapes == {name: list(tensor.shape) for name, tensor in tensors.items()}


def test_a_long_safetensors_header_takes_one_more_range_and_no_byte_of_tensors():
    content = save({f"layer.{n}.weight": np.zeros(4) for n in range(3_000)})
    source = Bytes(content)
    header = safetensors_header(source)
    assert len(orjson.loads(header)) == 3_000
    assert source.asked == [(0, 100_000), (100_000, 8 + len(header))]


def test_a_header_that_ends_with_the_first_range_needs_no_second():
    source = Bytes(safetensors(b"{" + b" " * 99_990 + b"}") + b"tensor bytes")
    assert len(source.content) > 100_000
    assert len(safetensors_header(source)) == 99_992
    assert len(source.asked) == 1


@given(TENSORS, st.data())
def test_a_safetensors_file_that_is_cut_within_its_header_is_refused(tensors, data):
    content = save(tensors)
    length = len(safetensors_header(Bytes(content)))
    cut = data.draw(st.integers(0, 8 + length - 1))
    with pytest.raises(HeaderRefused, match=r"missing|ends within"):
        safetensors_header(Bytes(content[:cut]))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (struct.pack("<Q", 2**63) + b"{}", "9,223,372,036,854,775,808 bytes"),
        (struct.pack("<Q", 25_000_001) + b"{}", "25,000,001 bytes"),
        (safetensors(b"[]"), "no JSON object"),
        (safetensors(b""), "no JSON object"),
        (b"version https://git-lfs.github.com/spec/v1\n", "is it safetensors"),
    ],
)
def test_what_is_no_safetensors_header_is_refused_in_one_line(content, reason):
    source = Bytes(content)
    with pytest.raises(HeaderRefused, match=reason) as refused:
        safetensors_header(source)
    assert "\n" not in str(refused.value)
    assert len(source.asked) == 1


@given(st.lists(VALUES, max_size=6), TENSORS.filter(bool))
@settings(max_examples=50, deadline=None)
def test_a_gguf_header_ends_where_gguf_s_reader_ends_the_tensor_table(fields, tensors):
    content = written_gguf(fields, tensors)
    header = gguf_header(Bytes(content))
    assert content.startswith(header)
    assert len(header) == table_end(content)


def test_a_long_gguf_header_is_asked_for_in_ranges_that_double(tmp_path):
    content = written_gguf([[f"token {n:09}" for n in range(150_000)]], {"t": np.zeros(2**20)})
    source = Bytes(content)
    header = gguf_header(source)
    assert len(header) == table_end(content)
    mib = 2**20
    assert source.asked == [(0, mib), (mib, 2 * mib), (2 * mib, 4 * mib)]


@given(st.lists(VALUES, max_size=4), st.data())
@settings(max_examples=50, deadline=None)
def test_a_gguf_file_that_is_cut_within_its_header_is_refused(fields, data):
    content = written_gguf(fields, {"t": np.zeros(4)})
    cut = data.draw(st.integers(0, len(gguf_header(Bytes(content))) - 1))
    with pytest.raises(HeaderRefused, match=r"ends within its header"):
        gguf_header(Bytes(content[:cut]))


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_flipped_bytes_give_a_refusal_or_a_beginning_of_the_file(data):
    content = bytearray(FLIPPED)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, 250))] = data.draw(st.integers(0, 255))
    for read in (gguf_header, safetensors_header):
        with contextlib.suppress(HeaderRefused):
            assert read(Bytes(bytes(content))) in bytes(content)


FLIPPED = written_gguf([["a", "b"], [1, 2], "text", 3], {"t": np.zeros(4), "u": np.zeros((2, 2))})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"GGML" + bytes(40), "does not begin with GGUF"),
        (gguf(version=1), r"not read here \(1\)"),
        (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "big-endian"),
        (gguf(tensors=2**64 - 1), "ends within"),
        (gguf(entries=2**64 - 1), "ends within"),
        (gguf(struct.pack("<Q", 2**64 - 1), entries=1), "goes on past"),
        (gguf(struct.pack("<QI", 0, 99), entries=1), r"type that is not read here \(99\)"),
        (gguf(struct.pack("<QIIQ", 0, 9, 10, 2**63), entries=1), "goes on past"),
        (gguf(struct.pack("<QIIQ", 0, 9, 8, 2**63), entries=1), "ends within"),
        (gguf(struct.pack("<QI", 0, 9) + struct.pack("<IQ", 9, 1) * 5_000, entries=1), "type"),
        (gguf(struct.pack("<QI", 0, 2**32 - 1), tensors=1), "goes on past"),
    ],
)
def test_hostile_gguf_counts_and_lengths_are_refused(content, reason):
    source = Bytes(content)
    with pytest.raises(HeaderRefused, match=reason):
        gguf_header(source)
    assert len(source.asked) == 1


def test_an_endless_gguf_header_is_given_up_at_the_bound(monkeypatch):
    monkeypatch.setattr(headers, "MAX_GGUF_BYTES", 4 * 2**20)
    source = Bytes(gguf(struct.pack("<QIIQ", 0, 9, 8, 2**63) + bytes(6 * 2**20), entries=1))
    with pytest.raises(HeaderRefused, match="goes on past 4,194,304 bytes"):
        gguf_header(source)
    assert max(stop for _, stop in source.asked) == 4 * 2**20


def test_version_2_and_nested_arrays_are_read():
    nested = struct.pack("<QI", 0, 9) + struct.pack("<IQ", 9, 2) + struct.pack("<IQBB", 0, 2, 1, 2)
    nested += struct.pack("<IQ", 8, 1) + struct.pack("<Q", 3) + b"abc"
    content = gguf(nested, version=2, entries=1)
    assert gguf_header(Bytes(content + b"tensors")) == content


def test_the_suffix_says_which_header_there_is():
    tensors = save({"a": np.zeros(2)})
    assert header_of("x/Model.SAFETENSORS", Bytes(tensors))[0] == "safetensors"
    assert header_of("m.Q4_K_M.gguf", Bytes(gguf())) == ("gguf", gguf())
    unread = Bytes(b"")
    assert header_of("model.safetensors.index.json", unread) is None
    assert header_of("pytorch_model.bin", unread) is None
    assert unread.asked == []


def test_a_refusal_names_the_file():
    with pytest.raises(HeaderRefused, match=r"^x/m\.gguf: does not begin with GGUF$"):
        header_of("x/m.gguf", Bytes(b"nothing of the kind"))
