"""Every way a single request can go wrong: dropped or answered 500, before or after Zoho did what was asked."""

FAULTS = (
    "drop_connection_before_commit",
    "drop_connection_after_commit",
    "http_500_before_commit",
    "http_500_after_commit",
)
