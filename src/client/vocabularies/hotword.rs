//! One word of a hotword list.

use serde_json::{Value, json};

/// A word or phrase that a model should expect.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hotword {
    /// The word or phrase.
    pub text: String,
    /// How strongly it is preferred: 1 to 5, or 50 with models that have super hotwords.
    pub weight: u32,
    /// Its language code; `None` = any language.
    pub lang: Option<String>,
}

impl Hotword {
    /// The vendor's usual weight.
    pub const DEFAULT_WEIGHT: u32 = 4;

    /// A word of the usual weight, for any language.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), weight: Self::DEFAULT_WEIGHT, lang: None }
    }

    /// How strongly it is preferred.
    #[must_use]
    pub fn weight(mut self, weight: u32) -> Self {
        self.weight = weight;
        self
    }

    /// The language it applies to, such as `en`.
    #[must_use]
    pub fn lang(mut self, code: impl Into<String>) -> Self {
        self.lang = Some(code.into());
        self
    }

    /// Reads the service's own form, `{"text": …, "weight": …, "lang": …}`, as [`Vocabulary::raw`](super::Vocabulary::raw)
    /// has it. A missing weight is the default. `None` without a text, or if the weight is not a whole number.
    #[must_use]
    pub fn from_json(value: &Value) -> Option<Self> {
        let weight = match value.get("weight") {
            None | Some(Value::Null) => Self::DEFAULT_WEIGHT,
            // Numbers of this service have come as 4.0.
            Some(number) => number
                .as_u64()
                .or_else(|| number.as_f64().filter(|n| n.fract() == 0.0 && (0.0..1e9).contains(n)).map(|n| n as u64))
                .and_then(|weight| u32::try_from(weight).ok())?,
        };
        let lang = value.get("lang").and_then(Value::as_str).filter(|code| !code.is_empty()).map(str::to_owned);
        Some(Self { text: value.get("text")?.as_str()?.to_owned(), weight, lang })
    }
}

/// The words as in a request.
pub(super) fn list(words: &[Hotword]) -> Value {
    let word = |Hotword { text, weight, lang }: &Hotword| match lang {
        Some(lang) => json!({"text": text, "weight": weight, "lang": lang}),
        None => json!({"text": text, "weight": weight}),
    };
    words.iter().map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_read_as_it_is_sent() {
        let words = [Hotword::new("a b").weight(5).lang("en"), Hotword::new("客服")];
        let sent = list(&words);
        let read: Option<Vec<Hotword>> = sent.as_array().unwrap().iter().map(Hotword::from_json).collect();
        assert_eq!(read.unwrap(), words);
    }

    #[test]
    fn other_forms_are_refused() {
        for odd in [json!("word"), json!({"weight": 4}), json!({"text": 4}), json!({"text": "a", "weight": "4"})] {
            assert_eq!(Hotword::from_json(&odd), None, "{odd}");
        }
        for odd in [json!({"text": "a", "weight": 4.5}), json!({"text": "a", "weight": -1})] {
            assert_eq!(Hotword::from_json(&odd), None, "{odd}");
        }
        for same in [json!({"text": "a"}), json!({"text": "a", "weight": 4.0, "lang": "", "colour": "red"})] {
            assert_eq!(Hotword::from_json(&same), Some(Hotword::new("a")), "{same}");
        }
    }
}
