//! Pages of lists (AIP-158): sizes, and opaque tokens that name the last item of the page before.

use data_encoding::BASE64URL_NOPAD;
use uuid::Uuid;

use super::fields::Fields;

/// Which page is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    size: usize,
    pub(super) after: Option<Uuid>,
}

/// Sizes of a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) usual: i32,
    pub(super) largest: i32,
}

impl Page {
    pub(super) fn parse(fields: &mut Fields, sizes: Sizes, size: i32, token: &str) -> Option<Self> {
        let size = match size {
            0 => Some(sizes.usual),
            1.. => Some(size.min(sizes.largest)),
            _ => fields.fault("page_size", "OUT_OF_RANGE", "must not be negative"),
        };
        let after = after(fields, token);
        Some(Self {
            size: usize::try_from(size?).ok()?,
            after: after?,
        })
    }

    /// How many rows to ask for: one more than the page holds, to know whether there is another.
    pub(super) fn rows(self) -> i64 {
        i64::try_from(self.size + 1).unwrap_or(i64::MAX)
    }

    /// The page's items and the token of the next page; empty on the last.
    pub(super) fn of<T>(self, mut rows: Vec<T>, id: impl Fn(&T) -> Uuid) -> (Vec<T>, String) {
        let more = rows.len() > self.size;
        rows.truncate(self.size);
        let token = rows.last().filter(|_| more).map(id);
        let token = token.map(|id| BASE64URL_NOPAD.encode(id.as_bytes()));
        (rows, token.unwrap_or_default())
    }
}

fn after(fields: &mut Fields, token: &str) -> Option<Option<Uuid>> {
    if token.is_empty() {
        return Some(None);
    }
    let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).ok();
    match bytes.and_then(|bytes| Uuid::from_slice(&bytes).ok()) {
        Some(id) => Some(Some(id)),
        None => fields.fault("page_token", "MALFORMED", "must be a token of an earlier page"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: Sizes = Sizes { usual: 2, largest: 3 };

    #[test]
    fn a_token_leads_to_the_next_page_until_the_last() {
        let mut fields = Fields::default();
        let page = Page::parse(&mut fields, SIZES, 0, "").unwrap();
        assert_eq!((page.rows(), page.after), (3, None));
        let ids = [1, 2, 3].map(Uuid::from_u128).to_vec();
        let (items, token) = page.of(ids, |id| *id);
        assert_eq!(items.len(), 2);
        let next = Page::parse(&mut fields, SIZES, 9, &token).unwrap();
        assert_eq!((next.rows(), next.after), (4, Some(Uuid::from_u128(2))));
        assert_eq!(next.of(vec![Uuid::from_u128(3)], |id| *id).1, "");
        assert_eq!(Page::parse(&mut fields, SIZES, -1, ""), None);
        assert_eq!(Page::parse(&mut fields, SIZES, 1, "AAAA"), None);
        assert!(fields.finish(Some(())).is_err());
    }
}
