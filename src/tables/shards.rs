//! One analysis in shards, perhaps on several machines: each measures a contiguous part of the sorted files, and writes part
//! files and a manifest. Together they are the tables of one analysis.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::analysis::{Analysis, Options};
use super::files::Format;
use super::rule_calls::RuleCalls;
use super::table_files::TableFiles;
use crate::error::{Check, Error, Result};
use crate::metrics::DEFINITIONS_VERSION;
use crate::named_file::{self, FileKind};
use crate::transcript::{Code, Inputs, SHARD_FORMAT};

/// The folder of the manifests.
const SHARDS: &str = "shards";

/// Names have five digits.
const MOST: u32 = 99_999;

/// The version of the manifests.
const FORMAT_VERSION: u32 = 1;

/// A shard of the files of an analysis: its number, from 1, and how many there are.
///
/// ```
/// use talkmeter::tables::Shard;
/// let files: Vec<u32> = (0..10).collect();
/// let shard: Shard = "2/3".parse()?;
/// assert_eq!(shard.of(&files), [3, 4, 5]);
/// assert!("4/3".parse::<Shard>().is_err());
/// # Ok::<(), talkmeter::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    number: u32,
    count: u32,
}

impl Shard {
    /// A shard by its number, from 1.
    ///
    /// # Errors
    /// When the number is not from 1 to `count`, or `count` is over 99,999.
    pub fn new(number: u32, count: u32) -> Result<Self> {
        if !(1..=count.min(MOST)).contains(&number) || count > MOST {
            return Err(Error::invalid(format!(
                "{number}/{count} is no shard: the first of 3 is 1/3, of at most {MOST}"
            )));
        }
        Ok(Self { number, count })
    }

    /// Its part of the files, which are sorted by their names. It may be empty.
    #[must_use]
    pub fn of<T>(self, files: &[T]) -> &[T] {
        let end = |number: u32| (files.len() as u64 * u64::from(number) / u64::from(self.count)) as usize;
        files.get(end(self.number - 1)..end(self.number)).unwrap_or_default()
    }

    /// `part-00003.parquet`, in the folder of each table.
    pub(super) fn part(self, format: Format) -> String {
        format!("part-{:05}.{}", self.number, format.extension())
    }

    /// The manifest, in the folder of the tables.
    pub(super) fn manifest(self, folder: &Path) -> PathBuf {
        folder.join(SHARDS).join(format!("{:05}.json", self.number))
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.count)
    }
}

impl FromStr for Shard {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let numbers = text.split_once('/').map(|(number, count)| (number.trim().parse(), count.trim().parse()));
        match numbers {
            Some((Ok(number), Ok(count))) => Self::new(number, count),
            _ => Err(Error::invalid(format!("{text:?} is no shard: the first of 3 is 1/3"))),
        }
    }
}

/// What a shard has done, as written to `shards/00003.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ShardManifest {
    format: String,
    /// Its number, from 1.
    pub shard: u32,
    /// How many there are.
    pub of: u32,
    /// What all shards of an analysis have in common.
    pub common: Map<String, Value>,
    /// What it adds to the summary.
    pub summary: ShardSummary,
    /// Its part files with their lengths in bytes.
    parts: BTreeMap<String, u64>,
}

/// What a shard adds to the summary and no table holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ShardSummary {
    /// Measured files.
    pub measured: u64,
    /// Measured files without speech.
    pub without_speech: u64,
    /// Calls that a condition leaves out.
    pub left_out: u64,
    /// For each file that could not be measured, which and why.
    pub failed: Vec<String>,
    /// Bytes read.
    pub bytes: u64,
    /// The part of its files in [`Analysis::inputs_hash`].
    pub hash: String,
    /// Labels with a role that occur in some file.
    pub labels: BTreeSet<String>,
    /// Warning codes, each with files and count.
    pub warnings: Vec<(String, u64, u64)>,
    /// Calls by rule; null without rules.
    pub rules: Option<Vec<RuleCalls>>,
    /// What of a metadata file belongs to its calls; null without one.
    pub metadata: Option<MetadataMatch>,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// What of a metadata file belongs to the calls of a shard.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MetadataMatch {
    /// The column that names the calls.
    pub column: String,
    /// Calls with a row.
    pub calls: u64,
    /// A key of the metadata, and what it would have to be for a call of the shard.
    pub examples: (Option<String>, Option<String>),
}

impl ShardSummary {
    /// The summary of an analysis of the shard's files.
    #[must_use]
    pub fn new(analysis: &Analysis, failed: Vec<String>, metadata: Option<MetadataMatch>, seconds: f64) -> Self {
        let warning = |(code, files, count): &(Code, u64, u64)| (code.name().to_owned(), *files, *count);
        Self {
            measured: analysis.measured,
            without_speech: analysis.without_speech,
            left_out: analysis.left_out.calls,
            failed,
            bytes: analysis.bytes,
            hash: analysis.inputs_hash.clone(),
            labels: analysis.labels.clone(),
            warnings: analysis.warnings.iter().map(warning).collect(),
            rules: analysis.rules.clone(),
            metadata,
            seconds,
        }
    }
}

