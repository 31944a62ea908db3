-- What the shop no longer shows is believed gone only after a long second look; what a person cancelled stays cancelled.

alter table zohosync.link add column missing_since timestamptz;
alter table zohosync.observation add column missing_since timestamptz;
comment on column zohosync.link.missing_since is 'Since when the shop has not shown the record; null again once it does.';
comment on column zohosync.observation.missing_since is 'Since when the shop has not shown the record; null again once it does.';

-- Cancels an operation that is not running; true when it was open. The record counts as seen as it looks now, so that the
-- scan leaves it alone until it changes, also when this operation is long deleted.
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
      from zohosync.baseline b
     cross join lateral (
       select c.record_id, c.digest from zohosync.shop_customers(
         case when ended.entity = 'customer' then array[ended.record_id] else '{}' end) c
       union all
       select i.record_id, i.digest from zohosync.shop_inquiries(
         case when ended.entity = 'inquiry' then array[ended.record_id] else '{}' end) i
       union all
       select q.record_id, q.digest from zohosync.shop_quotes(
         case when ended.entity = 'quote' then array[ended.record_id] else '{}' end) q) s
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
