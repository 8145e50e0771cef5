use uuid::Uuid;
use wathiq_chassis::Caller;

use super::{App, Error, staff};
use crate::domain::deposit_list::{DepositList, csv};
use crate::store::{deposit_lists, shipments};

/// Forms of a deposit list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Pdf,
    Csv,
}

/// A deposit list of the caller's office as a file.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn deposit_list_file(
    app: &App,
    caller: &Caller,
    id: Uuid,
    form: Form,
) -> Result<(DepositList, Vec<u8>), Error> {
    let mut conn = app.pool.acquire().await?;
    let list = match deposit_lists::get(&mut conn, id).await? {
        Some(list) if staff::works_at(caller, list.office_id)? => list,
        _ => return Err(Error::no_deposit_list(id)),
    };
    let held = shipments::of_deposit_list(&mut conn, id).await?;
    drop(conn);
    let file = match form {
        Form::Pdf => app.printer.deposit_list(&list, &held).await?,
        Form::Csv => csv(&held).map_err(Error::Csv)?,
    };
    Ok((list, file))
}
