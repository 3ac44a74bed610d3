"""Crawling a sample: drawn once from what a sweep listed, stored, then fetched above all else."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import orjson

from crawler.database import now, transaction
from crawler.facets import enqueue_of
from crawler.queue import SAMPLED
from crawler.raw import body_of, envelope, read_raw, write_raw
from crawler.run import Run
from crawler.sweeps import Sweep

if TYPE_CHECKING:
    from crawler.sampling import Allocation, Frame


@dataclass(frozen=True)
class SampleRequest:
    """How to sample: how many models, by which strata, and by which allocation.

    Attributes
    ----------
    size
        Models to draw.
    strata
        Names out of `crawler.sampling.STRATA`.
    allocation
        ``proportional`` to the strata's sizes, or ``neyman``: to size times deviation of the
        target, log(1 + downloads).
    seed
        The same seed draws the same sample of the same listing.
    """

    size: int
    strata: tuple[str, ...]
    allocation: Allocation = "proportional"
    seed: int = 0

    @property
    def as_text(self) -> str:
        """What the state remembers it by."""
        return orjson.dumps(asdict(self), option=orjson.OPT_SORT_KEYS).decode()


def is_unfetched(run: Run, request: SampleRequest) -> bool:
    """Whether this very sample was drawn last and is not all fetched yet."""
    row = run.state.db.execute(
        "select request from sample order by sample_id desc limit 1"
    ).fetchone()
    drawn = row is not None and row[0] == request.as_text
    return drawn and run.state.queue.has_open(run.facets, least_priority=SAMPLED)


def queue_sample(run: Run, sweep: Sweep, request: SampleRequest) -> None:
    """Draw a sample of what the sweep listed, store it, and queue its facets.

    Raises `crawler.sampling.SampleTooSmall`.
    """
    if is_unfetched(run, request):
        return
    db = run.state.db
    sample_id = db.execute("select coalesce(max(sample_id), 0) + 1 from sample").fetchone()[0]
    path = run.raw_path("sample", f"{sample_id:05d}")
    if not path.exists():  # else a crash came between the file and the state
        told = _drawn(run, sweep, request, sample_id)
        write_raw(
            path,
            [
                envelope(
                    orjson.dumps(told),
                    facet="sample",
                    run_id=run.run_id,
                    fetched_at=told["drawn_at"],
                )
            ],
        )
    members = orjson.loads(body_of(next(read_raw(path))))["members"]
    with transaction(db, "sample"):
        db.execute(
            "insert into sample values (?, ?, ?)", (sample_id, sweep.sweep_id, request.as_text)
        )
        run.state.sweeps.list_repos(repo_id for repo_id, *_ in members)
        run.state.queue.add(enqueue_of(run.facets, sweep.sweep_id, raised=SAMPLED))


def _drawn(run: Run, sweep: Sweep, request: SampleRequest, sample_id: int) -> dict[str, object]:
    # Only here: numpy and pandas are half of what a crawl without a sample keeps in memory.
    from crawler.sampling import as_json, draw_sample

    frame = _frame(run, sweep)
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

    from crawler.sampling import Frame, cohort, popularity_class, size_class

    rows = run.state.db.execute(
        "select repo_id, coalesce(pipeline_tag, 'unknown'), parameter_count, storage_bytes,"
        " downloads, created_at from repo where gone = 0 and last_sweep >= ? order by repo_id",
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
