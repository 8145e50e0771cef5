//! Judging lines as they are asked for: kind, act, office, entitlement and price; everything that is wrong at once.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{Datelike, NaiveDate};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::app::{App, AppError};
use crate::clients::identity::Office;
use crate::domain::act::Act;
use crate::domain::act_key::{ActNumber, RegisterKind, RegisterPart};
use crate::domain::clue::{Clue, TypedClue};
use crate::domain::entitlement::{self, Acts};
use crate::domain::fault::Faults;
use crate::domain::fee::{COPIES, Gap, Price, Schedule};
use crate::domain::fold::Script;
use crate::domain::kind::{self, DocumentKind, Language, Proof, Relation, Routing};
use crate::domain::person::Applicant;
use crate::store::acts::search::{self, Scope};
use crate::store::{acts, catalogue, custody, evidence, offices};

/// A line as asked for.
pub struct AskedLine {
    pub document_kind: String,
    /// Nothing where the word is unknown.
    pub language: Option<Language>,
    pub copies: i32,
    pub act: TypedClue,
    pub relation: Option<Relation>,
    /// Nothing in place of what is no id.
    pub evidence_ids: Vec<Option<Uuid>>,
    /// The office that is to make it, where one is named; the id of no office in place of what is no id.
    pub producing_office_id: Option<Uuid>,
}

/// A line that can be ordered.
pub struct JudgedLine {
    pub kind: DocumentKind,
    pub language: Language,
    pub copies: i16,
    pub price: Price,
    pub clue: Clue,
    pub relation: Relation,
    pub proof: Proof,
    pub evidence_ids: Vec<Uuid>,
    /// The office that works on it.
    pub office_id: Uuid,
    pub act_id: Option<Uuid>,
}

/// What lines are judged by on a day.
pub struct Desk {
    pub today: NaiveDate,
    pub kinds: Vec<DocumentKind>,
    pub schedule: Schedule,
    offices: Arc<HashMap<Uuid, Office>>,
}

