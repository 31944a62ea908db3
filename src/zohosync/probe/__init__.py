"""Probes: small safe calls to a trial organisation that settle what Zoho's documentation leaves open."""
