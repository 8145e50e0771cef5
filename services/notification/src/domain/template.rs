//! What a message says.

use chrono::TimeDelta;

/// Longer than a batch of an office or the refunds of an order take, and too short to be noticed.
const COMPANY: TimeDelta = TimeDelta::seconds(15);

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
    /// Somebody without an account proves an e-mail address or a phone.
    ContactSessionCode = "identity.contact_session_code",
    AccountExistsNotice = "identity.account_exists_notice",
    CredentialChangedNotice = "identity.credential_changed_notice",
    Submitted = "legalisation.submitted",
    PaymentAwaited = "legalisation.payment_awaited",
    Refused = "legalisation.refused",
    Delivered = "legalisation.delivered",
    Cancelled = "legalisation.cancelled",
    Expired = "legalisation.expired",
    OrderPlaced = "order.placed",
    OrderPaid = "order.paid",
    OrderExpired = "order.expired",
    OrderCancelled = "order.cancelled",
    /// Cancelled by the citizen once paid: the money goes back.
    OrderCancelledAfterPayment = "order.cancelled_after_payment",
    /// Paid when it had ended already: the money goes back.
    OrderPaidTooLate = "order.paid_too_late",
    OrderCorrectionRequested = "order.correction_requested",
    /// The post does not take the address of a parcel: the person is to correct it.
    OrderAddressRefused = "order.address_refused",
    OrderRefused = "order.refused",
    OrderOverdue = "order.overdue",
    /// The address that the post does not take was not corrected in time: nothing is sent, and the money goes back.
    OrderAddressLapsed = "order.address_lapsed",
    OrderRefunded = "order.refunded",
    /// The provider refuses to give the money back by itself: a person must.
    OrderRefundFailed = "order.refund_failed",
    OrderInProduction = "order.in_production",
    /// Made, and about to be handed to the post.
    OrderProduced = "order.produced",
    OrderHandedOver = "order.handed_over",
    OrderDeliveryAttempted = "order.delivery_attempted",
    OrderHeldForCollection = "order.held_for_collection",
    OrderDelivered = "order.delivered",
    /// Taken by somebody who is neither the addressee nor a recorded mandatary.
    OrderDeliveredToOther = "order.delivered_to_other",
    OrderDeliveredWithoutDocument = "order.delivered_without_document",
    /// On its way back to the office.
    OrderReturning = "order.returning",
    OrderReturned = "order.returned",
    /// Without news: the post is asked where it is.
    OrderClaimed = "order.claimed",
    OrderLost = "order.lost",
    /// An office's daily mail.
    OfficeReminder = "office.reminder",
    /// Few numbers of registered mail are left: the post is to allocate others.
    NumbersRunLow = "platform.numbers_run_low",
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

/// Whom a message's address and facts are asked of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A code or notice that identity holds.
    Delivery,
    /// A legalisation request.
    Legalisation,
    /// An order of civil-status acts.
    Order,
    /// An office with waiting orders.
    Office,
    /// What whoever looks after the platform has to do.
    Platform,
}

impl Template {
    pub fn subject(self) -> Subject {
        match self {
            Self::Delivery
            | Self::SignUpCode
            | Self::ContactChangeCode
            | Self::PasswordResetCode
            | Self::ContactSessionCode
            | Self::AccountExistsNotice
            | Self::CredentialChangedNotice => Subject::Delivery,
            Self::Submitted
            | Self::PaymentAwaited
            | Self::Refused
            | Self::Delivered
            | Self::Cancelled
            | Self::Expired => Subject::Legalisation,
            Self::OrderPlaced
            | Self::OrderPaid
            | Self::OrderExpired
            | Self::OrderCancelled
            | Self::OrderCancelledAfterPayment
            | Self::OrderPaidTooLate
            | Self::OrderCorrectionRequested
            | Self::OrderRefused
            | Self::OrderOverdue
            | Self::OrderAddressLapsed
            | Self::OrderRefunded
            | Self::OrderAddressRefused
            | Self::OrderRefundFailed
            | Self::OrderInProduction
            | Self::OrderProduced
            | Self::OrderHandedOver
            | Self::OrderDeliveryAttempted
            | Self::OrderHeldForCollection
            | Self::OrderDelivered
            | Self::OrderDeliveredToOther
            | Self::OrderDeliveredWithoutDocument
            | Self::OrderReturning
            | Self::OrderReturned
            | Self::OrderClaimed
            | Self::OrderLost => Subject::Order,
            Self::OfficeReminder => Subject::Office,
            Self::NumbersRunLow => Subject::Platform,
        }
    }

    /// How long such a message waits for others of the same kind about the same order, to go out as one: what happens to the lines of an
    /// order one after the other is one piece of news. A step that needs an answer, or has a reason or a number of its own, waits for nothing.
    pub fn waits_for_company(self) -> Option<TimeDelta> {
        match self {
            Self::OrderInProduction
            | Self::OrderProduced
            | Self::OrderOverdue
            | Self::OrderAddressLapsed
            | Self::OrderRefunded
            | Self::OrderRefundFailed => Some(COMPANY),
            _ => None,
        }
    }

    /// The lane in which such a message waits.
    pub fn lane(self) -> Lane {
        match (self.subject(), self) {
            (Subject::Delivery, _) => Lane::Code,
            (Subject::Legalisation, Self::Delivered) => Lane::Sealed,
            (Subject::Legalisation | Subject::Order | Subject::Office | Subject::Platform, _) => Lane::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_back() {
        for template in Template::ALL {
            assert_eq!(Template::parse(template.as_str()), Some(*template));
        }
        assert_eq!(Template::parse("legalisation.lost"), None);
    }

    #[test]
    fn a_code_names_what_it_is_about_and_codes_wait_for_nothing_else() {
        for template in Template::ALL {
            let (prefix, _) = template.as_str().split_once('.').unwrap();
            let subject = match prefix {
                "identity" => Subject::Delivery,
                "legalisation" => Subject::Legalisation,
                "order" => Subject::Order,
                "office" => Subject::Office,
                _ => Subject::Platform,
            };
            assert_eq!(template.subject(), subject, "{template:?}");
            assert_eq!(
                template.lane() == Lane::Code,
                subject == Subject::Delivery,
                "{template:?}"
            );
        }
    }
}
