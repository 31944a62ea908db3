"""The small storefront the demo shows, and the embedded database it lives in."""
