"""Invoices: how one is made, changed and taken away, and how it is told.

https://www.zoho.com/books/api/v3/invoices/
"""

from datetime import date, timedelta

from zohosim.answers import Json
from zohosim.books import documents, movements, settlements
from zohosim.books.approvals import check_approved
from zohosim.books.documents import STATE, Kind
from zohosim.books.fields import Field, asked_flag, day, entity_id, flag, invalid, text, whole
from zohosim.books.lists import Listing, everything, status_is
from zohosim.books.movements import Effect
from zohosim.books.numbers import number_of
from zohosim.books.preferences import hindered
from zohosim.books.records import Row, shown, touch
from zohosim.books.refusals import unseen
from zohosim.books.resources import Module, Visit
from zohosim.books.settlements import balance_of
from zohosim.books.stock import Cause
from zohosim.books.totals import ZERO

KIND = Kind(
    "invoices",
    "Invoice",
    "INV",
    "invoice_number",
    (
        Field("due_date", day, "Due Date"),
        Field("payment_terms", whole, blank=0),
        Field("payment_terms_label", text(100)),
        Field("payment_expected_date", day),
        Field("allow_partial_payments", flag, blank=False),
        Field("invoiced_estimate_id", entity_id),
        Field("recurring_invoice_id", entity_id),
        Field("salesorder_id", entity_id),
    ),
    "Invoice Date",
)
MONEY: Json = dict.fromkeys(
    ("payment_made", "credits_applied", "write_off_amount", "tax_amount_withheld"), ZERO
)  # fmt: skip


def create(seen: Visit, body: Json) -> Row:
    row = documents.drafted(seen, KIND, body)
    row |= {**MONEY, "balance": row["total"], "last_payment_date": "", STATE: "draft"}
    row |= terms(row, body)
    row["estimate_id"] = estimate_id(seen, row)
    preferences = seen.organisation.preferences
    preferences.check_plan(seen.organisation.seed.plan, invoices_of_year(seen))
    check_credit(seen, row)
    if asked_flag(seen.call, "send"):
        check_sending(seen, row, mailed=True)
        row[STATE] = "sent"
    row["invoice_number"] = number_of(seen, KIND, body, row, None)
    row["invoice_url"] = f"https://zohosecurepay.example.com/{row['invoice_number']}"
    return row


def update(seen: Visit, row: Row, body: Json) -> Row:
    if row[STATE] == "void":
        raise unseen("A void invoice cannot be changed.")
    after = {**documents.drafted(seen, KIND, body, row)}
    after |= terms(after, body)
    after["balance"] = balance_of(after)
    check_edit(seen, row, after)
    movements.check(seen, effect(row), effect(after))
    after["invoice_number"] = number_of(seen, KIND, body, after, row)
    return after


def check_edit(seen: Visit, row: Row, after: Row) -> None:
    """Money that is applied limits what may change."""
    bound = row["payment_made"] + row["credits_applied"]
    if bound and after["customer_id"] != row["customer_id"]:
        raise unseen("The customer of an invoice with payments cannot be changed.")
    refuses = seen.sim.switches["books_edit_paid"] == "refuse"
    if refuses and bound and row["balance"] == ZERO and after["total"] != row["total"]:
        raise unseen("The amounts of a paid invoice cannot be changed.")
    if after["balance"] < ZERO:
        raise unseen("The total of an invoice cannot be less than what is applied to it.")


def terms(row: Row, body: Json) -> Row:
    """The day it is due: as told, else so many days after its date."""
    days = int(row["payment_terms"] or 0)
    if not row["due_date"] or ("due_date" not in body and ("date" in body or "payment_terms" in body)):
        row["due_date"] = (date.fromisoformat(row["date"]) + timedelta(days=days)).isoformat()
    if row["due_date"] < row["date"]:
        raise invalid("Due Date")
    return {"payment_terms_label": row["payment_terms_label"] or (f"Net {days}" if days else "Due on Receipt")}


def estimate_id(seen: Visit, row: Row) -> str:
    """The estimate an invoice is made of."""
    wanted = str(row["invoiced_estimate_id"])
    if wanted and seen.ledger.find("estimates", wanted) is None:
        raise invalid("invoiced_estimate_id")
    return wanted


def invoices_of_year(seen: Visit) -> int:
    year = str(seen.ledger.today().year)
    return sum(1 for row in seen.ledger.rows("invoices") if row["created_time"].startswith(year))


def check_credit(seen: Visit, row: Row) -> None:
    """Where credit is limited, a customer may not owe more than that."""
    contact = seen.ledger.tables["contacts"][row["customer_id"]]
    limit = contact.get("credit_limit") or ZERO
    if seen.organisation.preferences.credit_limit != "block" or not limit:
        return
    owed = sum(
        (other["balance"] for other in seen.ledger.rows("invoices")
         if other["customer_id"] == row["customer_id"] and other[STATE] == "sent"), ZERO,
    )  # fmt: skip
    if owed + row["total"] > limit:
        raise hindered("credit_limit", name=contact["contact_name"])


def check_sending(seen: Visit, row: Row, *, mailed: bool) -> None:
    """Whether a draft may be sent now: approved where that is needed, with enough stock, within the mails of a day."""
    preferences = seen.organisation.preferences
    check_approved(seen, "invoices", row)
    movements.check(seen, effect(row), movements.of_lines(row, -1))
    if mailed:
        preferences.check_mail(seen.organisation.seed.plan, seen.ledger.today().isoformat())


