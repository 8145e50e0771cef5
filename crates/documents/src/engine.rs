//! The engine: everything that is the same for each document, made once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, Datelike, Timelike, Utc};
use serde_json::Value;
use typst::foundations::{Bytes, Datetime, Smart};
use typst::syntax::{FileId, Source};
use typst::text::FontBook;
use typst::utils::LazyHash;
use typst::{Library, LibraryExt};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

use crate::diagnostic::{self, Diagnostic};
use crate::fonts::Fonts;
use crate::printable;
use crate::world::{TemplateWorld, file_id};

/// The file name under which a template reads its data.
const DATA: &str = "data.json";

/// A Typst source, parsed once for all documents; cheap to clone.
#[derive(Debug, Clone)]
pub struct Template {
    name: &'static str,
    /// Nothing where the name is no plain file name.
    source: Option<Source>,
}

impl Template {
    /// `name` is a plain file name, such as `legalisation-page.typ`, and also what errors call the template; `text` is the Typst source. What is
    /// wrong with either is told by the first rendering.
    pub fn new(name: &'static str, text: impl Into<String>) -> Self {
        let source = file_id(name).map(|id| Source::new(id, text.into()));
        Self { name, source }
    }

    /// What errors call it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The Typst source.
    pub fn text(&self) -> &str {
        self.source.as_ref().map_or("", Source::text)
    }
}

/// A template that is to fill one page at most.
#[derive(Debug, Clone, Copy)]
pub struct Fitting<'a> {
    pub template: &'a Template,
    /// Sizes of print in points, each tried until the document has one page. What is too long for the last keeps that, and
    /// has as many pages as it needs.
    pub sizes: &'a [u8],
}

/// The archival standard a document conforms to (ISO 19005), always at conformance level A: tagged,
/// with a reading order and a natural language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standard {
    /// PDF/A-2a: no embedded files other than PDF/A.
    A2a,
    /// PDF/A-3a: files of any kind may be attached by the template.
    A3a,
}

/// Why no document was made.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// Typst refused the template with this data, or warned about it.
    #[error("template {template} does not compile: {}", sentence(diagnostics))]
    Compile {
        /// The template's name.
        template: &'static str,
        /// At least one.
        diagnostics: Vec<Diagnostic>,
    },
    /// The laid-out document cannot be written in the standard asked for.
    #[error("template {template} does not export: {}", sentence(diagnostics))]
    Export {
        /// The template's name.
        template: &'static str,
        /// At least one.
        diagnostics: Vec<Diagnostic>,
    },
    /// A template or asset name is not a plain file name, or a name is used twice.
    #[error("template {template} was given a file named {name:?}")]
    FileName {
        /// The template's name.
        template: &'static str,
        /// The name at fault.
        name: String,
    },
    /// PDF dates have years 0 to 9999.
    #[error("template {template} was given a creation time outside of the years 0 to 9999")]
    Created {
        /// The template's name.
        template: &'static str,
    },
}

fn sentence(diagnostics: &[Diagnostic]) -> String {
    diagnostics
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}

/// Makes documents. Building one describes the fonts (milliseconds); share it between documents.
pub struct Engine {
    library: LazyHash<Library>,
    book: LazyHash<FontBook>,
    fonts: Fonts,
}

impl Default for Engine {
    fn default() -> Self {
        Self::new()
    }
}

impl Engine {
    /// An engine with the embedded fonts and Typst's own library, nothing else.
    pub fn new() -> Self {
        let (fonts, book) = Fonts::describe();
        Self {
            library: LazyHash::new(Library::default()),
            book: LazyHash::new(book),
            fonts,
        }
    }

    /// Renders `template` with `data` (read by the template as `json("data.json")`) and `assets`
    /// (file name and content; the format follows the extension) into a PDF/A file.
    ///
    /// `created` becomes the file's creation date, in UTC to the second. `identifier` names the document: its hash
    /// becomes the file identifier, so two renderings of one document share it. Equal input gives
    /// equal bytes.
    ///
    /// Strings in `data` are printed as they are, except that control characters become spaces, invisible
    /// formatting vanishes, and direction overrides and characters without a glyph appear as their code point
    /// (`[U+202E]`).
    ///
    /// # Errors
    /// [`RenderError`]; Typst's warnings are errors here, so that a document never goes out with a
    /// wrong font or an unsettled layout.
    pub fn render(
        &self,
        template: &Template,
        data: &Value,
        assets: &[(&str, &[u8])],
        standard: Standard,
        created: DateTime<Utc>,
        identifier: &str,
    ) -> Result<Vec<u8>, RenderError> {
        let options = options(template, standard, created, identifier)?;
        let world = self.world(template, data, assets)?;
        let _under_way = UnderWay::begin();
        compile(template, &world).and_then(|document| export(template, &world, &document, &options))
    }

