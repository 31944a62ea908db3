"""One connection for a command, with every refusal of the database in our words."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from zohosync.db.pool import Connection, connect, explain
from zohosync.errors import SettingsRefused


@asynccontextmanager
async def reach(url: str) -> AsyncIterator[Connection]:
    """A connection that is closed at the end; psycopg's errors leave the block as ours."""
    check_address(url)
    connection = await connect(url, application="zohosync-cli")
    async with connection:
        try:
            yield connection
        except psycopg.Error as error:
            raise explain(error) from error


def check_address(url: str) -> None:
    """Refuse what libpq cannot read, without repeating it: its own message would show the password."""
    try:
        ports = str(conninfo_to_dict(url).get("port") or "5432").split(",")
        readable = all(port.isdecimal() and 0 < int(port) < 65536 for port in ports if port)
    except (psycopg.Error, ValueError):
        readable = False
    if not readable:
        raise SettingsRefused(
            "The connection string of the database cannot be read.",
            hint="Write postgresql://user:password@host:5432/database, with special characters of the password as %XX.",
        )


LOCAL = frozenset({"", "localhost", "127.0.0.1", "::1"})


def place_of(url: str) -> str:
    """Where a database is, as far as its address tells: host, project of a shared pooler, and name, without ports. All
    addresses of this machine count as one."""
    known = {name: str(value) for name, value in conninfo_to_dict(url).items() if value}
    user = known.get("user", "")
    host = known.get("hostaddr") or known.get("host") or os.environ.get("PGHOST", "")
    host = "service " + known["service"] if not host and "service" in known else host.lower().rstrip(".")
    project = user.partition(".")[2] if host.endswith(".pooler.supabase.com") else ""
    local = host in LOCAL or host.startswith("/")
    return "/".join(filter(None, ("local" if local else host, project, known.get("dbname") or user)))


def worker_address(owner_url: str, role: str, password: str) -> str:
    """The owner's connection string with the worker's role and password in it.

    Supabase's pooler wants the project behind the role: https://supabase.com/docs/guides/database/connecting-to-postgres
    """
    parts = urlsplit(owner_url)
    account, _, place = parts.netloc.rpartition("@")
    project = account.partition(":")[0].partition(".")[2]
    pooled = (parts.hostname or "").endswith(".pooler.supabase.com")
    user = f"{role}.{project}" if pooled and project else role
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{place}"))
