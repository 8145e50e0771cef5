//! Numbers and dates in letters, as clerks write them: only to make up what an act "says". Nothing is converted between calendars.

const FRENCH_UNITS: [&str; 20] = [
    "zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze",
    "treize", "quatorze", "quinze", "seize", "dix-sept", "dix-huit", "dix-neuf",
];
const FRENCH_TENS: [&str; 7] = ["", "", "vingt", "trente", "quarante", "cinquante", "soixante"];
const FRENCH_MONTHS: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];
const ARABIC_MONTHS: [&str; 12] = [
    "يناير",
    "فبراير",
    "مارس",
    "أبريل",
    "ماي",
    "يونيو",
    "يوليوز",
    "غشت",
    "شتنبر",
    "أكتوبر",
    "نونبر",
    "دجنبر",
];
/// Months of the Hijri year: Latin, Arabic.
const HIJRI_MONTHS: [(&str, &str); 12] = [
    ("moharram", "محرم"),
    ("safar", "صفر"),
    ("rabii I", "ربيع الأول"),
    ("rabii II", "ربيع الآخر"),
    ("joumada I", "جمادى الأولى"),
    ("joumada II", "جمادى الآخرة"),
    ("rajab", "رجب"),
    ("chaabane", "شعبان"),
    ("ramadan", "رمضان"),
    ("chaoual", "شوال"),
    ("dou al qiada", "ذو القعدة"),
    ("dou al hijja", "ذو الحجة"),
];
const ARABIC_UNITS: [&str; 20] = [
    "صفر",
    "واحد",
    "اثنان",
    "ثلاثة",
    "أربعة",
    "خمسة",
    "ستة",
    "سبعة",
    "ثمانية",
    "تسعة",
    "عشرة",
    "أحد عشر",
    "اثنا عشر",
    "ثلاثة عشر",
    "أربعة عشر",
    "خمسة عشر",
    "ستة عشر",
    "سبعة عشر",
    "ثمانية عشر",
    "تسعة عشر",
];
const ARABIC_TENS: [&str; 10] = [
    "",
    "",
    "عشرون",
    "ثلاثون",
    "أربعون",
    "خمسون",
    "ستون",
    "سبعون",
    "ثمانون",
    "تسعون",
];
const ARABIC_HUNDREDS: [&str; 10] = [
    "",
    "مائة",
    "مائتان",
    "ثلاثمائة",
    "أربعمائة",
    "خمسمائة",
    "ستمائة",
    "سبعمائة",
    "ثمانمائة",
    "تسعمائة",
];

/// A number below 10,000 in French.
pub(super) fn french(number: u16) -> String {
    let (thousands, hundreds, rest) = (number / 1000, number / 100 % 10, number % 100);
    let mut words = Vec::new();
    match thousands {
        0 => {}
        1 => words.push("mille".to_owned()),
        more => words.extend([french(more), "mille".to_owned()]),
    }
    match hundreds {
        0 => {}
        1 => words.push("cent".to_owned()),
        more => {
            let plural = if rest == 0 { "cents" } else { "cent" };
            words.extend([FRENCH_UNITS[usize::from(more)].to_owned(), plural.to_owned()]);
        }
    }
    if rest > 0 || words.is_empty() {
        words.push(french_below_hundred(rest));
    }
    words.join(" ")
}

fn french_below_hundred(number: u16) -> String {
    match number {
        0..=19 => FRENCH_UNITS[usize::from(number)].to_owned(),
        80 => "quatre-vingts".to_owned(),
        81..=99 => format!("quatre-vingt-{}", FRENCH_UNITS[usize::from(number - 80)]),
        71 => "soixante et onze".to_owned(),
        70..=79 => format!("soixante-{}", FRENCH_UNITS[usize::from(number - 60)]),
        _ => {
            let (tens, units) = (FRENCH_TENS[usize::from(number / 10)], number % 10);
            match units {
                0 => tens.to_owned(),
                1 => format!("{tens} et un"),
                _ => format!("{tens}-{}", FRENCH_UNITS[usize::from(units)]),
            }
        }
    }
}

/// A number below 10,000 in Arabic, in the forms of counting.
pub(super) fn arabic(number: u16) -> String {
    let (thousands, hundreds, rest) = (number / 1000, number / 100 % 10, number % 100);
    let mut words = Vec::new();
    match thousands {
        0 => {}
        1 => words.push("ألف".to_owned()),
        2 => words.push("ألفان".to_owned()),
        more => words.push(format!("{} آلاف", ARABIC_UNITS[usize::from(more)])),
    }
    if hundreds > 0 {
        words.push(ARABIC_HUNDREDS[usize::from(hundreds)].to_owned());
    }
    let (tens, units) = (rest / 10, rest % 10);
    if rest < 20 {
        if rest > 0 || words.is_empty() {
            words.push(ARABIC_UNITS[usize::from(rest)].to_owned());
        }
    } else {
        if units > 0 {
            words.push(ARABIC_UNITS[usize::from(units)].to_owned());
        }
        words.push(ARABIC_TENS[usize::from(tens)].to_owned());
    }
    words.join(" و")
}

/// A Gregorian date in French and in Arabic letters. `month` is 1 to 12.
pub(super) fn gregorian(year: u16, month: usize, day: u16) -> (String, String) {
    let month = month - 1;
    let first = if day == 1 {
        "premier".to_owned()
    } else {
        french(day)
    };
    (
        format!("le {first} {} {}", FRENCH_MONTHS[month], french(year)),
        format!("في {} {} سنة {}", arabic(day), ARABIC_MONTHS[month], arabic(year)),
    )
}

/// A Hijri date in French and in Arabic letters. `month` is 1 to 12.
pub(super) fn hijri(year: u16, month: usize, day: u16) -> (String, String) {
    let (latin, written) = HIJRI_MONTHS[month - 1];
    let first = if day == 1 {
        "premier".to_owned()
    } else {
        french(day)
    };
    (
        format!("le {first} {latin} {}", french(year)),
        format!("في {} {written} عام {}", arabic(day), arabic(year)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_letters() {
        let cases = [
            (0, "zéro", "صفر"),
            (1, "un", "واحد"),
            (21, "vingt et un", "واحد وعشرون"),
            (71, "soixante et onze", "واحد وسبعون"),
            (80, "quatre-vingts", "ثمانون"),
            (99, "quatre-vingt-dix-neuf", "تسعة وتسعون"),
            (200, "deux cents", "مائتان"),
            (1404, "mille quatre cent quatre", "ألف وأربعمائة وأربعة"),
            (
                1984,
                "mille neuf cent quatre-vingt-quatre",
                "ألف وتسعمائة وأربعة وثمانون",
            ),
            (2026, "deux mille vingt-six", "ألفان وستة وعشرون"),
        ];
        for (number, latin, script) in cases {
            assert_eq!(french(number), latin);
            assert_eq!(arabic(number), script);
        }
        for number in 0..10_000 {
            assert!(!french(number).is_empty() && !arabic(number).is_empty());
        }
    }

    #[test]
    fn dates_in_letters() {
        assert_eq!(
            gregorian(1984, 3, 1).0,
            "le premier mars mille neuf cent quatre-vingt-quatre"
        );
        assert_eq!(hijri(1404, 9, 12).1, "في اثنا عشر رمضان عام ألف وأربعمائة وأربعة");
    }
}
