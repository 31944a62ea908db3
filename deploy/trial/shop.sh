#!/bin/sh
# Makes the trial's shop when its Postgres starts for the first time: the roles an API needs, an owner who is no
# superuser, and the tables of the demo storefront.
set -eu
psql --set ON_ERROR_STOP=1 --quiet --username "${POSTGRES_USER:-postgres}" --dbname "$POSTGRES_DB" <<SQL
create role anon;
create role authenticated;
create role service_role bypassrls;
create role shop login createrole password 'shop';
grant anon, authenticated, service_role to shop;
alter database $POSTGRES_DB owner to shop;
grant all on schema public to shop;
SQL
psql --set ON_ERROR_STOP=1 --quiet --single-transaction --username shop --dbname "$POSTGRES_DB" \
  --file "${STOREFRONT_SQL:-/storefront.sql}"
