//! Typst as a library: a template and JSON data become a PDF/A file.
//!
//! The engine knows no document of its own: a service owns its templates
//! (`services/<name>/templates`) and hands over the source, the data and the images.
//!
//! What a template can reach is what the caller gave: `data.json`, the named assets and the fonts
//! compiled into this crate. There is no file system, no package registry, no network and no clock
//! behind it, so equal input gives equal bytes and a template cannot leak or fetch anything.
//!
//! Data is text, never markup: values are read with `json("data.json")` and printed as strings.
//! Characters that would reorder the line or that no embedded font can draw are replaced before
//! the template sees them (see [`Engine::render`]), because PDF/A forbids a missing glyph and one odd
//! character in a name must neither stop a document nor change how it reads.

mod code128;
mod diagnostic;
mod engine;
mod fonts;
mod printable;
mod qr;
mod world;

pub use code128::{NotEncodable, code128_svg};
pub use diagnostic::Diagnostic;
pub use engine::{Engine, Fitting, RenderError, Standard, Template};
pub use qr::{QrError, qr_svg};
