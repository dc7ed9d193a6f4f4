//! A budget that several runs draw on: limits by month and project, and what each run has spent and reserved, in one small
//! file.
//!
//! The file is JSON lines. People write its limits, `{"month": "2026-11", "project": "support", "limit": "50 USD"}`; without a
//! month a limit holds for each month anew, without a project for all of them together. Runs write below them what they have
//! spent and what they may still be billed for, one line per run and month. Each change replaces the file as a whole, under
//! an operating-system lock on a file beside it, so that a run that is killed leaves neither a torn file nor a lock; what it
//! had reserved stays reserved until the same batch is resumed.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::money::Money;
use super::statement::Period;
use crate::catalog::Currency;
use crate::disk;
use crate::error::{Error, Result};
use crate::named_file::{self, FileKind};

/// The month of a moment, in UTC: money counts in the month of its submit.
#[must_use]
pub fn month_of(at: Timestamp) -> Period {
    Period::Month(at.to_zoned_datetime(TimeZone::UTC).date().first_of_month())
}

/// A budget file, for one project or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetFile {
    path: PathBuf,
    project: Option<String>,
    currency: Currency,
}

/// What a run has spent in a month, and what it may still be billed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Drawn {
    pub(crate) spent: Decimal,
    pub(crate) reserved: Decimal,
}

impl Drawn {
    /// Both together; the largest decimal if they exceed that.
    fn total(&self) -> Decimal {
        self.spent.saturating_add(self.reserved)
    }
}

/// By month.
pub(crate) type DrawnByMonth = BTreeMap<Period, Drawn>;

/// A line of the file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[serde(skip_serializing_if = "Option::is_none")]
    month: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reserved: Option<String>,
}

/// A limit, as people write it.
#[derive(Debug, Clone)]
struct Limit {
    /// From 1.
    line: u64,
    /// `None` = each month anew.
    month: Option<Period>,
    /// `None` = all projects together.
    project: Option<String>,
    amount: Money,
}

/// What a run has drawn in one month.
#[derive(Debug, Clone)]
struct Draw {
    run: String,
    month: Period,
    project: Option<String>,
    drawn: Drawn,
}

/// The content of a file.
#[derive(Debug, Clone, Default)]
struct Content {
    /// Limits, comments and blank lines, as they are.
    kept: Vec<String>,
    limits: Vec<Limit>,
    draws: Vec<Draw>,
}

impl BudgetFile {
    /// Opens a file that exists, to draw on it for a project.
    ///
    /// # Errors
    /// It cannot be read, a line is neither a limit nor what a run has drawn, or it has no limit. Limits in two currencies.
    pub fn open(path: &Path, project: Option<&str>) -> Result<Self> {
        // A link is followed once, as the file is replaced.
        let path = std::fs::canonicalize(path).map_err(|error| Error::io("read", path, error))?;
        let content = Content::read(&path)?;
        let currency = content.currency(&path)?;
        Ok(Self { path, project: project.map(str::to_owned), currency })
    }

    /// The currency of its limits.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// Sets what a run has drawn, in place of what it had. If `more_in` names a month, only if its limits hold; else it is a
    /// fact. Returns why a limit does not hold, the file being as before.
    pub(crate) fn set(&self, run: &str, drawn: &DrawnByMonth, more_in: Option<Period>) -> Result<Option<String>> {
        self.change(|content| {
            content.draws.retain(|draw| draw.run != run);
            content.add(run, self.project.as_deref(), drawn);
            more_in.and_then(|month| self.exceeded(content, month))
        })
    }

    /// Why an amount exceeds a limit of the month alone; `None` = it does not.
    pub(crate) fn never_fits(&self, month: Period, amount: Decimal) -> Result<Option<String>> {
        let content = Content::read(&self.path)?;
        let limits = [self.project.as_deref(), None].map(|project| content.limit(month, project));
        let exceeded = limits.into_iter().flatten().find(|limit| amount > limit.amount.amount);
        Ok(exceeded.map(|Limit { project, amount: limit, .. }| {
            let of = project.as_ref().map_or_else(String::new, |project| format!(" of {project}"));
            let (amount, currency, name) = (amount.normalize(), limit.currency, self.path.display());
            format!(
                "may cost up to {amount} {currency} alone, more than the budget of {limit}{of} for {month} ({name}): not sent"
            )
        }))
    }

    /// Ends a run: what it has drawn is added to what another name has.
    #[cfg(feature = "cli")]
    pub(crate) fn fold(&self, run: &str, drawn: &DrawnByMonth, into: &str) -> Result<()> {
        let folded = self.change(|content| {
            content.draws.retain(|draw| draw.run != run);
            content.add(into, self.project.as_deref(), drawn);
            None
        });
        folded.map(drop)
    }

