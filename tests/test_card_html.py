"""Whatever a card holds, nothing of it runs, styles or fetches."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.card_html import TAGS, card_html
from app.words import address, plain

HOSTILE = st.lists(
    st.one_of(
        st.text(max_size=12),
        st.sampled_from(
            [
                "<script>alert(1)</script>",
                "<style>*{display:none}</style>",
                '<img src="https://evil.test/x.png" onerror=alert(1)>',
                "![pixel](https://evil.test/p.gif)",
                "[a](javascript:alert(1))",
                "[a](JaVaScRiPt&#58;alert(1))",
                "[b](data:text/html,<script>)",
                "[ok](https://good.test/?a=1&b=2)",
                "<a href='javascript:1' onclick=x>y</a>",
                "<svg/onload=alert(1)>",
                "<iframe src=//evil.test>",
                "<https://auto.test>",
                "[r]: javascript:alert(1)\n\n[r]",
                "<div\nstyle='x'>",
                "<!--",
                "]]>",
                "<b>",
                "\n\n",
                "\n",
                "| a |\n|---|\n",
                "```\n",
                "> ",
                "* ",
                "# ",
                "\x00",
            ]
        ),
    ),
    max_size=14,
).map("".join)
ATTRIBUTES = {"href", "target", "rel", "start"}


class Seen(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)


@given(HOSTILE)
def test_only_whitelisted_tags_attributes_and_links(text: str) -> None:
    for tag, attributes in Seen(card_html(text).html).tags:
        assert tag in TAGS
        assert set(attributes) <= ATTRIBUTES
        if tag == "a":
            assert str(attributes["href"]).lower().startswith(("http://", "https://", "mailto:"))
            assert attributes["rel"] == "noopener noreferrer nofollow"
            assert attributes["target"] == "_blank"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a <b>bold</b> word", "<p>a bold word</p>\n"),
        ("![a cat](https://e.test/c.png)", "<p>[image: a cat]</p>\n"),
        ("![](https://e.test/c.png)", "<p>[image: no description]</p>\n"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>\n"),
        ("one<br>two", "<p>one<br>\ntwo</p>\n"),
        ("~~gone~~", "<p><s>gone</s></p>\n"),
        ("<div>\n<script>alert(1)</script>\nkept\n</div>", "kept\n"),
        ("<p><img src=x alt='a dog'></p>", "[image: a dog]\n"),
    ],
)
def test_known_cards(text: str, html: str) -> None:
    assert card_html(text).html == html


def test_badge_keeps_its_link_without_the_image() -> None:
    html = card_html("[![demo](https://e.test/b.svg)](https://d.test/)").html
    assert "[image: demo]</a>" in html
    assert "b.svg" not in html


def test_long_card_is_cut_at_a_line() -> None:
    shown = card_html("a line of text\n" * 50_000, most=1_000)
    assert shown.left_out_count > 700_000
    assert shown.html.endswith("text</p>\n")


def test_deep_nesting_ends() -> None:
    assert card_html("> " * 5_000 + "x").html
    assert card_html("[" * 20_000).html


def test_names_stay_letters_in_markdown_and_addresses() -> None:
    assert plain("<b>x</b>") == r"\<b\>x\<\/b\>"
    assert plain("a*b*[c](javascript:alert(1))").startswith(r"a\*b\*\[c\]\(javascript:")
    assert ":material" not in plain(":material/home:").replace(":\u2060", "")
    assert "https://" not in plain("https://evil.test")
    assert plain("  a \n b ") == "a b"
    assert address("model", id='x"><b>') == "/model?id=x%22%3E%3Cb%3E"
