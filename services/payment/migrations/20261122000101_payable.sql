-- What is to be paid, for whom. Opaque: what it pays for is known to its owner alone.
CREATE TABLE payable (
    id               uuid PRIMARY KEY,
    -- Grows by one with each event.
    version          bigint NOT NULL CHECK (version > 0),
    owner            text NOT NULL CHECK (owner <> ''),
    owner_reference  text NOT NULL CHECK (char_length(owner_reference) BETWEEN 1 AND 64),
    -- What people call it; empty where the owner did not say.
    display_reference text NOT NULL CHECK (display_reference ~ '^[0-9A-Za-z/-]{0,40}$'),
    state            text NOT NULL CHECK (state IN ('OPEN', 'PAID', 'CANCELLED', 'EXPIRED')),
    amount           bigint NOT NULL CHECK (amount > 0),
    payer_person_id  uuid NOT NULL,
    payer_name       text NOT NULL,
    payer_email      text NOT NULL,
    payer_phone      text NOT NULL,
    created_at       timestamptz NOT NULL,
    expires_at       timestamptz NOT NULL,
    paid_at          timestamptz,
    paid_by          uuid,
    receipt_year     integer,
    receipt_number   integer CHECK (receipt_number > 0),
    UNIQUE (owner, owner_reference),
    -- Dense: the counter's row lock is held until the number is stored here.
    UNIQUE (receipt_year, receipt_number),
    CHECK (num_nulls(paid_at, paid_by, receipt_year, receipt_number) = CASE state WHEN 'PAID' THEN 0 ELSE 4 END)
);

CREATE INDEX payable_open ON payable (expires_at) WHERE state = 'OPEN';
CREATE INDEX payable_payer ON payable (payer_person_id);
CREATE INDEX payable_owner ON payable (owner, id);

CREATE TABLE payable_item (
    payable_id  uuid NOT NULL REFERENCES payable (id),
    position    smallint NOT NULL CHECK (position BETWEEN 0 AND 49),
    reference   text NOT NULL,
    label_ar    text NOT NULL,
    label_fr    text NOT NULL,
    amount      bigint NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (payable_id, position)
);

-- Last number given to a receipt in a civil year.
CREATE TABLE receipt_counter (
    year  integer PRIMARY KEY CHECK (year BETWEEN 2020 AND 9999),
    last  integer NOT NULL CHECK (last > 0)
);

-- One way to a provider.
CREATE TABLE attempt (
    id                 uuid PRIMARY KEY,
    payable_id         uuid NOT NULL REFERENCES payable (id),
    provider           text NOT NULL CHECK (provider IN ('cmi', 'text-message')),
    -- Never used again, at any provider.
    provider_order_id  text NOT NULL UNIQUE,
    state              text NOT NULL
        CHECK (state IN ('STARTED', 'AUTHORISED', 'CAPTURED', 'VOIDING', 'VOIDED', 'ENDED')),
    language           text NOT NULL CHECK (language IN ('ar', 'fr', 'en')),
    phone              text NOT NULL,
    decline_code       text NOT NULL,
    declines           integer NOT NULL CHECK (declines >= 0),
    transaction_id     text,
    -- The card was issued abroad; null while the provider has not said, and where no card is used.
    international      boolean,
    created_at         timestamptz NOT NULL,
    expires_at         timestamptz NOT NULL,
    -- When the provider took the request, where it is told of one (text message).
    told_at            timestamptz,
    -- When the payer came back with the provider's word of success; proves nothing.
    returned_at        timestamptz,
    authorised_at      timestamptz,
    capture_refusals   integer NOT NULL DEFAULT 0 CHECK (capture_refusals >= 0),
    captured_at        timestamptz,
    -- When the provider is asked or told something next; none when nothing is left to do.
    due_at             timestamptz,
    tries              integer NOT NULL CHECK (tries >= 0),
    -- Who works on it until when.
    lease              uuid,
    lease_until        timestamptz,
    -- Nothing of it is left to happen, and it agreed with the provider's status when that had settled. Any change unsettles it.
    settled            boolean NOT NULL DEFAULT false,
    CHECK (num_nulls(transaction_id, authorised_at) = CASE WHEN state IN ('STARTED', 'ENDED') THEN 2 ELSE 0 END),
    -- What was captured may be given back by the provider itself.
    CHECK (CASE state WHEN 'CAPTURED' THEN captured_at IS NOT NULL WHEN 'VOIDED' THEN true ELSE captured_at IS NULL END),
    CHECK (num_nulls(lease, lease_until) IN (0, 2))
);

