//! Every refusal that is not about a field: what it is, its reason code, and what a developer is told.

/// What kind of refusal it is; the transport decides on a status by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Unknown, or not to be seen by this caller. The word is the type of the resource.
    NotFound(&'static str),
    /// Not in this state.
    Precondition,
    /// The caller saw an older version.
    Stale,
    /// A natural key is taken.
    Taken,
    /// Known, but not allowed.
    Forbidden,
    /// No valid credentials.
    Unauthenticated,
}

/// Declares the refusals with their class, reason code and text.
macro_rules! refusals {
    ($($variant:ident: $class:expr, $reason:literal, $text:literal;)+) => {
        /// A refusal.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
        pub enum Refusal { $(#[error($text)] $variant),+ }

        impl Refusal {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            pub fn class(self) -> Class {
                match self { $(Self::$variant => $class),+ }
            }

            /// The code in `ErrorInfo.reason`.
            pub fn reason(self) -> &'static str {
                match self { $(Self::$variant => $reason),+ }
            }
        }
    };
}

refusals! {
    // Sign-up and contacts.
    SignUpNotFound: Class::NotFound("sign_up"), "SIGN_UP_NOT_FOUND", "no such sign-up, or it is over";
    ContactChangeNotFound: Class::NotFound("contact_change"), "CONTACT_CHANGE_NOT_FOUND", "no such change of contact, or it is over";
    PasswordResetNotFound: Class::NotFound("password_reset"), "PASSWORD_RESET_NOT_FOUND", "no such password reset, or it is over";
    ContactAlreadyProved: Class::Precondition, "CONTACT_ALREADY_PROVED", "this contact has been proved";
    CodeWrong: Class::Precondition, "CODE_WRONG", "the code is wrong";
    CodeExpired: Class::Precondition, "CODE_EXPIRED", "the code is too old; ask for another";
    CodeBarred: Class::Precondition, "CODE_BARRED", "too many wrong codes; ask for another";
    EmailTaken: Class::Taken, "EMAIL_TAKEN", "another account uses this e-mail address";
    // People.
    PersonNotFound: Class::NotFound("person"), "PERSON_NOT_FOUND", "no such person";
    PersonNotProved: Class::Precondition, "PERSON_NOT_PROVED", "the person's identity has not been proved";
    OwnIdentity: Class::Precondition, "OWN_IDENTITY", "nobody proves their own identity or specimen";
    DocumentProvedElsewhere: Class::Taken, "IDENTITY_DOCUMENT_PROVED_ELSEWHERE", "this identity document is bound to another person";
    CivilIdentityDiffers: Class::Precondition, "CIVIL_IDENTITY_DIFFERS", "the person has been proved with another name or birth date";
    EtagStale: Class::Stale, "ETAG_STALE", "it has changed since it was read";
    // Credentials.
    CredentialsWrong: Class::Unauthenticated, "CREDENTIALS_WRONG", "login or password is wrong";
    PasswordWrong: Class::Forbidden, "PASSWORD_WRONG", "the password is wrong";
    SecondFactorWrong: Class::Forbidden, "SECOND_FACTOR_WRONG", "the code is wrong";
    SecondFactorUsed: Class::Forbidden, "SECOND_FACTOR_USED", "this code has been used; wait for the next";
    SecondFactorMissing: Class::Precondition, "SECOND_FACTOR_REQUIRED", "this account asks for a second factor";
    SecondFactorNotEnrolled: Class::Precondition, "SECOND_FACTOR_NOT_ENROLLED", "a second factor must be enrolled first";
    EnrolmentNotBegun: Class::Precondition, "TOTP_ENROLMENT_NOT_BEGUN", "no enrolment is under way, or it is too old";
    ResponseNotKept: Class::Precondition, "RESPONSE_NOT_KEPT", "this request was done, and its answer held a secret that is not kept";
    // Sessions.
    ChallengeInvalid: Class::Unauthenticated, "CHALLENGE_INVALID", "the sign-in must begin again";
    NotStaff: Class::Forbidden, "NOT_STAFF", "this account holds no role today";
    SessionInvalid: Class::Unauthenticated, "SESSION_INVALID", "no such session";
    SessionExpired: Class::Unauthenticated, "SESSION_EXPIRED", "the session is over";
    SessionNotFound: Class::NotFound("session"), "SESSION_NOT_FOUND", "no such session";
    ContactSessionNotFound: Class::NotFound("contact_session"), "CONTACT_SESSION_NOT_FOUND", "no codes are awaited here, or they are too old";
    WrongSurface: Class::Forbidden, "WRONG_SURFACE", "this cannot be done in this kind of session";
    // Offices.
    OfficeNotFound: Class::NotFound("office"), "OFFICE_NOT_FOUND", "no such office";
    OfficeClosed: Class::Precondition, "OFFICE_CLOSED", "the office is closed";
    OfficeCodeTaken: Class::Taken, "OFFICE_CODE_TAKEN", "another office has this code";
    ServiceNotOffered: Class::Precondition, "SERVICE_NOT_OFFERED", "the office does not offer this service today";
    ServicePeriodOverlaps: Class::Precondition, "SERVICE_PERIOD_OVERLAPS", "the period overlaps another of the same service";
    ServicePeriodPast: Class::Precondition, "SERVICE_PERIOD_PAST", "what is past cannot be changed";
    RoleRequired: Class::Forbidden, "ROLE_REQUIRED", "the caller does not hold the role this needs";
    MembershipNotFound: Class::NotFound("membership"), "MEMBERSHIP_NOT_FOUND", "no such membership";
    MembershipExists: Class::Taken, "MEMBERSHIP_EXISTS", "the person holds this role at this office in this time";
    MembershipEnded: Class::Precondition, "MEMBERSHIP_ENDED", "the membership has ended";
    DeputyOfDeputy: Class::Precondition, "DEPUTY_OF_DEPUTY", "a deputy stands in for a member, not for a deputy";
    DeputyMismatch: Class::Precondition, "DEPUTY_MISMATCH", "a deputy stands in for another person with the same role at the same office";
    AdministrationNotFound: Class::NotFound("administration"), "ADMINISTRATION_NOT_FOUND", "no such administration";
    // Specimens.
    SpecimenNotFound: Class::NotFound("specimen"), "SPECIMEN_NOT_FOUND", "no such specimen";
    SpecimenProved: Class::Precondition, "SPECIMEN_ALREADY_PROVED", "this specimen counts already";
    // Confirmations.
    ConfirmationNotFound: Class::NotFound("confirmation"), "CONFIRMATION_NOT_FOUND", "no such confirmation";
    ConfirmationExpired: Class::Precondition, "CONFIRMATION_EXPIRED", "the confirmation is too old";
    ConfirmationBarred: Class::Precondition, "CONFIRMATION_BARRED", "too many wrong codes; open another confirmation";
    ConfirmationGiven: Class::Precondition, "CONFIRMATION_ALREADY_GIVEN", "the confirmation has been given";
    ConfirmationOpen: Class::Precondition, "CONFIRMATION_NOT_GIVEN", "the confirmation has not been given";
    ConfirmationUsed: Class::Precondition, "CONFIRMATION_USED", "the confirmation has been used";
    ConfirmationMismatch: Class::Precondition, "CONFIRMATION_MISMATCH", "the confirmation is of another person, purpose or set of hashes";
    // Deliveries, quotas and the first administrator.
    DeliveryNotFound: Class::NotFound("delivery"), "DELIVERY_NOT_FOUND", "no such delivery";
    DeliveryTaken: Class::NotFound("delivery"), "DELIVERY_TAKEN", "the delivery has been taken";
    DeliveryExpired: Class::NotFound("delivery"), "DELIVERY_EXPIRED", "the delivery is too old to be sent";
    BootstrapDone: Class::Precondition, "BOOTSTRAP_DONE", "the first administrator exists";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_refusal_has_its_own_reason() {
        let reasons: HashSet<_> = Refusal::ALL.iter().map(|refusal| refusal.reason()).collect();
        assert_eq!(reasons.len(), Refusal::ALL.len());
        for refusal in Refusal::ALL {
            assert!(
                refusal
                    .reason()
                    .bytes()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
            );
            assert!(!refusal.to_string().ends_with('.'));
        }
    }
}
