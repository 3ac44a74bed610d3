"""Masks for what people leaked: access tokens and e-mail addresses, taken out before landing.

A token becomes its kind's prefix, ``MASKED-`` and 8 hex digits of its SHA-256: the same token has
the same mask everywhere, and a repo id that held one is still an id. An e-mail address becomes
``[e-mail]``. Patterns hold no quote and no backslash, so JSON text that is masked stays JSON.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

ADDRESS = "[e-mail]"
# A token begins where no letter or digit stands before it; in JSON text and in URLs the end of an
# escape (\n, \u001f, %3D) stands before it instead.
START = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrtbf])|(?<=\\u00[01][0-9a-f])|(?<=%[0-9A-Fa-f]{2}))"
LOOK = re.compile(r"\(\?[=!<](?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)")
NO_HASH = r"(?![0-9a-f]{40}(?:[0-9a-f]{24})?(?![A-Za-z0-9]))"


@dataclass(frozen=True)
class Kind:
    """A kind of access token: the plain text that gives it away, its pattern, and a looser one.

    The pattern's first group is the prefix that a mask keeps, the second the secret. ``outline``
    is what is left of it without looking around, as RE2 reads it.
    """

    name: str
    needle: str
    pattern: re.Pattern[str]
    outline: str


def _kind(name: str, needle: str, prefix: str, secret: str) -> Kind:
    pattern = re.compile(f"{START}({prefix})(?!MASKED-)({secret})")
    return Kind(name, needle, pattern, LOOK.sub("", f"(?:{prefix})(?:{secret})"))


KINDS = (
    _kind("huggingface", "hf_", "hf_", rf"{NO_HASH}[A-Za-z0-9]{{30,}}"),
    _kind("huggingface-org", "api_org_", "api_org_", rf"{NO_HASH}[A-Za-z0-9]{{30,}}"),
    *(_kind("github", f"gh{x}_", f"gh{x}_", "[A-Za-z0-9]{36,}") for x in "posur"),
    _kind("github", "github_pat_", "github_pat_", "[A-Za-z0-9_]{36,}"),
    _kind("anthropic", "sk-ant-", "sk-ant-", r"(?=[\w-]*\d)[A-Za-z0-9_-]{20,}"),
    _kind(
        "openai",
        "sk-",
        "sk-(?!ant-)",
        r"(?=[\w-]*\d)(?:(?:proj|svcacct|admin|or-v1)-[A-Za-z0-9_-]{20,}|[A-Za-z0-9]{32,})",
    ),
    _kind("aws", "AKIA", "AKIA", "[0-9A-Z]{16}(?![A-Za-z0-9])"),
    _kind("google", "AIza", "AIza", r"[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
    _kind("slack", "xox", "xox[abeoprs]-", r"(?=[A-Za-z0-9-]*\d)[A-Za-z0-9-]{10,}"),
    _kind("gitlab", "glpat-", "glpat-", "[A-Za-z0-9_-]{20,}"),
    _kind("pypi", "pypi-AgEI", "pypi-", "AgEI[A-Za-z0-9_-]{16,}"),
)
# An address is looked for from its @ on, then back from it: that is quick on long texts.
# Not "package@1.2.3", not "logo@2x.png".
DOMAIN = re.compile(
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})\.){1,8}"
    r"(?!(?:png|jpe?g|gif|svg|webp|bmp|pdf|json|txt|csv|ya?ml|bin|gguf|onnx|css|js|html)\b)"
    r"[A-Za-z]{2,24}(?![A-Za-z0-9])"
)
MOST_BEFORE = 64
# What any text matches that holds a token, or an address, for RE2: it goes over a text but once.
NEEDLES = "|".join(re.escape(kind.needle) for kind in KINDS)
TOKEN_OUTLINES = "|".join(kind.outline for kind in KINDS)
ADDRESS_OUTLINE = "[A-Za-z0-9._%+-]@[A-Za-z0-9][A-Za-z0-9-]*[.]"
# Not "git@host:path".
BEFORE = re.compile(
    r"(?:(?<![A-Za-z0-9._%+\\-])|(?<=\\[nrtbf])|(?<=\\u00[01][0-9a-f]))"
    rf"(?!git\Z)[A-Za-z0-9._%+-]{{1,{MOST_BEFORE}}}\Z"
)

Leaks = Counter[tuple[str, str]]
Kinds = tuple[Kind | None, ...]


def suspects(text: str) -> Kinds:
    """The kinds whose give-away is in a text (None for e-mail): a plain, quick search."""
    found: list[Kind | None] = [kind for kind in KINDS if kind.needle in text]
    return (*found, None) if "@" in text else tuple(found)


def suspects_of_each(texts: Sequence[str]) -> list[Kinds]:
    """The kinds that each text may hold; a closer look than `suspects`, and quick over many."""
    column = pa.array(texts, pa.string())
    found: list[Kinds] = [()] * len(texts)
    for at in _matching(column, "@", ADDRESS_OUTLINE):
        found[at] = _ADDRESS_ALONE
    for at in _matching(column, NEEDLES, TOKEN_OUTLINES):
        found[at] = suspects(texts[at])
    return found


def _matching(column: pa.Array, needles: str, outline: str) -> list[int]:
    # Outlines are slow to compile, and few texts hold a needle.
    at = np.flatnonzero(pc.match_substring_regex(column, needles))
    if not len(at):
        return []
    close = pc.match_substring_regex(column.take(pa.array(at)), outline)
    return [int(place) for place in at[np.asarray(close)]]


def mask(text: str, kinds: Iterable[Kind | None] | None = None) -> tuple[str, Leaks]:
    """Mask a text.

    Parameters
    ----------
    text
        Plain text, or JSON text that escapes no printable character but quote and backslash.
    kinds
        What to look for, as `suspects` told of a text that holds this one; None: look for all.

    Returns
    -------
    The masked text, and how often each (kind, mask) stands in it. Masking twice changes nothing.

    """
    leaks: Leaks = Counter()
    for kind in suspects(text) if kinds is None else kinds:
        if kind is None:
            text = _mask_addresses(text) if "@" in text else text
        elif kind.needle in text:
            text = _mask_kind(text, kind, leaks)
    return text, leaks


def masked(text: str) -> str:
    """The masked text alone."""
    return mask(text)[0]


_ADDRESS_ALONE: Kinds = (None,)


def _mask_addresses(text: str) -> str:
    parts, end = [], 0
    for domain in DOMAIN.finditer(text):
        at = domain.start()
        before = BEFORE.search(text, max(end, at - MOST_BEFORE), at)
        if before:
            parts += [text[end : before.start()], ADDRESS]
            end = domain.end()
    return "".join([*parts, text[end:]])


def _mask_kind(text: str, kind: Kind, leaks: Leaks) -> str:
    def masked_token(found: re.Match[str]) -> str:
        secret = found[1] + found[2]
        label = f"{found[1]}MASKED-{hashlib.sha256(secret.encode()).hexdigest()[:8]}"
        leaks[kind.name, label] += 1
        return label

    return kind.pattern.sub(masked_token, text)
