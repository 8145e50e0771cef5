//! The test cards and how their banks answer.

/// A card that the hosted page takes.
#[derive(Debug)]
pub(super) struct Card {
    pub(super) number: &'static str,
    pub(super) brand: &'static str,
    /// In the answer's `EXTRA.CARDISSUER`.
    pub(super) issuer: &'static str,
    pub(super) bank: Bank,
}

/// What the bank that issued the card does.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bank {
    Approves,
    /// Has the payer prove with a code first (3-D Secure).
    AsksCode(&'static str),
    /// With the code in `ProcReturnCode` and its text.
    Declines(&'static str, &'static str),
    /// Does not answer for a while, and then mostly with an error.
    Silent,
}

const MOROCCAN: &str = "BANQUE DU MAROC";
const ABROAD: &str = "INTERNATIONAL BANK";

pub(super) const CARDS: [Card; 7] = [
    card("4000000000000010", MOROCCAN, Bank::Approves),
    card("5453010000066100", ABROAD, Bank::Approves),
    card("5191630100004896", MOROCCAN, Bank::AsksCode("123")),
    card(
        "4000000000000051",
        MOROCCAN,
        Bank::Declines("51", "Insufficient funds"),
    ),
    card(
        "4000000000000005",
        MOROCCAN,
        Bank::Declines("05", "Do not honour"),
    ),
    EXPIRED,
    card("4000000000000099", MOROCCAN, Bank::Silent),
];

const EXPIRED: Card = card(
    "4000000000000054",
    MOROCCAN,
    Bank::Declines(EXPIRED_CODE.0, EXPIRED_CODE.1),
);

/// What the bank says to a date in the past.
pub(super) const EXPIRED_CODE: (&str, &str) = ("54", "Expired card");

const fn card(number: &'static str, issuer: &'static str, bank: Bank) -> Card {
    let brand = if number.as_bytes()[0] == b'4' {
        "VISA"
    } else {
        "MASTERCARD"
    };
    Card {
        number,
        brand,
        issuer,
        bank,
    }
}

/// The card of this number, written with or without spaces.
pub(super) fn find(number: &str) -> Option<&'static Card> {
    let number = number.replace([' ', '-'], "");
    CARDS.iter().find(|card| card.number == number)
}

impl Card {
    /// For the list on the page.
    pub(super) fn about(&self) -> String {
        let bank = match self.bank {
            Bank::Approves => "approved".to_owned(),
            Bank::AsksCode(code) => format!("3-D Secure, code {code}"),
            Bank::Declines(code, message) => format!("declined: {code} {message}"),
            Bank::Silent => "no answer from the bank for a while".to_owned(),
        };
        format!("{bank} ({})", self.issuer)
    }

    /// As receipts show it: the first six and the last four digits.
    pub(super) fn masked(&self) -> String {
        let number = self.number;
        format!("{} {}** **** {}", &number[..4], &number[4..6], &number[12..])
    }
}
