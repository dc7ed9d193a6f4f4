//! The report's own part of the page as texts: what needs a look, headline figures, strips, tables, definitions.

use std::collections::HashMap;

use minijinja::Value as Html;
use serde::Serialize;

use super::super::number::{NOT_PRICED, count, figure, length, money};
use super::super::strip::StripScope;
use super::super::{FigureSettings, Page, Report, RoleFigure, RoleSummary, Strip};
use super::axis::Axis;
use super::cell::{Cell, Grid, calls_with};
use super::chart::strip;
use super::list::{List, list};
use super::ranking::{Attention, MOST_GROUPS, attention, groups, trend};
use super::tiles::{Tile, sums, tiles};
use super::{Links, ShownCall, extent, foot, short, title};
use crate::metrics::Parameters;
use crate::metrics::catalogue::{CALLS, Column, Definition, PARTICIPANTS, Table, Unit};
use crate::time::span;

#[derive(Serialize)]
pub(super) struct Overview {
    pub(super) title: String,
    /// What the calls are: extent, days, hosts.
    source: Vec<String>,
    basis: String,
    tiles: Vec<Tile>,
    attention: Attention,
    strips: Vec<Card>,
    list: List,
    groups: Option<Grid>,
    groups_note: String,
    trend: Option<Grid>,
    roles: Option<Grid>,
    keywords: Option<Grid>,
    rules: Option<Grid>,
    /// Rules that matched no call.
    unmatched_rules: Grid,
    bill: Grid,
    bill_sums: Vec<String>,
    warnings: Grid,
    /// Recordings with several files, in words; empty when none.
    copies: String,
    unmeasured: Grid,
    /// The calls that are on the page, whole.
    calls: Vec<Html>,
    /// Calls that were to be shown and are not, in words; empty when none.
    left_out: String,
    parameters: Vec<[String; 4]>,
    /// That the parameters are not known; empty if they are.
    unknown: &'static str,
    definitions: Vec<Definitions>,
    missing_tables: Vec<&'static str>,
    foot: String,
}

/// A strip with its text table.
#[derive(Serialize)]
struct Card {
    title: String,
    over: String,
    table_name: &'static str,
    metric: &'static str,
    svg: Html,
    median: String,
    /// Where each label stands, in per cent of the width, and its text.
    axis: Vec<[String; 2]>,
    /// n, not measurable, smallest, quartiles, largest.
    table: Vec<[String; 2]>,
}

#[derive(Serialize)]
struct Definitions {
    table: &'static str,
    grain: &'static str,
    columns: Vec<[String; 5]>,
}

