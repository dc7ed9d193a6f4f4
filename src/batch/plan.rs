//! What is refused before anything leaves.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use super::problems::{Problem, Problems};
use super::{BatchRequest, Source};
use crate::catalog::{Catalog, Region};
use crate::client::{Recognition, Warning};
use crate::error::{Check, Error};
use crate::redact::without_query;

/// Recordings in one task.
pub(super) const FILES_PER_TASK: std::ops::RangeInclusive<usize> = 1..=100;
/// Stands for a local file, which has no address yet.
const UPLOADED: &str = "oss://dashscope-instant/file";

impl BatchRequest {
    /// What is asked of recordings with these tracks; `None` = with those that are requested of all.
    pub(super) fn recognition_of(&self, channels: Option<&[u32]>) -> Cow<'_, Recognition> {
        match channels {
            Some(channels) => Cow::Owned(self.recognition.clone().channels(channels)),
            None => Cow::Borrowed(&self.recognition),
        }
    }

    /// Whether the service would take this request, as far as can be told from here; the answer is warnings, a line each.
    ///
    /// `rate_hz` reads the sample rate of a local file; it is asked only where the model takes one rate alone.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, a line each: model, region, parameters, files a task, and local files that are empty, too large,
    /// of an extension or a sample rate that the model does not take.
    pub fn check(
        &self,
        catalog: &Catalog,
        region: Region,
        rate_hz: &dyn Fn(&Path) -> Option<u32>,
    ) -> Result<Vec<Warning>, Problems> {
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
                    // What has nothing to do with tracks is wrong of each set of them.
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
        // The size of a task is the same for all but the last of each set of tracks.
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
            let rate = model.filter(|model| model.sample_rate_hz.is_some()).and_then(|_| rate_hz(path));
            if let Some(Err(error)) = model.map(|model| model.check_file(extension.as_deref(), bytes, rate, None)) {
                problems.add(|| format!("{}: {error}", without_query(&recording.source.given())));
            }
        }
        if problems.is_empty() { Ok(warnings) } else { Err(problems) }
    }
}
