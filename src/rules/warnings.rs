//! What is valid in a rule file but can hardly be meant.

use std::collections::HashMap;

use super::condition::{Bound, Condition, Metric, Search, Test};
use super::{Rule, Rules};

/// With more conditions, whether an expression can be true is not tried out.
const MOST_CONDITIONS: usize = 12;

/// The same for names × values.
const MOST_STEPS: usize = 1 << 20;

impl Rules {
    /// What is valid but can hardly be meant, one clause each with the rule it is about: phrases that are searched with
    /// less than was given, conditions that no call can meet, conditions without use, duplicates.
    ///
    /// ```
    /// use talkmeter::rules::Rules;
    /// let rules = Rules::parse(r#"
    ///     [[rule]]
    ///     id = "a"
    ///     when = "b and not b"
    ///     [rule.conditions.b]
    ///     phrases = ["hello"]
    /// "#).unwrap();
    /// assert_eq!(rules.warnings(), ["rule a: no call can match: `when` is never true"]);
    /// ```
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let dulled: HashMap<&str, &str> = self.phrases.dulled().collect();
        let mut known: HashMap<String, &str> = HashMap::new();
        for rule in &self.list {
            let mut warn = |what: String| warnings.push(format!("rule {}: {what}", rule.id));
            for condition in &rule.conditions {
                let name = &condition.name;
                for term in condition.phrases().filter_map(|term| self.phrases.terms().get(term)) {
                    if let Some(searched) = dulled.get(&**term) {
                        warn(format!(
                            "`{term}` of `{name}` is searched as `{searched}`: punctuation at its ends plays no role"
                        ));
                    }
                }
                if let Some(why) = condition.test.never(self) {
                    warn(format!("`{name}` can never hold: {why}"));
                }
            }
            for index in rule.unused() {
                if let Some(condition) = rule.conditions.get(index) {
                    warn(format!("`{}` is not used in `when`", condition.name));
                }
            }
            if rule.is_never_true(self) {
                warn("no call can match: `when` is never true".to_owned());
            }
            let form = rule.form();
            if let Some(other) = known.get(&form) {
                warn(format!("the same as rule {other}"));
            }
            known.entry(form).or_insert(&rule.id);
        }
        warnings
    }
}

impl Condition {
    /// Indices of its phrases.
    fn phrases(&self) -> impl Iterator<Item = usize> {
        let search = match &self.test {
            Test::Phrases(search) | Test::Absent(search) | Test::Repeated(search, _) => Some(search),
            Test::Metric(_) | Test::Near(_) => None,
        };
        search.into_iter().flat_map(|search| search.terms.iter().copied())
    }
}

impl Test {
    /// Why no call can meet the condition.
    fn never(&self, rules: &Rules) -> Option<String> {
        match self {
            Self::Phrases(search) | Self::Repeated(search, _) => search.never(rules),
            Self::Absent(_) | Self::Near(_) => None,
            Self::Metric(metric) => {
                metric.is_empty().then(|| format!("no number is within the bounds of `{}`", metric.given))
            }
        }
    }
}

impl Search {
    fn never(&self, rules: &Rules) -> Option<String> {
        let all = self.terms.len();
        if self.window.is_empty() {
            return Some("its window is empty".to_owned());
        }
        if self.least > all {
            return Some(format!("it wants {} different phrases and has {all}", self.least));
        }
        let dead: Vec<&str> = self
            .terms
            .iter()
            .filter_map(|&term| rules.phrases.lines().get(term))
            .filter(|line| is_dead(line))
            .map(|line| &**line)
            .collect();
        (all - dead.len() < self.least)
            .then(|| format!("the exclusion of `{}` leaves out every hit", dead.join("`, `")))
    }
}

/// Whether an exclusion is part of the term itself, so that every hit lies inside it.
fn is_dead(line: &str) -> bool {
    let Some((term, exclusions)) = line.split_once(" ! ").filter(|_| !line.starts_with('/')) else { return false };
    let same = |exclusion: &str| exclusion.trim().to_lowercase() == term.trim().to_lowercase();
    exclusions.split(" ! ").any(same)
}

impl Metric {
    /// Whether no number is within the bounds.
    fn is_empty(&self) -> bool {
        let lower = self.bounds.iter().filter(|(bound, _)| bound.is_lower());
        let clashes = |one: Bound, low: f64| {
            let upper = self.bounds.iter().filter(|(bound, _)| !bound.is_lower());
            upper
                .into_iter()
                .any(|&(two, high)| low > high || (low == high && !(one.allows(low, low) && two.allows(low, low))))
        };
        lower.into_iter().any(|&(bound, number)| clashes(bound, number))
    }
}

impl Rule {
    /// Conditions that decide nothing: neither `when` nor a used `near` names them.
    fn unused(&self) -> Vec<usize> {
        let mut used = vec![false; self.conditions.len()];
        let mut open: Vec<usize> = self.when.names.iter().map(|named| named.condition).collect();
        while let Some(index) = open.pop() {
            let Some(known) = used.get_mut(index).filter(|known| !**known) else { continue };
            *known = true;
            if let Some(Test::Near(near)) = self.conditions.get(index).map(|condition| &condition.test) {
                open.extend(near.pair);
            }
        }
        used.into_iter().enumerate().filter(|(_, used)| !used).map(|(index, _)| index).collect()
    }

    /// Whether `when` is true for no values of its conditions: those that can never hold are false, and an absence is the
    /// opposite of the same phrases.
    fn is_never_true(&self, rules: &Rules) -> bool {
        let mut facts: Vec<String> = Vec::new();
        // For each condition: never true, or the number of its fact and whether it is the opposite.
        let mut meanings: Vec<Option<(usize, bool)>> = Vec::new();
        for condition in &self.conditions {
            if condition.test.never(rules).is_some() {
                meanings.push(None);
                continue;
            }
            let (form, opposite) = condition.test.form();
            let known = facts.iter().position(|known| *known == form).unwrap_or_else(|| {
                facts.push(form);
                facts.len() - 1
            });
            if facts.len() > MOST_CONDITIONS {
                return false;
            }
            meanings.push(Some((known, opposite)));
        }
        let count = facts.len();
        if self.when.names.len() << count > MOST_STEPS {
            return false;
        }
        (0..1_usize << count).all(|values| {
            let value = |index: usize| match meanings.get(index).copied().flatten() {
                Some((fact, opposite)) => Some((values >> fact & 1 == 1) != opposite),
                None => Some(false),
            };
            self.when.value(value) != Some(true)
        })
    }

    /// What the rule asks, without its id and name.
    fn form(&self) -> String {
        let conditions: Vec<String> =
            self.conditions.iter().map(|condition| format!("{}: {:?}", condition.name, condition.test)).collect();
        format!("{}\n{}", self.text, conditions.join("\n"))
    }
}

impl Test {
    /// What is asked, and whether it is the opposite.
    fn form(&self) -> (String, bool) {
        match self {
            Self::Phrases(search) => (format!("{search:?}"), false),
            Self::Absent(search) => (format!("{search:?}"), true),
            other => (format!("{other:?}"), false),
        }
    }
}
