"""Other doors to raw files: listings and models that are here already, in the API's spelling.

Each door is a generator of plain things: `hub_stats` and `records` give listings, `folder` and
`hf_cache` give models that lie on this machine. A door reads; it writes nothing and asks no hub.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from crawler import CrawlError
from crawler.times import api_time

__all__ = ["DoorRefused", "Local", "LocalFile", "Tell", "api_time"]

Tell = Callable[[str], None]  # takes one sentence about something that was passed over
LocalFile = tuple[str, str, str | None, bytes]


class DoorRefused(CrawlError):
    """A file or folder is not what this door takes in, or cannot be read to its end."""


@dataclass(frozen=True)
class Local:
    """A model that lies on this machine.

    Attributes
    ----------
    record
        As ``/api/models`` would list it, with ``localPath`` for its folder.
    card
        README.md as it stands; None where there is none that can be read.
    files
        (facet, path in the model, kind, content): ``config``, ``adapter_config`` and
        ``mergekit_config`` with the file (kind None), ``tensors`` with the header of each weight
        file (kind ``safetensors`` or ``gguf``). To be walked once: headers are read on the way.
    """

    record: dict[str, Any]
    card: bytes | None
    files: Iterable[LocalFile]