    /// Reads the file, changes it and writes it, unless the change says why not. Others wait meanwhile.
    fn change(&self, change: impl FnOnce(&mut Content) -> Option<String>) -> Result<Option<String>> {
        let mut name = OsString::from(self.path.as_os_str());
        name.push(".lock");
        let name = PathBuf::from(name);
        let lock = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&name);
        let lock = lock.map_err(|error| Error::io("open", &name, error))?;
        lock.lock().map_err(|error| Error::io("lock", &name, error))?;
        let changed = Content::read(&self.path).and_then(|mut content| {
            let currency = content.currency(&self.path)?;
            if currency != self.currency {
                let was = self.currency;
                return Err(Error::invalid(format!("{}: was in {was}, is in {currency}", self.path.display())));
            }
            let why = change(&mut content);
            if why.is_none() {
                disk::write(&self.path, content.text(currency)?.as_bytes())?;
            }
            Ok(why)
        });
        // Explicitly: a child process that is just being started shares the lock until its own program runs.
        let _ = lock.unlock();
        changed
    }

    /// Why the limits of a month do not hold; `None` = they do.
    fn exceeded(&self, content: &Content, month: Period) -> Option<String> {
        let name = self.path.display();
        let mut is_limited = false;
        for project in [self.project.as_deref(), None] {
            let Some(limit) = content.limit(month, project) else { continue };
            is_limited = true;
            let own = content.draws.iter().filter(|draw| draw.month == month);
            let own = own.filter(|draw| project.is_none() || draw.project.as_deref() == project);
            let sum = |of: fn(&Drawn) -> Decimal| {
                own.clone().fold(Decimal::ZERO, |sum, draw| sum.saturating_add(of(&draw.drawn)))
            };
            if sum(Drawn::total) > limit.amount.amount {
                let of = project.map_or_else(String::new, |project| format!(" of {project}"));
                return Some(format!(
                    "the budget of {}{of} for {month} is reached ({name}): {} spent, {} reserved with this submit",
                    limit.amount,
                    sum(|drawn| drawn.spent).normalize(),
                    sum(|drawn| drawn.reserved).normalize(),
                ));
            }
            if project.is_none() {
                break;
            }
        }
        let of = self.project.as_deref().map_or_else(String::new, |project| format!(" and {project}"));
        (!is_limited).then(|| format!("{name} has no limit for {month}{of}: nothing may be spent"))
    }
}

