//! The verdict of `cost reconcile`, for people and for machines.

use serde_json::{Value, json};

use super::super::Exit;
use super::super::document::json as json_of;
use super::super::output::{Console, Failure, Format, Listing};
use super::breakdown::exact;
use super::document::{self, Object};
use crate::billing::{Finding, Standing, Sums, Verdict};
use crate::report::number::{cents, count, counted, grouped};

/// How many of the differences are listed, the largest first.
const LARGEST: usize = 10;

/// Prints the rows and the verdict. A table and Markdown have the largest differences alone unless all rows are wanted.
pub(super) fn print(
    verdict: &Verdict,
    rows: &[Listing],
    details: bool,
    currency: Option<&str>,
    format: Format,
    console: &Console,
) -> Result<Exit, Failure> {
    let lines = lines(verdict, currency);
    match format {
        Format::Json => console.data(json_of(&document(verdict, rows))?.as_bytes()),
        Format::Csv | Format::Jsonl => {
            lines.iter().for_each(|line| console.note(line));
            if let ([_, tokens], Format::Csv) = (rows, format) {
                console.say(&format!(
                    "warning: {} in tokens have other columns and are not in the CSV: use --format jsonl",
                    counted(tokens.rows.len() as u64, "row")
                ));
            }
            let listed = if format == Format::Csv { rows.get(..1).unwrap_or_default() } else { rows };
            listed.iter().try_fold(Exit::Done, |_, rows| rows.print(format, console))
        }
        Format::Table | Format::Md => {
            let largest = [largest(verdict)];
            let listings = if details { rows } else { &largest };
            for listing in listings.iter().filter(|listing| !listing.rows.is_empty()).map(for_people) {
                listing.print(format, console)?;
                console.data(b"\n")?;
            }
            if !details && verdict.findings.len() > LARGEST {
                let more = count((verdict.findings.len() - LARGEST) as i64);
                console.data(format!("{more} more: --details prints all rows\n\n").as_bytes())?;
            }
            let prose = |line: &String| if format == Format::Md { format!("{line}\n") } else { console.prose(line) };
            console.data(lines.iter().map(prose).collect::<String>().as_bytes())
        }
    }
}

/// The columns of a listing with those first that a narrow terminal should have room for.
fn for_people(listing: &Listing) -> Listing {
    const FIRST: [&str; 8] = ["key", "verdict", "meter", "statement_s", "statement", "actual_s", "usage", "why"];
    let rank = |name: &str| FIRST.iter().position(|first| *first == name).unwrap_or(FIRST.len());
    let mut order: Vec<usize> = (0..listing.head.len()).collect();
    if rank(listing.head.first().copied().unwrap_or_default()) == 0 {
        order.sort_by_key(|at| listing.head.get(*at).map(|name| rank(name)));
    }
    let rows = listing.rows.iter().map(|row| order.iter().filter_map(|at| row.get(*at).cloned()).collect());
    Listing { head: order.iter().filter_map(|at| listing.head.get(*at).copied()).collect(), rows: rows.collect() }
}

/// What each source comes to, in money, seconds and tokens; how they compare; and what does not agree.
pub(super) fn lines(verdict: &Verdict, currency: Option<&str>) -> Vec<String> {
    let Verdict { statement, service, results, .. } = verdict;
    let sources = [("statement", statement.as_ref()), ("service", Some(service)), ("results", Some(results))];
    let sources: Vec<(&str, &Sums)> = sources.into_iter().filter_map(|(name, sums)| Some((name, sums?))).collect();
    let listed = |of: &dyn Fn(&Sums) -> Option<String>| -> Vec<String> {
        sources.iter().filter_map(|(name, sums)| Some(format!("{name} {}", of(sums)?))).collect()
    };
    let amounts = listed(&|sums| sums.cost.map(cents));
    let seconds = listed(&|sums| sums.seconds.map(count));
    let tokens = listed(&|sums| sums.tokens.map(count));
    let unit = currency.map_or_else(String::new, |currency| format!(" {currency}"));
    let parts = [(amounts, &*unit), (seconds, " s"), (tokens, " tokens")];
    let parts = parts.into_iter().filter(|(listed, _)| !listed.is_empty());
    let mut lines: Vec<String> = parts.map(|(listed, unit)| format!("{}{unit}", listed.join(", "))).collect();
    if let Some(percent) = verdict.percent() {
        let is_of_amounts = results.cost.or(service.cost).is_some();
        let what = match statement {
            // Its amounts are not compared.
            Some(Sums { cost: Some(_), tokens: None, .. }) if !is_of_amounts => "in seconds the statement",
            Some(Sums { cost: Some(_), .. }) if !is_of_amounts => "in tokens the statement",
            Some(_) => "the statement",
            None => "the service",
        };
        let than = if results.seconds.is_some() { "the results" } else { "the reported usage" };
        let side = if percent.is_sign_negative() { "below" } else { "above" };
        lines.push(match percent.is_zero() {
            true => format!("{what} equals {than}"),
            false => format!("{what} is {} % {side} {than}", grouped(percent.abs().normalize())),
        });
    }
    let shown = |number: u64| count(i64::try_from(number).unwrap_or(i64::MAX));
    let rule = verdict.rounding.filter(|rounding| rounding.of > 0).map_or_else(String::new, |rounding| {
        let (explains, of) = (shown(rounding.explains), shown(rounding.of));
        format!("; rounding `{}` explains {explains} of {of} exactly", rounding.rule.name())
    });
    let counts = [(verdict.differ, "differ"), (verdict.not_billed, "not billed"), (verdict.not_ours, "not ours")];
    let mut counts = counts.map(|(number, what)| format!("{} {what}", shown(number))).to_vec();
    if verdict.not_compared > 0 {
        counts.push(format!("{} not compared: no price in this currency", counted(verdict.not_compared, "amount")));
    }
    lines.push(format!("{}{rule}", counts.join(", ")));
    lines
}

