//! Lengths and numbers as people write them.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

/// What a length may look like, for messages.
pub(super) const LENGTH_FORMS: &str = "205, 205.5, 205,5, 3:25, 0:03:25 or 3m25s";

/// No recording is longer: 1,000 h, in ms.
const LONGEST_MS: i64 = 1000 * 3600 * 1000;

/// A length in ms, rounded up; `None` if it is not one, or over 1,000 h. `unit_ms` is the unit of a bare number, in ms.
///
/// A comma is a decimal comma, except before three digits: `1,205` could mean either, so that it is no length.
pub(super) fn length_ms(cell: &str, unit_ms: i64) -> Option<i64> {
    let cell = cell.trim();
    let ms = if cell.contains(':') {
        clock(cell)?.checked_mul(1000.into())?
    } else if cell.ends_with(|c: char| c.is_ascii_alphabetic()) {
        spelled(cell)?.checked_mul(1000.into())?
    } else {
        plain(cell)?.checked_mul(unit_ms.into())?
    };
    ms.ceil().to_i64().filter(|ms| *ms <= LONGEST_MS)
}

/// Whether a cell says that its figure is not known.
pub(super) fn is_unknown(cell: &str) -> bool {
    const SAID: [&str; 13] =
        ["-", "–", "—", "?", "n/a", "#n/a", "na", "nan", "none", "null", "unknown", "not known", "未知"];
    SAID.iter().any(|said| cell.trim().eq_ignore_ascii_case(said))
}

/// `m:ss` or `h:mm:ss`, in seconds; the last part may have a fraction.
fn clock(cell: &str) -> Option<Decimal> {
    let parts: Vec<&str> = cell.split(':').map(str::trim).collect();
    let (last, before) = parts.split_last().filter(|_| (2..=3).contains(&parts.len()))?;
    let mut seconds = Decimal::ZERO;
    for (at, part) in before.iter().enumerate() {
        let part: u32 = part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())??;
        if at > 0 && part > 59 {
            return None;
        }
        seconds = seconds.checked_mul(60.into())?.checked_add(part.into())?;
    }
    let last = plain(last).filter(|last| *last < Decimal::from(60))?;
    seconds.checked_mul(60.into())?.checked_add(last)
}

/// `1h2m3s`, `3m25s`, `45 s`, in seconds; each unit once, the larger first.
fn spelled(cell: &str) -> Option<Decimal> {
    let mut rest = cell;
    let mut seconds = Decimal::ZERO;
    let mut units: &[(&[&str], i64)] =
        &[(&["h", "hr", "hrs"], 3600), (&["m", "min", "mins"], 60), (&["s", "sec", "secs"], 1)];
    while !rest.is_empty() {
        let letters = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let (number, after) = rest.split_at(letters);
        let end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let at = units.iter().position(|(names, _)| names.iter().any(|name| unit.eq_ignore_ascii_case(name)))?;
        let (_, factor) = units.get(at)?;
        seconds = seconds.checked_add(plain(number.trim())?.checked_mul((*factor).into())?)?;
        units = units.get(at + 1..)?;
        rest = after.trim_start();
    }
    Some(seconds)
}

/// Digits with one decimal point or comma.
fn plain(cell: &str) -> Option<Decimal> {
    if let Some((_, fraction)) = cell.split_once(',')
        && fraction.len() == 3
    {
        return None;
    }
    number_with(cell, ',').or_else(|| number_with(cell, '.'))
}

