//! A CMI of the test's own: accounts in memory, the XML API over HTTP, signed callbacks for the test to deliver or not.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use tokio::net::TcpListener;
use wathiq_proto::wathiq::payment::v1 as pb;

use super::hash;

/// A transaction.
#[derive(Debug, Clone)]
pub(crate) struct Trx {
    /// `S` or `C`.
    pub(crate) kind: char,
    /// `A`, `C`, `V` or `D`.
    pub(crate) state: char,
    pub(crate) amount: i64,
    pub(crate) captured: i64,
    pub(crate) code: String,
    pub(crate) id: String,
}

/// What the provider does wrong.
#[derive(Debug, Default)]
struct Trouble {
    down: bool,
    unanswered: HashMap<String, u32>,
    /// Done, and the answer never comes.
    held: HashSet<String>,
    refused: HashMap<String, u32>,
    /// Done, and answered with another word than approved.
    belied: HashMap<String, &'static str>,
    /// Orders about which nothing that can be read is said.
    garbled: HashSet<String>,
    /// Orders about which nothing is said.
    broken: HashSet<String>,
}

#[derive(Debug, Default)]
struct Accounts {
    orders: HashMap<String, Vec<Trx>>,
    issuers: HashMap<String, String>,
    requests: Vec<String>,
    trouble: Trouble,
    last: u32,
}

/// The provider.
#[derive(Clone)]
pub(crate) struct FakeCmi {
    accounts: Arc<Mutex<Accounts>>,
    pub(crate) address: SocketAddr,
}

