-- The budget as Books counts: its day ends at midnight of India and starts anew as a whole, while CRM's 24 hours roll;
-- and its minute is kept exactly, by the ends of calls, so that neither a sliding nor a fixed minute is ever overrun.

alter table zohosync.budget_lease add column taken_at timestamptz not null default clock_timestamp();
comment on table zohosync.budget_lease is 'Calls under way, and for a minute those that ended: expires_at is their end.';

drop function zohosync.budget_spent_minute(text, text, timestamptz, interval);
drop table zohosync.budget_minute;

-- Whose midnight ends a product's day.
create function zohosync.budget_zone(p_product text) returns text
language sql immutable set search_path = '' as $function$
  select case p_product when 'books' then 'Asia/Kolkata' else 'UTC' end
$function$;

create function zohosync.budget_today(p_product text, p_at timestamptz) returns date
language sql stable set search_path = '' as $function$
  select (p_at at time zone zohosync.budget_zone(p_product))::date
$function$;

-- What is spent of the day. Of CRM's 24 hours: today's, and the part of yesterday's that is not yet a day old, seen as
-- evenly spread over the day, which keeps two numbers instead of one row per call. Of Books' day: today's alone.
create or replace function zohosync.budget_spent(p_organisation text, p_product text, p_at timestamptz)
returns numeric language sql stable set search_path = '' as $function$
  select coalesce(sum(case when d.day = zohosync.budget_today(p_product, p_at) then d.used
                           when p_product = 'books' then 0
                           else d.used * (1 - extract(epoch from (p_at at time zone 'UTC')::time) / 86400) end), 0)
    from zohosync.budget_day d
   where d.organisation_id = p_organisation and d.product = p_product
     and d.day between zohosync.budget_today(p_product, p_at) - 1 and zohosync.budget_today(p_product, p_at)
$function$;

-- One call's leave: a lease, or what refuses it (day, minute, concurrency) and for how long. Callers of one bucket
-- pass one at a time, so that what is counted here is still true when it is written.
create or replace function zohosync.budget_take(
  p_organisation text, p_product text, p_cost integer, p_heavy boolean, p_day_limit bigint,
  p_in_flight integer, p_heavy_in_flight integer, p_minute_limit integer, p_minute interval,
  p_lease interval, p_now timestamptz,
  out lease uuid, out refused_by text, out retry_after interval)
language plpgsql set search_path = '' as $function$
declare
  v_at     timestamptz;
  v_zone   text := zohosync.budget_zone(p_product);
  v_spent  numeric;
  v_open   integer;
  v_heavy  integer;
  v_recent integer;
  v_free   timestamptz;
  v_kept   interval := case when p_minute_limit is null then interval '0' else p_minute end;
begin
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('zohosync budget ' || p_organisation || ' ' || p_product, 0));
  v_at := coalesce(p_now, clock_timestamp());

  select p.reason, p.until_at - v_at into refused_by, retry_after
    from zohosync.budget_pause p
   where p.organisation_id = p_organisation and p.product = p_product and p.until_at > v_at;
  if found then return; end if;

  v_spent := zohosync.budget_spent(p_organisation, p_product, v_at);
  if v_spent + p_cost > p_day_limit then
    -- An hour at most, so that a limit raised meanwhile, or yesterday's credits falling due, are noticed.
    refused_by := 'day';
    retry_after := least(interval '1 hour', date_trunc('day', v_at, v_zone) + interval '1 day' - v_at);
    retry_after := greatest(retry_after, interval '1 minute');
    return;
  end if;

  delete from zohosync.budget_lease l
   where l.organisation_id = p_organisation and l.product = p_product and l.expires_at <= v_at - v_kept;
  select count(*) filter (where l.expires_at > v_at), count(*) filter (where l.expires_at > v_at and l.heavy), count(*)
    into v_open, v_heavy, v_recent
    from zohosync.budget_lease l where l.organisation_id = p_organisation and l.product = p_product;
  if v_open >= p_in_flight or (p_heavy and v_heavy >= p_heavy_in_flight) then
    refused_by := 'concurrency';
    retry_after := interval '0.5 seconds';
    return;
  end if;

  -- Zoho counts a call when it arrives, which is before its end here: what ended a minute ago is in no minute of Zoho's.
  if p_minute_limit is not null and v_recent >= p_minute_limit then
    select l.expires_at into v_free from zohosync.budget_lease l
     where l.organisation_id = p_organisation and l.product = p_product
     order by l.expires_at offset greatest(0, v_recent - p_minute_limit) limit 1;
    refused_by := 'minute';
    retry_after := least(p_minute, v_free + p_minute - v_at);
    return;
  end if;

  insert into zohosync.budget_day as d (organisation_id, product, day, used, calls)
  values (p_organisation, p_product, zohosync.budget_today(p_product, v_at), p_cost, 1)
  on conflict (organisation_id, product, day) do update set used = d.used + p_cost, calls = d.calls + 1;
  insert into zohosync.budget_lease as l (organisation_id, product, expires_at, heavy, taken_at)
  values (p_organisation, p_product, v_at + p_lease, p_heavy, v_at)
  returning l.lease_id into lease;
