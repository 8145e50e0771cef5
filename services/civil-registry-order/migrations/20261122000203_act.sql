-- A digitised act as first drawn up. Rows are only ever added; what changes stands in notes.
CREATE TABLE act (
    id            uuid PRIMARY KEY,
    -- The office of registration, as it was then.
    office_id     uuid NOT NULL,
    kind          text COLLATE "C" NOT NULL CHECK (kind IN ('birth', 'death')),
    -- Gregorian year of declaration.
    year          smallint NOT NULL,
    part          text COLLATE "C" NOT NULL,
    number        text COLLATE "C" NOT NULL,
    -- Orders numbers with suffixes as the register does.
    number_sort   integer NOT NULL,
    given_arabic  text NOT NULL,
    given_latin   text NOT NULL,
    family_arabic text NOT NULL,
    family_latin  text NOT NULL,
    -- Family name, then given name, folded; NULL where the act has no name in the script. Compared byte by byte.
    fold_arabic   text COLLATE "C",
    fold_latin    text COLLATE "C",
    birth_year    smallint,
    -- Where the act says the day.
    born_on       date,
    content       jsonb NOT NULL,
    source        text NOT NULL CHECK (source IN ('import', 'keyed')),
    -- Not a foreign key: it would be looked up for each of millions of rows that one import brings.
    import_id     uuid,
    created_at    timestamptz NOT NULL,
    CHECK ((source = 'import') = (import_id IS NOT NULL)),
    CHECK (born_on IS NULL OR extract(year FROM born_on) = birth_year)
);

-- The natural key. The part stands last because a search may not know it.
CREATE UNIQUE INDEX act_natural_key ON act (office_id, kind, year, number, part);
CREATE INDEX act_born_on ON act (office_id, born_on) WHERE born_on IS NOT NULL;
CREATE INDEX act_fold_latin ON act (office_id, birth_year, fold_latin) WHERE fold_latin IS NOT NULL;
CREATE INDEX act_fold_arabic ON act (office_id, birth_year, fold_arabic) WHERE fold_arabic IS NOT NULL;

-- Millions of rows that never change: what is new must reach the planner without a fifth of the table having to be new.
ALTER TABLE act SET (autovacuum_analyze_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05);
