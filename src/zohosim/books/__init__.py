"""Zoho Books v3: an organisation's records, settings and documents."""
