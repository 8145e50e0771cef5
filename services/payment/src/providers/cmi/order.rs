//! Answers of the XML API, flat: the texts of the elements, and of those below `Extra`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use encoding_rs::{Encoding, UTF_8};
use quick_xml::Reader;
use quick_xml::events::Event;

use super::entities;
use super::message::{authentic, international};
use crate::domain::money;
use crate::domain::provider::{Credit, Sale, SaleState, Status};
use crate::providers::ProviderError;

/// Deepest element that is looked into.
const DEEPEST: usize = 8;
/// Longest transaction that is kept.
const LONGEST_TRANSACTION: usize = 100;
/// Longest XML declaration that is looked at, in bytes.
const LONGEST_DECLARATION: usize = 200;

/// An answer.
#[derive(Debug)]
pub(super) struct Response(BTreeMap<String, String>);

impl Response {
    /// Reads an answer, whatever its encoding. A document type is refused: nothing of ours ever has one.
    pub(super) fn read(xml: &[u8]) -> Result<Self, ProviderError> {
        let unreadable = ProviderError::Unreadable;
        let text = decoded(xml);
        let mut reader = Reader::from_str(&text);
        let mut path: Vec<String> = Vec::new();
        let mut texts: BTreeMap<String, String> = BTreeMap::new();
        loop {
            match reader.read_event().map_err(|_| unreadable("it is not XML"))? {
                Event::Start(start) => {
                    let name = start.name().as_ref().to_owned();
                    path.push(name);
                    if path.len() > DEEPEST {
                        return Err(unreadable("it is nested too deeply"));
                    }
                }
                Event::End(_) => {
                    path.pop();
                }
                Event::Text(text) => push(&mut texts, &path, &text),
                Event::CData(text) => push(&mut texts, &path, &text),
                Event::GeneralRef(reference) => {
                    let entity = format!("&{};", &*reference);
                    push(&mut texts, &path, &entities::decode(&entity));
                }
                Event::DocType(_) => return Err(unreadable("it has a document type")),
                Event::Eof => break,
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
        let response = Self(texts);
        if response.get("Response").is_empty() {
            return Err(unreadable("it has no element Response"));
        }
        Ok(response)
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", |text| text.trim())
    }

    /// Whether what was asked was done or found.
    pub(super) fn approved(&self) -> bool {
        self.get("Response").eq_ignore_ascii_case("approved") && self.get("ProcReturnCode") == "00"
    }

    /// Whether what was asked was refused: nothing was done.
    pub(super) fn declined(&self) -> bool {
        self.get("Response").eq_ignore_ascii_case("declined")
    }

    /// Whether the answer says that there is no such order.
    pub(super) fn unknown_order(&self) -> bool {
        self.declined()
            && self
                .get("ErrMsg")
                .to_ascii_lowercase()
                .contains("no record found")
    }

    /// The provider's code of a refusal.
    pub(super) fn code(&self) -> &str {
        self.get("ProcReturnCode")
    }
}

/// The text of an answer in the encoding that it declares (XML 1.0, section 4.3.3). What cannot be decoded becomes U+FFFD: it stands in names,
/// and amounts, states and transactions are ASCII in every encoding that is declared in ASCII.
fn decoded(xml: &[u8]) -> Cow<'_, str> {
    let start = &xml[..xml.len().min(LONGEST_DECLARATION)];
    let start = String::from_utf8_lossy(start);
    let declared = start
        .split_once("?>")
        .and_then(|(declaration, _)| declaration.split_once("encoding="))
        .and_then(|(_, value)| {
            let mark = value.chars().next().filter(|mark| matches!(mark, '"' | '\''))?;
            value[1..].split_once(mark)
        })
        .and_then(|(label, _)| Encoding::for_label(label.as_bytes()));
    // Whoever declares two bytes a character in single bytes does not mean it.
    let encoding = declared.map_or(UTF_8, |encoding| encoding.output_encoding());
    encoding.decode(xml).0
}

fn push(texts: &mut BTreeMap<String, String>, path: &[String], text: &str) {
    if let [_, rest @ ..] = path
        && let Some(name) = rest.last()
    {
        texts.entry(name.clone()).or_default().push_str(text);
    }
}

/// Puts an order's status (its latest transaction) and history (all of them) together. Only of the latest it is known whether the payer was
/// authenticated and, where the element CARDISSUER or CARDBRAND says so, whether the card was issued abroad.
pub(super) fn status(order: &Response, history: &Response, mark: &str) -> Result<Status, ProviderError> {
    let mut status = Status::default();
    let lines = (1..).map_while(|place| history.0.get(&format!("TRX{place}")));
    for line in lines {
        read_line(line, &mut status)?;
    }
    let md_status = order.get("MDSTATUS");
    let transaction = order.get("TRANS_ID");
    for sale in status
        .sales
        .iter_mut()
        .filter(|sale| sale.transaction == transaction)
    {
        sale.authentic = (!md_status.is_empty()).then(|| authentic(Some(md_status)));
        sale.international = international(mark, ["CARDISSUER", "CARDBRAND"].map(|name| order.get(name)));
    }
    Ok(status)
}

/// One line of the history: CHARGE_TYPE_CD, TRANS_STAT, ORIG_TRANS_AMT, CAPTURE_AMT, AUTH_DTTM, CAPTURE_DTTM, VOID_DTTM, HOST_REF_NUM,
/// AUTH_CODE, PROC_RET_CD, TRANS_ID, SETTLEID, between tabs; amounts in minor units.
fn read_line(line: &str, status: &mut Status) -> Result<(), ProviderError> {
    let columns: Vec<&str> = line.trim_matches('\n').split('\t').map(str::trim).collect();
    let [
        kind,
        state,
        amount,
        captured,
        _,
        _,
        _,
        _,
        _,
        code,
        transaction,
        ..,
    ] = columns[..]
    else {
        return Err(ProviderError::Unreadable("a line of the history is too short"));
    };
    if transaction.len() > LONGEST_TRANSACTION || transaction.contains(char::is_control) {
        return Err(ProviderError::Unreadable("a transaction cannot be read"));
    }
    let amount = money::minor(amount).ok_or(ProviderError::Unreadable("an amount cannot be read"))?;
    let state = match (state, code) {
        ("A", "00") => SaleState::Authorised,
        ("C" | "S", "00") => SaleState::Captured,
        ("V" | "CNCL", _) => SaleState::Voided,
        ("PN" | "R", _) => SaleState::Pending,
        ("D" | "ERR" | "A" | "C" | "S", _) => SaleState::Declined,
        _ => return Err(ProviderError::Unreadable("a state is not known")),
    };
    match kind {
        "S" => status.sales.push(Sale {
            transaction: transaction.to_owned(),
            state,
            amount,
            captured: money::minor(captured).unwrap_or(0),
            authentic: None,
            international: None,
        }),
        "C" if state == SaleState::Captured => status.credits.push(Credit { id: None, amount }),
        "C" => {}
        _ => return Err(ProviderError::Unreadable("a kind of transaction is not known")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CC5Response><ErrMsg>Record(s) found for O1</ErrMsg>\
        <ProcReturnCode>00</ProcReturnCode><Response>Approved</Response><OrderId>O1</OrderId><TransId>T2</TransId>\
        <Extra><TRANS_ID>T2</TRANS_ID><TRANS_STAT>C</TRANS_STAT><MDSTATUS>7</MDSTATUS><CARDISSUER>International Bank</CARDISSUER><NUMCODE>0</NUMCODE></Extra></CC5Response>";

    fn history(lines: &[&str]) -> Response {
        let lines: String = lines
            .iter()
            .enumerate()
            .map(|(place, line)| format!("<TRX{0}>{line}</TRX{0}>", place + 1))
            .collect();
        let xml = format!(
            "<CC5Response><ProcReturnCode>00</ProcReturnCode><Response>Approved</Response><Extra><TRXCOUNT>1</TRXCOUNT>{lines}</Extra></CC5Response>"
        );
        Response::read(xml.as_bytes()).unwrap()
    }

    #[test]
    fn status_and_history_make_one_picture() {
        let order = Response::read(ORDER.as_bytes()).unwrap();
        let history = history(&[
            "S\tD\t2000\t\t2026-11-22 09:59:00.000\t\t\t632610000000\t\t51\tT1\t",
            "S\tC\t2000\t2000\t2026-11-22 10:00:00.000\t2026-11-22 10:00:01.000\t\t632610000001\tP1\t00\tT2\t",
            "S\tA\t2000\t\t2026-11-22 10:00:00.000\t\t\t632610000002\tP2\t00\tT3\t",
            "C\tC\t1000\t1000\t2026-11-22 11:00:00.000\t\t\t632610000003\tP3\t00\tT4\t",
            "C\tD\t500\t\t2026-11-22 11:00:00.000\t\t\t632610000004\t\t05\tT5\t",
        ]);
        let status = status(&order, &history, "INTERNATIONAL").unwrap();
        let states: Vec<SaleState> = status.sales.iter().map(|sale| sale.state).collect();
        assert_eq!(
            states,
            [SaleState::Declined, SaleState::Captured, SaleState::Authorised]
        );
        assert_eq!(status.sale("T2").unwrap().authentic, Some(false));
        assert_eq!(status.sale("T2").unwrap().international, Some(true));
        let other = status.sale("T3").unwrap();
        assert_eq!((other.authentic, other.international), (None, None));
        assert_eq!((status.held(), status.credited()), (3_000, 1_000));
    }

    #[test]
    fn an_answer_is_read_in_the_encoding_that_it_declares() {
        let answer = |encoding: &str, name: &[u8]| {
            let start = format!(
                "<?xml version=\"1.0\" encoding={encoding}?>\n<CC5Response><Response>Approved</Response>"
            );
            let parts: [&[u8]; 4] = [start.as_bytes(), b"<ErrMsg>", name, b"</ErrMsg></CC5Response>"];
            Response::read(&parts.concat()).unwrap().get("ErrMsg").to_owned()
        };
        assert_eq!(answer("\"ISO-8859-9\"", b"\xdeirin"), "Şirin");
        assert_eq!(answer("'windows-1254'", b"\xfe \x80"), "ş €");
        assert_eq!(answer("\"windows-1256\"", b"\xc7"), "ا");
        assert_eq!(answer("\"UTF-8\"", "é".as_bytes()), "é");
        // Declared wrongly, or as what nobody knows.
        assert_eq!(answer("\"UTF-8\"", b"\xde"), "\u{fffd}");
        assert_eq!(answer("\"UTF-16\"", "é".as_bytes()), "é");
        assert_eq!(answer("\"none\"", "é".as_bytes()), "é");
        let bare = b"<CC5Response><Response>Approved</Response><ErrMsg>\xe9</ErrMsg></CC5Response>";
        assert_eq!(Response::read(bare).unwrap().get("ErrMsg"), "\u{fffd}");
    }

    #[test]
    fn strange_answers_are_no_status() {
        for strange in [
            "",
            "<html>",
            "<CC5Response/>",
            "<CC5Response><Response></Response></CC5Response>",
            "<!DOCTYPE a [<!ENTITY b \"c\">]><CC5Response><Response>Approved</Response></CC5Response>",
            "<a><a><a><a><a><a><a><a><a>x</a></a></a></a></a></a></a></a></a>",
        ] {
            assert!(Response::read(strange.as_bytes()).is_err(), "{strange}");
        }
        let order = Response::read(ORDER.as_bytes()).unwrap();
        for line in [
            "S\tC",
            "S\tC\t20.00\t\t\t\t\t\t\t00\tT\t",
            "S\t?\t1\t\t\t\t\t\t\t00\tT\t",
        ] {
            assert!(
                status(&order, &history(&[line]), "INTERNATIONAL").is_err(),
                "{line}"
            );
        }
    }
}
