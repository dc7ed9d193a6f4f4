//! Lines and tables for people, rendered for a terminal, as Markdown and as a page; nothing is computed here.

use super::markdown;
use super::number::{NOT_MEASURED, count};
use crate::text::markdown::escaped;

/// A title, and lines and tables below it.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Summary {
    /// What it is about.
    pub title: String,
    /// In order.
    pub blocks: Vec<SummaryBlock>,
}

/// A part of a [`Summary`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum SummaryBlock {
    /// A paragraph.
    Line(String),
    /// A table.
    Table(SummaryTable),
    /// A table that only the page has, folded.
    Folded(SummaryTable),
}

/// A table of a [`Summary`].
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct SummaryTable {
    /// Its heading.
    pub title: String,
    /// The heads of its columns.
    pub head: Vec<String>,
    /// Its first columns are text, the others numbers.
    pub texts: usize,
    /// Its last columns are text as well.
    pub notes: usize,
    /// Rows of cells.
    pub rows: Vec<Vec<SummaryCell>>,
    /// Rows that a terminal and Markdown show; the page shows all.
    pub shown: usize,
}

/// A text, and the number behind it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SummaryCell {
    /// What is shown.
    pub text: String,
    /// What the page sorts by; `None` for text, and for what could not be measured.
    pub number: Option<f64>,
}

impl SummaryCell {
    /// A text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), number: None }
    }

    /// A number as it is shown.
    #[must_use]
    pub fn number(text: impl Into<String>, number: Option<f64>) -> Self {
        Self { text: text.into(), number }
    }

    /// A whole number; a dash for `None`.
    #[must_use]
    pub fn whole(number: Option<i64>) -> Self {
        Self::number(number.map_or_else(|| NOT_MEASURED.to_owned(), count), number.map(|number| number as f64))
    }
}

impl SummaryTable {
    /// A table without rows, of which a terminal shows all.
    #[must_use]
    pub fn new(title: impl Into<String>, head: &[&str], texts: usize) -> Self {
        let head = head.iter().map(|&name| name.to_owned()).collect();
        Self { title: title.into(), head, texts, notes: 0, rows: Vec::new(), shown: usize::MAX }
    }

    /// Rows that are not shown, in words.
    fn left_out(&self) -> Option<String> {
        let more = self.rows.len().checked_sub(self.shown).filter(|more| *more > 0)?;
        Some(format!("and {} more", count(more as i64)))
    }
}

impl Summary {
    /// Appends a paragraph.
    pub(super) fn line(&mut self, line: impl Into<String>) {
        self.blocks.push(SummaryBlock::Line(line.into()));
    }

    /// Appends a table, unless it has no rows.
    pub(super) fn table(&mut self, table: SummaryTable) {
        if !table.rows.is_empty() {
            self.blocks.push(SummaryBlock::Table(table));
        }
    }

    /// For a terminal of this width.
    #[cfg(feature = "cli")]
    #[must_use]
    pub fn to_text(&self, width: Option<usize>) -> String {
        let mut text = self.title.clone() + "\n";
        for block in &self.blocks {
            match block {
                SummaryBlock::Line(line) => text += &(super::text_table::wrapped(line, width) + "\n"),
                SummaryBlock::Table(table) => {
                    // A heading would only repeat the first column.
                    let title = if table.title.is_empty() { String::new() } else { format!("{}\n", table.title) };
                    text += &format!("\n{title}");
                    let mut grid = super::TextTable::new(table.head.iter().map(String::as_str));
                    grid = grid.numbers(table.texts..table.head.len() - table.notes);
                    for row in table.rows.iter().take(table.shown) {
                        grid.row(row.iter().map(|cell| cell.text.replace(char::is_control, " ")));
                    }
                    text += &(grid.render(width) + "\n");
                    text.extend(table.left_out().map(|more| more + "\n"));
                }
                SummaryBlock::Folded(_) => {}
            }
        }
        text
    }

    /// In GitHub's Markdown. Text from outside is escaped.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut text = format!("# {}\n\n", escaped(&self.title));
        for block in &self.blocks {
            match block {
                SummaryBlock::Line(line) => text += &format!("{}\n\n", escaped(line)),
                SummaryBlock::Table(table) => {
                    if !table.title.is_empty() {
                        text += &format!("## {}\n\n", escaped(&table.title));
                    }
                    let head: Vec<&str> = table.head.iter().map(String::as_str).collect();
                    let row = |row: &Vec<SummaryCell>| row.iter().map(|cell| cell.text.clone()).collect();
                    text += &markdown::table(&head, table.rows.iter().take(table.shown).map(row));
                    text.extend(table.left_out().map(|more| more + "\n\n"));
                }
                SummaryBlock::Folded(_) => {}
            }
        }
        text.truncate(text.trim_end().len());
        text + "\n"
    }
}
