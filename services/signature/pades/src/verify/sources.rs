//! Revocation data on its way in: which chain asks, what to ask, and whether an answer may be kept.

use chrono::{DateTime, Utc};

use super::SubIndication;
use super::chain;
use super::crl::{Crl, Revoked};
use super::ocsp::{self, Answer, OcspResponse};
use crate::certificate::Certificate;

/// What a list or an answer says of one certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is not revoked, as far as this source knows.
    Good,
    /// It is revoked since then.
    Revoked {
        /// The time of revocation.
        since: DateTime<Utc>,
        /// Only suspended (`certificateHold`): the one revocation that may end.
        on_hold: bool,
    },
    /// The source does not tell.
    Unknown,
}

impl Standing {
    fn of(revoked: Option<Revoked>, otherwise: Self) -> Self {
        revoked.map_or(otherwise, |revoked| Self::Revoked {
            since: revoked.since,
            on_hold: revoked.on_hold,
        })
    }
}

/// A list or an answer whose signature has been checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// Of the certificate that was asked for.
    pub standing: Standing,
    /// When the source knew this.
    pub this_update: DateTime<Utc>,
    /// When it will know better at the latest.
    pub next_update: Option<DateTime<Utc>>,
}

/// The chain from a certificate for signatures to an anchor, both included, in which every certificate may be used as it
/// is at a time (RFC 5280, 6: signatures, validity, CA bit, path length, key usage, no unknown critical extension).
/// Revocation is not looked at.
///
/// # Errors
/// What is wrong with the first chain, or that there is none.
pub fn path(
    certificate: &Certificate,
    others: &[Certificate],
    anchors: &[Certificate],
    at: DateTime<Utc>,
) -> Result<Vec<Certificate>, SubIndication> {
    chain::path(certificate, others, anchors, at)
}

/// Reads a revocation list that speaks for a certificate of this issuer; none where it does not, cannot be read, or is not
/// signed by the issuer. A list for some reasons only, or of another part of a divided list, never says `Good`.
pub fn read_crl(
    der: &[u8],
    certificate: &Certificate,
    issuer: &Certificate,
    is_authority: bool,
) -> Option<Said> {
    of_list(&Crl::parse(der)?, certificate, issuer, is_authority)
}

pub(super) fn of_list(
    crl: &Crl,
    certificate: &Certificate,
    issuer: &Certificate,
    is_authority: bool,
) -> Option<Said> {
    if !crl.covers(certificate, issuer, is_authority) {
        return None;
    }
    let absent = if crl.is_complete() {
        Standing::Good
    } else {
        Standing::Unknown
    };
    Some(Said {
        standing: Standing::of(crl.entry(certificate), absent),
        this_update: crl.this_update,
        next_update: crl.next_update,
    })
}

/// An OCSP request for one certificate of this issuer (RFC 6960, 4.1.1) with a nonce (RFC 8954: 1 to 32 bytes); none where
/// the issuer's key cannot be read.
pub fn ocsp_request(certificate: &Certificate, issuer: &Certificate, nonce: &[u8]) -> Option<Vec<u8>> {
    ocsp::request(certificate, issuer, nonce)
}

/// Reads an OCSP answer about a certificate; none where it is about others, or not signed by the issuer or a responder it
/// appointed, or repeats another nonce than the one that was sent. Responders that sign ahead repeat none: their answers
/// stand by `this_update` and `next_update` alone.
pub fn read_ocsp(
    der: &[u8],
    certificate: &Certificate,
    issuer: &Certificate,
    nonce: Option<&[u8]>,
) -> Option<Said> {
    let response = OcspResponse::parse(der)?;
    if let (Some(sent), Some(repeated)) = (nonce, response.nonce())
        && octets(repeated) != sent
    {
        return None;
    }
    of_answer(&response, certificate, issuer)
}

pub(super) fn of_answer(
    response: &OcspResponse,
    certificate: &Certificate,
    issuer: &Certificate,
) -> Option<Said> {
    let (status, answer) = response.status(certificate, issuer)?;
    let otherwise = match answer {
        Answer::Good => Standing::Good,
        Answer::Revoked(_) | Answer::Unknown => Standing::Unknown,
    };
    Some(Said {
        standing: Standing::of(status.revoked(), otherwise),
        this_update: status.this_update,
        next_update: status.next_update,
    })
}

/// RFC 8954 has the nonce in an octet string of its own; RFC 6960 left it open.
fn octets(nonce: &[u8]) -> &[u8] {
    match nonce {
        [0x04, length, value @ ..] if usize::from(*length) == value.len() => value,
        _ => nonce,
    }
}
