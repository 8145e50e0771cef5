//! The templates of the legalisation page, by version: an intent is always prepared with the template it was frozen with.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};
use wathiq_documents::Template;

/// Templates in use, the current one last. One that pending intents may name stays here until they are sealed.
static TEMPLATES: LazyLock<[Versioned; 1]> = LazyLock::new(|| {
    let page = include_str!("../../templates/legalisation-page.typ");
    [Versioned(Template::new("legalisation-page.typ", page))]
});

/// A template with its version.
pub(crate) struct Versioned(Template);

impl Versioned {
    /// The beginning of the SHA-256 of the source: whoever changes a template has made another version.
    pub(crate) fn version(&self) -> String {
        data_encoding::HEXLOWER.encode(&Sha256::digest(self.0.text())[..8])
    }

    /// The template.
    pub(crate) fn template(&self) -> &Template {
        &self.0
    }
}

/// The template for new intents.
pub(crate) fn current() -> &'static Versioned {
    let [.., last] = &*TEMPLATES;
    last
}

/// The template of a version.
pub(crate) fn of_version(version: &str) -> Option<&'static Versioned> {
    TEMPLATES.iter().find(|template| template.version() == version)
}

/// The version of the template that new intents are frozen with.
pub fn current_template_version() -> String {
    current().version()
}
