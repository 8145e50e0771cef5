//! An owning service opens a payable.

use chrono::{DateTime, Utc};
use serde_json::json;
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Begun};
use crate::app::write::{self, Encode};
use crate::app::{App, AppError};
use crate::domain::book::Book;
use crate::domain::payable::{Item, Payable, PayableState, Payer};
use crate::store::books;

/// What is to be paid.
#[derive(Debug, Clone)]
pub struct NewPayable {
    pub owner: String,
    pub owner_reference: String,
    pub display_reference: String,
    pub items: Vec<Item>,
    pub payer: Payer,
    pub expires_at: DateTime<Utc>,
}

/// Opens it. The same reference with the same content is the same payable.
///
/// # Errors
/// [`AppError::Exists`] for another content under the reference.
pub async fn open_payable(
    app: &App,
    command: &Command,
    new: NewPayable,
    encode: Encode<Book>,
) -> Result<Vec<u8>, AppError> {
    let mut transaction = match idempotent::begin(app, command).await? {
        Begun::New(transaction) => transaction,
        Begun::Done(response) => return Ok(response),
    };
    let payable = payable(app, new);
    if !books::insert(&mut transaction, &payable).await? {
        let id = books::id_of_reference(&mut transaction, &payable.owner, &payable.owner_reference).await?;
        let standing = match id {
            Some(id) => books::find(&mut transaction, id).await?,
            None => None,
        };
        let standing = standing
            .filter(|book| same(&book.payable, &payable))
            .ok_or(AppError::Exists)?;
        return idempotent::finish(transaction, command, encode(&standing)).await;
    }
    let (book, facts) = Book::open(payable);
    let before = book.clone();
    let book = write::record(&mut transaction, &app.ambient, &before, book, &facts).await?;
    let details = json!({ "amount_centimes": book.payable.amount });
    write::audit(
        &mut transaction,
        &app.ambient,
        &command.principal,
        "payable.open",
        book.payable.id,
        details,
    )
    .await?;
    idempotent::finish(transaction, command, encode(&book)).await
}

fn payable(app: &App, new: NewPayable) -> Payable {
    Payable {
        id: app.ambient.uuid_v7(),
        version: 1,
        owner: new.owner,
        owner_reference: new.owner_reference,
        display_reference: new.display_reference,
        state: PayableState::Open,
        amount: new.items.iter().map(|item| item.amount).sum(),
        items: new.items,
        payer: new.payer,
        created_at: app.ambient.now(),
        expires_at: new.expires_at,
        payment: None,
    }
}

fn same(standing: &Payable, new: &Payable) -> bool {
    standing.display_reference == new.display_reference
        && standing.items == new.items
        && standing.payer == new.payer
        && standing.expires_at == new.expires_at
}
