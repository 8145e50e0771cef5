-- The form of a document and the text of the law that it cites, by the date of issue.
CREATE TABLE template_version (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    template text NOT NULL CHECK (template ~ '^[a-z][a-z0-9-]{1,39}$'),
    law_fr text NOT NULL,
    law_ar text NOT NULL,
    -- What it draws: the same in all versions of a template, so that kinds which name it always fit.
    register_kind text NOT NULL CHECK (register_kind IN ('birth', 'death')),
    form text NOT NULL CHECK (form IN ('EXTRACT', 'FULL_COPY')),
    bilingual boolean NOT NULL,
    -- Typst. Nothing: the form of this name that the service brings.
    source text CHECK (octet_length(source) BETWEEN 1 AND 65536),
    valid_from date NOT NULL,
    valid_to date CHECK (valid_to >= valid_from),
    -- What was drawn before is drawn again as it was, also on the day on which another version begins.
    created_at timestamptz NOT NULL,
    UNIQUE (template, valid_from)
);

INSERT INTO template_version (template, register_kind, form, bilingual, law_fr, law_ar, valid_from, created_at)
SELECT name, register_kind, form, bilingual,
       'Loi n° 37-99 relative à l’état civil, promulguée par le dahir n° 1-02-239 du 25 rejeb 1423 (3 octobre 2002)',
       'طبقا للقانون رقم 37.99 المتعلق بالحالة المدنية الصادر بتنفيذه الظهير الشريف رقم 1.02.239 بتاريخ 25 رجب 1423 (3 أكتوبر 2002)',
       '2002-10-03', '2002-10-03'
FROM (VALUES ('birth-extract', 'birth', 'EXTRACT', true), ('birth-full-copy', 'birth', 'FULL_COPY', false),
             ('death-extract', 'death', 'EXTRACT', true), ('death-full-copy', 'death', 'FULL_COPY', false))
      AS brought (name, register_kind, form, bilingual);