impl FakeCmi {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let provider = Self {
            accounts: Arc::default(),
            address: listener.local_addr().unwrap(),
        };
        let router = Router::new()
            .route("/fim/api", post(api))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        provider
    }

    /// Answers nothing but HTTP 500.
    pub(crate) fn set_down(&self, down: bool) {
        self.accounts.lock().unwrap().trouble.down = down;
    }

    /// So many acts of a type are done without an answer.
    pub(crate) fn lose(&self, kind: &str, count: u32) {
        let mut accounts = self.accounts.lock().unwrap();
        accounts.trouble.unanswered.insert(kind.to_owned(), count);
    }

    /// Acts of a type are done, and whoever asked for them waits for the answer.
    pub(crate) fn hold(&self, kind: &str, held: bool) {
        let kinds = &mut self.accounts.lock().unwrap().trouble.held;
        if held {
            kinds.insert(kind.to_owned());
        } else {
            kinds.remove(kind);
        }
    }

    /// The status of an order names the issuer of its card.
    pub(crate) fn tells_issuer(&self, oid: &str, issuer: &str) {
        let mut accounts = self.accounts.lock().unwrap();
        accounts.issuers.insert(oid.to_owned(), issuer.to_owned());
    }

    /// So many acts of a type are refused.
    pub(crate) fn refuse(&self, kind: &str, count: u32) {
        let mut accounts = self.accounts.lock().unwrap();
        accounts.trouble.refused.insert(kind.to_owned(), count);
    }

    /// The next act of a type is done, and answered with this word.
    pub(crate) fn belie(&self, kind: &str, word: &'static str) {
        let mut accounts = self.accounts.lock().unwrap();
        accounts.trouble.belied.insert(kind.to_owned(), word);
    }

    /// What is said of an order cannot be read.
    pub(crate) fn garble(&self, oid: &str, garbled: bool) {
        let orders = &mut self.accounts.lock().unwrap().trouble.garbled;
        if garbled {
            orders.insert(oid.to_owned());
        } else {
            orders.remove(oid);
        }
    }

    /// Every question about an order is answered with HTTP 500.
    pub(crate) fn break_order(&self, oid: &str, broken: bool) {
        let orders = &mut self.accounts.lock().unwrap().trouble.broken;
        if broken {
            orders.insert(oid.to_owned());
        } else {
            orders.remove(oid);
        }
    }

    /// A transaction of another order is listed under this one too.
    pub(crate) fn lists_too(&self, oid: &str, of: &str) {
        let mut accounts = self.accounts.lock().unwrap();
        let found = accounts.orders.get(of).and_then(|order| order.last()).cloned();
        let order = accounts.orders.entry(oid.to_owned()).or_default();
        order.extend(found);
    }

    /// The payer's card is good: the transaction's id.
    pub(crate) fn authorise(&self, oid: &str, amount: i64) -> String {
        self.add(oid, 'S', 'A', amount, "00")
    }

    /// The payer's card is declined.
    pub(crate) fn decline(&self, oid: &str, amount: i64, code: &str) -> String {
        self.add(oid, 'S', 'D', amount, code)
    }

    fn add(&self, oid: &str, kind: char, state: char, amount: i64, code: &str) -> String {
        let mut accounts = self.accounts.lock().unwrap();
        accounts.last += 1;
        let id = format!("26326ABCD{:05}", accounts.last);
        let captured = if state == 'C' { amount } else { 0 };
        accounts.orders.entry(oid.to_owned()).or_default().push(Trx {
            kind,
            state,
            amount,
            captured,
            code: code.to_owned(),
            id: id.clone(),
        });
        id
    }

    /// What the provider does with the answer to its callback.
    pub(crate) fn answered(&self, oid: &str, transaction: &str, answer: &str) {
        if answer == "ACTION=POSTAUTH" {
            self.each(oid, |trx| {
                if trx.id == transaction && trx.state == 'A' {
                    trx.state = 'C';
                    trx.captured = trx.amount;
                }
            });
        }
    }

    /// The bank gives a transaction back by itself.
    pub(crate) fn take_back(&self, oid: &str, transaction: &str) {
        self.each(oid, |trx| {
            if trx.id == transaction {
                trx.state = 'V';
            }
        });
    }

    fn each(&self, oid: &str, change: impl FnMut(&mut Trx)) {
        let mut accounts = self.accounts.lock().unwrap();
        accounts
            .orders
            .entry(oid.to_owned())
            .or_default()
            .iter_mut()
            .for_each(change);
    }

    /// All transactions of an order.
    pub(crate) fn transactions(&self, oid: &str) -> Vec<Trx> {
        let accounts = self.accounts.lock().unwrap();
        accounts.orders.get(oid).cloned().unwrap_or_default()
    }

    /// Money held, less what was credited.
    pub(crate) fn held(&self) -> i64 {
        let accounts = self.accounts.lock().unwrap();
        let all = accounts.orders.values().flatten();
        all.map(|trx| match (trx.kind, trx.state) {
            ('S', 'A' | 'C') => trx.amount,
            ('C', 'C') => -trx.amount,
            _ => 0,
        })
        .sum()
    }

    /// Acts of a type that reached the provider.
    pub(crate) fn count(&self, kind: &str) -> usize {
        let accounts = self.accounts.lock().unwrap();
        let wanted = format!("<Type>{kind}</Type>");
        accounts
            .requests
            .iter()
            .filter(|request| request.contains(&wanted))
            .count()
    }

    fn holds(&self, xml: &str) -> bool {
        let kind = element(xml, "Type").unwrap_or_default();
        self.accounts.lock().unwrap().trouble.held.contains(&kind)
    }

    fn answer(&self, xml: &str) -> Option<String> {
        let oid = element(xml, "OrderId").unwrap_or_default();
        let mut accounts = self.accounts.lock().unwrap();
        accounts.requests.push(xml.to_owned());
        if accounts.trouble.down || accounts.trouble.broken.contains(&oid) {
            return None;
        }
        let credentials = ["Name", "Password", "ClientId"].map(|name| element(xml, name).unwrap_or_default());
        if credentials != ["wathiq-api", "p&ss<word>", "600000001"] {
            return Some(response("Error", "99", "wrong credentials", ""));
        }
        if accounts.trouble.garbled.contains(&oid) {
            return Some("<html>maintenance</html>".to_owned());
        }
        if xml.contains("<ORDERSTATUS>") {
            return Some(status(accounts.orders.get(&oid), accounts.issuers.get(&oid)));
        }
        if xml.contains("<ORDERHISTORY>") {
            return Some(history(accounts.orders.get(&oid)));
        }
        let kind = element(xml, "Type").unwrap_or_default();
        if taken(&mut accounts.trouble.refused, &kind) {
            return Some(response("Declined", "99", "refused", ""));
        }
        let lost = taken(&mut accounts.trouble.unanswered, &kind);
        let done = act(accounts.orders.entry(oid).or_default(), &kind, xml);
        if let Some(word) = accounts.trouble.belied.remove(&kind) {
            return Some(response(word, "99", "", ""));
        }
        let (word, code) = if done {
            ("Approved", "00")
        } else {
            ("Declined", "99")
        };
        (!lost).then(|| response(word, code, "", ""))
    }
}

async fn api(State(provider): State<FakeCmi>, xml: String) -> (StatusCode, String) {
    let answer = provider.answer(&xml);
    if provider.holds(&xml) {
        std::future::pending::<()>().await;
    }
    match answer {
        Some(answer) => (StatusCode::OK, answer),
        None => (StatusCode::INTERNAL_SERVER_ERROR, String::new()),
    }
}

fn taken(counts: &mut HashMap<String, u32>, kind: &str) -> bool {
    match counts.get_mut(kind) {
        Some(left) if *left > 0 => {
            *left -= 1;
            true
        }
        _ => false,
    }
}

