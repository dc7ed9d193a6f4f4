//! What is valid in a rule file but can hardly be meant.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use unicode_normalization::UnicodeNormalization;

use super::condition::{Bound, Condition, Metric, Search, Speaker, Test};
use super::expression::Part;
use super::window::Window;
use super::{Rule, Rules};
use crate::text::Markers;

/// Steps of evaluation after which it is no longer tried whether a rule can match, and whether the rules of a file can.
const MOST_STEPS: usize = 1 << 20;
const MOST_STEPS_OF_FILE: usize = 1 << 23;

/// With more conditions they are not compared with each other.
const MOST_COMPARED: usize = 64;

impl Rules {
    /// What is valid but can hardly be meant, one clause each with the rule it is about: phrases that are searched with
    /// less than was given or are given twice, conditions that no call can meet, conditions without use, duplicates.
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
        let mut known: HashMap<usize, &str> = HashMap::new();
        let (mut forms, mut steps, mut untried) = (Forms::default(), MOST_STEPS_OF_FILE, Vec::new());
        for rule in &self.list {
            let mut warn = |what: String| warnings.push(format!("rule {}: {what}", rule.id));
            let never = rule.never(self);
            for (condition, never) in rule.conditions.iter().zip(&never) {
                let name = &condition.name;
                if let Some(why) = never {
                    warn(format!("`{name}` can never hold: {why}"));
                }
                let Some(search) = condition.test.search() else { continue };
                for repeat in &search.repeats {
                    warn(format!("`{repeat}` of `{name}` is the same as a phrase before it"));
                }
                for &term in &search.terms {
                    if let Some((text, what)) = self.doubt(term, &dulled, never.is_some()) {
                        warn(format!("`{text}` of `{name}` {what}"));
                    }
                }
            }
            for index in rule.unused() {
                if let Some(condition) = rule.conditions.get(index) {
                    warn(format!("`{}` is not used in `when`", condition.name));
                }
            }
            let meanings = rule.meanings(self, &mut forms);
            let mut own = steps.min(MOST_STEPS);
            let before = own;
            match rule.can_match(&meanings, &never, &rule.conflicts(self), &mut own) {
                Some(true) => {}
                Some(false) => warn("no call can match: `when` is never true".to_owned()),
                None => untried.push(&*rule.id),
            }
            steps -= before - own;
            let form = rule.form(&meanings, &mut forms);
            if let Some(other) = known.get(&form) {
                warn(format!("the same as rule {other}"));
            }
            known.entry(form).or_insert(&rule.id);
        }
        if let Some(first) = untried.first() {
            let others = untried.len() - 1;
            let more = if others > 0 { format!(" and {others} more") } else { String::new() };
            warnings
                .push(format!("rule {first}{more}: whether a call can match was not found out: too many conditions"));
        }
        warnings
    }

    /// A phrase, and what can hardly be meant about it.
    fn doubt<'r>(
        &'r self,
        term: usize,
        dulled: &HashMap<&str, &str>,
        is_dead_anyway: bool,
    ) -> Option<(&'r str, String)> {
        let text = self.phrases.terms().get(term)?;
        if self.phrases.searched().get(term).is_some_and(|searched| searched.is_dead) && !is_dead_anyway {
            let line = self.phrases.lines().get(term)?;
            return Some((line, "can never be hit: its exclusion leaves out every hit".to_owned()));
        }
        if text.starts_with('/') {
            let normal: String = text.nfkc().collect();
            return (normal != *text).then(|| (&**text, format!("is matched against NFKC text: write `{normal}`")));
        }
        if matches!(Markers::Drop.shown(Cow::Borrowed(text)), Cow::Owned(_)) {
            return Some((text, "holds a marker, which is no part of the text unless markers are kept".to_owned()));
        }
        let searched = dulled.get(&**text)?;
        Some((text, format!("is searched as `{searched}`: punctuation at its ends plays no role")))
    }
}

/// Numbers of forms: what is written differently but asks the same has one number.
#[derive(Default)]
struct Forms(HashMap<String, usize>);

impl Forms {
    fn number(&mut self, form: String) -> usize {
        let next = self.0.len();
        *self.0.entry(form).or_insert(next)
    }
}

/// What a condition asks: the number of its form, and whether it asks the opposite.
#[derive(Debug, Clone, Copy, Default)]
struct Meaning {
    form: usize,
    is_opposite: bool,
}

