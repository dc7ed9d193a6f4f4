//! Every table and every column, declared once: type, unit, label, null rule, meaning, definition, uses, and where the
//! value is.
//!
//! Tables on disk, roll-ups, `talkmeter metrics`, the report and the schema test are all made from these rows. To add a
//! figure: measure it, add its row here.

mod call_rows;
#[cfg_attr(not(feature = "analytics"), allow(dead_code, reason = "read by tables"))]
mod cells;
mod definition;
mod detail_rows;
mod null;
mod participant_rows;
mod role;
mod rollup;
mod unit;

pub use call_rows::{CALLS, COSTS, WARNINGS};
pub(crate) use cells::Cells;
#[cfg(feature = "analytics")]
pub(crate) use cells::{TextCells, ValueCells};
pub use definition::Definition;
pub use detail_rows::{BURSTS, EVENTS, HITS, RULES, SENTENCES, TURNS, WINDOWS, WORDS};
pub use participant_rows::PARTICIPANTS;
pub use role::RoleColumn;
pub use rollup::{Aggregate, GroupFigure};
pub use unit::Unit;

use std::borrow::Cow;

use super::{Measured, Parameters, Reason};

/// The tables in the order in which they are written and listed.
pub const TABLES: [&Table; 12] =
    [&CALLS, &PARTICIPANTS, &BURSTS, &TURNS, &EVENTS, &HITS, &RULES, &WINDOWS, &COSTS, &SENTENCES, &WORDS, &WARNINGS];

/// One table: `calls`, `turns`, …
#[derive(Debug)]
#[non_exhaustive]
pub struct Table {
    /// Also the name of its files.
    pub name: &'static str,
    /// What one row stands for: `one row per call`.
    pub grain: &'static str,
    /// In the order of the files.
    pub columns: &'static [Column],
    /// Appends the rows of a call to the columns that are wanted, and returns their number. Row by row: there are millions of
    /// words, and going through them anew for each column took twice as long.
    #[cfg_attr(not(feature = "analytics"), allow(dead_code, reason = "read by tables"))]
    pub(crate) fill: fn(&Measured<'_>, &mut [Option<Cells>]) -> usize,
}

impl Table {
    /// The table of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<&'static Self> {
        TABLES.into_iter().find(|table| table.name == name)
    }

    /// The column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Up to three columns of numbers with a similar name.
    pub(crate) fn nearest(&self, name: &str) -> Vec<&'static str> {
        let is_number = |column: &&Column| matches!(column.kind, Kind::Integer | Kind::Number);
        crate::catalog::nearest::nearest(name, self.columns.iter().filter(is_number).map(|column| column.name))
    }

    /// No cells yet, of the columns that are wanted.
    pub(crate) fn no_cells(&self, wanted: impl Fn(&Column) -> bool) -> Vec<Option<Cells>> {
        self.columns.iter().map(|column| wanted(column).then(|| Cells::new(column.kind))).collect()
    }

    /// The heading of one of its columns; the name itself where there is no such column.
    #[must_use]
    pub fn label(&self, name: &str) -> String {
        self.column(name).map_or_else(|| name.to_owned(), |column| column.label().into_owned())
    }

    /// The columns with this use, in the order in which they are shown.
    ///
    /// ```
    /// use talkmeter::metrics::catalogue::{CALLS, Use};
    /// let sums: Vec<_> = CALLS.columns_for(Use::Summed).iter().map(|column| column.name).collect();
    /// assert!(sums.contains(&"speech_ms") && !sums.contains(&"silence_ratio"));
    /// ```
    #[must_use]
    pub fn columns_for(&self, wanted: Use) -> Vec<&'static Column> {
        let place = |column: &&'static Column| column.uses.iter().find(|(used, _)| *used == wanted).map(|(_, at)| *at);
        let mut columns: Vec<&'static Column> = self.columns.iter().filter(|column| column.is_for(wanted)).collect();
        columns.sort_by_key(place);
        columns
    }
}

