//! Amounts: integer centimes of MAD. Their texts exist at the providers' edge alone.

/// Most that one payable may ask for: one million dirhams.
pub const LARGEST: i64 = 100_000_000;

/// As a provider wants it: `20.00`.
pub fn text(centimes: i64) -> String {
    format!("{}.{:02}", centimes / 100, centimes % 100)
}

/// Reads what a provider writes: digits, and a point with two more where there is one (`20`, `20.00`).
pub fn parse(text: &str) -> Option<i64> {
    let (dirhams, centimes) = match text.split_once('.') {
        Some((dirhams, centimes)) if centimes.len() == 2 => (dirhams, centimes),
        Some(_) => return None,
        None => (text, "00"),
    };
    digits(dirhams)?.checked_mul(100)?.checked_add(digits(centimes)?)
}

/// Reads minor units without a separator: `2000`.
pub fn minor(text: &str) -> Option<i64> {
    digits(text)
}

fn digits(text: &str) -> Option<i64> {
    let plain = (1..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_and_read_without_a_fraction_of_a_doubt() {
        for (centimes, written) in [(1, "0.01"), (2_000, "20.00"), (123_456, "1234.56")] {
            assert_eq!(text(centimes), written);
            assert_eq!(parse(written), Some(centimes));
        }
        assert_eq!(parse("20"), Some(2_000));
        for nonsense in [
            "", ".", "20.", "20.0", "20.000", "-20.00", "+20.00", "20,00", " 20.00", "2e3", "٢٠",
        ] {
            assert_eq!(parse(nonsense), None, "{nonsense}");
        }
        assert_eq!(parse("99999999999999999"), None);
        assert_eq!(minor("2000"), Some(2_000));
        assert_eq!(minor("20.00"), None);
    }
}
