//! Checks of a request before anything is sent.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::problems::{Problem, Problems};
use super::{BatchRequest, Recording, Source};
use crate::catalog::{Catalog, Model, Region};
use crate::client::{Recognition, Warning};
use crate::error::{Check, Error};
use crate::redact::without_query;
use crate::time::span_of_seconds;

/// Recordings per task.
pub(super) const FILES_PER_TASK: std::ops::RangeInclusive<usize> = 1..=100;
/// Stands for a local file, which has no address yet.
const UPLOADED: &str = "oss://dashscope-instant/file";

impl BatchRequest {
    /// The recognition of recordings with these tracks; `None` = with those of the batch.
    pub(super) fn recognition_of(&self, channels: Option<&[u32]>) -> Cow<'_, Recognition> {
        match channels {
            Some(channels) => Cow::Owned(self.recognition.clone().channels(channels)),
            None => Cow::Borrowed(&self.recognition),
        }
    }

    /// Checks whether the service would take this request, by the catalogue and what is known of the recordings. Returns warnings.
    ///
    /// Length and sample rate of local files are those that [`BatchRequest::select_tracks`] fills in.
    ///
    /// # Errors
    ///
    /// Everything that is wrong: model, region, parameters, files per task, recordings that are too long, and local files that
    /// are empty, too large, or of an extension or sample rate that the model does not take.
    pub fn check(&self, catalog: &Catalog, region: Region) -> Result<Vec<Warning>, Problems> {
        let mut problems = Problems::default();
        let mut warnings = Vec::new();
        let mut sent: BTreeMap<Option<&[u32]>, Vec<&str>> = BTreeMap::from([(None, Vec::new())]);
        for recording in &self.recordings {
            sent.entry(recording.channels.as_deref()).or_default().push(recording.source.sent().unwrap_or(UPLOADED));
        }
        let mut refused = None;
        for channels in sent.keys() {
            match self.recognition_of(*channels).check(catalog, region) {
                Ok(said) if channels.is_none() => warnings.extend(said),
                Ok(_) => {}
                Err(error) => {
                    let why = Problem::from(&error);
                    // What does not concern tracks is wrong for each set of them.
                    if refused.as_ref() != Some(&why) {
                        problems.add(|| why.clone());
                        refused = Some(why);
                    }
                }
            }
        }
        if !FILES_PER_TASK.contains(&self.files_per_task) {
            let message = format!("{} files per task: 1 to 100 are possible", self.files_per_task);
            problems.add(|| Problem::from(&Error::invalid(message).with_check(Check::FilesPerTask)));
        }
        // All tasks but the last of each set of tracks have the same size: one warning will do.
        for (at, urls) in sent.values().flat_map(|urls| urls.chunks(self.files_per_task.max(1))).enumerate() {
            match self.recognition.check_urls(catalog, urls) {
                Ok(said) if at == 0 => warnings.extend(said),
                Ok(_) => {}
                Err(error) => problems.add(|| Problem::from(&error)),
            }
        }
        let model = catalog.model(self.recognition.model());
        for recording in &self.recordings {
            if let Err(why) = check_recording(recording, model, &mut warnings) {
                problems.add(|| why);
            }
        }
        if let Some(model) = model {
            warnings.extend(self.too_long_to_diarize(model));
            warnings.extend(self.tasks_at_once(model, region));
        }
        if problems.is_empty() { Ok(warnings) } else { Err(problems) }
    }

    /// The recordings that are longer than the model tells speakers apart well.
    fn too_long_to_diarize(&self, model: &Model) -> Option<Warning> {
        let most = model.limits.diarization_seconds.filter(|_| self.recognition.diarized())?;
        let is_long = |recording: &&Recording| recording.duration_ms.is_some_and(|ms| ms > most.saturating_mul(1000));
        let mut long = self.recordings.iter().filter(is_long);
        let first = long.next()?;
        let more = match long.count() {
            0 => String::new(),
            more => format!(" (and {more} more over {})", span_of_seconds(most)),
        };
        let lasts = first.duration_ms.map_or_else(String::new, |ms| span_of_seconds(ms / 1000));
        Some(Warning::new(format!(
            "{}: lasts {lasts}{more}; telling speakers apart is recommended for up to {}",
            first.source.printable(),
            span_of_seconds(most)
        )))
    }

    /// Whether a request that only submits has more tasks than the model runs at once; one that collects keeps to the number.
    fn tasks_at_once(&self, model: &Model, region: Region) -> Option<Warning> {
        let most = model.rate_limit(region)?.tasks.filter(|_| self.detach)?;
        let tasks = self.recordings.len().div_ceil(self.files_per_task.max(1));
        (tasks > most as usize).then(|| {
            Warning::new(format!(
                "{tasks} tasks are submitted at once; {} runs {most}, and the service may refuse the rest for now",
                model.name
            ))
        })
    }
}

/// What is wrong with a recording, by what is known of it: a local file by its headers, an address by the length that its list gives.
fn check_recording(recording: &Recording, model: Option<&Model>, warnings: &mut Vec<Warning>) -> Result<(), String> {
    let duration = recording.duration_ms.map(Duration::from_millis);
    let name = || without_query(&recording.source.given());
    let Source::File(path) = &recording.source else {
        let checked = model.map_or(Ok(()), |model| model.check_file(None, None, None, duration));
        return checked.map_err(|error| format!("{}: {error}", name()));
    };
    let extension = path.extension().map(|extension| extension.to_string_lossy().into_owned());
    let bytes = std::fs::metadata(path).ok().map(|metadata| metadata.len());
    if bytes == Some(0) {
        return Err(format!("{}: the file is empty", path.display()));
    }
    if let Some(problem) = &recording.problem {
        return Err(format!("{}: {problem}", path.display()));
    }
    if let Some(shortfall) = &recording.shortfall {
        warnings.push(Warning::new(format!("{}: {shortfall}", path.display())));
    }
    let Some(model) = model else { return Ok(()) };
    model.check_file(extension.as_deref(), bytes, recording.sample_rate_hz, duration).map_err(|error| {
        let better = recording.extension.and_then(|extension| {
            let name = better_name(path, extension, &model.formats)?;
            Some(format!("; its content is {extension}: rename it to {name}"))
        });
        format!("{}: {error}{}", name(), better.unwrap_or_default())
    })
}

/// The file's name with the extension of its content, if its own is not among the formats of the model and that one is.
fn better_name(path: &Path, extension: &str, formats: &[String]) -> Option<String> {
    let is_taken = |extension: &str| formats.iter().any(|format| format.eq_ignore_ascii_case(extension));
    let own = path.extension().is_some_and(|own| is_taken(&own.to_string_lossy()));
    let name = path.with_extension(extension);
    (!own && is_taken(extension)).then(|| name.file_name().map(|name| name.to_string_lossy().into_owned()))?
}
