//! Typst's diagnostics as plain values.

use std::fmt;

use typst::diag::SourceDiagnostic;
use typst::{World, WorldExt};

/// What Typst had to say about a template, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Line in the template's source, counted from 1, when the message belongs to one.
    pub line: Option<usize>,
    /// Typst's own words. Document text that Typst quotes is left out.
    pub message: String,
    /// Typst's advice, possibly empty.
    pub hints: Vec<String>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(formatter, "line {line}: ")?;
        }
        formatter.write_str(&self.message)?;
        self.hints
            .iter()
            .try_for_each(|hint| write!(formatter, " ({hint})"))
    }
}

/// Converts diagnostics of `world`'s main source.
pub(crate) fn convert(world: &dyn World, diagnostics: &[SourceDiagnostic]) -> Vec<Diagnostic> {
    diagnostics
        .iter()
        .map(|diagnostic| Diagnostic {
            line: line(world, diagnostic),
            message: without_document_text(&diagnostic.message),
            hints: diagnostic.hints.iter().map(|hint| hint.v.to_string()).collect(),
        })
        .collect()
}

fn line(world: &dyn World, diagnostic: &SourceDiagnostic) -> Option<usize> {
    let main = world.main();
    if diagnostic.span.id() != Some(main) {
        return None;
    }
    let start = world.range(diagnostic.span)?.start;
    let source = world.source(main).ok()?;
    source.lines().byte_to_line(start).map(|line| line + 1)
}

/// The PDF export quotes the text it cannot show, and an error must carry no person's name.
fn without_document_text(message: &str) -> String {
    match (message.find("the text `"), message.rfind('`')) {
        (Some(start), Some(end)) => {
            let start = start + "the text `".len();
            format!("{}…{}", &message[..start], &message[end.max(start)..])
        }
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_is_left_out() {
        let message = "PDF/A-2a error: the text `\"Amina `El` Idrissi\"` could not be displayed";
        assert_eq!(
            without_document_text(message),
            "PDF/A-2a error: the text `…` could not be displayed"
        );
        assert_eq!(
            without_document_text("unknown variable: x"),
            "unknown variable: x"
        );
    }
}
