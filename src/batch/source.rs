//! Where a recording is: an address the service fetches, or a file of ours that is uploaded.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use url::Url;

use super::result_name::result_name;
use crate::error::{Error, Result};
use crate::recording_id::address_id;
use crate::redact::{split_scheme, without_query};

/// Schemes that mean an address even without `//`: `call:1.wav` is a file, `s3:call.wav` is a mistake.
const FOREIGN: [&str; 10] = ["abfs", "blob", "ftp", "ftps", "gs", "rtsp", "s3", "sftp", "wasb", "ws"];

/// How much of a text is repeated in the line that refuses it, in characters.
const LONGEST_NAMED: usize = 200;

/// Where one recording is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `http://…` or `https://…`, fetched by the service.
    Url(Address),
    /// `oss://…`, in the service's temporary storage.
    Oss(Address),
    /// A file on this machine, to be uploaded; relative to the current directory.
    File(PathBuf),
}

/// An address as given, and as the service gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    given: Arc<str>,
    /// The same allocation where nothing had to be encoded.
    sent: Arc<str>,
}

impl Address {
    /// Verbatim, as in the list or on the command line, blanks around it apart.
    #[must_use]
    pub fn given(&self) -> &str {
        &self.given
    }

    /// Blanks and non-ASCII characters percent-encoded, once: an existing `%20` stays.
    #[must_use]
    pub fn sent(&self) -> &str {
        &self.sent
    }

    pub(super) fn shared(&self) -> Arc<str> {
        Arc::clone(&self.sent)
    }

    fn new(given: &str, sent: &str) -> Self {
        let given: Arc<str> = given.into();
        let sent = if *given == *sent { Arc::clone(&given) } else { sent.into() };
        Self { given, sent }
    }
}

impl Source {
    /// What `text` means; looks at no file.
    ///
    /// Schemes are recognised in any case; `file:///…` is a path; what has no scheme is a path, unchanged. To name
    /// a file that looks like an address, write `./` before it.
    ///
    /// ```
    /// use talkmeter::batch::Source;
    ///
    /// let source = Source::parse("https://calls.example/May calls/客服.wav?sig=c2Vj")?;
    /// assert_eq!(source.sent(), Some("https://calls.example/May%20calls/%E5%AE%A2%E6%9C%8D.wav?sig=c2Vj"));
    /// assert_eq!(source.given(), "https://calls.example/May calls/客服.wav?sig=c2Vj");
    /// assert_eq!(source.printable(), "https://calls.example/May calls/客服.wav?…");
    /// # Ok::<(), talkmeter::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// In one clause that begins with the text (without its query): what the service cannot fetch (`data:` URIs,
    /// other schemes, no host, a fragment), what must not stand in a ledger (user name and password), control
    /// characters.
    pub fn parse(text: &str) -> Result<Self> {
        let trimmed = text.trim();
        let refuse = |why: &str| Err(Error::invalid(format!("{}: {why}", named(trimmed))));
        if trimmed.is_empty() {
            return Err(Error::invalid("an empty name"));
        }
        if trimmed.contains('\0') {
            return refuse("a NUL byte in a name");
        }
        let Some((scheme, rest)) = split_scheme(trimmed) else { return Ok(Self::File(text.into())) };
        match &*scheme.to_ascii_lowercase() {
            "http" | "https" => web(trimmed, rest).or_else(|why| refuse(&why)),
            "oss" => object(trimmed, rest).or_else(refuse),
            "file" => local(trimmed, rest).or_else(refuse),
            "data" => refuse("a data: URI is not taken in a batch; upload the file instead: give its path"),
            foreign if rest.starts_with("//") || FOREIGN.contains(&foreign) => refuse(&format!(
                "the service cannot fetch {foreign}: addresses; give an http, https or oss URL, or the path of a file"
            )),
            _ => Ok(Self::File(text.into())),
        }
    }

    /// The source of a recording that a ledger has: what was given, and its location, the address that is sent or the real path of
    /// a file as a `file:` URL.
    ///
    /// # Errors
    /// They do not belong together. The path that was given may be a link, so that only its kind is compared.
    pub(super) fn from_ledger(given: &str, location: &str) -> Result<Self, String> {
        let is_file = location.starts_with("file:");
        let path = is_file.then(|| Url::parse(location).ok()?.to_file_path().ok()).flatten();
        match (Self::parse(given), path) {
            (Ok(Self::File(_)) | Err(_), Some(path)) => Ok(Self::File(path)),
            (Ok(source @ (Self::Url(_) | Self::Oss(_))), None)
                if source.sent().is_some_and(|sent| sent == location || address_id(sent) == address_id(location)) =>
            {
                Ok(source)
            }
            // An earlier version may have taken what is refused now.
            (Err(_), None) if address_id(given) == address_id(location) => Ok(Self::Url(Address::new(given, location))),
            _ => Err("its `url` and its `key` do not belong together".to_owned()),
        }
    }

