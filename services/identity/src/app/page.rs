//! Pages of lists (AIP-158). A token is the last key of the page before, opaque to the caller.

use data_encoding::BASE64URL_NOPAD;

use super::Error;

const DEFAULT_SIZE: i32 = 50;
const LARGEST: i32 = 100;

/// Which page is asked for.
#[derive(Debug, Clone)]
pub struct Page {
    size: usize,
    after: Option<String>,
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct PageOf<T> {
    pub items: Vec<T>,
    /// Empty on the last page.
    pub next_page_token: String,
}

impl Page {
    /// # Errors
    /// [`Error::Invalid`] for a negative size or a token that is none of ours.
    pub fn parse(size: i32, token: &str) -> Result<Self, Error> {
        let size = match size {
            0 => DEFAULT_SIZE,
            negative if negative < 0 => return Err(Error::field("page_size", "OUT_OF_RANGE", "negative")),
            size => size.min(LARGEST),
        };
        let after = if token.is_empty() {
            None
        } else {
            Some(decode(token)?)
        };
        Ok(Self {
            size: usize::try_from(size).unwrap_or(1),
            after,
        })
    }

    /// The last key of the page before.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is not a key of this list.
    pub fn after<K: std::str::FromStr>(&self) -> Result<Option<K>, Error> {
        self.after
            .as_deref()
            .map(|text| text.parse().map_err(|_| bad_token()))
            .transpose()
    }

    /// How many rows to ask for: one more than the page holds, to know whether there is another.
    pub fn rows(&self) -> i64 {
        i64::try_from(self.size + 1).unwrap_or(i64::MAX)
    }

    pub fn of<T>(&self, mut rows: Vec<T>, key: impl Fn(&T) -> String) -> PageOf<T> {
        let more = rows.len() > self.size;
        rows.truncate(self.size);
        let last = rows
            .last()
            .filter(|_| more)
            .map(|row| BASE64URL_NOPAD.encode(key(row).as_bytes()));
        PageOf {
            items: rows,
            next_page_token: last.unwrap_or_default(),
        }
    }
}

fn decode(token: &str) -> Result<String, Error> {
    let bytes = BASE64URL_NOPAD
        .decode(token.as_bytes())
        .map_err(|_| bad_token())?;
    String::from_utf8(bytes).map_err(|_| bad_token())
}

fn bad_token() -> Error {
    Error::field("page_token", "MALFORMED", "not a token of this list")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_to_the_next_page_until_the_last() {
        let page = Page::parse(2, "").unwrap();
        assert_eq!((page.rows(), page.after::<i32>().unwrap()), (3, None));
        let first = page.of(vec![1, 2, 3], ToString::to_string);
        assert_eq!(first.items, [1, 2]);
        let page = Page::parse(2, &first.next_page_token).unwrap();
        assert_eq!(page.after::<i32>().unwrap(), Some(2));
        assert_eq!(page.of(vec![3], ToString::to_string).next_page_token, "");
    }

    #[test]
    fn sizes_and_tokens_are_checked() {
        assert_eq!(Page::parse(0, "").unwrap().rows(), 51);
        assert_eq!(Page::parse(1_000, "").unwrap().rows(), 101);
        assert!(matches!(Page::parse(-1, ""), Err(Error::Invalid(_))));
        assert!(matches!(Page::parse(1, "!"), Err(Error::Invalid(_))));
        let token = BASE64URL_NOPAD.encode(b"x");
        assert!(matches!(
            Page::parse(1, &token).unwrap().after::<i32>(),
            Err(Error::Invalid(_))
        ));
    }
}
