"""The streams: the only room that knows both the shop and Zoho."""
