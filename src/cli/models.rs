//! `models`: the catalogue of models.

use jiff::civil::Date;
use serde_json::{Value, json};

use super::connection::Connection;
use super::output::{Console, Failure, Format, Listing};
use super::parameters::flag_of;
use super::prices::warn_if_old;
use super::{Exit, block_on};
use crate::catalog::{Allowance, BilledBy, Catalog, Model, Parameter, Price, Protocol, Rate, RateLimit, Region, size};
use crate::client::{Client, Filter, Models};
use crate::error::ErrorKind;
use crate::report::number::counted;
use crate::time::span_of_seconds;

/// Columns of a page about one model.
const WIDTH: usize = 100;

const MARKS: &str = "\
In the table: ? = not documented, ~ = inferred from sibling models, Mtok = a million tokens, input + output.
All other formats have all columns: languages, parameters, limits, sources, dates, data residency.
--live asks the service which models the key may use: one free call, which fails if key, host and region do not match.";

/// Arguments of `models`.
#[derive(Debug, clap::Args)]
#[command(after_help = MARKS)]
pub(super) struct Args {
    /// Show everything about these models
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    // Not as a doc comment: these are values, not code.
    #[arg(
        long,
        value_parser = protocol,
        help = "Only models of this protocol: task, qwen_task, flash, qwen_flash, realtime_flash or omni"
    )]
    protocol: Option<Protocol>,
    /// List the models that the key may use at the service, instead of the catalogue
    #[arg(long, conflicts_with_all = ["names", "protocol"])]
    live: bool,
}

fn protocol(name: &str) -> Result<Protocol, String> {
    let names = || Protocol::ALL.map(Protocol::name).join(", ");
    Protocol::ALL
        .into_iter()
        .find(|protocol| protocol.name() == name)
        .ok_or_else(|| format!("the protocols are {}", names()))
}

/// Runs `models`, limited to the region if one was named.
pub(super) fn run(
    args: &Args,
    connection: &Connection,
    today: Date,
    format: Format,
    console: &Console,
) -> Result<Exit, Failure> {
    if args.live {
        return live(connection, format, console);
    }
    let region = connection.named_region()?;
    let catalog = Catalog::builtin();
    let fits = |model: &&Model| args.protocol.is_none_or(|protocol| protocol == model.protocol);
    let models: Vec<&Model> = if args.names.is_empty() {
        let offered = |model: &&Model| region.is_none_or(|region| model.regions.contains(&region));
        catalog.models().iter().filter(offered).filter(fits).collect()
    } else {
        let named: Vec<&Model> = args.names.iter().map(|name| catalog.require(name)).collect::<Result<_, _>>()?;
        named.into_iter().filter(fits).collect()
    };
    let exit = if format == Format::Table && !args.names.is_empty() {
        let pages: Vec<String> = models.iter().map(|model| page(catalog, model, region)).collect();
        console.data(pages.join("\n").as_bytes())?
    } else {
        listing(catalog, &models, region, format).print(format, console)?
    };
    let named =
        |model: &'_ &Model| prices(model, region).map(|price| (model.name.clone(), price.clone())).collect::<Vec<_>>();
    warn_if_old(models.iter().flat_map(named), today, console);
    Ok(exit)
}

/// Asks the service which models the key may use.
fn live(connection: &Connection, format: Format, console: &Console) -> Result<Exit, Failure> {
    let client = connection.client(console)?;
    let (models, listed) = block_on(async { Ok(collect(&client).await?) })?;
    let catalog = Catalog::builtin();
    let rows: Vec<Vec<Value>> = models
        .iter()
        .map(|name| vec![json!(name), json!(catalog.model(name).map(|model| model.protocol.name()))])
        .collect();
    let count = counted(rows.len() as u64, "model");
    let exit = Listing { head: vec!["model", "protocol"], rows }.print(format, console)?;
    let (url, region) = (client.base_url(), client.region());
    if listed {
        console.note(&format!("{url} (region {region}) accepts the key: {count}"));
    } else {
        console.note(&format!("{url} (region {region}) accepts the key, but has no list of models"));
    }
    Ok(exit)
}

/// The names on all pages. A host without such a list still shows by its list of tasks that it accepts the key.
async fn collect(client: &Client) -> crate::Result<(Vec<String>, bool)> {
    let mut names: Vec<String> = Vec::new();
    for page in 1.. {
        let found = match client.models().list(page).await {
            Err(error) if page == 1 && error.kind() == ErrorKind::NotFound => {
                client.tasks().list(&Filter::new().size(1)).await?;
                return Ok((names, false));
            }
            found => found?.models,
        };
        let (full, before) = (found.len() >= Models::PAGE, names.len());
        for model in found {
            if !names.contains(&model.name) {
                names.push(model.name);
            }
        }
        if !full || names.len() == before {
            break;
        }
    }
    Ok((names, true))
}

