"""Commands about HSN codes and GST rates: out of the shop as a sheet, and back."""

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from zohosync.cli import screen
from zohosync.cli.installation import AsJson
from zohosync.cli.operations import actor
from zohosync.config import load_settings
from zohosync.db.address import reach
from zohosync.errors import SettingsRefused
from zohosync.store import audit
from zohosync.store.installation import read_installation
from zohosync.store.policies import read_policies
from zohosync.store.rates import Goods, TaxData, list_goods, set_tax_data
from zohosync.sync.books.policies import parse_policies
from zohosync.sync.rates import RatePlan, SheetRow, Verdict, plan_rates, write_sheet

File = Annotated[
    Path | None, typer.Argument(metavar="[FILE]", help="Where to; without, the screen.", show_default=False)
]
Sheet = Annotated[Path, typer.Argument(metavar="FILE", help="The sheet, as CSV.", show_default=False)]
Apply = Annotated[bool, typer.Option("--apply", help="Write it. Without, only what would be written is told.")]


def export(file: File = None) -> None:
    """Write HSN code, GST rate and tax category of every SKU as CSV."""
    text = write_sheet(asyncio.run(_goods(load_settings().require_database())))
    if file is None:
        typer.echo(text, nl=False)
        return
    try:
        file.write_text(text, encoding="utf-8-sig")  # so that Excel reads names as they are
    except OSError as error:
        raise SettingsRefused(f"{file} cannot be written: {error.strerror}.", hint="Choose another file.") from error
    screen.remark(f"{text.count(chr(10)) - 1} SKUs are in {file}. Fill it in, then: zohosync rates import {file}")


async def _goods(url: str) -> list[Goods]:
    async with reach(url) as connection:
        await read_installation(connection)
        return await list_goods(connection)


def import_sheet(file: Sheet, apply: Apply = False, as_json: AsJson = False) -> None:
    """Take HSN codes, GST rates and tax categories from a sheet into the shop; shows first what would change."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise SettingsRefused(f"{file} cannot be read: {error.strerror}.", hint="Name a file that is there.") from error
    plan = asyncio.run(_import(load_settings().require_database(), data, apply, file.name))
    if as_json:
        screen.show_json({"applied": apply, "rows": [asdict(row) for row in plan.rows]})
    else:
        _tell(plan, apply)
    if plan.of(Verdict.REFUSED):
        raise typer.Exit(1)


async def _import(url: str, data: bytes, apply: bool, name: str) -> RatePlan:
    async with reach(url) as connection:
        await read_installation(connection)
        async with connection.transaction():
            policies = parse_policies(await read_policies(connection))
            plan = plan_rates(data, await list_goods(connection), rates=policies.rates)
            if apply and plan.writes:
                await set_tax_data(connection, plan.writes)
                changes = {
                    row.sku: {"before": _plain(row.before), "after": _plain(row.after)} for row in _changes(plan)
                }
                detail = {"file": name, "changes": changes}
                await audit.record(connection, actor=actor(), action="rates.import", entity="variant", detail=detail)
    return plan


def _changes(plan: RatePlan) -> list[SheetRow]:
    return plan.of(Verdict.NEW, Verdict.CHANGED)


def _plain(tax: TaxData | None) -> dict[str, str]:
    return {name: str(value) for name, value in asdict(tax).items() if value is not None} if tax else {}


def _tell(plan: RatePlan, applied: bool) -> None:
    if changes := _changes(plan):
        screen.show_table(
            "Written" if applied else "To be written",
            ("line", "sku", "name", "now", "before"),
            [(row.line, row.sku, row.name, _words(row.after), _words(row.before)) for row in changes],
            whole=("sku",),
        )
    if refused := plan.of(Verdict.REFUSED):
        screen.show_table(
            "Refused", ("line", "sku", "why"), [(r.line, r.sku, r.reason) for r in refused], whole=("sku",)
        )
    screen.show(", ".join(f"{len(plan.of(verdict))} {verdict}" for verdict in Verdict) + ".")
    if changes and not applied:
        screen.show("Nothing was changed; --apply writes it.")


def _words(tax: TaxData | None) -> str:
    if tax is None or tax == TaxData(None, None, None):
        return "nothing"
    rate = "no rate" if tax.gst_rate is None else f"{tax.gst_rate:f} %"
    return f"{tax.hsn_code or 'no HSN code'}, {rate}, {tax.tax_category or 'no category'}"
