-- Connecting in the browser, and Books beside CRM.

alter table zohosync.installation add column books_organisation_id text;
comment on column zohosync.installation.organisation_id is 'The organisation in Zoho CRM this database is tied to.';
comment on column zohosync.installation.books_organisation_id is 'The organisation in Zoho Books this database is tied to.';

alter table zohosync.connection
  add column connected_by            text,
  add column edition                 text,
  add column books_organisation_id   text,
  add column books_organisation_name text,
  add column books_plan              text;
comment on column zohosync.connection.connected_by is 'E-mail of the Zoho user whose consent this is.';
comment on column zohosync.connection.edition is 'Edition of the CRM, as Zoho words it; it decides the daily API credits.';
comment on column zohosync.connection.books_plan is 'Plan of Books, as Zoho words it; it decides the daily API calls.';

create table zohosync.consent (
  state_hash      bytea primary key,
  client_id       text not null,
  client_secret   bytea not null,
  accounts_server text not null,
  redirect_uri    text not null,
  requested_by    text not null,
  login           bytea,
  created_at      timestamptz not null default now(),
  expires_at      timestamptz not null
);
comment on table zohosync.consent is
  'Consents that were asked for in a browser and have not come back yet. Secrets are sealed; the state is kept as a hash.';
comment on column zohosync.consent.login is
  'The login that came back, sealed, while a person chooses among several organisations; it is in use only after that.';
