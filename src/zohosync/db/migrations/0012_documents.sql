-- Documents of Zoho Books: what was made of which record of the shop, how far it came, and what people decided about it.

-- What a person corrected because the shop cannot: read by the shop_* functions of the adapter.
create table zohosync.override (
  entity     text not null,
  record_id  text not null,
  field      text not null,
  value      text not null,
  reason     text not null,
  set_by     text not null,
  set_at     timestamptz not null default now(),
  primary key (record_id, entity, field)
);
comment on table zohosync.override is 'Corrections of single records by an administrator, instead of what the shop says.';

-- How documents are made; one row per decision somebody took. What has no row is as the program's default says.
create table zohosync.policy (
  name       text primary key check (name ~ '^[a-z][a-z0-9_]*$'),
  value      jsonb not null,
  changed_by text not null,
  changed_at timestamptz not null default now()
);

-- The steps of a document, in order. `created`: it exists in Books, as a draft; `compared`: it was read back and is what
-- was expected; `sent`: it counts; `settled`: paid, applied or refunded as far as it should be.
create type zohosync.document_step as enum ('created', 'compared', 'sent', 'settled');

create table zohosync.document (
  entity            text not null,
  record_id         text not null,
  module            text not null check (module in ('invoices', 'estimates', 'creditnotes')),
  organisation_id   text not null,
  zoho_id           text not null,
  number            text,
  reference         text not null,
  step              zohosync.document_step not null default 'created',
  status            text,
  document_date     date not null,
  customer_id       text not null,
  place_of_supply   text,
  supply_type       text check (supply_type in ('intra', 'inter')),
  gst_treatment     text,
  state_source      text,
  address_source    text,
  shop_total        numeric(14, 2) not null,
  books_total       numeric(14, 2),
  taxable_value     numeric(14, 2),
  exempt_value      numeric(14, 2),
  cgst              numeric(14, 2),
  sgst              numeric(14, 2),
  igst              numeric(14, 2),
  books_cgst        numeric(14, 2),
  books_sgst        numeric(14, 2),
  books_igst        numeric(14, 2),
  round_off         numeric(14, 2) not null default 0,
  variance          numeric(14, 2),
  settled_amount    numeric(14, 2) not null default 0,
  source            jsonb not null,
  source_digest     text not null,
  lines             jsonb not null,
  books_modified_at text,
  checked_at        timestamptz,
  created_at        timestamptz not null default now(),
  updated_at        timestamptz not null default now(),
  primary key (record_id, entity, module)
);
create unique index document_one_record on zohosync.document (zoho_id, module, organisation_id);
create index document_unchecked on zohosync.document (checked_at nulls first);
create index document_by_date on zohosync.document (document_date);
create index document_by_number on zohosync.document (number);
create index document_by_line on zohosync.document using gin (lines jsonb_path_ops);
comment on column zohosync.document.source is 'What the shop said when the document was made; later changes are told by it.';
comment on column zohosync.document.source_digest is 'The digest of the shop''s record when the document was made.';
comment on column zohosync.document.lines is
  'The lines as they were sent, with rates, tax ids and their ids in Books: credit notes use them again.';
comment on column zohosync.document.variance is 'What Books made of the document minus what the shop charged, in rupees.';

-- Records a person said are not these documents: never adopted for them again.
create table zohosync.estrangement (
  module     text not null,
  zoho_id    text not null,
  entity     text not null,
  record_id  text not null,
  reason     text not null,
  by_whom    text not null,
  at         timestamptz not null default now(),
  primary key (record_id, entity, module, zoho_id)
);

-- What somebody has to look at: a document and its record of the shop no longer agree.
create table zohosync.finding (
  finding_id   bigint generated always as identity primary key,
  code         text not null check (code ~ '^[a-z][a-z0-9_]*$'),
  entity       text not null,
  record_id    text not null,
  module       text not null,
  label        text,
  message      text not null,
  detail       jsonb not null default '{}',
  found_at     timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  closed_at    timestamptz,
  closed_by    text,
  resolution   text,
  reason       text,
  check ((closed_at is null) = (closed_by is null))
);
create unique index finding_one_open on zohosync.finding (record_id, entity, code) where closed_at is null;
create index finding_open on zohosync.finding (found_at desc) where closed_at is null;

-- Records whose document waits for a correction. `digest` is of all it was judged by (see shop_hold_digests of the
-- adapter), `policies` of the policies: when one of them changes, the record is tried again.
create table zohosync.hold (
  kind         text not null,
  entity       text not null,
  record_id    text not null,
  operation_id bigint not null,
  codes        text[] not null,
  digest       text,
  policies     text not null,
  since        timestamptz not null default now(),
  primary key (record_id, entity, kind)
);

