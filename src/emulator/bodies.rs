//! Request bodies in memory: one has a limit, all of them together have one, and each must arrive in time.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::StatusCode;
use futures_util::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::answer::Refusal;

/// Most bytes of one body: a data URI of 20 MiB and the rest of the request.
const LARGEST: usize = 40 << 20;
/// Most bytes of all bodies together. Senders whose body has no room wait.
const TOGETHER: usize = 256 << 20;
/// Room is given out in these units.
const UNIT: usize = 1 << 10;
/// Slowest sender that is waited for, in bytes per second; a minute is always allowed.
const SLOWEST: usize = 64 << 10;

/// The room for bodies.
#[derive(Debug)]
pub(super) struct Bodies {
    room: Arc<Semaphore>,
    largest: usize,
    /// The least time that a body has to arrive.
    patience: Duration,
}

/// A body, and the room it takes until it is dropped.
#[derive(Debug)]
pub(super) struct Received {
    bytes: Vec<u8>,
    _room: OwnedSemaphorePermit,
}

impl std::ops::Deref for Received {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Default for Bodies {
    fn default() -> Self {
        Self::new(LARGEST, TOGETHER, Duration::from_secs(60))
    }
}

impl Bodies {
    fn new(largest: usize, together: usize, patience: Duration) -> Self {
        Self { room: Arc::new(Semaphore::new(together / UNIT)), largest, patience }
    }

    /// Reads a body. A length that is announced and too large is refused before anything is read; room for the whole
    /// body is taken before its first byte, so that two half-read bodies never wait for each other.
    pub(super) async fn read(&self, body: Body) -> Result<Received, Refusal> {
        let too_large = || Refusal::new(StatusCode::BAD_REQUEST, "BadRequest.TooLarge", "Payload Too Large.");
        let size = body.size_hint();
        if size.lower() > self.largest as u64 {
            return Err(too_large());
        }
        let most = size
            .upper()
            .and_then(|most| usize::try_from(most).ok())
            .map_or(self.largest, |most| most.min(self.largest));
        let units = |bytes: usize| bytes.div_ceil(UNIT);
        let room = Arc::clone(&self.room).acquire_many_owned(u32::try_from(units(most)).unwrap_or(u32::MAX)).await;
        let mut room = room.map_err(|_| too_large())?;
        let receiving = async {
            let mut bytes = Vec::new();
            let mut parts = body.into_data_stream();
            while let Some(part) = parts.next().await {
                let part = part.map_err(|_| Refusal::body())?;
                if bytes.len() + part.len() > most {
                    return Err(too_large());
                }
                bytes.extend_from_slice(&part);
            }
            Ok(bytes)
        };
        let patience = Duration::from_secs((most / SLOWEST) as u64).max(self.patience);
        let late =
            || Refusal::new(StatusCode::REQUEST_TIMEOUT, "RequestTimeOut", "The request body did not arrive in time.");
        let bytes = tokio::time::timeout(patience, receiving).await.map_err(|_| late())??;
        drop(room.split(room.num_permits().saturating_sub(units(bytes.capacity().min(most)))));
        Ok(Received { bytes, _room: room })
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    /// Four KiB a body, ten KiB together, little patience.
    fn small() -> Bodies {
        Bodies::new(4096, 10_240, Duration::from_millis(50))
    }

    fn chunked(parts: impl IntoIterator<Item = Vec<u8>, IntoIter: Send + 'static>) -> Body {
        let parts = parts.into_iter().map(|part| Ok::<_, std::io::Error>(Bytes::from(part)));
        Body::from_stream(futures_util::stream::iter(parts))
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_refused_whether_its_length_is_announced_or_not() {
        let bodies = small();
        let announced = bodies.read(Body::from(vec![0; 4097])).await.unwrap_err();
        assert_eq!(announced.code, "BadRequest.TooLarge");
        let endless = bodies.read(chunked(std::iter::repeat_with(|| vec![0; 100]))).await.unwrap_err();
        assert_eq!(endless.code, "BadRequest.TooLarge");
        assert_eq!(bodies.read(chunked([vec![1, 2], vec![3]])).await.unwrap().to_vec(), [1, 2, 3]);
        assert_eq!(bodies.room.available_permits(), 10, "all room is given back");
    }

    #[tokio::test]
    async fn bodies_without_room_wait_until_another_is_done() {
        let bodies = small();
        let first = bodies.read(Body::from(vec![0; 4096])).await.unwrap();
        let second = bodies.read(chunked([vec![0; 4096]])).await.unwrap();
        let third = bodies.read(Body::from(vec![0; 4096]));
        tokio::pin!(third);
        let wait = tokio::time::timeout(Duration::from_millis(100), &mut third);
        assert!(wait.await.is_err(), "two KiB are left");
        drop(first);
        assert_eq!(third.await.unwrap().len(), 4096);
        drop(second);
        // A short body without an announced length keeps only what it needs.
        let _held = bodies.read(chunked([vec![0; 10]])).await.unwrap();
        assert_eq!(bodies.room.available_permits(), 9);
    }

    #[tokio::test]
    async fn a_body_that_never_ends_gives_its_room_back() {
        let bodies = small();
        let silent = Body::from_stream(futures_util::stream::pending::<std::io::Result<Bytes>>());
        assert_eq!(bodies.read(silent).await.unwrap_err().code, "RequestTimeOut");
        assert_eq!(bodies.room.available_permits(), 10);
    }
}
