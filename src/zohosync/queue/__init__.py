"""The durable queue: changes become operations, are claimed, run and ended. Knows nothing of shop or Zoho."""
