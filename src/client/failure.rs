//! Reads refusals: the service's codes and bodies, as kinds of errors.
//!
//! Source of codes and bodies: the service's error-code page, and what its gateways were seen to send: JSON, JSON within JSON,
//! `OpenAI`'s envelope, plain text, nothing.

use serde_json::Value;

use crate::redact::without_queries;

use crate::error::ErrorKind;

/// The longest message that is kept, in characters.
const LONGEST_MESSAGE: usize = 600;

/// The body of a refusal.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ErrorBody {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) request_id: Option<String>,
}

impl ErrorBody {
    /// Reads any body; one that is not JSON is the message itself.
    pub(super) fn read(body: &[u8]) -> Self {
        match serde_json::from_slice::<Value>(body).ok().or_else(|| event(body)) {
            Some(value) => Self::from_json(&value),
            // Proxies and storage answer in HTML and XML.
            None => Self { message: cut(&without_queries(&plain(&String::from_utf8_lossy(body)))), ..Self::default() },
        }
    }

    pub(super) fn from_json(value: &Value) -> Self {
        let error = value.get("error").filter(|error| error.is_object()).unwrap_or(value);
        let text = |of: &Value, names: &[&str]| {
            names.iter().find_map(|name| of.get(name)).and_then(|found| match found {
                Value::String(text) => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            })
        };
        let mut body = Self {
            code: text(error, &["code", "type"]).unwrap_or_default(),
            message: text(error, &["message", "msg"]).unwrap_or_default(),
            request_id: text(value, &["request_id", "requestId", "RequestId"]).or_else(|| text(error, &["request_id"])),
        };
        // Some gateways put the whole error of another into the message.
        if body.message.starts_with('{')
            && let Ok(nested) = serde_json::from_str::<Value>(&body.message)
        {
            let inner = Self::from_json(&nested);
            if !inner.message.is_empty() {
                body.message = inner.message;
            }
            if !inner.code.is_empty() {
                body.code = inner.code;
            }
        }
        body.message = cut(&without_queries(&body.message));
        body.code = body.code.chars().take(120).collect();
        body
    }
}

/// A stream may be refused by an event: the first `data` line that is an object.
fn event(body: &[u8]) -> Option<Value> {
    let lines = body.split(|byte| matches!(byte, b'\n' | b'\r'));
    let mut data = lines.filter_map(|line| line.strip_prefix(b"data:"));
    data.find_map(|data| serde_json::from_slice::<Value>(data).ok().filter(Value::is_object))
}

/// The text of markup, on one line.
fn plain(text: &str) -> String {
    let mut words = String::new();
    let mut tag = false;
    for c in text.chars() {
        match c {
            '<' => tag = true,
            '>' => {
                tag = false;
                words.push(' ');
            }
            _ if !tag => words.push(c),
            _ => {}
        }
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST_MESSAGE) {
        Some((at, _)) => text.get(..at).unwrap_or_default().to_owned() + "…",
        None => text.to_owned(),
    }
}

/// The kind of a refusal. The code decides if there is one, because the service uses one status for many things.
pub(super) fn kind(status: u16, code: &str, message: &str) -> ErrorKind {
    let begins = |with: &str| code.starts_with(with);
    // 400 "Free allocated quota exceeded." means the eleventh hotword list: waiting does not help.
    if code == "Throttling.AllocationQuota" && status == 400 {
        return ErrorKind::Quota;
    }
    if begins("Throttling") || code == "LimitRequests" {
        return ErrorKind::RateLimited;
    }
    if begins("Arrearage")
        || code == "AllocationQuota.FreeTierOnly"
        || code == "AccessDenied.Unpurchased"
        || ["CommodityNotPurchased", "PrepaidBillOverdue", "PostpaidBillOverdue"].contains(&code)
    {
        return ErrorKind::Quota;
    }
    // The wrong kind of call, not a missing permission.
    if code == "AccessDenied" && message.contains("does not support") {
        return ErrorKind::InvalidInput;
    }
    if begins("InvalidApiKey")
        || begins("AccessDenied")
        || code.ends_with(".AccessDenied")
        || code == "NOT AUTHORIZED"
        || code == "invalid_api_key"
    {
        return ErrorKind::Auth;
    }
    // Of the request, not of one recording: the next submit would end the same way.
    let unusable = ["Model not exist", "does not support http call"];
    if code == "BadRequest.ResourceNotExist" || unusable.iter().any(|words| message.contains(words)) {
        return ErrorKind::NotFound;
    }
    if code == "ModelServingError" || code == "ModelUnavailable" {
        return ErrorKind::Unavailable;
    }
    if code == "RequestTimeOut" || code == "InternalError.Timeout" {
        return ErrorKind::Timeout;
    }
    if begins("InternalError") || code == "SystemError" || code == "ModelServiceFailed" {
        return ErrorKind::Unavailable;
    }
    match status {
        401 | 403 => ErrorKind::Auth,
        404 => ErrorKind::NotFound,
        408 => ErrorKind::Timeout,
        429 => ErrorKind::RateLimited,
        500.. => ErrorKind::Unavailable,
        _ => ErrorKind::InvalidInput,
    }
}

