-- Adapter for the KN Biosciences storefront: the only place that knows the shop's tables.
-- It may be applied again at any time. Function bodies are strings, resolved when they run, so that nothing here
-- stands in the way of the shop's own ALTER TABLE.

-- ---------------------------------------------------------------------------------------------------------------
-- Mapping columns. An existing column keeps its type; only those we add carry our comment, and only those are ever
-- removed (uninstall --columns).

do $adapter$
declare
  target record;
begin
  for target in
    select t.name as table_name, c.name as column_name
      from unnest(array['users', 'orders', 'products', 'product_variants', 'b2b_quotes', 'contact_submissions']) as t(name),
           unnest(array['zoho_crm_id', 'zoho_books_id']) as c(name)
  loop
    if not exists (select from pg_catalog.pg_attribute
                    where attrelid = format('public.%I', target.table_name)::regclass
                      and attname = target.column_name and not attisdropped) then
      execute format('alter table public.%I add column %I text', target.table_name, target.column_name);
      execute format('comment on column public.%I.%I is %L', target.table_name, target.column_name,
        'zohosync: id of the record in Zoho'
        || case when target.table_name = 'products' and target.column_name = 'zoho_books_id'
                then '; set when the product has one variant, else null' else '' end);
    end if;
  end loop;
end
$adapter$;

-- What GST needs to know of each kind of goods, filled in by whoever classifies them. An existing column of one of these
-- names is kept and used as it is.
do $adapter$
declare
  target record;
begin
  for target in
    select * from (values
      ('hsn_code', 'text', 'zohosync: HSN code of the goods, 4, 6 or 8 digits'),
      ('gst_rate', 'numeric(5,2)', 'zohosync: GST rate in percent'),
      ('tax_category', 'text', 'zohosync: taxable, exempt, nil or zero_rated_na')) as c(name, type, note)
  loop
    if not exists (select from pg_catalog.pg_attribute
                    where attrelid = 'public.product_variants'::regclass
                      and attname = target.name and not attisdropped) then
      execute format('alter table public.product_variants add column %I %s', target.name, target.type);
      execute format('comment on column public.product_variants.%I is %L', target.name, target.note);
    end if;
  end loop;
end
$adapter$;

-- ---------------------------------------------------------------------------------------------------------------
-- Capture: statement-level triggers that append the keys of what changed. They never fail a shop's write: every error
-- but a cancelled query is caught, and no lock is waited for longer than lock_timeout. After one failure the rest of the
-- transaction is not tried again, so that a shop transaction of many statements waits once. The scan finds the rest.

create or replace function zohosync.capture(entity text, keys text[]) returns void
language plpgsql as $function$
begin
  if keys is null or not exists (select from zohosync.installation where capturing) then
    return;
  end if;
  perform pgmq.send_batch('zohosync_changes', array(
    select jsonb_build_object('entity', entity, 'keys', to_jsonb(keys[first : first + 499]))
      from generate_series(1, cardinality(keys), 500) as first));
  perform pg_notify('zohosync_changes', '');
end
$function$;

create or replace function zohosync.capture_missed(entity text, problem text) returns void
language plpgsql set search_path = '' as $function$
begin
  perform set_config('zohosync.capture_missed', 'yes', true);
  raise warning 'zohosync: a change of % was not captured and is left to the catch-up scan: %', entity, problem;
end
$function$;

create or replace function zohosync.capture_users() returns trigger
language plpgsql security definer set search_path = '' set lock_timeout = '50ms' as $function$
declare
  keys text[];
begin
  if current_setting('zohosync.capture_missed', true) = 'yes' then
    return null;
  end if;
  if tg_op = 'INSERT' then
    select array_agg(n.id::text) into keys from new_rows n where n.role in ('customer', 'b2b_client');
  else
    select array_agg(n.id::text) into keys
      from new_rows n left join old_rows o on o.id = n.id
     where n.role in ('customer', 'b2b_client')
       and (o.id is null
            or (n.email, n.first_name, n.last_name, n.phone, n.role, n.company_name, n.gst_number)
               is distinct from
               (o.email, o.first_name, o.last_name, o.phone, o.role, o.company_name, o.gst_number));
  end if;
  perform zohosync.capture('customer', keys);
  return null;
