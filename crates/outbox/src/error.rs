//! The chain of causes of an error as one line, for logs and for the `parked` table.

use std::error::Error;
use std::fmt::Write;

pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        write!(text, ": {inner}").expect("writing to a string cannot fail");
        cause = inner.source();
    }
    text
}
