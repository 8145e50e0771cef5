//! Drawing: documents of civil status from digitised acts, and the batch sheet. The forms of civil status that the service brings are drawn
//! here; those that are data are drawn [`aside`].

pub mod aside;
mod data;
mod example;
pub mod sheet;
mod width;

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wathiq_documents::{Engine, Fitting, QrError, RenderError, Standard, Template, qr_svg};

use crate::domain::act::Act;
use crate::domain::act_key::RegisterKind;
use crate::domain::kind::{DocumentKind, Drawn, Form, Language, SealMode};
use crate::store::offices::Profile;
use crate::store::templates::TemplateVersion;

/// Templates that the service brings, and what they draw. Each template is what its form shares with the others, and the form.
static FORMS: LazyLock<[(Template, Drawn); 4]> = LazyLock::new(|| {
    [
        (
            Template::new(
                "birth-extract.typ",
                concat!(
                    include_str!("../templates/civil-status.typ"),
                    include_str!("../templates/birth-extract.typ")
                ),
            ),
            Drawn {
                register: RegisterKind::Birth,
                form: Form::Extract,
                bilingual: true,
            },
        ),
        (
            Template::new(
                "birth-full-copy.typ",
                concat!(
                    include_str!("../templates/civil-status.typ"),
                    include_str!("../templates/full-copy.typ"),
                    include_str!("../templates/birth-full-copy.typ")
                ),
            ),
            Drawn {
                register: RegisterKind::Birth,
                form: Form::FullCopy,
                bilingual: false,
            },
        ),
        (
            Template::new(
                "death-extract.typ",
                concat!(
                    include_str!("../templates/civil-status.typ"),
                    include_str!("../templates/death-extract.typ")
                ),
            ),
            Drawn {
                register: RegisterKind::Death,
                form: Form::Extract,
                bilingual: true,
            },
        ),
        (
            Template::new(
                "death-full-copy.typ",
                concat!(
                    include_str!("../templates/civil-status.typ"),
                    include_str!("../templates/full-copy.typ"),
                    include_str!("../templates/death-full-copy.typ")
                ),
            ),
            Drawn {
                register: RegisterKind::Death,
                form: Form::FullCopy,
                bilingual: false,
            },
        ),
    ]
});

/// What the template of this name draws, where the service brings one.
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
        .find(|(template, _)| template.name().strip_suffix(".typ") == Some(name))
}

/// The officer whom a document names.
pub struct Officer {
    pub latin: String,
    pub arabic: String,
}

/// All that a document is drawn from.
pub struct Drawing<'a> {
    pub act: &'a Act,
    pub kind: &'a DocumentKind,
    pub language: Language,
    pub office: &'a Profile,
    /// The office of registration of the act, where it is known as more than an id.
    pub registered_at: Option<&'a Profile>,
    /// Gives the law that the form cites.
    pub version: &'a TemplateVersion,
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
    #[error(transparent)]
    Aside(#[from] aside::AsideError),
    #[error("drawing was interrupted")]
    Interrupted,
}

/// What a form is drawn from.
#[derive(Serialize, Deserialize)]
pub struct Page {
    data: Value,
    /// The file `qr.svg`, where there is something to verify.
    qr: Option<String>,
    at: DateTime<Utc>,
    identifier: String,
}

impl Page {
    /// The page of a document.
    ///
    /// # Errors
    /// [`QrError`].
    pub fn of(drawing: &Drawing<'_>) -> Result<Self, QrError> {
        let qr = match drawing.verification {
            Some((code, address)) => Some(qr_svg(&format!("{address}/v/{}", code.replace('-', "")))?),
            None => None,
        };
        Ok(Self {
            data: data::of(drawing),
            qr,
            at: drawing.at,
            identifier: drawing.identifier.to_owned(),
        })
    }
}

/// Draws a document of civil status, by a form that the service brings, as PDF/A-2a. Equal input gives equal bytes.
///
/// # Errors
/// [`DrawError`].
pub fn render_brought(engine: &Engine, name: &str, page: Page) -> Result<Vec<u8>, DrawError> {
    let (template, drawn) = form(name).ok_or_else(|| DrawError::TemplateUnknown(name.to_owned()))?;
    Ok(render(engine, template, drawn.form, page)?)
}

fn render(engine: &Engine, template: &Template, form: Form, page: Page) -> Result<Vec<u8>, RenderError> {
    let assets: Vec<(&str, &[u8])> = page.qr.iter().map(|svg| ("qr.svg", svg.as_bytes())).collect();
    let fitting = Fitting {
        template,
        sizes: sizes(form),
    };
    engine.render_fitting(
        fitting,
        page.data,
        &assets,
        Standard::A2a,
        page.at,
        &page.identifier,
    )
}
