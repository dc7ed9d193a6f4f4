//! `completions`: scripts for shells, which know the values of the catalogues.

use clap::builder::PossibleValuesParser;
use clap::{Arg, Command};
use clap_complete::Shell;

use super::Exit;
use super::analyze::{BESIDE_TABLES, TABLE_FORMATS};
use super::output::{Console, Failure};
use crate::catalog::Catalog;
use crate::export;
use crate::metrics::catalogue::{Aggregate, CALLS, TABLES, Use};
use crate::transcript::SourceFormat;

/// Prints the script for a shell.
pub(super) fn run(shell: Shell, mut command: Command, console: &Console) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    // Each command is built when it is asked for.
    command.build();
    clap_complete::generate(shell, &mut with_values(command), "talkmeter", &mut script);
    console.data(&script)
}

/// The command whose arguments take the values of the catalogues alone. What is newer than a catalogue is still accepted:
/// this command is not the one that parses.
fn with_values(command: Command) -> Command {
    let name = command.get_name().to_owned();
    command.mut_args(|arg| with_own_values(&name, arg)).mut_subcommands(with_values)
}

fn with_own_values(command: &str, arg: Arg) -> Arg {
    let tables = || TABLES.iter().map(|table| table.name.to_owned());
    let ranked = || CALLS.columns_for(Use::Ranked).into_iter().map(|column| column.name.to_owned());
    let values: Vec<String> = match (command, arg.get_id().as_str()) {
        (_, "model") | ("models", "names") => {
            Catalog::builtin().models().iter().map(|model| model.name.clone()).collect()
        }
        ("metrics", "name") => {
            let columns = TABLES.iter().flat_map(|table| {
                let defined = table.columns.iter().filter(|column| column.definition.is_some());
                defined.map(|column| format!("{}.{}", table.name, column.name))
            });
            let made_of_others = ["calls_by_role", "rollup"].map(str::to_owned);
            tables().chain(made_of_others).chain(columns).collect()
        }
        (_, "only") => tables().chain(BESIDE_TABLES.map(str::to_owned)).collect(),
        ("export", "to") => export::Format::ALL.map(|format| format.name().to_owned()).to_vec(),
        (_, "from") => SourceFormat::all().map(|format| format.name().to_owned()).collect(),
        (_, "tables") => TABLE_FORMATS.map(str::to_owned).to_vec(),
        (_, "by") => ranked().collect(),
        (_, "sort") => {
            let of_groups = Aggregate::of_calls().map(|(column, made)| format!("{}{}", column.name, made.suffix()));
            let mut columns: Vec<String> = ranked().chain(["call_count".to_owned()]).collect();
            for column in of_groups {
                if !columns.contains(&column) {
                    columns.push(column);
                }
            }
            columns
        }
        _ => return arg,
    };
    arg.value_parser(PossibleValuesParser::new(values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_know_the_catalogues() {
        let mut command = super::super::command();
        command.build();
        let command = with_values(command);
        let values = |path: &[&str], id: &str| -> Vec<String> {
            let find = |command: &Command, name: &&str| command.find_subcommand(name).unwrap().clone();
            let command = path.iter().fold(command.clone(), |command, name| find(&command, name));
            let arg = command.get_arguments().find(|arg| arg.get_id() == id).unwrap();
            arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect()
        };
        for path in [&["transcribe"][..], &["flash"], &["analyze"], &["cost", "estimate"], &["vocab", "create"]] {
            assert!(values(path, "model").contains(&"fun-asr".to_owned()), "{path:?}");
        }
        assert!(values(&["models"], "names").contains(&"paraformer-v2".to_owned()));
        for column in ["dead_air_ms", "dead_air_ms_per_call", "units_per_min_p50", "call_count"] {
            assert!(values(&["analyze"], "sort").contains(&column.to_owned()), "{column}");
        }
        assert!(values(&["analyze"], "only").contains(&"rollup".to_owned()));
        assert!(values(&["analyze"], "tables").contains(&"xlsx".to_owned()));
        assert!(values(&["check"], "from").contains(&"webvtt".to_owned()));
        assert!(values(&["report"], "by").contains(&"dead_air_ms".to_owned()));
        let metrics = values(&["metrics"], "name");
        assert!(metrics.contains(&"participants".to_owned()) && metrics.contains(&"calls.silence_ratio".to_owned()));
    }
}
