//! Decodes a file with ffmpeg: one program, one file, one format, nothing inherited, and an end.
//!
//! A recording comes from outside, and ffmpeg takes some files for lists of others, local and remote. So it is told which
//! demuxer to use and may open local files only; that demuxer opens no second file. Its environment is empty, because that of
//! this process holds the API key.
//!
//! It is killed when its time is over. When this process ends in any way, the pipe between them breaks: ffmpeg ends with its
//! next samples, and where it produces none, with its limit of processor time.

use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::MOST_CHANNELS;
use super::resample::RATE_HZ;
use crate::error::{Error, Result};

/// Bytes read at once from the pipe.
const BLOCK: usize = 64 * 1024;
/// Bytes of the header of an AU file.
const AU_HEAD: usize = 24;
/// The time for any file.
const LEAST_TIME: Duration = Duration::from_secs(60);
/// Bytes of a longer file that are decoded in a second at least: an hour of telephone sound takes two minutes at most.
const SLOWEST: u64 = 64 * 1024;

/// The program, and how it is run.
#[derive(Debug)]
pub(super) struct Ffmpeg<'p> {
    program: &'p Path,
    demuxer: &'static str,
    /// Unless set, by the length of the file.
    within: Option<Duration>,
}

impl<'p> Ffmpeg<'p> {
    pub(super) fn new(program: &'p Path, demuxer: &'static str) -> Self {
        Self { program, demuxer, within: None }
    }

    /// Gives the samples of the first audio track at 16 kHz to `take`, until it breaks off; `None` if it cannot be decoded in
    /// time.
    ///
    /// # Errors
    /// The file cannot be read, or the program cannot be started.
    pub(super) fn decode<T: Send>(
        &self,
        path: &Path,
        taker: T,
        take: impl Fn(&mut T, u32, &[Vec<f32>]) -> ControlFlow<()> + Send,
    ) -> Result<Option<T>> {
        let failed = |error: io::Error| Error::io("run", self.program, error);
        let length = std::fs::metadata(path).map_err(|error| Error::io("read", path, error))?.len();
        let within = self.within.unwrap_or_else(|| LEAST_TIME.max(Duration::from_secs(length / SLOWEST)));
        let mut input = std::ffi::OsString::from("file:");
        input.push(path);
        let mut child = Command::new(self.program)
            .args(["-nostdin", "-v", "error", "-timelimit", &within.as_secs().max(1).to_string()])
            .args(["-f", self.demuxer, "-format_whitelist", self.demuxer, "-protocol_whitelist", "file", "-i"])
            .arg(input)
            // Through a pipe, as AU: the simplest format whose header states rate and channels.
            .args(["-map", "0:a:0", "-ar", &RATE_HZ.to_string(), "-c:a", "pcm_s16be", "-f", "au", "pipe:1"])
            .env_clear()
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let Some(mut pipe) = child.stdout.take() else { return Ok(None) };
        std::thread::scope(|scope| {
            let (done, is_done) = mpsc::channel();
            scope.spawn(move || {
                // The pipe is closed with it, which ends the program if it is still running.
                let decoded = from_au(&mut pipe, taker, take);
                drop(pipe);
                done.send(decoded)
            });
            let end = Instant::now() + within;
            let decoded = is_done.recv_timeout(within).ok().flatten();
            // Without samples it has no time left, even if it closed its output and goes on.
            let end = if decoded.is_some() { end } else { Instant::now() };
            let status = wait(&mut child, end).map_err(failed)?;
            Ok(decoded.filter(|_| status.success()))
        })
    }
}

/// The status of a program that ends, or is killed at `end`.
fn wait(child: &mut Child, end: Instant) -> io::Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if Instant::now() >= end {
            // Fails only if it has ended by now.
            let _ = child.kill();
            return child.wait();
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

fn from_au<T>(
    pipe: &mut impl Read,
    mut taker: T,
    take: impl Fn(&mut T, u32, &[Vec<f32>]) -> ControlFlow<()>,
) -> Option<T> {
    let mut head = [0; AU_HEAD];
    pipe.read_exact(&mut head).ok()?;
    let number = |at: usize| Some(u32::from_be_bytes(head.get(at..at + 4)?.try_into().ok()?));
    let (begin, rate, channels) = (number(4)? as usize, number(16)?, number(20)? as usize);
    if !(1..=usize::from(MOST_CHANNELS)).contains(&channels) || !(AU_HEAD..BLOCK).contains(&begin) {
        return None;
    }
    pipe.read_exact(&mut vec![0; begin - AU_HEAD]).ok()?;
    let mut planes = vec![Vec::new(); channels];
    let mut bytes = Vec::new();
    loop {
        let read = pipe.take((BLOCK - bytes.len()) as u64).read_to_end(&mut bytes).ok()?;
        let frames = bytes.len() / (2 * channels);
        for (at, plane) in planes.iter_mut().enumerate() {
            let samples = bytes.chunks_exact(2).take(frames * channels).skip(at).step_by(channels);
            plane.clear();
            plane.extend(
                samples.filter_map(|pair| Some(f32::from(i16::from_be_bytes(pair.try_into().ok()?)) / 32_768.0)),
            );
        }
        bytes.drain(..frames * 2 * channels);
        if take(&mut taker, rate, &planes).is_break() || read == 0 {
            return Some(taker);
        }
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A program of these lines of shell.
    fn program(folder: &Path, lines: &str) -> std::path::PathBuf {
        let path = folder.join("ffmpeg");
        std::fs::write(&path, format!("#!/bin/sh\n{lines}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn a_program_that_does_not_end_is_killed() {
        let dir = tempfile::tempdir().unwrap();
        let audio = dir.path().join("a.wma");
        std::fs::write(&audio, "x").unwrap();
        // Silent for ever, and talking for ever.
        for lines in ["exec cat /dev/zero > /dev/null", "printf .snd; exec tail -f /dev/null"] {
            let program = program(dir.path(), lines);
            let begun = Instant::now();
            let ffmpeg = Ffmpeg { within: Some(Duration::from_millis(300)), ..Ffmpeg::new(&program, "asf") };
            let decoded = ffmpeg.decode(&audio, (), |(), _, _| ControlFlow::Continue(())).unwrap();
            assert!(decoded.is_none() && begun.elapsed() < Duration::from_secs(20), "{lines}: {:?}", begun.elapsed());
        }
    }

    #[test]
    fn the_program_is_told_one_file_of_one_format_and_no_secret() {
        let dir = tempfile::tempdir().unwrap();
        let audio = dir.path().join("a.wma");
        std::fs::write(&audio, "x").unwrap();
        let asked = dir.path().join("asked");
        let lines = format!("{{ echo \"$@\"; set; }} > '{}'", asked.display());
        let program = program(dir.path(), &lines);
        let decoded = Ffmpeg::new(&program, "asf").decode(&audio, (), |(), _, _| ControlFlow::Continue(())).unwrap();
        assert!(decoded.is_none());
        let asked = std::fs::read_to_string(asked).unwrap();
        assert!(asked.contains("-f asf -format_whitelist asf -protocol_whitelist file -i file:"), "{asked}");
        // Tests have an environment; the program has what a shell gives itself.
        assert!(!asked.contains("CARGO") && !asked.contains("HOME="), "{asked}");
    }
}
