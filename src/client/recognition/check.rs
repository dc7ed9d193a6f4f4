//! What the catalogue says about a request, before it leaves: refusals, and warnings of what the service would do silently.

use serde_json::Value;
use url::Url;

use super::{Author, Message, Recognition};
use crate::catalog::{
    Catalog, Kind, MOST_CONTEXT_CHARACTERS, MOST_CONTEXT_ITEMS, MOST_HOTWORDS, Model, Parameter, Protocol, Region,
    SUPER_WEIGHT, check_hotword, nearest,
};
use crate::error::{Error, Result};

impl Recognition {
    /// Whether a task can be asked for; the answer is warnings, a line each: what the service would ignore or cut without
    /// a word, and what no page documents.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::InvalidInput`], in a clause that says what to do, for a model that is unknown, is called another
    /// way or is not offered in the region; a parameter that it does not take, or not with this value or beside another;
    /// context where none is taken.
    pub fn check(&self, catalog: &Catalog, region: Region) -> Result<Vec<String>> {
        let model = self.known(catalog)?;
        if !model.protocol.is_task() {
            return refuse(format!("{} is a flash model: use `talkmeter flash`, or take --model fun-asr", model.name));
        }
        self.checked(catalog, model, region)
    }

    /// The same for a synchronous call.
    ///
    /// # Errors
    ///
    /// As [`Recognition::check`].
    pub fn check_flash(&self, catalog: &Catalog, region: Region) -> Result<Vec<String>> {
        let model = self.known(catalog)?;
        if model.protocol.is_task() {
            let name = &model.name;
            return refuse(format!("{name} answers by tasks: use `talkmeter transcribe`, or take a flash model"));
        }
        self.checked(catalog, model, region)
    }

    /// Whether these can be the recordings of one task; the answer is warnings, a line each.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::InvalidInput`] for no URL, more than the model takes, or anything but http, https and oss.
    pub fn check_urls(&self, catalog: &Catalog, urls: &[&str]) -> Result<Vec<String>> {
        let mut warnings = Vec::new();
        let count = urls.len();
        if count == 0 {
            return refuse("a task needs a recording: name a URL".to_owned());
        }
        let limits = catalog.model(&self.model).map(|model| model.limits);
        let single = self.protocol() == Protocol::QwenTask;
        let most = limits.map_or(if single { 1 } else { 100 }, |limits| limits.files_per_task);
        if count > most {
            let model = &self.model;
            return refuse(if most == 1 {
                format!("{model} takes exactly one URL a task, not {count}: make a task of each (--files-per-task 1)")
            } else {
                format!("{model} takes up to {most} URLs a task, not {count}: make smaller tasks (--files-per-task)")
            });
        }
        if let Some(now) = limits.map(|limits| limits.files_per_task_now).filter(|now| count > *now && count > 1) {
            let documented = if now == 1 { "one URL".to_owned() } else { format!("{now} URLs") };
            warnings.push(format!("{count} URLs a task: older pages allow {most}, current ones document {documented}"));
        }
        for url in urls {
            warnings.extend(check_url(url)?);
        }
        Ok(warnings)
    }

