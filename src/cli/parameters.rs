//! The flags of a recognition request: one for each parameter of the catalogue, and those that combine several values.

use std::path::Path;

use clap::{ArgAction, ArgMatches, FromArgMatches};
use serde_json::Value;

use super::inputs::read_text;
use crate::catalog::{Catalog, Kind, Parameter, Protocol};
use crate::client::{DIARIZATION, Hotword, LANGUAGE, Message, Recognition};
use crate::error::Result;
use crate::named_file::FileKind;

/// The heading of these flags.
const HEADING: &str = "Recognition options";

/// The flags that set one parameter, without dashes, and its wire names: they differ by protocol.
const FLAGS: &[(&str, &[&str])] = &[
    ("channel", &["channel_id"]),
    ("diarize", &DIARIZATION),
    ("speakers", &["speaker_count"]),
    ("language", &LANGUAGE),
    ("vocabulary", &["vocabulary_id"]),
    ("phrases", &["phrase_id"]),
    ("noise-threshold", &["speech_noise_threshold"]),
    ("remove-disfluency", &["disfluency_removal_enabled"]),
    ("align-timestamps", &["timestamp_alignment_enabled"]),
    ("audio-events", &["audio_event_detection_enabled"]),
    ("keep-dialect", &["keep_dialect"]),
    ("itn", &["enable_itn"]),
    ("words", &["enable_words"]),
];

/// The flag or flags that set a parameter, with dashes; `None` for those that `--param` alone sets.
pub(super) fn flag_of(key: &str) -> Option<String> {
    match key {
        "vocabulary" => Some("--hotword".to_owned()),
        "special_word_filter" => Some("--mask-word, --drop-word, --no-system-filter".to_owned()),
        _ => FLAGS.iter().find(|(_, keys)| keys.contains(&key)).map(|(flag, _)| format!("--{flag}")),
    }
}

/// A model and its recognition options, for batches.
#[derive(Debug, clap::Args)]
pub(super) struct RecognitionArgs {
    /// The model; `talkmeter models` lists them
    #[arg(long, default_value = "fun-asr", value_name = "NAME", help_heading = HEADING)]
    model: String,
    #[command(flatten)]
    options: RecognitionOptions,
}

/// Recognition options of any model.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = HEADING)]
pub(super) struct RecognitionOptions {
    #[command(flatten)]
    parameters: ParameterFlags,
    /// Hotword with a weight of 1 to 5 (50: super hotword; default 4); repeatable
    #[arg(long = "hotword", value_name = "WORD=WEIGHT", value_parser = hotword)]
    hotwords: Vec<(String, u32)>,
    /// Mask this word with asterisks; repeatable
    #[arg(long = "mask-word", value_name = "WORD")]
    mask_words: Vec<String>,
    /// Leave this word out of the text; repeatable
    #[arg(long = "drop-word", value_name = "WORD")]
    drop_words: Vec<String>,
    /// Do not mask the words of the service's own list
    #[arg(long)]
    no_system_filter: bool,
    /// Names and terms to expect, or what was said before; @FILE reads a file; repeatable
    #[arg(long, value_name = "TEXT|@FILE")]
    context: Vec<String>,
    /// Any other parameter by its wire name, as JSON; repeatable
    #[arg(long = "param", value_name = "KEY=JSON", value_parser = param)]
    params: Vec<(String, Value)>,
}

impl RecognitionArgs {
    /// The request, not yet checked against the catalogue. `note` gets lines about files that were read.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::Io`] for a context file that cannot be read.
    pub(super) fn recognition(&self, note: &dyn Fn(&str)) -> Result<Recognition> {
        self.options.recognition(&self.model, note)
    }
}

impl RecognitionOptions {
    /// The request to this model.
    ///
    /// # Errors
    ///
    /// As [`RecognitionArgs::recognition`].
    pub(super) fn recognition(&self, model: &str, note: &dyn Fn(&str)) -> Result<Recognition> {
        let mut request = Recognition::new(model);
        for (flag, value) in &self.parameters.0 {
            request = match (*flag, value.as_array()) {
                ("language", Some(codes)) => {
                    codes.iter().filter_map(Value::as_str).fold(request, Recognition::language)
                }
                _ => match parameter(flag, request.protocol()) {
                    Some(parameter) => request.parameter(parameter.key, value.clone()),
                    None => request,
                },
            };
        }
        request = self.hotwords.iter().fold(request, |request, (word, weight)| request.vocabulary(word, *weight));
        request = self.mask_words.iter().fold(request, |request, word| request.mask_word(word));
        request = self.drop_words.iter().fold(request, |request, word| request.drop_word(word));
        if self.no_system_filter {
            request = request.system_filter(false);
        }
        for text in &self.context {
            request = request.context(Message::user(context(text, note)?));
        }
        Ok(self.params.iter().fold(request, |request, (key, value)| request.parameter(key, value.clone())))
    }
}

