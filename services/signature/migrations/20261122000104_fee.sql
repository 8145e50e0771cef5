-- The fee for a kind of document at an office from an instant on. Rows are only added: the latest `valid_from` that has come
-- is in force, and of several with the same one the last set.
CREATE TABLE fee (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The name of this fee on events.
    fee_id        uuid NOT NULL UNIQUE,
    office_id     uuid NOT NULL,
    kind          text NOT NULL,
    fee_centimes  bigint NOT NULL CHECK (fee_centimes BETWEEN 0 AND 100000000),
    valid_from    timestamptz NOT NULL,
    set_by        uuid NOT NULL,
    set_at        timestamptz NOT NULL,
    CHECK (valid_from >= set_at)
);

CREATE INDEX fee_in_force ON fee (office_id, kind, valid_from DESC, id DESC);

-- Last receipt number of an office and civil year.
CREATE TABLE receipt_counter (
    office_id  uuid NOT NULL,
    year       integer NOT NULL CHECK (year BETWEEN 2020 AND 9999),
    last       bigint NOT NULL CHECK (last > 0),
    PRIMARY KEY (office_id, year)
);
