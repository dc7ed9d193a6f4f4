//! `talkmeter.Error`, with the kind of failure.

use pyo3::exceptions::PyException;
use pyo3::prelude::*;

pyo3::create_exception!(
    talkmeter,
    Error,
    PyException,
    "What failed, on what, and why. `kind` says what can be done about it: invalid_input, auth, quota, rate_limited, \
     not_found, task_failed, unavailable, timeout, protocol, ledger, io, table."
);

impl From<crate::Error> for PyErr {
    fn from(error: crate::Error) -> Self {
        // The line with its causes, and the name of the kind.
        let object = serde_json::to_value(&error).unwrap_or_default();
        let text = |name: &str| object.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
        let raised = Error::new_err(text("message"));
        Python::attach(|py| {
            let value = raised.value(py);
            // Only a class without a dictionary refuses an attribute.
            let _ = value.setattr("kind", text("kind"));
            if let Some(so_far) = error.text_so_far() {
                let _ = value.setattr("text_so_far", so_far);
            }
        });
        raised
    }
}
