//! Transcripts → files of another kind: one printed, or all of them written below a folder.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::io::Write;
use std::path::{Component, Path, PathBuf};

use rayon::prelude::*;

use super::Exit;
use super::analyze::unused_roles;
use super::output::{Console, Failure, chain, printable};
use crate::disk;
use crate::error::{Error, Result};
use crate::metrics::{Measured, Roles, Settings};
use crate::report::number::counted;
use crate::transcript::{Input, Inputs};

/// Files read together, per thread.
pub(super) const FILES_A_THREAD: usize = 16;

/// What was made of one transcript.
#[derive(Debug, Default)]
pub(super) struct Converted {
    /// Endings and contents.
    pub(super) files: Vec<(&'static str, String)>,
    pub(super) notes: Vec<String>,
    /// Labels of roles that occur in it.
    pub(super) labels: BTreeSet<String>,
}

/// Labels of roles that occur in a call.
pub(super) fn labels_of(settings: &Settings, measured: &Measured<'_>) -> BTreeSet<String> {
    let labels = settings.roles.iter().map(|(label, _)| label).filter(|label| measured.has_label(label));
    labels.map(str::to_owned).collect()
}

/// Adds up the roles of several flags.
pub(super) fn all_roles(given: Vec<Roles>) -> Result<Roles> {
    given.into_iter().try_fold(Roles::default(), |mut roles, more| roles.extend(more).map(|()| roles))
}

/// Prints what is made of the only file.
pub(super) fn show(
    inputs: &Inputs,
    roles: &Roles,
    console: &Console,
    convert: impl Fn(&Input) -> Result<Converted, String>,
) -> Result<Exit, Failure> {
    let input = match &inputs.files[..] {
        [] => {
            console.error("no result file found");
            return Ok(Exit::Failed);
        }
        [input] => input,
        files => {
            let many = counted(files.len() as u64, "result file");
            return Err(Failure::Usage(format!("{many}: only one can be printed; write them to a folder with -o DIR")));
        }
    };
    match convert(input) {
        Ok(made) => {
            for note in made.notes {
                console.note(&format!("{}: {note}", input.path.display()));
            }
            unused_roles(roles, &made.labels, console);
            for (_, content) in made.files {
                console.data(content.as_bytes())?;
            }
            Ok(if inputs.excluded.is_empty() { Exit::Done } else { Exit::Partly })
        }
        Err(why) => {
            console.say(&why);
            Ok(Exit::Failed)
        }
    }
}

/// Writes what is made of every file below a folder; `what` says it in the plural.
pub(super) fn write(
    (inputs, folder): (&Inputs, &Path),
    what: &'static str,
    roles: &Roles,
    console: &Console,
    convert: impl Fn(&Input) -> Result<Converted, String> + Sync,
) -> Result<Exit, Failure> {
    let mut targets = Targets::new(folder, what)?;
    let bar = console.progress(inputs.files.len());
    let (mut written, mut failed) = (0_u64, inputs.excluded.len() as u64);
    let mut labels = BTreeSet::new();
    for chunk in inputs.files.chunks(FILES_A_THREAD * rayon::current_num_threads()) {
        let chunk: Vec<(&Input, Result<PathBuf, String>)> =
            chunk.iter().map(|input| (input, targets.path_for(input))).collect();
        let done: Vec<Result<Converted, String>> = chunk
            .par_iter()
            .map(|(input, target)| {
                let target = target.as_ref().map_err(|why| format!("{}: {why}", input.path.display()))?;
                let made = convert(input)?;
                write_files(target, &made.files).map_err(|error| chain(&error))?;
                Ok(made)
            })
            .collect();
        for ((input, _), done) in chunk.iter().zip(done) {
            bar.inc(1);
            match done {
                Ok(mut done) => {
                    written += done.files.len() as u64;
                    labels.append(&mut done.labels);
                    let notes = done.notes.into_iter().map(|note| format!("{}: {note}", input.path.display()));
                    bar.suspend(|| notes.for_each(|note| console.note(&note)));
                }
                Err(why) => {
                    failed += 1;
                    bar.suspend(|| console.say(&why));
                }
            }
        }
    }
    bar.finish_and_clear();
    if written == 0 {
        targets.remove_if_empty();
        let none = format!("no {what} could be made");
        console.error(if failed == 0 { "no result file found" } else { &none });
        return Ok(Exit::Failed);
    }
    unused_roles(roles, &labels, console);
    console.note(&format!("{} written to {}", counted(written, "file"), printable(&folder.display().to_string())));
    Ok(if failed > 0 { Exit::Partly } else { Exit::Done })
}

/// Paths below the folder of `-o`, whatever the names of the transcripts; each is handed out once.
struct Targets {
    folder: PathBuf,
    what: &'static str,
    /// Whether this run created the folder.
    created: bool,
    taken: HashSet<PathBuf>,
}

impl Targets {
    /// Creates the folder.
    fn new(folder: &Path, what: &'static str) -> Result<Self> {
        let created = !folder.exists();
        if created {
            disk::folder_to_come(folder);
        }
        fs::create_dir_all(folder).map_err(|error| Error::io("make the folder", folder, error))?;
        Ok(Self { folder: folder.to_owned(), what, created, taken: HashSet::new() })
    }