    /// Verbatim, as it was given; a path that is no UTF-8 with U+FFFD.
    #[must_use]
    pub fn given(&self) -> Cow<'_, str> {
        match self {
            Self::Url(address) | Self::Oss(address) => address.given().into(),
            Self::File(path) => path.to_string_lossy(),
        }
    }

    /// What the service is sent; `None` for a file, which has no address before its upload.
    #[must_use]
    pub fn sent(&self) -> Option<&str> {
        match self {
            Self::Url(address) | Self::Oss(address) => Some(address.sent()),
            Self::File(_) => None,
        }
    }

    /// For logs and the terminal: as given, without the query of a signed URL.
    #[must_use]
    pub fn printable(&self) -> String {
        match self {
            Self::Url(address) | Self::Oss(address) => without_query(address.given()),
            Self::File(path) => path.to_string_lossy().into_owned(),
        }
    }

    /// For the name of its result file.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Url(address) | Self::Oss(address) => {
                let way = address.sent().split_once("://").map_or("", |(_, way)| way);
                let way = way.split(['?', '#']).next().unwrap_or_default();
                // The first segment is the host.
                let last = way.split('/').skip(1).filter(|segment| !segment.is_empty()).last();
                result_name(last.unwrap_or_default(), true)
            }
            Self::File(path) => {
                result_name(&Path::new(path).file_name().map_or(Cow::default(), |name| name.to_string_lossy()), false)
            }
        }
    }
}

/// An http(s) address: `rest` is what follows the scheme's colon.
fn web(text: &str, rest: &str) -> Result<Source, String> {
    // The URL standard would take the first segment of `https:///calls/a.wav` for the host.
    let host_on = rest.strip_prefix("//").unwrap_or_default();
    if host_on.is_empty() || host_on.starts_with(['/', '\\', '?', '#']) {
        return Err("a URL without a host".to_owned());
    }
    // It would drop tabs and line breaks, too, and ask for another file.
    if text.contains(char::is_control) {
        return Err("a control character in a URL".to_owned());
    }
    let way = text.split('?').next().unwrap_or_default();
    if way.contains('\\') {
        return Err("a backslash in a URL; write / or %5C".to_owned());
    }
    if way.split_whitespace().skip(1).any(|word| word.contains("://")) {
        return Err("two URLs in one; give one a line".to_owned());
    }
    let url = Url::parse(text).map_err(|error| format!("no URL: {error}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "a user name or password in a URL would end up in the ledger; sign the URL, or give the path of a \
                    file, which is uploaded"
                .to_owned(),
        );
    }
    if url.fragment().is_some() {
        return Err("what follows # is never sent; write %23 where the name has a #".to_owned());
    }
    Ok(Source::Url(Address::new(text, url.as_str())))
}

/// An `oss://` address, sent verbatim but for the case of its scheme.
fn object(text: &str, rest: &str) -> Result<Source, &'static str> {
    if text.contains(char::is_control) {
        return Err("a control character in a URL");
    }
    match rest.strip_prefix("//").map(|way| way.split('/').next().unwrap_or_default()) {
        None | Some("") => Err("an oss URL without a bucket"),
        Some(bucket) if bucket.contains('@') => {
            Err("a user name or password in a URL would end up in the ledger; leave it out")
        }
        Some(_) => Ok(Source::Oss(Address::new(text, &format!("oss:{rest}")))),
    }
}

/// A `file:` address as a path of this machine.
fn local(text: &str, rest: &str) -> Result<Source, &'static str> {
    if !rest.starts_with('/') {
        return Err("a file: URL takes a whole path, as in file:///calls/a.wav");
    }
    if rest.contains(['?', '#']) {
        return Err("? and # end the path of a file: URL; write %3F or %23, or give the path alone");
    }
    let url = Url::parse(text).map_err(|_| "no URL")?;
    url.to_file_path().map(Source::File).map_err(|()| "a file: URL of another machine")
}

