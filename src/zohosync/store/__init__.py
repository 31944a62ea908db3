"""One typed function per query, the SQL beside it."""
