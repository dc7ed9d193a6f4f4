//! `flash`: the text of a short clip, as it arrives.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use crate::catalog::{Catalog, Endpoint, Region};
use crate::client::environment::{BASE_URL, KEY, KEY_FILE, REGION, WORKSPACE};
use crate::client::{ApiKey, Client, Clip, FlashAnswer, FlashEvent, Message, Recognition};
use crate::error::{Error, Result};
use crate::named_file::FileKind;
use crate::sheet::text;

/// How often Ctrl-C is looked after.
const TICK: Duration = Duration::from_millis(50);

/// The longest clip that is read from a file, in bytes: base64 makes it the most that one request takes.
const MOST_BYTES: u64 = 15 << 20;

/// An address, a file, or the bytes of a clip.
#[derive(Debug, FromPyObject)]
pub(super) enum Audio {
    #[pyo3(transparent)]
    Bytes(PyBackedBytes),
    #[pyo3(transparent)]
    Place(PathBuf),
}

impl Audio {
    fn clip(self) -> Result<Clip> {
        let path = match self {
            Self::Bytes(bytes) => return Ok(Clip::bytes(&bytes)),
            Self::Place(path) => path,
        };
        if let Some(url) = path.to_str().filter(|place| place.contains("://")) {
            return Ok(Clip::url(url));
        }
        let failed = |error| Error::io("read", &path, error);
        let length = std::fs::metadata(&path).map_err(failed)?.len();
        if length > MOST_BYTES {
            let message =
                format!("{} has {length} bytes, more than one request takes: give an address", path.display());
            return Err(Error::invalid(message));
        }
        Ok(Clip::bytes(&std::fs::read(&path).map_err(failed)?))
    }
}

/// The client for what is given, else named by the environment as Python has it.
fn client(
    py: Python<'_>,
    api_key: Option<&str>,
    region: Option<String>,
    workspace: Option<String>,
    base_url: Option<String>,
) -> PyResult<(Client, Region)> {
    let environment = py.import("os")?.getattr("environ")?;
    let variable = |name: &str| -> PyResult<Option<String>> {
        let value: Option<String> = environment.call_method1("get", (name,))?.extract()?;
        Ok(value.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty()))
    };
    let first = |given: Option<String>, names: &[&str]| match given {
        Some(given) => Ok(Some(given)),
        None => names.iter().find_map(|name| variable(name).transpose()).transpose(),
    };
    let key = match (api_key, variable(KEY)?, variable(KEY_FILE)?) {
        (Some(key), ..) => ApiKey::new(key)?,
        (None, Some(key), _) => ApiKey::new(key)?,
        (None, None, Some(path)) => ApiKey::new(text::read(Path::new(&path), FileKind::Key)?.0)?,
        (None, None, None) => return Err(Error::auth(format!("no API key: set {KEY}, or give api_key")).into()),
    };
    let endpoint: Option<Endpoint> = first(region, &REGION)?.map(|name| name.parse()).transpose()?;
    let region = endpoint.as_ref().map_or(Region::Intl, |endpoint| endpoint.region);
    let mut builder = Client::builder().region(region).api_key(key);
    if let Some(workspace) = first(workspace, &WORKSPACE)? {
        builder = builder.workspace(workspace);
    }
    let host = endpoint.and_then(|endpoint| endpoint.host).map(|host| format!("https://{host}"));
    if let Some(url) = first(base_url, &BASE_URL)?.or(host) {
        builder = builder.base_url(url);
    }
    Ok((builder.build()?, region))
}

/// The text of a clip as it arrives: iterating gives the whole text so far, again and again. `text` waits for the end.
#[pyclass(frozen, module = "talkmeter")]
#[derive(Debug)]
pub(super) struct Flash {
    events: Mutex<mpsc::Receiver<Result<FlashEvent>>>,
    answer: Mutex<Option<FlashAnswer>>,
}

