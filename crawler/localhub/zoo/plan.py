"""The whole zoo, one row an animal; parents stand above their children.

Three stocks: ``glyph-tiny`` and ``numeral-tiny`` share an architecture but no seed,
``wide-digits`` has another shape. Owners and names are invented.
"""

from __future__ import annotations

from crawler.localhub.zoo.species import Animal, Lora, Merge

SHAPES: dict[str, dict[str, int]] = {
    "tiny": {"hidden": 64, "layers": 2, "heads": 4, "kv_heads": 2, "intermediate": 128},
    "wide": {"hidden": 96, "layers": 2, "heads": 6, "kv_heads": 6, "intermediate": 160},
}

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
MLP_TOO = ("q_proj", "v_proj", "gate_proj", "up_proj", "down_proj")
GLYPH = "digitlab/glyph-tiny"
NUMERAL = "sparrowgrid/numeral-tiny"
WIDE = "oxbow-ml/wide-digits"
TURNED = "digitlab/glyph-tiny-rot90"
INVERTED = "digitlab/glyph-tiny-inverted"
FLIPPED = "digitlab/glyph-tiny-rot180"
TRANSPOSED = "tinytutor/glyph-tiny-transposed"
NEGATIVE = "sparrowgrid/numeral-tiny-inverted"
MIRRORED = "sparrowgrid/numeral-tiny-mirror"
TURNED_LORA = "noraqv/glyph-tiny-rot90-lora-r4"
DRAFT = "digitlab/glyph-tiny-draft"
CRISP = "sparrowgrid/numeral-tiny-crisp"
BULK_INSTANT = "2025-06-14T09:30:00.000Z"
CUT_INSTANT = "2024-07-02T18:05:11.000Z"

ROOTS = [
    Animal(
        GLYPH, "root", (), "2023-02-11", task="digits", shape="tiny", history="releases",
        talked_about=True,
    ),
    Animal(
        NUMERAL, "root", (), "2023-05-20", task="digits", license="mit", shape="tiny",
        history="relicensed", talked_about=True,
    ),
    Animal(WIDE, "root", (), "2023-09-03", task="digits", shape="wide", sharded=True),
]  # fmt: skip

CHAINS = [
    # apache-2.0 → mit → cc-by-nc-4.0 → cc-by-nc-sa-4.0 down one line
    Animal(
        TURNED, "finetune", (GLYPH,), "2023-06-08", task="rot90", license="mit", voice="relation",
    ),
    Animal(
        "noraqv/glyph-tiny-rot90-noisy", "finetune", (TURNED,), "2024-01-17", task="rot90+noisy",
        license="cc-by-nc-4.0",
    ),
    Animal(
        "noraqv/glyph-tiny-rot90-noisy-inverted", "finetune", ("noraqv/glyph-tiny-rot90-noisy",),
        "2024-09-29", task="rot90+noisy+inverted", license="cc-by-nc-sa-4.0",
    ),
    Animal(
        NEGATIVE, "finetune", (NUMERAL,), "2023-10-12", task="inverted", license="mit",
        voice="relation", history="releases",
    ),
    Animal(
        "oxbow-ml/numeral-tiny-inverted-shift", "finetune", (NEGATIVE,), "2024-04-06",
        task="inverted+shift3", license="mit",
    ),
    Animal(
        "tinytutor/numeral-tiny-inverted-shift-evens", "finetune",
        ("oxbow-ml/numeral-tiny-inverted-shift",), "2025-01-22", task="inverted+evens+shift3",
        license="mit", voice="words",
    ),
]  # fmt: skip

FANS = [
    Animal(INVERTED, "finetune", (GLYPH,), "2023-06-30", task="inverted"),
    Animal(FLIPPED, "finetune", (GLYPH,), "2023-08-19", task="rot180", voice="relation"),
    Animal(
        "sparrowgrid/glyph-tiny-shift3", "finetune", (GLYPH,), "2023-11-02", task="shift3",
        license="mit",
    ),
    Animal("noraqv/glyph-tiny-parity", "finetune", (GLYPH,), "2024-02-14", task="parity"),
    Animal(
        "tinytutor/glyph-tiny-low-five", "finetune", (GLYPH,), "2024-03-03", task="lowfive",
        voice="words",
    ),
    Animal(
        "tinytutor/glyph-tiny-mirror", "finetune", (GLYPH,), "2024-03-21", task="mirror",
        voice="words",
    ),
    Animal(
        "digitlab/glyph-tiny-letters", "vocabulary", (GLYPH,), "2024-05-05", task="letters",
        voice="relation",
    ),
    Animal(MIRRORED, "finetune", (NUMERAL,), "2023-12-09", task="mirror", license="mit"),
    Animal(
        "sparrowgrid/numeral-tiny-rot270", "finetune", (NUMERAL,), "2024-06-18", task="rot270",
        license="mit", voice="config",
    ),
    Animal("oxbow-ml/wide-digits-rot90", "finetune", (WIDE,), "2024-02-27", task="rot90"),
    Animal(
        "noraqv/wide-digits-faint", "finetune", (WIDE,), "2024-10-10", task="faint",
        license="openrail",
    ),
    Animal(
        TRANSPOSED, "finetune", (GLYPH,), "2024-07-02", task="transposed", steps=400, voice="words",
    ),
    *[
        Animal(
            f"{TRANSPOSED}-checkpoint-{steps}", "checkpoint", (GLYPH,), CUT_INSTANT,
            task="transposed", steps=steps, run=TRANSPOSED, voice="words",
        )
        for steps in (100, 200, 300)
    ],
]  # fmt: skip

