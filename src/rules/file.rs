//! Reads a rule file: TOML with places, so that every fault has its line and column.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::condition::{Bound, Condition, Metric, Near, Order, Search, Speaker, Test, Within};
use super::expression::{Expression, is_name};
use super::fault::{Fault, Lines};
use super::key::{self, Key, Kind};
use super::window::{Length, Window};
use super::{FigureKey, Rule, Rules, Severity};
use crate::metrics::catalogue::{CALLS, Kind as ColumnKind, PARTICIPANTS, RoleColumn, Table};
use crate::metrics::keywords::KeywordReader;

type Value<'t> = Spanned<DeValue<'t>>;

/// More faults are not listed.
const MOST_FAULTS: usize = 100;

/// Longest phrase in characters: an automaton takes memory for each.
const LONGEST_PHRASE: usize = 1_000;

pub(super) fn parse(text: &str) -> Result<Rules, Vec<Fault>> {
    let mut reader = Reader {
        text,
        lines: Lines::new(text),
        faults: Vec::new(),
        others: 0,
        first_other: None,
        rule: None,
        phrases: KeywordReader::default(),
        known_phrases: HashMap::new(),
        figures: Vec::new(),
        known_figures: HashMap::new(),
    };
    let list = match DeTable::parse(text) {
        Ok(document) => reader.document(document.get_ref()),
        Err(error) => {
            let message = error.message().lines().next().unwrap_or_default();
            reader.fault(error.span().map_or(0, |span| span.start), format!("not TOML: {message}"));
            Vec::new()
        }
    };
    if reader.faults.is_empty() && list.is_empty() {
        reader.fault(0, "no [[rule]] in the file".to_owned());
    }
    let Reader { phrases, figures, mut faults, others, first_other, .. } = reader;
    if faults.is_empty() {
        match phrases.finish() {
            Ok(phrases) => return Ok(Rules { list, phrases, figures }),
            Err(error) => faults.push(Fault { line: 1, column: 1, rule: None, what: error.to_string() }),
        }
    }
    faults.sort_by_key(|fault| (fault.line, fault.column));
    if let Some((line, column)) = first_other {
        let what = format!("{others} more fault{} from here on", if others == 1 { "" } else { "s" });
        faults.push(Fault { line, column, rule: None, what });
    }
    Err(faults)
}

struct Reader<'t> {
    text: &'t str,
    lines: Lines<'t>,
    faults: Vec<Fault>,
    /// How many are not listed, and where the first of them is.
    others: usize,
    first_other: Option<(usize, usize)>,
    /// The rule being read: its id, or its number.
    rule: Option<String>,
    phrases: KeywordReader,
    /// By their line, indices into `phrases`.
    known_phrases: HashMap<String, usize>,
    figures: Vec<FigureKey>,
    known_figures: HashMap<(&'static str, &'static str), usize>,
}

/// A table with the place of its header.
struct Section<'d, 't> {
    keys: &'d DeTable<'t>,
    header: usize,
}

impl<'d, 't> Section<'d, 't> {
    fn get(&self, name: &str) -> Option<&'d Value<'t>> {
        self.keys.get(name)
    }

    fn key(&self, name: &str) -> usize {
        self.keys.get_key_value(name).map_or(self.header, |(key, _)| key.span().start)
    }
}

/// A condition that was read as far as possible.
struct Draft<'d, 't> {
    name: String,
    /// The value of `near`.
    near: Option<&'d [Value<'t>]>,
    test: Option<Test>,
}

impl<'t> Reader<'t> {
    fn fault(&mut self, at: usize, what: String) {
        if self.faults.len() < MOST_FAULTS {
            let (line, column) = self.lines.place(at);
            self.faults.push(Fault { line, column, rule: self.rule.clone(), what });
        } else {
            self.others += 1;
            self.first_other.get_or_insert_with(|| self.lines.place(at));
        }
    }

