"""What is published about the Hub, as far as a made-up hub has to agree with it.

Each constant names its source. What nobody has published is marked "own choice", with what speaks
for it.

- LOK25: Laufer, Oderinwa, Kleinberg, "Anatomy of a Machine Learning Ecosystem: 2 Million Models on
  Hugging Face" (2025); 1,860,411 models.
- COUNT26: a count of the whole Hub in September 2026; 3,094,856 models.
- MONTHS23: models by month of creation, December 2019 to May 2023
  (Weixin-Liang/AI-model-card-analysis-HuggingFace).
- REC22, REC26: the recordings of February 2022 (24,179 models) and August 2026 (15,904 models).
- COMMITS: full commit lists of 359 popular models (hlzhang109/causal-eval).
"""

from __future__ import annotations

RELATIONS = ("finetune", "adapter", "quantized", "merge")
FINETUNE, ADAPTER, QUANTIZED, MERGE = range(4)

HUB_COUNT = 3_094_856  # models, COUNT26
# Share of models with a parent. COUNT26 says .281; 1,308,021 weak components (LOK25) leave .297.
PARENT_SHARE = 0.295
EDGE_COUNTS = (341_527, 332_102, 181_768, 47_662)  # by relation, COUNT26
MULTI_PARENT_SHARE = 17_457 / HUB_COUNT  # models with several parents, COUNT26; here all are merges
PARENTS_OF_A_MERGE = 47_662 / 17_457  # mean; what COUNT26 leaves if the two above are the same
SELF_LOOP_SHARE = 2_044 / HUB_COUNT  # models that declare themselves, COUNT26
CYCLE_COUNT = 12  # COUNT26; of any size of hub, so that small ones have them too
# Edges whose child has children, by relation: LOK25; 12 of 52 merges in REC26.
FERTILE_SHARES = (15_047 / 189_391, 458 / 241_417, 970 / 101_921, 12 / 52)
# How often an edge is the first of its parent. Own choice: REC26 has .24, and a sample of edges
# shows more parents an edge than the whole.
FRESH_SHARE = 0.12
# Of other edges, how often an earlier edge of the same relation is followed: own choice, so that
# the parents of adapters and of quantizations differ.
SAME_RELATION_SHARE = 0.5
# Edges follow the later half of those before them, as fashions do. Own choice: else the first model
# of all has a fifth of all children.
RECENT_SHARE = 0.5
GHOST_SHARE = 0.03  # of parents, that no listing holds: own choice

# Mean Jaccard distance between parent and child where both report the trait, LOK25.
MUTATION_RATES = {"license": 0.1976, "task": 0.4106, "language": 0.2419}

NEW_OWNER_SHARE = 0.25  # 6,055 owners of 24,179 models, REC22
REUSED_NAME_SHARE = 0.15  # 3,583 of 24,179 names are used by several owners, REC22
OWNERLESS_SHARE = 54 / 24_179  # of the oldest models, REC22
CASE_TWIN_SHARE = 2 / 15_904  # pairs of ids that differ only by case, REC26

# Models there were, by the time: REC22's own time is what the Hub says of all that is older.
GROWTH = (
    ("2022-03-02T23:29:04", 30_046),  # MONTHS23, to February
    ("2022-10-01T00:00:00", 72_273),  # MONTHS23
    ("2023-06-01T00:00:00", 213_793),  # MONTHS23
    ("2025-07-01T00:00:00", 1_860_411),  # LOK25, of mid-2025
    ("2026-09-15T00:00:00", HUB_COUNT),  # COUNT26
)

# Commits of most repos: own choice, with "initial commit" always the first.
FEW_COMMITS = ((2, 0.36), (3, 0.34), (4, 0.20), (5, 0.10))
# Quantiles of commits of popular repos: COMMITS.
MANY_COMMITS = (
    *((0.0, 1), (0.05, 3), (0.2, 5), (0.3, 7), (0.4, 10), (0.5, 13), (0.6, 15), (0.7, 19)),
    *((0.8, 25), (0.9, 32), (0.95, 53), (0.98, 73), (0.99, 97), (1.0, 1865)),
)
# Titles and how often they come, COMMITS; {n} is a number, {name} the repo's name.
TITLES = (
    *(("Update README.md", 1916), ("Update config.json", 234), ("Upload {n} files", 120)),
    *(("Adding `safetensors` variant of this model (#{n})", 116), ("Create README.md", 89)),
    *(("Upload folder using huggingface_hub", 108), ("Training in progress, epoch {n}", 98)),
    *(("Training in progress, step {n}", 86), ("Update README.md (#{n})", 74)),
    *(("Upload tokenizer", 53), ("Update tokenizer_config.json", 50), ("allow flax", 45)),
    *(("Update pytorch_model.bin", 42), ("Update vocab.txt", 38), ("upload flax model", 38)),
    *(("add model", 37), ("Upload config", 34), ("Update special_tokens_map.json", 32)),
    *(("Upload processor", 22), ("Upload model", 21), ("Upload config.json", 21)),
    *(("Upload {name}.gguf with huggingface_hub", 33), ("Upload README.md", 20)),
    *(("add tokenizer", 17), ("update model card README.md", 15), ("Add TF weights (#{n})", 15)),
)

# One day of the Hub: 4,000 new and 60,000 changed models of 2.5 million. A third of what changed
# has a new commit, a fifth other tags (own choice).
NEW_A_DAY = 4_000 / 2_500_000
CHANGED_A_DAY = 60_000 / 2_500_000
RECOMMITTED_SHARE = 1 / 3
RETAGGED_SHARE = 1 / 5
