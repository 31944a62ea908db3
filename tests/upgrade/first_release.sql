select pg_advisory_xact_lock(2053141615, 1937334883);
-- Behind somebody's open transaction we give up rather than keep the shop waiting behind us.
select set_config('lock_timeout', '2s', true);

do $install$
begin
  if to_regnamespace('pgmq') is not null then
    return;
  end if;
  if exists (select from pg_catalog.pg_available_extensions where name = 'pgmq') then
    begin
      create extension pgmq;
      if not has_schema_privilege('pgmq', 'create') or not has_table_privilege('pgmq.meta', 'insert') then
        raise insufficient_privilege;  -- it belongs to somebody who did not hand it to us, as Supabase does
      end if;
      return;
    exception when insufficient_privilege then
      null;  -- undone: the server has it, but not for us, and the same functions come as plain SQL
    end;
  end if;
  execute $pgmq_package$------------------------------------------------------------
-- Schema, tables, records, privileges, indexes, etc
------------------------------------------------------------
-- When installed as an extension, we don't need to create the `pgmq` schema
-- because it is automatically created by postgres due to being declared in
-- the extension control file
DO
$$
BEGIN
    IF (SELECT NOT EXISTS( SELECT 1 FROM pg_extension WHERE extname = 'pgmq')) THEN
      CREATE SCHEMA IF NOT EXISTS pgmq;
    END IF;
END
$$;

-- Table where queues and metadata about them is stored
CREATE TABLE IF NOT EXISTS pgmq.meta (
    queue_name VARCHAR UNIQUE NOT NULL,
    is_partitioned BOOLEAN NOT NULL,
    is_unlogged BOOLEAN NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL
);

-- Grant permission to pg_monitor to all tables and sequences
-- These grants are intentionally placed here (after creating `pgmq.meta` but before creating other tables). This
-- allows the `pg_dump` output for a fresh installation to match the output for an installation that followed the
-- upgrade path.
GRANT USAGE ON SCHEMA pgmq TO pg_monitor;
GRANT SELECT ON ALL TABLES IN SCHEMA pgmq TO pg_monitor;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA pgmq TO pg_monitor;
ALTER DEFAULT PRIVILEGES IN SCHEMA pgmq GRANT SELECT ON TABLES TO pg_monitor;
ALTER DEFAULT PRIVILEGES IN SCHEMA pgmq GRANT SELECT ON SEQUENCES TO pg_monitor;

-- Table to track notification throttling for queues
CREATE UNLOGGED TABLE IF NOT EXISTS pgmq.notify_insert_throttle (
    queue_name           VARCHAR UNIQUE NOT NULL -- Queue name (without 'q_' prefix)
       CONSTRAINT notify_insert_throttle_meta_queue_name_fk
            REFERENCES pgmq.meta (queue_name)
            ON DELETE CASCADE,
    throttle_interval_ms INTEGER NOT NULL DEFAULT 0, -- Min milliseconds between notifications (0 = no throttling)
    last_notified_at     TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT to_timestamp(0) -- Timestamp of last sent notification
);

CREATE INDEX IF NOT EXISTS idx_notify_throttle_active
    ON pgmq.notify_insert_throttle (queue_name, last_notified_at)
    WHERE throttle_interval_ms > 0;

CREATE TABLE IF NOT EXISTS pgmq.topic_bindings
(
    pattern        text NOT NULL, -- Wildcard pattern for routing key matching (* = one segment, # = zero or more segments)
    queue_name     text NOT NULL  -- Name of the queue that receives messages when pattern matches
        CONSTRAINT topic_bindings_meta_queue_name_fk
            REFERENCES pgmq.meta (queue_name)
            ON DELETE CASCADE,
    bound_at       TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL, -- Timestamp when the binding was created
    compiled_regex text GENERATED ALWAYS AS (
        -- Pre-compile the pattern to regex for faster matching
        -- This avoids runtime compilation on every send_topic call
        '^' ||
        replace(
                replace(
                        regexp_replace(pattern, '([.+?{}()|\[\]\\^$])', '\\\1', 'g'),
                        '*', '[^.]+'
                ),
                '#', '.*'
        ) || '$'
        ) STORED,                 -- Computed column: stores the compiled regex pattern
    CONSTRAINT topic_bindings_unique_pattern_queue UNIQUE (pattern, queue_name)
);

-- Create covering index for better performance when scanning patterns
-- Includes queue_name and compiled_regex to allow index-only scans (no table access needed)
CREATE INDEX IF NOT EXISTS idx_topic_bindings_covering ON pgmq.topic_bindings (pattern) INCLUDE (queue_name, compiled_regex);

-- Allow the following `pgmq` tables to be dumped by `pg_dump` when pgmq is installed as an extension
DO
$$
BEGIN
    IF EXISTS(SELECT 1 FROM pg_extension WHERE extname = 'pgmq') THEN
        PERFORM pg_catalog.pg_extension_config_dump('pgmq.meta', '');
        PERFORM pg_catalog.pg_extension_config_dump('pgmq.notify_insert_throttle', '');
        PERFORM pg_catalog.pg_extension_config_dump('pgmq.topic_bindings', '');
    END IF;
END
$$;

-- This type has the shape of a message in a queue, and is often returned by
-- pgmq functions that return messages.
-- Note: Changing the order of fields in this type is a breaking change -- our Rust Diesel client implementation
-- expects a specific order of fields.
CREATE TYPE pgmq.message_record AS (
    msg_id BIGINT,
    read_ct INTEGER,
    enqueued_at TIMESTAMP WITH TIME ZONE,
    last_read_at TIMESTAMP WITH TIME ZONE,
    vt TIMESTAMP WITH TIME ZONE,
    message JSONB,
    headers JSONB
);

-- Note: Changing the order of fields in this type is a breaking change -- our Rust Diesel client implementation
-- expects a specific order of fields.
CREATE TYPE pgmq.queue_record AS (
    queue_name VARCHAR,
    is_partitioned BOOLEAN,
    is_unlogged BOOLEAN,
    created_at TIMESTAMP WITH TIME ZONE
);

------------------------------------------------------------
-- Functions
------------------------------------------------------------

-- prevents race conditions during queue creation by acquiring a transaction-level advisory lock
-- uses a transaction advisory lock maintain the lock until transaction commit
-- a race condition would still exist if lock was released before commit
CREATE FUNCTION pgmq.acquire_queue_lock(queue_name TEXT)
RETURNS void AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('pgmq.queue_' || queue_name));
END;
$$ LANGUAGE plpgsql;

-- read_grouped_round_robin
-- reads messages while preserving FIFO within groups and interleaving across groups (layered round-robin)
CREATE FUNCTION pgmq.read_grouped_rr(
    queue_name TEXT,
    vt INTEGER,
    qty INTEGER
)
RETURNS SETOF pgmq.message_record AS $$
DECLARE
    sql TEXT;
    qtable TEXT := pgmq.format_table_name(queue_name, 'q');
BEGIN
    sql := FORMAT(
        $QUERY$
        WITH fifo_groups AS (
            -- Determine the absolute head (oldest) message id per FIFO group, regardless of visibility
            SELECT
                COALESCE(headers->>'x-pgmq-group', '_default_fifo_group') AS fifo_key,
                MIN(msg_id) AS head_msg_id
            FROM pgmq.%1$I
            GROUP BY COALESCE(headers->>'x-pgmq-group', '_default_fifo_group')
        ),
        eligible_groups AS (
            -- Only groups whose head message is currently visible
            -- Acquire a transaction-level advisory lock per group to prevent concurrent selection
            SELECT
                g.fifo_key,
                g.head_msg_id,
                ROW_NUMBER() OVER (ORDER BY g.head_msg_id) AS group_priority
            FROM fifo_groups g
            JOIN pgmq.%2$I h ON h.msg_id = g.head_msg_id
            WHERE h.vt <= clock_timestamp()
              AND pg_try_advisory_xact_lock(pg_catalog.hashtextextended(g.fifo_key, 0))
        ),
        available_messages AS (
            -- All currently visible messages starting at the head for each eligible group
            SELECT
                m.msg_id,
                eg.group_priority,
                ROW_NUMBER() OVER (
                    PARTITION BY eg.fifo_key
                    ORDER BY m.msg_id
                ) AS msg_rank_in_group
            FROM pgmq.%3$I m
            JOIN eligible_groups eg
              ON COALESCE(m.headers->>'x-pgmq-group', '_default_fifo_group') = eg.fifo_key
            WHERE m.vt <= clock_timestamp()
              AND m.msg_id >= eg.head_msg_id
        ),
        ordered_messages AS (
            -- Layered round-robin: take rank 1 of all groups by group_priority, then rank 2, etc.
            -- Assign selection order before locking
            SELECT msg_id, ROW_NUMBER() OVER (ORDER BY msg_rank_in_group, group_priority) as selection_order
            FROM available_messages
        ),
        selected_messages AS (
            -- Lock the messages in the correct order, preserving selection_order
            SELECT om.msg_id, om.selection_order
            FROM ordered_messages om
            JOIN pgmq.%4$I m ON m.msg_id = om.msg_id
            WHERE om.selection_order <= $1
            ORDER BY om.selection_order
            FOR UPDATE OF m SKIP LOCKED
        ),
        updated_messages AS (
            UPDATE pgmq.%5$I m
            SET
                vt = clock_timestamp() + %6$L,
                read_ct = read_ct + 1,
                last_read_at = clock_timestamp()
            FROM selected_messages sm
            WHERE m.msg_id = sm.msg_id
              AND m.vt <= clock_timestamp() -- final guard to avoid duplicate reads under races
            RETURNING m.msg_id, m.read_ct, m.enqueued_at, m.last_read_at, m.vt, m.message, m.headers, sm.selection_order
        )
        SELECT msg_id, read_ct, enqueued_at, last_read_at, vt, message, headers
        FROM updated_messages
        ORDER BY selection_order;
        $QUERY$,
        qtable, qtable, qtable, qtable, qtable, make_interval(secs => vt)
    );
    RETURN QUERY EXECUTE sql USING qty;
END;
$$ LANGUAGE plpgsql;

-- read_grouped_rr_with_poll
-- reads messages using round-robin layering across groups, with polling support
CREATE FUNCTION pgmq.read_grouped_rr_with_poll(
    queue_name TEXT,
    vt INTEGER,
    qty INTEGER,
    max_poll_seconds INTEGER DEFAULT 5,
    poll_interval_ms INTEGER DEFAULT 100
)
RETURNS SETOF pgmq.message_record AS $$
DECLARE
    r pgmq.message_record;
    stop_at TIMESTAMP;
BEGIN
    stop_at := clock_timestamp() + make_interval(secs => max_poll_seconds);
    LOOP
      IF (SELECT clock_timestamp() >= stop_at) THEN
        RETURN;
      END IF;

      FOR r IN
        SELECT * FROM pgmq.read_grouped_rr(queue_name, vt, qty)
      LOOP
        RETURN NEXT r;
      END LOOP;
      IF FOUND THEN
        RETURN;
      ELSE
        PERFORM pg_sleep(poll_interval_ms::numeric / 1000);
      END IF;
    END LOOP;
END;
$$ LANGUAGE plpgsql;

-- read_grouped_head:  read the head of N different FIFO groups in a single operation.
-- This supports horizontal scaling by processing groups in parallel while ensuring message ordering is preserved per group.
CREATE FUNCTION pgmq.read_grouped_head(
    queue_name TEXT,
    vt INTEGER,
    qty INTEGER
)
RETURNS SETOF pgmq.message_record AS $$
DECLARE
    sql TEXT;
    qtable TEXT := pgmq.format_table_name(queue_name, 'q');
BEGIN
    sql := FORMAT(
        $QUERY$
        WITH fifo_groups AS (
            -- Determine the absolute head (oldest) message id per FIFO group, regardless of visibility
            SELECT
                COALESCE(headers->>'x-pgmq-group', '_default_fifo_group') AS fifo_key,
                MIN(msg_id) AS head_msg_id
            FROM pgmq.%1$I
            GROUP BY COALESCE(headers->>'x-pgmq-group', '_default_fifo_group')
        ),
        selected_messages AS (
            -- Take at most 1 message per group
            SELECT g.head_msg_id msg_id
            FROM fifo_groups g
            JOIN pgmq.%1$I q ON q.msg_id = g.head_msg_id
	        WHERE q.vt <= clock_timestamp()
            ORDER BY q.msg_id
            LIMIT $1
            FOR UPDATE SKIP LOCKED
        )
        UPDATE pgmq.%1$I m
        SET
            vt = clock_timestamp() + %2$L,
            read_ct = read_ct + 1,
            last_read_at = clock_timestamp()
        FROM selected_messages sm
        WHERE m.msg_id = sm.msg_id
        RETURNING m.msg_id, m.read_ct, m.enqueued_at, m.last_read_at, m.vt, m.message, m.headers;
        $QUERY$,
        qtable, make_interval(secs => vt)
    );
    RETURN QUERY EXECUTE sql USING qty;
END;
$$ LANGUAGE plpgsql;

-- read_grouped_head_with_poll
-- reads the head of N different FIFO groups in a single operation, with polling support
CREATE FUNCTION pgmq.read_grouped_head_with_poll(
    queue_name TEXT,
    vt INTEGER,
    qty INTEGER,
    max_poll_seconds INTEGER DEFAULT 5,
    poll_interval_ms INTEGER DEFAULT 100
)
RETURNS SETOF pgmq.message_record AS $$
DECLARE
    r pgmq.message_record;
    stop_at TIMESTAMPTZ;
BEGIN
    stop_at := clock_timestamp() + make_interval(secs => max_poll_seconds);
    LOOP
      IF clock_timestamp() >= stop_at THEN
        RETURN;
      END IF;

      FOR r IN
        SELECT * FROM pgmq.read_grouped_head(queue_name, vt, qty)
      LOOP
        RETURN NEXT r;
      END LOOP;
      IF FOUND THEN
        RETURN;
      ELSE
        PERFORM pg_sleep(poll_interval_ms::numeric / 1000);
      END IF;
    END LOOP;
END;
$$ LANGUAGE plpgsql;

-- a helper to format table names and check for invalid characters
CREATE FUNCTION pgmq.format_table_name(queue_name text, prefix text)
RETURNS TEXT AS $$
BEGIN
    IF queue_name ~ '\$|;|--|'''
    THEN
        RAISE EXCEPTION 'queue name contains invalid characters: $, ;, --, or \''';
    END IF;
    RETURN lower(prefix || '_' || queue_name);
END;
$$ LANGUAGE plpgsql;

-- read
-- reads a number of messages from a queue, setting a visibility timeout on them
CREATE FUNCTION pgmq.read(
    queue_name TEXT,
    vt INTEGER,
    qty INTEGER,
    conditional JSONB DEFAULT '{}'
)
RETURNS SETOF pgmq.message_record AS $$
DECLARE
    sql TEXT;
    qtable TEXT := pgmq.format_table_name(queue_name, 'q');
BEGIN
    sql := FORMAT(
        $QUERY$
        WITH cte AS
        (
            SELECT msg_id
            FROM pgmq.%I
            WHERE vt <= clock_timestamp() AND CASE
                WHEN %L != '{}'::jsonb THEN (message @> %2$L)::integer
                ELSE 1
            END = 1
            ORDER BY msg_id ASC
            LIMIT $1
            FOR UPDATE SKIP LOCKED
        )
        UPDATE pgmq.%I m
        SET
            last_read_at = clock_timestamp(),
            vt = clock_timestamp() + %L,
            read_ct = read_ct + 1
        FROM cte
        WHERE m.msg_id = cte.msg_id
        RETURNING m.msg_id, m.read_ct, m.enqueued_at, m.last_read_at, m.vt, m.message, m.headers;
        $QUERY$,
        qtable, conditional, qtable, make_interval(secs => vt)
    );
    RETURN QUERY EXECUTE sql USING qty;
END;
$$ LANGUAGE plpgsql;

