//! Which recording an address names.
//!
//! The same object is offered under many addresses: signed links expire and are made anew, and tools disagree on which
//! characters to percent-encode. Two addresses with the same id name the same recording.

use std::fmt::Write as _;

use url::Url;

/// The parameters by which one kind of signed link is recognized, and those that belong to its signature.
struct Signature {
    /// All of these must be present.
    markers: &'static [&'static str],
    /// Whole names, or prefixes that end in `*`.
    parameters: &'static [&'static str],
}

/// Names are compared whatever their case. A parameter that selects or changes the object (`versionId`, `x-oss-process`)
/// belongs to no signature.
const SIGNATURES: [Signature; 11] = [
    // Amazon S3, version 4 and 2.
    Signature { markers: &["x-amz-signature"], parameters: &["x-amz-*", "x-id"] },
    Signature {
        markers: &["awsaccesskeyid", "signature"],
        parameters: &["awsaccesskeyid", "signature", "expires", "x-amz-security-token"],
    },
    // Alibaba Cloud OSS, version 1 and 4.
    Signature {
        markers: &["ossaccesskeyid", "signature"],
        parameters: &["ossaccesskeyid", "signature", "expires", "security-token"],
    },
    Signature {
        markers: &["x-oss-signature"],
        parameters: &[
            "x-oss-signature",
            "x-oss-signature-version",
            "x-oss-credential",
            "x-oss-date",
            "x-oss-expires",
            "x-oss-security-token",
            "x-oss-additional-headers",
        ],
    },
    // Google Cloud Storage, version 4 and 2.
    Signature { markers: &["x-goog-signature"], parameters: &["x-goog-*"] },
    Signature { markers: &["googleaccessid", "signature"], parameters: &["googleaccessid", "signature", "expires"] },
    // Azure Blob Storage, shared access signature.
    Signature {
        markers: &["sig", "sv"],
        parameters: &[
            "sig", "sv", "se", "st", "sp", "sr", "si", "ss", "srt", "sip", "spr", "sdd", "ses", "skoid", "sktid",
            "skt", "ske", "sks", "skv", "saoid", "suoid", "scid", "rscc", "rscd", "rsce", "rscl", "rsct",
        ],
    },
    // Tencent Cloud COS.
    Signature {
        markers: &["q-signature"],
        parameters: &[
            "q-signature",
            "q-sign-algorithm",
            "q-sign-time",
            "q-key-time",
            "q-ak",
            "q-header-list",
            "q-url-param-list",
            "x-cos-security-token",
        ],
    },
    // Amazon CloudFront.
    Signature {
        markers: &["key-pair-id", "signature"],
        parameters: &["key-pair-id", "signature", "expires", "policy", "hash-algorithm"],
    },
    // Alibaba Cloud CDN.
    Signature { markers: &["auth_key"], parameters: &["auth_key"] },
    // Any other that says until when it holds; Google Cloud CDN among them.
    Signature { markers: &["expires", "signature"], parameters: &["expires", "signature", "keyname"] },
];

impl Signature {
    fn owns(&self, name: &str) -> bool {
        self.parameters.iter().any(|parameter| match parameter.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => name == *parameter,
        })
    }
}

/// The id of an address: without fragment and signature, in one percent-encoding. What is no `http`, `https` or `oss` address is
/// its own id, blanks around it apart. May hold other secrets in its query: not to be printed.
pub(crate) fn address_id(address: &str) -> String {
    let address = address.trim();
    let Ok(url) = Url::parse(address) else { return address.to_owned() };
    if !matches!(url.scheme(), "http" | "https" | "oss") {
        return address.to_owned();
    }
    let mut id = format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default());
    if let Some(port) = url.port() {
        // Writing to a String cannot fail.
        let _ = write!(id, ":{port}");
    }
    encode(url.path(), "/", &mut id);
    if let Some(query) = url.query() {
        let names: Vec<String> = query.split('&').map(parameter_name).collect();
        let signed_by: Vec<&Signature> = SIGNATURES
            .iter()
            .filter(|signature| signature.markers.iter().all(|marker| names.iter().any(|name| name == marker)))
            .collect();
        let mut separator = '?';
        for (parameter, name) in query.split('&').zip(&names) {
            if !parameter.is_empty() && !signed_by.iter().any(|signature| signature.owns(name)) {
                id.push(separator);
                encode(parameter, "=+", &mut id);
                separator = '&';
            }
        }
    }
    id
}

fn parameter_name(parameter: &str) -> String {
    let name = parameter.split('=').next().unwrap_or_default();
    percent_encoding::percent_decode_str(name).decode_utf8_lossy().to_ascii_lowercase()
}

