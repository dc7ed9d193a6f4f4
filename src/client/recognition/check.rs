//! Checks a request against the catalogue before it leaves: refusals, and warnings about what the service would do silently.

use serde_json::Value;
use url::Url;

use super::message::{MOST_CONTEXT_CHARACTERS, MOST_CONTEXT_ITEMS};
use super::{Author, Message, Recognition};
use crate::catalog::{
    Catalog, Kind, MOST_HOTWORDS, Model, Parameter, Protocol, Region, SUPER_WEIGHT, check_hotword, nearest,
};
use crate::client::warning::Warning;
use crate::error::{Check, Error, Result};

impl Recognition {
    /// Checks a request for an asynchronous task. The warnings name what the service would ignore or cut silently, and what
    /// no page documents.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::InvalidInput`], with an [`Error::check`], for a model that is unknown, needs another kind of call
    /// or is not offered in the region; a parameter the model does not take, or not with this value or next to another;
    /// context for a model that takes none.
    pub fn check(&self, catalog: &Catalog, region: Region) -> Result<Vec<Warning>> {
        let model = self.catalogued(catalog)?;
        if !model.protocol.is_task() {
            return refuse(Check::FlashModel, format!("{} is a flash model: it answers at once", model.name));
        }
        self.check_for(catalog, model, region)
    }

    /// The same for a synchronous call.
    ///
    /// # Errors
    ///
    /// As [`Recognition::check`].
    pub fn check_flash(&self, catalog: &Catalog, region: Region) -> Result<Vec<Warning>> {
        let model = self.catalogued(catalog)?;
        if model.protocol.is_task() {
            return refuse(Check::TaskModel, format!("{} takes asynchronous tasks, no flash calls", model.name));
        }
        self.check_for(catalog, model, region)
    }

    /// Checks the addresses of the recordings of one task.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::InvalidInput`] for no URL, more than the model takes, or anything but http, https and oss.
    pub fn check_urls(&self, catalog: &Catalog, urls: &[&str]) -> Result<Vec<Warning>> {
        let mut warnings = Vec::new();
        let count = urls.len();
        if count == 0 {
            return Err(Error::invalid("a task needs at least one URL"));
        }
        let limits = catalog.model(&self.model).map(|model| model.limits);
        let single = self.protocol() == Protocol::QwenTask;
        let most = limits.map_or(if single { 1 } else { 100 }, |limits| limits.files_per_task);
        if count > most {
            let model = &self.model;
            return refuse(
                Check::FilesPerTask,
                if most == 1 {
                    format!("{model} takes exactly one URL per task, not {count}")
                } else {
                    format!("{model} takes up to {most} URLs per task, not {count}")
                },
            );
        }
        if let Some(now) = limits.map(|limits| limits.files_per_task_now).filter(|now| count > *now && count > 1) {
            let documented = if now == 1 { "one URL".to_owned() } else { format!("{now} URLs") };
            warnings.push(Warning::about(
                Check::FilesPerTask,
                format!("{count} URLs per task: older pages allow {most}, current ones document {documented}"),
            ));
        }
        for url in urls {
            warnings.extend(check_url(url)?.map(Warning::new));
        }
        Ok(warnings)
    }

