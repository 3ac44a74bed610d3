"""The script that Streamlit runs for every page: the frame around the screens."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app.parts import fresh_line, note
from app.warehouse_cache import home, reading
from app.words import html_text
from atlas.overview import freshness
from warehouse.read import NoWarehouse

THEME = Path(__file__).with_name("theme")


def main() -> None:
    """Draw the frame, then the page that the address names."""
    st.set_page_config(layout="wide", page_icon=str(THEME / "icon.svg"))
    st.logo(str(THEME / "logo.svg"), size="large")
    st.html(THEME / "atlas.css")
    page = st.navigation(
        [
            st.Page("screens/home.py", title="Home", url_path="atlas", default=True),
            st.Page("screens/family.py", title="Families", url_path="family"),
            st.Page("screens/model.py", title="Models", url_path="model"),
        ],
        position="top",
    )
    try:
        with reading() as db:
            fresh_line(freshness(db))
        page.run()
    except NoWarehouse as missing:
        _nothing_yet(missing)


def _nothing_yet(missing: NoWarehouse) -> None:
    st.html(
        '<p class="atlas-kicker">Nothing to show yet</p>'
        '<h1 class="atlas-title">There is no warehouse to read</h1>'
        f'<p class="atlas-lead">{html_text(missing)}</p>'
    )
    st.code(
        f"hubatlas --home {home()} crawl    # fetch the listing and the cards\n"
        f"hubatlas --home {home()} build    # make the warehouse from them",
        language="bash",
    )
    note("To look around without a crawl: hubatlas demo. This page finds the warehouse on reload.")


main()
