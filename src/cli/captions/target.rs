//! Where captions are written: below the folder of `-o`, whatever the names of the result files.

use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::path::{Component, Path, PathBuf};

use crate::captions::{Cue, Format};
use crate::disk;
use crate::error::{Error, Result};

/// Paths for captions; each is handed out once.
pub(super) struct Targets {
    folder: PathBuf,
    /// Whether this run created the folder.
    created: bool,
    taken: HashSet<PathBuf>,
}

impl Targets {
    /// Creates the folder.
    pub(super) fn new(folder: &Path) -> Result<Self> {
        let created = !folder.exists();
        if created {
            disk::folder_to_come(folder);
        }
        fs::create_dir_all(folder).map_err(|error| Error::io("make the folder", folder, error))?;
        Ok(Self { folder: folder.to_owned(), created, taken: HashSet::new() })
    }

    /// Removes the folder if this run created it and it is empty.
    pub(super) fn remove_if_empty(&self) {
        if self.created {
            let _ = fs::remove_dir(&self.folder);
        }
    }

    /// The path for the captions of `file`, without extension.
    ///
    /// The root and `..`, which would lead out of the folder, are left out.
    pub(super) fn path_for(&mut self, file: &str) -> std::result::Result<PathBuf, String> {
        let stem = file.strip_suffix(".json").filter(|stem| !stem.is_empty() && !stem.ends_with('/')).unwrap_or(file);
        let mut target = self.folder.clone();
        target.extend(Path::new(stem).components().filter(|part| matches!(part, Component::Normal(_))));
        if target == self.folder {
            return Err("its name cannot be a file name".to_owned());
        }
        if self.taken.insert(target.clone()) {
            return Ok(target);
        }
        Err(format!("the captions of another file are {} already", target.display()))
    }
}

/// Writes captions; each file appears whole or not at all.
pub(super) fn write(target: &Path, cues: &[(Format, Vec<Cue>)]) -> Result<()> {
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder).map_err(|error| Error::io("make the folder", folder, error))?;
    }
    let mut files = Vec::with_capacity(cues.len());
    for (format, cues) in cues {
        // Not `with_extension`: the name may contain dots.
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
        let mut targets = Targets { folder: PathBuf::from("out"), created: false, taken: HashSet::new() };
        for (file, target) in [
            ("may/a.json", "out/may/a"),
            ("b.2.json", "out/b.2"),
            ("notes.txt", "out/notes.txt"),
            ("../../etc/c.json", "out/etc/c"),
            ("/etc/d.json", "out/etc/d"),
            ("./e/../f.json", "out/e/f"),
            (".json", "out/.json"),
        ] {
            assert_eq!(targets.path_for(file), Ok(PathBuf::from(target)), "{file}");
        }
        assert!(targets.path_for("x/../may/../etc/../may/a.json").is_ok());
        assert!(targets.path_for("/may/a.json").unwrap_err().contains("already"));
        assert!(targets.path_for("..").is_err());
    }
}
