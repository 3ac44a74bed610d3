"""``python -m benchmarks.warehouse HOME WORK``: build a warehouse of millions, and ask it.

HOME is what ``benchmarks.resample --days 1`` made; WORK, a folder on the same disk, gets links to
its raw files. Measures a build of all but the last run, an incremental one of that run, the
families, each named query, and three tables beside the usual way: pandas and networkx over the same
relations in Parquet, which must find the same rows.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import networkx as nx
import pandas as pd
import zstandard

from analysis.lineage import derive_lineage
from benchmarks.__main__ import timed
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
    measure_usual_way(work)


def measure_full_build(home: Path, work: Path) -> list[str]:
    """Build all but the last run from scratch; returns the names of that run's files."""
    runs = {name: run_of(home, name) for name in raw_names(home)}
    last = max(runs.values())
    later = [name for name, run in runs.items() if run == last and run > 1]
    link(home, work, [name for name in runs if name not in set(later)])
    with timed() as taken:
        peak = built(work, "--from-scratch")
    published = work / "warehouse.duckdb"
    sizes = {name: f"{count:,}" for name, count in counted(work).items()}
    show("build from scratch", taken(), f"{sizes}, peak {peak:,} MB")
    show("database", 0, f"{published.stat().st_size / 1e9:.2f} GB")
    show("card text in it", 0, f"{text_bytes(published) / 1e9:.2f} GB")
    return later


def measure_next_day(home: Path, work: Path, later: list[str]) -> None:
    """Build again with one more day."""
    link(home, work, later)
    with timed() as taken:
        peak = built(work)
    show("build of one day more", taken(), f"{len(later):,} raw files, peak {peak:,} MB")


BUILD = """
import os, resource, sys
from app.cli import main
try:
    main()
except SystemExit as end:
    if end.code:
        raise
own, child = (
    resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
)
print(own + len(os.sched_getaffinity(0)) * child)
"""


def built(work: Path, *options: str) -> int:
    """Run ``hubatlas build``; its peak memory in MB, with as much for each process as for one."""
    command = [sys.executable, "-c", BUILD, "--home", str(work), "build", *options]
    ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return int(ran.stdout.split()[-1]) // 1024


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


def measure_usual_way(work: Path) -> None:
    """Three tables: by the warehouse, and by pandas with networkx from Parquet; both must agree."""
    ours = {"families derived": ours_derived(work)}
    model, edge = work / "model.parquet", work / "edge.parquet"
    with open_warehouse(work) as db:
        for path, sql in ((model, MODELS), (edge, EDGES)):
            duckdb.from_arrow(db.sql(sql).to_arrow_table()).write_parquet(str(path))
        ours["families read"] = middle(partial(read, db, FAMILIES))
        ours["licence drift"] = middle(lambda: ask(db, "license_drift", {}).fetchall())
        ours["top parents"] = middle(lambda: ask(db, "top_parents", {}).fetchall())
        told = {
            usual_families: read(db, FAMILIES),
            usual_drift: ask(db, "license_drift", {}).fetchall(),
            usual_parents: ask(db, "top_parents", {}).fetchall(),
        }
    usual = {}
    for way, rows in told.items():
        with timed() as taken:
            found = way(model, edge)
        usual[way] = taken()
        if found != rows:
            sys.exit(f"{way.__name__} finds otherwise: {found[:3]} for {rows[:3]}")
    for name, way in (
        ("families derived", usual_families),
        ("families read", usual_families),
        ("licence drift", usual_drift),
        ("top parents", usual_parents),
    ):
        ratio = f"the usual way {usual[way]:.2f} s, {usual[way] / ours[name]:.1f} x"
        show(name, ours[name], ratio)
    show("all of this", 0, f"peak {peak_mb():,} MB")


def ours_derived(work: Path) -> float:
    """Seconds to derive all families, with their trees, on a copy."""
    copy = work / "families.duckdb"
    shutil.copyfile(work / "warehouse.duckdb", copy)
    with duckdb.connect(copy) as db, timed() as taken:
        derive_lineage(db, lambda label, done, total: None)
    copy.unlink()
    return taken()


MODELS = "select repo_id, author, license, known, downloads_30d from model"
EDGES = "select child_id, parent_id, relation from base_model_edge"
FAMILIES = """
    select root_ids, member_count, known_count, edge_count, depth, cycle_count, downloads_30d
    from family
    order by member_count desc, root_ids[1]
    limit 1000
"""


