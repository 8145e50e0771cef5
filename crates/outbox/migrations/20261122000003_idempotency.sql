CREATE TABLE idempotency (
    principal  text NOT NULL,
    method     text NOT NULL,
    request_id uuid NOT NULL,
    hash       bytea NOT NULL CHECK (octet_length(hash) = 32),
    -- NULL while the command is not completed; empty when the response held a secret.
    response   bytea,
    claimed_at timestamptz NOT NULL,
    PRIMARY KEY (principal, method, request_id)
);

CREATE INDEX idempotency_claimed_at ON idempotency (claimed_at);
