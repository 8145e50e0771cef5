//! Civil-registry-order as a test wants it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use futures::FutureExt;
use futures::future::BoxFuture;
use uuid::Uuid;
use wathiq_notification::clients::ClientError;
use wathiq_notification::clients::civil_registry_order::{
    self, KindName, LineFacts, OfficeFacts, OrderFacts, Stage,
};
use wathiq_notification::domain::language::Language;

use super::{down, gone};

#[derive(Default)]
pub(crate) struct OrdersState {
    /// Who placed which order.
    pub(crate) people: HashMap<Uuid, Uuid>,
    /// Mailbox of an office's reminder, by office and reminder; empty where it has none.
    pub(crate) reminders: HashMap<(Uuid, Uuid), String>,
    /// The office has answered nothing, or the citizen has corrected.
    pub(crate) no_reason: bool,
    pub(crate) not_held: bool,
    /// How far the lines have come, one after the other; in production where it is not said.
    pub(crate) stages: Vec<Stage>,
    /// Whose money is not back: the first lines, so many.
    pub(crate) owed: usize,
    pub(crate) down: bool,
    /// Order and lines that facts were asked for.
    pub(crate) asked: Vec<(Uuid, Vec<Uuid>)>,
}

#[derive(Default)]
pub(crate) struct Orders(Mutex<OrdersState>);

impl Orders {
    pub(crate) fn state(&self) -> MutexGuard<'_, OrdersState> {
        self.0.lock().unwrap()
    }
}

fn line(ordinal: u8) -> LineFacts {
    LineFacts {
        reference: format!("4W7K-M2PX-93-{ordinal}"),
        kind: KindName {
            ar: "نسخة موجزة من رسم الولادة".into(),
            fr: "Extrait d'acte de naissance".into(),
            en: "Extract of a birth act".into(),
        },
        reason_code: Some("ACT_NOT_FOUND".into()),
        reason_text: Some("Vérifiez l'année <script>".into()),
        deadline: Some("2026-12-07T10:00:00Z".parse().unwrap()),
        tracking_number: Some("RR123456785MA".into()),
        held_until: Some("2026-12-05".parse().unwrap()),
        refunded_centimes: 2050,
        stage: Some(Stage::InProduction),
    }
}

/// Facts with a value in every place, about two lines.
pub(crate) fn facts(person_id: Uuid) -> OrderFacts {
    OrderFacts {
        person_id,
        reference: "4W7K-M2PX-93".into(),
        total_centimes: 4000,
        pay_before: Some("2026-11-29T12:00:00Z".parse().unwrap()),
        lines: vec![line(1), line(2)],
    }
}

/// Facts of a reminder with a value in every place.
pub(crate) fn office(email: &str) -> OfficeFacts {
    OfficeFacts {
        email: (!email.is_empty()).then(|| email.to_owned().into()),
        language: Language::French,
        name_ar: "مكتب الحالة المدنية المعاريف".into(),
        name_fr: "Bureau d'état civil Maârif".into(),
        waiting_lines: 17,
        late_lines: 3,
    }
}

impl civil_registry_order::Orders for Orders {
    fn order_facts<'a>(
        &'a self,
        order_id: Uuid,
        line_ids: &'a [Uuid],
    ) -> BoxFuture<'a, Result<OrderFacts, ClientError>> {
        let mut state = self.state();
        state.asked.push((order_id, line_ids.to_vec()));
        let answer = match state.people.get(&order_id) {
            _ if state.down => Err(down()),
            None => Err(gone("ORDER_NOT_FOUND")),
            Some(person) => {
                let mut facts = facts(*person);
                for (place, line) in facts.lines.iter_mut().enumerate() {
                    line.reason_code = line.reason_code.take().filter(|_| !state.no_reason);
                    line.held_until = line.held_until.filter(|_| !state.not_held);
                    line.stage = state.stages.get(place).copied().or(line.stage);
                    if place < state.owed {
                        line.refunded_centimes = 0;
                    }
                }
                facts.lines.truncate(line_ids.len());
                Ok(facts)
            }
        };
        async move { answer }.boxed()
    }

    fn office_facts(
        &self,
        office_id: Uuid,
        reminder_id: Uuid,
    ) -> BoxFuture<'_, Result<OfficeFacts, ClientError>> {
        let state = self.state();
        let answer = match state.reminders.get(&(office_id, reminder_id)) {
            _ if state.down => Err(down()),
            None => Err(gone("REMINDER_NOT_FOUND")),
            Some(email) => Ok(office(email)),
        };
        async move { answer }.boxed()
    }
}
