//! Jobs in parallel, their results in order, with bounded memory.

use std::collections::{BTreeMap, VecDeque};
use std::iter::Peekable;
use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Runs every job on the threads of the current pool: `work` on any thread, `gather` in the order of the jobs, `encode` on
/// any thread for each group that `gather` returns, and `write` in the order of the groups.
///
/// No thread is set aside: a thread that has finished the next result gathers it, and those that waited for it; groups to
/// encode come before further jobs. Each job comes with its weight, above 0. It begins once the jobs begun before and not
/// yet gathered leave room for it below `most`, or once there are none: a job heavier than `most` runs alone. `scratch` is
/// made once a thread.
///
/// # Errors
/// The first error of `gather` or `write`; nothing further begins.
pub(super) fn in_order<J, S, T, G, P, E>(
    jobs: impl Iterator<Item = (J, u64)> + Send,
    most: u64,
    scratch: impl Fn() -> S + Sync,
    work: impl Fn(J, &mut S) -> T + Sync,
    gather: impl FnMut(T) -> Result<Vec<G>, E> + Send,
    encode: impl Fn(G) -> P + Sync,
    write: impl FnMut(P) -> Result<(), E> + Send,
) -> Result<(), E>
where
    J: Send,
    T: Send,
    G: Send,
    P: Send,
    E: Send,
{
    let state = State {
        jobs: jobs.peekable(),
        weight: 0,
        begun: 0,
        groups: VecDeque::new(),
        numbered: 0,
        is_stopped: false,
        outcome: Ok(()),
    };
    let queue = Queue { state: Mutex::new(state), changed: Condvar::new(), most };
    let (gathered, written) = (Line::new(gather), Line::new(write));
    rayon::broadcast(|_| {
        let _guard = StopOnPanic(&queue);
        let mut scratch = scratch();
        while let Some(step) = queue.next() {
            match step {
                Step::Work(number, job, weight) => {
                    let result = work(job, &mut scratch);
                    gathered.pass(number, (result, weight), |(result, weight), gather| {
                        queue.go_on(gather(result).map(|groups| queue.add(groups, weight)))
                    });
                }
                Step::Encode(number, group) => {
                    written.pass(number, encode(group), |rows, write| queue.go_on(write(rows)));
                }
            }
        }
    });
    queue.state.into_inner().unwrap_or_else(PoisonError::into_inner).outcome
}

/// What comes in any order and is taken in order, by whichever thread brings the next.
struct Line<T, F> {
    state: Mutex<LineState<T, F>>,
}

struct LineState<T, F> {
    ready: BTreeMap<usize, T>,
    next: usize,
    /// `None` while a thread is taking, and after the end.
    take: Option<F>,
}

impl<T, F> Line<T, F> {
    fn new(take: F) -> Self {
        Self { state: Mutex::new(LineState { ready: BTreeMap::new(), next: 0, take: Some(take) }) }
    }

    fn lock(&self) -> MutexGuard<'_, LineState<T, F>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what has come and those that waited for it, unless its turn has not come or another thread will do it.
    fn pass(&self, number: usize, came: T, mut with: impl FnMut(T, &mut F) -> ControlFlow<()>) {
        let mut state = self.lock();
        state.ready.insert(number, came);
        let Some(mut take) = state.take.take() else { return };
        while let next = state.next
            && let Some(came) = state.ready.remove(&next)
        {
            state.next += 1;
            drop(state);
            if with(came, &mut take).is_break() {
                return;
            }
            state = self.lock();
        }
        state.take = Some(take);
    }
}

enum Step<J, G> {
    Work(usize, J, u64),
    Encode(usize, G),
}

struct State<I: Iterator, G, E> {
    jobs: Peekable<I>,
    /// Of the jobs begun and not yet gathered.
    weight: u64,
    begun: usize,
    /// To encode, with their numbers.
    groups: VecDeque<(usize, G)>,
    numbered: usize,
    is_stopped: bool,
    outcome: Result<(), E>,
}

struct Queue<I: Iterator, G, E> {
    state: Mutex<State<I, G, E>>,
    /// A result was gathered, or the work has stopped.
    changed: Condvar,
    most: u64,
}

