-- What the latest look at each attempt found not to agree.
CREATE TABLE difference (
    attempt_id  uuid NOT NULL REFERENCES attempt (id),
    reason      text NOT NULL CHECK (reason IN
        ('PROVIDER_HAS_MORE', 'PROVIDER_HAS_LESS', 'NOT_CAPTURED', 'VOID_FAILED', 'REFUND_FAILED', 'PAYMENT_LOST',
         'TRANSACTION_DOUBLED', 'UNREADABLE', 'UNANSWERED')),
    payable_id  uuid NOT NULL REFERENCES payable (id),
    ours        bigint NOT NULL,
    theirs      bigint NOT NULL,
    found_at    timestamptz NOT NULL,
    PRIMARY KEY (attempt_id, reason)
);

CREATE INDEX difference_order ON difference (found_at, attempt_id, reason);

-- One run a night; it goes on after the last attempt it compared.
CREATE TABLE reconciliation_run (
    day         date PRIMARY KEY,
    started_at  timestamptz NOT NULL,
    after       uuid,
    -- Attempts about which a provider did not answer: with any, the run ended incomplete.
    unanswered  integer NOT NULL DEFAULT 0 CHECK (unanswered >= 0),
    ended_at    timestamptz
);
