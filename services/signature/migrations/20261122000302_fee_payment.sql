-- How the fee of a request is paid at service payment, and what payment is to be asked next. One row for each request that has
-- waited for its fee.
CREATE TABLE fee_payment (
    request_id       uuid PRIMARY KEY REFERENCES legalisation_request (id),
    payer_id         uuid NOT NULL,
    -- As printed on the receipt of the payment.
    payer_name       text NOT NULL CHECK (char_length(payer_name) BETWEEN 1 AND 200),
    centimes         bigint NOT NULL CHECK (centimes > 0),
    -- For the number of the request's own receipt, once it is paid.
    office_code      text NOT NULL,
    -- Until when it can be paid.
    expires_at       timestamptz NOT NULL,
    payable_id       uuid UNIQUE,
    paid_at          timestamptz,
    -- Payment said that nobody can pay it any more.
    closed_at        timestamptz,
    refunded_at      timestamptz,
    refund_failed_at timestamptz,

    -- What payment is to be asked; nothing where the next word is payment's.
    task             text CHECK (task IN ('OPEN', 'CANCEL', 'REFUND')),
    -- When a job may next ask; also keeps two replicas from asking at once.
    next_attempt_at  timestamptz NOT NULL,
    attempts         integer NOT NULL DEFAULT 0,
    created_at       timestamptz NOT NULL,

    CHECK (task IS DISTINCT FROM 'OPEN' OR payable_id IS NULL),
    CHECK (task IS DISTINCT FROM 'REFUND' OR (payable_id IS NOT NULL AND paid_at IS NOT NULL)),
    CHECK (paid_at IS NULL OR payable_id IS NOT NULL),
    CHECK (refunded_at IS NULL OR paid_at IS NOT NULL)
);

CREATE INDEX fee_payment_due ON fee_payment (next_attempt_at) WHERE task IS NOT NULL;
