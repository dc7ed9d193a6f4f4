//! The JSON Schema of a rule file, made from the keys that the reader knows.

use serde_json::{Map, Value, json};

use super::key::{self, Form, Key, Kind};

/// A JSON Schema (2020-12) of rule files, for editors that check TOML as one types.
///
/// ```
/// let schema = talkmeter::rules::schema();
/// assert_eq!(schema["properties"]["rule"]["items"]["properties"]["id"]["type"], "string");
/// ```
#[must_use]
pub fn schema() -> Value {
    let kinds = Kind::ALL.map(|kind| {
        let keys: Vec<&Key> = kind.keys().collect();
        let mut condition = object(&keys);
        match kind {
            Kind::Metric => {
                let bound = ["above", "below", "at_least", "at_most"].map(|name| json!({"required": [name]}));
                condition["anyOf"] = json!(bound);
                condition["not"] = json!({"required": ["role", "participant"]});
            }
            Kind::Near => {}
            Kind::Repeated => {
                condition["oneOf"] = json!([{"required": ["within"]}, {"required": ["within_turns"]}]);
                condition["not"] = one_window_and_speaker();
            }
            Kind::Phrases | Kind::Absent => condition["not"] = one_window_and_speaker(),
        }
        condition
    });
    let rule: Vec<&Key> = key::RULE.iter().collect();
    let mut rule = object(&rule);
    rule["properties"]["conditions"]["additionalProperties"] = json!({"oneOf": kinds});
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A rule file of talkmeter",
        "type": "object",
        "properties": {"rule": {"type": "array", "minItems": 1, "items": rule}},
        "required": ["rule"],
        "additionalProperties": false,
    });
    // The same order whatever the features of serde_json.
    schema.sort_all_objects();
    schema
}

fn one_window_and_speaker() -> Value {
    let pairs = [
        ("first", "last"),
        ("first", "from"),
        ("first", "to"),
        ("last", "from"),
        ("last", "to"),
        ("role", "participant"),
    ];
    json!({"anyOf": pairs.map(|(one, two)| json!({"required": [one, two]}))})
}

/// An object with these keys and no others.
fn object(keys: &[&Key]) -> Value {
    let properties: Map<String, Value> = keys
        .iter()
        .map(|key| {
            let mut form = form(key.form);
            form["description"] = json!(key.meaning);
            (key.name.to_owned(), form)
        })
        .collect();
    let required: Vec<&str> = keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn form(form: Form) -> Value {
    let text = json!({"type": "string", "minLength": 1});
    match form {
        Form::Text => text,
        Form::OneOf(names) => json!({"enum": names}),
        Form::Texts => json!({"type": "array", "items": text, "minItems": 1}),
        Form::Pair => json!({"type": "array", "items": text, "minItems": 2, "maxItems": 2}),
        Form::Match => json!({"oneOf": [{"enum": ["any", "all"]}, {"type": "integer", "minimum": 1}]}),
        Form::Count(least) => json!({"type": "integer", "minimum": least}),
        Form::Number => json!({"type": "number"}),
        Form::Length(share) => {
            let time = r"[0-9]{1,12}(\.[0-9]{1,3})? *(ms|s|m)";
            // At most 100 %.
            let percent = r"0*([0-9]{1,2}(\.[0-9]{1,3})?|100(\.0{1,3})?) *%";
            let written = if share { format!("^({time}|{percent})$") } else { format!("^{time}$") };
            json!({"oneOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": written}]})
        }
        Form::Conditions => json!({
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$", "not": {"enum": ["and", "or", "not"]}},
        }),
    }
}
