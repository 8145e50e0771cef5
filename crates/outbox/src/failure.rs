//! What it means for a caller that the database failed.

/// Why the database did not do what it was asked, by SQLSTATE (PostgreSQL, appendix A): what passes is told apart from what is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseFailure {
    /// A concurrent transaction won: begun anew, it may succeed at once.
    LostRace,
    /// A lock or a statement took too long.
    TimedOut,
    /// It does not answer, takes nobody more, or is going down or coming up.
    Unreachable,
    /// No room on its disk.
    Full,
    /// It was asked something wrong: asking again helps nobody.
    Wrong,
}

impl DatabaseFailure {
    /// Tells by the error what it means.
    pub fn of(error: &sqlx::Error) -> Self {
        match error {
            // A connection cut while it opens is a breach of the protocol (`Protocol`).
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_) => Self::Unreachable,
            sqlx::Error::Database(refusal) => Self::by_code(refusal.code().as_deref().unwrap_or_default()),
            _ => Self::Wrong,
        }
    }

    fn by_code(code: &str) -> Self {
        match code {
            "40001" | "40P01" => Self::LostRace,
            "55P03" | "57014" => Self::TimedOut,
            "53100" => Self::Full,
            // Shutting down, starting up, dropped; closed to connections.
            "57P01" | "57P02" | "57P03" | "57P04" | "57P05" | "55000" => Self::Unreachable,
            // A connection that broke; out of connections or memory.
            code if code.starts_with("08") || code.starts_with("53") => Self::Unreachable,
            _ => Self::Wrong,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_a_database_fails_is_told_apart() {
        use DatabaseFailure::{Full, LostRace, TimedOut, Unreachable, Wrong};
        for (code, expected) in [
            ("40001", LostRace),
            ("40P01", LostRace),
            ("55P03", TimedOut),
            ("57014", TimedOut),
            ("53100", Full),
            ("53200", Unreachable),
            ("53300", Unreachable),
            ("57P01", Unreachable),
            ("57P03", Unreachable),
            ("08006", Unreachable),
            ("08P01", Unreachable),
            ("23505", Wrong),
            ("", Wrong),
        ] {
            assert_eq!(DatabaseFailure::by_code(code), expected, "{code}");
        }
    }

    #[test]
    fn a_pool_without_a_connection_is_a_database_that_does_not_answer() {
        for error in [sqlx::Error::PoolTimedOut, sqlx::Error::PoolClosed] {
            assert_eq!(DatabaseFailure::of(&error), DatabaseFailure::Unreachable);
        }
        assert_eq!(
            DatabaseFailure::of(&sqlx::Error::RowNotFound),
            DatabaseFailure::Wrong
        );
    }
}
