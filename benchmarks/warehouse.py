"""``python -m benchmarks.warehouse HOME WORK``: build a warehouse of millions, and ask it.

HOME is what ``benchmarks.resample --days 1`` made; WORK, a folder on the same disk, gets links to
its raw files. Measures a build of all but the last run, an incremental one of that run, the
families, each named query, and three tables beside the usual way: pandas and networkx over the same
relations in Parquet.
"""

from __future__ import annotations

import os
import re
import resource
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import duckdb
import networkx as nx
import pandas as pd
import zstandard

from analysis.lineage import derive_lineage
from benchmarks.__main__ import timed
from warehouse.build import build
from warehouse.query_library import ask, query_names
from warehouse.raw import raw_names
from warehouse.read import open_warehouse

ROW = "{:<44}{:>12}   {}"


def main(home: Path, work: Path) -> None:
    """Measure all steps."""
    print(ROW.format("step", "seconds", "what"))
    later = measure_full_build(home, work)
    measure_next_day(home, work, later)
    measure_queries(work)
    measure_families(work)
    measure_usual_way(work)


def measure_full_build(home: Path, work: Path) -> list[str]:
    """Build all but the last run from scratch; returns the names of that run's files."""
    runs = {name: run_of(home, name) for name in raw_names(home)}
    last = max(runs.values())
    later = [name for name, run in runs.items() if run == last and run > 1]
    link(home, work, [name for name in runs if name not in set(later)])
    with timed() as taken:
        published = build(work, derive=derive_lineage, from_scratch=True)
    sizes = {name: f"{count:,}" for name, count in counted(work).items()}
    show("build from scratch", taken(), f"{sizes}, peak {peak_mb():,} MB")
    show("database", 0, f"{published.stat().st_size / 1e9:.2f} GB")
    show("card text in it", 0, f"{text_bytes(published) / 1e9:.2f} GB")
    return later


def measure_next_day(home: Path, work: Path, later: list[str]) -> None:
    """Build again with one more day."""
    link(home, work, later)
    with timed() as taken:
        build(work, derive=derive_lineage)
    show("build of one day more", taken(), f"{len(later):,} raw files, peak {peak_mb():,} MB")


def measure_queries(work: Path) -> None:
    """Each named query, three times; the slowest ones by name."""
    with open_warehouse(work) as db:
        median = {
            name: middle(partial(lambda name: ask(db, name, {}).fetchall(), name))
            for name in query_names()
        }
    show("named queries, the middle one", statistics.median(median.values()), f"{len(median)}")
    for name, seconds in sorted(median.items(), key=lambda item: -item[1])[:10]:
        show(f"  {name}", seconds, "")


def measure_families(work: Path) -> None:
    """The families of the whole hub, on a copy."""
    copy = work / "families.duckdb"
    copy.write_bytes((work / "warehouse.duckdb").read_bytes())
    with duckdb.connect(copy) as db, timed() as taken:
        derive_lineage(db, lambda label, done, total: None)
    copy.unlink()
    show("families", taken(), "")


def measure_usual_way(work: Path) -> None:
    """Families, licence drift and top parents: SQL, and pandas with networkx from Parquet."""
    model, edge = work / "model.parquet", work / "edge.parquet"
    with open_warehouse(work) as source:
        models = source.sql("select repo_id, license from model").to_arrow_table()
        edges = source.sql("select child_id, parent_id from base_model_edge").to_arrow_table()
        for path, table in ((model, models), (edge, edges)):
            duckdb.from_arrow(table).write_parquet(str(path))
        ours = {
            "families": middle(lambda: source.execute(FAMILIES).fetchall()),
            "licence drift": middle(lambda: ask(source, "license_drift", {}).fetchall()),
            "top parents": middle(lambda: ask(source, "top_parents", {}).fetchall()),
        }
    for name, usual in (
        ("families", usual_families),
        ("licence drift", usual_drift),
        ("top parents", usual_parents),
    ):
        with timed() as taken:
            usual(model, edge)
        ratio = f"{taken() / ours[name]:.0f} x ours ({ours[name]:.3f} s)"
        show(f"{name} the usual way", taken(), ratio)
    show("all of this", 0, f"peak {peak_mb():,} MB")


FAMILIES = "select family_id, member_count from family order by member_count desc limit 20"


def usual_families(model: Path, edge: Path) -> list[int]:
    """Sizes of the weak components, by networkx."""
    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(pd.read_parquet(model)["repo_id"])
    graph.add_edges_from(pd.read_parquet(edge).itertuples(index=False, name=None))
    return sorted(map(len, nx.connected_components(graph)), reverse=True)[:20]


def usual_drift(model: Path, edge: Path) -> pd.DataFrame:
    """How many edges lead from each licence to each other one."""
    licensed = pd.read_parquet(model)
    edges = pd.read_parquet(edge)
    for end in ("child", "parent"):
        named = licensed.rename(columns={"repo_id": f"{end}_id", "license": end})
        edges = edges.merge(named, on=f"{end}_id")
    pairs = edges.dropna().groupby(["parent", "child"]).size().reset_index(name="edge_count")
    changed = pairs[pairs["parent"] != pairs["child"]]
    return changed.sort_values("edge_count", ascending=False).head(30)


def usual_parents(model: Path, edge: Path) -> pd.Series[int]:
    """The models of which the most others were made."""
    return pd.read_parquet(edge)["parent_id"].value_counts().head(20)


def middle(run: Callable[[], object]) -> float:
    """The middle of three times, in seconds."""
    return statistics.median(_seconds(run) for _ in range(3))


def _seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def run_of(home: Path, name: str) -> int:
    """The run that wrote a raw file, as its first bytes tell."""
    with (home / "raw" / name).open("rb") as file:
        head = zstandard.ZstdDecompressor().stream_reader(file).read(4096)
    told = re.search(rb'"run_id":(\d+)', head)
    return int(told[1]) if told else 1


def link(home: Path, work: Path, names: list[str]) -> None:
    """Link raw files of one home into another."""
    for name in names:
        target = work / "raw" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            os.link(home / "raw" / name, target)


def counted(work: Path) -> dict[str, int]:
    """Rows of the relations that grow largest."""
    told = ("model", "model_tag", "repo_file", "card", "commit", "base_model_edge")
    with open_warehouse(work) as db:
        rows = [db.sql(f"select count(*) from {name}").fetchall() for name in told]
    return {name: int(row[0][0]) for name, row in zip(told, rows, strict=True)}


def text_bytes(published: Path) -> int:
    """Bytes of the blocks that hold the cards' texts."""
    question = """
        with part as (
            from pragma_storage_info('landing.card') where column_name = 'text'
        ),
        block as (
            select block_id from part
            union
            select unnest(additional_block_ids) from part
        )
        select count(*) * (select block_size from pragma_database_size())
        from block
        where block_id >= 0
    """
    with duckdb.connect(published, read_only=True) as db:
        row = db.execute(question).fetchone()
    return int(row[0]) if row else 0


def peak_mb() -> int:
    """Peak memory of this process and of its largest child, in MB."""
    peaks = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(peak.ru_maxrss for peak in peaks) // 1024


def show(step: str, seconds: float, what: str) -> None:
    """Print one row."""
    print(ROW.format(step, f"{seconds:.2f}" if seconds else "", what), flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m benchmarks.warehouse HOME WORK")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
