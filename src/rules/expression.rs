//! `when`: names of conditions with `and`, `or`, `not` and parentheses.

use std::ops::Range;

use super::truth;

/// A parsed `when`, in postfix order, so that neither depth nor length costs stack.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expression {
    steps: Vec<Step>,
    /// Each place where a condition is named, in the order of the text.
    pub(crate) names: Vec<Named>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Index into the conditions of the rule.
    Condition(usize),
    Not,
    And,
    Or,
}

/// A place where a condition is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Named {
    /// Index into the conditions of the rule.
    pub(crate) condition: usize,
    /// Under an even number of `not`: what it finds speaks for the rule.
    pub(crate) speaks_for: bool,
}

/// A part of an expression, with what was computed of its sides.
pub(crate) enum Part<T> {
    Not(T),
    And(T, T),
    Or(T, T),
}

/// What is wrong with a `when`, and where: a byte range of its text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadExpression {
    pub(crate) place: Range<usize>,
    pub(crate) what: String,
}

/// Operators that wait for their right side; a later entry of equal or higher rank is applied first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pending {
    Open(usize),
    Or,
    And,
    Not,
}

impl Pending {
    fn rank(self) -> u8 {
        match self {
            Self::Open(_) => 0,
            Self::Or => 1,
            Self::And => 2,
            Self::Not => 3,
        }
    }

    fn step(self) -> Option<Step> {
        match self {
            Self::Open(_) => None,
            Self::Or => Some(Step::Or),
            Self::And => Some(Step::And),
            Self::Not => Some(Step::Not),
        }
    }
}

impl Expression {
    /// Parses a text; `index_of` finds a condition by its name.
    pub(crate) fn parse(text: &str, index_of: impl Fn(&str) -> Option<usize>) -> Result<Self, BadExpression> {
        let mut parsed = Self::default();
        let mut pending: Vec<Pending> = Vec::new();
        let mut nots = 0_usize;
        // Whether a name, `not` or `(` must come next.
        let mut wants_operand = true;
        let fault = |place: Range<usize>, what: String| Err(BadExpression { place, what });
        for place in words(text) {
            let word = text.get(place.clone()).unwrap_or_default();
            let expected = |what: &str| {
                let lower = word.to_ascii_lowercase();
                let is_operator = lower != word && matches!(&*lower, "and" | "or" | "not");
                let hint = if is_operator { format!("; write `{lower}`") } else { String::new() };
                format!("expected {what}, found `{word}`{hint}")
            };
            match word {
                "not" | "(" => {
                    if !wants_operand {
                        return fault(place, expected("`and`, `or` or the end"));
                    }
                    nots += usize::from(word == "not");
                    pending.push(if word == "not" { Pending::Not } else { Pending::Open(place.start) });
                }
                "and" | "or" => {
                    if wants_operand {
                        return fault(place, expected("a condition"));
                    }
                    let operator = if word == "and" { Pending::And } else { Pending::Or };
                    parsed.apply(&mut pending, &mut nots, operator.rank());
                    pending.push(operator);
                    wants_operand = true;
                }
                ")" => {
                    if wants_operand {
                        return fault(place, expected("a condition"));
                    }
                    parsed.apply(&mut pending, &mut nots, 1);
                    if pending.pop().is_none() {
                        return fault(place, "`)` closes nothing".to_owned());
                    }
                }
                name if is_name(name) => {
                    if !wants_operand {
                        return fault(place, expected("`and`, `or` or the end"));
                    }
                    let Some(condition) = index_of(name) else {
                        return fault(place, format!("`{name}` is no condition of this rule"));
                    };
                    parsed.steps.push(Step::Condition(condition));
                    parsed.names.push(Named { condition, speaks_for: nots.is_multiple_of(2) });
                    wants_operand = false;
                }
                other => {
                    let what = format!("`{other}` is neither the name of a condition nor `and`, `or`, `not`, `(`, `)`");
                    return fault(place, what);
                }
            }
        }
        if wants_operand {
            let what = if text.trim().is_empty() {
                "`when` is empty"
            } else {
                "expected a condition, found the end of `when`"
            };
            return fault(0..text.len(), what.to_owned());
        }
        parsed.apply(&mut pending, &mut nots, 1);
        if let Some(Pending::Open(at)) = pending.pop() {
            return fault(at..at + 1, "`(` is not closed".to_owned());
        }
        Ok(parsed)
    }

