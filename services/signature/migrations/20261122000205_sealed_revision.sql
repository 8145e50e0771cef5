-- A sealed file as issued. Rows are only added, never changed: the file is stored before the row that names it.
CREATE TABLE sealed_revision (
    intent_id   uuid NOT NULL REFERENCES seal_intent (id),
    kind        text NOT NULL CHECK (kind IN ('DOCUMENT', 'LEGALISATION_PAGE')),
    revision    integer NOT NULL CHECK (revision > 0),
    request_id  uuid NOT NULL REFERENCES legalisation_request (id),
    object_key  text NOT NULL UNIQUE,
    size_bytes  bigint NOT NULL CHECK (size_bytes > 0),
    sha256      bytea NOT NULL UNIQUE CHECK (octet_length(sha256) = 32),
    -- HMAC-SHA-256 of sha256 under the intent's salt.
    commitment  bytea NOT NULL CHECK (octet_length(commitment) = 32),
    level       text NOT NULL CHECK (level IN ('B-T', 'B-LT', 'B-LTA')),
    sealed_at   timestamptz NOT NULL,
    PRIMARY KEY (intent_id, kind, revision)
);

CREATE INDEX sealed_revision_request ON sealed_revision (request_id);
