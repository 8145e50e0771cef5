//! Rights on the tables of acts, keyings, scans, imports and custody.

/// One `GRANT` each. Acts, notes, scans and custody are only ever added to; what an act is known as follows its notes.
pub(super) const GRANTS: &[(&str, &str)] = &[
    ("SELECT, INSERT", "register_custody"),
    (
        "SELECT, INSERT, UPDATE (version, state, prefix_sha256, byte_offset, lines, taken, refused, duplicates, report_bytes, report_sha256, updated_at)",
        "act_import",
    ),
    ("SELECT, INSERT", "act"),
    ("SELECT, INSERT", "act_note"),
    (
        "SELECT, INSERT, UPDATE (given_arabic, given_latin, family_arabic, family_latin, birth_date, fold_arabic, fold_latin, birth_year, born_on)",
        "act_known_as",
    ),
    ("SELECT, INSERT", "scan"),
    ("SELECT, INSERT", "act_scan"),
    (
        "SELECT, INSERT, UPDATE (version, state, scan_id, second_by, second_entry, third_by, third_entry, withdrawn_by, act_id, updated_at)",
        "keying",
    ),
    (
        "SELECT, INSERT, UPDATE (acts, set_by, updated_at)",
        "register_size",
    ),
];
