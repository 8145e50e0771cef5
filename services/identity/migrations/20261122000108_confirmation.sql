CREATE TABLE confirmation (
    confirmation_id uuid PRIMARY KEY,
    version         bigint NOT NULL CHECK (version >= 1),
    person_id       uuid NOT NULL REFERENCES person,
    session_id      uuid NOT NULL,
    purpose         text NOT NULL CHECK (purpose IN ('legalise', 'seal')),
    -- Ascending and distinct, 32 bytes each.
    hashes          bytea[] NOT NULL CHECK (cardinality(hashes) BETWEEN 1 AND 200),
    state           text NOT NULL CHECK (state IN ('open', 'confirmed', 'redeemed', 'barred')),
    attempts_left   smallint NOT NULL CHECK (attempts_left >= 0),
    expires_at      timestamptz NOT NULL,
    method          text CHECK (method IN ('totp')),
    confirmed_at    timestamptz,
    record          text,
    redeemed_by     text,
    redeemed_at     timestamptz,
    CONSTRAINT confirmation_given CHECK (
        (state IN ('confirmed', 'redeemed')) = (confirmed_at IS NOT NULL)
        AND (confirmed_at IS NULL) = (method IS NULL) AND (confirmed_at IS NULL) = (record IS NULL)
    ),
    CONSTRAINT confirmation_redeemed CHECK (
        (state = 'redeemed') = (redeemed_at IS NOT NULL) AND (redeemed_at IS NULL) = (redeemed_by IS NULL)
    ),
    CONSTRAINT confirmation_barred CHECK ((state = 'barred') = (attempts_left = 0))
);
CREATE INDEX confirmation_expires_at ON confirmation (expires_at);
