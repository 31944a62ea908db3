-- Rights of the worker's role ({worker_role}): our schema and our queues, nothing else. Row level security keeps
-- every other role out even if a grant is given by mistake.

revoke all on schema zohosync from public;
revoke all on all functions in schema zohosync from public;
grant usage on schema zohosync, pgmq to {worker_role};
grant select, insert, update, delete on all tables in schema zohosync to {worker_role};
grant execute on all functions in schema zohosync to {worker_role};

do $grants$
declare
  item record;
begin
  for item in select c.oid::regclass as name, c.oid from pg_catalog.pg_class c
               where c.relnamespace = 'zohosync'::regnamespace and c.relkind = 'r' loop
    execute format('alter table %s enable row level security', item.name);
    if not exists (select from pg_catalog.pg_policy p where p.polrelid = item.oid and p.polname = 'worker') then
      execute format('create policy worker on %s to %I using (true) with check (true)', item.name, '{worker_role}');
    end if;
  end loop;
  for item in select format('pgmq.%I', prefix || queue_name) as name
                from pgmq.meta, unnest(array['q_', 'a_']) as prefix where queue_name like 'zohosync\_%' loop
    execute format('grant select, insert, update, delete on %s to %I', item.name, '{worker_role}');
  end loop;
end
$grants$;
