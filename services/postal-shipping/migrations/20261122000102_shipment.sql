-- A list of what an office gave to the post in one go. Numbers are dense per office and year.
CREATE TABLE deposit_list (
    id              uuid PRIMARY KEY,
    office_id       uuid NOT NULL,
    year            integer NOT NULL,
    number          integer NOT NULL CHECK (number > 0),
    handed_over_by  uuid,
    created_at      timestamptz NOT NULL,
    announced_at    timestamptz,
    attempts        integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL,
    -- Why the announcement waits.
    hindrance       text,
    UNIQUE (office_id, year, number)
);

CREATE INDEX deposit_list_waiting ON deposit_list (next_attempt_at) WHERE announced_at IS NULL;
CREATE INDEX deposit_list_office ON deposit_list (office_id, id);

CREATE TABLE deposit_list_counter (
    office_id uuid NOT NULL,
    year      integer NOT NULL,
    last      integer NOT NULL CHECK (last > 0),
    PRIMARY KEY (office_id, year)
);

CREATE TABLE shipment (
    id                uuid PRIMARY KEY,
    version           bigint NOT NULL CHECK (version > 0),
    owner             text NOT NULL CHECK (owner <> ''),
    owner_reference   text NOT NULL CHECK (owner_reference <> ''),
    content           bytea NOT NULL CHECK (octet_length(content) = 32),
    office_id         uuid NOT NULL,
    product           text NOT NULL CHECK (product IN ('REGISTERED_DOMESTIC', 'REGISTERED_INTERNATIONAL')),
    tracking_id       text NOT NULL UNIQUE CHECK (tracking_id ~ '^[A-Z]{2}[0-9]{9}[A-Z]{2}$'),
    sender            jsonb NOT NULL,
    addressee         jsonb NOT NULL,
    mandataries       jsonb NOT NULL,
    sheets            integer NOT NULL CHECK (sheets BETWEEN 1 AND 100),
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    deposit_list_id   uuid REFERENCES deposit_list,
    handed_over_at    timestamptz,
    cancelled_at      timestamptz,
    claim_opened_at   timestamptz,
    claim_note        text,
    claim_settled_at  timestamptz,
    claim_lost        boolean,
    claim_answer      text,
    silent            boolean NOT NULL,
    -- The fold of its events.
    last_event_at     timestamptz,
    state             text NOT NULL CHECK (state IN ('LABEL_PRINTED', 'HANDED_OVER', 'IN_TRANSIT', 'CUSTOMS', 'AT_DELIVERY_OFFICE', 'ATTEMPTED',
                          'HELD_FOR_COLLECTION', 'DELIVERED', 'RETURNING', 'RETURNED', 'CLAIMED', 'LOST', 'CANCELLED')),
    attempts          integer NOT NULL CHECK (attempts >= 0),
    held_until        date,
    proof             jsonb,
    exception         text CHECK (exception IN ('CONTRADICTORY_EVENTS', 'DELIVERED_TO_OTHER', 'DELIVERED_WITHOUT_DOCUMENT', 'SILENT')),
    UNIQUE (owner, owner_reference),
    CHECK ((deposit_list_id IS NULL) = (handed_over_at IS NULL)),
    CHECK ((cancelled_at IS NOT NULL) = (state = 'CANCELLED')),
    CHECK (cancelled_at IS NULL OR handed_over_at IS NULL),
    CHECK ((claim_opened_at IS NULL) = (claim_note IS NULL)),
    CHECK ((claim_settled_at IS NULL) = (claim_lost IS NULL) AND (claim_settled_at IS NULL) = (claim_answer IS NULL)),
    CHECK (claim_settled_at IS NULL OR claim_opened_at IS NOT NULL),
    -- Nothing is delivered without its proof.
    CHECK ((proof IS NOT NULL) = (state = 'DELIVERED'))
);

CREATE INDEX shipment_owner ON shipment (owner, id);
CREATE INDEX shipment_office ON shipment (office_id, id);
CREATE INDEX shipment_deposit_list ON shipment (deposit_list_id) WHERE deposit_list_id IS NOT NULL;
-- Whom the watch over silence looks at.
CREATE INDEX shipment_quiet ON shipment (product, (greatest(handed_over_at, last_event_at, claim_settled_at)))
    WHERE NOT silent AND state IN ('HANDED_OVER', 'IN_TRANSIT', 'CUSTOMS', 'AT_DELIVERY_OFFICE', 'ATTEMPTED', 'HELD_FOR_COLLECTION', 'RETURNING');