CREATE INDEX attempt_payable ON attempt (payable_id);
-- How often a phone was asked of late.
CREATE INDEX attempt_phone ON attempt (phone, created_at) WHERE provider = 'text-message';
CREATE INDEX attempt_due ON attempt (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX attempt_unsettled ON attempt (id) WHERE NOT settled;

-- Which attempt a provider's transaction belongs to: the first that a proven message or the status named with it. It pays there alone.
CREATE TABLE sale (
    provider        text NOT NULL,
    transaction_id  text NOT NULL,
    attempt_id      uuid NOT NULL REFERENCES attempt (id),
    PRIMARY KEY (provider, transaction_id)
);

ALTER TABLE payable ADD FOREIGN KEY (paid_by) REFERENCES attempt (id);

-- Money that a provider took without owing it to us, on its way back.
CREATE TABLE reversal (
    id              uuid PRIMARY KEY,
    payable_id      uuid NOT NULL REFERENCES payable (id),
    attempt_id      uuid NOT NULL REFERENCES attempt (id),
    transaction_id  text NOT NULL,
    amount          bigint NOT NULL,
    state           text NOT NULL CHECK (state IN ('OPEN', 'VOIDED', 'CREDITED')),
    refusals        integer NOT NULL CHECK (refusals >= 0),
    -- What was refused or not answered is not sent again before.
    not_before      timestamptz,
    -- A credit was sent that was not answered, or refused: it may have been done.
    sent_at         timestamptz,
    created_at      timestamptz NOT NULL,
    ended_at        timestamptz,
    UNIQUE (attempt_id, transaction_id),
    CHECK ((ended_at IS NULL) = (state = 'OPEN'))
);

CREATE INDEX reversal_payable ON reversal (payable_id);

CREATE TABLE refund (
    id               uuid PRIMARY KEY,
    payable_id       uuid NOT NULL REFERENCES payable (id),
    attempt_id       uuid NOT NULL REFERENCES attempt (id),
    owner_reference  text NOT NULL CHECK (char_length(owner_reference) BETWEEN 1 AND 64),
    amount           bigint NOT NULL CHECK (amount > 0),
    state            text NOT NULL CHECK (state IN ('REQUESTED', 'COMPLETED', 'FAILED')),
    reason_code      text NOT NULL,
    refusals         integer NOT NULL CHECK (refusals >= 0),
    -- First refusal since it was asked for, or tried anew.
    refused_since    timestamptz,
    -- What was refused is not sent again before.
    not_before       timestamptz,
    sent_at          timestamptz,
    created_at       timestamptz NOT NULL,
    completed_at     timestamptz,
    -- Completed without money: the provider had given the payment back by itself.
    released         boolean NOT NULL DEFAULT false,
    CHECK (state = 'COMPLETED' OR NOT released),
    UNIQUE (payable_id, owner_reference),
    CHECK ((completed_at IS NOT NULL) = (state = 'COMPLETED'))
);

-- What a provider's message was answered: a repeat gets the same.
CREATE TABLE answer (
    attempt_id   uuid NOT NULL REFERENCES attempt (id),
    -- The provider's transaction, or what else is the message's own.
    message_key  text NOT NULL,
    success      boolean NOT NULL,
    answer       text NOT NULL,
    answered_at  timestamptz NOT NULL,
    PRIMARY KEY (attempt_id, message_key, success)
);

CREATE INDEX refund_waiting ON refund (created_at) WHERE state <> 'COMPLETED';
CREATE INDEX reversal_open ON reversal (created_at) WHERE state = 'OPEN';
