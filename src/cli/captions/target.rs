//! Where captions are written: below the folder of `-o`, whatever a result file is called.

use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::path::{Component, Path, PathBuf};

use crate::captions::{Cue, Format};
use crate::disk;
use crate::error::{Error, Result};

/// Hands out each path once.
pub(super) struct Targets {
    folder: PathBuf,
    /// Whether the folder is ours to take away when nothing comes of the run.
    made: bool,
    taken: HashSet<PathBuf>,
}

impl Targets {
    /// Makes the folder.
    pub(super) fn below(folder: &Path) -> Result<Self> {
        let made = !folder.exists();
        fs::create_dir_all(folder).map_err(|error| Error::io("make the folder", folder, error))?;
        Ok(Self { folder: folder.to_owned(), made, taken: HashSet::new() })
    }

    /// Takes the folder away if it was made and nothing is in it.
    pub(super) fn forget(&self) {
        if self.made {
            let _ = fs::remove_dir(&self.folder);
        }
    }

    /// The path for the captions of a `file`, without extension.
    ///
    /// What would lead out of the folder, the root and `..`, is left out of the way.
    pub(super) fn of(&mut self, file: &str) -> std::result::Result<PathBuf, String> {
        let stem = file.strip_suffix(".json").filter(|stem| !stem.is_empty() && !stem.ends_with('/')).unwrap_or(file);
        let mut target = self.folder.clone();
        target.extend(Path::new(stem).components().filter(|part| matches!(part, Component::Normal(_))));
        if target == self.folder {
            return Err("it has no name that a file could have".to_owned());
        }
        if self.taken.insert(target.clone()) {
            return Ok(target);
        }
        Err(format!("another file's captions have the name {} already", target.display()))
    }
}

/// Writes captions, each file whole or not at all.
pub(super) fn write(target: &Path, cues: &[(Format, Vec<Cue>)]) -> Result<()> {
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder).map_err(|error| Error::io("make the folder", folder, error))?;
    }
    let mut files = Vec::with_capacity(cues.len());
    for (format, cues) in cues {
        // Not `with_extension`: the name may hold dots of its own.
        let mut path = target.as_os_str().to_owned();
        path.push(format!(".{}", format.extension()));
        let path = PathBuf::from(path);
        let mut file = disk::create(&path)?;
        file.write_all(format.write(cues).as_bytes()).map_err(|error| Error::io("write", &path, error))?;
        files.push((file, path));
    }
    disk::persist_all(files)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let mut targets = Targets { folder: PathBuf::from("out"), made: false, taken: HashSet::new() };
        for (file, target) in [
            ("may/a.json", "out/may/a"),
            ("b.2.json", "out/b.2"),
            ("notes.txt", "out/notes.txt"),
            ("../../etc/c.json", "out/etc/c"),
            ("/etc/d.json", "out/etc/d"),
            ("./e/../f.json", "out/e/f"),
            (".json", "out/.json"),
        ] {
            assert_eq!(targets.of(file), Ok(PathBuf::from(target)), "{file}");
        }
        assert!(targets.of("x/../may/../etc/../may/a.json").is_ok());
        assert!(targets.of("/may/a.json").unwrap_err().contains("already"));
        assert!(targets.of("..").is_err());
    }
}
