//! `metrics`: the catalogue of figures.

use serde_json::json;

use super::Exit;
use super::output::{Console, Failure, Format, Listing};
use crate::metrics::catalogue::{Definition, TABLES, Table};

/// Arguments of `metrics`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Show this table only
    #[arg(value_name = "TABLE", value_parser = table)]
    table: Option<&'static Table>,
    /// Include keys and labels
    #[arg(long)]
    all: bool,
}

fn table(name: &str) -> Result<&'static Table, String> {
    let names = || TABLES.map(|table| table.name).join(", ");
    Table::from_name(name).ok_or_else(|| format!("the tables are {}", names()))
}

/// Runs `metrics`.
pub(super) fn run(args: &Args, format: Format, console: &Console) -> Result<Exit, Failure> {
    let tables = TABLES.into_iter().filter(|table| args.table.is_none_or(|wanted| wanted.name == table.name));
    let mut rows = Vec::new();
    for table in tables {
        for column in table.columns.iter().filter(|column| args.all || column.definition.is_some()) {
            rows.push(vec![
                json!(format!("{}.{}", table.name, column.name)),
                json!(table.grain),
                json!(column.kind.name()),
                json!(column.unit.name()),
                json!(column.meaning),
                json!(column.null_rule()),
                json!(column.definition.map_or("", Definition::name)),
            ]);
        }
    }
    Listing { head: vec!["id", "grain", "type", "unit", "formula", "null when", "definition"], rows }
        .print(format, console)
}
