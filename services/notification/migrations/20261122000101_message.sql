-- Messages to people: what is to be said, not to whom or in which words. Addresses, names, codes and texts are asked for at
-- sending time and are never stored.
CREATE TABLE message (
    message_id      uuid PRIMARY KEY,
    cause_event_id  uuid NOT NULL,
    -- What it is about: a delivery of identity or a legalisation request.
    aggregate_id    uuid NOT NULL,
    template        text NOT NULL,
    -- Which others it waits for.
    lane            text NOT NULL CHECK (lane IN ('code', 'sealed', 'other')),
    channel         text NOT NULL CHECK (channel IN ('email', 'text')),
    state           text NOT NULL CHECK (state IN ('queued', 'sent', 'failed', 'dropped')),
    attempts        integer NOT NULL CHECK (attempts >= 0),
    -- While an attempt is under way: when another process may take it over.
    next_attempt_at timestamptz NOT NULL,
    give_up_at      timestamptz NOT NULL,
    -- Of the latest attempt that did not succeed, or why it ended.
    failure_code    text,
    traceparent     text,
    created_at      timestamptz NOT NULL,
    ended_at        timestamptz,
    UNIQUE (cause_event_id, channel),
    CHECK ((state = 'queued') = (ended_at IS NULL)),
    CHECK (state NOT IN ('failed', 'dropped') OR failure_code IS NOT NULL)
);

CREATE INDEX message_due ON message (lane, next_attempt_at) WHERE state = 'queued';
CREATE INDEX message_aggregate ON message (aggregate_id, message_id);