def effect(row: Row) -> Effect:
    """What it does to the stock as it is."""
    return movements.of_lines(row, -1) if row[STATE] == "sent" else movements.NOTHING


def cause(row: Row) -> Cause:
    return Cause("invoices", row["invoice_id"], row["date"])


def stored(seen: Visit, row: Row, before: Row | None) -> None:
    was = effect(before) if before else movements.NOTHING
    movements.book(seen, was, effect(row), cause(row))
    refresh(seen, row)
    if before is None and row["estimate_id"]:
        link_estimate(seen, row)


def link_estimate(seen: Visit, row: Row) -> None:
    estimate = seen.ledger.tables["estimates"][row["estimate_id"]]
    estimate["invoice_ids"] = [*estimate["invoice_ids"], row["invoice_id"]]
    if seen.sim.switches["books_estimate_becomes_invoiced"]:
        estimate[STATE] = "invoiced"
    touch(seen.ledger, estimate)


def delete(seen: Visit, row: Row) -> None:
    if settlements.of(seen.ledger, "invoice_id", row["invoice_id"]):
        raise unseen("An invoice with payments or credits applied to it cannot be deleted.")
    movements.book(seen, effect(row), movements.NOTHING, cause(row))


def refresh(seen: Visit, row: Row) -> None:
    """Bring the status up to date: it follows the money and the day."""
    row["status"] = status_of(row, seen.ledger.today())


def status_of(row: Row, today: date) -> str:
    if row[STATE] != "sent":
        return str(row[STATE])
    if row["balance"] <= ZERO:
        return "paid"
    if row["due_date"] < today.isoformat():
        return "overdue"
    return "partially_paid" if row["balance"] < row["total"] else "sent"


def detail(seen: Visit, row: Row) -> Json:
    refresh(seen, row)
    told = shown(row)
    return {
        **told,
        "payment_options": {"payment_gateways": []}, "contact_persons": [], "contact_persons_associated": [],
        "total_formatted": f"Rs.{row['total']:,.2f}", "balance_formatted": f"Rs.{row['balance']:,.2f}",
        "is_emailed": False, "documents": [], "salesperson_id": "", "current_sub_status": row["status"],
    }  # fmt: skip


IN_LIST = (
    "invoice_id", "customer_name", "customer_id", "status", "invoice_number", "reference_number", "date", "due_date",
    "currency_id", "currency_code", "is_viewed_by_client", "has_attachment", "total", "balance", "created_time",
    "last_modified_time", "payment_expected_date", "last_payment_date", "location_id", "branch_id",
    "salesperson_name", "shipping_charge", "adjustment", "write_off_amount", "exchange_rate", "email",
)  # fmt: skip


def in_list(_seen: Visit, row: Row) -> Json:
    """Its head alone, with addresses in short."""
    told = {key: row[key] for key in IN_LIST}
    return {**told, **{key: brief(row[key]) for key in ("billing_address", "shipping_address")}}


def brief(address: Json) -> Json:
    """An address in a list, where the PIN code is called zipcode."""
    told = {key: address.get(key, "") for key in ("address", "street2", "city", "state", "country", "phone", "fax")}
    return {**told, "zipcode": address.get("zip", "")}


def unpaid(row: Row) -> bool:
    return row["status"] in ("sent", "overdue", "partially_paid", "viewed")


LISTING = Listing(
    key="invoices",
    report_name="Invoices",
    sort_columns=("created_time", "customer_name", "invoice_number", "date", "due_date", "total", "balance",
                  "last_modified_time"),
    sort_order="D",
    texts=("invoice_number", "reference_number", "customer_name", "email", "item_name", "item_description"),
    numbers=("total", "balance"),
    days=("date", "due_date", "created_date"),
    ids=("customer_id", "item_id", "recurring_invoice_id"),
    choices={"status": ("sent", "draft", "overdue", "paid", "void", "unpaid", "partially_paid", "viewed",
                        "pending_approval", "approved")},
    search=("invoice_number", "reference_number", "customer_name"),
    filters={
        "Status.All": everything, "Status.Sent": status_is("sent"), "Status.Draft": status_is("draft"),
        "Status.OverDue": status_is("overdue"), "Status.Paid": status_is("paid"), "Status.Void": status_is("void"),
        "Status.Unpaid": unpaid, "Status.PartiallyPaid": status_is("partially_paid"),
        "Status.Viewed": status_is("viewed"),
        "Date.PaymentExpectedDate": lambda row: bool(row["payment_expected_date"]),
    },
    elsewhere={
        "item_id": lambda row: (line["item_id"] for line in row["line_items"]),
        "item_name": lambda row: (line["name"] for line in row["line_items"]),
        "item_description": lambda row: (line["description"] for line in row["line_items"]),
        "created_date": lambda row: (row["created_time"][:10],),
        "status": lambda row: (row["status"], "unpaid") if unpaid(row) else (row["status"],),
    },
)  # fmt: skip


def of_today(seen: Visit) -> list[Row]:
    """All of them, with the status they have today."""
    rows = list(seen.ledger.rows("invoices"))
    for row in rows:
        refresh(seen, row)
    return rows


INVOICES = Module(
    "invoices", "invoice", "Invoice", "invoice_id", LISTING, create, update,
    created="The invoice has been created.", saved="Invoice information has been updated.",
    removed="The invoice has been deleted.", detail=detail, row=in_list, stored=stored, delete=delete,
    source=of_today, hash_in_detail=True,
)  # fmt: skip
