//! An order with what it waits for and what happened.

use std::collections::HashMap;

use sqlx::PgConnection;
use uuid::Uuid;

use crate::app::AppError;
use crate::domain::order::Order;
use crate::domain::order::progress::Pending;
use crate::store::{history, outward};

/// An order as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderView {
    pub order: Order,
    pub pending: Vec<Pending>,
    /// Empty in lists.
    pub history: Vec<history::Entry>,
    /// Who took which parcel; where postal-shipping was asked and answered.
    pub recipients: Vec<Recipient>,
}

/// Who took a parcel. Does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient {
    pub parcel_id: Uuid,
    pub name: String,
    pub document_kind: String,
    pub document_last_four: String,
}

impl std::fmt::Debug for Recipient {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Recipient(..)")
    }
}

/// How an answer is encoded, for storing it with its command.
pub type Encode<T> = fn(&T) -> Vec<u8>;

/// The view of one order, with its history.
///
/// # Errors
/// [`AppError::Store`].
pub async fn of(conn: &mut PgConnection, order: Order) -> Result<OrderView, AppError> {
    let history = history::of(conn, order.id).await?;
    let pending = outward::pending(conn, &[order.id]).await?;
    Ok(OrderView {
        order,
        pending: pending.into_iter().map(|(_, pending)| pending).collect(),
        history,
        recipients: Vec::new(),
    })
}

/// The views of several orders, in their order, without histories.
///
/// # Errors
/// [`AppError::Store`].
pub async fn of_all(conn: &mut PgConnection, orders: Vec<Order>) -> Result<Vec<OrderView>, AppError> {
    let ids: Vec<Uuid> = orders.iter().map(|order| order.id).collect();
    let mut pending: HashMap<Uuid, Vec<Pending>> = HashMap::new();
    for (order_id, one) in outward::pending(conn, &ids).await? {
        pending.entry(order_id).or_default().push(one);
    }
    let views = orders.into_iter().map(|order| OrderView {
        pending: pending.remove(&order.id).unwrap_or_default(),
        order,
        history: Vec::new(),
        recipients: Vec::new(),
    });
    Ok(views.collect())
}
