-- Messages are locked in the order of their ids by everybody, so that intake, the end of attempts and the extension of
-- claims never deadlock. The functions are those of 0003_queue.sql otherwise.

create function zohosync.hold_messages(queue text, message_ids bigint[]) returns void
language plpgsql as $function$
begin
  execute format('select 1 from pgmq.%I where msg_id = any ($1) order by msg_id for update', 'q_' || queue)
    using message_ids;
end
$function$;

create or replace function zohosync.enqueue(
  kinds text[], lanes zohosync.lane[], entities text[], record_ids text[],
  new_cause zohosync.operation_cause, requester text default null)
returns setof bigint
language plpgsql as $function$
declare
  touched bigint[];
  unsent bigint[];
  hidden record;
  lane_messages record;
begin
  with wanted as (
    select distinct w.kind, w.lane, w.entity, w.record_id
      from unnest(kinds, lanes, entities, record_ids) as w(kind, lane, entity, record_id)
  ), upserted as (
    insert into zohosync.operation as o (kind, lane, entity, record_id, cause, requested_by)
    select w.kind, w.lane, w.entity, w.record_id, new_cause, requester from wanted w
     order by w.kind, w.entity, w.record_id  -- one order for everybody, so that intakes never deadlock
    on conflict (kind, entity, record_id) where status in ('pending', 'retrying', 'waiting')
    do update set
      status = case when o.queued then 'pending' else o.status end,
      wait_reason = case when o.queued then null else o.wait_reason end,
      attempt = 0, deaths = 0, deaths_alone = 0,
      cause = case when excluded.cause = 'manual' then excluded.cause else o.cause end,
      requested_by = coalesce(excluded.requested_by, o.requested_by),
      requested_at = now()
    returning o.operation_id, o.queued, o.message_id, (xmax = 0) as created
  )
  select array_agg(u.operation_id),
         array_agg(u.operation_id) filter (where u.created or not u.queued)
    into touched, unsent
    from upserted u;

  if unsent is not null then
    update zohosync.operation
       set status = 'pending', queued = true, message_id = null, wait_reason = null, waiting_since = null,
           next_attempt_at = null
     where operation_id = any (unsent) and not queued;
    for lane_messages in
      select o.lane, array_agg(jsonb_build_object('operation', o.operation_id) order by o.operation_id) as messages
        from zohosync.operation o where o.operation_id = any (unsent) group by o.lane
    loop
      perform pgmq.send_batch('zohosync_' || lane_messages.lane, lane_messages.messages);
    end loop;
  end if;

  -- A message that was read before and hidden again becomes visible now.
  for hidden in
    select o.lane, o.message_id, o.operation_id from zohosync.operation o
     where o.operation_id = any (touched) and o.message_id is not null
     order by o.lane, o.message_id
  loop
    perform pgmq.set_vt('zohosync_' || hidden.lane, hidden.message_id, 0);
  end loop;
  update zohosync.operation set next_attempt_at = null, waiting_since = null
   where operation_id = any (touched) and (next_attempt_at is not null or waiting_since is not null);

  if touched is not null then
    perform pg_notify('zohosync_work', '');
    perform pg_notify('zohosync_live', '');
  end if;
  return query select unnest(touched);
end
$function$;

create or replace function zohosync.extend_claim(claim uuid, visibility integer) returns integer
language plpgsql as $function$
declare
  held integer;
begin
  perform pgmq.set_vt('zohosync_' || o.lane, o.message_id, visibility)
     from (select lane, message_id from zohosync.operation where claim_id = claim and status = 'running'
            order by message_id offset 0) o;
  get diagnostics held = row_count;
  return held;
end
$function$;

create or replace function zohosync.finish(claim uuid, worker_name text, reports jsonb, longest_hidden double precision default 60)
returns setof bigint
language plpgsql as $function$
declare
  held bigint[];
  finished bigint[];
  queue text;
  report zohosync.attempt_report;
