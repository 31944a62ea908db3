"""The Zoho clients; they know nothing of the shop, the queue or the database."""
