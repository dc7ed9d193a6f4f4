//! The report's own part of the page as texts: headline figures, strips, tables, definitions.

use std::collections::HashMap;

use minijinja::Value as Html;
use serde::Serialize;
use serde_json::Value;

use super::super::label::{column, label, parameters_of, why};
use super::super::number::{NOT_MEASURED, cell, count, counted, decimal, figure, length, span};
use super::super::strip::Over;
use super::super::{CallRow, Distribution, LISTED_BY_EACH, OF_GROUPS, Page, Report, Strip};
use super::chart::{hue, shares, small_lanes, strip};
use super::{Links, coverage, foot, short, title};
use crate::metrics::Parameters;
use crate::metrics::catalogue::{CALLS, PARTICIPANTS, Table};

/// Groups on the page; the table `rollup` has them all.
const MOST_GROUPS: usize = 500;

/// Participants of a call whose shares the list names.
const MOST_SHARES: usize = 20;

/// Columns of the list of calls after its length and lanes.
const LISTED: [&str; 8] = [
    "dead_air_count",
    "dead_air_ms",
    "interruption_count",
    "overlap_ratio",
    "switches_per_min",
    "units_per_min",
    "keyword_hit_count",
    "warning_count",
];

#[derive(Serialize)]
pub(super) struct Overview {
    pub(super) title: String,
    basis: String,
    tiles: Vec<Tile>,
    strips: Vec<Card>,
    list: List,
    groups: Option<Grid>,
    groups_note: String,
    keywords: Option<Grid>,
    bill: Grid,
    bill_sums: Vec<String>,
    warnings: Grid,
    unmeasured: Grid,
    /// The calls that are on the page, whole.
    calls: Vec<Html>,
    /// Calls that were to be shown and are not, in words; empty when none.
    left_out: String,
    parameters: Vec<[String; 4]>,
    definitions: Vec<Definitions>,
    foot: String,
}

/// A headline figure, and what it means one click away.
#[derive(Serialize)]
struct Tile {
    label: String,
    value: String,
    notes: Vec<String>,
    table: &'static str,
    metric: &'static str,
    meaning: &'static str,
    null: &'static str,
    source: &'static str,
    parameters: Vec<String>,
    covers: String,
    /// The column by which the list of calls shows what is behind it; empty where it does not.
    sort: &'static str,
}

/// A strip with its text table.
#[derive(Serialize)]
struct Card {
    title: String,
    over: &'static str,
    table_name: &'static str,
    metric: &'static str,
    svg: Html,
    low: String,
    median: String,
    high: String,
    /// n, not measurable, smallest, quartiles, largest.
    table: Vec<[String; 2]>,
}

/// The list of calls.
#[derive(Serialize)]
struct List {
    note: String,
    groups: Vec<String>,
    columns: Vec<Head>,
    length: Head,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Head {
    metric: &'static str,
    label: String,
    sorted: bool,
}

#[derive(Serialize)]
struct Row {
    id: String,
    name: String,
    href: String,
    groups: Vec<String>,
    length: Cell,
    lanes: Html,
    shares: Html,
    shares_in_words: String,
    cells: Vec<Cell>,
}

/// A cell as read, as sorted, and why it is a dash.
#[derive(Serialize)]
pub(super) struct Cell {
    text: String,
    sort: String,
    why: String,
}

impl Cell {
    pub(super) fn of(table: &'static Table, row: &serde_json::Map<String, Value>, name: &str) -> Self {
        let value = row.get(name);
        let is_null = value.is_none_or(Value::is_null);
        let unit = column(table, name).map_or("", |column| column.unit);
        Self {
            text: cell(value, name, unit),
            sort: value.filter(|_| !is_null).map(ToString::to_string).unwrap_or_default(),
            why: if is_null { why(table, name, row.get("reason").and_then(Value::as_str)) } else { String::new() },
        }
    }

    fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { sort: text.clone(), text, why: String::new() }
    }

    fn number(text: String, number: impl ToString) -> Self {
        Self { text, sort: number.to_string(), why: String::new() }
    }

    fn none(why: &str) -> Self {
        Self { text: NOT_MEASURED.to_owned(), sort: String::new(), why: why.to_owned() }
    }
}

