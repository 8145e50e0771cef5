//! A request with what the register and the sealed files say about it.

use std::collections::HashMap;

use sqlx::PgConnection;
use uuid::Uuid;

use crate::app::AppError;
use crate::domain::request::LegalisationRequest;
use crate::domain::seal_facts::SealFacts;
use crate::store::{fee_payments, seal_facts};

/// A request as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestView {
    pub request: LegalisationRequest,
    pub seal: Option<SealFacts>,
    /// Where the fee is paid, once payment has opened it.
    pub payable_id: Option<Uuid>,
}

/// How an answer is encoded, for storing it with its command.
pub type Encode<T> = fn(&T) -> Vec<u8>;

/// The view of one request.
///
/// # Errors
/// [`AppError::Store`].
pub async fn of(conn: &mut PgConnection, request: LegalisationRequest) -> Result<RequestView, AppError> {
    let mut views = of_all(conn, vec![request]).await?;
    Ok(views.remove(0))
}

/// The views of several requests, in their order.
///
/// # Errors
/// [`AppError::Store`].
pub async fn of_all(
    conn: &mut PgConnection,
    requests: Vec<LegalisationRequest>,
) -> Result<Vec<RequestView>, AppError> {
    // A request without an intent has nothing there: most lists need no second query.
    let ids: Vec<Uuid> = requests
        .iter()
        .filter(|request| request.seal.is_some())
        .map(|request| request.id)
        .collect();
    let mut facts = if ids.is_empty() {
        HashMap::new()
    } else {
        seal_facts::of(conn, &ids).await?
    };
    let with_fee: Vec<Uuid> = requests
        .iter()
        .filter(|request| request.opening.fee_centimes > 0)
        .map(|request| request.id)
        .collect();
    let mut payables: HashMap<Uuid, Uuid> = if with_fee.is_empty() {
        HashMap::new()
    } else {
        fee_payments::payables(conn, &with_fee)
            .await?
            .into_iter()
            .collect()
    };
    Ok(requests
        .into_iter()
        .map(|request| {
            let seal = facts.remove(&request.id);
            let payable_id = payables.remove(&request.id);
            RequestView {
                request,
                seal,
                payable_id,
            }
        })
        .collect())
}
