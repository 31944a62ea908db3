"""Who may do what with our objects: the worker everything, the shop's API roles nothing."""

from collections.abc import Sequence

from zohosync.db.pgmq import QUEUES
from zohosync.db.pool import Connection, fetch_all

API_ROLES = ("anon", "authenticated", "service_role")
"""The roles in which Supabase's API works. https://supabase.com/docs/guides/database/postgres/roles"""

OUTSIDERS = ("anon", "authenticated")


async def list_missing_grants(connection: Connection, functions: Sequence[str]) -> list[str]:
    """What the connected role lacks, as ``select on zohosync.operation``. ``functions`` are those needed of pgmq."""
    rows = await fetch_all(
        connection,
        """with wanted as (
             select 'usage on schema ' || s.name as grant_,
                    has_schema_privilege(current_user, to_regnamespace(s.name), 'usage') as given
               from unnest(array['zohosync', 'pgmq']) as s(name)
             union all
             select r.name || ' on ' || c.oid::regclass, has_table_privilege(current_user, c.oid, r.name)
               from pg_class c, unnest(array['select', 'insert', 'update', 'delete']) as r(name)
              where c.relkind = 'r'
                and (c.relnamespace = 'zohosync'::regnamespace
                     or c.relnamespace = to_regnamespace('pgmq') and c.relname = any (%(queues)s))
             union all
             select 'execute on ' || p.oid::regprocedure, has_function_privilege(current_user, p.oid, 'execute')
               from pg_proc p
              where p.pronamespace = 'zohosync'::regnamespace
                 or p.pronamespace = to_regnamespace('pgmq') and p.proname = any (%(functions)s)
           )
           select w.grant_ from wanted w where w.given is not true order by 1""",
        {
            "queues": [f"{kind}_zohosync_{queue}" for kind in "qa" for queue in QUEUES],
            "functions": list(functions),
        },
    )
    return [row["grant_"] for row in rows]


async def list_exposures(connection: Connection) -> list[str]:
    """What anon, authenticated or everybody may do with our objects, as ``anon: select on zohosync.link``."""
    rows = await fetch_all(
        connection,
        """with ours as (
             select c.oid, c.relacl from pg_class c
              where c.relkind = 'r' and (c.relnamespace = 'zohosync'::regnamespace
                or c.relnamespace = to_regnamespace('pgmq') and c.relname ~ '^[qa]_zohosync_')
           ), found as (
             select o.name as who, 'usage on schema zohosync' as what from pg_roles r
               join unnest(%(outsiders)s::text[]) as o(name) on o.name = r.rolname
              where has_schema_privilege(r.oid, 'zohosync', 'usage')
             union all
             select o.name, p.name || ' on ' || ours.oid::regclass
               from ours, unnest(array['select', 'insert', 'update', 'delete']) as p(name), pg_roles r
               join unnest(%(outsiders)s::text[]) as o(name) on o.name = r.rolname
              where has_table_privilege(r.oid, ours.oid, p.name)
             union all
             select 'everybody', lower(a.privilege_type) || ' on schema zohosync'
               from pg_namespace n, aclexplode(n.nspacl) a where n.nspname = 'zohosync' and a.grantee = 0
             union all
             select 'everybody', lower(a.privilege_type) || ' on ' || ours.oid::regclass
               from ours, aclexplode(ours.relacl) a where a.grantee = 0
             union all
             select 'everybody', 'execute on ' || p.oid::regprocedure
               from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
              where p.pronamespace = 'zohosync'::regnamespace and a.grantee = 0
             union all
             select r.rolname, 'reads schema zohosync through its API (pgrst.db_schemas)'
               from pg_db_role_setting s join pg_roles r on r.oid = s.setrole, unnest(s.setconfig) as c(setting)
              where c.setting like 'pgrst.db_schemas=%%' and c.setting ~ '\\mzohosync\\M'
           )
           select distinct f.who || ': ' || f.what as exposure from found f order by 1""",
        {"outsiders": list(OUTSIDERS)},
    )
    return [row["exposure"] for row in rows]


async def list_unguarded_tables(connection: Connection) -> list[str]:
    """Our tables without row level security, or without a policy that lets the connected role in."""
    rows = await fetch_all(
        connection,
        """select c.oid::regclass::text as table_name from pg_class c
            where c.relnamespace = 'zohosync'::regnamespace and c.relkind = 'r'
              and (not c.relrowsecurity or not exists (
                     select from pg_policy p, unnest(p.polroles) as o(role)
                      where p.polrelid = c.oid and (o.role = 0 or pg_has_role(current_user, o.role, 'usage'))))
            order by 1""",
    )
    return [row["table_name"] for row in rows]