/// Appends `text` with every byte percent-encoded but letters, digits, `-._~` and `kept`, whether it was encoded before or not.
/// An encoded character of `kept` becomes that character in a path, where no service tells them apart.
fn encode(text: &str, kept: &str, id: &mut String) {
    let is_path = kept == "/";
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let decoded = match (byte, ahead.next().and_then(hex), ahead.next().and_then(hex)) {
            (b'%', Some(high), Some(low)) => Some(high * 16 + low),
            _ => None,
        };
        let is_encoded = decoded.is_some();
        if is_encoded {
            bytes = ahead;
        }
        let byte = decoded.unwrap_or(byte);
        let is_kept = kept.as_bytes().contains(&byte) && (is_path || !is_encoded);
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || is_kept {
            id.push(byte.into());
        } else {
            let _ = write!(id, "%{byte:02X}");
        }
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_fresh_signature_does_not_make_another_recording() {
        let object = "https://bucket.example/calls/0417.wav";
        for [signed, anew] in [
            [
                "?Expires=1795900000&OSSAccessKeyId=TESTKEY&Signature=aaaa%3D",
                "?OSSAccessKeyId=STS.x&Expires=1795990000&Signature=cc%2Bc&security-token=t",
            ],
            [
                "?x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-date=20261129T000000Z&x-oss-expires=60&x-oss-credential=a%2Fb&x-oss-signature=aa",
                "?x-oss-credential=c&x-oss-date=20261130T000000Z&x-oss-expires=60&x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-signature=bb&x-oss-security-token=t",
            ],
            [
                "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a&X-Amz-Date=20261129T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=aa",
                "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a&X-Amz-Date=20261130T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Security-Token=t&X-Amz-Signature=bb&x-id=GetObject",
            ],
            [
                "?AWSAccessKeyId=a&Expires=1&Signature=aa",
                "?AWSAccessKeyId=a&Signature=bb&Expires=2&x-amz-security-token=t",
            ],
            [
                "?X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=a&X-Goog-Date=1&X-Goog-Expires=60&X-Goog-SignedHeaders=host&X-Goog-Signature=aa",
                "?GoogleAccessId=a&Expires=2&Signature=bb",
            ],
            [
                "?sv=2024-11-04&st=2026-11-29T00%3A00%3A00Z&se=2026-11-30T00%3A00%3A00Z&sr=b&sp=r&sig=aa%3D",
                "?sp=r&st=2026-11-30&se=2026-12-01&spr=https&sv=2024-11-04&sr=b&sig=bb%3D",
            ],
            [
                "?q-sign-algorithm=sha1&q-ak=a&q-sign-time=1%3B2&q-key-time=1%3B2&q-header-list=host&q-url-param-list=&q-signature=aa",
                "?q-sign-algorithm=sha1&q-ak=a&q-sign-time=3;4&q-key-time=3;4&q-header-list=host&q-url-param-list=&q-signature=bb&x-cos-security-token=t",
            ],
            ["?auth_key=1795900000-0-0-aa", "?auth_key=1795990000-0-0-bb"],
            ["?Expires=1795900000&Signature=aaaa%3D", "?Expires=1&KeyName=k&Signature=bb"],
            ["?Expires=1&Signature=aa&Key-Pair-Id=K", "?Policy=e30_&Signature=bb&Key-Pair-Id=K&Hash-Algorithm=SHA256"],
        ] {
            assert_eq!(address_id(&format!("{object}{signed}")), object, "{signed}");
            assert_eq!(address_id(&format!("{object}{anew}")), object, "{anew}");
            assert_eq!(address_id(&format!("{object}{signed}&id=7")), format!("{object}?id=7"), "{signed}");
        }
    }

    #[test]
    fn a_query_that_is_no_signature_names_another_recording() {
        for query in [
            "?id=7",
            "?Expires=5",
            "?Signature=aa",
            "?sig=7",
            "?sv=7&se=8",
            "?policy=x&key-pair-id=y",
            "?x-amz-date=1",
            "?versionId=3",
            "?x-oss-process=audio",
        ] {
            let id = address_id(&format!("https://h/a.wav{query}"));
            assert!(id.eq_ignore_ascii_case(&format!("https://h/a.wav{query}")), "{id}");
        }
        let process = "https://h/a.wav?x-oss-process=cut&x-oss-signature=aa&x-oss-date=1";
        assert_eq!(address_id(process), "https://h/a.wav?x-oss-process=cut");
    }

    #[test]
    fn one_percent_encoding_is_as_good_as_another() {
        for (address, id) in [
            ("HTTPS://H:443/a (1).wav#t=3", "https://h/a%20%281%29.wav"),
            ("https://h/a%20%281%29.wav", "https://h/a%20%281%29.wav"),
            ("https://h/%e5%ae%a2/%7Ex.wav", "https://h/%E5%AE%A2/~x.wav"),
            ("https://h/客/~x.wav", "https://h/%E5%AE%A2/~x.wav"),
            ("https://h/calls%2Fa.wav", "https://h/calls/a.wav"),
            ("https://h/a.wav?k=a+b&l=%2B&m=%3d%26", "https://h/a.wav?k=a+b&l=%2B&m=%3D%26"),
            ("https://h/a.wav?", "https://h/a.wav"),
            ("http://h:8080/100%.wav", "http://h:8080/100%25.wav"),
            ("OSS://Bucket/x/客 1.wav", "oss://Bucket/x/%E5%AE%A2%201.wav"),
            (" calls/a.wav ", "calls/a.wav"),
            ("", ""),
        ] {
            assert_eq!(address_id(address), id, "{address}");
        }
    }

    proptest! {
        #[test]
        fn an_id_is_its_own_id(address in "(https?://h|oss://b)?/?[a-z%0-9A-F/ ?&=+#客.~()-]{0,40}") {
            let id = address_id(&address);
            prop_assert_eq!(address_id(&id), id.clone(), "{}", address);
        }
    }
}
