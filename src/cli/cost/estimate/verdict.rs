//! What an estimate comes to: sums by model and group, what they are based on, and what is not in them.

use serde_json::{Value, json};

use super::super::super::document::json as json_of;
use super::super::super::output::{Console, Failure, Format, Listing};
use super::super::breakdown::{Summary, VERSION, code, exact};
use super::super::document::{Object, Range};
use super::group::Group;
use super::row::Row;
use super::{Args, details};
use crate::billing::{Estimate, Meter, SpeechSource};
use crate::catalog::{Currency, Region};
use crate::report::number::{count, counted};

/// The estimates of all models.
pub(super) struct Verdict<'g> {
    groups: &'g [Group],
    pub(super) models: Vec<Row<'g>>,
    region: Region,
    unreadable: u64,
    /// Whether the usual share is assumed although recordings could be measured, or earlier results taken.
    pub(super) narrows: bool,
}

impl<'g> Verdict<'g> {
    pub(super) fn new(
        groups: &'g [Group],
        (models, region): (&'g [String], Region),
        free: impl Fn(&String) -> i64,
        (unreadable, advises): (u64, bool),
    ) -> Self {
        let of = |model: &'g String| {
            let own: Vec<&Group> = groups.iter().filter(|group| group.model == *model).collect();
            Row::new(model, None, &own, free(model))
        };
        let models: Vec<Row<'g>> = models.iter().map(of).collect();
        let mut lines = groups.iter().flat_map(Group::lines);
        let narrows = advises && lines.any(|line| line.source == Some(SpeechSource::Usual));
        Self { groups, models, region, unreadable, narrows }
    }

