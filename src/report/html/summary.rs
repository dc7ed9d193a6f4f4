//! A [`Summary`] as a page.

use serde::Serialize;

use super::cell::{Cell, Grid};
use super::{Assets, templates};
use crate::error::Result;
use crate::metrics::DEFINITIONS_VERSION;
use crate::report::{Summary, SummaryBlock, SummaryCell, SummaryTable};

#[derive(Serialize)]
struct PageContext<'s> {
    title: &'s str,
    blocks: Vec<Block<'s>>,
    foot: String,
}

/// A paragraph, or a table.
#[derive(Serialize, Default)]
struct Block<'s> {
    line: &'s str,
    title: &'s str,
    folded: bool,
    grid: Option<Grid>,
}

impl Summary {
    /// As one HTML file that works offline, with sortable tables.
    ///
    /// # Errors
    /// When a template cannot be rendered.
    pub fn to_html(&self) -> Result<String> {
        let blocks = self.blocks.iter().map(|block| match block {
            SummaryBlock::Line(line) => Block { line, ..Block::default() },
            SummaryBlock::Table(table) => Block { title: &table.title, grid: Some(grid(table)), ..Block::default() },
            SummaryBlock::Folded(table) => {
                Block { title: &table.title, grid: Some(grid(table)), folded: true, ..Block::default() }
            }
        });
        let foot = format!("talkmeter {}, definitions {DEFINITIONS_VERSION}", env!("CARGO_PKG_VERSION"));
        let context = PageContext { title: &self.title, blocks: blocks.collect(), foot };
        let templates = templates()?;
        let body = templates.fill("summary.html", context)?;
        templates.frame(format!("{} – talkmeter", self.title), body, Assets::Tables, "")
    }
}

fn grid(table: &SummaryTable) -> Grid {
    let cell = |cell: &SummaryCell| match cell.number {
        Some(number) => Cell::number(cell.text.clone(), number),
        None => Cell::text(cell.text.clone()),
    };
    let head: Vec<&str> = table.head.iter().map(String::as_str).collect();
    let grid = Grid::new(&head, table.texts, table.rows.iter().map(|row| row.iter().map(cell).collect()).collect());
    Grid { notes: table.notes, ..grid }
}
