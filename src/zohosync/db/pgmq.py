"""pgmq as SQL text: the server's extension where it has one, else the SQL of the Python package."""

from pgmq.install import get_embedded_install_sql, get_embedded_sql_version

QUEUES = ("changes", "sales", "stock", "people", "bulk", "clock")


def install_pgmq_sql() -> str:
    """SQL that makes pgmq present, whichever way the server allows, and creates our queues. Safe to repeat."""
    return f"""
do $install$
begin
  if to_regnamespace('pgmq') is not null then
    return;
  end if;
  if exists (select from pg_catalog.pg_available_extensions where name = 'pgmq') then
    begin
      create extension pgmq;
      if not has_schema_privilege('pgmq', 'create') or not has_table_privilege('pgmq.meta', 'insert') then
        raise insufficient_privilege;  -- it belongs to somebody who did not hand it to us, as Supabase does
      end if;
      return;
    exception when insufficient_privilege then
      null;  -- undone: the server has it, but not for us, and the same functions come as plain SQL
    end;
  end if;
  execute $pgmq_package${get_embedded_install_sql()}$pgmq_package$;
  comment on schema pgmq is 'Installed by zohosync from the pgmq package.';
end
$install$;
{"".join(_create_queue(queue) for queue in QUEUES)}"""


def _create_queue(queue: str) -> str:
    return f"""
do $queue$ begin
  if not exists (select from pgmq.meta where queue_name = 'zohosync_{queue}') then
    perform pgmq.create('zohosync_{queue}');
  end if;
end $queue$;
"""


def drop_pgmq_sql() -> str:
    """SQL that drops our queues, and pgmq itself when we brought it and nobody else uses it."""
    drops = "".join(
        f"""
  if exists (select from pgmq.meta where queue_name = 'zohosync_{queue}') then
    perform pgmq.drop_queue('zohosync_{queue}');
  end if;"""
        for queue in QUEUES
    )
    return f"""
do $uninstall$
begin
  if to_regnamespace('pgmq') is null then
    return;
  end if;{drops}
  if obj_description(to_regnamespace('pgmq')) like 'Installed by zohosync%' and not exists (select from pgmq.meta) then
    drop schema pgmq cascade;
  end if;
end
$uninstall$;
"""


def packaged_version() -> str:
    """The version of pgmq whose SQL this program brings."""
    return str(get_embedded_sql_version())
