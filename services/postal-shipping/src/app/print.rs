//! Labels and deposit lists as PDF/A.

use std::sync::{Arc, LazyLock};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use wathiq_chassis::civil_date;
use wathiq_documents::{Engine, Standard, Template};

use super::Error;
use crate::domain::countries::{self, MOROCCO};
use crate::domain::deposit_list::DepositList;
use crate::domain::party::{AddressLines, Party};
use crate::domain::shipment::Shipment;
use crate::domain::vocabulary::Product;

static LABELS: LazyLock<Template> =
    LazyLock::new(|| Template::new("labels.typ", include_str!("../../templates/labels.typ")));
static DEPOSIT_LIST: LazyLock<Template> = LazyLock::new(|| {
    Template::new(
        "deposit-list.typ",
        include_str!("../../templates/deposit-list.typ"),
    )
});

/// Draws documents.
#[derive(Clone)]
pub struct Printer(Arc<Engine>);

impl Default for Printer {
    fn default() -> Self {
        Self(Arc::new(Engine::new()))
    }
}

impl std::fmt::Debug for Printer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Printer")
    }
}

impl Printer {
    /// One page of 100 × 150 mm a shipment, in this order.
    ///
    /// # Errors
    /// [`Error::Render`].
    pub async fn labels(&self, shipments: &[Shipment], created: DateTime<Utc>) -> Result<Vec<u8>, Error> {
        let labels = shipments.iter().map(label).collect::<Result<Vec<_>, _>>()?;
        let identifier = shipments
            .iter()
            .map(|shipment| shipment.tracking_id.to_string())
            .collect::<Vec<_>>()
            .join(" ");
        self.render(&LABELS, json!({ "labels": labels }), created, identifier)
            .await
    }

    /// A deposit list to sign, on A4.
    ///
    /// # Errors
    /// [`Error::Render`].
    pub async fn deposit_list(&self, list: &DepositList, shipments: &[Shipment]) -> Result<Vec<u8>, Error> {
        let mut rows = Vec::with_capacity(shipments.len());
        for shipment in shipments {
            rows.push(row(shipment)?);
        }
        let of = |product| {
            shipments
                .iter()
                .filter(|shipment| shipment.product == product)
                .count()
        };
        let data = json!({
            "number": list.written_number(),
            "date": civil_date(list.created_at).to_string(),
            "sender": shipments.first().map(|shipment| party(&shipment.sender)),
            "rows": rows,
            "domestic": of(Product::RegisteredDomestic),
            "international": of(Product::RegisteredInternational),
            "sheets": shipments.iter().map(|shipment| shipment.sheets).sum::<i32>(),
        });
        self.render(&DEPOSIT_LIST, data, list.created_at, list.id.to_string())
            .await
    }

    /// Drawing takes a core for a while, and none of those that answer calls.
    async fn render(
        &self,
        template: &'static Template,
        data: Value,
        created: DateTime<Utc>,
        identifier: String,
    ) -> Result<Vec<u8>, Error> {
        let engine = Arc::clone(&self.0);
        let drawn = tokio::task::spawn_blocking(move || {
            engine.render(template, &data, &[], Standard::A2a, created, &identifier)
        });
        Ok(drawn.await.map_err(|_| Error::WorkLost)??)
    }
}

fn label(shipment: &Shipment) -> Result<Value, Error> {
    let number = shipment.tracking_id;
    Ok(json!({
        "number": number.spaced(),
        "barcode": wathiq_documents::code128_svg(&number.to_string())?,
        "product": shipment.product.as_str(),
        "sender": party(&shipment.sender),
        "addressee": party(&shipment.addressee),
    }))
}

fn row(shipment: &Shipment) -> Result<Value, Error> {
    let number = shipment.tracking_id;
    Ok(json!({
        "number": number.spaced(),
        "barcode": wathiq_documents::code128_svg(&number.to_string())?,
        "addressee": party(&shipment.addressee),
        "sheets": shipment.sheets,
    }))
}

/// A party as the lines of its address, in each script it is given in (UPU S42: from the finest to the country).
fn party(party: &Party) -> Value {
    let address = &party.address;
    let (french, arabic) = countries::names(&address.country).unwrap_or((&address.country, &address.country));
    json!({
        "name_latin": party.name.latin,
        "name_arabic": party.name.arabic,
        "latin": address.latin.as_ref().map(|lines| written(lines, address.postal_code.as_deref(), &french.to_uppercase())),
        "arabic": address.arabic.as_ref().map(|lines| written(lines, address.postal_code.as_deref(), arabic)),
        "destination_latin": destination(address.latin.as_ref(), address.postal_code.as_deref(), ", ", french),
        "destination_arabic": destination(address.arabic.as_ref(), address.postal_code.as_deref(), "، ", arabic),
        "abroad": address.country != MOROCCO,
        "phone": party.phone,
    })
}

/// Where an item goes, in one line; the country alone where the address is not given in this script.
fn destination(
    lines: Option<&AddressLines>,
    postal_code: Option<&str>,
    comma: &str,
    country: &str,
) -> String {
    match lines {
        Some(lines) => format!("{}{comma}{country}", locality(lines, postal_code)),
        None => country.to_owned(),
    }
}

fn locality(lines: &AddressLines, postal_code: Option<&str>) -> String {
    match postal_code {
        Some(code) => format!("{code} {}", lines.locality),
        None => lines.locality.clone(),
    }
}

fn written(lines: &AddressLines, postal_code: Option<&str>, country: &str) -> Vec<String> {
    [
        lines.extra.clone(),
        Some(lines.street.clone()),
        lines.quarter.clone(),
        Some(locality(lines, postal_code)),
        Some(country.to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect()
}
