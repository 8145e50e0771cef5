-- An officer's intent to seal a request: everything that the bytes depend on, frozen.
CREATE TABLE seal_intent (
    id               uuid PRIMARY KEY,
    request_id       uuid NOT NULL REFERENCES legalisation_request (id),
    office_id        uuid NOT NULL,
    officer_id       uuid NOT NULL,
    agent_id         uuid NOT NULL,
    applicant_id     uuid NOT NULL,
    credential_id    uuid NOT NULL REFERENCES signing_credential (id),
    state            text NOT NULL CHECK (state IN ('OPEN', 'SEALED', 'ANNULLED')),
    register_year    integer NOT NULL,
    register_number  integer NOT NULL,
    -- Short code for verification, without hyphens.
    code             text NOT NULL UNIQUE CHECK (code ~ '^[0-9A-HJKMNP-TV-Z]{12}$'),
    -- Key of the commitments on events; kept for the holder.
    salt             bytea NOT NULL CHECK (octet_length(salt) = 32),
    -- The recipe of the document, and of the separate legalisation page where there is one: JSON, kept to the letter.
    recipe           text NOT NULL,
    page_recipe      text,
    created_at       timestamptz NOT NULL,
    FOREIGN KEY (office_id, register_year, register_number) REFERENCES register_entry (office_id, year, number),
    -- Four eyes: applicant, comparing agent and sealing officer are three persons.
    CHECK (officer_id <> agent_id),
    CHECK (officer_id <> applicant_id),
    CHECK (agent_id <> applicant_id)
);

CREATE UNIQUE INDEX seal_intent_standing ON seal_intent (request_id) WHERE state <> 'ANNULLED';
CREATE INDEX seal_intent_open ON seal_intent (office_id, officer_id, id) WHERE state = 'OPEN';

ALTER TABLE register_entry
    ADD CONSTRAINT register_entry_intent FOREIGN KEY (intent_id) REFERENCES seal_intent (id) DEFERRABLE INITIALLY DEFERRED;
