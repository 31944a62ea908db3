-- What `zohosync doctor` remembers from one visit to the next.

alter table zohosync.installation add column paused_at timestamptz;
comment on column zohosync.installation.paused_at is 'When capture was last stopped; it is stopped now when capturing is false.';

create table zohosync.field_snapshot (
  organisation_id text not null,
  module          text not null,
  api_name        text not null,
  label           text not null,
  data_type       text not null,
  length          integer,
  mandatory       boolean not null,
  is_unique       boolean not null,
  seen_at         timestamptz not null default now(),
  primary key (organisation_id, module, api_name)
);
comment on table zohosync.field_snapshot is
  'The fields of the organisation as doctor saw them last, so that it can tell what somebody changed since.';