fn act(order: &mut Vec<Trx>, kind: &str, xml: &str) -> bool {
    let total = element(xml, "Total").map(|total| total.replace('.', "").parse::<i64>().unwrap());
    let transaction = element(xml, "TransId");
    match kind {
        "PostAuth" => {
            let Some(trx) = order.iter_mut().find(|trx| {
                trx.state == 'A' && Some(trx.amount) == total && Some(&trx.id) == transaction.as_ref()
            }) else {
                return false;
            };
            trx.state = 'C';
            trx.captured = trx.amount;
            true
        }
        "Void" => {
            let id = element(xml, "TransId");
            let found = order
                .iter_mut()
                .find(|trx| Some(&trx.id) == id.as_ref() && matches!(trx.state, 'A' | 'C'));
            found.map(|trx| trx.state = 'V').is_some()
        }
        "Credit" => {
            let sum = |kind: char| -> i64 {
                order
                    .iter()
                    .filter(|trx| trx.kind == kind && trx.state == 'C')
                    .map(|trx| trx.captured)
                    .sum()
            };
            let amount = total.unwrap();
            if sum('C') + amount > sum('S') {
                return false;
            }
            order.push(Trx {
                kind: 'C',
                state: 'C',
                amount,
                captured: amount,
                code: "00".to_owned(),
                id: format!("26326CRED{:05}", order.len()),
            });
            true
        }
        _ => false,
    }
}

fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    Some(
        text.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&"),
    )
}

fn response(word: &str, code: &str, message: &str, extra: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CC5Response>\n  <OrderId></OrderId><GroupId/><Response>{word}</Response>\
         <AuthCode/><HostRefNum/><ProcReturnCode>{code}</ProcReturnCode><TransId/><ErrMsg>{message}</ErrMsg>\n  <Extra>{extra}<NUMCODE>0</NUMCODE></Extra>\n</CC5Response>"
    )
}

fn status(order: Option<&Vec<Trx>>, issuer: Option<&String>) -> String {
    match order.and_then(|order| order.last()) {
        None => response("Declined", "99", "No record found for O", ""),
        Some(last) => {
            let issuer = issuer.map(|issuer| format!("<CARDISSUER>{issuer}</CARDISSUER>"));
            let extra = format!(
                "<TRANS_STAT>{}</TRANS_STAT><TRANS_ID>{}</TRANS_ID><MDSTATUS>1</MDSTATUS>{}",
                last.state,
                last.id,
                issuer.unwrap_or_default()
            );
            response("Approved", "00", "Record(s) found for O", &extra)
        }
    }
}

fn history(order: Option<&Vec<Trx>>) -> String {
    let lines = order.into_iter().flatten().enumerate().map(|(place, trx)| {
        let captured = if trx.captured > 0 {
            trx.captured.to_string()
        } else {
            String::new()
        };
        format!(
            "<TRX{n}>{}\t{}\t{}\t{captured}\t2026-11-22 10:00:00.000\t\t\t632610000001\tP1\t{}\t{}\t</TRX{n}>",
            trx.kind,
            trx.state,
            trx.amount,
            trx.code,
            trx.id,
            n = place + 1
        )
    });
    response("Approved", "00", "", &lines.collect::<String>())
}

/// The fields of a callback, signed.
pub(crate) fn callback(form: &pb::HostedForm, transaction: &str, code: &str) -> Vec<(String, String)> {
    let approved = code == "00";
    let field = |name: &str| value(form, name);
    let mut fields: Vec<(String, String)> = [
        "clientid",
        "storetype",
        "TranType",
        "amount",
        "currency",
        "oid",
        "lang",
        "BillToName",
    ]
    .iter()
    .map(|name| ((*name).to_owned(), field(name)))
    .collect();
    let own = [
        ("Response", if approved { "Approved" } else { "Declined" }),
        ("ProcReturnCode", code),
        ("AuthCode", if approved { "P12345" } else { "" }),
        ("TransId", transaction),
        ("HostRefNum", "632610000001"),
        ("ErrMsg", if approved { "" } else { "Refusé" }),
        ("mdStatus", "1"),
        ("maskedCreditCard", "4000 00** **** 0010"),
        ("EXTRA.CARDBRAND", "VISA"),
        ("EXTRA.CARDISSUER", "BANQUE DU MAROC"),
        ("ReturnOid", &field("oid")),
        ("rnd", "abc"),
        ("hashAlgorithm", "ver3"),
    ];
    fields.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
    sign(&mut fields);
    fields
}

/// Signs (again) after a change.
pub(crate) fn sign(fields: &mut Vec<(String, String)>) {
    fields.retain(|(name, _)| name != "HASH");
    let hash = hash::of(fields);
    fields.push(("HASH".to_owned(), hash));
}

/// Another value in a field.
pub(crate) fn set(fields: &mut [(String, String)], name: &str, value: &str) {
    let field = fields.iter_mut().find(|(known, _)| known == name);
    field.unwrap().1 = value.to_owned();
}

/// A field of a form.
pub(crate) fn value(form: &pb::HostedForm, name: &str) -> String {
    let field = form.fields.iter().find(|field| field.name == name);
    field
        .unwrap_or_else(|| panic!("the form has no {name}"))
        .value
        .clone()
}
