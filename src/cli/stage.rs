//! Local files in a bucket of the user's own: what is put there, and what stays.

use std::path::Path;
use std::sync::Arc;

use super::output::Console;
use super::stores::stores;
use crate::batch::{LedgerReport, ObjectCounts, StagedRecordings, Staging};
use crate::error::Result;
use crate::report::number::counted;
use crate::stores::StoreUrl;

/// Access to the stores, if it is needed.
pub(super) fn staging(folder: Option<&StoreUrl>, removes: bool) -> Result<Option<Staging>> {
    if folder.is_none() && !removes {
        return Ok(None);
    }
    let storage = Arc::clone(stores()?);
    Ok(Some(Staging::new(storage).folder(folder.map(ToString::to_string)).remove_done(removes)))
}

/// Printed before the first upload.
pub(super) fn announced(files: usize, folder: &StoreUrl) -> String {
    format!(
        "{} to be put into {folder}, each given to the service as a link that can be read for 24 hours",
        counted(files as u64, "local file")
    )
}

/// Prints what the batch has in object stores. Returns whether what was to be deleted is.
pub(super) fn say_what_is_left(staged: &StagedRecordings, removes: bool, console: &Console) -> bool {
    let recordings = |count: usize| counted(count as u64, "recording");
    for (folder, ObjectCounts { done, open, .. }) in &staged.left {
        let all = done + open;
        let verb = if all == 1 { "is" } else { "are" };
        let what = match (done, open, removes) {
            (0, _, _) => "not done yet".to_owned(),
            (done, 0, true) => format!("{done} done, but not deleted; run again with --unstage"),
            (done, open, true) => {
                format!("{open} not done yet, {done} done, but not deleted; run again with --unstage")
            }
            (done, _, false) => format!("{done} done, which --unstage deletes"),
        };
        console.say(&format!("{} {verb} left in {folder}: {what}", recordings(all)));
    }
    for (folder, found) in &staged.found {
        console.note(&format!("{} in {folder} from before this batch, left there", recordings(*found)));
    }
    if removes && staged.left.is_empty() && staged.removed > 0 {
        console.note(&format!("no recording is left in a bucket: {} deleted", staged.removed));
    }
    !removes || staged.left.values().all(|left| left.done == 0)
}

/// The same for a run that failed.
pub(super) fn say_what_is_left_in(dir: &Path, removes: bool, console: &Console) {
    if let Ok(Some(ledger)) = LedgerReport::read(dir) {
        say_what_is_left(&ledger.staged(), removes, console);
    }
}
