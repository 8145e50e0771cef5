-- Ranges of serials that the designated operator allocated. A span is the series and serials as places in one line of numbers, so that
-- no two ranges, in use or spent, can hold the same number.
CREATE TABLE number_range (
    id                uuid PRIMARY KEY,
    version           bigint NOT NULL CHECK (version > 0),
    service_indicator text NOT NULL CHECK (service_indicator ~ '^R[A-Z]$'),
    country_code      text NOT NULL CHECK (country_code ~ '^[A-Z]{2}$'),
    first_serial      integer NOT NULL CHECK (first_serial >= 0),
    last_serial       integer NOT NULL CHECK (last_serial <= 99999999),
    next_serial       integer NOT NULL,
    product           text NOT NULL CHECK (product IN ('REGISTERED_DOMESTIC', 'REGISTERED_INTERNATIONAL')),
    span              int8range NOT NULL,
    created_at        timestamptz NOT NULL,
    CHECK (first_serial <= last_serial),
    CHECK (next_serial BETWEEN first_serial AND last_serial + 1),
    CHECK (upper(span) - lower(span) = last_serial - first_serial + 1),
    CONSTRAINT number_range_overlap EXCLUDE USING gist (span WITH &&)
);

CREATE INDEX number_range_open ON number_range (product, created_at, id) WHERE next_serial <= last_serial;

-- One row a product: whoever holds its lock gives numbers.
CREATE TABLE numbering (
    product    text PRIMARY KEY CHECK (product IN ('REGISTERED_DOMESTIC', 'REGISTERED_INTERNATIONAL')),
    -- That the numbers run low was said; taken back when a new range makes it untrue.
    low_warned boolean NOT NULL DEFAULT false
);

INSERT INTO numbering (product) VALUES ('REGISTERED_DOMESTIC'), ('REGISTERED_INTERNATIONAL');

CREATE FUNCTION number_goes_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'range % would give number % again', OLD.id, NEW.next_serial USING ERRCODE = 'integrity_constraint_violation';
END
$$;

CREATE TRIGGER number_goes_forward BEFORE UPDATE ON number_range
    FOR EACH ROW WHEN (NEW.next_serial < OLD.next_serial) EXECUTE FUNCTION number_goes_forward();