impl Content {
    fn read(path: &Path) -> Result<Self> {
        let bytes = named_file::read_bytes(path, FileKind::Budget).map_err(|error| Error::io("read", path, error))?;
        let wrong = |why: String| Error::invalid(format!("{}: {why}", path.display()));
        let text = std::str::from_utf8(&bytes).map_err(|_| wrong("not UTF-8".to_owned()))?;
        let mut content = Self::default();
        for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
            content.take(number, line).map_err(|why| wrong(format!("line {number}: {why}")))?;
        }
        Ok(content)
    }

    fn take(&mut self, number: u64, line: &str) -> std::result::Result<(), String> {
        if line.trim().is_empty() || line.trim().starts_with('#') {
            self.kept.push(line.to_owned());
            return Ok(());
        }
        let entry: Entry = serde_json::from_str(line).map_err(|error| {
            // Its line is always the first of one; the caller knows better.
            let text = error.to_string();
            let what = text.rsplit_once(" at line ").map_or(&*text, |(what, _)| what);
            format!("{what}; a limit is a line such as {{\"limit\": \"50 USD\"}}")
        })?;
        let money = |text: &str| text.parse::<Money>().map_err(|error| error.to_string());
        let month = entry.month.as_deref().map(|month| match Period::read(month) {
            Some(month @ Period::Month(_)) => Ok(month),
            _ => Err(format!("`{month}` is not a month such as 2026-11")),
        });
        let (month, project) = (month.transpose()?, entry.project.filter(|project| !project.is_empty()));
        match (entry.limit, entry.run, month) {
            (Some(limit), None, month) => {
                if let Some(first) = self.limits.iter().find(|first| first.month == month && first.project == project) {
                    return Err(format!(
                        "a second limit of the same month and project; the first is in line {}",
                        first.line
                    ));
                }
                self.kept.push(line.to_owned());
                self.limits.push(Limit { line: number, month, project, amount: money(&limit)? });
            }
            (None, Some(run), Some(month)) => {
                let amount = |text: Option<String>| {
                    text.map_or(Ok(Decimal::ZERO), |text| money(&text).map(|money| money.amount))
                };
                let drawn = Drawn { spent: amount(entry.spent)?, reserved: amount(entry.reserved)? };
                self.draws.push(Draw { run, month, project, drawn });
            }
            _ => return Err("neither a `limit` nor what a `run` has spent in a `month`".to_owned()),
        }
        Ok(())
    }

    /// The one currency of its limits.
    fn currency(&self, path: &Path) -> Result<Currency> {
        let wrong = |why: &str| Error::invalid(format!("{}: {why}", path.display()));
        let mut currencies = self.limits.iter().map(|limit| limit.amount.currency);
        let first = currencies.next().ok_or_else(|| wrong("no limit: write a line such as {\"limit\": \"50usd\"}"))?;
        if currencies.any(|other| other != first) {
            return Err(wrong("limits in two currencies, which are not added: use a file for each"));
        }
        Ok(first)
    }

    /// The limit of a month and a project: that of the month, else that of every month.
    fn limit(&self, month: Period, project: Option<&str>) -> Option<&Limit> {
        let of = |wanted: Option<Period>| {
            let own = |limit: &&Limit| limit.month == wanted && limit.project.as_deref() == project;
            self.limits.iter().find(own)
        };
        of(Some(month)).or_else(|| of(None))
    }

    /// Adds to what a run has drawn for a project.
    fn add(&mut self, run: &str, project: Option<&str>, drawn: &DrawnByMonth) {
        for (month, drawn) in drawn.iter().filter(|(_, drawn)| !drawn.total().is_zero()) {
            let is_own =
                |draw: &&mut Draw| draw.run == run && draw.month == *month && draw.project.as_deref() == project;
            match self.draws.iter_mut().find(is_own) {
                Some(draw) => {
                    draw.drawn.spent = draw.drawn.spent.saturating_add(drawn.spent);
                    draw.drawn.reserved = draw.drawn.reserved.saturating_add(drawn.reserved);
                }
                None => self.draws.push(Draw {
                    run: run.to_owned(),
                    month: *month,
                    project: project.map(str::to_owned),
                    drawn: *drawn,
                }),
            }
        }
    }

    fn text(&self, currency: Currency) -> Result<String> {
        let mut text: String = self.kept.iter().map(|line| format!("{line}\n")).collect();
        for Draw { run, month, project, drawn } in &self.draws {
            let money = |amount: Decimal| Some(Money { amount, currency }.to_string());
            let entry = Entry {
                month: Some(month.to_string()),
                project: project.clone(),
                limit: None,
                run: Some(run.clone()),
                spent: money(drawn.spent),
                reserved: money(drawn.reserved),
            };
            let line = serde_json::to_string(&entry).map_err(|error| Error::invalid(error.to_string()))?;
            text.push_str(&line);
            text.push('\n');
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn month(text: &str) -> Period {
        Period::read(text).unwrap()
    }

    fn drawn(month_of: &str, spent: &str, reserved: &str) -> DrawnByMonth {
        let drawn = Drawn { spent: spent.parse().unwrap(), reserved: reserved.parse().unwrap() };
        BTreeMap::from([(month(month_of), drawn)])
    }

    #[test]
    fn limits_hold_by_month_and_project_and_stay_as_they_are_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("budget.jsonl");
        let limits = "# ours\n{\"limit\": \"10usd\"}\n\n{\"month\": \"2026-12\", \"limit\": \"20 USD\"}\n\
                      { \"project\": \"support\", \"limit\": \"4 USD\" }\n";
        std::fs::write(&path, limits).unwrap();
        let (all, support) =
            (BudgetFile::open(&path, None).unwrap(), BudgetFile::open(&path, Some("support")).unwrap());
        let november = Some(month("2026-11"));
        assert_eq!(all.set("a", &drawn("2026-11", "3", "4"), november).unwrap(), None);
        // Of three and a half, which support has left, half a dollar is too much for all.
        assert_eq!(support.set("b", &drawn("2026-11", "0", "3"), november).unwrap(), None);
        let why = support.set("b", &drawn("2026-11", "0", "3.01"), november).unwrap().unwrap();
        assert!(why.contains("the budget of 10 USD for 2026-11 is reached"), "{why}");
        assert!(why.ends_with("3 spent, 7.01 reserved with this submit"), "{why}");
        // What was reserved is spent, and less than that.
        all.set("a", &drawn("2026-11", "5", "0"), None).unwrap();
        let why = support.set("b", &drawn("2026-11", "0", "4.5"), november).unwrap().unwrap();
        assert!(why.contains("the budget of 4 USD of support for 2026-11 is reached"), "{why}");
        // Alone, or only beside the others.
        let never = |amount: &str| support.never_fits(month("2026-11"), amount.parse().unwrap()).unwrap();
        assert_eq!(never("4"), None);
        let why = never("4.5").unwrap();
        assert!(why.contains("4.5 USD alone, more than the budget of 4 USD of support for 2026-11"), "{why}");
        // Another month has its own limit, and other projects that of all.
        assert_eq!(all.set("c", &drawn("2026-12", "0", "20"), Some(month("2026-12"))).unwrap(), None);
        assert_eq!(all.set("c", &drawn("2027-01", "0", "10"), Some(month("2027-01"))).unwrap(), None);
        all.fold("a", &drawn("2026-11", "5", "0"), "flash").unwrap();
        all.fold("x", &drawn("2026-11", "1", "0"), "flash").unwrap();
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            format!(
                "{limits}{}\n{}\n{}\n",
                r#"{"month":"2026-11","project":"support","run":"b","spent":"0 USD","reserved":"3 USD"}"#,
                r#"{"month":"2027-01","run":"c","spent":"0 USD","reserved":"10 USD"}"#,
                r#"{"month":"2026-11","run":"flash","spent":"6 USD","reserved":"0 USD"}"#,
            )
        );
        std::fs::write(&path, "{\"month\": \"2026-11\", \"project\": \"sales\", \"limit\": \"1usd\"}\n").unwrap();
        let why = all.set("a", &drawn("2026-11", "0", "1"), november).unwrap().unwrap();
        assert!(why.ends_with("budget.jsonl has no limit for 2026-11: nothing may be spent"), "{why}");
    }

    #[test]
    fn what_is_no_budget_is_refused_with_its_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("budget.jsonl");
        for (text, why) in [
            ("", "no limit: write a line such as"),
            ("{\"limit\": \"5\"}\n", "line 1: `5` is not an amount"),
            ("{\"limit\": \"5usd\"}\n{\"month\": \"2026-11\", \"limit\": \"5cny\"}\n", "limits in two currencies"),
            ("\n{\"limit\": \"5usd\", \"month\": \"2026\"}\n", "line 2: `2026` is not a month such as 2026-11"),
            ("{\"limit\": \"5usd\", \"team\": \"a\"}\n", "line 1: unknown field `team`"),
            ("{\"run\": \"a\", \"spent\": \"1 USD\"}\n", "line 1: neither a `limit` nor"),
            ("limit = 5\n", "line 1: expected value; a limit is a line such as {\"limit\": \"50 USD\"}"),
            ("{\"limit\": 50}\n", "line 1: invalid type: integer `50`, expected a string; a limit is"),
            (
                "{\"limit\": \"5usd\"}\n\n{\"limit\": \"6usd\"}\n",
                "line 3: a second limit of the same month and project; the first is in line 1",
            ),
            (
                "{\"limit\": \"5usd\", \"month\": \"202611\", \"project\": \"a\"}\n{\"limit\": \"6usd\", \"month\": \"2026-11\", \"project\": \"a\"}\n",
                "line 2: a second limit",
            ),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = BudgetFile::open(&path, None).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
        assert!(BudgetFile::open(&dir.path().join("none.jsonl"), None).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        /// However many runs reserve and settle, no more is ever drawn than the limit.
        #[test]
        fn runs_never_draw_more_than_the_limit(steps in prop::collection::vec((0_usize..4, 1_u32..40, any::<bool>()), 1..40)) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("budget.jsonl");
            std::fs::write(&path, "{\"limit\": \"1usd\"}\n").unwrap();
            let file = BudgetFile::open(&path, None).unwrap();
            let november = month("2026-11");
            let mut runs = [Drawn::default(); 4];
            for (run, cents, settles) in steps {
                let mut next = runs[run];
                let amount = Decimal::new(cents.into(), 2);
                if settles {
                    // At most what was reserved.
                    let spent = amount.min(next.reserved);
                    next = Drawn { spent: next.spent + spent, reserved: Decimal::ZERO };
                } else {
                    next.reserved += amount;
                }
                let more_in = (!settles).then_some(november);
                let refused = file.set(&run.to_string(), &BTreeMap::from([(november, next)]), more_in).unwrap();
                let others: Decimal = runs.iter().enumerate().filter(|(at, _)| *at != run).map(|(_, one)| one.total()).sum();
                prop_assert_eq!(refused.is_some(), !settles && others + next.total() > Decimal::ONE);
                if refused.is_none() {
                    runs[run] = next;
                }
                let content = Content::read(&path).unwrap();
                let all: Decimal = content.draws.iter().map(|draw| draw.drawn.total()).sum();
                prop_assert_eq!(all, runs.iter().map(Drawn::total).sum());
                prop_assert!(all <= Decimal::ONE);
            }
        }
    }
}
