"""One self-contained HTML page of a study: findings, figures, numbers, caveats, how to redo it."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from importlib import resources
from typing import Any

import duckdb
import pandas as pd
from jinja2 import Environment, StrictUndefined

from atlas.palette import LIGHT
from atlas.report.charts import TWINS, UNSEEN, told
from atlas.report.figures import Drawn
from atlas.report.sections import SECTIONS

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
    measures = db.execute("from study_measure").df()
    template = _environment().from_string(
        (resources.files("atlas.report") / "page.html").read_text("utf-8")
    )
    return template.render(
        study=_row(db, "from study"),
        findings=_findings(db),
        sections=[_section(name, measures, drawn) for name in SECTIONS],
        bulk=_table(db.execute("from bulk_uploader limit 40").df()),
        bulk_count=db.execute("select count(*) from bulk_uploader").fetchall()[0][0],
        twins=list(TWINS),
        colours=LIGHT,
    )


def _environment() -> Environment:
    made = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    made.filters["told"] = told
    made.filters["count"] = lambda number: f"{number:,}"
    return made


def _section(name: str, measures: pd.DataFrame, drawn: list[Drawn]) -> dict[str, Any]:
    own = measures[measures["analysis"] == name]
    lines = [_line(rows) for _, rows in own.groupby(["measure", "subject"], sort=False)]
    return {
        "name": name,
        "told": SECTIONS[name],
        "figures": [_figure(one) for one in drawn if one.figure.section == name],
        "beside": [line for line in lines if line.published],
        "lines": lines,
        "twins": [twin for twin in TWINS if twin in set(own["twin"])],
    }


def _figure(one: Drawn) -> dict[str, Any]:
    image = one.files.get("svg")
    return {
        "figure": one.figure,
        "source": image and "data:image/svg+xml;base64," + base64.b64encode(image).decode(),
        "table": _table(one.rows.head(TABLE_ROWS)),
        "row_count": len(one.rows),
    }


def _line(rows: pd.DataFrame) -> Line:
    first = rows.iloc[0]
    raw = rows[rows["twin"] == "raw"]
    told_by = raw.iloc[0] if len(raw) else first
    return Line(
        measure=first["measure"],
        subject=first["subject"],
        unit=first["unit"],
        twins={row["twin"]: _value(row) for _, row in rows.iterrows()},
        silence=str(told_by["reason"]) if rows["value"].isna().all() else "",
        count=f"{told_by['count']:,}",
        published=""
        if pd.isna(told_by["published"])
        else number(told_by["published"], first["unit"]),
        note=" · ".join(
            str(told_by[name])
            for name in ("published_source", "published_note")
            if not pd.isna(told_by[name])
        ),
    )


def _value(row: pd.Series[Any]) -> dict[str, str]:
    if pd.isna(row["value"]):
        return {"value": "—", "interval": str(row["reason"])}
    unit = row["unit"]
    ends = [number(row[end], unit) for end in ("low", "high") if not pd.isna(row[end])]
    return {"value": number(row["value"], unit), "interval": " to ".join(ends)}


def number(value: float, unit: str) -> str:
    """A number for a reader: shares as per cent, whole numbers whole, the rest to three figures."""
    if unit == "share":
        return f"{value:.1%}"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _findings(db: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    rows = db.execute("from study_finding order by place, finding, twin").df()
    return [_finding(own) for _, own in rows.groupby("finding", sort=False)]


def _finding(own: pd.DataFrame) -> dict[str, Any]:
    silent = own["holds"].isna().all()
    return {
        "statement": own["statement"].iloc[0],
        "source": own["source"].iloc[0],
        "silence": str(own["reason"].iloc[0]) if silent else "",
        "twins": {row["twin"]: _verdict(row) for _, row in own.iterrows()},
    }


def _verdict(row: pd.Series[Any]) -> dict[str, str]:
    if pd.isna(row["holds"]):
        return {"word": "not told", "why": str(row["reason"]), "kind": ""}
    why = f"{number(row['larger_value'], '')} against {number(row['smaller_value'], '')}"
    word = "holds" if row["holds"] else "fails"
    if not row["is_clear"]:
        return {"word": f"{word}, not clear", "why": why, "kind": f"{word} faint"}
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


def _row(db: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    return dict(db.execute(sql).df().iloc[0])
