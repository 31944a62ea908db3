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
-- They join old and new rows without nested loops: a plan that was made for one row is kept, and would compare each of
-- 10,000 with each.

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

-- A GSTIN as firms are known by it, whatever it was typed with; what is none names no firm.
create or replace function zohosync.gstin_of(typed text) returns text
language sql immutable as $function$
  select case when length(typed) <= 100 then right(regexp_replace(upper(typed), '[^0-9A-Z]', '', 'g'), 15) end
$function$;

create or replace function zohosync.capture_users() returns trigger
language plpgsql security definer set search_path = '' set lock_timeout = '50ms'
set enable_nestloop = off as $function$
declare
  keys text[];
  gstins text[];
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
  if tg_op = 'UPDATE' and keys is not null then
    -- Only those Books has already, or whose firm it has: a document brings the others there.
    select array_agg(distinct zohosync.gstin_of(n.gst_number::text)) into gstins from new_rows n where n.gst_number <> '';
    perform zohosync.capture('buyer', (
      select array_agg(b.id)
        from (select l.record_id as id from zohosync.link l
               where l.system = 'books' and l.entity = 'buyer' and l.record_id = any (keys)
              union
              select n.id::text from zohosync.link l
                join new_rows n on zohosync.gstin_of(n.gst_number::text) = l.record_id
                join unnest(keys) as k(id) on k.id = n.id::text
               where l.system = 'books' and l.entity = 'firm' and l.record_id = any (gstins)) b));
  end if;
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
language plpgsql security definer set search_path = '' set lock_timeout = '50ms'
set enable_nestloop = off as $function$
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
language plpgsql security definer set search_path = '' set lock_timeout = '50ms'
set enable_nestloop = off as $function$
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
  if tg_op = 'INSERT' then
    select array_agg(n.id::text) into keys from new_rows n where n.status = 'approved';
  else
    select array_agg(n.id::text) into keys
      from new_rows n left join old_rows o on o.id = n.id
     where ('approved' in (n.status, o.status) or zohosync.has_document('approved_quote', n.id::text))
       and (o.id is null or zohosync.approval_source(to_jsonb(n), null)
                            is distinct from zohosync.approval_source(to_jsonb(o), null));
  end if;
  perform zohosync.capture('approved_quote', keys);
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
language plpgsql security definer set search_path = '' set lock_timeout = '50ms'
set enable_nestloop = off as $function$
declare
  changed uuid[];
  keys text[];
  approved text[];
begin
  if current_setting('zohosync.capture_missed', true) = 'yes' then
    return null;
  end if;
  if tg_op = 'INSERT' then
    select array_agg(distinct n.quote_id) into changed from new_rows n;
  elsif tg_op = 'DELETE' then
    select array_agg(distinct o.quote_id) into changed from old_rows o;
  else
    select array_agg(distinct q.id) into changed
      from new_rows n full join old_rows o on o.id = n.id cross join lateral unnest(array[n.quote_id, o.quote_id]) as q(id)
     where n.quote_id is distinct from o.quote_id
        or zohosync.line_source(to_jsonb(n)) is distinct from zohosync.line_source(to_jsonb(o));
  end if;
  select array_agg(q.id::text) filter (where q.status = 'submitted'),
         array_agg(q.id::text) filter (where q.status = 'approved' or zohosync.has_document('approved_quote', q.id::text))
    into keys, approved
    from public.b2b_quotes q where q.id = any (changed);
  perform zohosync.capture('quote', keys);
  perform zohosync.capture('approved_quote', approved);
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

-- What a document can be due of, or exists of.
create or replace function zohosync.has_document(of_entity text, of_record text) returns boolean
language sql stable as $function$
  select exists (select from zohosync.document d where d.record_id = of_record and d.entity = of_entity)
$function$;

-- Orders whose document may be due, or exists, and the same as refunds.
create or replace function zohosync.capture_sales(changed uuid[]) returns void
language plpgsql set search_path = '' as $function$
declare
  keys text[];
  refunds text[];
begin
  select array_agg(o.id::text),
         array_agg(o.id::text) filter (where zohosync.order_refund_due(to_jsonb(o))
                                          or zohosync.has_document('refund', o.id::text))
    into keys, refunds
    from public.orders o
   where o.id = any (changed)
     and (zohosync.order_due(to_jsonb(o)) or zohosync.order_dispatched(o.status::text)
          or zohosync.has_document('order', o.id::text));
  perform zohosync.capture('order', keys);
  perform zohosync.capture('refund', refunds);
end
$function$;

-- What no document is made of is compared away first: it is what changes most.
create or replace function zohosync.capture_orders() returns trigger
language plpgsql security definer set search_path = '' set lock_timeout = '50ms'
set enable_nestloop = off as $function$
declare
  unimportant text[] := array['updated_at', 'notes', 'zoho_crm_id', 'zoho_books_id'];
  keys text[];
  refunds text[];
begin
  if current_setting('zohosync.capture_missed', true) = 'yes' then
    return null;
  end if;
  if tg_op = 'INSERT' then
    select array_agg(n.id::text) into keys
      from new_rows n where zohosync.order_due(to_jsonb(n)) or zohosync.order_dispatched(n.status::text);
  elsif tg_op = 'DELETE' then
    select array_agg(o.id::text) into keys from old_rows o where zohosync.has_document('order', o.id::text);
  else
    with c as materialized (
      select n.id::text as id, to_jsonb(n) as now_row, coalesce(to_jsonb(o), '{}') as old_row
        from new_rows n left join old_rows o on o.id = n.id)
    select array_agg(c.id), array_agg(c.id) filter (where zohosync.order_refund_due(c.now_row)
                                                       or zohosync.order_refund_due(c.old_row)
                                                       or zohosync.has_document('refund', c.id))
      into keys, refunds
      from c
     where case when c.now_row - unimportant = c.old_row - unimportant then false
                when zohosync.order_source(c.now_row, null) = zohosync.order_source(c.old_row, null) then false
                else zohosync.order_due(c.now_row) or zohosync.order_due(c.old_row)
                     or zohosync.order_dispatched(c.now_row ->> 'status')
                     or zohosync.order_dispatched(c.old_row ->> 'status')
                     or zohosync.has_document('order', c.id) end;
  end if;
  perform zohosync.capture('order', keys);
  perform zohosync.capture('refund', refunds);
  return null;
exception when others then
  begin
    perform zohosync.capture_missed('orders', sqlerrm);
  exception when others then
    null;
  end;
  return null;
end
$function$;

-- The lines of an order arrive in a transaction of their own, after the order.
create or replace function zohosync.capture_order_items() returns trigger
language plpgsql security definer set search_path = '' set lock_timeout = '50ms'
set enable_nestloop = off as $function$
declare
  changed uuid[];