exception when others then
  begin
    perform zohosync.capture_missed('users', sqlerrm);
  exception when others then
    null;
  end;
  return null;
end
$function$;

create or replace function zohosync.capture_contact_submissions() returns trigger
language plpgsql security definer set search_path = '' set lock_timeout = '50ms' as $function$
declare
  keys text[];
begin
  if current_setting('zohosync.capture_missed', true) = 'yes' then
    return null;
  end if;
  if tg_op = 'INSERT' then
    select array_agg(n.id::text) into keys from new_rows n where n.status is distinct from 'spam';
  else
    select array_agg(n.id::text) into keys
      from new_rows n left join old_rows o on o.id = n.id
     where n.status is distinct from 'spam'
       and (o.id is null or o.status = 'spam'
            or (n.name, n.email, n.phone, n.subject, n.message, to_jsonb(n) ->> 'company')
               is distinct from
               (o.name, o.email, o.phone, o.subject, o.message, to_jsonb(o) ->> 'company'));
  end if;
  perform zohosync.capture('inquiry', keys);
  return null;
exception when others then
  begin
    perform zohosync.capture_missed('contact_submissions', sqlerrm);
  exception when others then
    null;
  end;
  return null;
end
$function$;

create or replace function zohosync.capture_b2b_quotes() returns trigger
language plpgsql security definer set search_path = '' set lock_timeout = '50ms' as $function$
declare
  keys text[];
begin
  if current_setting('zohosync.capture_missed', true) = 'yes' then
    return null;
  end if;
  if tg_op = 'INSERT' then
    select array_agg(n.id::text) into keys from new_rows n where n.status = 'submitted';
  else
    select array_agg(n.id::text) into keys
      from new_rows n left join old_rows o on o.id = n.id
     where n.status = 'submitted'
       and (o.id is null or o.status <> 'submitted'
            or (n.user_id, n.valid_until, n.subtotal, n.tax_amount, n.total_amount, n.notes)
               is distinct from
               (o.user_id, o.valid_until, o.subtotal, o.tax_amount, o.total_amount, o.notes));
  end if;
  perform zohosync.capture('quote', keys);
  return null;
exception when others then
  begin
    perform zohosync.capture_missed('b2b_quotes', sqlerrm);
  exception when others then
    null;
  end;
  return null;
end
$function$;

-- The lines of a quote arrive in a transaction of their own, after the quote.
create or replace function zohosync.capture_b2b_quote_items() returns trigger
language plpgsql security definer set search_path = '' set lock_timeout = '50ms' as $function$
declare
  keys text[];
begin
  if current_setting('zohosync.capture_missed', true) = 'yes' then
    return null;
  end if;
  select array_agg(distinct q.id::text) into keys
    from new_rows n join public.b2b_quotes q on q.id = n.quote_id
   where q.status = 'submitted';
  perform zohosync.capture('quote', keys);
  return null;
exception when others then
  begin
    perform zohosync.capture_missed('b2b_quote_items', sqlerrm);
  exception when others then
    null;
  end;
  return null;
end
$function$;

create or replace trigger zohosync_capture_insert after insert on public.users
  referencing new table as new_rows for each statement execute function zohosync.capture_users();
create or replace trigger zohosync_capture_update after update on public.users
  referencing old table as old_rows new table as new_rows for each statement execute function zohosync.capture_users();
create or replace trigger zohosync_capture_insert after insert on public.contact_submissions
  referencing new table as new_rows for each statement execute function zohosync.capture_contact_submissions();
create or replace trigger zohosync_capture_update after update on public.contact_submissions
  referencing old table as old_rows new table as new_rows
  for each statement execute function zohosync.capture_contact_submissions();
create or replace trigger zohosync_capture_insert after insert on public.b2b_quotes
  referencing new table as new_rows for each statement execute function zohosync.capture_b2b_quotes();
create or replace trigger zohosync_capture_update after update on public.b2b_quotes
  referencing old table as old_rows new table as new_rows
  for each statement execute function zohosync.capture_b2b_quotes();
create or replace trigger zohosync_capture_insert after insert on public.b2b_quote_items
  referencing new table as new_rows for each statement execute function zohosync.capture_b2b_quote_items();

