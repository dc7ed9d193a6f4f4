//! Reads `models.toml`: families, whose models inherit the fields they do not set, and prices.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Deserialize;
use toml::Spanned;

use super::{
    Allowance, AllowanceUnit, BilledBy, Catalog, Currency, Limits, Model, Parameter, Price, Protocol, Rate, RateLimit,
    Region, Residency, Retired, Service,
};
use crate::error::{Error, Result};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    service: ServiceRow,
    residency: Vec<ResidencyRow>,
    languages: BTreeMap<String, Vec<String>>,
    formats: BTreeMap<String, Vec<String>>,
    family: Vec<Row>,
    #[serde(default)]
    retired: Vec<RetiredRow>,
    price: Vec<PriceRow>,
    #[serde(default)]
    allowance: Vec<AllowanceRow>,
}

/// The prices of one model in a JSON list of models, whose other members say nothing about money.
#[derive(Deserialize)]
struct ListedModel {
    #[serde(default)]
    prices: Vec<PriceRow>,
    #[serde(default)]
    allowances: Vec<AllowanceRow>,
}

/// A price file of a user.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceFile {
    #[serde(default)]
    price: Vec<Spanned<PriceRow>>,
    #[serde(default)]
    allowance: Vec<Spanned<AllowanceRow>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServiceRow {
    queries_per_second: u32,
    lists_per_second: u32,
    cancels_per_second: u32,
    policies_per_second: u32,
    task_hours: u32,
    upload_hours: u32,
    source: String,
    checked: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResidencyRow {
    region: Region,
    endpoint: String,
    data: Option<String>,
    inference: Option<String>,
    source: String,
    checked: String,
}

/// A family or one of its models.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    same_as: Option<String>,
    about: Option<String>,
    protocol: Option<Protocol>,
    billed_by: Option<BilledBy>,
    regions: Option<Vec<Region>>,
    megabytes: Option<u64>,
    seconds: Option<u64>,
    files_per_task: Option<usize>,
    files_per_task_now: Option<usize>,
    diarization_seconds: Option<u64>,
    formats: Option<String>,
    sample_rate_hz: Option<u32>,
    languages: Option<String>,
    languages_counted: Option<usize>,
    itn_languages: Option<String>,
    word_languages: Option<String>,
    parameters: Option<Vec<String>>,
    hotwords: Option<usize>,
    hotword_languages: Option<String>,
    super_hotwords: Option<usize>,
    context: Option<bool>,
    rate_limits: Option<Vec<RateRow>>,
    source: Option<String>,
    checked: Option<String>,
    #[serde(default)]
    model: Vec<Self>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(deny_unknown_fields)]
