-- CACHE 1 is the default of a sequence; it is written down because the relay's order depends on it: a session that
-- reserved ids ahead would hand an older id to a later event of the same aggregate.
CREATE TABLE outbox (
    id           bigint GENERATED ALWAYS AS IDENTITY (CACHE 1) PRIMARY KEY,
    event_id     uuid NOT NULL UNIQUE,
    topic        text NOT NULL CHECK (topic <> ''),
    event_type   text NOT NULL CHECK (event_type <> ''),
    aggregate_id uuid NOT NULL,
    sequence     bigint NOT NULL CHECK (sequence >= 0),
    payload      bytea NOT NULL CHECK (octet_length(payload) <= 524288),
    traceparent  text,
    occurred_at  timestamptz NOT NULL,
    published_at timestamptz,
    -- One event a version of the aggregate.
    UNIQUE (topic, aggregate_id, sequence)
);

CREATE INDEX outbox_unpublished ON outbox (id) WHERE published_at IS NULL;

CREATE FUNCTION outbox_mark_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'outbox row % is already marked as published', OLD.id USING ERRCODE = 'integrity_constraint_violation';
END
$$;

CREATE TRIGGER outbox_mark_is_final BEFORE UPDATE ON outbox
    FOR EACH ROW WHEN (OLD.published_at IS NOT NULL) EXECUTE FUNCTION outbox_mark_is_final();
