"""Zoho CRM v8, simulated: modules and their records, writes, reads, search, queries, notes, metadata."""