    /// All groups of the first model, which is the one asked for.
    pub(super) fn first(&self) -> Option<&Row<'g>> {
        self.models.first()
    }

    pub(super) fn print(&self, args: &Args, format: Format, console: &Console) -> Result<(), Failure> {
        let people = matches!(format, Format::Table | Format::Md);
        match format {
            Format::Json => console.data(json_of(&self.document(args))?.as_bytes())?,
            Format::Csv | Format::Jsonl if args.details => details::rows(self.groups, false).print(format, console)?,
            Format::Csv | Format::Jsonl => self.rows().print(format, console)?,
            Format::Table | Format::Md => console.data(self.text(args, format, console).as_bytes())?,
        };
        if !people {
            for row in &self.models {
                let [low, expected, high, most] = row.amounts().map(|amount| row.money(amount));
                let (model, region, free) = (row.model, self.region, self.free(row));
                console.note(&format!(
                    "{model} in {region}: low {low}, expected {expected}, high {high}, at most {most}{free}"
                ));
            }
            self.notes().iter().for_each(|note| console.note(note));
        }
        let Some(row) = self.models.first() else { return Ok(()) };
        if args.vad {
            self.measured(row, console);
        }
        console.note(&format!(
            "{} found: {} priced, {} without a price, {} without a duration",
            counted(row.recordings, "file"),
            count_of(row.priced),
            count_of(row.without_price),
            count_of(row.without_duration),
        ));
        Ok(())
    }

    fn free(&self, row: &Row<'_>) -> &'static str {
        if row.sum.free.most.is_zero() { "" } else { " after the free allowance" }
    }

    /// The verdict for people: of one sum its figures, of several a table; what they are based on; the rows behind them.
    fn text(&self, args: &Args, format: Format, console: &Console) -> String {
        let is_markdown = format == Format::Md;
        let print = |listing: Listing| if is_markdown { listing.markdown() } else { listing.table(console) };
        let table = match &self.models[..] {
            [row] if args.group_by.is_empty() => self.figures(row),
            _ => self.table(),
        };
        let note = |note: &String| if is_markdown { format!("- {note}\n") } else { console.prose(note) };
        let notes: String = self.notes().iter().map(note).collect();
        let mut text = format!("{}\n{notes}", print(table));
        if args.details {
            text += &format!("\n{}", print(details::rows(self.groups, true)));
        }
        text
    }

    fn figures(&self, row: &Row<'_>) -> Listing {
        let [low, expected, high, most] = row.amounts().map(|amount| row.money(amount));
        let figures = [
            ("recordings", count_of(row.recordings)),
            ("length", row.length()),
            ("charges", count_of(row.charges)),
            ("low", low),
            ("expected", expected),
            ("high", high),
            ("at most", most),
            ("per hour", row.money(row.per_hour())),
            ("per call", row.money(row.per_call())),
        ];
        let rows = figures.map(|(name, figure)| vec![json!(name), json!(figure)]).into();
        Listing {
            head: vec!["estimate", if row.sum.free.most.is_zero() { "" } else { "after the free allowance" }],
            rows,
        }
    }

    /// One row per model and group, and one for all groups of a model; what a narrow terminal has room for comes first.
    fn table(&self) -> Listing {
        let is_grouped = self.groups.iter().any(|group| !group.columns.is_empty());
        let has_models = self.models.len() > 1 || !is_grouped;
        let mut head = Vec::new();
        head.extend(is_grouped.then_some("group"));
        head.extend(has_models.then_some("model"));
        head.extend(["low", "expected", "high", "at most", "recordings", "length", "charges", "per hour", "per call"]);
        let cells = |row: &Row<'_>, group: String| {
            let mut cells = Vec::new();
            cells.extend(is_grouped.then_some(json!(group)));
            cells.extend(has_models.then(|| json!(row.model)));
            cells.extend(row.amounts().map(|amount| json!(row.money(amount))));
            cells.extend([count_of(row.recordings), row.length(), count_of(row.charges)].map(|figure| json!(figure)));
            cells.extend([row.per_hour(), row.per_call()].map(|rate| json!(row.money(rate))));
            cells
        };
        let mut rows = Vec::new();
        for all in &self.models {
            let own: Vec<Row<'_>> = self.groups_of(all.model).collect();
            match &own[..] {
                [one] => rows.push(cells(all, one.cells())),
                _ => {
                    rows.extend(own.iter().map(|row| cells(row, row.cells())));
                    rows.push(cells(all, "all".to_owned()));
                }
            }
        }
        Listing { head, rows }
    }

    fn groups_of(&self, model: &str) -> impl Iterator<Item = Row<'g>> {
        let own = self.groups.iter().filter(move |group| group.model == model);
        own.map(|group| Row::new(&group.model, Some(group), &[group], 0))
    }

    /// One row per model and group, for machines.
    fn rows(&self) -> Listing {
        let head = vec![
            "group",
            "model",
            "files",
            "lines_without_cost",
            "currency",
            "low",
            "expected",
            "high",
            "most",
            "duration_ms",
            "charges",
            "unknown_length",
            "unknown_expected",
            "per_hour",
            "per_call",
        ];
        let cells = |row: Row<'_>| {
            let mut cells = vec![
                json!(row.cells()),
                json!(row.model),
                json!(row.recordings),
                json!(row.sum.without_price + row.sum.without_duration),
                code(row.sum.currency),
            ];
            cells.extend(row.amounts().map(exact));
            cells.extend([json!(row.duration_ms), json!(row.charges), json!(row.without_duration)]);
            cells.extend([row.unknown.1, row.per_hour(), row.per_call()].map(exact));
            cells
        };
        let rows = self.models.iter().flat_map(|all| self.groups_of(all.model)).map(cells);
        Listing { head, rows: rows.collect() }
    }

    pub(super) fn lines(&self, model: &str) -> impl Iterator<Item = &Estimate> {
        self.groups.iter().filter(move |group| group.model == model).flat_map(Group::lines)
    }

    /// Notes how many tracks were measured.
    fn measured(&self, row: &Row<'_>, console: &Console) {
        let lines: Vec<&Estimate> = self.lines(row.model).filter(|line| line.meter == Meter::Speech).collect();
        let model = row.model;
        if lines.is_empty() {
            console.note(&format!("{model} is billed in tokens for the whole length; measured speech does not matter"));
        } else if lines.iter().all(|line| line.source == Some(SpeechSource::Length)) {
            console.note(&format!("{model} is billed by the length of the audio; measured speech does not matter"));
        } else {
            let measured = lines.iter().filter(|line| line.source == Some(SpeechSource::Measured)).count() as u64;
            let tracks = counted(lines.len() as u64, "track");
            console.note(&format!("speech measured in {} of {tracks}", count_of(measured)));
        }
    }

    fn document<'d>(&'d self, args: &Args) -> Document<'d> {
        let project = |row: Row<'d>| {
            let columns = row.group.iter().flat_map(|group| &group.columns);
            let breakdown = row.group.filter(|_| args.details).map(details::breakdown);
            Project {
                sums: self.sums(&row),
                group: Object(columns.map(|(name, cell)| (&**name, &**cell)).collect()),
                breakdown,
            }
        };
        let law = |row: &Row<'_>| {
            let (mut law, is_by_law) = self.law(row.model);
            law.extend(is_by_law.then(|| self.percentiles()));
            law
        };
        let total = |row: &'d Row<'_>| AllOfModel {
            law: law(row),
            sums: self.sums(row),
            free_allowance: Range::of_cost(row.sum.cost.map(|_| row.sum.free)),
            to_pay: Range::of_cost(row.sum.net()),
        };
        let currencies: Vec<Option<Currency>> = self.models.iter().map(|row| row.sum.currency).collect();
        let one =
            currencies.first().copied().flatten().filter(|one| currencies.iter().all(|other| *other == Some(*one)));
        let files = |of: fn(&Row<'_>) -> u64| self.models.first().map_or(0, of);
        Document {
            version: VERSION,
            kind: "estimate",
            currency: code(one),
            totals: self.models.iter().map(total).collect(),
            projects: self.models.iter().flat_map(|all| self.groups_of(all.model)).map(project).collect(),
            law: self.models.first().map(law),
            summary: Summary {
                detected: files(|row| row.recordings),
                supported: files(|row| row.priced),
                no_price: files(|row| row.without_price),
                no_duration: files(|row| row.without_duration),
                unreadable: self.unreadable,
                not_billed: None,
            },
        }
    }

    /// The sums of a row.
    fn sums<'r>(&self, row: &Row<'r>) -> Sums<'r> {
        let (addresses, [_, two]) = &row.addresses;
        Sums {
            model: row.model,
            region: self.region.name(),
            currency: code(row.sum.currency),
            recordings: row.recordings,
            duration_ms: row.duration_ms,
            charges: row.charges,
            cost: Range::of_cost(row.sum.cost),
            most: exact(row.sum.cost.map(|cost| cost.most)),
            per_hour: exact(row.per_hour()),
            per_call: exact(row.per_call()),
            unknown_length: UnknownLength { recordings: row.without_duration, expected: exact(row.unknown.1) },
            one_track_assumed: OneTrackAssumed {
                recordings: *addresses,
                two_tracks: Range::of_cost(*two),
                two_tracks_most: exact(two.map(|two| two.most)),
            },
        }
    }
}

