-- What may never happen to a row, whoever asks.

CREATE FUNCTION guard_order_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.order_id, NEW.ordinal, NEW.kind_id, NEW.copies, NEW.amount, NEW.office_amount, NEW.post_amount, NEW.tax_amount)
       IS DISTINCT FROM
       (OLD.id, OLD.order_id, OLD.ordinal, OLD.kind_id, OLD.copies, OLD.amount, OLD.office_amount, OLD.post_amount, OLD.tax_amount) THEN
        RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', MESSAGE = 'what was ordered and its price stay';
    END IF;
    IF OLD.state IN ('REFUNDED', 'DELIVERED', 'RETURNED') AND NEW.state <> OLD.state THEN
        RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', MESSAGE = 'a line that has ended does not change its state';
    END IF;
    IF OLD.paid_at IS NOT NULL AND NEW.paid_at IS DISTINCT FROM OLD.paid_at THEN
        RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', MESSAGE = 'a line is paid once';
    END IF;
    -- Four eyes: whoever placed an order neither looks, draws nor signs for it.
    IF (NEW.assigned_to, NEW.looked_by, NEW.signed_by, NEW.document->>'prepared_by', NEW.document->'again'->>'prepared_by') IS DISTINCT FROM
       (OLD.assigned_to, OLD.looked_by, OLD.signed_by, OLD.document->>'prepared_by', OLD.document->'again'->>'prepared_by')
       AND EXISTS (SELECT FROM customer_order o WHERE o.id = NEW.order_id AND o.person_id::text IN (NEW.assigned_to::text,
           NEW.looked_by::text, NEW.signed_by::text, NEW.document->>'prepared_by', NEW.document->'again'->>'prepared_by')) THEN
        RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', MESSAGE = 'nobody serves their own order';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER order_line_guard BEFORE UPDATE ON order_line FOR EACH ROW EXECUTE FUNCTION guard_order_line();
