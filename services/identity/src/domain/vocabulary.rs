//! Closed sets of words. Each has one written form, used in the database and in access tokens.

/// A closed set of words with one written form each.
pub trait Word: Copy + Sized + 'static {
    /// All words of the set.
    const ALL: &'static [Self];

    /// The written form.
    fn as_str(self) -> &'static str;

    /// The word of a written form.
    fn from_str(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|word| word.as_str() == text)
    }
}

/// Declares an enum that is a [`Word`].
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $crate::domain::vocabulary::Word for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
    };
}
pub(crate) use words;

words! {
    /// Languages a person may be addressed in.
    Language { Arabic = "ar", French = "fr", Tamazight = "zgh", English = "en" }
}

words! {
    /// How a sealed document reaches the person by e-mail.
    DeliveryPreference { Attachment = "attachment", Link = "link" }
}

words! {
    /// How an identity document or a specimen was bound to a person. Another method is another word, not another table.
    ProofMethod {
        InPerson = "in_person",
        NationalEid = "national_eid",
        /// The first administrator, proved by the operator's one-time command.
        Bootstrap = "bootstrap",
    }
}

words! {
    /// How far the platform knows who a person is.
    Assurance { Contact = "contact", Claimed = "claimed", Proved = "proved" }
}

words! {
    /// The two ways a one-time code travels.
    Channel { Email = "email", Phone = "phone" }
}

words! {
    /// What a session may be used for. Staff do not act through a citizen session. A contact has no account.
    Surface { Citizen = "citizen", Staff = "staff", Contact = "contact" }
}

words! {
    /// Roles at an office.
    Role { Agent = "agent", Officer = "officer", Administrator = "administrator" }
}

words! {
    /// Services an office may offer.
    OfferedService {
        Legalisation = "legalisation",
        IdentityProof = "identity_proof",
        CivilStatusOrders = "civil_status_orders",
    }
}
