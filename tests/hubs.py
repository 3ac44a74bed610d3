"""Small hubs for tests: recordings written to disk and the warehouses that they become."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import orjson

from analysis.lineage import derive_lineage
from crawler.crawl import crawl
from crawler.localhub.running import running
from warehouse.build import build

Record = dict[str, Any]
# What differs between two crawls of the same hub by nature: when, by which run, in which file.
VOLATILE = {
    *("fetched_at", "observed_at", "first_seen_at", "last_seen_at", "built_at", "source"),
    *("raw_file", "run_id", "sweep_id", "noticed_at", "gone_at", "drawn_at"),
}
ABOUT_THE_CRAWL = {"crawl_run", "sweep", "answer"}


def model(repo_id: Any, *, card: str | None = None, **fields: Any) -> Record:
    """One line of a recording."""
    return {"model": {"id": repo_id, "tags": [], **fields}, "card": card}


def recording(folder: Path, lines: Iterable[Record]) -> Path:
    path = folder / "recording.jsonl"
    path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    return path


def crawled(home: Path, source: Path, **options: Any) -> Path:
    """Serve a recording, crawl it over HTTP into a home."""
    with running(source) as endpoint:
        crawl(home, endpoint=endpoint, **{"hub_name": "test", **options})
    return home


def built(home: Path, source: Path) -> duckdb.DuckDBPyConnection:
    """Serve, crawl, build; the published warehouse, opened."""
    crawled(home, source)
    return duckdb.connect(build(home, derive=derive_lineage), read_only=True)


def built_in_steps(raw: Path, home: Path, *, seed: int) -> Path:
    """A warehouse of the same raw files that come in three parts, in no order, a build for each."""
    names = sorted(str(path.relative_to(raw)) for path in raw.rglob("*.jsonl.zst"))
    random.Random(seed).shuffle(names)
    published = home
    for part in range(3):
        for name in names[part::3]:
            (home / "raw" / name).parent.mkdir(parents=True, exist_ok=True)
            os.link(raw / name, home / "raw" / name)
        published = build(home, derive=derive_lineage)
    return published


def relations(db: duckdb.DuckDBPyConnection) -> list[str]:
    rows = db.execute(
        "select table_name from information_schema.tables where table_schema = 'main'"
    ).fetchall()
    return sorted(name for (name,) in rows if name != "build")


def contents(db: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """Every relation as sorted rows of text, without what differs by nature."""
    out = {}
    for name in set(relations(db)) - ABOUT_THE_CRAWL:
        columns = [row[0] for row in db.execute(f"describe {name}").fetchall()]
        kept = [column for column in columns if column not in VOLATILE]
        rows = db.execute(f"select {', '.join(kept)} from {name}").fetchall()
        out[name] = sorted(map(repr, rows))
    return out


class OddHub:
    """A server in this process that answers as a function of the path says."""

    def __init__(self, answer):
        self.seen, self.card_asked = [], threading.Event()
        self.answer = answer
        odd = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                odd.seen.append({name.lower(): value for name, value in self.headers.items()})
                is_card = self.path.endswith("README.md")
                status, headers, body = odd.answer(is_card)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
                if is_card:
                    odd.card_asked.set()

            def log_message(self, *args):
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