impl Desk {
    /// Opens it: what is in force today.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn open(
        conn: &mut PgConnection,
        app: &App,
        offices: Arc<HashMap<Uuid, Office>>,
    ) -> Result<Self, AppError> {
        let today = wathiq_chassis::civil_date(app.ambient.now());
        Ok(Self {
            today,
            kinds: kind::in_force(catalogue::kinds(conn).await?, today),
            schedule: catalogue::schedule(conn).await?,
            offices,
        })
    }

    /// Kind, language, copies and price of a line, without what it says of act and people.
    pub fn quote(
        &self,
        faults: &mut Faults,
        asked: &AskedLine,
        zone: Option<&str>,
    ) -> Option<(&DocumentKind, Price)> {
        let Some(kind) = self.kinds.iter().find(|kind| kind.code == asked.document_kind) else {
            faults.note(
                "document_kind",
                "DOCUMENT_KIND_UNKNOWN",
                "must be a kind of the catalogue",
            );
            return None;
        };
        if !asked
            .language
            .is_some_and(|language| kind.languages.contains(&language))
        {
            faults.note(
                "language",
                "LANGUAGE_NOT_OFFERED",
                "must be a language of this kind of document",
            );
        }
        let copies = i16::try_from(asked.copies)
            .ok()
            .filter(|copies| COPIES.contains(copies));
        let Some(copies) = copies else {
            faults.note("copies", "OUT_OF_RANGE", "must be 1 to 10");
            return None;
        };
        Some((kind, self.price(faults, kind, zone, copies)?))
    }

    /// The price of copies of an act; what has none, and why, is noted.
    fn price(
        &self,
        faults: &mut Faults,
        kind: &DocumentKind,
        zone: Option<&str>,
        copies: i16,
    ) -> Option<Price> {
        let found = match zone {
            Some(zone) => self.schedule.price(&kind.code, zone, copies, self.today),
            None => Err(Gap::Zone),
        };
        match found.map(|price| price.times(copies)) {
            Ok(Some(price)) => return Some(price),
            Err(Gap::Kind) => faults.note("document_kind", "KIND_WITHOUT_FEE", "is not sold for now"),
            Ok(None) | Err(Gap::Zone) => {
                faults.note("document_kind", "NO_FEE", "is not sent to this country for now");
            }
            Err(Gap::Quantity) => {
                faults.note("copies", "QUANTITY_WITHOUT_FEE", "is not sold in so few copies");
            }
        }
        None
    }

    /// Judges a line whole.
    ///
    /// # Errors
    /// [`AppError`] of the database; what is wrong with the line is noted.
    pub async fn judge(
        &self,
        conn: &mut PgConnection,
        faults: &mut Faults,
        asked: AskedLine,
        zone: Option<&str>,
        applicant: &Applicant,
        person_id: Uuid,
    ) -> Result<Option<JudgedLine>, AppError> {
        let quoted = self.quote(faults, &asked, zone);
        let Some((kind, price)) = quoted else {
            return Ok(None);
        };
        let kind = kind.clone();
        self.judge_act(conn, faults, asked, &kind, price, applicant, person_id)
            .await
    }

    /// Judges what a line says of act and people, for a kind and a price that stand.
    ///
    /// # Errors
    /// As [`Desk::judge`].
    #[expect(clippy::too_many_arguments, reason = "each is another side of one line")]
    pub async fn judge_act(
        &self,
        conn: &mut PgConnection,
        faults: &mut Faults,
        asked: AskedLine,
        kind: &DocumentKind,
        price: Price,
        applicant: &Applicant,
        person_id: Uuid,
    ) -> Result<Option<JudgedLine>, AppError> {
        if asked.relation.is_none() {
            faults.note(
                "relation",
                "REQUIRED",
                "must say how the applicant stands to the person of the act",
            );
        }
        let evidence_ids = self
            .evidence(conn, faults, &asked.evidence_ids, person_id)
            .await?;
        let clue = faults.below("act", |faults| asked.act.read(faults, kind.register, self.today));
        let (Some(clue), Some(relation), Some(language)) = (clue, asked.relation, asked.language) else {
            return Ok(None);
        };
        let producing = asked.producing_office_id;
        let Some(office_id) = self.office(conn, faults, &clue, kind.routing, producing).await? else {
            return Ok(None);
        };
        let act = act_of(conn, &clue).await?.one();
        let own = if entitlement::asks_own_act(relation) {
            self.own_act(conn, applicant).await?
        } else {
            None
        };
        let acts = Acts {
            ordered: act.as_ref(),
            own: own.as_ref(),
        };
        let has_evidence = !evidence_ids.is_empty();
        let proof = entitlement::decide(kind, relation, applicant, &clue, acts, has_evidence);
        let proof = match proof {
            Ok(proof) => proof,
            Err(error) => {
                let field = match error {
                    entitlement::EntitlementError::EvidenceNeeded => "evidence_ids",
                    _ => "relation",
                };
                faults.note(field, error.reason(), error.to_string());
                return Ok(None);
            }
        };
        Ok(Some(JudgedLine {
            kind: kind.clone(),
            language,
            copies: i16::try_from(asked.copies).unwrap_or(1),
            price,
            clue,
            relation,
            proof,
            evidence_ids,
            office_id,
            act_id: act.map(|act| act.id),
        }))
    }

    /// The digitised act of birth of an applicant whose identity is proved, where there is exactly one, at whatever office.
    async fn own_act(&self, conn: &mut PgConnection, applicant: &Applicant) -> Result<Option<Act>, AppError> {
        let Some(day) = applicant.birth_date.filter(|_| applicant.proved) else {
            return Ok(None);
        };
        let scope = Scope {
            offices: self.offices.keys().copied().collect(),
            kinds: vec![RegisterKind::Birth],
        };
        let year = i16::try_from(day.year()).unwrap_or_default();
        let mut ids = Vec::new();
        for script in Script::ALL {
            let Some((given, family)) = applicant.name.in_script(script) else {
                continue;
            };
            if let Some(span) = script.key_span(family, given) {
                let found = search::of_family(conn, &scope, year, script, span).await?;
                ids.extend(found.acts.into_iter().map(|act| act.id));
            }
        }
        ids.sort_unstable();
        ids.dedup();
        let mut own = Vec::new();
        for id in ids {
            let act = acts::find(conn, id).await?;
            own.extend(act.filter(|act| entitlement::is_of(act, applicant)));
        }
        let one = own.len() == 1;
        Ok(own.pop().filter(|_| one))
    }

    /// The office that works on a line, where it is open for orders.
    async fn office(
        &self,
        conn: &mut PgConnection,
        faults: &mut Faults,
        clue: &Clue,
        routing: Routing,
        producing: Option<Uuid>,
    ) -> Result<Option<Uuid>, AppError> {
        if !self.offices.contains_key(&clue.office_id) {
            faults.note(
                "act.office_id",
                "OFFICE_UNKNOWN",
                "must be an office of civil status",
            );
            return Ok(None);
        }
        match (routing, producing) {
            (Routing::ChosenOffice, _) => return self.chosen(conn, faults, producing).await,
            (Routing::OfficeOfRegistration, None) => {}
            (Routing::OfficeOfRegistration, Some(_)) => {
                let description = "this kind of document is made by the office that holds the register";
                faults.note("producing_office_id", "OFFICE_NOT_TO_CHOOSE", description);
                return Ok(None);
            }
        }
        let year = clue.register_year(self.today);
        let holder = custody::holder(conn, clue.office_id, clue.kind, year, self.today).await?;
        if self.takes_orders(conn, holder).await? {
            return Ok(Some(holder));
        }
        faults.note(
            "act.office_id",
            "OFFICE_NOT_OPEN",
            "the office that holds this register does not take orders yet",
        );
        Ok(None)
    }

    /// Without a profile it can neither draw a document nor send a parcel.
    async fn takes_orders(&self, conn: &mut PgConnection, office_id: Uuid) -> Result<bool, AppError> {
        let open = self.offices.get(&office_id).is_some_and(|office| office.open);
        Ok(open && offices::has_profile(conn, office_id).await?)
    }

    /// The office that the applicant chose.
    async fn chosen(
        &self,
        conn: &mut PgConnection,
        faults: &mut Faults,
        producing: Option<Uuid>,
    ) -> Result<Option<Uuid>, AppError> {
        let (reason, description) = match producing.map(|id| self.offices.get(&id)) {
            Some(Some(office)) => {
                if self.takes_orders(conn, office.id).await? {
                    return Ok(Some(office.id));
                }
                ("OFFICE_NOT_OPEN", "this office does not take orders yet")
            }
            Some(None) => ("OFFICE_UNKNOWN", "must be an office of civil status"),
            None => ("REQUIRED", "must say which office is to make it"),
        };
        faults.note("producing_office_id", reason, description);
        Ok(None)
    }

    async fn evidence(
        &self,
        conn: &mut PgConnection,
        faults: &mut Faults,
        ids: &[Option<Uuid>],
        person_id: Uuid,
    ) -> Result<Vec<Uuid>, AppError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let known: Vec<Uuid> = ids.iter().flatten().copied().collect();
        let found = evidence::get(conn, &known).await?;
        for (place, id) in ids.iter().enumerate() {
            let own = found
                .iter()
                .any(|evidence| Some(evidence.id) == *id && evidence.person_id == person_id);
            if !own {
                let field = format!("evidence_ids[{place}]");
                faults.note(&field, "EVIDENCE_UNKNOWN", "must be evidence uploaded before");
            }
        }
        Ok(known)
    }
}