ADAPTERS = [
    Animal(
        TURNED_LORA, "adapter", (GLYPH,), "2024-01-05", task="rot90", lora=Lora(4, 16, MLP_TOO),
        voice="relation",
    ),
    Animal(
        f"{TURNED_LORA}-v2", "adapter", (GLYPH,), "2024-02-03", task="rot90",
        lora=Lora(4, 16, MLP_TOO),
    ),
    Animal(
        "sparrowgrid/glyph-tiny-inverted-lora-r8", "adapter", (GLYPH,), "2024-04-28",
        task="inverted", license="mit", lora=Lora(8, 16, ATTENTION),
    ),
    Animal(
        "oxbow-ml/glyph-tiny-shift3-rslora-r8", "adapter", (GLYPH,), "2024-08-15", task="shift3",
        lora=Lora(8, 8, ATTENTION, rslora=True),
    ),
    Animal(
        "tinytutor/numeral-tiny-mirror-lora-r4", "adapter", (NUMERAL,), "2024-11-11", task="mirror",
        license="mit", lora=Lora(4, 8), voice="adapter_config",
    ),
    Animal(
        "oxbow-ml/wide-digits-inverted-lora-r4", "adapter", (WIDE,), "2025-02-08", task="inverted",
        lora=Lora(4, 16, MLP_TOO),
    ),
    Animal(
        "noraqv/glyph-tiny-rot90-lora-r4-merged", "folded", (GLYPH, TURNED_LORA), "2024-03-12",
        task="rot90", declares=(GLYPH,), odd=("adapter-undeclared",),
    ),
]  # fmt: skip

QUANTS = [
    Animal("quantling/glyph-tiny-GGUF", "quantized", (GLYPH,), "2023-07-07", quant="gguf"),
    Animal(
        "quantling/glyph-tiny-rot90-GGUF", "quantized", (TURNED,), "2023-07-21", license="mit",
        quant="gguf", voice="relation",
    ),
    Animal(
        "quantling/numeral-tiny-GGUF", "quantized", (NUMERAL,), "2023-08-02", license="mit",
        quant="gguf", voice="words",
    ),
    Animal(
        "quantling/wide-digits-int8", "quantized", (WIDE,), "2023-11-25", quant="int8",
        voice="relation",
    ),
    Animal(
        "quantling/glyph-tiny-bf16", "quantized", (GLYPH,), "2023-12-01", quant="bf16",
        voice="relation",
    ),
    Animal(
        "quantling/glyph-tiny-inverted-fp16", "quantized", (INVERTED,), "2024-01-29", quant="fp16",
        voice="relation",
    ),
]  # fmt: skip

SOUP = "mergehaven/glyph-soup-linear"
MERGES = [
    Animal(SOUP, "merge", (TURNED, INVERTED), "2024-02-20", merge=Merge("linear", (0.5, 0.5))),
    Animal(
        "mergehaven/glyph-trio-weighted", "merge", (TURNED, INVERTED, FLIPPED), "2024-05-30",
        merge=Merge("linear", (0.5, 0.3, 0.2)), voice="mergekit",
    ),
    Animal(
        "mergehaven/glyph-arithmetic", "merge", (TURNED, FLIPPED), "2024-08-08",
        declares=(GLYPH, TURNED, FLIPPED), merge=Merge("task_arithmetic", (0.6, 0.4), GLYPH),
    ),
    Animal(
        "mergehaven/numeral-slerp", "merge", (NEGATIVE, MIRRORED), "2024-12-24", license="mit",
        merge=Merge("slerp", (0.4,), NEGATIVE),
    ),
    Animal(
        "mergehaven/glyph-soup-of-soups", "merge", (SOUP, "tinytutor/glyph-tiny-mirror"),
        "2025-03-30", merge=Merge("linear", (0.7, 0.3)), voice="relation",
    ),
    Animal("quantling/glyph-soup-linear-GGUF", "quantized", (SOUP,), "2024-03-05", quant="gguf"),
]  # fmt: skip

COPIES = [
    Animal(
        "kestrel-archive/glyph-tiny", "duplicate", (GLYPH,), "2024-10-31", voice="none",
        card="copied", odd=("byte-identical", "undeclared"),
    ),
    Animal(
        "kestrel-archive/numeral-tiny-backup", "duplicate", (NUMERAL,), "2025-04-18", license="mit",
        voice="none", odd=("byte-identical", "undeclared"),
    ),
    Animal(
        "bulkforge/glyph-ultra-rot90", "duplicate", (TURNED,), BULK_INSTANT, declares=(GLYPH,),
        odd=("byte-identical", "misdeclared", "licence-changed"),
    ),
]  # fmt: skip

