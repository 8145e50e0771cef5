//! Bulk load: what is taken, what is refused, and going on after a stop.

use std::collections::{HashMap, HashSet};
use std::io::{Cursor, Read};
use std::path::PathBuf;

use serde_json::{Value, json};
use sqlx::PgConnection;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use wathiq_chassis::Ambient;
use wathiq_civil_registry_order::app::import_acts::{Asked, ImportError, Offices, ReportAt, import_acts};
use wathiq_civil_registry_order::commands::generate;
use wathiq_civil_registry_order::domain::import::{Format, Import, State};
use wathiq_outbox::testing::drain;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::harness::{Database, OFFICE, OTHER, REGION};

/// A database to load into.
pub(crate) struct Loading {
    pub(crate) database: Database,
    pub(crate) folder: TempDir,
}

pub(crate) fn offices() -> Offices {
    let codes = HashMap::from([
        ("C-1".to_owned(), OFFICE),
        ("C-2".to_owned(), OTHER),
        ("R-1".to_owned(), REGION),
    ]);
    Offices::new(codes).without_registers(HashSet::from([REGION]))
}

/// Synthetic acts as a file.
pub(crate) fn synthetic(acts: u64, seed: u64) -> Vec<u8> {
    let mut file = Vec::new();
    let asked = generate::Asked {
        acts,
        seed,
        offices: vec!["C-1".to_owned(), "C-2".to_owned()],
        out: None,
    };
    generate::write(&asked, &mut file).unwrap();
    file
}

impl Loading {
    pub(crate) async fn start() -> Self {
        Self {
            database: Database::create().await,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn report_path(&self) -> PathBuf {
        self.folder.path().join("refused.csv")
    }

    pub(crate) fn asked(&self, format: Format, resume: bool) -> Asked {
        Asked {
            format,
            resume,
            report: ReportAt::File(self.report_path()),
            offices: offices(),
        }
    }

    pub(crate) async fn load(
        &self,
        file: impl Read + Send + 'static,
        format: Format,
        resume: bool,
    ) -> Result<Import, ImportError> {
        let stop = CancellationToken::new();
        let mut conn = self.database.connect().await;
        let asked = self.asked(format, resume);
        import_acts(&mut conn, &Ambient::system(), file, asked, &stop, |_| {}).await
    }

    /// Loads another file, whose report stands beside the first one's.
    async fn load_beside(&self, file: &[u8]) -> Import {
        let asked = Asked {
            report: ReportAt::File(self.folder.path().join("other.csv")),
            ..self.asked(Format::JsonLines, false)
        };
        let mut conn = self.database.connect().await;
        let (stop, input) = (CancellationToken::new(), Cursor::new(file.to_vec()));
        import_acts(&mut conn, &Ambient::system(), input, asked, &stop, |_| {})
            .await
            .unwrap()
    }

    pub(crate) async fn json_lines(&self, file: &[u8]) -> Result<Import, ImportError> {
        self.load(Cursor::new(file.to_vec()), Format::JsonLines, false)
            .await
    }

    /// Line, field and reason of each row of the report.
    pub(crate) fn refusals(&self) -> Vec<(u64, String, String)> {
        let report = std::fs::read_to_string(self.report_path()).unwrap();
        let mut lines = report.split("\r\n");
        assert_eq!(lines.next(), Some("line,field,reason,description"));
        lines
            .filter(|line| !line.is_empty())
            .map(|line| {
                let cells: Vec<&str> = line.splitn(4, ',').collect();
                (
                    cells[0].parse().unwrap(),
                    cells[1].to_owned(),
                    cells[2].to_owned(),
                )
            })
            .collect()
    }

    pub(crate) async fn acts(&self) -> i64 {
        count(&mut self.database.connect().await, "SELECT count(*) FROM act").await
    }
}

pub(crate) async fn count(conn: &mut PgConnection, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(conn).await.unwrap()
}

pub(crate) fn row(office: &str, number: &str) -> Value {
    json!({
        "office": office, "kind": "birth", "year": 1984, "number": number,
        "content": {
            "origin": "declaration", "sex": "male", "given_name": { "latin": "Ali" }, "family_name": { "latin": "Alami" },
            "birth_date": { "gregorian": "1984-01-02" }, "declarant": { "name": { "latin": "Omar" } },
        },
    })
}

pub(crate) fn lines(rows: &[Value]) -> Vec<u8> {
    rows.iter()
        .map(|row| format!("{row}\n"))
        .collect::<String>()
        .into_bytes()
}

pub(crate) fn refused(line: u64, field: &str, reason: &str) -> (u64, String, String) {
    (line, field.to_owned(), reason.to_owned())
}

#[tokio::test]
async fn what_is_good_is_taken_and_the_rest_reported() {
    let loading = Loading::start().await;
    let mut bad = row("C-1", "3");
    bad["content"]["sex"] = json!("neither");
    let mut worse = row("C-9", "none");
    worse["year"] = json!(2100);
    let file = lines(&[
        row("C-1", "1"),
        bad,
        row("C-2", "1"),
        worse,
        row("C-1", "01"),
        row(&OFFICE.to_string(), "2 bis"),
    ]);
    let file = [file, b"\nnot json\n".to_vec(), lines(&[row("R-1", "1")])].concat();
    let import = loading.json_lines(&file).await.unwrap();
    let position = import.position;
    assert_eq!((position.taken, position.refused, position.duplicates), (3, 5, 1));
    assert_eq!((position.byte_offset, position.lines), (file.len() as u64, 9));
    assert_eq!(import.state, State::Finished);
    let expected = [
        refused(2, "content.sex", "MALFORMED"),
        refused(4, "office", "OFFICE_UNKNOWN"),
        refused(4, "year", "YEAR_IMPOSSIBLE"),
        refused(4, "number", "NUMBER_IMPOSSIBLE"),
        refused(5, "number", "DUPLICATE_IN_FILE"),
        refused(8, "", "JSON_MALFORMED"),
        refused(9, "office", "OFFICE_WITHOUT_REGISTERS"),
    ];
    assert_eq!(loading.refusals(), expected);
    let mut conn = loading.database.connect().await;
    let events = drain(&mut conn).await;
    let told: Vec<pb::ActsImported> = events
        .iter()
        .map(wathiq_outbox::testing::StoredEvent::decode)
        .collect();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].taken, told[0].refused, told[0].finished), (3, 5, true));
    let kept: (String, i32, String, Option<String>, i16) = sqlx::query_as(
        "SELECT number, number_sort, fold_latin, fold_arabic, birth_year FROM act WHERE number = '2 bis'",
    )
    .fetch_one(&mut conn)
    .await
    .unwrap();
    assert_eq!(kept, ("2 bis".to_owned(), 21, "alm|al".to_owned(), None, 1984));
}

