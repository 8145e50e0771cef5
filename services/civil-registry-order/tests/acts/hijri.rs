//! The Hijri year and dates are what the register says, however they compare with the Gregorian ones: nobody computes them.

use std::io::Cursor;

use serde_json::{Value, json};
use wathiq_civil_registry_order::domain::import::Format;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::harness::World;
use crate::import::Loading;
use crate::sample::keying;

/// No calendar has this year or these days with 2 March 1984.
const YEAR: i16 = 1399;
const ARABIC: &str = "الثلاثون من شعبان عام ألف وثلاثمائة وتسعة وتسعين";
const LATIN: &str = "trente chaabane mil trois cent quatre-vingt-dix-neuf";

#[tokio::test]
async fn an_import_keeps_them_as_written_in_both_formats() {
    let loading = Loading::start().await;
    let row = json!({
        "office": "C-1", "kind": "birth", "year": 1984, "number": "1",
        "content": {
            "origin": "declaration", "sex": "male", "hijri_year": YEAR,
            "given_name": { "latin": "Ali" }, "family_name": { "latin": "Alami" }, "declarant": { "name": { "latin": "Omar" } },
            "birth_date": { "gregorian": "1984-03-02", "hijri_arabic": ARABIC, "hijri_latin": LATIN },
        },
    });
    let import = loading.json_lines(format!("{row}\n").as_bytes()).await.unwrap();
    assert_eq!(import.position.taken, 1);
    let csv = format!(
        "office,kind,year,number,origin,sex,hijri_year,given_name.latin,family_name.latin,declarant.name.latin,birth_date.gregorian,\
         birth_date.hijri_arabic,birth_date.hijri_latin\r\n\
         C-1,birth,1984,2,declaration,male,{YEAR},Ali,Alami,Omar,1984-03-02,{ARABIC},{LATIN}\r\n"
    );
    let import = loading
        .load(Cursor::new(csv.into_bytes()), Format::Csv, false)
        .await
        .unwrap();
    assert_eq!(import.position.taken, 1);
    let mut conn = loading.database.connect().await;
    let kept: Vec<Value> = sqlx::query_scalar("SELECT content FROM act ORDER BY number")
        .fetch_all(&mut conn)
        .await
        .unwrap();
    assert_eq!(kept.len(), 2);
    for content in kept {
        assert_eq!(content["hijri_year"], YEAR);
        assert_eq!(content["birth_date"]["hijri_arabic"], ARABIC);
        assert_eq!(content["birth_date"]["hijri_latin"], LATIN);
        assert_eq!(content["birth_date"]["gregorian"], "1984-03-02");
    }
}

#[tokio::test]
async fn keying_keeps_them_as_written() {
    let world = World::start().await;
    let mut request = keying("1");
    let content = request.content.as_mut().unwrap();
    content.hijri_year = YEAR.into();
    let written = content.birth_date.as_mut().unwrap();
    (written.hijri_arabic, written.hijri_latin) = (ARABIC.to_owned(), LATIN.to_owned());
    let expected: pb::WrittenDate = written.clone();
    let act_id = world.registered(request).await;
    let act = world.act(world.agent(), act_id).await.unwrap();
    let content = act.content.unwrap();
    assert_eq!(content.hijri_year, i32::from(YEAR));
    assert_eq!(content.birth_date, Some(expected));
}
