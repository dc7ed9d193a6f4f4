//! `metrics`: the catalogue of figures.

use serde_json::json;

use super::Exit;
use super::output::{Console, Failure, Format, Listing};
use crate::metrics::catalogue::{Definition, TABLES};

/// Arguments of `metrics`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A table, or a column such as `dead_air_ms` or `participants.units`
    name: Option<String>,
    /// Include keys and labels
    #[arg(long)]
    all: bool,
}

/// Runs `metrics`.
pub(super) fn run(args: &Args, format: Format, console: &Console) -> Result<Exit, Failure> {
    let mut rows = Vec::new();
    for table in TABLES {
        for column in table.columns {
            let id = format!("{}.{}", table.name, column.name);
            let is_asked_for = match args.name.as_deref() {
                Some(name) if name == column.name || name == id => true,
                Some(name) if name != table.name => false,
                _ => args.all || column.definition.is_some(),
            };
            if !is_asked_for {
                continue;
            }
            rows.push(vec![
                json!(id),
                json!(column.unit.name()),
                json!(column.meaning),
                json!(column.null_rule()),
                json!(column.kind.name()),
                json!(column.definition.map_or("", Definition::name)),
                json!(table.grain),
            ]);
        }
    }
    if let Some(name) = args.name.as_deref().filter(|_| rows.is_empty()) {
        let tables = TABLES.map(|table| table.name).join(", ");
        return Err(Failure::Usage(format!("no table or column {name:?}; the tables are {tables}")));
    }
    Listing { head: vec!["id", "unit", "formula", "null_rule", "type", "definition", "grain"], rows }
        .print(format, console)
}
