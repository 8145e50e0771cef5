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
    let generated = run(generation(office_code)).await.context("making up acts")?;
    let file = folder.join("acts.jsonl");
    std::fs::write(&file, with_own_act(&generated)?)
        .with_context(|| format!("cannot write {}", file.display()))?;
    let import = ["import", "--file", &file.display().to_string()].map(str::to_owned);
    run(import.to_vec()).await.context("importing acts")?;
    Ok(())
}

/// The command that makes acts of an office up.
#[must_use]
pub fn generation(office_code: &str) -> Vec<String> {
    let words = [
        "generate",
        "--acts",
        ACTS,
        "--seed",
        SEED,
        "--offices",
        office_code,
    ];
    words.map(str::to_owned).to_vec()
}

/// The same acts with the citizen as the person of one of them.
fn with_own_act(generated: &str) -> Result<String> {
    let mut acts = read(generated)?;
    let own = acts.iter_mut().find(|act| is_own(act)).context(NO_OWN_ACT)?;
    become_citizen(own);
    Ok(acts.iter().map(|act| format!("{act}\n")).collect())
}

/// The citizen's own act among these as many times, with the numbers from 1 on.
///
/// # Errors
/// When it is not among them.
pub fn own_acts(generated: &str, count: usize) -> Result<String> {
    let mut own = read(generated)?.into_iter().find(is_own).context(NO_OWN_ACT)?;
    become_citizen(&mut own);
    let numbered = (1..=count).map(|number| {
        own["number"] = number.to_string().into();
        format!("{own}\n")
    });
    Ok(numbered.collect())
}

const NO_OWN_ACT: &str = "no act was made up where the citizen's own stands";

fn read(generated: &str) -> Result<Vec<Value>> {
    let acts = generated
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>();
    acts.context("an act that was made up is not JSON")
}

fn is_own(act: &Value) -> bool {
    act["kind"] == "birth" && act["year"] == OWN_YEAR && act["number"] == OWN_NUMBER
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
        let many = own_acts(&format!("{other}\n{own}\n"), 3).unwrap();
        let numbers: Vec<Value> = many
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["number"].take())
            .collect();
        assert_eq!(numbers, ["1", "2", "3"]);
    }
}
