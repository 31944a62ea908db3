"""Zoho Books v3: organisations and their taxes so far."""