-- Up to when changes in Books are known, by module.
create table zohosync.sweep (
  name      text primary key,
  watermark timestamptz not null,
  swept_at  timestamptz not null default now()
);

-- When a record whose creation is in doubt was first looked for in vain: lists of Zoho may be behind, so that it is looked
-- for again before it is made.
alter table zohosync.link add column sought_at timestamptz;

-- What is older than go-live is never synced by itself, not even when it changes: documents must be able to tell.
alter table zohosync.observation add column before_golive boolean not null default false;

create or replace function zohosync.take_baseline(of_kind text, of_entity text) returns bigint
language plpgsql as $function$
declare
  taken bigint;
begin
  insert into zohosync.baseline (kind, entity) values (of_kind, of_entity) on conflict do nothing;
  if not found then
    return 0;
  end if;
  insert into zohosync.observation (kind, entity, record_id, digest, before_golive)
  select of_kind, of_entity, s.record_id, s.digest, true from zohosync.shop_scan(of_entity) s
  on conflict (kind, entity, record_id) do nothing;
  get diagnostics taken = row_count;
  return taken;
end
$function$;

-- The adapter's digests of what records are judged by. Where one of them cannot be read, the others are, one by one: no record
-- keeps others waiting.
create function zohosync.hold_digests(of_entity text, of_records text[]) returns table (record_id text, digest text)
language plpgsql stable as $function$
declare
  one text;
  ids text[];
  digests text[];
begin
  begin
    select array_agg(d.record_id), array_agg(d.digest) into ids, digests
      from zohosync.shop_hold_digests(of_entity, of_records) d;
    return query select * from unnest(ids, digests);
    return;
  exception when others then
    if cardinality(of_records) <= 1 then
      return;
    end if;
  end;
  foreach one in array of_records loop
    return query select * from zohosync.hold_digests(of_entity, array[one]);
  end loop;
end
$function$;

-- Tries records again whose document was held and whose data, or the policies they were judged by, have changed since.
-- `policies` is the digest of the policies as they are now. Returns how many.
create function zohosync.release_holds(now_policies text, most integer default 500) returns integer
language plpgsql as $function$
declare
  wanted record;
  released integer := 0;
begin
  for wanted in
    with held as (
      select h.* from zohosync.hold h
       where not exists (select from zohosync.operation o
                          where o.kind = h.kind and o.entity = h.entity and o.record_id = h.record_id
                            and o.status in ('pending', 'running', 'retrying', 'waiting'))
    ), changed as (
      select h.kind, h.entity, h.record_id from held h where h.policies <> now_policies
      union
      select h.kind, h.entity, h.record_id
        from (select entity, array_agg(record_id) as keys from held group by entity) k
       cross join lateral zohosync.hold_digests(k.entity, k.keys) d
        join held h on h.entity = k.entity and h.record_id = d.record_id
       where d.digest is distinct from h.digest
    )
    select c.kind, c.entity, array_agg(c.record_id order by c.record_id) as keys
      from (select * from changed order by kind, entity, record_id limit most) c group by c.kind, c.entity
     order by c.kind, c.entity
  loop
    perform zohosync.enqueue(
      array_fill(wanted.kind, array[cardinality(wanted.keys)]),
      array_fill('sales'::zohosync.lane, array[cardinality(wanted.keys)]),
      array_fill(wanted.entity, array[cardinality(wanted.keys)]), wanted.keys, 'dependency');
    released := released + cardinality(wanted.keys);
  end loop;
  return released;
end
$function$;

-- As before, for every entity the adapter has a digest of.
create or replace function zohosync.cancel(wanted bigint) returns boolean
language plpgsql as $function$
declare
  ended record;
begin
  update zohosync.operation o
     set status = 'cancelled', queued = false, finished_at = now(), wait_reason = null, next_attempt_at = null
   where o.operation_id = wanted and o.status in ('pending', 'retrying', 'waiting')
  returning o.lane, o.message_id, o.kind, o.entity, o.record_id into ended;
  if ended is null then
    return false;
  end if;
  if ended.message_id is not null then
    perform pgmq.delete('zohosync_' || ended.lane, ended.message_id);
  end if;
  begin
    insert into zohosync.observation as v (kind, entity, record_id, digest)
    select b.kind, b.entity, s.record_id, s.digest
      from zohosync.baseline b cross join lateral zohosync.shop_digests(ended.entity, array[ended.record_id]) s
     where (b.kind, b.entity) = (ended.kind, ended.entity)
    on conflict (kind, entity, record_id)
    do update set digest = excluded.digest, seen_at = now(), missing_since = null;
  exception when others then
    null;  -- a shop that cannot be read just now is no reason not to cancel: `tidy` keeps the operation instead
  end;
  perform pg_notify('zohosync_live', '');
  return true;
end
$function$;
