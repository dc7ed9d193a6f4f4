//! Hotword lists.

use serde_json::{Value, json};

use super::{A, Service};

async fn ask(service: &Service, input: Value) -> super::Answer {
    service.post("/services/audio/asr/customization", &json!({"model": "speech-biasing", "input": input})).await
}

fn create(prefix: &str, word: Value) -> Value {
    json!({"action": "create_vocabulary", "target_model": "fun-asr", "prefix": prefix, "vocabulary": [word]})
}

#[tokio::test]
async fn a_list_is_made_read_changed_and_deleted() {
    let service = Service::start().await;
    let word = json!({"text": "metformin", "weight": 4, "lang": "en"});
    let created = ask(&service, create("clinic", word.clone())).await.json();
    assert_eq!(created["usage"], json!({"count": 1}));
    let id = created["output"]["vocabulary_id"].as_str().unwrap();
    assert!(id.starts_with("vocab-clinic-"));
    let read = async || ask(&service, json!({"action": "query_vocabulary", "vocabulary_id": id})).await;
    let read_once = read().await.json();
    assert_eq!(
        (&read_once["output"]["target_model"], &read_once["output"]["vocabulary"]),
        (&json!("fun-asr"), &json!([word]))
    );
    let other = json!([{"text": "二甲双胍", "weight": 5}]);
    let update = json!({"action": "update_vocabulary", "vocabulary_id": id, "vocabulary": other});
    assert_eq!(ask(&service, update).await.json()["output"], json!({}));
    assert_eq!(read().await.json()["output"]["vocabulary"], other);
    let listed = ask(&service, json!({"action": "list_vocabulary", "prefix": "clinic"})).await.json();
    assert_eq!(listed["output"]["vocabulary_list"][0]["vocabulary_id"], id);
    assert_eq!(listed["output"]["vocabulary_list"][0]["status"], "OK");
    let used = json!({"model": "paraformer-v2", "input": {"file_urls": [A]}, "parameters": {"vocabulary_id": id}});
    assert_eq!(service.submit(&used).await.status, 200, "for another model it has no effect, which is no error");
    assert_eq!(ask(&service, json!({"action": "delete_vocabulary", "vocabulary_id": id})).await.status, 200);
    assert_eq!(read().await.refused().1, "NotFound");
    assert_eq!(service.submit(&used).await.refused().1, "BadRequest.ResourceNotExist");
}

#[tokio::test]
async fn the_rules_for_lists_hold() {
    let service = Service::start().await;
    let word = |text: &str| json!({"text": text, "weight": 4});
    for wrong in [
        create("Clinic", word("a")),
        create("elevenchars", word("a")),
        create("", word("a")),
        create("clinic", word("")),
        create("clinic", word("one two three four five six seven eight")),
        create("clinic", word("一二三四五六七八九十一二三四五六")),
        create("clinic", json!({"text": "a", "weight": 6})),
        create("clinic", json!({"text": "a", "weight": 50})),
        create("clinic", json!({"text": "a"})),
        create("clinic", json!({"text": "a", "weight": 4, "lang": "de"})),
        create("clinic", json!({"text": "a", "weight": 4, "language": "en"})),
        json!({"action": "create_vocabulary", "target_model": "fun-asr", "prefix": "a", "vocabulary": []}),
        json!({"action": "create", "target_model": "fun-asr"}),
    ] {
        let refused = ask(&service, wrong.clone()).await.refused();
        assert_eq!((refused.0, refused.1.as_str()), (400, "InvalidParameter"), "{wrong}");
    }
    for _ in 0..10 {
        assert_eq!(ask(&service, create("ok", word("one two three four five six seven"))).await.status, 200);
    }
    let full = ask(&service, create("ok", word("a"))).await.refused();
    assert_eq!(full, (400, "Throttling.AllocationQuota".to_owned(), "Free allocated quota exceeded.".to_owned()));
}
