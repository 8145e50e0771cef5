-- A document that another service made, prepared for its seal at once. Its bytes are a function of what was deposited and of this
-- row; neither changes any more.
CREATE TABLE issued_document (
    id                uuid PRIMARY KEY,
    -- The peer that deposited it, and its own name for it.
    owner             text NOT NULL CHECK (char_length(owner) BETWEEN 1 AND 64),
    owner_reference   text NOT NULL CHECK (char_length(owner_reference) BETWEEN 1 AND 64),
    office_id         uuid NOT NULL,
    kind              text NOT NULL CHECK (kind ~ '^[a-z0-9_.-]{1,64}$'),
    title_ar          text NOT NULL CHECK (char_length(title_ar) BETWEEN 1 AND 200),
    title_fr          text NOT NULL CHECK (char_length(title_fr) BETWEEN 1 AND 200),
    title_en          text NOT NULL CHECK (char_length(title_en) BETWEEN 1 AND 200),
    seal_mode         text NOT NULL CHECK (seal_mode IN ('OFFICER_KEY', 'ELECTRONIC_SEAL')),
    -- Short code for verification, without hyphens.
    code              text NOT NULL CONSTRAINT issued_document_code UNIQUE CHECK (code ~ '^[0-9A-HJKMNP-TV-Z]{12}$'),
    -- The officer whom the document names, who alone seals it; NULL where it names nobody.
    signing_officer   uuid,
    -- Of the file as deposited.
    source_sha256     bytea NOT NULL CHECK (octet_length(source_sha256) = 32),
    -- Key of the commitment on events; kept for the holder.
    salt              bytea NOT NULL CHECK (octet_length(salt) = 32),
    state             text NOT NULL CHECK (state IN ('WAITING_FOR_OFFICER', 'SIGNED', 'SEALED', 'WITHDRAWN', 'FAILED')),

    prepared_key      text NOT NULL UNIQUE,
    byte_range        bigint[] NOT NULL CHECK (cardinality(byte_range) = 4),
    digest            bytea NOT NULL CHECK (octet_length(digest) = 32),
    contents_offset   bigint NOT NULL,
    contents_len      bigint NOT NULL,
    created_at        timestamptz NOT NULL,

    confirmation_id   uuid,
    credential_id     uuid REFERENCES signing_credential (id),
    signature_value   bytea,
    signed_at         timestamptz,

    -- Why the last try to finish came to nothing.
    hindrance         text CHECK (hindrance IN ('TIME_STAMP_MISSING', 'TIME_STAMP_UNTRUSTED', 'REVOCATION_UNKNOWN', 'UNFINISHABLE')),
    -- When a job may next try to finish what is signed; also keeps two replicas from the same document.
    next_attempt_at   timestamptz,
    attempts          integer NOT NULL DEFAULT 0,

    sealed_key        text UNIQUE,
    size_bytes        bigint CHECK (size_bytes > 0),
    -- SHA-256 of the sealed file: the document's identity.
    sha256            bytea CONSTRAINT issued_document_sha256 UNIQUE CHECK (octet_length(sha256) = 32),
    -- HMAC-SHA-256 of sha256 under the salt.
    commitment        bytea CHECK (octet_length(commitment) = 32),
    level             text CHECK (level IN ('B-T', 'B-LT', 'B-LTA')),
    -- Sealed, withdrawn or failed.
    ended_at          timestamptz,

    CONSTRAINT issued_signed_whole CHECK (num_nulls(confirmation_id, credential_id, signature_value, signed_at, next_attempt_at)
                                          = CASE WHEN state IN ('WAITING_FOR_OFFICER', 'WITHDRAWN') THEN 5 ELSE 0 END),
    CONSTRAINT issued_sealed_whole CHECK (num_nulls(sealed_key, size_bytes, sha256, commitment, level)
                                          = CASE state WHEN 'SEALED' THEN 0 ELSE 5 END),
    CONSTRAINT issued_hindrance_signed CHECK (hindrance IS NULL OR state IN ('SIGNED', 'FAILED')),
    CONSTRAINT issued_ended CHECK ((ended_at IS NOT NULL) = (state IN ('SEALED', 'WITHDRAWN', 'FAILED')))
);

-- One document stands under an owner's reference; what was withdrawn or has failed makes room for another.
CREATE UNIQUE INDEX issued_document_standing ON issued_document (owner, owner_reference)
    WHERE state NOT IN ('WITHDRAWN', 'FAILED');
CREATE INDEX issued_document_reference ON issued_document (owner, owner_reference, id DESC);
CREATE INDEX issued_document_owner ON issued_document (owner, id);
CREATE INDEX issued_document_waiting ON issued_document (office_id, id) WHERE state = 'WAITING_FOR_OFFICER';
CREATE INDEX issued_document_due ON issued_document (next_attempt_at) WHERE state = 'SIGNED';

-- A confirmation that an officer gave for a batch, written down before a key is touched. One that led to no signature stays as a
-- trace. Rows are only added.
CREATE TABLE issued_act (
    confirmation_id  uuid PRIMARY KEY,
    office_id        uuid NOT NULL,
    -- As the office was called then; told to whoever verifies.
    office_name_ar   text NOT NULL,
    office_name_fr   text NOT NULL,
    officer_id       uuid NOT NULL,
    method           text NOT NULL,
    confirmed_at     timestamptz NOT NULL,
    jws              text NOT NULL,
    authorised_at    timestamptz NOT NULL
);

CREATE TABLE issued_act_document (
    confirmation_id     uuid NOT NULL REFERENCES issued_act (confirmation_id),
    issued_document_id  uuid NOT NULL REFERENCES issued_document (id),
    -- What was confirmed.
    digest              bytea NOT NULL CHECK (octet_length(digest) = 32),
    PRIMARY KEY (confirmation_id, issued_document_id)
);

ALTER TABLE issued_document
    ADD CONSTRAINT issued_document_act FOREIGN KEY (confirmation_id, id)
        REFERENCES issued_act_document (confirmation_id, issued_document_id);

-- A document goes step by step and ends once; what a step has added stays. What was deposited is protected by the rights of the
-- application role, which may not update it.
CREATE FUNCTION guard_issued_document() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'WAITING_FOR_OFFICER' THEN
            PERFORM refuse('an issued document begins as waiting for an officer');
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.state <> OLD.state
       AND (OLD.state, NEW.state) NOT IN (('WAITING_FOR_OFFICER', 'SIGNED'), ('WAITING_FOR_OFFICER', 'WITHDRAWN'),
                                          ('SIGNED', 'SEALED'), ('SIGNED', 'FAILED')) THEN
        PERFORM refuse('an issued document goes step by step');
    END IF;
    IF OLD.state IN ('SEALED', 'WITHDRAWN', 'FAILED') AND NEW IS DISTINCT FROM OLD THEN
        PERFORM refuse('an issued document that has ended does not change');
    END IF;
    IF OLD.signature_value IS NOT NULL
       AND (NEW.confirmation_id, NEW.credential_id, NEW.signature_value, NEW.signed_at)
           IS DISTINCT FROM (OLD.confirmation_id, OLD.credential_id, OLD.signature_value, OLD.signed_at) THEN
        PERFORM refuse('what was signed stays as it is');
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER issued_document_guard BEFORE INSERT OR UPDATE ON issued_document
    FOR EACH ROW EXECUTE FUNCTION guard_issued_document();