#[tokio::test]
async fn the_same_file_again_brings_nothing_and_breaks_nothing() {
    let loading = Loading::start().await;
    let file = synthetic(5_000, 3);
    let first = loading.json_lines(&file).await.unwrap();
    assert_eq!((first.position.taken, first.position.refused), (5_000, 0));
    let again = loading.json_lines(&file).await.unwrap();
    assert_eq!(
        (
            again.position.taken,
            again.position.refused,
            again.position.duplicates
        ),
        (0, 5_000, 5_000)
    );
    assert_eq!(loading.refusals()[0], refused(1, "number", "ALREADY_DIGITISED"));
    assert_eq!(loading.acts().await, 5_000);
}

#[tokio::test]
async fn duplicates_are_found_across_chunks_and_among_new_acts() {
    let loading = Loading::start().await;
    let file = synthetic(4_000, 3);
    let text = String::from_utf8(file).unwrap();
    let mut rows: Vec<&str> = text.lines().collect();
    rows.insert(3_500, rows[7]);
    rows.push(rows[3_999]);
    let import = loading.json_lines(rows.join("\n").as_bytes()).await.unwrap();
    assert_eq!((import.position.taken, import.position.duplicates), (4_000, 2));
    let expected = [
        refused(3_501, "number", "DUPLICATE_IN_FILE"),
        refused(4_002, "number", "DUPLICATE_IN_FILE"),
    ];
    assert_eq!(loading.refusals(), expected);
}

#[tokio::test]
async fn acts_come_back_as_they_were_written() {
    let loading = Loading::start().await;
    let file = synthetic(300, 11);
    loading.json_lines(&file).await.unwrap();
    let mut conn = loading.database.connect().await;
    let mut notes = 0;
    for line in String::from_utf8(file).unwrap().lines() {
        let written: Value = serde_json::from_str(line).unwrap();
        let office = if written["office"] == "C-1" { OFFICE } else { OTHER };
        let found: uuid::Uuid = sqlx::query_scalar(
            "SELECT id FROM act WHERE office_id = $1 AND kind = $2 AND year = $3::int AND number = $4 AND part = $5",
        )
        .bind(office)
        .bind(written["kind"].as_str().unwrap())
        .bind(i32::try_from(written["year"].as_i64().unwrap()).unwrap())
        .bind(written["number"].as_str().unwrap())
        .bind(written["part"].as_str().unwrap())
        .fetch_one(&mut conn)
        .await
        .unwrap();
        let act = wathiq_civil_registry_order::store::acts::find(&mut conn, found)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(serde_json::to_value(&act.content).unwrap(), written["content"]);
        let drafts: Vec<Value> = act
            .notes
            .iter()
            .map(|note| serde_json::to_value(&note.draft).unwrap())
            .collect();
        let expected = written["notes"].as_array().cloned().unwrap_or_default();
        notes += expected.len();
        assert_eq!(drafts, expected);
    }
    assert!(notes > 20, "{notes}");
}

