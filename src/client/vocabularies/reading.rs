//! Reads answers about hotword lists.

use serde_json::Value;

use super::{Answer, Hotword, ListedVocabulary, Vocabulary, VocabularyId, VocabularyPage, VocabularyStatus};
use crate::error::{Error, Result};

pub(super) fn page(answer: Answer) -> Result<VocabularyPage> {
    let Some(rows) = answer.json.pointer("/output/vocabulary_list").and_then(Value::as_array) else {
        return Err(Error::protocol("the listing of hotword lists has no vocabulary_list"));
    };
    let vocabularies = rows.iter().filter_map(listed).collect();
    Ok(VocabularyPage { vocabularies, raw: answer.json })
}

/// `None` for a row without a usable id.
fn listed(row: &Value) -> Option<ListedVocabulary> {
    Some(ListedVocabulary {
        id: VocabularyId::new(text(row, "vocabulary_id")?).ok()?,
        status: VocabularyStatus::new(&text(row, "status").unwrap_or_default()),
        created: text(row, "gmt_create"),
        modified: text(row, "gmt_modified"),
    })
}

pub(super) fn vocabulary(answer: Answer, id: &VocabularyId) -> Result<Vocabulary> {
    let Answer { json: raw, request_id, .. } = answer;
    let output = raw.get("output").unwrap_or(&Value::Null);
    let Some(words) = output.get("vocabulary").and_then(Value::as_array) else {
        return Err(Error::protocol(format!("the answer on hotword list {id} has no vocabulary")));
    };
    let read = |(at, word)| {
        let malformed = || {
            Error::protocol(format!(
                "word {at} of hotword list {id} has no text, or a weight that is not a whole number"
            ))
        };
        Hotword::from_json(word).ok_or_else(malformed)
    };
    Ok(Vocabulary {
        id: id.clone(),
        status: VocabularyStatus::new(&text(output, "status").unwrap_or_default()),
        target_model: text(output, "target_model"),
        words: (1..).zip(words).map(read).collect::<Result<_>>()?,
        created: text(output, "gmt_create"),
        modified: text(output, "gmt_modified"),
        request_id,
        raw,
    })
}

fn text(of: &Value, name: &str) -> Option<String> {
    of.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(json: &str) -> Answer {
        let json = serde_json::from_str(json).unwrap();
        Answer { raw: bytes::Bytes::new(), json, request_id: Some("r".into()) }
    }

    #[test]
    fn a_list_is_read_with_its_words() {
        let id = VocabularyId::new("vocab-clinic-1").unwrap();
        let read = vocabulary(
            answer(
                r#"{"output": {"gmt_create": "2026-03-02 14:05:11", "gmt_modified": "2026-03-02 14:06:00", "status": "OK",
                    "target_model": "fun-asr", "vocabulary": [{"lang": "en", "text": "metformin", "weight": 4},
                    {"text": "格列本脲", "weight": 5}]}, "usage": {"count": 1}, "request_id": "r"}"#,
            ),
            &id,
        )
        .unwrap();
        assert_eq!(read.words, [Hotword::new("metformin").lang("en"), Hotword::new("格列本脲").weight(5)]);
        assert_eq!(read.target_model.as_deref(), Some("fun-asr"));
        assert_eq!((read.status, read.id), (VocabularyStatus::Deployed, id));
        assert_eq!(read.created.as_deref(), Some("2026-03-02 14:05:11"));
        assert_eq!(read.raw["usage"]["count"], 1);
    }

    #[test]
    fn unreadable_rows_are_skipped() {
        let read = page(answer(
            r#"{"output": {"vocabulary_list": [
                {"gmt_create": "2026-03-02 14:05:11", "gmt_modified": "2026-03-02 14:05:11", "status": "UNDEPLOYED", "vocabulary_id": "vocab-a-1"},
                {"status": "NEW", "vocabulary_id": "vocab-b-2"}, {"status": "OK"}, 7]}, "request_id": "r"}"#,
        ))
        .unwrap();
        let seen: Vec<_> = read.vocabularies.iter().map(|row| (row.id.as_str(), row.status.to_string())).collect();
        assert_eq!(seen, [("vocab-a-1", "UNDEPLOYED".to_owned()), ("vocab-b-2", "NEW".to_owned())]);
        assert_eq!(read.raw["output"]["vocabulary_list"][3], 7);
    }

    #[test]
    fn a_malformed_answer_says_what_is_missing() {
        let id = VocabularyId::new("vocab-a-1").unwrap();
        for (json, said) in [
            (r#"{"output": {}}"#, "has no vocabulary"),
            (r#"{"output": {"vocabulary": [{"text": "a", "weight": 4}, {"weight": 4}]}}"#, "word 2 of"),
        ] {
            let error = vocabulary(answer(json), &id).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        assert!(page(answer("{}")).unwrap_err().to_string().contains("has no vocabulary_list"));
    }
}
