"""What a statement of a stranger may be: one SELECT over published relations, judged by its syntax.

DuckDB parses the statement and gives its syntax tree; every node of it must be of a kind that is
named here, every relation one of ``main``, every function one that is known and not refused. What
the tree calls by another name, in quotes or below a comment, is the same node all the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Any

import duckdb

from warehouse.projecting import without_end
from warehouse.read import SqlRefused, refusing

SQL_CHARACTERS = 100_000
TABLE_FUNCTIONS = frozenset({"unnest", "range", "generate_series", "json_each", "json_tree"})
SETTINGS = "settings are not for everybody to read"
RUNS_SQL = "it reads SQL from a text"
LEAVES_TRACES = "a question may leave nothing behind"
WAITS = "it does nothing but wait"
INTERNAL = "it is for DuckDB's own use"
REFUSED_FUNCTIONS = {
    **dict.fromkeys(("current_setting", "getvariable", "getenv"), SETTINGS),
    **dict.fromkeys(("json_serialize_plan", "json_execute_serialized_sql"), RUNS_SQL),
    **dict.fromkeys(("query", "query_table"), RUNS_SQL),
    **dict.fromkeys(("nextval", "currval", "setval", "setseed", "write_log"), LEAVES_TRACES),
    **dict.fromkeys(("sleep_ms", "pg_sleep"), WAITS),
    **dict.fromkeys(("combine", "finalize", "combine_aggr", "to_aggregate_state"), INTERNAL),
    **dict.fromkeys(("invoke", "remap_struct", "index_key", "create_sort_key"), INTERNAL),
    **dict.fromkeys(("variant_bytes_to_variant", "get_block_size", "stats"), INTERNAL),
}
EXPRESSIONS = frozenset(
    {
        *("CONSTANT", "FUNCTION", "COLUMN_REF", "STAR", "CAST", "TYPE", "OPERATOR", "COMPARISON"),
        *("CONJUNCTION", "BETWEEN", "CASE", "SUBQUERY", "WINDOW", "LAMBDA", "PARAMETER"),
        *("POSITIONAL_REFERENCE", "COLLATE"),
    }
)
NODES = frozenset(
    {
        *("SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"),
        *("BASE_TABLE", "SUBQUERY", "JOIN", "TABLE_FUNCTION", "EMPTY", "EXPRESSION_LIST"),
        *("PIVOT", "SHOW_REF"),
        *("ORDER_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "DISTINCT_MODIFIER"),
        *("ORDER_DEFAULT", "ASCENDING", "DESCENDING"),
    }
)
WINDOWS = frozenset(
    {
        *("WINDOW_ROW_NUMBER", "WINDOW_RANK", "WINDOW_RANK_DENSE", "WINDOW_PERCENT_RANK"),
        *("WINDOW_NTILE", "WINDOW_CUME_DIST", "WINDOW_LEAD", "WINDOW_LAG", "WINDOW_FILL"),
        *("WINDOW_FIRST_VALUE", "WINDOW_LAST_VALUE", "WINDOW_NTH_VALUE"),
    }
)
EXPLAIN = re.compile(r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*explain\b", re.I | re.S)


@dataclass(frozen=True)
class Statement:
    """A statement that may run: ``select``, without what follows it, and whether to explain it."""

    select: str
    is_explain: bool


def review(db: duckdb.DuckDBPyConnection, sql: str) -> Statement:
    """Judge a stranger's statement; ``db`` tells which relations and functions there are.

    Raises `SqlRefused` with what is refused and what to do.
    """
    if len(sql) > SQL_CHARACTERS:
        raise SqlRefused(f"the statement is longer than {SQL_CHARACTERS:,} characters; shorten it")
    with refusing():
        statements = duckdb.extract_statements(sql)
    if len(statements) != 1:
        raise SqlRefused("give one SQL statement at a time")
    kind = statements[0].type
    text = without_end(sql)
    if kind == duckdb.StatementType.EXPLAIN:
        return Statement(_check(db, _explained(text)), is_explain=True)
    if kind == duckdb.StatementType.MULTI:
        raise SqlRefused("give PIVOT its values, as in PIVOT … ON column IN ('a', 'b')")
    if kind != duckdb.StatementType.SELECT:
        raise SqlRefused(f"{kind.name} is refused: give one SELECT, or EXPLAIN of one")
    return Statement(_check(db, text), is_explain=False)


def _explained(text: str) -> str:
    found = EXPLAIN.match(text)
    rest = text[found.end() :] if found else ""
    # Whatever stands between, ANALYZE or (FORMAT …), is no SELECT and fails as one.
    if not re.match(r"\s*(select|with|from|values|table)\b", rest, re.I):
        raise SqlRefused("EXPLAIN is for a plain SELECT here, without ANALYZE or other options")
    return rest


def _check(db: duckdb.DuckDBPyConnection, text: str) -> str:
    asked = db.execute("select json_serialize_sql(?::varchar)", [text]).fetchall()
    try:
        syntax = json.loads(asked[0][0])
    except RecursionError:
        raise SqlRefused("the statement is nested too deeply; make it simpler") from None
    if syntax["error"] or len(syntax["statements"]) != 1:
        raise SqlRefused(f"{syntax.get('error_message', 'that')}: give one SELECT")
    _Review(db, syntax).check()
    return text


class _Review:
    """One walk over a syntax tree, with the names that it may use."""

    def __init__(self, db: duckdb.DuckDBPyConnection, syntax: Any) -> None:
        self.db = db
        self.syntax = syntax
        self.steps = {name for node in _nodes(syntax) for name in _step_names(node)}

    @cached_property
    def relations(self) -> frozenset[str]:
        """Relations of ``main``, and the temporary views that hide them."""
        return self._names(
            "select table_name from duckdb_tables() where schema_name = 'main'"
            " union select view_name from duckdb_views()"
            " where schema_name = 'main' and not internal"
        )

    @cached_property
    def functions(self) -> frozenset[str]:
        """Functions that give a value; those of other schemas look into the catalogue."""
        return self._names(
            "select function_name from duckdb_functions() where schema_name = 'main'"
            " and function_type in ('scalar', 'aggregate', 'macro')"
        )

    @cached_property
    def table_functions(self) -> frozenset[str]:
        """Functions that stand for a relation: the harmless ones, and the warehouse's own."""
        return TABLE_FUNCTIONS | self._names(
            "select function_name from duckdb_functions()"
            " where function_type = 'table_macro' and not internal and schema_name = 'main'"
        )

    def check(self) -> None:
        views = "select view_name from duckdb_views() where internal"
        system_views = self._names(views) if self.steps else frozenset()
        for name in self.steps:
            # Where such a step is out of scope its name would be that of the system's view.
            if name in system_views or not re.fullmatch(r"[\w ]+", name):
                raise SqlRefused(f"WITH {name} is refused: give that step another name")
        for node in _nodes(self.syntax):
            self._check_node(node)

    def _check_node(self, node: dict[str, Any]) -> None:
        kind = node.get("type")
        if "class" in node:
            if node["class"] not in EXPRESSIONS:
                raise SqlRefused(
                    f"{node['class']} is refused: give one SELECT of plain expressions"
                )
            if "function_name" in node:
                self._check_function(node)
        elif isinstance(kind, str):
            if kind not in NODES:
                raise SqlRefused(f"{kind} is refused: give one SELECT that only reads")
            if kind == "BASE_TABLE":
                self._check_relation(node["qualified_name"]["path"])
            elif kind == "SHOW_REF":
                self._check_show(node)

    def _check_relation(self, path: list[str]) -> None:
        *place, name = (part.lower() for part in path)
        is_step = name in self.steps and not place
        if is_step or (name in self.relations and place in ([], ["main"])):
            return
        written = ".".join(path)
        near = get_close_matches(name, self.relations, n=3)
        hint = f"did you mean {', '.join(near)}?" if near else "SHOW TABLES lists what there is"
        raise SqlRefused(f"{written} is refused: it is no relation of this warehouse; {hint}")

    def _check_show(self, node: dict[str, Any]) -> None:
        kind, path = node["show_type"], node["qualified_name"]["path"]
        if kind == "SHOW" and node["query"] is None:
            self._check_relation(path)
        elif kind in {"DESCRIBE", "SUMMARY"} and node["query"] is not None:
            return
        elif kind != "SHOW_SPECIAL" or path != ['"tables"']:
            raise SqlRefused("only SHOW TABLES and DESCRIBE relation are for everybody")

    def _check_function(self, node: dict[str, Any]) -> None:
        path = [part.lower() for part in node["qualified_name"]["path"]]
        *place, name = path
        if reason := REFUSED_FUNCTIONS.get(name):
            raise SqlRefused(f"{name}() is refused: {reason}")
        # These two are syntax to DuckDB, in no list of functions.
        if name == "unnest" or node["type"] in WINDOWS:
            return
        is_known = name in (self.table_functions if node["in_from"] else self.functions)
        is_bare = not name.startswith("__internal") and not node.get("export_state")
        if not is_known or not is_bare or place not in ([], ["main"]):
            near = get_close_matches(name, self.functions, n=2) if not node["in_from"] else []
            hint = f"did you mean {', '.join(near)}?" if near else "ask a relation instead"
            raise SqlRefused(f"{'.'.join(path)}() is refused: not a function for everybody; {hint}")

    def _names(self, query: str) -> frozenset[str]:
        return frozenset(str(name).lower() for (name,) in self.db.execute(query).fetchall())


def _nodes(syntax: Any) -> Iterator[dict[str, Any]]:
    """All objects of a tree; each function says in ``in_from`` whether it stands for a relation."""
    waiting = [syntax]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if "function_name" in node:
                node.setdefault("in_from", False)
            if node.get("type") == "TABLE_FUNCTION" and "class" not in node:
                node["function"]["in_from"] = True
            yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def _step_names(node: dict[str, Any]) -> Iterator[str]:
    if "cte_map" in node:
        yield from (step["key"].lower() for step in node["cte_map"]["map"])