impl Overview {
    /// `calls` are those of the page's views that stand on it.
    pub(super) fn new(
        report: &Report,
        page: &Page,
        links: &Links<'_>,
        calls: Vec<ShownCall<'_>>,
        left_out: String,
    ) -> Self {
        let ids: HashMap<&str, &str> = calls.iter().map(|call| (call.file, call.id)).collect();
        let part = |file: &str, anchor: &str| match (ids.get(file), links.page_of(file)) {
            (Some(id), _) => format!("#{id}{anchor}"),
            (None, Some(page)) if anchor.is_empty() => page,
            (None, Some(page)) => format!("{page}#c1{anchor}"),
            (None, None) => String::new(),
        };
        let address = |file: &str| part(file, "");
        let warnings = report.warnings.iter().map(|warning| {
            vec![
                Cell::text(warning.meaning).noted(warning.code.to_owned()),
                Cell::number(count(warning.files as i64), warning.files),
                Cell::number(count(warning.count as i64), warning.count),
            ]
        });
        let unmeasured = report.unmeasured.iter().map(|row| {
            vec![
                Cell::text(row.meaning),
                Cell::number(count(row.calls as i64), row.calls),
                Cell::number(count(row.participants as i64), row.participants),
            ]
        });
        Self {
            title: title(report),
            source: source(report, page),
            attention: attention(report, page, &part),
            basis: basis(report),
            tiles: tiles(report, page),
            strips: page.strips.iter().map(|strip| card(strip, page)).collect(),
            list: list(report, page, &address),
            groups: groups(report, page),
            groups_note: page.ranking.as_ref().filter(|ranking| ranking.groups.len() > MOST_GROUPS).map_or_else(
                String::new,
                |ranking| {
                    let all = count(ranking.groups.len() as i64);
                    format!("Showing {MOST_GROUPS} of {all} groups; the table rollup has all.")
                },
            ),
            trend: trend(page),
            roles: roles(report),
            keywords: keywords(report),
            rules: report.rules.as_ref().map(|_| rules(report, true)),
            unmatched_rules: rules(report, false),
            bill: bill(report),
            bill_sums: sums(report),
            copies: report.copies.as_ref().map(ToString::to_string).unwrap_or_default(),
            warnings: Grid::new(&["Warning", "Calls", "Count"], 1, warnings.collect()),
            unmeasured: Grid::new(&["Reason", "Calls", "Participants"], 1, unmeasured.collect()),
            calls: calls.into_iter().map(|call| call.html).collect(),
            left_out,
            parameters: parameters(report),
            unknown: report.parameters.unknown().unwrap_or_default(),
            definitions: definitions(),
            missing_tables: report.missing_tables.clone(),
            foot: foot(report),
        }
    }
}

/// What the calls are: their extent unless that is the title, the days, the hosts of the recordings.
fn source(report: &Report, page: &Page) -> Vec<String> {
    let extent = report.title.as_ref().map(|_| extent(report));
    let period = page.period.as_ref().map(|period| {
        if period.first == period.last { period.first.clone() } else { format!("{} to {}", period.first, period.last) }
    });
    let hosts = (!page.hosts.is_empty()).then(|| format!("recordings from {}", page.hosts.join(", ")));
    let recogniser =
        report.bill.iter().filter_map(|line| line.model.clone()).collect::<std::collections::BTreeSet<_>>();
    let recogniser = (!recogniser.is_empty())
        .then(|| format!("transcribed by {}", recogniser.into_iter().collect::<Vec<_>>().join(", ")));
    [extent, period, hosts, recogniser].into_iter().flatten().collect()
}

/// The parameters to know before the first figure.
fn basis(report: &Report) -> String {
    let condition = report.parameters.condition.as_ref();
    let condition = condition.map_or_else(String::new, |condition| format!("Only calls where {condition}. "));
    let Some(FigureSettings { thresholds, .. }) = &report.parameters.figures else {
        return format!("{condition}{}", report.parameters.unknown().unwrap_or_default());
    };
    format!(
        "{condition}Pauses up to {} are joined; dead air from {}; interruption from {} of overlap",
        span(thresholds.join_gap_ms),
        span(thresholds.dead_air_ms),
        span(thresholds.interruption_overlap_ms)
    )
}

