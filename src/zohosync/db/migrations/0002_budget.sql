-- The budget of calls to Zoho: one bucket per organisation and product, for all processes on all machines.
-- Times are the database's own, because the machines' clocks may differ; p_now is for tests with a clock of their own.

alter table zohosync.budget_lease add column heavy boolean not null default false;
alter table zohosync.budget_pause
  add column refusals integer not null default 1,
  add column began_at timestamptz not null default now();
comment on column zohosync.budget_lease.heavy is 'Counts for Zoho''s sub-concurrency.';
comment on column zohosync.budget_pause.refusals is 'Pauses in a row; each is twice as long as the one before.';

-- Credits spent in the last 24 hours, as Zoho counts them: today's, and the part of yesterday's that is not yet a day old.
-- Seen as evenly spread over the day, which keeps two numbers instead of one row per call.
create function zohosync.budget_spent(p_organisation text, p_product text, p_at timestamptz)
returns numeric language sql stable set search_path = '' as $function$
  select coalesce(sum(case when d.day = (p_at at time zone 'UTC')::date then d.used
                           else d.used * (1 - extract(epoch from (p_at at time zone 'UTC')::time) / 86400) end), 0)
    from zohosync.budget_day d
   where d.organisation_id = p_organisation and d.product = p_product
     and d.day between (p_at at time zone 'UTC')::date - 1 and (p_at at time zone 'UTC')::date
$function$;

-- The same for the sliding minute.
create function zohosync.budget_spent_minute(p_organisation text, p_product text, p_at timestamptz, p_minute interval)
returns numeric language sql stable set search_path = '' as $function$
  with bin as (select date_bin(p_minute, p_at, timestamptz '2000-01-01 00:00+00') as began)
  select coalesce(sum(case when m.minute_at = bin.began then m.used
                           else m.used * (1 - extract(epoch from p_at - bin.began) / extract(epoch from p_minute)) end), 0)
    from bin join zohosync.budget_minute m on m.minute_at in (bin.began, bin.began - p_minute)
   where m.organisation_id = p_organisation and m.product = p_product
$function$;

-- One call's leave: a lease, or what refuses it (day, minute, concurrency) and for how long. Callers of one bucket
-- pass one at a time, so that what is counted here is still true when it is written.
create function zohosync.budget_take(
  p_organisation text, p_product text, p_cost integer, p_heavy boolean, p_day_limit bigint,
  p_in_flight integer, p_heavy_in_flight integer, p_minute_limit integer, p_minute interval,
  p_lease interval, p_now timestamptz,
  out lease uuid, out refused_by text, out retry_after interval)
language plpgsql set search_path = '' as $function$
declare
  v_at     timestamptz;
  v_spent  numeric;
  v_open   integer;
  v_heavy  integer;
  v_bin    timestamptz;
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
    retry_after := least(interval '1 hour', date_trunc('day', v_at, 'UTC') + interval '1 day' - v_at);
    retry_after := greatest(retry_after, interval '1 minute');
    return;
  end if;

  delete from zohosync.budget_lease l
   where l.organisation_id = p_organisation and l.product = p_product and l.expires_at <= v_at;
  select count(*), count(*) filter (where l.heavy) into v_open, v_heavy
    from zohosync.budget_lease l where l.organisation_id = p_organisation and l.product = p_product;
  if v_open >= p_in_flight or (p_heavy and v_heavy >= p_heavy_in_flight) then
    refused_by := 'concurrency';
    retry_after := interval '0.5 seconds';
    return;
  end if;

  if p_minute_limit is not null then
    if zohosync.budget_spent_minute(p_organisation, p_product, v_at, p_minute) + 1 > p_minute_limit then
      refused_by := 'minute';
      retry_after := p_minute / 6;
      return;
    end if;
    v_bin := date_bin(p_minute, v_at, timestamptz '2000-01-01 00:00+00');
    delete from zohosync.budget_minute m
     where m.organisation_id = p_organisation and m.product = p_product and m.minute_at < v_bin - p_minute;
    insert into zohosync.budget_minute as m (organisation_id, product, minute_at, used)
    values (p_organisation, p_product, v_bin, 1)
    on conflict (organisation_id, product, minute_at) do update set used = m.used + 1;
  end if;

  insert into zohosync.budget_day as d (organisation_id, product, day, used, calls)
  values (p_organisation, p_product, (v_at at time zone 'UTC')::date, p_cost, 1)
  on conflict (organisation_id, product, day) do update set used = d.used + p_cost, calls = d.calls + 1;
  insert into zohosync.budget_lease as l (organisation_id, product, expires_at, heavy)
  values (p_organisation, p_product, v_at + p_lease, p_heavy)
  returning l.lease_id into lease;
end
$function$;

-- The lease's end, with what the answer taught. Returns how long everybody pauses now.
-- p_verdict: answered; limited (Zoho said 429); failed (no word about limits); unsent (nothing left, credits return).
create function zohosync.budget_give_back(
  p_lease uuid, p_organisation text, p_product text, p_cost integer, p_verdict text,
  p_retry_after interval, p_credits_left bigint, p_day_limit bigint,
  p_first_pause interval, p_longest_pause interval, p_now timestamptz)
returns interval language plpgsql set search_path = '' as $function$
declare
  v_at    timestamptz := coalesce(p_now, clock_timestamp());
  v_today date := (v_at at time zone 'UTC')::date;
  v_until timestamptz;
begin
  delete from zohosync.budget_lease l where l.lease_id = p_lease;

  if p_verdict = 'unsent' then
    update zohosync.budget_day d set used = greatest(0, d.used - p_cost), calls = greatest(0, d.calls - 1)
     where d.organisation_id = p_organisation and d.product = p_product and d.day = v_today;
  end if;
  if p_credits_left is not null then
    -- The credits are the organisation's: other programs spend them too, so what Zoho says is left counts.
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
