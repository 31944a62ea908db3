-- The queue's atomic steps. A message and the operation it stands for change in one transaction, always.

-- Makes records dirty: one open operation each, with a message in its lane. A record that has an open operation
-- gets it back with a fresh budget, at once; one that is running gets a new operation behind it.
create function zohosync.enqueue(
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

-- Turns up to `most` change messages into operations. Returns how many messages were taken. Which kinds an entity feeds
-- is handed in; a message of an unknown entity is archived, never dropped.
create function zohosync.intake(
  most integer, source_entities text[], source_kinds text[], source_lanes zohosync.lane[])
returns integer
language plpgsql as $function$
declare
  taken bigint[];
  strange bigint[];
  kinds text[];
  lanes zohosync.lane[];
  entities text[];
  keys text[];
begin
  with batch as materialized (
    select msg_id, message from pgmq.read('zohosync_changes', 60, most)
  ), dirty as (
    select distinct s.kind, s.lane, s.entity, k.key
      from batch b
      join unnest(source_entities, source_kinds, source_lanes) as s(entity, kind, lane)
        on s.entity = b.message ->> 'entity'
     cross join lateral jsonb_array_elements_text(b.message -> 'keys') as k(key)
  )
  select (select array_agg(msg_id) from batch where message ->> 'entity' = any (source_entities)),
         (select array_agg(msg_id) from batch where (message ->> 'entity' = any (source_entities)) is not true),
         array_agg(d.kind), array_agg(d.lane), array_agg(d.entity), array_agg(d.key)
    into taken, strange, kinds, lanes, entities, keys
    from dirty d;
  if strange is not null then
    perform pgmq.archive('zohosync_changes', strange);
  end if;
  if taken is null then
    return coalesce(cardinality(strange), 0);
  end if;
  perform zohosync.enqueue(kinds, lanes, entities, keys, 'change');
  perform pgmq.delete('zohosync_changes', taken);
  return cardinality(taken) + coalesce(cardinality(strange), 0);
end
$function$;

-- Takes up to `most` operations of a lane for `claim`, hiding their messages for `visibility` seconds.
-- A message that is visible although its operation is running belonged to a worker that died.
create function zohosync.claim(
  claim_lane zohosync.lane, most integer, visibility integer, claim uuid, worker_name text)
returns setof zohosync.operation
language plpgsql as $function$
declare
  queue text := 'zohosync_' || claim_lane;
  messages bigint[];  -- message i stands for operation i of `wanted`
  wanted bigint[];
  useless bigint[];
  locked bigint[];
  suspect bigint;
  chosen bigint[];
  left_over bigint[];
  left_messages bigint[];
begin
  select array_agg(msg_id order by msg_id), array_agg((message ->> 'operation')::bigint order by msg_id)
    into messages, wanted from pgmq.read(queue, visibility, most);
  if messages is null then
    return;
  end if;
  -- An operation somebody is just changing is left for the next look: a claim never waits for a row, so that it
  -- cannot deadlock with those who hold rows and wait for its messages.
  select array_agg(t.operation_id) into locked from (
    select operation_id from zohosync.operation where operation_id = any (wanted) for update skip locked) t;
  perform pgmq.set_vt(queue, m.id, 0) from unnest(messages, wanted) as m(id, operation_id)
     join zohosync.operation o on o.operation_id = m.operation_id
    where m.operation_id <> all (coalesce(locked, '{}'));

  -- Messages whose operation has ended, is unknown or goes by another message.
  select array_agg(m.id) filter (where not fits), array_agg(m.id order by m.id) filter (where fits),
         array_agg(m.operation_id order by m.id) filter (where fits)
    into useless, messages, wanted
    from unnest(messages, wanted) as m(id, operation_id)
    left join zohosync.operation o on o.operation_id = m.operation_id
   cross join lateral (select o.queued is true and coalesce(o.message_id, m.id) = m.id) as f(fits)
   where o.operation_id is null or m.operation_id = any (locked);
  if useless is not null then
    perform pgmq.delete(queue, useless);
  end if;

  perform zohosync.bury(queue, wanted, worker_name);

  -- What may run: nothing whose record is running elsewhere; after two deaths, one record at a time.
  select array_agg(o.operation_id), min(o.operation_id) filter (where o.deaths >= 2)
    into chosen, suspect
    from zohosync.operation o
   where o.operation_id = any (wanted) and o.finished_at is null
     and (o.status = 'running' or not exists (
           select from zohosync.operation r
            where r.kind = o.kind and r.entity = o.entity and r.record_id = o.record_id and r.status = 'running'));
  -- Those left behind remember their message, so that whoever frees their record can make it visible.
  select array_agg(m.id), array_agg(m.operation_id) into left_messages, left_over
    from unnest(messages, wanted) as m(id, operation_id) where m.operation_id <> all (coalesce(chosen, '{}'));
  if left_over is not null then
    update zohosync.operation o set message_id = m.id
      from unnest(left_messages, left_over) as m(id, operation_id)
     where o.operation_id = any (left_over) and o.operation_id = m.operation_id
       and o.finished_at is null and o.message_id is null;
    -- Should that person come before this is committed, a second look is not far.
    perform pgmq.set_vt(queue, m.id, 1) from unnest(left_messages, left_over) as m(id, operation_id)
       join zohosync.operation o on o.operation_id = m.operation_id
      where o.finished_at is null and o.status <> 'running';
  end if;

  if suspect is not null then
    -- The others go back as they were, so that their next claim does not count this death again.
    update zohosync.operation o set status = 'pending', claim_id = null
     where o.operation_id = any (chosen) and o.operation_id <> suspect and o.status = 'running';
    perform pgmq.set_vt(queue, m.id, 0) from unnest(messages, wanted) as m(id, operation_id)
      where m.operation_id = any (chosen) and m.operation_id <> suspect;
    chosen := array[suspect];
  end if;
  return query
    update zohosync.operation o
       set status = 'running', claim_id = claim, claimed_alone = cardinality(chosen) = 1, started_at = clock_timestamp(),
           message_id = m.id, wait_reason = null, next_attempt_at = null
      from unnest(messages, wanted) as m(id, operation_id)
     where o.operation_id = any (chosen) and m.operation_id = o.operation_id
    returning o.*;
  perform pg_notify('zohosync_live', '');
end
$function$;

-- Counts the deaths of operations whose worker died. One that died alone three times ends as poison; one with a newer
-- operation of its record behind it ends as superseded. The others stay `running` and are taken again by the caller.
create function zohosync.bury(queue text, wanted bigint[], worker_name text) returns void
language plpgsql as $function$
declare
  finished bigint[];
begin
  if not exists (select from zohosync.operation where operation_id = any (wanted) and status = 'running') then
    return;
  end if;
  insert into zohosync.attempt (operation_id, number, claim_id, worker, started_at, ended_at, outcome, error_code,
                                error_message)
  select o.operation_id, o.attempt + 1, o.claim_id, worker_name, o.started_at, clock_timestamp(), 'died', 'worker_died',
         'The worker stopped in the middle of this attempt; another one took over.'
    from zohosync.operation o where o.operation_id = any (wanted) and o.status = 'running';
  update zohosync.operation o
     set deaths = o.deaths + 1, deaths_alone = o.deaths_alone + o.claimed_alone::integer
   where o.operation_id = any (wanted) and o.status = 'running';
  with poison as (
    update zohosync.operation o
       set status = 'failed', claim_id = null, queued = false, finished_at = clock_timestamp(), error_code = 'poison',
           error_message = 'Three workers in a row died while they handled this record alone.',
           error_hint = 'Look into the worker''s log at those times; press Sync now when the cause is gone.'
     where o.operation_id = any (wanted) and o.status = 'running' and o.deaths_alone >= 3
    returning o.operation_id, o.message_id, o.kind
  ), told as (
    insert into zohosync.incident as i (code, subject, severity, title, hint, operation_id)
    select 'poison', p.kind, 'critical', 'A record stops every worker that handles it.',
           'The operation page shows its attempts; the worker''s log says why it stopped.', max(p.operation_id)
      from poison p group by p.kind
    on conflict (code, subject) where closed_at is null
    do update set occurrences = i.occurrences + 1, last_seen_at = now(), operation_id = excluded.operation_id
  ), replaced as (
    update zohosync.operation o
       set status = 'superseded', claim_id = null, queued = false, finished_at = clock_timestamp()
     where o.operation_id = any (wanted) and o.status = 'running' and o.deaths_alone < 3
       and exists (select from zohosync.operation n
                    where n.kind = o.kind and n.entity = o.entity and n.record_id = o.record_id
                      and n.status in ('pending', 'retrying', 'waiting'))
    returning o.message_id
  )
  select array_agg(e.message_id) into finished
    from (select message_id from poison union all select message_id from replaced) e;
  if finished is not null then
    perform pgmq.delete(queue, finished);
  end if;
end
$function$;

-- Pushes the visibility of a claim's messages forward; returns how many operations the claim still holds.
create function zohosync.extend_claim(claim uuid, visibility integer) returns integer
language plpgsql as $function$
declare
  held integer;
begin
  perform pgmq.set_vt('zohosync_' || o.lane, o.message_id, visibility)
     from zohosync.operation o where o.claim_id = claim and o.status = 'running';
  get diagnostics held = row_count;
  return held;
end
$function$;

-- What a worker reports of one attempt. `spent`: it counts against the budget; `progress`: it renewed it; `delay`:
-- seconds until an open operation is due again.
create type zohosync.attempt_report as (
  operation_id bigint, outcome text, spent boolean, progress boolean, delay double precision,
  wait_reason zohosync.wait_reason, error_code text, error_message text, error_hint text, error_field text,
  http_status integer, vendor_code text, warnings jsonb, zoho_module text, zoho_id text, action text, label text,
  digest text, request jsonb, response jsonb);

-- Ends attempts; `reports` is an array of objects with the fields of attempt_report. Operations the claim no longer
-- holds are left alone; the ids of those it did hold are returned. `longest_hidden` is the longest delay a message is
-- kept for; beyond it the clock sends a new one, because reading past hidden messages is not free.
create function zohosync.finish(claim uuid, worker_name text, reports jsonb, longest_hidden double precision default 60)
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
  perform pgmq.set_vt('zohosync_' || n.lane, n.message_id, 0)
     from zohosync.operation o
     join zohosync.operation n on n.kind = o.kind and n.entity = o.entity and n.record_id = o.record_id
      and n.status in ('pending', 'retrying', 'waiting')
    where o.operation_id = any (held) and n.operation_id <> o.operation_id and n.queued and n.message_id is not null;
  perform pg_notify('zohosync_live', '');
  return query select unnest(held);
end
$function$;

-- Leaves a running operation open for later, or ends it as superseded when its record has a newer one.
create function zohosync.reopen(queue text, report zohosync.attempt_report, longest_hidden double precision)
returns void
language plpgsql as $function$
declare
  later double precision := case when report.outcome = 'released' then 0 else coalesce(report.delay, 0) end;
  known_message bigint;
begin
  begin
    update zohosync.operation o
       set status = case report.outcome when 'released' then 'pending' else report.outcome end::zohosync.operation_status,
           claim_id = null,
           attempt = case when report.progress then 0 else o.attempt end + coalesce(report.spent, false)::integer,
           queued = later <= longest_hidden,
           -- An attempt that came to its end shows that the record does not stop its worker.
           deaths = case when report.outcome = 'released' then o.deaths else 0 end,
           deaths_alone = case when report.outcome = 'released' then o.deaths_alone else 0 end,
           wait_reason = report.wait_reason,
           waiting_since = case when report.outcome = 'waiting' then coalesce(o.waiting_since, clock_timestamp())
                                when report.outcome = 'released' then o.waiting_since end,
           next_attempt_at = case when report.outcome <> 'released'
                                  then clock_timestamp() + make_interval(secs => later) end,
           error_code = report.error_code, error_message = report.error_message, error_hint = report.error_hint,
           error_field = report.error_field, warnings = coalesce(report.warnings, '[]'),
           label = coalesce(report.label, o.label), zoho_module = coalesce(report.zoho_module, o.zoho_module),
           zoho_id = coalesce(report.zoho_id, o.zoho_id)
     where o.operation_id = report.operation_id
    returning o.message_id into known_message;
  exception when unique_violation then
    update zohosync.operation o
       set status = 'superseded', claim_id = null, queued = false, finished_at = clock_timestamp(),
           error_code = report.error_code, error_message = report.error_message, error_hint = report.error_hint
     where o.operation_id = report.operation_id
    returning o.message_id into known_message;
    perform pgmq.delete(queue, known_message);
    return;
  end;
  if later <= longest_hidden then
    perform pgmq.set_vt(queue, known_message, ceil(later)::integer);
  else
    perform pgmq.delete(queue, known_message);
    update zohosync.operation set message_id = null where operation_id = report.operation_id;
  end if;
end
$function$;

-- Sends messages for operations whose long wait is over; returns how many.
create function zohosync.resend_due(most integer default 1000) returns integer
language plpgsql as $function$
declare
  lane_messages record;
  sent integer := 0;
begin
  for lane_messages in
    with due as (
      select o.operation_id from zohosync.operation o
       where o.status in ('retrying', 'waiting') and not o.queued and o.next_attempt_at <= clock_timestamp()
       order by o.next_attempt_at limit most for update skip locked
    ), woken as (
      update zohosync.operation o set queued = true, message_id = null
       where o.operation_id in (select operation_id from due) returning o.operation_id, o.lane
    )
    select w.lane, array_agg(jsonb_build_object('operation', w.operation_id) order by w.operation_id) as messages
      from woken w group by w.lane
  loop
    perform pgmq.send_batch('zohosync_' || lane_messages.lane, lane_messages.messages);
    sent := sent + cardinality(lane_messages.messages);
  end loop;
  if sent > 0 then
    perform pg_notify('zohosync_work', '');
  end if;
  return sent;
end
$function$;

-- Makes operations that wait for `reason` due now: the login came back, the budget was refilled.
create function zohosync.wake(reason zohosync.wait_reason) returns integer
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
     from zohosync.operation o
    where o.status = 'waiting' and o.wait_reason = reason and o.queued and o.message_id is not null;
  perform zohosync.resend_due();
  return woken;
end
$function$;

-- Cancels an operation that is not running; true when it was open.
create function zohosync.cancel(wanted bigint) returns boolean
language plpgsql as $function$
declare
  ended record;
begin
  update zohosync.operation o
     set status = 'cancelled', queued = false, finished_at = now(), wait_reason = null, next_attempt_at = null
   where o.operation_id = wanted and o.status in ('pending', 'retrying', 'waiting')
  returning o.lane, o.message_id into ended;
  if ended is null then
    return false;
  end if;
  if ended.message_id is not null then
    perform pgmq.delete('zohosync_' || ended.lane, ended.message_id);
  end if;
  perform pg_notify('zohosync_live', '');
  return true;
end
$function$;

-- Of which entities the state at go-live was taken, for which kind of work. A kind that a later release brings has none
-- until it is taken: until then the scan must not touch it, or it would sync the shop's whole past.
create table zohosync.baseline (
  kind     text not null,
  entity   text not null,
  taken_at timestamptz not null default now(),
  primary key (kind, entity)
);

-- The state of every shop record when capture starts: what is older than go-live is never synced by itself.
create function zohosync.take_baseline(of_kind text, of_entity text) returns bigint
language plpgsql as $function$
declare
  taken bigint;
begin
  insert into zohosync.baseline (kind, entity) values (of_kind, of_entity) on conflict do nothing;
  if not found then
    return 0;
  end if;
  insert into zohosync.observation (kind, entity, record_id, digest)
  select of_kind, of_entity, s.record_id, s.digest from zohosync.shop_scan(of_entity) s
  on conflict (kind, entity, record_id) do nothing;
  get diagnostics taken = row_count;
  return taken;
end
$function$;

-- Enqueues records that look different from when they were last read and that no open operation covers.
create function zohosync.catch_up(of_kind text, of_lane zohosync.lane, of_entity text, most integer default 5000)
returns integer
language plpgsql as $function$
declare
  missed text[];
begin
  if not exists (select from zohosync.installation where capturing)
     or not exists (select from zohosync.baseline b where b.kind = of_kind and b.entity = of_entity) then
    return 0;
  end if;
  select array_agg(m.record_id) into missed from (
    select s.record_id from zohosync.shop_scan(of_entity) s
      left join zohosync.observation v on v.kind = of_kind and v.entity = of_entity and v.record_id = s.record_id
     where v.digest is distinct from s.digest
       and not exists (select from zohosync.operation o
                        where o.kind = of_kind and o.entity = of_entity and o.record_id = s.record_id
                          and o.status in ('pending', 'running', 'retrying', 'waiting'))
       -- What a person cancelled, or what stops workers, stays as it is until it changes by itself or somebody asks.
       and not exists (select from zohosync.operation o
                        where o.kind = of_kind and o.entity = of_entity and o.record_id = s.record_id
                          and (o.status = 'cancelled' or o.error_code = 'poison' and o.resolved_at is null)
                          and not exists (select from zohosync.operation n
                                           where n.kind = o.kind and n.entity = o.entity
                                             and n.record_id = o.record_id and n.operation_id > o.operation_id))
     limit most) m;
  if missed is null then
    return 0;
  end if;
  perform zohosync.enqueue(array_fill(of_kind, array[cardinality(missed)]), array_fill(of_lane, array[cardinality(missed)]),
                           array_fill(of_entity, array[cardinality(missed)]), missed, 'reconcile');
  return cardinality(missed);
end
$function$;

-- Ids of Zoho the shop's row was locked for; the clock writes them later.
create table zohosync.write_back (
  entity    text not null,
  system    text not null check (system in ('crm', 'books')),
  record_id text not null,
  zoho_id   text not null,
  since     timestamptz not null default now(),
  tries     integer not null default 0,
  primary key (entity, system, record_id)
);

-- Which customer is already the Contact with an e-mail address.
create index link_by_email on zohosync.link (lower(payload ->> 'Email')) where system = 'crm' and module = 'Contacts';
