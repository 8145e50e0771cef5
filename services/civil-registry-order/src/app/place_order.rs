//! A citizen places an order: everything is judged at once, written in one transaction, and payment is asked right after.

use chrono::{NaiveDate, TimeDelta};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;
use wathiq_chassis::{Caller, Surface};
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Prepared};
use crate::app::order_lines::{AskedLine, Desk, JudgedLine};
use crate::app::view::OrderView;
use crate::app::{App, AppError, authorise, change, drive, get_order, write};
use crate::clients::identity::Person;
use crate::domain::address::Address;
use crate::domain::clue::Clue;
use crate::domain::fault::Faults;
use crate::domain::order::Order;
use crate::domain::order::fact::{Fact, OutwardKind};
use crate::domain::order::line::Line;
use crate::domain::person::{Applicant, FullName};
use crate::domain::reference::Reference;
use crate::domain::state::LineState;
use crate::store::outward::{self, Task};
use crate::store::{catalogue, evidence, orders};

/// Most lines of an order.
const LINES: usize = 20;
/// Who else may receive a parcel, at most.
const MANDATARIES: usize = 3;
/// References tried before giving up; one is hardly ever taken.
const REFERENCES: usize = 8;
/// How long the process that writes an order keeps asking payment for itself.
const LEASE: TimeDelta = TimeDelta::seconds(15);

/// An order as asked for.
pub struct PlaceOrder {
    pub lines: Vec<AskedLine>,
    pub addressee: FullName,
    pub address: Address,
    /// Of somebody without an account.
    pub applicant: FullName,
    pub birth_date: Option<NaiveDate>,
    pub identity_document: String,
    pub mandataries: Vec<FullName>,
    pub expected_total_centimes: i64,
}

/// Places the order and asks payment for a payable; where payment does not answer, the order waits for it and says so.
///
/// # Errors
/// [`AppError`]: `PRICE_CHANGED`, and everything that is wrong with the fields.
pub async fn place_order(
    app: &App,
    caller: &Caller,
    command: &Command,
    asked: PlaceOrder,
) -> Result<OrderView, AppError> {
    authorise::orderer(caller)?;
    let gathering = async {
        let offices = app.identity.offices().await?;
        Ok((offices, app.identity.person(caller.person_id).await?))
    };
    let (order_id, task) = match idempotent::prepare(app, command, gathering).await? {
        Prepared::New(mut transaction, (offices, person)) => {
            let desk = Desk::open(&mut transaction, app, offices).await?;
            let order = judged(&mut transaction, app, &desk, caller, person, asked).await?;
            let task = write_order(&mut transaction, app, caller, order).await?;
            let order_id = task.subject;
            idempotent::finish(transaction, command, order_id.as_bytes().to_vec()).await?;
            (order_id, Some(task))
        }
        Prepared::Done(answer) => (idempotent::id_of(&answer)?, None),
    };
    if let Some(task) = task {
        drive::attempt_now(app, task).await;
    }
    get_order::shown(app, order_id).await
}

/// Notes a wrong number of lines.
pub fn check_count(faults: &mut Faults, lines: usize) {
    if lines == 0 || lines > LINES {
        faults.note("lines", "OUT_OF_RANGE", format!("must be 1 to {LINES} lines"));
    }
}

/// Whom identity knows, as applicant.
pub fn applicant_of(person: Person) -> Applicant {
    Applicant {
        name: FullName {
            given_latin: person.given_latin,
            family_latin: person.family_latin,
            given_arabic: person.given_arabic,
            family_arabic: person.family_arabic,
        },
        birth_date: person.birth_date,
        identity_document: person.identity_document,
        email: person.email,
        phone: person.phone,
        proved: person.proved,
    }
}

async fn judged(
    conn: &mut PgConnection,
    app: &App,
    desk: &Desk,
    caller: &Caller,
    person: Person,
    mut asked: PlaceOrder,
) -> Result<Order, AppError> {
    let mut faults = Faults::default();
    check_count(&mut faults, asked.lines.len());
    if asked.lines.len() > LINES {
        return Err(AppError::faults(faults));
    }
    let applicant = applicant(&mut faults, caller, person, &mut asked, desk.today);
    faults.below("addressee", |faults| asked.addressee.check(faults, true));
    faults.below("address", |faults| asked.address.check(faults));
    if asked.mandataries.len() > MANDATARIES {
        faults.note(
            "mandataries",
            "OUT_OF_RANGE",
            format!("must be at most {MANDATARIES}"),
        );
    }
    for (place, mandatary) in asked.mandataries.iter_mut().enumerate() {
        faults.below(format!("mandataries[{place}]"), |faults| {
            mandatary.check(faults, true);
        });
    }
    let zone = catalogue::zone(conn, &asked.address.country_code, desk.today).await?;
    let mut lines = Vec::with_capacity(asked.lines.len());
    for (place, line) in std::mem::take(&mut asked.lines).into_iter().enumerate() {
        let mut below = Faults::default();
        let judged = desk
            .judge(
                conn,
                &mut below,
                line,
                zone.as_deref(),
                &applicant,
                caller.person_id,
            )
            .await?;
        faults.take(&format!("lines[{place}]"), below);
        lines.extend(judged);
    }
    let clues: Vec<&Clue> = lines.iter().map(|line| &line.clue).collect();
    check_addressee(&mut faults, &asked.addressee, &applicant, &clues);
    let (true, Some(zone)) = (faults.is_empty(), zone) else {
        return Err(AppError::faults(faults));
    };
    let total: i64 = lines.iter().map(|line| line.price.amount).sum();
    if total != asked.expected_total_centimes {
        return Err(AppError::refused(
            "PRICE_CHANGED",
            "expected_total_centimes",
            format!("the order costs {total} centimes: show the price again before it is placed"),
        ));
    }
    Ok(order_of(app, caller, asked, applicant, zone, total, lines))
}

