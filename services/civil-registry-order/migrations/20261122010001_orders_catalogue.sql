-- What can be ordered and what it costs. Rows are only ever added: what was in force stays.

CREATE TABLE document_kind (
    id uuid PRIMARY KEY,
    code text NOT NULL CHECK (code ~ '^[a-z][a-z0-9-]{1,39}$'),
    register_kind text NOT NULL CHECK (register_kind IN ('birth', 'death')),
    name_ar text NOT NULL,
    name_fr text NOT NULL,
    name_en text NOT NULL,
    form text NOT NULL CHECK (form IN ('EXTRACT', 'FULL_COPY')),
    routing text NOT NULL CHECK (routing IN ('OFFICE_OF_REGISTRATION', 'CHOSEN_OFFICE')),
    relations text[] NOT NULL,
    relations_with_evidence text[] NOT NULL,
    languages text[] NOT NULL,
    template text NOT NULL,
    issuing_administration_ar text NOT NULL,
    issuing_administration_fr text NOT NULL,
    seal_mode text NOT NULL CHECK (seal_mode IN ('OFFICER_KEY', 'ELECTRONIC_SEAL', 'BY_HAND')),
    production_working_days smallint NOT NULL CHECK (production_working_days BETWEEN 1 AND 60),
    valid_from date NOT NULL,
    valid_to date CHECK (valid_to >= valid_from),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (code, valid_from)
);

-- The fee of a kind in a zone from a day on, for every number of copies: the next one replaces it whole.
CREATE TABLE fee_schedule (
    id uuid PRIMARY KEY,
    document_kind text NOT NULL,
    zone text NOT NULL CHECK (zone ~ '^[A-Z][A-Z0-9_]{1,29}$'),
    valid_from date NOT NULL,
    valid_to date CHECK (valid_to >= valid_from),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (document_kind, zone, valid_from)
);

-- Centimes of MAD for each act, tax and registered mail included, from a number of copies on.
CREATE TABLE fee_step (
    schedule_id uuid NOT NULL REFERENCES fee_schedule,
    from_copies smallint NOT NULL CHECK (from_copies BETWEEN 1 AND 10),
    amount bigint NOT NULL CHECK (amount > 0),
    office bigint NOT NULL CHECK (office >= 0),
    post bigint NOT NULL CHECK (post >= 0),
    tax bigint NOT NULL CHECK (tax >= 0),
    CHECK (amount = office + post + tax),
    PRIMARY KEY (schedule_id, from_copies)
);

-- What an act may cost at most inside Morocco.
CREATE TABLE fee_ceiling (
    id uuid PRIMARY KEY,
    centimes bigint NOT NULL CHECK (centimes > 0),
    valid_from date NOT NULL UNIQUE,
    legal_reference text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- The zone of a country, from a date on; the country code '*' stands for all that are not named.
-- The zone inside Morocco, with its ceiling, is Morocco's and no other country's.
CREATE TABLE destination_zone (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    country_code text NOT NULL CHECK (country_code ~ '^([A-Z]{2}|\*)$'),
    zone text NOT NULL CHECK (zone ~ '^[A-Z][A-Z0-9_]{1,29}$'),
    valid_from date NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (country_code, valid_from),
    CHECK ((country_code = 'MA') = (zone = 'MOROCCO'))
);

-- Days on which offices are closed, beside Saturdays and Sundays. What was said last of a day counts.
CREATE TABLE holiday (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    sequence bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    day date NOT NULL,
    name text NOT NULL,
    -- Offices work on that day after all.
    working boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX holiday_day ON holiday (day, sequence DESC);

-- No fee inside Morocco is above the ceiling on any day on which both are in force, whoever writes it.
CREATE FUNCTION guard_fee_ceiling() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- One at a time, so that a fee and a ceiling that are set together see each other.
    PERFORM pg_advisory_xact_lock(hashtext('wathiq.fee_ceiling'));
    IF EXISTS (
        SELECT FROM (
            SELECT id, valid_from, least(valid_to + 1, lead(valid_from) OVER (PARTITION BY document_kind ORDER BY valid_from)) AS until
              FROM fee_schedule WHERE zone = 'MOROCCO'
        ) f
        JOIN fee_step step ON step.schedule_id = f.id
        LEFT JOIN (
            SELECT centimes, valid_from, lead(valid_from) OVER (ORDER BY valid_from) AS until FROM fee_ceiling
        ) c ON c.valid_from < coalesce(f.until, 'infinity') AND f.valid_from < coalesce(c.until, 'infinity')
        WHERE c.centimes IS NULL OR step.amount > c.centimes
           OR f.valid_from < (SELECT min(valid_from) FROM fee_ceiling)
    ) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'fee_below_ceiling',
            MESSAGE = 'inside Morocco an act never costs more than the ceiling in force';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER fee_ceiling_of_fee AFTER INSERT OR UPDATE ON fee_step FOR EACH STATEMENT EXECUTE FUNCTION guard_fee_ceiling();
CREATE TRIGGER fee_ceiling_of_schedule AFTER UPDATE OR DELETE ON fee_schedule
    FOR EACH STATEMENT EXECUTE FUNCTION guard_fee_ceiling();
CREATE TRIGGER fee_ceiling_of_ceiling AFTER INSERT OR UPDATE OR DELETE ON fee_ceiling
    FOR EACH STATEMENT EXECUTE FUNCTION guard_fee_ceiling();
