"""Imports: what came by another door than a crawl, as the same raw files.

An import is a sweep of its own kind. It is resumable: broken off and repeated with the same source,
it goes on behind the last page that it stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import chain, islice
from pathlib import Path
from typing import Any

import orjson

from crawler import CrawlError
from crawler.database import now
from crawler.doors import DoorRefused, Local
from crawler.doors.folder import folder
from crawler.doors.hf_cache import hf_cache
from crawler.doors.hub_stats import hub_stats
from crawler.doors.records import Missing, records
from crawler.hub import DEFAULT_ENDPOINT
from crawler.listed import hub_id, is_safe_id, listed
from crawler.raw import Envelope, envelope, write_raw
from crawler.restraint import Restraint
from crawler.run import Report, Tell, raw_path, record_runs_and_sweeps
from crawler.runs import Counted
from crawler.state import CrawlState
from crawler.sweeps import Sweep
from crawler.times import api_time

PAGE_SIZE = 1000
LOCAL_PAGE_SIZE = 16  # headers of weights are large


class NothingTakenIn(CrawlError):
    """A source holds lines, and none of them is a record that may be taken in."""


@dataclass(frozen=True)
class Answered:
    """A file of a model that an import brought along."""

    facet: str
    record: dict[str, Any]
    path: str
    kind: str | None
    content: bytes | None


@dataclass(frozen=True)
class Page:
    """A page of records, each as JSON text, and what files came with them."""

    records: list[str]
    answered: list[Answered] = field(default_factory=list)


@dataclass(frozen=True)
class Source:
    """Where an import comes from.

    Attributes
    ----------
    name
        For envelopes, ``import:…``; without the folders that lead to it.
    observed_at
        The time that its records tell of, UTC.
    hub_name
        The hub that its ids are of; None where they are of this machine.
    """

    name: str
    observed_at: str
    hub_name: str | None


@dataclass(frozen=True)
class Imported:
    """What an import brought; its text says so.

    Attributes
    ----------
    record_count
        Models taken in, each once.
    answer_count
        Files of theirs.
    refused_count
        Records that are none, or name no repo.
    withheld_count
        Records that are private or forgotten, and left out.
    """

    record_count: int = 0
    answer_count: int = 0
    refused_count: int = 0
    withheld_count: int = 0

    def __str__(self) -> str:
        models, files = _counted(self.record_count, "model"), _counted(self.answer_count, "file")
        if not any(astuple(self)):
            return "nothing taken in: there is nothing in it"
        return ", ".join([f"{models} and {files} taken in", *self.left_out])

    @property
    def left_out(self) -> list[str]:
        """How many records were not taken in, by reason."""
        counts = {"refused": self.refused_count, "private or forgotten": self.withheld_count}
        return [f"{count:,} {reason}" for reason, count in counts.items() if count]


def import_hub_stats(
    home: Path,
    path: Path,
    *,
    as_of: str | None = None,
    hub_name: str = DEFAULT_ENDPOINT,
    report: Report = lambda label, done, total: None,
    tell: Tell = lambda sentence: None,
) -> Imported:
    """Take in ``models.parquet`` of hub-stats.

    Raises `DoorRefused`, `NothingTakenIn`, `OtherHub`, `HomeBusy`.
    """
    pages = (Page([orjson.dumps(record).decode() for record in page]) for page in hub_stats(path))
    source = Source(f"import:{path.name}", _as_of(as_of, path), hub_name)
    return _take_in(home, source, pages, report)


def import_records(
    home: Path,
    path: Path,
    *,
    as_of: str | None = None,
    hub_name: str = DEFAULT_ENDPOINT,
    report: Report = lambda label, done, total: None,
    tell: Tell = lambda sentence: None,
) -> Imported:
    """Take in a file of API records.

    Raises `DoorRefused`, `NothingTakenIn`, `OtherHub`, `HomeBusy`.
    """
    source = Source(f"import:{path.name}", _as_of(as_of, path), hub_name)
    return _take_in(home, source, _pages_of_records(path, tell), report)


def import_folder(
    home: Path,
    path: Path,
    *,
    owner: str = "local",
    report: Report = lambda label, done, total: None,
    tell: Tell = lambda sentence: None,
) -> Imported:
    """Take in the model folders below a path; raises `DoorRefused`, `HomeBusy`."""
    source = Source(f"import:{path.resolve().name}", now(), None)
    return _take_in(home, source, _pages_of_models(folder(path, owner=owner, tell=tell)), report)


def import_hf_cache(
    home: Path,
    path: Path | None = None,
    *,
    hub_name: str = DEFAULT_ENDPOINT,
    report: Report = lambda label, done, total: None,
    tell: Tell = lambda sentence: None,
) -> Imported:
    """Take in huggingface_hub's cache; raises `DoorRefused`, `OtherHub`, `HomeBusy`.

    A cache does not say which hub its models came from: ``hub_name`` does.
    """
    source = Source("import:hf-cache", now(), hub_name)
    models = (_named_here(model) for model in hf_cache(path, tell=tell))
    return _take_in(home, source, _pages_of_models(models), report)


def _take_in(home: Path, source: Source, pages: Iterator[Page], report: Report) -> Imported:
    first = next(pages, None)  # before anything is made: a source that cannot be read leaves none
    if first is None:
        return Imported()
    state = CrawlState(home)
    try:
        with state.locked():
            if source.hub_name:
                state.claim_hub(source.hub_name)
            record_runs_and_sweeps(home, state, current=None)
            run_id = state.runs.start(source.name, ())
            imported = _Import(home, state, run_id, source, Restraint(state.forgotten()))
            return _taken(imported, chain([first], pages), report)
    finally:
        state.close()


def _taken(imported: _Import, pages: Iterable[Page], report: Report) -> Imported:
    outcome, state = "failed", imported.state
    try:
        listed_count = imported.take(pages, report)
        outcome = "complete"
    finally:
        state.runs.end(imported.run_id, outcome, Counted())
        record_runs_and_sweeps(imported.home, state, current=None)
    if not listed_count and not imported.done.withheld_count:
        where = imported.source.name.removeprefix("import:")
        why = ", ".join(imported.done.left_out) or "it holds no records"
        raise NothingTakenIn(f"nothing taken in from {where}: {why}; give API records, one a line")
    return imported.done


def _counted(count: int, name: str) -> str:
    return f"{count:,} {name}" if count == 1 else f"{count:,} {name}s"


@dataclass
class _Import:
    """One import under way."""

    home: Path
    state: CrawlState
    run_id: int
    source: Source
    restraint: Restraint
    done: Imported = field(default_factory=Imported)

    def take(self, pages: Iterable[Page], report: Report) -> int:
        """Take in all pages; returns how many models the import lists, resumed ones included."""
        sweep = self._sweep()
        for page in islice(pages, sweep.page_count, None):
            self._store(sweep, page)
            report("importing", self.done.record_count, None)
        self.state.sweeps.end(sweep, "complete")
        report("importing", self.done.record_count, self.done.record_count)
        return sweep.listed_count

    def _sweep(self) -> Sweep:
        # One source at one time: another file under the same name is another import.
        about = f"{self.source.name} {self.source.observed_at}"
        return self.state.sweeps.open_import(about) or self.state.sweeps.start(
            "import", "page 0", endpoint=about, watermark_at=self.source.observed_at
        )

    def _store(self, sweep: Sweep, page: Page) -> None:
        name = f"{sweep.sweep_id:05d}-{sweep.page_count:06d}"
        text = "[" + ",".join(page.records) + "]"
        body, kept, withheld = self.restraint.sifted(text.encode())
        self._write("model", name, [self._listing(body, sweep, withheld)])
        answered = [one for one in page.answered if not self.restraint.withholds(one.record)]
        for facet in sorted({one.facet for one in answered}):
            envelopes = [self._envelope(one) for one in answered if one.facet == facet]
            self._write(facet, f"import-{name}", envelopes)
        models = [listed(record) for record in kept if is_safe_id(record.get("id"))]
        taken = self.state.sweeps.record_page(
            sweep,
            run_id=self.run_id,
            next_path=f"page {sweep.page_count + 1}",
            listed=models,
            settled=_settled(answered),
        )
        self.done = Imported(
            self.done.record_count + taken.listed,
            self.done.answer_count + len({(one.record["id"], one.path) for one in answered}),
            self.done.refused_count + len(page.records) - withheld - len(models),
            self.done.withheld_count + withheld,
        )

    def _write(self, facet: str, name: str, envelopes: list[Envelope]) -> None:
        path = raw_path(self.home, facet, name)
        if not path.exists():  # else a crash came between the file and the state
            write_raw(path, envelopes)

    def _listing(self, body: bytes, sweep: Sweep, withheld: int) -> Envelope:
        more = {"sweep_id": sweep.sweep_id, "next_path": None, "withheld": withheld}
        return envelope(body, facet="model", **more, **self._provenance(body, 200))

    def _envelope(self, one: Answered) -> Envelope:
        content = one.content or b""
        record, status = one.record, 404 if one.content is None else 200
        sha = str(record.get("sha") or "main")
        return envelope(
            content,
            facet=one.facet,
            repo_id=record["id"],
            revision=sha,
            page=0,
            path=one.path,
            failure=None if status == 200 else "entry-missing",
            **({"kind": one.kind, "span": [0, len(content)]} if one.kind else {}),
            **{**self._provenance(content, status), "repo_commit": record.get("sha")},
        )

    def _provenance(self, body: bytes, status: int) -> dict[str, Any]:
        return {
            "run_id": self.run_id,
            "url": self.source.name,
            "final_url": None,
            "endpoint": self.source.hub_name,
            "status": status,
            "etag": None,
            "repo_commit": None,
            "error_code": None,
            "fetched_at": self.source.observed_at,
            "body_sha256": hashlib.sha256(body).hexdigest(),
            "client": f"hubatlas/{version('hubatlas')}",
            "query_file": False,
        }


def _pages_of_records(path: Path, tell: Tell) -> Iterator[Page]:
    lines = records(path)
    while taken := list(islice(lines, PAGE_SIZE)):
        for line in taken:
            if line.refusal:
                tell(f"{path.name}: line {line.number}: {line.refusal}")
        cards = [(orjson.loads(line.record), line.card) for line in taken if not line.refusal]
        answered = [
            Answered("card", record, "README.md", None, None if card is None else card.encode())
            for record, card in cards
            if not isinstance(card, Missing) and is_safe_id(record.get("id"))
        ]
        yield Page([line.record for line in taken], answered)


def _pages_of_models(models: Iterator[Local]) -> Iterator[Page]:
    while taken := list(islice(models, LOCAL_PAGE_SIZE)):
        answered = [one for model in taken for one in _files(model)]
        yield Page([orjson.dumps(model.record).decode() for model in taken], answered)


def _named_here(model: Local) -> Local:
    # The Hub's own id is not in a cache, and a copy must not pass for what the Hub lists.
    made_up = hashlib.sha1(model.record["id"].encode(), usedforsecurity=False).hexdigest()
    return replace(model, record={"_id": f"local-{made_up}", **model.record})


def _files(model: Local) -> Iterator[Answered]:
    if model.card is not None:
        yield Answered("card", model.record, "README.md", None, model.card)
    for facet, path, kind, content in model.files:
        yield Answered(facet, model.record, path, kind, content)


def _settled(answered: list[Answered]) -> dict[str, list[str]]:
    settled: dict[str, list[str]] = {}
    for one in answered:
        settled.setdefault(one.facet, []).append(hub_id(one.record))
    return settled


def _as_of(stated: str | None, path: Path) -> str:
    if stated is None:
        if not path.is_file():
            raise DoorRefused(f"{path} is no file")
        return api_time(datetime.fromtimestamp(path.stat().st_mtime, UTC))
    try:
        return api_time(datetime.fromisoformat(stated))
    except ValueError:
        raise DoorRefused(f"{stated!r} is no time; give one like 2026-11-01") from None
