//! The offices whose registers can be ordered from today.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::Datelike;
use uuid::Uuid;
use wathiq_chassis::civil_date;

use crate::app::{App, AppError};
use crate::clients::identity::Office;
use crate::domain::act_key::RegisterKind;
use crate::store::custody::{self, Held};
use crate::store::offices::{self, Moved};

/// An office of registration, and the offices that take orders for its registers.
#[derive(Debug, Clone)]
pub struct Offered {
    pub office: Office,
    pub holders: Vec<Uuid>,
}

/// A page of the offices by code, those right below a `parent` where one is named; and the id after which the next page begins. An office that
/// was closed or merged is offered where whoever holds its registers takes orders.
///
/// # Errors
/// [`AppError`].
pub async fn list_order_offices(
    app: &App,
    parent: Option<Uuid>,
    after: Option<Uuid>,
    size: u16,
) -> Result<(Vec<Offered>, Option<Uuid>), AppError> {
    let known = app.identity.offices().await?;
    let mut conn = app.pool.acquire().await?;
    let today = civil_date(app.ambient.now());
    let registers = Registers {
        offices: &known,
        profiled: offices::with_profile(&mut conn).await?,
        held: custody::held_by(&mut conn, Vec::new(), today).await?,
        moved: offices::moved(&mut conn, today).await?,
        this_year: i16::try_from(today.year()).unwrap_or(i16::MAX),
    };
    let mut wanted: Vec<&Office> = known
        .values()
        .filter(|office| parent.is_none() || office.parent_id == parent)
        .collect();
    wanted.sort_unstable_by(|one, other| (&one.code, one.id).cmp(&(&other.code, other.id)));
    let begin = match after {
        Some(id) => wanted
            .iter()
            .position(|office| office.id == id)
            .map_or(wanted.len(), |place| place + 1),
        None => 0,
    };
    let mut offered = wanted[begin..]
        .iter()
        .filter_map(|office| registers.offered(office));
    let page: Vec<Offered> = offered.by_ref().take(size.into()).collect();
    let next = page.last().map(|last| last.office.id);
    let more = offered.next().is_some();
    Ok((page, next.filter(|_| more)))
}

struct Registers<'a> {
    offices: &'a HashMap<Uuid, Office>,
    profiled: HashSet<Uuid>,
    held: Held,
    moved: Moved,
    this_year: i16,
}

impl Registers<'_> {
    fn offered(&self, office: &Office) -> Option<Offered> {
        let takes_orders = |holder: &Uuid| {
            let open = self.offices.get(holder).is_some_and(|office| office.open);
            open && self.profiled.contains(holder)
        };
        let holders: Vec<Uuid> = self.holders(office.id).into_iter().filter(takes_orders).collect();
        (!holders.is_empty()).then(|| Offered {
            office: office.clone(),
            holders,
        })
    }

    /// The offices that hold registers of an office. Between two years at which something moved, all are held by one.
    fn holders(&self, office_id: Uuid) -> BTreeSet<Uuid> {
        if !self.moved.offices.contains(&office_id) {
            return BTreeSet::from([office_id]);
        }
        let years = self.moved.years.iter().copied().chain([self.this_year]);
        years
            .filter(|year| *year <= self.this_year)
            .flat_map(|year| {
                RegisterKind::ALL
                    .iter()
                    .map(move |kind| self.held.holder(office_id, *kind, year))
            })
            .collect()
    }
}
