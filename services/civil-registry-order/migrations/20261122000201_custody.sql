-- From a day on, registers of an office are held by another; or, where both are the same, they have come back. Rows are only ever added.
CREATE TABLE register_custody (
    id         uuid PRIMARY KEY,
    office_id  uuid NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('birth', 'death')),
    -- Years of the registers that moved, both included; NULL leaves the end open.
    from_year  smallint,
    to_year    smallint,
    held_by    uuid NOT NULL,
    valid_from date NOT NULL,
    set_by     uuid NOT NULL,
    created_at timestamptz NOT NULL,
    CHECK (from_year <= to_year)
);

CREATE INDEX register_custody_office ON register_custody (office_id, kind);
CREATE INDEX register_custody_held_by ON register_custody (held_by, kind);