fn number_with(cell: &str, point: char) -> Option<Decimal> {
    let (whole, fraction) = cell.split_once(point).unwrap_or((cell, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || (cell.contains(point) && fraction.is_empty()) {
        return None;
    }
    // The digits are kept as given: how many there are says how exact an amount is.
    if fraction.is_empty() { whole.parse().ok() } else { format!("{whole}.{fraction}").parse().ok() }
}

/// A quantity or an amount, and the text around it: `$`, `CNY`; empty if there is none. Thousands may be grouped by commas,
/// points, blanks or apostrophes. `None` if it is no number, or if a mark in it could be read both ways.
///
/// `comma_is_decimal` = the file separates its columns by something else than commas, so that `1,205` is a fraction.
pub(crate) fn amount(cell: &str, comma_is_decimal: bool) -> Option<(Decimal, String)> {
    let cell = cell.trim();
    let (is_negative, cell) = match cell.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => (true, rest),
        None => (false, cell.strip_prefix('+').unwrap_or(cell)),
    };
    let is_around = |c: char| c.is_alphabetic() || "$€£¥￥".contains(c) || c.is_whitespace();
    let from = cell.trim_start_matches(is_around);
    let digits = from.trim_end_matches(is_around);
    let around = [cell.strip_suffix(from), from.strip_prefix(digits)].into_iter().flatten().collect::<String>();
    let cell: String = digits.chars().filter(|c| !c.is_whitespace() && !matches!(c, '\'' | '\u{2019}')).collect();
    let number = match (cell.rfind(','), cell.rfind('.')) {
        (Some(comma), Some(point)) if comma < point => grouped(&cell, ',', '.'),
        (Some(_), Some(_)) => grouped(&cell, '.', ','),
        (Some(_), None) if comma_is_decimal && cell.matches(',').count() == 1 => number_with(&cell, ','),
        (Some(_), None) => grouped(&cell, ',', '.').or_else(|| number_with(&cell, ',')),
        (None, Some(_)) if cell.matches('.').count() > 1 => grouped(&cell, '.', ','),
        // 1.205 in a file with decimal commas.
        (None, Some(_)) if comma_is_decimal && grouped(&cell, '.', ',').is_some() => None,
        // As JSON prints small numbers.
        (None, _) => number_with(&cell, '.').or_else(|| Decimal::from_scientific(&cell).ok()),
    };
    number.map(|number| (if is_negative { -number } else { number }, around.trim().to_owned()))
}

/// Digits in groups of three, then a fraction.
fn grouped(cell: &str, group: char, point: char) -> Option<Decimal> {
    let (whole, fraction) = cell.split_once(point).unwrap_or((cell, ""));
    let mut groups = whole.split(group);
    let first = groups.next().filter(|first| (1..=3).contains(&first.len()) && *first != "0")?;
    let mut digits = first.to_owned();
    for group in groups {
        digits += Some(group).filter(|group| group.len() == 3)?;
    }
    if cell.contains(point) { number_with(&format!("{digits}.{fraction}"), '.') } else { number_with(&digits, '.') }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(cell: &str, comma_is_decimal: bool) -> Option<Decimal> {
        amount(cell, comma_is_decimal).map(|(number, _)| number)
    }

    #[test]
    fn lengths_are_read_as_people_write_them() {
        for (cell, ms) in [
            ("205", 205_000),
            (" 205.5 ", 205_500),
            ("205,5", 205_500),
            ("0", 0),
            ("3:25", 205_000),
            ("75:00", 4_500_000),
            ("0:03:25", 205_000),
            ("00:03:25.500", 205_500),
            ("00:03:25,5", 205_500),
            ("3m25s", 205_000),
            ("1h 2m 3s", 3_723_000),
            ("1H02M", 3_720_000),
            ("45 sec", 45_000),
            ("2.5 min", 150_000),
            ("205.0001", 205_001),
        ] {
            assert_eq!(length_ms(cell, 1000), Some(ms), "{cell}");
        }
        assert_eq!((length_ms("205500", 1), length_ms("3:25", 1)), (Some(205_500), Some(205_000)));
        for cell in [
            "",
            "1,205",
            "-5",
            "5-",
            "3:75",
            "1:60:00",
            "1:2:3:4",
            ":30",
            "3:",
            "a",
            "12 parsecs",
            "1e3",
            "s",
            "5s3m",
            "3 25",
            "٣",
            "99999999999999999999999999999",
            "79228162514264337593543950335:00",
            "1000:00:01",
        ] {
            assert_eq!(length_ms(cell, 1000), None, "{cell}");
        }
    }

    #[test]
    fn numbers_are_read_unless_they_can_mean_two_things() {
        for (cell, decimal_comma, value) in [
            ("1205", false, Some("1205")),
            ("1,205", false, Some("1205")),
            ("1,205", true, Some("1.205")),
            ("1.205", true, None),
            ("1.205", false, Some("1.205")),
            ("0,042175", true, Some("0.042175")),
            ("0,042175", false, Some("0.042175")),
            ("0.205", true, Some("0.205")),
            ("$0.042175", false, Some("0.042175")),
            ("1,234,567.89", false, Some("1234567.89")),
            ("1.234.567,89", true, Some("1234567.89")),
            ("1 234,5 €", true, Some("1234.5")),
            ("CN¥ 12", false, Some("12")),
            ("-3.50", false, Some("-3.5")),
            ("7.95e-5", false, Some("0.0000795")),
            ("many", false, None),
            ("", false, None),
            ("12,34,5", false, None),
            ("1-2", false, None),
        ] {
            let value = value.map(|value| value.parse::<Decimal>().unwrap());
            assert_eq!(number(cell, decimal_comma), value, "{cell} {decimal_comma}");
        }
        for (cell, around) in
            [("$0.04", "$"), ("0,04 €", "€"), ("-CN¥ 12", "CN¥"), ("12 元", "元"), ("7.95e-5", ""), ("5", "")]
        {
            assert_eq!(amount(cell, false).unwrap().1, around, "{cell}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_length_or_none(text in "\\PC{0,20}", digits in "[0-9:.,hms ]{0,12}") {
            for text in [text, digits] {
                prop_assert!(length_ms(&text, 1000).is_none_or(|ms| ms >= 0));
                let _ = number(&text, true);
            }
        }

        #[test]
        fn a_clock_time_is_its_seconds(h in 0_i64..200, m in 0_i64..60, s in 0_i64..60) {
            let ms = Some((h * 3600 + m * 60 + s) * 1000);
            prop_assert_eq!(length_ms(&format!("{h}:{m:02}:{s:02}"), 1000), ms);
            prop_assert_eq!(length_ms(&format!("{h}h{m}m{s}s"), 1), ms);
        }
    }
}
