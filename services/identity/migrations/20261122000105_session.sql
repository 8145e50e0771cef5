CREATE TABLE session (
    session_id     uuid PRIMARY KEY,
    -- Of a person, or on surface contact of a contact.
    person_id      uuid NOT NULL,
    surface        text NOT NULL CHECK (surface IN ('citizen', 'staff', 'contact')),
    account_id     uuid REFERENCES person GENERATED ALWAYS AS (CASE WHEN surface <> 'contact' THEN person_id END) STORED,
    contact_id     uuid REFERENCES contact GENERATED ALWAYS AS (CASE WHEN surface = 'contact' THEN person_id END) STORED,
    -- SHA-256 of the secret, which has 256 random bits.
    secret_hash    bytea NOT NULL UNIQUE CHECK (octet_length(secret_hash) = 32),
    created_at     timestamptz NOT NULL,
    last_used_at   timestamptz NOT NULL,
    ended_at       timestamptz,
    client_address text NOT NULL,
    user_agent     text NOT NULL
);
CREATE INDEX session_person ON session (person_id, session_id);
CREATE INDEX session_created_at ON session (created_at);
CREATE INDEX session_live ON session (last_used_at) WHERE ended_at IS NULL;

CREATE TABLE sign_in_challenge (
    challenge_id   uuid PRIMARY KEY,
    secret_hash    bytea NOT NULL UNIQUE CHECK (octet_length(secret_hash) = 32),
    person_id      uuid NOT NULL REFERENCES person,
    surface        text NOT NULL CHECK (surface IN ('citizen', 'staff')),
    attempts_left  smallint NOT NULL CHECK (attempts_left >= 0),
    expires_at     timestamptz NOT NULL,
    used           boolean NOT NULL DEFAULT false,
    client_address text NOT NULL,
    user_agent     text NOT NULL
);
CREATE INDEX sign_in_challenge_expires_at ON sign_in_challenge (expires_at);

-- Lost in a crash without harm: everybody's quota is then full.
CREATE UNLOGGED TABLE quota (
    bucket  text NOT NULL,
    key     bytea NOT NULL CHECK (octet_length(key) = 32),
    arrival timestamptz NOT NULL,
    PRIMARY KEY (bucket, key)
);
CREATE INDEX quota_arrival ON quota (arrival);

CREATE TABLE signing_key (
    key_id         text PRIMARY KEY,
    public_key     bytea NOT NULL CHECK (octet_length(public_key) = 32),
    -- NULL once it is destroyed.
    private_sealed bytea,
    active_from    timestamptz NOT NULL UNIQUE,
    created_at     timestamptz NOT NULL
);

-- A private half is destroyed, never changed or put back.
CREATE FUNCTION signing_key_is_only_destroyed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.private_sealed IS NOT NULL THEN
        RAISE EXCEPTION 'a key is destroyed, not changed' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'signing_key_is_only_destroyed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER signing_key_is_only_destroyed BEFORE UPDATE ON signing_key
    FOR EACH ROW EXECUTE FUNCTION signing_key_is_only_destroyed();
