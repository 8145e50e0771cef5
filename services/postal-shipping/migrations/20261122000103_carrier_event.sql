-- What the carrier said, as it said it, once each.
CREATE TABLE carrier_event (
    id                 uuid PRIMARY KEY,
    shipment_id        uuid NOT NULL REFERENCES shipment,
    digest             bytea NOT NULL CHECK (octet_length(digest) = 32),
    code               text NOT NULL,
    event_time         timestamptz NOT NULL,
    place              text,
    reason_code        text,
    action_code        text,
    held_until         date,
    recipient_name     text,
    document_kind      text CHECK (document_kind IN ('CIN', 'PASSPORT', 'RESIDENCE_CARD')),
    -- As it was written, where it is none of these.
    document_kind_unknown text,
    document_last_four text,
    source             text NOT NULL CHECK (source IN ('webhook', 'csv', 'scan')),
    received_at        timestamptz NOT NULL,
    UNIQUE (shipment_id, code, event_time, digest)
);

-- Events for numbers that are not ours: kept apart, without what they say of people.
CREATE TABLE unknown_item_event (
    digest      bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    tracking_id text NOT NULL,
    code        text NOT NULL,
    event_time  timestamptz NOT NULL,
    source      text NOT NULL CHECK (source IN ('webhook', 'csv', 'scan')),
    received_at timestamptz NOT NULL
);

CREATE INDEX unknown_item_event_age ON unknown_item_event (received_at);

-- Messages of the carrier that were taken, and what they were answered.
CREATE TABLE carrier_message (
    id          text NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('webhook', 'csv')),
    body_sha256 bytea NOT NULL CHECK (octet_length(body_sha256) = 32),
    received_at timestamptz NOT NULL,
    -- NULL while it is being taken.
    answer      bytea,
    PRIMARY KEY (kind, id)
);

CREATE INDEX carrier_message_age ON carrier_message (received_at);
