//! The service's own list of models, which shows that a key, host and region fit together.
//!
//! | call | wire |
//! | --- | --- |
//! | [`Models::list`] | `GET /models?page_no=…&page_size=100` |
//!
//! No page documents the call; official and other clients use it to check a key. Its answer is read tolerantly.

use serde_json::Value;

use super::Client;
use super::pacing::Class;
use super::retry::RetrySafety;
use super::transport::{Body, Call, Target};
use crate::error::{Error, Result};

/// A model as the service lists it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ListedModel {
    /// Its name in requests.
    pub name: String,
    /// The row as received.
    pub raw: Value,
}

/// One page of the list.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ModelPage {
    /// In the service's order.
    pub models: Vec<ListedModel>,
    /// Models on all pages, if the service says.
    pub total: Option<u64>,
}

/// Calls about models.
#[derive(Debug, Clone, Copy)]
pub struct Models<'c> {
    pub(super) client: &'c Client,
}

impl Models<'_> {
    /// Rows of a full page.
    pub const PAGE: usize = 100;

    /// A page of the models this key may use, from page 1 on, [`Self::PAGE`] per page.
    ///
    /// `GET /models`
    ///
    /// # Errors
    /// The service refused, as for a key of another region or host, or did not answer.
    pub async fn list(self, page: u64) -> Result<ModelPage> {
        let query = vec![("page_no", page.max(1).to_string()), ("page_size", Self::PAGE.to_string())];
        let answer = self.client.transport().send(Call {
            doing: "list models".to_owned(),
            target: Target::Service(&["models"], query),
            body: Body::Get,
            headers: &[],
            class: Class::Manage,
            repeat: RetrySafety::Always,
        });
        read(&answer.await?.json)
    }
}

fn read(json: &Value) -> Result<ModelPage> {
    let output = json.get("output").filter(|output| output.is_object()).unwrap_or(json);
    let rows = ["models", "data"].iter().find_map(|name| output.get(name)?.as_array());
    let rows = rows.ok_or_else(|| Error::protocol("the list of models has no rows"))?;
    let name = |row: &Value| {
        let name = ["model", "name", "id", "model_name"].iter().find_map(|name| row.get(name)?.as_str());
        name.map(str::to_owned)
    };
    let models = rows.iter().filter_map(|row| Some(ListedModel { name: name(row)?, raw: row.clone() }));
    Ok(ModelPage { models: models.collect(), total: output.get("total").and_then(Value::as_u64) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_found_in_both_known_forms() {
        for answer in [
            json!({"output": {"total": 2, "models": [{"model": "fun-asr"}, {"name": "paraformer-v2"}, 7]}}),
            json!({"object": "list", "total": 2, "data": [{"id": "fun-asr"}, {"id": "paraformer-v2"}]}),
        ] {
            let page = read(&answer).unwrap();
            let names: Vec<&str> = page.models.iter().map(|model| &model.name[..]).collect();
            assert_eq!((names, page.total), (vec!["fun-asr", "paraformer-v2"], Some(2)));
        }
        assert!(read(&json!({"output": {}})).is_err());
    }
}