impl Test {
    fn search(&self) -> Option<&Search> {
        match self {
            Self::Phrases(search) | Self::Absent(search) | Self::Repeated(search, _) => Some(search),
            Self::Metric(_) | Self::Near(_) => None,
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
        let is_dead = |term: usize| rules.phrases.searched().get(term).is_some_and(|searched| searched.is_dead);
        let dead: Vec<&str> = self
            .terms
            .iter()
            .filter(|term| is_dead(**term))
            .filter_map(|&term| rules.phrases.lines().get(term))
            .map(|line| &**line)
            .collect();
        (all - dead.len() < self.least)
            .then(|| format!("the exclusion of `{}` leaves out every hit", dead.join("`, `")))
    }

    /// What is searched, by the first keywords of the file that are the same.
    fn keywords(&self, rules: &Rules) -> BTreeSet<usize> {
        let searched = rules.phrases.searched();
        self.terms.iter().filter_map(|&term| searched.get(term)).map(|searched| searched.keyword).collect()
    }

    /// Whether a hit of these phrases, by these speakers and in this window, is one of `other` too, and enough for it.
    fn suffices_for(&self, other: &Self, rules: &Rules) -> bool {
        other.least == 1
            && other.times == 1
            && (other.speaker == Speaker::Anybody || other.speaker == self.speaker)
            && (other.window == Window::Whole || other.window == self.window)
            && self.keywords(rules).is_subset(&other.keywords(rules))
    }
}

impl Metric {
    /// Whether no number is within the bounds.
    fn is_empty(bounds: &[(Bound, f64)]) -> bool {
        let lower = bounds.iter().filter(|(bound, _)| bound.is_lower());
        let clashes = |one: Bound, low: f64| {
            let upper = bounds.iter().filter(|(bound, _)| !bound.is_lower());
            upper
                .into_iter()
                .any(|&(two, high)| low > high || (low == high && !(one.allows(low, low) && two.allows(low, low))))
        };
        lower.into_iter().any(|&(bound, number)| clashes(bound, number))
    }

    /// Whether no call can satisfy both. Where anybody's figure counts, two participants may satisfy one each.
    fn excludes(&self, other: &Self) -> bool {
        let is_one = match &self.speaker {
            Speaker::Anybody => self.given.starts_with("calls."),
            Speaker::Role(_) | Speaker::Label(_) => true,
            Speaker::RoleOrLabel(_) => false,
        };
        let both = || [&*self.bounds, &*other.bounds].concat();
        is_one && self.figure == other.figure && self.speaker == other.speaker && Self::is_empty(&both())
    }
}

impl Rule {
    /// Why no call can meet each condition.
    fn never(&self, rules: &Rules) -> Vec<Option<String>> {
        let mut never: Vec<Option<String>> = vec![None; self.conditions.len()];
        for &index in &self.order {
            let Some(condition) = self.conditions.get(index) else { continue };
            let why = match &condition.test {
                Test::Phrases(search) | Test::Repeated(search, _) => search.never(rules),
                Test::Absent(_) => None,
                Test::Metric(metric) => Metric::is_empty(&metric.bounds)
                    .then(|| format!("no number is within the bounds of `{}`", metric.given)),
                Test::Near(near) => {
                    near.pair.into_iter().find(|other| never.get(*other).is_some_and(Option::is_some)).map(|other| {
                        let name = self.conditions.get(other).map_or("", |condition| &condition.name);
                        format!("`{name}` never does")
                    })
                }
            };
            if let Some(place) = never.get_mut(index) {
                *place = why;
            }
        }
        never
    }

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

    /// What each condition asks, whatever its name, the order and the spelling of its phrases.
    fn meanings(&self, rules: &Rules, forms: &mut Forms) -> Vec<Meaning> {
        let mut meanings = vec![Meaning::default(); self.conditions.len()];
        for &index in &self.order {
            let Some(condition) = self.conditions.get(index) else { continue };
            let search = |search: &Search| {
                let Search { least, times, speaker, window, .. } = search;
                format!("{least} {times} {speaker:?} {window:?} {:?}", search.keywords(rules))
            };
            let form = match &condition.test {
                Test::Phrases(phrases) | Test::Absent(phrases) => search(phrases),
                Test::Repeated(phrases, within) => format!("{} {within:?}", search(phrases)),
                Test::Metric(Metric { figure, speaker, bounds, .. }) => format!("{figure} {speaker:?} {bounds:?}"),
                Test::Near(near) => {
                    let pair = near.pair.map(|other| meanings.get(other).map(|meaning| meaning.form));
                    format!("{pair:?} {} {:?}", near.within_ms, near.order)
                }
            };
            if let Some(place) = meanings.get_mut(index) {
                *place = Meaning { form: forms.number(form), is_opposite: matches!(condition.test, Test::Absent(_)) };
            }
        }
        meanings
    }

