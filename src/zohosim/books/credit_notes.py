"""Credit notes: made like invoices, applied to them, paid back; what is open brings stock back.

https://www.zoho.com/books/api/v3/credit-notes/
"""

from decimal import Decimal

from zohosim.answers import Json
from zohosim.books import documents, movements, settlements
from zohosim.books.documents import STATE, Kind
from zohosim.books.fields import Field, flag, invalid, require
from zohosim.books.lists import Listing, everything, status_is
from zohosim.books.movements import Effect
from zohosim.books.numbers import number_of
from zohosim.books.records import Row, shown
from zohosim.books.refunds import Source
from zohosim.books.refusals import unseen
from zohosim.books.resources import Module, Visit
from zohosim.books.settlements import CREDIT
from zohosim.books.stock import Cause
from zohosim.books.totals import ZERO

KIND = Kind(
    "creditnotes", "Credit note", "CN", "creditnote_number", (Field("is_draft", flag, blank=False),), "Date"
)  # fmt: skip
REFUNDS = "creditnote_refunds"


def create(seen: Visit, body: Json) -> Row:
    require(body, "customer_id", "date", "line_items")
    row = documents.drafted(seen, KIND, body)
    check_origins(seen, row)
    drafted = row.pop("is_draft") or seen.organisation.preferences.needs_approval("creditnotes")
    row |= {STATE: "draft" if drafted else "open", "invoice_id": credited_invoice(seen)}
    row["creditnote_number"] = number_of(seen, KIND, body, row, None)
    return row


def credited_invoice(seen: Visit) -> str:
    """The invoice that the query says is credited."""
    wanted = seen.call.params.get("invoice_id", "")
    if wanted and seen.ledger.find("invoices", wanted) is None:
        raise invalid("invoice_id")
    return wanted


def check_origins(seen: Visit, row: Row) -> None:
    """Lines may name the line of an invoice they take back; it has to be there."""
    for line in row["line_items"]:
        if line.get("invoice_id"):
            invoice = seen.ledger.find("invoices", line["invoice_id"])
            if invoice is None or invoice["customer_id"] != row["customer_id"]:
                raise invalid("invoice_id")
            known = {one["line_item_id"] for one in invoice["line_items"]}
            if line.get("invoice_item_id") and line["invoice_item_id"] not in known:
                raise invalid("invoice_item_id")


def update(seen: Visit, row: Row, body: Json) -> Row:
    if row[STATE] == "void":
        raise unseen("A void credit note cannot be changed.")
    after = documents.drafted(seen, KIND, body, row)
    check_origins(seen, after)
    after.pop("is_draft", None)
    if after["total"] < settlements.used(seen.ledger, CREDIT, row["creditnote_id"]):
        raise unseen("The total of a credit note cannot be less than what is used of it.")
    movements.check(seen, effect(row), effect(after))
    after["creditnote_number"] = number_of(seen, KIND, body, after, row)
    return after


def available(row: Row) -> Decimal:
    """What is left to apply or pay back; nothing of one that is not open."""
    left: Decimal = row["balance"]
    return left if row[STATE] == "open" else ZERO


def effect(row: Row) -> Effect:
    return movements.of_lines(row, 1) if row[STATE] == "open" else movements.NOTHING


def cause(row: Row) -> Cause:
    return Cause("creditnotes", row["creditnote_id"], row["date"])


def stored(seen: Visit, row: Row, before: Row | None) -> None:
    movements.book(seen, effect(before) if before else movements.NOTHING, effect(row), cause(row))
    settlements.resum(seen.ledger, CREDIT, row["creditnote_id"])
    if before is None and seen.sim.switches["books_credit_lines_apply"]:
        apply_to_origins(seen, row)
    refresh(row)


def apply_to_origins(seen: Visit, row: Row) -> None:
    """As the web face does with a credit note made from an unpaid invoice."""
    named = dict.fromkeys([row["invoice_id"], *(line.get("invoice_id", "") for line in row["line_items"])])
    for invoice_id in filter(None, named):
        invoice = seen.ledger.tables["invoices"][invoice_id]
        part = min(available(row), invoice["balance"]) if invoice[STATE] == "sent" else ZERO
        settlements.apply(seen.ledger, CREDIT, row, {invoice_id: part})


