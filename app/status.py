"""What ``hubatlas status`` tells: the runs of a home, what failed, what its warehouse holds."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import duckdb

from app.terminal import print_table, say

STATUS = {
    "freshness": "select built_at, data_as_of from build",
    "counts": """
        select count(*) filter (where known) as known_models,
            count(*) filter (where not known) as ghosts,
            (select count(*) from card) as cards,
            (select count(*) from base_model_edge) as edges,
            (select count(*) from family where member_count > 1) as families_of_several,
            (select count(distinct cycle_id) from family_member) as cycles,
            (select count(*) from family) as families
        from model""",
    "what has changed its place": """
        select (select count(*) from tombstone) as gone, (select count(*) from alias) as renamed,
            (select coalesce(sum(lost_commit_count), 0) from history_rewrite) as commits_lost,
            (select count(distinct mask) from leaked_token) as leaked_tokens_masked""",
    "edges by relation": """
        select relation, count(*) as edges from base_model_edge group by all order by 2 desc""",
    "fields that no column holds as they came": """
        select field, kind, json_type, count(*) as models, min(repo_id) as example
        from model_field_drift group by all order by models desc, field, json_type limit 20""",
    "rejected by reason": """
        select stage, regexp_replace(reason, ': .*', '') as reason, count(*) as rejected
        from rejected group by all order by 3 desc, 1, 2""",
}


def print_status(home: Path) -> None:
    """Print it all as tables on stdout."""
    from crawler.queue import queued_counts
    from crawler.runs import past_runs
    from warehouse.build import FILE
    from warehouse.read import open_warehouse

    runs = past_runs(home)
    if runs:
        _print_runs(runs)
        _print_failures(runs)
        queued = sorted(queued_counts(home).items())
        print_table(["facet", "still to be fetched"], queued, "queue")
    if not (home / FILE).exists():
        say(f"no warehouse yet; run: hubatlas --home {home} {'build' if runs else 'crawl'}")
        return
    with open_warehouse(home) as db:
        _print_warehouse(db)


def _print_runs(runs: list[dict[str, Any]]) -> None:
    columns = [name for name in runs[0] if name not in {"failures", "notes"}]
    rows = [tuple(run[name] for name in columns) for run in runs]
    print_table(columns, rows, "runs, newest first")
    for note in runs[0]["notes"]:
        say(note)


def _print_failures(runs: list[dict[str, Any]]) -> None:
    from crawler.failures import FAILURES

    counts: Counter[str] = Counter()
    for run in runs:
        counts.update(run["failures"])
    rows = [
        (failure.name, counts[failure.name], failure.action, failure.meaning)
        for failure in FAILURES.values()
    ]
    print_table(["failure", "in these runs", "action", "meaning"], rows, "failures")


def _print_warehouse(db: duckdb.DuckDBPyConnection) -> None:
    for title, query in STATUS.items():
        result = db.execute(query)
        columns = [column[0] for column in result.description or []]
        print_table(columns, result.fetchall(), title)