begin
  if current_setting('zohosync.capture_missed', true) = 'yes' then
    return null;
  end if;
  if tg_op = 'INSERT' then
    select array_agg(distinct n.order_id) into changed from new_rows n;
  elsif tg_op = 'DELETE' then
    select array_agg(distinct o.order_id) into changed from old_rows o;
  else
    select array_agg(distinct k.id) into changed
      from new_rows n full join old_rows o on o.id = n.id
     cross join lateral unnest(array[n.order_id, o.order_id]) as k(id)
     where n.order_id is distinct from o.order_id
        or zohosync.line_source(to_jsonb(n)) is distinct from zohosync.line_source(to_jsonb(o));
  end if;
  perform zohosync.capture_sales(changed);
  return null;
exception when others then
  begin
    perform zohosync.capture_missed('order_items', sqlerrm);
  exception when others then
    null;
  end;
  return null;
end
$function$;

-- Stock changes with every sale and is no part of an item.
create or replace function zohosync.capture_product_variants() returns trigger
language plpgsql security definer set search_path = '' set lock_timeout = '50ms'
set enable_nestloop = off as $function$
declare
  unimportant text[] := array['updated_at', 'stock_quantity', 'low_stock_threshold', 'compare_price', 'track_inventory',
                              'zoho_crm_id', 'zoho_books_id'];
  keys text[];
begin
  if current_setting('zohosync.capture_missed', true) = 'yes' then
    return null;
  end if;
  if tg_op = 'INSERT' then
    select array_agg(n.id::text) into keys from new_rows n;
  else
    select array_agg(n.id::text) into keys
      from new_rows n left join old_rows o on o.id = n.id
     where case when to_jsonb(n) - unimportant = to_jsonb(o) - unimportant then false
                else zohosync.variant_digest(to_jsonb(n), null)
                     is distinct from zohosync.variant_digest(to_jsonb(o), null) end;
  end if;
  perform zohosync.capture_goods(keys);
  return null;
exception when others then
  begin
    perform zohosync.capture_missed('product_variants', sqlerrm);
  exception when others then
    null;
  end;
  return null;
end
$function$;

-- Variants of a draft are captured when it is published.
create or replace function zohosync.capture_goods(keys text[]) returns void
language plpgsql set search_path = '' as $function$
declare
  changed uuid[] := keys;
begin
  perform zohosync.capture('variant', (
    select array_agg(v.id::text) from public.product_variants v
     where v.id = any (changed)
       and (v.zoho_books_id is not null
            -- Looked up one by one: a join without nested loops would read every product because of one.
            or (select p.status::text from public.products p where p.id = v.product_id) is distinct from 'draft')));
end
$function$;

create or replace function zohosync.capture_products() returns trigger
language plpgsql security definer set search_path = '' set lock_timeout = '50ms'
set enable_nestloop = off as $function$
declare
  keys text[];
begin
  if current_setting('zohosync.capture_missed', true) = 'yes' then
    return null;
  end if;
  select array_agg(v.id::text) into keys
    from new_rows n left join old_rows o on o.id = n.id
    join public.product_variants v on v.product_id = n.id
   where (n.name, n.description, n.status) is distinct from (o.name, o.description, o.status);
  perform zohosync.capture_goods(keys);
  return null;
exception when others then
  begin
    perform zohosync.capture_missed('products', sqlerrm);
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
create or replace trigger zohosync_capture_update after update on public.b2b_quote_items
  referencing old table as old_rows new table as new_rows
  for each statement execute function zohosync.capture_b2b_quote_items();
create or replace trigger zohosync_capture_delete after delete on public.b2b_quote_items
  referencing old table as old_rows for each statement execute function zohosync.capture_b2b_quote_items();
create or replace trigger zohosync_capture_insert after insert on public.orders
  referencing new table as new_rows for each statement execute function zohosync.capture_orders();
create or replace trigger zohosync_capture_update after update on public.orders
  referencing old table as old_rows new table as new_rows for each statement execute function zohosync.capture_orders();
create or replace trigger zohosync_capture_delete after delete on public.orders
  referencing old table as old_rows for each statement execute function zohosync.capture_orders();
create or replace trigger zohosync_capture_insert after insert on public.order_items
  referencing new table as new_rows for each statement execute function zohosync.capture_order_items();
create or replace trigger zohosync_capture_update after update on public.order_items
  referencing old table as old_rows new table as new_rows
  for each statement execute function zohosync.capture_order_items();
create or replace trigger zohosync_capture_delete after delete on public.order_items
  referencing old table as old_rows for each statement execute function zohosync.capture_order_items();
create or replace trigger zohosync_capture_insert after insert on public.product_variants
  referencing new table as new_rows for each statement execute function zohosync.capture_product_variants();
create or replace trigger zohosync_capture_update after update on public.product_variants
  referencing old table as old_rows new table as new_rows
  for each statement execute function zohosync.capture_product_variants();
create or replace trigger zohosync_capture_update after update on public.products
  referencing old table as old_rows new table as new_rows
  for each statement execute function zohosync.capture_products();

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

-- ---------------------------------------------------------------------------------------------------------------
-- Orders, approved quotes and variants: what documents are made of.

-- What the shop's own words mean. Another shop changes these five and nothing else.
create or replace function zohosync.order_paid(status text, payment_status text) returns boolean
language sql immutable as $function$ select coalesce(payment_status = 'paid', false) $function$;

create or replace function zohosync.order_dispatched(status text) returns boolean
language sql immutable as $function$ select coalesce(status in ('shipped', 'delivered'), false) $function$;

create or replace function zohosync.order_cancelled(status text) returns boolean
language sql immutable as $function$ select coalesce(status = 'cancelled', false) $function$;

create or replace function zohosync.order_refunded(status text, payment_status text, refund_status text) returns boolean
language sql immutable as $function$
  select coalesce(payment_status = 'refunded', false) or coalesce(status = 'refunded', false)
         or coalesce(lower(refund_status) in ('refunded', 'processed', 'completed', 'partial', 'full'), false)
$function$;

create or replace function zohosync.order_on_delivery(payment_method text) returns boolean
language sql immutable as $function$ select coalesce(payment_method = 'cod', false) $function$;

-- Functions of a whole row are plpgsql: SQL would be inlined, and the row made into JSON once for each column it names.

-- Whether money of an order went back, or may have to.
create or replace function zohosync.order_refund_due(status text, payment_status text, refund_status text) returns boolean
language sql immutable as $function$
  select zohosync.order_refunded(status, payment_status, refund_status)
         or zohosync.order_cancelled(status) and zohosync.order_paid(status, payment_status)
$function$;

create or replace function zohosync.order_refund_due(record jsonb) returns boolean
language plpgsql immutable as $function$
begin
  return zohosync.order_refund_due(record ->> 'status', record ->> 'payment_status', record ->> 'refund_status');
end
$function$;

