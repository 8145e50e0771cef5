CREATE TABLE confirmation (
    confirmation_id uuid PRIMARY KEY,
    version         bigint NOT NULL CHECK (version >= 1),
    person_id       uuid NOT NULL REFERENCES person,
    session_id      uuid NOT NULL,
    purpose         text NOT NULL CHECK (purpose IN ('legalise', 'seal')),
    -- Ascending and distinct, 32 bytes each.
    hashes          bytea[] NOT NULL CHECK (cardinality(hashes) BETWEEN 1 AND 200),
    state           text NOT NULL CHECK (state IN ('open', 'confirmed', 'redeemed', 'barred', 'expired')),
    attempts_left   smallint NOT NULL CHECK (attempts_left >= 0),
    expires_at      timestamptz NOT NULL,
    method          text CHECK (method IN ('totp')),
    confirmed_at    timestamptz,
    record          text,
    redeemed_by     text,
    redeemed_at     timestamptz,
    CONSTRAINT confirmation_given CHECK (
        (state = 'expired' OR (state IN ('confirmed', 'redeemed')) = (confirmed_at IS NOT NULL))
        AND (confirmed_at IS NULL) = (method IS NULL) AND (confirmed_at IS NULL) = (record IS NULL)
    ),
    CONSTRAINT confirmation_redeemed CHECK (
        (state = 'redeemed') = (redeemed_at IS NOT NULL) AND (redeemed_at IS NULL) = (redeemed_by IS NULL)
    ),
    CONSTRAINT confirmation_barred CHECK ((state = 'barred') = (attempts_left = 0))
);
CREATE INDEX confirmation_expires_at ON confirmation (expires_at) WHERE state <> 'redeemed';

-- What was given is not rewritten, what was redeemed or barred is over, and what was redeemed is evidence.
CREATE FUNCTION confirmation_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.state = 'redeemed' THEN
            RAISE EXCEPTION 'a redeemed confirmation is kept' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'confirmation_stands';
        END IF;
        RETURN OLD;
    END IF;
    IF OLD.state IN ('redeemed', 'barred', 'expired')
        OR (NEW.confirmation_id, NEW.person_id, NEW.session_id, NEW.purpose, NEW.hashes, NEW.expires_at)
            IS DISTINCT FROM (OLD.confirmation_id, OLD.person_id, OLD.session_id, OLD.purpose, OLD.hashes, OLD.expires_at)
        OR (OLD.confirmed_at IS NOT NULL
            AND (NEW.method, NEW.confirmed_at, NEW.record) IS DISTINCT FROM (OLD.method, OLD.confirmed_at, OLD.record))
        OR (OLD.state = 'confirmed' AND NEW.state NOT IN ('redeemed', 'expired'))
        OR NEW.attempts_left > OLD.attempts_left
    THEN
        RAISE EXCEPTION 'a confirmation is not rewritten' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'confirmation_stands';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER confirmation_stands BEFORE UPDATE OR DELETE ON confirmation
    FOR EACH ROW EXECUTE FUNCTION confirmation_stands();
