//! States of lines, what may be done in each, and the state of an order as its lines give it.

use crate::domain::words::words;

words! {
    /// State of a line: one act at one office, a process of its own.
    pub enum LineState {
        AwaitingPayment = "AWAITING_PAYMENT",
        Paid = "PAID",
        ToCorrect = "TO_CORRECT",
        InProduction = "IN_PRODUCTION",
        Produced = "PRODUCED",
        HandedOver = "HANDED_OVER",
        Delivered = "DELIVERED",
        Returned = "RETURNED",
        Refunding = "REFUNDING",
        Refunded = "REFUNDED",
        Cancelled = "CANCELLED",
        Expired = "EXPIRED",
    }
}

words! {
    /// What happens to a line.
    pub enum Step {
        Pay = "pay",
        Expire = "expire",
        Cancel = "cancel",
        Take = "take",
        Release = "give back",
        RequestCorrection = "request correction",
        Correct = "correct",
        Refuse = "refuse",
        Produce = "produce",
        HandOver = "hand over",
        Deliver = "deliver",
        Return = "return",
        Lose = "lose",
        Overdue = "let lapse",
        Refund = "refund",
    }
}

words! {
    /// State of an order.
    pub enum OrderState {
        AwaitingPayment = "AWAITING_PAYMENT",
        ActionNeeded = "ACTION_NEEDED",
        InProgress = "IN_PROGRESS",
        Completed = "COMPLETED",
        Cancelled = "CANCELLED",
        Expired = "EXPIRED",
        Refunded = "REFUNDED",
    }
}

words! {
    /// How a document is made.
    pub enum Path {
        Paper = "PAPER",
        Digitised = "DIGITISED",
    }
}

words! {
    /// Why the money of a line goes back.
    pub enum EndReason {
        Refused = "REFUSED",
        Cancelled = "CANCELLED",
        Overdue = "OVERDUE",
        /// The post does not take the address, and it was not corrected in time.
        AddressRefused = "ADDRESS_REFUSED",
        Lost = "LOST",
        /// Paid although it had ended unpaid.
        Expired = "EXPIRED",
    }
}

words! {
    /// What a person must look at.
    pub enum Alert {
        PaidNotProduced = "PAID_NOT_PRODUCED",
        ProducedNotPosted = "PRODUCED_NOT_POSTED",
        PostedAndSilent = "POSTED_AND_SILENT",
        RefundOverdue = "REFUND_OVERDUE",
        /// It came back, and nobody has asked for it.
        ReturnedAndKept = "RETURNED_AND_KEPT",
    }
}

impl LineState {
    /// The state after a step, where the step is possible.
    pub fn after(self, step: Step) -> Option<Self> {
        Some(match (self, step) {
            (Self::AwaitingPayment, Step::Pay) => Self::Paid,
            // Paid at the last moment, while the order ended.
            (Self::Cancelled | Self::Expired, Step::Pay) => Self::Refunding,
            (Self::AwaitingPayment, Step::Expire) => Self::Expired,
            (Self::AwaitingPayment, Step::Cancel) => Self::Cancelled,
            (Self::Paid | Self::ToCorrect, Step::Cancel) => Self::Refunding,
            (Self::Paid, Step::Take) => Self::InProduction,
            (Self::InProduction, Step::Release) => Self::Paid,
            (Self::Paid | Self::InProduction, Step::RequestCorrection) => Self::ToCorrect,
            (Self::ToCorrect, Step::Correct) => Self::Paid,
            (Self::Paid | Self::ToCorrect | Self::InProduction, Step::Refuse | Step::Overdue)
            // It cannot be sent: the address that the post does not take was not corrected.
            | (Self::Produced, Step::Overdue) => Self::Refunding,
            (Self::InProduction, Step::Produce) => Self::Produced,
            (Self::Produced, Step::HandOver) => Self::HandedOver,
            (Self::HandedOver, Step::Deliver) => Self::Delivered,
            (Self::HandedOver, Step::Return) => Self::Returned,
            (Self::HandedOver, Step::Lose) => Self::Refunding,
            (Self::Refunding, Step::Refund) => Self::Refunded,
            _ => return None,
        })
    }

