//! What an office of civil status has before the first order comes: it is open, has a profile and numbers of the post, and acts
//! are digitised, among them the citizen's own.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::address;
use crate::journey::api::Api;
use crate::journey::people;

/// Where the citizen's own act stands.
pub const OWN_YEAR: i32 = 1991;
pub const OWN_PART: &str = "1";
pub const OWN_NUMBER: &str = "1";
/// How many acts are made up, and the seed they follow from.
const ACTS: &str = "300";
const SEED: &str = "37";
/// Numbers of the post that an installation has for each product.
const NUMBERS: u32 = 2_000;

/// Opens an office for orders: its service, its profile, and numbers for registered letters, which follow from the seed.
///
/// # Errors
/// When a step is refused.
pub async fn open(head: &Api, office_id: &str, today: &str, seed: &str) -> Result<()> {
    head.put(
        &format!("/v1/offices/{office_id}/services/civil_status_orders"),
        Some(&json!({"from": today, "to": null})),
    )
    .await
    .context("opening the service of orders")?;
    let profile = json!({
        "office_id": office_id,
        "province_ar": "عمالة مقاطعة الحي الحسني", "province_fr": "Préfecture d'arrondissement de Hay Hassani",
        "commune_ar": "جماعة الدار البيضاء", "commune_fr": "Commune de Casablanca",
        "bureau_ar": "مكتب الحالة المدنية مدينة الهواء", "bureau_fr": "Bureau d'état civil Cité de l'Air",
        "email": "bec.cite-de-l-air@example.ma", "language": "fr",
        "address": address(),
        "signs_by_hand": false, "electronic_seal_kinds": [],
    });
    head.put(
        &format!("/v1/offices/{office_id}/civil-status-profile"),
        Some(&profile),
    )
    .await
    .context("setting the office's profile")?;
    let first = first_number(seed)?;
    for (indicator, product) in [("RR", "registered_domestic"), ("RS", "registered_international")] {
        let range = json!({
            "service_indicator": indicator, "country_code": "MA",
            "first": first, "last": first + NUMBERS - 1, "product": product,
        });
        head.post("/v1/number-ranges", &range)
            .await
            .context("allocating numbers of the post")?;
    }
    Ok(())
}

/// Installations beside each other share one carrier, who knows an item by its number alone: each has numbers of its own.
fn first_number(seed: &str) -> Result<u32> {
    const LAST: u32 = 99_999_999;
    let chance = seed
        .get(..8)
        .and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let chance = chance.context("the seed does not begin with eight hexadecimal digits")?;
    Ok(chance % (LAST / NUMBERS) * NUMBERS + 1)
}

/// Whether the citizen's own act is digitised.
///
/// # Errors
/// When the search is refused.
pub async fn is_digitised(staff: &Api, office_id: &str) -> Result<bool> {
    let key = json!({"office_id": office_id, "kind": "birth", "year": OWN_YEAR, "part": OWN_PART, "number": OWN_NUMBER});
    let found = staff
        .post("/v1/office/act-searches", &key)
        .await
        .context("searching an act")?;
    Ok(found["acts"].as_array().is_some_and(|acts| !acts.is_empty()))
}

/// Makes up acts of an office, named by its code, puts the citizen's own among them and has them imported. `run` runs a command
/// of civil-registry-order. Repeated, it imports nothing twice.
///
/// # Errors
/// When a command fails.
pub async fn digitise(
    run: impl AsyncFn(Vec<String>) -> Result<String>,
    office_code: &str,
    folder: &Path,
) -> Result<()> {
    let command = |words: &[&str]| {
        words
            .iter()
            .map(|word| (*word).to_owned())
            .collect::<Vec<String>>()
    };
    let generated = run(command(&[
        "generate",
        "--acts",
        ACTS,
        "--seed",
        SEED,
        "--offices",
        office_code,
    ]))
    .await
    .context("making up acts")?;
    let file = folder.join("acts.jsonl");
    std::fs::write(&file, with_own_act(&generated)?)
        .with_context(|| format!("cannot write {}", file.display()))?;
    run(command(&["import", "--file", &file.display().to_string()]))
        .await
        .context("importing acts")?;
    Ok(())
}

/// The same acts with the citizen as the person of one of them.
fn with_own_act(generated: &str) -> Result<String> {
    let mut acts: Vec<Value> = generated
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()
        .context("an act that was made up is not JSON")?;
    let own = acts
        .iter_mut()
        .find(|act| act["kind"] == "birth" && act["year"] == OWN_YEAR && act["number"] == OWN_NUMBER)
        .context("no act was made up where the citizen's own stands")?;
    become_citizen(own);
    Ok(acts.iter().map(|act| format!("{act}\n")).collect())
}

fn become_citizen(act: &mut Value) {
    let citizen = people::citizen();
    let both = |latin: &str, arabic: &str| json!({"latin": latin, "arabic": arabic});
    let ([given, family], [given_arabic, family_arabic]) = (citizen.name_latin, citizen.name_arabic);
    act["notes"] = json!([]);
    let content = &mut act["content"];
    content["given_name"] = both(given, given_arabic);
    content["family_name"] = both(family, family_arabic);
    content["father"]["given_name"] = both("Driss", "إدريس");
    content["father"]["family_name"] = both(family, family_arabic);
    content["origin"] = "declaration".into();
    content["declarant"]["name"] = both(&format!("Driss {family}"), &format!("إدريس {family_arabic}"));
    content["declarant"]["relationship"] = both("père", "الأب");
    content["sex"] = "female".into();
    content["birth_place"] = both("Casablanca", "الدار البيضاء");
    content["hijri_year"] = 1411.into();
    content["birth_date"] = json!({
        "gregorian": citizen.birth_date,
        "hijri_arabic": "في فاتح ذي الحجة عام ألف وأربعمائة وأحد عشر",
        "hijri_latin": "le premier dou al hijja mille quatre cent onze",
        "gregorian_arabic": "في أربعة عشر يونيو سنة ألف وتسعمائة وواحد وتسعين",
        "gregorian_latin": "le quatorze juin mille neuf cent quatre-vingt-onze",
    });
    content["drawn_up"] = json!({
        "gregorian": "1991-06-20",
        "hijri_arabic": "في سبعة ذي الحجة عام ألف وأربعمائة وأحد عشر",
        "hijri_latin": "le sept dou al hijja mille quatre cent onze",
        "gregorian_arabic": "في عشرين يونيو سنة ألف وتسعمائة وواحد وتسعين",
        "gregorian_latin": "le vingt juin mille neuf cent quatre-vingt-onze",
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_act_becomes_the_citizen_s_and_the_others_stay() {
        let other = json!({"kind": "birth", "year": OWN_YEAR, "number": "2", "content": {"sex": "male"}});
        let own =
            json!({"kind": "birth", "year": OWN_YEAR, "number": OWN_NUMBER, "content": {"sex": "male"}});
        let text = with_own_act(&format!("{other}\n{own}\n")).unwrap();
        let acts: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(acts[0], other);
        assert_eq!(
            acts[1]["content"]["birth_date"]["gregorian"],
            people::citizen().birth_date
        );
        assert_eq!(acts[1]["content"]["sex"], "female");
        assert!(with_own_act(&format!("{other}\n")).is_err());
    }
}