/// The largest differences.
fn largest(verdict: &Verdict) -> Listing {
    let quantity = |sums: &Sums| json!(sums.seconds.or(sums.tokens));
    let head = vec!["largest differences", "verdict", "billed", "due", "why", "billed_cost", "due_cost"];
    let row = |finding: &Finding| {
        let Finding { key, standing, billed, results, why, .. } = finding;
        let costs = [exact(billed.cost), exact(results.cost)];
        let [billed_cost, due_cost] = costs;
        vec![json!(key), json!(standing.name()), quantity(billed), quantity(results), json!(why), billed_cost, due_cost]
    };
    Listing { head, rows: verdict.findings.iter().take(LARGEST).map(row).collect() }
}

/// The document of a reconciliation.
#[derive(serde::Serialize)]
struct Document<'v> {
    verdict: Figures,
    rounding: Option<Rule>,
    largest: Vec<Difference<'v>>,
    rows: Vec<Object<'v, &'v Value>>,
    not_ours: Vec<Difference<'v>>,
}

#[derive(serde::Serialize)]
struct Figures {
    agrees: bool,
    differ: u64,
    not_billed: u64,
    not_ours: u64,
    not_compared: u64,
    statement: Option<Quantities>,
    service: Quantities,
    results: Quantities,
    percent: Value,
}

#[derive(serde::Serialize)]
struct Rule {
    rule: &'static str,
    explains: u64,
    of: u64,
}

#[derive(serde::Serialize)]
struct Quantities {
    seconds: Option<i64>,
    /// Only where a model is billed in tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens: Option<Value>,
    cost: Value,
}

#[derive(serde::Serialize)]
struct Difference<'v> {
    key: &'v str,
    verdict: &'static str,
    billed: Quantities,
    results: Quantities,
    why: &'v str,
}

fn document<'v>(verdict: &'v Verdict, rows: &'v [Listing]) -> Document<'v> {
    let has_tokens = verdict.rounding.is_none() || verdict.service.tokens.is_some();
    let quantities = |sums: &Sums| Quantities {
        seconds: sums.seconds,
        tokens: has_tokens.then(|| json!(sums.tokens)),
        cost: exact(sums.cost),
    };
    let difference = |finding: &'v Finding| Difference {
        key: &finding.key,
        verdict: finding.standing.name(),
        billed: quantities(&finding.billed),
        results: quantities(&finding.results),
        why: &finding.why,
    };
    let foreign = verdict.findings.iter().filter(|finding| finding.standing == Standing::NotOurs);
    Document {
        verdict: Figures {
            agrees: verdict.agrees(),
            differ: verdict.differ,
            not_billed: verdict.not_billed,
            not_ours: verdict.not_ours,
            not_compared: verdict.not_compared,
            statement: verdict.statement.as_ref().map(quantities),
            service: quantities(&verdict.service),
            results: quantities(&verdict.results),
            percent: exact(verdict.percent()),
        },
        rounding: verdict.rounding.map(|rounding| Rule {
            rule: rounding.rule.name(),
            explains: rounding.explains,
            of: rounding.of,
        }),
        largest: verdict.findings.iter().take(LARGEST).map(difference).collect(),
        rows: document::rows(rows),
        not_ours: foreign.map(difference).collect(),
    }
}
