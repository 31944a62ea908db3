"""``python -m bench [--smoke] [measure ...]``: the table of docs/benchmarks.md, or some of its measures."""

import asyncio
import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from bench.figures import SMOKE, Line, Sizes
from bench.ground import prepared
from bench.measures import MEASURES, Measure


async def main(sizes: Sizes, measures: Sequence[Measure]) -> list[Line]:
    """The measurements, one after the other, on one ground."""
    lines: list[Line] = []
    async with prepared() as ground:
        for measure in measures:
            print(f"… {measure.__name__}", file=sys.stderr, flush=True)
            lines += await measure(ground, sizes)
    return lines


def show(lines: list[Line]) -> None:
    """The table, in Markdown, which also reads well in a terminal."""
    print(f"\n{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    print("| measure | seen | aim | |\n|---|---:|---:|---|")
    for line in lines:
        verdict = {True: "met", False: "missed", None: ""}[line.met]
        print(f"| {line.what} | {line.seen} | {line.aim} | {verdict} |")


if __name__ == "__main__":
    named = [name for name in sys.argv[1:] if not name.startswith("--")]
    chosen = [measure for measure in MEASURES if not named or measure.__name__ in named]
    show(asyncio.run(main(SMOKE if "--smoke" in sys.argv[1:] else Sizes(), chosen)))