/// Prices of a model in the region, or in all.
fn prices(model: &Model, region: Option<Region>) -> impl Iterator<Item = &Price> {
    model.prices.iter().filter(move |price| region.is_none_or(|region| region == price.region))
}

/// A row for each model: what people compare, or everything for machines.
fn listing(catalog: &Catalog, models: &[&Model], region: Option<Region>, format: Format) -> Listing {
    match format {
        Format::Table | Format::Md => Listing {
            head: vec!["model", "protocol", "requests", "length", "lang.", "offered in, at"],
            rows: models.iter().map(|model| brief(model, region)).collect(),
        },
        Format::Json | Format::Jsonl | Format::Csv => Listing {
            head: vec![
                "model",
                "same_as",
                "family",
                "about",
                "protocol",
                "billed_by",
                "regions",
                "prices",
                "allowances",
                "rate_limits",
                "max_bytes",
                "max_seconds",
                "diarization_seconds",
                "files_per_task",
                "files_per_task_now",
                "formats",
                "sample_rate_hz",
                "language_count",
                "languages",
                "languages_counted",
                "context",
                "super_hotwords",
                "parameters",
                "residency",
                "checked",
                "source",
            ],
            rows: models.iter().map(|model| full(catalog, model, region, format == Format::Csv)).collect(),
        },
    }
}

/// Free allowances of a model where they are asked for.
fn allowances(model: &Model, region: Option<Region>) -> impl Iterator<Item = &Allowance> {
    model.allowances.iter().filter(move |allowance| region.is_none_or(|region| region == allowance.region))
}

/// Regions in which it is offered and asked about, each with its price.
fn offers(model: &Model, region: Option<Region>) -> String {
    let asked = |offered: &&Region| region.is_none_or(|region| region == **offered);
    let offer = |offered: &Region| match model.price(*offered) {
        Some(price) => {
            let about = if price.inferred { "~" } else { "" };
            let amount = match price.rate {
                Rate::Second(amount) => format!("{amount} {}/s", price.currency),
                Rate::MillionTokens { input, output } => format!("{input}+{output} {}/Mtok", price.currency),
            };
            format!("{offered} {about}{amount}")
        }
        None => format!("{offered} ?"),
    };
    model.regions.iter().filter(asked).map(offer).collect::<Vec<_>>().join(", ")
}

/// `10/s`, `100/min`; the tightest if no region is asked for.
fn pace(model: &Model, region: Option<Region>) -> String {
    let of = |region: &Region| model.rate_limit(*region);
    let limits = model.regions.iter().filter(|offered| region.is_none_or(|region| region == **offered)).filter_map(of);
    let tightest = limits.min_by_key(|limit| u64::from(limit.requests) * 60 / u64::from(limit.seconds));
    tightest.map_or_else(|| "?".to_owned(), |limit| format!("{}/{}", limit.requests, unit(limit.seconds)))
}

fn unit(seconds: u32) -> String {
    match seconds {
        1 => "s".to_owned(),
        60 => "min".to_owned(),
        seconds => format!("{seconds} s"),
    }
}

fn brief(model: &Model, region: Option<Region>) -> Vec<Value> {
    let unknown = || "?".to_owned();
    let languages = if model.languages.is_empty() { unknown() } else { model.languages.len().to_string() };
    vec![
        json!(model.name),
        json!(model.protocol.name()),
        json!(pace(model, region)),
        json!(model.limits.seconds.map_or_else(unknown, span_of_seconds)),
        json!(languages),
        // Last, so that a long one makes no other row long.
        json!(offers(model, region)),
    ]
}

