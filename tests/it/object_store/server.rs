//! A small server of the S3 protocol: lists in pages, keeps a log, fails where a story says so.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;

use crate::scene::Scene;

pub(crate) const KEY_ID: &str = "AKIASTORY";
pub(crate) const SECRET: &str = "a-secret-that-is-never-printed";

/// Objects in a page of a listing.
const PAGE: usize = 7;

/// The buckets there are.
pub(crate) const BUCKETS: [&str; 2] = ["calls", "figures"];

/// The server ends with the process.
#[derive(Clone)]
pub(crate) struct ObjectStore {
    address: String,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    /// By `bucket/key`.
    objects: BTreeMap<String, Vec<u8>>,
    uploads: HashMap<String, BTreeMap<u32, Vec<u8>>>,
    log: Vec<String>,
    /// What to answer for an object, or a method and an object: a status and a code.
    faults: HashMap<String, (u16, &'static str)>,
    /// Writes to this object are never answered.
    stuck: Option<String>,
    /// Requests with a key of the service in a header.
    foreign_keys: usize,
    now: usize,
    most_at_once: usize,
}

impl ObjectStore {
    pub(crate) fn new() -> Self {
        let shared = Arc::new(Mutex::new(Shared::default()));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new().fallback(answer).layer(DefaultBodyLimit::disable()).with_state(Arc::clone(&shared));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                listener.set_nonblocking(true).unwrap();
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                axum::serve(listener, routes).await.unwrap();
            });
        });
        Self { address, shared }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap()
    }

    pub(crate) fn put(&self, place: &str, content: impl Into<Vec<u8>>) {
        self.shared().objects.insert(place.to_owned(), content.into());
    }

    /// Uploads a folder of the disk.
    pub(crate) fn put_folder(&self, place: &str, folder: &std::path::Path) {
        for (path, content) in crate::scene::files_below(folder) {
            let name = path.strip_prefix(&format!("{}/", folder.display())).unwrap().to_owned();
            self.put(&format!("{place}/{name}"), content);
        }
    }

    pub(crate) fn fail(&self, place: &str, status: u16, code: &'static str) {
        self.shared().faults.insert(place.to_owned(), (status, code));
    }

    /// The fault is mended.
    pub(crate) fn mend(&self, place: &str) {
        self.shared().faults.remove(place);
    }

    pub(crate) fn hold(&self, place: Option<&str>) {
        self.shared().stuck = place.map(str::to_owned);
    }

    /// Requests that carried a key of the service.
    pub(crate) fn foreign_keys(&self) -> usize {
        self.shared().foreign_keys
    }

    /// Names and contents below `bucket/prefix/`.
    pub(crate) fn objects(&self, place: &str) -> Vec<(String, Vec<u8>)> {
        let shared = self.shared();
        let below = shared.objects.iter().filter_map(|(key, content)| Some((key.strip_prefix(place)?, content)));
        below.map(|(name, content)| (name.trim_start_matches('/').to_owned(), content.clone())).collect()
    }

    /// The requests so far: `GET calls/may/a.json`.
    pub(crate) fn log(&self) -> Vec<String> {
        self.shared().log.clone()
    }

    pub(crate) fn count(&self, begin: &str) -> usize {
        self.log().iter().filter(|line| line.starts_with(begin)).count()
    }

    pub(crate) fn most_at_once(&self) -> usize {
        self.shared().most_at_once
    }

    /// Uploads in parts that were neither completed nor given up.
    pub(crate) fn unfinished_uploads(&self) -> usize {
        self.shared().uploads.len()
    }

    /// The next command has access.
    pub(crate) fn serve(&self, scene: Scene) -> Scene {
        self.serve_with(scene, KEY_ID)
    }

    pub(crate) fn serve_with(&self, scene: Scene, key_id: &str) -> Scene {
        let scene = self.variables().iter().fold(scene, |scene, (name, value)| scene.environment(name, value));
        scene.environment("AWS_ACCESS_KEY_ID", key_id)
    }

    /// What gives access.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let variables = [
            ("AWS_ENDPOINT_URL", &*self.address),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", KEY_ID),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
        ];
        variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    /// The same as OSS.
    pub(crate) fn serve_as_oss(&self, scene: Scene) -> Scene {
        scene
            .environment("OSS_ENDPOINT", &self.address)
            .environment("OSS_ACCESS_KEY_ID", KEY_ID)
            .environment("OSS_ACCESS_KEY_SECRET", SECRET)
    }
}

/// What was received has an effect, even if nobody waits for the answer.
async fn answer(
    shared: State<Arc<Mutex<Shared>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    tokio::spawn(handle(shared, method, uri, headers, body)).await.unwrap()
}

async fn handle(
    State(shared): State<Arc<Mutex<Shared>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let place = percent_encoding::percent_decode_str(uri.path().trim_start_matches('/')).decode_utf8_lossy();
    let place = place.trim_end_matches('/').to_owned();
    let query: HashMap<String, String> = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    {
        let mut shared = shared.lock().unwrap();
        shared.now += 1;
        shared.most_at_once = shared.most_at_once.max(shared.now);
        shared.foreign_keys += usize::from(headers.values().any(|value| value.as_bytes().starts_with(b"Bearer sk-")));
        let what = ["list-type", "uploads", "partNumber", "uploadId", "delete", "X-Amz-Signature"];
        let what = what.into_iter().find(|what| query.contains_key(*what));
        shared.log.push(format!("{method} {place}{}", what.map(|what| format!("?{what}")).unwrap_or_default()));
    }
    // Requests that overlap are seen to.
    tokio::time::sleep(Duration::from_millis(5)).await;
    let is_stuck = method == Method::PUT && shared.lock().unwrap().stuck.as_deref() == Some(&place);
    if is_stuck {
        std::future::pending::<()>().await;
    }
    let mut shared = shared.lock().unwrap();
    shared.now -= 1;
    shared.answer(&method, &place, &query, &headers, &body)
}

