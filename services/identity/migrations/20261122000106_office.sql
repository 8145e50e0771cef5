CREATE TABLE office (
    office_id        uuid PRIMARY KEY,
    version          bigint NOT NULL CHECK (version >= 1),
    code             text NOT NULL,
    parent_office_id uuid REFERENCES office,
    kind             text NOT NULL CHECK (kind IN ('region', 'prefecture', 'commune', 'annexe', 'consulate')),
    name_ar          text NOT NULL,
    name_fr          text NOT NULL,
    hcp_code         text NOT NULL,
    active_from      date NOT NULL,
    active_to        date,
    CONSTRAINT office_code_key UNIQUE (code),
    CONSTRAINT office_active CHECK (active_to IS NULL OR active_from <= active_to),
    CONSTRAINT office_own_parent CHECK (parent_office_id IS DISTINCT FROM office_id)
);
CREATE INDEX office_parent ON office (parent_office_id);

CREATE TABLE office_service (
    office_id  uuid NOT NULL REFERENCES office,
    service    text NOT NULL CHECK (service IN ('legalisation', 'identity_proof', 'civil_status_orders')),
    valid_from date NOT NULL,
    valid_to   date,
    PRIMARY KEY (office_id, service, valid_from),
    CONSTRAINT office_service_period CHECK (valid_to IS NULL OR valid_from <= valid_to)
);

CREATE TABLE membership (
    membership_id uuid PRIMARY KEY,
    version       bigint NOT NULL CHECK (version >= 1),
    office_id     uuid NOT NULL REFERENCES office,
    person_id     uuid NOT NULL REFERENCES person,
    role          text NOT NULL CHECK (role IN ('agent', 'officer', 'administrator')),
    deputy_for    uuid REFERENCES membership,
    valid_from    date NOT NULL,
    valid_to      date,
    ended_at      timestamptz,
    CONSTRAINT membership_period CHECK (valid_to IS NULL OR valid_from <= valid_to),
    CONSTRAINT membership_deputy_ends CHECK (deputy_for IS NULL OR valid_to IS NOT NULL)
);
CREATE INDEX membership_person ON membership (person_id) WHERE ended_at IS NULL;
CREATE INDEX membership_office ON membership (office_id, membership_id);

-- What was held stays on record; it ends once.
CREATE FUNCTION membership_ends_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.ended_at IS NOT NULL THEN
        RAISE EXCEPTION 'the membership has ended' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'membership_ends_once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER membership_ends_once BEFORE UPDATE ON membership
    FOR EACH ROW EXECUTE FUNCTION membership_ends_once();

CREATE TABLE administration (
    administration_id uuid PRIMARY KEY,
    version           bigint NOT NULL CHECK (version >= 1),
    name_ar           text NOT NULL,
    name_fr           text NOT NULL,
    enrolled_from     date NOT NULL,
    enrolled_to       date,
    created_at        timestamptz NOT NULL,
    CONSTRAINT administration_period CHECK (enrolled_to IS NULL OR enrolled_from <= enrolled_to)
);
