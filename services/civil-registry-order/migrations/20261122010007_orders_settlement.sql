-- What happened to paid acts and their money, for settlement: dated, only ever added to, so that a span that has passed keeps its totals.
CREATE TABLE settlement_entry (
    sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    line_id uuid NOT NULL,
    kind_id uuid NOT NULL REFERENCES document_kind,
    office_id uuid NOT NULL,
    state text NOT NULL CHECK (state IN ('PAID', 'PRODUCED', 'HANDED_OVER', 'DELIVERED', 'RETURNED', 'REFUNDED')),
    happened_at timestamptz NOT NULL,
    -- Below zero, with its price: the line went to another office, where it stands again.
    acts smallint NOT NULL CHECK (acts <> 0),
    amount bigint NOT NULL,
    office_amount bigint NOT NULL,
    post_amount bigint NOT NULL,
    tax_amount bigint NOT NULL,
    CHECK (amount = office_amount + post_amount + tax_amount),
    CHECK (sign(acts) = sign(amount)),
    CHECK (acts > 0 OR state = 'PAID')
);

CREATE INDEX settlement_entry_office ON settlement_entry (office_id, happened_at);
CREATE INDEX settlement_entry_time ON settlement_entry (happened_at);
