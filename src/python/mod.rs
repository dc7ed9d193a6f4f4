//! The Python module: tables as Arrow streams, the report, short clips as text, and the command.
//!
//! Work runs on threads of its own while the calling thread, without the interpreter's lock, looks after signals and
//! progress ([`work`]). Frames leave by the Arrow `PyCapsule` interface ([`arrow`]).

mod analysis;
mod arrow;
mod error;
mod flash;
mod report;
mod settings;
mod table;
mod work;

use pyo3::prelude::*;

/// The compiled half of the package `talkmeter`.
#[pymodule(gil_used = false)]
mod _talkmeter {
    #[pymodule_export]
    use super::analysis::{Analysis, analyze, measure};
    #[pymodule_export]
    use super::error::Error;
    #[pymodule_export]
    use super::flash::{Flash, flash};
    #[pymodule_export]
    use super::report::Report;
    #[pymodule_export]
    use super::run_command;
    #[pymodule_export]
    use super::table::Table;
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        // A class has what its instances are given.
        module.getattr("Error")?.setattr("kind", "")?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}

/// Runs the command line, the program first; returns the exit code. Ctrl-C ends the process.
#[pyfunction]
fn run_command(py: Python<'_>, arguments: Vec<std::ffi::OsString>) -> u8 {
    py.detach(|| crate::cli::main_from(arguments.into_iter()))
}
