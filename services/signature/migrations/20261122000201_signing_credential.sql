-- One key, one holder: an officer, or an institution by its office. By what the certificates certify (SHA-256 of the SubjectPublicKeyInfo), and by where the private key
-- is. Rows are only added.
CREATE TABLE public_key_holder (
    public_key_sha256  bytea PRIMARY KEY CHECK (octet_length(public_key_sha256) = 32),
    holder_id         uuid NOT NULL,
    UNIQUE (public_key_sha256, holder_id)
);

CREATE TABLE token_key_holder (
    token_label  text NOT NULL CHECK (char_length(token_label) BETWEEN 1 AND 32),
    key_label    text NOT NULL CHECK (char_length(key_label) BETWEEN 1 AND 64),
    holder_id   uuid NOT NULL,
    PRIMARY KEY (token_label, key_label),
    UNIQUE (token_label, key_label, holder_id)
);

-- Where a key is, and its certificate. A renewed certificate is a new row; rows are never changed.
CREATE TABLE signing_credential (
    id             uuid PRIMARY KEY,
    office_id      uuid NOT NULL,
    kind           text NOT NULL DEFAULT 'OFFICER' CHECK (kind IN ('OFFICER', 'ELECTRONIC_SEAL')),
    -- The officer; of an electronic seal the office of the institution.
    holder_id      uuid NOT NULL,
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
    CHECK (kind = 'OFFICER' OR holder_id = office_id),
    UNIQUE (id, kind),
    UNIQUE (office_id, holder_id, certificate),
    FOREIGN KEY (public_key_sha256, holder_id) REFERENCES public_key_holder (public_key_sha256, holder_id),
    FOREIGN KEY (token_label, key_label, holder_id) REFERENCES token_key_holder (token_label, key_label, holder_id)
);

CREATE INDEX signing_credential_officer ON signing_credential (holder_id, office_id, not_after DESC);
CREATE INDEX signing_credential_electronic_seal ON signing_credential (not_after DESC) WHERE kind = 'ELECTRONIC_SEAL';

-- The decision behind an electronic seal: what it may seal, where and when. Rows are only added.
CREATE TABLE electronic_seal (
    credential_id       uuid PRIMARY KEY,
    kind                text NOT NULL DEFAULT 'ELECTRONIC_SEAL' CHECK (kind = 'ELECTRONIC_SEAL'),
    decision_reference  text NOT NULL CHECK (char_length(decision_reference) BETWEEN 1 AND 100),
    decision_date       date NOT NULL,
    authority_name      text NOT NULL CHECK (char_length(authority_name) BETWEEN 1 AND 200),
    document_kinds      text[] NOT NULL CHECK (cardinality(document_kinds) BETWEEN 1 AND 50),
    -- None: the credential's office and all below it.
    office_ids          uuid[] NOT NULL CHECK (cardinality(office_ids) <= 200),
    -- Civil dates in Africa/Casablanca, both included.
    valid_from          date NOT NULL,
    valid_to            date NOT NULL,
    CHECK (decision_date <= valid_from AND valid_from <= valid_to),
    FOREIGN KEY (credential_id, kind) REFERENCES signing_credential (id, kind)
);