-- Whether an order can have a document. One that is sent on account is due when it is paid: were it in the baseline because
-- it was dispatched before go-live, its payment afterwards would make no invoice.
create or replace function zohosync.order_due(status text, payment_status text, payment_method text) returns boolean
language sql immutable as $function$
  select zohosync.order_paid(status, payment_status)
         or zohosync.order_dispatched(status) and zohosync.order_on_delivery(payment_method)
$function$;

create or replace function zohosync.order_due(record jsonb) returns boolean
language plpgsql immutable as $function$
begin
  return zohosync.order_due(record ->> 'status', record ->> 'payment_status', record ->> 'payment_method');
end
$function$;

-- Columns that not every shop has, and values that somebody may have typed: what cannot be read is null.
create or replace function zohosync.as_amount(value text) returns numeric
language sql immutable as $function$
  select case when value ~ '^\s*-?\d{1,12}(\.\d{1,12})?\s*$' then trim_scale(value::numeric) end
$function$;

-- Times written without a zone are UTC, whatever the session's is, and Python's calendar ends with the year 9999. Without
-- settings of its own: this runs for every order a scan looks at.
create or replace function zohosync.as_instant(value text) returns timestamptz
language plpgsql immutable strict as $function$
declare
  found timestamptz;
begin
  if value !~ '^\s*\d{4}-' then
    return null;
  end if;
  found := case when value ~* '\d:\d\d.*(Z|[+-]\d\d(:?\d\d)?)\s*$' then value else value || ' UTC' end::timestamptz;
  return case when found > '0001-01-02 00:00 UTC' and found < '9999-12-30 00:00 UTC' then found end;
exception when data_exception then
  return null;
end
$function$;

-- A time as it goes into digests: its text would depend on the session's time zone.
create or replace function zohosync.as_seconds(value text) returns double precision
language sql immutable as $function$ select extract(epoch from zohosync.as_instant(value))::double precision $function$;

create or replace function zohosync.as_rate(value text) returns numeric
language sql immutable as $function$
  select trim_scale(substring(value from '^\s*(\d{1,3}(?:\.\d{1,6})?)\s*%?\s*$')::numeric)
$function$;

create or replace function zohosync.as_object(value jsonb) returns jsonb
language plpgsql immutable strict set search_path = '' as $function$
declare
  inner_value jsonb;
