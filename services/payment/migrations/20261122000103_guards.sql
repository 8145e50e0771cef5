-- What was decided about money stays decided, whatever the code above says.
CREATE FUNCTION payable_state_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'payable % is % and stays so', OLD.id, OLD.state USING ERRCODE = 'integrity_constraint_violation';
END
$$;

CREATE TRIGGER payable_state_is_final BEFORE UPDATE OF state, paid_at, paid_by, receipt_year, receipt_number ON payable
    FOR EACH ROW WHEN (OLD.state <> 'OPEN' AND (OLD.state, OLD.paid_at, OLD.paid_by, OLD.receipt_year, OLD.receipt_number)
        IS DISTINCT FROM (NEW.state, NEW.paid_at, NEW.paid_by, NEW.receipt_year, NEW.receipt_number))
    EXECUTE FUNCTION payable_state_is_final();

CREATE FUNCTION attempt_moves_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'attempt % does not go from % to %', OLD.id, OLD.state, NEW.state
        USING ERRCODE = 'integrity_constraint_violation';
END
$$;

CREATE TRIGGER attempt_moves_forward BEFORE UPDATE OF state ON attempt
    FOR EACH ROW WHEN (OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
        -- One look at the provider may find a success and its capture at once.
        ('STARTED', 'AUTHORISED'), ('STARTED', 'CAPTURED'), ('STARTED', 'VOIDING'), ('STARTED', 'ENDED'),
        ('ENDED', 'AUTHORISED'), ('ENDED', 'CAPTURED'), ('ENDED', 'VOIDING'),
        ('AUTHORISED', 'CAPTURED'), ('VOIDING', 'VOIDED'),
        -- The provider gave the money back by itself.
        ('AUTHORISED', 'VOIDED'), ('CAPTURED', 'VOIDED')))
    EXECUTE FUNCTION attempt_moves_forward();

CREATE FUNCTION refund_state_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'refund % is % and stays so', OLD.id, OLD.state USING ERRCODE = 'integrity_constraint_violation';
END
$$;

CREATE TRIGGER refund_state_is_final BEFORE UPDATE OF state ON refund
    FOR EACH ROW WHEN (OLD.state = 'COMPLETED' AND OLD.state <> NEW.state) EXECUTE FUNCTION refund_state_is_final();

-- Refunds that stand never exceed what was paid.
CREATE FUNCTION refunds_within_amount() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT sum(amount) FROM refund WHERE payable_id = NEW.payable_id AND state <> 'FAILED')
        > (SELECT amount FROM payable WHERE id = NEW.payable_id) THEN
        RAISE EXCEPTION 'refunds of payable % exceed its amount', NEW.payable_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER refunds_within_amount AFTER INSERT OR UPDATE OF state ON refund FOR EACH ROW EXECUTE FUNCTION refunds_within_amount();
