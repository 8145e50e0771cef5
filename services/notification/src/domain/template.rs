//! What a message says.

/// Declares the templates and their codes.
macro_rules! templates {
    ($($(#[$note:meta])* $variant:ident = $code:literal,)+) => {
        /// What a message says, as a code that stands in events, lists and metrics.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Template { $($(#[$note])* $variant),+ }

        impl Template {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            pub fn parse(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

templates! {
    /// A code or notice of identity, before identity has told which.
    Delivery = "identity.delivery",
    SignUpCode = "identity.sign_up_code",
    ContactChangeCode = "identity.contact_change_code",
    PasswordResetCode = "identity.password_reset_code",
    AccountExistsNotice = "identity.account_exists_notice",
    CredentialChangedNotice = "identity.credential_changed_notice",
    Submitted = "legalisation.submitted",
    PaymentAwaited = "legalisation.payment_awaited",
    Refused = "legalisation.refused",
    Delivered = "legalisation.delivered",
    Cancelled = "legalisation.cancelled",
    Expired = "legalisation.expired",
}

/// Messages that wait for each other and for no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Codes and notices of identity: somebody may be waiting in front of a screen.
    Code,
    /// Mails that may carry sealed files.
    Sealed,
    Other,
}

impl Lane {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 3] = [Self::Code, Self::Sealed, Self::Other];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Sealed => "sealed",
            Self::Other => "other",
        }
    }
}

impl Template {
    /// The lane in which such a message waits.
    pub fn lane(self) -> Lane {
        match self {
            Self::Delivery
            | Self::SignUpCode
            | Self::ContactChangeCode
            | Self::PasswordResetCode
            | Self::AccountExistsNotice
            | Self::CredentialChangedNotice => Lane::Code,
            Self::Delivered => Lane::Sealed,
            Self::Submitted | Self::PaymentAwaited | Self::Refused | Self::Cancelled | Self::Expired => {
                Lane::Other
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Template;

    #[test]
    fn codes_are_read_back() {
        for template in Template::ALL {
            assert_eq!(Template::parse(template.as_str()), Some(*template));
        }
        assert_eq!(Template::parse("legalisation.lost"), None);
    }
}
