CREATE TABLE legalisation_request (
    id                       uuid PRIMARY KEY,
    -- Sequence of the last event.
    version                  bigint NOT NULL CHECK (version > 0),
    state                    text NOT NULL CHECK (state IN (
                                 'DRAFT', 'SIGNATURE_PLACED', 'CONFIRMED', 'AWAITING_PAYMENT', 'SUBMITTED', 'AGENT_ACCEPTED',
                                 'AWAITING_SIGNATURE', 'SEALED', 'DELIVERED', 'REFUSED', 'CANCELLED', 'EXPIRED')),
    applicant_id             uuid NOT NULL,
    document_id              uuid NOT NULL REFERENCES document (id),
    office_id                uuid NOT NULL,
    kind                     text NOT NULL,
    destination              jsonb NOT NULL,
    mandatary                jsonb,
    fee_centimes             bigint NOT NULL CHECK (fee_centimes >= 0),
    resubmission_of          uuid REFERENCES legalisation_request (id),

    page_number              integer CHECK (page_number > 0),
    rectangle_x              bigint,
    rectangle_y              bigint,
    rectangle_width          bigint CHECK (rectangle_width > 0),
    rectangle_height         bigint CHECK (rectangle_height > 0),
    mark                     text CHECK (mark IN ('DRAWN', 'STANDING')),
    strokes                  bytea,

    confirmation_id          uuid UNIQUE,
    confirmation_method      text,
    confirmed_at             timestamptz,
    confirmation_jws         text,
    subject_hash             bytea CHECK (octet_length(subject_hash) = 32),
    confirmed_specimen       integer CHECK (confirmed_specimen > 0),
    signer                   jsonb,

    receipt_number           text UNIQUE,
    submitted_at             timestamptz,
    expected_on              date,

    agent_id                 uuid,
    comparison_result        text CHECK (comparison_result IN ('MATCHES', 'MATCHES_WITH_DIFFERENCES', 'DIFFERS')),
    comparison_note          text,
    specimen_version         integer CHECK (specimen_version > 0),
    specimen_proof_method    text,
    specimen_proof_office_id uuid,
    specimen_proof_at        timestamptz,
    region_sha256            bytea CHECK (octet_length(region_sha256) = 32),
    specimen_sha256          bytea CHECK (octet_length(specimen_sha256) = 32),
    compared_at              timestamptz,

    return_note              text,

    refusal_code             text,
    refusal_text             text,
    refusal_level            text CHECK (refusal_level IN ('agent', 'officer')),
    refused_by               uuid,
    refused_at               timestamptz,

    intent_id                uuid UNIQUE,
    officer_id               uuid,
    authorised_at            timestamptz,
    sealed_at                timestamptz,
    delivered_at             timestamptz,

    created_at               timestamptz NOT NULL,
    updated_at               timestamptz NOT NULL,
    expires_at               timestamptz,

    -- Each group of facts is there as a whole or not at all.
    CONSTRAINT placement_whole CHECK (num_nulls(page_number, rectangle_x, rectangle_y, rectangle_width, rectangle_height, mark) IN (0, 6)),
    CONSTRAINT strokes_of_drawn CHECK ((strokes IS NOT NULL) = (mark IS NOT DISTINCT FROM 'DRAWN')),
    CONSTRAINT confirmation_whole CHECK (num_nulls(confirmation_id, confirmation_method, confirmed_at, confirmation_jws,
                                                   subject_hash, confirmed_specimen, signer) IN (0, 7)),
    CONSTRAINT receipt_whole CHECK (num_nulls(receipt_number, submitted_at, expected_on) IN (0, 3)),
    CONSTRAINT comparison_whole CHECK (num_nulls(agent_id, comparison_result, comparison_note, specimen_version, specimen_proof_method,
                                                 specimen_proof_at, region_sha256, specimen_sha256, compared_at) IN (0, 9)),
    CONSTRAINT refusal_whole CHECK (num_nulls(refusal_code, refusal_text, refusal_level, refused_by, refused_at) IN (0, 5)),
    CONSTRAINT seal_whole CHECK (num_nulls(intent_id, officer_id, authorised_at) IN (0, 3)),

    -- The state and the facts agree.
    CONSTRAINT state_placement CHECK (state IN ('CANCELLED', 'EXPIRED') OR (page_number IS NOT NULL) = (state <> 'DRAFT')),
    CONSTRAINT state_confirmation CHECK (state IN ('CANCELLED', 'EXPIRED')
                                         OR (confirmation_id IS NOT NULL) = (state NOT IN ('DRAFT', 'SIGNATURE_PLACED'))),
    CONSTRAINT state_receipt CHECK (state IN ('CANCELLED', 'EXPIRED') OR (receipt_number IS NOT NULL)
                                    = (state NOT IN ('DRAFT', 'SIGNATURE_PLACED', 'CONFIRMED', 'AWAITING_PAYMENT'))),
    CONSTRAINT state_comparison CHECK (state IN ('REFUSED', 'CANCELLED') OR (agent_id IS NOT NULL)
                                       = (state IN ('AGENT_ACCEPTED', 'AWAITING_SIGNATURE', 'SEALED', 'DELIVERED'))),
    CONSTRAINT state_refusal CHECK ((refusal_code IS NOT NULL) = (state = 'REFUSED')),
    CONSTRAINT state_seal CHECK ((intent_id IS NOT NULL) = (state IN ('AWAITING_SIGNATURE', 'SEALED', 'DELIVERED'))),
    CONSTRAINT state_sealed CHECK ((sealed_at IS NOT NULL) = (state IN ('SEALED', 'DELIVERED'))),
    CONSTRAINT state_delivered CHECK ((delivered_at IS NOT NULL) = (state = 'DELIVERED')),
    CONSTRAINT state_expiry CHECK ((expires_at IS NOT NULL) = (state IN ('DRAFT', 'SIGNATURE_PLACED', 'AWAITING_PAYMENT'))),
    -- A signature that differs from the specimen is never accepted.
    CONSTRAINT accepted_matches CHECK (state NOT IN ('AGENT_ACCEPTED', 'AWAITING_SIGNATURE', 'SEALED', 'DELIVERED')
                                       OR comparison_result <> 'DIFFERS'),
    -- What is compared is the specimen that the confirmation names.
    CONSTRAINT compared_as_confirmed CHECK (specimen_version = confirmed_specimen),
    -- Four eyes: applicant, comparing agent and sealing officer are three persons.
    CONSTRAINT four_eyes_agent CHECK (agent_id <> applicant_id),
    CONSTRAINT four_eyes_refusal CHECK (refused_by <> applicant_id),
    CONSTRAINT four_eyes_officer CHECK (officer_id <> applicant_id AND officer_id <> agent_id)
);

CREATE INDEX legalisation_request_applicant ON legalisation_request (applicant_id, id DESC);
CREATE INDEX legalisation_request_queue ON legalisation_request (office_id, submitted_at, id)
    WHERE state IN ('SUBMITTED', 'AGENT_ACCEPTED', 'AWAITING_SIGNATURE');
CREATE INDEX legalisation_request_document ON legalisation_request (document_id);
CREATE INDEX legalisation_request_expiry ON legalisation_request (expires_at) WHERE expires_at IS NOT NULL;
-- A refused request is resubmitted free once; another time only when that attempt was withdrawn or lapsed.
CREATE UNIQUE INDEX legalisation_request_resubmission ON legalisation_request (resubmission_of)
    WHERE state NOT IN ('CANCELLED', 'EXPIRED');
