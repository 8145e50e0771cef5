//! An order of the store: what the browser brought, and its transactions.

use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::cards::Card;

/// In the journal.
pub(super) const KIND: &str = "cmi_order";
/// Seconds that a page stays open where the form does not say (NestPay's default).
const SESSION: i64 = 1800;
/// Fields of the request that no answer repeats.
const NOT_REPEATED: [&str; 6] = [
    "hash",
    "encoding",
    "autoredirect",
    "refreshtime",
    "rnd",
    "hashalgorithm",
];

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) oid: String,
    /// In minor units.
    pub(super) amount: i64,
    /// As the browser brought them, in their order.
    pub(super) fields: Vec<(String, String)>,
    /// Knows the page that was opened last.
    pub(super) session: Uuid,
    pub(super) opened_at: DateTime<Utc>,
    /// The card whose payer is to give a code, and the code.
    #[serde(skip)]
    pub(super) proving: Option<(&'static Card, &'static str)>,
    pub(super) transactions: Vec<Transaction>,
    /// What the callbacks were answered, oldest first.
    pub(super) callbacks: Vec<Callback>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Transaction {
    pub(super) id: String,
    /// `CHARGE_TYPE_CD`: `S` sale or pre-authorisation, `C` credit.
    pub(super) charge: char,
    pub(super) status: Status,
    /// In minor units.
    pub(super) amount: i64,
    pub(super) captured: Option<i64>,
    pub(super) authorised_at: DateTime<Utc>,
    pub(super) captured_at: Option<DateTime<Utc>>,
    pub(super) voided_at: Option<DateTime<Utc>>,
    pub(super) host_reference: String,
    pub(super) authorisation_code: String,
    pub(super) outcome: Outcome,
    /// What the callback and the browser bring, without a hash.
    pub(super) answer: Vec<(String, String)>,
}

/// `TRANS_STAT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Status {
    #[serde(rename = "A")]
    Authorised,
    /// Captured, or credited.
    #[serde(rename = "C")]
    Captured,
    #[serde(rename = "D")]
    Declined,
    /// The bank has not answered yet.
    #[serde(rename = "PN")]
    Pending,
    /// The bank did not answer.
    #[serde(rename = "ERR")]
    Failed,
    #[serde(rename = "V")]
    Voided,
}

impl Status {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Authorised => "A",
            Self::Captured => "C",
            Self::Declined => "D",
            Self::Pending => "PN",
            Self::Failed => "ERR",
            Self::Voided => "V",
        }
    }
}

/// How a try ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Outcome {
    /// `Approved`, `Declined` or `Error`; empty while the bank has not answered.
    pub(super) response: String,
    /// `ProcReturnCode`.
    pub(super) code: String,
    pub(super) message: String,
    /// `mdStatus`: 1 authenticated, 0 not.
    pub(super) authenticated: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Callback {
    pub(super) transaction: String,
    pub(super) at: DateTime<Utc>,
    /// Absent when there was none, or when it was to be lost.
    pub(super) answer: Option<String>,
}

impl Outcome {
    pub(super) fn approved() -> Self {
        Self {
            response: "Approved".to_owned(),
            code: "00".to_owned(),
            message: String::new(),
            authenticated: true,
        }
    }

    pub(super) fn declined(code: &str, message: &str) -> Self {
        Self {
            response: "Declined".to_owned(),
            code: code.to_owned(),
            message: message.to_owned(),
            authenticated: true,
        }
    }

    /// The bank has not answered yet.
    pub(super) fn pending() -> Self {
        Self {
            response: String::new(),
            code: String::new(),
            message: String::new(),
            authenticated: true,
        }
    }

    /// It never did.
    pub(super) fn unanswered() -> Self {
        Self {
            response: "Error".to_owned(),
            ..Self::declined("99", "No answer from the issuer")
        }
    }

    pub(super) fn is_approved(&self) -> bool {
        self.response == "Approved"
    }