/// The type of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A whole number.
    Integer,
    /// A number with a fraction.
    Number,
    /// Text as received, or a fixed name.
    Text,
    /// True or false.
    Boolean,
    /// Money: an exact decimal.
    Decimal,
    /// A day.
    Date,
}

impl Kind {
    /// `integer`, `number`, `text`, `boolean`, `decimal` or `date`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Text => "text",
            Self::Boolean => "boolean",
            Self::Decimal => "decimal",
            Self::Date => "date",
        }
    }
}

/// Where a column is shown or aggregated beside its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Use {
    /// Calls can be sorted by it.
    Ranked,
    /// The report and roll-ups have its sum over the calls in which it could be measured.
    Summed,
    /// The report has its distribution; of a column of `calls`, roll-ups have `_p50`, `_p90` and `_n`.
    Spread,
    /// A strip of the page: one dot per row.
    Strip,
    /// A strip of the page: one dot for the first participant of each call.
    StripOfFirst,
    /// A column in the page's list of calls.
    Listed,
    /// A column in the short list of calls, as in Markdown.
    ListedBriefly,
    /// Shown with a single call.
    Fact,
    /// Shown for each group of a roll-up: the sum, or the median where there is no sum.
    Group,
    /// Roll-ups have its mean over the calls in which it could be measured, as `_per_call`.
    PerCall,
    /// Of `participants`: a column of `calls_by_role`, behind `<role>_`.
    ByRole,
    /// A call in which it is far above the others needs a look.
    Attention,
}

/// One column of one table.
#[non_exhaustive]
pub struct Column {
    /// As in the files.
    pub name: &'static str,
    /// The type of its values.
    pub kind: Kind,
    /// What it counts or measures.
    pub unit: Unit,
    /// Why it can be null, in the order in which causes are tried; the row's `reason` names the one that holds.
    pub null: &'static [Reason],
    /// Other cases in which it is null, in words; empty where there are none.
    pub otherwise_null: &'static str,
    /// The formula in words.
    pub meaning: &'static str,
    /// Where it is defined; `None` for keys and labels.
    pub definition: Option<Definition>,
    /// Names of the [`Parameters`] that the formula uses.
    pub parameters: &'static [&'static str],
    /// Where it is used, and at which place there: smaller numbers come first, equal ones in the order of the table.
    pub uses: &'static [(Use, u8)],
    /// Its heading; `None` where the name reads well.
    own_label: Option<&'static str>,
    /// What its values are on the lines of the call's bill, one per row; `None` where the call has them.
    #[cfg_attr(not(feature = "analytics"), allow(dead_code, reason = "read by tables"))]
    pub(crate) bill: Option<Bill>,
}

/// What a line of a bill adds to a row of `costs`.
#[derive(Clone, Copy)]
pub(crate) enum Bill {
    UnitPrice,
    Currency,
    Cost,
    PriceDate,
}

impl Column {
    /// Its heading for people: `Longest silence`.
    #[must_use]
    pub fn label(&self) -> Cow<'static, str> {
        self.own_label.map_or_else(|| Cow::Owned(self.name.replace('_', " ")), Cow::Borrowed)
    }

    /// When it is null: codes of [`Reason`] and other cases; empty where it never is.
    #[must_use]
    pub fn null_rule(&self) -> String {
        let codes: Vec<&str> = self.null.iter().map(|reason| reason.name()).collect();
        [&*codes.join(", "), self.otherwise_null]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("; ")
    }

    /// Whether it counts something, so that values of several rows add up; lengths in ms do not count.
    #[must_use]
    pub fn is_count(&self) -> bool {
        self.kind == Kind::Integer && !self.unit.is_ms()
    }

    /// Whether it can be null.
    #[must_use]
    pub fn can_be_null(&self) -> bool {
        !self.null.is_empty() || !self.otherwise_null.is_empty()
    }

    /// When it is null, in words; empty where it never is.
    #[must_use]
    pub fn null_in_words(&self) -> String {
        let reasons = self.null.iter().map(|reason| reason.meaning());
        reasons.chain([self.otherwise_null]).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
    }

    /// Whether it has this use.
    #[must_use]
    pub fn is_for(&self, wanted: Use) -> bool {
        self.uses.iter().any(|(used, _)| *used == wanted)
    }

    /// Why it is null in a row whose column `reason` is `reasons`, in words.
    #[must_use]
    pub fn why_null(&self, reasons: Option<&str>) -> &'static str {
        let holds = |reason: &&Reason| reasons.unwrap_or_default().split(';').any(|code| code == reason.name());
        self.null.iter().find(holds).map_or(self.otherwise_null, |reason| reason.meaning())
    }

    /// The parameters of the formula with their values.
    pub fn parameters_of(&self, parameters: &Parameters) -> impl Iterator<Item = (&'static str, i64)> {
        parameters.values().filter(|(name, _)| self.parameters.contains(name))
    }
}