struct RateRow {
    region: Option<Region>,
    requests: u32,
    seconds: u32,
    tasks: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RetiredRow {
    name: String,
    instead: String,
    source: String,
    checked: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceRow {
    models: Vec<String>,
    region: Region,
    currency: Currency,
    #[serde(default, deserialize_with = "amount_text")]
    second: Option<String>,
    #[serde(default, deserialize_with = "amount_text")]
    million_tokens_in: Option<String>,
    #[serde(default, deserialize_with = "amount_text")]
    million_tokens_out: Option<String>,
    #[serde(default)]
    inferred: bool,
    /// Of the catalogue each has one.
    source: Option<String>,
    checked: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AllowanceRow {
    models: Vec<String>,
    region: Region,
    quantity: u64,
    unit: AllowanceUnit,
    valid_days: Option<u32>,
    contradiction: Option<String>,
    source: String,
    checked: String,
}

/// An amount in quotes, as the catalogue has it, or a number, by its shortest digits.
fn amount_text<'de, D: serde::Deserializer<'de>>(amount: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Amount {
        Text(String),
        Whole(i64),
        Fraction(f64),
    }
    Ok(Option::<Amount>::deserialize(amount)?.map(|amount| match amount {
        Amount::Text(text) => text,
        Amount::Whole(number) => number.to_string(),
        Amount::Fraction(number) => number.to_string(),
    }))
}

/// Prices and free allowances with their models.
pub(crate) type Rows = (Vec<(String, Price)>, Vec<(String, Allowance)>);

/// Reads prices and allowances: `[[price]]` and `[[allowance]]` rows in the form of the catalogue, or a JSON list of models, an
/// array or one per line, with such rows in `prices` and `allowances`.
pub(super) fn prices(text: &str) -> Result<Rows> {
    let wrong = |what: String| Error::invalid(format!("the price file {what}"));
    if is_json(text) {
        let listed = listed(text).map_err(|error| wrong(format!("cannot be read: {error}")))?;
        let prices = listed.iter().flat_map(|model| &model.prices).map(|row| (row, String::new()));
        let allowances = listed.iter().flat_map(|model| &model.allowances).map(|row| (row, String::new()));
        return rows(prices, allowances).map_err(wrong);
    }
    let line = |span: Range<usize>| {
        format!(" (line {})", text.get(..span.start).unwrap_or_default().matches('\n').count() + 1)
    };
    let file: PriceFile = toml::from_str(text).map_err(|error| {
        let place = error.span().map(line).unwrap_or_default();
        wrong(format!("cannot be read: {}{place}", error.message().replace('\n', ", ")))
    })?;
    let prices = file.price.iter().map(|row| (row.get_ref(), line(row.span())));
    let allowances = file.allowance.iter().map(|row| (row.get_ref(), line(row.span())));
    rows(prices, allowances).map_err(wrong)
}

/// Whether it begins as JSON does: TOML begins a table with `[` and a name, or with `[[`.
fn is_json(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with('{') || text.strip_prefix('[').is_some_and(|rest| rest.trim_start().starts_with(['{', ']']))
}

fn listed(text: &str) -> serde_json::Result<Vec<ListedModel>> {
    if text.trim_start().starts_with('[') {
        return serde_json::from_str(text);
    }
    serde_json::Deserializer::from_str(text).into_iter().collect()
}

/// Each row with its place in the file, as an ending of messages.
fn rows<'r>(
    prices: impl Iterator<Item = (&'r PriceRow, String)>,
    allowances: impl Iterator<Item = (&'r AllowanceRow, String)>,
) -> Result<Rows, String> {
    let mut rows: Rows = (Vec::new(), Vec::new());
    for (row, place) in prices {
        let price = price(row).map_err(|what| format!("{what}{place}"))?;
        rows.0.extend(row.models.iter().map(|model| (model.clone(), price.clone())));
    }
    for (row, place) in allowances {
        let allowance = allowance(row).map_err(|what| format!("{what}{place}"))?;
        rows.1.extend(row.models.iter().map(|model| (model.clone(), allowance.clone())));
    }
    Ok(rows)
}

/// Reads and resolves the whole file.
pub(super) fn read(text: &str) -> Result<Catalog> {
    let file: File = toml::from_str(text).map_err(|error| wrong(&format!("cannot be read: {error}")))?;
    let mut models = Vec::new();
    for family in &file.family {
        for row in &family.model {
            models.push(model(family, row, &file)?);
        }
    }
    let names: Vec<String> = models.iter().map(|model| model.name.clone()).collect();
    for model in &models {
        if names.iter().filter(|name| **name == model.name).count() > 1 {
            return Err(wrong(&format!("has `{}` twice", model.name)));
        }
        if let Some(missing) = model.same_as.iter().find(|name| !names.contains(name)) {
            return Err(wrong(&format!("says that {} is {missing}, which is not there", model.name)));
        }
    }
    for row in &file.price {
        let price = price(row).map_err(|what| wrong(&what))?;
        if row.source.is_none() {
            return Err(wrong(&format!("has a price of {} without a source", row.models.join(", "))));
        }
        for name in &row.models {
            let model = models.iter_mut().find(|model| model.name == *name);
            let model = model.ok_or_else(|| wrong(&format!("has a price for `{name}`, which is not there")))?;
            model.prices.push(price.clone());
        }
    }
    for row in &file.allowance {
        let allowance = allowance(row).map_err(|what| wrong(&what))?;
        for name in &row.models {
            let model = models.iter_mut().find(|model| model.name == *name);
            let model = model.ok_or_else(|| wrong(&format!("has an allowance for `{name}`, which is not there")))?;
            model.allowances.push(allowance.clone());
        }
    }
    let limits = file.service;
    let residency = file.residency.into_iter().map(residency).collect::<Result<_>>()?;
    let service = Service {
        queries_per_second: limits.queries_per_second,
        lists_per_second: limits.lists_per_second,
        cancels_per_second: limits.cancels_per_second,
        policies_per_second: limits.policies_per_second,
        task_hours: limits.task_hours,
        upload_hours: limits.upload_hours,
        residency,
        source: limits.source,
        checked: date(&limits.checked)?,
    };
    let retired = file.retired.into_iter().map(retired).collect::<Result<Vec<_>>>()?;
    if let Some(both) = retired.iter().find(|row| names.contains(&row.name) || !names.contains(&row.instead)) {
        return Err(wrong(&format!(
            "retires `{}`, which is offered, or for which `{}` is not",
            both.name, both.instead
        )));
    }
    Ok(Catalog { models, retired, service })
}

fn wrong(what: &str) -> Error {
    Error::invalid(format!("the catalogue of models {what}"))
}

fn date(text: &str) -> Result<Date> {
    day(text).map_err(|what| wrong(&what))
}

fn day(text: &str) -> Result<Date, String> {
    text.parse().map_err(|_| format!("has `{text}` for a date"))
}

fn residency(row: ResidencyRow) -> Result<Residency> {
    let ResidencyRow { region, endpoint, data, inference, source, checked } = row;
    Ok(Residency { region, endpoint, data, inference, source, checked: date(&checked)? })
}

fn retired(row: RetiredRow) -> Result<Retired> {
    let RetiredRow { name, instead, source, checked } = row;
    Ok(Retired { name, instead, source, checked: date(&checked)? })
}

/// A field of the row overrides that of its family.
fn model(family: &Row, row: &Row, file: &File) -> Result<Model> {
    let name = &row.name;
    macro_rules! said {
        ($field:ident) => {
            row.$field.as_ref().or(family.$field.as_ref())
        };
    }
    macro_rules! needed {
        ($field:ident) => {
            said!($field).cloned().ok_or_else(|| wrong(&format!("does not set `{}` of {name}", stringify!($field))))?
        };
    }
    let list = |lists: &BTreeMap<String, Vec<String>>, wanted: Option<&String>| match wanted {
        None => Ok(Vec::new()),
        Some(wanted) => lists.get(wanted).cloned().ok_or_else(|| wrong(&format!("has no list `{wanted}`"))),
    };
    let keys: Vec<String> = needed!(parameters);
    if let Some(unknown) = keys.iter().find(|key| Parameter::named(key).is_none()) {
        return Err(wrong(&format!("gives {name} the parameter `{unknown}`, which is not declared")));
    }
    let limits = Limits {
        bytes: said!(megabytes).map(|megabytes| megabytes << 20),
        seconds: said!(seconds).copied(),
        files_per_task: said!(files_per_task).copied().unwrap_or(1),
        files_per_task_now: said!(files_per_task_now).copied().unwrap_or(1),
        diarization_seconds: said!(diarization_seconds).copied(),
    };
    let limit = |row: &RateRow| {
        let RateRow { region, requests, seconds, tasks } = *row;
        (requests > 0 && seconds > 0).then_some(RateLimit { region, requests, seconds, tasks })
    };
    let rate_limits: Option<Vec<RateLimit>> = said!(rate_limits).into_iter().flatten().map(limit).collect();
    Ok(Model {
        name: name.clone(),
        same_as: row.same_as.clone(),
        family: family.name.clone(),
        about: said!(about).cloned(),
        protocol: needed!(protocol),
        billed_by: needed!(billed_by),
        regions: needed!(regions),
        limits,
        formats: list(&file.formats, said!(formats))?,
        sample_rate_hz: said!(sample_rate_hz).copied(),
        languages: list(&file.languages, said!(languages))?,
        languages_counted: said!(languages_counted).copied(),
        itn_languages: list(&file.languages, said!(itn_languages))?,
        word_languages: list(&file.languages, said!(word_languages))?,
        parameters: super::PARAMETERS.iter().filter(|row| keys.iter().any(|key| key == row.key)).collect(),
        hotwords: said!(hotwords).copied(),
        hotword_languages: list(&file.languages, said!(hotword_languages))?,
        super_hotwords: said!(super_hotwords).copied().unwrap_or(0),
        context: said!(context).copied().unwrap_or(false),
        rate_limits: rate_limits.ok_or_else(|| wrong(&format!("has a rate limit of zero for {name}")))?,
        prices: Vec::new(),
        allowances: Vec::new(),
        source: needed!(source),
        checked: date(&needed!(checked))?,
    })
}

/// No price of a second or of a million tokens is higher.
const HIGHEST_PRICE: i64 = 100_000;

/// The most decimals of an amount: tables have ten, six of which are used by the price of a single token.
const DECIMALS_OF_SECOND: u32 = 10;
const DECIMALS_OF_MILLION: u32 = 4;

fn price(row: &PriceRow) -> Result<Price, String> {
    let models = row.models.join(", ");
    let amount = |text: &String, decimals: u32| match text.parse::<Decimal>() {
        Ok(amount)
            if amount > Decimal::ZERO
                && amount <= Decimal::from(HIGHEST_PRICE)
                && amount.normalize().scale() <= decimals =>
        {
            Ok(amount)
        }
        _ => Err(format!(
            "has `{text}` for the price of {models}: it must be more than 0, at most 100,000, with up to {decimals} decimals"
        )),
    };
    let tokens = |text: &String| amount(text, DECIMALS_OF_MILLION);
    let rate = match (&row.second, &row.million_tokens_in, &row.million_tokens_out) {
        (Some(second), None, None) => Rate::Second(amount(second, DECIMALS_OF_SECOND)?),
        (None, Some(input), Some(output)) => Rate::MillionTokens { input: tokens(input)?, output: tokens(output)? },
        _ => return Err(format!("needs a price of {models} per second, or of tokens in and out")),
    };
    Ok(Price {
        region: row.region,
        currency: row.currency,
        rate,
        inferred: row.inferred,
        source: row.source.clone().unwrap_or_else(|| "price file".to_owned()),
        checked: day(&row.checked)?,
    })
}

fn allowance(row: &AllowanceRow) -> Result<Allowance, String> {
    Ok(Allowance {
        region: row.region,
        quantity: row.quantity,
        unit: row.unit,
        valid_days: row.valid_days,
        contradiction: row.contradiction.clone(),
        source: row.source.clone(),
        checked: day(&row.checked)?,
    })
}
