-- A copy of the server's files has the identity of the original; only the address it is reached at tells them apart.

create table zohosync.known_address (
  address    text primary key,
  since      timestamptz not null default now()
);
comment on table zohosync.known_address is
  'Hosts and database names by which this database was reached. Another one needs `zohosync adopt-database` once.';
