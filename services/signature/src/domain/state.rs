//! States of a legalisation request, and the one table of which command leads from which state to which.

/// States of a legalisation request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    Draft,
    SignaturePlaced,
    Confirmed,
    AwaitingPayment,
    Submitted,
    AgentAccepted,
    AwaitingSignature,
    Sealed,
    Delivered,
    Refused,
    Cancelled,
    Expired,
}

/// What can be done to a legalisation request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
    PlaceSignature,
    Confirm,
    AwaitPayment,
    Submit,
    Cancel,
    Expire,
    Accept,
    Return,
    RefuseByAgent,
    RefuseByOfficer,
    AuthoriseSeal,
    AnnulIntent,
    Seal,
    Deliver,
}

impl State {
    pub const ALL: [Self; 12] = [
        Self::Draft,
        Self::SignaturePlaced,
        Self::Confirmed,
        Self::AwaitingPayment,
        Self::Submitted,
        Self::AgentAccepted,
        Self::AwaitingSignature,
        Self::Sealed,
        Self::Delivered,
        Self::Refused,
        Self::Cancelled,
        Self::Expired,
    ];

    /// The name in the database and in error texts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "DRAFT",
            Self::SignaturePlaced => "SIGNATURE_PLACED",
            Self::Confirmed => "CONFIRMED",
            Self::AwaitingPayment => "AWAITING_PAYMENT",
            Self::Submitted => "SUBMITTED",
            Self::AgentAccepted => "AGENT_ACCEPTED",
            Self::AwaitingSignature => "AWAITING_SIGNATURE",
            Self::Sealed => "SEALED",
            Self::Delivered => "DELIVERED",
            Self::Refused => "REFUSED",
            Self::Cancelled => "CANCELLED",
            Self::Expired => "EXPIRED",
        }
    }

    /// Reads [`State::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// The state that `command` leads to, or none where it is not allowed.
    pub fn after(self, command: Command) -> Option<Self> {
        match (self, command) {
            (Self::Draft | Self::SignaturePlaced, Command::PlaceSignature) => Some(Self::SignaturePlaced),
            (Self::SignaturePlaced, Command::Confirm) => Some(Self::Confirmed),
            (Self::Confirmed, Command::AwaitPayment) => Some(Self::AwaitingPayment),
            (Self::Confirmed | Self::AwaitingPayment, Command::Submit) => Some(Self::Submitted),
            (
                Self::Draft
                | Self::SignaturePlaced
                | Self::Confirmed
                | Self::AwaitingPayment
                | Self::Submitted
                | Self::AgentAccepted,
                Command::Cancel,
            ) => Some(Self::Cancelled),
            (Self::Draft | Self::SignaturePlaced | Self::AwaitingPayment, Command::Expire) => {
                Some(Self::Expired)
            }
            (Self::Submitted, Command::Accept) | (Self::AwaitingSignature, Command::AnnulIntent) => {
                Some(Self::AgentAccepted)
            }
            (Self::AgentAccepted, Command::Return) => Some(Self::Submitted),
            (Self::Submitted, Command::RefuseByAgent) | (Self::AgentAccepted, Command::RefuseByOfficer) => {
                Some(Self::Refused)
            }
            (Self::AgentAccepted, Command::AuthoriseSeal) => Some(Self::AwaitingSignature),
            (Self::AwaitingSignature, Command::Seal) => Some(Self::Sealed),
            (Self::Sealed, Command::Deliver) => Some(Self::Delivered),
            _ => None,
        }
    }

    /// Whether the office still has work on a request in this state.
    pub fn is_open_at_office(self) -> bool {
        matches!(
            self,
            Self::Submitted | Self::AgentAccepted | Self::AwaitingSignature
        )
    }

    /// Whether the state ends by itself after a while.
    pub fn expires(self) -> bool {
        self.after(Command::Expire).is_some()
    }
}

impl Command {
    pub const ALL: [Self; 14] = [
        Self::PlaceSignature,
        Self::Confirm,
        Self::AwaitPayment,
        Self::Submit,
        Self::Cancel,
        Self::Expire,
        Self::Accept,
        Self::Return,
        Self::RefuseByAgent,
        Self::RefuseByOfficer,
        Self::AuthoriseSeal,
        Self::AnnulIntent,
        Self::Seal,
        Self::Deliver,
    ];

    /// The name in error texts and in the README's table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PlaceSignature => "place signature",
            Self::Confirm => "confirm",
            Self::AwaitPayment => "await payment",
            Self::Submit => "submit",
            Self::Cancel => "cancel",
            Self::Expire => "expire",
            Self::Accept => "accept",
            Self::Return => "return",
            Self::RefuseByAgent => "refuse (agent)",
            Self::RefuseByOfficer => "refuse (officer)",
            Self::AuthoriseSeal => "authorise seal",
            Self::AnnulIntent => "annul intent",
            Self::Seal => "seal",
            Self::Deliver => "deliver",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> String {
        let mut table = "| state | command → next state |\n|---|---|\n".to_owned();
        for state in State::ALL {
            let commands: Vec<String> = Command::ALL
                .into_iter()
                .filter_map(|command| {
                    Some(format!(
                        "{} → {}",
                        command.as_str(),
                        state.after(command)?.as_str()
                    ))
                })
                .collect();
            let commands = if commands.is_empty() {
                "(final)".to_owned()
            } else {
                commands.join("<br>")
            };
            table.push_str(&format!("| {} | {commands} |\n", state.as_str()));
        }
        table
    }

    /// `UPDATE=1 cargo test` writes the table anew.
    #[test]
    fn the_readme_holds_this_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
        let readme = std::fs::read_to_string(path).unwrap();
        let (begin, end) = ("<!-- states: begin -->\n", "<!-- states: end -->");
        let (head, rest) = readme.split_once(begin).unwrap();
        let (found, tail) = rest.split_once(end).unwrap();
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, format!("{head}{begin}{}{end}{tail}", table())).unwrap();
        } else {
            assert_eq!(found, table(), "run this test once with UPDATE=1");
        }
    }
}
