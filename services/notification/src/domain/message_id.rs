//! How a mail server, a provider or a reader recognises a message that comes twice.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::message::Channel;

/// The same for every attempt at a message: 32 hexadecimal digits derived from its cause, its recipient and its channel. A
/// message goes out twice only where the process died between the server's answer and the note of it.
pub fn reference(cause_event_id: Uuid, recipient: &str, channel: Channel) -> String {
    let mut digest = Sha256::new();
    digest.update(cause_event_id.as_bytes());
    digest.update(recipient.as_bytes());
    digest.update(channel.as_str().as_bytes());
    HEXLOWER.encode(&digest.finalize()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_repeats_and_depends_on_each_part() {
        let (event, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let first = reference(event, "a@example.ma", Channel::Email);
        assert_eq!(first.len(), 32);
        assert_eq!(first, reference(event, "a@example.ma", Channel::Email));
        assert_ne!(first, reference(other, "a@example.ma", Channel::Email));
        assert_ne!(first, reference(event, "b@example.ma", Channel::Email));
        assert_ne!(first, reference(event, "a@example.ma", Channel::Text));
    }
}
