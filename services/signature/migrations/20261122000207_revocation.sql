-- Lists (CRL) and answers (OCSP), signed by the issuer, that prove a revocation.
CREATE TABLE revocation_evidence (
    sha256  bytea PRIMARY KEY CHECK (octet_length(sha256) = 32),
    kind    text NOT NULL CHECK (kind IN ('CRL', 'OCSP')),
    -- DER.
    data    bytea NOT NULL CHECK (octet_length(data) BETWEEN 1 AND 8388608)
);

-- Certificates known as revoked for good. Rows are only added: an authority may leave an expired certificate out of later
-- lists, and what was sealed with it stays as revoked as it was.
CREATE TABLE revoked_certificate (
    certificate_sha256  bytea PRIMARY KEY CHECK (octet_length(certificate_sha256) = 32),
    revoked_at          timestamptz NOT NULL,
    evidence_sha256     bytea NOT NULL REFERENCES revocation_evidence (sha256),
    learnt_at           timestamptz NOT NULL
);
