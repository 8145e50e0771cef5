//! A message and its states: queued, then sent, failed or dropped.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::retry;
use super::template::Template;

/// How a message travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    Email,
    Text,
}

impl Channel {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Text => "text",
        }
    }

    pub fn parse(code: &str) -> Option<Self> {
        match code {
            "email" => Some(Self::Email),
            "text" => Some(Self::Text),
            _ => None,
        }
    }
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// To be sent. The code is that of the latest attempt.
    Queued { failure_code: Option<String> },
    /// The mail server or provider took it.
    Sent { at: DateTime<Utc> },
    /// It could not be sent.
    Failed { at: DateTime<Utc>, code: String },
    /// It came too late to be of use, or nobody is to be written to.
    Dropped { at: DateTime<Utc>, reason: String },
}

impl State {
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Queued { .. } => "queued",
            Self::Sent { .. } => "sent",
            Self::Failed { .. } => "failed",
            Self::Dropped { .. } => "dropped",
        }
    }

    /// When it was sent or given up.
    pub fn ended_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Queued { .. } => None,
            Self::Sent { at } | Self::Failed { at, .. } | Self::Dropped { at, .. } => Some(*at),
        }
    }

    pub fn failure_code(&self) -> Option<&str> {
        match self {
            Self::Queued { failure_code } => failure_code.as_deref(),
            Self::Sent { .. } => None,
            Self::Failed { code, .. } => Some(code),
            Self::Dropped { reason, .. } => Some(reason),
        }
    }
}

/// A message to a person. Who that is, and in which words, is known at sending time alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub id: Uuid,
    /// The event that caused it.
    pub cause_event_id: Uuid,
    /// The delivery of identity, the legalisation request, the order or the office's reminder it is about.
    pub aggregate_id: Uuid,
    /// Which parts of that: lines of the order, or the office of the reminder.
    pub about: Vec<Uuid>,
    pub template: Template,
    pub channel: Channel,
    pub state: State,
    /// Attempts begun.
    pub attempts: i32,
    pub next_attempt_at: DateTime<Utc>,
    pub give_up_at: DateTime<Utc>,
    /// Trace of the event.
    pub traceparent: Option<String>,
    pub created_at: DateTime<Utc>,
}

/// What came of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Sent,
    /// Refused for good.
    Refused {
        code: String,
    },
    /// Of no use any more, or for nobody.
    Dropped {
        reason: String,
    },
    /// Something did not answer; worth another attempt.
    Again {
        code: String,
    },
}

/// Reason of a message that was never tried in time.
pub const TOO_LATE: &str = "TOO_LATE";

impl Message {
    /// Whether it is so old that nobody should get it any more, though it was never tried: history read again, or a long
    /// standstill.
    pub fn is_stale(&self, now: DateTime<Utc>) -> bool {
        self.attempts <= 1 && now >= self.give_up_at
    }

    /// The message after an attempt. `jitter` is random.
    #[must_use]
    pub fn after(self, outcome: Outcome, now: DateTime<Utc>, jitter: u8) -> Self {
        let (state, next_attempt_at) = match outcome {
            Outcome::Sent => (State::Sent { at: now }, now),
            Outcome::Refused { code } => (State::Failed { at: now, code }, now),
            Outcome::Dropped { reason } => (State::Dropped { at: now, reason }, now),
            Outcome::Again { code } => {
                let next = now + retry::pause(self.attempts, now - self.created_at, jitter);
                if next >= self.give_up_at {
                    (State::Failed { at: now, code }, now)
                } else {
                    (
                        State::Queued {
                            failure_code: Some(code),
                        },
                        next,
                    )
                }
            }
        };
        Self {
            state,
            next_attempt_at,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn message(attempts: i32) -> Message {
        let at = DateTime::UNIX_EPOCH;
        Message {
            id: Uuid::from_u128(1),
            cause_event_id: Uuid::from_u128(2),
            aggregate_id: Uuid::from_u128(3),
            about: Vec::new(),
            template: Template::Submitted,
            channel: Channel::Email,
            state: State::Queued { failure_code: None },
            attempts,
            next_attempt_at: at,
            give_up_at: retry::give_up_at(at),
            traceparent: None,
            created_at: at,
        }
    }

    #[test]
    fn an_attempt_ends_a_message_or_puts_it_off() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::seconds(5);
        let code = || "SMTP_550".to_owned();
        assert_eq!(
            message(1).after(Outcome::Sent, now, 0).state,
            State::Sent { at: now }
        );
        let refused = message(1).after(Outcome::Refused { code: code() }, now, 0).state;
        assert_eq!(
            refused,
            State::Failed {
                at: now,
                code: code()
            }
        );
        let late = message(1)
            .after(Outcome::Dropped { reason: code() }, now, 0)
            .state;
        assert_eq!(
            late,
            State::Dropped {
                at: now,
                reason: code()
            }
        );
        let again = message(3).after(Outcome::Again { code: code() }, now, 255);
        assert_eq!(
            again.state,
            State::Queued {
                failure_code: Some(code())
            }
        );
        assert_eq!(again.next_attempt_at, now + TimeDelta::milliseconds(4800));
    }

    #[test]
    fn patience_ends() {
        let now = DateTime::UNIX_EPOCH + retry::PATIENCE - TimeDelta::minutes(1);
        let again = message(300).after(
            Outcome::Again {
                code: "SMTP_UNREACHABLE".into(),
            },
            now,
            128,
        );
        assert_eq!(
            again.state,
            State::Failed {
                at: now,
                code: "SMTP_UNREACHABLE".into()
            }
        );
    }

    #[test]
    fn only_what_was_never_tried_is_stale() {
        let late = DateTime::UNIX_EPOCH + retry::PATIENCE;
        assert!(message(1).is_stale(late));
        assert!(!message(2).is_stale(late));
        assert!(!message(1).is_stale(late - TimeDelta::seconds(1)));
    }
}