/// A table whose columns can be sorted; the first `texts` columns are no numbers.
#[derive(Serialize)]
struct Grid {
    head: Vec<String>,
    texts: usize,
    rows: Vec<Vec<Cell>>,
}

#[derive(Serialize)]
struct Definitions {
    table: &'static str,
    grain: &'static str,
    columns: Vec<[&'static str; 5]>,
}

impl Overview {
    /// `calls` are those of the page's views that stand on it, by file.
    pub(super) fn of(
        report: &Report,
        page: &Page,
        links: Links<'_>,
        calls: Vec<(&str, Html)>,
        left_out: String,
    ) -> Self {
        let on_page = calls.iter().enumerate();
        let ids: HashMap<&str, String> = on_page.map(|(at, (file, _))| (*file, format!("c{}", at + 1))).collect();
        let address = |file: &str| ids.get(file).map(|id| format!("#{id}")).or_else(|| links(file)).unwrap_or_default();
        let warnings = report.warnings.iter().map(|warning| {
            vec![
                Cell::text(warning.code),
                Cell::text(warning.meaning),
                Cell::number(count(warning.files as i64), warning.files),
                Cell::number(count(warning.count as i64), warning.count),
            ]
        });
        let unmeasured = report.unmeasured.iter().map(|row| {
            vec![
                Cell::text(row.reason),
                Cell::text(row.meaning),
                Cell::number(count(row.calls as i64), row.calls),
                Cell::number(count(row.participants as i64), row.participants),
            ]
        });
        Self {
            title: title(report),
            basis: basis(&report.parameters.thresholds),
            tiles: tiles(report),
            strips: page.strips.iter().map(|strip| card(strip, page)).collect(),
            list: list(report, page, &address),
            groups: groups(report),
            groups_note: report.rollup.as_ref().filter(|groups| groups.rows.len() > MOST_GROUPS).map_or_else(
                String::new,
                |groups| {
                    format!("The first {MOST_GROUPS} of {}; the table rollup has all.", count(groups.rows.len() as i64))
                },
            ),
            keywords: keywords(report),
            bill: bill(report),
            bill_sums: sums(report),
            warnings: grid(&["Code", "Meaning", "Calls", "Count"], 2, warnings.collect()),
            unmeasured: grid(&["Reason", "Meaning", "Calls", "Participants"], 2, unmeasured.collect()),
            calls: calls.into_iter().map(|(_, html)| html).collect(),
            left_out,
            parameters: parameters(report),
            definitions: definitions(),
            foot: foot(report),
        }
    }
}

fn grid(head: &[&str], texts: usize, rows: Vec<Vec<Cell>>) -> Grid {
    Grid { head: head.iter().map(|&name| name.to_owned()).collect(), texts, rows }
}

/// The parameters that a reader should know before the first figure.
fn basis(parameters: &Parameters) -> String {
    format!(
        "pauses up to {} joined, dead air from {}, interruption from {} of overlap",
        span(parameters.join_gap_ms),
        span(parameters.dead_air_ms),
        span(parameters.interruption_overlap_ms)
    )
}

fn tiles(report: &Report) -> Vec<Tile> {
    let measured = report.inputs.measured;
    let total = |metric: &str| report.totals.iter().find(|total| total.metric == metric);
    let spread = |list: &[Distribution], metric: &str, q: fn(&Distribution) -> Option<f64>| {
        let one = list.iter().find(|one| one.metric == metric);
        one.map_or_else(|| NOT_MEASURED.to_owned(), |one| figure(q(one), one.metric, one.unit))
    };
    let tile = |label: &str, metric: &'static str, table: &'static Table, value: String, notes: Vec<String>| {
        let row = column(table, metric);
        let meaning = row.map_or("", |column| column.meaning);
        Tile {
            label: label.to_owned(),
            value,
            notes: notes.into_iter().filter(|note| !note.is_empty()).collect(),
            table: table.name,
            metric,
            meaning,
            null: row.map_or("", |column| column.null),
            source: row.map_or("", |column| column.source),
            parameters: parameters_of(meaning, &report.parameters.thresholds),
            covers: total(metric).map(|total| coverage(total.n, measured, "call")).unwrap_or_default(),
            sort: if LISTED.contains(&metric) { metric } else { "" },
        }
    };
    let sum = |metric: &str| {
        let total = total(metric);
        let unit = total.map_or("", |total| total.unit);
        cell(total.and_then(|total| total.sum).map(Value::from).as_ref(), metric, unit)
    };
    let measurable = |metric: &str| total(metric).map(|total| coverage(total.n, measured, "call")).unwrap_or_default();
    let said = |metric: &str| match measurable(metric) {
        covers if covers.is_empty() => covers,
        covers => format!("{covers} measurable"),
    };
    let inputs = &report.inputs;
    let mut tiles = vec![
        tile(
            "Calls",
            "duration_ms",
            &CALLS,
            count(measured as i64),
            vec![
                match measurable("duration_ms") {
                    covers if covers.is_empty() => format!("{} of audio", sum("duration_ms")),
                    covers => format!("{} of audio, known of {covers}", sum("duration_ms")),
                },
                if inputs.without_speech > 0 {
                    format!("{} without speech", count(inputs.without_speech as i64))
                } else {
                    String::new()
                },
                if inputs.failed > 0 {
                    format!("{} not readable", counted(inputs.failed, "file"))
                } else {
                    String::new()
                },
            ],
        ),
        tile(
            "Speech",
            "speech_ms",
            &CALLS,
            sum("speech_ms"),
            vec![
                format!("silence: {} of a call, median", spread(&report.calls, "silence_ratio", |one| one.p50)),
                said("speech_ms"),
            ],
        ),
        tile(
            "Dead air",
            "dead_air_count",
            &CALLS,
            sum("dead_air_count"),
            vec![format!("{} and longer", span(report.parameters.thresholds.dead_air_ms)), said("dead_air_count")],
        ),
        tile(
            "Response, median",
            "response_ms_p50",
            &PARTICIPANTS,
            spread(&report.participants, "response_ms_p50", |one| one.p50),
            vec![format!(
                "of the speakers' medians; 90th percentile {}",
                spread(&report.participants, "response_ms_p50", |one| one.p90)
            )],
        ),
        tile(
            "Interruptions",
            "interruption_count",
            &CALLS,
            sum("interruption_count"),
            vec![said("interruption_count")],
        ),
        tile("Billable speech", "billable_ms", &CALLS, sum("billable_ms"), sums(report)),
    ];
    if let Some(calls) = tiles.first_mut() {
        // No column, but the number of rows.
        (calls.metric, calls.source, calls.null) = ("", "", "");
        calls.covers.clear();
        calls.meaning = "result files that were measured; those that could not be read are in no figure";
    }
    if report.keywords.is_some() {
        tiles.push(tile("Keyword hits", "keyword_hit_count", &CALLS, sum("keyword_hit_count"), Vec::new()));
    }
    tiles
}

/// Costs by currency, and what has none.
fn sums(report: &Report) -> Vec<String> {
    let sum = |total: &super::super::CostTotal| match (&total.currency, total.cost) {
        (Some(currency), Some(cost)) => format!("{} {currency}", decimal(cost)),
        _ => format!("{} not priced", counted(total.tracks, "track")),
    };
    report.cost.iter().map(sum).collect()
}

fn card(one: &Strip, page: &Page) -> Card {
    let rows: HashMap<&str, usize> = page.listed.iter().enumerate().map(|(at, row)| (&*row.file, at)).collect();
    let shown = |value: f64| figure(Some(value), one.metric, one.unit);
    let link = |at: usize| {
        let Some(dot) = one.dots.get(at) else { return (None, String::new()) };
        let who = dot.who.as_ref().map(|who| format!(", {who}")).unwrap_or_default();
        let text = format!("{}{who}: {}", short(&dot.file), shown(dot.value));
        (rows.get(&*dot.file).map(|row| format!("r{row}")), minijinja::HtmlEscape(&text).to_string())
    };
    let end = |at: usize| one.quartiles.get(at).map_or_else(|| NOT_MEASURED.to_owned(), |value| shown(*value));
    let over = match one.over {
        Over::Calls => "one dot a call",
        Over::Participants => "one dot a speaker",
        Over::FirstParticipants => "first track or speaker",
    };
    let mut table =
        vec![["measured".to_owned(), count(one.n as i64)], ["not measurable".to_owned(), count(one.nulls as i64)]];
    let names = ["smallest", "lower quartile", "median", "upper quartile", "largest"];
    table.extend(names.into_iter().enumerate().map(|(at, name)| [name.to_owned(), end(at)]));
    Card {
        title: label(one.metric),
        over,
        table_name: if one.over == Over::Calls { CALLS.name } else { PARTICIPANTS.name },
        metric: one.metric,
        svg: Html::from_safe_string(strip(one, &link)),
        low: end(0),
        median: end(2),
        high: end(4),
        table,
    }
}

fn list(report: &Report, page: &Page, address: &dyn Fn(&str) -> String) -> List {
    let mut metrics: Vec<&'static str> = LISTED.to_vec();
    metrics.retain(|metric| match *metric {
        "keyword_hit_count" => report.keywords.is_some(),
        "warning_count" => !report.warnings.is_empty(),
        _ => true,
    });
    if !metrics.contains(&page.by) && page.by != "duration_ms" {
        metrics.insert(0, page.by);
    }
    let head = |metric: &'static str| Head { metric, label: label(metric), sorted: metric == page.by };
    let row = |(at, row): (usize, &CallRow)| {
        let shared = row.names.iter().zip(&row.shares).take(MOST_SHARES);
        let in_words = shared.map(|(name, share)| format!("{name} {}", figure(*share, "talk_share", "0–1")));
        let more = row.names.len().saturating_sub(MOST_SHARES);
        let more = (more > 0).then(|| format!("{} more", count(more as i64)));
        Row {
            id: format!("r{at}"),
            name: short(&row.file).to_owned(),
            href: address(&row.file),
            groups: row.groups.iter().map(|group| group.clone().unwrap_or_else(|| NOT_MEASURED.to_owned())).collect(),
            length: Cell::of(&CALLS, &row.figures, "duration_ms"),
            lanes: Html::from_safe_string(small_lanes(&row.lanes, &row.dead_air, row.length_ms)),
            shares: Html::from_safe_string(shares(&row.shares)),
            shares_in_words: in_words.chain(more).collect::<Vec<_>>().join(", "),
            cells: metrics.iter().map(|metric| Cell::of(&CALLS, &row.figures, metric)).collect(),
        }
    };
    let (listed, all) = (page.listed.len() as u64, report.inputs.measured);
    let mut note = String::new();
    if listed + (page.gone.len() as u64) < all {
        note = format!(
            "{} of {}: the {LISTED_BY_EACH} highest by each of the figures. The tables on disk have them all.",
            count(listed as i64),
            count(all as i64)
        );
    }
    if !page.gone.is_empty() {
        note += &format!(" {} could not be read a second time.", counted(page.gone.len() as u64, "call"));
    }
    List {
        note,
        groups: page.groups.clone(),
        columns: metrics.iter().map(|metric| head(metric)).collect(),
        length: head("duration_ms"),
        rows: page.listed.iter().enumerate().map(row).collect(),
    }
}

fn groups(report: &Report) -> Option<Grid> {
    let groups = report.rollup.as_ref()?;
    let row = |row: &serde_json::Map<String, Value>| {
        let by = groups.by.iter().map(|name| match row.get(name).and_then(Value::as_str) {
            Some(group) => Cell::text(group),
            None => Cell::none("no value in the metadata, or no row for the call"),
        });
        let figures = OF_GROUPS.iter().map(|(name, unit)| {
            let value = row.get(*name).filter(|value| !value.is_null());
            match value {
                Some(found) => Cell::number(cell(value, name, unit), found),
                None => Cell::none("measurable in no call of the group"),
            }
        });
        by.chain(figures).collect()
    };
    Some(Grid {
        head: groups.by.iter().cloned().chain(OF_GROUPS.iter().map(|(name, _)| label(name))).collect(),
        texts: groups.by.len(),
        rows: groups.rows.iter().take(MOST_GROUPS).map(row).collect(),
    })
}

fn keywords(report: &Report) -> Option<Grid> {
    let list = report.keywords.as_ref()?;
    let mut who: Vec<&str> = list.iter().flat_map(|hits| hits.by.keys()).map(String::as_str).collect();
    who.sort_unstable();
    who.dedup();
    // More than a handful are labels of diarised speakers, which mean nothing across calls; some of them alone would pass for all.
    if who.len() > 6 {
        who.clear();
    }
    let number = |count_of: u64| Cell::number(count(count_of as i64), count_of);
    let row = |hits: &crate::tables::KeywordHits| {
        let mut cells = vec![Cell::text(&*hits.rule), number(hits.hits), number(hits.calls)];
        cells.extend(who.iter().map(|who| number(hits.by.get(*who).copied().unwrap_or(0))));
        cells
    };
    let mut head = vec!["Keyword", "Hits", "Calls"];
    head.extend(&who);
    Some(grid(&head, 1, list.iter().map(row).collect()))
}

fn bill(report: &Report) -> Grid {
    const NOT_KNOWN: &str = "a result file does not name it, and no ledger or flag does";
    let row = |line: &crate::tables::BillLine| {
        let text = |text: &Option<String>, why| text.as_ref().map_or_else(|| Cell::none(why), Cell::text);
        let money = |amount: Option<rust_decimal::Decimal>| match (amount, &line.currency) {
            (Some(amount), Some(currency)) => Cell::number(format!("{} {currency}", decimal(amount)), amount),
            _ => Cell {
                text: super::super::number::NOT_PRICED.to_owned(),
                ..Cell::none("model, region or price not known")
            },
        };
        vec![
            text(&line.model, NOT_KNOWN),
            text(&line.region, NOT_KNOWN),
            text(&line.price_date, "no price"),
            Cell::number(count(line.calls as i64), line.calls),
            Cell::number(count(line.tracks as i64), line.tracks),
            Cell::number(length(line.billable_ms), line.billable_ms),
            Cell::number(count(line.billed_seconds), line.billed_seconds),
            money(line.unit_price),
            money(line.cost),
        ]
    };
    let head = ["Model", "Region", "Price of", "Calls", "Tracks", "Speech", "Billed seconds", "Price a second", "Cost"];
    grid(&head, 3, report.bill.iter().map(row).collect())
}

fn parameters(report: &Report) -> Vec<[String; 4]> {
    let basis = &report.parameters;
    let values = basis.thresholds.values().zip(Parameters::LIST);
    let mut rows: Vec<[String; 4]> = values
        .map(|((name, value), parameter)| {
            [name.to_owned(), value.to_string(), parameter.unit.to_owned(), parameter.meaning.to_owned()]
        })
        .collect();
    let mut add = |name: &str, value: String, unit: &str, meaning: &str| {
        rows.push([name.to_owned(), value, unit.to_owned(), meaning.to_owned()]);
    };
    add("window_ms", basis.window_ms.to_string(), "ms", "length of a row of the table windows");
    add("keep_markers", basis.keep_markers.to_string(), "", "whether markers such as [PII] count as words");
    if !basis.roles.is_empty() {
        let roles: Vec<String> = basis.roles.iter().map(|(label, role)| format!("{label}={role}")).collect();
        add("role", roles.join(", "), "", "participants by name");
    }
    if let Some(keywords) = &basis.keywords {
        add("keyword", keywords.join(", "), "", "what was looked for");
    }
    rows
}

fn definitions() -> Vec<Definitions> {
    let of = |table: &'static Table| Definitions {
        table: table.name,
        grain: table.grain,
        columns: table
            .columns
            .iter()
            .filter(|column| !column.unit.is_empty())
            .map(|column| [column.name, column.unit, column.meaning, column.null, column.source])
            .collect(),
    };
    vec![of(&CALLS), of(&PARTICIPANTS)]
}

/// A participant's colour and name, for a legend.
#[derive(Serialize)]
pub(super) struct Name {
    pub(super) hue: String,
    pub(super) name: String,
    /// Its label, where the name is a role.
    pub(super) label: String,
}

impl Name {
    pub(super) fn of(at: usize, name: &str, label: &str) -> Self {
        let label = if label == name { String::new() } else { label.to_owned() };
        Self { hue: hue(at), name: name.to_owned(), label }
    }
}
