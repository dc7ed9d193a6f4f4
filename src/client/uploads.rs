//! Temporary storage: local files get an address that the service can read for 48 hours.
//!
//! | call | wire |
//! | --- | --- |
//! | [`Uploads::policy`] | `GET /uploads?action=getPolicy&model=…` |
//! | [`Uploads::upload`] | the same, then `POST` of a form to another host, without the key |
//!
//! The vendor says: not for production, high concurrency or stress tests. An address is valid for the model that was named.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use super::Client;
use super::pacing::Class;
use super::retry::RetrySafety;
use super::transport::{Body, Call, Sent, Target};
use crate::catalog::Catalog;
use crate::error::{Error, Result};

/// A file in temporary storage.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TempUrl {
    /// `oss://…`
    pub url: String,
    /// When it expires.
    pub expires: Timestamp,
}

/// A permit to upload one file. Its `Debug` shows no signature.
#[non_exhaustive]
pub struct Policy {
    fields: Vec<(&'static str, String)>,
    host: Url,
    folder: String,
    /// The largest file, in bytes; `None` if the service does not say.
    pub max_bytes: Option<u64>,
    /// How long the permit is valid.
    pub valid_for: Duration,
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Policy").field("host", &self.host.as_str()).field("max_bytes", &self.max_bytes).finish()
    }
}

/// Calls about uploads.
#[derive(Debug, Clone, Copy)]
pub struct Uploads<'c> {
    pub(super) client: &'c Client,
}

