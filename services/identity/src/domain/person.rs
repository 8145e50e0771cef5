//! People who have an account.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::contact::{Contact, Email, Phone};
use super::identity_document::IdentityDocument;
use super::name::PersonName;
use super::refusal::Refusal;
use super::vocabulary::{Assurance, DeliveryPreference, Language, ProofMethod};

/// What is known of a person besides contacts: the content of an identity document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CivilIdentity {
    pub name_arabic: PersonName,
    pub name_latin: PersonName,
    pub birth_date: NaiveDate,
    pub document: IdentityDocument,
}

impl CivilIdentity {
    /// Whether only the document differs.
    fn is_same_person(&self, other: &Self) -> bool {
        (&self.name_arabic, &self.name_latin, self.birth_date)
            == (&other.name_arabic, &other.name_latin, other.birth_date)
    }
}

/// The record of one proof: of an identity, or of a specimen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    pub method: ProofMethod,
    /// Where; present for a proof in person.
    pub office_id: Option<Uuid>,
    /// The official who saw the person; present for a proof in person.
    pub official_id: Option<Uuid>,
    pub at: DateTime<Utc>,
}

/// A person who has an account.
#[derive(Clone)]
pub struct Person {
    pub id: Uuid,
    /// Names the account on topics and stands nowhere else: no event names a person.
    pub stream_id: Uuid,
    /// Counts the person's events.
    pub version: i64,
    pub civil: CivilIdentity,
    /// Absent while the identity is a claim. Claims are not unique and block nobody.
    pub proof: Option<Proof>,
    pub email: Email,
    pub phone: Phone,
    pub language: Language,
    pub delivery_preference: DeliveryPreference,
    pub platform_administrator: bool,
    pub totp_enrolled: bool,
    pub created_at: DateTime<Utc>,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Person({} version {})", self.id, self.version)
    }
}

/// What happened to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonFact {
    Registered,
    Updated(Aspect),
    Proved {
        method: ProofMethod,
        office_id: Option<Uuid>,
    },
}

super::vocabulary::words! {
    /// What of a person changed.
    Aspect {
        Preferences = "preferences",
        Email = "email",
        Phone = "phone",
        Password = "password",
        Totp = "totp",
        RecoveryCodes = "recovery_codes",
    }
}

/// Changes of preferences; what is absent stays.
#[derive(Debug, Clone, Copy, Default)]
pub struct Preferences {
    pub language: Option<Language>,
    pub delivery_preference: Option<DeliveryPreference>,
}

impl Person {
    pub fn assurance(&self) -> Assurance {
        if self.proof.is_some() {
            Assurance::Proved
        } else {
            Assurance::Claimed
        }
    }

    /// # Errors
    /// [`Refusal::PersonNotProved`] while the identity is a claim.
    pub fn require_proved(&self) -> Result<(), Refusal> {
        if self.proof.is_some() {
            Ok(())
        } else {
            Err(Refusal::PersonNotProved)
        }
    }

    /// Binds what an official read on the card in hand. A proved person may be proved again with another document, a renewed
    /// card say, and stays who they are: what has been signed in one name does not become another's.
    ///
    /// # Errors
    /// [`Refusal::OwnIdentity`] when the official is the person, [`Refusal::CivilIdentityDiffers`] for a proved person of
    /// another name or birth date.
    pub fn prove(self, civil: CivilIdentity, proof: Proof) -> Result<(Self, PersonFact), Refusal> {
        if proof.official_id == Some(self.id) {
            return Err(Refusal::OwnIdentity);
        }
        if self.proof.is_some() && !self.civil.is_same_person(&civil) {
            return Err(Refusal::CivilIdentityDiffers);
        }
        let fact = PersonFact::Proved {
            method: proof.method,
            office_id: proof.office_id,
        };
        Ok((
            Self {
                civil,
                proof: Some(proof),
                ..self
            }
            .next(),
            fact,
        ))
    }

    pub fn prefer(self, preferences: Preferences) -> (Self, PersonFact) {
        let person = Self {
            language: preferences.language.unwrap_or(self.language),
            delivery_preference: preferences
                .delivery_preference
                .unwrap_or(self.delivery_preference),
            ..self
        };
        (person.next(), PersonFact::Updated(Aspect::Preferences))
    }

    pub fn change_contact(self, contact: Contact) -> (Self, PersonFact) {
        match contact {
            Contact::Email(email) => (Self { email, ..self }.next(), PersonFact::Updated(Aspect::Email)),
            Contact::Phone(phone) => (Self { phone, ..self }.next(), PersonFact::Updated(Aspect::Phone)),
        }
    }