/// What all shards of one analysis must have in common: the versions, the listing (names and lengths of all files), how
/// calls are measured and priced, and what is written. `parameters` are those of the report, `rules` a hash of the rule file.
#[must_use]
pub fn shard_terms(inputs: &Inputs, options: &Options, parameters: Value, rules: Option<String>) -> Map<String, Value> {
    let mut listing = blake3::Hasher::new();
    for input in &inputs.files {
        listing.update(&(input.file().len() as u64).to_le_bytes()).update(input.file().as_bytes());
        listing.update(&input.size().to_le_bytes());
    }
    let from = inputs.files.first().and_then(|input| input.format).map(|format| format.name());
    let metadata = options.joined.as_ref().map(|joined| joined.hash());
    let terms = [
        ("format_version", json!(FORMAT_VERSION)),
        ("version", json!(env!("CARGO_PKG_VERSION"))),
        ("definitions_version", json!(DEFINITIONS_VERSION)),
        ("files", json!(inputs.files.len())),
        ("excluded", json!(inputs.excluded.len())),
        ("listing", json!(listing.finalize().to_hex().as_str())),
        ("from", json!(from)),
        ("parameters", parameters),
        ("rules", json!(rules)),
        ("prices", json!(blake3::hash(format!("{:?}", options.prices).as_bytes()).to_hex().as_str())),
        ("metadata", json!(metadata)),
    ];
    terms.into_iter().map(|(name, term)| (name.to_owned(), term)).collect()
}

impl ShardManifest {
    pub(super) fn new(
        shard: Shard,
        common: Map<String, Value>,
        summary: ShardSummary,
        parts: BTreeMap<String, u64>,
    ) -> Self {
        Self { format: SHARD_FORMAT.to_owned(), shard: shard.number, of: shard.count, common, summary, parts }
    }

    fn read(path: &Path) -> Result<Self> {
        let bytes = named_file::read(path, FileKind::Report)?;
        let wrong = |why: String| Error::invalid(format!("{} is not the manifest of a shard: {why}", path.display()));
        let manifest: Self = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        if manifest.format != SHARD_FORMAT {
            return Err(wrong(format!("the format is {:?}", manifest.format)));
        }
        let name = format!("{:05}", manifest.shard);
        if path.file_stem().is_none_or(|stem| stem.to_str() != Some(&*name)) {
            return Err(wrong(format!("it is that of shard {}", manifest.shard)));
        }
        Ok(manifest)
    }
}

/// All shards of one analysis.
#[derive(Debug, Clone)]
pub struct Shards {
    manifests: Vec<ShardManifest>,
}

impl Shards {
    /// Whether a folder has shards, finished or not.
    pub(super) fn are_in(folder: &Path) -> bool {
        folder.join(SHARDS).is_dir()
    }

    /// Whether shards are among the files below a folder, by their `/`-separated names there.
    #[must_use]
    pub fn are_among<'n>(mut names: impl Iterator<Item = &'n str>) -> bool {
        names.any(|name| name.strip_prefix(SHARDS).is_some_and(|rest| rest.starts_with('/')))
    }

    /// The shards in a folder of tables, complete and of one analysis.
    ///
    /// # Errors
    /// When a shard is missing, when two differ in what they must have in common, and when a manifest cannot be read.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let of_shards = folder.join(SHARDS);
        let failed = |error| Error::io("read the folder", &of_shards, error);
        let mut paths = Vec::new();
        for entry in fs::read_dir(&of_shards).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            if !is_hidden && path.extension().is_some_and(|extension| extension == "json") {
                paths.push(path);
            }
        }
        paths.sort();
        let manifests: Vec<ShardManifest> =
            paths.iter().map(|path| ShardManifest::read(path)).collect::<Result<_>>()?;
        let refused = |why: String| Error::invalid(format!("{}: {why}", folder.display())).with_check(Check::Shards);
        let Some(first) = manifests.first() else { return Err(refused("no shard is finished".to_owned())) };
        for other in &manifests {
            let pair = format!("shards {} and {}", first.shard, other.shard);
            if other.of != first.of {
                return Err(refused(format!("{pair} are one of {} and one of {}", first.of, other.of)));
            }
            if let Some(difference) = difference("", &first.common, &other.common) {
                return Err(refused(format!("{pair} are of different analyses: {difference}")));
            }
        }
        let finished: BTreeSet<u32> = manifests.iter().map(|manifest| manifest.shard).collect();
        let missing: Vec<u32> = (1..=first.of).filter(|number| !finished.contains(number)).collect();
        if !missing.is_empty() {
            return Err(refused(format!("shards are missing: {} of {}", ranges(&missing), first.of)));
        }
        if let Some(beyond) = finished.iter().find(|number| **number > first.of) {
            return Err(refused(format!("shard {beyond} is beyond the last, {}", first.of)));
        }
        Ok(Self { manifests })
    }

    /// Checks that the part files are those of the manifests.
    pub(super) fn check<'t>(&self, folder: &Path, tables: impl Iterator<Item = &'t TableFiles>) -> Result<()> {
        let refused = |why: String| Error::invalid(format!("{}: {why}", folder.display())).with_check(Check::Shards);
        let mut known = BTreeSet::new();
        for manifest in &self.manifests {
            for (part, length) in &manifest.parts {
                let path = folder.join(part);
                match fs::metadata(&path) {
                    Ok(metadata) if metadata.len() == *length => {}
                    Err(error) if error.kind() != ErrorKind::NotFound => return Err(Error::io("read", &path, error)),
                    found => {
                        let what = if found.is_ok() { "is not the one it wrote" } else { "is missing" };
                        return Err(refused(format!("of shard {}, {part} {what}", manifest.shard)));
                    }
                }
                known.insert(path);
            }
        }
        let mut parts = tables.filter(|table| table.path.is_dir()).flat_map(TableFiles::parts);
        match parts.find(|part| !known.contains(*part)) {
            Some(part) => Err(refused(format!("{} is of no shard", part.display()))),
            None => Ok(()),
        }
    }

    /// What each of them has done, by their numbers.
    #[must_use]
    pub fn manifests(&self) -> &[ShardManifest] {
        &self.manifests
    }

    /// What they have in common.
    #[must_use]
    pub fn common(&self, name: &str) -> &Value {
        self.manifests.first().and_then(|first| first.common.get(name)).unwrap_or(&Value::Null)
    }

    /// The files of a table in a format, by their paths in the folder of the tables.
    pub(super) fn parts(&self, table: &str, format: Format) -> Vec<String> {
        let shards = self.manifests.iter().map(|manifest| Shard { number: manifest.shard, count: manifest.of });
        shards.map(|shard| format!("{}/{}", format.file_of(table), shard.part(format))).collect()
    }

    /// The texts of a list that they have in common.
    pub(super) fn list(&self, name: &str) -> Vec<&str> {
        self.common(name).as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Whether a table, or another file of this name, was to be written.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.list("tables").contains(&name)
    }
}

