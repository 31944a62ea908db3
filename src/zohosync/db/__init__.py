"""Postgres: connections, installation, and the SQL that is installed."""
