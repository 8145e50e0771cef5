use std::cell::Cell;
use std::collections::HashSet;

use super::crl::Crl;
use super::ocsp::OcspResponse;
use super::{RevocationData, TrustContext};
use crate::certificate::Certificate;
use crate::syntax::{Dictionary, Document, Value, decode_stream};

/// Bytes one item of the security store may decode to.
const ITEM_LIMIT: usize = 16 * 1024 * 1024;

/// Bytes all items of one kind may decode to.
const STORE_LIMIT: usize = 64 * 1024 * 1024;

/// Items of each kind that are read from the security store.
const MAX_ITEMS: usize = 1000;

/// Certificates and revocation data from the caller and from the file.
pub(super) struct Material {
    pub(super) certificates: Vec<Certificate>,
    pub(super) crls: Vec<(Origin, Crl)>,
    pub(super) ocsps: Vec<(Origin, OcspResponse)>,
    pub(super) has_store: bool,
    /// Signatures of certificates that may still be checked for this file.
    pub(super) checks: Cell<usize>,
}

/// Where revocation data comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The file's own security store (`/DSS`).
    File,
    /// The caller.
    Context,
}

impl Material {
    /// What cannot be read is left out: material only ever helps.
    pub(super) fn gather(document: &Document<'_>, context: &TrustContext) -> Self {
        let mut material = Self {
            certificates: context.certificates.clone(),
            crls: Vec::new(),
            ocsps: Vec::new(),
            has_store: false,
            checks: super::chain::budget(),
        };
        material.read_store(document);
        for data in &context.revocation {
            match data {
                RevocationData::Crl(der) => material
                    .crls
                    .extend(Crl::parse(der).map(|crl| (Origin::Context, crl))),
                RevocationData::Ocsp(der) => {
                    material
                        .ocsps
                        .extend(OcspResponse::parse(der).map(|ocsp| (Origin::Context, ocsp)));
                }
            }
        }
        material
    }

    /// EN 319 142-1, 5.4.2: `/DSS` of the catalogue with its arrays of streams.
    fn read_store(&mut self, document: &Document<'_>) {
        let Ok(catalogue) = document.catalogue() else {
            return;
        };
        let Some(catalogue) = catalogue.value.dictionary() else {
            return;
        };
        let Ok(Some(store)) = document.get(catalogue, b"DSS") else {
            return;
        };
        let Some(store) = store.dictionary() else { return };
        self.has_store = true;
        self.certificates
            .extend(items(document, store, b"Certs").filter_map(|der| Certificate::from_der(&der).ok()));
        self.crls.extend(
            items(document, store, b"CRLs").filter_map(|der| Some((Origin::File, Crl::parse(&der)?))),
        );
        self.ocsps.extend(
            items(document, store, b"OCSPs")
                .filter_map(|der| Some((Origin::File, OcspResponse::parse(&der)?))),
        );
    }
}

fn items<'v>(
    document: &'v Document<'_>,
    store: &Dictionary<'v>,
    key: &[u8],
) -> impl Iterator<Item = Vec<u8>> + use<'v> {
    let list = document.get(store, key).ok().flatten();
    let references: Vec<Value<'v>> = list.as_ref().and_then(Value::array).unwrap_or_default().to_vec();
    let mut seen = HashSet::new();
    let mut left = STORE_LIMIT;
    references
        .into_iter()
        .take(MAX_ITEMS)
        .filter_map(move |reference| {
            if !seen.insert(reference.reference()?) {
                return None;
            }
            let loaded = document.load(&reference).ok()??;
            let item = decode_stream(
                Some(document),
                loaded.value.dictionary()?,
                loaded.stream?,
                ITEM_LIMIT.min(left),
            )
            .ok()?;
            left -= item.len();
            Some(item)
        })
}
