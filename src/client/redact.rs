//! Addresses as they may be printed: the query of a signed URL is a key to the recording.

/// `address` for logs, errors and the terminal: scheme, host and path.
///
/// A query becomes `?…`, a fragment `#…`; user name and password are left out. What has no scheme (a path) comes back
/// as it is. Never fails, whatever the text; not bounded in length, and control characters are the printer's business.
///
/// ```
/// use talkmeter::client::without_query;
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

/// A text of a server with every address in it as [`without_query`] shows it.
#[must_use]
pub(crate) fn without_queries(text: &str) -> String {
    let between = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '(' | ')' | '[' | ']' | ',');
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let before = rest.get(..at).unwrap_or_default();
        let begin = before
            .rfind(|c: char| !c.is_ascii_alphanumeric())
            .map_or(0, |at| at + before.get(at..).map_or(1, |c| c.chars().next().map_or(1, char::len_utf8)));
        let end = rest.get(at..).and_then(|address| address.find(between)).map_or(rest.len(), |length| at + length);
        shown += rest.get(..begin).unwrap_or_default();
        shown += &without_query(rest.get(begin..end).unwrap_or_default());
        rest = rest.get(end..).unwrap_or_default();
    }
    shown + rest
}

/// The scheme of an address as written and what follows its colon; `None` where there is none.
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
    fn what_signs_an_address_is_not_printed() {
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

    proptest! {
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
