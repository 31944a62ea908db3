-- Everything zohosync keeps for itself. The owner of the shop's tables owns it; the worker's role gets its rights
-- from db/grants.sql. Nothing here is exposed to the shop's API roles.

create table zohosync.installation (
  singleton         boolean primary key default true check (singleton),
  installation_id   uuid not null default gen_random_uuid(),
  database_identity text not null,
  zoho              text check (zoho in ('live', 'sim')),
  organisation_id   text,
  adapter           text not null,
  capturing         boolean not null default false,
  live_since        timestamptz,
  installed_at      timestamptz not null default now(),
  check (not capturing or live_since is not null)
);
comment on column zohosync.installation.database_identity is
  'System identifier and database oid at install or adoption; another value means this database is a copy.';

create type zohosync.operation_status as enum (
  'pending', 'running', 'retrying', 'waiting', 'succeeded', 'skipped', 'superseded', 'failed', 'cancelled');
create type zohosync.operation_cause as enum (
  'change', 'manual', 'webhook', 'sweep', 'reconcile', 'dependency');
create type zohosync.lane as enum ('sales', 'stock', 'people', 'bulk');
create type zohosync.wait_reason as enum ('lines', 'parent', 'budget', 'login', 'shop');

create table zohosync.operation (
  operation_id    bigint generated always as identity primary key,
  kind            text not null check (kind ~ '^[a-z]+(\.[a-z_]+)+$'),
  lane            zohosync.lane not null,
  entity          text not null,
  record_id       text not null,
  label           text,
  cause           zohosync.operation_cause not null,
  requested_by    text,
  status          zohosync.operation_status not null default 'pending',
  attempt         integer not null default 0 check (attempt >= 0),
  wait_reason     zohosync.wait_reason,
  waiting_since   timestamptz,
  next_attempt_at timestamptz,
  queued          boolean not null default true,
  message_id      bigint,
  claim_id        uuid,
  claimed_alone   boolean not null default false,
  deaths          smallint not null default 0,
  deaths_alone    smallint not null default 0,
  error_code      text,
  error_message   text,
  error_hint      text,
  error_field     text,
  warnings        jsonb not null default '[]',
  zoho_module     text,
  zoho_id         text,
  action          text,
  created_at      timestamptz not null default now(),
  requested_at    timestamptz not null default now(),
  started_at      timestamptz,
  finished_at     timestamptz,
  resolved_at     timestamptz,
  check ((status = 'running') = (claim_id is not null)),
  check ((status = 'waiting') = (wait_reason is not null)),
  check ((status in ('succeeded', 'skipped', 'superseded', 'failed', 'cancelled')) = (finished_at is not null)),
  check (status not in ('pending', 'running') or queued),
  check (finished_at is null or not queued),
  check (status <> 'failed' or error_code is not null)
);
comment on table zohosync.operation is 'The sync log, the meaning of the queue and the table of the console, at once.';
comment on column zohosync.operation.queued is 'A message for this operation exists in the queue of its lane.';
comment on column zohosync.operation.message_id is 'That message, once a worker has read it.';
comment on column zohosync.operation.resolved_at is 'When a later operation of the record cured this failure.';

create unique index operation_one_open on zohosync.operation (kind, entity, record_id)
  where status in ('pending', 'retrying', 'waiting');
create unique index operation_one_running on zohosync.operation (kind, entity, record_id)
  where status = 'running';
create index operation_due on zohosync.operation (next_attempt_at)
  where status in ('retrying', 'waiting') and not queued;
create index operation_by_record on zohosync.operation (entity, record_id, operation_id desc);
create index operation_by_status on zohosync.operation (status, operation_id desc);
create index operation_unresolved on zohosync.operation (kind, entity, record_id)
  where status = 'failed' and resolved_at is null;
create index operation_by_label on zohosync.operation (lower(label) text_pattern_ops, operation_id desc);

create table zohosync.attempt (
  attempt_id    bigint generated always as identity primary key,
  operation_id  bigint not null references zohosync.operation on delete cascade,
  number        integer not null,
  claim_id      uuid not null,
  worker        text not null,
  started_at    timestamptz not null,
  ended_at      timestamptz not null,
  outcome       text not null check (outcome in
                  ('succeeded', 'skipped', 'superseded', 'retrying', 'waiting', 'failed', 'released', 'died')),
  error_code    text,
  error_message text,
  error_hint    text,
  http_status   integer,
  vendor_code   text,
  request       jsonb,
  response      jsonb
);
create index attempt_by_operation on zohosync.attempt (operation_id, attempt_id);

