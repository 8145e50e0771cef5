//! A fact of an order as the event that tells of it. Ids, states and codes only.

use uuid::Uuid;
use wathiq_outbox::NewEvent;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::domain::order::Order;
use crate::domain::order::fact::Fact;
use crate::domain::order::line::Line;
use crate::domain::order::parcel::{ADDRESS_REFUSED, Parcel};
use crate::wire;

/// Topic of everything that happens to orders.
pub const TOPIC: &str = "wathiq.civil-registry-order.order.v1";

/// An event, its name without the package, and the lines it is about.
pub struct Told {
    pub event: NewEvent,
    pub name: &'static str,
    pub lines: Vec<Uuid>,
}

/// The event of a fact, which brought the order to `sequence`.
pub fn told(order: &Order, fact: &Fact, sequence: i64) -> Told {
    let teller = Teller {
        order,
        order_id: order.id.to_string(),
        sequence,
    };
    teller.tell(fact)
}

struct Teller<'a> {
    order: &'a Order,
    order_id: String,
    sequence: i64,
}

fn texts(ids: &[Uuid]) -> Vec<String> {
    ids.iter().map(Uuid::to_string).collect()
}

impl Teller<'_> {
    fn told<M: prost::Message + prost::Name>(&self, lines: Vec<Uuid>, message: &M) -> Told {
        Told {
            event: NewEvent::of(TOPIC, self.order.id, self.sequence, message),
            name: M::NAME,
            lines,
        }
    }

    fn line(&self, id: Uuid) -> Option<&Line> {
        self.order.line(id)
    }

    /// Why the citizen is to correct something, or a line is refused.
    fn reason(&self, id: Uuid) -> String {
        if self
            .line(id)
            .is_some_and(|line| self.order.waits_for_address(line))
        {
            return ADDRESS_REFUSED.to_owned();
        }
        let answer = self.line(id).and_then(|line| line.answer.as_ref());
        answer
            .map(|answer| answer.reason_code.clone())
            .unwrap_or_default()
    }

    fn tell(&self, fact: &Fact) -> Told {
        match fact {
            Fact::Placed => self.placed(),
            Fact::Paid { lines } => self.paid(lines),
            Fact::Expired { lines } => self.told(
                lines.clone(),
                &pb::OrderExpired {
                    order_id: self.order_id.clone(),
                    line_ids: texts(lines),
                },
            ),
            Fact::Cancelled { lines, refunding } => self.told(
                lines.clone(),
                &pb::LinesCancelled {
                    order_id: self.order_id.clone(),
                    line_ids: texts(lines),
                    refunding: *refunding,
                },
            ),
            Fact::Assigned { lines } => self.told(
                lines.clone(),
                &pb::LinesAssigned {
                    order_id: self.order_id.clone(),
                    line_ids: texts(lines),
                },
            ),
            Fact::ActFound { line } => self.told(
                vec![*line],
                &pb::LineActFound {
                    order_id: self.order_id.clone(),
                    line_id: line.to_string(),
                },
            ),
            Fact::EntitlementChecked { line } => self.told(
                vec![*line],
                &pb::LineEntitlementChecked {
                    order_id: self.order_id.clone(),
                    line_id: line.to_string(),
                },
            ),
            Fact::Released { line } => self.told(
                vec![*line],
                &pb::LineReleased {
                    order_id: self.order_id.clone(),
                    line_id: line.to_string(),
                },
            ),
            Fact::Taken { lines, path } => self.told(
                lines.clone(),
                &pb::LinesTaken {
                    order_id: self.order_id.clone(),
                    line_ids: texts(lines),
                    path: path.as_str().to_owned(),
                },
            ),
            Fact::Refunding { lines, reason } => self.told(
                lines.clone(),
                &pb::LinesRefunding {
                    order_id: self.order_id.clone(),
                    line_ids: texts(lines),
                    end_reason: reason.as_str().to_owned(),
                },
            ),
            Fact::DocumentPrepared { line }
            | Fact::CorrectionRequested { line }
            | Fact::Corrected { line }
            | Fact::Refused { line }
            | Fact::Refunded { line }
            | Fact::RefundFailed { line }
            | Fact::Produced { line } => self.of_line(fact, *line),
            Fact::Alerted { line, alert } => self.told(
                vec![*line],
                &pb::LineAlerted {
                    order_id: self.order_id.clone(),
                    line_id: line.to_string(),
                    code: alert.as_str().to_owned(),
                },
            ),
            Fact::ParcelReady { parcel }
            | Fact::HandedOver { parcel }
            | Fact::Tracked { parcel }
            | Fact::Delivered { parcel }
            | Fact::Returned { parcel } => self.of_parcel(fact, *parcel),
        }
    }

    fn placed(&self) -> Told {
        let lines: Vec<Uuid> = self.order.lines.iter().map(|line| line.id).collect();
        let message = pb::OrderPlaced {
            order_id: self.order_id.clone(),
            line_ids: texts(&lines),
            total_centimes: self.order.total_centimes,
        };
        self.told(lines, &message)
    }

    fn paid(&self, lines: &[Uuid]) -> Told {
        let payable_id = self.order.payable_id.map(|id| id.to_string());
        let message = pb::OrderPaid {
            order_id: self.order_id.clone(),
            line_ids: texts(lines),
            payable_id: payable_id.unwrap_or_default(),
        };
        self.told(lines.to_vec(), &message)
    }

    fn of_line(&self, fact: &Fact, id: Uuid) -> Told {
        let (order_id, line_id, lines) = (self.order_id.clone(), id.to_string(), vec![id]);
        match fact {
            Fact::DocumentPrepared { .. } => {
                let document = self.line(id).and_then(|line| line.document.as_ref());
                let issued = document.and_then(|document| document.issued_document_id);
                let message = pb::LineDocumentPrepared {
                    order_id,
                    line_id,
                    issued_document_id: issued.map(|id| id.to_string()).unwrap_or_default(),
                };
                self.told(lines, &message)
            }
            Fact::CorrectionRequested { .. } => {
                let deadline = self.line(id).and_then(|line| line.deadline);
                let message = pb::LineCorrectionRequested {
                    order_id,
                    line_id,
                    reason_code: self.reason(id),
                    deadline: deadline.map(wire::timestamp),
                };
                self.told(lines, &message)
            }
            Fact::Corrected { .. } => self.told(lines, &pb::LineCorrected { order_id, line_id }),
            Fact::Refused { .. } => {
                let reason_code = self.reason(id);
                let message = pb::LineRefused {
                    order_id,
                    line_id,
                    reason_code,
                };
                self.told(lines, &message)
            }
            Fact::Refunded { .. } => {
                let amount_centimes = self.line(id).map_or(0, |line| line.refunded_centimes);
                let message = pb::LineRefunded {
                    order_id,
                    line_id,
                    amount_centimes,
                };
                self.told(lines, &message)
            }
            Fact::RefundFailed { .. } => self.told(lines, &pb::LineRefundFailed { order_id, line_id }),
            _ => {
                let path = self.line(id).and_then(|line| line.path);
                let path = path.map_or("", |path| path.as_str()).to_owned();
                let message = pb::LineProduced {
                    order_id,
                    line_id,
                    path,
                };
                self.told(lines, &message)
            }
        }
    }

    fn of_parcel(&self, fact: &Fact, id: Uuid) -> Told {
        let (order_id, parcel_id) = (self.order_id.clone(), id.to_string());
        let lines: Vec<Uuid> = self.order.lines_of(id).map(|line| line.id).collect();
        let line_ids = texts(&lines);
        match fact {
            Fact::ParcelReady { .. } => {
                let shipment_id = self.order.parcel(id).and_then(|parcel| parcel.shipment_id);
                let message = pb::ParcelReady {
                    order_id,
                    parcel_id,
                    line_ids,
                    shipment_id: shipment_id.map(|id| id.to_string()).unwrap_or_default(),
                };
                self.told(lines, &message)
            }
            Fact::HandedOver { .. } => {
                let message = pb::LinesHandedOver {
                    order_id,
                    parcel_id,
                    line_ids,
                };
                self.told(lines, &message)
            }
            Fact::Delivered { .. } => {
                let parcel = self.order.parcel(id);
                let message = pb::LinesDelivered {
                    order_id,
                    parcel_id,
                    line_ids,
                    exception_code: parcel
                        .map(|parcel| parcel.exception_code.clone())
                        .unwrap_or_default(),
                };
                self.told(lines, &message)
            }
            Fact::Returned { .. } => {
                let message = pb::LinesReturned {
                    order_id,
                    parcel_id,
                    line_ids,
                };
                self.told(lines, &message)
            }
            _ => {
                let tracked = tracked(order_id, self.order.parcel(id), parcel_id, line_ids);
                self.told(lines, &tracked)
            }
        }
    }
}

fn tracked(
    order_id: String,
    parcel: Option<&Parcel>,
    parcel_id: String,
    line_ids: Vec<String>,
) -> pb::ParcelTracked {
    pb::ParcelTracked {
        order_id,
        parcel_id,
        line_ids,
        shipment_state: parcel
            .map(|parcel| parcel.shipment_state.clone())
            .unwrap_or_default(),
        held_until: parcel.and_then(|parcel| parcel.held_until).map(wire::date),
        exception_code: parcel
            .map(|parcel| parcel.exception_code.clone())
            .unwrap_or_default(),
    }
}
