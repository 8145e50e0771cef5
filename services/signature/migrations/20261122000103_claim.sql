-- Who works on a request now. A claim lapses by time; no job takes it away.
CREATE TABLE claim (
    request_id  uuid PRIMARY KEY REFERENCES legalisation_request (id),
    person_id   uuid NOT NULL,
    claimed_at  timestamptz NOT NULL,
    lapses_at   timestamptz NOT NULL,
    CHECK (lapses_at > claimed_at)
);

-- The two pictures last laid side by side for an agent; a comparison is about exactly these.
CREATE TABLE shown (
    request_id               uuid NOT NULL REFERENCES legalisation_request (id),
    person_id                uuid NOT NULL,
    region_sha256            bytea NOT NULL CHECK (octet_length(region_sha256) = 32),
    specimen_sha256          bytea NOT NULL CHECK (octet_length(specimen_sha256) = 32),
    specimen_version         integer NOT NULL CHECK (specimen_version > 0),
    specimen_proof_method    text NOT NULL,
    specimen_proof_office_id uuid,
    specimen_proof_at        timestamptz NOT NULL,
    shown_at                 timestamptz NOT NULL,
    PRIMARY KEY (request_id, person_id)
);