-- ---------------------------------------------------------------------------------------------------------------
-- What the worker reads. `digest` covers the mapped columns and nothing else; shop_scan gives the same digest for every
-- record in scope, so that a change no trigger told us about can be seen.

create or replace function zohosync.customer_digest(record jsonb) returns text
language sql immutable as $function$
  select md5(jsonb_build_array(record -> 'email', record -> 'first_name', record -> 'last_name', record -> 'phone',
    record -> 'role', record -> 'company_name', record -> 'gst_number')::text)
$function$;

create or replace function zohosync.inquiry_digest(record jsonb) returns text
language sql immutable as $function$
  select md5(jsonb_build_array(record -> 'name', record -> 'email', record -> 'phone', record -> 'subject',
    record -> 'message', record -> 'company')::text)
$function$;

-- The time goes in as a number: its text would depend on the session's time zone.
create or replace function zohosync.quote_digest(
  record jsonb, valid_until double precision, line_count bigint, line_total numeric) returns text
language sql immutable as $function$
  select md5(jsonb_build_array(record -> 'user_id', valid_until, record -> 'subtotal',
    record -> 'tax_amount', record -> 'total_amount', record -> 'notes', line_count, line_total)::text)
$function$;

create or replace function zohosync.shop_customers(keys text[])
returns table (record_id text, email text, first_name text, last_name text, phone text, role text, company text,
               gstin text, zoho_crm_id text, in_scope boolean, digest text)
language plpgsql stable security definer set search_path = '' as $function$
begin
  return query
    select u.id::text, u.email::text, u.first_name::text, u.last_name::text, u.phone::text, u.role::text,
           u.company_name::text, u.gst_number::text, u.zoho_crm_id::text,
           u.role::text in ('customer', 'b2b_client'), zohosync.customer_digest(to_jsonb(u))
      from public.users u where u.id = any (keys::uuid[]);
end
$function$;

create or replace function zohosync.shop_inquiries(keys text[])
returns table (record_id text, asked_at double precision, name text, email text, phone text, company text,
               subject text, message text, zoho_crm_id text, in_scope boolean, digest text)
language plpgsql stable security definer set search_path = '' as $function$
begin
  return query
    select s.id::text, extract(epoch from s.created_at)::double precision, s.name::text, s.email::text, s.phone::text, to_jsonb(s) ->> 'company', s.subject::text,
           s.message::text, s.zoho_crm_id::text, s.status is distinct from 'spam',
           zohosync.inquiry_digest(to_jsonb(s))
      from public.contact_submissions s where s.id = any (keys::uuid[]);
end
$function$;

create or replace function zohosync.shop_quotes(keys text[])
returns table (record_id text, asked_at double precision, email text, first_name text, last_name text, phone text,
               company text, gstin text, valid_until timestamptz, subtotal numeric, tax_amount numeric, total_amount numeric, notes text,
               lines jsonb, zoho_crm_id text, in_scope boolean, digest text)
language plpgsql stable security definer set search_path = '' as $function$
begin
  return query
    select q.id::text, extract(epoch from q.created_at)::double precision, u.email::text, u.first_name::text,
           u.last_name::text, u.phone::text, u.company_name::text, u.gst_number::text,
           -- Python's calendar ends with the year 9999.
           case when q.valid_until < '9999-12-31' and q.valid_until > '0001-01-02' then q.valid_until::timestamptz end,
           q.subtotal::numeric, q.tax_amount::numeric,
           q.total_amount::numeric, q.notes::text, coalesce(i.lines, '[]'), q.zoho_crm_id::text,
           q.status::text <> 'draft', zohosync.quote_digest(to_jsonb(q), extract(epoch from q.valid_until::timestamptz)::double precision,
             coalesce(i.line_count, 0), i.line_total)
      from public.b2b_quotes q
      left join public.users u on u.id = q.user_id
      left join lateral (
        select jsonb_agg(jsonb_build_object('sku', v.sku, 'name', p.name, 'quantity', l.quantity,
                 'unit_price', l.unit_price::text, 'total_price', l.total_price::text) order by v.sku, l.id) as lines,
               count(*) as line_count, sum(l.total_price)::numeric as line_total
          from public.b2b_quote_items l
          left join public.product_variants v on v.id = l.variant_id
          left join public.products p on p.id = v.product_id
         where l.quote_id = q.id) i on true
     where q.id = any (keys::uuid[]);
