-- An uploaded file. Nothing but its hash and the reason is kept of a refused one.
CREATE TABLE document (
    id                  uuid PRIMARY KEY,
    owner_id            uuid NOT NULL,
    file_name           text NOT NULL CHECK (char_length(file_name) BETWEEN 1 AND 255),
    size_bytes          bigint NOT NULL CHECK (size_bytes BETWEEN 0 AND 20971520),
    sha256              bytea NOT NULL CHECK (octet_length(sha256) = 32),
    state               text NOT NULL CHECK (state IN ('ACCEPTED', 'REFUSED')),
    object_key          text UNIQUE,
    -- Pages, existing signatures and what they allow, as intake found them.
    intake              jsonb,
    refusal_reason      text,
    refusal_object      bigint,
    refusal_detail      text,
    created_at          timestamptz NOT NULL,
    CHECK ((state = 'ACCEPTED') = (object_key IS NOT NULL)),
    CHECK ((state = 'ACCEPTED') = (intake IS NOT NULL)),
    CHECK ((state = 'REFUSED') = (refusal_reason IS NOT NULL)),
    CHECK ((refusal_reason IS NULL) = (refusal_detail IS NULL)),
    CHECK (refusal_object IS NULL OR refusal_reason IS NOT NULL)
);

CREATE INDEX document_owner ON document (owner_id, id);