fn card(one: &Strip, page: &Page) -> Card {
    let rows: HashMap<&str, usize> = page.listed.iter().enumerate().map(|(at, row)| (&*row.file, at)).collect();
    let shown = |value: f64| figure(Some(value), one.unit);
    let link = |at: usize| {
        let Some(dot) = one.dots.get(at) else { return (None, String::new()) };
        let participant = dot.participant.as_ref().map(|name| format!(", {name}")).unwrap_or_default();
        let text = format!("{}{participant}: {}", short(&dot.file), shown(dot.value));
        (rows.get(&*dot.file).map(|row| format!("r{row}")), minijinja::HtmlEscape(&text).to_string())
    };
    let end = |at: usize| figure(one.quartiles.get(at).copied(), one.unit);
    let over = match (one.scope, one.density.is_empty()) {
        (StripScope::Calls, true) => "one dot per call",
        (StripScope::Calls, false) => "histogram of the calls",
        (StripScope::Participants, true) => "one dot per speaker",
        (StripScope::Participants, false) => "histogram of the speakers",
        (StripScope::FirstParticipants, true) => "one dot per call: ",
        (StripScope::FirstParticipants, false) => "histogram of the calls: ",
    };
    let of_call = match (one.scope, &one.role) {
        (StripScope::FirstParticipants, Some(role)) => role,
        (StripScope::FirstParticipants, None) => "first track or speaker",
        _ => "",
    };
    let low = one.quartiles.first().copied().unwrap_or_default();
    let axis = Axis::new(low, one.quartiles.last().copied().unwrap_or(low), one.unit);
    let label = |(share, label): (f64, String)| [format!("{:.1}", share * 100.0), label];
    let mut table =
        vec![["measured".to_owned(), count(one.n as i64)], ["not measurable".to_owned(), count(one.nulls as i64)]];
    let names = ["smallest", "lower quartile", "median", "upper quartile", "largest"];
    table.extend(names.into_iter().enumerate().map(|(at, name)| [name.to_owned(), end(at)]));
    Card {
        title: one.scope.table().label(one.metric),
        over: format!("{over}{of_call}"),
        table_name: one.scope.table().name,
        metric: one.metric,
        svg: Html::from_safe_string(strip(one, &axis, &link)),
        median: end(2),
        axis: if one.n > 0 { axis.labels().map(label).collect() } else { Vec::new() },
        table,
    }
}

/// The figures of each role side by side: the median call, or the total of what is counted.
fn roles(report: &Report) -> Option<Grid> {
    let roles = report.roles.as_ref()?;
    let row = |(at, first): (usize, &RoleFigure)| {
        let cell = |role: &RoleSummary| match role.figures.get(at) {
            Some(RoleFigure { sum: Some(sum), .. }) => Cell::number(count(*sum), sum),
            Some(RoleFigure { p50: Some(median), unit, .. }) => Cell::number(figure(Some(*median), *unit), median),
            _ => Cell::none("not measurable in any of the calls"),
        };
        let label = PARTICIPANTS.label(first.metric);
        let is_count = PARTICIPANTS.column(first.metric).is_some_and(Column::is_count);
        let name = Cell::text(label).noted(if is_count { "total" } else { "median" }.to_owned());
        std::iter::once(name).chain(roles.iter().map(cell)).collect()
    };
    let head = std::iter::once("Figure".to_owned()).chain(roles.iter().map(|role| role.role.clone()));
    let rows = roles.first()?.figures.iter().enumerate().map(row).collect();
    Some(Grid { head: head.collect(), texts: 1, notes: 0, rows })
}

fn keywords(report: &Report) -> Option<Grid> {
    let list = report.keywords.as_ref()?;
    let mut who: Vec<&str> = list.iter().flat_map(|hits| hits.by.keys()).map(String::as_str).collect();
    who.sort_unstable();
    who.dedup();
    // More than a handful are labels of diarised speakers, which mean nothing across calls.
    if who.len() > 6 {
        who.clear();
    }
    let number = |count_of: u64| Cell::number(count(count_of as i64), count_of);
    let row = |hits: &crate::tables::KeywordHits| {
        let calls = number(hits.calls);
        let calls =
            if hits.calls > 0 { calls.linked(calls_with(&[("keyword".to_owned(), &hits.rule)])) } else { calls };
        let mut cells = vec![Cell::text(&*hits.rule), number(hits.hits), calls];
        cells.extend(who.iter().map(|who| number(hits.by.get(*who).copied().unwrap_or(0))));
        cells
    };
    let mut head = vec!["Keyword", "Hits", "Calls"];
    head.extend(&who);
    Some(Grid::new(&head, 1, list.iter().map(row).collect()))
}

