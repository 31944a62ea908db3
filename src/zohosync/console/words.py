"""Plain words for what the database knows by code; all pure."""

from datetime import datetime, timedelta, tzinfo
from decimal import Decimal

from zohosync.store.insights import COUNT_LIMIT, Operation

KINDS = {
    "crm.contact.push": "Contact",
    "crm.lead.push": "Lead",
    "books.customer.push": "Customer",
    "books.item.push": "Item",
    "books.invoice.push": "Invoice",
    "books.estimate.push": "Estimate",
    "books.credit_note.push": "Credit note",
    "books.stock.push": "Stock to Zoho",
    "books.stock.pull": "Stock from Zoho",
}
CAUSES = {
    "change": "Changed in the shop",
    "manual": "Asked for by hand",
    "webhook": "Changed in Zoho",
    "sweep": "Found by a sweep",
    "reconcile": "Found by the catch-up",
    "dependency": "Needed by another record",
}
STATUSES = {
    "pending": "Queued",
    "running": "Running",
    "retrying": "Retrying",
    "waiting": "Waiting",
    "succeeded": "Success",
    "skipped": "Nothing to do",
    "superseded": "Replaced",
    "failed": "Failed",
    "cured": "Failed, since cured",
    "cancelled": "Cancelled",
    "released": "Handed back",
    "died": "Worker died",
}
WAITS = {
    "lines": "its lines, which have not arrived yet",
    "parent": "a record it depends on",
    "budget": "Zoho's API allowance to refill",
    "login": "somebody to connect Zoho again",
    "shop": "the shop's tables to be readable again",
}
ACTIONS = {"insert": "created", "update": "updated"}
SKIPS = {
    "gone": "Nothing to send: the record is no longer in the shop.",
    "out_of_scope": "Nothing to send: records of this sort are not kept in Zoho.",
    "not_due": "Nothing to send yet: it is invoiced when it is paid, or dispatched, as the policies say.",
    "before_golive": "Left alone: it was due before go-live. Sync now makes its document all the same.",
    "refunded_before_invoice": "Nothing to invoice: all of it was refunded before.",
    "cancelled_before_invoice": "Nothing to invoice: it was cancelled before.",
    "unclassified": "Left alone: nobody has given these goods an HSN code and a rate yet.",
    "not_approved": "Nothing to send: the quote is not approved.",
    "not_refunded": "Nothing to credit: the order is not refunded.",
    "never_invoiced": "Nothing to credit: the order was never invoiced.",
    "invoice_void": "Nothing to credit: its invoice is void or gone.",
}
SYSTEMS = {"crm": "Zoho CRM", "books": "Zoho Books"}


def name_kind(kind: str) -> str:
    """What an operation is about: "Contact"; a kind unknown here by the middle of its name."""
    known = KINDS.get(kind)
    if known:
        return known
    parts = kind.split(".")
    return parts[len(parts) // 2].replace("_", " ").capitalize()


def name_system(kind: str) -> str:
    return SYSTEMS.get(kind.partition(".")[0], "Zoho")


def tone(operation: Operation) -> str:
    """The status as the console tells it: a failure that a later operation cured is a state of its own."""
    return "cured" if operation.status == "failed" and operation.resolved_at else operation.status


def describe_cause(operation: Operation) -> str:
    if operation.cause == "manual" and operation.requested_by:
        return f"Asked for by {operation.requested_by}"
    return CAUSES.get(operation.cause, operation.cause)


def describe_attempts(operation: Operation, tries: int) -> str:
    """ "2 of 6"; nothing before the first. An attempt that runs counts as one."""
    made = operation.attempt + (operation.status == "running")
    return f"{made} of {max(tries, made)}" if made else ""


def describe_age(moment: datetime, now: datetime) -> str:
    """ "just now", "4 min ago", "in 2 h"."""
    seconds = (now - moment).total_seconds()
    if -2 <= seconds < 5:  # clocks of two machines never agree
        return "just now"
    text = _measure(abs(seconds))
    return f"{text} ago" if seconds > 0 else f"in {text}"


def _measure(seconds: float) -> str:
    for unit, size, until in (("s", 1, 60), ("min", 60, 3600), ("h", 3600, 86400)):
        if seconds < until:
            return f"{int(seconds // size)} {unit}"
    days = int(seconds // 86400)
    return f"{days} day{'s' if days != 1 else ''}"


def describe_duration(length: timedelta | None) -> str:
    """ "12 ms", "3.4 s", "2 min 5 s"."""
    if length is None:
        return ""
    seconds = max(0.0, length.total_seconds())
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def describe_instant(moment: datetime, zone: tzinfo) -> str:
    """ "14 Nov 2025, 16:20:41 IST": exact, in the organisation's zone."""
    local = moment.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M:%S} {local.tzname()}"


def describe_count(count: int) -> str:
    """ "1,204"; beyond the limit "10,000+"."""
    return f"{COUNT_LIMIT:,}+" if count > COUNT_LIMIT else f"{count:,}"


def describe_rupees(amount: Decimal | None, otherwise: str = "") -> str:
    """ "1180.00"; ``otherwise`` when there is none."""
    return otherwise if amount is None else f"{amount:.2f}"


def describe_plainly(number: Decimal | None, otherwise: str = "") -> str:
    """ "18", "2.5": without exponent and trailing zeros."""
    if number is None:
        return otherwise
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def took(operation: Operation) -> timedelta | None:
    """How long the last attempt took, once the operation has ended."""
    if operation.started_at is None or operation.finished_at is None:
        return None
    return operation.finished_at - operation.started_at


def may_retry(operation: Operation) -> bool:
    """Whether asking again is of use: it failed and nothing is under way, or it waits for its time."""
    if operation.status == "failed":
        return operation.resolved_at is None and operation.open_sibling is None
    return operation.status in ("retrying", "waiting")


def may_cancel(operation: Operation) -> bool:
    return operation.status in ("pending", "retrying", "waiting")


def headline(operation: Operation) -> str:
    """What became of an operation, in one sentence."""
    what = name_kind(operation.kind)
    where = name_system(operation.kind)
    wait = WAITS.get(operation.wait_reason or "", "something it needs")
    sentences = {
        "pending": f"This {what.lower()} is queued; a worker takes it up next.",
        "running": f"This {what.lower()} is on its way to {where}.",
        "retrying": "The last try failed. It tries again by itself.",
        "waiting": f"It waits for {wait}. Waiting costs no try.",
        "succeeded": f"{what} {ACTIONS.get(operation.action or '', 'brought into step')} in {where}.",
        "skipped": SKIPS.get(operation.action or "", f"Nothing to send: {where} has it as it is in the shop."),
        "superseded": "A newer operation of the same record took over.",
        "failed": "This failed, and is not tried again as it is."
        + (" Once it is corrected, it goes through by itself." if operation.kind.startswith("books.") else ""),
        "cured": "This failed, and a later operation of the record has cured it since.",
        "cancelled": "Cancelled before it ran. The record is taken up again at its next change.",
    }
    return sentences[tone(operation)]