end
$function$;

create or replace function zohosync.shop_scan(entity text) returns table (record_id text, digest text)
language plpgsql stable security definer set search_path = '' as $function$
begin
  case entity
    when 'customer' then
      return query select u.id::text, zohosync.customer_digest(to_jsonb(u))
        from public.users u where u.role::text in ('customer', 'b2b_client');
    when 'inquiry' then
      return query select s.id::text, zohosync.inquiry_digest(to_jsonb(s))
        from public.contact_submissions s where s.status is distinct from 'spam';
    when 'quote' then
      return query select q.id::text, zohosync.quote_digest(to_jsonb(q), extract(epoch from q.valid_until::timestamptz)::double precision,
             coalesce(i.line_count, 0), i.line_total)
        from public.b2b_quotes q
        left join (select l.quote_id, count(*) as line_count, sum(l.total_price)::numeric as line_total
                     from public.b2b_quote_items l group by 1) i on i.quote_id = q.id
       where q.status::text <> 'draft';
    else
      raise exception 'zohosync: this adapter knows no entity %', entity;
  end case;
end
$function$;

-- The newest records in scope, for a rehearsal; most null means all.
create or replace function zohosync.shop_recent(entity text, most integer) returns setof text
language plpgsql stable security definer set search_path = '' as $function$
begin
  case entity
    when 'customer' then
      return query select u.id::text from public.users u where u.role::text in ('customer', 'b2b_client')
        order by u.created_at desc nulls last, u.id limit most;
    when 'inquiry' then
      return query select s.id::text from public.contact_submissions s where s.status is distinct from 'spam'
        order by s.created_at desc nulls last, s.id limit most;
    when 'quote' then
      return query select q.id::text from public.b2b_quotes q where q.status::text <> 'draft'
        order by q.created_at desc nulls last, q.id limit most;
    else
      raise exception 'zohosync: this adapter knows no entity %', entity;
  end case;
end
$function$;

-- Finds a record a person names: by id, or by e-mail where it has one. Newest first.
create or replace function zohosync.shop_find(entity text, term text) returns table (record_id text, label text)
language plpgsql stable security definer set search_path = '' as $function$
begin
  case entity
    when 'customer' then
      return query select u.id::text, u.email::text from public.users u
        where u.id::text = lower(term) or lower(u.email) = lower(term) order by u.created_at desc limit 20;
    when 'inquiry' then
      return query select s.id::text, s.email::text from public.contact_submissions s
        where s.id::text = lower(term) or lower(s.email) = lower(term) order by s.created_at desc limit 20;
    when 'quote' then
      return query select q.id::text, u.email::text from public.b2b_quotes q left join public.users u on u.id = q.user_id
        where q.id::text = lower(term) or lower(u.email) = lower(term) order by q.created_at desc limit 20;
    else
      raise exception 'zohosync: this adapter knows no entity %', entity;
  end case;
end
$function$;

-- The newest inquiry or quote in scope of each person, by e-mail address in lower case: it tells the values of the Lead.
-- Of several at one instant it is the last by entity and id, as in Python.
create or replace function zohosync.shop_newest_inquiries(emails text[])
returns table (email text, entity text, record_id text, asked_at double precision)
language plpgsql stable security definer set search_path = '' as $function$
begin
  return query
    with asked as (
      select lower(btrim(s.email::text, E' \t\r\n')) as address, 'inquiry' as kind, s.id::text as id,
             coalesce(extract(epoch from s.created_at)::double precision, 0) as instant
        from public.contact_submissions s
       where lower(btrim(s.email::text, E' \t\r\n')) in (select unnest(emails)) and s.status is distinct from 'spam'
      union all
      select lower(btrim(u.email::text, E' \t\r\n')), 'quote', q.id::text,
             coalesce(extract(epoch from q.created_at)::double precision, 0)
        from public.users u join public.b2b_quotes q on q.user_id = u.id
       where lower(btrim(u.email::text, E' \t\r\n')) in (select unnest(emails)) and q.status::text <> 'draft')
    select distinct on (a.address) a.address, a.kind, a.id, a.instant from asked a
     order by a.address, a.instant desc, a.kind desc, a.id collate "C" desc;
end
$function$;

