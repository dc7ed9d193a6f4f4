//! Temporary storage: upload policies, and the objects uploaded with them. Only hash, length and
//! audio header of an object are kept.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::answer::{Answer, Refusal};
use super::clock::{HOUR, Millis, wall_date, zulu};
use super::models::{Model, UPLOAD_MB};
use super::routes::Call;
use super::state::State;
use super::wav::Audio;

/// The access key id of the signer.
pub(super) const ACCESS_KEY_ID: &str = "LTAIemulator";
const POLICY_SECONDS: Millis = 300;
const OBJECT_LIFE: Millis = 48 * HOUR;
/// Expired entries are removed after this many new ones.
const SWEEP: usize = 1024;

/// Folders handed out, and the objects in them.
#[derive(Debug, Default)]
pub(super) struct Uploads(Mutex<Shelves>);

#[derive(Debug, Default)]
struct Shelves {
    /// Folder → model, and when it was handed out.
    folders: HashMap<String, (&'static str, Millis)>,
    /// Key → object, the model it was uploaded for, and when.
    objects: HashMap<String, (Object, &'static str, Millis)>,
}

/// What is kept of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) length: u64,
    pub(super) hash: [u8; 32],
    pub(super) audio: Option<Audio>,
}

/// A refusal of the storage: status, code, message.
pub(super) type Denied = (StatusCode, &'static str, String);

/// What a signed policy allows.
#[derive(Debug)]
pub(super) struct Allowed {
    pub(super) most_bytes: u64,
    folder: String,
}

/// The fields of an upload form before the file.
#[derive(Debug, Default)]
pub(super) struct Form(pub(super) HashMap<String, String>);

impl Form {
    fn field(&self, name: &str) -> Option<&str> {
        self.0.get(&name.to_ascii_lowercase()).map(String::as_str)
    }

    pub(super) fn key(&self) -> &str {
        self.field("key").unwrap_or_default()
    }

    /// The requested status; 204 without one.
    pub(super) fn success(&self) -> StatusCode {
        match self.field("success_action_status") {
            Some("200") => StatusCode::OK,
            Some("201") => StatusCode::CREATED,
            _ => StatusCode::NO_CONTENT,
        }
    }

    /// Checks everything but the file.
    pub(super) fn check(&self, state: &State) -> Result<Allowed, Denied> {
        let denied = |message: &str| (StatusCode::FORBIDDEN, "AccessDenied", message.to_owned());
        if self.field("key").is_none() {
            let message = "The form must contain a field named 'key', before the file.".to_owned();
            return Err((StatusCode::BAD_REQUEST, "InvalidArgument", message));
        }
        let policy = self.field("policy").ok_or_else(|| denied("The policy is missing."))?;
        let signature = self.field("Signature").ok_or_else(|| denied("The signature is missing."))?;
        if self.field("OSSAccessKeyId") != Some(ACCESS_KEY_ID) {
            return Err((StatusCode::FORBIDDEN, "InvalidAccessKeyId", "The access key id does not exist.".to_owned()));
        }
        if !state.seal.signed(policy, signature) {
            let message = "The request signature we calculated does not match the signature you provided.";
            return Err((StatusCode::FORBIDDEN, "SignatureDoesNotMatch", message.to_owned()));
        }
        let policy: Value = STANDARD
            .decode(policy)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .ok_or_else(|| denied("The policy cannot be read."))?;
        let number = |key: &str| policy.pointer(key).and_then(Value::as_i64).unwrap_or_default();
        if state.clock.now() >= number("/expires_ms") {
            return Err(denied("Invalid according to Policy: Policy expired."));
        }
        // The bucket's own policy requires both.
        for (name, value) in [("x-oss-object-acl", "private"), ("x-oss-forbid-overwrite", "true")] {
            if self.field(name) != Some(value) {
                return Err(denied(&format!("Invalid according to Policy: Policy Condition failed: {name}.")));
            }
        }
        let folder = policy.get("folder").and_then(Value::as_str).unwrap_or_default().to_owned();
        let name = self.key().strip_prefix(&folder).and_then(|rest| rest.strip_prefix('/')).unwrap_or_default();
        if name.is_empty() {
            return Err(denied("Invalid according to Policy: Policy Condition failed: [\"starts-with\", \"$key\"]."));
        }
        Ok(Allowed { most_bytes: u64::try_from(number("/conditions/0/2")).unwrap_or_default(), folder })
    }
}

impl Uploads {
    fn with<R>(&self, act: impl FnOnce(&mut Shelves) -> R) -> R {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Stores an object under a new key.
    pub(super) fn put(&self, key: &str, allowed: &Allowed, object: Object, now: Millis) -> Result<(), Denied> {
        self.with(|shelves| {
            if shelves.objects.contains_key(key) {
                let message = "The object you specified already exists and can not be overwritten.".to_owned();
                return Err((StatusCode::CONFLICT, "FileAlreadyExists", message));
            }
            let Some((model, _)) = shelves.folders.get(&allowed.folder) else {
                return Err((StatusCode::FORBIDDEN, "AccessDenied", "No such folder.".to_owned()));
            };
            shelves.objects.insert(key.to_owned(), (object, *model, now));
            if shelves.objects.len().is_multiple_of(SWEEP) {
                shelves.objects.retain(|_, (_, _, at)| now < *at + OBJECT_LIFE);
            }
            Ok(())
        })
    }

    /// An object that was uploaded for this model and has not expired.
    pub(super) fn object(&self, key: &str, model: &Model, now: Millis) -> Option<Object> {
        self.with(|shelves| {
            let (object, name, at) = shelves.objects.get(key)?;
            (*name == model.name && now < *at + OBJECT_LIFE).then(|| object.clone())
        })
    }
}

/// `GET /api/v1/uploads?action=getPolicy&model=…`
pub(super) fn policy(state: &State, call: &Call) -> Result<Answer, Refusal> {
    if call.query("action") != Some("getPolicy") {
        return Err(Refusal::format("action must be getPolicy"));
    }
    let model = call.query("model").ok_or_else(|| Refusal::format("model is missing"))?;
    let model = Model::named(model).ok_or_else(|| Refusal::parameter("Model not exist."))?;
    state.admit_at(&format!("getPolicy {}", model.name), 100.0)?;
    let now = state.clock.now();
    let folder = format!("dashscope-instant/{}/{}/{}", state.seal.hex(32), wall_date(now), state.seal.uuid());
    let expires = now + POLICY_SECONDS * 1000;
    let policy = STANDARD.encode(
        json!({
            "expiration": zulu(expires),
            "expires_ms": expires,
            "folder": folder,
            "conditions": [
                ["content-length-range", 0, UPLOAD_MB << 20],
                ["starts-with", "$key", folder],
                {"x-oss-object-acl": "private"},
                {"x-oss-forbid-overwrite": "true"},
            ],
        })
        .to_string(),
    );
    let signature = state.seal.sign(&policy);
    state.uploads.with(|shelves| {
        shelves.folders.insert(folder.clone(), (model.name, now));
        if shelves.folders.len().is_multiple_of(SWEEP) {
            shelves.folders.retain(|_, (_, at)| now < *at + OBJECT_LIFE);
        }
    });
    Ok(Answer::Json(json!({
        "request_id": call.request_id,
        "data": {
            "policy": policy,
            "signature": signature,
            "upload_dir": folder,
            "upload_host": state.storage_url,
            "expire_in_seconds": POLICY_SECONDS,
            "max_file_size_mb": UPLOAD_MB,
            "capacity_limit_mb": 999_999_999,
            "oss_access_key_id": ACCESS_KEY_ID,
            "x_oss_object_acl": "private",
            "x_oss_forbid_overwrite": "true",
        },
    })))
}
