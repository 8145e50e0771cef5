-- Where an officer's key is, and its certificate. A renewed certificate is a new row; rows are never changed.
CREATE TABLE signing_credential (
    id             uuid PRIMARY KEY,
    office_id      uuid NOT NULL,
    officer_id     uuid NOT NULL,
    backend        text NOT NULL CHECK (backend = 'pkcs11'),
    token_label    text NOT NULL CHECK (char_length(token_label) BETWEEN 1 AND 32),
    key_label      text NOT NULL CHECK (char_length(key_label) BETWEEN 1 AND 64),
    algorithm      text NOT NULL CHECK (algorithm IN ('RSA_SHA256', 'ECDSA_P256_SHA256', 'ECDSA_P384_SHA256')),
    -- DER; the issuers in order, without the root.
    certificate    bytea NOT NULL,
    issuers        bytea[] NOT NULL,
    not_before     timestamptz NOT NULL,
    not_after      timestamptz NOT NULL,
    registered_by  uuid NOT NULL,
    registered_at  timestamptz NOT NULL,
    CHECK (not_before < not_after),
    UNIQUE (office_id, officer_id, certificate)
);

CREATE INDEX signing_credential_officer ON signing_credential (officer_id, office_id, not_after DESC);
