//! The thread on which requests run.

use std::io;
use std::sync::mpsc::{Receiver, sync_channel};

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A runtime on a thread of its own, which ends with this value.
pub(super) struct Network {
    handle: Handle,
    _stop: oneshot::Sender<()>,
}

impl Network {
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        std::thread::Builder::new().name("object-stores".to_owned()).spawn(move || {
            // Its sender is dropped, never used.
            let _ = runtime.block_on(stopped);
        })?;
        Ok(Self { handle, _stop: stop })
    }

    /// Begins some work for an asynchronous caller. It goes on if its result is not waited for.
    pub(super) fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.handle.spawn(work)
    }

    /// Begins some work; its result can be waited for on any thread but that of the network.
    pub(super) fn begin<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Receiver<T> {
        let (send, receive) = sync_channel(1);
        self.handle.spawn(async move {
            // A result that is not waited for any more is not needed.
            let _ = send.send(work.await);
        });
        receive
    }

    /// Runs some work to its end.
    pub(super) fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, String>> + Send + 'static,
    ) -> Result<T, String> {
        self.begin(work).recv().unwrap_or_else(|_| Err(ENDED.to_owned()))
    }
}

/// Why there is no result.
pub(super) const ENDED: &str = "the request was given up";
