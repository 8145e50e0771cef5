CREATE TABLE specimen (
    specimen_id  uuid PRIMARY KEY,
    person_id    uuid NOT NULL UNIQUE REFERENCES person,
    -- Counts the events of the specimen.
    sequence     bigint NOT NULL CHECK (sequence >= 0),
    last_version integer NOT NULL CHECK (last_version >= 0)
);

-- The method of a proof is data: another one needs no table of its own.
CREATE TABLE specimen_version (
    specimen_id       uuid NOT NULL REFERENCES specimen,
    version           integer NOT NULL CHECK (version >= 1),
    image             bytea NOT NULL CHECK (octet_length(image) BETWEEN 1 AND 524288),
    image_sha256      bytea NOT NULL CHECK (image_sha256 = sha256(image)),
    strokes           jsonb NOT NULL,
    deposited_at      timestamptz NOT NULL,
    proof_method      text,
    proof_office_id   uuid,
    proof_official_id uuid,
    proved_at         timestamptz,
    PRIMARY KEY (specimen_id, version),
    CONSTRAINT specimen_version_proof CHECK ((proof_method IS NULL) = (proved_at IS NULL)),
    CONSTRAINT specimen_version_proof_in_person CHECK (
        proof_method IS DISTINCT FROM 'in_person' OR (proof_office_id IS NOT NULL AND proof_official_id IS NOT NULL)
    )
);

-- A proof is added once and stays.
CREATE FUNCTION specimen_version_proved_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.proved_at IS NOT NULL THEN
        RAISE EXCEPTION 'the specimen has been proved' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'specimen_version_proved_once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER specimen_version_proved_once BEFORE UPDATE ON specimen_version
    FOR EACH ROW EXECUTE FUNCTION specimen_version_proved_once();

-- Neither number goes back.
CREATE FUNCTION specimen_goes_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.sequence < OLD.sequence OR NEW.last_version < OLD.last_version THEN
        RAISE EXCEPTION 'a specimen does not go back' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'specimen_goes_on';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER specimen_goes_on BEFORE UPDATE ON specimen
    FOR EACH ROW EXECUTE FUNCTION specimen_goes_on();