def read(db: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    """All rows of a question."""
    return db.execute(sql).fetchall()


def usual_families(model: Path, edge: Path) -> list[tuple[Any, ...]]:
    """Each weak component by networkx; sums over its members by pandas."""
    models = pd.read_parquet(model, columns=["repo_id", "known", "downloads_30d"])
    edges = pd.read_parquet(edge, columns=["parent_id", "child_id"])
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(models["repo_id"])
    graph.add_edges_from(edges.itertuples(index=False, name=None))
    rows, family_of = [], {}
    for number, members in enumerate(nx.weakly_connected_components(graph)):
        family_of.update(dict.fromkeys(members, number))
        rows.append((sorted(members), 0, 0, 0) if len(members) == 1 else grown(graph, members))
    names = ["root_ids", "edge_count", "depth", "cycle_count"]
    sums = models.groupby(models["repo_id"].map(family_of)).agg(
        member_count=("repo_id", "size"),
        known_count=("known", "sum"),
        downloads_30d=("downloads_30d", "sum"),
    )
    families = pd.DataFrame(rows, columns=names).join(sums)
    families["first_root"] = families["root_ids"].str[0]
    families = families.sort_values(["member_count", "first_root"], ascending=[False, True])
    columns = ["root_ids", "member_count", "known_count", *names[1:], "downloads_30d"]
    return [tuple(row) for row in families[columns].head(1000).to_numpy().tolist()]


def grown(graph: nx.DiGraph[str], members: set[str]) -> tuple[list[str], int, int, int]:
    """Roots, edges, depth and cycles of a family of several."""
    family = graph.subgraph(members)
    without_cycles = nx.condensation(family)
    knots = without_cycles.nodes(data="members")
    roots = sorted(min(knot) for at, knot in knots if without_cycles.in_degree(at) == 0)
    cycle_count = sum(len(knot) > 1 for _, knot in knots)
    depth = nx.dag_longest_path_length(without_cycles)
    return roots, family.number_of_edges(), depth, cycle_count


def usual_drift(model: Path, edge: Path) -> list[tuple[Any, ...]]:
    """How many edges lead from each licence to each other one, and from how many owners."""
    models = pd.read_parquet(model, columns=["repo_id", "author", "license"])
    edges = pd.read_parquet(edge, columns=["child_id", "parent_id"])
    for end in ("child", "parent"):
        named = models.rename(columns={"repo_id": f"{end}_id", "license": end})
        kept = [f"{end}_id", end, *(["author"] if end == "child" else [])]
        edges = edges.merge(named[kept], on=f"{end}_id")
    edges = edges.dropna(subset=["parent", "child"])
    pairs = edges.groupby(["parent", "child"], as_index=False).agg(
        edge_count=("child_id", "size"), owner_count=("author", "nunique")
    )
    pairs["edge_share"] = pairs["edge_count"] / pairs.groupby("parent")["edge_count"].transform(
        "sum"
    )
    changed = pairs[pairs["parent"] != pairs["child"]]
    ordered = changed.sort_values(["edge_count", "parent", "child"], ascending=[False, True, True])
    return [tuple(row) for row in ordered.head(30).to_numpy().tolist()]


def usual_parents(_: Path, edge: Path) -> list[tuple[Any, ...]]:
    """The models of which the most others were made, how, and by how many owners."""
    edges = pd.read_parquet(edge)
    edges["owner"] = edges["child_id"].str.split("/").str[0]
    parents = edges.groupby("parent_id").agg(
        child_count=("child_id", "size"), owner_count=("owner", "nunique")
    )
    counts = pd.crosstab(edges["parent_id"], edges["relation"]).reindex(
        columns=["finetune", "adapter", "quantized", "merge", "unknown"], fill_value=0
    )
    table = parents[["child_count"]].join(counts).join(parents[["owner_count"]]).reset_index()
    ordered = table.sort_values(["child_count", "parent_id"], ascending=[False, True])
    return [tuple(row) for row in ordered.head(20).to_numpy().tolist()]


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
    """Peak memory of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def show(step: str, seconds: float, what: str) -> None:
    """Print one row."""
    print(ROW.format(step, f"{seconds:.2f}" if seconds else "", what), flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m benchmarks.warehouse HOME WORK")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
