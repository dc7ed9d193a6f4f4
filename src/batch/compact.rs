//! Values of which a batch keeps hundreds of thousands, in little room.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde_json::{Value, json};

use super::event::RecordingNo;

/// The recordings of a task and the addresses by which they were sent; most tasks have one.
#[derive(Clone, PartialEq)]
pub(super) enum Sent {
    One((RecordingNo, Arc<str>)),
    Several(Box<[(RecordingNo, Arc<str>)]>),
}

impl Deref for Sent {
    type Target = [(RecordingNo, Arc<str>)];

    fn deref(&self) -> &Self::Target {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Several(several) => several,
        }
    }
}

impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl FromIterator<(RecordingNo, Arc<str>)> for Sent {
    fn from_iter<I: IntoIterator<Item = (RecordingNo, Arc<str>)>>(sent: I) -> Self {
        let mut sent = sent.into_iter();
        match (sent.next(), sent.next()) {
            (Some(one), None) => Self::One(one),
            (first, second) => Self::Several(first.into_iter().chain(second).chain(sent).collect()),
        }
    }
}

/// The usage of a task as the service reported it; most have the length alone.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum CompactUsage {
    Duration(u64),
    Json(Box<str>),
}

impl From<Value> for CompactUsage {
    fn from(usage: Value) -> Self {
        let duration =
            usage.as_object().filter(|usage| usage.len() == 1).and_then(|usage| usage.get("duration")?.as_u64());
        duration.map_or_else(|| Self::Json(usage.to_string().into()), Self::Duration)
    }
}

impl CompactUsage {
    pub(super) fn to_json(&self) -> Option<Value> {
        match self {
            Self::Duration(duration) => Some(json!({"duration": duration})),
            // It was JSON when it was taken in.
            Self::Json(json) => serde_json::from_str(json).ok(),
        }
    }
}

/// The name of a recording, which is usually part of its address.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Name {
    /// From this byte of the address on, so many bytes.
    InAddress(u32, u32),
    Own(Box<str>),
}

impl Name {
    pub(super) fn new(name: &str, address: Option<&str>) -> Self {
        let at = address.and_then(|address| {
            let at = address.rfind('/')? + 1;
            let is_there = address.get(at..)?.starts_with(name);
            Some((u32::try_from(at).ok().filter(|_| is_there)?, u32::try_from(name.len()).ok()?))
        });
        at.map_or_else(|| Self::Own(name.into()), |(at, length)| Self::InAddress(at, length))
    }

    pub(super) fn get<'n>(&'n self, address: Option<&'n str>) -> &'n str {
        match self {
            Self::InAddress(at, length) => {
                let (at, length) = (*at as usize, *length as usize);
                address.and_then(|address| address.get(at..)?.get(..length)).unwrap_or_default()
            }
            Self::Own(name) => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compact_is_what_was_put_in() {
        for json in [json!({"duration": 9}), json!({"duration": -1}), json!({"duration": 9, "x": 1}), json!(null)] {
            assert_eq!(CompactUsage::from(json.clone()).to_json(), Some(json));
        }
        for (name, address) in [
            ("a", Some("https://h/a.wav")),
            ("a", Some("https://h/x/a%20.wav?q=/b")),
            ("客", Some("https://h/%E5.wav")),
            ("a", None),
        ] {
            assert_eq!(Name::new(name, address).get(address), name);
        }
        assert!(matches!(Name::new("a", Some("https://h/a.wav")), Name::InAddress(10, 1)));
        let sent = |n: u32| (1..=n).map(|n| (RecordingNo::new(n), format!("u{n}").into())).collect::<Vec<_>>();
        for n in 0..4 {
            assert_eq!(&*sent(n).into_iter().collect::<Sent>(), &sent(n)[..]);
        }
    }
}