-- read_grouped
-- reads messages with AWS SQS FIFO-style batch retrieval behavior
-- attempts to return as many messages as possible from the same message group
CREATE FUNCTION pgmq.read_grouped(
    queue_name TEXT,
    vt INTEGER,
    qty INTEGER
)
RETURNS SETOF pgmq.message_record AS $$
DECLARE
    sql TEXT;
    qtable TEXT := pgmq.format_table_name(queue_name, 'q');
BEGIN
    sql := FORMAT(
        $QUERY$
        WITH fifo_groups AS (
            -- Find the minimum msg_id for each FIFO group that's ready to be processed
            SELECT
                COALESCE(headers->>'x-pgmq-group', '_default_fifo_group') as fifo_key,
                MIN(msg_id) as min_msg_id
            FROM pgmq.%I
            WHERE vt <= clock_timestamp()
            GROUP BY COALESCE(headers->>'x-pgmq-group', '_default_fifo_group')
        ),
        locked_groups AS (
            -- Lock the first available message in each FIFO group
            SELECT
                m.msg_id,
                fg.fifo_key
            FROM pgmq.%I m
            INNER JOIN fifo_groups fg ON
                COALESCE(m.headers->>'x-pgmq-group', '_default_fifo_group') = fg.fifo_key
                AND m.msg_id = fg.min_msg_id
            WHERE m.vt <= clock_timestamp()
            ORDER BY m.msg_id ASC
            FOR UPDATE SKIP LOCKED
        ),
        group_priorities AS (
            -- Assign priority to groups based on their oldest message
            SELECT
                fifo_key,
                msg_id as min_msg_id,
                ROW_NUMBER() OVER (ORDER BY msg_id) as group_priority
            FROM locked_groups
        ),
        filtered_groups as (
            SELECT * FROM group_priorities gp
            WHERE NOT EXISTS (
                -- Ensure no earlier message in this group is currently being processed
                SELECT 1
                FROM pgmq.%I m2
                WHERE COALESCE(m2.headers->>'x-pgmq-group', '_default_fifo_group') = gp.fifo_key
                AND m2.vt > clock_timestamp()
                AND m2.msg_id < gp.min_msg_id
            )
        ),
        available_messages as (
            SELECT gp.fifo_key, t.msg_id,gp.group_priority,
                ROW_NUMBER() OVER (PARTITION BY gp.fifo_key ORDER BY t.msg_id) as msg_rank_in_group
            FROM filtered_groups gp
            CROSS JOIN LATERAL (
                SELECT *
                FROM pgmq.%I t
                WHERE COALESCE(t.headers->>'x-pgmq-group', '_default_fifo_group') = gp.fifo_key
                AND t.vt <= clock_timestamp()
                ORDER BY msg_id
                LIMIT $1  -- tip to limit query impact, we know we need at most qty in each group
            ) t
            ORDER BY gp.group_priority
        ),
        batch_selection AS (
            -- Select messages to fill batch, prioritizing earliest group
            SELECT
                msg_id,
                ROW_NUMBER() OVER (ORDER BY group_priority, msg_rank_in_group) as overall_rank
            FROM available_messages
        ),
        selected_messages AS (
            -- Limit to requested quantity
            SELECT msg_id
            FROM batch_selection
            WHERE overall_rank <= $1
            ORDER BY msg_id
            FOR UPDATE SKIP LOCKED
        )
        UPDATE pgmq.%I m
        SET
            vt = clock_timestamp() + %L,
            read_ct = read_ct + 1,
            last_read_at = clock_timestamp()
        FROM selected_messages sm
        WHERE m.msg_id = sm.msg_id
        RETURNING m.msg_id, m.read_ct, m.enqueued_at, m.last_read_at, m.vt, m.message, m.headers;
        $QUERY$,
        qtable, qtable, qtable, qtable, qtable, make_interval(secs => vt)
    );
    RETURN QUERY EXECUTE sql USING qty;
END;
$$ LANGUAGE plpgsql;

-- read_grouped_with_poll
-- reads messages with AWS SQS FIFO-style batch retrieval behavior, with polling support
CREATE FUNCTION pgmq.read_grouped_with_poll(
    queue_name TEXT,
    vt INTEGER,
    qty INTEGER,
    max_poll_seconds INTEGER DEFAULT 5,
    poll_interval_ms INTEGER DEFAULT 100
)
RETURNS SETOF pgmq.message_record AS $$
DECLARE
    r pgmq.message_record;
    stop_at TIMESTAMP;
BEGIN
    stop_at := clock_timestamp() + make_interval(secs => max_poll_seconds);
    LOOP
      IF (SELECT clock_timestamp() >= stop_at) THEN
        RETURN;
      END IF;

      FOR r IN
        SELECT * FROM pgmq.read_grouped(queue_name, vt, qty)
      LOOP
        RETURN NEXT r;
      END LOOP;
      IF FOUND THEN
        RETURN;
      ELSE
        PERFORM pg_sleep(poll_interval_ms::numeric / 1000);
      END IF;
    END LOOP;
END;
$$ LANGUAGE plpgsql;

---- read_with_poll
---- reads a number of messages from a queue, setting a visibility timeout on them
CREATE FUNCTION pgmq.read_with_poll(
    queue_name TEXT,
    vt INTEGER,
    qty INTEGER,
    max_poll_seconds INTEGER DEFAULT 5,
    poll_interval_ms INTEGER DEFAULT 100,
    conditional JSONB DEFAULT '{}'
)
RETURNS SETOF pgmq.message_record AS $$
DECLARE
    r pgmq.message_record;
    stop_at TIMESTAMP;
    sql TEXT;
    qtable TEXT := pgmq.format_table_name(queue_name, 'q');
BEGIN
    stop_at := clock_timestamp() + make_interval(secs => max_poll_seconds);
    LOOP
      IF (SELECT clock_timestamp() >= stop_at) THEN
        RETURN;
      END IF;

      sql := FORMAT(
          $QUERY$
          WITH cte AS
          (
              SELECT msg_id
              FROM pgmq.%I
              WHERE vt <= clock_timestamp() AND CASE
                  WHEN %L != '{}'::jsonb THEN (message @> %2$L)::integer
                  ELSE 1
              END = 1
              ORDER BY msg_id ASC
              LIMIT $1
              FOR UPDATE SKIP LOCKED
          )
          UPDATE pgmq.%I m
          SET
              last_read_at = clock_timestamp(),
              vt = clock_timestamp() + %L,
              read_ct = read_ct + 1
          FROM cte
          WHERE m.msg_id = cte.msg_id
          RETURNING m.msg_id, m.read_ct, m.enqueued_at, m.last_read_at, m.vt, m.message, m.headers;
          $QUERY$,
          qtable, conditional, qtable, make_interval(secs => vt)
      );

      FOR r IN
        EXECUTE sql USING qty
      LOOP
        RETURN NEXT r;
      END LOOP;
      IF FOUND THEN
        RETURN;
      ELSE
        PERFORM pg_sleep(poll_interval_ms::numeric / 1000);
      END IF;
    END LOOP;
END;
$$ LANGUAGE plpgsql;

---- archive
---- removes a message from the queue, and sends it to the archive, where its
---- saved permanently.
CREATE FUNCTION pgmq.archive(
    queue_name TEXT,
    msg_id BIGINT
)
RETURNS BOOLEAN AS $$
DECLARE
    sql TEXT;
    result BIGINT;
    qtable TEXT := pgmq.format_table_name(queue_name, 'q');
    atable TEXT := pgmq.format_table_name(queue_name, 'a');
BEGIN
    sql := FORMAT(
        $QUERY$
        WITH archived AS (
            DELETE FROM pgmq.%I
            WHERE msg_id = $1
            RETURNING msg_id, vt, read_ct, enqueued_at, last_read_at, message, headers
        )
        INSERT INTO pgmq.%I (msg_id, vt, read_ct, enqueued_at, last_read_at, message, headers)
        SELECT msg_id, vt, read_ct, enqueued_at, last_read_at, message, headers
        FROM archived
        RETURNING msg_id;
        $QUERY$,
        qtable, atable
    );
    EXECUTE sql USING msg_id INTO result;
    RETURN NOT (result IS NULL);
END;
$$ LANGUAGE plpgsql;

---- archive
---- removes an array of message ids from the queue, and sends it to the archive,
---- where these messages will be saved permanently.
CREATE FUNCTION pgmq.archive(
    queue_name TEXT,
    msg_ids BIGINT[]
)
RETURNS SETOF BIGINT AS $$
DECLARE
    sql TEXT;
    qtable TEXT := pgmq.format_table_name(queue_name, 'q');
    atable TEXT := pgmq.format_table_name(queue_name, 'a');
BEGIN
    sql := FORMAT(
        $QUERY$
        WITH archived AS (
            DELETE FROM pgmq.%I
            WHERE msg_id = ANY($1)
            RETURNING msg_id, vt, read_ct, enqueued_at, last_read_at, message, headers
        )
        INSERT INTO pgmq.%I (msg_id, vt, read_ct, enqueued_at, last_read_at, message, headers)
        SELECT msg_id, vt, read_ct, enqueued_at, last_read_at, message, headers
        FROM archived
        RETURNING msg_id;
        $QUERY$,
        qtable, atable
    );
    RETURN QUERY EXECUTE sql USING msg_ids;
END;
$$ LANGUAGE plpgsql;

---- delete
---- deletes a message id from the queue permanently
CREATE FUNCTION pgmq.delete(
    queue_name TEXT,
    msg_id BIGINT
)
RETURNS BOOLEAN AS $$
DECLARE
    sql TEXT;
    result BIGINT;
    qtable TEXT := pgmq.format_table_name(queue_name, 'q');
BEGIN
    sql := FORMAT(
        $QUERY$
        DELETE FROM pgmq.%I
        WHERE msg_id = $1
        RETURNING msg_id
        $QUERY$,
        qtable
    );
    EXECUTE sql USING msg_id INTO result;
    RETURN NOT (result IS NULL);
END;
$$ LANGUAGE plpgsql;

---- delete
---- deletes an array of message ids from the queue permanently
CREATE FUNCTION pgmq.delete(
    queue_name TEXT,
    msg_ids BIGINT[]
)
RETURNS SETOF BIGINT AS $$
DECLARE
    sql TEXT;
    qtable TEXT := pgmq.format_table_name(queue_name, 'q');
BEGIN
    sql := FORMAT(
        $QUERY$
        DELETE FROM pgmq.%I
        WHERE msg_id = ANY($1)
        RETURNING msg_id
        $QUERY$,
        qtable
    );
    RETURN QUERY EXECUTE sql USING msg_ids;
END;
$$ LANGUAGE plpgsql;

-- send: actual implementation
CREATE FUNCTION pgmq.send(
    queue_name TEXT,
    msg JSONB,
    headers JSONB,
    delay TIMESTAMP WITH TIME ZONE
) RETURNS SETOF BIGINT AS $$
DECLARE
    sql TEXT;
    qtable TEXT := pgmq.format_table_name(queue_name, 'q');
BEGIN
    sql := FORMAT(
            $QUERY$
        INSERT INTO pgmq.%I (vt, message, headers)
        VALUES ($2, $1, $3)
        RETURNING msg_id;
        $QUERY$,
            qtable
           );
    RETURN QUERY EXECUTE sql USING msg, delay, headers;
END;
$$ LANGUAGE plpgsql;

-- send: 2 args, no delay or headers
CREATE FUNCTION pgmq.send(
    queue_name TEXT,
    msg JSONB
) RETURNS SETOF BIGINT AS $$
    SELECT * FROM pgmq.send(queue_name, msg, NULL, clock_timestamp());
$$ LANGUAGE sql;

-- send: 3 args with headers
CREATE FUNCTION pgmq.send(
    queue_name TEXT,
    msg JSONB,
    headers JSONB
) RETURNS SETOF BIGINT AS $$
    SELECT * FROM pgmq.send(queue_name, msg, headers, clock_timestamp());
$$ LANGUAGE sql;

-- send: 3 args with integer delay
CREATE FUNCTION pgmq.send(
    queue_name TEXT,
    msg JSONB,
    delay INTEGER
) RETURNS SETOF BIGINT AS $$
    SELECT * FROM pgmq.send(queue_name, msg, NULL, clock_timestamp() + make_interval(secs => delay));
$$ LANGUAGE sql;

-- send: 3 args with timestamp
CREATE FUNCTION pgmq.send(
    queue_name TEXT,
    msg JSONB,
    delay TIMESTAMP WITH TIME ZONE
) RETURNS SETOF BIGINT AS $$
    SELECT * FROM pgmq.send(queue_name, msg, NULL, delay);
$$ LANGUAGE sql;

-- send: 4 args with integer delay
CREATE FUNCTION pgmq.send(
    queue_name TEXT,
    msg JSONB,
    headers JSONB,
    delay INTEGER
) RETURNS SETOF BIGINT AS $$
    SELECT * FROM pgmq.send(queue_name, msg, headers, clock_timestamp() + make_interval(secs => delay));
$$ LANGUAGE sql;

-- _validate_batch_params: Private function to validate batch parameters
CREATE FUNCTION pgmq._validate_batch_params(
    msgs JSONB[],
    headers JSONB[]
) RETURNS void AS $$
BEGIN
    -- Validate that msgs is not NULL or empty
    IF msgs IS NULL OR array_length(msgs, 1) IS NULL THEN
        RAISE EXCEPTION 'msgs cannot be NULL or empty';
    END IF;

    -- Validate that headers array length matches msgs array length if headers is provided
    -- Note: array_length returns NULL for empty arrays, so we use COALESCE to treat empty arrays as length 0
    IF headers IS NOT NULL AND COALESCE(array_length(headers, 1), 0) != COALESCE(array_length(msgs, 1), 0) THEN
        RAISE EXCEPTION 'headers array length (%) must match msgs array length (%)',
            COALESCE(array_length(headers, 1), 0), COALESCE(array_length(msgs, 1), 0);
    END IF;
END;
$$ LANGUAGE plpgsql;

-- _send_batch: Private function that performs the actual batch insert without validation
CREATE FUNCTION pgmq._send_batch(
    queue_name TEXT,
    msgs JSONB[],
    headers JSONB[],
    delay TIMESTAMP WITH TIME ZONE
) RETURNS SETOF BIGINT AS $$
DECLARE
    sql TEXT;
    qtable TEXT := pgmq.format_table_name(queue_name, 'q');
BEGIN
    sql := FORMAT(
            $QUERY$
        INSERT INTO pgmq.%I (vt, message, headers)
        SELECT $2, unnest($1), unnest(coalesce($3, ARRAY[]::jsonb[]))
        RETURNING msg_id;
        $QUERY$,
            qtable
           );
    RETURN QUERY EXECUTE sql USING msgs, delay, headers;
END;
$$ LANGUAGE plpgsql;

-- send_batch: Public function with validation
CREATE FUNCTION pgmq.send_batch(
    queue_name TEXT,
    msgs JSONB[],
    headers JSONB[],
    delay TIMESTAMP WITH TIME ZONE
) RETURNS SETOF BIGINT AS $$
BEGIN
    PERFORM pgmq._validate_batch_params(msgs, headers);
    RETURN QUERY SELECT * FROM pgmq._send_batch(queue_name, msgs, headers, delay);
END;
$$ LANGUAGE plpgsql;

-- send batch: 2 args
CREATE FUNCTION pgmq.send_batch(
    queue_name TEXT,
    msgs JSONB[]
) RETURNS SETOF BIGINT AS $$
    SELECT * FROM pgmq.send_batch(queue_name, msgs, NULL, clock_timestamp());
$$ LANGUAGE sql;

-- send batch: 3 args with headers
CREATE FUNCTION pgmq.send_batch(
    queue_name TEXT,
    msgs JSONB[],
    headers JSONB[]
) RETURNS SETOF BIGINT AS $$
    SELECT * FROM pgmq.send_batch(queue_name, msgs, headers, clock_timestamp());
$$ LANGUAGE sql;