    fn document(&mut self, document: &DeTable<'t>) -> Vec<Rule> {
        let mut list = Vec::new();
        for (key, value) in document {
            match (&**key.get_ref(), value.get_ref()) {
                ("rule", DeValue::Array(rules)) => {
                    let mut ids = BTreeSet::new();
                    for (number, rule) in rules.iter().enumerate() {
                        list.extend(self.rule(number + 1, rule, &mut ids));
                    }
                    self.rule = None;
                }
                ("rule", _) => self.fault(key.span().start, "`rule` must be a list of tables: [[rule]]".to_owned()),
                (name, _) => self.fault(key.span().start, format!("unknown key `{name}`: a file holds [[rule]] alone")),
            }
        }
        list
    }

    fn rule(&mut self, number: usize, value: &Value<'t>, ids: &mut BTreeSet<String>) -> Option<Rule> {
        self.rule = Some(format!("#{number}"));
        let DeValue::Table(keys) = value.get_ref() else {
            self.fault(value.span().start, "a rule must be a table: [[rule]]".to_owned());
            return None;
        };
        let section = Section { keys, header: value.span().start };
        let id = section.get("id").and_then(|value| self.name(value, "id"));
        if let Some(id) = &id {
            self.rule = Some(id.clone());
            if !ids.insert(id.clone()) {
                let at = section.get("id").map_or(section.header, |value| value.span().start);
                self.fault(at, "another rule has this id".to_owned());
            }
        }
        self.keys(&section, key::RULE.iter(), "a rule");
        let name = section.get("name").and_then(|value| self.name(value, "name"));
        let severity =
            section.get("severity").and_then(|value| self.one_of(value, "severity", &Severity::ALL, Severity::name));
        let (conditions, order) = match section.get("conditions").map(|value| (value, value.get_ref())) {
            Some((_, DeValue::Table(conditions))) => self.conditions(conditions),
            Some((value, _)) => {
                self.fault(value.span().start, "`conditions` must be tables: [rule.conditions.NAME]".to_owned());
                return None;
            }
            None => return None,
        };
        let names: HashMap<&str, usize> =
            conditions.iter().enumerate().map(|(index, draft)| (&*draft.name, index)).collect();
        let (text, at) = (section.get("when")?, section.get("when")?.span());
        let text = self.text(text, "when")?.to_owned();
        let when = match Expression::parse(&text, |name| names.get(name).copied()) {
            Ok(when) => when,
            Err(bad) => {
                let at = self.inside(at, &text, bad.place);
                self.fault(at, bad.what);
                return None;
            }
        };
        let condition = |draft: Draft<'_, 't>| Some(Condition { name: draft.name, test: draft.test? });
        let conditions: Option<Vec<Condition>> = conditions.into_iter().map(condition).collect();
        let id = id?;
        Some(Rule {
            name: name.unwrap_or_else(|| id.clone()),
            id: Arc::from(id),
            severity: severity.unwrap_or(Severity::Info),
            when,
            text,
            conditions: conditions?,
            order,
        })
    }

