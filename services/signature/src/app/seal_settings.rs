//! What the operator decides about seals.

use serde::Deserialize;

/// A text in the two languages of the act.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BilingualText {
    pub ar: String,
    pub fr: String,
}

/// Section `[seal]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealConfig {
    /// Where the public reaches the platform, without a slash at the end. The QR leads to `{public_url}/v/{code}`, and the page
    /// names `{public_url}/verify` to people.
    pub public_url: String,
    /// How the officer is styled on the page.
    #[serde(default = "officer_quality")]
    pub officer_quality: BilingualText,
    /// What the act attests and for how long.
    #[serde(default = "validity")]
    pub validity: BilingualText,
}

fn officer_quality() -> BilingualText {
    BilingualText {
        ar: "ضابط مفوض له في المصادقة على الإمضاءات".to_owned(),
        fr: "Officier délégué à la légalisation des signatures".to_owned(),
    }
}

fn validity() -> BilingualText {
    BilingualText {
        ar: "تشهد المصادقة على صحة الإمضاء ولا تشمل مضمون الوثيقة. وهي غير محددة المدة.".to_owned(),
        fr: "La légalisation atteste la signature et non le contenu du document. Elle est sans limitation de durée.".to_owned(),
    }
}

impl SealConfig {
    /// Where the QR of a code leads.
    pub fn qr_text(&self, code: &str) -> String {
        format!("{}/v/{code}", self.public_url)
    }

    /// Where a person types a code in.
    pub fn verification_address(&self) -> String {
        format!("{}/verify", self.public_url)
    }
}
