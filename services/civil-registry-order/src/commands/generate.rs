//! `generate`: synthetic acts in both scripts as JSON Lines, the same for the same seed. For demonstrations and measurements.

mod act;
mod names;
mod random;
mod words;

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use wathiq_chassis::ConfigError;

use crate::domain::act::Draft;
use crate::domain::act_key::RegisterKind;
use act::{Place, YEARS};
use random::Dice;

/// What to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub acts: u64,
    pub seed: u64,
    /// Codes or ids, over which the acts are spread evenly.
    pub offices: Vec<String>,
    /// Standard output without one.
    pub out: Option<PathBuf>,
}

/// Reads `--acts N --seed S --offices CODE,CODE… [--out FILE]`.
///
/// # Errors
/// [`ConfigError`] naming the argument.
pub fn parse(arguments: &[String]) -> Result<Asked, ConfigError> {
    let mut values = super::flags::read(arguments, &["--acts", "--seed", "--offices", "--out"], &[])?;
    let number = |name: &'static str, value: Option<String>, default: Option<u64>| match (value, default) {
        (Some(value), _) => value
            .parse()
            .map_err(|_| ConfigError::key(name, "must be a whole number")),
        (None, Some(default)) => Ok(default),
        (None, None) => Err(ConfigError::key(name, "is missing")),
    };
    let offices: Vec<String> = values
        .take("--offices")
        .unwrap_or_default()
        .split(',')
        .map(|office| office.trim().to_owned())
        .filter(|office| !office.is_empty())
        .collect();
    if offices.is_empty() {
        return Err(ConfigError::key("--offices", "names one office at least"));
    }
    Ok(Asked {
        acts: number("--acts", values.take("--acts"), None)?,
        seed: number("--seed", values.take("--seed"), Some(1))?,
        offices,
        out: values.take("--out").map(PathBuf::from),
    })
}

/// Writes the acts.
///
/// # Errors
/// What writing fails with.
pub fn run(asked: &Asked) -> io::Result<()> {
    match &asked.out {
        Some(path) => write(asked, std::fs::File::create(path)?),
        None => write(asked, io::stdout().lock()),
    }
}

/// Writes the acts, one a line.
///
/// # Errors
/// What writing fails with.
pub fn write(asked: &Asked, out: impl Write) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(256 * 1024, out);
    for act in acts(asked) {
        serde_json::to_writer(&mut out, &act)?;
        out.write_all(b"\n")?;
    }
    out.flush()
}

/// The acts: numbers run on through each register year of each office.
pub fn acts(asked: &Asked) -> impl Iterator<Item = Draft> {
    const DEATH_EVERY: u64 = 10;
    let offices = asked.offices.clone();
    let years = u64::from(YEARS.end() - YEARS.start()) + 1;
    let mut dice = Dice::new(asked.seed);
    (0..asked.acts).map(move |index| {
        let spread = offices.len() as u64;
        let office = &offices[usize::try_from(index % spread).unwrap_or(0)];
        let at_office = index / spread;
        let year = YEARS.start() + u16::try_from(at_office % years).unwrap_or(0);
        let place = Place {
            office,
            kind: if at_office % DEATH_EVERY == DEATH_EVERY - 1 {
                RegisterKind::Death
            } else {
                RegisterKind::Birth
            },
            year,
            number: u32::try_from(at_office / years + 1).unwrap_or(u32::MAX),
        };
        act::act(&mut dice, &place)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use chrono::NaiveDate;
    use uuid::Uuid;

    use super::*;
    use crate::domain::act::check;

    fn asked(acts: u64, seed: u64) -> Asked {
        Asked {
            acts,
            seed,
            offices: vec!["C-1".to_owned(), "C-2".to_owned()],
            out: None,
        }
    }

    #[test]
    fn every_act_is_good_large_enough_and_has_a_key_of_its_own() {
        let today = NaiveDate::from_ymd_opt(2026, 11, 22).unwrap();
        let mut keys = HashSet::new();
        let (mut deaths, mut notes) = (0, 0);
        for act in acts(&asked(3_000, 7)) {
            let text = serde_json::to_string(&act).unwrap();
            assert!(text.len() >= 1_500, "{} bytes: {text}", text.len());
            let office = if act.office == "C-1" {
                Uuid::from_u128(1)
            } else {
                Uuid::from_u128(2)
            };
            let entry = check::entry(office, act, today).unwrap_or_else(|faults| panic!("{faults:?} {text}"));
            deaths += usize::from(entry.key().kind == RegisterKind::Death);
            notes += entry.notes().len();
            assert!(keys.insert(entry.key().clone()), "{:?}", entry.key());
        }
        assert_eq!(deaths, 300);
        assert!(notes > 300, "{notes}");
    }

    #[test]
    fn the_same_seed_gives_the_same_acts() {
        let made = |seed| acts(&asked(20, seed)).collect::<Vec<_>>();
        assert_eq!(made(7), made(7));
        assert_ne!(made(7), made(8));
    }

    #[test]
    fn arguments_are_read() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let read = parse(&words("--acts 10 --offices A,B --seed 3")).unwrap();
        assert_eq!((read.acts, read.seed, read.offices.len()), (10, 3, 2));
        for bad in [
            "--acts 10",
            "--offices A",
            "--acts x --offices A",
            "--acts 1 --offices A --colour 1",
            "--acts",
        ] {
            assert!(parse(&words(bad)).is_err(), "{bad}");
        }
    }
}