/// The first member in which two objects differ, with both values.
fn difference(path: &str, one: &Map<String, Value>, two: &Map<String, Value>) -> Option<String> {
    let names: BTreeSet<&String> = one.keys().chain(two.keys()).collect();
    names.into_iter().find_map(|name| {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match (one.get(name).unwrap_or(&Value::Null), two.get(name).unwrap_or(&Value::Null)) {
            (one, two) if one == two => None,
            (Value::Object(one), Value::Object(two)) => difference(&path, one, two),
            (one, two) => Some(format!("{path} {} and {}", shown(one), shown(two))),
        }
    })
}

/// A value in few characters: of a hash, its begin.
fn shown(value: &Value) -> String {
    let text = value.to_string().replace('"', "");
    text.get(..12).filter(|_| text.len() >= 64).map_or_else(|| text.clone(), |begin| format!("{begin}…"))
}

/// `2, 5-7, 9` of ascending numbers.
fn ranges(numbers: &[u32]) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for &number in numbers {
        match ranges.last_mut() {
            Some((_, end)) if *end + 1 == number => *end = number,
            _ => ranges.push((number, number)),
        }
    }
    let shown = |(first, last): &(u32, u32)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    ranges.iter().map(shown).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_contiguous_and_together_all_files() {
        for files in [0, 1, 2, 7, 100, 101] {
            let files: Vec<u32> = (0..files).collect();
            for count in [1, 2, 3, 9, 200] {
                let shards = (1..=count).map(|number| Shard::new(number, count).unwrap().of(&files).to_vec());
                let shards: Vec<Vec<u32>> = shards.collect();
                assert_eq!(shards.concat(), files);
                let lengths = || shards.iter().map(Vec::len);
                assert!(lengths().max().unwrap() - lengths().min().unwrap() <= 1);
            }
        }
    }

    #[test]
    fn a_shard_is_a_number_from_one_of_how_many_there_are() {
        assert_eq!("3/20".parse::<Shard>().unwrap().to_string(), "3/20");
        for wrong in ["0/3", "4/3", "1/0", "1", "a/3", "1/100000", "-1/3", ""] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn missing_numbers_are_named_in_ranges() {
        assert_eq!(ranges(&[1, 3, 4, 5, 9, 10]), "1, 3-5, 9-10");
    }

    #[test]
    fn what_differs_is_named_by_its_path() {
        let of = |value: Value| value.as_object().cloned().unwrap();
        let one = of(json!({"a": 1, "parameters": {"dead_air_ms": 2000, "roles": {}}}));
        let two = of(json!({"a": 1, "parameters": {"dead_air_ms": 3000, "roles": {}}}));
        assert_eq!(difference("", &one, &two).unwrap(), "parameters.dead_air_ms 2000 and 3000");
        assert_eq!(difference("", &one, &one), None);
        assert_eq!(
            difference("", &one, &of(json!({"a": 1}))).unwrap(),
            "parameters {dead_air_ms:2000,roles:{}} and null"
        );
    }
}
