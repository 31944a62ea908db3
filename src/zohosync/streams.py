"""Every kind of work there is: who feeds it, its lane, its batch, its handler."""

from functools import partial

from zohosync.queue.operation import Lane, Stream
from zohosync.sync.books.credit_foresight import foresee_credit_notes
from zohosync.sync.books.credit_notes import push_credit_notes
from zohosync.sync.books.customer_foresight import foresee_customers
from zohosync.sync.books.customers import push_customers
from zohosync.sync.books.desk import BooksDesk
from zohosync.sync.books.estimate_foresight import foresee_estimates
from zohosync.sync.books.estimates import push_estimates
from zohosync.sync.books.invoice_foresight import foresee_invoices
from zohosync.sync.books.invoices import push_invoices
from zohosync.sync.books.item_foresight import foresee_items
from zohosync.sync.books.items import push_items
from zohosync.sync.contact_foresight import foresee_contacts
from zohosync.sync.contacts import push_contacts
from zohosync.sync.desk import CrmDesk
from zohosync.sync.lead_foresight import foresee_leads
from zohosync.sync.leads import push_leads


def build_streams(desk: CrmDesk, books: BooksDesk) -> tuple[Stream, ...]:
    """The table. A kind is a stable string: it stands in the database and in people's filters.

    What an order needs of customers and items it makes itself; their own streams follow edits, behind the sales.
    """
    return (
        Stream(
            "books.invoice.push",
            Lane.SALES,
            ("order",),
            partial(push_invoices, books),
            foresee=partial(foresee_invoices, books),
        ),
        Stream(
            "books.estimate.push",
            Lane.SALES,
            ("approved_quote",),
            partial(push_estimates, books),
            foresee=partial(foresee_estimates, books),
        ),
        Stream(
            "books.credit_note.push",
            Lane.SALES,
            ("refund",),
            partial(push_credit_notes, books),
            foresee=partial(foresee_credit_notes, books),
        ),
        Stream(
            "books.customer.push",
            Lane.STOCK,
            ("buyer",),
            partial(push_customers, books),
            foresee=partial(foresee_customers, books),
        ),
        Stream(
            "books.item.push",
            Lane.BULK,
            ("variant",),
            partial(push_items, books),
            foresee=partial(foresee_items, books),
        ),
        Stream(
            "crm.contact.push",
            Lane.PEOPLE,
            ("customer",),
            partial(push_contacts, desk),
            batch_size=100,
            foresee=partial(foresee_contacts, desk),
        ),
        Stream(
            "crm.lead.push",
            Lane.PEOPLE,
            ("inquiry", "quote"),
            partial(push_leads, desk),
            batch_size=100,
            foresee=partial(foresee_leads, desk),
        ),
    )
