//! Rows by column, as `unnest` takes them.

/// A column of rows.
pub(crate) fn each<'a, R, T>(rows: &'a [R], get: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(get).collect()
}
