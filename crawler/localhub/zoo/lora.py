"""Low-rank adapters, trained on a frozen base and written as peft writes them.

Source: Hu et al. 2021 (arXiv 2106.09685); file layout: peft's ``save_pretrained``.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from crawler.localhub.zoo.llama import Llama
from crawler.localhub.zoo.species import Lora
from crawler.localhub.zoo.train import Weights

PREFIX = "base_model.model."


class Adapted(nn.Module):
    """A frozen base and, for each target matrix (out, in), A (r, in) and B (out, r)."""

    def __init__(self, base: Llama, lora: Lora, *, seed: int) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(seed)
        self.lora = lora
        self._base = [base.requires_grad_(requires_grad=False)]  # a list hides it from parameters()
        self.targets = [
            name for name, _ in base.named_parameters() if name.split(".")[-2] in lora.targets
        ]
        sizes = [base.get_parameter(name).shape for name in self.targets]
        self.a = nn.ParameterList(_drawn(lora.r, size[1], draw) for size in sizes)
        self.b = nn.ParameterList(torch.zeros(size[0], lora.r) for size in sizes)

    def forward(self, tokens: Tensor) -> Tensor:
        """The base's logits (n, vocab) under the adapter."""
        logits: Tensor = functional_call(self._base[0], self.folded(), (tokens,))
        return logits

    def folded(self) -> Weights:
        """The base's weights with scale · BA added to the targets."""
        weights = dict(self._base[0].state_dict())
        for name, a, b in zip(self.targets, self.a, self.b, strict=True):
            weights[name] = weights[name] + self.lora.scale * (b @ a)
        return weights

    def tensors(self) -> Weights:
        """A and B under the names of peft's adapter file."""
        named: Weights = {}
        for name, a, b in zip(self.targets, self.a, self.b, strict=True):
            stem = PREFIX + name.removesuffix(".weight")
            named[f"{stem}.lora_A.weight"] = a.detach()
            named[f"{stem}.lora_B.weight"] = b.detach()
        return named


def adapter_config(lora: Lora, base_id: str) -> dict[str, Any]:
    """The ``adapter_config.json`` that peft reads."""
    return {
        "base_model_name_or_path": base_id,
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
        "init_lora_weights": True,
        "lora_alpha": lora.alpha,
        "lora_dropout": 0.0,
        "modules_to_save": None,
        "peft_type": "LORA",
        "r": lora.r,
        "revision": None,
        "target_modules": sorted(lora.targets),
        "task_type": "CAUSAL_LM",
        "use_dora": False,
        "use_rslora": lora.rslora,
    }


def _drawn(r: int, width: int, draw: torch.Generator) -> Tensor:
    return torch.empty(r, width).normal_(0.0, width**-0.5, generator=draw)
