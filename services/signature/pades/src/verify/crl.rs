use chrono::{DateTime, Utc};
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5280::{ID_CE_DELTA_CRL_INDICATOR, ID_CE_ISSUING_DISTRIBUTION_POINT};

use crate::asn1::{SEQUENCE, Tlv, context, context_primitive};
use crate::certificate::Certificate;
use crate::keys;

/// A certificate revocation list taken apart (RFC 5280, 5.1).
pub(super) struct Crl {
    signed: Vec<u8>,
    algorithm: Vec<u8>,
    signature: Vec<u8>,
    issuer: Vec<u8>,
    pub(super) this_update: DateTime<Utc>,
    pub(super) next_update: Option<DateTime<Utc>>,
    /// Encoded serial numbers with the time of revocation.
    revoked: Vec<(Vec<u8>, DateTime<Utc>)>,
    scope: Scope,
}

/// What a list is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Everything,
    UserCertificates,
    AuthorityCertificates,
    /// A delta, indirect or partial list, or one with an unknown critical extension.
    Unusable,
}

impl Crl {
    pub(super) fn parse(der: &[u8]) -> Option<Self> {
        let outer = Tlv::whole(der)?.children()?;
        let [signed, algorithm, signature] = outer.as_slice() else {
            return None;
        };
        let fields = signed.children()?;
        let mut fields = fields.as_slice();
        if fields.first()?.tag == crate::asn1::INTEGER {
            fields = &fields[1..];
        }
        let [_algorithm, issuer, this_update, rest @ ..] = fields else {
            return None;
        };
        let (next_update, rest) = match rest {
            [next, rest @ ..] if next.time().is_some() => (next.time(), rest),
            _ => (None, rest),
        };
        let (revoked, rest) = match rest {
            [list, rest @ ..] if list.tag == SEQUENCE => (entries(list)?, rest),
            _ => (Vec::new(), rest),
        };
        let scope = match rest.first().filter(|extensions| extensions.tag == context(0)) {
            Some(extensions) => scope(extensions)?,
            None => Scope::Everything,
        };
        Some(Self {
            signed: signed.raw.to_vec(),
            algorithm: algorithm.raw.to_vec(),
            signature: signature.bits()?.to_vec(),
            issuer: issuer.raw.to_vec(),
            this_update: this_update.time()?,
            next_update,
            revoked,
            scope,
        })
    }

    /// Whether the list speaks for a certificate, and its issuer signed it.
    pub(super) fn covers(&self, certificate: &Certificate, issuer: &Certificate, is_authority: bool) -> bool {
        let in_scope = match self.scope {
            Scope::Everything => true,
            Scope::UserCertificates => !is_authority,
            Scope::AuthorityCertificates => is_authority,
            Scope::Unusable => false,
        };
        in_scope
            && self.issuer == certificate.issuer()
            && keys::verify(
                issuer.public_key_info(),
                &self.algorithm,
                None,
                &self.signed,
                &self.signature,
            )
            .is_ok()
    }

    /// When a certificate was revoked, if it is on the list.
    pub(super) fn revoked(&self, certificate: &Certificate) -> Option<DateTime<Utc>> {
        self.revoked
            .iter()
            .find(|(serial, _)| serial == certificate.serial())
            .map(|(_, time)| *time)
    }
}

fn entries(list: &Tlv<'_>) -> Option<Vec<(Vec<u8>, DateTime<Utc>)>> {
    let entry = |entry: &Tlv<'_>| {
        let fields = entry.children()?;
        Some((fields.first()?.raw.to_vec(), fields.get(1)?.time()?))
    };
    list.children()?.iter().map(entry).collect()
}

fn scope(wrapped: &Tlv<'_>) -> Option<Scope> {
    let mut scope = Scope::Everything;
    for extension in Tlv::whole(wrapped.content)?.children()? {
        let parts = extension.children()?;
        let id: ObjectIdentifier = parts.first()?.oid()?;
        let critical = parts.len() == 3 && parts[1].content == [0xff];
        if id == ID_CE_DELTA_CRL_INDICATOR {
            return Some(Scope::Unusable);
        }
        if id == ID_CE_ISSUING_DISTRIBUTION_POINT {
            scope = distribution_point(&parts.last()?.octets()?)?;
        } else if critical {
            return Some(Scope::Unusable);
        }
    }
    Some(scope)
}

/// RFC 5280, 5.2.5.
fn distribution_point(value: &[u8]) -> Option<Scope> {
    let fields = Tlv::whole(value)?.children()?;
    let flag = |number: u8| {
        fields
            .iter()
            .any(|field| field.tag == context_primitive(number) && field.content != [0])
    };
    if flag(3) || flag(4) || flag(5) {
        return Some(Scope::Unusable);
    }
    Some(match (flag(1), flag(2)) {
        (true, _) => Scope::UserCertificates,
        (_, true) => Scope::AuthorityCertificates,
        _ => Scope::Everything,
    })
}
