"""One self-contained HTML page of a study: findings, figures, numbers, caveats, how to redo it."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from importlib import resources
from itertools import groupby
from operator import itemgetter
from typing import Any

import duckdb
import pandas as pd
from jinja2 import Environment, StrictUndefined

from atlas.palette import LIGHT
from atlas.report.charts import TWINS, UNSEEN, told
from atlas.report.figures import Drawn
from atlas.report.sections import SECTIONS

Row = dict[str, Any]
TABLE_ROWS = 25
CELL_CHARACTERS = 120


@dataclass(frozen=True)
class Line:
    """A number of the report with all its twins, as text; silence says why no twin has a value."""

    measure: str
    subject: str
    unit: str
    twins: dict[str, dict[str, str]]
    silence: str
    count: str
    published: str
    note: str


def report_page(db: duckdb.DuckDBPyConnection, drawn: list[Drawn]) -> str:
    """The page as HTML: no script, no request; every name in it is escaped.

    Parameters
    ----------
    db
        A connection on which the study's tables are.
    """
    measures = _rows(db, "from study_measure")
    template = _environment().from_string(
        (resources.files("atlas.report") / "page.html").read_text("utf-8")
    )
    findings = _findings(db)
    return template.render(
        study=_rows(db, "from study")[0],
        findings=findings,
        sections=[_section(name, measures, drawn) for name in SECTIONS],
        bulk=_table(db.execute("from bulk_uploader limit 40").df()),
        bulk_count=db.execute("select count(*) from bulk_uploader").fetchall()[0][0],
        twins=[twin for twin in TWINS if any(twin in one["twins"] for one in findings)],
        colours=LIGHT,
    )


def _environment() -> Environment:
    made = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    made.filters["told"] = told
    made.filters["count"] = lambda number: f"{number:,}"
    return made


def _section(name: str, measures: list[Row], drawn: list[Drawn]) -> dict[str, Any]:
    own = [row for row in measures if row["analysis"] == name]
    numbers = groupby(own, key=itemgetter("measure", "subject"))
    lines = [_line(list(rows)) for _, rows in numbers]
    return {
        "name": name,
        "told": SECTIONS[name],
        "figures": [_figure(one) for one in drawn if one.figure.section == name],
        "beside": [line for line in lines if line.published],
        "lines": lines,
        "twins": [twin for twin in TWINS if twin in {row["twin"] for row in own}],
    }


def _figure(one: Drawn) -> dict[str, Any]:
    image = one.files.get("svg")
    return {
        "figure": one.figure,
        "source": image and "data:image/svg+xml;base64," + base64.b64encode(image).decode(),
        "table": _table(one.rows.head(TABLE_ROWS)),
        "row_count": len(one.rows),
    }


def _line(rows: list[Row]) -> Line:
    first = next((row for row in rows if row["twin"] == "raw"), rows[0])
    published, unit = first["published"], first["unit"]
    notes = (first["published_source"], first["published_note"])
    return Line(
        measure=first["measure"],
        subject=first["subject"],
        unit=unit,
        twins={row["twin"]: _value(row) for row in rows},
        silence=first["reason"] if all(row["value"] is None for row in rows) else "",
        count=f"{first['count']:,}",
        published="" if published is None else number(published, unit),
        note=" · ".join(note for note in notes if note),
    )


def _value(row: Row) -> dict[str, str]:
    if row["value"] is None:
        return {"value": "—", "interval": row["reason"]}
    ends = [number(row[end], row["unit"]) for end in ("low", "high") if row[end] is not None]
    return {"value": number(row["value"], row["unit"]), "interval": " to ".join(ends)}


def number(value: float, unit: str) -> str:
    """A number for a reader: shares as per cent, whole numbers whole, the rest to three figures."""
    if unit == "share":
        return f"{value:.1%}"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _findings(db: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    rows = _rows(db, "from study_finding order by place, finding, twin")
    return [_finding(list(own)) for _, own in groupby(rows, key=itemgetter("finding"))]


def _finding(own: list[Row]) -> dict[str, Any]:
    return {
        "statement": own[0]["statement"],
        "source": own[0]["source"],
        "silence": own[0]["reason"] if all(row["holds"] is None for row in own) else "",
        "twins": {row["twin"]: _verdict(row) for row in own},
    }


def _verdict(row: Row) -> dict[str, str]:
    if row["holds"] is None:
        return {"word": "not told", "why": row["reason"], "kind": ""}
    why = f"{number(row['larger_value'], '')} against {number(row['smaller_value'], '')}"
    word = "holds" if row["holds"] else "fails"
    if not row["is_clear"]:
        return {"word": f"{word}, unclear", "why": why, "kind": f"{word} faint"}
    return {"word": word, "why": why, "kind": word}


def _table(rows: pd.DataFrame) -> dict[str, Any]:
    return {
        "columns": list(rows.columns),
        "rows": [[_cell(value) for value in row] for row in rows.itertuples(index=False)],
    }


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and pd.isna(value)):
        return ""
    if isinstance(value, float):
        return number(value, "")
    text = UNSEEN.sub("·", f"{value:,}" if isinstance(value, int) else str(value))
    return text if len(text) <= CELL_CHARACTERS else text[: CELL_CHARACTERS - 1] + "…"


def _rows(db: duckdb.DuckDBPyConnection, sql: str) -> list[Row]:
    found = db.execute(sql)
    names = [str(column[0]) for column in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