/// The text that is refused, as it may be printed: no query, no payload, no end without end.
fn named(text: &str) -> String {
    let is_data = split_scheme(text).is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("data"));
    if is_data {
        return format!("{}…", text.split(',').next().unwrap_or_default().chars().take(40).collect::<String>());
    }
    let printed = without_query(text);
    match printed.char_indices().nth(LONGEST_NAMED) {
        Some((at, _)) => format!("{}…", printed.get(..at).unwrap_or_default()),
        None => printed,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refusal(text: &str) -> String {
        Source::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn what_is_sent_is_encoded_once_and_what_was_given_stays() {
        for (given, sent) in [
            ("https://h/a.wav", "https://h/a.wav"),
            ("HTTPS://H/A.wav", "https://h/A.wav"),
            ("https://h/a b.wav", "https://h/a%20b.wav"),
            ("https://h/a%20b.wav", "https://h/a%20b.wav"),
            ("https://h/客.wav?k=值", "https://h/%E5%AE%A2.wav?k=%E5%80%BC"),
            ("https://h/a%2Fb+c.wav?X=%2B&Y=a/b", "https://h/a%2Fb+c.wav?X=%2B&Y=a/b"),
            ("http://127.0.0.1:8080/a.wav", "http://127.0.0.1:8080/a.wav"),
            ("https://h:443/a.wav", "https://h/a.wav"),
        ] {
            let source = Source::parse(given).unwrap();
            assert_eq!((&*source.given(), source.sent()), (given, Some(sent)));
            assert!(matches!(source, Source::Url(_)));
        }
        let source = Source::parse("OSS://dashscope-instant/x/a b.wav").unwrap();
        assert_eq!(source.sent(), Some("oss://dashscope-instant/x/a b.wav"));
        assert_eq!(Source::parse("  https://h/a.wav\r\n").unwrap().given(), "https://h/a.wav");
    }

    #[test]
    fn a_path_is_a_path_unless_it_has_a_scheme() {
        for (text, path) in [
            ("calls/a.wav", "calls/a.wav"),
            ("call:1.wav", "call:1.wav"),
            ("./s3:a.wav", "./s3:a.wav"),
            ("a b?c#d.wav", "a b?c#d.wav"),
            ("12:30.wav", "12:30.wav"),
            ("file:///calls/a%20b.wav", "/calls/a b.wav"),
            ("FILE://localhost/a.wav", "/a.wav"),
            ("file:/a.wav", "/a.wav"),
            (" a.wav", " a.wav"),
        ] {
            assert_eq!(Source::parse(text).unwrap(), Source::File(path.into()), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_fetched_is_refused_with_what_to_do() {
        for (text, said) in [
            ("", "an empty name"),
            ("a\0b", "a NUL byte in a name"),
            ("data:audio/wav;base64,UklGRg", "data:audio/wav;base64…: a data: URI is not taken in a batch; upload"),
            ("ftp://h/a.wav", "ftp://h/a.wav: the service cannot fetch ftp: addresses; give an http, https or oss URL"),
            ("s3:bucket/a.wav", "the service cannot fetch s3: addresses"),
            ("S3://bucket/a.wav", "the service cannot fetch s3: addresses"),
            ("https:a.wav", "a URL without a host"),
            ("https:///calls/a.wav", "a URL without a host"),
            ("https://", "a URL without a host"),
            ("https://?a", "https://?…: a URL without a host"),
            ("https://h:99999/a", "no URL: invalid port number"),
            ("https://h h/a", "no URL: invalid"),
            ("https://h/a\tb.wav", "a control character"),
            (r"https://h\a.wav", "a backslash in a URL; write / or %5C"),
            ("https://h/call #3.wav", "https://h/call #…: what follows # is never sent; write %23"),
            ("https://h/a.wav https://h/b.wav", "two URLs in one"),
            ("oss:a", "an oss URL without a bucket"),
            ("oss:///a", "an oss URL without a bucket"),
            ("oss://id:key@bucket/a", "oss://bucket/a: a user name or password"),
            ("file:a.wav", "takes a whole path"),
            ("file://server/share/a.wav", "of another machine"),
            ("file:///a.wav?x", "? and # end the path"),
        ] {
            assert!(refusal(text).contains(said), "{text}: {}", refusal(text));
        }
    }

    #[test]
    fn a_refusal_repeats_no_secret_and_no_megabyte() {
        assert_eq!(
            refusal("https://me:hunter2@h/a.wav?Signature=c2Vj"),
            "https://h/a.wav?…: a user name or password in a URL would end up in the ledger; sign the URL, or give \
             the path of a file, which is uploaded"
        );
        assert!(refusal(&format!("ftp://h/{}", "客".repeat(100_000))).chars().count() < 400);
        assert!(refusal(&format!("data:{}", "A".repeat(100_000))).len() < 400);
    }

    #[test]
    fn a_result_is_named_after_its_recording() {
        for (text, name) in [
            ("https://h/calls/a%20b.wav?sig=x/y.mp3", "a_b"),
            ("https://h/calls/", "calls"),
            ("https://h.example", "audio"),
            ("https://h/客服.tar.gz", "客服.tar"),
            ("oss://bucket/x/call.wav", "call"),
            ("oss://bucket", "audio"),
            ("/calls/100%25.wav", "100_25"),
            ("..", "audio"),
        ] {
            assert_eq!(Source::parse(text).unwrap().name(), name, "{text}");
        }
    }

    proptest! {
        #[test]
        fn parsing_is_total_and_what_is_sent_means_itself(text in "(https?://|oss://|file://|data:|[a-z]{1,3}:)?\\PC{0,60}") {
            if let Ok(source) = Source::parse(&text) {
                prop_assert!(source.name().len() <= 80);
                if let Some(sent) = source.sent() {
                    let again = Source::parse(sent).unwrap();
                    prop_assert_eq!(again.sent(), Some(sent));
                    prop_assert!(matches!(source, Source::Oss(_)) || sent.is_ascii());
                }
            }
        }
    }
}
