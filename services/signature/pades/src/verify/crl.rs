use chrono::{DateTime, Utc};
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5280::{
    ID_CE_CRL_DISTRIBUTION_POINTS, ID_CE_CRL_REASONS, ID_CE_DELTA_CRL_INDICATOR,
    ID_CE_ISSUING_DISTRIBUTION_POINT,
};

use crate::asn1::{ENUMERATED, SEQUENCE, Tlv, context, context_primitive};
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
    revoked: Vec<Entry>,
    scope: Scope,
}

/// One certificate on a list.
struct Entry {
    /// As encoded.
    serial: Vec<u8>,
    since: DateTime<Utc>,
    on_hold: bool,
}

/// A revocation as a list or an answer tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Revoked {
    pub(super) since: DateTime<Utc>,
    /// Suspended for the time being (`certificateHold`).
    pub(super) on_hold: bool,
}

/// Which certificates a list is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holders {
    Everybody,
    Users,
    Authorities,
}

/// What a list is about (RFC 5280, 5.2.5).
#[derive(Debug, Clone, PartialEq, Eq)]
struct Scope {
    holders: Holders,
    /// Encoded names of the one distribution point the list is for; of all where it names none.
    point: Option<Vec<Vec<u8>>>,
    /// The list is about some reasons only: who is on it is revoked, who is not may be revoked all the same.
    some_reasons: bool,
    /// A delta or indirect list, one for attribute certificates, or one with an unknown critical extension.
    unusable: bool,
}

impl Scope {
    const EVERYTHING: Self = Self {
        holders: Holders::Everybody,
        point: None,
        some_reasons: false,
        unusable: false,
    };

    const UNUSABLE: Self = Self {
        unusable: true,
        ..Self::EVERYTHING
    };
}

/// CRLReason certificateHold (RFC 5280, 5.3.1).
pub(super) const CERTIFICATE_HOLD: u64 = 6;

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
            None => Scope::EVERYTHING,
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
        let holders = match self.scope.holders {
            Holders::Everybody => true,
            Holders::Users => !is_authority,
            Holders::Authorities => is_authority,
        };
        let point = match &self.scope.point {
            Some(names) => distribution_points(certificate)
                .iter()
                .any(|name| names.contains(name)),
            None => true,
        };
        !self.scope.unusable
            && holders
            && point
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

    /// Whether a certificate that is not on the list is not revoked, as far as the list is concerned.
    pub(super) fn is_complete(&self) -> bool {
        !self.scope.some_reasons
    }

    /// What the list says of a certificate that is on it.
    pub(super) fn entry(&self, certificate: &Certificate) -> Option<Revoked> {
        let entry = self
            .revoked
            .iter()
            .find(|entry| entry.serial == certificate.serial())?;
        Some(Revoked {
            since: entry.since,
            on_hold: entry.on_hold,
        })
    }
}

fn entries(list: &Tlv<'_>) -> Option<Vec<Entry>> {
    let entry = |entry: &Tlv<'_>| {
        let fields = entry.children()?;
        let extensions = fields.get(2).and_then(Tlv::children).unwrap_or_default();
        Some(Entry {
            serial: fields.first()?.raw.to_vec(),
            since: fields.get(1)?.time()?,
            on_hold: extensions
                .iter()
                .any(|extension| reason(extension) == Some(CERTIFICATE_HOLD)),
        })
    };
    list.children()?.iter().map(entry).collect()
}

fn reason(extension: &Tlv<'_>) -> Option<u64> {
    let parts = extension.children()?;
    if parts.first()?.oid()? != ID_CE_CRL_REASONS {
        return None;
    }
    Tlv::whole(&parts.last()?.octets()?)?.tagged(ENUMERATED)?.small()
}

fn scope(wrapped: &Tlv<'_>) -> Option<Scope> {
    let mut scope = Scope::EVERYTHING;
    for extension in Tlv::whole(wrapped.content)?.children()? {
        let parts = extension.children()?;
        let id: ObjectIdentifier = parts.first()?.oid()?;
        let critical = parts.len() == 3 && parts[1].content == [0xff];
        if id == ID_CE_DELTA_CRL_INDICATOR {
            return Some(Scope::UNUSABLE);
        }
        if id == ID_CE_ISSUING_DISTRIBUTION_POINT {
            scope = issuing_point(&parts.last()?.octets()?)?;
        } else if critical {
            return Some(Scope::UNUSABLE);
        }
    }
    Some(scope)
}

/// RFC 5280, 5.2.5.
fn issuing_point(value: &[u8]) -> Option<Scope> {
    let fields = Tlv::whole(value)?.children()?;
    let flag = |number: u8| {
        fields
            .iter()
            .any(|field| field.tag == context_primitive(number) && field.content != [0])
    };
    if flag(4) || flag(5) {
        return Some(Scope::UNUSABLE);
    }
    let point = match fields.iter().find(|field| field.tag == context(0)) {
        Some(point) => match full_names(point) {
            Some(names) => Some(names),
            // Relative to the issuer's name: not in use, and not understood here.
            None => return Some(Scope::UNUSABLE),
        },
        None => None,
    };
    Some(Scope {
        holders: match (flag(1), flag(2)) {
            (true, _) => Holders::Users,
            (_, true) => Holders::Authorities,
            _ => Holders::Everybody,
        },
        point,
        some_reasons: fields.iter().any(|field| field.tag == context_primitive(3)),
        unusable: false,
    })
}

/// The encoded names in a DistributionPointName that is a fullName.
fn full_names(point: &Tlv<'_>) -> Option<Vec<Vec<u8>>> {
    let names = Tlv::whole(point.content)?.tagged(context(0))?.children()?;
    Some(names.iter().map(|name| name.raw.to_vec()).collect())
}

/// The encoded names of all distribution points of a certificate (RFC 5280, 4.2.1.13).
fn distribution_points(certificate: &Certificate) -> Vec<Vec<u8>> {
    let extension = certificate
        .extensions()
        .iter()
        .find(|extension| extension.id == ID_CE_CRL_DISTRIBUTION_POINTS);
    let names = |point: Tlv<'_>| {
        let name = point
            .children()?
            .into_iter()
            .find(|field| field.tag == context(0))?;
        full_names(&name)
    };
    extension
        .and_then(|extension| Tlv::whole(&extension.value)?.children())
        .unwrap_or_default()
        .into_iter()
        .filter_map(names)
        .flatten()
        .collect()
}
