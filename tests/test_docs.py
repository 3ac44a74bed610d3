"""Documentation is tested like code: every command, relation, page and link is there."""

import os
import re
from pathlib import Path

import pytest
from hubs import built, model, recording, relations

from app.cli import cli
from warehouse.relations import STEPS, published_names, read_relation

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
PROSE = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    folder = tmp_path_factory.mktemp("docs")
    with built(folder / "home", recording(folder, [model("o/m")])) as db:
        yield db


def relations_page(db):
    """The page on relations, from the headers of their SQL and the types in a built file."""
    parts = ["# Relations\n\nWritten by the tests from the headers of the SQL files.\n"]
    for name in relations(db):
        package = "warehouse" if name in published_names() else "analysis"
        relation = read_relation(package, name)
        columns = db.execute(f"describe {name}").fetchall()
        listed = "".join(f"| `{column[0]}` | {column[1].lower()} |\n" for column in columns)
        facts = {"Grain": ", ".join(relation.grain), "Source": relation.source, "Ref": relation.ref}
        facts["SQL"] = f"[`{name}.sql`](../{package}/sql/{name}.sql)"
        told = "  \n".join(f"{fact}: {value}" for fact, value in facts.items() if value)
        parts.append(
            f"## {name}\n\n{relation.comment}\n\n{told}\n\n| column | type |\n|---|---|\n{listed}"
        )
    return "\n".join(parts)


def test_the_page_on_relations_is_what_the_sql_says(warehouse):
    page = ROOT / "docs" / "relations.md"
    if os.environ.get("HUBATLAS_WRITE_GOLDEN"):
        page.write_text(relations_page(warehouse), "utf-8")
    assert page.read_text("utf-8") == relations_page(warehouse)


def test_every_sql_file_is_built(warehouse):
    files = {p.stem for room in ("warehouse", "analysis") for p in (ROOT / room / "sql").iterdir()}
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
    for room in ("warehouse", "analysis"):
        for path in (ROOT / room / "sql").iterdir():
            text = path.read_text("utf-8")
            assert text.startswith("-- "), path
            assert "\n-- Grain: " in text, path
            last = text[text.rindex("\nselect") :]
            assert not last.startswith("\nselect *") or "union all by name" in text, path
