//! Flags that say how to measure: the parameters, made from their one table, roles and keywords.

use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{ArgMatches, FromArgMatches};

use super::inputs::read_text;
use super::output::{Console, Failure};
use crate::metrics::keywords::Keywords;
use crate::metrics::{LONGEST_WINDOW_MS, Parameters, Preset, Roles, Settings};
use crate::named_file::FileKind;
use crate::text::Markers;

const LARGEST: i64 = Parameters::LARGEST;

/// How to measure.
#[derive(Debug, clap::Args)]
pub(super) struct SettingsFlags {
    /// Name participants: ch0=agent,ch1=customer. Two labels with one role become one participant
    #[arg(long = "role", value_name = "PARTICIPANT=ROLE")]
    roles: Vec<Roles>,
    /// Look for a word or phrase, or a /regex/; `TERM ! EXCLUSION` leaves out hits inside the exclusion
    #[arg(long = "keyword", value_name = "TERM")]
    keywords: Vec<String>,
    /// File of keywords, one per line; blank lines and lines that start with # are skipped
    #[arg(long = "keywords", value_name = "FILE")]
    keywords_file: Option<PathBuf>,
    /// Length of a window: 60s, 5m, 1h or 1500ms
    #[arg(long, value_name = "LENGTH", default_value = "60s", value_parser = window)]
    window: i64,
    // Not as a doc comment: rustdoc would read a link and a tag.
    #[arg(long, help = "Count markers such as [PII] and <unk> as words")]
    keep_markers: bool,
    /// The model that made the transcripts; a result file does not name it
    #[arg(long)]
    model: Option<String>,
    /// The region it ran in
    // A text like the global flag of the same name, which clap requires; it is parsed once, below.
    #[arg(long, value_parser = ["intl", "cn", "us", "hk", "eu", "jp"])]
    region: Option<String>,
    #[command(flatten)]
    parameters: ParameterFlags,
}

impl SettingsFlags {
    /// Whether any of them was given. The region does not count, as it is a flag of every command.
    pub(super) fn are_given(&self) -> bool {
        self.parameters.are_given
    }

    /// Reads the keyword file and puts everything together.
    pub(super) fn settings(self, console: &Console) -> Result<Settings, Failure> {
        let keywords = match &self.keywords_file {
            None if self.keywords.is_empty() => None,
            None => Some(Keywords::new(&self.keywords)),
            Some(path) => {
                let text = read_text(path, FileKind::Keywords, &|note| console.note(note))?;
                Some(Keywords::read(&self.keywords, &text))
            }
        };
        let keywords = keywords.transpose().map_err(|error| Failure::Usage(error.to_string()))?;
        for (term, searched) in keywords.iter().flat_map(Keywords::dulled) {
            console
                .note(&format!("keyword `{term}` is searched as `{searched}`: punctuation at its ends plays no role"));
        }
        let mut roles = Roles::default();
        self.roles.into_iter().try_for_each(|more| roles.extend(more)).map_err(Failure::refused)?;
        Ok(Settings {
            preset: self.parameters.preset,
            parameters: self.parameters.thresholds,
            roles,
            keywords,
            window_ms: self.window,
            markers: if self.keep_markers { Markers::Keep } else { Markers::Drop },
            model: self.model,
            region: self.region.map(|name| name.parse()).transpose()?,
        })
    }
}

/// The length of a window; a bare number is seconds.
fn window(text: &str) -> Result<i64, String> {
    let wanted = || "a length such as 60s, 5m, 1h or 1500ms, from 1 ms to a day".to_owned();
    length_ms(text, 1000).filter(|length| (1..=LONGEST_WINDOW_MS).contains(length)).ok_or_else(wanted)
}

/// A parameter in milliseconds; a bare number is that.
fn milliseconds(text: &str) -> Result<i64, String> {
    let wanted = || "a length such as 2000, 2s or 1.5s, from 0 to a year".to_owned();
    length_ms(text, 1).filter(|length| (0..=LARGEST).contains(length)).ok_or_else(wanted)
}

/// `1500ms`, `1.5s`, `5m`, `1h` in whole milliseconds; `bare` is how many a number without a unit counts for.
fn length_ms(text: &str, bare: u32) -> Option<i64> {
    let text = text.trim();
    let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];
    let known = units.into_iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)));
    let (number, factor) = known.unwrap_or((text, bare));
    let length = number.trim_end().parse::<rust_decimal::Decimal>().ok()?.checked_mul(factor.into())?;
    length.is_integer().then(|| i64::try_from(length).ok()).flatten()
}

/// `--definition`, and a flag for each of [`Parameters::LIST`].
#[derive(Debug, Clone, Copy)]
struct ParameterFlags {
    preset: Preset,
    thresholds: Parameters,
    /// Whether one of these flags, or of the others of [`SettingsFlags`], was given.
    are_given: bool,
}

/// The ids of the other flags of [`SettingsFlags`].
const OTHER_FLAGS: [&str; 6] = ["roles", "keywords", "keywords_file", "window", "keep_markers", "model"];

fn parser(unit: &str) -> clap::builder::ValueParser {
    if unit == "ms" { milliseconds.into() } else { clap::value_parser!(i64).range(0..=LARGEST).into() }
}

fn flag(name: &str) -> String {
    name.replace('_', "-")
}

impl clap::Args for ParameterFlags {
    fn augment_args(mut command: clap::Command) -> clap::Command {
        command = command.arg(
            clap::Arg::new("definition")
                .long("definition")
                .value_name("NAME")
                .value_parser(clap::value_parser!(Preset))
                .help_heading("Parameters of the figures")
                .help("How overlap onsets are classified: default, strict, sca, cam; sets the thresholds below"),
        );
        for parameter in Parameters::LIST {
            let default = match parameter.name {
                "turn_pause_ms" => "dead-air-ms".to_owned(),
                _ => format!("{} {}", parameter.default, parameter.unit),
            };
            let help = format!("{} [default: {default}]", parameter.meaning);
            command = command.arg(
                clap::Arg::new(parameter.name)
                    .long(flag(parameter.name))
                    .value_name(parameter.unit.to_uppercase())
                    .value_parser(parser(parameter.unit))
                    .allow_negative_numbers(true)
                    .help_heading("Parameters of the figures")
                    .help(help),
            );
        }
        command
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ParameterFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let preset = matches.get_one::<Preset>("definition").copied().unwrap_or_default();
        let thresholds = preset.parameters_with(|name| matches.get_one::<i64>(name).copied());
        let names = Parameters::LIST.iter().map(|parameter| parameter.name).chain(OTHER_FLAGS);
        let is_given = |name| matches.value_source(name) == Some(ValueSource::CommandLine);
        Ok(Self { preset, thresholds, are_given: names.chain(["definition"]).any(is_given) })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