impl std::fmt::Debug for Column {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Column").field("name", &self.name).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// The place of a use that is given none.
const MIDDLE: u8 = 50;

/// `Some` of what is given, else `None`.
macro_rules! optional {
    () => {
        None
    };
    ($value:expr) => {
        Some($value)
    };
}
use optional;

/// Appends a value to a column that is wanted; what a bill adds comes later.
macro_rules! push {
    ($column:ident) => {
        let _ = &$column;
    };
    ($column:ident, $cell:expr $(, $times:expr)?) => {
        if let Some(cells) = $column.as_mut() {
            cells.push($cell);
            $(cells.repeat($times - 1);)?
        }
    };
}
use push;

/// The place of a use: as given, else [`MIDDLE`].
macro_rules! place {
    () => {
        super::MIDDLE
    };
    ($place:literal) => {
        $place
    };
}
use place;

/// Declares a table: the rows of one call, or of each of its sentences, then for each column
///
/// ```text
/// name Kind Unit null REASONS [or "other cases"]
///     "meaning" [see Definition] [label "Heading"] [parameters [name …]] [uses [Use place …]]
///     => value in the row;    or: per call, or sentence, value in all its rows;    or: from what the bill adds;
/// ```
macro_rules! table {
    (
        $(#[$doc:meta])*
        $table:ident $name:literal $grain:literal,
            |$measured:ident, $row:ident| $rows:expr $(, for each $group:ident in $groups:expr)?;
        $(
            $column:ident $kind:ident $unit:ident null $null:ident $(or $otherwise:literal)?
            $meaning:literal $(see $definition:ident)? $(label $label:literal)?
            $(parameters [$($parameter:ident)+])? $(uses [$($use:ident $($place:literal)?)+])?
            $(from $bill:ident)? $(per $whole:ident $same:expr)? $(=> $cell:expr)?;
        )+
    ) => {
        $(#[$doc])*
        pub static $table: Table = Table {
            name: $name,
            grain: $grain,
            fill: |$measured, columns| {
                let [$($column),+] = columns else { return 0 };
                let mut count = 0;
                $(for $group in $groups)? {
                    let before = count;
                    $rows.for_each(|$row| {
                        count += 1;
                        $(push!($column $(, $cell)?);)+
                    });
                    let rows = count - before;
                    if rows > 0 {
                        $(push!($column $(, $same, rows)?);)+
                    }
                }
                count
            },
            columns: &[$(Column {
                name: stringify!($column),
                kind: Kind::$kind,
                unit: Unit::$unit,
                null: super::null::$null,
                otherwise_null: concat!($($otherwise)?),
                meaning: $meaning,
                definition: optional!($(Definition::$definition)?),
                parameters: &[$($(stringify!($parameter)),+)?],
                uses: &[$($((Use::$use, place!($($place)?))),+)?],
                own_label: optional!($($label)?),
                bill: optional!($(super::Bill::$bill)?),
            },)+],
        };

        // Parameters are named as in the struct.
        const _: fn(&crate::metrics::Parameters) = |_parameters| {
            $($($(let _ = _parameters.$parameter;)+)?)+
        };
    };
}
use table;
