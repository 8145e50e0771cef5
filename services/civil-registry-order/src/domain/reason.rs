//! The catalogue of reasons that an office gives, in the words that people read.

/// A reason.
#[derive(Debug, PartialEq, Eq)]
pub struct Reason {
    pub code: &'static str,
    pub ar: &'static str,
    pub fr: &'static str,
    pub en: &'static str,
}

const ACT_NOT_FOUND: Reason = Reason {
    code: "ACT_NOT_FOUND",
    ar: "لم يوجد الرسم في السجل.",
    fr: "L’acte n’a pas été trouvé dans le registre.",
    en: "The act was not found in the register.",
};
const ACT_DIFFERS: Reason = Reason {
    code: "ACT_DIFFERS",
    ar: "ما في السجل يخالف ما ذُكر في الطلب.",
    fr: "Le registre dit autre chose que la demande.",
    en: "The register says something else than the request.",
};
const NOT_ENTITLED: Reason = Reason {
    code: "NOT_ENTITLED",
    ar: "صاحب الطلب ليس ممن يحق لهم هذا الرسم.",
    fr: "Le demandeur n’est pas de ceux qui ont droit à cet acte.",
    en: "The applicant is not entitled to this act.",
};
const EVIDENCE_NEEDED: Reason = Reason {
    code: "EVIDENCE_NEEDED",
    ar: "يلزم ما يثبت الصلة بصاحب الرسم.",
    fr: "Il faut justifier le lien avec la personne de l’acte.",
    en: "The relation to the person of the act must be shown.",
};
const EVIDENCE_INSUFFICIENT: Reason = Reason {
    code: "EVIDENCE_INSUFFICIENT",
    ar: "الوثائق المدلى بها لا تثبت الصلة بصاحب الرسم.",
    fr: "Les pièces fournies ne prouvent pas le lien avec la personne de l’acte.",
    en: "The evidence does not prove the relation to the person of the act.",
};
const REGISTER_NOT_HELD: Reason = Reason {
    code: "REGISTER_NOT_HELD",
    ar: "هذا السجل ليس لدى هذا المكتب.",
    fr: "Ce registre n’est pas tenu par ce bureau.",
    en: "This office does not hold this register.",
};
const REGISTER_DAMAGED: Reason = Reason {
    code: "REGISTER_DAMAGED",
    ar: "السجل متضرر ولا يمكن قراءة الرسم.",
    fr: "Le registre est endommagé et l’acte illisible.",
    en: "The register is damaged and the act cannot be read.",
};
const ACT_UNDER_CORRECTION: Reason = Reason {
    code: "ACT_UNDER_CORRECTION",
    ar: "الرسم موضوع مسطرة تصحيح.",
    fr: "L’acte fait l’objet d’une procédure de rectification.",
    en: "The act is being corrected by a court.",
};

/// For which a line is refused.
pub const REFUSALS: [Reason; 7] = [
    ACT_NOT_FOUND,
    ACT_DIFFERS,
    NOT_ENTITLED,
    EVIDENCE_INSUFFICIENT,
    REGISTER_NOT_HELD,
    REGISTER_DAMAGED,
    ACT_UNDER_CORRECTION,
];

/// For which a citizen is asked to correct.
pub const CORRECTIONS: [Reason; 3] = [ACT_NOT_FOUND, ACT_DIFFERS, EVIDENCE_NEEDED];

/// Whether the code is one of these reasons.
///
/// # Errors
/// What it must be, for whoever sent it.
pub fn check(code: &str, reasons: &[Reason]) -> Result<(), String> {
    if reasons.iter().any(|reason| reason.code == code) {
        return Ok(());
    }
    let codes: Vec<&str> = reasons.iter().map(|reason| reason.code).collect();
    Err(format!("must be one of {}", codes.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_list_takes_its_own_reasons_alone() {
        assert_eq!(check("REGISTER_DAMAGED", &REFUSALS), Ok(()));
        assert_eq!(
            check("REGISTER_DAMAGED", &CORRECTIONS),
            Err("must be one of ACT_NOT_FOUND, ACT_DIFFERS, EVIDENCE_NEEDED".to_owned())
        );
        assert!(check("", &REFUSALS).is_err());
    }

    #[test]
    fn every_reason_says_something_else_in_each_language() {
        for reason in REFUSALS.iter().chain(&CORRECTIONS) {
            assert!(
                reason.ar != reason.fr && reason.fr != reason.en,
                "{}",
                reason.code
            );
            assert!(
                [reason.ar, reason.fr, reason.en]
                    .iter()
                    .all(|text| text.ends_with('.'))
            );
        }
    }
}
