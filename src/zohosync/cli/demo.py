"""The command that shows everything on a bare machine."""

import asyncio
import logging
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

from zohosync.cli import screen
from zohosync.cli.installation import AsJson
from zohosync.cli.logging import configure_logging
from zohosync.cli.signals import INTERRUPTED, deferring, interrupting, stopping, uninterrupted
from zohosync.demo.books_window import organisation_of
from zohosync.demo.embedded import Cluster, embedded_cluster
from zohosync.demo.stage import EMAIL, STEPS, Ports, Stage, open_stage
from zohosync.demo.story import STORY, Verdict, play
from zohosync.errors import SettingsRefused

TOUR = """[bold]What to click[/]
1. Storefront → Checkout: buy, and pay in pretence. The invoice is in Books.
2. The same cart for another state, for a firm with a GSTIN: see the taxes.
3. Console → Log: open an operation, and from there its record: shop and
   Books face to face, with the corrections it takes.
4. Storefront → Administration: approve a quote, refund an order.
5. There, take the rate of AQ-PRB-1KG away and sell it: the order is held, and
   goes through when 18 is back.
6. Local Zoho → choose a fault, register somebody, and watch the retries.
7. Local Books → lock the books, buy; open them, Console → Sync now."""


def demo(
    check: Annotated[bool, typer.Option("--check", help="Play the story, judge every criterion, and exit.")] = False,
    as_json: AsJson = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the console; 0 picks a free one.")] = 0,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data", metavar="DIR", help="Keep the database in this empty folder afterwards.", show_default=False
        ),
    ] = None,
) -> None:
    """Run a shop, a local Zoho, worker and console on this machine, and play the acceptance story."""
    configure_logging("json" if as_json else "console", level=logging.ERROR)  # the story tells of failures itself
    with interrupting(), ExitStack() as stack:
        folder = stack.enter_context(_folder(data))
        with screen.progress("Starting Postgres"), deferring():
            cluster = stack.enter_context(embedded_cluster(folder / "postgres"))
        with uninterrupted():
            passed = asyncio.run(_demo(cluster, folder if data is None else None, Ports(console=port), check, as_json))
    if not passed:
        raise typer.Exit(1)


@contextmanager
def _folder(data: Path | None) -> Iterator[Path]:
    """A temporary folder that is gone afterwards, or the one that was named."""
    if data is not None:
        if data.exists() and (not data.is_dir() or any(data.iterdir())):
            raise SettingsRefused(f"{data} is not an empty folder.", hint="Choose another, or leave --data out.")
        data.mkdir(parents=True, exist_ok=True)
        yield data
        return
    folder = Path(tempfile.mkdtemp(prefix="zohosync-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _demo(cluster: Cluster, scratch: Path | None, ports: Ports, check: bool, as_json: bool) -> bool:
    """Whether every criterion holds. Without ``check`` it stays until it is told to stop."""

    def leave_nothing() -> None:
        if cluster.pid is not None:
            os.kill(cluster.pid, signal.SIGQUIT)  # Postgres calls it the immediate shutdown
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)
        os._exit(INTERRUPTED)

    verdicts: list[Verdict] = []
    with stopping(leave_nothing) as stop:
        performing = asyncio.create_task(_perform(cluster, ports, verdicts, stay=not check, as_json=as_json))
        told = asyncio.create_task(stop.wait())
        await asyncio.wait({performing, told}, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        if performing.done():
            performing.result()
        else:
            performing.cancel()
            await asyncio.gather(performing, return_exceptions=True)
    if len(verdicts) < len(STORY):
        raise KeyboardInterrupt
    return all(verdict.passed for verdict in verdicts)


async def _perform(cluster: Cluster, ports: Ports, verdicts: list[Verdict], *, stay: bool, as_json: bool) -> None:
    """Set up, play, show; then, with ``stay``, wait to be cancelled."""
    async with AsyncExitStack() as stack:
        with screen.progress("Starting", STEPS) as announce:
            stage = await stack.enter_async_context(open_stage(cluster, announce=announce, ports=ports))
        async for verdict in play(stage, STORY):
            verdicts.append(verdict)
            if not as_json:
                mark = "PASS" if verdict.passed else "FAIL"
                screen.show(f"{mark} {verdict.sentence} — {verdict.evidence}")
        if as_json:
            screen.show_json([asdict(verdict) for verdict in verdicts])
        else:
            held = sum(verdict.passed for verdict in verdicts)
            screen.show(f"{held} of {len(verdicts)} criteria hold.")
        if stay:
            _welcome(stage)
            await asyncio.Event().wait()


def _welcome(stage: Stage) -> None:
    lines = [
        f"Storefront    {stage.storefront_url}/",
        f"Console       {stage.console_url}/",
        f"  sign in as  {EMAIL}  {stage.password}",
        f"Local Zoho    {stage.zohosim_url}/",
        f"Local Books   {stage.zohosim_url}/organisations/{organisation_of(stage.simulator).id}",
    ]
    text = "\n".join(escape(line) for line in lines)
    Console(stderr=True).print(Panel(f"{text}\n\n{TOUR}", title="zohosync demo", subtitle="Ctrl-C stops and cleans up"))
