"""Documentation is tested like code: every command, relation, page and link is there."""

import os
import re
from pathlib import Path

import pytest
from hubs import relations
from rich_homes import rich_home

from app.cli import cli
from warehouse.describe import describe_all
from warehouse.relations import STEPS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
PROSE = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
RELATIONS = ROOT / "docs" / "relations.md"
SQL_FOLDERS = ("warehouse/sql", "warehouse/sql_macros", "analysis/sql", "analysis/study/sql")
TABLES = [folder for folder in SQL_FOLDERS if "macros" not in folder]
WRITTEN = (
    "<!-- What follows is written by the tests from a built file:"
    " HUBATLAS_WRITE_GOLDEN=1 make test -->\n"
)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    with rich_home(tmp_path_factory.mktemp("docs") / "home").studied() as db:
        yield db


def by_hand():
    """What a person wrote of the relations, above what the tests write."""
    return RELATIONS.read_text("utf-8").partition(WRITTEN)[0]


def relations_page(db):
    """The page on relations: the part written by hand, then what the built file says of itself."""
    known = [one for one in describe_all(db) if one.name != "build"]
    rows = (
        f"| [{one.call}](#{one.name}) | {', '.join(one.header.grain)} |"
        f" {one.header.first_sentence} |"
        for one in known
    )
    table = "\n".join(["| relation | grain | a row is |", "|---|---|---|", *rows])
    sections = [one.as_markdown(*sources(one.name)) for one in known]
    return by_hand() + "\n".join([WRITTEN, f"## All relations\n\n{table}\n", *sections])


def sources(name):
    """A link to the SQL of a relation or macro."""
    for folder in SQL_FOLDERS:
        if (ROOT / folder / f"{name}.sql").exists():
            return (f"SQL: [`{name}.sql`](../{folder}/{name}.sql)",)
    return ()


def test_the_page_on_relations_is_what_the_file_says(warehouse):
    written = relations_page(warehouse)
    if os.environ.get("HUBATLAS_WRITE_GOLDEN"):
        RELATIONS.write_text(written, "utf-8")
    assert RELATIONS.read_text("utf-8") == written


EXAMPLES = re.findall(r"```sql\n(.*?)```", by_hand(), re.S)


def test_the_page_on_relations_has_questions_to_begin_with():
    assert len(EXAMPLES) >= 5


@pytest.mark.parametrize("sql", EXAMPLES, ids=range(len(EXAMPLES)))
def test_questions_on_the_page_have_answers(warehouse, sql):
    assert warehouse.execute(sql).fetchall()


def test_links_within_the_page_on_relations_lead_to_its_headings():
    page = RELATIONS.read_text("utf-8")
    headings = {
        f"#{heading.lower().replace(' ', '-')}" for heading in re.findall("^## (.*)$", page, re.M)
    }
    assert set(re.findall(r"\]\((#[^)]+)\)", page)) <= headings


def test_the_map_leads_to_every_relation(warehouse):
    named = set(re.findall(r"\]\(#(\w+)\)", by_hand()))
    assert set(relations(warehouse)) - named == set()


def test_every_sql_file_is_built(warehouse):
    files = {path.stem for folder in TABLES for path in (ROOT / folder).iterdir()}
    assert files - STEPS == set(relations(warehouse))


@pytest.mark.parametrize("verb", [command.callback.__name__ for command in cli.registered_commands])
def test_every_command_is_in_the_readme(verb):
    assert re.search(rf"hubatlas( --home \S+)? {verb}\b", README)


def test_every_page_of_the_atlas_is_in_the_readme():
    pages = {path.stem for path in (ROOT / "app" / "screens").glob("*.py")} - {"__init__"}
    assert {page for page in pages if f"**{page.title()}**" in README} == pages


@pytest.mark.parametrize("path", PROSE, ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", path.read_text("utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", PROSE, ids=lambda path: path.name)
def test_files_that_are_named_exist(path):
    rooms = "crawler|warehouse|analysis|atlas|app|tests|docs"
    named = re.findall(rf"`((?:{rooms})/[\w./-]+)`", path.read_text("utf-8"))
    made_later = {"tests/shots/"}
    missing = {name for name in named if "NAME" not in name and not (ROOT / name).exists()}
    assert missing - made_later == set()


def test_sql_is_plain():
    for folder in TABLES:
        for path in (ROOT / folder).iterdir():
            text = path.read_text("utf-8")
            assert text.startswith("-- "), path
            assert "\n-- Grain: " in text, path
            last = text[text.rindex("\nselect") :]
            assert not last.startswith("\nselect *") or "union all by name" in text, path