-- send batch: 3 args with integer delay
CREATE FUNCTION pgmq.send_batch(
    queue_name TEXT,
    msgs JSONB[],
    delay INTEGER
) RETURNS SETOF BIGINT AS $$
    SELECT * FROM pgmq.send_batch(queue_name, msgs, NULL, clock_timestamp() + make_interval(secs => delay));
$$ LANGUAGE sql;

-- send batch: 3 args with timestamp
CREATE FUNCTION pgmq.send_batch(
    queue_name TEXT,
    msgs JSONB[],
    delay TIMESTAMP WITH TIME ZONE
) RETURNS SETOF BIGINT AS $$
    SELECT * FROM pgmq.send_batch(queue_name, msgs, NULL, delay);
$$ LANGUAGE sql;

-- send_batch: 4 args with integer delay
CREATE FUNCTION pgmq.send_batch(
    queue_name TEXT,
    msgs JSONB[],
    headers JSONB[],
    delay INTEGER
) RETURNS SETOF BIGINT AS $$
    SELECT * FROM pgmq.send_batch(queue_name, msgs, headers, clock_timestamp() + make_interval(secs => delay));
$$ LANGUAGE sql;

-- returned by pgmq.metrics() and pgmq.metrics_all
-- Note: Changing the order of fields in this type is a breaking change -- our Rust Diesel client implementation
-- expects a specific order of fields.
CREATE TYPE pgmq.metrics_result AS (
    queue_name text,
    queue_length bigint,
    newest_msg_age_sec int,
    oldest_msg_age_sec int,
    total_messages bigint,
    scrape_time timestamp with time zone,
    queue_visible_length bigint,
    default_partition_length bigint
);

-- get metrics for a single queue
CREATE FUNCTION pgmq.metrics(queue_name TEXT)
RETURNS pgmq.metrics_result AS $$
DECLARE
    result_row pgmq.metrics_result;
    query TEXT;
    qtable TEXT := pgmq.format_table_name(queue_name, 'q');
    q_default_partition TEXT := qtable || '_default';
    a_default_partition TEXT := pgmq.format_table_name(queue_name, 'a') || '_default';
    default_partition_length BIGINT;
BEGIN
    -- Only partitioned queues have default partitions. Messages in them have no
    -- partition of their own, which means pg_partman maintenance is failing for
    -- this queue; a non-zero value here is the signal to act on. The planner's
    -- estimate is used so that a large spill does not slow down every scrape.
    IF to_regclass(FORMAT('pgmq.%I', q_default_partition)) IS NOT NULL THEN
        SELECT COALESCE(SUM(GREATEST(c.reltuples, 0))::bigint, 0)
        INTO default_partition_length
        FROM pg_class c
        WHERE c.oid IN (
            to_regclass(FORMAT('pgmq.%I', q_default_partition)),
            to_regclass(FORMAT('pgmq.%I', a_default_partition))
        );
    END IF;

    query := FORMAT(
        $QUERY$
        WITH q_summary AS (
            SELECT
                count(*) as queue_length,
                count(CASE WHEN vt <= NOW() THEN 1 END) as queue_visible_length,
                EXTRACT(epoch FROM (NOW() - max(enqueued_at)))::int as newest_msg_age_sec,
                EXTRACT(epoch FROM (NOW() - min(enqueued_at)))::int as oldest_msg_age_sec,
                NOW() as scrape_time
            FROM pgmq.%I
        ),
        all_metrics AS (
            SELECT CASE
                WHEN is_called THEN last_value ELSE 0
                END as total_messages
            FROM pgmq.%I
        )
        SELECT
            %L as queue_name,
            q_summary.queue_length,
            q_summary.newest_msg_age_sec,
            q_summary.oldest_msg_age_sec,
            all_metrics.total_messages,
            q_summary.scrape_time,
            q_summary.queue_visible_length,
            %L::bigint as default_partition_length
        FROM q_summary, all_metrics
        $QUERY$,
        qtable, qtable || '_msg_id_seq', queue_name, default_partition_length
    );
    EXECUTE query INTO result_row;
    RETURN result_row;
END;
$$ LANGUAGE plpgsql;

-- get metrics for all queues
CREATE FUNCTION pgmq."metrics_all"()
RETURNS SETOF pgmq.metrics_result AS $$
DECLARE
    row_name RECORD;
    result_row pgmq.metrics_result;
BEGIN
    FOR row_name IN SELECT queue_name FROM pgmq.meta LOOP
        result_row := pgmq.metrics(row_name.queue_name);
        RETURN NEXT result_row;
    END LOOP;
END;
$$ LANGUAGE plpgsql;

-- list queues
CREATE FUNCTION pgmq."list_queues"()
RETURNS SETOF pgmq.queue_record AS $$
BEGIN
  RETURN QUERY SELECT * FROM pgmq.meta;
END
$$ LANGUAGE plpgsql;

-- purge queue, deleting all entries in it.
CREATE OR REPLACE FUNCTION pgmq."purge_queue"(queue_name TEXT)
RETURNS BIGINT AS $$
DECLARE
  deleted_count INTEGER;
  qtable TEXT := pgmq.format_table_name(queue_name, 'q');
BEGIN
  -- Get the row count before truncating
  EXECUTE format('SELECT count(*) FROM pgmq.%I', qtable) INTO deleted_count;

  -- Use TRUNCATE for better performance on large tables
  EXECUTE format('TRUNCATE TABLE pgmq.%I', qtable);

  -- Return the number of purged rows
  RETURN deleted_count;
END
$$ LANGUAGE plpgsql;

-- unassign archive, so it can be kept when a queue is deleted
CREATE FUNCTION pgmq."detach_archive"(queue_name TEXT)
RETURNS VOID AS $$
DECLARE
  atable TEXT := pgmq.format_table_name(queue_name, 'a');
BEGIN
  RAISE WARNING 'detach_archive(queue_name) is deprecated and is a no-op. It will be removed in PGMQ v2.0. Archive tables are no longer member objects.';
END
$$ LANGUAGE plpgsql;

-- pop: implementation
CREATE FUNCTION pgmq.pop(queue_name TEXT, qty INTEGER DEFAULT 1)
RETURNS SETOF pgmq.message_record AS $$
DECLARE
    sql TEXT;
    result pgmq.message_record;
    qtable TEXT := pgmq.format_table_name(queue_name, 'q');
BEGIN
    sql := FORMAT(
        $QUERY$
        WITH cte AS
            (
                SELECT msg_id
                FROM pgmq.%I
                WHERE vt <= clock_timestamp()
                ORDER BY msg_id ASC
                LIMIT $1
                FOR UPDATE SKIP LOCKED
            )
        DELETE from pgmq.%I
        WHERE msg_id IN (select msg_id from cte)
        RETURNING msg_id, read_ct, enqueued_at, last_read_at, vt, message, headers;
        $QUERY$,
        qtable, qtable
    );
    RETURN QUERY EXECUTE sql USING qty;
END;
$$ LANGUAGE plpgsql;

-- Sets timestamp vt of a message, returns it
CREATE FUNCTION pgmq.set_vt(queue_name TEXT, msg_id BIGINT, vt TIMESTAMP WITH TIME ZONE)
RETURNS SETOF pgmq.message_record AS $$
DECLARE
    sql TEXT;
    result pgmq.message_record;
    qtable TEXT := pgmq.format_table_name(queue_name, 'q');
BEGIN
    sql := FORMAT(
        $QUERY$
        UPDATE pgmq.%I
        SET vt = $1
        WHERE msg_id = $2
        RETURNING msg_id, read_ct, enqueued_at, last_read_at, vt, message, headers;
        $QUERY$, 
        qtable
    );
    RETURN QUERY EXECUTE sql USING vt, msg_id;
END;
$$ LANGUAGE plpgsql;

-- Sets integer vt of a message, returns it
CREATE FUNCTION pgmq.set_vt(queue_name TEXT, msg_id BIGINT, vt INTEGER)
RETURNS SETOF pgmq.message_record AS $$
    SELECT * FROM pgmq.set_vt(queue_name, msg_id, clock_timestamp() + make_interval(secs => vt));
$$ LANGUAGE sql;

-- Sets timestamp vt of multiple messages, returns them
CREATE FUNCTION pgmq.set_vt(
    queue_name TEXT,
    msg_ids BIGINT[],
    vt TIMESTAMP WITH TIME ZONE
)
RETURNS SETOF pgmq.message_record AS $$
DECLARE
    sql TEXT;
    qtable TEXT := pgmq.format_table_name(queue_name, 'q');
BEGIN
    sql := FORMAT(
        $QUERY$
        UPDATE pgmq.%I
        SET vt = $1
        WHERE msg_id = ANY($2)
        RETURNING msg_id, read_ct, enqueued_at, last_read_at, vt, message, headers;
        $QUERY$,
        qtable
    );
    RETURN QUERY EXECUTE sql USING vt, msg_ids;
END;
$$ LANGUAGE plpgsql;

-- Sets integer vt of multiple messages, returns them
CREATE FUNCTION pgmq.set_vt(
    queue_name TEXT,
    msg_ids BIGINT[],
    vt INTEGER
)
RETURNS SETOF pgmq.message_record AS $$
    SELECT * FROM pgmq.set_vt(queue_name, msg_ids, clock_timestamp() + make_interval(secs => vt));
$$ LANGUAGE sql;

CREATE FUNCTION pgmq._get_pg_partman_schema()
RETURNS TEXT AS $$
  SELECT
    extnamespace::regnamespace::text
  FROM
    pg_extension
  WHERE
    extname = 'pg_partman';
$$ LANGUAGE SQL;

CREATE FUNCTION pgmq.drop_queue(queue_name TEXT, partitioned BOOLEAN)
RETURNS BOOLEAN AS $$
DECLARE
    qtable TEXT := pgmq.format_table_name(queue_name, 'q');
    fq_qtable TEXT := 'pgmq.' || qtable;
    atable TEXT := pgmq.format_table_name(queue_name, 'a');
    fq_atable TEXT := 'pgmq.' || atable;
BEGIN
    RAISE WARNING 'drop_queue(queue_name, partitioned) is deprecated and will be removed in PGMQ v2.0. Use drop_queue(queue_name) instead';

    PERFORM pgmq.drop_queue(queue_name);

    RETURN TRUE;
END;
$$ LANGUAGE plpgsql;

CREATE FUNCTION pgmq.drop_queue(queue_name TEXT)
RETURNS BOOLEAN AS $$
DECLARE
    qtable TEXT := pgmq.format_table_name(queue_name, 'q');
    qtable_seq TEXT := qtable || '_msg_id_seq';
    fq_qtable TEXT := 'pgmq.' || qtable;
    atable TEXT := pgmq.format_table_name(queue_name, 'a');
    fq_atable TEXT := 'pgmq.' || atable;
    partitioned BOOLEAN;
BEGIN
    PERFORM pgmq.acquire_queue_lock(queue_name);
    EXECUTE FORMAT(
        $QUERY$
        SELECT is_partitioned FROM pgmq.meta WHERE queue_name = %L
        $QUERY$,
        queue_name
    ) INTO partitioned;

    -- check if the queue exists
    IF NOT EXISTS (
        SELECT 1
        FROM information_schema.tables
        WHERE table_name = qtable and table_schema = 'pgmq'
    ) THEN
        RAISE NOTICE 'pgmq queue `%` does not exist', queue_name;
        RETURN FALSE;
    END IF;

    EXECUTE FORMAT(
        $QUERY$
        DROP TABLE IF EXISTS pgmq.%I
        $QUERY$,
        qtable
    );

    EXECUTE FORMAT(
        $QUERY$
        DROP TABLE IF EXISTS pgmq.%I
        $QUERY$,
        atable
    );

     IF EXISTS (
          SELECT 1
          FROM information_schema.tables
          WHERE table_name = 'meta' and table_schema = 'pgmq'
     ) THEN
        EXECUTE FORMAT(
            $QUERY$
            DELETE FROM pgmq.meta WHERE queue_name = %L
            $QUERY$,
            queue_name
        );
     END IF;

     IF partitioned THEN
        EXECUTE FORMAT(
          $QUERY$
          DELETE FROM %I.part_config where parent_table in (%L, %L)
          $QUERY$,
          pgmq._get_pg_partman_schema(), fq_qtable, fq_atable
        );
     END IF;

    RETURN TRUE;
END;
$$ LANGUAGE plpgsql;

CREATE FUNCTION pgmq.validate_queue_name(queue_name TEXT)
RETURNS void AS $$
BEGIN
  IF length(queue_name) > 47 THEN
    -- complete table identifier must be <= 63
    -- https://www.postgresql.org/docs/17/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
    -- e.g. template_pgmq_q_my_queue is an identifier for my_queue when partitioned
    -- template_pgmq_q_ (16) + <a max length queue name> (47) = 63 
    RAISE EXCEPTION 'queue name is too long, maximum length is 47 characters';
  END IF;
END;
$$ LANGUAGE plpgsql;

CREATE FUNCTION pgmq._belongs_to_pgmq(table_name TEXT)
RETURNS BOOLEAN AS $$
DECLARE
    sql TEXT;
    result BOOLEAN;
BEGIN
  SELECT EXISTS (
    SELECT 1
    FROM pg_depend
    WHERE refobjid = (SELECT oid FROM pg_extension WHERE extname = 'pgmq')
    AND objid = (
        SELECT oid
        FROM pg_class
        WHERE relname = table_name
    )
  ) INTO result;
  RETURN result;
END;
$$ LANGUAGE plpgsql;

CREATE FUNCTION pgmq.create_non_partitioned(queue_name TEXT)
RETURNS void AS $$
DECLARE
  qtable TEXT := pgmq.format_table_name(queue_name, 'q');
  qtable_seq TEXT := qtable || '_msg_id_seq';
  atable TEXT := pgmq.format_table_name(queue_name, 'a');
BEGIN
  PERFORM pgmq.validate_queue_name(queue_name);
  PERFORM pgmq.acquire_queue_lock(queue_name);

  EXECUTE FORMAT(
    $QUERY$
    CREATE TABLE IF NOT EXISTS pgmq.%I (
        msg_id BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
        read_ct INT DEFAULT 0 NOT NULL,
        enqueued_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        last_read_at TIMESTAMP WITH TIME ZONE,
        vt TIMESTAMP WITH TIME ZONE NOT NULL,
        message JSONB,
        headers JSONB
    )
    $QUERY$,
    qtable
  );

  EXECUTE FORMAT(
    $QUERY$
    CREATE TABLE IF NOT EXISTS pgmq.%I (
      msg_id BIGINT PRIMARY KEY,
      read_ct INT DEFAULT 0 NOT NULL,
      enqueued_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
      last_read_at TIMESTAMP WITH TIME ZONE,
      archived_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
      vt TIMESTAMP WITH TIME ZONE NOT NULL,
      message JSONB,
      headers JSONB
    );
    $QUERY$,
    atable
  );

  EXECUTE FORMAT(
    $QUERY$
    CREATE INDEX IF NOT EXISTS %I ON pgmq.%I (vt ASC);
    $QUERY$,
    qtable || '_vt_idx', qtable
  );

  EXECUTE FORMAT(
    $QUERY$
    CREATE INDEX IF NOT EXISTS %I ON pgmq.%I (archived_at);
    $QUERY$,
    'archived_at_idx_' || queue_name, atable
  );

  EXECUTE FORMAT(
    $QUERY$
    INSERT INTO pgmq.meta (queue_name, is_partitioned, is_unlogged)
    VALUES (%L, false, false)
    ON CONFLICT
    DO NOTHING;
    $QUERY$,
    queue_name
  );

END;
$$ LANGUAGE plpgsql;

CREATE FUNCTION pgmq.create_unlogged(queue_name TEXT)
RETURNS void AS $$
DECLARE
  qtable TEXT := pgmq.format_table_name(queue_name, 'q');
  qtable_seq TEXT := qtable || '_msg_id_seq';
  atable TEXT := pgmq.format_table_name(queue_name, 'a');