    /// Nothing more happens to it by itself.
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Self::Delivered | Self::Returned | Self::Refunded | Self::Cancelled | Self::Expired
        )
    }

    /// The document is still to be made.
    pub fn is_before_production_ends(self) -> bool {
        matches!(
            self,
            Self::AwaitingPayment | Self::Paid | Self::ToCorrect | Self::InProduction
        )
    }

    /// It was paid, and the money is not going back.
    pub fn is_owed(self) -> bool {
        matches!(
            self,
            Self::Paid
                | Self::ToCorrect
                | Self::InProduction
                | Self::Produced
                | Self::HandedOver
                | Self::Delivered
                | Self::Returned
        )
    }
}

/// The state of an order with lines in these states; never stored.
pub fn order_state(lines: &[LineState]) -> OrderState {
    let any = |wanted: LineState| lines.contains(&wanted);
    let all = |wanted: LineState| lines.iter().all(|state| *state == wanted);
    if any(LineState::AwaitingPayment) {
        OrderState::AwaitingPayment
    } else if any(LineState::ToCorrect) {
        OrderState::ActionNeeded
    } else if lines.iter().any(|state| !state.is_final()) {
        OrderState::InProgress
    } else if any(LineState::Delivered) || any(LineState::Returned) {
        OrderState::Completed
    } else if any(LineState::Refunded) {
        OrderState::Refunded
    } else if all(LineState::Expired) {
        OrderState::Expired
    } else {
        OrderState::Cancelled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One row a state: the steps that are possible, and where they lead.
    fn table() -> String {
        let mut table = String::from("| state | step → next state |\n|---|---|\n");
        for state in LineState::ALL {
            let steps: Vec<String> = Step::ALL
                .iter()
                .filter_map(|step| {
                    let next = state.after(*step)?;
                    Some(format!("{} → {}", step.as_str(), next.as_str()))
                })
                .collect();
            let steps = if steps.is_empty() {
                "(final)".to_owned()
            } else {
                steps.join("<br>")
            };
            table.push_str(&format!("| {} | {steps} |\n", state.as_str()));
        }
        table
    }

    /// The README shows this table; `UPDATE=1` writes it there.
    #[test]
    fn the_readme_shows_every_state_and_step() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
        let readme = std::fs::read_to_string(path).unwrap();
        let (begin, end) = ("<!-- states: begin -->\n", "<!-- states: end -->");
        let (before, rest) = readme.split_once(begin).unwrap();
        let (shown, after) = rest.split_once(end).unwrap();
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, format!("{before}{begin}{}{end}{after}", table())).unwrap();
            return;
        }
        assert_eq!(shown, table());
    }

    #[test]
    fn a_line_in_production_cannot_be_cancelled_and_money_never_goes_back_twice() {
        assert_eq!(LineState::InProduction.after(Step::Cancel), None);
        for step in Step::ALL {
            assert_eq!(LineState::Refunded.after(*step), None);
            let again = LineState::Refunding.after(*step);
            assert!(again.is_none_or(|state| state == LineState::Refunded));
        }
    }

    #[test]
    fn every_state_but_the_first_is_reached_and_every_one_ends() {
        for state in &LineState::ALL[1..] {
            let reached = LineState::ALL
                .iter()
                .any(|from| Step::ALL.iter().any(|step| from.after(*step) == Some(*state)));
            assert!(reached, "{}", state.as_str());
        }
        for state in LineState::ALL.iter().filter(|state| !state.is_final()) {
            assert!(Step::ALL.iter().any(|step| state.after(*step).is_some()));
        }
    }

    #[test]
    fn an_order_is_what_its_lines_are() {
        use LineState as L;
        for (lines, state) in [
            (
                vec![L::AwaitingPayment, L::AwaitingPayment],
                OrderState::AwaitingPayment,
            ),
            (vec![L::Paid, L::Delivered], OrderState::InProgress),
            (vec![L::ToCorrect, L::HandedOver], OrderState::ActionNeeded),
            (vec![L::Delivered, L::Refunded], OrderState::Completed),
            (vec![L::Returned, L::Refunded], OrderState::Completed),
            (vec![L::Refunded, L::Refunded], OrderState::Refunded),
            (vec![L::Refunding, L::Refunded], OrderState::InProgress),
            (vec![L::Cancelled], OrderState::Cancelled),
            (vec![L::Expired, L::Expired], OrderState::Expired),
        ] {
            assert_eq!(order_state(&lines), state, "{lines:?}");
        }
    }
}
