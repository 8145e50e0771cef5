//! Kinds of document, refusal reasons and the fees in force at an office.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use crate::app::{App, AppError};
use crate::domain::kind::Catalogue;
use crate::store::fees;

/// The catalogue, and fees by kind where an office was named.
#[derive(Debug)]
pub struct CatalogueView {
    pub catalogue: Arc<Catalogue>,
    pub fees: HashMap<String, i64>,
}

/// Shows the catalogue.
///
/// # Errors
/// [`AppError`].
pub async fn get_catalogue(app: &App, office_id: Option<Uuid>) -> Result<CatalogueView, AppError> {
    let fees = match office_id {
        Some(office_id) => {
            let mut conn = app.pool.acquire().await?;
            fees::in_force(&mut conn, office_id, app.ambient.now()).await?
        }
        None => HashMap::new(),
    };
    Ok(CatalogueView {
        catalogue: Arc::clone(&app.catalogue),
        fees,
    })
}