BEGIN
  PERFORM pgmq.validate_queue_name(queue_name);
  PERFORM pgmq.acquire_queue_lock(queue_name);

  EXECUTE FORMAT(
    $QUERY$
    CREATE UNLOGGED TABLE IF NOT EXISTS pgmq.%I (
        msg_id BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
        read_ct INT DEFAULT 0 NOT NULL,
        enqueued_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        last_read_at TIMESTAMP WITH TIME ZONE,
        vt TIMESTAMP WITH TIME ZONE NOT NULL,
        message JSONB,
        headers JSONB
    )
    $QUERY$,
    qtable
  );

  EXECUTE FORMAT(
    $QUERY$
    CREATE TABLE IF NOT EXISTS pgmq.%I (
      msg_id BIGINT PRIMARY KEY,
      read_ct INT DEFAULT 0 NOT NULL,
      enqueued_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
      last_read_at TIMESTAMP WITH TIME ZONE,
      archived_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
      vt TIMESTAMP WITH TIME ZONE NOT NULL,
      message JSONB,
      headers JSONB
    );
    $QUERY$,
    atable
  );

  EXECUTE FORMAT(
    $QUERY$
    CREATE INDEX IF NOT EXISTS %I ON pgmq.%I (vt ASC);
    $QUERY$,
    qtable || '_vt_idx', qtable
  );

  EXECUTE FORMAT(
    $QUERY$
    CREATE INDEX IF NOT EXISTS %I ON pgmq.%I (archived_at);
    $QUERY$,
    'archived_at_idx_' || queue_name, atable
  );

  EXECUTE FORMAT(
    $QUERY$
    INSERT INTO pgmq.meta (queue_name, is_partitioned, is_unlogged)
    VALUES (%L, false, true)
    ON CONFLICT
    DO NOTHING;
    $QUERY$,
    queue_name
  );
END;
$$ LANGUAGE plpgsql;

CREATE FUNCTION pgmq._get_partition_col(partition_interval TEXT)
RETURNS TEXT AS $$
DECLARE
  num INTEGER;
BEGIN
    BEGIN
        num := partition_interval::INTEGER;
        RETURN 'msg_id';
    EXCEPTION
        WHEN others THEN
            RETURN 'enqueued_at';
    END;
END;
$$ LANGUAGE plpgsql;

CREATE FUNCTION pgmq._extension_exists(extension_name TEXT)
    RETURNS BOOLEAN
    LANGUAGE SQL
AS $$
SELECT EXISTS (
    SELECT 1
    FROM pg_extension
    WHERE extname = extension_name
)
$$;

CREATE FUNCTION pgmq._ensure_pg_partman_installed()
RETURNS void AS $$
BEGIN
  IF NOT pgmq._extension_exists('pg_partman') THEN
    RAISE EXCEPTION 'pg_partman is required for partitioned queues';
  END IF;
END;
$$ LANGUAGE plpgsql;

CREATE FUNCTION pgmq._get_pg_partman_major_version()
RETURNS INT
LANGUAGE SQL
AS $$
  SELECT split_part(extversion, '.', 1)::INT
  FROM pg_extension
  WHERE extname = 'pg_partman'
$$;

CREATE FUNCTION pgmq.create_partitioned(
  queue_name TEXT,
  partition_interval TEXT DEFAULT '10000',
  retention_interval TEXT DEFAULT '100000',
  premake INTEGER DEFAULT 4
)
RETURNS void AS $$
DECLARE
  partition_col TEXT;
  a_partition_col TEXT;
  qtable TEXT := pgmq.format_table_name(queue_name, 'q');
  qtable_seq TEXT := qtable || '_msg_id_seq';
  atable TEXT := pgmq.format_table_name(queue_name, 'a');
  fq_qtable TEXT := 'pgmq.' || qtable;
  fq_atable TEXT := 'pgmq.' || atable;
BEGIN
  PERFORM pgmq.validate_queue_name(queue_name);
  PERFORM pgmq.acquire_queue_lock(queue_name);
  PERFORM pgmq._ensure_pg_partman_installed();
  IF premake < 1 THEN
    RAISE EXCEPTION 'premake must be at least 1, got %', premake;
  END IF;
  SELECT pgmq._get_partition_col(partition_interval) INTO partition_col;

  EXECUTE FORMAT(
    $QUERY$
    CREATE TABLE IF NOT EXISTS pgmq.%I (
        msg_id BIGINT GENERATED BY DEFAULT AS IDENTITY,
        read_ct INT DEFAULT 0 NOT NULL,
        enqueued_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        last_read_at TIMESTAMP WITH TIME ZONE,
        vt TIMESTAMP WITH TIME ZONE NOT NULL,
        message JSONB,
        headers JSONB
    ) PARTITION BY RANGE (%I)
    $QUERY$,
    qtable, partition_col
  );

  -- https://github.com/pgpartman/pg_partman/blob/master/doc/pg_partman.md
  -- p_parent_table - the existing parent table. MUST be schema qualified, even if in public schema.
  EXECUTE FORMAT(
    $QUERY$
    SELECT %I.create_parent(
      p_parent_table := %L,
      p_control := %L,
      p_interval := %L,
      p_premake := %s,
      p_type := case
        when pgmq._get_pg_partman_major_version() = 5 then 'range'
        else 'native'
      end
    )
    $QUERY$,
    pgmq._get_pg_partman_schema(),
    fq_qtable,
    partition_col,
    partition_interval,
    premake
  );

  EXECUTE FORMAT(
    $QUERY$
    CREATE INDEX IF NOT EXISTS %I ON pgmq.%I (%I);
    $QUERY$,
    qtable || '_part_idx', qtable, partition_col
  );

  EXECUTE FORMAT(
    $QUERY$
    UPDATE %I.part_config
    SET
        retention = %L,
        retention_keep_table = false,
        retention_keep_index = true,
        automatic_maintenance = 'on'
    WHERE parent_table = %L;
    $QUERY$,
    pgmq._get_pg_partman_schema(),
    retention_interval,
    'pgmq.' || qtable
  );

  EXECUTE FORMAT(
    $QUERY$
    INSERT INTO pgmq.meta (queue_name, is_partitioned, is_unlogged)
    VALUES (%L, true, false)
    ON CONFLICT
    DO NOTHING;
    $QUERY$,
    queue_name
  );

  IF partition_col = 'enqueued_at' THEN
    a_partition_col := 'archived_at';
  ELSE
    a_partition_col := partition_col;
  END IF;

  EXECUTE FORMAT(
    $QUERY$
    CREATE TABLE IF NOT EXISTS pgmq.%I (
      msg_id BIGINT NOT NULL,
      read_ct INT DEFAULT 0 NOT NULL,
      enqueued_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
      last_read_at TIMESTAMP WITH TIME ZONE,
      archived_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
      vt TIMESTAMP WITH TIME ZONE NOT NULL,
      message JSONB,
      headers JSONB
    ) PARTITION BY RANGE (%I);
    $QUERY$,
    atable, a_partition_col
  );

  -- https://github.com/pgpartman/pg_partman/blob/master/doc/pg_partman.md
  -- p_parent_table - the existing parent table. MUST be schema qualified, even if in public schema.
  EXECUTE FORMAT(
    $QUERY$
    SELECT %I.create_parent(
      p_parent_table := %L,
      p_control := %L,
      p_interval := %L,
      p_premake := %s,
      p_type := case
        when pgmq._get_pg_partman_major_version() = 5 then 'range'
        else 'native'
      end
    )
    $QUERY$,
    pgmq._get_pg_partman_schema(),
    fq_atable,
    a_partition_col,
    partition_interval,
    premake
  );

  EXECUTE FORMAT(
    $QUERY$
    UPDATE %I.part_config
    SET
        retention = %L,
        retention_keep_table = false,
        retention_keep_index = true,
        automatic_maintenance = 'on'
    WHERE parent_table = %L;
    $QUERY$,
    pgmq._get_pg_partman_schema(),
    retention_interval,
    'pgmq.' || atable
  );

  EXECUTE FORMAT(
    $QUERY$
    CREATE INDEX IF NOT EXISTS %I ON pgmq.%I (archived_at);
    $QUERY$,
    'archived_at_idx_' || queue_name, atable
  );

END;
$$ LANGUAGE plpgsql;

CREATE FUNCTION pgmq.create(queue_name TEXT)
RETURNS void AS $$
BEGIN
    PERFORM pgmq.create_non_partitioned(queue_name);
END;
$$ LANGUAGE plpgsql;

-- _create_fifo_index_if_not_exists
-- internal function to create GIN index on headers for better FIFO performance
CREATE OR REPLACE FUNCTION pgmq._create_fifo_index_if_not_exists(queue_name TEXT)
RETURNS void AS $$
DECLARE
    qtable TEXT := pgmq.format_table_name(queue_name, 'q');
    index_name TEXT := qtable || '_fifo_idx';
BEGIN
    -- Create GIN index on headers for efficient FIFO key lookups
    EXECUTE FORMAT(
        $QUERY$
        CREATE INDEX IF NOT EXISTS %I ON pgmq.%I USING GIN (headers);
        $QUERY$,
        index_name, qtable
    );
END;
$$ LANGUAGE plpgsql;

-- create_fifo_index
-- creates a GIN index on the headers column to improve FIFO read performance
CREATE FUNCTION pgmq.create_fifo_index(queue_name TEXT)
RETURNS void AS $$
BEGIN
    PERFORM pgmq._create_fifo_index_if_not_exists(queue_name);
END;
$$ LANGUAGE plpgsql;

-- create_fifo_indexes_all
-- creates FIFO indexes on all existing queues
CREATE FUNCTION pgmq.create_fifo_indexes_all()
RETURNS void AS $$
DECLARE
    queue_record RECORD;
BEGIN
    FOR queue_record IN SELECT queue_name FROM pgmq.meta LOOP
        PERFORM pgmq.create_fifo_index(queue_record.queue_name);
    END LOOP;
END;
$$ LANGUAGE plpgsql;

CREATE OR REPLACE FUNCTION pgmq.convert_archive_partitioned(
  table_name TEXT,
  partition_interval TEXT DEFAULT '10000',
  retention_interval TEXT DEFAULT '100000',
  leading_partition INT DEFAULT 10
)
RETURNS void AS $$
DECLARE
  a_table_name TEXT := pgmq.format_table_name(table_name, 'a');
  a_table_name_old TEXT := pgmq.format_table_name(table_name, 'a') || '_old';
  qualified_a_table_name TEXT := format('pgmq.%I', a_table_name);
  partition_col TEXT;
  a_partition_col TEXT;
BEGIN

  PERFORM c.relkind
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = a_table_name
    AND c.relkind = 'p';

  IF FOUND THEN
    RAISE NOTICE 'Table %s is already partitioned', a_table_name;
    RETURN;
  END IF;

  PERFORM c.relkind
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = a_table_name
    AND c.relkind = 'r';

  IF NOT FOUND THEN
    RAISE NOTICE 'Table %s does not exists', a_table_name;
    RETURN;
  END IF;

  SELECT pgmq._get_partition_col(partition_interval) INTO partition_col;

  -- For archive tables, use archived_at for time-based partitioning
  IF partition_col = 'enqueued_at' THEN
    a_partition_col := 'archived_at';
  ELSE
    a_partition_col := partition_col;
  END IF;

  EXECUTE 'ALTER TABLE ' || qualified_a_table_name || ' RENAME TO ' || a_table_name_old;

  -- When partitioning by time (archived_at), we need to exclude constraints and indexes
  -- because the existing PRIMARY KEY on msg_id alone is incompatible with partitioning by archived_at.
  -- When partitioning by msg_id, we can keep all constraints including PRIMARY KEY.
  IF a_partition_col = 'archived_at' THEN
    EXECUTE format( 'CREATE TABLE pgmq.%I (LIKE pgmq.%I including defaults including generated including storage including comments) PARTITION BY RANGE (%I)', a_table_name, a_table_name_old, a_partition_col );
  ELSE
    EXECUTE format( 'CREATE TABLE pgmq.%I (LIKE pgmq.%I including all) PARTITION BY RANGE (%I)', a_table_name, a_table_name_old, a_partition_col );
  END IF;

  EXECUTE 'ALTER INDEX pgmq.archived_at_idx_' || table_name || ' RENAME TO archived_at_idx_' || table_name || '_old';
  EXECUTE 'CREATE INDEX archived_at_idx_'|| table_name || ' ON ' || qualified_a_table_name ||'(archived_at)';

  -- https://github.com/pgpartman/pg_partman/blob/master/doc/pg_partman.md
  -- p_parent_table - the existing parent table. MUST be schema qualified, even if in public schema.
  EXECUTE FORMAT(
    $QUERY$
    SELECT %I.create_parent(
      p_parent_table := %L,
      p_control := %L,
      p_interval := %L,
      p_type := case
        when pgmq._get_pg_partman_major_version() = 5 then 'range'
        else 'native'
      end
    )
    $QUERY$,
    pgmq._get_pg_partman_schema(),
    qualified_a_table_name,
    a_partition_col,
    partition_interval
  );

  EXECUTE FORMAT(
    $QUERY$
    UPDATE %I.part_config
    SET
      retention = %L,
      retention_keep_table = false,
      retention_keep_index = false,
      infinite_time_partitions = true
    WHERE
      parent_table = %L;
    $QUERY$,
    pgmq._get_pg_partman_schema(),
    retention_interval,
    qualified_a_table_name
  );
END;
$$ LANGUAGE plpgsql;

CREATE OR REPLACE FUNCTION pgmq.notify_queue_listeners()
RETURNS TRIGGER AS $$
DECLARE
  queue_name_extracted TEXT; -- Queue name extracted from trigger table name
  updated_count        INTEGER; -- Number of rows updated (0 or 1)
BEGIN
  queue_name_extracted := substring(TG_TABLE_NAME from 3);

  UPDATE pgmq.notify_insert_throttle
  SET last_notified_at = clock_timestamp()
  WHERE queue_name = queue_name_extracted
    AND (
      throttle_interval_ms = 0 -- No throttling configured
          OR clock_timestamp() - last_notified_at >=
             (throttle_interval_ms * INTERVAL '1 millisecond') -- Throttle interval has elapsed
    );

  -- Check how many rows were updated (will be 0 or 1)
  GET DIAGNOSTICS updated_count = ROW_COUNT;

  IF updated_count > 0 THEN
    PERFORM PG_NOTIFY('pgmq.' || TG_TABLE_NAME || '.' || TG_OP, NULL);
  END IF;

RETURN NEW;
END;
$$ LANGUAGE plpgsql;

CREATE OR REPLACE FUNCTION pgmq.enable_notify_insert(queue_name TEXT, throttle_interval_ms INTEGER DEFAULT 250)
RETURNS void AS $$
DECLARE
  qtable TEXT := pgmq.format_table_name(queue_name, 'q');
  v_queue_name TEXT := queue_name;
  v_throttle_interval_ms INTEGER := throttle_interval_ms;
BEGIN
  -- Validate that throttle_interval_ms is non-negative
  IF v_throttle_interval_ms < 0 THEN
    RAISE EXCEPTION 'throttle_interval_ms must be non-negative';
  END IF;

  -- Validate that the queue table exists
  IF NOT EXISTS (SELECT 1 FROM information_schema.tables WHERE table_schema = 'pgmq' AND table_name = qtable) THEN
    RAISE EXCEPTION 'Queue "%" does not exist. Create it first using pgmq.create()', v_queue_name;
  END IF;

  PERFORM pgmq.disable_notify_insert(v_queue_name);

  INSERT INTO pgmq.notify_insert_throttle (queue_name, throttle_interval_ms)
  VALUES (v_queue_name, v_throttle_interval_ms)
  ON CONFLICT ON CONSTRAINT notify_insert_throttle_queue_name_key DO UPDATE
      SET throttle_interval_ms = EXCLUDED.throttle_interval_ms,
          last_notified_at = to_timestamp(0);

  EXECUTE FORMAT(
    $QUERY$
    CREATE CONSTRAINT TRIGGER trigger_notify_queue_insert_listeners
    AFTER INSERT ON pgmq.%I
    DEFERRABLE FOR EACH ROW
    EXECUTE PROCEDURE pgmq.notify_queue_listeners()
    $QUERY$,
    qtable
  );
