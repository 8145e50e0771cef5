-- Last number given in an office's register of a civil year. Its row lock makes the register dense: the number is taken in the
-- transaction that stores the entry, and a transaction that ends without storing it gives nothing away.
CREATE TABLE register_counter (
    office_id  uuid NOT NULL,
    year       integer NOT NULL CHECK (year BETWEEN 2020 AND 9999),
    last       integer NOT NULL CHECK (last > 0),
    PRIMARY KEY (office_id, year)
);

-- The register of legalisations. An entry is never removed; one that cannot be finished is annulled.
CREATE TABLE register_entry (
    office_id         uuid NOT NULL,
    year              integer NOT NULL CHECK (year BETWEEN 2020 AND 9999),
    number            integer NOT NULL CHECK (number > 0),
    -- Civil date in Africa/Casablanca of the intent.
    entered_on        date NOT NULL,
    state             text NOT NULL CHECK (state IN ('PENDING', 'SEALED', 'ANNULLED')),
    request_id        uuid NOT NULL REFERENCES legalisation_request (id),
    intent_id         uuid NOT NULL UNIQUE,
    annulment_reason  text CHECK (char_length(annulment_reason) BETWEEN 10 AND 2000),
    annulled_by       uuid,
    annulled_at       timestamptz,
    PRIMARY KEY (office_id, year, number),
    CHECK (extract(year FROM entered_on) = year),
    CHECK (num_nulls(annulment_reason, annulled_by, annulled_at) = CASE state WHEN 'ANNULLED' THEN 0 ELSE 3 END)
);

-- A request has one entry that stands.
CREATE UNIQUE INDEX register_entry_standing ON register_entry (request_id) WHERE state <> 'ANNULLED';
