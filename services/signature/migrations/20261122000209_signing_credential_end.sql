-- That a credential's certificate has expired or is known as revoked, whichever was noticed first. Rows are only added.
CREATE TABLE signing_credential_end (
    credential_id  uuid PRIMARY KEY REFERENCES signing_credential (id),
    reason         text NOT NULL CHECK (reason IN ('EXPIRED', 'REVOKED')),
    ended_at       timestamptz NOT NULL,
    noticed_at     timestamptz NOT NULL
);