/// `flat`: lists as text, for CSV.
fn full(catalog: &Catalog, model: &Model, region: Option<Region>, flat: bool) -> Vec<Value> {
    let list = |items: &[String]| if flat { json!(items.join(" ")) } else { json!(items) };
    let rows = |rows: Vec<(String, Value)>| {
        let (texts, values): (Vec<String>, Vec<Value>) = rows.into_iter().unzip();
        if flat { json!(texts.join("; ")) } else { json!(values) }
    };
    let regions: Vec<String> = model.regions.iter().map(ToString::to_string).collect();
    let parameters: Vec<String> = model.parameters.iter().map(|parameter| parameter.key.to_owned()).collect();
    // Prices and allowances are rows of a price file.
    let price = |price: &Price| {
        let (second, input, output) = match price.rate {
            Rate::Second(amount) => (Some(amount.to_string()), None, None),
            Rate::MillionTokens { input, output } => (None, Some(input.to_string()), Some(output.to_string())),
        };
        let value = json!({
            "models": [model.name], "region": price.region.name(), "currency": price.currency.code(), "second": second,
            "million_tokens_in": input, "million_tokens_out": output, "inferred": price.inferred,
            "source": price.source, "checked": price.checked.to_string(),
        });
        (format!("{} {price}, {}", price.region, price.checked), value)
    };
    let allowance = |allowance: &Allowance| {
        let value = json!({
            "models": [model.name], "region": allowance.region.name(), "quantity": allowance.quantity,
            "unit": allowance.unit.name(), "valid_days": allowance.valid_days, "contradiction": allowance.contradiction,
            "source": allowance.source, "checked": allowance.checked.to_string(),
        });
        (format!("{} {allowance}, {}", allowance.region, allowance.checked), value)
    };
    let limit = |limit: &RateLimit| {
        let value = json!({
            "region": limit.region.map(Region::name), "requests": limit.requests, "seconds": limit.seconds,
            "tasks": limit.tasks,
        });
        (said_limit(limit), value)
    };
    let residency = model.regions.iter().filter_map(|offered| catalog.residency(*offered)).map(|residency| {
        let value = json!({
            "region": residency.region.name(), "host": residency.region.shared_host(), "endpoint": residency.endpoint,
            "data": residency.data, "inference": residency.inference, "source": residency.source,
            "checked": residency.checked.to_string(),
        });
        let unknown = "not documented".to_owned();
        let data = residency.data.as_ref().unwrap_or(&unknown);
        let inference = residency.inference.as_ref().unwrap_or(&unknown);
        let text = format!("{} endpoint {}, data {data}, inference {inference}", residency.region, residency.endpoint);
        (text, value)
    });
    vec![
        json!(model.name),
        json!(model.same_as),
        json!(model.family),
        json!(model.about),
        json!(model.protocol.name()),
        json!(model.billed_by.name()),
        list(&regions),
        rows(prices(model, region).map(price).collect()),
        rows(allowances(model, region).map(allowance).collect()),
        rows(model.rate_limits.iter().map(limit).collect()),
        json!(model.limits.bytes),
        json!(model.limits.seconds),
        json!(model.limits.diarization_seconds),
        json!(model.limits.files_per_task),
        json!(model.limits.files_per_task_now),
        list(&model.formats),
        json!(model.sample_rate_hz),
        json!(model.languages.len()),
        list(&model.languages),
        json!(model.languages_counted),
        json!(model.context),
        json!(model.super_hotwords),
        list(&parameters),
        rows(residency.collect()),
        json!(model.checked.to_string()),
        json!(model.source),
    ]
}

fn said_limit(limit: &RateLimit) -> String {
    let place = limit.region.map_or_else(String::new, |region| format!("{region} "));
    let tasks = limit.tasks.map_or_else(String::new, |tasks| format!(", {tasks} tasks at once"));
    format!("{place}{} requests/{}{tasks}", limit.requests, unit(limit.seconds))
}

/// Everything about one model, for people.
fn page(catalog: &Catalog, model: &Model, region: Option<Region>) -> String {
    let mut page = Page(format!("{}\n", model.name));
    page.line("for", model.about.as_deref().unwrap_or("not documented"));
    page.line("family", &model.family);
    page.line("same as", model.same_as.as_deref().unwrap_or("itself (a snapshot)"));
    let command = if model.protocol.is_task() { "talkmeter transcribe" } else { "talkmeter flash" };
    page.line("used by", &format!("`{command}` (protocol {})", model.protocol));
    let billed_by = match model.billed_by {
        BilledBy::Speech => "seconds of speech, in each requested track",
        BilledBy::Length => "seconds of audio, silence included",
        _ => "input and output tokens",
    };
    page.line("billed by", billed_by);
    let asked = |offered: &&Region| region.is_none_or(|region| region == **offered);
    for (index, offered) in model.regions.iter().filter(asked).enumerate() {
        let unknown = "not documented".to_owned();
        let place = catalog.residency(*offered).map_or_else(String::new, |residency| {
            let (data, inference) = (residency.data.as_ref(), residency.inference.as_ref());
            let (data, inference) = (data.unwrap_or(&unknown), inference.unwrap_or(&unknown));
            let host = offered.shared_host().unwrap_or("workspace hosts only");
            format!("endpoint {} ({host}), data {data}, inference {inference}", residency.endpoint)
        });
        page.line(if index == 0 { "offered in" } else { "" }, &format!("{offered}: {place}"));
    }
    for (index, price) in prices(model, region).enumerate() {
        let said = format!("{}: {price}, page of {}, {}", price.region, price.checked, price.source);
        page.line(if index == 0 { "price" } else { "" }, &said);
    }
    if prices(model, region).next().is_none() {
        page.line("price", "unknown");
    }
    for (index, allowance) in allowances(model, region).enumerate() {
        let said = format!("{}: {allowance}, page of {}, {}", allowance.region, allowance.checked, allowance.source);
        page.line(if index == 0 { "free" } else { "" }, &said);
    }
    let limits: Vec<String> = model.rate_limits.iter().map(said_limit).collect();
    page.line("rate limit", if limits.is_empty() { "not documented".to_owned() } else { limits.join("; ") }.as_str());
    page.line("recordings", &recordings(model));
    page.line("formats", &unless_empty(model.formats.join(", ")));
    let counted = match model.languages_counted {
        Some(1) => "; only the first requested is used".to_owned(),
        Some(counted) => format!("; only the first {counted} requested are used"),
        None => String::new(),
    };
    let languages = match model.languages.len() {
        0 => "not documented".to_owned(),
        count => format!("{count}: {}{counted}", model.languages.join(" ")),
    };
    page.line("languages", &languages);
    page.line("context", if model.context { "yes" } else { "no" });
    for (index, parameter) in model.parameters.iter().enumerate() {
        let said = format!("{}: {}", title(parameter), parameter.meaning);
        page.line(if index == 0 { "parameters" } else { "" }, &said);
    }
    page.line("source", &format!("page of {}, {}", model.checked, model.source));
    page.0
}

