"""Crawling a sample: drawn once from what a sweep listed, stored, then fetched above all else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from crawler import CrawlError
from crawler.database import now, transaction
from crawler.facets import enqueue_of
from crawler.known import list_repos
from crawler.plan import SampleRequest
from crawler.queue import SAMPLED
from crawler.raw import body_of, envelope, read_raw, write_raw
from crawler.run import Run
from crawler.sweeps import Sweep

if TYPE_CHECKING:
    from crawler.sampling import Frame

__all__ = ["NothingToSample", "SampleRequest", "queue_sample", "sampled_sweep"]


class NothingToSample(CrawlError):
    """The listing that a sample is to be drawn from holds no model."""


def sampled_sweep(run: Run, request: SampleRequest) -> int | None:
    """The sweep that this very sample was drawn from, if drawn last and not all fetched yet."""
    row = run.state.db.execute(
        "select request, sweep_id from sample order by sample_id desc limit 1"
    ).fetchone()
    if row is None or row[0] != request.as_text:
        return None
    has_open = run.state.queue.has_open(run.facets, least_priority=SAMPLED)
    return int(row[1]) if has_open else None


def queue_sample(run: Run, sweep: Sweep, request: SampleRequest) -> None:
    """Queue the facets of a sample of what the sweep listed; drawn and stored unless it has been.

    Raises `NothingToSample`.
    """
    sample_id, is_new = _numbered(run, sweep, request)
    path = run.raw_path("sample", f"{sample_id:05d}")
    if not path.exists():
        told = _drawn(run, sweep, request, sample_id)
        written = envelope(
            orjson.dumps(told), facet="sample", run_id=run.run_id, fetched_at=told["drawn_at"]
        )
        write_raw(path, [written])
    told = _read(path)
    run.say(_sentence(told))
    with transaction(run.state.db, "sample"):
        if is_new:
            run.state.db.execute(
                "insert into sample values (?, ?, ?)", (sample_id, sweep.sweep_id, request.as_text)
            )
        _lower_others(run)
        list_repos(run.state.db, (repo_id for repo_id, *_ in told["members"]))
        run.state.queue.add(enqueue_of(run.facets, sweep.sweep_id, raised=SAMPLED))


def _numbered(run: Run, sweep: Sweep, request: SampleRequest) -> tuple[int, bool]:
    """The number of a sample, and whether the state does not know it yet."""
    db = run.state.db
    row = db.execute(
        "select max(sample_id) from sample where sweep_id = ? and request = ?",
        (sweep.sweep_id, request.as_text),
    ).fetchone()
    if row[0] is not None:
        return int(row[0]), False
    sample_id = int(db.execute("select coalesce(max(sample_id), 0) + 1 from sample").fetchone()[0])
    # A crash came between the file and the state: it is taken if it is of the same request.
    while (path := run.raw_path("sample", f"{sample_id:05d}")).exists():
        if _is_of(request, _read(path)):
            break
        sample_id += 1
    return sample_id, True


def _is_of(request: SampleRequest, told: dict[str, Any]) -> bool:
    asked = [list(request.strata), request.allocation, request.seed]
    drawn = [told["strata"], told["allocation"], told["seed"]]
    return asked == drawn and told["sample_count"] == min(request.size, told["frame_count"])


def _lower_others(run: Run) -> None:
    """What is left of an earlier sample is wanted no more than all else."""
    run.state.db.execute(
        "update facet_queue set priority = priority - ?"
        " where facet_id in (select facet_id from facet) and state = 0 and priority >= ?",
        (SAMPLED, SAMPLED),
    )


def _read(path: Path) -> dict[str, Any]:
    told: dict[str, Any] = orjson.loads(body_of(next(read_raw(path))))
    return told


def _sentence(told: dict[str, Any]) -> str:
    strata, pooled = len(told["stratum"]), len(told.get("pooled", ()))
    drawn = (
        f"sample {told['sample_id']} draws {told['sample_count']:,} of {told['frame_count']:,}"
        f" models from {strata:,} {'stratum' if strata == 1 else 'strata'}"
    )
    return f"{drawn}; {pooled:,} too small for it are pooled into one" if pooled else drawn


def _drawn(run: Run, sweep: Sweep, request: SampleRequest, sample_id: int) -> dict[str, Any]:
    # Only here: numpy and pandas are half of what a crawl without a sample keeps in memory.
    from crawler.sampling import as_json, draw_sample

    frame = _frame(run, sweep)
    if not len(frame.repo_id):
        raise NothingToSample("the listing holds no models: there is nothing to draw a sample of")
    sample = draw_sample(
        frame,
        size=request.size,
        strata=request.strata,
        allocation=request.allocation,
        seed=request.seed,
    )
    return as_json(sample, frame, sample_id=sample_id, drawn_at=now(), target="log1p downloads")


def _frame(run: Run, sweep: Sweep) -> Frame:
    import numpy as np

    from crawler.sampling import Frame
    from crawler.strata import cohort, popularity_class, size_class

    # A name may have passed from one repo to another since: the later one bears it.
    rows = run.state.db.execute(
        "select repo_id, coalesce(pipeline_tag, 'unknown'), parameter_count, storage_bytes,"
        " downloads, created_at from (select *, row_number() over (partition by repo_id"
        " order by last_sweep desc, repo_key desc) as place from repo"
        " where gone = 0 and last_sweep >= ?) where place = 1 order by repo_id",
        (sweep.sweep_id,),
    ).fetchall()
    ids, tasks, parameters, storage, downloads, created = (
        zip(*rows, strict=True) if rows else [()] * 6
    )
    columns = {
        "pipeline_tag": np.array(tasks, dtype=object),
        "size": np.array(list(map(size_class, parameters, storage)), dtype=object),
        "popularity": np.array(list(map(popularity_class, downloads)), dtype=object),
        "cohort": np.array(list(map(cohort, created)), dtype=object),
    }
    counts = np.array([count or 0 for count in downloads], dtype=float)
    return Frame(np.array(ids, dtype=object), columns, np.log1p(np.maximum(counts, 0)))
