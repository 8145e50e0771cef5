//! The `Range` header (RFC 9110, 14.1.2): one range of bytes.

use std::ops::Range;

/// What part of a representation is wanted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// No range, several ranges, or another unit: the whole representation is answered.
    Whole,
    /// Never empty, within the representation.
    Part(Range<u64>),
    /// No byte of the representation is in the range: 416.
    Unsatisfiable,
}

/// Reads a `Range` header against a representation of `total` bytes.
#[must_use]
pub(crate) fn wanted(header: Option<&str>, total: u64) -> Wanted {
    let Some(spec) = header.and_then(|value| value.strip_prefix("bytes=")) else {
        return Wanted::Whole;
    };
    let Some((first, last)) = spec.trim().split_once('-').filter(|_| !spec.contains(',')) else {
        return Wanted::Whole;
    };
    let range = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(total),
        (Some(first), None) if last.is_empty() => first..total,
        (None, Some(suffix)) if first.is_empty() => total.saturating_sub(suffix)..total,
        _ => return Wanted::Whole,
    };
    if range.is_empty() {
        Wanted::Unsatisfiable
    } else {
        Wanted::Part(range)
    }
}

fn number(text: &str) -> Option<u64> {
    // u64's own parser takes a sign, the header's grammar does not.
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_follow_the_rfc() {
        use Wanted::{Part, Unsatisfiable, Whole};
        for (header, expected) in [
            (None, Whole),
            (Some("bytes=0-0"), Part(0..1)),
            (Some("bytes=10-19"), Part(10..20)),
            (Some("bytes=90-"), Part(90..100)),
            (Some("bytes=90-500"), Part(90..100)),
            (Some("bytes=-10"), Part(90..100)),
            (Some("bytes=-500"), Part(0..100)),
            (Some("bytes=0-99999999999999999999999"), Part(0..100)),
            (Some("bytes=100-"), Unsatisfiable),
            (Some("bytes=99999999999999999999999-"), Unsatisfiable),
            (Some("bytes=-0"), Unsatisfiable),
            (Some("bytes=20-10"), Whole),
            (Some("bytes=0-1,5-6"), Whole),
            (Some("bytes=+1-5"), Whole),
            (Some("bytes=-"), Whole),
            (Some("bytes="), Whole),
            (Some("lines=1-2"), Whole),
        ] {
            assert_eq!(wanted(header, 100), expected, "{header:?}");
        }
        assert_eq!(wanted(Some("bytes=0-"), 0), Unsatisfiable);
    }
}
