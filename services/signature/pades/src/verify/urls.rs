use const_oid::db::rfc5280::{ID_AD_CA_ISSUERS, ID_AD_OCSP};
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::ext::pkix::{AuthorityInfoAccessSyntax, CrlDistributionPoints};

use crate::certificate::Certificate;

/// Where a certificate says that things about it can be fetched.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RevocationUrls {
    /// Revocation lists.
    pub crl: Vec<String>,
    /// OCSP responders.
    pub ocsp: Vec<String>,
    /// Certificates of the issuer.
    pub issuers: Vec<String>,
}

/// The addresses in a certificate's extensions; none of them is to be trusted before it is compared with a list
/// of allowed hosts.
pub fn revocation_urls(certificate: &Certificate) -> RevocationUrls {
    let mut urls = RevocationUrls::default();
    if let Ok(Some((_, points))) = certificate.extension::<CrlDistributionPoints>() {
        for point in points.0 {
            if let Some(DistributionPointName::FullName(names)) = point.distribution_point {
                urls.crl.extend(names.iter().filter_map(url));
            }
        }
    }
    if let Ok(Some((_, access))) = certificate.extension::<AuthorityInfoAccessSyntax>() {
        for description in &access.0 {
            match description.access_method {
                ID_AD_OCSP => urls.ocsp.extend(url(&description.access_location)),
                ID_AD_CA_ISSUERS => urls.issuers.extend(url(&description.access_location)),
                _ => {}
            }
        }
    }
    urls
}

fn url(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::UniformResourceIdentifier(url) => Some(url.to_string()),
        _ => None,
    }
}
