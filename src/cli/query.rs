//! `query`: SQL over stored tables.

use std::path::PathBuf;

use serde_json::Value;

use super::Exit;
use super::output::{Console, Failure, Format, Listing};
use super::stores::{TableFolders, local_path};
use crate::disk;
use crate::report::number::counted;
use crate::tables::{Figure, Query, cells, write_frame};

const EXAMPLES: &str = "\
Examples:
  talkmeter query out \"select file, units from calls order by 2 desc limit 9\"
  talkmeter query out \"select team, avg(dead_air_ms) from calls group by team\"
  talkmeter query may june \"select dir, sum(units) from calls group by dir\"
  talkmeter query out \"select * from turns where units > 100\" -o long.parquet

Tables are named as their files in DIR: calls, participants, calls_by_role, events, … Several folders
are read as one, with a column dir. `talkmeter metrics --all` lists tables and columns.";

/// Arguments of `query`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Folders of tables; or s3://, gs://, az://, oss://
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// A SELECT over the tables
    #[arg(required = true, value_name = "SQL")]
    sql: String,
    /// Write the rows to this file: .parquet, .csv or .jsonl [default: print them]
    #[arg(short, long, value_name = "FILE", value_parser = local_path())]
    output: Option<PathBuf>,
}

/// Runs `query`.
pub(super) fn run(args: &Args, format: Format, console: &Console) -> Result<Exit, Failure> {
    let folders = TableFolders::new(&args.folders, console)?;
    let answer = Query::open(&folders.paths)?.run(&args.sql)?;
    if let Some(output) = &args.output {
        disk::make_folder_of(output)?;
        write_frame(output, &answer)?;
        console.note(&format!("{} written: {}", output.display(), counted(answer.height() as u64, "row")));
        return Ok(Exit::Done);
    }
    let value = |cell: &Option<Figure>| match cell {
        // People need no more digits.
        Some(Figure::Number(number)) if format == Format::Table => Value::from((number * 1000.0).round() / 1000.0),
        Some(figure) => Value::from(figure),
        None => Value::Null,
    };
    let rows = cells(&answer)?.iter().map(|row| row.iter().map(value).collect()).collect();
    let head = answer.get_column_names().into_iter().map(ToString::to_string).collect();
    Listing { head, rows }.print(format, console)
}
