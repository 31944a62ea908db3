-- Years of use: what is old is found without reading the whole log.

create index operation_by_end on zohosync.operation (finished_at) where finished_at is not null;
create index attempt_by_end on zohosync.attempt (ended_at) where request is not null or response is not null;