-- Every record a person has: those with the e-mail, without regard to case. Without a limit, for `zohosync forget`.
create or replace function zohosync.shop_records_of(entity text, address text) returns setof text
language plpgsql stable security definer set search_path = '' as $function$
declare
  sought text := lower(btrim(address, E' \t\r\n'));
begin
  case entity
    when 'customer' then
      return query select u.id::text from public.users u where lower(btrim(u.email::text, E' \t\r\n')) = sought;
    when 'inquiry' then
      return query select s.id::text from public.contact_submissions s
        where lower(btrim(s.email::text, E' \t\r\n')) = sought;
    when 'quote' then
      return query select q.id::text from public.b2b_quotes q join public.users u on u.id = q.user_id
        where lower(btrim(u.email::text, E' \t\r\n')) = sought;
    else
      raise exception 'zohosync: this adapter knows no entity %', entity;
  end case;
end
$function$;

-- ---------------------------------------------------------------------------------------------------------------
-- What `zohosync doctor` asks of the shop as a whole. Nothing here names a person.

-- One row over the variants that can be sold. The tax columns are read as JSON: another adapter or an earlier owner may
-- have given them other types, or dropped them.
create or replace function zohosync.shop_tax_survey()
returns table (variants bigint, incomplete bigint, examples text[], rates text[])
language plpgsql stable security definer set search_path = '' as $function$
begin
  return query
    with goods as (
      select coalesce(v.sku::text, v.id::text) as sku, nullif(trim(r.row ->> 'hsn_code'), '') as hsn,
             substring(r.row ->> 'gst_rate' from '^\s*(\d+(?:\.\d+)?)\s*%?\s*$')::numeric as rate,
             coalesce(nullif(trim(r.row ->> 'tax_category'), ''), 'taxable') as category
        from public.product_variants v
        join public.products p on p.id = v.product_id
        cross join lateral (select to_jsonb(v) as row) r
       where p.status::text is distinct from 'draft'
    ), judged as (
      -- A rate of 0 says exempt, nil or zero-rated, and which of these it is has to be said.
      select g.*, g.hsn is null or (g.category = 'taxable' and coalesce(g.rate, 0) = 0) as lacking
        from goods g
    )
    select count(*), count(*) filter (where j.lacking),
           coalesce((array_agg(j.sku order by j.sku) filter (where j.lacking))[1:5], '{}'),
           coalesce(array_agg(distinct trim_scale(j.rate)::text)
                    filter (where j.category = 'taxable' and j.rate is not null), '{}')
      from judged j;
end
$function$;

-- The most recent paid orders, amounts only. `lines_total` is null when an order has no lines.
create or replace function zohosync.shop_paid_orders(most integer)
returns table (order_number text, currency text, subtotal numeric, discount numeric, tax numeric, shipping numeric,
               total numeric, lines_total numeric)
language plpgsql stable security definer set search_path = '' as $function$
begin
  return query
    select o.order_number::text, o.currency::text, o.subtotal::numeric, o.discount_amount::numeric,
           o.tax_amount::numeric, o.shipping_amount::numeric, o.total_amount::numeric, l.lines_total
      from public.orders o
      left join lateral (
        select sum(coalesce(i.total_price, i.quantity * i.unit_price))::numeric as lines_total
          from public.order_items i where i.order_id = o.id) l on true
     where o.payment_status::text = 'paid'
     order by o.created_at desc limit most;
end
$function$;

-- What tells which number the storefront sells from: the two numbers compared, and code in the database that lowers one
-- of them or copies it to the other. Code outside the database cannot be seen from here.
create or replace function zohosync.shop_stock_survey()
returns table (variants bigint, with_batches bigint, differing bigint, examples text[], lower_batches text[],
               lower_quantity text[], copying text[])
