-- How many acts a register year holds, as somebody at the office counted.
CREATE TABLE register_size (
    office_id  uuid NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('birth', 'death')),
    year       smallint NOT NULL,
    acts       integer NOT NULL CHECK (acts > 0),
    set_by     uuid NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (office_id, kind, year)
);