impl Uploads<'_> {
    /// Requests a permit to upload one file for `model`.
    ///
    /// `GET /uploads?action=getPolicy&model=…`
    ///
    /// # Errors
    /// The service refused, or its answer lacks what an upload needs.
    pub async fn policy(self, model: &str) -> Result<Policy> {
        let query = vec![("action", "getPolicy".to_owned()), ("model", model.to_owned())];
        let answer = self.client.transport().send(Call {
            doing: format!("get a permit to upload for {model}"),
            target: Target::Service(&["uploads"], query),
            body: Body::Get,
            headers: &[],
            class: Class::Policy(model.to_owned()),
            repeat: RetrySafety::Always,
        });
        let json = answer.await?.json;
        let data = json.get("data").unwrap_or(&Value::Null);
        let text = |name: &str| match data.get(name) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
            // Seen as a string; a boolean would mean the same.
            Some(Value::Bool(flag)) => Ok(flag.to_string()),
            _ => Err(Error::protocol(format!("the permit to upload has no {name}"))),
        };
        let host = Url::parse(&text("upload_host")?)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| Error::protocol("the permit to upload names no host"))?;
        Ok(Policy {
            // The documented order; `key` and the others follow.
            fields: vec![
                ("OSSAccessKeyId", text("oss_access_key_id")?),
                ("Signature", text("signature")?),
                ("policy", text("policy")?),
                ("x-oss-object-acl", text("x_oss_object_acl")?),
                ("x-oss-forbid-overwrite", text("x_oss_forbid_overwrite")?),
            ],
            host,
            folder: text("upload_dir")?,
            max_bytes: data.get("max_file_size_mb").and_then(Value::as_u64).map(|mb| mb.saturating_mul(1 << 20)),
            valid_for: Duration::from_secs(data.get("expire_in_seconds").and_then(Value::as_u64).unwrap_or(300)),
        })
    }

    /// Uploads a file for `model` under a unique name.
    ///
    /// # Errors
    /// As [`Self::policy`]; the file cannot be read, is larger than the service takes, or storage refused it.
    pub async fn upload(self, model: &str, path: &Path) -> Result<TempUrl> {
        self.upload_with(model, path, |_| ()).await
    }

    /// Like [`Self::upload`]; `sent` receives the number of bytes sent, which restarts at 0 when the upload is retried.
    ///
    /// # Errors
    /// As [`Self::upload`].
    pub async fn upload_with(
        self,
        model: &str,
        path: &Path,
        sent: impl Fn(u64) + Send + Sync + 'static,
    ) -> Result<TempUrl> {
        let moved = Arc::new(AtomicU64::new(0));
        let sent: Arc<dyn Fn(u64) + Send + Sync> = {
            let moved = moved.clone();
            Arc::new(move |bytes| {
                moved.fetch_add(1, Ordering::Relaxed);
                sent(bytes);
            })
        };
        let metadata = std::fs::metadata(path).map_err(|error| Error::io("read", path, error))?;
        if !metadata.is_file() {
            // A pipe has no length, and opening one may never return.
            return Err(Error::invalid(format!("{} is not a regular file", path.display())));
        }
        let size = metadata.len();
        let extension = path.extension().and_then(|extension| extension.to_str()).filter(|name| name.is_ascii());
        let extension = extension.map(|name| format!(".{}", name.to_ascii_lowercase())).unwrap_or_default();
        let mut failed = None;
        // A permit is valid for minutes and one key, so each attempt gets its own.
        for _ in 0..3 {
            let policy = self.policy(model).await?;
            if let Some(most) = policy.max_bytes.filter(|most| size > *most) {
                return Err(Error::invalid(format!(
                    "{} has {size} bytes, temporary storage takes up to {most}: host it yourself, on OSS for example, and give its URL",
                    path.display()
                )));
            }
            // Local names are private, and may not be valid in a form.
            let name = format!("{}{extension}", unique(path, size));
            let key = format!("{}/{name}", policy.folder.trim_end_matches('/'));
            let mut fields = policy.fields;
            fields.push(("key", key.clone()));
            fields.push(("success_action_status", "200".to_owned()));
            let call = Call {
                doing: format!("upload {}", path.display()),
                target: Target::Elsewhere(policy.host),
                body: Body::Form { fields, file: path.to_owned(), name, sent: Sent(sent.clone()) },
                headers: &[],
                class: Class::Storage,
                repeat: RetrySafety::Never,
            };
            let transport = self.client.transport();
            // Waiting for a turn does not count as a stall.
            let permit = transport.permit(&call.class).await;
            let work = transport.send_with(permit, call);
            let answer = unless_stalled(work, &moved, transport.timeout()).await.unwrap_or_else(|| {
                let seconds = transport.timeout().as_secs_f64();
                Err(Error::timeout(format!("cannot upload {}: no progress for {seconds} s", path.display())))
            });
            match answer {
                Ok(_) => {
                    let hours = i64::from(Catalog::builtin().service().upload_hours);
                    let now = self.client.server_time().unwrap_or_else(Timestamp::now);
                    let expires = now.saturating_add(jiff::SignedDuration::from_hours(hours)).unwrap_or(now);
                    return Ok(TempUrl { url: format!("oss://{key}"), expires });
                }
                Err(error) if error.is_retryable() || has_expired(&error) => failed = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(failed.unwrap_or_else(|| Error::protocol("the upload was not attempted")))
    }
}

/// Runs an upload for as long as it progresses; `None` when it has stalled for `patience`.
async fn unless_stalled<T>(work: impl Future<Output = T>, moved: &AtomicU64, patience: Duration) -> Option<T> {
    let mut work = std::pin::pin!(work);
    loop {
        let before = moved.load(Ordering::Relaxed);
        match tokio::time::timeout(patience, work.as_mut()).await {
            Ok(done) => return Some(done),
            Err(_) if moved.load(Ordering::Relaxed) != before => {}
            Err(_) => return None,
        }
    }
}

/// Whether the permit expired during the upload; another attempt gets a fresh one.
fn has_expired(error: &Error) -> bool {
    error.api().is_some_and(|api| api.status == Some(403) && api.message.contains("expired"))
}

/// A name that no other upload has, not even of the same file.
fn unique(path: &Path, size: u64) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut hasher = blake3::Hasher::new();
    hasher.update(path.as_os_str().as_encoded_bytes());
    hasher.update(&size.to_le_bytes());
    hasher.update(&u64::from(std::process::id()).to_le_bytes());
    hasher.update(&COUNT.fetch_add(1, Ordering::Relaxed).to_le_bytes());
    hasher.update(&Timestamp::now().as_nanosecond().to_le_bytes());
    hasher.finalize().to_hex().chars().take(32).collect()
}
