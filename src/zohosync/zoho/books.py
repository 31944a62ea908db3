"""Zoho Books, version 3: one method per call, in one module per kind of record.

https://www.zoho.com/books/api/v3/
"""

from zohosync.zoho.books_adjustments import BooksAdjustments
from zohosync.zoho.books_contacts import BooksContacts
from zohosync.zoho.books_credit_notes import BooksCreditNotes
from zohosync.zoho.books_estimates import BooksEstimates
from zohosync.zoho.books_invoices import BooksInvoices
from zohosync.zoho.books_items import BooksItems
from zohosync.zoho.books_payments import BooksPayments
from zohosync.zoho.books_settings import BooksSettings


class Books(
    BooksSettings,
    BooksContacts,
    BooksItems,
    BooksInvoices,
    BooksEstimates,
    BooksCreditNotes,
    BooksPayments,
    BooksAdjustments,
):
    """The calls zohosync makes to Books, for one organisation. Every one may raise any ZohoFailure.

    Writes that create are not safe to repeat after OutcomeUnknown: look first. Refusals say why by their reason.
    """
