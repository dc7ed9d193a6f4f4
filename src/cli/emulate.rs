//! `emulate`: serves the emulator until it is told to stop.

use std::path::{Path, PathBuf};

use super::Exit;
use super::output::{Console, Failure};
use crate::Error;
use crate::emulator::{Dialogue, Emulator, HostStyle, Scenario, Settings};

const MORE: &str = "\
The first line on stdout is the base URL; nothing else is written there. Ctrl-C ends it.

Examples:
  talkmeter emulate --port 8080
  talkmeter emulate --results results --clock-speed 100
  talkmeter emulate --scenario faults.toml

A scenario is TOML, a list of rules:

  [[fault]]
  on = \"submit\"            submit query list cancel policy upload result flash vocabulary token models recognition
  url_contains = \"call-17\" optional: only where a file URL (upload: the key) holds this
  skip = 1                 optional: this many matching requests pass first
  times = 2                optional: how often it acts (1); 0 = always
  do = \"status\"            what happens, with the keys that go with it:

  status               an error answer: status, code, message, or body verbatim; retry_after (s); accepted
  ok_with_code         HTTP 200 with code and message; accepted
  empty                an empty body: status (200); accepted
  reset_before         the connection is dropped, nothing was accepted
  reset_after          the request is carried out, then the connection is dropped
  slow                 carried out, answered delay_ms later (real time)
  slow_before_accept   carried out delay_ms later
  truncate             half the body, the connection closed
  expired              on result: this link has expired, a fresh one works
  unknown              on query: task_status UNKNOWN
  fail                 on recognition: this file fails with code and message
  all_failed           on recognition: every file of the task fails
  succeeded_with_failed  on recognition: every file fails, the task is SUCCEEDED
  silence              on recognition: code SUCCESS_WITH_NO_VALID_FRAGMENT or ASR_RESPONSE_HAVE_NO_WORDS
  hold                 on recognition: waits pending_s, takes hold_s (seconds of its clock)
  silence              on flash: 400 CLIENT_ERROR ASR_RESPONSE_HAVE_NO_WORDS, of Qwen models an empty text
  reshape              on flash, streams: the same events written another way, see below
  cut                  on flash, streams: ends after frames, mid_frame (half of the next follows), abrupt
  error_event          on flash, streams: after frames an error under HTTP 200; event (error or result), status,
                       code, message

reshape, cut and error_event take crlf, no_blank_lines, values_per_frame, chunk_bytes (size of the pieces that leave)
and frame_ms (pause between frames); a first line frame_ms = 0 sets the pause of all streams (10). status with
event_stream = true sends the error as an event under its status.

accepted = true carries the request out before its answer is replaced. Some file names say what is heard: 301s or
1500ms is the length, silence no speech, jargon the clip of the vendor's page on context.

A dialogue is text, NAME.txt for every address whose file is called NAME, with any ending:

  title: A refund
  language: en               en or zh
  tracks: agent, customer    each has a track; mono: agent, customer puts all on one
  length: 0:08.0
  0:01.0-0:03.2 agent: Hello. How can I help?
  0:03.0-0:05.5 customer: I'd like a refund, please.

The storage port answers GET /emulator/hits: what was asked, and which rules were not reached;
POST /emulator/clock?advance_s=N, with a key, moves the clock.";

/// Arguments of `emulate`.
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub(super) struct Args {
    /// Port of the service on 127.0.0.1; 0 = any that is free
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Answer from the result files of a folder: by file name, else any of them
    #[arg(long, value_name = "DIR")]
    results: Option<PathBuf>,
    /// Answer with the written calls (*.txt) of a folder, by file name; their format is below
    #[arg(long, value_name = "DIR")]
    dialogues: Option<PathBuf>,
    /// File of scripted faults; its format is below
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// Kind of host to imitate
    #[arg(long, value_enum, default_value_t)]
    host_style: Style,
    /// How many times faster than real time its clock runs
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    clock_speed: f64,
}

/// The service's two kinds of hosts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Style {
    /// As dashscope.aliyuncs.com
    #[default]
    Shared,
    /// As a workspace's own host
    Workspace,
}

/// Runs `emulate`.
pub(super) fn run(args: Args, console: &Console) -> Result<Exit, Failure> {
    let scenario = args.scenario.as_deref().map(Scenario::read).transpose()?.unwrap_or_default();
    let host_style = match args.host_style {
        Style::Shared => HostStyle::Shared,
        Style::Workspace => HostStyle::Workspace,
    };
    let settings = Settings {
        port: args.port,
        host_style,
        clock_speed: Some(args.clock_speed),
        results: args.results,
        dialogues: args.dialogues.as_deref().map(Dialogue::folder).transpose()?.unwrap_or_default(),
        scenario,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::io("start", Path::new("the runtime"), error))?;
    runtime.block_on(async {
        let emulator = Emulator::start(settings).await?;
        console.data(format!("{}\n", emulator.base_url()).as_bytes())?;
        console.note(&format!("results and uploads: {}", emulator.storage_url()));
        console.note(&format!("export DASHSCOPE_HTTP_BASE_URL={} DASHSCOPE_API_KEY=sk-emulator", emulator.base_url()));
        super::interrupt::requested().await;
        for rule in emulator.unreached() {
            console.note(&format!("not reached: {rule}"));
        }
        Ok(Exit::Done)
    })
}