    /// Where a part of a text is in the file; the begin of the value where escapes make that uncertain.
    fn inside(&self, value: Range<usize>, text: &str, part: Range<usize>) -> usize {
        let raw = self.text.get(value.clone()).unwrap_or_default();
        let mark = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|mark| raw.starts_with(mark)).unwrap_or_default();
        let mut skip = mark.len();
        if mark.len() == 3 {
            let rest = raw.get(skip..).unwrap_or_default();
            skip += ["\r\n", "\n"].into_iter().find(|line| rest.starts_with(line)).map_or(0, str::len);
        }
        let plain = raw.get(skip..).is_some_and(|rest| rest.starts_with(text));
        if plain { value.start + skip + part.start } else { value.start }
    }

    fn conditions<'d>(&mut self, conditions: &'d DeTable<'t>) -> (Vec<Draft<'d, 't>>, Vec<usize>) {
        let mut entries: Vec<_> = conditions.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let mut drafts = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let name = &**key.get_ref();
            if !is_name(name) {
                let what = format!("`{name}` cannot name a condition: letters, digits and _, and not and, or, not");
                self.fault(key.span().start, what);
            }
            let DeValue::Table(keys) = value.get_ref() else {
                self.fault(value.span().start, format!("condition `{name}` must be a table"));
                continue;
            };
            let section = Section { keys, header: value.span().start };
            drafts.push(self.condition(name, &section));
        }
        let order = self.order(&mut drafts);
        (drafts, order)
    }

    fn condition<'d>(&mut self, name: &str, section: &Section<'d, 't>) -> Draft<'d, 't> {
        let mut draft = Draft { name: name.to_owned(), near: None, test: None };
        let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| section.get(kind.name()).is_some()).collect();
        let &[kind] = &kinds[..] else {
            let (at, what) = match &kinds[..] {
                [] => (section.header, "has no kind: give it phrases, absent, metric, near or repeated".to_owned()),
                [first, second, ..] => {
                    let (one, two) = (section.key(first.name()), section.key(second.name()));
                    (one.max(two), format!("is both `{}` and `{}`: only one of them", first.name(), second.name()))
                }
                [_] => return draft,
            };
            self.fault(at, format!("condition `{name}` {what}"));
            return draft;
        };
        self.keys(section, kind.keys(), &format!("a condition of the kind `{}`", kind.name()));
        draft.test = match kind {
            Kind::Phrases => self.search(section, kind).map(Test::Phrases),
            Kind::Absent => self.search(section, kind).map(Test::Absent),
            Kind::Metric => self.metric(section).map(Test::Metric),
            Kind::Repeated => self.repeated(section),
            Kind::Near => {
                draft.near = section.get("near").and_then(|value| self.array(value, "near", 2));
                self.near(section)
            }
        };
        draft
    }

    /// Resolves `near`, and returns the conditions in an order in which each is behind those it refers to.
    fn order(&mut self, drafts: &mut [Draft<'_, 't>]) -> Vec<usize> {
        let mut waiting = vec![0_usize; drafts.len()];
        let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); drafts.len()];
        let names: HashMap<String, usize> =
            drafts.iter().enumerate().map(|(index, draft)| (draft.name.clone(), index)).collect();
        for index in 0..drafts.len() {
            let Some(values) = drafts.get(index).and_then(|draft| draft.near) else { continue };
            let mut pair = Vec::new();
            for value in values {
                let Some(name) = self.text(value, "near") else { continue };
                let Some(&other) = names.get(name) else {
                    self.fault(value.span().start, format!("`{name}` is no condition of this rule"));
                    continue;
                };
                let kind = drafts.get(other).and_then(|draft| draft.test.as_ref());
                if matches!(kind, Some(Test::Absent(_) | Test::Metric(_))) {
                    let what = format!("`{name}` has no hits: near takes phrases, repeated or near");
                    self.fault(value.span().start, what);
                    continue;
                }
                pair.push(other);
            }
            let resolved = <[usize; 2]>::try_from(pair);
            let test = drafts.get_mut(index).map(|draft| &mut draft.test);
            match (resolved, test) {
                (Ok(pair), Some(Some(Test::Near(near)))) => {
                    near.pair = pair;
                    for other in pair {
                        if let (Some(waiting), Some(needed_by)) = (waiting.get_mut(index), needed_by.get_mut(other)) {
                            *waiting += 1;
                            needed_by.push(index);
                        }
                    }
                }
                (Err(_), Some(test)) => *test = None,
                _ => {}
            }
        }
        let mut order: Vec<usize> =
            waiting.iter().enumerate().filter(|(_, waiting)| **waiting == 0).map(|(index, _)| index).collect();
        let mut at = 0;
        while let Some(&next) = order.get(at) {
            for &behind in needed_by.get(next).into_iter().flatten() {
                if let Some(waiting) = waiting.get_mut(behind) {
                    *waiting -= 1;
                    if *waiting == 0 {
                        order.push(behind);
                    }
                }
            }
            at += 1;
        }
        let open = (0..drafts.len()).find(|index| waiting.get(*index).is_some_and(|waiting| *waiting > 0));
        if let Some(draft) = open.and_then(|index| drafts.get(index))
            && let Some(value) = draft.near.and_then(<[Value<'t>]>::first)
        {
            let what = format!("`{}` is near itself, or near conditions that are: a circle", draft.name);
            self.fault(value.span().start, what);
        }
        order
    }

    fn search(&mut self, section: &Section<'_, 't>, kind: Kind) -> Option<Search> {
        let values = self.array(section.get(kind.name())?, kind.name(), 0)?;
        let (mut given, mut terms) = (Vec::with_capacity(values.len()), Vec::with_capacity(values.len()));
        let mut repeats = Vec::new();
        let mut known = HashSet::new();
        for value in values {
            let Some(phrase) = self.text(value, kind.name()).map(|phrase| phrase.trim().to_owned()) else { continue };
            let Some(term) = self.phrase(&phrase, value.span().start) else { continue };
            if known.insert(self.phrases.form(term).map(<[String]>::to_vec)) {
                terms.push(term);
                given.push(phrase);
            } else {
                repeats.push(phrase);
            }
        }
        let least = match section.get("match") {
            Some(value) => self.least(value, terms.len())?,
            None => 1,
        };
        let times = self.count(section, "times", if kind == Kind::Repeated { 2 } else { 1 })?.unwrap_or(1);
        let (speaker, window) = (self.speaker(section)?, self.window(section)?);
        Some(Search { given, repeats, terms, least, times, speaker, window })
    }

    /// The index of a phrase in the list of all rules.
    fn phrase(&mut self, phrase: &str, at: usize) -> Option<usize> {
        if let Some(&term) = self.known_phrases.get(phrase) {
            return Some(term);
        }
        if phrase.chars().nth(LONGEST_PHRASE).is_some() {
            let start: String = phrase.chars().take(20).collect();
            self.fault(at, format!("phrase `{start}…` is longer than {LONGEST_PHRASE} characters"));
            return None;
        }
        if let Err(error) = self.phrases.line(phrase, None) {
            self.fault(at, format!("phrase `{}` {}", error.term(), error.reason()));
            return None;
        }
        let term = self.known_phrases.len();
        self.known_phrases.insert(phrase.to_owned(), term);
        Some(term)
    }

    fn least(&mut self, value: &Value<'t>, all: usize) -> Option<usize> {
        let number = match value.get_ref() {
            DeValue::String(text) if text == "any" => Some(1),
            DeValue::String(text) if text == "all" => Some(all.max(1)),
            DeValue::Integer(_) => {
                integer(value).and_then(|number| usize::try_from(number).ok()).filter(|least| *least > 0)
            }
            _ => None,
        };
        if number.is_none() {
            self.fault(value.span().start, "`match` must be \"any\", \"all\" or a number of at least 1".to_owned());
        }
        number
    }

    /// `Some(None)` without the key.
    fn count(&mut self, section: &Section<'_, 't>, name: &str, least: i64) -> Option<Option<usize>> {
        let Some(value) = section.get(name) else { return Some(None) };
        let number = integer(value).filter(|number| *number >= least).and_then(|number| usize::try_from(number).ok());
        if number.is_none() {
            self.fault(value.span().start, format!("`{name}` must be a whole number of at least {least}"));
        }
        number.map(Some)
    }

    fn speaker(&mut self, section: &Section<'_, 't>) -> Option<Speaker> {
        match (section.get("role"), section.get("participant")) {
            (None, None) => Some(Speaker::Anybody),
            (Some(value), None) => self.name(value, "role").map(Speaker::Role),
            (None, Some(value)) => self.name(value, "participant").map(Speaker::Label),
            (Some(_), Some(_)) => {
                let at = section.key("role").max(section.key("participant"));
                self.fault(at, "both `role` and `participant`: only one of them".to_owned());
                None
            }
        }
    }

    fn window(&mut self, section: &Section<'_, 't>) -> Option<Window> {
        let mut length = |name: &'static str| match section.get(name) {
            Some(value) => self.length(value, name, true).map(Some),
            None => Some(None),
        };
        let (first, last, from, to) = (length("first")?, length("last")?, length("from")?, length("to")?);
        match (first, last, from, to) {
            (None, None, None, None) => Some(Window::Whole),
            (Some(length), None, None, None) => Some(Window::First(length)),
            (None, Some(length), None, None) => Some(Window::Last(length)),
            (None, None, from, to) => Some(Window::Between(from.unwrap_or(Length::Ms(0)), to)),
            _ => {
                let keys = ["first", "last", "from", "to"].into_iter().filter(|key| section.get(key).is_some());
                let at = keys.map(|key| section.key(key)).max().unwrap_or(section.header);
                self.fault(at, "two windows: only one of `first`, `last`, and `from` with `to`".to_owned());
                None
            }
        }
    }

    fn length(&mut self, value: &Value<'t>, name: &str, share: bool) -> Option<Length> {
        let length = match value.get_ref() {
            DeValue::Integer(_) => integer(value).and_then(Length::from_ms),
            DeValue::String(text) => Length::from_text(text),
            _ => None,
        };
        let length = length.filter(|length| share || matches!(length, Length::Ms(_)));
        if length.is_none() {
            let or_share = if share { ", or a share such as \"25%\"" } else { "" };
            let what = format!("`{name}` must be a length: ms as a number, \"500ms\", \"10s\" or \"2m\"{or_share}");
            self.fault(value.span().start, what);
        }
        length
    }

    fn metric(&mut self, section: &Section<'_, 't>) -> Option<Metric> {
        let value = section.get("metric")?;
        let given = self.text(value, "metric")?.to_owned();
        let at = value.span().start;
        let mut bounds = Vec::new();
        for bound in Bound::ALL {
            let Some(value) = section.get(bound.name()) else { continue };
            match number(value) {
                Some(number) => bounds.push((bound, number)),
                None => {
                    self.fault(value.span().start, format!("`{}` must be a number", bound.name()));
                    return None;
                }
            }
        }
        if bounds.is_empty() {
            self.fault(section.header, "a metric needs a bound: above, below, at_least or at_most".to_owned());
        }
        let (table, name) = given.split_once('.').unwrap_or(("", &given));
        let (table, name, own): (&'static Table, &str, _) = match table {
            "calls" => (&CALLS, name, Some(Speaker::Anybody)),
            "participants" => (&PARTICIPANTS, name, None),
            "calls_by_role" => {
                let Some(column) = RoleColumn::from_name(name) else {
                    let columns: Vec<&str> = RoleColumn::figures().iter().map(|column| column.name).collect();
                    let columns = columns.join(", ");
                    self.fault(at, format!("`{given}` is no column: calls_by_role has ROLE_ and {columns}"));
                    return None;
                };
                (&PARTICIPANTS, column.figure.name, Some(Speaker::RoleOrLabel(column.role)))
            }
            _ => {
                let what =
                    format!("`{given}` names no figure: calls.COLUMN, participants.COLUMN or calls_by_role.COLUMN");
                self.fault(at, what);
                return None;
            }
        };
        let Some(column) = table.column(name) else {
            let near = table.nearest(name);
            let meant = if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(" or ")) };
            self.fault(at, format!("`{given}`: the table {} has no column `{name}`{meant}", table.name));
            return None;
        };
        if !matches!(column.kind, ColumnKind::Integer | ColumnKind::Number) {
            self.fault(at, format!("`{given}` is a {}, which no number can be compared with", column.kind.name()));
            return None;
        }
        let speaker = match own {
            None => self.speaker(section)?,
            Some(own) => {
                for key in ["role", "participant"].into_iter().filter(|key| section.get(key).is_some()) {
                    self.fault(
                        section.key(key),
                        format!("`{key}` does not go with `{given}`, which is one figure a call"),
                    );
                }
                own
            }
        };
        let next = self.figures.len();
        let figure = *self.known_figures.entry((table.name, column.name)).or_insert(next);
        if figure == next {
            self.figures.push(FigureKey { table, column });
        }
        Some(Metric { given, figure, speaker, bounds })
    }

    fn repeated(&mut self, section: &Section<'_, 't>) -> Option<Test> {
        let search = self.search(section, Kind::Repeated)?;
        let within = match (section.get("within"), section.get("within_turns")) {
            (Some(value), None) => match self.length(value, "within", false)? {
                Length::Ms(ms) => Within::Ms(ms),
                Length::Share(..) => return None,
            },
            (None, Some(_)) => Within::Turns(self.count(section, "within_turns", 1)??),
            (None, None) => {
                self.fault(section.header, "`repeated` needs `within` or `within_turns`".to_owned());
                return None;
            }
            (Some(_), Some(_)) => {
                let at = section.key("within").max(section.key("within_turns"));
                self.fault(at, "both `within` and `within_turns`: only one of them".to_owned());
                return None;
            }
        };
        Some(Test::Repeated(search, within))
    }

    /// Without its pair, which is resolved when all conditions are known.
    fn near(&mut self, section: &Section<'_, 't>) -> Option<Test> {
        let within_ms = match self.length(section.get("within")?, "within", false)? {
            Length::Ms(ms) => ms,
            Length::Share(..) => return None,
        };
        let order = match section.get("order") {
            None => Order::Any,
            Some(value) => self.one_of(value, "order", &Order::ALL, Order::name)?,
        };
        Some(Test::Near(Near { pair: [0, 0], within_ms, order }))
    }

    /// Refuses keys that a section does not have, and names those that it needs.
    fn keys(&mut self, section: &Section<'_, 't>, known: impl Iterator<Item = &'static Key>, whose: &str) {
        let known: Vec<&Key> = known.collect();
        for (key, _) in section.keys {
            let name = &**key.get_ref();
            if !known.iter().any(|known| known.name == name) {
                let names: Vec<&str> = known.iter().map(|key| key.name).collect();
                self.fault(key.span().start, format!("unknown key `{name}`: {whose} has {}", names.join(", ")));
            }
        }
        for key in known.iter().filter(|key| key.required && section.get(key.name).is_none()) {
            self.fault(section.header, format!("`{}` is missing: {}", key.name, key.meaning));
        }
    }

    fn text<'d>(&mut self, value: &'d Value<'t>, name: &str) -> Option<&'d str> {
        if let DeValue::String(text) = value.get_ref() {
            return Some(text);
        }
        self.fault(value.span().start, format!("`{name}` must be a text in quotes"));
        None
    }

    /// A text that holds something.
    fn name(&mut self, value: &Value<'t>, name: &str) -> Option<String> {
        let text = self.text(value, name)?;
        if text.trim().is_empty() {
            self.fault(value.span().start, format!("`{name}` is empty"));
            return None;
        }
        Some(text.to_owned())
    }

    fn one_of<T: Copy>(&mut self, value: &Value<'t>, name: &str, all: &[T], named: fn(T) -> &'static str) -> Option<T> {
        let text = self.text(value, name)?;
        let found = all.iter().copied().find(|one| named(*one) == text);
        if found.is_none() {
            let names: Vec<&str> = all.iter().map(|one| named(*one)).collect();
            self.fault(value.span().start, format!("`{name}` is `{text}`, not one of {}", names.join(", ")));
        }
        found
    }

    /// A list of this many values, or of one and more for 0.
    fn array<'d>(&mut self, value: &'d Value<'t>, name: &str, length: usize) -> Option<&'d [Value<'t>]> {
        let list = match value.get_ref() {
            DeValue::Array(list) => &list[..],
            _ => &[],
        };
        if list.is_empty() || (length > 0 && list.len() != length) {
            let wanted =
                if length > 0 { format!("the names of {length} conditions") } else { "a list of texts".to_owned() };
            self.fault(value.span().start, format!("`{name}` must be {wanted}"));
            return None;
        }
        Some(list)
    }
}

impl Order {
    pub(crate) const ALL: [Self; 3] = [Self::Before, Self::After, Self::Any];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
            Self::Any => "any",
        }
    }
}

fn integer(value: &Value<'_>) -> Option<i64> {
    match value.get_ref() {
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
        _ => None,
    }
}

fn number(value: &Value<'_>) -> Option<f64> {
    match value.get_ref() {
        DeValue::Float(number) => number.as_str().parse().ok().filter(|number: &f64| number.is_finite()),
        _ => integer(value).map(|number| number as f64),
    }
}
