//! Jobs in parallel, their results in order, with bounded memory.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Runs every job on the threads of the current pool and passes the results to `take`, in the order of the jobs.
///
/// No thread is set aside for taking: a thread that has finished the next result takes it, and those that waited for it.
/// Each job comes with its weight, above 0. It begins once the jobs begun before and not yet taken leave room for it
/// below `most`, or once there are none: a job heavier than `most` runs alone. `scratch` is made once a thread.
///
/// # Errors
/// The first error of `take`; no further job begins.
pub(super) fn in_order<J, T, S, E>(
    jobs: impl Iterator<Item = (J, u64)> + Send,
    most: u64,
    scratch: impl Fn() -> S + Sync,
    work: impl Fn(J, &mut S) -> T + Sync,
    take: impl FnMut(T) -> Result<(), E> + Send,
) -> Result<(), E>
where
    J: Send,
    T: Send,
    E: Send,
{
    let state = State {
        jobs: jobs.peekable(),
        weight: 0,
        begun: 0,
        taken: 0,
        ready: BTreeMap::new(),
        take: Some(take),
        is_stopped: false,
        outcome: Ok(()),
    };
    let queue = Queue { state: Mutex::new(state), changed: Condvar::new(), most };
    rayon::broadcast(|_| {
        let _guard = StopOnPanic(&queue);
        let mut scratch = scratch();
        while let Some((number, job, weight)) = queue.begin() {
            queue.finish(number, work(job, &mut scratch), weight);
        }
    });
    queue.state.into_inner().unwrap_or_else(PoisonError::into_inner).outcome
}

struct State<I: Iterator, T, F, E> {
    jobs: Peekable<I>,
    /// Of the jobs begun and not yet taken.
    weight: u64,
    begun: usize,
    taken: usize,
    /// Results with their weights, by the number of the job.
    ready: BTreeMap<usize, (T, u64)>,
    /// `None` while a thread is taking.
    take: Option<F>,
    is_stopped: bool,
    outcome: Result<(), E>,
}

struct Queue<I: Iterator, T, F, E> {
    state: Mutex<State<I, T, F, E>>,
    /// A result was taken, or the work has stopped.
    changed: Condvar,
    most: u64,
}

impl<J, I: Iterator<Item = (J, u64)>, T, F: FnMut(T) -> Result<(), E>, E> Queue<I, T, F, E> {
    fn lock(&self) -> MutexGuard<'_, State<I, T, F, E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next job with its number and weight, once there is room for it.
    fn begin(&self) -> Option<(usize, J, u64)> {
        let mut state = self.lock();
        loop {
            if state.is_stopped {
                return None;
            }
            let weight = state.jobs.peek()?.1;
            if state.weight == 0 || state.weight + weight <= self.most {
                let (job, weight) = state.jobs.next()?;
                state.weight += weight;
                state.begun += 1;
                return Some((state.begun - 1, job, weight));
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes the result and those that waited for it, unless its turn has not come or another thread will do it.
    fn finish(&self, number: usize, result: T, weight: u64) {
        let mut state = self.lock();
        state.ready.insert(number, (result, weight));
        let Some(mut take) = state.take.take() else { return };
        while !state.is_stopped {
            let next = state.taken;
            let Some((result, weight)) = state.ready.remove(&next) else { break };
            drop(state);
            let outcome = take(result);
            state = self.lock();
            state.weight -= weight;
            state.taken += 1;
            state.is_stopped |= outcome.is_err();
            state.outcome = outcome;
            self.changed.notify_all();
        }
        state.take = Some(take);
    }
}

/// Threads that wait for a result of a thread that panicked would wait for ever.
struct StopOnPanic<'q, I: Iterator, T, F, E>(&'q Queue<I, T, F, E>);

impl<I: Iterator, T, F, E> Drop for StopOnPanic<'_, I, T, F, E> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.state.lock().unwrap_or_else(PoisonError::into_inner).is_stopped = true;
            self.0.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    fn in_pool<R: Send>(threads: usize, run: impl FnOnce() -> R + Send) -> R {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(run)
    }

    #[test]
    fn results_come_in_the_order_of_the_jobs() {
        for threads in [1, 2, 7] {
            let mut taken = Vec::new();
            let jobs = (0..200_u64).map(|job| (job, job % 13 + 1));
            let work = |job: u64, count: &mut u64| {
                // Some jobs take longer, so that results are finished out of order.
                std::thread::park_timeout(std::time::Duration::from_micros(job * 7919 % 300));
                *count += 1;
                job
            };
            let take = |result| {
                taken.push(result);
                Ok::<_, ()>(())
            };
            in_pool(threads, || in_order(jobs, 40, || 0, work, take)).unwrap();
            assert_eq!(taken, (0..200).collect::<Vec<_>>(), "{threads} threads");
        }
    }

    #[test]
    fn jobs_begun_and_not_taken_stay_below_the_limit_and_a_heavy_one_runs_alone() {
        let now = AtomicU64::new(0);
        let work = |weight: u64, (): &mut ()| {
            let together = now.fetch_add(weight, Ordering::SeqCst) + weight;
            std::thread::park_timeout(std::time::Duration::from_micros(200));
            assert!(together <= 10 || together == 50, "{together}");
            weight
        };
        let take = |weight| {
            now.fetch_sub(weight, Ordering::SeqCst);
            Ok::<_, ()>(())
        };
        let weights = (0..120_u64).map(|job| if job % 10 == 9 { 50 } else { job % 4 + 1 });
        in_pool(4, || in_order(weights.map(|weight| (weight, weight)), 10, || (), work, take)).unwrap();
    }

    #[test]
    fn an_error_ends_the_work() {
        let mut taken = 0;
        let take = |job| {
            taken += 1;
            if job == 5 { Err("full") } else { Ok(()) }
        };
        let outcome = in_pool(2, || in_order((0..1_000_000).map(|job| (job, 1)), 8, || (), |job, ()| job, take));
        assert_eq!((outcome, taken), (Err("full"), 6));
    }

    #[test]
    fn a_panic_reaches_the_caller() {
        let work = |job: u64, (): &mut ()| assert_ne!(job, 3);
        let run = || in_pool(2, || in_order((0..100).map(|job| (job, 1)), 4, || (), work, |()| Ok::<_, ()>(())));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err());
    }
}