end
$function$;

-- The lease's end, with what the answer taught. Returns how long everybody pauses now.
-- p_verdict: answered; limited (Zoho said 429); failed (no word about limits); unsent (nothing left, credits return).
create or replace function zohosync.budget_give_back(
  p_lease uuid, p_organisation text, p_product text, p_cost integer, p_verdict text,
  p_retry_after interval, p_credits_left bigint, p_day_limit bigint,
  p_first_pause interval, p_longest_pause interval, p_now timestamptz)
returns interval language plpgsql set search_path = '' as $function$
declare
  v_at    timestamptz := coalesce(p_now, clock_timestamp());
  v_today date := zohosync.budget_today(p_product, v_at);
  v_taken date;
  v_until timestamptz;
begin
  if p_verdict = 'unsent' then
    delete from zohosync.budget_lease l where l.lease_id = p_lease returning l.taken_at into v_until;
  else
    -- Kept for the minute; the next that takes removes those that are in nobody's minute any more.
    update zohosync.budget_lease l set expires_at = least(l.expires_at, v_at)
     where l.lease_id = p_lease returning l.taken_at into v_until;
  end if;
  v_taken := zohosync.budget_today(p_product, coalesce(v_until, v_at));

  if p_verdict = 'unsent' then
    update zohosync.budget_day d set used = greatest(0, d.used - p_cost), calls = greatest(0, d.calls - 1)
     where d.organisation_id = p_organisation and d.product = p_product and d.day = v_taken;
  end if;
  if p_credits_left is not null and (p_product <> 'books' or (v_until is not null and v_taken = v_today)) then
    -- The credits are the organisation's: other programs spend them too, so what Zoho says is left counts. What was
    -- left before midnight says nothing of a day that starts anew; a call whose lease is gone was long under way.
    update zohosync.budget_day d
       set used = d.used + greatest(0, p_day_limit - p_credits_left
                                       - ceil(zohosync.budget_spent(p_organisation, p_product, v_at))::bigint)
     where d.organisation_id = p_organisation and d.product = p_product and d.day = v_today;
  end if;

  if p_verdict = 'answered' then
    delete from zohosync.budget_pause p
     where p.organisation_id = p_organisation and p.product = p_product and p.until_at <= v_at;
  elsif p_verdict = 'limited' then
    insert into zohosync.budget_pause as p (organisation_id, product, until_at, reason, refusals, began_at)
    values (p_organisation, p_product, v_at + coalesce(p_retry_after, p_first_pause), 'concurrency', 1, v_at)
    on conflict (organisation_id, product) do update set
      -- Calls refused while the pause is on were sent before it: one wave, counted once.
      refusals = case when p.until_at > v_at then p.refusals
                      when p.until_at > v_at - interval '10 minutes' then p.refusals + 1 else 1 end,
      began_at = case when p.until_at > v_at - interval '10 minutes' then p.began_at else v_at end,
      -- Zoho has one code for both limits. Calls in flight clear in seconds; what lasts ten minutes is the day's credits.
      reason   = case when p.until_at > v_at - interval '10 minutes' and p.began_at <= v_at - interval '10 minutes'
                      then 'day' else 'concurrency' end,
      until_at = greatest(p.until_at, v_at + coalesce(p_retry_after, case
                      when p.until_at > v_at then interval '0'
                      when p.until_at > v_at - interval '10 minutes'
                      then least(p_longest_pause, p_first_pause * power(2, least(p.refusals, 20)))
                      else p_first_pause end));
  end if;

  select p.until_at into v_until from zohosync.budget_pause p
   where p.organisation_id = p_organisation and p.product = p_product and p.until_at > v_at;
  return coalesce(v_until - v_at, interval '0');
end
$function$;
