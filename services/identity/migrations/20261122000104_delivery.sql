-- Codes and notices on their way. Address and code are encrypted, and erased when they are too old.
CREATE TABLE delivery (
    delivery_id uuid PRIMARY KEY,
    kind        text NOT NULL CHECK (kind IN ('sign_up_code', 'contact_change_code', 'password_reset_code',
                                              'account_exists_notice', 'credential_changed_notice',
                                              'contact_session_code')),
    channel     text NOT NULL CHECK (channel IN ('email', 'phone')),
    language    text NOT NULL CHECK (language IN ('ar', 'fr', 'zgh', 'en')),
    sealed      bytea,
    -- Stands for a code to an address without an account: it is taken like any other and never sent.
    silent      boolean NOT NULL DEFAULT false,
    expires_at  timestamptz NOT NULL,
    taken_by    uuid,
    taken_at    timestamptz,
    CONSTRAINT delivery_taken CHECK ((taken_by IS NULL) = (taken_at IS NULL))
);
CREATE INDEX delivery_expires_at ON delivery (expires_at);
