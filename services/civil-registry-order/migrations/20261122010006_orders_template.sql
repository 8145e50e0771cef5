-- The text of the law that a form cites, by the date of issue.
CREATE TABLE template_version (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    template text NOT NULL,
    law_fr text NOT NULL,
    law_ar text NOT NULL,
    valid_from date NOT NULL,
    valid_to date CHECK (valid_to >= valid_from),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (template, valid_from)
);

INSERT INTO template_version (template, law_fr, law_ar, valid_from)
SELECT name,
       'Loi n° 37-99 relative à l’état civil, promulguée par le dahir n° 1-02-239 du 25 rejeb 1423 (3 octobre 2002)',
       'طبقا للقانون رقم 37.99 المتعلق بالحالة المدنية الصادر بتنفيذه الظهير الشريف رقم 1.02.239 بتاريخ 25 رجب 1423 (3 أكتوبر 2002)',
       '2002-10-03'
FROM unnest(ARRAY['birth-extract', 'birth-full-copy', 'death-extract', 'death-full-copy']) AS name;
