"""The atlas's type and colours, as Streamlit options."""

from __future__ import annotations

from typing import Any

from atlas.palette import DARK, LIGHT, RELATIONS, Palette

ACCENT = {"light": "#0f6b62", "dark": "#5fc7b8"}


def theme_options() -> dict[str, Any]:
    """Options of both themes; the browser's preference, or the reader, chooses."""
    return {
        "theme.headingFont": "serif",
        "theme.headingFontWeights": [600, 600, 600, 600, 600, 600],
        "theme.headingFontSizes": ["2.4rem", "1.55rem", "1.2rem", "1.05rem", "1rem", "1rem"],
        "theme.baseFontSize": 16,
        "theme.baseRadius": "8px",
        "theme.paddingTop": "1.6rem",
        **_theme("light", LIGHT, second="#f1efe8"),
        **_theme("dark", DARK, second="#1f242a"),
    }


def _theme(name: str, colours: Palette, *, second: str) -> dict[str, Any]:
    section = f"theme.{name}"
    return {
        f"{section}.primaryColor": ACCENT[name],
        f"{section}.linkColor": ACCENT[name],
        f"{section}.backgroundColor": colours.paper,
        f"{section}.secondaryBackgroundColor": second,
        f"{section}.textColor": colours.ink,
        f"{section}.borderColor": colours.line,
        f"{section}.chartCategoricalColors": [colours.relation[name] for name in RELATIONS],
    }
