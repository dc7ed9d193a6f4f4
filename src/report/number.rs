//! Numbers for people: the one place that formats them. Tables and JSON carry base units instead.

use rust_decimal::{Decimal, RoundingStrategy};

use crate::catalog::Currency;
use crate::metrics::catalogue::Unit;

/// Shown for a figure that could not be measured.
pub const NOT_MEASURED: &str = "–";

/// A length: `0:42`, `12:05`, `1:02:03`; seconds rounded half up.
///
/// ```
/// use talkmeter::report::number::length;
/// assert_eq!([length(41_600), length(725_000), length(3_723_000)], ["0:42", "12:05", "1:02:03"]);
/// ```
#[must_use]
pub fn length(ms: i64) -> String {
    let seconds = ms.max(0).saturating_add(500) / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// A count with thousands separated: `12,345`.
///
/// ```
/// assert_eq!(talkmeter::report::number::count(-12_345), "-12,345");
/// ```
#[must_use]
pub fn count(count: i64) -> String {
    let digits = count.unsigned_abs().to_string();
    let mut text = if count < 0 { "-".to_owned() } else { String::new() };
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A figure by its unit: shares as whole per cent, lengths in seconds or as a clock, offsets signed, rates with one decimal.
///
/// ```
/// use talkmeter::metrics::catalogue::Unit;
/// use talkmeter::report::number::figure;
/// assert_eq!(figure(Some(0.128), Unit::Share), "13 %");
/// assert_eq!(figure(Some(-750.0), Unit::OffsetMs), "-0.75 s");
/// assert_eq!(figure(Some(580.0), Unit::OffsetMs), "+0.58 s");
/// assert_eq!(figure(Some(3500.0), Unit::Ms), "3.5 s");
/// assert_eq!(figure(Some(95_000.0), Unit::Ms), "1:35");
/// assert_eq!(figure(Some(42_000.0), Unit::LongMs), "0:42");
/// assert_eq!(figure(None, Unit::Share), "–");
/// ```
#[must_use]
pub fn figure(value: Option<f64>, unit: Unit) -> String {
    let Some(value) = value else { return NOT_MEASURED.to_owned() };
    match unit {
        Unit::Share => format!("{:.0} %", value * 100.0),
        Unit::OffsetMs if value.abs() < 60_000.0 => format!("{:+.2} s", value / 1000.0),
        Unit::OffsetMs => format!("{}{}", if value < 0.0 { '-' } else { '+' }, length(value.abs() as i64)),
        Unit::Ms if value < 60_000.0 => format!("{:.1} s", value / 1000.0),
        Unit::Ms | Unit::LongMs => length(value as i64),
        _ => format!("{value:.1}"),
    }
}

/// An error rate in per cent with one decimal: `9.1 %`.
///
/// ```
/// assert_eq!(talkmeter::report::number::error_rate(Some(0.0909)), "9.1 %");
/// ```
#[must_use]
pub fn error_rate(rate: Option<f64>) -> String {
    rate.map_or_else(|| NOT_MEASURED.to_owned(), |rate| format!("{:.1} %", rate * 100.0))
}

/// The difference of two figures by their unit, signed; shares in percentage points.
///
/// ```
/// use talkmeter::metrics::catalogue::Unit;
/// use talkmeter::report::number::difference;
/// assert_eq!(difference(Some(-0.031), Unit::Share), "-3.1 pp");
/// assert_eq!(difference(Some(-1500.0), Unit::Ms), "-1.5 s");
/// assert_eq!(difference(Some(412.0), Unit::Units), "+412");
/// assert_eq!(difference(Some(0.0), Unit::Units), "0");
/// ```
#[must_use]
pub fn difference(value: Option<f64>, unit: Unit) -> String {
    let Some(value) = value else { return NOT_MEASURED.to_owned() };
    if value == 0.0 {
        return "0".to_owned();
    }
    let size = match unit {
        Unit::Share => return format!("{:+.1} pp", value * 100.0),
        Unit::OffsetMs => return figure(Some(value), unit),
        _ if value.fract() == 0.0 && !unit.is_ms() => count(value.abs() as i64),
        _ => figure(Some(value.abs()), unit),
    };
    // Too small to be seen.
    if !size.contains(|c: char| matches!(c, '1'..='9')) {
        return "0".to_owned();
    }
    format!("{}{size}", if value < 0.0 { '-' } else { '+' })
}

/// A moment of a recording as a player shows it, the second that has begun: `0:41`.
///
/// ```
/// assert_eq!(talkmeter::report::number::clock(41_600), "0:41");
/// ```
#[must_use]
pub fn clock(ms: i64) -> String {
    length(ms - ms.rem_euclid(1000))
}

/// A moment of a recording to the ms: `1:02.480`, `1:00:00.000`.
///
/// ```
/// assert_eq!(talkmeter::report::number::moment(62_480), "1:02.480");
/// ```
#[must_use]
pub fn moment(ms: i64) -> String {
    let ms = ms.max(0);
    format!("{}.{:03}", clock(ms), ms % 1000)
}

/// A value of a table as people read it; [`NOT_MEASURED`] for null.
///
/// ```
/// use serde_json::json;
/// use talkmeter::metrics::catalogue::Unit;
/// use talkmeter::report::number::cell;
/// assert_eq!(cell(Some(&json!(171_000)), Unit::LongMs), "2:51");
/// assert_eq!(cell(Some(&json!(1780)), Unit::Ms), "1.8 s");
/// assert_eq!(cell(Some(&json!(2000)), Unit::Events), "2,000");
/// assert_eq!(cell(Some(&json!(0.1634)), Unit::Share), "16 %");
/// assert_eq!(cell(Some(&json!(null)), Unit::Share), "–");
/// ```
#[must_use]
pub fn cell(value: Option<&serde_json::Value>, unit: Unit) -> String {
    let Some(value) = value.filter(|value| !value.is_null()) else { return NOT_MEASURED.to_owned() };
    match value.as_i64() {
        Some(number) if !unit.is_ms() && unit != Unit::Share => count(number),
        _ => value
            .as_f64()
            .map_or_else(|| value.as_str().unwrap_or_default().to_owned(), |number| figure(Some(number), unit)),
    }
}

/// Shown where no price is known: not 0, which would be free.
pub const NOT_PRICED: &str = "not priced";

/// Money to its last digit, with two decimals at least: `0.126 USD`, `4,226.00 CNY`.
///
/// ```
/// use talkmeter::{catalog::Currency, report::number::money};
/// let amount = |text: &str| Some((text.parse().unwrap(), Currency::Usd));
/// assert_eq!([money(amount("0.126000")), money(amount("4226"))], ["0.126 USD", "4,226.00 USD"]);
/// assert_eq!(money(None), "not priced");
/// ```
#[must_use]
pub fn money(amount: Option<(Decimal, Currency)>) -> String {
    let Some((amount, currency)) = amount else { return NOT_PRICED.to_owned() };
    format!("{} {currency}", decimal(amount))
}

/// A sum of money to the cent, with thousands separated: `1,234.50`. What is less than half a cent keeps two digits: `0.0018`.
///
/// ```
/// use talkmeter::report::number::cents;
/// let amounts = ["1234.495", "0.675", "0", "0.00179", "-0.5"].map(|amount| cents(amount.parse().unwrap()));
/// assert_eq!(amounts, ["1,234.50", "0.68", "0.00", "0.0018", "-0.50"]);
/// ```
#[must_use]
pub fn cents(amount: Decimal) -> String {
    let rounded = amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    if rounded.is_zero() && !amount.is_zero() {
        let digits = amount.round_sf_with_strategy(2, RoundingStrategy::MidpointAwayFromZero).unwrap_or(amount);
        return digits.normalize().to_string();
    }
    let mut rounded = rounded;
    rounded.rescale(2);
    grouped(rounded)
}

/// A decimal with thousands separated: `62,111.8`.
///
/// ```
/// use talkmeter::report::number::grouped;
/// let shown = ["62111.8", "-1234567", "999.0001"].map(|number| grouped(number.parse().unwrap()));
/// assert_eq!(shown, ["62,111.8", "-1,234,567", "999.0001"]);
/// ```
#[must_use]
pub fn grouped(number: Decimal) -> String {
    let text = number.abs().to_string();
    let sign = if number.is_sign_negative() && !number.is_zero() { "-" } else { "" };
    let (whole, fraction) = text.split_once('.').map_or((&*text, ""), |(whole, fraction)| (whole, fraction));
    let Ok(whole) = whole.parse() else { return format!("{sign}{text}") };
    format!("{sign}{}{}{fraction}", count(whole), if fraction.is_empty() { "" } else { "." })
}

/// An amount to its last digit, with two decimals at least and thousands separated.
#[must_use]
pub fn decimal(amount: Decimal) -> String {
    let mut amount = amount.normalize();
    if amount.scale() < 2 {
        amount.rescale(2);
    }
    grouped(amount)
}

/// Bytes: `812 B`, `90.2 kB`, `1.4 MB`.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    let scaled = |unit: u32| bytes as f64 / 1000_f64.powi(unit as i32);
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", scaled(1)),
        1_000_000..1_000_000_000 => format!("{:.1} MB", scaled(2)),
        _ => format!("{:.1} GB", scaled(3)),
    }
}

/// `1 call`, `2 calls`.
#[must_use]
pub fn counted(number: u64, thing: &str) -> String {
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    format!("{} {thing}{}", count(number), if number == 1 { "" } else { "s" })
}
