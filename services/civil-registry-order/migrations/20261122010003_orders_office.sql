-- What an office is and has, and what it draws up.

CREATE TABLE office_profile (
    office_id uuid PRIMARY KEY,
    province_ar text NOT NULL,
    province_fr text NOT NULL,
    commune_ar text NOT NULL,
    commune_fr text NOT NULL,
    bureau_ar text NOT NULL,
    bureau_fr text NOT NULL,
    email text NOT NULL,
    language text NOT NULL CHECK (language IN ('ar', 'fr')),
    address jsonb NOT NULL,
    signs_by_hand boolean NOT NULL,
    electronic_seal_kinds text[] NOT NULL,
    version bigint NOT NULL CHECK (version > 0),
    updated_at timestamptz NOT NULL
);

-- Dense yearly numbers of batch sheets.
CREATE TABLE batch_sheet_counter (
    office_id uuid NOT NULL,
    year integer NOT NULL,
    last integer NOT NULL CHECK (last > 0),
    PRIMARY KEY (office_id, year)
);

CREATE TABLE batch_sheet (
    id uuid PRIMARY KEY,
    office_id uuid NOT NULL,
    year integer NOT NULL,
    number integer NOT NULL,
    line_ids jsonb NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (office_id, year, number)
);

-- Parcels that were scanned for the post together.
CREATE TABLE hand_over (
    id uuid PRIMARY KEY,
    office_id uuid NOT NULL,
    person_id uuid NOT NULL,
    parcel_ids jsonb NOT NULL,
    -- Of these: what postal-shipping did not take, each with the reason.
    refused jsonb NOT NULL DEFAULT '{}',
    deposit_list_id uuid,
    created_at timestamptz NOT NULL
);

-- One mail an office and working day.
CREATE TABLE office_reminder (
    id uuid PRIMARY KEY,
    office_id uuid NOT NULL,
    day date NOT NULL,
    waiting_lines integer NOT NULL,
    late_lines integer NOT NULL,
    UNIQUE (office_id, day)
);