impl<J, I: Iterator<Item = (J, u64)>, G, E> Queue<I, G, E> {
    fn lock(&self) -> MutexGuard<'_, State<I, G, E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What to do next, once there is room for it. The thread that gathers the last result encodes its groups.
    fn next(&self) -> Option<Step<J, G>> {
        let mut state = self.lock();
        loop {
            if state.is_stopped {
                return None;
            }
            if let Some((number, group)) = state.groups.pop_front() {
                return Some(Step::Encode(number, group));
            }
            let weight = state.jobs.peek()?.1;
            if state.weight == 0 || state.weight + weight <= self.most {
                let (job, weight) = state.jobs.next()?;
                state.weight += weight;
                state.begun += 1;
                return Some(Step::Work(state.begun - 1, job, weight));
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A result with this weight was gathered and made these groups.
    fn add(&self, groups: Vec<G>, weight: u64) {
        let mut state = self.lock();
        state.weight -= weight;
        for group in groups {
            let number = state.numbered;
            state.groups.push_back((number, group));
            state.numbered += 1;
        }
        self.changed.notify_all();
    }
}

impl<I: Iterator, G, E> Queue<I, G, E> {
    /// Ends the work at an error.
    fn go_on(&self, outcome: Result<(), E>) -> ControlFlow<()> {
        if outcome.is_ok() {
            return ControlFlow::Continue(());
        }
        self.stop(outcome);
        ControlFlow::Break(())
    }

    fn stop(&self, outcome: Result<(), E>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_stopped = true;
        state.outcome = outcome;
        self.changed.notify_all();
    }
}

/// Threads that wait for a result of a thread that panicked would wait for ever.
struct StopOnPanic<'q, I: Iterator, G, E>(&'q Queue<I, G, E>);

impl<I: Iterator, G, E> Drop for StopOnPanic<'_, I, G, E> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop(Ok(()));
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
            let mut gathered = Vec::new();
            let jobs = (0..200_u64).map(|job| (job, job % 13 + 1));
            let work = |job: u64, count: &mut u64| {
                // Some jobs take longer, so that results are finished out of order.
                std::thread::park_timeout(std::time::Duration::from_micros(job * 7919 % 300));
                *count += 1;
                job
            };
            let mut written = Vec::new();
            let gather = |job| {
                gathered.push(job);
                // None, one or two groups of a result.
                Ok((0..job % 3).map(|group| (job, group)).collect())
            };
            let encode = |(job, group): (u64, u64)| {
                std::thread::park_timeout(std::time::Duration::from_micros(job * 104_729 % 300));
                (job, group)
            };
            let write = |group| {
                written.push(group);
                Ok::<_, ()>(())
            };
            in_pool(threads, || in_order(jobs, 40, || 0, work, gather, encode, write)).unwrap();
            assert_eq!(gathered, (0..200).collect::<Vec<_>>(), "{threads} threads");
            let groups = (0..200_u64).flat_map(|job| (0..job % 3).map(move |group| (job, group)));
            assert_eq!(written, groups.collect::<Vec<_>>(), "{threads} threads");
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
        let gather = |weight| {
            now.fetch_sub(weight, Ordering::SeqCst);
            Ok(Vec::<()>::new())
        };
        let weights = (0..120_u64).map(|job| if job % 10 == 9 { 50 } else { job % 4 + 1 });
        let jobs = weights.map(|weight| (weight, weight));
        in_pool(4, || in_order(jobs, 10, || (), work, gather, |()| (), |()| Ok::<_, ()>(()))).unwrap();
    }

    #[test]
    fn an_error_ends_the_work() {
        let mut written = 0;
        let write = |job| {
            written += 1;
            if job == 5 { Err("full") } else { Ok(()) }
        };
        let jobs = (0..1_000_000).map(|job| (job, 1));
        let outcome = in_pool(2, || in_order(jobs, 8, || (), |job, ()| job, |job| Ok(vec![job]), |job| job, write));
        assert_eq!((outcome, written), (Err("full"), 6));
    }

    #[test]
    fn a_panic_reaches_the_caller() {
        let work = |job: u64, (): &mut ()| assert_ne!(job, 3);
        let jobs = || (0..100).map(|job| (job, 1));
        let write = |()| Ok::<_, ()>(());
        let run = || in_pool(2, || in_order(jobs(), 4, || (), work, |()| Ok(vec![()]), |()| (), write));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err());
    }
}
