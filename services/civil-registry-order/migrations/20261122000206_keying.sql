-- An act on its way into the database: keyed by one person, by another, and settled by a third where the two differ. What is withdrawn stays, and
-- leaves its key free.
CREATE TABLE keying (
    id            uuid PRIMARY KEY,
    version       bigint NOT NULL,
    state         text NOT NULL CHECK (state IN ('KEYED_ONCE', 'DIFFERS', 'REGISTERED', 'WITHDRAWN')),
    office_id     uuid NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('birth', 'death')),
    year          smallint NOT NULL,
    part          text NOT NULL,
    number        text NOT NULL,
    scan_id       uuid REFERENCES scan,
    first_by      uuid NOT NULL,
    first_entry   jsonb NOT NULL,
    second_by     uuid,
    second_entry  jsonb,
    third_by      uuid,
    third_entry   jsonb,
    withdrawn_by  uuid,
    act_id        uuid REFERENCES act,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    CHECK ((second_by IS NULL) = (second_entry IS NULL)),
    CHECK ((third_by IS NULL) = (third_entry IS NULL)),
    CHECK (state = 'WITHDRAWN' OR (state = 'KEYED_ONCE') = (second_by IS NULL)),
    CHECK ((state = 'WITHDRAWN') = (withdrawn_by IS NOT NULL)),
    CHECK ((state = 'REGISTERED') = (act_id IS NOT NULL)),
    CHECK (third_by IS NULL OR state = 'REGISTERED'),
    CHECK (first_by <> second_by AND (third_by IS NULL OR third_by NOT IN (first_by, second_by)) OR second_by IS NULL)
);

CREATE UNIQUE INDEX keying_natural_key ON keying (office_id, kind, year, number, part) WHERE state <> 'WITHDRAWN';
CREATE INDEX keying_open ON keying (office_id, id) WHERE state IN ('KEYED_ONCE', 'DIFFERS');
