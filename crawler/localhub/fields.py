"""Fields of a model record: which can be asked for, and which a list shows unasked."""

from __future__ import annotations

EXPANDABLE = frozenset(
    {
        *("author", "baseModels", "cardData", "childrenModelCount"),
        *("config", "createdAt", "disabled", "downloads"),
        *("downloadsAllTime", "evalResults", "gated", "gguf"),
        *("inference", "inferenceProviderMapping", "lastModified", "library_name"),
        *("likes", "mask_token", "model-index", "pipeline_tag"),
        *("private", "resourceGroup", "safetensors", "sha"),
        *("siblings", "spaces", "tags", "transformersInfo"),
        *("trendingScore", "usedStorage", "widgetData"),
    }
)
BASIC = (
    *("likes", "trendingScore", "private", "downloads", "tags"),
    *("pipeline_tag", "library_name", "createdAt"),
)
FULL = (*BASIC, "author", "gated", "disabled", "lastModified", "sha", "siblings")
BARE = (*BASIC, "gated", "sha", "lastModified", "siblings", "cardData")
