//! What a message about an order of civil-status acts, or to an office with waiting orders, tells.

use chrono::{DateTime, NaiveDate, Utc};
use futures::FutureExt;
use futures::future::BoxFuture;
use secrecy::SecretString;
use tonic::Request;
use uuid::Uuid;
use wathiq_chassis::client::Channel as GrpcChannel;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;
use wathiq_proto::wathiq::civil_registry_order::v1::message_facts_service_client::MessageFactsServiceClient;

use super::{ClientError, date, instant, present};
use crate::domain::language::Language;

/// Facts about an order, or some of its lines, at the time of asking. It does not print.
pub struct OrderFacts {
    pub person_id: Uuid,
    /// As it is dictated, such as `W4K7-M2PX-93`.
    pub reference: String,
    pub total_centimes: i64,
    pub pay_before: Option<DateTime<Utc>>,
    /// At least one.
    pub lines: Vec<LineFacts>,
}

/// A line of an order. What is not there, or no longer, is absent.
pub struct LineFacts {
    /// Such as `W4K7-M2PX-93-1`.
    pub reference: String,
    pub kind: KindName,
    /// Code of the office's reason.
    pub reason_code: Option<String>,
    /// What the office wrote, in the language it chose.
    pub reason_text: Option<String>,
    pub deadline: Option<DateTime<Utc>>,
    pub tracking_number: Option<String>,
    pub held_until: Option<NaiveDate>,
    pub refunded_centimes: i64,
    /// Absent where it was not said.
    pub stage: Option<Stage>,
}

/// How far a line has come, as far as messages ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    InProduction,
    Produced,
    /// Before or after those.
    Other,
}

/// What a kind of document is called.
pub struct KindName {
    pub ar: String,
    pub fr: String,
    pub en: String,
}

/// Facts of an office's daily mail. It does not print.
pub struct OfficeFacts {
    /// Absent where the office has no mailbox.
    pub email: Option<SecretString>,
    pub language: Language,
    pub name_ar: String,
    pub name_fr: String,
    pub waiting_lines: i32,
    pub late_lines: i32,
}

/// What notification asks civil-registry-order.
pub trait Orders: Send + Sync {
    /// Facts about lines of an order; about all of them where none is named.
    fn order_facts<'a>(
        &'a self,
        order_id: Uuid,
        line_ids: &'a [Uuid],
    ) -> BoxFuture<'a, Result<OrderFacts, ClientError>>;

    /// Facts of one reminder of an office.
    fn office_facts(
        &self,
        office_id: Uuid,
        reminder_id: Uuid,
    ) -> BoxFuture<'_, Result<OfficeFacts, ClientError>>;
}

/// Civil-registry-order behind a channel.
#[derive(Clone)]
pub struct GrpcOrders {
    facts: MessageFactsServiceClient<GrpcChannel>,
}

impl GrpcOrders {
    pub fn new(channel: GrpcChannel) -> Self {
        Self {
            facts: MessageFactsServiceClient::new(channel),
        }
    }
}

impl Orders for GrpcOrders {
    fn order_facts<'a>(
        &'a self,
        order_id: Uuid,
        line_ids: &'a [Uuid],
    ) -> BoxFuture<'a, Result<OrderFacts, ClientError>> {
        let mut client = self.facts.clone();
        async move {
            let request = pb::GetOrderFactsRequest {
                order_id: order_id.to_string(),
                line_ids: line_ids.iter().map(Uuid::to_string).collect(),
            };
            order(client.get_order_facts(Request::new(request)).await?.into_inner())
        }
        .boxed()
    }

    fn office_facts(
        &self,
        office_id: Uuid,
        reminder_id: Uuid,
    ) -> BoxFuture<'_, Result<OfficeFacts, ClientError>> {
        let mut client = self.facts.clone();
        async move {
            let request = pb::GetOfficeFactsRequest {
                office_id: office_id.to_string(),
                reminder_id: reminder_id.to_string(),
            };
            let answer = client.get_office_facts(Request::new(request)).await?;
            Ok(office(answer.into_inner()))
        }
        .boxed()
    }
}

fn order(answer: pb::GetOrderFactsResponse) -> Result<OrderFacts, ClientError> {
    let person_id = Uuid::parse_str(&answer.person_id)
        .map_err(|_| ClientError::unusable("the id of who ordered is not a UUID"))?;
    if answer.lines.is_empty() {
        return Err(ClientError::unusable("an order has no lines"));
    }
    Ok(OrderFacts {
        person_id,
        reference: answer.reference,
        total_centimes: answer.total_centimes,
        pay_before: instant(answer.pay_before),
        lines: answer.lines.into_iter().map(line).collect(),
    })
}

fn line(line: pb::LineFacts) -> LineFacts {
    let stage = match line.state() {
        pb::LineState::Unspecified => None,
        pb::LineState::InProduction => Some(Stage::InProduction),
        pb::LineState::Produced => Some(Stage::Produced),
        _ => Some(Stage::Other),
    };
    LineFacts {
        stage,
        reference: line.line_reference,
        kind: KindName {
            ar: line.kind_name_ar,
            fr: line.kind_name_fr,
            en: line.kind_name_en,
        },
        reason_code: present(line.reason_code),
        reason_text: present(line.reason_text),
        deadline: instant(line.deadline),
        tracking_number: present(line.tracking_number),
        held_until: date(line.held_until),
        refunded_centimes: line.refunded_centimes,
    }
}

/// An office writes Arabic where it does not say otherwise.
fn office(answer: pb::GetOfficeFactsResponse) -> OfficeFacts {
    OfficeFacts {
        email: present(answer.email).map(SecretString::from),
        language: Language::of_tag(&answer.language).unwrap_or(Language::Arabic),
        name_ar: answer.office_name_ar,
        name_fr: answer.office_name_fr,
        waiting_lines: answer.waiting_lines,
        late_lines: answer.late_lines,
    }
}