/// A text, or the content of the file after `@` without its last line break.
fn context(text: &str, note: &dyn Fn(&str)) -> Result<String> {
    let Some(path) = text.strip_prefix('@') else { return Ok(text.to_owned()) };
    let read = read_text(Path::new(path), FileKind::Context, note)?;
    Ok(read.trim_end_matches(['\r', '\n']).to_owned())
}

fn hotword(text: &str) -> Result<(String, u32), String> {
    let Some((word, weight)) = text.rsplit_once('=') else { return Ok((text.to_owned(), Hotword::DEFAULT_WEIGHT)) };
    let weight = weight.trim().parse().map_err(|_| format!("`{weight}` is no weight: 1 to 5, or 50"))?;
    Ok((word.trim().to_owned(), weight))
}

fn param(text: &str) -> Result<(String, Value), String> {
    let (key, json) = text.split_once('=').ok_or("must be KEY=JSON, as in enable_words=true")?;
    if key.trim().is_empty() {
        return Err("needs a name before the `=`".to_owned());
    }
    let hint = "a text needs its quotes, as in 'key=\"text\"'";
    let value = serde_json::from_str(json).map_err(|error| format!("what follows `=` is no JSON ({error}); {hint}"))?;
    Ok((key.trim().to_owned(), value))
}

