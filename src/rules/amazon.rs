//! Categories of Amazon Transcribe Call Analytics as rules.
//!
//! Source: Amazon Transcribe API Reference, data types `CategoryProperties`, `Rule`, `TranscriptFilter`,
//! `NonTalkTimeFilter`, `InterruptionFilter` and `SentimentFilter`. A category matches when all its rules do.

use std::collections::HashSet;
use std::fmt::Write as _;

use serde::Deserialize;

use super::Rules;
use super::writing::quoted;

/// A rule file made of categories.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportedCategories {
    /// The rule file; what could not be carried over is in comments.
    pub text: String,
    /// The number of rules.
    pub rules: usize,
    /// What could not be carried over, one clause each, with the category.
    pub left_out: Vec<String>,
    /// What is read otherwise here than there, one clause each, with the category.
    pub different: Vec<String>,
}

/// `ListCallAnalyticsCategories`, `GetCallAnalyticsCategory`, or one category alone.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Answer {
    List {
        #[serde(rename = "Categories")]
        categories: Vec<Category>,
    },
    One {
        #[serde(rename = "CategoryProperties")]
        category: Category,
    },
    Bare(Category),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Category {
    category_name: String,
    rules: Vec<Filters>,
}

/// One of the filters.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filters {
    transcript_filter: Option<Filter>,
    non_talk_time_filter: Option<Filter>,
    interruption_filter: Option<Filter>,
    #[serde(flatten)]
    others: serde_json::Map<String, serde_json::Value>,
}

/// The fields of all filters; each has some.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Filter {
    targets: Vec<String>,
    threshold: Option<i64>,
    participant_role: Option<String>,
    negate: bool,
    absolute_time_range: Option<AbsoluteRange>,
    relative_time_range: Option<RelativeRange>,
}

/// In ms.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AbsoluteRange {
    start_time: Option<i64>,
    end_time: Option<i64>,
    first: Option<i64>,
    last: Option<i64>,
}

/// In percent.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RelativeRange {
    start_percentage: Option<i64>,
    end_percentage: Option<i64>,
    first: Option<i64>,
    last: Option<i64>,
}

/// What the documentation gives for a silence or an interruption without a threshold, in ms.
const THRESHOLD_MS: i64 = 3000;

/// Reads the JSON of the API: a list of categories, or one.
///
/// ```
/// let json = r#"{"Categories": [{"CategoryName": "cancel", "Rules": [
///     {"TranscriptFilter": {"TranscriptFilterType": "EXACT", "Targets": ["cancel"], "ParticipantRole": "CUSTOMER"}}]}]}"#;
/// let imported = talkmeter::rules::from_amazon_categories(json).unwrap();
/// assert!(talkmeter::rules::Rules::parse(&imported.text).is_ok() && imported.left_out.is_empty());
/// ```
///
/// # Errors
/// When the text is not that JSON, or holds no category.
pub fn from_amazon_categories(json: &str) -> Result<ImportedCategories, String> {
    let answer: Answer = serde_json::from_str(json).map_err(|_| {
        "not the JSON of call analytics categories: an object with Categories or CategoryProperties".to_owned()
    })?;
    let categories = match answer {
        Answer::List { categories } => categories,
        Answer::One { category } | Answer::Bare(category) => vec![category],
    };
    if categories.is_empty() {
        return Err("no category in the list".to_owned());
    }
    let mut imported =
        ImportedCategories { text: String::new(), rules: 0, left_out: Vec::new(), different: Vec::new() };
    let mut known = HashSet::new();
    for category in &categories {
        imported.add(category, &mut known);
    }
    Ok(imported)
}

impl ImportedCategories {
    /// `known` has the names of the rules so far.
    fn add<'c>(&mut self, category: &'c Category, known: &mut HashSet<&'c str>) {
        let name = &category.category_name;
        let mut names = Vec::new();
        let mut conditions = String::new();
        let mut comments = Vec::new();
        let mut has_range = false;
        for (number, filters) in category.rules.iter().enumerate() {
            let checked = filters.condition().and_then(|(kind, lines, comment)| {
                let condition = format!("{kind}_{}", number + 1);
                let lines = format!("\n[rule.conditions.{condition}]\n{lines}");
                check(name, &condition, &lines).map(|()| (condition, lines, comment))
            });
            match checked {
                Ok((condition, lines, comment)) => {
                    conditions += &lines;
                    names.push(condition);
                    comments.extend(comment);
                    has_range |= filters.transcript_filter.as_ref().is_some_and(Filter::has_range);
                }
                Err(why) => comments.push(why),
            }
        }
        if !names.is_empty() && known.contains(&**name) {
            comments.push("another category has this name".to_owned());
            names.clear();
        }
        for comment in &comments {
            self.left_out.push(format!("{name}: {comment}"));
            let comment = comment.replace(char::is_control, " ");
            let _ = writeln!(self.text, "# Left out: {comment}");
        }
        if names.is_empty() {
            let _ = writeln!(self.text, "# Nothing is left of the category {}\n", quoted(name));
            return;
        }
        if has_range {
            let what = "time ranges count from the first word, and not from the begin of the recording";
            self.different.push(format!("{name}: {what}"));
            let _ = writeln!(self.text, "# Different: {what}");
        }
        self.rules += 1;
        known.insert(name);
        let (id, when) = (quoted(name), names.join(" and "));
        let _ = writeln!(self.text, "[[rule]]\nid = {id}\nseverity = \"notice\"\nwhen = \"{when}\"\n{conditions}");
    }
}

