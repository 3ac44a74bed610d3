"""``python -m crawler.localhub SOURCE``: serve a shelf folder or a recording on loopback."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from crawler.localhub.faults import FAULTS
from crawler.localhub.ratelimit import UNHURRIED, WINDOW_SECONDS
from crawler.localhub.running import READY, HubNotStarted, quota_flag, serve
from crawler.localhub.shelf import ShelfError
from crawler.localhub.spoilers import Dice


def main(arguments: list[str] | None = None) -> int:
    """Serve until ended; 0, 1 for an error told in one line on stderr, 130 for Ctrl-C."""
    options = _parser().parse_args(arguments)
    asked = {bucket: getattr(options, bucket) for bucket in UNHURRIED}
    try:
        serve(
            options.source,
            port=options.port,
            mode=options.mode,
            on_ready=_say,
            quotas={bucket: quota for bucket, quota in asked.items() if quota is not None},
            window_s=options.window,
            dice=Dice(options.seed, options.fault_share),
            times=options.times,
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
    modes = "\n".join(f"  {name:<20}{fault.does}" for name, fault in FAULTS.items())
    parser = argparse.ArgumentParser(
        prog="python -m crawler.localhub",
        description=__doc__,
        epilog=f"modes:\n{modes}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("source", type=Path, help="shelf folder, .jsonl or .jsonl.zst recording")
    add("--port", type=int, default=0, help="0 (the default) takes a free one")
    add("--mode", choices=FAULTS, default="plain", metavar="MODE", help="how the hub goes wrong")
    for bucket in UNHURRIED:
        add(
            quota_flag(bucket),
            dest=bucket,
            type=int,
            help=f"{bucket} requests in a window before 429",
        )
    add("--window", type=_positive, default=WINDOW_SECONDS, help="length of a window in seconds")
    add("--fault-share", type=_share, default=Dice.fault_share, help="of a storm: 0 to 1")
    add("--seed", type=int, default=Dice.seed, help="of a storm, and of records that move")
    add("--times", type=_positive, default=1, help="serve every repo this many times over")
    add("--until-stdin-ends", action="store_true", help="end as well when stdin does")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _share(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 1:
        raise ValueError
    return number


if __name__ == "__main__":
    sys.exit(main())
