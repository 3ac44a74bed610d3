"""The report of a study: one page that asks for nothing, says all numbers, and shows no markup."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from hubs import model
from matplotlib.axes import Axes
from studies import home_of

from analysis.anatomy import study_anatomy
from analysis.study.publishing import write_tables
from atlas.report.catalogue import FIGURES
from atlas.report.charts import bars, curves, dots, heat, ladder, plain, render, tail
from atlas.report.figures import draw_figures
from atlas.report.page import number
from atlas.report.sections import SECTIONS
from atlas.report.writing import write_report
from warehouse.read import open_warehouse

HUBATLAS = str(Path(sys.executable).parent / "hubatlas")
SCRIPT = "<script>alert(1)</script>"
FORMULA = "$\\frac{1}{0}$"


def hostile_hub():
    of = "base_model:finetune:a/base"
    yield model("a/base", tags=["x", SCRIPT, "license:mit"], pipeline_tag=FORMULA, card="one two")
    for n in range(14):
        tags = [of, SCRIPT, f"license:{SCRIPT if n % 2 else FORMULA}", "龍", "\u202egnp"]
        yield model(f"o{n}/kid{n}", tags=tags, pipeline_tag=SCRIPT, card=f"one two {n}")
    yield model("z/deep", tags=["base_model:adapter:o1/kid1"], card="one")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Folder of a study, and its measures."""
    folder = tmp_path_factory.mktemp("report")
    with open_warehouse(home_of(folder, hostile_hub())) as db:
        study = study_anatomy(db.cursor())
        write_tables(study, folder / "tables")
        write_report(study.db, folder)
        first = (folder / "report.html").read_bytes()
        write_report(study.db, folder)
        assert (folder / "report.html").read_bytes() == first
        measures = study.db.execute("from study_measure").df()
    return folder, measures


