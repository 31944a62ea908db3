"""Tests of the Zoho clients."""
