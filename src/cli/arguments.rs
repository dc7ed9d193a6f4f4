//! Flags of the service are read in front of the command as well as behind it.

use std::ffi::OsString;

use clap::Args;

use super::Global;
use super::connection::Connection;

/// The arguments of the process, with the flags of the service that stand in front of the command moved behind it: only some
/// commands have them.
pub(super) fn reordered(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let (service, global) = (flags_with_values::<Connection>(), flags_with_values::<Global>());
    let mut arguments = arguments.into_iter();
    let mut ordered: Vec<OsString> = arguments.next().into_iter().collect();
    let mut moved = Vec::new();
    while let Some(argument) = arguments.next() {
        let text = argument.to_string_lossy().into_owned();
        let Some(flag) = text.strip_prefix("--").filter(|flag| !flag.is_empty()) else {
            ordered.push(argument);
            if text.starts_with('-') && text != "--" {
                continue;
            }
            break;
        };
        let (name, has_value) = flag.split_once('=').map_or((flag, false), |(name, _)| (name, true));
        let is = |flags: &[String]| flags.iter().any(|flag| flag == name);
        let is_service = is(&service);
        let into = if is_service { &mut moved } else { &mut ordered };
        into.push(argument);
        if !has_value && (is_service || is(&global)) {
            into.extend(arguments.next());
        }
    }
    let rest: Vec<OsString> = arguments.collect();
    let end = rest.iter().position(|argument| argument == "--").unwrap_or(rest.len());
    let (flags, operands) = rest.split_at(end);
    ordered.extend(flags.iter().cloned().chain(moved).chain(operands.iter().cloned()));
    ordered
}

/// The long names of the flags that take a value.
fn flags_with_values<A: Args>() -> Vec<String> {
    let command = A::augment_args(clap::Command::new("flags"));
    let valued = command.get_arguments().filter(|flag| flag.get_action().takes_values());
    valued.filter_map(|flag| flag.get_long().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::reordered;

    fn read(line: &str) -> String {
        reordered(line.split(' ').map(Into::into)).join(" ".as_ref()).into_string().unwrap()
    }

    #[test]
    fn flags_of_the_service_go_behind_the_command() {
        assert_eq!(
            read("talkmeter --region cn --format json --timeout=9 -q transcribe a.wav -o out"),
            "talkmeter --format json -q transcribe a.wav -o out --region cn --timeout=9"
        );
        assert_eq!(read("talkmeter --workspace w task list -- x"), "talkmeter task list --workspace w -- x");
        // Behind the command everything stays, as does what is no flag of ours.
        for line in
            ["talkmeter", "talkmeter flash --region cn -- --region", "talkmeter --nonsense cn", "talkmeter --region"]
        {
            assert_eq!(read(line), line);
        }
    }
}
