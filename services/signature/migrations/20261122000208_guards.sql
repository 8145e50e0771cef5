-- What may never happen to a row, whoever asks: the rights of the application role say which columns change at all, these
-- triggers say how. Each refusal is an integrity violation (23000) that names the rule.

CREATE FUNCTION refuse(rule text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', MESSAGE = rule;
END $$;

-- A counter goes from 1 on, one by one.
CREATE FUNCTION guard_counter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.last <> 1 THEN
            PERFORM refuse('a counter begins with 1');
        END IF;
    ELSIF (NEW.office_id, NEW.year, NEW.last) IS DISTINCT FROM (OLD.office_id, OLD.year, OLD.last + 1) THEN
        PERFORM refuse('a counter goes up by 1');
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER register_counter_guard BEFORE INSERT OR UPDATE ON register_counter
    FOR EACH ROW EXECUTE FUNCTION guard_counter();
CREATE TRIGGER receipt_counter_guard BEFORE INSERT OR UPDATE ON receipt_counter
    FOR EACH ROW EXECUTE FUNCTION guard_counter();

-- An entry takes the number that was given last, stays what it is, and ends once: sealed, or annulled by somebody who is not
-- the applicant.
CREATE FUNCTION guard_register_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'PENDING' THEN
            PERFORM refuse('a register entry begins as pending');
        END IF;
        IF NOT EXISTS (SELECT FROM register_counter
                       WHERE office_id = NEW.office_id AND year = NEW.year AND last = NEW.number) THEN
            PERFORM refuse('a register entry takes the number given last');
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.office_id, NEW.year, NEW.number, NEW.entered_on, NEW.request_id, NEW.intent_id)
       IS DISTINCT FROM (OLD.office_id, OLD.year, OLD.number, OLD.entered_on, OLD.request_id, OLD.intent_id) THEN
        PERFORM refuse('a register entry keeps its number, date, request and intent');
    END IF;
    IF OLD.state <> 'PENDING' OR NEW.state = 'PENDING' THEN
        PERFORM refuse('a register entry ends once');
    END IF;
    IF EXISTS (SELECT FROM legalisation_request WHERE id = NEW.request_id AND applicant_id = NEW.annulled_by) THEN
        PERFORM refuse('an applicant does not annul the entry of their own request');
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER register_entry_guard BEFORE INSERT OR UPDATE ON register_entry
    FOR EACH ROW EXECUTE FUNCTION guard_register_entry();

-- An intent keeps all that the bytes depend on; the page's recipe is completed once, before the page is worked on. It ends
-- once, and not as annulled where its last file is sealed.
CREATE FUNCTION guard_seal_intent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) - 'state' - 'page_recipe' <> to_jsonb(OLD) - 'state' - 'page_recipe' THEN
        PERFORM refuse('what an intent has frozen stays as it is');
    END IF;
    IF NEW.page_recipe IS DISTINCT FROM OLD.page_recipe
       AND (NEW.page_recipe IS NULL OR OLD.page_recipe IS NULL OR OLD.state <> 'OPEN'
            OR EXISTS (SELECT FROM seal_file WHERE intent_id = OLD.id AND kind = 'LEGALISATION_PAGE')) THEN
        PERFORM refuse('the recipe of the page is completed once');
    END IF;
    IF NEW.state <> OLD.state THEN
        IF OLD.state <> 'OPEN' THEN
            PERFORM refuse('an intent ends once');
        END IF;
        IF NEW.state = 'ANNULLED'
           AND EXISTS (SELECT FROM sealed_revision WHERE intent_id = OLD.id
                         AND (kind = 'LEGALISATION_PAGE' OR OLD.page_recipe IS NULL)) THEN
            PERFORM refuse('an intent whose last file is sealed is not annulled');
        END IF;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER seal_intent_guard BEFORE UPDATE ON seal_intent
    FOR EACH ROW EXECUTE FUNCTION guard_seal_intent();