    /// Moves waiting operators of at least this rank to the steps.
    fn apply(&mut self, pending: &mut Vec<Pending>, nots: &mut usize, rank: u8) {
        while let Some(operator) = pending.pop_if(|operator| operator.rank() >= rank) {
            *nots -= usize::from(operator == Pending::Not);
            self.steps.extend(operator.step());
        }
    }

    /// Its value, given that of each condition.
    pub(crate) fn value(&self, condition: impl Fn(usize) -> Option<bool>) -> Option<bool> {
        let value = self.fold(condition, |part| match part {
            Part::Not(one) => truth::not(one),
            Part::And(one, two) => truth::and(one, two),
            Part::Or(one, two) => truth::or(one, two),
        });
        value.flatten()
    }

    /// Computes something of each condition, and from that of each part of the expression.
    pub(crate) fn fold<T>(&self, condition: impl Fn(usize) -> T, mut of: impl FnMut(Part<T>) -> T) -> Option<T> {
        let mut stack: Vec<T> = Vec::new();
        for step in &self.steps {
            let value = match *step {
                Step::Condition(index) => condition(index),
                Step::Not => of(Part::Not(stack.pop()?)),
                Step::And | Step::Or => {
                    let (two, one) = (stack.pop()?, stack.pop()?);
                    of(if *step == Step::And { Part::And(one, two) } else { Part::Or(one, two) })
                }
            };
            stack.push(value);
        }
        stack.pop()
    }

    /// The number of steps that a value takes.
    pub(crate) fn len(&self) -> usize {
        self.steps.len()
    }
}

/// Whether a text can name a condition.
pub(crate) fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    let begins = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    begins && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') && !["and", "or", "not"].contains(&text)
}

/// Parentheses, and what stands between them and white space.
fn words(text: &str) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices() {
        let splits = c.is_whitespace() || c == '(' || c == ')';
        if splits && let Some(start) = start.take() {
            words.push(start..at);
        }
        match c {
            '(' | ')' => words.push(at..at + 1),
            _ if splits => {}
            _ => start = start.or(Some(at)),
        }
    }
    words.extend(start.map(|start| start..text.len()));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Expression, BadExpression> {
        Expression::parse(text, |name| ["a", "b", "c"].iter().position(|known| *known == name))
    }

    fn value(text: &str, values: [Option<bool>; 3]) -> Option<bool> {
        parse(text).unwrap().value(|index| values[index])
    }

    #[test]
    fn not_binds_tighter_than_and_and_that_tighter_than_or() {
        let all = [Some(false), Some(true), None];
        for a in all {
            for b in all {
                for c in all {
                    let values = [a, b, c];
                    let and_or = truth::or(a, truth::and(truth::not(b), c));
                    assert_eq!(value("a or not b and c", values), and_or, "{values:?}");
                    assert_eq!(value("not (a or b) and c", values), truth::and(truth::not(truth::or(a, b)), c));
                    assert_eq!(value("not not a", values), a);
                    assert_eq!(value("(a)and(b)", values), truth::and(a, b));
                }
            }
        }
    }

    #[test]
    fn unknown_is_decided_only_by_what_outweighs_it() {
        let values = [None, Some(false), Some(true)];
        assert_eq!(value("a and b", values), Some(false));
        assert_eq!(value("a or c", values), Some(true));
        assert_eq!((value("a and c", values), value("a or b", values), value("not a", values)), (None, None, None));
    }

    #[test]
    fn a_name_speaks_for_the_rule_under_an_even_number_of_nots() {
        let speaks =
            |text: &str| -> Vec<bool> { parse(text).unwrap().names.iter().map(|name| name.speaks_for).collect() };
        assert_eq!(speaks("a and not b or c"), [true, false, true]);
        assert_eq!(speaks("not (a and not (b or c))"), [false, true, true]);
        assert_eq!(speaks("not not a and (not b) and c"), [true, false, true]);
    }

    #[test]
    fn a_fault_is_at_its_word() {
        let fault = |text: &str| {
            let error = parse(text).unwrap_err();
            (error.place.start, error.what)
        };
        assert_eq!(fault("a and d"), (6, "`d` is no condition of this rule".to_owned()));
        for (text, at) in
            [("a b", 2), ("and a", 0), ("(a or b", 0), ("a)", 1), ("a and (", 0), ("", 0), ("a & b", 2), ("a 1", 2)]
        {
            assert_eq!(fault(text).0, at, "{text}");
        }
    }

    #[test]
    fn a_deep_expression_needs_no_deep_stack() {
        let deep = format!("{}a{}", "not (".repeat(100_000), ")".repeat(100_000));
        assert_eq!(value(&deep, [Some(true), None, None]), Some(true));
    }
}
