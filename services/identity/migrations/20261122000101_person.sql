-- People who have an account. Kind and number of the identity document are attributes; a claim is not unique.
CREATE TABLE person (
    person_id              uuid PRIMARY KEY,
    -- Names the account on topics, and stands nowhere else: no event names a person.
    stream_id              uuid NOT NULL,
    version                bigint NOT NULL CHECK (version >= 1),
    name_arabic_given      text NOT NULL,
    name_arabic_family     text NOT NULL,
    name_latin_given       text NOT NULL,
    name_latin_family      text NOT NULL,
    birth_date             date NOT NULL,
    document_kind          text NOT NULL CHECK (document_kind IN ('cin', 'passport', 'residence_card')),
    document_number        text NOT NULL,
    document_typed         text NOT NULL,
    proof_method           text CHECK (proof_method IN ('in_person', 'national_eid', 'bootstrap')),
    proof_office_id        uuid,
    proof_official_id      uuid,
    proved_at              timestamptz,
    email                  text NOT NULL,
    email_folded           text NOT NULL,
    phone                  text NOT NULL CHECK (phone LIKE '+%'),
    language               text NOT NULL CHECK (language IN ('ar', 'fr', 'zgh', 'en')),
    delivery_preference    text NOT NULL CHECK (delivery_preference IN ('attachment', 'link')),
    password_hash          text NOT NULL CHECK (password_hash LIKE '$argon2id$%'),
    platform_administrator boolean NOT NULL DEFAULT false,
    created_at             timestamptz NOT NULL,
    CONSTRAINT person_email_folded_key UNIQUE (email_folded),
    CONSTRAINT person_stream_id_key UNIQUE (stream_id),
    CONSTRAINT person_own_stream CHECK (stream_id <> person_id),
    CONSTRAINT person_proof CHECK ((proof_method IS NULL) = (proved_at IS NULL)),
    CONSTRAINT person_proof_in_person CHECK (
        proof_method IS DISTINCT FROM 'in_person' OR (proof_office_id IS NOT NULL AND proof_official_id IS NOT NULL)
    ),
    CONSTRAINT person_proof_by_another CHECK (proof_official_id IS DISTINCT FROM person_id)
);

-- A proved document belongs to one person.
CREATE UNIQUE INDEX person_proved_document ON person (document_kind, document_number) WHERE proof_method IS NOT NULL;
CREATE INDEX person_document ON person (document_kind, document_number, created_at);

-- Every proof of an identity, with what was read on the document. Only ever added to.
CREATE TABLE identity_proof (
    person_id          uuid NOT NULL REFERENCES person,
    version            bigint NOT NULL CHECK (version >= 1),
    method             text NOT NULL CHECK (method IN ('in_person', 'national_eid', 'bootstrap')),
    office_id          uuid,
    official_id        uuid,
    proved_at          timestamptz NOT NULL,
    document_kind      text NOT NULL CHECK (document_kind IN ('cin', 'passport', 'residence_card')),
    document_number    text NOT NULL,
    document_typed     text NOT NULL,
    name_arabic_given  text NOT NULL,
    name_arabic_family text NOT NULL,
    name_latin_given   text NOT NULL,
    name_latin_family  text NOT NULL,
    birth_date         date NOT NULL,
    PRIMARY KEY (person_id, version),
    CONSTRAINT identity_proof_in_person CHECK (
        method <> 'in_person' OR (office_id IS NOT NULL AND official_id IS NOT NULL)
    ),
    CONSTRAINT identity_proof_by_another CHECK (official_id IS DISTINCT FROM person_id)
);

-- A proof is renewed, never taken back.
CREATE FUNCTION person_keeps_its_proof() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.proved_at IS NOT NULL AND (NEW.proved_at IS NULL OR NEW.proved_at < OLD.proved_at) THEN
        RAISE EXCEPTION 'a proof is not taken back' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'person_keeps_its_proof';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER person_keeps_its_proof BEFORE UPDATE ON person
    FOR EACH ROW EXECUTE FUNCTION person_keeps_its_proof();

-- Somebody without an account: an e-mail address and a phone proved together. No row here tells of a row in person.
CREATE TABLE contact (
    contact_id   uuid PRIMARY KEY,
    email        text NOT NULL,
    email_folded text NOT NULL,
    phone        text NOT NULL CHECK (phone LIKE '+%'),
    language     text NOT NULL CHECK (language IN ('ar', 'fr', 'zgh', 'en')),
    created_at   timestamptz NOT NULL,
    CONSTRAINT contact_pair_key UNIQUE (email_folded, phone)
);

-- The first administrator is made once.
CREATE TABLE bootstrap (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    person_id uuid NOT NULL REFERENCES person,
    done_at   timestamptz NOT NULL
);