END;
$$ LANGUAGE plpgsql;

CREATE OR REPLACE FUNCTION pgmq.disable_notify_insert(queue_name TEXT)
RETURNS void AS $$
DECLARE
  qtable TEXT := pgmq.format_table_name(queue_name, 'q');
  v_queue_name TEXT := queue_name;
BEGIN
  EXECUTE FORMAT(
    $QUERY$
    DROP TRIGGER IF EXISTS trigger_notify_queue_insert_listeners ON pgmq.%I;
    $QUERY$,
    qtable
  );

  DELETE FROM pgmq.notify_insert_throttle nit WHERE nit.queue_name = v_queue_name;
END;
$$ LANGUAGE plpgsql;

CREATE OR REPLACE FUNCTION pgmq.list_notify_insert_throttles()
    RETURNS TABLE
            (
                queue_name           text,
                throttle_interval_ms integer,
                last_notified_at     TIMESTAMP WITH TIME ZONE
            )
    LANGUAGE sql
    STABLE
AS
$$
    SELECT queue_name, throttle_interval_ms, last_notified_at
    FROM pgmq.notify_insert_throttle
    ORDER BY queue_name;
$$;

CREATE OR REPLACE FUNCTION pgmq.update_notify_insert(queue_name text, throttle_interval_ms integer)
    RETURNS void
    LANGUAGE plpgsql
AS
$$
BEGIN
    IF throttle_interval_ms < 0 THEN
        RAISE EXCEPTION 'throttle_interval_ms must be non-negative, got: %', throttle_interval_ms;
    END IF;

    IF NOT EXISTS (SELECT 1 FROM pgmq.meta WHERE meta.queue_name = update_notify_insert.queue_name) THEN
        RAISE EXCEPTION 'Queue "%" does not exist. Create the queue first using pgmq.create()', queue_name;
    END IF;

    IF NOT EXISTS (SELECT 1 FROM pgmq.notify_insert_throttle WHERE notify_insert_throttle.queue_name = update_notify_insert.queue_name) THEN
        RAISE EXCEPTION 'Queue "%" does not have notify_insert enabled. Enable it first using pgmq.enable_notify_insert()', queue_name;
    END IF;

    UPDATE pgmq.notify_insert_throttle
    SET throttle_interval_ms = update_notify_insert.throttle_interval_ms,
        last_notified_at = to_timestamp(0)
    WHERE notify_insert_throttle.queue_name = update_notify_insert.queue_name;
END;
$$;

CREATE OR REPLACE FUNCTION pgmq.validate_routing_key(routing_key text)
    RETURNS boolean
    LANGUAGE plpgsql
    IMMUTABLE
AS
$$
BEGIN
    -- Valid routing key examples:
    --   "logs.error"
    --   "app.user-service.auth"
    --   "system_events.db.connection_failed"
    --
    -- Invalid routing key examples:
    --   ""                     - empty
    --   ".logs.error"          - starts with dot
    --   "logs.error."          - ends with dot
    --   "logs..error"          - consecutive dots
    --   "logs.error!"          - invalid character
    --   "logs error"           - space not allowed
    --   "logs.*"               - wildcards not allowed in routing keys

    IF routing_key IS NULL OR routing_key = '' THEN
        RAISE EXCEPTION 'routing_key cannot be NULL or empty';
    END IF;

    IF length(routing_key) > 255 THEN
        RAISE EXCEPTION 'routing_key length cannot exceed 255 characters, got % characters', length(routing_key);
    END IF;

    IF routing_key !~ '^[a-zA-Z0-9._-]+$' THEN
        RAISE EXCEPTION 'routing_key contains invalid characters. Only alphanumeric, dots, hyphens, and underscores are allowed. Got: %', routing_key;
    END IF;

    IF routing_key ~ '^\.' THEN
        RAISE EXCEPTION 'routing_key cannot start with a dot. Got: %', routing_key;
    END IF;

    IF routing_key ~ '\.$' THEN
        RAISE EXCEPTION 'routing_key cannot end with a dot. Got: %', routing_key;
    END IF;

    IF routing_key ~ '\.\.' THEN
        RAISE EXCEPTION 'routing_key cannot contain consecutive dots. Got: %', routing_key;
    END IF;

    RETURN true;
END;
$$;

CREATE OR REPLACE FUNCTION pgmq.validate_topic_pattern(pattern text)
    RETURNS boolean
    LANGUAGE plpgsql
    IMMUTABLE
AS
$$
BEGIN
    -- Valid pattern examples:
    --   "logs.*"           - matches one segment after logs. (e.g., logs.error, logs.info)
    --   "logs.#"           - matches one or more segments after logs. (e.g., logs.error, logs.api.error)
    --   "*.error"          - matches one segment before .error (e.g., app.error, db.error)
    --   "#.error"          - matches one or more segments before .error (e.g., app.error, x.y.error)
    --   "app.*.#"          - mixed wildcards (one segment then one or more)
    --   "#"                - catch-all pattern, matches any routing key
    --
    -- Invalid pattern examples:
    --   ".logs.*"          - starts with dot
    --   "logs.*."          - ends with dot
    --   "logs..error"      - consecutive dots
    --   "logs.**"          - consecutive stars
    --   "logs.##"          - consecutive hashes
    --   "logs.*#"          - adjacent wildcards
    --   "logs.error!"      - invalid character

    IF pattern IS NULL OR pattern = '' THEN
        RAISE EXCEPTION 'pattern cannot be NULL or empty';
    END IF;

    IF length(pattern) > 255 THEN
        RAISE EXCEPTION 'pattern length cannot exceed 255 characters, got % characters', length(pattern);
    END IF;

    IF pattern !~ '^[a-zA-Z0-9._\-*#]+$' THEN
        RAISE EXCEPTION 'pattern contains invalid characters. Only alphanumeric, dots, hyphens, underscores, *, and # are allowed. Got: %', pattern;
    END IF;

    IF pattern ~ '^\.' THEN
        RAISE EXCEPTION 'pattern cannot start with a dot. Got: %', pattern;
    END IF;

    IF pattern ~ '\.$' THEN
        RAISE EXCEPTION 'pattern cannot end with a dot. Got: %', pattern;
    END IF;

    IF pattern ~ '\.\.' THEN
        RAISE EXCEPTION 'pattern cannot contain consecutive dots. Got: %', pattern;
    END IF;

    IF pattern ~ '\*\*' THEN
        RAISE EXCEPTION 'pattern cannot contain consecutive stars (**). Use # for multi-segment matching. Got: %', pattern;
    END IF;

    IF pattern ~ '##' THEN
        RAISE EXCEPTION 'pattern cannot contain consecutive hashes (##). A single # already matches zero or more segments. Got: %', pattern;
    END IF;

    IF pattern ~ '\*#' OR pattern ~ '#\*' THEN
        RAISE EXCEPTION 'pattern cannot contain adjacent wildcards (*# or #*). Separate wildcards with dots. Got: %', pattern;
    END IF;

    RETURN true;
END;
$$;

CREATE OR REPLACE FUNCTION pgmq.bind_topic(pattern text, queue_name text)
    RETURNS void
    LANGUAGE plpgsql
AS
$$
BEGIN
    PERFORM pgmq.validate_topic_pattern(pattern);
    IF queue_name IS NULL OR queue_name = '' THEN
        RAISE EXCEPTION 'queue_name cannot be NULL or empty';
    END IF;

    IF NOT EXISTS (SELECT 1 FROM pgmq.meta WHERE meta.queue_name = bind_topic.queue_name) THEN
        RAISE EXCEPTION 'Queue "%" does not exist. Create the queue first using pgmq.create()', queue_name;
    END IF;

    INSERT INTO pgmq.topic_bindings (pattern, queue_name)
    VALUES (pattern, queue_name)
    ON CONFLICT ON CONSTRAINT topic_bindings_unique_pattern_queue DO NOTHING;
END;
$$;

CREATE OR REPLACE FUNCTION pgmq.unbind_topic(pattern text, queue_name text)
    RETURNS boolean
    LANGUAGE plpgsql
AS
$$
DECLARE
    rows_deleted integer;
BEGIN
    IF pattern IS NULL OR pattern = '' THEN
        RAISE EXCEPTION 'pattern cannot be NULL or empty';
    END IF;

    IF queue_name IS NULL OR queue_name = '' THEN
        RAISE EXCEPTION 'queue_name cannot be NULL or empty';
    END IF;

    DELETE
    FROM pgmq.topic_bindings
    WHERE topic_bindings.pattern = unbind_topic.pattern
      AND topic_bindings.queue_name = unbind_topic.queue_name;

    GET DIAGNOSTICS rows_deleted = ROW_COUNT;

    IF rows_deleted > 0 THEN
        RETURN true;
    ELSE
        RETURN false;
    END IF;
END;
$$;

CREATE OR REPLACE FUNCTION pgmq.test_routing(routing_key text)
    RETURNS TABLE
            (
                pattern        text,
                queue_name     text,
                compiled_regex text
            )
    LANGUAGE plpgsql
    STABLE
AS
$$
BEGIN
    PERFORM pgmq.validate_routing_key(routing_key);
    RETURN QUERY
        SELECT b.pattern,
               b.queue_name,
               b.compiled_regex
        FROM pgmq.topic_bindings b
        WHERE routing_key ~ b.compiled_regex
        ORDER BY b.pattern;
END;
$$;

CREATE OR REPLACE FUNCTION pgmq.send_topic(routing_key text, msg jsonb, headers jsonb, delay integer)
    RETURNS integer
    LANGUAGE plpgsql
    VOLATILE
AS
$$
DECLARE
    b             RECORD;
    matched_count integer := 0;
BEGIN
    PERFORM pgmq.validate_routing_key(routing_key);

    IF msg IS NULL THEN
        RAISE EXCEPTION 'msg cannot be NULL';
    END IF;

    IF delay < 0 THEN
        RAISE EXCEPTION 'delay cannot be negative, got: %', delay;
    END IF;

    -- Filter matching patterns in SQL for better performance (uses index)
    -- Any failure will rollback the entire transaction
    FOR b IN
        SELECT DISTINCT tb.queue_name
        FROM pgmq.topic_bindings tb
        WHERE routing_key ~ tb.compiled_regex
        ORDER BY tb.queue_name -- Deterministic ordering, deduplicated by queue_name
        LOOP
            PERFORM pgmq.send(b.queue_name, msg, headers, delay);
            matched_count := matched_count + 1;
        END LOOP;

    RETURN matched_count;
END;
$$;

CREATE OR REPLACE FUNCTION pgmq.send_topic(routing_key text, msg jsonb)
    RETURNS integer
    LANGUAGE plpgsql
    VOLATILE
AS
$$
BEGIN
    RETURN pgmq.send_topic(routing_key, msg, NULL, 0);
END;
$$;

CREATE OR REPLACE FUNCTION pgmq.send_topic(routing_key text, msg jsonb, delay integer)
    RETURNS integer
    LANGUAGE plpgsql
    VOLATILE
AS
$$
BEGIN
    RETURN pgmq.send_topic(routing_key, msg, NULL, delay);
END;
$$;

CREATE OR REPLACE FUNCTION pgmq.list_topic_bindings()
    RETURNS TABLE
            (
                pattern        text,
                queue_name     text,
                bound_at       TIMESTAMP WITH TIME ZONE,
                compiled_regex text
            )
    LANGUAGE sql
    STABLE
AS
$$
    SELECT pattern, queue_name, bound_at, compiled_regex
    FROM pgmq.topic_bindings
    ORDER BY bound_at DESC, pattern, queue_name;
$$;

CREATE OR REPLACE FUNCTION pgmq.list_topic_bindings(queue_name text)
    RETURNS TABLE
            (
                pattern        text,
                queue_name     text,
                bound_at       TIMESTAMP WITH TIME ZONE,
                compiled_regex text
            )
    LANGUAGE sql
    STABLE
AS
$$
    SELECT pattern, tb.queue_name, bound_at, compiled_regex
    FROM pgmq.topic_bindings tb
    WHERE tb.queue_name = list_topic_bindings.queue_name
    ORDER BY bound_at DESC, pattern;
$$;

-- send_batch_topic: Base implementation with TIMESTAMP WITH TIME ZONE delay
CREATE OR REPLACE FUNCTION pgmq.send_batch_topic(
    routing_key text,
    msgs jsonb[],
    headers jsonb[],
    delay TIMESTAMP WITH TIME ZONE
)
    RETURNS TABLE(queue_name text, msg_id bigint)
    LANGUAGE plpgsql
    VOLATILE
AS
$$
DECLARE
    b RECORD;
BEGIN
    PERFORM pgmq.validate_routing_key(routing_key);

    -- Validate batch parameters once (not per queue)
    PERFORM pgmq._validate_batch_params(msgs, headers);

    -- Filter matching patterns in SQL for better performance (uses index)
    -- Any failure will rollback the entire transaction
    FOR b IN
        SELECT DISTINCT tb.queue_name
        FROM pgmq.topic_bindings tb
        WHERE routing_key ~ tb.compiled_regex
        ORDER BY tb.queue_name -- Deterministic ordering, deduplicated by queue_name
        LOOP
            -- Use private _send_batch to avoid redundant validation
            RETURN QUERY
            SELECT b.queue_name, batch_result.msg_id
            FROM pgmq._send_batch(b.queue_name, msgs, headers, delay) AS batch_result(msg_id);
        END LOOP;

    RETURN;
END;
$$;

-- send_batch_topic: 2 args (routing_key, msgs)
CREATE OR REPLACE FUNCTION pgmq.send_batch_topic(
    routing_key text,
    msgs jsonb[]
)
    RETURNS TABLE(queue_name text, msg_id bigint)
    LANGUAGE sql
    VOLATILE
AS
$$
    SELECT * FROM pgmq.send_batch_topic(routing_key, msgs, NULL, clock_timestamp());
$$;

-- send_batch_topic: 3 args with headers
CREATE OR REPLACE FUNCTION pgmq.send_batch_topic(
    routing_key text,
    msgs jsonb[],
    headers jsonb[]
)
    RETURNS TABLE(queue_name text, msg_id bigint)
    LANGUAGE sql
    VOLATILE
AS
$$
    SELECT * FROM pgmq.send_batch_topic(routing_key, msgs, headers, clock_timestamp());
$$;

-- send_batch_topic: 3 args with integer delay
CREATE OR REPLACE FUNCTION pgmq.send_batch_topic(
    routing_key text,
    msgs jsonb[],
    delay integer
)
    RETURNS TABLE(queue_name text, msg_id bigint)
    LANGUAGE sql
    VOLATILE
AS
$$
    SELECT * FROM pgmq.send_batch_topic(routing_key, msgs, NULL, clock_timestamp() + make_interval(secs => delay));
$$;

-- send_batch_topic: 3 args with timestamp delay
CREATE OR REPLACE FUNCTION pgmq.send_batch_topic(
    routing_key text,
    msgs jsonb[],
    delay TIMESTAMP WITH TIME ZONE
)
    RETURNS TABLE(queue_name text, msg_id bigint)
    LANGUAGE sql
    VOLATILE
AS
$$
    SELECT * FROM pgmq.send_batch_topic(routing_key, msgs, NULL, delay);
$$;

-- send_batch_topic: 4 args with integer delay
CREATE OR REPLACE FUNCTION pgmq.send_batch_topic(
    routing_key text,
    msgs jsonb[],
    headers jsonb[],
    delay integer
)
    RETURNS TABLE(queue_name text, msg_id bigint)
    LANGUAGE sql
    VOLATILE
AS
$$
    SELECT * FROM pgmq.send_batch_topic(routing_key, msgs, headers, clock_timestamp() + make_interval(secs => delay));
$$;$pgmq_package$;
  comment on schema pgmq is 'Installed by zohosync from the pgmq package.';
