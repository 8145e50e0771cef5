//! Rights on the tables of orders, offices and the catalogue.

/// One `GRANT` each.
pub(super) const GRANTS: &[(&str, &str)] = &[
    ("SELECT, INSERT", "document_kind"),
    ("SELECT, INSERT", "fee_schedule"),
    ("SELECT, INSERT", "fee_step"),
    ("SELECT, INSERT", "fee_ceiling"),
    ("SELECT, INSERT", "destination_zone"),
    ("SELECT, INSERT", "holiday"),
    (
        "SELECT, INSERT, UPDATE (address, payable_id, updated_at, version)",
        "customer_order",
    ),
    (
        "SELECT, INSERT, UPDATE (address, shipment_id, tracking_number, hand_over_at, deposit_list_id, shipment_state, shipment_sequence, attempts,
            held_until, exception_code, address_faults, heard_at)",
        "parcel",
    ),
    (
        "SELECT, INSERT, UPDATE (state, state_since, clue, proof, evidence_ids, office_id, deadline, paid_at, path, assigned_to, act_id,
            confirmed_act, document, withdrawing, produced_at, looked_by, signed_by, parcel_id, answer, end_reason, refunded_centimes,
            refund_failed, alerted)",
        "order_line",
    ),
    ("SELECT, INSERT", "order_history"),
    (
        "SELECT, INSERT, UPDATE (state, attempts, next_attempt_at, leased_until, hindrance, ended_at), DELETE",
        "outward",
    ),
    ("SELECT, INSERT, UPDATE (order_id), DELETE", "evidence"),
    (
        "SELECT, INSERT, UPDATE (province_ar, province_fr, commune_ar, commune_fr, bureau_ar, bureau_fr, email, language, address,
            signs_by_hand, electronic_seal_kinds, version, updated_at)",
        "office_profile",
    ),
    ("SELECT, INSERT, UPDATE (last)", "batch_sheet_counter"),
    ("SELECT, INSERT", "batch_sheet"),
    ("SELECT, INSERT, UPDATE (deposit_list_id, refused)", "hand_over"),
    ("SELECT, INSERT", "office_reminder"),
    ("SELECT, INSERT", "template_version"),
    ("SELECT, INSERT", "settlement_entry"),
    ("SELECT", "_sqlx_migrations"),
];