/// Refuses a condition that a rule file could not hold.
fn check(rule: &str, condition: &str, lines: &str) -> Result<(), String> {
    let text = format!("[[rule]]\nid = {}\nwhen = \"{condition}\"\n{lines}", quoted(rule));
    let first = |faults: Vec<super::Fault>| faults.into_iter().next().map_or_else(String::new, |fault| fault.what);
    Rules::parse(&text).map(drop).map_err(first)
}

impl Filters {
    /// Kind and lines of the condition, and what is different about it.
    fn condition(&self) -> Result<(&'static str, String, Option<String>), String> {
        if let Some(filter) = &self.transcript_filter {
            let targets: Vec<String> = filter.targets.iter().map(|target| quoted(&phrase(target))).collect();
            if targets.is_empty() {
                return Err("TranscriptFilter without Targets".to_owned());
            }
            let key = if filter.negate { "absent" } else { "phrases" };
            let lines = format!("{key} = [{}]\n{}{}", targets.join(", "), filter.role(), filter.window()?);
            return Ok((if filter.negate { "not_said" } else { "said" }, lines, None));
        }
        if let Some(filter) = &self.non_talk_time_filter {
            let threshold = filter.threshold.unwrap_or(THRESHOLD_MS);
            filter.whole("NonTalkTimeFilter")?;
            let bound = if filter.negate { "below" } else { "at_least" };
            return Ok(("silence", format!("metric = \"calls.longest_silence_ms\"\n{bound} = {threshold}\n"), None));
        }
        if let Some(filter) = &self.interruption_filter {
            let threshold = filter.threshold.unwrap_or(THRESHOLD_MS);
            filter.whole("InterruptionFilter")?;
            let bound = if filter.negate { "below" } else { "at_least" };
            let role = filter.role();
            let table = if role.is_empty() { "calls" } else { "participants" };
            let lines = format!("metric = \"{table}.interruption_count\"\n{role}{bound} = 1\n");
            let comment = format!(
                "the threshold of {threshold} ms of InterruptionFilter: how long an interruption overlaps is a parameter of \
                 the figures, interruption_overlap_ms"
            );
            return Ok(("interruption", lines, Some(comment)));
        }
        let names: Vec<&str> = self.others.keys().map(String::as_str).collect();
        Err(match &names[..] {
            [] => "a rule without a filter".to_owned(),
            names => format!("{}, which has no counterpart", names.join(", ")),
        })
    }
}

impl Filter {
    fn role(&self) -> String {
        self.participant_role
            .as_ref()
            .map_or_else(String::new, |role| format!("role = {}\n", quoted(&role.to_lowercase())))
    }

    fn has_range(&self) -> bool {
        self.absolute_time_range.is_some() || self.relative_time_range.is_some()
    }

    /// The window of a condition on phrases.
    fn window(&self) -> Result<String, String> {
        let parts = match (&self.absolute_time_range, &self.relative_time_range) {
            (None, None) => return Ok(String::new()),
            (Some(_), Some(_)) => return Err("TranscriptFilter with two time ranges".to_owned()),
            (Some(range), None) => {
                [("first", range.first), ("last", range.last), ("from", range.start_time), ("to", range.end_time)]
                    .map(|(key, ms)| Some((key, ms?.to_string())))
            }
            (None, Some(range)) => {
                let shares = [
                    ("first", range.first),
                    ("last", range.last),
                    ("from", range.start_percentage),
                    ("to", range.end_percentage),
                ];
                shares.map(|(key, percent)| Some((key, format!("\"{}%\"", percent?))))
            }
        };
        Ok(parts
            .into_iter()
            .flatten()
            .fold(String::new(), |lines, (key, length)| lines + &format!("{key} = {length}\n")))
    }

    /// Refuses a time range, which figures do not have.
    fn whole(&self, filter: &str) -> Result<(), String> {
        if self.has_range() {
            return Err(format!("{filter} with a time range: a figure is of the whole call"));
        }
        Ok(())
    }
}

/// A target as a phrase: it must not be read as a regex or as an exclusion.
fn phrase(target: &str) -> String {
    let target = target.trim().trim_start_matches('/');
    target.replace(" ! ", " ")
}