begin
  if octet_length(value::text) > 65536 then
    return '{}';  -- no address is that long
  end if;
  if jsonb_typeof(value) = 'object' then
    return value;
  end if;
  inner_value := (value #>> '{}')::jsonb;  -- some programs write the text of an object
  return case when jsonb_typeof(inner_value) = 'object' then inner_value else '{}' end;
exception when data_exception or statement_too_complex or program_limit_exceeded then
  return '{}';
end
$function$;

-- An address in any of its shapes (the checkout's, a row of addresses, with first_name and last_name), or null when it
-- names no place.
create or replace function zohosync.read_address(written jsonb, found_in text) returns jsonb
language plpgsql stable set search_path = '' as $function$
declare
  address jsonb := jsonb_build_object(
    'name', coalesce(nullif(btrim(written ->> 'name'), ''),
                     nullif(btrim(concat_ws(' ', btrim(written ->> 'first_name'), btrim(written ->> 'last_name'))), '')),
    'email', nullif(btrim(written ->> 'email'), ''), 'phone', nullif(btrim(written ->> 'phone'), ''),
    'line1', nullif(btrim(written ->> 'address_line1'), ''), 'line2', nullif(btrim(written ->> 'address_line2'), ''),
    'city', nullif(btrim(written ->> 'city'), ''), 'state', nullif(btrim(written ->> 'state'), ''),
    'postal_code', nullif(btrim(written ->> 'postal_code'), ''),
    'country', nullif(btrim(written ->> 'country'), ''), 'source', found_in);
begin
  -- A country alone is a default of the shop's tables, and names no place.
  return case when coalesce(address ->> 'line1', address ->> 'city', address ->> 'state', address ->> 'postal_code')
                   is not null then address end;
end
$function$;

-- The address a sale is judged by: its own, else one the customer keeps. Names and ways to reach somebody are taken from
-- what the sale says, even when it says no place.
create or replace function zohosync.find_address(written jsonb, customer uuid, billing boolean) returns jsonb
language plpgsql stable set search_path = '' as $function$
declare
  own jsonb := coalesce(zohosync.as_object(written), '{}');
  address jsonb := zohosync.read_address(own, 'order');
begin
  if address is null and customer is not null then
    select zohosync.read_address(to_jsonb(a), k.found_in) into address
      from public.addresses a
      cross join lateral (select case when a.type = 'billing' then 'billing' when a.is_default then 'default_shipping'
                                 else 'newest_shipping' end as found_in) k
     where a.user_id = customer and zohosync.read_address(to_jsonb(a), k.found_in) is not null
     order by case when billing then k.found_in <> 'billing' end,
              array_position(array['default_shipping', 'newest_shipping', 'billing'], k.found_in),
              a.is_default desc nulls last, a.created_at desc nulls last, a.id
     limit 1;
  end if;
  return jsonb_build_object('name', null, 'email', null, 'phone', null, 'line1', null, 'line2', null, 'city', null,
                            'state', null, 'postal_code', null, 'country', null, 'source', 'none')
    || coalesce(address, '{}')
    || jsonb_strip_nulls(jsonb_build_object(
         'name', coalesce(nullif(btrim(own ->> 'name'), ''),
                          nullif(btrim(concat_ws(' ', btrim(own ->> 'first_name'), btrim(own ->> 'last_name'))), '')),
         'email', nullif(btrim(own ->> 'email'), ''), 'phone', nullif(btrim(own ->> 'phone'), '')));
end
$function$;

-- What an administrator corrected of each record, as one object from field to value.
create or replace function zohosync.overrides_of(of_entity text, keys text[])
returns table (record_id text, fields jsonb)
language sql stable as $function$
  select v.record_id, jsonb_object_agg(v.field, v.value order by v.field) from zohosync.override v
   where v.entity = of_entity and v.record_id = any (keys) group by v.record_id
$function$;

-- What a document is made of, as the shop has it, and kept with the document. What it reads of an order or a line,
-- order_digests reads as well.
create or replace function zohosync.order_source(record jsonb, lines jsonb) returns jsonb
language plpgsql immutable as $function$
begin
  return jsonb_build_object(
    'order_number', record ->> 'order_number', 'user_id', record ->> 'user_id',
    'placed_at', zohosync.as_seconds(record ->> 'created_at'), 'paid_at', zohosync.as_seconds(record ->> 'paid_at'),
    'dispatched_at', zohosync.as_seconds(record ->> 'shipped_at'),
    'refunded_at', zohosync.as_seconds(record ->> 'refunded_at'),
    'payment_method', record ->> 'payment_method', 'currency', record ->> 'currency',
    'payment_reference', coalesce(nullif(btrim(record ->> 'razorpay_payment_id'), ''),
      nullif(btrim(record ->> 'payment_id'), ''), nullif(btrim(record ->> 'transaction_id'), '')),
    'subtotal', zohosync.as_amount(record ->> 'subtotal')::text,
    'discount', zohosync.as_amount(record ->> 'discount_amount')::text,
    'tax', zohosync.as_amount(record ->> 'tax_amount')::text,
    'shipping', zohosync.as_amount(record ->> 'shipping_amount')::text,
    'cod_fee', coalesce(zohosync.as_amount(record ->> 'cod_charges'), zohosync.as_amount(record ->> 'cod_fee'))::text,
    'total', zohosync.as_amount(record ->> 'total_amount')::text,
    'refunded_amount', zohosync.as_amount(record ->> 'refund_amount')::text,
    'returned', case when lower(record ->> 'returned') in ('true', 'yes') then true
                     when lower(record ->> 'returned') in ('false', 'no') then false end,
    'shipping_address', record -> 'shipping_address', 'billing_address', record -> 'billing_address',
    'paid', zohosync.order_paid(record ->> 'status', record ->> 'payment_status'),
    'dispatched', zohosync.order_dispatched(record ->> 'status'),
    'cancelled', zohosync.order_cancelled(record ->> 'status'),
    'refunded', zohosync.order_refunded(record ->> 'status', record ->> 'payment_status', record ->> 'refund_status'),
    'partly_refunded', coalesce(lower(record ->> 'refund_status') = 'partial', false),
    'lines', coalesce(lines, '[]'));
end
$function$;

-- The digests of orders: of the values themselves, because a scan of 100,000 has no time to make a JSON of each.
-- A column the shop has not is found outside, among those that are empty; times are told in one zone whatever the session's is.
create or replace function zohosync.order_digests(of_orders uuid[]) returns table (order_id uuid, digest text)
language plpgsql stable set search_path = '' set timezone = 'UTC' set datestyle = 'ISO'
set plan_cache_mode = force_generic_plan as $function$
begin
  return query
    with items as (
      select i.order_id, string_agg(row(i.id, i.variant_id, i.quantity, i.unit_price, i.total_price)::text, '' order by i.id) as lines
        from unnest(of_orders) as w(id) join public.order_items i on i.order_id = w.id group by i.order_id
    )
    select found.id, found.digest
      from (select null::text as paid_at, null::text as shipped_at, null::text as refunded_at, null::text as refund_status,
                   null::text as refund_amount, null::text as returned, null::text as razorpay_payment_id,
                   null::text as payment_id, null::text as transaction_id, null::text as cod_charges, null::text as cod_fee
           ) as absent
     cross join lateral (
       select o.id, md5(concat(row(
                o.order_number, o.user_id, o.created_at, o.payment_method, o.currency, o.subtotal, o.discount_amount,
                o.tax_amount, o.shipping_amount, o.total_amount,
                zohosync.order_paid(o.status::text, o.payment_status::text), zohosync.order_dispatched(o.status::text),
                zohosync.order_cancelled(o.status::text),
                zohosync.order_refunded(o.status::text, o.payment_status::text, refund_status::text),
                coalesce(lower(refund_status::text) = 'partial', false), paid_at, shipped_at, refunded_at, refund_amount, returned, razorpay_payment_id, payment_id,
                transaction_id, cod_charges, cod_fee)::text,
              coalesce(to_jsonb(o.shipping_address), 'null')::text, coalesce(to_jsonb(o.billing_address), 'null')::text,
              items.lines)) as digest
         from unnest(of_orders) as w(id)
         join public.orders o on o.id = w.id
         left join items on items.order_id = o.id) as found;
end
$function$;

create or replace function zohosync.approval_source(record jsonb, lines jsonb) returns jsonb
language plpgsql immutable as $function$
begin
  return jsonb_build_object(
    'order_number', coalesce(nullif(btrim(record ->> 'quote_number'), ''), record ->> 'id'),
    'user_id', record ->> 'user_id', 'placed_at', zohosync.as_seconds(record ->> 'created_at'),
    'valid_until', zohosync.as_seconds(record ->> 'valid_until'), 'currency', coalesce(record ->> 'currency', 'INR'),
    'subtotal', zohosync.as_amount(record ->> 'subtotal')::text,
    'discount', zohosync.as_amount(record ->> 'discount_amount')::text,
    'tax', zohosync.as_amount(record ->> 'tax_amount')::text,
    'shipping', zohosync.as_amount(record ->> 'shipping_amount')::text,
    'total', zohosync.as_amount(record ->> 'total_amount')::text,
    'approved', coalesce(record ->> 'status' = 'approved', false), 'lines', coalesce(lines, '[]'));
end
$function$;

-- One line as it goes into the source of its document.
create or replace function zohosync.line_source(record jsonb) returns jsonb
language plpgsql immutable as $function$
begin
  return jsonb_build_object('line_id', record ->> 'id', 'variant_id', record ->> 'variant_id',
    'quantity', zohosync.as_amount(record ->> 'quantity')::text,
    'unit_price', zohosync.as_amount(record ->> 'unit_price')::text,
    'total_price', zohosync.as_amount(record ->> 'total_price')::text);
end
$function$;

create or replace function zohosync.packing_of(variant jsonb) returns text
language sql immutable as $function$
  select nullif(concat_ws(' ', zohosync.as_amount(variant ->> 'weight')::text,
    case when zohosync.as_amount(variant ->> 'weight') is not null then nullif(btrim(variant ->> 'weight_unit'), '') end,
    nullif(btrim(variant ->> 'packing_type'), '')), '')
$function$;

-- The lines of a source with what the variants say of them. An override line_sku:<line id> names another variant.
create or replace function zohosync.complete_lines(lines jsonb, overrides jsonb) returns jsonb
language plpgsql stable set search_path = '' as $function$
begin
  return coalesce((
    select jsonb_agg(l.line || jsonb_build_object(
             'variant_id', case when l.named is null then coalesce(v.id::text, l.line ->> 'variant_id') else v.id::text end,
             'sku', coalesce(l.named, nullif(btrim(v.sku::text), '')),
             'name', nullif(concat_ws(' ', nullif(btrim(p.name::text), ''), zohosync.packing_of(to_jsonb(v))), ''),
             'hsn_code', nullif(btrim(to_jsonb(v) ->> 'hsn_code'), ''),
             'gst_rate', zohosync.as_rate(to_jsonb(v) ->> 'gst_rate')::text,
             'tax_category', nullif(btrim(to_jsonb(v) ->> 'tax_category'), '')) order by l.ordinality)
      from (select e.line, e.ordinality, nullif(btrim(overrides ->> ('line_sku:' || (e.line ->> 'line_id'))), '') as named
              from jsonb_array_elements(lines) with ordinality e(line, ordinality)) l
      left join lateral (
        select w.* from public.product_variants w
         where l.named is null and w.id = (l.line ->> 'variant_id')::uuid
        union all
        (select w.* from public.product_variants w
          where l.named is not null and lower(btrim(w.sku::text)) = lower(l.named)
          order by w.sku::text = l.named desc, w.id limit 1)) v on true
      left join public.products p on p.id = v.product_id), '[]');
end
$function$;

-- Whether a record is older than go-live: then no document is made of it unless a person asks.
create or replace function zohosync.before_golive(of_kind text, of_entity text, of_record text) returns boolean
language sql stable as $function$
  select coalesce((select v.before_golive from zohosync.observation v
                    where v.record_id = of_record and v.entity = of_entity and v.kind = of_kind), false)
      or (exists (select from zohosync.installation i where i.live_since is not null)
          and not exists (select from zohosync.baseline b where b.kind = of_kind and b.entity = of_entity))
$function$;

-- A sale in the form the worker reads: what order and approved quote have in common.
create or replace function zohosync.complete_sale(source jsonb, overrides jsonb, ship_written jsonb, bill_written jsonb)
returns table (ship_to jsonb, bill_to jsonb, email text, first_name text, last_name text, phone text, company text,
               gstin text, role text, lines jsonb, hold_digest text)
language plpgsql stable set search_path = '' as $function$
declare
  customer public.users;
  customer_id uuid := source ->> 'user_id';
  full_name text;
  words text[];
begin
  select u.* into customer from public.users u where u.id = customer_id;
  ship_to := zohosync.find_address(ship_written, customer_id, false);
  bill_to := zohosync.find_address(bill_written, customer_id, true);
  if bill_to ->> 'source' in ('default_shipping', 'newest_shipping', 'none') and ship_to ->> 'source' = 'order' then
    bill_to := ship_to;  -- the sale's own address is nearer to it than one the customer keeps
  end if;
  ship_to := ship_to || jsonb_strip_nulls(jsonb_build_object('state', overrides -> 'state',
    'postal_code', overrides -> 'postal_code', 'country', overrides -> 'country', 'name', overrides -> 'name'));
  bill_to := bill_to || jsonb_strip_nulls(jsonb_build_object('name', overrides -> 'name'));
  full_name := coalesce(overrides ->> 'name', case when customer.id is null
                        then coalesce(bill_to ->> 'name', ship_to ->> 'name') end);
  email := coalesce(nullif(btrim(customer.email::text), ''), ship_to ->> 'email', bill_to ->> 'email');
  -- Split at single blanks: a pattern that looks for the last word is slow on what somebody can type.
  words := string_to_array(btrim(left(btrim(regexp_replace(full_name, '\s+', ' ', 'g')), 300)), ' ');
  first_name := case when full_name is null then customer.first_name::text
                     else array_to_string(words[:greatest(cardinality(words) - 1, 1)], ' ') end;
  last_name := case when full_name is null then customer.last_name::text
                    when cardinality(words) > 1 then words[cardinality(words)] end;
  phone := coalesce(nullif(btrim(customer.phone::text), ''), ship_to ->> 'phone', bill_to ->> 'phone');
  company := coalesce(overrides ->> 'company', nullif(btrim(customer.company_name::text), ''));
  gstin := coalesce(overrides ->> 'gstin', nullif(btrim(customer.gst_number::text), ''));
  role := customer.role::text;
  lines := zohosync.complete_lines(source -> 'lines', overrides);
  hold_digest := md5(jsonb_build_array(source, overrides, lines, ship_to, bill_to, email, first_name, last_name, phone,
                                       company, gstin, role)::text);
  return next;
end
$function$;

create or replace function zohosync.shop_orders(keys text[])
returns table (record_id text, order_number text, user_id text, quote_id text, placed_at timestamptz,
               paid_at timestamptz, dispatched_at timestamptz, status text, payment_status text, payment_method text,
               payment_reference text, currency text, subtotal numeric, discount numeric, tax numeric, shipping numeric,
               cod_fee numeric, total numeric, paid boolean, dispatched boolean, cancelled boolean, refunded boolean,
               refunded_amount numeric, refunded_at timestamptz, returned boolean, ship_to jsonb, bill_to jsonb,
               email text, first_name text, last_name text, phone text, company text, gstin text, role text, lines jsonb,
               zoho_books_id text, digest text, hold_digest text, before_golive boolean, overrides jsonb, source jsonb)
language plpgsql stable security definer set search_path = ''
set plan_cache_mode = force_generic_plan as $function$
declare
  wanted uuid[] := keys;
begin
  return query
    with items as (
      -- One pass for all orders, hashed, and without whole rows: the shop may have no index on order_id.
      -- As the shop wrote them: where it keeps no created_at, the name is found outside.
      select found.* from (select null::timestamptz as created_at) as absent cross join lateral (
        select i.order_id, jsonb_agg(zohosync.line_source(jsonb_build_object(
                 'id', i.id, 'variant_id', i.variant_id, 'quantity', i.quantity, 'unit_price', i.unit_price,
                 'total_price', i.total_price)) order by created_at, i.id) as lines
          from unnest(wanted) as w(id) join public.order_items i on i.order_id = w.id group by i.order_id) as found
    ), quotes as (
      select distinct on (q.linked_order_id) q.linked_order_id, q.id::text as quote_id
        from unnest(wanted) as w(id) join public.b2b_quotes q on q.linked_order_id = w.id
       order by q.linked_order_id, q.created_at desc nulls last, q.id
    ), read as materialized (
      -- Named one by one, so that a column the shop dropped is told and not taken for empty.
      select o.id, o.status::text as status, o.payment_status::text as payment_status, o.zoho_books_id::text as books_id,
             to_jsonb(o) as record,
             zohosync.order_source(to_jsonb(o) || jsonb_build_object(
               'order_number', o.order_number, 'user_id', o.user_id, 'payment_method', o.payment_method,
               'currency', o.currency, 'subtotal', o.subtotal, 'tax_amount', o.tax_amount,
               'shipping_amount', o.shipping_amount, 'discount_amount', o.discount_amount,
               'total_amount', o.total_amount, 'shipping_address', o.shipping_address,
               'billing_address', o.billing_address), items.lines) as source,
             coalesce(v.fields, '{}') as overrides, quotes.quote_id
        from public.orders o
        left join items on items.order_id = o.id
        left join quotes on quotes.linked_order_id = o.id
        left join zohosync.overrides_of('order', keys) v on v.record_id = o.id::text
       where o.id = any (wanted)
    )
    select r.id::text, coalesce(r.source ->> 'order_number', r.id::text), r.source ->> 'user_id', r.quote_id,
           zohosync.as_instant(r.record ->> 'created_at'), zohosync.as_instant(r.record ->> 'paid_at'),
           zohosync.as_instant(r.record ->> 'shipped_at'), r.status, r.payment_status, r.source ->> 'payment_method',
           r.source ->> 'payment_reference', r.source ->> 'currency', (r.source ->> 'subtotal')::numeric,
           (r.source ->> 'discount')::numeric, (r.source ->> 'tax')::numeric, (r.source ->> 'shipping')::numeric,
           (r.source ->> 'cod_fee')::numeric, (r.source ->> 'total')::numeric, (r.source ->> 'paid')::boolean,
           (r.source ->> 'dispatched')::boolean, (r.source ->> 'cancelled')::boolean,
           (r.source ->> 'refunded')::boolean, (r.source ->> 'refunded_amount')::numeric,
           zohosync.as_instant(r.record ->> 'refunded_at'), (r.source ->> 'returned')::boolean,
           s.ship_to, s.bill_to, s.email, s.first_name, s.last_name, s.phone, s.company, s.gstin, s.role, s.lines,
           r.books_id, d.digest, s.hold_digest,
           zohosync.before_golive('books.invoice.push', 'order', r.id::text), r.overrides, r.source
      from read r
      join zohosync.order_digests(wanted) d on d.order_id = r.id
      cross join lateral zohosync.complete_sale(r.source, r.overrides, r.source -> 'shipping_address',
                                                r.source -> 'billing_address') s;
end
$function$;

create or replace function zohosync.shop_approved_quotes(keys text[])
returns table (record_id text, order_number text, user_id text, quote_id text, placed_at timestamptz,
               paid_at timestamptz, dispatched_at timestamptz, status text, payment_status text, payment_method text,
               payment_reference text, currency text, subtotal numeric, discount numeric, tax numeric, shipping numeric,
               cod_fee numeric, total numeric, paid boolean, dispatched boolean, cancelled boolean, refunded boolean,
               refunded_amount numeric, refunded_at timestamptz, returned boolean, ship_to jsonb, bill_to jsonb,
               email text, first_name text, last_name text, phone text, company text, gstin text, role text, lines jsonb,
               zoho_books_id text, digest text, hold_digest text, before_golive boolean, overrides jsonb, source jsonb,
               valid_until timestamptz, approved boolean)
language plpgsql stable security definer set search_path = ''
set plan_cache_mode = force_generic_plan as $function$
declare
  wanted uuid[] := keys;
begin
  return query
    with items as (
      select found.* from (select null::timestamptz as created_at) as absent cross join lateral (
        select i.quote_id, jsonb_agg(zohosync.line_source(jsonb_build_object(
                 'id', i.id, 'variant_id', i.variant_id, 'quantity', i.quantity, 'unit_price', i.unit_price,
                 'total_price', i.total_price)) order by created_at, i.id) as lines
          from unnest(wanted) as w(id) join public.b2b_quote_items i on i.quote_id = w.id group by i.quote_id) as found
    ), read as materialized (
      select q.id, q.status::text as status, q.zoho_books_id::text as books_id, to_jsonb(q) as record,
             zohosync.approval_source(to_jsonb(q) || jsonb_build_object(
               'user_id', q.user_id, 'subtotal', q.subtotal, 'tax_amount', q.tax_amount,
               'total_amount', q.total_amount, 'valid_until', q.valid_until), items.lines) as source,
             coalesce(v.fields, '{}') as overrides,
             to_jsonb(o.shipping_address) as ship_written, to_jsonb(o.billing_address) as bill_written
        from public.b2b_quotes q
        left join items on items.quote_id = q.id
        left join public.orders o on o.id = q.linked_order_id
        left join zohosync.overrides_of('approved_quote', keys) v on v.record_id = q.id::text
       where q.id = any (wanted)
    )
    select r.id::text, r.source ->> 'order_number', r.source ->> 'user_id', r.id::text,
           zohosync.as_instant(r.record ->> 'created_at'), null::timestamptz, null::timestamptz, r.status, null::text,
           null::text, null::text, r.source ->> 'currency', (r.source ->> 'subtotal')::numeric,
           (r.source ->> 'discount')::numeric, (r.source ->> 'tax')::numeric, (r.source ->> 'shipping')::numeric,
           null::numeric, (r.source ->> 'total')::numeric, false, false, false, false, null::numeric,
           null::timestamptz, null::boolean,
           s.ship_to, s.bill_to, s.email, s.first_name, s.last_name, s.phone, s.company, s.gstin, s.role, s.lines,
           r.books_id, md5(r.source::text), s.hold_digest,
           zohosync.before_golive('books.estimate.push', 'approved_quote', r.id::text), r.overrides, r.source,
           zohosync.as_instant(r.record ->> 'valid_until'), (r.source ->> 'approved')::boolean
      from read r
      cross join lateral zohosync.complete_sale(r.source, r.overrides, r.ship_written, r.bill_written) s;
end
$function$;

-- What an item is made of; its stock is not part of it.
create or replace function zohosync.variant_digest(variant jsonb, product jsonb) returns text
language plpgsql immutable as $function$
begin
  return md5(jsonb_build_array(variant ->> 'product_id', btrim(variant ->> 'sku'), product ->> 'name',
    product ->> 'description', product ->> 'status', zohosync.packing_of(variant),
    zohosync.as_amount(variant ->> 'price'), zohosync.as_amount(variant ->> 'cost_price'),
    btrim(variant ->> 'hsn_code'), zohosync.as_rate(variant ->> 'gst_rate'), btrim(variant ->> 'tax_category'))::text);
end
$function$;

create or replace function zohosync.shop_variants(keys text[])
returns table (record_id text, product_id text, sku text, product_name text, packing text, description text,
               price numeric, cost numeric, hsn_code text, gst_rate numeric, tax_category text, stock numeric,
               active boolean, only_variant boolean, zoho_books_id text, digest text)
language plpgsql stable security definer set search_path = '' as $function$
begin
  return query
    select v.id::text, v.product_id::text, nullif(btrim(v.sku::text), ''), nullif(btrim(p.name::text), ''),
           zohosync.packing_of(r.row), nullif(btrim(p.description::text), ''),
           zohosync.as_amount(v.price::text), zohosync.as_amount(v.cost_price::text),
           nullif(btrim(r.row ->> 'hsn_code'), ''), zohosync.as_rate(r.row ->> 'gst_rate'),
           nullif(btrim(r.row ->> 'tax_category'), ''),
           case when coalesce(v.track_inventory, true) then v.stock_quantity::numeric end,
           coalesce(p.status::text = 'active', false),
           not exists (select from public.product_variants w where w.product_id = v.product_id and w.id <> v.id),
           v.zoho_books_id::text, zohosync.variant_digest(r.row, to_jsonb(p))
      from public.product_variants v
      left join public.products p on p.id = v.product_id
      cross join lateral (select to_jsonb(v) as row) r
     where v.id = any (keys::uuid[]);
end
$function$;

-- The digest of all that a document was judged by: when it changes, a record that was held is tried again.
create or replace function zohosync.shop_hold_digests(entity text, keys text[])
returns table (record_id text, digest text)
language plpgsql stable security definer set search_path = '' as $function$
begin
  case entity
    when 'order' then
      return query select s.record_id, s.hold_digest from zohosync.shop_orders(keys) s;
    when 'approved_quote' then
      return query select s.record_id, s.hold_digest from zohosync.shop_approved_quotes(keys) s;
    when 'refund' then
      return query select s.record_id, s.hold_digest from zohosync.shop_orders(keys) s;
    when 'variant' then
      return query select s.record_id, s.digest from zohosync.shop_variants(keys) s;
    when 'buyer' then
      return query select u.id::text, md5(jsonb_build_array(zohosync.customer_digest(to_jsonb(u)), v.fields,
               zohosync.find_address(null, u.id, false), zohosync.find_address(null, u.id, true))::text)
        from public.users u left join zohosync.overrides_of('buyer', keys) v on v.record_id = u.id::text
       where u.id = any (keys::uuid[]);
    else
      null;  -- nothing of the shop tells of it; it is tried again when a policy changes
  end case;
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
    when 'order' then
      return query select s.order_id::text, s.digest from zohosync.order_digests(array(
        select o.id from public.orders o
         where zohosync.order_due(o.status::text, o.payment_status::text, o.payment_method::text)
            or o.id::text in (select d.record_id from zohosync.document d where d.entity = 'order'))) s;
    when 'refund' then
      return query select s.order_id::text, s.digest from zohosync.order_digests(array(
        select found.id from (select null::text as refund_status) as absent
         cross join lateral (
           select o.id from public.orders o
            where zohosync.order_refund_due(o.status::text, o.payment_status::text, refund_status::text)
               or o.id::text in (select d.record_id from zohosync.document d where d.entity = 'refund')) as found)) s;
    when 'approved_quote' then
      return query select q.id::text, md5(zohosync.approval_source(to_jsonb(q), i.lines)::text)
        from public.b2b_quotes q
        left join (select found.* from (select null::timestamptz as created_at) as absent cross join lateral (
                     select l.quote_id, jsonb_agg(zohosync.line_source(to_jsonb(l)) order by created_at, l.id) as lines
                       from public.b2b_quote_items l group by 1) as found) i on i.quote_id = q.id
       where q.status::text = 'approved'
          or q.id::text in (select d.record_id from zohosync.document d where d.entity = 'approved_quote');
    when 'variant' then
      return query select v.id::text, zohosync.variant_digest(to_jsonb(v), to_jsonb(p))
        from public.product_variants v left join public.products p on p.id = v.product_id
       where p.status::text is distinct from 'draft' or v.zoho_books_id is not null;
    when 'buyer' then
      return query select u.id::text, zohosync.customer_digest(to_jsonb(u)) from public.users u
       where u.id::text in (select l.record_id from zohosync.link l where l.system = 'books' and l.entity = 'buyer')
          or zohosync.gstin_of(u.gst_number::text) in (
               select l.record_id from zohosync.link l where l.system = 'books' and l.entity = 'firm');
    else
      raise exception 'zohosync: this adapter knows no entity %', entity;
  end case;
end
$function$;

-- The digests of these records, in scope or not, as shop_scan tells them.
create or replace function zohosync.shop_digests(entity text, keys text[]) returns table (record_id text, digest text)
language plpgsql stable security definer set search_path = '' as $function$
begin
  case
    when entity in ('customer', 'buyer') then
      return query select s.record_id, s.digest from zohosync.shop_customers(keys) s;
    when entity = 'inquiry' then
      return query select s.record_id, s.digest from zohosync.shop_inquiries(keys) s;
    when entity = 'quote' then
      return query select s.record_id, s.digest from zohosync.shop_quotes(keys) s;
    when entity in ('order', 'refund') then
      return query select s.order_id::text, s.digest from zohosync.order_digests(keys::uuid[]) s;
    when entity = 'approved_quote' then
      return query select s.record_id, s.digest from zohosync.shop_approved_quotes(keys) s;
    when entity = 'variant' then
      return query select s.record_id, s.digest from zohosync.shop_variants(keys) s;
    else
      null;  -- what the shop has no record of has no digest
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
    when 'order' then
      return query select o.id::text from public.orders o where zohosync.order_due(to_jsonb(o))
        order by o.created_at desc nulls last, o.id limit most;
    when 'refund' then
      return query select o.id::text from public.orders o where zohosync.order_refund_due(to_jsonb(o))
        order by o.created_at desc nulls last, o.id limit most;
    when 'approved_quote' then
      return query select q.id::text from public.b2b_quotes q where q.status::text = 'approved'
        order by q.created_at desc nulls last, q.id limit most;
    when 'variant' then
      return query select v.id::text from public.product_variants v left join public.products p on p.id = v.product_id
        where p.status::text is distinct from 'draft' order by v.created_at desc nulls last, v.id limit most;
    when 'buyer' then
      return query select u.id::text from public.users u
        where u.id::text in (select l.record_id from zohosync.link l where l.system = 'books' and l.entity = 'buyer')
           or zohosync.gstin_of(u.gst_number::text) in (
                select l.record_id from zohosync.link l where l.system = 'books' and l.entity = 'firm')
        order by u.created_at desc nulls last, u.id limit most;
    else
      raise exception 'zohosync: this adapter knows no entity %', entity;
  end case;
end
$function$;

-- Finds a record a person names: by id, by e-mail where it has one, by order number or SKU. Newest first.
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
    when 'approved_quote' then
      return query select q.id::text, u.email::text from public.b2b_quotes q left join public.users u on u.id = q.user_id
        where q.status::text = 'approved' and (q.id::text = lower(term) or lower(u.email) = lower(term))
        order by q.created_at desc limit 20;
    when 'order', 'refund' then
      return query select o.id::text, o.order_number::text from public.orders o left join public.users u on u.id = o.user_id
        where o.id::text = lower(term) or lower(o.order_number) = lower(term) or lower(u.email) = lower(term)
           or lower(to_jsonb(o) #>> '{shipping_address,email}') = lower(term)
           or lower(to_jsonb(o) #>> '{billing_address,email}') = lower(term)
        order by o.created_at desc limit 20;
    when 'variant' then
      return query select v.id::text, v.sku::text from public.product_variants v
        where v.id::text = lower(term) or lower(btrim(v.sku)) = lower(btrim(term)) order by v.created_at desc limit 20;
    when 'buyer' then
      return query select u.id::text, u.email::text from public.users u
        where u.id::text = lower(term) or lower(u.email) = lower(term) order by u.created_at desc limit 20;
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
    when 'customer', 'buyer' then
      return query select u.id::text from public.users u where lower(btrim(u.email::text, E' \t\r\n')) = sought;
    when 'inquiry' then
      return query select s.id::text from public.contact_submissions s
        where lower(btrim(s.email::text, E' \t\r\n')) = sought;
    when 'quote', 'approved_quote' then
      return query select q.id::text from public.b2b_quotes q join public.users u on u.id = q.user_id
        where lower(btrim(u.email::text, E' \t\r\n')) = sought;
    when 'order', 'refund' then
      -- A customer's order is theirs, whoever it is sent to.
      return query select o.id::text from public.orders o left join public.users u on u.id = o.user_id
        where case when u.id is not null then sought = lower(btrim(u.email::text, E' \t\r\n'))
                   else sought in (lower(btrim(to_jsonb(o) #>> '{shipping_address,email}', E' \t\r\n')),
                                   lower(btrim(to_jsonb(o) #>> '{billing_address,email}', E' \t\r\n'))) end;
    when 'variant' then
      return;  -- goods are nobody's
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

-- Columns we look lines and addresses up by that no index begins with: each look-up then reads the whole table. `statement` is for the
-- owner of the shop's tables; nothing here adds to them what writes would have to keep up.
create or replace function zohosync.shop_missing_indexes()
returns table (table_name text, column_name text, row_count bigint, statement text)
language plpgsql stable security definer set search_path = '' as $function$
begin
  return query
    select w.t, w.c, case when k.reltuples < 0 then pg_catalog.pg_relation_size(k.oid) / 100 else k.reltuples::bigint end,
           format('create index concurrently on public.%I (%I);', w.t, w.c)
      from (values ('order_items', 'order_id'), ('b2b_quote_items', 'quote_id'), ('addresses', 'user_id')) as w(t, c)
      join pg_catalog.pg_class k on k.relname = w.t and k.relnamespace = 'public'::regnamespace
      join pg_catalog.pg_attribute a on a.attrelid = k.oid and a.attname = w.c and not a.attisdropped
     where not exists (select from pg_catalog.pg_index i
                        where i.indrelid = k.oid and i.indisvalid and i.indpred is null and i.indkey[0] = a.attnum)
     order by 3 desc, 1;
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
-- What is written into the shop: ids of Zoho by the worker, and what people enter here. Rows the shop holds locked are left for a later run and
-- returned, so that neither side waits for the other.

-- A product with one variant is that variant's item; with more it is none. Returns the variants whose product is locked.
create or replace function zohosync.set_product_ids(keys text[], zoho_ids text[]) returns setof text
language plpgsql set search_path = '' as $function$
declare
  column_type text;
begin
  select format_type(atttypid, atttypmod) into strict column_type
    from pg_catalog.pg_attribute where attrelid = 'public.products'::regclass and attname = 'zoho_books_id' and not attisdropped;
  return query execute format($sql$
    with wanted as (
      select distinct on (v.product_id) v.product_id as id, w.key,
             case when not exists (select from public.product_variants o
                                    where o.product_id = v.product_id and o.id <> v.id) then w.zoho_id::%1$s end as zoho_id
        from unnest($1, $2) as w(key, zoho_id) join public.product_variants v on v.id = w.key::uuid
    ), differing as (
      select p.id, w.key from public.products p join wanted w on w.id = p.id
       where p.zoho_books_id is distinct from w.zoho_id
    ), free as (
      select p.id from public.products p where p.id in (select id from differing) for no key update skip locked
    ), written as (
      update public.products p set zoho_books_id = w.zoho_id from wanted w
       where p.id = w.id and p.id in (select id from free) returning p.id
    )
    select d.key from differing d where d.id not in (select id from written)
  $sql$, column_type) using keys, zoho_ids;
end
$function$;

create or replace function zohosync.shop_set_zoho_ids(entity text, system text, keys text[], zoho_ids text[])
returns setof text
language plpgsql security definer set search_path = '' set lock_timeout = '2s' as $function$
declare
  target regclass := case when entity in ('customer', 'buyer') then 'public.users'::regclass
                          when entity = 'inquiry' then 'public.contact_submissions'::regclass
                          when entity in ('quote', 'approved_quote') then 'public.b2b_quotes'::regclass
                          when entity = 'order' then 'public.orders'::regclass
                          when entity = 'variant' then 'public.product_variants'::regclass end;
  mapping text := case system when 'crm' then 'zoho_crm_id' when 'books' then 'zoho_books_id' end;
  column_type text;
begin
  if entity in ('refund', 'guest', 'charge') then
    return;  -- the shop has no place for these
  end if;
  select format_type(atttypid, atttypmod) into strict column_type
    from pg_catalog.pg_attribute where attrelid = target and attname = mapping and not attisdropped;
  if entity = 'variant' and system = 'books' then
    return query select zohosync.set_product_ids(keys, zoho_ids);
  end if;
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

-- What the shop says of every SKU for GST, drafts included.
create or replace function zohosync.shop_tax_data()
returns table (sku text, name text, hsn_code text, gst_rate numeric, tax_category text)
language plpgsql stable security definer set search_path = '' as $function$
begin
  return query
    select v.sku::text, concat_ws(' ', nullif(btrim(p.name::text), ''), zohosync.packing_of(r.row)),
           nullif(btrim(r.row ->> 'hsn_code'), ''), zohosync.as_rate(r.row ->> 'gst_rate'),
           nullif(btrim(r.row ->> 'tax_category'), '')
      from public.product_variants v
      left join public.products p on p.id = v.product_id
      cross join lateral (select to_jsonb(v) as row) r
     where btrim(v.sku::text) <> '' order by v.sku;
end
$function$;

-- What a person classified: HSN code, rate and category of each SKU. Null leaves a value as it is; returns the SKUs
-- that were written.
create or replace function zohosync.shop_set_tax(skus text[], hsn_codes text[], rates numeric[], categories text[])
returns setof text
language plpgsql security definer set search_path = '' set lock_timeout = '2s' as $function$
declare
  types text[] := array(
    select format_type(a.atttypid, a.atttypmod)
      from unnest(array['hsn_code', 'gst_rate', 'tax_category']) with ordinality as c(name, place)
      join pg_catalog.pg_attribute a on a.attrelid = 'public.product_variants'::regclass and a.attname = c.name
       and not a.attisdropped order by c.place);
begin
  return query execute format($sql$
    update public.product_variants v
       set hsn_code = coalesce(w.hsn::%1$s, v.hsn_code), gst_rate = coalesce(w.rate::%2$s, v.gst_rate),
           tax_category = coalesce(w.category::%3$s, v.tax_category)
      from unnest($1, $2, $3, $4) as w(sku, hsn, rate, category)
     where v.sku::text = w.sku returning w.sku
  $sql$, types[1], types[2], types[3]) using skus, hsn_codes, rates, categories;
end
$function$;
