//! Why a request failed, in one line without secrets.

use std::io;

use crate::redact::without_queries;

/// Characters of a server's message that are shown.
const MOST: usize = 300;

/// `CODE: MESSAGE (HTTP 403, request id ID)` where the server said so; else the innermost cause. Neither headers nor queries of
/// addresses are in it, nor what else a server repeats of the request.
pub(super) fn reason(error: &object_store::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    let mut innermost = None;
    while let Some(source) = cause {
        innermost = Some(source.to_string());
        cause = source.source();
    }
    // Causes may be told in the text or only below it.
    if let Some(innermost) = &innermost
        && !text.contains(innermost.as_str())
    {
        text = format!("{text}: {innermost}");
    }
    let code = element(&text, "Code");
    let message = element(&text, "Message");
    let status = text.split_once("status code: ").map(|(_, rest)| rest.chars().take(3).collect::<String>());
    let facts = [
        status.map(|status| format!("HTTP {status}")),
        element(&text, "RequestId").map(|id| format!("request id {id}")),
    ];
    let facts: Vec<String> = facts.into_iter().flatten().collect();
    let what: Vec<&str> = [code, message].into_iter().flatten().collect();
    let what = match error {
        _ if !what.is_empty() => what.join(": "),
        object_store::Error::NotFound { .. } => "no such object".to_owned(),
        object_store::Error::PermissionDenied { .. } => "access denied".to_owned(),
        object_store::Error::Unauthenticated { .. } => "no or wrong credentials".to_owned(),
        _ if facts.is_empty() => innermost.map_or(text, |innermost| shorter(error, innermost)),
        _ => "the server refused".to_owned(),
    };
    let what: String = without_queries(&what).chars().take(MOST).collect();
    if facts.is_empty() { what } else { format!("{what} ({})", facts.join(", ")) }
}

/// The same as an error, [`io::ErrorKind::PermissionDenied`] where the server refused, so that nothing has changed there.
pub(super) fn as_io(error: &object_store::Error) -> io::Error {
    use object_store::Error::{NotFound, PermissionDenied, Unauthenticated};
    let why = reason(error);
    let is_refused = matches!(error, NotFound { .. } | PermissionDenied { .. } | Unauthenticated { .. })
        || ["(HTTP 3", "(HTTP 40"].iter().any(|status| why.contains(status)) && !why.contains("(HTTP 408");
    let kind = if is_refused { io::ErrorKind::PermissionDenied } else { io::ErrorKind::Other };
    io::Error::new(kind, why)
}

/// Where no server answered, what the client was asking tells more than the error of the system alone.
fn shorter(error: &object_store::Error, innermost: String) -> String {
    let text = error.to_string();
    let asked = text.split_once("Error performing ").and_then(|(_, rest)| rest.split_once(" in "));
    asked.map_or_else(|| innermost.clone(), |(asked, _)| format!("{asked}: {innermost}"))
}

/// The text of an element of the answer's XML.
fn element<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (inner, _) = rest.split_once("</")?;
    Some(inner.trim()).filter(|inner| !inner.is_empty())
}