    fn catalogued<'a>(&self, catalog: &'a Catalog) -> Result<&'a Model> {
        match catalog.model(&self.model) {
            None if Protocol::by_name(&self.model).is_none() => {
                let shown: String = self.model.chars().take(80).collect();
                Err(Error::invalid(format!(
                    "{shown} takes live audio over WebSocket, which talkmeter does not speak: use fun-asr"
                )))
            }
            _ => catalog.require(&self.model),
        }
    }

    fn check_for(&self, catalog: &Catalog, model: &Model, region: Region) -> Result<Vec<Warning>> {
        let mut warnings = Vec::new();
        model.check_region(region)?;
        for (key, value) in &self.parameters {
            match Parameter::named(key) {
                Some(parameter) => check_value(catalog, model, parameter, value)?,
                None => warnings.push(unknown_parameter(key)),
            }
        }
        self.check_speakers()?;
        self.check_hotwords(model, &mut warnings)?;
        self.check_languages(model, &mut warnings);
        self.check_numbers(&mut warnings);
        self.check_context(catalog, model, &mut warnings)?;
        Ok(warnings)
    }

    /// Why only one track of a recording can be requested; `None` if any number can.
    ///
    /// ```
    /// use talkmeter::{catalog::Catalog, client::Recognition};
    ///
    /// let request = Recognition::new("fun-asr");
    /// assert_eq!(request.one_track(Catalog::builtin()), None);
    /// let why = request.diarize(true).one_track(Catalog::builtin());
    /// assert_eq!(why.as_deref(), Some("diarization works on one track"));
    /// ```
    #[must_use]
    pub fn one_track(&self, catalog: &Catalog) -> Option<String> {
        let takes = catalog.model(&self.model).is_none_or(|model| model.takes("channel_id"));
        match takes {
            false => Some(format!("{} takes no choice of tracks", self.model)),
            true if self.diarized() => Some("diarization works on one track".to_owned()),
            true => None,
        }
    }

    pub(crate) fn diarized(&self) -> bool {
        self.on("diarization_enabled") || self.on("speaker_diarization_enabled")
    }

    fn on(&self, key: &str) -> bool {
        self.get(key) == Some(&Value::Bool(true))
    }

    fn check_speakers(&self) -> Result<()> {
        let diarized = self.diarized();
        if self.get("speaker_count").is_some() && !diarized {
            return refuse(
                Check::Parameter("diarization_enabled"),
                "speaker_count needs diarization: turn it on".to_owned(),
            );
        }
        let tracks = self.tracks().len();
        if diarized && tracks > 1 {
            return refuse(
                Check::Parameter("channel_id"),
                format!(
                    "diarization works on one track, not on {tracks}: request one track, or no diarization if each \
                     speaker has a track"
                ),
            );
        }
        Ok(())
    }

    fn check_hotwords(&self, model: &Model, warnings: &mut Vec<Warning>) -> Result<()> {
        let Some(words) = self.get("vocabulary").and_then(Value::as_object) else { return Ok(()) };
        let about = Check::Parameter("vocabulary");
        let mut supers = 0;
        for (word, weight) in words {
            let weight = weight.as_u64().unwrap_or(0);
            check_hotword(word, weight, model.super_hotwords > 0).map_err(|error| error.with_check(about))?;
            supers += usize::from(weight == u64::from(SUPER_WEIGHT));
        }
        if supers > model.super_hotwords {
            return refuse(
                about,
                format!(
                    "{supers} hotwords have weight {SUPER_WEIGHT}, {} takes {}: give the others 1 to 5",
                    model.name, model.super_hotwords
                ),
            );
        }
        if words.len() > MOST_HOTWORDS {
            warnings.push(Warning::about(
                about,
                format!("{} hotwords: the service picks {MOST_HOTWORDS} of them at random", words.len()),
            ));
        }
        Ok(())
    }

    fn check_languages(&self, model: &Model, warnings: &mut Vec<Warning>) {
        let codes: Vec<&str> = match self.get("language_hints").or_else(|| self.get("language")) {
            Some(Value::Array(codes)) => codes.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(code)) => vec![code],
            _ => return,
        };
        let name = &model.name;
        let about = Check::Parameter("language_hints");
        if let Some(counted) = model.languages_counted.filter(|counted| codes.len() > *counted) {
            let (first, rest) = codes.split_at(counted);
            let only = if counted == 1 { "only the first language" } else { "only the first languages" };
            let (first, rest) = (first.join(", "), rest.join(", "));
            warnings.push(Warning::about(about, format!("{name} uses {only}: {first}; the service ignores {rest}")));
        }
        let listed = &model.languages;
        for code in codes.iter().filter(|code| !listed.is_empty() && !listed.iter().any(|known| known == *code)) {
            let message = format!("`{code}` is not among the languages listed for {name}: sent as given");
            warnings.push(Warning::about(about, message));
        }
        for (key, languages) in [("enable_itn", &model.itn_languages), ("enable_words", &model.word_languages)] {
            let outside = |code: &&&str| !languages.iter().any(|known| known == **code);
            if let (true, false, Some(code)) = (self.on(key), languages.is_empty(), codes.iter().find(outside)) {
                let languages = languages.join(", ");
                let message = format!("{key} works for {languages}: no effect is documented for {code}");
                warnings.push(Warning::about(Check::Parameter(key), message));
            }
        }
        if self.on("speaker_diarization_enabled") {
            warnings.push(Warning::about(about, "language_hints have no effect with diarization"));
        }
    }

    fn check_numbers(&self, warnings: &mut Vec<Warning>) {
        let threshold = self.get("speech_noise_threshold").and_then(Value::as_f64);
        if let Some(threshold) = threshold.filter(|threshold| !(-1.0..=1.0).contains(threshold)) {
            warnings.push(Warning::about(
                Check::Parameter("speech_noise_threshold"),
                format!(
                    "speech_noise_threshold is {threshold}: the only documented range, of a sibling product, is -1 to 1"
                ),
            ));
        }
        if self.on("speaker_diarization_enabled") && self.on("keep_dialect") {
            warnings
                .push(Warning::about(Check::Parameter("keep_dialect"), "keep_dialect has no effect with diarization"));
        }
    }

    fn check_context(&self, catalog: &Catalog, model: &Model, warnings: &mut Vec<Warning>) -> Result<()> {
        let name = &model.name;
        if self.context.is_empty() {
            return Ok(());
        }
        if !model.context {
            let others = alternatives(catalog, model, |other| other.context);
            return refuse(Check::Context, format!("{name} takes no context{}", instead(&others)));
        }
        if model.protocol == Protocol::QwenFlash {
            let dialogue = self.context.iter().any(|message| message.author == Author::Assistant);
            return if dialogue {
                refuse(
                    Check::Dialogue,
                    format!("{name} takes text as context, no replies of an assistant: leave them out"),
                )
            } else {
                Ok(())
            };
        }
        warnings.extend(dropped(&self.context));
        Ok(())
    }
}

