"""The currencies of an organisation: its own, and what else it may write documents in.

https://www.zoho.com/books/api/v3/currency/
"""

from typing import TYPE_CHECKING

from zohosim.answers import Answer, Json
from zohosim.books import lists, records
from zohosim.books.answers import told
from zohosim.books.lists import Listing, everything
from zohosim.books.organisations import Organisation
from zohosim.calls import Call

if TYPE_CHECKING:
    from zohosim.simulator import Simulator

NAMES = {"INR": ("Indian Rupee", "₹"), "USD": ("US Dollar", "$"), "EUR": ("Euro", "€"), "GBP": ("Pound Sterling", "£")}
"""Names and signs; any other currency is called by its code."""

LISTING = Listing(
    "currencies", "Currencies", ("currency_name", "currency_code"),
    filters={"Currencies.All": everything, "Currencies.ExcludeBaseCurrency": lambda row: not row["is_base_currency"]},
    default_filter="Currencies.All",
)  # fmt: skip


def currencies(organisation: Organisation) -> list[Json]:
    """The organisation's own first."""
    base = organisation.seed.currency_code
    codes = dict.fromkeys([base, "INR", "USD", "EUR", "GBP"])
    return [currency(organisation, number, code) for number, code in enumerate(codes)]


def currency(organisation: Organisation, number: int, code: str) -> Json:
    name, sign = NAMES.get(code, (code, code))
    return {
        "currency_id": str(organisation.prefix + 64 + 2 * number), "currency_code": code, "currency_name": name,
        "currency_symbol": sign, "price_precision": 2, "is_base_currency": number == 0,
        "currency_format": "##,##,##0.00" if code == "INR" else "#,###.00",
        "exchange_rate": 0.0, "effective_date": "",
    }  # fmt: skip


def list_currencies(sim: "Simulator", call: Call) -> Answer:
    rows = lists.chosen(call, LISTING, currencies(sim.books.organisation_of(call)))
    return lists.page(call, LISTING, rows, dict)


def get_currency(sim: "Simulator", call: Call) -> Answer:
    wanted = call.path_params["id"]
    found = next((row for row in currencies(sim.books.organisation_of(call)) if row["currency_id"] == wanted), None)
    if found is None:
        raise records.no_such(sim, "Currency")
    return told(currency=found)
