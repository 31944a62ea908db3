"""Settings › HSN and rates: a sheet pasted in, looked at, and taken into the shop."""

from dataclasses import asdict

from starlette.responses import Response

from zohosync.console.gate import Visit
from zohosync.console.refusing import refusing
from zohosync.db.pool import Connection
from zohosync.errors import SettingsRefused
from zohosync.store import audit
from zohosync.store.policies import read_policies
from zohosync.store.rates import TaxData, list_goods, set_tax_data
from zohosync.sync.books.corrections import judge_again
from zohosync.sync.books.policies import parse_policies
from zohosync.sync.rates import RatePlan, Verdict, plan_rates, write_sheet

PATH = "/settings/rates"
LARGEST_SHEET = 1024 * 1024


async def rates_page(visit: Visit) -> Response:
    """What the shop says of its goods, as a sheet to copy, and the form to paste one."""
    async with visit.console.reach() as connection:
        goods = await list_goods(connection)
    lacking = sum(one.tax.hsn_code is None or one.tax.gst_rate is None for one in goods)
    return visit.page(
        "rates.html", plan=None, sheet=write_sheet(goods), total=len(goods), lacking=lacking, words=_words
    )


@refusing
async def import_rates(visit: Visit) -> Response:
    """Shows what would change; with ``apply``, writes it."""
    sheet = visit.form.get("sheet", "")
    if not sheet.strip():
        raise SettingsRefused("The form came without a sheet.", hint="Copy it out of your spreadsheet and paste it.")
    wanted = visit.form.get("apply") == "yes"
    async with visit.console.reach() as connection, connection.transaction():
        policies = parse_policies(await read_policies(connection))
        plan = plan_rates(sheet.encode(), await list_goods(connection), rates=policies.rates)
        if wanted and plan.writes:
            await set_tax_data(connection, plan.writes)
            await _write_down(visit, connection, plan)
            await judge_again(connection)
    if wanted:
        return visit.go(PATH, "rates.")
    return visit.page("rates.html", plan=plan, sheet=sheet, total=0, lacking=0, words=_words)


async def _write_down(visit: Visit, connection: Connection, plan: RatePlan) -> None:
    changes = {
        row.sku: {"before": _plain(row.before), "after": _plain(row.after)}
        for row in plan.of(Verdict.NEW, Verdict.CHANGED)
    }
    detail = {"file": "pasted", "changes": changes}
    await audit.record(connection, actor=visit.user, action="rates.import", entity="variant", detail=detail)


def _plain(tax: TaxData | None) -> dict[str, str]:
    return {name: str(value) for name, value in asdict(tax).items() if value is not None} if tax else {}


def _words(tax: TaxData | None) -> str:
    if tax is None or tax == TaxData(None, None, None):
        return "nothing"
    rate = "no rate" if tax.gst_rate is None else f"{tax.gst_rate:f} %"
    return f"{tax.hsn_code or 'no HSN code'}, {rate}, {tax.tax_category or 'no category'}"
