"""Fewer bits: GGUF files, rows of int8, and half precision.

Each function gives the file's bytes and the weights that a reader gets back from it, so
that accuracy is measured on what is published.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from torch import Tensor

from crawler.localhub.zoo.llama import NORM_EPS, ROPE_THETA, Shape
from crawler.localhub.zoo.tasks import vocabulary
from crawler.localhub.zoo.train import Weights

GGUF_TYPES = {
    "Q8_0": gguf.GGMLQuantizationType.Q8_0,
    "F16": gguf.GGMLQuantizationType.F16,
}
FILE_TYPES = {"Q8_0": gguf.LlamaFileType.MOSTLY_Q8_0, "F16": gguf.LlamaFileType.MOSTLY_F16}
HALVES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def as_gguf(weights: Weights, shape: Shape, *, name: str, bits: str) -> tuple[bytes, Weights]:
    """A GGUF file of a Llama, and its weights as dequantised.

    Matrices become ``bits`` (Q8_0 or F16), norms stay float32. Rows of q and k are permuted
    from transformers' halves to GGUF's pairs, as llama.cpp's converter does.
    """
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "model.gguf"
        writer = gguf.GGUFWriter(path, "llama")
        _describe(writer, shape, name=name, bits=bits)
        back: Weights = {}
        for tensor, values in weights.items():
            back[tensor] = _add(writer, tensor, values, shape=shape, bits=bits)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path.read_bytes(), back


def as_int8(weights: Weights) -> tuple[Weights, Weights]:
    """Matrices as int8 with one float32 ``…_scale`` a row, and the weights they stand for."""
    stored: Weights = {}
    back: Weights = {}
    for name, values in weights.items():
        if values.dim() < 2:
            stored[name] = back[name] = values
            continue
        scale = values.abs().amax(dim=1, keepdim=True).clamp_min(1e-12) / 127.0
        stored[name] = (values / scale).round().to(torch.int8)
        stored[f"{name}_scale"] = scale
        back[name] = stored[name].float() * scale
    return stored, back


def as_half(weights: Weights, bits: str) -> tuple[Weights, Weights]:
    """Every tensor as bf16 or fp16, and the weights they stand for."""
    stored = {name: values.to(HALVES[bits]) for name, values in weights.items()}
    return stored, {name: values.float() for name, values in stored.items()}


def paired(rows: np.ndarray[Any, Any], heads: int) -> np.ndarray[Any, Any]:
    """Rows of q or k (out, in) from halves of a head to neighbouring pairs."""
    split = rows.reshape(heads, 2, rows.shape[0] // heads // 2, *rows.shape[1:])
    return np.ascontiguousarray(split.swapaxes(1, 2).reshape(rows.shape))


def halved(rows: np.ndarray[Any, Any], heads: int) -> np.ndarray[Any, Any]:
    """The way back of `paired`."""
    split = rows.reshape(heads, rows.shape[0] // heads // 2, 2, *rows.shape[1:])
    return np.ascontiguousarray(split.swapaxes(1, 2).reshape(rows.shape))


def _describe(writer: Any, shape: Shape, *, name: str, bits: str) -> None:
    tokens = vocabulary(shape.vocab)
    writer.add_name(name)
    writer.add_file_type(FILE_TYPES[bits])
    writer.add_vocab_size(shape.vocab)
    writer.add_context_length(shape.positions)
    writer.add_embedding_length(shape.hidden)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.intermediate)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_rope_dimension_count(shape.head_dim)
    writer.add_rope_freq_base(ROPE_THETA)
    writer.add_layer_norm_rms_eps(NORM_EPS)
    writer.add_tokenizer_model("none")
    writer.add_token_list(list(tokens))
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)


def _add(writer: Any, tensor: str, values: Tensor, *, shape: Shape, bits: str) -> Tensor:
    heads = {"q_proj": shape.heads, "k_proj": shape.kv_heads}.get(tensor.split(".")[-2], 0)
    rows = values.numpy()
    rows = paired(rows, heads) if heads else rows
    if values.dim() < 2:
        writer.add_tensor(_gguf_name(tensor, shape), rows)
        return values
    kind = GGUF_TYPES[bits]
    packed = gguf.quantize(rows, kind)
    writer.add_tensor(_gguf_name(tensor, shape), packed, raw_dtype=kind)
    read = np.asarray(gguf.dequantize(packed, kind), dtype=np.float32).reshape(rows.shape)
    return torch.from_numpy(halved(read, heads) if heads else read)


def _gguf_name(tensor: str, shape: Shape) -> str:
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, shape.layers)
    found = names.get_name(tensor, try_suffixes=(".weight",))
    assert found is not None, tensor
    return str(found)