/// The applicant: as identity knows them, or, without an account, as they say.
fn applicant(
    faults: &mut Faults,
    caller: &Caller,
    person: Person,
    asked: &mut PlaceOrder,
    today: NaiveDate,
) -> Applicant {
    let known = applicant_of(person);
    if caller.surface == Surface::Citizen {
        return known;
    }
    faults.below("applicant", |faults| asked.applicant.check(faults, true));
    if asked.birth_date.is_none_or(|date| date > today) {
        faults.note(
            "applicant_birth_date",
            "REQUIRED",
            "must be the applicant's date of birth",
        );
    }
    let document = asked.identity_document.trim();
    if document.is_empty() || document.chars().count() > 40 {
        faults.note(
            "applicant_identity_document",
            "REQUIRED",
            "must be the number of the applicant's identity document",
        );
    }
    Applicant {
        name: asked.applicant.clone(),
        birth_date: asked.birth_date,
        identity_document: document.to_owned(),
        proved: false,
        ..known
    }
}

/// Only who is entitled to each act receives them: the applicant, or the person of each of the acts.
pub fn check_addressee(faults: &mut Faults, addressee: &FullName, applicant: &Applicant, clues: &[&Clue]) {
    let person_of_each = !clues.is_empty() && clues.iter().all(|clue| addressee.is_same(&clue.person));
    if addressee.has_script() && !addressee.is_same(&applicant.name) && !person_of_each {
        faults.note(
            "addressee",
            "ADDRESSEE_NOT_ENTITLED",
            "must be the applicant, or the person of every act in the order, as on the identity document",
        );
    }
}

fn order_of(
    app: &App,
    caller: &Caller,
    asked: PlaceOrder,
    applicant: Applicant,
    zone: String,
    total_centimes: i64,
    lines: Vec<JudgedLine>,
) -> Order {
    let now = app.ambient.now();
    let pay_before = now + TimeDelta::hours(app.orders.payment_hours.into());
    let id = app.ambient.uuid_v7();
    let lines = (1u8..).zip(lines).map(|(ordinal, judged)| Line {
        id: app.ambient.uuid_v7(),
        ordinal,
        state: LineState::AwaitingPayment,
        state_since: now,
        document_kind: judged.kind.code,
        kind_id: judged.kind.id,
        language: judged.language,
        copies: judged.copies,
        clue: judged.clue,
        relation: judged.relation,
        proof: judged.proof,
        evidence_ids: judged.evidence_ids,
        office_id: judged.office_id,
        price: judged.price,
        production_days: u16::try_from(judged.kind.production_working_days).unwrap_or_default(),
        deadline: Some(pay_before),
        paid_at: None,
        path: None,
        assigned_to: None,
        act_id: judged.act_id,
        confirmed_act: None,
        document: None,
        withdrawing: None,
        production: None,
        parcel_id: None,
        answer: None,
        end_reason: None,
        refunded_centimes: 0,
        refund_failed: false,
        alerted: None,
    });
    Order {
        id,
        reference: new_reference(app),
        person_id: caller.person_id,
        applicant,
        addressee: asked.addressee,
        address: asked.address,
        mandataries: asked.mandataries,
        zone,
        total_centimes,
        payable_id: None,
        pay_before,
        created_at: now,
        updated_at: now,
        version: 1,
        lines: lines.collect(),
        parcels: Vec::new(),
    }
}

fn new_reference(app: &App) -> Reference {
    let mut bytes = [0; 8];
    app.ambient.random.fill(&mut bytes);
    Reference::from_random(u64::from_be_bytes(bytes))
}

async fn write_order(
    conn: &mut PgConnection,
    app: &App,
    caller: &Caller,
    mut order: Order,
) -> Result<Task, AppError> {
    let mut left = REFERENCES;
    while !orders::insert(conn, &order).await? {
        left -= 1;
        if left == 0 {
            return Err(AppError::Stale);
        }
        order.reference = new_reference(app);
    }
    let named: Vec<Uuid> = order
        .lines
        .iter()
        .flat_map(|line| line.evidence_ids.clone())
        .collect();
    keep_evidence(conn, &named, caller.person_id, order.id).await?;
    change::tell(conn, app, &order, &Fact::Placed, order.version).await?;
    let subject = write::Subject {
        aggregate: "order",
        id: order.id,
    };
    let details = json!({ "lines": order.lines.len(), "total_centimes": order.total_centimes });
    write::audit(conn, &app.ambient, caller, "order.place", subject, details).await?;
    let task = Task {
        id: app.ambient.uuid_v7(),
        kind: OutwardKind::OpenPayable,
        subject: order.id,
        order_id: Some(order.id),
        attempts: 0,
        created_at: order.created_at,
    };
    outward::add(conn, &task, Some(order.created_at + LEASE)).await?;
    Ok(task)
}

/// Keeps evidence with the order that names it.
///
/// # Errors
/// [`AppError::Invalid`] where another order has it.
pub async fn keep_evidence(
    conn: &mut PgConnection,
    named: &[Uuid],
    person_id: Uuid,
    order_id: Uuid,
) -> Result<(), AppError> {
    let mut ids = named.to_vec();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(());
    }
    let kept = evidence::keep(conn, &ids, person_id, order_id).await?;
    if kept == ids.len() as u64 {
        return Ok(());
    }
    Err(AppError::invalid(
        "evidence_ids",
        "EVIDENCE_UNKNOWN",
        "a piece of evidence belongs to another order",
    ))
}