class Page(HTMLParser):
    """What stands in a page: its tags with their attributes, its text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def page(made):
    return Page((made[0] / "report.html").read_text("utf-8"))


def test_the_page_needs_nothing_else_and_runs_nothing(page):
    names = {tag for tag, _ in page.tags}
    assert names.isdisjoint({"script", "iframe", "object", "link", "base", "form"})
    for _, attributes in page.tags:
        assert not any(name.startswith("on") for name in attributes)
        assert attributes.get("src", "data:").startswith("data:image/svg+xml;base64,") or (
            "src" not in attributes
        )
        assert "href" not in attributes


def test_names_are_text(made, page):
    svgs = [path.read_text("utf-8") for path in (made[0] / "figures").glob("*.svg")]
    assert svgs
    for svg in svgs:
        assert "<script" not in svg
        ElementTree.fromstring(svg)
    assert not any("\u202e" in text for text in [*svgs, *page.text])


def test_every_section_and_figure_is_there(made, page):
    ids = {attributes.get("id") for _, attributes in page.tags}
    assert {*SECTIONS, *(figure.name for figure in FIGURES)} <= ids
    for attributes in (attributes for tag, attributes in page.tags if tag == "img"):
        assert attributes["alt"]
    for figure in FIGURES:
        assert figure.method.endswith(".")
        assert figure.section in SECTIONS


def test_every_measure_is_on_the_page(made, page):
    _, measures = made
    assert set(measures["analysis"]) <= set(SECTIONS)
    text = " ".join(page.text)
    for name in set(measures["measure"]):
        assert name.replace("_", " ") in text
    raw = measures[measures["twin"] == "raw"]
    for _, row in raw.dropna(subset=["value"]).iterrows():
        assert number(row["value"], row["unit"]) in text
    for reason in measures["reason"].dropna().unique():
        assert re.sub(r"\s+", " ", reason) in re.sub(r"\s+", " ", text)


def test_a_figure_is_a_query_over_the_tables_of_the_study(made):
    import duckdb

    with duckdb.connect() as db:
        for path in (made[0] / "tables").glob("*.parquet"):
            db.execute(f"create view {path.stem} as from read_parquet('{path}')")
        for figure in FIGURES:
            db.execute(figure.sql).fetchall()


@pytest.mark.browser
def test_the_page_in_a_browser(made, chromium):
    page = chromium.new_page(viewport={"width": 1100, "height": 900})
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto((made[0] / "report.html").as_uri())
    assert [url for url in asked if not url.startswith("data:")] == [
        (made[0] / "report.html").as_uri()
    ]
    assert said == []
    assert page.evaluate("[...document.images].every(one => one.naturalWidth > 100)")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1100
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        *((0.1234, "share", "12.3%"), (1234567.0, "models", "1,234,567"), (0.01234, "", "0.0123")),
        *((1234.5, "", "1,234"), (-3.0, "", "-3"), (12.345, "days", "12.3")),
    ],
)
def test_numbers_for_readers(value, unit, told):
    assert number(value, unit) == told


def rows(**columns):
    return pd.DataFrame(columns)


@pytest.mark.parametrize(
    ("draw", "frame"),
    [
        (
            dots,
            rows(label=[FORMULA], twin=["raw"], value=[1.0], low=[0.5], high=[2.0], published=[1]),
        ),
        (bars, rows(label=["a", "龍"], y=[1.0, 2.0], low=[None, None], high=[None, None])),
        (heat, rows(row=["a", "b"], column=["b", SCRIPT], value=[1.0, 3.0])),
        (ladder, rows(label=["a", "b"], forward=[1.0, 2.0], backward=[0.0, 5.0])),
        (tail, rows(line=["a", "a", "law"], x=[1.0, 10.0, 2.0], y=[1.0, 0.1, 0.5])),
        (
            curves,
            rows(line=["a", "a"], x=[1.0, 10.0], y=[2.0, 3.0], low=[1.0, 1.0], high=[3.0, 4.0]),
        ),
    ],
    ids=["dots", "bars", "heat", "ladder", "tail", "curves"],
)
def test_charts_draw_any_label_and_the_same_each_time(draw, frame):
    more = {"bars": {"unit": "models"}, "heat": {"x": "to", "y": "from"}}.get(draw.__name__, {})
    more |= {"ladder": {"forward": "on", "backward": "back"}}.get(draw.__name__, {})
    more |= {"tail": {"data": "a", "x": "size", "y": "share"}}.get(draw.__name__, {})
    more |= {"curves": {"x": "size", "y": "count", "log": "xy"}}.get(draw.__name__, {})

    def drawn(axes: Axes, frame: pd.DataFrame) -> None:
        draw(axes, frame, **more)

    first, again = (render(drawn, frame, name="x", height=3) for _ in range(2))
    assert first == again
    assert first["png"].startswith(b"\x89PNG")


def test_labels_are_short_and_hide_nothing():
    assert plain("a\n\u202eb") == "a··b"
    assert len(plain("x" * 99)) == 32


def test_the_command_writes_report_tables_and_figures(tmp_path):
    home = home_of(tmp_path, hostile_hub())
    command = [HUBATLAS, "--home", str(home), "study", "anatomy"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    folder = home / "study" / "anatomy"
    assert f"the report is {folder / 'report.html'}" in ran.stderr
    assert ran.stdout == ""
    with open_warehouse(home) as db:
        assert db.execute("select count(*) > 0 from study_measure").fetchall() == [(True,)]
    assert (folder / "tables" / "study_measure.csv").exists()
    before = (home / "warehouse.duckdb").stat()
    then = [*command, "--as-of", "2026-11-01", "--out", str(tmp_path / "then")]
    ran = subprocess.run(then, capture_output=True, text=True, check=True)
    assert (tmp_path / "then" / "report.html").exists()
    assert (home / "warehouse.duckdb").stat().st_mtime_ns == before.st_mtime_ns


def test_what_is_forgotten_is_in_no_study(tmp_path):
    home = home_of(tmp_path, [model("a/kept"), model("b/gone", tags=["license:mit"])])
    for words in (["study", "anatomy"], ["forget", "b"]):
        command = [HUBATLAS, "--home", str(home), *words]
        ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "studies in this home are erased" in ran.stderr
    assert not (home / "study").exists()
    with open_warehouse(home) as db:
        tables = db.execute("select table_name from duckdb_tables()").fetchall()
    assert ("model_license",) not in tables


def test_a_home_without_warehouse_is_told_in_one_line(tmp_path):
    command = [HUBATLAS, "--home", str(tmp_path), "study", "anatomy"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)
    assert "build" in ran.stderr


def test_figures_without_rows_are_not_drawn(tmp_path):
    with open_warehouse(home_of(tmp_path, [model("a/alone")])) as db:
        study = study_anatomy(db.cursor())
        drawn = {one.figure.name: one for one in draw_figures(study.db, FIGURES)}
    assert not drawn["likeness_cards"].files