    /// Notes a change of a credential that is stored apart.
    pub fn changed(self, aspect: Aspect) -> (Self, PersonFact) {
        (self.next(), PersonFact::Updated(aspect))
    }

    fn next(self) -> Self {
        Self {
            version: self.version + 1,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::identity_document::DocumentKind;
    use crate::domain::name::Script;

    fn person() -> Person {
        Person {
            id: Uuid::from_u128(1),
            stream_id: Uuid::from_u128(11),
            version: 1,
            civil: civil("A123456"),
            proof: None,
            email: Email::parse("amina@example.ma").unwrap(),
            phone: Phone::parse("0612345678").unwrap(),
            language: Language::Arabic,
            delivery_preference: DeliveryPreference::Attachment,
            platform_administrator: false,
            totp_enrolled: false,
            created_at: DateTime::UNIX_EPOCH,
        }
    }

    fn civil(number: &str) -> CivilIdentity {
        CivilIdentity {
            name_arabic: PersonName::parse(Script::Arabic, "أمينة", "الإدريسي").unwrap(),
            name_latin: PersonName::parse(Script::Latin, "Amina", "El Idrissi").unwrap(),
            birth_date: NaiveDate::from_ymd_opt(1990, 5, 1).unwrap(),
            document: IdentityDocument::parse(DocumentKind::Cin, number).unwrap(),
        }
    }

    fn proof(official: u128) -> Proof {
        Proof {
            method: ProofMethod::InPerson,
            office_id: Some(Uuid::from_u128(7)),
            official_id: Some(Uuid::from_u128(official)),
            at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_claim_becomes_proved_and_may_be_proved_again() {
        assert_eq!(person().require_proved(), Err(Refusal::PersonNotProved));
        let (proved, fact) = person().prove(civil("A654321"), proof(2)).unwrap();
        assert_eq!((proved.version, proved.assurance()), (2, Assurance::Proved));
        assert_eq!(
            fact,
            PersonFact::Proved {
                method: ProofMethod::InPerson,
                office_id: Some(Uuid::from_u128(7))
            }
        );
        assert_eq!(proved.civil.document.number(), "A654321");
        assert_eq!(proved.prove(civil("A654322"), proof(2)).unwrap().0.version, 3);
    }

    #[test]
    fn who_is_proved_stays_who_they_are() {
        let proved = person().prove(civil("A123456"), proof(2)).unwrap().0;
        let born_later = CivilIdentity {
            birth_date: NaiveDate::from_ymd_opt(1991, 5, 1).unwrap(),
            ..civil("A123456")
        };
        let other_name = CivilIdentity {
            name_latin: PersonName::parse(Script::Latin, "Salma", "El Idrissi").unwrap(),
            ..civil("A123456")
        };
        let other_script = CivilIdentity {
            name_arabic: PersonName::parse(Script::Arabic, "سلمى", "الإدريسي").unwrap(),
            ..civil("A123456")
        };
        for differing in [born_later, other_name, other_script] {
            // A claim is put right at the counter; what was proved is not.
            assert!(person().prove(differing.clone(), proof(2)).is_ok());
            assert_eq!(
                proved.clone().prove(differing, proof(2)).map(|_| ()),
                Err(Refusal::CivilIdentityDiffers)
            );
        }
    }

    #[test]
    fn nobody_proves_themselves() {
        assert_eq!(
            person().prove(civil("A123456"), proof(1)).map(|_| ()),
            Err(Refusal::OwnIdentity)
        );
    }

    #[test]
    fn each_change_is_one_version_and_one_fact() {
        let (person, fact) = person().prefer(Preferences {
            language: Some(Language::French),
            ..Preferences::default()
        });
        assert_eq!(
            (person.version, person.language, fact),
            (2, Language::French, PersonFact::Updated(Aspect::Preferences))
        );
        assert_eq!(person.delivery_preference, DeliveryPreference::Attachment);
        let (person, fact) = person.change_contact(Contact::Phone(Phone::parse("0712345678").unwrap()));
        assert_eq!((person.version, fact), (3, PersonFact::Updated(Aspect::Phone)));
    }

    #[test]
    fn a_person_does_not_print() {
        assert!(!format!("{:?}", person()).contains("mina"));
        assert!(!format!("{:?}", person().civil).contains("A123456"));
    }
}