    /// As [`render`](Self::render), on one page where it can be: the template reads the size of its print from `data.size`.
    /// `data` is an object.
    ///
    /// # Errors
    /// [`RenderError`].
    pub fn render_fitting(
        &self,
        Fitting { template, sizes }: Fitting<'_>,
        mut data: Value,
        assets: &[(&str, &[u8])],
        standard: Standard,
        created: DateTime<Utc>,
        identifier: &str,
    ) -> Result<Vec<u8>, RenderError> {
        let options = options(template, standard, created, identifier)?;
        let _under_way = UnderWay::begin();
        let mut sizes = sizes.iter().peekable();
        loop {
            data["size"] = sizes.next().copied().into();
            let world = self.world(template, &data, assets)?;
            let document = compile(template, &world)?;
            if document.pages().len() == 1 || sizes.peek().is_none() {
                return export(template, &world, &document, &options);
            }
        }
    }

    fn world(
        &self,
        template: &Template,
        data: &Value,
        assets: &[(&str, &[u8])],
    ) -> Result<TemplateWorld<'_>, RenderError> {
        let name_error = |name: &str| RenderError::FileName {
            template: template.name,
            name: name.to_owned(),
        };
        let id = |name: &str| file_id(name).ok_or_else(|| name_error(name));

        let source = template.source.clone().ok_or_else(|| name_error(template.name))?;
        let data = printable::value(data, &self.book).to_string();
        let mut files: HashMap<FileId, Bytes> = HashMap::from([(id(DATA)?, Bytes::from_string(data))]);
        for (name, content) in assets {
            if files.insert(id(name)?, Bytes::new(content.to_vec())).is_some() {
                return Err(name_error(name));
            }
        }
        Ok(TemplateWorld {
            library: &self.library,
            book: &self.book,
            fonts: &self.fonts,
            source,
            files,
        })
    }
}

/// A rendering under way in this process.
struct UnderWay;

/// How many there are.
static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);

impl UnderWay {
    fn begin() -> Self {
        UNDER_WAY.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for UnderWay {
    /// Typst memoises for the whole process, for an editor that compiles the same file again. While other renderings are under way they keep what
    /// they have used lately, and forms that follow each other share what they have in common; the last one to end leaves nothing behind.
    fn drop(&mut self) {
        let others = UNDER_WAY.fetch_sub(1, Ordering::Relaxed) - 1;
        comemo::evict(others);
    }
}

fn compile(template: &Template, world: &TemplateWorld<'_>) -> Result<PagedDocument, RenderError> {
    let error = |diagnostics| RenderError::Compile {
        template: template.name,
        diagnostics: diagnostic::convert(world, diagnostics),
    };
    let compiled = typst::compile::<PagedDocument>(world);
    match compiled.output {
        Ok(_) if !compiled.warnings.is_empty() => Err(error(&compiled.warnings)),
        Ok(document) => Ok(document),
        Err(errors) => Err(error(&errors)),
    }
}

fn export(
    template: &Template,
    world: &TemplateWorld<'_>,
    document: &PagedDocument,
    options: &PdfOptions,
) -> Result<Vec<u8>, RenderError> {
    typst_pdf::pdf(document, options).map_err(|errors| RenderError::Export {
        template: template.name,
        diagnostics: diagnostic::convert(world, &errors),
    })
}

fn options(
    template: &Template,
    standard: Standard,
    created: DateTime<Utc>,
    identifier: &str,
) -> Result<PdfOptions, RenderError> {
    let standard = match standard {
        Standard::A2a => PdfStandard::A_2a,
        Standard::A3a => PdfStandard::A_3a,
    };
    let created = timestamp(created).ok_or(RenderError::Created {
        template: template.name,
    })?;
    Ok(PdfOptions {
        ident: Smart::Custom(identifier.to_owned()),
        creator: Smart::Custom(Some("Wathiq".to_owned())),
        timestamp: Some(created),
        standards: PdfStandards::new(&[standard]).expect("a single archival standard contradicts nothing"),
        ..PdfOptions::default()
    })
}

fn timestamp(created: DateTime<Utc>) -> Option<Timestamp> {
    if !(0..=9999).contains(&created.year()) {
        return None;
    }
    let small = |number: u32| u8::try_from(number).ok();
    let datetime = Datetime::from_ymd_hms(
        created.year(),
        small(created.month())?,
        small(created.day())?,
        small(created.hour())?,
        small(created.minute())?,
        small(created.second())?,
    )?;
    Some(Timestamp::new_utc(datetime))
}
