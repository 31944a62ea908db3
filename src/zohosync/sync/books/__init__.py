"""The streams of Zoho Books: customers, items, invoices, estimates and credit notes."""
