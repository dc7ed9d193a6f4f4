//! `--shard`: one analysis on several machines, each of which measures a part of the files.

use std::path::Path;

use super::condition::report_left_out;
use super::connection::from_environment;
use super::output::{Console, Failure};
use crate::named_file::{self, FileKind};
use crate::redact::without_query;
use crate::report::number::counted;
use crate::tables::{MetadataMatch, Shard, ShardManifest, Shards};

/// What schedulers call the number of a task among its kind, from 0: Kubernetes, AWS Batch, Google Cloud Run.
const INDICES: [&str; 3] = ["JOB_COMPLETION_INDEX", "AWS_BATCH_JOB_ARRAY_INDEX", "CLOUD_RUN_TASK_INDEX"];

/// Which part of the files to measure.
#[derive(Debug, clap::Args)]
pub(super) struct ShardFlag {
    /// Measure one of N parts of the files, from 1/N to N/N, and write part files; `report DIR` completes them. `auto/N`
    /// takes the number from `JOB_COMPLETION_INDEX`
    #[arg(
        long,
        value_name = "I/N",
        value_parser = shard,
        requires = "output",
        conflicts_with_all = ["group_by", "time_format", "sort", "top", "title", "calls", "by", "pages", "audio"]
    )]
    shard: Option<Shard>,
}

/// A shard to measure.
#[derive(Debug, Clone)]
pub(super) struct ShardJob {
    pub(super) shard: Shard,
    /// The hash of the rule file.
    pub(super) rules: Option<String>,
}

fn shard(text: &str) -> Result<Shard, String> {
    let shard = match text.strip_prefix("auto/") {
        None => text.parse(),
        Some(count) => {
            let index = INDICES.into_iter().find_map(from_environment);
            let index = index.ok_or_else(|| format!("none of {} is set", INDICES.join(", ")))?;
            let number = index.parse::<u32>().ok().and_then(|index| index.checked_add(1));
            let number = number.ok_or_else(|| format!("{index:?} is not the index of a task"))?;
            format!("{number}/{count}").parse()
        }
    };
    shard.map_err(|error: crate::Error| error.to_string())
}

impl ShardFlag {
    /// The shard with what all shards must have in common; `only` are the tables to write, `rules` the rule file.
    pub(super) fn job(&self, only: Option<&[String]>, rules: Option<&Path>) -> Result<Option<ShardJob>, Failure> {
        let Some(shard) = self.shard else { return Ok(None) };
        if only.is_some_and(|only| !only.iter().any(|table| table == "calls")) {
            return Err(Failure::Usage("--shard needs the table calls: add it to --only".to_owned()));
        }
        let hash = |path: &Path| {
            let bytes = named_file::read(path, FileKind::Rules)?;
            Ok::<_, Failure>(blake3::hash(&bytes).to_hex().to_string())
        };
        Ok(Some(ShardJob { shard, rules: rules.map(hash).transpose()? }))
    }
}

/// Reports what one analysis of all files would; false, with an error, where it would have failed.
pub(super) fn report_shards(shards: &Shards, measured: u64, console: &Console) -> bool {
    let manifests = shards.manifests();
    manifests.iter().flat_map(|manifest| &manifest.summary.failed).for_each(|line| console.say(line));
    if !report_left_out(manifests.iter().map(|manifest| manifest.summary.left_out).sum(), measured, console) {
        return false;
    }
    if measured == 0 {
        console.error("no file could be measured");
        return false;
    }
    report_metadata(manifests, measured, console)
}

/// A shard alone may have no row of the metadata; all of them may not.
fn report_metadata(manifests: &[ShardManifest], measured: u64, console: &Console) -> bool {
    let matches: Vec<&MetadataMatch> =
        manifests.iter().filter_map(|manifest| manifest.summary.metadata.as_ref()).collect();
    let matched: u64 = matches.iter().map(|matched| matched.calls).sum();
    let examples = matches.iter().find_map(|matched| {
        let (row, call) = &matched.examples;
        Some((&matched.column, row.as_ref()?, call.as_ref()?))
    });
    if matched == 0
        && let Some((column, row, call)) = examples
    {
        console.error(&format!(
            "no row of the metadata matches a call: its column `{column}` has `{}`, the calls have `{}`",
            without_query(row),
            without_query(call)
        ));
        return false;
    }
    let unmatched = measured.saturating_sub(matched);
    if !matches.is_empty() && unmatched > 0 {
        console.note(&format!("{} without a row in the metadata", counted(unmatched, "call")));
    }
    true
}