/// The wire name with its flag: `speaker_count (--speakers)`.
fn title(parameter: &Parameter) -> String {
    flag_of(parameter.key).map_or_else(|| parameter.key.to_owned(), |flag| format!("{} ({flag})", parameter.key))
}

fn unless_empty(text: String) -> String {
    if text.is_empty() { "not documented".to_owned() } else { text }
}

fn recordings(model: &Model) -> String {
    let limits = model.limits;
    let mut said = Vec::new();
    said.extend(limits.bytes.map(|bytes| format!("up to {}", size(bytes))));
    said.extend(limits.seconds.map(|seconds| format!("up to {}", span_of_seconds(seconds))));
    said.push(model.sample_rate_hz.map_or_else(|| "any sample rate".to_owned(), |rate| format!("{rate} Hz only")));
    if model.protocol.is_task() {
        let older = match limits.files_per_task {
            most if most > limits.files_per_task_now => format!(" (older pages: {most})"),
            _ => String::new(),
        };
        let urls = if limits.files_per_task_now == 1 { "URL" } else { "URLs" };
        said.push(format!("{} {urls} per task{older}", limits.files_per_task_now));
    }
    let diarized = limits.diarization_seconds.filter(|_| model.takes("diarization_enabled"));
    said.extend(diarized.map(|seconds| format!("diarization recommended up to {}", span_of_seconds(seconds))));
    said.join(", ")
}

/// Titles at the left, text in lines at the right.
struct Page(String);

impl Page {
    const LEFT: usize = 14;

    fn line(&mut self, title: &str, text: &str) {
        let mut title = title;
        let mut line = String::new();
        for word in text.split(' ') {
            if !line.is_empty() && Self::LEFT + line.chars().count() + 1 + word.chars().count() > WIDTH {
                self.put(title, &line);
                (title, line) = ("", format!("  {word}"));
            } else {
                line += if line.is_empty() { "" } else { " " };
                line += word;
            }
        }
        self.put(title, &line);
    }

    fn put(&mut self, title: &str, line: &str) {
        self.0 += format!("  {title:<width$}{line}", width = Self::LEFT - 2).trim_end();
        self.0.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_no_line_that_is_too_long() {
        for model in Catalog::builtin().models() {
            let page = page(Catalog::builtin(), model, None);
            let long: Vec<&str> = page
                .lines()
                // One word, such as an address, is not cut.
                .filter(|line| line.chars().count() > WIDTH && line.split_whitespace().count() > 1)
                .collect();
            assert_eq!(long, Vec::<&str>::new());
            assert!(page.contains("\n  offered in  ") && page.contains("inference "), "{page}");
        }
    }

    #[test]
    fn a_listing_fits_a_wide_terminal() {
        let models: Vec<&Model> = Catalog::builtin().models().iter().collect();
        for (region, most) in [(None, 140), (Some(Region::Intl), 105), (Some(Region::Cn), 105), (Some(Region::Us), 105)]
        {
            let listing = listing(Catalog::builtin(), &models, region, Format::Table);
            let widest = |column: usize| {
                let cells = listing.rows.iter().filter_map(|row| row.get(column)?.as_str());
                cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
            };
            let width: usize = (0..listing.head.len()).map(|column| widest(column) + 2).sum();
            assert!(width <= most, "{region:?}: {width}");
        }
    }
}
