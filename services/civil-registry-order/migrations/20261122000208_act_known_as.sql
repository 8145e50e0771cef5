-- Name and birth date of an act as its marginal notes have made them, where one changes them: the person goes by these, and the act is found by
-- either. What the act was first drawn up with stands in its own row.
CREATE TABLE act_known_as (
    act_id        uuid PRIMARY KEY REFERENCES act,
    -- As in the act: a search goes by them.
    office_id     uuid NOT NULL,
    kind          text COLLATE "C" NOT NULL,
    given_arabic  text NOT NULL,
    given_latin   text NOT NULL,
    family_arabic text NOT NULL,
    family_latin  text NOT NULL,
    -- "1984-03-02", "1984-03" or "1984"; NULL where neither act nor notes say it.
    birth_date    text,
    fold_arabic   text COLLATE "C",
    fold_latin    text COLLATE "C",
    birth_year    smallint,
    born_on       date,
    CHECK (born_on IS NULL OR extract(year FROM born_on) = birth_year)
);

CREATE INDEX act_known_as_born_on ON act_known_as (office_id, born_on) WHERE born_on IS NOT NULL;
CREATE INDEX act_known_as_fold_latin ON act_known_as (office_id, birth_year, fold_latin) WHERE fold_latin IS NOT NULL;
CREATE INDEX act_known_as_fold_arabic ON act_known_as (office_id, birth_year, fold_arabic) WHERE fold_arabic IS NOT NULL;
