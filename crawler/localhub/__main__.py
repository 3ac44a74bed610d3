"""``python -m crawler.localhub SOURCE``: serve a shelf folder or a recording on loopback."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from crawler.localhub.faults import FAULTS
from crawler.localhub.running import READY, HubNotStarted, serve
from crawler.localhub.shelf import ShelfError


def main(arguments: list[str] | None = None) -> int:
    """Serve until ended; 0, 1 for an error told in one line on stderr, 130 for Ctrl-C."""
    options = _parser().parse_args(arguments)
    quotas = {} if options.api_quota is None else {"api": options.api_quota}
    try:
        serve(
            options.source,
            port=options.port,
            mode=options.mode,
            on_ready=_say,
            quotas=quotas,
            until_stdin_ends=options.until_stdin_ends,
        )
    except (HubNotStarted, ShelfError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _say(endpoint: str) -> None:
    sys.stdout.write(f"{READY}{endpoint}\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m crawler.localhub", description=__doc__)
    parser.add_argument("source", type=Path, help="shelf folder, .jsonl or .jsonl.zst recording")
    parser.add_argument("--port", type=int, default=0, help="0 (the default) takes a free one")
    parser.add_argument("--mode", choices=FAULTS, default="plain", help="how the hub goes wrong")
    parser.add_argument("--api-quota", type=int, help="requests to /api in 300 s before 429")
    parser.add_argument(
        "--until-stdin-ends", action="store_true", help="end as well when stdin does"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
