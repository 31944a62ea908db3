"""``python -m bench [--smoke] [--markdown]``: the table of docs/benchmarks.md."""

import asyncio
import os
import platform
import sys
from datetime import UTC, datetime

from bench.ground import prepared
from bench.measures import MEASURES, SMOKE, Line, Sizes


async def main(sizes: Sizes) -> list[Line]:
    """All measurements, one after the other, on one ground."""
    lines: list[Line] = []
    async with prepared() as ground:
        for measure in MEASURES:
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
    show(asyncio.run(main(SMOKE if "--smoke" in sys.argv[1:] else Sizes())))
