//! Checks of a request before anything is sent.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::problems::{Problem, Problems};
use super::{BatchRequest, Source};
use crate::catalog::{Catalog, Region};
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

    /// Checks whether the service would take this request, by the catalogue and what is known of local files. Returns warnings.
    ///
    /// Length and sample rate are those of the recordings: [`BatchRequest::select_tracks`] fills them in.
    ///
    /// # Errors
    ///
    /// Everything that is wrong: model, region, parameters, files per task, and local files that are empty, too large, too long,
    /// or of an extension or sample rate that the model does not take.
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
            let Source::File(path) = &recording.source else { continue };
            let extension = path.extension().map(|extension| extension.to_string_lossy().into_owned());
            let bytes = std::fs::metadata(path).ok().map(|metadata| metadata.len());
            if bytes == Some(0) {
                problems.add(|| format!("{}: the file is empty", path.display()));
                continue;
            }
            if let Some(problem) = &recording.problem {
                problems.add(|| format!("{}: {problem}", path.display()));
                continue;
            }
            if let Some(shortfall) = &recording.shortfall {
                warnings.push(Warning::new(format!("{}: {shortfall}", path.display())));
            }
            let (rate, duration) = (recording.sample_rate_hz, recording.duration_ms.map(Duration::from_millis));
            if let Some(Err(error)) = model.map(|model| model.check_file(extension.as_deref(), bytes, rate, duration)) {
                let name = without_query(&recording.source.given());
                let renamed = model
                    .zip(recording.extension)
                    .and_then(|(model, extension)| Some((extension, better_name(path, extension, &model.formats)?)))
                    .map_or_else(String::new, |(extension, name)| {
                        format!("; its content is {extension}: rename it to {name}")
                    });
                problems.add(|| format!("{name}: {error}{renamed}"));
            }
            let recommended = model.and_then(|model| model.limits.diarization_seconds).map(Duration::from_secs);
            if self.recognition.diarized()
                && let (Some(lasts), Some(most)) = (duration, recommended)
                && lasts > most
            {
                warnings.push(Warning::new(format!(
                    "{}: lasts {}; telling speakers apart is recommended for up to {}",
                    path.display(),
                    span_of_seconds(lasts.as_secs()),
                    span_of_seconds(most.as_secs())
                )));
            }
        }
        if problems.is_empty() { Ok(warnings) } else { Err(problems) }
    }
}

/// The file's name with the extension of its content, if its own is not among the formats of the model and that one is.
fn better_name(path: &Path, extension: &str, formats: &[String]) -> Option<String> {
    let is_taken = |extension: &str| formats.iter().any(|format| format.eq_ignore_ascii_case(extension));
    let own = path.extension().is_some_and(|own| is_taken(&own.to_string_lossy()));
    let name = path.with_extension(extension);
    (!own && is_taken(extension)).then(|| name.file_name().map(|name| name.to_string_lossy().into_owned()))?
}
