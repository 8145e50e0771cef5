-- A confirmation redeemed for one file of an intent. Rows are only added; an authorisation that led to no signature stays as a trace.
CREATE TABLE seal_authorisation (
    intent_id        uuid NOT NULL REFERENCES seal_intent (id),
    kind             text NOT NULL CHECK (kind IN ('DOCUMENT', 'LEGALISATION_PAGE')),
    confirmation_id  uuid NOT NULL,
    method           text NOT NULL,
    confirmed_at     timestamptz NOT NULL,
    jws              text NOT NULL,
    -- What was confirmed.
    digest           bytea NOT NULL CHECK (octet_length(digest) = 32),
    authorised_at    timestamptz NOT NULL,
    PRIMARY KEY (intent_id, kind, confirmation_id)
);

-- The work on one file of an intent, phase by phase.
CREATE TABLE seal_file (
    intent_id        uuid NOT NULL REFERENCES seal_intent (id),
    kind             text NOT NULL CHECK (kind IN ('DOCUMENT', 'LEGALISATION_PAGE')),
    phase            text NOT NULL CHECK (phase IN ('FROZEN', 'PREPARED', 'SIGNED', 'FINISHED')),

    prepared_key     text,
    byte_range       bigint[] CHECK (cardinality(byte_range) = 4),
    digest           bytea CHECK (octet_length(digest) = 32),
    contents_offset  bigint,
    contents_len     bigint,
    prepared_at      timestamptz,

    confirmation_id  uuid,
    signature_value  bytea,
    signed_at        timestamptz,

    finished_at      timestamptz,

    -- Why the last try to finish came to nothing; only UNFINISHABLE lets an officer give a signed file up.
    hindrance        text CHECK (hindrance IN ('TIME_STAMP_MISSING', 'TIME_STAMP_UNTRUSTED', 'REVOCATION_UNKNOWN', 'UNFINISHABLE')),

    -- When a job may next try to go on by itself (from FROZEN or SIGNED); also keeps two replicas from the same file.
    next_attempt_at  timestamptz NOT NULL,
    attempts         integer NOT NULL DEFAULT 0,

    PRIMARY KEY (intent_id, kind),
    FOREIGN KEY (intent_id, kind, confirmation_id) REFERENCES seal_authorisation (intent_id, kind, confirmation_id),
    CONSTRAINT prepared_whole CHECK (num_nulls(prepared_key, byte_range, digest, contents_offset, contents_len, prepared_at)
                                     = CASE phase WHEN 'FROZEN' THEN 6 ELSE 0 END),
    CONSTRAINT signed_whole CHECK (num_nulls(confirmation_id, signature_value, signed_at)
                                   = CASE WHEN phase IN ('SIGNED', 'FINISHED') THEN 0 ELSE 3 END),
    CONSTRAINT hindrance_signed CHECK (hindrance IS NULL OR phase = 'SIGNED'),
    CONSTRAINT finished_whole CHECK ((finished_at IS NOT NULL) = (phase = 'FINISHED'))
);

CREATE INDEX seal_file_due ON seal_file (next_attempt_at) WHERE phase IN ('FROZEN', 'SIGNED');