/// What the service would silently drop or cut from a context: it keeps the last five items of each side, and 400 characters
/// per turn.
pub(in crate::client) fn dropped(context: &[Message]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for (author, title) in [(Author::User, "user"), (Author::Assistant, "assistant")] {
        let count = context.iter().filter(|message| message.author == author).count();
        if count > MOST_CONTEXT_ITEMS {
            warnings.push(Warning::new(format!(
                "{count} {title} items of context: the service keeps the last {MOST_CONTEXT_ITEMS} and drops the rest"
            )));
        }
    }
    for (index, length) in turns(context).into_iter().enumerate() {
        if length > MOST_CONTEXT_CHARACTERS {
            warnings.push(Warning::new(format!(
                "turn {} of the context has {length} characters: the service cuts it at {MOST_CONTEXT_CHARACTERS}",
                index + 1
            )));
        }
    }
    warnings
}

fn refuse<T>(check: Check, why: String) -> Result<T> {
    Err(Error::invalid(why).with_check(check))
}

/// Characters of each turn: a user item and the assistant item that follows it.
fn turns(context: &[Message]) -> Vec<usize> {
    let mut turns = Vec::new();
    let mut open = false;
    for message in context {
        let length = message.text.chars().count();
        match turns.last_mut() {
            Some(turn) if open && message.author == Author::Assistant => *turn += length,
            _ => turns.push(length),
        }
        open = message.author == Author::User;
    }
    turns
}