    fn known<'a>(&self, catalog: &'a Catalog) -> Result<&'a Model> {
        match catalog.model(&self.model) {
            None if Protocol::by_name(&self.model).is_none() => {
                let shown: String = self.model.chars().take(80).collect();
                refuse(format!("{shown} takes a live stream over WebSocket, not recordings: take fun-asr"))
            }
            _ => {
                let newer = |error| Error::invalid(format!("{error} (newer than the catalogue: --no-check)"));
                catalog.require(&self.model).map_err(newer)
            }
        }
    }

    fn checked(&self, catalog: &Catalog, model: &Model, region: Region) -> Result<Vec<String>> {
        let mut warnings = Vec::new();
        if !model.regions.contains(&region) {
            let there: Vec<&str> = model.regions.iter().map(|region| region.name()).collect();
            return refuse(format!(
                "{} is not offered in {region}: it is in {} (--region {})",
                model.name,
                there.join(", "),
                there.first().unwrap_or(&"intl"),
            ));
        }
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

    /// Why no more than one track of a recording can be requested; `None` = any number of them can be.
    ///
    /// ```
    /// use talkmeter::{catalog::Catalog, client::Recognition};
    ///
    /// let asked = Recognition::new("fun-asr");
    /// assert_eq!(asked.one_track(Catalog::builtin()), None);
    /// let why = asked.diarize(true).one_track(Catalog::builtin());
    /// assert_eq!(why.as_deref(), Some("diarization (--diarize) works on one track"));
    /// ```
    #[must_use]
    pub fn one_track(&self, catalog: &Catalog) -> Option<String> {
        let takes = catalog.model(&self.model).is_none_or(|model| model.takes("channel_id"));
        match takes {
            false => Some(format!("{} takes no choice of tracks", self.model)),
            true if self.diarized() => Some("diarization (--diarize) works on one track".to_owned()),
            true => None,
        }
    }

    fn diarized(&self) -> bool {
        self.on("diarization_enabled") || self.on("speaker_diarization_enabled")
    }

    fn on(&self, key: &str) -> bool {
        self.get(key) == Some(&Value::Bool(true))
    }

    fn check_speakers(&self) -> Result<()> {
        let diarized = self.diarized();
        if self.get("speaker_count").is_some() && !diarized {
            return refuse("speaker_count (--speakers) needs diarization: turn it on (--diarize)".to_owned());
        }
        let tracks = self.tracks().len();
        if diarized && tracks > 1 {
            return refuse(format!(
                "diarization (--diarize) works on one track, not on {tracks} (--channel): with a speaker on each track, \
                 leave --diarize out; else ask for one track"
            ));
        }
        Ok(())
    }

    fn check_hotwords(&self, model: &Model, warnings: &mut Vec<String>) -> Result<()> {
        let Some(words) = self.get("vocabulary").and_then(Value::as_object) else { return Ok(()) };
        let mut supers = 0;
        for (word, weight) in words {
            let weight = weight.as_u64().unwrap_or(0);
            check_hotword(word, weight, model.super_hotwords > 0)?;
            supers += usize::from(weight == u64::from(SUPER_WEIGHT));
        }
        if supers > model.super_hotwords {
            return refuse(format!(
                "{supers} hotwords have weight {SUPER_WEIGHT}: {} takes {} of them; give the others 1 to 5",
                model.name, model.super_hotwords
            ));
        }
        if words.len() > MOST_HOTWORDS {
            warnings.push(format!("{} hotwords: the service picks {MOST_HOTWORDS} of them at random", words.len()));
        }
        Ok(())
    }

    fn check_languages(&self, model: &Model, warnings: &mut Vec<String>) {
        let asked: Vec<&str> = match self.get("language_hints").or_else(|| self.get("language")) {
            Some(Value::Array(codes)) => codes.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(code)) => vec![code],
            _ => return,
        };
        let name = &model.name;
        if let Some(counted) = model.languages_counted.filter(|counted| asked.len() > *counted) {
            let (first, rest) = asked.split_at(counted);
            let only = if counted == 1 { "the first language counts" } else { "the first languages count" };
            let (first, rest) = (first.join(", "), rest.join(", "));
            warnings.push(format!("only {only} for {name}: {first}; the service ignores {rest} (--language)"));
        }
        let listed = &model.languages;
        for code in asked.iter().filter(|code| !listed.is_empty() && !listed.iter().any(|known| known == *code)) {
            warnings.push(format!("`{code}` is not among the languages listed for {name} (--language): sent as it is"));
        }
        for (key, flag, languages) in
            [("enable_itn", "--itn", &model.itn_languages), ("enable_words", "--words", &model.word_languages)]
        {
            let outside = |code: &&&str| !languages.iter().any(|known| known == **code);
            if let (true, false, Some(code)) = (self.on(key), languages.is_empty(), asked.iter().find(outside)) {
                warnings.push(format!(
                    "{key} ({flag}) works for {}: no effect is documented for {code}",
                    languages.join(", ")
                ));
            }
        }
        if self.on("speaker_diarization_enabled") {
            warnings.push("language hints (--language) have no effect beside --diarize".to_owned());
        }
    }

    fn check_numbers(&self, warnings: &mut Vec<String>) {
        let threshold = self.get("speech_noise_threshold").and_then(Value::as_f64);
        if let Some(threshold) = threshold.filter(|threshold| !(-1.0..=1.0).contains(threshold)) {
            warnings.push(format!(
                "speech_noise_threshold (--noise-threshold) is {threshold}: the one range that is documented, for a sibling \
                 product, is -1 to 1"
            ));
        }
        if self.on("speaker_diarization_enabled") && self.on("keep_dialect") {
            warnings.push("keep_dialect (--keep-dialect) has no effect beside --diarize".to_owned());
        }
    }

    fn check_context(&self, catalog: &Catalog, model: &Model, warnings: &mut Vec<String>) -> Result<()> {
        let name = &model.name;
        if self.context.is_empty() {
            return Ok(());
        }
        if !model.context {
            let others = like(catalog, model, |other| other.context);
            return refuse(format!("{name} takes no context (--context){}", instead(&others)));
        }
        if model.protocol == Protocol::QwenFlash {
            let dialogue = self.context.iter().any(|message| message.author == Author::Assistant);
            let refused =
                format!("{name} takes context as text, no replies of an assistant (--dialog): leave them out");
            return if dialogue { refuse(refused) } else { Ok(()) };
        }
        warnings.extend(dropped(&self.context));
        Ok(())
    }
}