    fn status(&self) -> Status {
        match self.response.as_str() {
            "Approved" => Status::Authorised,
            "Declined" => Status::Declined,
            "" => Status::Pending,
            _ => Status::Failed,
        }
    }
}

impl Transaction {
    /// `S` transactions that gave money: authorised, captured or given back since.
    pub(super) fn is_success(&self) -> bool {
        !matches!(self.status, Status::Declined | Status::Failed | Status::Pending)
    }

    /// The bank answers after all.
    fn end(&mut self, outcome: Outcome) {
        self.status = outcome.status();
        if outcome.is_approved() {
            self.authorisation_code = digits(6, rand::rng().next_u32());
        }
        let said = [
            ("Response", &outcome.response),
            ("ProcReturnCode", &outcome.code),
            ("ErrMsg", &outcome.message),
            ("AuthCode", &self.authorisation_code),
        ];
        for (name, value) in &mut self.answer {
            if let Some((_, new)) = said.iter().find(|(own, _)| own == name) {
                (*new).clone_into(value);
            }
        }
        self.outcome = outcome;
    }
}

impl Order {
    /// From a form, going on where `before` stands.
    pub(super) fn opened(
        oid: String,
        fields: Vec<(String, String)>,
        before: Option<&Self>,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            oid,
            amount: minor(field(&fields, "amount")).unwrap_or_default(),
            fields,
            session: Uuid::new_v4(),
            opened_at: now,
            proving: None,
            transactions: before
                .map(|before| before.transactions.clone())
                .unwrap_or_default(),
            callbacks: before.map(|before| before.callbacks.clone()).unwrap_or_default(),
        }
    }

    /// A field of the form, or nothing.
    pub(super) fn field(&self, name: &str) -> &str {
        field(&self.fields, name)
    }

    /// Whether the page that was opened last is still good (`sessiontimeout`, seconds).
    pub(super) fn is_open(&self, now: DateTime<Utc>) -> bool {
        let seconds = self.field("sessiontimeout").parse().unwrap_or(SESSION);
        now < self.opened_at + TimeDelta::seconds(seconds)
    }

    pub(super) fn has_success(&self) -> bool {
        self.transactions.iter().any(Transaction::is_success)
    }

    pub(super) fn transaction(&mut self, id: &str) -> Option<&mut Transaction> {
        self.transactions
            .iter_mut()
            .find(|transaction| transaction.id == id)
    }

    /// A try of the payer's with a card.
    pub(super) fn attempt(&mut self, card: &Card, outcome: Outcome, now: DateTime<Utc>) -> Transaction {
        let mut transaction = Transaction::new('S', self.amount, outcome, now);
        transaction.answer = self.answer(&transaction, Some(card), now);
        self.transactions.push(transaction.clone());
        transaction
    }

    /// The bank answers about a try that waits for it.
    pub(super) fn end(&mut self, id: &str, outcome: Outcome) -> Option<Transaction> {
        let waits = |one: &&mut Transaction| one.id == id && one.status == Status::Pending;
        let transaction = self.transactions.iter_mut().find(waits)?;
        transaction.end(outcome);
        Some(transaction.clone())
    }

    /// Gives a part of the captured money back.
    pub(super) fn credit(&mut self, amount: i64, now: DateTime<Utc>) -> Transaction {
        let mut transaction = Transaction::new('C', amount, Outcome::approved(), now);
        transaction.status = Status::Captured;
        transaction.captured = Some(amount);
        transaction.captured_at = Some(now);
        self.transactions.push(transaction.clone());
        transaction
    }

    /// Captured and neither voided nor credited, in minor units.
    pub(super) fn held(&self) -> i64 {
        let signed = self
            .transactions
            .iter()
            .filter(|one| one.status == Status::Captured);
        signed
            .map(|one| one.captured.unwrap_or_default() * if one.charge == 'S' { 1 } else { -1 })
            .sum()
    }

    /// The fields of the browser's return when no try was made.
    pub(super) fn left(&self, now: DateTime<Utc>) -> Vec<(String, String)> {
        let mut outcome = Outcome::declined("99", "Left by the payer");
        outcome.authenticated = false;
        let mut none = Transaction::new('S', self.amount, outcome, now);
        none.id = String::new();
        self.answer(&none, None, now)
    }

    fn answer(
        &self,
        transaction: &Transaction,
        card: Option<&Card>,
        now: DateTime<Utc>,
    ) -> Vec<(String, String)> {
        let outcome = &transaction.outcome;
        let repeated = self
            .fields
            .iter()
            .filter(|(name, _)| !NOT_REPEATED.contains(&name.to_lowercase().as_str()))
            .cloned();
        let masked = card.map(Card::masked).unwrap_or_default();
        let own = [
            ("Response", outcome.response.clone()),
            ("ProcReturnCode", outcome.code.clone()),
            ("AuthCode", transaction.authorisation_code.clone()),
            ("TransId", transaction.id.clone()),
            ("HostRefNum", transaction.host_reference.clone()),
            ("ErrMsg", outcome.message.clone()),
            ("mdStatus", u8::from(outcome.authenticated).to_string()),
            ("maskedCreditCard", masked.clone()),
            ("MaskedPan", masked),
            ("EXTRA.CARDBRAND", card.map_or("", |card| card.brand).to_owned()),
            ("EXTRA.CARDISSUER", card.map_or("", |card| card.issuer).to_owned()),
            ("EXTRA.TRXDATE", now.format("%Y%m%d %H:%M:%S").to_string()),
            ("clientIp", "127.0.0.1".to_owned()),
            ("ReturnOid", self.oid.clone()),
            ("rnd", Uuid::new_v4().simple().to_string()),
            ("hashAlgorithm", "ver3".to_owned()),
        ];
        repeated
            .chain(own.map(|(name, value)| (name.to_owned(), value)))
            .collect()
    }
}