fn check_value(catalog: &Catalog, model: &Model, parameter: &'static Parameter, value: &Value) -> Result<()> {
    let key = parameter.key;
    let refuse = |why| refuse(Check::Parameter(key), why);
    if !model.takes(key) {
        let others = alternatives(catalog, model, |other| other.takes(key));
        return refuse(format!("{} does not take {key}{}", model.name, instead(&others)));
    }
    match parameter.kind.check(value) {
        Ok(()) => Ok(()),
        Err(_) if matches!(parameter.kind, Kind::Language) && value.is_array() => {
            refuse(format!("{} takes one language, not several", model.name))
        }
        Err(wanted) => refuse(format!("{key} {wanted}")),
    }
}

/// Up to four other models of the same kind of call that fit; snapshots left out.
fn alternatives<'a>(catalog: &'a Catalog, model: &Model, fits: impl Fn(&Model) -> bool) -> Vec<&'a str> {
    let has_alias = |name: &str| catalog.models().iter().any(|other| other.same_as.as_deref() == Some(name));
    let other = |other: &&Model| other.protocol.is_task() == model.protocol.is_task() && fits(other);
    let names = catalog.models().iter().filter(other).map(|other| &other.name[..]);
    names.filter(|name| !has_alias(name)).take(4).collect()
}

fn instead(others: &[&str]) -> String {
    match others {
        [] => ": leave it out".to_owned(),
        [one] => format!(": leave it out, or use {one}"),
        [many @ .., last] => format!(": leave it out, or use {} or {last}", many.join(", ")),
    }
}

fn unknown_parameter(key: &str) -> Warning {
    let shown: String = key.chars().take(60).collect();
    let near = nearest::nearest(key, crate::catalog::PARAMETERS.iter().map(|parameter| parameter.key));
    let meant = near.first().map_or_else(String::new, |near| format!("; did you mean {near}?"));
    Warning::new(format!("parameter `{shown}` is not in the catalogue: sent as given{meant}"))
}

/// An address without what may be secret: user name, password and query.
fn shown(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let bare = url.split_once("://").map_or_else(
        || url.to_owned(),
        |(scheme, rest)| {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            format!("{scheme}://{}{path}", host.rsplit('@').next().unwrap_or_default())
        },
    );
    bare.chars().take(200).collect()
}