    /// The number of what the rule asks, without ids and names.
    fn form(&self, meanings: &[Meaning], forms: &mut Forms) -> usize {
        // Parts become numbers before they are joined, so that no text grows.
        let mut both = |operator: &str, one: Meaning, two: Meaning| {
            let sides = BTreeSet::from([one, two].map(|side| (side.form, side.is_opposite)));
            Meaning { form: forms.number(format!("{operator} {sides:?}")), is_opposite: false }
        };
        let whole = self.when.fold(
            |index| meanings.get(index).copied().unwrap_or_default(),
            |part| match part {
                Part::Not(one) => Meaning { is_opposite: !one.is_opposite, ..one },
                Part::And(one, two) => both("and", one, two),
                Part::Or(one, two) => both("or", one, two),
            },
        );
        forms.number(format!("{whole:?}"))
    }

    /// Pairs of conditions and values that no call has together: figures that exclude each other, phrases of which one
    /// follows from another, and `near` without one of its pair.
    fn conflicts(&self, rules: &Rules) -> Vec<[(usize, bool); 2]> {
        let mut conflicts = Vec::new();
        for (at, Condition { test, .. }) in self.conditions.iter().enumerate() {
            if let Test::Near(near) = test {
                conflicts.extend(near.pair.map(|other| [(at, true), (other, false)]));
            }
        }
        if self.conditions.len() > MOST_COMPARED {
            return conflicts;
        }
        for (at, Condition { test: one, .. }) in self.conditions.iter().enumerate() {
            // Whether the condition is true when the phrases are said.
            let said = one.search().map(|search| (search, !matches!(one, Test::Absent(_))));
            for (other, Condition { test: two, .. }) in
                self.conditions.iter().enumerate().filter(|(other, _)| *other != at)
            {
                match (one, two, said) {
                    (Test::Metric(one), Test::Metric(two), _) if one.excludes(two) => {
                        conflicts.push([(at, true), (other, true)]);
                    }
                    (_, Test::Phrases(search) | Test::Absent(search), Some((own, is_said)))
                        if own.suffices_for(search, rules) =>
                    {
                        conflicts.push([(at, is_said), (other, matches!(two, Test::Absent(_)))]);
                    }
                    _ => {}
                }
            }
        }
        conflicts
    }

    /// Whether `when` is true for some values of its conditions: those that can never hold are false, and an absence is the
    /// opposite of the same phrases. `None` when `steps` run out.
    fn can_match(
        &self,
        meanings: &[Meaning],
        never: &[Option<String>],
        conflicts: &[[(usize, bool); 2]],
        steps: &mut usize,
    ) -> Option<bool> {
        let mut facts: HashMap<usize, usize> = HashMap::new();
        for named in &self.when.names {
            let next = facts.len();
            facts.extend(
                meanings
                    .get(named.condition)
                    .filter(|meaning| !facts.contains_key(&meaning.form))
                    .map(|meaning| (meaning.form, next)),
            );
        }
        // Values of the first facts; those of the others are open.
        let mut tried: Vec<bool> = Vec::new();
        loop {
            *steps = steps.checked_sub(self.when.len() + conflicts.len())?;
            let value = |index: usize| {
                if never.get(index).is_some_and(Option::is_some) {
                    return Some(false);
                }
                let meaning = meanings.get(index)?;
                Some(*tried.get(*facts.get(&meaning.form)?)? != meaning.is_opposite)
            };
            let is_impossible = conflicts.iter().any(|pair| pair.iter().all(|&(index, of)| value(index) == Some(of)));
            match self.when.value(value) {
                Some(true) if !is_impossible => return Some(true),
                None if !is_impossible && tried.len() < facts.len() => tried.push(true),
                _ => loop {
                    // The next values in order.
                    match tried.pop() {
                        Some(true) => break tried.push(false),
                        Some(false) => {}
                        None => return Some(false),
                    }
                },
            }
        }
    }
}