#[tokio::test]
async fn a_csv_file_is_loaded_with_its_quotes_and_lines() {
    let loading = Loading::start().await;
    let file = "\u{feff}office;kind;year;part;number;origin;sex;given_name.latin;given_name.arabic;birth_date.gregorian;declarant.name.latin;birth_place.latin\r\n\
                C-1;birth;1984;1;1;declaration;female;Amina;أمينة;1984-03-02;Ahmed;\"Rabat\nMédina\"\r\n\
                C-1;birth;1984;1;2;declaration;female;Amina;أمينة;1984-02-30;Ahmed;Rabat\r\n\
                C-1;birth;1984;1\r\n\
                C-1;birth;1984;1;3;declaration;female;Amina;أمينة;1984;\"Ahmed;Rabat\r\n\
                C-1;birth;1984;1;4;declaration;female;Amina;;1984;Ahmed;Rabat\r\n";
    let import = loading
        .load(Cursor::new(file.as_bytes().to_vec()), Format::Csv, false)
        .await
        .unwrap();
    assert_eq!((import.position.taken, import.position.refused), (2, 3));
    let expected = [
        refused(4, "content.birth_date.gregorian", "MALFORMED"),
        refused(5, "", "CELL_COUNT"),
        refused(6, "", "CSV_MALFORMED"),
    ];
    assert_eq!(loading.refusals(), expected);
    let mut conn = loading.database.connect().await;
    let place: String =
        sqlx::query_scalar("SELECT content #>> '{birth_place,latin}' FROM act WHERE number = '1'")
            .fetch_one(&mut conn)
            .await
            .unwrap();
    assert_eq!(place, "Rabat Médina");
    let wrong = loading
        .load(Cursor::new(b"office,colour\n".to_vec()), Format::Csv, false)
        .await;
    assert!(matches!(wrong, Err(ImportError::Header(faults)) if faults[0].reason == "COLUMN_UNKNOWN"));
}

/// A file that breaks off with an error.
struct Broken(Cursor<Vec<u8>>);

impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(std::io::ErrorKind::ConnectionReset.into()),
            read => Ok(read),
        }
    }
}

#[tokio::test]
async fn an_import_that_broke_off_goes_on_where_it_was() {
    let loading = Loading::start().await;
    let mut rows: Vec<String> = String::from_utf8(synthetic(9_000, 5))
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    rows[10] = "no act".to_owned();
    rows[8_000] = "no act either".to_owned();
    let file = rows.join("\n").into_bytes();
    let half = file[..file.len() / 2].to_vec();
    let broken = loading
        .load(Broken(Cursor::new(half)), Format::JsonLines, false)
        .await;
    assert!(matches!(broken, Err(ImportError::Read(_))), "{broken:?}");
    let before = loading.acts().await;
    assert!((2_000..9_000).contains(&before), "{before}");

    let other = [b"{}\n".to_vec(), file.clone()].concat();
    let wrong = loading.load(Cursor::new(other), Format::JsonLines, true).await;
    assert!(matches!(wrong, Err(ImportError::NothingToResume)), "{wrong:?}");
    let mut altered = file.clone();
    let at = 100_000;
    altered[at] = if altered[at] == b'0' { b'1' } else { b'0' };
    let wrong = loading.load(Cursor::new(altered), Format::JsonLines, true).await;
    assert!(matches!(wrong, Err(ImportError::OtherFile)), "{wrong:?}");

    let import = loading
        .load(Cursor::new(file.clone()), Format::JsonLines, true)
        .await
        .unwrap();
    assert_eq!(
        (
            import.position.taken,
            import.position.refused,
            import.position.duplicates
        ),
        (8_998, 2, 0)
    );
    assert_eq!(loading.acts().await, 8_998);
    let expected = [
        refused(11, "", "JSON_MALFORMED"),
        refused(8_001, "", "JSON_MALFORMED"),
    ];
    assert_eq!(loading.refusals(), expected);
    let done = loading.load(Cursor::new(file), Format::JsonLines, true).await;
    assert!(matches!(done, Err(ImportError::NothingToResume)), "{done:?}");
}

