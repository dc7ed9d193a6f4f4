//! The verdict of `cost reconcile`, for people and for machines.

use serde_json::{Map, Value, json};

use super::super::Exit;
use super::super::output::{Console, Failure, Format, Listing};
use super::breakdown::exact;
use crate::billing::{Finding, Sums, Verdict};
use crate::catalog::Currency;
use crate::report::number::{cents, count};

/// How many of the differences are listed, the largest first.
const LARGEST: usize = 10;

/// Prints the rows and the verdict. A table and Markdown have the largest differences alone unless all rows are wanted.
pub(super) fn print(
    verdict: &Verdict,
    rows: Listing,
    details: bool,
    currency: Option<Currency>,
    format: Format,
    console: &Console,
) -> Result<Exit, Failure> {
    let lines = lines(verdict, currency);
    match format {
        Format::Json => console.data(format!("{:#}\n", as_json(verdict, &rows)).as_bytes()),
        Format::Csv | Format::Jsonl => {
            lines.iter().for_each(|line| console.note(line));
            rows.print(format, console)
        }
        Format::Table | Format::Md => {
            let listing = if details { rows } else { largest(verdict) };
            if !listing.rows.is_empty() {
                listing.print(format, console)?;
                console.data(b"\n")?;
            }
            console.data((lines.join("\n") + "\n").as_bytes())
        }
    }
}

/// Two lines: what each source comes to, and what does not agree.
pub(super) fn lines(verdict: &Verdict, currency: Option<Currency>) -> Vec<String> {
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
    let quantities = if tokens.is_empty() { (seconds, " s") } else { (tokens, " tokens") };
    let parts = [(amounts, &*unit), (quantities.0, quantities.1)];
    let parts = parts.into_iter().filter(|(listed, _)| !listed.is_empty());
    let mut sums = parts.map(|(listed, unit)| format!("{}{unit}", listed.join(", "))).collect::<Vec<_>>().join("; ");
    if let Some(percent) = verdict.percent() {
        let what = if statement.is_some() { "the statement" } else { "the service" };
        let than = if results.seconds.is_some() { "the results" } else { "the reported usage" };
        let side = if percent.is_sign_negative() { "below" } else { "above" };
        sums += &match percent.is_zero() {
            true => format!("; {what} equals {than}"),
            false => format!("; {what} is {} % {side} {than}", percent.abs().normalize()),
        };
    }
    let shown = |number: u64| count(i64::try_from(number).unwrap_or(i64::MAX));
    let rule = verdict.rounding.filter(|rounding| rounding.of > 0).map_or_else(String::new, |rounding| {
        let (explains, of) = (shown(rounding.explains), shown(rounding.of));
        format!("; rounding `{}` explains {explains} of {of} exactly", rounding.rule.name())
    });
    let counts = [(verdict.differ, "differ"), (verdict.not_billed, "not billed"), (verdict.not_ours, "not ours")];
    let counts = counts.map(|(number, what)| format!("{} {what}", shown(number)));
    [sums, format!("{}{rule}", counts.join(", "))].into_iter().filter(|line| !line.is_empty()).collect()
}

/// The largest differences.
fn largest(verdict: &Verdict) -> Listing {
    let in_tokens = verdict.rounding.is_none();
    let quantity = |sums: &Sums| json!(if in_tokens { sums.tokens } else { sums.seconds });
    let head = vec!["largest differences", "verdict", "billed", "due", "billed_cost", "due_cost", "why"];
    let row = |finding: &Finding| {
        let Finding { key, standing, billed, results, why, .. } = finding;
        let costs = [exact(billed.cost), exact(results.cost)];
        let [billed_cost, due_cost] = costs;
        vec![json!(key), json!(standing.name()), quantity(billed), quantity(results), billed_cost, due_cost, json!(why)]
    };
    Listing { head, rows: verdict.findings.iter().take(LARGEST).map(row).collect() }
}

fn as_json(verdict: &Verdict, rows: &Listing) -> Value {
    let sums = |sums: &Sums| {
        let mut object = Map::new();
        object.insert("seconds".to_owned(), json!(sums.seconds));
        if verdict.rounding.is_none() {
            object.insert("tokens".to_owned(), json!(sums.tokens));
        }
        object.insert("cost".to_owned(), exact(sums.cost));
        Value::Object(object)
    };
    let finding = |finding: &Finding| {
        json!({
            "key": finding.key, "verdict": finding.standing.name(), "billed": sums(&finding.billed),
            "results": sums(&finding.results), "why": finding.why,
        })
    };
    let row = |row: &Vec<Value>| -> Value {
        rows.head.iter().zip(row).map(|(name, cell)| ((*name).to_owned(), cell.clone())).collect::<Map<_, _>>().into()
    };
    let foreign = verdict.findings.iter().filter(|finding| finding.standing.name() == "not_ours").map(finding);
    let rounding = verdict
        .rounding
        .map(|rounding| json!({"rule": rounding.rule.name(), "explains": rounding.explains, "of": rounding.of}));
    json!({
        "verdict": {
            "agrees": verdict.agrees(), "differ": verdict.differ, "not_billed": verdict.not_billed,
            "not_ours": verdict.not_ours, "statement": verdict.statement.as_ref().map(sums),
            "service": sums(&verdict.service), "results": sums(&verdict.results), "percent": exact(verdict.percent()),
        },
        "rounding": rounding,
        "largest": verdict.findings.iter().take(LARGEST).map(finding).collect::<Vec<_>>(),
        "rows": rows.rows.iter().map(row).collect::<Vec<_>>(),
        "not_ours": foreign.collect::<Vec<_>>(),
    })
}
