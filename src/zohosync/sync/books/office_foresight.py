"""What a look ahead knows of the organisation: what Books tells of it, or stand-ins where Books cannot be asked."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from zohosync.errors import ZohoFailure
from zohosync.queue.operation import Operation
from zohosync.store.orders import ShopOrder
from zohosync.sync.books.desk import BooksDesk, Office
from zohosync.sync.books.policies import Policies
from zohosync.sync.books.tax_book import TaxBook
from zohosync.zoho.books_entities import BooksOrganisation
from zohosync.zoho.books_records import Account, TaxExemption

DISTANT = "LD"
"""Lakshadweep: whose shop is unknown is taken to sell from where next to nobody buys."""


class _AnyRate(Mapping[Decimal, str]):
    """A tax for every rate there could be."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __getitem__(self, rate: Decimal) -> str:
        return f"({self.kind} of {rate:f} %)"

    def __iter__(self) -> Iterator[Decimal]:
        return iter(())

    def __len__(self) -> int:
        return 0


UNKNOWN = Office(
    organisation=BooksOrganisation("", "", "", "IN", DISTANT, "INR", "Asia/Kolkata", True, "", False),
    taxes=TaxBook(_AnyRate("id of the group CGST+SGST"), _AnyRate("id of the IGST"), {}, {}),
    accounts=tuple(
        Account(f"(id of the account of type {kind})", "", kind, True)
        for kind in ("income", "cost_of_goods_sold", "stock")
    ),
    exemptions=(TaxExemption("(id of the exemption)", "", "item"),),
)


@dataclass(frozen=True)
class Outlook:
    """The organisation as far as it is known. ``shortcoming`` says what is not, in a sentence."""

    desk: BooksDesk
    office: Office
    shortcoming: str | None


async def look_at_office(desk: BooksDesk) -> Outlook:
    """Asks Books for organisation, taxes, accounts and exemptions, at most once in ten minutes."""
    try:
        return Outlook(desk, await desk.office(), None)
    except ZohoFailure as error:
        told = (
            "Zoho Books was not asked for the state the shop sells from, its taxes, accounts and exemptions:"
            f" {error.message} All of them were taken as present, and every supply as one between states."
        )
        return Outlook(desk, UNKNOWN, told)


@dataclass(frozen=True)
class Prospect:
    """A record whose document is looked at before anything is made: what a push has of it, without a batch."""

    desk: BooksDesk
    operation: Operation
    order: ShopOrder
    policies: Policies
    office: Office
