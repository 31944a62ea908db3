-- What the console reads, and what it remembers of those who use it.

-- One press of a button is one act, however often it arrives.
alter table zohosync.audit add column press uuid, add column operation_id bigint;
comment on column zohosync.audit.press is 'Drawn when the button was shown; a double click brings the same one again.';
create unique index audit_one_press on zohosync.audit (press);
create index audit_by_record on zohosync.audit (entity, record_id, audit_id desc);

-- The log's filters, each newest first. Those by status and cause are partial, one for each choice: row level security
-- hides the statistics of enums from the worker's role (their operators are not leakproof), so the planner would guess
-- half the table for any of them, and read the log from its newest row until it has found enough.
create index operation_open_newest on zohosync.operation (operation_id desc)
  where status in ('pending', 'running', 'retrying', 'waiting');
create index operation_success_newest on zohosync.operation (operation_id desc)
  where status in ('succeeded', 'skipped', 'superseded');
create index operation_failed_newest on zohosync.operation (operation_id desc)
  where status = 'failed' and resolved_at is null;
create index operation_manual_newest on zohosync.operation (operation_id desc) where cause = 'manual';
create index operation_webhook_newest on zohosync.operation (operation_id desc) where cause = 'webhook';
create index operation_sweep_newest on zohosync.operation (operation_id desc) where cause = 'sweep';
create index operation_reconcile_newest on zohosync.operation (operation_id desc) where cause = 'reconcile';
create index operation_dependency_newest on zohosync.operation (operation_id desc) where cause = 'dependency';
create index operation_by_kind on zohosync.operation (kind, operation_id desc);
create index operation_by_zoho_id on zohosync.operation (zoho_id, operation_id desc) where zoho_id is not null;
create index operation_by_error on zohosync.operation (error_code, operation_id desc) where error_code is not null;
