//! Drawing: documents of civil status from digitised acts, and the batch sheet.

mod data;
pub mod sheet;

use chrono::{DateTime, Utc};
use wathiq_documents::{Engine, Fitting, QrError, RenderError, Standard, Template, qr_svg};

use crate::domain::act::Act;
use crate::domain::act_key::RegisterKind;
use crate::domain::kind::{DocumentKind, Form, Language, SealMode};
use crate::store::offices::Profile;

/// What a template draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drawn {
    pub register: RegisterKind,
    pub form: Form,
    /// In both languages on one page; each alone is always there.
    pub bilingual: bool,
}

/// Templates and what they draw. Each template is what its form shares with the others, and the form.
const FORMS: [(Template, Drawn); 4] = [
    (
        Template {
            name: "birth-extract.typ",
            source: concat!(
                include_str!("../templates/civil-status.typ"),
                include_str!("../templates/birth-extract.typ")
            ),
        },
        Drawn {
            register: RegisterKind::Birth,
            form: Form::Extract,
            bilingual: true,
        },
    ),
    (
        Template {
            name: "birth-full-copy.typ",
            source: concat!(
                include_str!("../templates/civil-status.typ"),
                include_str!("../templates/full-copy.typ"),
                include_str!("../templates/birth-full-copy.typ")
            ),
        },
        Drawn {
            register: RegisterKind::Birth,
            form: Form::FullCopy,
            bilingual: false,
        },
    ),
    (
        Template {
            name: "death-extract.typ",
            source: concat!(
                include_str!("../templates/civil-status.typ"),
                include_str!("../templates/death-extract.typ")
            ),
        },
        Drawn {
            register: RegisterKind::Death,
            form: Form::Extract,
            bilingual: true,
        },
    ),
    (
        Template {
            name: "death-full-copy.typ",
            source: concat!(
                include_str!("../templates/civil-status.typ"),
                include_str!("../templates/full-copy.typ"),
                include_str!("../templates/death-full-copy.typ")
            ),
        },
        Drawn {
            register: RegisterKind::Death,
            form: Form::FullCopy,
            bilingual: false,
        },
    ),
];

/// What the template of this name draws, where there is one.
pub fn drawn_by(name: &str) -> Option<Drawn> {
    form(name).map(|(_, drawn)| *drawn)
}

/// Sizes of print, in points: down to what can still be read.
fn sizes(form: Form) -> &'static [u8] {
    match form {
        Form::Extract => &[10, 9, 8, 7],
        Form::FullCopy => &[9, 8, 7],
    }
}

fn form(name: &str) -> Option<&'static (Template, Drawn)> {
    FORMS
        .iter()
        .find(|(template, _)| template.name.strip_suffix(".typ") == Some(name))
}

/// The officer whom a document names.
pub struct Officer {
    pub latin: String,
    pub arabic: String,
}

/// The text of the law that a form cites.
pub struct Law {
    pub fr: String,
    pub ar: String,
}

/// All that a document is drawn from.
pub struct Drawing<'a> {
    pub act: &'a Act,
    pub kind: &'a DocumentKind,
    pub language: Language,
    pub office: &'a Profile,
    pub law: &'a Law,
    pub officer: &'a Officer,
    pub seal_mode: SealMode,
    /// Date of issue.
    pub at: DateTime<Utc>,
    /// Of the line.
    pub reference: &'a str,
    /// Code and address at which anybody verifies it: 4-4-4, and a URL.
    pub verification: Option<(&'a str, &'a str)>,
    /// Of the file: the same for every repeat.
    pub identifier: &'a str,
}

/// Why a document cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub enum DrawError {
    #[error("there is no template {0}")]
    TemplateUnknown(String),
    #[error(transparent)]
    Qr(#[from] QrError),
    #[error(transparent)]
    Barcode(#[from] wathiq_documents::NotEncodable),
    #[error("the template does not render")]
    Render(#[from] RenderError),
    #[error("drawing was interrupted")]
    Interrupted,
}

/// Draws a document of civil status as PDF/A-2a. Equal input gives equal bytes.
///
/// # Errors
/// [`DrawError`].
pub fn render_document(engine: &Engine, drawing: &Drawing<'_>) -> Result<Vec<u8>, DrawError> {
    let name = &drawing.kind.template;
    let (template, drawn) = form(name).ok_or_else(|| DrawError::TemplateUnknown(name.clone()))?;
    let data = data::of(drawing);
    let qr = match drawing.verification {
        Some((code, address)) => Some(qr_svg(&format!("{address}/v/{}", code.replace('-', "")))?),
        None => None,
    };
    let assets: Vec<(&str, &[u8])> = qr.iter().map(|svg| ("qr.svg", svg.as_bytes())).collect();
    Ok(engine.render_fitting(
        Fitting {
            template,
            sizes: sizes(drawn.form),
        },
        data,
        &assets,
        Standard::A2a,
        drawing.at,
        drawing.identifier,
    )?)
}
