//! Numbers for people: the one place where they become text. Tables and JSON carry base units instead.

use rust_decimal::Decimal;

use crate::catalog::Currency;

/// What stands where nothing could be measured.
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

/// A count with thousands set apart: `12 345`, by narrow no-break spaces.
///
/// ```
/// assert_eq!(talkmeter::report::number::count(-12_345), "-12\u{202F}345");
/// ```
#[must_use]
pub fn count(count: i64) -> String {
    let digits = count.unsigned_abs().to_string();
    let mut text = if count < 0 { "-".to_owned() } else { String::new() };
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202F}');
        }
        text.push(digit);
    }
    text
}

/// A figure by its unit: shares as whole per cent, lengths in seconds (signed where the metric is an offset), rates with one decimal.
///
/// ```
/// use talkmeter::report::number::figure;
/// assert_eq!(figure(Some(0.128), "silence_ratio", "0–1"), "13 %");
/// assert_eq!(figure(Some(-750.0), "response_ms_p50", "ms"), "-0.75 s");
/// assert_eq!(figure(Some(580.0), "response_ms_p50", "ms"), "+0.58 s");
/// assert_eq!(figure(Some(3500.0), "longest_silence_ms", "ms"), "3.5 s");
/// assert_eq!(figure(Some(95_000.0), "longest_turn_ms", "ms"), "1:35");
/// assert_eq!(figure(None, "silence_ratio", "0–1"), "–");
/// ```
#[must_use]
pub fn figure(value: Option<f64>, metric: &str, unit: &str) -> String {
    let Some(value) = value else { return NOT_MEASURED.to_owned() };
    match unit {
        "0–1" => format!("{:.0} %", value * 100.0),
        "ms" if metric.starts_with("response_") && value.abs() < 60_000.0 => format!("{:+.2} s", value / 1000.0),
        "ms" if metric.starts_with("response_") => {
            format!("{}{}", if value < 0.0 { '-' } else { '+' }, length(value.abs() as i64))
        }
        "ms" if value < 60_000.0 => format!("{:.1} s", value / 1000.0),
        "ms" => length(value as i64),
        _ => format!("{value:.1}"),
    }
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

/// A length for a sentence: `250 ms`, `3 s`, `2.5 s`, `1:30`.
///
/// ```
/// use talkmeter::report::number::span;
/// assert_eq!([span(250), span(3000), span(2520), span(90_000)], ["250 ms", "3 s", "2.5 s", "1:30"]);
/// ```
#[must_use]
pub fn span(ms: i64) -> String {
    match ms {
        ..1000 => format!("{ms} ms"),
        1000..60_000 if ms % 1000 == 0 => format!("{} s", ms / 1000),
        1000..60_000 => format!("{:.1} s", ms as f64 / 1000.0),
        _ => length(ms),
    }
}

/// Columns that hold the length of something long: shown as such, however short it is.
const LENGTHS: [&str; 6] = ["duration_ms", "span_ms", "speech_ms", "silence_ms", "talk_ms", "billable_ms"];

/// A cell of a table as people read it, by the name and unit of its column; [`NOT_MEASURED`] for null.
///
/// ```
/// use serde_json::json;
/// use talkmeter::report::number::cell;
/// assert_eq!(cell(Some(&json!(171_000)), "speech_ms", "ms"), "2:51");
/// assert_eq!(cell(Some(&json!(1780)), "longest_silence_ms", "ms"), "1.8 s");
/// assert_eq!(cell(Some(&json!(3)), "interruption_count", "events"), "3");
/// assert_eq!(cell(Some(&json!(0.1634)), "silence_ratio_p50", "0–1"), "16 %");
/// assert_eq!(cell(Some(&json!(null)), "overlap_ratio", "0–1"), "–");
/// ```
#[must_use]
pub fn cell(value: Option<&serde_json::Value>, column: &str, unit: &str) -> String {
    let Some(value) = value.filter(|value| !value.is_null()) else { return NOT_MEASURED.to_owned() };
    match (unit, value.as_i64()) {
        ("ms", Some(ms)) if LENGTHS.contains(&column) => length(ms),
        ("ms" | "0–1", _) => figure(value.as_f64(), column, unit),
        (_, Some(number)) => count(number),
        _ => value
            .as_f64()
            .map_or_else(|| value.as_str().unwrap_or_default().to_owned(), |_| figure(value.as_f64(), column, unit)),
    }
}

/// What stands where no price is known: never 0, never free.
pub const NOT_PRICED: &str = "not priced";

/// Money to its last digit, with two decimals at least: `0.126 USD`, `5.00 CNY`.
///
/// ```
/// use talkmeter::{catalog::Currency, report::number::money};
/// let amount = |text: &str| Some((text.parse().unwrap(), Currency::Usd));
/// assert_eq!([money(amount("0.126000")), money(amount("5"))], ["0.126 USD", "5.00 USD"]);
/// assert_eq!(money(None), "not priced");
/// ```
#[must_use]
pub fn money(amount: Option<(Decimal, Currency)>) -> String {
    let Some((amount, currency)) = amount else { return NOT_PRICED.to_owned() };
    format!("{} {currency}", decimal(amount))
}

/// An amount to its last digit, with two decimals at least.
#[must_use]
pub fn decimal(amount: Decimal) -> String {
    let mut amount = amount.normalize();
    if amount.scale() < 2 {
        amount.rescale(2);
    }
    amount.to_string()
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