/// The values of [`FLAGS`] that were given: the flag without dashes, and its value.
#[derive(Debug, Clone, Default, PartialEq)]
struct ParameterFlags(Vec<(&'static str, Value)>);

/// Each flag with its wire names and the first parameter it may set, which stands for all in the help.
fn flags() -> impl Iterator<Item = (&'static str, &'static [&'static str], &'static Parameter)> {
    FLAGS.iter().filter_map(|(flag, keys)| Some((*flag, *keys, Parameter::named(keys.first()?)?)))
}

fn parameter(flag: &str, protocol: Protocol) -> Option<&'static Parameter> {
    let (_, keys) = FLAGS.iter().find(|(known, _)| *known == flag)?;
    Parameter::for_protocol(keys, protocol)
}

fn many(kind: Kind) -> bool {
    matches!(kind, Kind::Tracks | Kind::Languages)
}

impl clap::Args for ParameterFlags {
    fn augment_args(mut command: clap::Command) -> clap::Command {
        for (flag, keys, parameter) in flags() {
            let kind = parameter.kind;
            let arg = clap::Arg::new(flag).long(flag).help(help(keys, parameter)).help_heading(HEADING);
            command = command.arg(match kind {
                Kind::Switch => arg.action(ArgAction::SetTrue),
                _ => arg
                    .action(if many(kind) { ArgAction::Append } else { ArgAction::Set })
                    .value_name(value_name(kind))
                    .allow_negative_numbers(true)
                    .value_parser(move |text: &str| kind.read(text)),
            });
        }
        command
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

/// The meaning as a sentence, and the families of models that take it where they are one or two.
fn help(keys: &[&str], parameter: &Parameter) -> String {
    let meaning = parameter.meaning;
    let (first, rest) = meaning.split_at(meaning.chars().next().map_or(0, char::len_utf8));
    let mut families: Vec<&str> = Vec::new();
    for model in Catalog::builtin().models() {
        if keys.iter().any(|key| model.takes(key)) && !families.contains(&&model.family[..]) {
            families.push(&model.family);
        }
    }
    let only = if families.len() <= 2 { format!(" [{}]", families.join(", ")) } else { String::new() };
    let more = if many(parameter.kind) { "; repeatable, or separated by commas" } else { "" };
    format!("{}{rest}{more}{only}", first.to_uppercase())
}

fn value_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Whole(..) => "COUNT",
        Kind::Number => "NUMBER",
        Kind::Language | Kind::Languages => "CODE",
        Kind::Tracks => "0,1",
        _ => "ID",
    }
}

impl FromArgMatches for ParameterFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut given = Vec::new();
        for (flag, _, parameter) in flags() {
            if parameter.kind == Kind::Switch {
                given.extend(matches.get_flag(flag).then_some((flag, Value::Bool(true))));
            } else if many(parameter.kind) {
                let lists = matches.get_many::<Value>(flag).into_iter().flatten();
                let all: Vec<Value> = lists.filter_map(Value::as_array).flatten().cloned().collect();
                given.extend((!all.is_empty()).then(|| (flag, Value::from(all))));
            } else {
                given.extend(matches.get_one::<Value>(flag).map(|value| (flag, value.clone())));
            }
        }
        Ok(Self(given))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        recognition: RecognitionArgs,
    }

    fn request(arguments: &[&str]) -> Value {
        let line = Line::try_parse_from(["it"].iter().chain(arguments)).unwrap_or_else(|error| panic!("{error}"));
        line.recognition.recognition(&|_| ()).unwrap().to_json()
    }

    fn refused(arguments: &[&str]) -> String {
        Line::try_parse_from(["it"].iter().chain(arguments)).unwrap_err().to_string()
    }

    #[test]
    fn each_flag_sets_its_parameter() {
        for (arguments, parameters) in [
            (&[][..], json!({})),
            (&["--channel", "0,1"], json!({"channel_id": [0, 1]})),
            (&["--channel", "0", "--channel", "1"], json!({"channel_id": [0, 1]})),
            (&["--diarize", "--speakers", "2"], json!({"diarization_enabled": true, "speaker_count": 2})),
            (&["--language", "zh,en", "--language", "ja"], json!({"language_hints": ["zh", "en", "ja"]})),
            (&["--vocabulary", "vocab-a-1"], json!({"vocabulary_id": "vocab-a-1"})),
            (&["--hotword", "etcd", "--hotword", "a=b=5"], json!({"vocabulary": {"etcd": 4, "a=b": 5}})),
            (
                &["--mask-word", "a", "--drop-word", "b", "--no-system-filter"],
                json!({"special_word_filter": "{\"filter_with_signed\":{\"word_list\":[\"a\"]},\
                    \"filter_with_empty\":{\"word_list\":[\"b\"]},\"system_reserved_filter\":false}"}),
            ),
            (&["--noise-threshold", "-0.5"], json!({"speech_noise_threshold": -0.5})),
            (&["--remove-disfluency"], json!({"disfluency_removal_enabled": true})),
            (&["--align-timestamps"], json!({"timestamp_alignment_enabled": true})),
            (&["--keep-dialect"], json!({"keep_dialect": true})),
            (&["--param", "brand_new={\"a\": 1}"], json!({"brand_new": {"a": 1}})),
            (
                &["--model", "qwen3-asr-flash-filetrans", "--language", "en", "--itn", "--words"],
                json!({"language": "en", "enable_itn": true, "enable_words": true}),
            ),
            (&["--model", "qwen-audio-3.1-asr-flash", "--diarize"], json!({"speaker_diarization_enabled": true})),
        ] {
            assert_eq!(request(arguments)["parameters"], parameters, "{arguments:?}");
        }
        assert_eq!(request(&[])["model"], "fun-asr");
    }

    #[test]
    fn help_names_the_models_that_alone_take_a_flag() {
        let help = <Line as clap::CommandFactory>::command().term_width(200).render_help().to_string();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for line in [
            "--remove-disfluency Drop filler words [Paraformer]",
            "--speakers <COUNT> How many speakers to expect, 2 to 100; a hint that needs diarization --language",
            "[default: fun-asr]",
        ] {
            assert!(help.contains(line), "{help}");
        }
    }

    #[test]
    fn context_comes_from_the_line_or_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "kubelet\netcd\r\n").unwrap();
        let way = format!("@{}", file.path().display());
        let context = request(&["--context", "Keiko", "--context", &way])["context"].clone();
        assert_eq!(context, json!([{"role": "user", "text": "Keiko"}, {"role": "user", "text": "kubelet\netcd"}]));
        let missing = Line::try_parse_from(["it", "--context", "@/nowhere"]).unwrap();
        assert!(
            missing
                .recognition
                .recognition(&|_| ())
                .unwrap_err()
                .to_string()
                .starts_with("cannot read the context /nowhere")
        );
    }

    #[test]
    fn a_value_that_makes_no_sense_is_refused_by_name() {
        for (arguments, said) in [
            (["--channel", "0,0"], "must be one or more track numbers"),
            (["--speakers", "1"], "must be a whole number from 2 to 100"),
            (["--noise-threshold", "loud"], "must be a number"),
            (["--language", "zh,"], "must be language codes such as zh,en"),
            (["--hotword", "etcd=heavy"], "`heavy` is no weight"),
            (["--param", "a"], "must be KEY=JSON"),
            (["--param", "a=text"], "a text needs its quotes"),
            (["--param", "=1"], "needs a name"),
        ] {
            let error = refused(&arguments);
            assert!(error.contains(said) && error.contains(arguments[0]), "{error}");
        }
    }
}
