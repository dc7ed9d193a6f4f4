//! The columns that a list has beside the address of a recording, as the ledger keeps them.

use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::{Error as _, SerializeMap as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Names and cells of one row, in the order of the list, without empty cells; never empty. Held as the text of a JSON object:
/// a batch keeps one for each recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns(Box<str>);

impl Columns {
    /// The cells that are not empty; `None` if all are. Of several columns with one name the first counts.
    pub(super) fn new<'c>(cells: impl Iterator<Item = (&'c str, &'c str)>) -> Option<Self> {
        let mut pairs = Pairs::default();
        for (name, cell) in cells.filter(|(name, cell)| !name.is_empty() && !cell.is_empty()) {
            if pairs.0.iter().all(|(known, _)| known != name) {
                pairs.0.push((name.to_owned(), cell.to_owned()));
            }
        }
        if pairs.0.is_empty() { None } else { serde_json::to_string(&pairs).ok().map(|text| Self(text.into())) }
    }

    /// Names and cells.
    pub(super) fn pairs(&self) -> Vec<(String, String)> {
        serde_json::from_str::<Pairs>(&self.0).unwrap_or_default().0
    }
}

impl Serialize for Columns {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::from_str::<Pairs>(&self.0).map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Columns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pairs = Pairs::deserialize(deserializer)?;
        serde_json::to_string(&pairs).map(|text| Self(text.into())).map_err(D::Error::custom)
    }
}

/// A JSON object of texts that keeps its order.
#[derive(Default)]
struct Pairs(Vec<(String, String)>);

impl Serialize for Pairs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, cell) in &self.0 {
            map.serialize_entry(name, cell)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Pairs;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Pairs::default();
                while let Some(pair) = map.next_entry()? {
                    pairs.0.push(pair);
                }
                Ok(pairs)
            }
        }
        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_keep_their_order_and_lose_what_is_empty() {
        let row = [("team", "Süd"), ("agent", ""), ("", "x"), ("call \"id\"", "007"), ("team", "Nord")];
        let columns = Columns::new(row.into_iter()).unwrap();
        let text = serde_json::to_string(&columns).unwrap();
        assert_eq!(text, r#"{"team":"Süd","call \"id\"":"007"}"#);
        assert_eq!(serde_json::from_str::<Columns>(&text).unwrap(), columns);
        assert_eq!(columns.pairs()[1], ("call \"id\"".to_owned(), "007".to_owned()));
        assert_eq!(Columns::new([("team", "")].into_iter()), None);
        assert!(serde_json::from_str::<Columns>(r#"{"team":1}"#).is_err());
    }
}
