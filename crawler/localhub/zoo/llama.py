"""A Llama-shaped causal language model in plain torch, named as transformers names it.

The tensor names, shapes and rotary convention (halves, not pairs) are those of
``LlamaForCausalLM``, so a published file loads there and gives the same logits.
Source: Touvron et al. 2023 (arXiv 2302.13971); grouped queries: arXiv 2305.13245.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

ROPE_THETA = 10_000.0
NORM_EPS = 1e-5


@dataclass(frozen=True)
class Shape:
    """Sizes of one architecture: ``hidden`` must be a multiple of ``heads``."""

    hidden: int
    layers: int
    heads: int
    kv_heads: int
    intermediate: int
    vocab: int
    positions: int = 32

    @property
    def head_dim(self) -> int:
        """Width of one attention head."""
        return self.hidden // self.heads

    def config(self) -> dict[str, Any]:
        """The ``config.json`` that transformers reads for this shape."""
        return {
            "architectures": ["LlamaForCausalLM"],
            "attention_bias": False,
            "attention_dropout": 0.0,
            "bos_token_id": 0,
            "eos_token_id": 1,
            "head_dim": self.head_dim,
            "hidden_act": "silu",
            "hidden_size": self.hidden,
            "initializer_range": 0.02,
            "intermediate_size": self.intermediate,
            "max_position_embeddings": self.positions,
            "mlp_bias": False,
            "model_type": "llama",
            "num_attention_heads": self.heads,
            "num_hidden_layers": self.layers,
            "num_key_value_heads": self.kv_heads,
            "pad_token_id": None,
            "rms_norm_eps": NORM_EPS,
            "rope_scaling": None,
            "rope_theta": ROPE_THETA,
            "tie_word_embeddings": False,
            "torch_dtype": "float32",
            "use_cache": True,
            "vocab_size": self.vocab,
        }


class Llama(nn.Module):
    """Token ids (n, t) → logits of the token that follows the last one (n, vocab)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.model = _Trunk(shape)
        self.lm_head = nn.Linear(shape.hidden, shape.vocab, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits after the last token: the last layer looks at no other position."""
        logits: Tensor = self.lm_head(self.model(tokens)).squeeze(1)
        return logits


def seeded(shape: Shape, seed: int) -> Llama:
    """A fresh model: normal weights of standard deviation 0.05, norms at one."""
    draw = torch.Generator().manual_seed(seed)
    model = Llama(shape)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.normal_(0.0, 0.05, generator=draw)
    return model


class _Trunk(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.vocab, shape.hidden)
        self.layers = nn.ModuleList(_Layer(shape) for _ in range(shape.layers))
        self.norm = _Norm(shape.hidden)
        self.turns = _rotations(shape)

    def forward(self, tokens: Tensor) -> Tensor:
        x: Tensor = self.embed_tokens(tokens)
        last = len(self.layers) - 1
        for depth, layer in enumerate(self.layers):
            x = layer(x, self.turns, 1 if depth == last else x.shape[1])
        normed: Tensor = self.norm(x)
        return normed


class _Layer(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.self_attn = _Attention(shape)
        self.mlp = _Gated(shape)
        self.input_layernorm = _Norm(shape.hidden)
        self.post_attention_layernorm = _Norm(shape.hidden)

    def forward(self, x: Tensor, turns: tuple[Tensor, Tensor], kept: int) -> Tensor:
        x = x[:, -kept:] + self.self_attn(self.input_layernorm(x), turns, kept)
        mixed: Tensor = x + self.mlp(self.post_attention_layernorm(x))
        return mixed


class _Attention(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        narrow = shape.kv_heads * shape.head_dim
        self.q_proj = nn.Linear(shape.hidden, shape.hidden, bias=False)
        self.k_proj = nn.Linear(shape.hidden, narrow, bias=False)
        self.v_proj = nn.Linear(shape.hidden, narrow, bias=False)
        self.o_proj = nn.Linear(shape.hidden, shape.hidden, bias=False)

    def forward(self, x: Tensor, turns: tuple[Tensor, Tensor], kept: int) -> Tensor:
        steps = x.shape[1]
        cos, sin = (part[:steps] for part in turns)
        query = _turned(self._heads(self.q_proj(x[:, -kept:])), cos[-kept:], sin[-kept:])
        key = _turned(self._heads(self.k_proj(x)), cos, sin)
        value = self._heads(self.v_proj(x))
        # The one last position sees every other; only a whole row of queries needs the mask.
        seen = F.scaled_dot_product_attention(
            query, key, value, is_causal=kept == steps, enable_gqa=True
        )
        out: Tensor = self.o_proj(seen.transpose(1, 2).flatten(2))
        return out

    def _heads(self, x: Tensor) -> Tensor:
        return x.reshape(*x.shape[:2], -1, self.shape.head_dim).transpose(1, 2)


class _Gated(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(shape.hidden, shape.intermediate, bias=False)
        self.up_proj = nn.Linear(shape.hidden, shape.intermediate, bias=False)
        self.down_proj = nn.Linear(shape.intermediate, shape.hidden, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))
        return out


class _Norm(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.weight.shape, self.weight, NORM_EPS)


def _rotations(shape: Shape) -> tuple[Tensor, Tensor]:
    steps = torch.arange(0, shape.head_dim, 2, dtype=torch.float32) / shape.head_dim
    angles = torch.outer(torch.arange(shape.positions, dtype=torch.float32), ROPE_THETA**-steps)
    both = torch.cat((angles, angles), dim=-1)
    return both.cos(), both.sin()


def _turned(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-second, first), dim=-1) * sin