end
$install$;

do $queue$ begin
  if not exists (select from pgmq.meta where queue_name = 'zohosync_changes') then
    perform pgmq.create('zohosync_changes');
  end if;
end $queue$;

do $queue$ begin
  if not exists (select from pgmq.meta where queue_name = 'zohosync_sales') then
    perform pgmq.create('zohosync_sales');
  end if;
end $queue$;

do $queue$ begin
  if not exists (select from pgmq.meta where queue_name = 'zohosync_stock') then
    perform pgmq.create('zohosync_stock');
  end if;
end $queue$;

do $queue$ begin
  if not exists (select from pgmq.meta where queue_name = 'zohosync_people') then
    perform pgmq.create('zohosync_people');
  end if;
end $queue$;

do $queue$ begin
  if not exists (select from pgmq.meta where queue_name = 'zohosync_bulk') then
    perform pgmq.create('zohosync_bulk');
  end if;
end $queue$;

do $queue$ begin
  if not exists (select from pgmq.meta where queue_name = 'zohosync_clock') then
    perform pgmq.create('zohosync_clock');
  end if;
end $queue$;

create schema if not exists zohosync;
comment on schema zohosync is 'zohosync: keeps this shop and Zoho in step. Never expose it to an API.';
create table if not exists zohosync.schema_migration (
  version integer primary key, name text not null, applied_at timestamptz not null default now());

do $once$ begin
  if not exists (select from zohosync.schema_migration where version = 1) then
    execute $migration$-- Everything zohosync keeps for itself. The owner of the shop's tables owns it; the worker's role gets its rights
-- from db/grants.sql. Nothing here is exposed to the shop's API roles.

create table zohosync.installation (
  singleton         boolean primary key default true check (singleton),
  installation_id   uuid not null default gen_random_uuid(),
  database_identity text not null,
  zoho              text check (zoho in ('live', 'sim')),
  organisation_id   text,
  adapter           text not null,
  capturing         boolean not null default false,
  live_since        timestamptz,
  installed_at      timestamptz not null default now(),
  check (not capturing or live_since is not null)
);
comment on column zohosync.installation.database_identity is
  'System identifier and database oid at install or adoption; another value means this database is a copy.';

create type zohosync.operation_status as enum (
  'pending', 'running', 'retrying', 'waiting', 'succeeded', 'skipped', 'superseded', 'failed', 'cancelled');
create type zohosync.operation_cause as enum (
  'change', 'manual', 'webhook', 'sweep', 'reconcile', 'dependency');
create type zohosync.lane as enum ('sales', 'stock', 'people', 'bulk');
create type zohosync.wait_reason as enum ('lines', 'parent', 'budget', 'login', 'shop');

create table zohosync.operation (
  operation_id    bigint generated always as identity primary key,
  kind            text not null check (kind ~ '^[a-z]+(\.[a-z_]+)+$'),
  lane            zohosync.lane not null,
  entity          text not null,
  record_id       text not null,
  label           text,
  cause           zohosync.operation_cause not null,
  requested_by    text,
  status          zohosync.operation_status not null default 'pending',
  attempt         integer not null default 0 check (attempt >= 0),
  wait_reason     zohosync.wait_reason,
  waiting_since   timestamptz,
  next_attempt_at timestamptz,
  queued          boolean not null default true,
  message_id      bigint,
  claim_id        uuid,
  claimed_alone   boolean not null default false,
  deaths          smallint not null default 0,
  deaths_alone    smallint not null default 0,
  error_code      text,
  error_message   text,
  error_hint      text,
  error_field     text,
  warnings        jsonb not null default '[]',
  zoho_module     text,
  zoho_id         text,
  action          text,
  created_at      timestamptz not null default now(),
  requested_at    timestamptz not null default now(),
  started_at      timestamptz,
  finished_at     timestamptz,
  resolved_at     timestamptz,
  check ((status = 'running') = (claim_id is not null)),
  check ((status = 'waiting') = (wait_reason is not null)),
  check ((status in ('succeeded', 'skipped', 'superseded', 'failed', 'cancelled')) = (finished_at is not null)),
  check (status not in ('pending', 'running') or queued),
  check (finished_at is null or not queued),
  check (status <> 'failed' or error_code is not null)
);
comment on table zohosync.operation is 'The sync log, the meaning of the queue and the table of the console, at once.';
comment on column zohosync.operation.queued is 'A message for this operation exists in the queue of its lane.';
comment on column zohosync.operation.message_id is 'That message, once a worker has read it.';
comment on column zohosync.operation.resolved_at is 'When a later operation of the record cured this failure.';

create unique index operation_one_open on zohosync.operation (kind, entity, record_id)
  where status in ('pending', 'retrying', 'waiting');
create unique index operation_one_running on zohosync.operation (kind, entity, record_id)
  where status = 'running';
create index operation_due on zohosync.operation (next_attempt_at)
  where status in ('retrying', 'waiting') and not queued;
create index operation_by_record on zohosync.operation (entity, record_id, operation_id desc);
create index operation_by_status on zohosync.operation (status, operation_id desc);
create index operation_unresolved on zohosync.operation (kind, entity, record_id)
  where status = 'failed' and resolved_at is null;
create index operation_by_label on zohosync.operation (lower(label) text_pattern_ops, operation_id desc);

create table zohosync.attempt (
  attempt_id    bigint generated always as identity primary key,
  operation_id  bigint not null references zohosync.operation on delete cascade,
  number        integer not null,
  claim_id      uuid not null,
  worker        text not null,
  started_at    timestamptz not null,
  ended_at      timestamptz not null,
  outcome       text not null check (outcome in
                  ('succeeded', 'skipped', 'superseded', 'retrying', 'waiting', 'failed', 'released', 'died')),
  error_code    text,
  error_message text,
  error_hint    text,
  http_status   integer,
  vendor_code   text,
  request       jsonb,
  response      jsonb
);
create index attempt_by_operation on zohosync.attempt (operation_id, attempt_id);

create type zohosync.link_state as enum ('creating', 'linked', 'in_doubt');
create table zohosync.link (
  system          text not null check (system in ('crm', 'books')),
  module          text not null,
  entity          text not null,
  record_id       text not null,
  state           zohosync.link_state not null,
  zoho_id         text,
  organisation_id text not null,
  reference       text,
  claimed_by      bigint,
  claimed_until   timestamptz,
  fingerprint     text,
  payload         jsonb,
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  -- The record first: its statistics are hidden from the worker by row level security, and with the few values of the
  -- other columns in front the planner would read them all.
  primary key (record_id, entity, module, system),
  check ((state = 'linked') = (zoho_id is not null))
);
create unique index link_one_record on zohosync.link (zoho_id, module, system, organisation_id) where zoho_id is not null;
comment on column zohosync.link.reference is 'What to look for in Zoho when the outcome of a creation is not known.';
comment on column zohosync.link.claimed_by is
  'The operation that is creating the record just now: several may need one company or one person at the same time.';
comment on column zohosync.link.fingerprint is 'Digest of the payload Zoho accepted last; an identical one is not sent again.';

create table zohosync.observation (
  kind       text not null,
  entity     text not null,
  record_id  text not null,
  digest     text not null,
  seen_at    timestamptz not null default now(),
  primary key (record_id, entity, kind)
);
comment on table zohosync.observation is
  'What a record looked like when an operation last read it; the catch-up scan enqueues records that look different now.';

create table zohosync.connection (
  connection_id    text primary key default 'zoho' check (connection_id = 'zoho'),
  state            text not null check (state in ('connected', 'needs_reauth', 'disconnected')),
  data_centre      text not null,
  accounts_server  text not null,
  api_domain       text not null,
  organisation_id  text,
  organisation_name text,
  client_id        text not null,
  client_secret    bytea not null,
  refresh_token    bytea not null,
  access_token     bytea,
  expires_at       timestamptz,
  generation       bigint not null default 0,
  scopes           text[] not null default '{}',
  error_code       text,
  error_message    text,
  connected_at     timestamptz not null default now(),
  updated_at       timestamptz not null default now()
);
comment on column zohosync.connection.generation is
  'Counts access tokens; a caller whose rejected token is of an older generation takes the newer one without a refresh.';
create table zohosync.token_refresh (
  connection_id text not null,
  refreshed_at  timestamptz not null default clock_timestamp()
);
create index token_refresh_recent on zohosync.token_refresh (connection_id, refreshed_at);

create table zohosync.budget_day (
  organisation_id text not null,
  product         text not null,
  day             date not null,
  used            bigint not null default 0,
  calls           bigint not null default 0,
  primary key (organisation_id, product, day)
);
create table zohosync.budget_minute (
  organisation_id text not null,
  product         text not null,
  minute_at       timestamptz not null,
  used            bigint not null default 0,
  primary key (organisation_id, product, minute_at)
);
create table zohosync.budget_lease (
  lease_id        uuid primary key default gen_random_uuid(),
  organisation_id text not null,
  product         text not null,
  expires_at      timestamptz not null
);
create index budget_lease_open on zohosync.budget_lease (organisation_id, product, expires_at);
create table zohosync.budget_pause (
  organisation_id text not null,
  product         text not null,
  until_at        timestamptz not null,
  reason          text not null,
  primary key (organisation_id, product)
);

create table zohosync.incident (
  incident_id  bigint generated always as identity primary key,
  code         text not null,
  subject      text not null default '',
  severity     text not null check (severity in ('critical', 'warning')),
  title        text not null,
  hint         text not null default '',
  occurrences  integer not null default 1,
  operation_id bigint,
  opened_at    timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  closed_at    timestamptz
);
create unique index incident_one_open on zohosync.incident (code, subject) where closed_at is null;

create table zohosync.worker (
  worker_id      text primary key,
  started_at     timestamptz not null default now(),
  seen_at        timestamptz not null default now(),
  listening      boolean not null,
  schema_version integer not null
);

create table zohosync.clock_job (
  job         text primary key,
  message_id  bigint,
  last_run_at timestamptz,
  next_run_at timestamptz,
  error       text
);

create type zohosync.console_role as enum ('viewer', 'operator', 'admin');
create table zohosync.console_user (
  user_id       bigint generated always as identity primary key,
  email         text not null,
  name          text not null,
  role          zohosync.console_role not null,
  password_hash text not null,
  created_at    timestamptz not null default now(),
  disabled_at   timestamptz
);
create unique index console_user_email on zohosync.console_user (lower(email));
create table zohosync.console_session (
  token_hash bytea primary key,
  user_id    bigint not null references zohosync.console_user on delete cascade,
  csrf_token text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create table zohosync.invitation (
  token_hash bytea primary key,
  role       zohosync.console_role not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at    timestamptz
);
comment on table zohosync.invitation is 'One-time links that create a console user; the first admin comes in by one.';
create table zohosync.sign_in_attempt (
  subject      text not null,
  attempted_at timestamptz not null default now()
);
create index sign_in_attempt_recent on zohosync.sign_in_attempt (subject, attempted_at);

create table zohosync.audit (
  audit_id  bigint generated always as identity primary key,
  at        timestamptz not null default now(),
  actor     text not null,
  action    text not null,
  entity    text,
  record_id text,
  reason    text,
  detail    jsonb not null default '{}'
);
$migration$;
    insert into zohosync.schema_migration (version, name) values (1, '0001_initial');
  end if;
end $once$;

do $once$ begin
  if not exists (select from zohosync.schema_migration where version = 2) then
    execute $migration$-- The budget of calls to Zoho: one bucket per organisation and product, for all processes on all machines.
-- Times are the database's own, because the machines' clocks may differ; p_now is for tests with a clock of their own.

alter table zohosync.budget_lease add column heavy boolean not null default false;
alter table zohosync.budget_pause
  add column refusals integer not null default 1,
  add column began_at timestamptz not null default now();
comment on column zohosync.budget_lease.heavy is 'Counts for Zoho''s sub-concurrency.';
comment on column zohosync.budget_pause.refusals is 'Pauses in a row; each is twice as long as the one before.';

-- Credits spent in the last 24 hours, as Zoho counts them: today's, and the part of yesterday's that is not yet a day old.
-- Seen as evenly spread over the day, which keeps two numbers instead of one row per call.
create function zohosync.budget_spent(p_organisation text, p_product text, p_at timestamptz)
returns numeric language sql stable set search_path = '' as $function$
  select coalesce(sum(case when d.day = (p_at at time zone 'UTC')::date then d.used
                           else d.used * (1 - extract(epoch from (p_at at time zone 'UTC')::time) / 86400) end), 0)
    from zohosync.budget_day d
   where d.organisation_id = p_organisation and d.product = p_product
     and d.day between (p_at at time zone 'UTC')::date - 1 and (p_at at time zone 'UTC')::date
$function$;

-- The same for the sliding minute.
create function zohosync.budget_spent_minute(p_organisation text, p_product text, p_at timestamptz, p_minute interval)
returns numeric language sql stable set search_path = '' as $function$
  with bin as (select date_bin(p_minute, p_at, timestamptz '2000-01-01 00:00+00') as began)
  select coalesce(sum(case when m.minute_at = bin.began then m.used
                           else m.used * (1 - extract(epoch from p_at - bin.began) / extract(epoch from p_minute)) end), 0)
    from bin join zohosync.budget_minute m on m.minute_at in (bin.began, bin.began - p_minute)
   where m.organisation_id = p_organisation and m.product = p_product
$function$;

-- One call's leave: a lease, or what refuses it (day, minute, concurrency) and for how long. Callers of one bucket
-- pass one at a time, so that what is counted here is still true when it is written.
create function zohosync.budget_take(
  p_organisation text, p_product text, p_cost integer, p_heavy boolean, p_day_limit bigint,
  p_in_flight integer, p_heavy_in_flight integer, p_minute_limit integer, p_minute interval,
  p_lease interval, p_now timestamptz,
  out lease uuid, out refused_by text, out retry_after interval)
language plpgsql set search_path = '' as $function$
declare
  v_at     timestamptz;
  v_spent  numeric;
  v_open   integer;
  v_heavy  integer;
  v_bin    timestamptz;
begin
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('zohosync budget ' || p_organisation || ' ' || p_product, 0));
  v_at := coalesce(p_now, clock_timestamp());

  select p.reason, p.until_at - v_at into refused_by, retry_after
    from zohosync.budget_pause p
   where p.organisation_id = p_organisation and p.product = p_product and p.until_at > v_at;
  if found then return; end if;

  v_spent := zohosync.budget_spent(p_organisation, p_product, v_at);
  if v_spent + p_cost > p_day_limit then
    -- An hour at most, so that a limit raised meanwhile, or yesterday's credits falling due, are noticed.
    refused_by := 'day';
    retry_after := least(interval '1 hour', date_trunc('day', v_at, 'UTC') + interval '1 day' - v_at);
    retry_after := greatest(retry_after, interval '1 minute');
    return;
  end if;

  delete from zohosync.budget_lease l
   where l.organisation_id = p_organisation and l.product = p_product and l.expires_at <= v_at;
  select count(*), count(*) filter (where l.heavy) into v_open, v_heavy
    from zohosync.budget_lease l where l.organisation_id = p_organisation and l.product = p_product;
  if v_open >= p_in_flight or (p_heavy and v_heavy >= p_heavy_in_flight) then
    refused_by := 'concurrency';
    retry_after := interval '0.5 seconds';
    return;
  end if;

  if p_minute_limit is not null then
    if zohosync.budget_spent_minute(p_organisation, p_product, v_at, p_minute) + 1 > p_minute_limit then
      refused_by := 'minute';
      retry_after := p_minute / 6;
      return;
    end if;
    v_bin := date_bin(p_minute, v_at, timestamptz '2000-01-01 00:00+00');
    delete from zohosync.budget_minute m
     where m.organisation_id = p_organisation and m.product = p_product and m.minute_at < v_bin - p_minute;
    insert into zohosync.budget_minute as m (organisation_id, product, minute_at, used)
    values (p_organisation, p_product, v_bin, 1)
    on conflict (organisation_id, product, minute_at) do update set used = m.used + 1;
  end if;

  insert into zohosync.budget_day as d (organisation_id, product, day, used, calls)
  values (p_organisation, p_product, (v_at at time zone 'UTC')::date, p_cost, 1)
  on conflict (organisation_id, product, day) do update set used = d.used + p_cost, calls = d.calls + 1;
  insert into zohosync.budget_lease as l (organisation_id, product, expires_at, heavy)
  values (p_organisation, p_product, v_at + p_lease, p_heavy)
  returning l.lease_id into lease;
