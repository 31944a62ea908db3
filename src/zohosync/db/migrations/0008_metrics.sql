-- What the metrics count. Without it, ten thousand old operations of one lane would hide a stuck one of another.
create index operation_open_by_lane on zohosync.operation (lane, status, requested_at)
  where status in ('pending', 'running', 'retrying', 'waiting');