/// The document of an estimate.
#[derive(serde::Serialize)]
struct Document<'d> {
    version: u32,
    kind: &'static str,
    currency: Value,
    totals: Vec<AllOfModel<'d>>,
    projects: Vec<Project<'d>>,
    law: Option<Vec<String>>,
    summary: Summary,
}

#[derive(serde::Serialize)]
struct AllOfModel<'d> {
    #[serde(flatten)]
    sums: Sums<'d>,
    free_allowance: Range,
    to_pay: Range,
    law: Vec<String>,
}

#[derive(serde::Serialize)]
struct Project<'d> {
    #[serde(flatten)]
    sums: Sums<'d>,
    group: Object<'d, &'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    breakdown: Option<Vec<details::File<'d>>>,
}

#[derive(serde::Serialize)]
struct Sums<'d> {
    model: &'d str,
    region: &'static str,
    currency: Value,
    recordings: u64,
    duration_ms: i64,
    charges: u64,
    cost: Range,
    most: Value,
    per_hour: Value,
    per_call: Value,
    unknown_length: UnknownLength,
    one_track_assumed: OneTrackAssumed,
}

#[derive(serde::Serialize)]
struct UnknownLength {
    recordings: u64,
    expected: Value,
}

#[derive(serde::Serialize)]
struct OneTrackAssumed {
    recordings: u64,
    two_tracks: Range,
    two_tracks_most: Value,
}

/// A count for people.
fn count_of(number: u64) -> String {
    count(i64::try_from(number).unwrap_or(i64::MAX))
}
