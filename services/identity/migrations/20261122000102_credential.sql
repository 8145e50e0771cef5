-- Authenticators (RFC 6238). One that is being enrolled stands beside the one in use until it takes its place.
CREATE TABLE totp (
    person_id     uuid NOT NULL REFERENCES person,
    state         text NOT NULL CHECK (state IN ('pending', 'active')),
    secret_sealed bytea NOT NULL,
    -- The highest step whose code was used: a code works once, wherever it was used.
    last_step     bigint,
    expires_at    timestamptz,
    created_at    timestamptz NOT NULL,
    PRIMARY KEY (person_id, state),
    CONSTRAINT totp_pending_expires CHECK ((state = 'pending') = (expires_at IS NOT NULL))
);

CREATE TABLE recovery_code (
    person_id uuid NOT NULL REFERENCES person,
    code_hash bytea NOT NULL CHECK (octet_length(code_hash) = 32),
    used_at   timestamptz,
    PRIMARY KEY (person_id, code_hash)
);

CREATE TABLE one_time_code (
    code_id       uuid PRIMARY KEY,
    purpose       text NOT NULL CHECK (purpose IN ('sign_up_email', 'sign_up_phone', 'contact_change', 'password_reset',
                                                 'contact_session_email', 'contact_session_phone')),
    subject_id    uuid NOT NULL,
    code_hash     bytea NOT NULL CHECK (octet_length(code_hash) = 32),
    attempts_left smallint NOT NULL CHECK (attempts_left >= 0),
    expires_at    timestamptz NOT NULL,
    used          boolean NOT NULL DEFAULT false,
    -- A fresh code takes the place of the one before.
    CONSTRAINT one_time_code_subject_key UNIQUE (subject_id, purpose)
);
CREATE INDEX one_time_code_expires_at ON one_time_code (expires_at);