    /// Removes the folder if this run created it and it is empty.
    fn remove_if_empty(&self) {
        if self.created {
            let _ = fs::remove_dir(&self.folder);
        }
    }

    /// The path for what is made of a transcript, without extension. Of two that differ in their endings alone, the second
    /// keeps it, unless that is `.json`.
    ///
    /// The root and `..`, which would lead out of the folder, are left out.
    fn path_for(&mut self, input: &Input) -> Result<PathBuf, String> {
        let mut path = self.below(input.stem())?;
        if self.taken.contains(&path) && !input.file().ends_with(".json") {
            path = self.below(input.file())?;
        }
        if self.taken.insert(path.clone()) {
            return Ok(path);
        }
        Err(format!("the {} of another file are {} already", self.what, path.display()))
    }

    fn below(&self, file: &str) -> Result<PathBuf, String> {
        let mut target = self.folder.clone();
        target.extend(Path::new(file).components().filter(|part| matches!(part, Component::Normal(_))));
        if target == self.folder { Err("its name cannot be a file name".to_owned()) } else { Ok(target) }
    }
}

/// Writes files of one name; each appears whole or not at all.
fn write_files(target: &Path, contents: &[(&'static str, String)]) -> Result<()> {
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder).map_err(|error| Error::io("make the folder", folder, error))?;
    }
    let mut files = Vec::with_capacity(contents.len());
    for (extension, content) in contents {
        // Not `with_extension`: the name may contain dots.
        let mut path = target.as_os_str().to_owned();
        path.push(format!(".{extension}"));
        let path = PathBuf::from(path);
        let mut file = disk::create(&path)?;
        file.write_all(content.as_bytes()).map_err(|error| Error::io("write", &path, error))?;
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
        let mut targets =
            Targets { folder: PathBuf::from("out"), what: "captions", created: false, taken: HashSet::new() };
        let input = |file: &str| Input::local(file, file.into());
        for (file, target) in [
            ("may/a.json", "out/may/a"),
            ("b.2.json", "out/b.2"),
            ("notes.txt", "out/notes.txt"),
            ("../../etc/c.json", "out/etc/c"),
            ("/etc/d.json", "out/etc/d"),
            ("./e/../f.json", "out/e/f"),
            (".json", "out/.json"),
            ("g.rttm", "out/g"),
            ("g.CTM", "out/g.CTM"),
        ] {
            assert_eq!(targets.path_for(&input(file)), Ok(PathBuf::from(target)), "{file}");
        }
        assert!(targets.path_for(&input("x/../may/../etc/../may/a.json")).is_ok());
        assert!(targets.path_for(&input("..")).is_err());
        assert!(targets.path_for(&input("notes.txt")).unwrap_err().contains("already"));
    }
}
