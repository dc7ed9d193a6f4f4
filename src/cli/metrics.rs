//! `metrics`: the catalogue of figures.

use serde_json::{Value, json};

use super::Exit;
use super::output::{Console, Failure, Format, Listing};
use crate::metrics::catalogue::{CALLS, Column, Definition, GroupFigure, RoleColumn, TABLES};

/// Arguments of `metrics`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A table, or a column such as `dead_air_ms` or `participants.units`
    name: Option<String>,
    /// Include keys, labels, and the columns of `calls_by_role` and `rollup`
    #[arg(long)]
    all: bool,
}

/// A column as it is listed.
struct Listed {
    table: &'static str,
    column: String,
    /// Whether it is a figure of its own: no key or label, and not made of another column.
    is_figure: bool,
    row: Vec<Value>,
}

impl Listed {
    fn of_column(table: &'static str, grain: &str, name: String, column: &Column, is_figure: bool) -> Self {
        let row = vec![
            json!(format!("{table}.{name}")),
            json!(column.unit.name()),
            json!(column.meaning),
            json!(column.null_rule()),
            json!(column.kind.name()),
            json!(column.definition.map_or("", Definition::name)),
            json!(grain),
        ];
        Self { table, column: name, is_figure, row }
    }

    fn of_group(figure: GroupFigure) -> Self {
        let row = vec![
            json!(format!("rollup.{}", figure.name)),
            json!(figure.unit.name()),
            json!(figure.meaning),
            json!(figure.null_rule),
            json!(figure.kind.name()),
            json!(""),
            json!("one row per group"),
        ];
        Self { table: "rollup", column: figure.name, is_figure: false, row }
    }

    fn has_name(&self, name: &str) -> bool {
        name == self.column || name.split_once('.') == Some((self.table, &*self.column))
    }
}

/// All columns. Those that exist for each role and rule are listed once, behind `<role>` and `<rule>`.
fn catalogue() -> Vec<Listed> {
    let own = |column: &Column| column.definition.is_some();
    let of_tables = TABLES.into_iter().flat_map(|table| {
        let columns = table.columns.iter();
        columns
            .map(move |column| Listed::of_column(table.name, table.grain, column.name.to_owned(), column, own(column)))
    });
    let by_role = |name, column| Listed::of_column("calls_by_role", CALLS.grain, name, column, false);
    let file = CALLS.column("file").map(|column| by_role(column.name.to_owned(), column));
    let role = ["<role>".to_owned()];
    let of_roles = RoleColumn::of_roles(&role).map(|column| by_role(column.name(), column.figure));
    let of_groups = GroupFigure::of_table("<role>", "<rule>").into_iter().map(Listed::of_group);
    of_tables.chain(file).chain(of_roles).chain(of_groups).collect()
}

/// Runs `metrics`.
pub(super) fn run(args: &Args, format: Format, console: &Console) -> Result<Exit, Failure> {
    let all = catalogue();
    let rows: Vec<Vec<Value>> = match args.name.as_deref() {
        None => all.into_iter().filter(|listed| args.all || listed.is_figure).map(|listed| listed.row).collect(),
        Some(name) if all.iter().any(|listed| listed.table == name) => {
            let of_table: Vec<Listed> = all.into_iter().filter(|listed| listed.table == name).collect();
            // Of a table that is made of others all columns are shown.
            let has_figures = of_table.iter().any(|listed| listed.is_figure);
            let is_shown = |listed: &Listed| args.all || listed.is_figure || !has_figures;
            of_table.into_iter().filter(is_shown).map(|listed| listed.row).collect()
        }
        Some(name) => {
            let named = all.into_iter().filter(|listed| listed.has_name(name));
            let (tables, made): (Vec<_>, Vec<_>) =
                named.partition(|listed| TABLES.iter().any(|table| table.name == listed.table));
            let role = RoleColumn::from_name(name.strip_prefix("calls_by_role.").unwrap_or(name));
            let group = || GroupFigure::from_name(name.strip_prefix("rollup.").unwrap_or(name));
            // The sums of a roll-up are named as the columns that they are made of, which are meant.
            let mut found = if tables.is_empty() { made } else { tables };
            if found.is_empty() {
                found.extend(role.map(|column| {
                    Listed::of_column("calls_by_role", CALLS.grain, column.name(), column.figure, false)
                }));
            }
            if found.is_empty() {
                found.extend(group().map(Listed::of_group));
            }
            found.into_iter().map(|listed| listed.row).collect()
        }
    };
    if let Some(name) = args.name.as_deref().filter(|_| rows.is_empty()) {
        let tables = TABLES.map(|table| table.name).join(", ");
        return Err(Failure::Usage(format!(
            "no table or column {name:?}; the tables are {tables}, calls_by_role, rollup"
        )));
    }
    Listing { head: vec!["id", "unit", "formula", "null_rule", "type", "definition", "grain"], rows }
        .print(format, console)
}