/// The rules that matched a call, or those that matched none, in the order of their file.
fn rules(report: &Report, matched: bool) -> Grid {
    let number = |count_of: u64| Cell::number(count(count_of as i64), count_of);
    let row = |rule: &crate::tables::RuleCalls| {
        let texts = [&rule.rule, &rule.name, &rule.severity].map(Cell::text);
        let calls = number(rule.calls);
        let calls = if matched { calls.linked(calls_with(&[("rule".to_owned(), &rule.rule)])) } else { calls };
        texts.into_iter().chain([calls, number(rule.unknown), number(rule.hits)]).collect()
    };
    let rows = report.rules.iter().flatten().filter(|rule| (rule.calls > 0) == matched).map(row).collect();
    Grid::new(&["Rule", "Meaning", "Severity", "Calls", "Not known", "Hits"], 3, rows)
}

fn bill(report: &Report) -> Grid {
    const NOT_KNOWN: &str = "not in the result file, the ledger or the settings";
    let row = |line: &crate::billing::BillTotal| {
        let text = |text: &Option<String>, why| text.as_ref().map_or_else(|| Cell::none(why), Cell::text);
        let amount = |amount: Option<rust_decimal::Decimal>| match amount.zip(line.currency) {
            Some((amount, currency)) => Cell::number(money(Some((amount, currency))), amount),
            None => Cell::instead(NOT_PRICED, "model, region or price unknown"),
        };
        vec![
            text(&line.model, NOT_KNOWN),
            line.region.map_or_else(|| Cell::none(NOT_KNOWN), |region| Cell::text(region.name())),
            line.price_date.map_or_else(|| Cell::none("no price"), |date| Cell::text(date.to_string())),
            Cell::number(count(line.calls as i64), line.calls),
            Cell::number(count(line.tracks as i64), line.tracks),
            Cell::number(length(line.billable_ms), line.billable_ms),
            Cell::number(count(line.billed_seconds), line.billed_seconds),
            amount(line.unit_price),
            amount(line.cost),
        ]
    };
    let head = ["Model", "Region", "Price date", "Calls", "Tracks", "Speech", "Billed seconds", "Price/s", "Cost"];
    Grid::new(&head, 3, report.bill.iter().map(row).collect())
}

fn parameters(report: &Report) -> Vec<[String; 4]> {
    let basis = &report.parameters;
    let figures = basis.figures.as_ref();
    let values = figures.into_iter().flat_map(|figures| figures.thresholds.values().zip(Parameters::LIST));
    let mut rows: Vec<[String; 4]> = values
        .map(|((name, value), parameter)| {
            [name.to_owned(), value.to_string(), parameter.unit.to_owned(), parameter.meaning.to_owned()]
        })
        .collect();
    let mut add = |name: &str, value: String, unit: &str, meaning: &str| {
        rows.push([name.to_owned(), value, unit.to_owned(), meaning.to_owned()]);
    };
    if let Some(FigureSettings { definition, window_ms, keep_markers, .. }) = figures {
        add("definition", definition.to_string(), "", "how overlap onsets are classified");
        add("window_ms", window_ms.to_string(), "ms", "length of a window in the table windows");
        add("keep_markers", keep_markers.to_string(), "", "whether markers such as [PII] count as words");
    }
    if let Some(roles) = basis.roles.as_ref().filter(|roles| !roles.is_empty()) {
        let roles: Vec<String> = roles.iter().map(|(label, role)| format!("{label}={role}")).collect();
        add("role", roles.join(", "), "", "names of participants");
    }
    if let Some(condition) = &basis.condition {
        add("where", condition.clone(), "", "which calls the report is about");
    }
    if let Some(keywords) = &basis.keywords {
        add("keyword", keywords.join(", "), "", "terms searched for");
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
            .filter(|column| column.unit != Unit::None)
            .map(|column| {
                [
                    column.name.to_owned(),
                    column.unit.name().to_owned(),
                    column.meaning.to_owned(),
                    column.null_in_words(),
                    column.definition.map_or("", Definition::name).to_owned(),
                ]
            })
            .collect(),
    };
    vec![of(&CALLS), of(&PARTICIPANTS)]
}
