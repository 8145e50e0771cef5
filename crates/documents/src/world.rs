//! What a template can reach while it is compiled.

use std::collections::HashMap;
use std::path::PathBuf;

use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Duration};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, World};

use crate::fonts::Fonts;

/// One template and its files, for one compilation.
pub(crate) struct TemplateWorld<'engine> {
    pub(crate) library: &'engine LazyHash<Library>,
    pub(crate) book: &'engine LazyHash<FontBook>,
    pub(crate) fonts: &'engine Fonts,
    pub(crate) source: Source,
    pub(crate) files: HashMap<FileId, Bytes>,
}

/// The id of a file beside the template, or nothing when the name is not a plain file name.
///
/// Typst keeps every distinct name for the life of the process, so names must come from code and never
/// from data.
pub(crate) fn file_id(name: &str) -> Option<FileId> {
    if name.is_empty() || name.contains(['/', '\\']) || name.starts_with('.') {
        return None;
    }
    VirtualPath::new(name)
        .ok()
        .map(|path| FileId::new(RootedPath::new(VirtualRoot::Project, path)))
}

impl World for TemplateWorld<'_> {
    fn library(&self) -> &LazyHash<Library> {
        self.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        self.book
    }

    fn main(&self) -> FileId {
        self.source.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.source.id() {
            Ok(self.source.clone())
        } else if self.files.contains_key(&id) {
            Err(FileError::NotSource)
        } else {
            Err(not_found(id))
        }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        self.files.get(&id).cloned().ok_or_else(|| not_found(id))
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.get(index)
    }

    /// A document's dates come from its data: the same input must give the same file tomorrow.
    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        None
    }
}

fn not_found(id: FileId) -> FileError {
    FileError::NotFound(PathBuf::from(id.vpath().get_without_slash()))
}