impl Shared {
    fn answer(
        &mut self,
        method: &Method,
        place: &str,
        query: &HashMap<String, String>,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Response {
        let signature = format!("AWS4-HMAC-SHA256 Credential={KEY_ID}/");
        let header = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_link = method == Method::GET
            && query.get("X-Amz-Credential").is_some_and(|credential| credential.starts_with(&format!("{KEY_ID}/")))
            && query.get("X-Amz-Signature").is_some_and(|signature| signature.len() == 64);
        if !is_link && (!header.starts_with(&signature) || !header.contains("Signature=")) {
            return refusal(403, "SignatureDoesNotMatch");
        }
        let (bucket, _) = place.split_once('/').unwrap_or((place, ""));
        if !BUCKETS.contains(&bucket) {
            return refusal(404, "NoSuchBucket");
        }
        let fault = self.faults.get(place).or_else(|| self.faults.get(&format!("{method} {place}")));
        if let Some((status, code)) = fault {
            return refusal(*status, code);
        }
        let upload = query.get("uploadId");
        match method.as_str() {
            "GET" if query.contains_key("list-type") => ok(self.list(bucket, query)),
            "GET" | "HEAD" => match self.objects.get(place) {
                Some(content) => object(content, method == Method::HEAD),
                None => refusal(404, "NoSuchKey"),
            },
            "POST" if query.contains_key("uploads") => {
                let id = format!("upload-{}", self.log.len());
                self.uploads.insert(id.clone(), BTreeMap::new());
                ok(format!("<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"))
            }
            "POST" if query.contains_key("delete") => {
                let text = String::from_utf8_lossy(body).into_owned();
                let mut answer = "<DeleteResult>".to_owned();
                for key in text.split("<Key>").skip(1).filter_map(|rest| rest.split("</Key>").next()) {
                    self.objects.remove(&format!("{bucket}/{key}"));
                    self.log.push(format!("DELETE {bucket}/{key}"));
                    write!(answer, "<Deleted><Key>{key}</Key></Deleted>").unwrap();
                }
                ok(answer + "</DeleteResult>")
            }
            "POST" => {
                let Some(parts) = upload.and_then(|id| self.uploads.remove(id)) else {
                    return refusal(404, "NoSuchUpload");
                };
                self.objects.insert(place.to_owned(), parts.into_values().flatten().collect());
                ok("<CompleteMultipartUploadResult><ETag>\"e\"</ETag></CompleteMultipartUploadResult>".to_owned())
            }
            "PUT" if upload.is_some() => {
                let number = query["partNumber"].parse().unwrap();
                self.uploads.get_mut(upload.unwrap()).unwrap().insert(number, body.to_vec());
                object(&[], false)
            }
            "PUT" => {
                self.objects.insert(place.to_owned(), body.to_vec());
                object(&[], false)
            }
            "DELETE" => {
                self.uploads.remove(upload.unwrap_or(&String::new()));
                ok(String::new())
            }
            _ => refusal(405, "MethodNotAllowed"),
        }
    }

    fn list(&self, bucket: &str, query: &HashMap<String, String>) -> String {
        let prefix = query.get("prefix").map_or("", String::as_str);
        let after = query.get("continuation-token");
        let keys = self.objects.iter().filter_map(|(key, content)| {
            let key = key.strip_prefix(&format!("{bucket}/"))?;
            (key.starts_with(prefix) && after.is_none_or(|after| key > after.as_str())).then_some((key, content.len()))
        });
        let found: Vec<_> = keys.collect();
        let mut xml = "<?xml version=\"1.0\"?><ListBucketResult>".to_owned();
        for (key, size) in found.iter().take(PAGE) {
            let key = key.replace('&', "&amp;").replace('<', "&lt;");
            write!(xml, "<Contents><Key>{key}</Key><Size>{size}</Size><ETag>\"e\"</ETag>").unwrap();
            xml += "<LastModified>2026-05-04T09:00:00.000Z</LastModified></Contents>";
        }
        if let Some((last, _)) = found.get(PAGE - 1).filter(|_| found.len() > PAGE) {
            write!(xml, "<IsTruncated>true</IsTruncated><NextContinuationToken>{last}</NextContinuationToken>")
                .unwrap();
        }
        xml + "</ListBucketResult>"
    }
}

fn ok(xml: String) -> Response {
    Response::builder().header("content-type", "application/xml").body(Body::from(xml)).unwrap()
}

fn object(content: &[u8], is_head: bool) -> Response {
    let body = if is_head { Body::empty() } else { Body::from(content.to_vec()) };
    Response::builder()
        .header("etag", "\"e\"")
        .header("last-modified", "Mon, 04 May 2026 09:00:00 GMT")
        .header("content-length", content.len())
        .body(body)
        .unwrap()
}

fn refusal(status: u16, code: &str) -> Response {
    // A server repeats much of what it was sent.
    let xml = format!(
        "<Error><Code>{code}</Code><Message>The story says so</Message><AWSAccessKeyId>{KEY_ID}</AWSAccessKeyId>\
         <StringToSign>{SECRET}</StringToSign><RequestId>R-17</RequestId></Error>"
    );
    Response::builder().status(StatusCode::from_u16(status).unwrap()).body(Body::from(xml)).unwrap()
}