fn check_url(url: &str) -> Result<Option<String>> {
    if url.starts_with("data:") {
        return refuse(Check::DataUri, "a task takes no data URI: upload the recording".to_owned());
    }
    let parsed = match Url::parse(url) {
        Ok(parsed) if matches!(parsed.scheme(), "http" | "https" | "oss") && parsed.has_host() => parsed,
        Ok(_) | Err(_) => return Err(Error::invalid(format!("`{}` is not an http, https or oss URL", shown(url)))),
    };
    // The service fetches the address as given; a URL parser would encode what the service does not.
    let raw = url.chars().any(|c| c == ' ' || !c.is_ascii());
    Ok(raw.then(|| {
        let encoded = shown(parsed.as_str());
        format!("{} is not percent-encoded, the service may fail to fetch it: write {encoded}", shown(url))
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const URL: &str = "https://example.org/meeting.mp3";

    fn request(model: &str) -> Recognition {
        Recognition::new(model)
    }

    fn lines(warnings: Vec<Warning>) -> Vec<String> {
        warnings.iter().map(ToString::to_string).collect()
    }

    #[track_caller]
    fn refused(request: Recognition, region: Region, said: &str) {
        assert_eq!(request.check(Catalog::builtin(), region).unwrap_err().to_string(), said);
    }

    #[test]
    fn every_refusal_says_what_to_do() {
        use Region::{Cn, Hk, Intl, Us};
        let fun = || request("fun-asr");
        let qwen = || request("qwen-audio-3.1-asr-flash-filetrans");
        for (request, region, said) in [
            (request("funasr"), Intl, "no model `funasr` in the catalogue: did you mean fun-asr?"),
            (request("whisper-1"), Intl, "no model `whisper-1` in the catalogue"),
            (
                request("fun-asr-flash-2026-06-15"),
                Intl,
                "fun-asr-flash-2026-06-15 is a flash model: it answers at once",
            ),
            (request("qwen3-asr-flash"), Intl, "qwen3-asr-flash is a flash model: it answers at once"),
            (request("fun-asr-realtime"), Cn, "fun-asr-realtime is a flash model: it answers at once"),
            (
                request("paraformer-realtime-v2"),
                Cn,
                "paraformer-realtime-v2 takes live audio over WebSocket, which talkmeter does not speak: use fun-asr",
            ),
            (request("paraformer-v2"), Intl, "paraformer-v2 is not offered in intl: it is in cn"),
            (fun(), Us, "fun-asr is not offered in us: it is in intl, cn"),
            (qwen(), Hk, "qwen-audio-3.1-asr-flash-filetrans is not offered in hk: it is in intl, cn"),
            (
                fun().keep_dialect(true),
                Intl,
                "fun-asr does not take keep_dialect: leave it out, or use qwen-audio-3.1-asr-flash-filetrans",
            ),
            (
                fun().remove_disfluency(true),
                Intl,
                "fun-asr does not take disfluency_removal_enabled: leave it out, or use paraformer-v2, \
                 paraformer-8k-v2, paraformer-v1 or paraformer-8k-v1",
            ),
            (
                fun().vocabulary("etcd", 4),
                Intl,
                "fun-asr does not take vocabulary: leave it out, or use qwen-audio-3.1-asr-flash-filetrans or \
                 qwen-audio-3.0-asr-flash-filetrans",
            ),
            (
                request("paraformer-8k-v2").language("zh"),
                Cn,
                "paraformer-8k-v2 does not take language_hints: leave it out, or use fun-asr, \
                 fun-asr-2025-08-25, fun-asr-mtl or qwen-audio-3.1-asr-flash-filetrans",
            ),
            (
                request("qwen3-asr-flash-filetrans").diarize(true),
                Intl,
                "qwen3-asr-flash-filetrans does not take diarization_enabled: leave it out, or use fun-asr, \
                 fun-asr-2025-08-25, fun-asr-mtl or qwen-audio-3.1-asr-flash-filetrans",
            ),
            (
                request("qwen3-asr-flash-filetrans").language("zh").language("en"),
                Intl,
                "qwen3-asr-flash-filetrans takes one language, not several",
            ),
            (fun().speakers(2), Intl, "speaker_count needs diarization: turn it on"),
            (fun().diarize(false).speakers(2), Intl, "speaker_count needs diarization: turn it on"),
            (fun().diarize(true).speakers(1), Intl, "speaker_count must be a whole number from 2 to 100"),
            (fun().diarize(true).speakers(101), Intl, "speaker_count must be a whole number from 2 to 100"),
            (
                fun().diarize(true).channels(&[0, 1]),
                Intl,
                "diarization works on one track, not on 2: request one track, or no diarization if each speaker has a track",
            ),
            (fun().channels(&[]), Intl, "channel_id must be one or more track numbers from 0 such as 0,1, none twice"),
            (
                fun().channels(&[1, 0, 1]),
                Intl,
                "channel_id must be one or more track numbers from 0 such as 0,1, none twice",
            ),
            (qwen().vocabulary("etcd", 6), Intl, "hotword `etcd` has weight 6: use 1 to 5, or 50 for a super hotword"),
            (
                (0..51).fold(qwen(), |request, index| request.vocabulary(&format!("word{index}"), 50)),
                Intl,
                "51 hotwords have weight 50, qwen-audio-3.1-asr-flash-filetrans takes 50: give the others 1 to 5",
            ),
            (
                qwen().vocabulary("one two three four five six seven eight", 4),
                Intl,
                "hotword `one two three four five six seven eight` has 8 words: at most 7; shorten it",
            ),
            (fun().noise_threshold(f64::NAN), Intl, "speech_noise_threshold must be a number"),
            (fun().parameter("diarization_enabled", "yes"), Intl, "diarization_enabled must be true or false"),
            (
                fun().parameter("special_word_filter", json!(["system_reserved_filter"])),
                Intl,
                "special_word_filter must be a JSON object, or one written as a string",
            ),
            (fun().vocabulary_id(" "), Intl, "vocabulary_id must be a non-empty text"),
            (
                fun().context(Message::user("etcd")),
                Intl,
                "fun-asr takes no context: leave it out, or use qwen-audio-3.1-asr-flash-filetrans or \
                 qwen-audio-3.0-asr-flash-filetrans",
            ),
        ] {
            refused(request, region, said);
        }
    }

    #[test]
    fn what_the_service_would_do_silently_is_a_warning() {
        use Region::{Cn, Intl};
        let fun = || request("fun-asr");
        let qwen = || request("qwen-audio-3.0-asr-flash-filetrans");
        let long = "x".repeat(300);
        let none: [&str; 0] = [];
        for (request, region, said) in [
            (fun().channels(&[0, 1]).language("sk").noise_threshold(1.0), Intl, &none[..]),
            (request("fun-asr-mtl").language("sl"), Intl, &none),
            (fun().language("sl"), Intl, &["`sl` is not among the languages listed for fun-asr: sent as given"]),
            (
                fun().language("en").language("zh").language("ja"),
                Intl,
                &["fun-asr uses only the first language: en; the service ignores zh, ja"],
            ),
            (
                ["zh", "en", "ja", "ko", "vi"].iter().fold(qwen(), |request, code| request.language(code)),
                Intl,
                &[
                    "qwen-audio-3.0-asr-flash-filetrans uses only the first languages: zh, en, ja, ko; the service ignores vi",
                ],
            ),
            (
                ["zh", "en", "ja", "ko", "yue"]
                    .iter()
                    .fold(request("paraformer-v2"), |request, code| request.language(code)),
                Cn,
                &none,
            ),
            (fun().language("yue"), Intl, &["`yue` is not among the languages listed for fun-asr: sent as given"]),
            (
                request("qwen3-asr-flash-filetrans").language("tr").itn(true).words(true),
                Intl,
                &[
                    "enable_itn works for zh, en: no effect is documented for tr",
                    "enable_words works for zh, en, ja, ko, de, fr, es, it, pt, ru: no effect is documented for tr",
                ],
            ),
            (request("qwen3-asr-flash-filetrans").language("tr").itn(false), Intl, &none),
            (
                fun().noise_threshold(-1.5),
                Intl,
                &["speech_noise_threshold is -1.5: the only documented range, of a sibling product, is -1 to 1"],
            ),
            (
                fun().parameter("diarisation_enabled", true),
                Intl,
                &[
                    "parameter `diarisation_enabled` is not in the catalogue: sent as given; did you mean diarization_enabled?",
                ],
            ),
            (fun().parameter("brand_new", 1), Intl, &["parameter `brand_new` is not in the catalogue: sent as given"]),
            (
                (0..2001).fold(qwen(), |request, index| request.vocabulary(&format!("word{index}"), 4)),
                Intl,
                &["2001 hotwords: the service picks 2000 of them at random"],
            ),
            (
                (0..6).fold(qwen(), |request, _| request.context(Message::user("a")).context(Message::assistant("b"))),
                Intl,
                &[
                    "6 user items of context: the service keeps the last 5 and drops the rest",
                    "6 assistant items of context: the service keeps the last 5 and drops the rest",
                ],
            ),
            (
                qwen().context(Message::user("a")).context(Message::user(&long)).context(Message::assistant(&long)),
                Intl,
                &["turn 2 of the context has 600 characters: the service cuts it at 400"],
            ),
            (qwen().context(Message::user(&long)).context(Message::user(&long)), Intl, &none),
        ] {
            assert_eq!(lines(request.check(Catalog::builtin(), region).unwrap()), said, "{request:?}");
        }
    }

    #[test]
    fn flash_calls_are_checked_by_the_same_rules() {
        let check = |request: Recognition| request.check_flash(Catalog::builtin(), Region::Intl).map(lines);
        let refused = |request: Recognition| check(request).unwrap_err().to_string();
        assert_eq!(refused(request("fun-asr")), "fun-asr takes asynchronous tasks, no flash calls");
        assert_eq!(
            refused(request("fun-asr-flash-2026-06-15").diarize(true)),
            "fun-asr-flash-2026-06-15 does not take speaker_diarization_enabled: leave it out, or use \
             qwen-audio-3.1-asr-flash"
        );
        assert_eq!(
            refused(request("fun-asr-flash-2026-06-15").channels(&[0])),
            "fun-asr-flash-2026-06-15 does not take channel_id: leave it out"
        );
        assert_eq!(
            refused(request("qwen3-asr-flash").context(Message::user("a")).context(Message::assistant("b"))),
            "qwen3-asr-flash takes text as context, no replies of an assistant: leave them out"
        );
        let warnings =
            check(request("qwen-audio-3.1-asr-flash").diarize(true).keep_dialect(true).language("zh")).unwrap();
        assert_eq!(
            warnings,
            ["language_hints have no effect with diarization", "keep_dialect has no effect with diarization",]
        );
        let long = Message::user("x".repeat(401));
        assert_eq!(
            check(request("fun-asr-flash-2026-06-15").context(long.clone())).unwrap(),
            ["turn 1 of the context has 401 characters: the service cuts it at 400"]
        );
        assert_eq!(check(request("qwen3-asr-flash").context(long)).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn urls_are_counted_and_looked_at() {
        let check = |model: &str, urls: &[&str]| request(model).check_urls(Catalog::builtin(), urls).map(lines);
        let refused = |model: &str, urls: &[&str]| check(model, urls).unwrap_err().to_string();
        let many = vec![URL; 101];
        assert_eq!(check("fun-asr", &[URL]).unwrap(), Vec::<String>::new());
        assert_eq!(check("fun-asr", &["oss://dashscope-instant/a/b.wav"]).unwrap(), Vec::<String>::new());
        assert_eq!(
            check("fun-asr", many.get(..100).unwrap()).unwrap(),
            ["100 URLs per task: older pages allow 100, current ones document one URL"]
        );
        assert_eq!(refused("fun-asr", &many), "fun-asr takes up to 100 URLs per task, not 101");
        for model in
            ["qwen3-asr-flash-filetrans", "qwen-audio-3.1-asr-flash-filetrans", "qwen3-asr-flash-filetrans-2030-01-01"]
        {
            assert_eq!(refused(model, &[URL, URL]), format!("{model} takes exactly one URL per task, not 2"));
        }
        assert_eq!(refused("fun-asr", &[]), "a task needs at least one URL");
        assert_eq!(
            refused("fun-asr", &["data:audio/wav;base64,AAAA"]),
            "a task takes no data URI: upload the recording"
        );
        for wrong in ["ftp://me:key@example.org/a.wav?key=1", "/home/a.wav", "C:\\a.wav", "https://"] {
            let said = refused("fun-asr", &[wrong]);
            assert!(said.ends_with("is not an http, https or oss URL") && !said.contains("key"), "{said}");
        }
        assert_eq!(
            check("fun-asr", &["https://example.org/通 话.wav?sign=secret"]).unwrap(),
            ["https://example.org/通 话.wav is not percent-encoded, the service may fail to fetch it: write \
              https://example.org/%E9%80%9A%20%E8%AF%9D.wav"]
        );
    }
}
