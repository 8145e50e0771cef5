-- What is on offer at the beginning: configuration, changed through the administration's calls from a date on.
-- Twenty dirhams an act inside Morocco; the split and the fees abroad are an installation's to set.

INSERT INTO fee_ceiling (id, centimes, valid_from, legal_reference) VALUES
    ('0192f0c0-0000-7000-8000-00000000ce11', 2000, '2012-01-01', 'Watiqa, conditions d''utilisation: 20 DH TTC par acte au Maroc');

INSERT INTO destination_zone (country_code, zone, valid_from) VALUES
    ('MA', 'MOROCCO', '2012-01-01'),
    ('AD', 'EUROPE', '2012-01-01'),
    ('AT', 'EUROPE', '2012-01-01'),
    ('BE', 'EUROPE', '2012-01-01'),
    ('BG', 'EUROPE', '2012-01-01'),
    ('CH', 'EUROPE', '2012-01-01'),
    ('CY', 'EUROPE', '2012-01-01'),
    ('CZ', 'EUROPE', '2012-01-01'),
    ('DE', 'EUROPE', '2012-01-01'),
    ('DK', 'EUROPE', '2012-01-01'),
    ('EE', 'EUROPE', '2012-01-01'),
    ('ES', 'EUROPE', '2012-01-01'),
    ('FI', 'EUROPE', '2012-01-01'),
    ('FR', 'EUROPE', '2012-01-01'),
    ('GB', 'EUROPE', '2012-01-01'),
    ('GR', 'EUROPE', '2012-01-01'),
    ('HR', 'EUROPE', '2012-01-01'),
    ('HU', 'EUROPE', '2012-01-01'),
    ('IE', 'EUROPE', '2012-01-01'),
    ('IS', 'EUROPE', '2012-01-01'),
    ('IT', 'EUROPE', '2012-01-01'),
    ('LI', 'EUROPE', '2012-01-01'),
    ('LT', 'EUROPE', '2012-01-01'),
    ('LU', 'EUROPE', '2012-01-01'),
    ('LV', 'EUROPE', '2012-01-01'),
    ('MC', 'EUROPE', '2012-01-01'),
    ('MT', 'EUROPE', '2012-01-01'),
    ('NL', 'EUROPE', '2012-01-01'),
    ('NO', 'EUROPE', '2012-01-01'),
    ('PL', 'EUROPE', '2012-01-01'),
    ('PT', 'EUROPE', '2012-01-01'),
    ('RO', 'EUROPE', '2012-01-01'),
    ('SE', 'EUROPE', '2012-01-01'),
    ('SI', 'EUROPE', '2012-01-01'),
    ('SK', 'EUROPE', '2012-01-01'),
    ('SM', 'EUROPE', '2012-01-01'),
    ('VA', 'EUROPE', '2012-01-01'),
    ('*', 'WORLD', '2012-01-01');