/// What the service would drop or cut of a context without a word, a line each: it keeps the last five items of each side,
/// and 400 characters of a turn.
pub(in crate::client) fn dropped(context: &[Message]) -> Vec<String> {
    let mut warnings = Vec::new();
    for (author, title) in [(Author::User, "user"), (Author::Assistant, "assistant")] {
        let count = context.iter().filter(|message| message.author == author).count();
        if count > MOST_CONTEXT_ITEMS {
            warnings.push(format!(
                "{count} {title} items of context: the service keeps the last {MOST_CONTEXT_ITEMS} and drops the others"
            ));
        }
    }
    for (index, length) in turns(context).into_iter().enumerate() {
        if length > MOST_CONTEXT_CHARACTERS {
            warnings.push(format!(
                "turn {} of the context has {length} characters: the service cuts what is beyond {MOST_CONTEXT_CHARACTERS}",
                index + 1
            ));
        }
    }
    warnings
}

fn refuse<T>(why: String) -> Result<T> {
    Err(Error::invalid(why))
}

/// Characters of each turn: a user's item with the assistant's item behind it.
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

fn check_value(catalog: &Catalog, model: &Model, parameter: &Parameter, value: &Value) -> Result<()> {
    let title = parameter.title();
    if !model.takes(parameter.key) {
        let others = like(catalog, model, |other| other.takes(parameter.key));
        return refuse(format!("{} does not take {title}{}", model.name, instead(&others)));
    }
    match parameter.kind.check(value) {
        Ok(()) => Ok(()),
        Err(_) if matches!(parameter.kind, Kind::Language) && value.is_array() => {
            refuse(format!("{} takes one language, not several: name it once (--language)", model.name))
        }
        Err(wanted) => refuse(format!("{title} {wanted}")),
    }
}

/// Other models that are called at the same kind of endpoint, snapshots left out.
fn like<'a>(catalog: &'a Catalog, model: &Model, fits: impl Fn(&Model) -> bool) -> Vec<&'a str> {
    let stands_for = |name: &str| catalog.models().iter().any(|other| other.same_as.as_deref() == Some(name));
    let other = |other: &&Model| other.protocol.is_task() == model.protocol.is_task() && fits(other);
    let names = catalog.models().iter().filter(other).map(|other| &other.name[..]);
    names.filter(|name| !stands_for(name)).take(4).collect()
}

fn instead(others: &[&str]) -> String {
    match others {
        [] => ": leave it out".to_owned(),
        [one] => format!(": leave it out, or take {one}"),
        [many @ .., last] => format!(": leave it out, or take {} or {last}", many.join(", ")),
    }
}

fn unknown_parameter(key: &str) -> String {
    let shown: String = key.chars().take(60).collect();
    let near = nearest::nearest(key, crate::catalog::PARAMETERS.iter().map(|parameter| parameter.key));
    let meant = near.first().map_or_else(String::new, |near| format!("; did you mean {near}?"));
    format!("parameter `{shown}` is not in the catalogue: sent as it is{meant}")
}

/// An address without what may be secret: name and password, query.
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

