//! Every key of a rule file, declared once: the reader refuses others, and the JSON Schema is made from these rows.

/// The kind of a condition; its name is the key that makes it one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Phrases,
    Absent,
    Metric,
    Near,
    Repeated,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [Self::Phrases, Self::Absent, Self::Metric, Self::Near, Self::Repeated];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Phrases => "phrases",
            Self::Absent => "absent",
            Self::Metric => "metric",
            Self::Near => "near",
            Self::Repeated => "repeated",
        }
    }

    /// The keys that a condition of this kind may have.
    pub(crate) fn keys(self) -> impl Iterator<Item = &'static Key> {
        CONDITION.iter().filter(move |key| key.kinds.contains(&self))
    }
}

/// The form of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// At least one text.
    Texts,
    /// Two texts.
    Pair,
    /// `any`, `all` or a number of at least 1.
    Match,
    /// A whole number of at least this.
    Count(i64),
    Number,
    /// Whole ms, or a text such as `90s`; a share of the span such as `25%` if true.
    Length(bool),
    /// The table of conditions.
    Conditions,
}

/// A key of a rule or of a condition.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    /// The kinds of conditions that have it; empty for a key of a rule.
    pub(crate) kinds: &'static [Kind],
    pub(crate) form: Form,
    pub(crate) required: bool,
    pub(crate) meaning: &'static str,
}

macro_rules! keys {
    ($($name:literal [$($kind:ident)*] $form:expr, $required:literal, $meaning:literal;)+) => {
        &[$(Key {
            name: $name,
            kinds: &[$(Kind::$kind),*],
            form: $form,
            required: $required,
            meaning: $meaning,
        },)+]
    };
}

/// Keys of `[[rule]]`.
pub(crate) const RULE: &[Key] = keys! {
    "id" [] Form::Text, true, "unique in the file; the column `rule` of the tables";
    "name" [] Form::Text, false, "what it means, for people; without it the id";
    "severity" [] Form::OneOf(&["info", "notice", "serious"]), false, "how much it matters; without it `info`";
    "when" [] Form::Text, true, "names of conditions with `and`, `or`, `not` and parentheses: the rule matches when it is true";
    "conditions" [] Form::Conditions, true, "the conditions by name, each of one kind";
};

/// Keys of `[rule.conditions.NAME]`.
pub(crate) const CONDITION: &[Key] = keys! {
    "phrases" [Phrases] Form::Texts, true, "words, phrases or /regexes/ that are said; ` ! exclusion` leaves out hits inside it";
    "absent" [Absent] Form::Texts, true, "as phrases, but not said";
    "repeated" [Repeated] Form::Texts, true, "phrases that are said several times close together";
    "metric" [Metric] Form::Text, true, "a figure: a column of `calls`, `participants` or `calls_by_role`, as TABLE.COLUMN";
    "near" [Near] Form::Pair, true, "two other conditions of the rule whose hits are close together";
    "match" [Phrases Absent Repeated] Form::Match, false, "how many of the phrases must be said: any (1), all, or a number; without it any";
    "times" [Phrases Absent] Form::Count(1), false, "how many hits there must be; without it 1";
    "times" [Repeated] Form::Count(2), true, "how many hits must be close together";
    "role" [Phrases Absent Metric Repeated] Form::Text, false, "who says it or whose figure it is, by role";
    "participant" [Phrases Absent Metric Repeated] Form::Text, false, "the same by label, such as ch1";
    "first" [Phrases Absent Repeated] Form::Length(true), false, "only in the first part of the call, of this length";
    "last" [Phrases Absent Repeated] Form::Length(true), false, "only in the last part of the call, of this length";
    "from" [Phrases Absent Repeated] Form::Length(true), false, "only from here on, counted from the first word";
    "to" [Phrases Absent Repeated] Form::Length(true), false, "only up to here, counted from the first word";
    "above" [Metric] Form::Number, false, "the figure is greater";
    "below" [Metric] Form::Number, false, "the figure is smaller";
    "at_least" [Metric] Form::Number, false, "the figure is equal or greater";
    "at_most" [Metric] Form::Number, false, "the figure is equal or smaller";
    "within" [Near] Form::Length(false), true, "the longest time between the two hits";
    "within" [Repeated] Form::Length(false), false, "the longest time from the first begin to the latest end";
    "within_turns" [Repeated] Form::Count(1), false, "the most turns, of all participants, that the hits may span";
    "order" [Near] Form::OneOf(&["before", "after", "any"]), false, "whether the first ends before the second begins; without it any";
};
