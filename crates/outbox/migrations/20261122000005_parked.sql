-- Records held back: the first of an aggregate could not be applied, later ones of the same aggregate wait behind it.
CREATE TABLE parked (
    id           bigint GENERATED ALWAYS AS IDENTITY (CACHE 1) PRIMARY KEY,
    consumer     text NOT NULL,
    event_id     uuid NOT NULL,
    event_type   text NOT NULL,
    topic        text NOT NULL,
    aggregate_id uuid NOT NULL,
    sequence     bigint NOT NULL,
    payload      bytea NOT NULL,
    traceparent  text,
    occurred_at  timestamptz NOT NULL,
    -- NULL on a record that only waits behind another.
    error        text,
    attempts     integer NOT NULL,
    -- Set on the first record of an aggregate by an operator; the consumer then replays, in order, all that wait.
    released     boolean NOT NULL DEFAULT false,
    parked_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (consumer, event_id)
);

CREATE INDEX parked_aggregate ON parked (consumer, aggregate_id, id);
CREATE INDEX parked_released ON parked (consumer, id) WHERE released;