begin
  select array_agg(t.operation_id), 'zohosync_' || min(t.lane) into held, queue from (
    select o.operation_id, o.lane from zohosync.operation o
     where o.claim_id = claim and o.status = 'running'
       and o.operation_id in (select (x ->> 'operation_id')::bigint from jsonb_array_elements(reports) x)
     order by o.operation_id for update) t;
  if held is null then
    return;
  end if;
  perform zohosync.hold_messages(queue, array(
    select o.message_id from zohosync.operation o where o.operation_id = any (held)));

  with r as materialized (
    select * from jsonb_populate_recordset(null::zohosync.attempt_report, reports) x where x.operation_id = any (held)
  ), ended as (
    update zohosync.operation o
       set status = r.outcome::zohosync.operation_status, claim_id = null, queued = false,
           finished_at = clock_timestamp(),
           attempt = case when r.progress then 0 else o.attempt end + coalesce(r.spent, true)::integer,
           error_code = r.error_code, error_message = r.error_message, error_hint = r.error_hint,
           error_field = r.error_field, warnings = coalesce(r.warnings, '[]'), zoho_module = r.zoho_module,
           zoho_id = r.zoho_id, action = r.action, label = coalesce(r.label, o.label), waiting_since = null
      from r
     where o.operation_id = r.operation_id and r.outcome in ('succeeded', 'skipped', 'superseded', 'failed')
    returning o.operation_id, o.kind, o.entity, o.record_id, o.message_id, o.status
  ), told as (
    insert into zohosync.attempt (operation_id, number, claim_id, worker, started_at, ended_at, outcome, error_code,
                                  error_message, error_hint, http_status, vendor_code, request, response)
    select o.operation_id, o.attempt + 1, claim, worker_name, o.started_at, clock_timestamp(), r.outcome, r.error_code,
           r.error_message, r.error_hint, r.http_status, r.vendor_code, r.request, r.response
      from r join zohosync.operation o on o.operation_id = r.operation_id
  ), seen as (
    insert into zohosync.observation as s (kind, entity, record_id, digest)
    select o.kind, o.entity, o.record_id, r.digest
      from r join zohosync.operation o on o.operation_id = r.operation_id
     where r.digest is not null
    on conflict (kind, entity, record_id) do update set digest = excluded.digest, seen_at = now()
  ), cured as (
    update zohosync.operation f set resolved_at = now()
      from ended e
     where f.kind = e.kind and f.entity = e.entity and f.record_id = e.record_id
       and f.status = 'failed' and f.resolved_at is null and e.status in ('succeeded', 'skipped')
  )
  select array_agg(e.message_id) into finished from ended e;
  if finished is not null then
    perform pgmq.delete(queue, finished);
  end if;

  for report in
    select x.* from jsonb_populate_recordset(null::zohosync.attempt_report, reports) x
      join zohosync.operation o on o.operation_id = x.operation_id
     where x.operation_id = any (held) and x.outcome in ('retrying', 'waiting', 'released')
     order by o.kind, o.entity, o.record_id  -- the order of enqueue, so that the two never deadlock
  loop
    perform zohosync.reopen(queue, report, longest_hidden);
  end loop;

  -- A newer operation of the same record was hidden while this one ran; it is free now.
  perform pgmq.set_vt('zohosync_' || s.lane, s.message_id, 0)
     from (select n.lane, n.message_id
             from zohosync.operation o
             join zohosync.operation n on n.kind = o.kind and n.entity = o.entity and n.record_id = o.record_id
              and n.status in ('pending', 'retrying', 'waiting')
            where o.operation_id = any (held) and n.operation_id <> o.operation_id and n.queued
              and n.message_id is not null
            order by n.lane, n.message_id offset 0) s;
  perform pg_notify('zohosync_live', '');
  return query select unnest(held);
end
$function$;

create or replace function zohosync.wake(reason zohosync.wait_reason) returns integer
language plpgsql as $function$
declare
  woken integer;
begin
  update zohosync.operation set next_attempt_at = clock_timestamp()
   where operation_id in (
     select operation_id from zohosync.operation
      where status = 'waiting' and wait_reason = reason and not queued
      order by kind, entity, record_id for update skip locked);  -- the order of enqueue; it never waits
  get diagnostics woken = row_count;
  perform pgmq.set_vt('zohosync_' || o.lane, o.message_id, 0)
     from (select lane, message_id from zohosync.operation
            where status = 'waiting' and wait_reason = reason and queued and message_id is not null
            order by lane, message_id offset 0) o;
  perform zohosync.resend_due();
  return woken;
end
$function$;