/// One recording's address.
fn check_url(url: &str) -> Result<Option<String>> {
    if url.starts_with("data:") {
        return refuse("a task takes no data URI: upload the recording, or use `talkmeter flash`".to_owned());
    }
    let parsed = match Url::parse(url) {
        Ok(parsed) if matches!(parsed.scheme(), "http" | "https" | "oss") && parsed.has_host() => parsed,
        Ok(_) | Err(_) => return refuse(format!("`{}` is no http, https or oss URL", shown(url))),
    };
    // The service fetches the address as it stands: the standard would encode what it does not.
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

    fn asked(model: &str) -> Recognition {
        Recognition::new(model)
    }

    #[track_caller]
    fn refused(asked: Recognition, region: Region, said: &str) {
        assert_eq!(asked.check(Catalog::builtin(), region).unwrap_err().to_string(), said);
    }

    #[test]
    fn every_refusal_says_what_to_do() {
        use Region::{Cn, Hk, Intl, Us};
        let fun = || asked("fun-asr");
        let qwen = || asked("qwen-audio-3.1-asr-flash-filetrans");
        let newer = "(newer than the catalogue: --no-check)";
        for (asked, region, said) in [
            (asked("funasr"), Intl, format!("no model `funasr` in the catalogue: did you mean fun-asr? {newer}")),
            (
                asked("whisper-1"),
                Intl,
                format!("no model `whisper-1` in the catalogue: `talkmeter models` lists those it knows {newer}"),
            ),
            (
                asked("fun-asr-flash-2026-06-15"),
                Intl,
                "fun-asr-flash-2026-06-15 is a flash model: use `talkmeter flash`, or take --model fun-asr".into(),
            ),
            (
                asked("qwen3-asr-flash"),
                Intl,
                "qwen3-asr-flash is a flash model: use `talkmeter flash`, or take --model fun-asr".into(),
            ),
            (
                asked("fun-asr-realtime"),
                Cn,
                "fun-asr-realtime is a flash model: use `talkmeter flash`, or take --model fun-asr".into(),
            ),
            (
                asked("paraformer-realtime-v2"),
                Cn,
                "paraformer-realtime-v2 takes a live stream over WebSocket, not recordings: take fun-asr".into(),
            ),
            (asked("paraformer-v2"), Intl, "paraformer-v2 is not offered in intl: it is in cn (--region cn)".into()),
            (fun(), Us, "fun-asr is not offered in us: it is in intl, cn (--region intl)".into()),
            (qwen(), Hk, "qwen-audio-3.1-asr-flash-filetrans is not offered in hk: it is in intl, cn (--region intl)".into()),
            (
                fun().keep_dialect(true),
                Intl,
                "fun-asr does not take keep_dialect (--keep-dialect): leave it out, or take qwen-audio-3.1-asr-flash-filetrans"
                    .into(),
            ),
            (
                fun().remove_disfluency(true),
                Intl,
                "fun-asr does not take disfluency_removal_enabled (--remove-disfluency): leave it out, or take paraformer-v2, \
                 paraformer-8k-v2, paraformer-v1 or paraformer-8k-v1"
                    .into(),
            ),
            (
                fun().vocabulary("etcd", 4),
                Intl,
                "fun-asr does not take vocabulary (--hotword): leave it out, or take qwen-audio-3.1-asr-flash-filetrans or \
                 qwen-audio-3.0-asr-flash-filetrans"
                    .into(),
            ),
            (
                asked("paraformer-8k-v2").language("zh"),
                Cn,
                "paraformer-8k-v2 does not take language_hints (--language): leave it out, or take fun-asr, \
                 fun-asr-2025-08-25, fun-asr-mtl or qwen-audio-3.1-asr-flash-filetrans"
                    .into(),
            ),
            (
                asked("qwen3-asr-flash-filetrans").diarize(true),
                Intl,
                "qwen3-asr-flash-filetrans does not take diarization_enabled (--diarize): leave it out, or take fun-asr, \
                 fun-asr-2025-08-25, fun-asr-mtl or qwen-audio-3.1-asr-flash-filetrans"
                    .into(),
            ),
            (
                asked("qwen3-asr-flash-filetrans").language("zh").language("en"),
                Intl,
                "qwen3-asr-flash-filetrans takes one language, not several: name it once (--language)".into(),
            ),
            (fun().speakers(2), Intl, "speaker_count (--speakers) needs diarization: turn it on (--diarize)".into()),
            (fun().diarize(false).speakers(2), Intl, "speaker_count (--speakers) needs diarization: turn it on (--diarize)".into()),
            (
                fun().diarize(true).speakers(1),
                Intl,
                "speaker_count (--speakers) must be a whole number from 2 to 100".into(),
            ),
            (
                fun().diarize(true).speakers(101),
                Intl,
                "speaker_count (--speakers) must be a whole number from 2 to 100".into(),
            ),
            (
                fun().diarize(true).channels(&[0, 1]),
                Intl,
                "diarization (--diarize) works on one track, not on 2 (--channel): with a speaker on each track, leave \
                 --diarize out; else ask for one track"
                    .into(),
            ),
            (
                fun().channels(&[]),
                Intl,
                "channel_id (--channel) must be one or more track numbers from 0 such as 0,1, none twice".into(),
            ),
            (
                fun().channels(&[1, 0, 1]),
                Intl,
                "channel_id (--channel) must be one or more track numbers from 0 such as 0,1, none twice".into(),
            ),
            (
                qwen().vocabulary("etcd", 6),
                Intl,
                "hotword `etcd` has weight 6: take 1 to 5, or 50 for a super hotword".into(),
            ),
            (
                (0..51).fold(qwen(), |asked, index| asked.vocabulary(&format!("word{index}"), 50)),
                Intl,
                "51 hotwords have weight 50: qwen-audio-3.1-asr-flash-filetrans takes 50 of them; give the others 1 to 5".into(),
            ),
            (
                qwen().vocabulary("one two three four five six seven eight", 4),
                Intl,
                "hotword `one two three four five six seven eight` has 8 parts: at most 7 between blanks; shorten it"
                    .into(),
            ),
            (
                fun().noise_threshold(f64::NAN),
                Intl,
                "speech_noise_threshold (--noise-threshold) must be a number".into(),
            ),
            (
                fun().parameter("diarization_enabled", "yes"),
                Intl,
                "diarization_enabled (--diarize) must be true or false".into(),
            ),
            (
                fun().parameter("special_word_filter", json!({"system_reserved_filter": false})),
                Intl,
                "special_word_filter (--mask-word, --drop-word, --no-system-filter) must be a JSON object written as a string"
                    .into(),
            ),
            (fun().vocabulary_id(" "), Intl, "vocabulary_id (--vocabulary) must be a text that is not empty".into()),
            (
                fun().context(Message::user("etcd")),
                Intl,
                "fun-asr takes no context (--context): leave it out, or take qwen-audio-3.1-asr-flash-filetrans or \
                 qwen-audio-3.0-asr-flash-filetrans"
                    .into(),
            ),
        ] {
            refused(asked, region, &said);
        }
    }

    #[test]
    fn what_the_service_would_do_silently_is_a_warning() {
        use Region::{Cn, Intl};
        let fun = || asked("fun-asr");
        let qwen = || asked("qwen-audio-3.0-asr-flash-filetrans");
        let long = "x".repeat(300);
        let none: [&str; 0] = [];
        for (asked, region, said) in [
            (fun().channels(&[0, 1]).language("sl").noise_threshold(1.0), Intl, &none[..]),
            (
                fun().language("en").language("zh").language("ja"),
                Intl,
                &["only the first language counts for fun-asr: en; the service ignores zh, ja (--language)"],
            ),
            (
                ["zh", "en", "ja", "ko", "vi"].iter().fold(qwen(), |asked, code| asked.language(code)),
                Intl,
                &[
                    "only the first languages count for qwen-audio-3.0-asr-flash-filetrans: zh, en, ja, ko; the service ignores \
                   vi (--language)",
                ],
            ),
            (
                ["zh", "en", "ja", "ko", "yue"].iter().fold(asked("paraformer-v2"), |asked, code| asked.language(code)),
                Cn,
                &none,
            ),
            (
                fun().language("yue"),
                Intl,
                &["`yue` is not among the languages listed for fun-asr (--language): sent as it is"],
            ),
            (
                asked("qwen3-asr-flash-filetrans").language("tr").itn(true).words(true),
                Intl,
                &[
                    "enable_itn (--itn) works for zh, en: no effect is documented for tr",
                    "enable_words (--words) works for zh, en, ja, ko, de, fr, es, it, pt, ru: no effect is documented for tr",
                ],
            ),
            (asked("qwen3-asr-flash-filetrans").language("tr").itn(false), Intl, &none),
            (
                fun().noise_threshold(-1.5),
                Intl,
                &[
                    "speech_noise_threshold (--noise-threshold) is -1.5: the one range that is documented, for a sibling product, \
                   is -1 to 1",
                ],
            ),
            (
                fun().parameter("diarisation_enabled", true),
                Intl,
                &[
                    "parameter `diarisation_enabled` is not in the catalogue: sent as it is; did you mean diarization_enabled?",
                ],
            ),
            (fun().parameter("brand_new", 1), Intl, &["parameter `brand_new` is not in the catalogue: sent as it is"]),
            (
                (0..2001).fold(qwen(), |asked, index| asked.vocabulary(&format!("word{index}"), 4)),
                Intl,
                &["2001 hotwords: the service picks 2000 of them at random"],
            ),
            (
                (0..6).fold(qwen(), |asked, _| asked.context(Message::user("a")).context(Message::assistant("b"))),
                Intl,
                &[
                    "6 user items of context: the service keeps the last 5 and drops the others",
                    "6 assistant items of context: the service keeps the last 5 and drops the others",
                ],
            ),
            (
                qwen().context(Message::user("a")).context(Message::user(&long)).context(Message::assistant(&long)),
                Intl,
                &["turn 2 of the context has 600 characters: the service cuts what is beyond 400"],
            ),
            (qwen().context(Message::user(&long)).context(Message::user(&long)), Intl, &none),
        ] {
            assert_eq!(asked.check(Catalog::builtin(), region).unwrap(), said, "{asked:?}");
        }
    }

    #[test]
    fn flash_calls_are_checked_by_the_same_rules() {
        let check = |asked: Recognition| asked.check_flash(Catalog::builtin(), Region::Intl);
        let refused = |asked: Recognition| check(asked).unwrap_err().to_string();
        assert_eq!(
            refused(asked("fun-asr")),
            "fun-asr answers by tasks: use `talkmeter transcribe`, or take a flash model"
        );
        assert_eq!(
            refused(asked("fun-asr-flash-2026-06-15").diarize(true)),
            "fun-asr-flash-2026-06-15 does not take speaker_diarization_enabled (--diarize): leave it out, or take \
             qwen-audio-3.1-asr-flash"
        );
        assert_eq!(
            refused(asked("fun-asr-flash-2026-06-15").channels(&[0])),
            "fun-asr-flash-2026-06-15 does not take channel_id (--channel): leave it out"
        );
        assert_eq!(
            refused(asked("qwen3-asr-flash").context(Message::user("a")).context(Message::assistant("b"))),
            "qwen3-asr-flash takes context as text, no replies of an assistant (--dialog): leave them out"
        );
        let warnings =
            check(asked("qwen-audio-3.1-asr-flash").diarize(true).keep_dialect(true).language("zh")).unwrap();
        assert_eq!(
            warnings,
            [
                "language hints (--language) have no effect beside --diarize",
                "keep_dialect (--keep-dialect) has no effect beside --diarize",
            ]
        );
        let long = Message::user("x".repeat(401));
        assert_eq!(
            check(asked("fun-asr-flash-2026-06-15").context(long.clone())).unwrap(),
            ["turn 1 of the context has 401 characters: the service cuts what is beyond 400"]
        );
        assert_eq!(check(asked("qwen3-asr-flash").context(long)).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn urls_are_counted_and_looked_at() {
        let check = |model: &str, urls: &[&str]| asked(model).check_urls(Catalog::builtin(), urls);
        let refused = |model: &str, urls: &[&str]| check(model, urls).unwrap_err().to_string();
        let many = vec![URL; 101];
        assert_eq!(check("fun-asr", &[URL]).unwrap(), Vec::<String>::new());
        assert_eq!(check("fun-asr", &["oss://dashscope-instant/a/b.wav"]).unwrap(), Vec::<String>::new());
        assert_eq!(
            check("fun-asr", many.get(..100).unwrap()).unwrap(),
            ["100 URLs a task: older pages allow 100, current ones document one URL"]
        );
        assert_eq!(
            refused("fun-asr", &many),
            "fun-asr takes up to 100 URLs a task, not 101: make smaller tasks (--files-per-task)"
        );
        for model in
            ["qwen3-asr-flash-filetrans", "qwen-audio-3.1-asr-flash-filetrans", "qwen3-asr-flash-filetrans-2030-01-01"]
        {
            assert_eq!(
                refused(model, &[URL, URL]),
                format!("{model} takes exactly one URL a task, not 2: make a task of each (--files-per-task 1)")
            );
        }
        assert_eq!(refused("fun-asr", &[]), "a task needs a recording: name a URL");
        assert_eq!(
            refused("fun-asr", &["data:audio/wav;base64,AAAA"]),
            "a task takes no data URI: upload the recording, or use `talkmeter flash`"
        );
        for wrong in ["ftp://me:key@example.org/a.wav?key=1", "/home/a.wav", "C:\\a.wav", "https://"] {
            let said = refused("fun-asr", &[wrong]);
            assert!(said.ends_with("is no http, https or oss URL") && !said.contains("key"), "{said}");
        }
        assert_eq!(
            check("fun-asr", &["https://example.org/通 话.wav?sign=secret"]).unwrap(),
            ["https://example.org/通 话.wav is not percent-encoded, the service may fail to fetch it: write \
              https://example.org/%E9%80%9A%20%E8%AF%9D.wav"]
        );
    }
}
