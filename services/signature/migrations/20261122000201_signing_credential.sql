-- One key, one officer. By what the certificates certify (SHA-256 of the SubjectPublicKeyInfo), and by where the private key
-- is. Rows are only added.
CREATE TABLE public_key_holder (
    public_key_sha256  bytea PRIMARY KEY CHECK (octet_length(public_key_sha256) = 32),
    officer_id         uuid NOT NULL,
    UNIQUE (public_key_sha256, officer_id)
);

CREATE TABLE token_key_holder (
    token_label  text NOT NULL CHECK (char_length(token_label) BETWEEN 1 AND 32),
    key_label    text NOT NULL CHECK (char_length(key_label) BETWEEN 1 AND 64),
    officer_id   uuid NOT NULL,
    PRIMARY KEY (token_label, key_label),
    UNIQUE (token_label, key_label, officer_id)
);

-- Where an officer's key is, and its certificate. A renewed certificate is a new row; rows are never changed.
CREATE TABLE signing_credential (
    id             uuid PRIMARY KEY,
    office_id      uuid NOT NULL,
    officer_id     uuid NOT NULL,
    backend        text NOT NULL CHECK (backend = 'pkcs11'),
    token_label    text NOT NULL,
    key_label      text NOT NULL,
    algorithm      text NOT NULL CHECK (algorithm IN ('RSA_SHA256', 'ECDSA_P256_SHA256', 'ECDSA_P384_SHA256')),
    -- DER; the issuers in order, without the root.
    certificate    bytea NOT NULL,
    issuers        bytea[] NOT NULL,
    -- Of the certificate's SubjectPublicKeyInfo.
    public_key_sha256  bytea NOT NULL,
    not_before     timestamptz NOT NULL,
    not_after      timestamptz NOT NULL,
    registered_by  uuid NOT NULL,
    registered_at  timestamptz NOT NULL,
    CHECK (not_before < not_after),
    UNIQUE (office_id, officer_id, certificate),
    FOREIGN KEY (public_key_sha256, officer_id) REFERENCES public_key_holder (public_key_sha256, officer_id),
    FOREIGN KEY (token_label, key_label, officer_id) REFERENCES token_key_holder (token_label, key_label, officer_id)
);

CREATE INDEX signing_credential_officer ON signing_credential (officer_id, office_id, not_after DESC);