language plpgsql stable security definer set search_path = '' as $function$
begin
  return query
    with numbers as (
      select coalesce(v.sku::text, v.id::text) as sku, coalesce(v.stock_quantity, 0) as quantity, b.batches,
             coalesce(b.remaining, 0) as remaining
        from public.product_variants v
        left join (
          select b.variant_id, count(*) as batches,
                 sum(b.remaining_quantity) filter (
                   where b.status::text = 'active' and (b.expiry_date is null or b.expiry_date >= current_date)) as remaining
            from public.product_batches b group by 1) b on b.variant_id = v.id
    ), code as (
      select p.oid, p.proname::text as name, regexp_replace(coalesce(pg_catalog.pg_get_function_sqlbody(p.oid), p.prosrc),
                                                     '--[^\n]*', '', 'g') as body
        from pg_catalog.pg_proc p
        join pg_catalog.pg_language l on l.oid = p.prolang and l.lanname in ('sql', 'plpgsql')
       where p.pronamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'zohosync'::regnamespace)
         and p.prosrc || coalesce(pg_catalog.pg_get_function_sqlbody(p.oid), '') ~* '(remaining_quantity|stock_quantity)'
    ), writers as (
      select c.oid, c.name,
             c.body ~* 'update\s+(only\s+)?("?public"?\.)?"?product_batches\M"?[^;]*\mremaining_quantity"?\s*=' as sets_batches,
             c.body ~* 'update\s+(only\s+)?("?public"?\.)?"?product_batches\M"?[^;]*\mremaining_quantity"?\s*=[^;]*-'
               as lowers_batches,
             c.body ~* 'update\s+(only\s+)?("?public"?\.)?"?product_variants\M"?[^;]*\mstock_quantity"?\s*=' as sets_quantity,
             c.body ~* 'update\s+(only\s+)?("?public"?\.)?"?product_variants\M"?[^;]*\mstock_quantity"?\s*=[^;]*-'
               as lowers_quantity
        from code c
    ), copies as (
      select t.tgname || ' on ' || k.relname as name, w.oid as function
        from pg_catalog.pg_trigger t
        join pg_catalog.pg_class k on k.oid = t.tgrelid and k.relnamespace = 'public'::regnamespace
        join writers w on w.oid = t.tgfoid
       where not t.tgisinternal and t.tgenabled in ('O', 'A')
         and (k.relname = 'product_batches' and w.sets_quantity or k.relname = 'product_variants' and w.sets_batches)
    )
    select count(*), count(n.batches), count(n.batches) filter (where n.remaining <> n.quantity),
           coalesce((array_agg(n.sku || ': ' || n.quantity || ' and ' || n.remaining || ' in batches' order by n.sku)
                     filter (where n.batches is not null and n.remaining <> n.quantity))[1:5], '{}'),
           coalesce((select array_agg(distinct w.name) from writers w where w.lowers_batches
                      and w.oid not in (select c.function from copies c)), '{}'),
           coalesce((select array_agg(distinct w.name) from writers w where w.lowers_quantity
                      and w.oid not in (select c.function from copies c)), '{}'),
           coalesce((select array_agg(distinct c.name) from copies c), '{}')
      from numbers n;
end
$function$;

-- ---------------------------------------------------------------------------------------------------------------
-- What the worker writes: ids of Zoho, and nothing else. Rows the shop holds locked are left for a later run and
-- returned, so that neither side waits for the other.

create or replace function zohosync.shop_set_zoho_ids(entity text, system text, keys text[], zoho_ids text[])
returns setof text
language plpgsql security definer set search_path = '' set lock_timeout = '2s' as $function$
declare
  target regclass := case entity when 'customer' then 'public.users'::regclass
                                 when 'inquiry' then 'public.contact_submissions'::regclass
                                 when 'quote' then 'public.b2b_quotes'::regclass end;
  mapping text := case system when 'crm' then 'zoho_crm_id' when 'books' then 'zoho_books_id' end;
  column_type text;
begin
  select format_type(atttypid, atttypmod) into strict column_type
    from pg_catalog.pg_attribute where attrelid = target and attname = mapping and not attisdropped;
  return query execute format($sql$
    with wanted as (
      select key::uuid as id, zoho_id::%1$s as zoho_id from unnest($1, $2) as w(key, zoho_id)
    ), differing as (
      select t.id from %2$s t join wanted w on w.id = t.id where t.%3$I is distinct from w.zoho_id
    ), free as (
      select t.id from %2$s t where t.id in (select id from differing) for update skip locked
    ), written as (
      update %2$s t set %3$I = w.zoho_id from wanted w
       where t.id = w.id and t.id in (select id from free) returning t.id
    )
    select id::text from differing where id not in (select id from written)
  $sql$, column_type, target, mapping) using keys, zoho_ids;
end
$function$;