end
$function$;

-- The lease's end, with what the answer taught. Returns how long everybody pauses now.
-- p_verdict: answered; limited (Zoho said 429); failed (no word about limits); unsent (nothing left, credits return).
create function zohosync.budget_give_back(
  p_lease uuid, p_organisation text, p_product text, p_cost integer, p_verdict text,
  p_retry_after interval, p_credits_left bigint, p_day_limit bigint,
  p_first_pause interval, p_longest_pause interval, p_now timestamptz)
returns interval language plpgsql set search_path = '' as $function$
declare
  v_at    timestamptz := coalesce(p_now, clock_timestamp());
  v_today date := (v_at at time zone 'UTC')::date;
  v_until timestamptz;
begin
  delete from zohosync.budget_lease l where l.lease_id = p_lease;

  if p_verdict = 'unsent' then
    update zohosync.budget_day d set used = greatest(0, d.used - p_cost), calls = greatest(0, d.calls - 1)
     where d.organisation_id = p_organisation and d.product = p_product and d.day = v_today;
  end if;
  if p_credits_left is not null then
    -- The credits are the organisation's: other programs spend them too, so what Zoho says is left counts.
    update zohosync.budget_day d
       set used = d.used + greatest(0, p_day_limit - p_credits_left
                                       - ceil(zohosync.budget_spent(p_organisation, p_product, v_at))::bigint)
     where d.organisation_id = p_organisation and d.product = p_product and d.day = v_today;
  end if;

  if p_verdict = 'answered' then
    delete from zohosync.budget_pause p
     where p.organisation_id = p_organisation and p.product = p_product and p.until_at <= v_at;
  elsif p_verdict = 'limited' then
    insert into zohosync.budget_pause as p (organisation_id, product, until_at, reason, refusals, began_at)
    values (p_organisation, p_product, v_at + coalesce(p_retry_after, p_first_pause), 'concurrency', 1, v_at)
    on conflict (organisation_id, product) do update set
      -- Calls refused while the pause is on were sent before it: one wave, counted once.
      refusals = case when p.until_at > v_at then p.refusals
                      when p.until_at > v_at - interval '10 minutes' then p.refusals + 1 else 1 end,
      began_at = case when p.until_at > v_at - interval '10 minutes' then p.began_at else v_at end,
      -- Zoho has one code for both limits. Calls in flight clear in seconds; what lasts ten minutes is the day's credits.
      reason   = case when p.until_at > v_at - interval '10 minutes' and p.began_at <= v_at - interval '10 minutes'
                      then 'day' else 'concurrency' end,
      until_at = greatest(p.until_at, v_at + coalesce(p_retry_after, case
                      when p.until_at > v_at then interval '0'
                      when p.until_at > v_at - interval '10 minutes'
                      then least(p_longest_pause, p_first_pause * power(2, least(p.refusals, 20)))
                      else p_first_pause end));
  end if;

  select p.until_at into v_until from zohosync.budget_pause p
   where p.organisation_id = p_organisation and p.product = p_product and p.until_at > v_at;
  return coalesce(v_until - v_at, interval '0');
end
$function$;
$migration$;
    insert into zohosync.schema_migration (version, name) values (2, '0002_budget');
  end if;
end $once$;

do $once$ begin
  if not exists (select from zohosync.schema_migration where version = 3) then
    execute $migration$-- The queue's atomic steps. A message and the operation it stands for change in one transaction, always.

-- Makes records dirty: one open operation each, with a message in its lane. A record that has an open operation
-- gets it back with a fresh budget, at once; one that is running gets a new operation behind it.
create function zohosync.enqueue(
  kinds text[], lanes zohosync.lane[], entities text[], record_ids text[],
  new_cause zohosync.operation_cause, requester text default null)
returns setof bigint
language plpgsql as $function$
declare
  touched bigint[];
  unsent bigint[];
  hidden record;
  lane_messages record;
begin
  with wanted as (
    select distinct w.kind, w.lane, w.entity, w.record_id
      from unnest(kinds, lanes, entities, record_ids) as w(kind, lane, entity, record_id)
  ), upserted as (
    insert into zohosync.operation as o (kind, lane, entity, record_id, cause, requested_by)
    select w.kind, w.lane, w.entity, w.record_id, new_cause, requester from wanted w
     order by w.kind, w.entity, w.record_id  -- one order for everybody, so that intakes never deadlock
    on conflict (kind, entity, record_id) where status in ('pending', 'retrying', 'waiting')
    do update set
      status = case when o.queued then 'pending' else o.status end,
      wait_reason = case when o.queued then null else o.wait_reason end,
      attempt = 0, deaths = 0, deaths_alone = 0,
      cause = case when excluded.cause = 'manual' then excluded.cause else o.cause end,
      requested_by = coalesce(excluded.requested_by, o.requested_by),
      requested_at = now()
    returning o.operation_id, o.queued, o.message_id, (xmax = 0) as created
  )
  select array_agg(u.operation_id),
         array_agg(u.operation_id) filter (where u.created or not u.queued)
    into touched, unsent
    from upserted u;

  if unsent is not null then
    update zohosync.operation
       set status = 'pending', queued = true, message_id = null, wait_reason = null, waiting_since = null,
           next_attempt_at = null
     where operation_id = any (unsent) and not queued;
    for lane_messages in
      select o.lane, array_agg(jsonb_build_object('operation', o.operation_id) order by o.operation_id) as messages
        from zohosync.operation o where o.operation_id = any (unsent) group by o.lane
    loop
      perform pgmq.send_batch('zohosync_' || lane_messages.lane, lane_messages.messages);
    end loop;
  end if;

  -- A message that was read before and hidden again becomes visible now.
  for hidden in
    select o.lane, o.message_id, o.operation_id from zohosync.operation o
     where o.operation_id = any (touched) and o.message_id is not null
  loop
    perform pgmq.set_vt('zohosync_' || hidden.lane, hidden.message_id, 0);
  end loop;
  update zohosync.operation set next_attempt_at = null, waiting_since = null
   where operation_id = any (touched) and (next_attempt_at is not null or waiting_since is not null);

  if touched is not null then
    perform pg_notify('zohosync_work', '');
    perform pg_notify('zohosync_live', '');
  end if;
  return query select unnest(touched);
end
$function$;

-- Turns up to `most` change messages into operations. Returns how many messages were taken. Which kinds an entity feeds
-- is handed in; a message of an unknown entity is archived, never dropped.
create function zohosync.intake(
  most integer, source_entities text[], source_kinds text[], source_lanes zohosync.lane[])
returns integer
language plpgsql as $function$
declare
  taken bigint[];
  strange bigint[];
  kinds text[];
  lanes zohosync.lane[];
  entities text[];
  keys text[];
begin
  with batch as materialized (
    select msg_id, message from pgmq.read('zohosync_changes', 60, most)
  ), dirty as (
    select distinct s.kind, s.lane, s.entity, k.key
      from batch b
      join unnest(source_entities, source_kinds, source_lanes) as s(entity, kind, lane)
        on s.entity = b.message ->> 'entity'
     cross join lateral jsonb_array_elements_text(b.message -> 'keys') as k(key)
  )
  select (select array_agg(msg_id) from batch where message ->> 'entity' = any (source_entities)),
         (select array_agg(msg_id) from batch where (message ->> 'entity' = any (source_entities)) is not true),
         array_agg(d.kind), array_agg(d.lane), array_agg(d.entity), array_agg(d.key)
    into taken, strange, kinds, lanes, entities, keys
    from dirty d;
  if strange is not null then
    perform pgmq.archive('zohosync_changes', strange);
  end if;
  if taken is null then
    return coalesce(cardinality(strange), 0);
  end if;
  perform zohosync.enqueue(kinds, lanes, entities, keys, 'change');
  perform pgmq.delete('zohosync_changes', taken);
  return cardinality(taken) + coalesce(cardinality(strange), 0);
end
$function$;

-- Takes up to `most` operations of a lane for `claim`, hiding their messages for `visibility` seconds.
-- A message that is visible although its operation is running belonged to a worker that died.
create function zohosync.claim(
  claim_lane zohosync.lane, most integer, visibility integer, claim uuid, worker_name text)
returns setof zohosync.operation
language plpgsql as $function$
declare
  queue text := 'zohosync_' || claim_lane;
  messages bigint[];  -- message i stands for operation i of `wanted`
  wanted bigint[];
  useless bigint[];
  locked bigint[];
  suspect bigint;
  chosen bigint[];
  left_over bigint[];
  left_messages bigint[];
begin
  select array_agg(msg_id order by msg_id), array_agg((message ->> 'operation')::bigint order by msg_id)
    into messages, wanted from pgmq.read(queue, visibility, most);
  if messages is null then
    return;
  end if;
  -- An operation somebody is just changing is left for the next look: a claim never waits for a row, so that it
  -- cannot deadlock with those who hold rows and wait for its messages.
  select array_agg(t.operation_id) into locked from (
    select operation_id from zohosync.operation where operation_id = any (wanted) for update skip locked) t;
  perform pgmq.set_vt(queue, m.id, 0) from unnest(messages, wanted) as m(id, operation_id)
     join zohosync.operation o on o.operation_id = m.operation_id
    where m.operation_id <> all (coalesce(locked, '{}'));

  -- Messages whose operation has ended, is unknown or goes by another message.
  select array_agg(m.id) filter (where not fits), array_agg(m.id order by m.id) filter (where fits),
         array_agg(m.operation_id order by m.id) filter (where fits)
    into useless, messages, wanted
    from unnest(messages, wanted) as m(id, operation_id)
    left join zohosync.operation o on o.operation_id = m.operation_id
   cross join lateral (select o.queued is true and coalesce(o.message_id, m.id) = m.id) as f(fits)
   where o.operation_id is null or m.operation_id = any (locked);
  if useless is not null then
    perform pgmq.delete(queue, useless);
  end if;

  perform zohosync.bury(queue, wanted, worker_name);

  -- What may run: nothing whose record is running elsewhere; after two deaths, one record at a time.
  select array_agg(o.operation_id), min(o.operation_id) filter (where o.deaths >= 2)
    into chosen, suspect
    from zohosync.operation o
   where o.operation_id = any (wanted) and o.finished_at is null
     and (o.status = 'running' or not exists (
           select from zohosync.operation r
            where r.kind = o.kind and r.entity = o.entity and r.record_id = o.record_id and r.status = 'running'));
  -- Those left behind remember their message, so that whoever frees their record can make it visible.
  select array_agg(m.id), array_agg(m.operation_id) into left_messages, left_over
    from unnest(messages, wanted) as m(id, operation_id) where m.operation_id <> all (coalesce(chosen, '{}'));
  if left_over is not null then
    update zohosync.operation o set message_id = m.id
      from unnest(left_messages, left_over) as m(id, operation_id)
     where o.operation_id = any (left_over) and o.operation_id = m.operation_id
       and o.finished_at is null and o.message_id is null;
    -- Should that person come before this is committed, a second look is not far.
    perform pgmq.set_vt(queue, m.id, 1) from unnest(left_messages, left_over) as m(id, operation_id)
       join zohosync.operation o on o.operation_id = m.operation_id
      where o.finished_at is null and o.status <> 'running';
  end if;

  if suspect is not null then
    -- The others go back as they were, so that their next claim does not count this death again.
    update zohosync.operation o set status = 'pending', claim_id = null
     where o.operation_id = any (chosen) and o.operation_id <> suspect and o.status = 'running';
    perform pgmq.set_vt(queue, m.id, 0) from unnest(messages, wanted) as m(id, operation_id)
      where m.operation_id = any (chosen) and m.operation_id <> suspect;
    chosen := array[suspect];
  end if;
  return query
    update zohosync.operation o
       set status = 'running', claim_id = claim, claimed_alone = cardinality(chosen) = 1, started_at = clock_timestamp(),
           message_id = m.id, wait_reason = null, next_attempt_at = null
      from unnest(messages, wanted) as m(id, operation_id)
     where o.operation_id = any (chosen) and m.operation_id = o.operation_id
    returning o.*;
  perform pg_notify('zohosync_live', '');
end
$function$;

-- Counts the deaths of operations whose worker died. One that died alone three times ends as poison; one with a newer
-- operation of its record behind it ends as superseded. The others stay `running` and are taken again by the caller.
create function zohosync.bury(queue text, wanted bigint[], worker_name text) returns void
language plpgsql as $function$
declare
  finished bigint[];
begin
  if not exists (select from zohosync.operation where operation_id = any (wanted) and status = 'running') then
    return;
  end if;
  insert into zohosync.attempt (operation_id, number, claim_id, worker, started_at, ended_at, outcome, error_code,
                                error_message)
  select o.operation_id, o.attempt + 1, o.claim_id, worker_name, o.started_at, clock_timestamp(), 'died', 'worker_died',
         'The worker stopped in the middle of this attempt; another one took over.'
    from zohosync.operation o where o.operation_id = any (wanted) and o.status = 'running';
  update zohosync.operation o
     set deaths = o.deaths + 1, deaths_alone = o.deaths_alone + o.claimed_alone::integer
   where o.operation_id = any (wanted) and o.status = 'running';
  with poison as (
    update zohosync.operation o
       set status = 'failed', claim_id = null, queued = false, finished_at = clock_timestamp(), error_code = 'poison',
           error_message = 'Three workers in a row died while they handled this record alone.',
           error_hint = 'Look into the worker''s log at those times; press Sync now when the cause is gone.'
     where o.operation_id = any (wanted) and o.status = 'running' and o.deaths_alone >= 3
    returning o.operation_id, o.message_id, o.kind
  ), told as (
    insert into zohosync.incident as i (code, subject, severity, title, hint, operation_id)
    select 'poison', p.kind, 'critical', 'A record stops every worker that handles it.',
           'The operation page shows its attempts; the worker''s log says why it stopped.', max(p.operation_id)
      from poison p group by p.kind
    on conflict (code, subject) where closed_at is null
    do update set occurrences = i.occurrences + 1, last_seen_at = now(), operation_id = excluded.operation_id
  ), replaced as (
    update zohosync.operation o
       set status = 'superseded', claim_id = null, queued = false, finished_at = clock_timestamp()
     where o.operation_id = any (wanted) and o.status = 'running' and o.deaths_alone < 3
       and exists (select from zohosync.operation n
                    where n.kind = o.kind and n.entity = o.entity and n.record_id = o.record_id
                      and n.status in ('pending', 'retrying', 'waiting'))
    returning o.message_id
  )
  select array_agg(e.message_id) into finished
    from (select message_id from poison union all select message_id from replaced) e;
  if finished is not null then
    perform pgmq.delete(queue, finished);
  end if;
end
$function$;

-- Pushes the visibility of a claim's messages forward; returns how many operations the claim still holds.
create function zohosync.extend_claim(claim uuid, visibility integer) returns integer
language plpgsql as $function$
declare
  held integer;
begin
  perform pgmq.set_vt('zohosync_' || o.lane, o.message_id, visibility)
     from zohosync.operation o where o.claim_id = claim and o.status = 'running';
  get diagnostics held = row_count;
  return held;
end
$function$;

-- What a worker reports of one attempt. `spent`: it counts against the budget; `progress`: it renewed it; `delay`:
-- seconds until an open operation is due again.
create type zohosync.attempt_report as (
  operation_id bigint, outcome text, spent boolean, progress boolean, delay double precision,
  wait_reason zohosync.wait_reason, error_code text, error_message text, error_hint text, error_field text,
  http_status integer, vendor_code text, warnings jsonb, zoho_module text, zoho_id text, action text, label text,
  digest text, request jsonb, response jsonb);

