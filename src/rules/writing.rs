//! Rules as a rule file.

use std::fmt::{self, Display, Write as _};

use super::condition::{Metric, Near, Search, Speaker, Test, Within};
use super::window::{Length, Window};
use super::{Rule, Rules};

impl Rules {
    /// The rules as a rule file, which reads back as the same rules. Comments are gone.
    ///
    /// ```
    /// use talkmeter::rules::Rules;
    /// let text = "[[rule]]\nid = \"a\"\nwhen = \"b\"\n[rule.conditions.b]\nphrases = ['say \"hi\"']\nfirst = \"2m\"\n";
    /// let written = Rules::parse(text).unwrap().to_toml();
    /// assert!(written.contains(r#"phrases = ["say \"hi\""]"#) && written.contains("first = 120000"));
    /// assert_eq!(Rules::parse(&written).unwrap().to_toml(), written);
    /// ```
    #[must_use]
    pub fn to_toml(&self) -> String {
        let rules: Vec<String> = self.list.iter().map(ToString::to_string).collect();
        rules.join("\n")
    }
}

impl Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "[[rule]]\nid = {}", quoted(&self.id))?;
        if *self.name != *self.id {
            writeln!(f, "name = {}", quoted(&self.name))?;
        }
        writeln!(f, "severity = \"{}\"\nwhen = {}", self.severity, quoted(&self.text))?;
        for condition in &self.conditions {
            writeln!(f, "\n[rule.conditions.{}]", condition.name)?;
            let kind = condition.test.kind().name();
            match &condition.test {
                Test::Phrases(search) | Test::Absent(search) => write_search(f, kind, search, 1)?,
                Test::Repeated(search, within) => {
                    write_search(f, kind, search, 0)?;
                    match within {
                        Within::Ms(ms) => writeln!(f, "within = {ms}")?,
                        Within::Turns(turns) => writeln!(f, "within_turns = {turns}")?,
                    }
                }
                Test::Metric(metric) => write_metric(f, metric)?,
                Test::Near(near) => self.write_near(f, near)?,
            }
        }
        Ok(())
    }
}

impl Rule {
    fn write_near(&self, f: &mut fmt::Formatter<'_>, near: &Near) -> fmt::Result {
        let name = |index: usize| self.conditions.get(index).map_or("", |condition| &condition.name);
        let [one, two] = near.pair.map(name);
        writeln!(f, "near = [\"{one}\", \"{two}\"]\nwithin = {}\norder = \"{}\"", near.within_ms, near.order.name())
    }
}

/// `left_out`: the number of `times` that goes without saying.
fn write_search(f: &mut fmt::Formatter<'_>, kind: &str, search: &Search, left_out: usize) -> fmt::Result {
    let phrases: Vec<String> = search.given.iter().map(|phrase| quoted(phrase)).collect();
    writeln!(f, "{kind} = [{}]", phrases.join(", "))?;
    if search.least > 1 {
        writeln!(f, "match = {}", search.least)?;
    }
    if search.times != left_out {
        writeln!(f, "times = {}", search.times)?;
    }
    write_speaker(f, &search.speaker)?;
    match search.window {
        Window::Whole => Ok(()),
        Window::First(length) => writeln!(f, "first = {length}"),
        Window::Last(length) => writeln!(f, "last = {length}"),
        Window::Between(from, to) => {
            writeln!(f, "from = {from}")?;
            to.map_or(Ok(()), |to| writeln!(f, "to = {to}"))
        }
    }
}

fn write_metric(f: &mut fmt::Formatter<'_>, metric: &Metric) -> fmt::Result {
    writeln!(f, "metric = {}", quoted(&metric.given))?;
    write_speaker(f, &metric.speaker)?;
    metric.bounds.iter().try_for_each(|(bound, number)| writeln!(f, "{} = {number:?}", bound.name()))
}

fn write_speaker(f: &mut fmt::Formatter<'_>, speaker: &Speaker) -> fmt::Result {
    match speaker {
        Speaker::Anybody | Speaker::RoleOrLabel(_) => Ok(()),
        Speaker::Role(role) => writeln!(f, "role = {}", quoted(role)),
        Speaker::Label(label) => writeln!(f, "participant = {}", quoted(label)),
    }
}

impl Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ms(ms) => write!(f, "{ms}"),
            Self::Share(part, whole) => {
                let scale = (whole / 100).max(1);
                let digits = scale.ilog10() as usize;
                match digits {
                    0 => write!(f, "\"{part}%\""),
                    _ => write!(f, "\"{}.{:0digits$}%\"", part / scale, part % scale),
                }
            }
        }
    }
}

/// A text as TOML writes it.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\U{:08X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
