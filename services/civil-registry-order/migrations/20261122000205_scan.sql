-- The scan of a register's page. Rows are only ever added.
CREATE TABLE scan (
    id           uuid PRIMARY KEY,
    -- The office of registration.
    office_id    uuid NOT NULL,
    object_key   text NOT NULL UNIQUE,
    content_type text NOT NULL CHECK (content_type IN ('image/jpeg', 'image/png', 'application/pdf')),
    size_bytes   bigint NOT NULL CHECK (size_bytes > 0),
    sha256       bytea NOT NULL CHECK (octet_length(sha256) = 32),
    uploaded_by  uuid NOT NULL,
    created_at   timestamptz NOT NULL
);

-- Which act a scan shows: of the scans of an act the last one counts, those before it showed another page. A page, and its scan, may hold several
-- acts.
CREATE TABLE act_scan (
    act_id     uuid NOT NULL REFERENCES act,
    ordinal    smallint NOT NULL CHECK (ordinal > 0),
    scan_id    uuid NOT NULL REFERENCES scan,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (act_id, ordinal)
);
