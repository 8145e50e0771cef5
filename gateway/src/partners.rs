//! What partners post: providers of payments, the carrier, and the browsers that a provider sends back. None of it
//! carries a session: its own proof says whose it is, and whoever holds the proof's key says whether it holds.

/// Addresses to which partners and returning browsers post. No session is looked at, and the sender may be another site.
#[must_use]
pub fn is_partners(path: &str) -> bool {
    path.starts_with("/callbacks/") || is_carriers(path)
}

/// Of these, those to which the partner itself posts.
#[must_use]
pub fn is_told_by_partner(path: &str) -> bool {
    is_carriers(path) || path.starts_with("/callbacks/") && !path.contains("/return/")
}

/// Of these, those of payment providers, which read a bare word whatever became of their message.
#[must_use]
pub fn is_of_payment(path: &str) -> bool {
    path.starts_with("/callbacks/payments/") && is_told_by_partner(path)
}

fn is_carriers(path: &str) -> bool {
    matches!(path, "/v1/carrier/events" | "/v1/carrier/event-files")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_partners_post_goes_without_a_session() {
        for (path, partners, told) in [
            ("/callbacks/payments/cmi", true, true),
            ("/callbacks/payments/cmi/return/ok", true, false),
            ("/v1/carrier/events", true, true),
            ("/v1/carrier/event-files", true, true),
            ("/v1/carrier/events/1", false, false),
            ("/v1/payments/1", false, false),
            ("/callbacks", false, false),
        ] {
            assert_eq!(
                (is_partners(path), is_told_by_partner(path)),
                (partners, told),
                "{path}"
            );
            assert_eq!(is_of_payment(path), path == "/callbacks/payments/cmi", "{path}");
        }
    }
}