#[tokio::test]
async fn a_csv_import_goes_on_with_its_header() {
    let loading = Loading::start().await;
    let mut file =
        "office,kind,year,number,origin,sex,given_name.latin,birth_date.gregorian,declarant.name.latin\n"
            .to_owned();
    for number in 1..=5_000 {
        file.push_str(&format!(
            "C-1,birth,1984,{number},declaration,male,Ali,1984,Omar\n"
        ));
    }
    let file = file.into_bytes();
    let half = file[..file.len() / 2].to_vec();
    loading
        .load(Broken(Cursor::new(half)), Format::Csv, false)
        .await
        .unwrap_err();
    assert_eq!(loading.acts().await, 2_000);
    let import = loading.load(Cursor::new(file), Format::Csv, true).await.unwrap();
    assert_eq!((import.position.taken, import.position.refused), (5_000, 0));
}

#[tokio::test]
async fn an_import_pauses_on_request() {
    let loading = Loading::start().await;
    let file = synthetic(9_000, 5);
    let stop = CancellationToken::new();
    let mut conn = loading.database.connect().await;
    let asked = loading.asked(Format::JsonLines, false);
    let input = Cursor::new(file.clone());
    let paused = import_acts(&mut conn, &Ambient::system(), input, asked, &stop, |_| {
        stop.cancel();
    })
    .await
    .unwrap();
    assert_eq!((paused.state, paused.position.taken), (State::Paused, 2_000));
    let second = loading
        .load(Cursor::new(file.clone()), Format::JsonLines, true)
        .await;
    assert!(matches!(second, Err(ImportError::UnderWay)), "{second:?}");
    drop(conn);
    let mut tries = 0;
    let import = loop {
        // The server notices in a moment that the first one has gone.
        match loading
            .load(Cursor::new(file.clone()), Format::JsonLines, true)
            .await
        {
            Err(ImportError::UnderWay) if tries < 100 => {
                tries += 1;
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            done => break done.unwrap(),
        }
    };
    assert_eq!((import.id, import.position.taken), (paused.id, 9_000));
    let events = drain(&mut loading.database.connect().await).await;
    let finished: Vec<bool> = events
        .iter()
        .map(|event| event.decode::<pb::ActsImported>().finished)
        .collect();
    assert_eq!(finished, [false, true]);
}

#[tokio::test]
async fn what_a_loaded_act_s_notes_have_made_of_it_is_looked_for_too() {
    let loading = Loading::start().await;
    let mut renamed = row("C-1", "1");
    renamed["notes"] = json!([{
        "date": "2001-02-03", "kind": "judgment", "text": { "latin": "jugement" }, "changes_extract": true,
        "changes": [
            { "field": "family_name", "text": { "latin": "Tazi" } },
            { "field": "birth_date", "date": { "gregorian": "1983" } },
        ],
    }]);
    // One row that is taken out again must not take what belongs to the others with it.
    let file = lines(&[row("C-1", "2"), row("C-1", "3"), renamed.clone()]);
    loading.json_lines(&lines(&[row("C-1", "2")])).await.unwrap();
    let import = loading.load_beside(&file).await;
    assert_eq!((import.position.taken, import.position.refused), (2, 1));
    let known: (
        String,
        String,
        Option<String>,
        Option<i16>,
        Option<chrono::NaiveDate>,
    ) = sqlx::query_as(
        "SELECT a.number, k.family_latin, k.birth_date, k.birth_year, k.born_on
         FROM act_known_as k JOIN act a ON a.id = k.act_id AND a.office_id = k.office_id AND a.kind = k.kind",
    )
    .fetch_one(&mut loading.database.connect().await)
    .await
    .unwrap();
    let expected = (
        "1".to_owned(),
        "Tazi".to_owned(),
        Some("1983".to_owned()),
        Some(1983),
        None,
    );
    assert_eq!(known, expected);
    let stored = "SELECT count(*) FROM act_known_as WHERE fold_latin IS NOT NULL AND fold_arabic IS NULL";
    assert_eq!(count(&mut loading.database.connect().await, stored).await, 1);
}

#[tokio::test]
async fn a_quote_too_many_costs_its_row_and_no_other() {
    let loading = Loading::start().await;
    let header =
        "office,kind,year,part,number,origin,sex,given_name.latin,birth_date.gregorian,declarant.name.latin";
    let row = |number: u32, name: &str| {
        format!("C-1,birth,1984,1,{number},declaration,female,{name},1984-03-02,Ahmed")
    };
    let rows = [
        header.to_owned(),
        row(1, "\"Amina"),
        row(2, "Amina"),
        row(3, "\"Amina, Lalla\""),
        row(4, "Amina"),
        row(5, "\"Amina\nLalla\""),
    ];
    let file = rows.join("\n").into_bytes();
    let import = loading.load(Cursor::new(file), Format::Csv, false).await.unwrap();
    assert_eq!((import.position.taken, import.position.refused), (4, 1));
    assert_eq!(loading.refusals(), [refused(2, "", "CSV_MALFORMED")]);
}