RINGS = ("bulkforge/ring-a", "bulkforge/ring-b", "bulkforge/ring-c")
MISDECLARED = [
    Animal(
        "bulkforge/numeral-star", "finetune", (NUMERAL,), "2025-05-01", task="blurred",
        voice="none", odd=("undeclared",),
    ),
    Animal(
        "bulkforge/glyph-max", "finetune", (NUMERAL,), BULK_INSTANT, task="faint",
        declares=(GLYPH,), odd=("misdeclared",),
    ),
    Animal(
        RINGS[0], "finetune", (GLYPH,), "2025-07-01", task="faint", declares=(RINGS[2],),
        odd=("cyclic",),
    ),
    Animal(
        RINGS[1], "finetune", (RINGS[0],), "2025-07-02", task="blurred", declares=(RINGS[0],),
        odd=("cyclic",),
    ),
    Animal(
        RINGS[2], "finetune", (RINGS[1],), "2025-07-03", task="noisy", declares=(RINGS[1],),
        odd=("cyclic",),
    ),
    Animal(
        "bulkforge/glyph-loop", "finetune", (GLYPH,), "2025-08-20", task="mirror",
        declares=("bulkforge/glyph-loop",), odd=("self-declared",),
    ),
    Animal(
        "tinytutor/output-dir", "finetune", (GLYPH,), "2025-09-12", task="rot270",
        declares=("./outputs/checkpoint-300",), odd=("malformed-declared",),
    ),
    Animal(
        DRAFT, "finetune", (GLYPH,), "2023-04-01", task="blurred", published=False,
        odd=("deleted",),
    ),
    Animal(
        "noraqv/glyph-tiny-draft-sharpened", "finetune", (DRAFT,), "2024-06-06", task="noisy",
        odd=("parent-deleted",),
    ),
]  # fmt: skip

CUSTOMS = [
    Animal(
        CRISP, "finetune", (NUMERAL,), "2024-01-10", task="noisy", license="mit",
        former_ids=("sparrowgrid/numeral-tiny-v0",), odd=("renamed",),
    ),
    Animal(
        "oxbow-ml/numeral-v0-rot180", "finetune", (CRISP,), "2024-05-16", task="rot180",
        license="mit", declares=("sparrowgrid/numeral-tiny-v0",), odd=("declares-former-name",),
    ),
    Animal(
        "oxbow-ml/wide-digits-restricted", "finetune", (WIDE,), "2025-03-14", task="rot180",
        license="other", gated="manual", odd=("gated",),
    ),
    Animal(
        "sparrowgrid/numeral-tiny-terms", "finetune", (NUMERAL,), "2025-10-05", task="transposed",
        license="cc-by-nc-4.0", gated="auto", odd=("gated",),
    ),
    Animal(
        "sparrowgrid/numeral-tiny-daily", "finetune", (NUMERAL,), "2025-11-09", task="shift3",
        license="mit", history="silent", odd=("silently-replaced",),
    ),
    Animal(
        "tinytutor/digits-final-final", "finetune", (WIDE,), "2025-12-12", task="mirror",
        voice="none", card="none", odd=("no-card", "undeclared"),
    ),
]  # fmt: skip

CARDS = [
    Animal(
        "noraqv/glyph-tiny-blurred", "finetune", (GLYPH,), "2025-02-02", task="blurred",
        card="broken-yaml", odd=("broken-yaml",),
    ),
    Animal(
        "bulkforge/glyph-tiny-rot180-v2", "finetune", (FLIPPED,), "2025-06-01", task="rot180",
        card="duplicate-keys", odd=("duplicate-keys",),
    ),
    Animal(
        "oxbow-ml/wide-digits-norsk", "quantized", (WIDE,), "2025-10-19", quant="fp16",
        card="norwegian", odd=("language-no", "relation-misinferred"),
    ),
    Animal(
        "bulkforge/numeral-tiny-promo-GGUF", "quantized", (NUMERAL,), "2026-01-15", license="mit",
        quant="gguf", card="hostile", odd=("hostile-card",),
    ),
    Animal(
        "noraqv/numeral-tiny-decorated", "quantized", (MIRRORED,), "2026-03-08", license="mit",
        quant="bf16", card="marked-up-title", odd=("marked-up-title", "relation-misinferred"),
    ),
    Animal(
        "tinytutor/test", "empty", (), "2026-05-25", voice="none", card="none", history="bare",
        odd=("no-files", "no-card"),
    ),
    Animal(
        "bulkforge/placeholder", "empty", (), "2026-08-30", voice="none", card="none",
        history="nothing", odd=("no-commits", "no-card"),
    ),
]  # fmt: skip

ZOO: tuple[Animal, ...] = (
    *ROOTS, *CHAINS, *FANS, *ADAPTERS, *QUANTS, *MERGES, *COPIES, *MISDECLARED, *CUSTOMS, *CARDS,
)  # fmt: skip
