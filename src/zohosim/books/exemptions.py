"""Tax exemptions: why an item or a customer is not taxed. An item that is not taxable names one.

https://www.zoho.com/books/api/v3/taxes/#list-tax-exemptions-us-edition-only
"""

from zohosim.answers import Json
from zohosim.books.fields import Field, blanks, one_of, read, require, text
from zohosim.books.lists import Listing
from zohosim.books.records import Ledger, Row
from zohosim.books.resources import Module, Visit

FIELDS = (
    Field("tax_exemption_code", text(100)),
    Field("description", text(500)),
    Field("type", one_of("customer", "item")),
)
FIRST: tuple[tuple[str, str], ...] = (
    ("EXEMPT", "item"), ("NIL RATED", "item"), ("NON-GST SUPPLY", "item"), ("EXPORT", "customer"),
)  # fmt: skip
"""What an organisation has from the start. Assumed: real ones have what their people wrote."""


def open_exemptions(ledger: Ledger, first_id: int) -> None:
    for number, (code, kind) in enumerate(FIRST):
        row: Row = {
            "tax_exemption_id": str(first_id + 3 * number), **blanks(FIELDS), "tax_exemption_code": code, "type": kind,
            "type_formatted": kind.capitalize(), "created_time": ledger.now_text(),
            "last_modified_time": ledger.now_text(),
        }  # fmt: skip
        ledger.tables["taxexemptions"][row["tax_exemption_id"]] = row


def create(_seen: Visit, body: Json) -> Row:
    require(body, "tax_exemption_code", "type")
    return update(_seen, blanks(FIELDS), body)


def update(_seen: Visit, row: Row, body: Json) -> Row:
    changed = {**row, **read(body, FIELDS)}
    return {**changed, "type_formatted": changed["type"].capitalize()}


EXEMPTIONS = Module(
    name="taxexemptions", node="tax_exemption", entity="Tax Exemption", id_key="tax_exemption_id",
    listing=Listing("tax_exemptions", "Tax Exemptions", ("tax_exemption_code", "created_time")),
    create=create, update=update, created="Tax Exemption has been added.", saved="Tax Exemption has been updated.",
    removed="Tax Exemption has been deleted.",
)  # fmt: skip
