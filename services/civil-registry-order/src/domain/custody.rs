//! Who holds a register. Offices split and merge; an act keeps its office of registration for ever and resolves to the office that holds
//! its register on a day.

use chrono::NaiveDate;
use uuid::Uuid;

use super::act_key::{FIRST_YEAR, RegisterKind};

/// From a day on, registers of an office are held by another; or, where that is the office itself, they have come back to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Custody {
    pub id: Uuid,
    /// The office that held the registers until then, its own and those that had come to it. Where registers come back: their office of
    /// registration.
    pub office_id: Uuid,
    pub kind: RegisterKind,
    /// Years of the registers that moved, both included; an open end where there is none.
    pub from_year: Option<i16>,
    pub to_year: Option<i16>,
    pub held_by: Uuid,
    pub valid_from: NaiveDate,
}

impl Custody {
    /// Whether it is about this register.
    pub fn covers(&self, kind: RegisterKind, year: i16) -> bool {
        self.kind == kind
            && self.from_year.is_none_or(|from| from <= year)
            && self.to_year.is_none_or(|to| year <= to)
    }

    /// Whether registers come back to their office of registration, wherever they are.
    pub fn is_return(&self) -> bool {
        self.held_by == self.office_id
    }

    /// Whether this one, said later, stands in place of the other: of the same registers, on the same day.
    fn corrects(&self, other: &Self) -> bool {
        self.id > other.id
            && self.valid_from == other.valid_from
            && (self.office_id, self.kind, self.from_year, self.to_year)
                == (other.office_id, other.kind, other.from_year, other.to_year)
    }
}

/// The office that holds the register of `office_id` on a day. Moves are followed as they happened: each takes what the named office holds by
/// then, its own registers and those that had come to it, and leaves what it has given away before. A return brings an office's own registers
/// back to it from wherever they are, and no others.
pub fn holder(
    custodies: &[Custody],
    office_id: Uuid,
    kind: RegisterKind,
    year: i16,
    on_date: NaiveDate,
) -> Uuid {
    let mut moves: Vec<&Custody> = custodies
        .iter()
        .filter(|custody| custody.covers(kind, year) && custody.valid_from <= on_date)
        .filter(|custody| !custodies.iter().any(|later| later.corrects(custody)))
        .collect();
    // Of two moves on one day the one that was said last counts last: ids grow with time.
    moves.sort_by_key(|custody| (custody.valid_from, custody.id));
    moves.into_iter().fold(office_id, |holder, custody| {
        let own = custody.is_return() && custody.office_id == office_id;
        if own || custody.office_id == holder {
            custody.held_by
        } else {
            holder
        }
    })
}

