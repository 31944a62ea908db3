"""Databases that are made from others, as a restore or a staging copy is."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

from conftest import Database
from zohosync.demo.embedded import Cluster

_numbers = itertools.count(1)
IDENTIFY = """update zohosync.installation set database_identity =
  (select c.system_identifier || '/' || d.oid from pg_control_system() c, pg_database d
    where d.datname = current_database())"""

FORGET_PLACES = """
do $$ begin
  if to_regclass('zohosync.known_address') is not null then
    delete from zohosync.known_address;
  end if;
end $$"""


@contextmanager
def copy_of(cluster: Cluster, original: str, *, own_identity: bool = False) -> Iterator[Database]:
    """A copy of a database nobody is connected to. It knows that it is one, unless it gets an identity of its own."""
    name = f"copy_{next(_numbers)}"
    cluster.administer(
        f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{original}'",
        f"create database {name} template {original} owner shop_owner",
    )
    if own_identity:
        cluster.administer(IDENTIFY, FORGET_PLACES, database=name)
    try:
        yield Database(cluster, name)
    finally:
        cluster.administer(f"drop database if exists {name} with (force)")