/// What the digitised registers have under the key of a clue.
#[derive(Debug)]
pub enum Digitised {
    One(Box<Act>),
    /// The clue names no part of the register, or not the right one: the office chooses.
    InOtherParts,
    None,
}

impl Digitised {
    /// The act, where there is no doubt.
    pub fn one(self) -> Option<Act> {
        match self {
            Self::One(act) => Some(*act),
            Self::InOtherParts | Self::None => None,
        }
    }
}

/// The digitised act of a clue. Whoever reads the key on an old document seldom knows the part of the register: where the year and number
/// are of one act alone, it is that one.
///
/// # Errors
/// [`AppError`].
pub async fn act_of(conn: &mut PgConnection, clue: &Clue) -> Result<Digitised, AppError> {
    let (Some(year), Ok(number), Ok(part)) = (
        clue.year,
        clue.number.parse::<ActNumber>(),
        clue.part.parse::<RegisterPart>(),
    ) else {
        return Ok(Digitised::None);
    };
    let scope = Scope {
        offices: vec![clue.office_id],
        kinds: vec![clue.kind],
    };
    let found = search::by_key(conn, &scope, year, None, &number).await?.acts;
    let exact = found.iter().find(|act| act.key.part == part);
    let id = match (exact, &found[..]) {
        (Some(act), _) => act.id,
        (None, [only]) if clue.part.is_empty() => only.id,
        (None, []) => return Ok(Digitised::None),
        (None, _) => return Ok(Digitised::InOtherParts),
    };
    let act = acts::find(conn, id).await?;
    Ok(act.map_or(Digitised::None, |act| Digitised::One(Box::new(act))))
}
