"""What is to be done about the invoice of an order. Pure."""

from dataclasses import dataclass
from enum import Enum

from zohosync.store.documents import StoredDocument
from zohosync.store.orders import ShopOrder
from zohosync.sync.books.policies import Policies
from zohosync.sync.books.snapshot import find_changes, snapshot_of

COD = "cod"


class Turn(Enum):
    """What comes next."""

    SKIP = "skip"  # nothing is to be done; the action says why
    MAKE = "make"  # there is no invoice yet, and there should be
    GO_ON = "go on"  # it exists and is not finished
    REPORT = "report"  # it is finished, and the order is no longer what was invoiced
    CHECK = "check"  # it is finished; a person wants to know whether it still is as it was


@dataclass(frozen=True, slots=True)
class Decision:
    """``action`` is a stable word for the log: why nothing is done, or what is."""

    turn: Turn
    action: str = ""


def decide_invoice(
    order: ShopOrder,
    document: StoredDocument | None,
    policies: Policies,
    *,
    asked: bool,
    asked_now: bool,
    begun: bool,
) -> Decision:
    """``asked``: a person pressed *Sync now* for it once, ``asked_now``: just now.

    ``begun``: a creation was claimed, so that an invoice may exist in Books."""
    if document is not None:
        return _decide_existing(order, document, asked_now=asked_now)
    if begun:
        return Decision(Turn.MAKE)
    if order.before_golive and not asked:
        return Decision(Turn.SKIP, "before_golive")
    if order.refunded:
        return Decision(Turn.SKIP, "refunded_before_invoice")
    if order.cancelled:
        return Decision(Turn.SKIP, "cancelled_before_invoice")
    if not is_due(order, policies):
        return Decision(Turn.SKIP, "not_due")
    return Decision(Turn.MAKE)


def is_due(order: ShopOrder, policies: Policies) -> bool:
    """Whether the order is to be invoiced by now. Goods that were dispatched are, paid or not, where that is the rule;
    an order is never invoiced before it is paid otherwise."""
    if order.payment_method == COD:
        return order.dispatched if policies.cod_invoice_when == "dispatch" else order.paid
    return order.paid and (policies.invoice_when == "payment" or order.dispatched)


def _decide_existing(order: ShopOrder, document: StoredDocument, *, asked_now: bool) -> Decision:
    if find_changes(document.source, snapshot_of(order)):
        return Decision(Turn.REPORT, "changed_after_invoicing")
    if order.cancelled and not order.refunded:
        return Decision(Turn.REPORT, "cancelled_after_invoicing")
    if not document.reached("sent") or (order.paid and not document.reached("settled") and not order.refunded):
        return Decision(Turn.GO_ON)
    return Decision(Turn.CHECK if asked_now else Turn.SKIP, "identical")