-- Ends attempts; `reports` is an array of objects with the fields of attempt_report. Operations the claim no longer
-- holds are left alone; the ids of those it did hold are returned. `longest_hidden` is the longest delay a message is
-- kept for; beyond it the clock sends a new one, because reading past hidden messages is not free.
create function zohosync.finish(claim uuid, worker_name text, reports jsonb, longest_hidden double precision default 60)
returns setof bigint
language plpgsql as $function$
declare
  held bigint[];
  finished bigint[];
  queue text;
  report zohosync.attempt_report;
begin
  select array_agg(t.operation_id), 'zohosync_' || min(t.lane) into held, queue from (
    select o.operation_id, o.lane from zohosync.operation o
     where o.claim_id = claim and o.status = 'running'
       and o.operation_id in (select (x ->> 'operation_id')::bigint from jsonb_array_elements(reports) x)
     order by o.operation_id for update) t;
  if held is null then
    return;
  end if;

  with r as materialized (
    select * from jsonb_populate_recordset(null::zohosync.attempt_report, reports) x where x.operation_id = any (held)
  ), ended as (
    update zohosync.operation o
       set status = r.outcome::zohosync.operation_status, claim_id = null, queued = false,
           finished_at = clock_timestamp(),
           attempt = case when r.progress then 0 else o.attempt end + coalesce(r.spent, true)::integer,
           error_code = r.error_code, error_message = r.error_message, error_hint = r.error_hint,
           error_field = r.error_field, warnings = coalesce(r.warnings, '[]'), zoho_module = r.zoho_module,
           zoho_id = r.zoho_id, action = r.action, label = coalesce(r.label, o.label), waiting_since = null
      from r
     where o.operation_id = r.operation_id and r.outcome in ('succeeded', 'skipped', 'superseded', 'failed')
    returning o.operation_id, o.kind, o.entity, o.record_id, o.message_id, o.status
  ), told as (
    insert into zohosync.attempt (operation_id, number, claim_id, worker, started_at, ended_at, outcome, error_code,
                                  error_message, error_hint, http_status, vendor_code, request, response)
    select o.operation_id, o.attempt + 1, claim, worker_name, o.started_at, clock_timestamp(), r.outcome, r.error_code,
           r.error_message, r.error_hint, r.http_status, r.vendor_code, r.request, r.response
      from r join zohosync.operation o on o.operation_id = r.operation_id
  ), seen as (
    insert into zohosync.observation as s (kind, entity, record_id, digest)
    select o.kind, o.entity, o.record_id, r.digest
      from r join zohosync.operation o on o.operation_id = r.operation_id
     where r.digest is not null
    on conflict (kind, entity, record_id) do update set digest = excluded.digest, seen_at = now()
  ), cured as (
    update zohosync.operation f set resolved_at = now()
      from ended e
     where f.kind = e.kind and f.entity = e.entity and f.record_id = e.record_id
       and f.status = 'failed' and f.resolved_at is null and e.status in ('succeeded', 'skipped')
  )
  select array_agg(e.message_id) into finished from ended e;
  if finished is not null then
    perform pgmq.delete(queue, finished);
  end if;

  for report in
    select x.* from jsonb_populate_recordset(null::zohosync.attempt_report, reports) x
      join zohosync.operation o on o.operation_id = x.operation_id
     where x.operation_id = any (held) and x.outcome in ('retrying', 'waiting', 'released')
     order by o.kind, o.entity, o.record_id  -- the order of enqueue, so that the two never deadlock
  loop
    perform zohosync.reopen(queue, report, longest_hidden);
  end loop;

  -- A newer operation of the same record was hidden while this one ran; it is free now.
  perform pgmq.set_vt('zohosync_' || n.lane, n.message_id, 0)
     from zohosync.operation o
     join zohosync.operation n on n.kind = o.kind and n.entity = o.entity and n.record_id = o.record_id
      and n.status in ('pending', 'retrying', 'waiting')
    where o.operation_id = any (held) and n.operation_id <> o.operation_id and n.queued and n.message_id is not null;
  perform pg_notify('zohosync_live', '');
  return query select unnest(held);
end
$function$;

-- Leaves a running operation open for later, or ends it as superseded when its record has a newer one.
create function zohosync.reopen(queue text, report zohosync.attempt_report, longest_hidden double precision)
returns void
language plpgsql as $function$
declare
  later double precision := case when report.outcome = 'released' then 0 else coalesce(report.delay, 0) end;
  known_message bigint;
begin
  begin
    update zohosync.operation o
       set status = case report.outcome when 'released' then 'pending' else report.outcome end::zohosync.operation_status,
           claim_id = null,
           attempt = case when report.progress then 0 else o.attempt end + coalesce(report.spent, false)::integer,
           queued = later <= longest_hidden,
           -- An attempt that came to its end shows that the record does not stop its worker.
           deaths = case when report.outcome = 'released' then o.deaths else 0 end,
           deaths_alone = case when report.outcome = 'released' then o.deaths_alone else 0 end,
           wait_reason = report.wait_reason,
           waiting_since = case when report.outcome = 'waiting' then coalesce(o.waiting_since, clock_timestamp())
                                when report.outcome = 'released' then o.waiting_since end,
           next_attempt_at = case when report.outcome <> 'released'
                                  then clock_timestamp() + make_interval(secs => later) end,
           error_code = report.error_code, error_message = report.error_message, error_hint = report.error_hint,
           error_field = report.error_field, warnings = coalesce(report.warnings, '[]'),
           label = coalesce(report.label, o.label), zoho_module = coalesce(report.zoho_module, o.zoho_module),
           zoho_id = coalesce(report.zoho_id, o.zoho_id)
     where o.operation_id = report.operation_id
    returning o.message_id into known_message;
  exception when unique_violation then
    update zohosync.operation o
       set status = 'superseded', claim_id = null, queued = false, finished_at = clock_timestamp(),
           error_code = report.error_code, error_message = report.error_message, error_hint = report.error_hint
     where o.operation_id = report.operation_id
    returning o.message_id into known_message;
    perform pgmq.delete(queue, known_message);
    return;
  end;
  if later <= longest_hidden then
    perform pgmq.set_vt(queue, known_message, ceil(later)::integer);
  else
    perform pgmq.delete(queue, known_message);
    update zohosync.operation set message_id = null where operation_id = report.operation_id;
  end if;
end
$function$;

-- Sends messages for operations whose long wait is over; returns how many.
create function zohosync.resend_due(most integer default 1000) returns integer
language plpgsql as $function$
declare
  lane_messages record;
  sent integer := 0;
begin
  for lane_messages in
    with due as (
      select o.operation_id from zohosync.operation o
       where o.status in ('retrying', 'waiting') and not o.queued and o.next_attempt_at <= clock_timestamp()
       order by o.next_attempt_at limit most for update skip locked
    ), woken as (
      update zohosync.operation o set queued = true, message_id = null
       where o.operation_id in (select operation_id from due) returning o.operation_id, o.lane
    )
    select w.lane, array_agg(jsonb_build_object('operation', w.operation_id) order by w.operation_id) as messages
      from woken w group by w.lane
  loop
    perform pgmq.send_batch('zohosync_' || lane_messages.lane, lane_messages.messages);
    sent := sent + cardinality(lane_messages.messages);
  end loop;
  if sent > 0 then
    perform pg_notify('zohosync_work', '');
  end if;
  return sent;
end
$function$;

-- Makes operations that wait for `reason` due now: the login came back, the budget was refilled.
create function zohosync.wake(reason zohosync.wait_reason) returns integer
language plpgsql as $function$
declare
  woken integer;
begin
  update zohosync.operation set next_attempt_at = clock_timestamp()
   where operation_id in (
     select operation_id from zohosync.operation
      where status = 'waiting' and wait_reason = reason and not queued
      order by kind, entity, record_id for update skip locked);  -- the order of enqueue; it never waits
  get diagnostics woken = row_count;
  perform pgmq.set_vt('zohosync_' || o.lane, o.message_id, 0)
     from zohosync.operation o
    where o.status = 'waiting' and o.wait_reason = reason and o.queued and o.message_id is not null;
  perform zohosync.resend_due();
  return woken;
end
$function$;

-- Cancels an operation that is not running; true when it was open.
create function zohosync.cancel(wanted bigint) returns boolean
language plpgsql as $function$
declare
  ended record;
begin
  update zohosync.operation o
     set status = 'cancelled', queued = false, finished_at = now(), wait_reason = null, next_attempt_at = null
   where o.operation_id = wanted and o.status in ('pending', 'retrying', 'waiting')
  returning o.lane, o.message_id into ended;
  if ended is null then
    return false;
  end if;
  if ended.message_id is not null then
    perform pgmq.delete('zohosync_' || ended.lane, ended.message_id);
  end if;
  perform pg_notify('zohosync_live', '');
  return true;
end
$function$;

-- Of which entities the state at go-live was taken, for which kind of work. A kind that a later release brings has none
-- until it is taken: until then the scan must not touch it, or it would sync the shop's whole past.
create table zohosync.baseline (
  kind     text not null,
  entity   text not null,
  taken_at timestamptz not null default now(),
  primary key (kind, entity)
);

-- The state of every shop record when capture starts: what is older than go-live is never synced by itself.
create function zohosync.take_baseline(of_kind text, of_entity text) returns bigint
language plpgsql as $function$
declare
  taken bigint;
begin
  insert into zohosync.baseline (kind, entity) values (of_kind, of_entity) on conflict do nothing;
  if not found then
    return 0;
  end if;
  insert into zohosync.observation (kind, entity, record_id, digest)
  select of_kind, of_entity, s.record_id, s.digest from zohosync.shop_scan(of_entity) s
  on conflict (kind, entity, record_id) do nothing;
  get diagnostics taken = row_count;
  return taken;
end
$function$;

-- Enqueues records that look different from when they were last read and that no open operation covers.
create function zohosync.catch_up(of_kind text, of_lane zohosync.lane, of_entity text, most integer default 5000)
returns integer
language plpgsql as $function$
declare
  missed text[];
begin
  if not exists (select from zohosync.installation where capturing)
     or not exists (select from zohosync.baseline b where b.kind = of_kind and b.entity = of_entity) then
    return 0;
  end if;
  select array_agg(m.record_id) into missed from (
    select s.record_id from zohosync.shop_scan(of_entity) s
      left join zohosync.observation v on v.kind = of_kind and v.entity = of_entity and v.record_id = s.record_id
     where v.digest is distinct from s.digest
       and not exists (select from zohosync.operation o
                        where o.kind = of_kind and o.entity = of_entity and o.record_id = s.record_id
                          and o.status in ('pending', 'running', 'retrying', 'waiting'))
       -- What a person cancelled, or what stops workers, stays as it is until it changes by itself or somebody asks.
       and not exists (select from zohosync.operation o
                        where o.kind = of_kind and o.entity = of_entity and o.record_id = s.record_id
                          and (o.status = 'cancelled' or o.error_code = 'poison' and o.resolved_at is null)
                          and not exists (select from zohosync.operation n
                                           where n.kind = o.kind and n.entity = o.entity
                                             and n.record_id = o.record_id and n.operation_id > o.operation_id))
     limit most) m;
  if missed is null then
    return 0;
  end if;
  perform zohosync.enqueue(array_fill(of_kind, array[cardinality(missed)]), array_fill(of_lane, array[cardinality(missed)]),
                           array_fill(of_entity, array[cardinality(missed)]), missed, 'reconcile');
  return cardinality(missed);
end
$function$;

-- Ids of Zoho the shop's row was locked for; the clock writes them later.
create table zohosync.write_back (
  entity    text not null,
  system    text not null check (system in ('crm', 'books')),
  record_id text not null,
  zoho_id   text not null,
  since     timestamptz not null default now(),
  tries     integer not null default 0,
  primary key (entity, system, record_id)
);

-- Which customer is already the Contact with an e-mail address.
create index link_by_email on zohosync.link (lower(payload ->> 'Email')) where system = 'crm' and module = 'Contacts';
$migration$;
    insert into zohosync.schema_migration (version, name) values (3, '0003_queue');
  end if;
end $once$;

do $once$ begin
  if not exists (select from zohosync.schema_migration where version = 4) then
    execute $migration$-- What the console reads, and what it remembers of those who use it.

-- One press of a button is one act, however often it arrives.
alter table zohosync.audit add column press uuid, add column operation_id bigint;
comment on column zohosync.audit.press is 'Drawn when the button was shown; a double click brings the same one again.';
create unique index audit_one_press on zohosync.audit (press);
create index audit_by_record on zohosync.audit (entity, record_id, audit_id desc);

-- The log's filters, each newest first. Those by status and cause are partial, one for each choice: row level security
-- hides the statistics of enums from the worker's role (their operators are not leakproof), so the planner would guess
-- half the table for any of them, and read the log from its newest row until it has found enough.
create index operation_open_newest on zohosync.operation (operation_id desc)
  where status in ('pending', 'running', 'retrying', 'waiting');
create index operation_success_newest on zohosync.operation (operation_id desc)
  where status in ('succeeded', 'skipped', 'superseded');
create index operation_failed_newest on zohosync.operation (operation_id desc)
  where status = 'failed' and resolved_at is null;
create index operation_manual_newest on zohosync.operation (operation_id desc) where cause = 'manual';
create index operation_webhook_newest on zohosync.operation (operation_id desc) where cause = 'webhook';
create index operation_sweep_newest on zohosync.operation (operation_id desc) where cause = 'sweep';
create index operation_reconcile_newest on zohosync.operation (operation_id desc) where cause = 'reconcile';
create index operation_dependency_newest on zohosync.operation (operation_id desc) where cause = 'dependency';
create index operation_by_kind on zohosync.operation (kind, operation_id desc);
create index operation_by_zoho_id on zohosync.operation (zoho_id, operation_id desc) where zoho_id is not null;
create index operation_by_error on zohosync.operation (error_code, operation_id desc) where error_code is not null;
$migration$;
    insert into zohosync.schema_migration (version, name) values (4, '0004_console');
  end if;
end $once$;

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

insert into zohosync.installation (database_identity, adapter) values ((select c.system_identifier::text || '/' || d.oid::text from pg_control_system() c, pg_database d where d.datname = current_database()), 'kn')
on conflict (singleton) do update set adapter = excluded.adapter;

do $role$ begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'zohosync_worker') then
    create role zohosync_worker login;  -- without a password nobody can sign in; install sets one
  end if;
exception when insufficient_privilege then
  raise exception 'zohosync: this role may not create roles; have an administrator run: create role zohosync_worker login'
    using errcode = 'insufficient_privilege';
end $role$;

-- Rights of the worker's role (zohosync_worker): our schema and our queues, nothing else. Row level security keeps
-- every other role out even if a grant is given by mistake.

revoke all on schema zohosync from public;
revoke all on all functions in schema zohosync from public;
grant usage on schema zohosync, pgmq to zohosync_worker;
grant select, insert, update, delete on all tables in schema zohosync to zohosync_worker;
grant execute on all functions in schema zohosync to zohosync_worker;

do $grants$
declare
  item record;
begin
  for item in select c.oid::regclass as name, c.oid from pg_catalog.pg_class c
               where c.relnamespace = 'zohosync'::regnamespace and c.relkind = 'r' loop
    execute format('alter table %s enable row level security', item.name);
    if not exists (select from pg_catalog.pg_policy p where p.polrelid = item.oid and p.polname = 'worker') then
      execute format('create policy worker on %s to %I using (true) with check (true)', item.name, 'zohosync_worker');
    end if;
  end loop;
  for item in select format('pgmq.%I', prefix || queue_name) as name
                from pgmq.meta, unnest(array['q_', 'a_']) as prefix where queue_name like 'zohosync\_%' loop
    execute format('grant select, insert, update, delete on %s to %I', item.name, 'zohosync_worker');
  end loop;
end
$grants$;
