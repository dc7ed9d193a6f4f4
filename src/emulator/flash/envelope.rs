//! The two kinds of hosts wrap the same answer differently, whole or as an event.

use serde_json::{Map, Value, json};

use super::recognized::Part;
use crate::emulator::HostStyle;

/// A part of an answer in the envelope of that kind of host.
pub(super) fn envelope(style: HostStyle, request_id: &str, part: &Part) -> Value {
    let mut output = part.fields.clone();
    match style {
        HostStyle::Shared => {
            let mut inner = Map::new();
            for key in ["sentence", "text"] {
                inner.extend(part.fields.get(key).map(|value| (key.to_owned(), value.clone())));
            }
            output.insert("output".to_owned(), Value::Object(inner));
            output.extend(part.usage.as_ref().map(|usage| ("usage".to_owned(), usage.clone())));
            let mut whole = json!({"output": output, "request_id": request_id});
            if let Some(usage) = &part.usage {
                whole["usage"] = usage.clone();
            }
            whole
        }
        HostStyle::Workspace => {
            let mut whole = part.fields.clone();
            output.insert("request_id".to_owned(), json!(request_id));
            whole.insert("request_id".to_owned(), json!(request_id));
            whole.insert("output".to_owned(), Value::Object(output));
            whole.extend(part.usage.as_ref().map(|usage| ("usage".to_owned(), usage.clone())));
            Value::Object(whole)
        }
    }
}
