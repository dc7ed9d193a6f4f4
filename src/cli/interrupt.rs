//! Ctrl-C and SIGTERM: everything has ended two seconds later, with exit code 130 and nothing half-written.
//!
//! A command that has something to finish, such as a batch with requests in progress, asks for [`requested`] and is given that
//! time. All others end at once.

use std::io::Write as _;
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use super::Exit;
use super::output::Console;
use crate::disk;

/// How long a command may finish what it has in progress.
const GRACE: Duration = Duration::from_millis(1700);

static STOP: Notify = Notify::const_new();
/// How many wait for [`STOP`].
static LISTENERS: AtomicUsize = AtomicUsize::new(0);

/// Ends the process when it is interrupted; `advice` tells how to go on.
pub(super) fn watch(advice: &'static str, console: &Console) {
    let is_quiet = console.quiet;
    // Without a thread or without signals, the system ends the process its own way.
    let _ = std::thread::Builder::new().name("interrupt".to_owned()).spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            signal().await;
            if LISTENERS.load(Ordering::SeqCst) > 0 {
                if !is_quiet {
                    let _ = writeln!(anstream::stderr(), "stopping: requests in progress have two seconds");
                }
                STOP.notify_one();
                tokio::select! {
                    () = tokio::time::sleep(GRACE) => {}
                    () = signal() => {}
                }
            }
        });
        end(advice)
    });
}

/// Completes when the process is interrupted. It is ended two seconds later.
pub(super) async fn requested() {
    struct Listener;
    impl Drop for Listener {
        fn drop(&mut self) {
            LISTENERS.fetch_sub(1, Ordering::SeqCst);
        }
    }
    LISTENERS.fetch_add(1, Ordering::SeqCst);
    let _listener = Listener;
    STOP.notified().await;
}

#[expect(clippy::exit, reason = "no other thread can be made to return in time")]
fn end(advice: &str) {
    // From here on, no file gets its name.
    let _held = disk::remove_unfinished();
    let _ = writeln!(anstream::stderr(), "error: interrupted; {advice}");
    process::exit(Exit::Interrupted as i32)
}

/// Waits for Ctrl-C or SIGTERM.
async fn signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let (Ok(mut interrupt), Ok(mut terminate)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Without signals there is nothing to wait for.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
