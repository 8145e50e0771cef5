use proptest::prelude::*;

use super::*;

const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

fn hashes(list: &[u8]) -> HashSet {
    HashSet::parse(&list.iter().map(|byte| [*byte; 32]).collect::<Vec<_>>()).unwrap()
}

fn open() -> Confirmation {
    let who = (Uuid::from_u128(1), Uuid::from_u128(2), Surface::Citizen);
    Confirmation::open(Uuid::nil(), who, Purpose::Legalise, hashes(&[1, 2]), NOW)
        .unwrap()
        .0
}

fn given() -> Given {
    Given {
        method: Method::Totp,
        at: NOW,
        record: "jws".to_owned(),
    }
}

fn confirmed() -> Confirmation {
    open().give(given(), NOW).unwrap().0
}

fn redeemed() -> Confirmation {
    confirmed().redeem(redemption(), NOW).unwrap().0
}

fn barred() -> Confirmation {
    (0..ATTEMPTS).fold(open(), |confirmation, _| confirmation.wrong_code(NOW).unwrap().0)
}

fn expired() -> Confirmation {
    Confirmation {
        state: State::Expired,
        ..open()
    }
}

fn redemption() -> Redemption {
    Redemption {
        service: "signature".to_owned(),
        person_id: Uuid::from_u128(1),
        purpose: Purpose::Legalise,
        hashes: hashes(&[2, 1]),
    }
}

/// Every state × command; `None` is success.
#[test]
fn states_and_commands() {
    use Refusal::{
        ConfirmationBarred as B, ConfirmationExpired as E, ConfirmationGiven as G, ConfirmationOpen as O,
        ConfirmationUsed as U,
    };
    let late = NOW + LIFE;
    type Row = (
        &'static str,
        fn() -> Confirmation,
        DateTime<Utc>,
        [Option<Refusal>; 3],
    );
    let table: [Row; 9] = [
        ("open", open, NOW, [None, None, Some(O)]),
        ("confirmed", confirmed, NOW, [Some(G), Some(G), None]),
        ("redeemed", redeemed, NOW, [Some(U), Some(U), Some(U)]),
        ("barred", barred, NOW, [Some(B), Some(B), Some(B)]),
        ("expired", expired, NOW, [Some(E), Some(E), Some(E)]),
        ("open, late", open, late, [Some(E), Some(E), Some(E)]),
        ("confirmed, late", confirmed, late, [Some(E), Some(E), Some(E)]),
        ("redeemed, late", redeemed, late, [Some(U), Some(U), Some(U)]),
        ("barred, late", barred, late, [Some(B), Some(B), Some(B)]),
    ];
    for (name, make, now, [give, wrong, redeem]) in table {
        assert_eq!(make().give(given(), now).err(), give, "give in {name}");
        assert_eq!(make().wrong_code(now).err(), wrong, "wrong code in {name}");
        assert_eq!(make().redeem(redemption(), now).err(), redeem, "redeem in {name}");
    }
}

#[test]
fn the_surface_must_fit_the_purpose() {
    for (purpose, surface, right) in [
        (Purpose::Legalise, Surface::Citizen, true),
        (Purpose::Legalise, Surface::Staff, false),
        (Purpose::Seal, Surface::Staff, true),
        (Purpose::Seal, Surface::Citizen, false),
    ] {
        let opened = Confirmation::open(
            Uuid::nil(),
            (Uuid::nil(), Uuid::nil(), surface),
            purpose,
            hashes(&[1]),
            NOW,
        );
        assert_eq!(opened.is_ok(), right, "{purpose:?} on {surface:?}");
    }
}

#[test]
fn it_is_used_for_what_was_confirmed_or_not_at_all() {
    let other = [
        Redemption {
            person_id: Uuid::from_u128(9),
            ..redemption()
        },
        Redemption {
            purpose: Purpose::Seal,
            ..redemption()
        },
        Redemption {
            hashes: hashes(&[1]),
            ..redemption()
        },
        Redemption {
            hashes: hashes(&[1, 2, 3]),
            ..redemption()
        },
    ];
    for redemption in other {
        assert_eq!(
            confirmed().redeem(redemption, NOW).err(),
            Some(Refusal::ConfirmationMismatch)
        );
    }
}

#[test]
fn lists_of_hashes() {
    let check = |list: &[Vec<u8>]| HashSet::parse(list).err();
    assert_eq!(check(&[]), Some(HashError::Count));
    assert_eq!(check(&[vec![0; 31]]), Some(HashError::Length));
    assert_eq!(check(&[vec![0; 32], vec![0; 32]]), Some(HashError::Repeated));
    let many: Vec<Vec<u8>> = (0..=200u8).map(|byte| vec![byte; 32]).collect();
    assert_eq!(check(&many), Some(HashError::Count));
    assert_eq!(check(&many[..200]), None);
}

#[derive(Debug, Clone)]
enum Step {
    Give,
    Wrong,
    Redeem,
    Wait(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(
        prop_oneof![
            Just(Step::Give),
            Just(Step::Wrong),
            Just(Step::Redeem),
            (0i64..300).prop_map(Step::Wait)
        ],
        0..40,
    )
}

proptest! {
    #[test]
    fn whatever_the_order_it_is_given_and_used_at_most_once_and_versions_count_facts(steps in steps()) {
        let (mut confirmation, mut now, mut facts) = (open(), NOW, 1);
        let (mut times_given, mut times_redeemed, mut wrong) = (0, 0, 0);
        for step in steps {
            let outcome = match step {
                Step::Wait(seconds) => { now += TimeDelta::seconds(seconds); continue; }
                Step::Give => confirmation.clone().give(given(), now).map(|(next, fact)| (next, Some(fact))),
                Step::Wrong => confirmation.clone().wrong_code(now),
                Step::Redeem => confirmation.clone().redeem(redemption(), now).map(|(next, fact)| (next, Some(fact))),
            };
            let Ok((next, fact)) = outcome else { continue };
            prop_assert!(now < confirmation.expires_at);
            match &fact {
                Some(ConfirmationFact::Given(_)) => times_given += 1,
                Some(ConfirmationFact::Redeemed { .. }) => times_redeemed += 1,
                _ => wrong += 1,
            }
            facts += i64::from(fact.is_some());
            prop_assert_eq!(next.version, facts);
            confirmation = next;
        }
        prop_assert!(times_given <= 1 && times_redeemed <= times_given && wrong <= ATTEMPTS);
    }
}