#[pymethods]
impl Flash {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<String>> {
        loop {
            py.check_signals()?;
            let event = py.detach(|| self.events.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(TICK));
            match event {
                Ok(Ok(FlashEvent::Text(text))) => return Ok(Some(text)),
                Ok(Ok(FlashEvent::Done(answer))) => {
                    *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(*answer);
                    return Ok(None);
                }
                Ok(Err(error)) => return Err(error.into()),
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
    }

    /// The final text; empty for silence. Waits for it.
    #[getter]
    fn text(&self, py: Python<'_>) -> PyResult<String> {
        self.ended(py, |answer| answer.text.clone())
    }

    /// The quantities that are billed, as received; `None` if there are none. Waits for the answer.
    #[getter]
    fn usage<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let usage = self.ended(py, |answer| answer.usage.as_ref().map(|usage| usage.raw.to_string()))?;
        usage.map(|usage| py.import("json")?.call_method1("loads", (usage,))).transpose()
    }

    /// The service's id of the request. Waits for the answer.
    #[getter]
    fn request_id(&self, py: Python<'_>) -> PyResult<Option<String>> {
        self.ended(py, |answer| answer.request_id.clone())
    }

    /// What to know about the answer, a line each. Waits for it.
    #[getter]
    fn warnings(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.ended(py, |answer| answer.warnings.clone())
    }
}

impl Flash {
    fn ended<T>(&self, py: Python<'_>, read: impl Fn(&FlashAnswer) -> T) -> PyResult<T> {
        loop {
            if let Some(answer) = &*self.answer.lock().unwrap_or_else(PoisonError::into_inner) {
                return Ok(read(answer));
            }
            if self.__next__(py)?.is_none() && self.answer.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
                return Err(Error::protocol("the call has ended without an answer").into());
            }
        }
    }
}

/// Transcribes a short clip: an address, a file, or bytes. The call is sent at once, and is billed once it is accepted.
///
/// context: terms, sent in their order before the audio. The key is `api_key` or `DASHSCOPE_API_KEY`; region, workspace
/// and `base_url` as for the command.
#[pyfunction]
#[pyo3(signature = (clip, context=None, *, model="fun-asr-flash-2026-06-15", language=None, prompt=None, api_key=None,
    region=None, workspace=None, base_url=None))]
#[expect(clippy::too_many_arguments, reason = "they are named where they are given")]
pub(super) fn flash(
    py: Python<'_>,
    clip: Audio,
    context: Option<Vec<String>>,
    model: &str,
    language: Option<&str>,
    prompt: Option<String>,
    api_key: Option<&str>,
    region: Option<String>,
    workspace: Option<String>,
    base_url: Option<String>,
) -> PyResult<Flash> {
    let (client, region) = client(py, api_key, region, workspace, base_url)?;
    let mut asked = Recognition::new(model);
    if let Some(language) = language {
        asked = asked.language(language);
    }
    asked = context.unwrap_or_default().into_iter().fold(asked, |asked, terms| asked.context(Message::user(terms)));
    let clip = py.detach(|| clip.clip())?;
    let mut call = crate::client::Flash::new(asked, clip);
    if let Some(prompt) = prompt {
        call = call.prompt(prompt);
    }
    call.check(Catalog::builtin(), region)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::io("start", Path::new("the network's thread"), error))?;
    let (sender, events) = mpsc::channel();
    let stream = async move {
        match client.flash().stream(&call).await {
            // Nobody reads on: the connection is closed.
            Ok(mut stream) => {
                while let Some(event) = stream.next().await {
                    if sender.send(event).is_err() {
                        return;
                    }
                }
            }
            Err(error) => {
                let _ = sender.send(Err(error));
            }
        }
    };
    let thread = std::thread::Builder::new().name("flash".to_owned()).spawn(move || runtime.block_on(stream));
    thread.map_err(|error| Error::io("start", Path::new("the network's thread"), error))?;
    Ok(Flash { events: Mutex::new(events), answer: Mutex::new(None) })
}