/// Whether a move takes any register from one office to another on its day, these being said before it.
pub fn moves_anything(before: &[Custody], custody: &Custody, this_year: i16) -> bool {
    let mut after = before.to_vec();
    after.push(custody.clone());
    let mut offices: Vec<Uuid> = after.iter().map(|custody| custody.office_id).collect();
    offices.sort_unstable();
    offices.dedup();
    let years = custody.from_year.unwrap_or(FIRST_YEAR)..=custody.to_year.unwrap_or(this_year);
    let (kind, day) = (custody.kind, custody.valid_from);
    years.into_iter().any(|year| {
        offices.iter().any(|office| {
            holder(before, *office, kind, year, day) != holder(&after, *office, kind, year, day)
        })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const A: Uuid = Uuid::from_u128(0xa);
    const B: Uuid = Uuid::from_u128(0xb);
    const C: Uuid = Uuid::from_u128(0xc);
    const D: Uuid = Uuid::from_u128(0xd);

    fn day(year: i32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, 1, 1).unwrap()
    }

    fn moved(number: u128, office_id: Uuid, held_by: Uuid, valid_from: i32) -> Custody {
        Custody {
            id: Uuid::from_u128(number),
            office_id,
            kind: RegisterKind::Birth,
            from_year: None,
            to_year: None,
            held_by,
            valid_from: day(valid_from),
        }
    }

    fn births(custodies: &[Custody], office: Uuid, on: i32) -> Uuid {
        holder(custodies, office, RegisterKind::Birth, 1980, day(on))
    }

    #[test]
    fn a_merger_of_a_merger_is_followed() {
        let moves = [moved(1, A, B, 2009), moved(2, B, C, 2015)];
        assert_eq!(births(&moves, A, 2008), A);
        assert_eq!(births(&moves, A, 2009), B);
        assert_eq!(births(&moves, A, 2016), C);
        assert_eq!(births(&moves, B, 2010), B);
        assert_eq!(births(&moves, B, 2016), C);
        assert_eq!(births(&moves, C, 2016), C);
    }

    #[test]
    fn what_left_an_office_before_does_not_move_with_it() {
        // A's registers went to C; what B takes over from A later are A's other holdings.
        let moves = [moved(1, A, C, 2009), moved(2, C, B, 2012), moved(3, C, A, 2015)];
        assert_eq!(births(&moves, A, 2016), B);
    }

    #[test]
    fn a_split_moves_some_years_and_one_register() {
        let mut split = moved(1, A, B, 2009);
        (split.from_year, split.to_year) = (Some(1970), Some(1979));
        let held = |year| {
            holder(
                std::slice::from_ref(&split),
                A,
                RegisterKind::Birth,
                year,
                day(2020),
            )
        };
        assert_eq!([held(1969), held(1970), held(1979), held(1980)], [A, B, B, A]);
        let deaths = holder(
            std::slice::from_ref(&split),
            A,
            RegisterKind::Death,
            1975,
            day(2020),
        );
        assert_eq!(deaths, A);
    }

    #[test]
    fn registers_can_come_back_and_a_later_word_wins() {
        let back = [moved(1, A, B, 2009), moved(2, B, A, 2015)];
        assert_eq!(births(&back, A, 2016), A);
        assert_eq!(births(&back, B, 2016), A);
        let corrected = [moved(1, A, B, 2009), moved(2, A, C, 2009)];
        assert_eq!(births(&corrected, A, 2010), C);
    }

    #[test]
    fn a_merger_takes_what_the_office_holds_by_then() {
        let mut split = moved(1, A, B, 2009);
        (split.from_year, split.to_year) = (Some(1970), Some(1979));
        let moves = [split, moved(2, A, D, 2015)];
        let held = |year| holder(&moves, A, RegisterKind::Birth, year, day(2020));
        assert_eq!([held(1969), held(1975), held(1980)], [D, B, D]);
    }

    #[test]
    fn a_wrong_move_is_undone_and_takes_nothing_with_it() {
        let back = [moved(1, A, B, 2009), moved(2, A, A, 2012)];
        assert_eq!([births(&back, A, 2011), births(&back, A, 2012)], [B, A]);
        assert_eq!(births(&back, B, 2012), B, "B's own registers stay with B");
        // From wherever they went, and C's stay where they came to.
        let far = [
            moved(1, A, B, 2009),
            moved(2, C, B, 2009),
            moved(3, B, D, 2010),
            moved(4, A, A, 2012),
        ];
        assert_eq!([births(&far, A, 2012), births(&far, C, 2012)], [A, D]);
        // One register alone.
        let mut one = moved(2, A, A, 2012);
        (one.from_year, one.to_year) = (Some(1980), Some(1980));
        let moves = [moved(1, A, B, 2009), one];
        let held = |year| holder(&moves, A, RegisterKind::Birth, year, day(2020));
        assert_eq!([held(1979), held(1980), held(1981)], [B, A, B]);
        // On the day of the wrong move itself it never was.
        let same_day = [moved(1, A, B, 2009), moved(2, A, A, 2009)];
        assert_eq!(births(&same_day, A, 2010), A);
    }

    #[test]
    fn a_move_of_nothing_is_known() {
        let anything = |before: &[Custody], custody: &Custody| moves_anything(before, custody, 2026);
        assert!(anything(&[], &moved(1, A, B, 2009)));
        assert!(!anything(&[], &moved(1, A, A, 2009)), "nothing to come back");
        let gone = [moved(1, A, B, 2009)];
        assert!(!anything(&gone, &moved(2, A, C, 2015)), "A holds nothing by then");
        assert!(anything(&gone, &moved(2, A, C, 2009)), "a correction");
        assert!(anything(&gone, &moved(2, A, A, 2015)));
        assert!(anything(&gone, &moved(2, B, C, 2015)));
    }

    fn any_moves() -> impl Strategy<Value = Vec<Custody>> {
        let office = prop::sample::select(vec![A, B, C]);
        prop::collection::vec((office.clone(), office, 2000i32..2020), 0..8).prop_map(|moves| {
            (1u128..)
                .zip(moves)
                .map(|(number, (from, to, on))| moved(number, from, to, on))
                .collect()
        })
    }

    proptest! {
        #[test]
        fn a_move_changes_nothing_before_its_day(moves in any_moves(), on in 2000i32..2020, office in prop::sample::select(vec![A, B, C])) {
            let before: Vec<Custody> = moves.iter().filter(|custody| custody.valid_from <= day(on)).cloned().collect();
            prop_assert_eq!(births(&moves, office, on), births(&before, office, on));
        }

        #[test]
        fn the_order_in_which_moves_are_read_does_not_count(moves in any_moves(), office in prop::sample::select(vec![A, B, C])) {
            let reversed: Vec<Custody> = moves.iter().rev().cloned().collect();
            prop_assert_eq!(births(&moves, office, 2030), births(&reversed, office, 2030));
        }
    }
}
