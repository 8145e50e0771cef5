-- A marginal note of an act. Rows are only ever added.
CREATE TABLE act_note (
    id              uuid PRIMARY KEY,
    act_id          uuid NOT NULL REFERENCES act,
    ordinal         smallint NOT NULL CHECK (ordinal > 0),
    noted_on        date NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('death', 'marriage', 'divorce', 'judgment', 'prefectoral-order',
                                                  'ministerial-decree', 'notice')),
    text_arabic     text NOT NULL,
    text_latin      text NOT NULL,
    changes_extract boolean NOT NULL,
    changes         jsonb NOT NULL,
    -- NULL where it came with an import.
    author_id       uuid,
    created_at      timestamptz NOT NULL,
    UNIQUE (act_id, ordinal),
    CHECK (text_arabic <> '' OR text_latin <> ''),
    CHECK (changes_extract OR changes = '[]'::jsonb)
);
