//! Differences of two requests, for people who resume a batch with other parameters.

use serde_json::Value;

/// The longest value in a line, in characters.
const LONGEST: usize = 120;

/// The differences of two values of [`super::Recognition::to_json`], one line each, such as
/// `parameters.language_hints: ["en"] → ["zh"]`; by path, keys ascending. Empty = none.
#[must_use]
pub fn differences(before: &Value, now: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    compare("", Some(before), Some(now), &mut lines);
    lines
}

fn compare(path: &str, before: Option<&Value>, now: Option<&Value>, lines: &mut Vec<String>) {
    if before == now {
        return;
    }
    let object = |side: Option<&Value>| side.is_none_or(Value::is_object);
    if object(before) && object(now) {
        let (before, now) = (before.and_then(Value::as_object), now.and_then(Value::as_object));
        let mut keys: Vec<&String> = before.into_iter().chain(now).flat_map(|map| map.keys()).collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            compare(&path, before.and_then(|map| map.get(key)), now.and_then(|map| map.get(key)), lines);
        }
    } else {
        lines.push(format!("{path}: {} → {}", shown(before), shown(now)));
    }
}

fn shown(value: Option<&Value>) -> String {
    let Some(value) = value else { return "not set".to_owned() };
    let text = value.to_string();
    if text.chars().nth(LONGEST).is_none() {
        return text;
    }
    // Long values often differ at the end, so both ends are shown.
    let count = text.chars().count();
    let head: String = text.chars().take(LONGEST - 40).collect();
    let tail: String = text.chars().skip(count - 39).collect();
    format!("{head}…{tail}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_difference_is_a_line() {
        let before =
            json!({"model": "fun-asr", "parameters": {"language_hints": ["en"], "a": {"b": 1}}, "context": []});
        let now = json!({"model": "fun-asr-mtl", "parameters": {"language_hints": ["zh"], "a": {"b": 2, "c": 3},
            "diarization_enabled": true}, "context": []});
        assert_eq!(
            differences(&before, &now),
            [
                r#"model: "fun-asr" → "fun-asr-mtl""#,
                "parameters.a.b: 1 → 2",
                "parameters.a.c: not set → 3",
                "parameters.diarization_enabled: not set → true",
                r#"parameters.language_hints: ["en"] → ["zh"]"#,
            ]
        );
        assert_eq!(differences(&now, &now), Vec::<String>::new());
        assert_eq!(differences(&json!({"parameters": {"a": {"b": 1}}}), &json!({})), ["parameters.a.b: 1 → not set"]);
    }

    #[test]
    fn a_long_value_is_cut_in_the_middle() {
        let line =
            differences(&json!({"v": "x".repeat(500)}), &json!({"v": format!("{}y", "x".repeat(499))})).remove(0);
        assert!(line.chars().count() < 300 && line.ends_with("xy\"") && line.contains('…'), "{line}");
    }
}