def delete(seen: Visit, row: Row) -> None:
    if settlements.used(seen.ledger, CREDIT, row["creditnote_id"]):
        raise unseen("A credit note that is applied or refunded cannot be deleted.")
    movements.check(seen, effect(row), movements.NOTHING)
    movements.book(seen, effect(row), movements.NOTHING, cause(row))


def refresh(row: Row) -> None:
    row["status"] = "closed" if row[STATE] == "open" and row["balance"] <= ZERO else row[STATE]


def detail(seen: Visit, row: Row) -> Json:
    refresh(row)
    paid_back = settlements.refunded(seen.ledger, CREDIT, row["creditnote_id"])
    credited = invoices_credited(seen, row)
    return {
        **shown(row),
        "invoices_credited": credited, "total_refunded_amount": paid_back,
        "invoices": [
            {"invoice_id": one["invoice_id"], "invoice_number": one["invoice_number"], "amount": one["credited_amount"]}
            for one in credited
        ],
        "total_credits_used": settlements.applied(seen.ledger, CREDIT, row["creditnote_id"]),
        "creditnote_refunds": [
            shown(refund) for refund in seen.ledger.rows(REFUNDS) if refund[CREDIT] == row["creditnote_id"]
        ],
        "updated_time": row["last_modified_time"],
    }  # fmt: skip


def invoices_credited(seen: Visit, row: Row) -> list[Json]:
    invoices = seen.ledger.tables["invoices"]
    return [
        {
            "creditnote_id": row["creditnote_id"], "creditnote_invoice_id": one["id"],
            "creditnotes_invoice_id": one["id"], "creditnote_number": row["creditnote_number"],
            "invoice_id": one["invoice_id"], "invoice_number": invoices[one["invoice_id"]]["invoice_number"],
            "date": one["date"], "credited_amount": one["amount"], "amount_applied": one["amount"],
        }
        for one in settlements.of(seen.ledger, CREDIT, row["creditnote_id"])
    ]  # fmt: skip


IN_LIST = (
    "creditnote_id", "creditnote_number", "status", "reference_number", "date", "total", "balance", "customer_id",
    "customer_name", "currency_id", "currency_code", "created_time", "last_modified_time", "location_id", "branch_id",
)  # fmt: skip


def in_list(_seen: Visit, row: Row) -> Json:
    return {key: row[key] for key in IN_LIST}


def of_today(seen: Visit) -> list[Row]:
    rows = list(seen.ledger.rows("creditnotes"))
    for row in rows:
        refresh(row)
    return rows


CREDIT_NOTES = Module(
    "creditnotes", "creditnote", "Credit note", "creditnote_id",
    Listing(
        key="creditnotes", report_name="Credit Notes",
        sort_columns=("created_time", "customer_name", "creditnote_number", "date", "total", "balance",
                      "last_modified_time"),
        sort_order="D", texts=("creditnote_number", "reference_number", "customer_name", "item_name",
                               "item_description"),
        numbers=("total",), days=("date",), ids=("customer_id", "item_id", "line_item_id", "tax_id"),
        choices={"status": ("open", "closed", "void", "draft", "pending_approval", "approved")},
        search=("creditnote_number", "reference_number", "customer_name"),
        filters={
            "Status.All": everything, "Status.Open": status_is("open"), "Status.Draft": status_is("draft"),
            "Status.Closed": status_is("closed"), "Status.Void": status_is("void"),
        },
        elsewhere={
            "item_id": lambda row: (line["item_id"] for line in row["line_items"]),
            "item_name": lambda row: (line["name"] for line in row["line_items"]),
            "item_description": lambda row: (line["description"] for line in row["line_items"]),
            "line_item_id": lambda row: (line["line_item_id"] for line in row["line_items"]),
            "tax_id": lambda row: (line["tax_id"] for line in row["line_items"]),
        },
    ),
    create, update,
    created="The credit note has been created.", saved="The credit note has been updated.",
    removed="The credit note has been deleted.", detail=detail, row=in_list, stored=stored, delete=delete,
    source=of_today, hash_in_detail=True,
)  # fmt: skip

PAID_BACK = Source(
    CREDIT_NOTES, REFUNDS, "creditnote_refund_id", available, "The credit note amount is refunded successfully."
)
