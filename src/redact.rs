//! Addresses made safe to print: the query of a signed URL gives access to the recording.

/// `address` for logs, errors and the terminal: scheme, host and path.
///
/// A query becomes `?…`, a fragment `#…`; user name and password are left out. A text without a scheme, such as a path, is
/// returned unchanged. Control characters are not escaped.
///
/// ```
/// use talkmeter::redact::without_query;
///
/// assert_eq!(without_query("https://calls.example/a.wav?Signature=c2Vj"), "https://calls.example/a.wav?…");
/// assert_eq!(without_query("https://me:secret@calls.example/a.wav"), "https://calls.example/a.wav");
/// assert_eq!(without_query("calls/what?.wav"), "calls/what?.wav");
/// ```
#[must_use]
pub fn without_query(address: &str) -> String {
    let Some((scheme, rest)) = split_scheme(address) else { return address.to_owned() };
    let (slashes, rest) = rest.split_at(rest.len() - rest.trim_start_matches(['/', '\\']).len());
    let (authority, way) = rest.split_at(rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (path, secret) = way.split_at(way.find(['?', '#']).unwrap_or(way.len()));
    let stead = match secret.as_bytes().first() {
        None => "",
        Some(b'#') => "#…",
        Some(_) => "?…",
    };
    format!("{scheme}:{slashes}{host}{path}{stead}")
}

/// A text from outside with the queries of all addresses in it removed.
#[cfg(any(feature = "client", feature = "analytics"))]
pub(crate) fn without_queries(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    // These end an address.
    for piece in text.split_inclusive(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>')) {
        let Some(at) = piece.find("://") else {
            shown += piece;
            continue;
        };
        let before = piece.get(..at).unwrap_or_default();
        let scheme = before.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || "+-.".contains(c)).len();
        let end =
            piece.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>')).len();
        shown += piece.get(..scheme).unwrap_or_default();
        shown += &without_query(piece.get(scheme..end).unwrap_or_default());
        shown += piece.get(end..).unwrap_or_default();
    }
    shown
}

/// The scheme of an address as written, and what follows its colon.
pub(crate) fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let mut letters = scheme.bytes();
    (letters.next()?.is_ascii_alphabetic()
        && letters.all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)))
    .then_some((scheme, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_within_a_text_lose_their_queries() {
        let text = "cannot fetch 'https://h/a?Signature=s3cret', nor <http://u:p@h/b?x>: 客服oss://k?y end? 1://";
        assert_eq!(without_queries(text), "cannot fetch 'https://h/a?…', nor <http://h/b?…>: 客服oss://k?… end? 1://");
        assert_eq!(without_queries("nothing here?"), "nothing here?");
    }

    #[test]
    fn signatures_are_not_printed() {
        for (address, printed) in [
            ("https://h/a.wav?X-Amz-Signature=1&Expires=2", "https://h/a.wav?…"),
            ("https://h/a.wav?one?two#three", "https://h/a.wav?…"),
            ("https://h/a.wav#token", "https://h/a.wav#…"),
            ("https://h?sig=1", "https://h?…"),
            ("https://user:pass@word@h:8080/a@b.wav", "https://h:8080/a@b.wav"),
            ("HTTPS://h/a", "HTTPS://h/a"),
            ("oss://bucket/a.wav?Signature=1", "oss://bucket/a.wav?…"),
            // Malformed addresses are printed too, in the line that refuses them.
            ("https:/h/a.wav?sig=1", "https:/h/a.wav?…"),
            ("https:user:pass@h?sig=1", "https:h?…"),
            (r"https:\\u:p@h\a?sig=1", r"https:\\h\a?…"),
            ("/calls/a?b.wav", "/calls/a?b.wav"),
            ("", ""),
        ] {
            assert_eq!(without_query(address), printed, "{address}");
        }
    }

    #[test]
    fn a_message_is_printed_with_its_addresses_cut() {
        for (text, printed) in [
            ("cannot fetch https://h/a.wav?sig=1, retry", "cannot fetch https://h/a.wav?… retry"),
            ("url=\"https://u:p@h/a?x\" (oss://b/c?d)", "url=\"https://h/a?…\" (oss://b/c?…"),
            ("(https://h/a?x\nhttps://h/b", "(https://h/a?…\nhttps://h/b"),
            ("what? no :// here", "what? no :// here"),
            ("", ""),
        ] {
            assert_eq!(without_queries(text), printed);
        }
    }

    proptest! {
        #[test]
        fn no_query_survives_in_a_message(before in "\\PC{0,20}", query in "[a-zA-Z0-9%=&/+.,;:()]{1,30}", after in "\\PC{0,20}") {
            let printed = without_queries(&format!("{before} https://h.example/a?secret{query} {after}"));
            prop_assert!(!printed.contains("?secret"), "{}", printed);
        }

        #[test]
        fn no_query_survives(host in "[a-z.]{1,12}", path in "[^?#\\\\]{0,20}", query in "\\PC{0,40}") {
            let printed = without_query(&format!("https://{host}/{path}?{query}"));
            prop_assert_eq!(printed, format!("https://{host}/{path}?…"));
        }

        #[test]
        fn any_text_can_be_printed(text in any::<String>()) {
            prop_assert!(without_query(&text).len() <= text.len() + "?…".len());
        }
    }
}
