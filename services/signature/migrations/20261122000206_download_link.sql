-- Links in e-mails: only the digest of the token is kept.
CREATE TABLE download_link (
    token_sha256  bytea PRIMARY KEY CHECK (octet_length(token_sha256) = 32),
    request_id    uuid NOT NULL REFERENCES legalisation_request (id),
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    CHECK (expires_at > created_at)
);

CREATE INDEX download_link_expiry ON download_link (expires_at);
