"""A card, which is hostile input, as harmless HTML.

Markdown is rendered with raw HTML off, links and images are rewritten before anything is HTML, and
what comes out still passes a whitelist: a card can neither run, nor style, nor fetch.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html.parser import HTMLParser

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

MOST_CHARACTERS = 60_000
SAFE_LINK = re.compile(r"(?:https?://|mailto:)[^\s\\]+", re.I)
BLOCKS = {
    "p",
    "br",
    "hr",
    "ul",
    "ol",
    "li",
    "blockquote",
    "pre",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
}
WORDS = {"strong", "em", "s", "a", "code"}
TABLES = {"table", "thead", "tbody", "tr", "th", "td"}
TAGS = frozenset(BLOCKS | WORDS | TABLES)
REL = "noopener noreferrer nofollow"
SILENT = frozenset({"script", "style", "svg", "math", "iframe", "object", "template"})


@dataclass(frozen=True)
class CardHtml:
    """Harmless HTML, and how many characters of the card it leaves out."""

    html: str
    left_out_count: int


def card_html(text: str, *, most: int = MOST_CHARACTERS) -> CardHtml:
    """Render a card's markdown; text beyond ``most`` characters is left out at a line's end."""
    shown = _head(text, most)
    tokens = _PARSER.parse(shown)
    _tame(tokens)
    html = _PARSER.renderer.render(tokens, _PARSER.options, {})
    clean = nh3.clean(
        html,
        tags=set(TAGS),
        attributes={"a": {"href", "target"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"},
        link_rel=REL,
    )
    return CardHtml(clean, len(text) - len(shown))


# maxNesting keeps a card of a million brackets from costing minutes.
_PARSER = MarkdownIt("commonmark", {"html": True, "maxNesting": 20}).enable(
    ["table", "strikethrough"]
)


def _head(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    return text[: text.rfind("\n", most // 2, most) + 1 or most]


def _tame(tokens: list[Token]) -> None:
    """Turn raw HTML into its text, images into words, and unsafe links into plain text."""
    for token in tokens:
        if token.type == "html_block":
            token.type, token.tag = "text", ""
            token.content = f"{_text_of_html(token.content)}\n"
        elif token.children is not None:
            token.children = _tamed_inline(token.children)


def _tamed_inline(children: Sequence[Token]) -> list[Token]:
    kept: list[Token] = []
    links: list[bool] = []
    for token in children:
        if token.type == "link_open":
            links.append(SAFE_LINK.fullmatch(str(token.attrGet("href") or "")) is not None)
            token.attrs = {"href": str(token.attrGet("href") or ""), "target": "_blank"}
            kept += [token] if links[-1] else []
        elif token.type == "link_close":
            kept += [token] if links.pop() else []
        elif token.type == "image":
            kept.append(_words(f"[image: {token.content or 'no description'}]"))
        elif token.type == "html_inline":
            kept += [_break()] if re.match(r"<br\b", token.content, re.I) else []
        else:
            kept.append(token)
    return kept


def _words(text: str) -> Token:
    return Token("text", "", 0, content=text)


def _break() -> Token:
    return Token("hardbreak", "br", 0)


class _TextOfHtml(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in SILENT:
            self.silent += 1
        elif tag == "img" and not self.silent:
            self.parts.append(f"[image: {dict(attrs).get('alt') or 'no description'}] ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in SILENT:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in SILENT and self.silent:
            self.silent -= 1

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.parts.append(data)


def _text_of_html(source: str) -> str:
    parser = _TextOfHtml()
    parser.feed(source)
    parser.close()
    return re.sub(r"\s*\n\s*\n\s*", "\n", "".join(parser.parts)).strip()