impl Transaction {
    fn new(charge: char, amount: i64, outcome: Outcome, now: DateTime<Utc>) -> Self {
        let mut random = rand::rng();
        let letters: String = (0..4)
            .map(|_| char::from(b'A' + (random.next_u32() % 26) as u8))
            .collect();
        let approved = outcome.is_approved();
        Self {
            // NestPay's form: two digits of the year, the day of the year, four letters, five digits.
            id: format!("{}{letters}{}", now.format("%y%j"), digits(5, random.next_u32())),
            charge,
            status: outcome.status(),
            amount,
            captured: None,
            authorised_at: now,
            captured_at: None,
            voided_at: None,
            host_reference: format!("{}{}", now.format("%y%j"), digits(7, random.next_u32())),
            authorisation_code: if approved {
                digits(6, random.next_u32())
            } else {
                String::new()
            },
            outcome,
            answer: Vec::new(),
        }
    }
}

fn digits(count: u32, number: u32) -> String {
    format!("{:0width$}", number % 10_u32.pow(count), width = count as usize)
}

/// The value of a field, names compared without regard to case; empty when there is none.
pub(super) fn field<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    let found = fields.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
    found.map_or("", |(_, value)| value.trim())
}

/// Minor units of an amount written as `20.00` or `20`.
pub(super) fn minor(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "00"));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || part.len() != 2 || !digits(whole) || !digits(part) {
        return None;
    }
    whole
        .parse::<i64>()
        .ok()?
        .checked_mul(100)?
        .checked_add(part.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::minor;

    #[test]
    fn an_amount_has_two_decimals_or_none() {
        assert_eq!(minor("20.00"), Some(2000));
        assert_eq!(minor("20"), Some(2000));
        assert_eq!(minor("0.05"), Some(5));
        for wrong in [
            "20,00",
            "20.5",
            "",
            ".50",
            "-1.00",
            "1e3",
            "99999999999999999999.00",
        ] {
            assert_eq!(minor(wrong), None, "{wrong}");
        }
    }
}