INSERT INTO document_kind (id, code, register_kind, name_ar, name_fr, name_en, form, routing, relations, relations_with_evidence, languages,
    template, issuing_administration_ar, issuing_administration_fr, seal_mode, production_working_days, valid_from) VALUES
    ('0192f0c0-0000-7000-8000-0000000d0c00', 'birth-extract', 'birth', 'نسخة موجزة من رسم الولادة', 'Extrait d''acte de naissance', 'Extract of birth act', 'EXTRACT',
     'OFFICE_OF_REGISTRATION', '{ONESELF,PARENT,CHILD,SPOUSE,GUARDIAN,MANDATAIRE}',
     '{PARENT,CHILD,SPOUSE,GUARDIAN,MANDATAIRE}', '{BILINGUAL,ARABIC,FRENCH}', 'birth-extract', 'وزارة الداخلية', 'Ministère de l''Intérieur', 'OFFICER_KEY', 3,
     '2012-01-01'),
    ('0192f0c0-0000-7000-8000-0000000d0c01', 'birth-full-copy', 'birth', 'نسخة كاملة من رسم الولادة', 'Copie intégrale d''acte de naissance', 'Full copy of birth act', 'FULL_COPY',
     'OFFICE_OF_REGISTRATION', '{ONESELF,PARENT,CHILD,SPOUSE,GUARDIAN,MANDATAIRE}',
     '{PARENT,CHILD,SPOUSE,GUARDIAN,MANDATAIRE}', '{ARABIC,FRENCH}', 'birth-full-copy', 'وزارة الداخلية', 'Ministère de l''Intérieur', 'OFFICER_KEY', 3,
     '2012-01-01'),
    ('0192f0c0-0000-7000-8000-0000000d0c02', 'death-extract', 'death', 'نسخة موجزة من رسم الوفاة', 'Extrait d''acte de décès', 'Extract of death act', 'EXTRACT',
     'OFFICE_OF_REGISTRATION', '{PARENT,CHILD,SPOUSE,GUARDIAN,MANDATAIRE}',
     '{PARENT,CHILD,SPOUSE,GUARDIAN,MANDATAIRE}', '{BILINGUAL,ARABIC,FRENCH}', 'death-extract', 'وزارة الداخلية', 'Ministère de l''Intérieur', 'OFFICER_KEY', 3,
     '2012-01-01'),
    ('0192f0c0-0000-7000-8000-0000000d0c03', 'death-full-copy', 'death', 'نسخة كاملة من رسم الوفاة', 'Copie intégrale d''acte de décès', 'Full copy of death act', 'FULL_COPY',
     'OFFICE_OF_REGISTRATION', '{PARENT,CHILD,SPOUSE,GUARDIAN,MANDATAIRE}',
     '{PARENT,CHILD,SPOUSE,GUARDIAN,MANDATAIRE}', '{ARABIC,FRENCH}', 'death-full-copy', 'وزارة الداخلية', 'Ministère de l''Intérieur', 'OFFICER_KEY', 3,
     '2012-01-01');

WITH priced (zone, amount, office, post, tax) AS (
    VALUES ('MOROCCO', 2000, 200, 1500, 300), ('EUROPE', 7500, 200, 6300, 1000), ('WORLD', 11000, 200, 9000, 1800)
), schedule AS (
    INSERT INTO fee_schedule (id, document_kind, zone, valid_from)
    SELECT gen_random_uuid(), code, zone, '2012-01-01' FROM document_kind CROSS JOIN priced
    RETURNING id, zone
)
INSERT INTO fee_step (schedule_id, from_copies, amount, office, post, tax)
SELECT id, 1, amount, office, post, tax FROM schedule JOIN priced USING (zone);

-- Holidays by the Gregorian calendar; those by the Hijri calendar are added when they are announced.
INSERT INTO holiday (day, name) VALUES
    ('2026-01-01', 'Nouvel an'),
    ('2026-01-11', 'Manifeste de l''Indépendance'),
    ('2026-01-14', 'Nouvel an amazigh'),
    ('2026-05-01', 'Fête du Travail'),
    ('2026-07-30', 'Fête du Trône'),
    ('2026-08-14', 'Oued Ed-Dahab'),
    ('2026-08-20', 'Révolution du Roi et du Peuple'),
    ('2026-08-21', 'Fête de la Jeunesse'),
    ('2026-10-31', 'Fête de l''Unité'),
    ('2026-11-06', 'Marche verte'),
    ('2026-11-18', 'Fête de l''Indépendance'),
    ('2027-01-01', 'Nouvel an'),
    ('2027-01-11', 'Manifeste de l''Indépendance'),
    ('2027-01-14', 'Nouvel an amazigh'),
    ('2027-05-01', 'Fête du Travail'),
    ('2027-07-30', 'Fête du Trône'),
    ('2027-08-14', 'Oued Ed-Dahab'),
    ('2027-08-20', 'Révolution du Roi et du Peuple'),
    ('2027-08-21', 'Fête de la Jeunesse'),
    ('2027-10-31', 'Fête de l''Unité'),
    ('2027-11-06', 'Marche verte'),
    ('2027-11-18', 'Fête de l''Indépendance'),
    ('2028-01-01', 'Nouvel an'),
    ('2028-01-11', 'Manifeste de l''Indépendance'),
    ('2028-01-14', 'Nouvel an amazigh'),
    ('2028-05-01', 'Fête du Travail'),
    ('2028-07-30', 'Fête du Trône'),
    ('2028-08-14', 'Oued Ed-Dahab'),
    ('2028-08-20', 'Révolution du Roi et du Peuple'),
    ('2028-08-21', 'Fête de la Jeunesse'),
    ('2028-10-31', 'Fête de l''Unité'),
    ('2028-11-06', 'Marche verte'),
    ('2028-11-18', 'Fête de l''Indépendance');
