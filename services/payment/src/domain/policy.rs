//! How long things may take.

use chrono::TimeDelta;

/// Longest pause between two looks at the same attempt.
const LONGEST: TimeDelta = TimeDelta::minutes(15);

/// Attempts of one payable that are under way at the same time.
pub const MAX_ATTEMPTS: usize = 10;
/// Requests to one phone within a day.
pub const MAX_PROMPTS_OF_PHONE: i64 = 5;
/// Requests to phones that one payer asks for within a day.
pub const MAX_PROMPTS_OF_PAYER: i64 = 10;
/// Refusals after which a capture and the giving back of a transaction raise the alarm, and which a refund has at least before it fails.
pub const MAX_REFUSALS: i32 = 5;
/// How long nothing else is begun while the success with which the payer came back is being confirmed.
pub const CONFIRMING: TimeDelta = TimeDelta::minutes(15);
/// Longest pause between two tries of a refund that is refused.
const LONGEST_BETWEEN_REFUNDS: TimeDelta = TimeDelta::hours(12);

/// Times by which the machine goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// First pause between two looks; it doubles with each.
    pub poll: TimeDelta,
    /// After which what is authorised and not captured is captured by our own request.
    pub capture_after: TimeDelta,
    /// How long after its end a session is asked about a last time.
    pub margin: TimeDelta,
    /// How long a credit without an answer is given to show up, before it is sent again.
    pub unknown: TimeDelta,
    /// How soon something that was just told is looked at.
    pub soon: TimeDelta,
    /// How long a refund is tried although it is refused: acquirers credit nothing before the day's captures are settled.
    pub refund_patience: TimeDelta,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            poll: TimeDelta::seconds(30),
            capture_after: TimeDelta::hours(1),
            margin: TimeDelta::minutes(2),
            unknown: TimeDelta::minutes(2),
            soon: TimeDelta::seconds(2),
            refund_patience: TimeDelta::days(2),
        }
    }
}

impl Policy {
    /// The pause after so many looks.
    pub fn pause(&self, tries: i32) -> TimeDelta {
        let factor = 1 << tries.clamp(0, 10);
        (self.poll * factor).min(LONGEST.max(self.poll))
    }

    /// The pause before a transaction that could not be given back, after so many refusals, is given back again: long enough for what else is
    /// to be done on its attempt to come first.
    pub fn again(&self, refusals: i32) -> TimeDelta {
        self.pause(refusals).max(self.unknown + self.soon * 2)
    }

    /// The pause before a refund is sent again that was refused so many times; it doubles with each.
    pub fn again_refund(&self, refusals: i32) -> TimeDelta {
        let factor = 1 << refusals.saturating_sub(1).clamp(0, 16);
        ((self.unknown + self.soon * 2) * factor).min(LONGEST_BETWEEN_REFUNDS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_quarter_of_an_hour() {
        let policy = Policy::default();
        let seconds: Vec<i64> = (0..8).map(|tries| policy.pause(tries).num_seconds()).collect();
        assert_eq!(seconds, [30, 60, 120, 240, 480, 900, 900, 900]);
        assert_eq!(policy.pause(i32::MAX), LONGEST);
    }

    #[test]
    fn a_refused_refund_is_tried_for_two_days_and_not_too_often() {
        let policy = Policy::default();
        let (mut waited, mut tries) = (TimeDelta::zero(), 0);
        while waited < policy.refund_patience {
            tries += 1;
            waited += policy.again_refund(tries);
        }
        assert!((MAX_REFUSALS..20).contains(&tries), "{tries}");
        assert_eq!(policy.again_refund(i32::MAX), LONGEST_BETWEEN_REFUNDS);
    }
}
