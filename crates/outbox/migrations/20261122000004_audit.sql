CREATE TABLE audit (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entry_id     uuid NOT NULL UNIQUE,
    recorded_at  timestamptz NOT NULL,
    person_id    uuid,
    principal    text NOT NULL CHECK (principal <> ''),
    action       text NOT NULL CHECK (action <> ''),
    aggregate    text NOT NULL CHECK (aggregate <> ''),
    aggregate_id uuid NOT NULL,
    outcome      text NOT NULL CHECK (outcome <> ''),
    reason       text,
    details      jsonb NOT NULL,
    traceparent  text
);

CREATE INDEX audit_aggregate ON audit (aggregate_id, id);
CREATE INDEX audit_person ON audit (person_id, id) WHERE person_id IS NOT NULL;
