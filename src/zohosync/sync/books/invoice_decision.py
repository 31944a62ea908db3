"""What is to be done about the invoice of an order. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum

from zohosync.store.documents import StoredDocument
from zohosync.store.orders import ShopOrder
from zohosync.sync.books.policies import Policies
from zohosync.sync.books.snapshot import find_changes, snapshot_of

COD = "cod"
CHANGED = "changed_after_invoicing"
CANCELLED = "cancelled_after_invoicing"


class Turn(Enum):
    """What comes next."""

    SKIP = "skip"  # nothing is to be done; the action says why
    LOOK = "look"  # nothing is to be done, but an attempt was begun: what it left is to be finished
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
    accepted: Collection[str] = (),
) -> Decision:
    """``asked``: a person pressed *Sync now* for it once, ``asked_now``: just now.

    ``begun``: a creation was claimed, so that an invoice may exist in Books. ``accepted``: what was reported and a
    person had accepted.
    """
    if document is not None:
        return _decide_existing(order, document, asked_now=asked_now, accepted=accepted)
    reason = _why_not(order, policies, asked=asked)
    if reason:
        return Decision(Turn.LOOK if begun else Turn.SKIP, reason)
    return Decision(Turn.MAKE)


def _why_not(order: ShopOrder, policies: Policies, *, asked: bool) -> str:
    """Why the order gets no invoice; empty when it should have one."""
    if order.before_golive and not asked:
        return "before_golive"
    if is_undone(order):
        return "refunded_before_invoice"
    if order.cancelled:
        return "cancelled_before_invoice"
    return "" if is_due(order, policies) else "not_due"


def is_due(order: ShopOrder, policies: Policies) -> bool:
    """Whether the order is to be invoiced by now. Goods that were dispatched are, paid or not, where that is the rule;
    an order is never invoiced before it is paid otherwise."""
    if order.payment_method == COD:
        return order.dispatched if policies.cod_invoice_when == "dispatch" else was_paid(order)
    return was_paid(order) and (policies.invoice_when == "payment" or order.dispatched)


def is_undone(order: ShopOrder) -> bool:
    """Whether all of it was refunded; a part leaves the rest to be invoiced.

    No amount means all of it, unless the shop says that it was a part."""
    if not order.refunded:
        return False
    if order.refunded_amount is None and order.partly_refunded:
        return False
    return order.refunded_amount is None or order.total is None or order.refunded_amount >= order.total


def was_paid(order: ShopOrder) -> bool:
    """Whether the customer's money came, all of it, even if a part went back since."""
    return order.paid or (order.refunded and not is_undone(order))


def is_changed(order: ShopOrder, document: StoredDocument) -> bool:
    """Whether the order is no longer what its document says."""
    return bool(find_changes(document.source, snapshot_of(order)))


def _decide_existing(
    order: ShopOrder, document: StoredDocument, *, asked_now: bool, accepted: Collection[str]
) -> Decision:
    unsent = not document.reached("sent")
    unfinished = unsent or (was_paid(order) and not document.reached("settled") and not is_undone(order))
    if not unsent and CHANGED not in accepted and is_changed(order, document):
        # What was charged stays as it was: the money that came is recorded before a person is asked about the rest.
        paying = unfinished and order.total == document.shop_total
        return Decision(Turn.GO_ON if paying else Turn.REPORT, CHANGED)
    if not unsent and CANCELLED not in accepted and order.cancelled and not order.refunded:
        return Decision(Turn.REPORT, CANCELLED)
    if unfinished:
        return Decision(Turn.GO_ON)
    return Decision(Turn.CHECK if asked_now else Turn.SKIP, "identical")