create type zohosync.link_state as enum ('creating', 'linked', 'in_doubt');
create table zohosync.link (
  system          text not null check (system in ('crm', 'books')),
  module          text not null,
  entity          text not null,
  record_id       text not null,
  state           zohosync.link_state not null,
  zoho_id         text,
  organisation_id text not null,
  reference       text,
  claimed_by      bigint,
  claimed_until   timestamptz,
  fingerprint     text,
  payload         jsonb,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  -- The record first: its statistics are hidden from the worker by row level security, and with the few values of the
  -- other columns in front the planner would read them all.
  primary key (record_id, entity, module, system),
  check ((state = 'linked') = (zoho_id is not null))
);
create unique index link_one_record on zohosync.link (zoho_id, module, system, organisation_id) where zoho_id is not null;
comment on column zohosync.link.reference is 'What to look for in Zoho when the outcome of a creation is not known.';
comment on column zohosync.link.claimed_by is
  'The operation that is creating the record just now: several may need one company or one person at the same time.';
comment on column zohosync.link.fingerprint is 'Digest of the payload Zoho accepted last; an identical one is not sent again.';

create table zohosync.observation (
  kind       text not null,
  entity     text not null,
  record_id  text not null,
  digest     text not null,
  seen_at    timestamptz not null default now(),
  primary key (record_id, entity, kind)
);
comment on table zohosync.observation is
  'What a record looked like when an operation last read it; the catch-up scan enqueues records that look different now.';

create table zohosync.connection (
  connection_id    text primary key default 'zoho' check (connection_id = 'zoho'),
  state            text not null check (state in ('connected', 'needs_reauth', 'disconnected')),
  data_centre      text not null,
  accounts_server  text not null,
  api_domain       text not null,
  organisation_id  text,
  organisation_name text,
  client_id        text not null,
  client_secret    bytea not null,
  refresh_token    bytea not null,
  access_token     bytea,
  expires_at       timestamptz,
  generation       bigint not null default 0,
  scopes           text[] not null default '{}',
  error_code       text,
  error_message    text,
  connected_at     timestamptz not null default now(),
  updated_at       timestamptz not null default now()
);
comment on column zohosync.connection.generation is
  'Counts access tokens; a caller whose rejected token is of an older generation takes the newer one without a refresh.';
create table zohosync.token_refresh (
  connection_id text not null,
  refreshed_at  timestamptz not null default clock_timestamp()
);
create index token_refresh_recent on zohosync.token_refresh (connection_id, refreshed_at);

create table zohosync.budget_day (
  organisation_id text not null,
  product         text not null,
  day             date not null,
  used            bigint not null default 0,
  calls           bigint not null default 0,
  primary key (organisation_id, product, day)
);
create table zohosync.budget_minute (
  organisation_id text not null,
  product         text not null,
  minute_at       timestamptz not null,
  used            bigint not null default 0,
  primary key (organisation_id, product, minute_at)
);
create table zohosync.budget_lease (
  lease_id        uuid primary key default gen_random_uuid(),
  organisation_id text not null,
  product         text not null,
  expires_at      timestamptz not null
);
create index budget_lease_open on zohosync.budget_lease (organisation_id, product, expires_at);
create table zohosync.budget_pause (
  organisation_id text not null,
  product         text not null,
  until_at        timestamptz not null,
  reason          text not null,
  primary key (organisation_id, product)
);

create table zohosync.incident (
  incident_id  bigint generated always as identity primary key,
  code         text not null,
  subject      text not null default '',
  severity     text not null check (severity in ('critical', 'warning')),
  title        text not null,
  hint         text not null default '',
  occurrences  integer not null default 1,
  operation_id bigint,
  opened_at    timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  closed_at    timestamptz
);
create unique index incident_one_open on zohosync.incident (code, subject) where closed_at is null;

create table zohosync.worker (
  worker_id      text primary key,
  started_at     timestamptz not null default now(),
  seen_at        timestamptz not null default now(),
  listening      boolean not null,
  schema_version integer not null
);

create table zohosync.clock_job (
  job         text primary key,
  message_id  bigint,
  last_run_at timestamptz,
  next_run_at timestamptz,
  error       text
);

create type zohosync.console_role as enum ('viewer', 'operator', 'admin');
create table zohosync.console_user (
  user_id       bigint generated always as identity primary key,
  email         text not null,
  name          text not null,
  role          zohosync.console_role not null,
  password_hash text not null,
  created_at    timestamptz not null default now(),
  disabled_at   timestamptz
);
create unique index console_user_email on zohosync.console_user (lower(email));
create table zohosync.console_session (
  token_hash bytea primary key,
  user_id    bigint not null references zohosync.console_user on delete cascade,
  csrf_token text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create table zohosync.invitation (
  token_hash bytea primary key,
  role       zohosync.console_role not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at    timestamptz
);
comment on table zohosync.invitation is 'One-time links that create a console user; the first admin comes in by one.';
create table zohosync.sign_in_attempt (
  subject      text not null,
  attempted_at timestamptz not null default now()
);
create index sign_in_attempt_recent on zohosync.sign_in_attempt (subject, attempted_at);

create table zohosync.audit (
  audit_id  bigint generated always as identity primary key,
  at        timestamptz not null default now(),
  actor     text not null,
  action    text not null,
  entity    text,
  record_id text,
  reason    text,
  detail    jsonb not null default '{}'
);
