-- Orders, their lines and parcels. The state of an order is nowhere: its lines give it.

CREATE TABLE customer_order (
    id uuid PRIMARY KEY,
    reference text NOT NULL UNIQUE CHECK (reference ~ '^[2-9AFHJKMPRWXY]{10}$'),
    person_id uuid NOT NULL,
    applicant jsonb NOT NULL,
    addressee jsonb NOT NULL,
    address jsonb NOT NULL,
    mandataries jsonb NOT NULL,
    zone text NOT NULL,
    total_centimes bigint NOT NULL CHECK (total_centimes > 0),
    payable_id uuid UNIQUE,
    pay_before timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    version bigint NOT NULL CHECK (version > 0)
);

CREATE INDEX customer_order_person ON customer_order (person_id, id DESC);

CREATE TABLE parcel (
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES customer_order,
    office_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    -- Where it goes: the order's may be corrected later.
    address jsonb NOT NULL,
    shipment_id uuid UNIQUE,
    tracking_number text UNIQUE,
    hand_over_at timestamptz,
    deposit_list_id uuid,
    shipment_state text NOT NULL,
    shipment_sequence bigint NOT NULL,
    attempts integer NOT NULL,
    held_until date,
    exception_code text NOT NULL,
    -- What the post does not take of the address, with exception ADDRESS_REFUSED.
    address_faults jsonb NOT NULL DEFAULT '[]',
    heard_at timestamptz,
    CHECK ((shipment_id IS NULL) = (tracking_number IS NULL)),
    CHECK (address_faults = '[]' OR exception_code = 'ADDRESS_REFUSED' AND shipment_id IS NULL)
);

CREATE INDEX parcel_order ON parcel (order_id);
CREATE INDEX parcel_office ON parcel (office_id, id);
CREATE INDEX parcel_exception ON parcel (office_id, id) WHERE exception_code <> '';
CREATE INDEX parcel_waiting ON parcel (office_id, id) WHERE hand_over_at IS NULL AND shipment_state <> 'CANCELLED';
CREATE INDEX parcel_open ON parcel (office_id, id) WHERE shipment_state NOT IN ('DELIVERED', 'RETURNED', 'LOST', 'CANCELLED');

CREATE TABLE order_line (
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES customer_order,
    ordinal smallint NOT NULL CHECK (ordinal BETWEEN 1 AND 20),
    state text NOT NULL CHECK (state IN ('AWAITING_PAYMENT', 'PAID', 'TO_CORRECT', 'IN_PRODUCTION', 'PRODUCED', 'HANDED_OVER', 'DELIVERED',
        'RETURNED', 'REFUNDING', 'REFUNDED', 'CANCELLED', 'EXPIRED')),
    state_since timestamptz NOT NULL,
    document_kind text NOT NULL,
    kind_id uuid NOT NULL REFERENCES document_kind,
    language text NOT NULL,
    copies smallint NOT NULL CHECK (copies BETWEEN 1 AND 10),
    clue jsonb NOT NULL,
    relation text NOT NULL,
    proof text NOT NULL,
    evidence_ids jsonb NOT NULL,
    office_id uuid NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    office_amount bigint NOT NULL CHECK (office_amount >= 0),
    post_amount bigint NOT NULL CHECK (post_amount >= 0),
    tax_amount bigint NOT NULL CHECK (tax_amount >= 0),
    production_days smallint NOT NULL,
    deadline timestamptz,
    paid_at timestamptz,
    path text CHECK (path IN ('PAPER', 'DIGITISED')),
    assigned_to uuid,
    act_id uuid,
    -- The act that an official has confirmed although it differs from what was ordered.
    confirmed_act uuid,
    document jsonb,
    withdrawing text,
    produced_at timestamptz,
    looked_by uuid,
    signed_by uuid,
    parcel_id uuid REFERENCES parcel,
    answer jsonb,
    end_reason text,
    refunded_centimes bigint NOT NULL CHECK (refunded_centimes BETWEEN 0 AND amount),
    refund_failed boolean NOT NULL,
    alerted text,
    UNIQUE (order_id, ordinal),
    CHECK (amount = office_amount + post_amount + tax_amount),
    CHECK (paid_at IS NOT NULL OR state IN ('AWAITING_PAYMENT', 'CANCELLED', 'EXPIRED')),
    CHECK ((state = 'REFUNDED') = (refunded_centimes > 0)),
    CHECK (state NOT IN ('REFUNDING', 'REFUNDED') OR end_reason IS NOT NULL),
    CHECK (state NOT IN ('PRODUCED', 'HANDED_OVER', 'DELIVERED', 'RETURNED') OR produced_at IS NOT NULL),
    CHECK (state NOT IN ('HANDED_OVER', 'DELIVERED', 'RETURNED') OR parcel_id IS NOT NULL)
);

CREATE INDEX order_line_queue ON order_line (office_id, state, deadline, id)
    WHERE state IN ('PAID', 'TO_CORRECT', 'IN_PRODUCTION', 'PRODUCED');
CREATE INDEX order_line_deadline ON order_line (deadline, id) WHERE deadline IS NOT NULL;
CREATE INDEX order_line_document ON order_line ((document->>'object_key')) WHERE document->>'object_key' IS NOT NULL;
CREATE INDEX order_line_exception ON order_line (office_id, id)
    WHERE alerted IS NOT NULL OR refund_failed OR (state = 'RETURNED' AND deadline IS NOT NULL);
CREATE INDEX order_line_drawn ON order_line (act_id) WHERE state = 'IN_PRODUCTION' AND document IS NOT NULL;
CREATE INDEX order_line_parcel ON order_line (parcel_id) WHERE parcel_id IS NOT NULL;
CREATE INDEX order_line_issued_document ON order_line (((document->>'issued_document_id')::uuid))
    WHERE (document->>'issued_document_id')::uuid IS NOT NULL;

-- What happened, for those who may see the order.
CREATE TABLE order_history (
    order_id uuid NOT NULL REFERENCES customer_order,
    sequence bigint NOT NULL,
    happened_at timestamptz NOT NULL,
    event text NOT NULL,
    line_ids jsonb NOT NULL,
    PRIMARY KEY (order_id, sequence)
);

-- What other services are to be asked: written in the transaction that makes it due. What is asked for one subject is asked in order.
CREATE TABLE outward (
    id uuid PRIMARY KEY,
    sequence bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    kind text NOT NULL,
    subject_id uuid NOT NULL,
    order_id uuid REFERENCES customer_order,
    state text NOT NULL CHECK (state IN ('PENDING', 'DONE', 'REFUSED')),
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL,
    -- Somebody is at it until then.
    leased_until timestamptz,
    hindrance text,
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    CHECK ((state = 'PENDING') = (ended_at IS NULL))
);

CREATE INDEX outward_due ON outward (next_attempt_at) WHERE state = 'PENDING';
CREATE INDEX outward_subject ON outward (subject_id, sequence) WHERE state = 'PENDING';
CREATE INDEX outward_order ON outward (order_id) WHERE state = 'PENDING';
CREATE INDEX outward_done ON outward (ended_at) WHERE state = 'DONE';

-- Files that show a relation. Kept for a day, or with the order that names them.
CREATE TABLE evidence (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL,
    kind text NOT NULL,
    file_name text NOT NULL,
    content_type text NOT NULL,
    size_bytes bigint NOT NULL CHECK (size_bytes > 0),
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    object_key text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    order_id uuid REFERENCES customer_order
);

CREATE INDEX evidence_expiry ON evidence (expires_at) WHERE order_id IS NULL;
