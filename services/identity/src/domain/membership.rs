//! A person's role at an office, from a date to a date; deputies name whom they stand in for.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::office::Period;
use super::refusal::Refusal;
use super::vocabulary::Role;

/// A role as it is asked for.
#[derive(Debug, Clone, Copy)]
pub struct NewMembership {
    pub office_id: Uuid,
    pub role: Role,
    /// The membership that a deputy stands in for.
    pub deputy_for: Option<Uuid>,
    pub period: Period,
}

/// A person's role at an office.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    pub id: Uuid,
    /// Counts the membership's events.
    pub version: i64,
    pub office_id: Uuid,
    pub person_id: Uuid,
    pub role: Role,
    pub deputy_for: Option<Uuid>,
    pub period: Period,
    pub ended_at: Option<DateTime<Utc>>,
    /// Latin-script name of the person, for lists.
    pub display_name: String,
}

/// What happened to a membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MembershipFact {
    Granted,
    Ended,
}

impl Membership {
    pub fn holds(&self, day: NaiveDate) -> bool {
        self.ended_at.is_none() && self.period.contains(day)
    }

    /// Whether a deputy with this role at this office may stand in for the member.
    ///
    /// # Errors
    /// [`Refusal::MembershipEnded`], [`Refusal::DeputyOfDeputy`], [`Refusal::DeputyMismatch`].
    pub fn accepts_deputy(&self, person_id: Uuid, deputy: &NewMembership) -> Result<(), Refusal> {
        if self.ended_at.is_some() {
            return Err(Refusal::MembershipEnded);
        }
        if self.deputy_for.is_some() {
            return Err(Refusal::DeputyOfDeputy);
        }
        let fits =
            self.office_id == deputy.office_id && self.role == deputy.role && self.person_id != person_id;
        if fits {
            Ok(())
        } else {
            Err(Refusal::DeputyMismatch)
        }
    }

    /// Ends it at once.
    ///
    /// # Errors
    /// [`Refusal::MembershipEnded`] when it has ended.
    pub fn end(self, now: DateTime<Utc>) -> Result<(Self, MembershipFact), Refusal> {
        if self.ended_at.is_some() {
            return Err(Refusal::MembershipEnded);
        }
        Ok((
            Self {
                ended_at: Some(now),
                version: self.version + 1,
                ..self
            },
            MembershipFact::Ended,
        ))
    }
}

/// A role held on a day, as services are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub membership_id: Uuid,
    pub office_id: Uuid,
    pub role: Role,
    pub deputy: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(d: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, d).unwrap()
    }

    fn membership() -> Membership {
        Membership {
            id: Uuid::from_u128(1),
            version: 1,
            office_id: Uuid::from_u128(2),
            person_id: Uuid::from_u128(3),
            role: Role::Officer,
            deputy_for: None,
            period: Period::new(day(1), Some(day(10))).unwrap(),
            ended_at: None,
            display_name: String::new(),
        }
    }

    fn deputy() -> NewMembership {
        NewMembership {
            office_id: Uuid::from_u128(2),
            role: Role::Officer,
            deputy_for: Some(Uuid::from_u128(1)),
            period: Period::new(day(2), Some(day(3))).unwrap(),
        }
    }

    #[test]
    fn it_holds_in_its_dates_until_it_is_ended() {
        assert!(membership().holds(day(10)) && !membership().holds(day(11)));
        let (ended, fact) = membership().end(DateTime::UNIX_EPOCH).unwrap();
        assert_eq!(
            (ended.holds(day(5)), ended.version, fact),
            (false, 2, MembershipFact::Ended)
        );
        assert_eq!(
            ended.end(DateTime::UNIX_EPOCH).err(),
            Some(Refusal::MembershipEnded)
        );
    }

    #[test]
    fn a_deputy_is_another_person_with_the_same_role_at_the_same_office() {
        let other = Uuid::from_u128(9);
        assert_eq!(membership().accepts_deputy(other, &deputy()), Ok(()));
        assert_eq!(
            membership().accepts_deputy(Uuid::from_u128(3), &deputy()),
            Err(Refusal::DeputyMismatch)
        );
        let agent = NewMembership {
            role: Role::Agent,
            ..deputy()
        };
        assert_eq!(
            membership().accepts_deputy(other, &agent),
            Err(Refusal::DeputyMismatch)
        );
        let elsewhere = NewMembership {
            office_id: other,
            ..deputy()
        };
        assert_eq!(
            membership().accepts_deputy(other, &elsewhere),
            Err(Refusal::DeputyMismatch)
        );
        let of_deputy = Membership {
            deputy_for: Some(other),
            ..membership()
        };
        assert_eq!(
            of_deputy.accepts_deputy(other, &deputy()),
            Err(Refusal::DeputyOfDeputy)
        );
        let ended = Membership {
            ended_at: Some(DateTime::UNIX_EPOCH),
            ..membership()
        };
        assert_eq!(
            ended.accepts_deputy(other, &deputy()),
            Err(Refusal::MembershipEnded)
        );
    }
}
