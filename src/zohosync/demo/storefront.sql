-- A storefront as Supabase hosts it: the tables zohosync attaches to, with the roles and row level security
-- PostgREST works through. Run as the owner of the shop's tables; the roles exist already.

create schema auth;
create function auth.uid() returns uuid language sql stable as
  $$ select nullif(current_setting('request.jwt.claim.sub', true), '')::uuid $$;
grant usage on schema auth, public to anon, authenticated, service_role;

create function public.update_updated_at_column() returns trigger language plpgsql as $$
begin
  new.updated_at = now();
  return new;
end $$;

create table public.users (
  id uuid primary key default gen_random_uuid(),
  email varchar(255) unique not null,
  first_name varchar(100) not null,
  last_name varchar(100) not null,
  phone varchar(20),
  role text not null default 'customer' check (role in ('customer', 'b2b_client', 'admin', 'staff', 'sales_manager')),
  company_name varchar(255),
  gst_number varchar(15),
  created_at timestamptz default now(),
  updated_at timestamptz default now()
);

create table public.addresses (
  id uuid primary key default gen_random_uuid(),
  user_id uuid references public.users on delete cascade,
  type text check (type in ('shipping', 'billing')),
  address_line1 text, address_line2 text, city text, state text, postal_code text,
  country text default 'India',
  is_default boolean default false,
  created_at timestamptz default now(),
  updated_at timestamptz default now()
);

create table public.products (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  slug text unique,
  description text,
  segment text,
  status text default 'active' check (status in ('active', 'inactive', 'draft')),
  created_at timestamptz default now(),
  updated_at timestamptz default now()
);

create table public.product_variants (
  id uuid primary key default gen_random_uuid(),
  product_id uuid references public.products on delete cascade,
  sku varchar(100) unique,
  weight decimal(10, 3),
  weight_unit text check (weight_unit in ('g', 'kg', 'ml', 'l')),
  packing_type text, form text,
  price decimal(10, 2), compare_price decimal(10, 2), cost_price decimal(10, 2),
  stock_quantity integer default 0,
  low_stock_threshold integer,
  track_inventory boolean default true,
  created_at timestamptz default now(),
  updated_at timestamptz default now()
);

create table public.product_batches (
  id uuid primary key default gen_random_uuid(),
  variant_id uuid references public.product_variants on delete cascade,
  lot_number text,
  manufacturing_date date, expiry_date date,
  quantity integer, remaining_quantity integer,
  status text default 'active' check (status in ('active', 'expired', 'recalled')),
  created_at timestamptz default now(),
  updated_at timestamptz default now()
);

create table public.orders (
  id uuid primary key default gen_random_uuid(),
  order_number varchar(50) unique,
  user_id uuid references public.users,
  status text default 'pending' check
    (status in ('pending', 'confirmed', 'processing', 'shipped', 'delivered', 'cancelled', 'refunded')),
  payment_status text default 'pending' check (payment_status in ('pending', 'paid', 'failed', 'refunded')),
  payment_method text check (payment_method in ('razorpay', 'payu', 'easebuzz', 'bank_transfer', 'cod')),
  currency text default 'INR',
  subtotal decimal(12, 2), tax_amount decimal(12, 2), shipping_amount decimal(12, 2),
  discount_amount decimal(12, 2), total_amount decimal(12, 2),
  shipping_address jsonb not null, billing_address jsonb not null,
  notes text,
  created_at timestamptz default now(),
  updated_at timestamptz default now()
);

create table public.order_items (
  id uuid primary key default gen_random_uuid(),
  order_id uuid references public.orders on delete cascade,
  variant_id uuid references public.product_variants,
  quantity integer, unit_price decimal(10, 2), total_price decimal(12, 2),
  batch_id uuid references public.product_batches,
  created_at timestamptz default now()
);

create table public.b2b_quotes (
  id uuid primary key default gen_random_uuid(),
  user_id uuid references public.users,
  status text default 'draft' check
    (status in ('draft', 'submitted', 'under_review', 'approved', 'rejected', 'expired')),
  valid_until timestamptz,
  subtotal decimal(12, 2), tax_amount decimal(12, 2), total_amount decimal(12, 2),
  linked_order_id uuid references public.orders,
  notes text,
  created_at timestamptz default now(),
  updated_at timestamptz default now()
);

create table public.b2b_quote_items (
  id uuid primary key default gen_random_uuid(),
  quote_id uuid references public.b2b_quotes on delete cascade,
  variant_id uuid references public.product_variants,
  quantity integer, unit_price decimal(10, 2), total_price decimal(12, 2),
  created_at timestamptz default now()
);

create table public.contact_submissions (
  id uuid primary key default gen_random_uuid(),
  name varchar(255) not null,
  email text not null,
  phone text,
  subject text,
  message text,
  status text default 'new' check (status in ('new', 'processed', 'spam')),
  created_at timestamptz default now(),
  updated_at timestamptz default now()
);

create trigger touch before update on public.users for each row execute function public.update_updated_at_column();
create trigger touch before update on public.orders for each row execute function public.update_updated_at_column();
create trigger touch before update on public.b2b_quotes for each row execute function public.update_updated_at_column();
create trigger touch before update on public.product_variants for each row execute function public.update_updated_at_column();
create trigger touch before update on public.contact_submissions for each row execute function public.update_updated_at_column();

grant select, insert, update, delete on all tables in schema public to service_role, authenticated;
grant select, insert on public.contact_submissions to anon;

alter table public.users enable row level security;
alter table public.addresses enable row level security;
alter table public.orders enable row level security;
alter table public.order_items enable row level security;
alter table public.b2b_quotes enable row level security;
alter table public.b2b_quote_items enable row level security;
create policy own_row on public.users for all to authenticated using (id = auth.uid()) with check (id = auth.uid());
create policy own_rows on public.addresses for all to authenticated using (user_id = auth.uid()) with check (user_id = auth.uid());
create policy own_orders on public.orders for all to authenticated using (user_id = auth.uid()) with check (user_id = auth.uid());
create policy own_items on public.order_items for all to authenticated
  using (exists (select from public.orders o where o.id = order_id and o.user_id = auth.uid()));
create policy own_quotes on public.b2b_quotes for all to authenticated
  using (user_id = auth.uid()) with check (user_id = auth.uid());
create policy own_quote_items on public.b2b_quote_items for all to authenticated
  using (exists (select from public.b2b_quotes q where q.id = quote_id and q.user_id = auth.uid()));