-- A file goes phase by phase, while its intent is open; what a phase has added stays.
CREATE FUNCTION guard_seal_file() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    phases CONSTANT text[] := ARRAY['FROZEN', 'PREPARED', 'SIGNED', 'FINISHED'];
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.phase <> 'FROZEN' THEN
            PERFORM refuse('a file begins as frozen');
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.intent_id, NEW.kind) IS DISTINCT FROM (OLD.intent_id, OLD.kind) THEN
        PERFORM refuse('a file stays with its intent');
    END IF;
    IF NEW.phase <> OLD.phase THEN
        IF array_position(phases, NEW.phase) <> array_position(phases, OLD.phase) + 1 THEN
            PERFORM refuse('a file goes phase by phase');
        END IF;
        IF NOT EXISTS (SELECT FROM seal_intent WHERE id = OLD.intent_id AND state = 'OPEN') THEN
            PERFORM refuse('nothing more is done to the file of an intent that has ended');
        END IF;
    END IF;
    IF OLD.prepared_key IS NOT NULL
       AND (NEW.prepared_key, NEW.byte_range, NEW.digest, NEW.contents_offset, NEW.contents_len, NEW.prepared_at)
           IS DISTINCT FROM
           (OLD.prepared_key, OLD.byte_range, OLD.digest, OLD.contents_offset, OLD.contents_len, OLD.prepared_at) THEN
        PERFORM refuse('what was prepared stays as it is');
    END IF;
    IF OLD.signature_value IS NOT NULL
       AND (NEW.confirmation_id, NEW.signature_value, NEW.signed_at)
           IS DISTINCT FROM (OLD.confirmation_id, OLD.signature_value, OLD.signed_at) THEN
        PERFORM refuse('what was signed stays as it is');
    END IF;
    IF OLD.finished_at IS NOT NULL AND NEW.finished_at IS DISTINCT FROM OLD.finished_at THEN
        PERFORM refuse('what is finished stays as it is');
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER seal_file_guard BEFORE INSERT OR UPDATE ON seal_file
    FOR EACH ROW EXECUTE FUNCTION guard_seal_file();

-- A request changes step by step and never after its end; what was asked, confirmed and receipted stays.
CREATE FUNCTION guard_legalisation_request() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.applicant_id, NEW.document_id, NEW.office_id, NEW.kind, NEW.destination, NEW.mandatary,
        NEW.fee_centimes, NEW.resubmission_of, NEW.created_at)
       IS DISTINCT FROM
       (OLD.id, OLD.applicant_id, OLD.document_id, OLD.office_id, OLD.kind, OLD.destination, OLD.mandatary,
        OLD.fee_centimes, OLD.resubmission_of, OLD.created_at) THEN
        PERFORM refuse('what a request asks for stays as it is');
    END IF;
    IF NEW.version <> OLD.version + 1 THEN
        PERFORM refuse('a request changes one version at a time');
    END IF;
    IF OLD.state IN ('DELIVERED', 'REFUSED', 'CANCELLED', 'EXPIRED') THEN
        PERFORM refuse('a request that has ended does not change');
    END IF;
    IF OLD.confirmation_id IS NOT NULL
       AND (NEW.confirmation_id, NEW.confirmation_method, NEW.confirmed_at, NEW.confirmation_jws, NEW.subject_hash,
            NEW.confirmed_specimen, NEW.signer, NEW.page_number, NEW.rectangle_x, NEW.rectangle_y, NEW.rectangle_width,
            NEW.rectangle_height, NEW.mark, NEW.strokes)
           IS DISTINCT FROM
           (OLD.confirmation_id, OLD.confirmation_method, OLD.confirmed_at, OLD.confirmation_jws, OLD.subject_hash,
            OLD.confirmed_specimen, OLD.signer, OLD.page_number, OLD.rectangle_x, OLD.rectangle_y, OLD.rectangle_width,
            OLD.rectangle_height, OLD.mark, OLD.strokes) THEN
        PERFORM refuse('what was confirmed stays as it is');
    END IF;
    IF OLD.receipt_number IS NOT NULL
       AND (NEW.receipt_number, NEW.submitted_at, NEW.expected_on)
           IS DISTINCT FROM (OLD.receipt_number, OLD.submitted_at, OLD.expected_on) THEN
        PERFORM refuse('what the receipt says stays as it is');
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER legalisation_request_guard BEFORE UPDATE ON legalisation_request
    FOR EACH ROW EXECUTE FUNCTION guard_legalisation_request();
