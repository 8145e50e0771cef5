CREATE TABLE sign_up (
    sign_up_id         uuid PRIMARY KEY,
    name_arabic_given  text NOT NULL,
    name_arabic_family text NOT NULL,
    name_latin_given   text NOT NULL,
    name_latin_family  text NOT NULL,
    birth_date         date NOT NULL,
    document_kind      text NOT NULL,
    document_number    text NOT NULL,
    document_typed     text NOT NULL,
    email              text NOT NULL,
    phone              text NOT NULL,
    language           text NOT NULL,
    password_hash      text NOT NULL,
    email_proved       boolean NOT NULL DEFAULT false,
    phone_proved       boolean NOT NULL DEFAULT false,
    expires_at         timestamptz NOT NULL,
    person_id          uuid REFERENCES person,
    CONSTRAINT sign_up_finished CHECK (person_id IS NULL OR (email_proved AND phone_proved))
);
CREATE INDEX sign_up_expires_at ON sign_up (expires_at);

CREATE TABLE contact_change (
    contact_change_id uuid PRIMARY KEY,
    person_id         uuid NOT NULL REFERENCES person,
    channel           text NOT NULL CHECK (channel IN ('email', 'phone')),
    value             text NOT NULL,
    expires_at        timestamptz NOT NULL,
    done              boolean NOT NULL DEFAULT false
);
CREATE INDEX contact_change_expires_at ON contact_change (expires_at);

-- An e-mail address and a phone that wait to be proved together, for a session without an account.
CREATE TABLE contact_session (
    contact_session_id uuid PRIMARY KEY,
    email              text NOT NULL,
    phone              text NOT NULL,
    language           text NOT NULL,
    expires_at         timestamptz NOT NULL,
    done               boolean NOT NULL DEFAULT false
);
CREATE INDEX contact_session_expires_at ON contact_session (expires_at);

-- A reset asked for an address without an account has no person: it looks the same from outside.
CREATE TABLE password_reset (
    password_reset_id uuid PRIMARY KEY,
    person_id         uuid REFERENCES person,
    -- Keyed hash of the folded e-mail address, base64url: what attempts are counted by, whether or not there is an account.
    account           text NOT NULL CHECK (length(account) = 43),
    -- Whether its code was sent: too many for one account are not, and those that were do for the others.
    mailed            boolean NOT NULL,
    expires_at        timestamptz NOT NULL,
    done              boolean NOT NULL DEFAULT false
);
CREATE INDEX password_reset_expires_at ON password_reset (expires_at);
CREATE INDEX password_reset_account ON password_reset (account) WHERE NOT done;
