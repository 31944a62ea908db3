-- What the demo storefront sells: bio-fertilizers, seeds and aquaculture supplies, with prices in INR before tax.

with goods (segment, product, description, sku, weight, unit, packing, form, price, stock) as (values
  ('bio-fertilizers', 'Azospirillum Liquid', 'Nitrogen-fixing culture for paddy, millets and sugarcane.',
   'BF-AZO-1L', 1.0, 'l', 'bottle', 'liquid', 320.00, 140),
  ('bio-fertilizers', 'Azospirillum Liquid', 'Nitrogen-fixing culture for paddy, millets and sugarcane.',
   'BF-AZO-5L', 5.0, 'l', 'can', 'liquid', 1450.00, 40),
  ('bio-fertilizers', 'Phosphate Solubilising Bacteria', 'Frees soil phosphorus; for seed, root and soil treatment.',
   'BF-PSB-1KG', 1.0, 'kg', 'pouch', 'powder', 180.00, 220),
  ('bio-fertilizers', 'Trichoderma Viride', 'Antagonist fungus against root rot and wilt.',
   'BF-TRI-1KG', 1.0, 'kg', 'pouch', 'powder', 240.00, 180),
  ('bio-fertilizers', 'Mycorrhiza Granules', 'Root symbiont for orchards and plantation crops.',
   'BF-MYC-4KG', 4.0, 'kg', 'bag', 'granules', 560.00, 90),
  ('seeds', 'Hybrid Okra', 'Early, tender pods; tolerant of yellow vein mosaic.',
   'SD-OKR-250G', 250, 'g', 'pouch', 'seed', 690.00, 75),
  ('seeds', 'Samba Paddy, certified', 'Fine grain for the long season, certified seed.',
   'SD-PAD-25KG', 25, 'kg', 'bag', 'seed', 1375.00, 60),
  ('seeds', 'Green Gram', 'Short-duration pulse for rice fallows.',
   'SD-GRM-5KG', 5, 'kg', 'bag', 'seed', 810.00, 110),
  ('aquaculture', 'Pond Probiotic', 'Keeps ammonia and sludge low in shrimp and fish ponds.',
   'AQ-PRB-1KG', 1.0, 'kg', 'jar', 'powder', 980.00, 85),
  ('aquaculture', 'Shrimp Gut Probiotic', 'Feed supplement for vannamei culture.',
   'AQ-GUT-500G', 500, 'g', 'pouch', 'powder', 745.00, 95),
  ('aquaculture', 'Mineral Mix for Ponds', 'Calcium, magnesium and potassium for moulting.',
   'AQ-MIN-10KG', 10, 'kg', 'bag', 'powder', 640.00, 130)
), added as (
  insert into public.products (name, slug, description, segment)
  select distinct product, lower(regexp_replace(product, '[^A-Za-z]+', '-', 'g')), description, segment from goods
  returning id, name
)
insert into public.product_variants
  (product_id, sku, weight, weight_unit, packing_type, form, price, cost_price, stock_quantity, low_stock_threshold)
select a.id, g.sku, g.weight, g.unit, g.packing, g.form, g.price, round(g.price * 0.6, 2), g.stock, 10
  from goods g join added a on a.name = g.product;

-- Order numbers in the order of their making, whoever orders.
create sequence public.order_numbers;
grant usage on sequence public.order_numbers to authenticated, service_role;