/// Whether the answer proves that nothing was accepted. Internal errors of the service do not, unless the code says that it
/// was too busy to begin.
pub(super) fn refused(status: u16, code: &str, kind: ErrorKind) -> bool {
    match status {
        408 => false,
        503 => !code.is_empty(),
        500.. => code == "ModelServingError" || kind == ErrorKind::RateLimited,
        200..300 => !matches!(kind, ErrorKind::Unavailable | ErrorKind::Timeout),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_refusal_is_read() {
        let refusal = |code: &str, message: &str, id: Option<&str>| ErrorBody {
            code: code.into(),
            message: message.into(),
            request_id: id.map(Into::into),
        };
        for (body, expected) in [
            (
                r#"{"code":"InvalidApiKey","message":"Invalid API-key provided.","request_id":"r1"}"#,
                refusal("InvalidApiKey", "Invalid API-key provided.", Some("r1")),
            ),
            (
                r#"{"error":{"message":"no","type":"invalid_request_error","code":"invalid_api_key","param":null}}"#,
                refusal("invalid_api_key", "no", None),
            ),
            (r#"{"code":42,"msg":"legacy"}"#, refusal("42", "legacy", None)),
            (
                r#"{"code":"X","message":"{\"error\":{\"code\":\"Throttling.RateQuota\",\"message\":\"slow down\"}}","request_id":"r2"}"#,
                refusal("Throttling.RateQuota", "slow down", Some("r2")),
            ),
            (
                "id:1\nevent:error\n:HTTP_STATUS/400\ndata:{\"code\":\"InvalidParameter\",\"message\":\"no\",\"request_id\":\"r3\"}\n\n",
                refusal("InvalidParameter", "no", Some("r3")),
            ),
            ("<html><body>502 <b>Bad\n Gateway</b></body></html>", refusal("", "502 Bad Gateway", None)),
            ("", refusal("", "", None)),
            ("[1]", refusal("", "", None)),
        ] {
            assert_eq!(ErrorBody::read(body.as_bytes()), expected, "{body}");
        }
        assert_eq!(ErrorBody::read(&[b'x'; 5000]).message.chars().count(), LONGEST_MESSAGE + 1);
        assert_eq!(ErrorBody::read(b"\xff\xfe").message, "\u{fffd}\u{fffd}");
    }

    #[test]
    fn refusals_have_the_documented_kind() {
        use ErrorKind::{Auth, InvalidInput, NotFound, Quota, RateLimited, Timeout, Unavailable};
        // status, code, message, kind, certainly not accepted
        for (status, code, message, expected, nothing_accepted) in [
            (401, "InvalidApiKey", "", Auth, true),
            (401, "", "", Auth, true),
            (403, "AccessDenied", "current user api does not support synchronous calls.", InvalidInput, true),
            (403, "AccessDenied", "Access denied.", Auth, true),
            (403, "Workspace.AccessDenied", "", Auth, true),
            (403, "AccessDenied.Unpurchased", "", Quota, true),
            (403, "AllocationQuota.FreeTierOnly", "", Quota, true),
            (400, "Arrearage", "", Quota, true),
            (429, "PostpaidBillOverdue", "", Quota, true),
            (400, "Throttling.AllocationQuota", "Free allocated quota exceeded.", Quota, true),
            (429, "Throttling.AllocationQuota", "", RateLimited, true),
            (429, "", "", RateLimited, true),
            (400, "Throttling.RateQuota", "", RateLimited, true),
            (200, "Throttling.RateQuota", "", RateLimited, true),
            (404, "ModelNotFound", "", NotFound, true),
            (400, "InvalidParameter", "Model not exist.", NotFound, true),
            (400, "BadRequest.ResourceNotExist", "The Required resource not exist.", NotFound, true),
            (400, "InvalidParameter", "", InvalidInput, true),
            (408, "", "", Timeout, false),
            (500, "InternalError", "", Unavailable, false),
            (500, "RequestTimeOut", "", Timeout, false),
            (500, "ModelServingError", "Too many requests.", Unavailable, true),
            (502, "", "Bad Gateway", Unavailable, false),
            (503, "", "", Unavailable, false),
            (503, "ModelUnavailable", "", Unavailable, true),
            (200, "InternalError.Algo", "", Unavailable, false),
            (200, "InvalidParameter", "", InvalidInput, true),
        ] {
            let found = kind(status, code, message);
            assert_eq!(
                (found, refused(status, code, found)),
                (expected, nothing_accepted),
                "{status} {code} {message}"
            );
        }
    }
}
