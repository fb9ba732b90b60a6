//! Runs tasks side by side: as many as cargo's jobserver and the memory allow, and at least one.

use std::collections::VecDeque;
use std::sync::OnceLock;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use jobserver::{Acquired, Client};
use qnn_platform::env;

use super::memory;

/// How often a task that waits for a token or for memory asks again.
const POLL: Duration = Duration::from_millis(20);

/// What bounds a run.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// Jobs side by side (`-j`); what cargo says (`NUM_JOBS`), else the number of processors, when `None`.
    pub jobs: Option<usize>,
    /// Memory all jobs may take together, bytes; what the machine has free, when `None`.
    pub memory: Option<u64>,
    /// Time one job may take.
    pub timeout: Option<Duration>,
}

impl Limits {
    /// From `NUM_JOBS`, `QNN_MEMORY` (MiB) and `QNN_TIMEOUT` (seconds). What is no number counts as not set.
    pub fn from_env() -> Self {
        let number = |var| env::string(var)?.trim().parse::<u64>().ok().filter(|n| *n > 0);
        Self {
            jobs: number(&env::NUM_JOBS).and_then(|n| usize::try_from(n).ok()),
            memory: number(&env::QNN_MEMORY).map(|mib| mib.saturating_mul(1 << 20)),
            timeout: timeout().ok().flatten(),
        }
    }
}

/// The time limit that `QNN_TIMEOUT` says, in seconds as `--timeout` takes them.
///
/// # Errors
/// Its text, where that is no time.
pub fn timeout() -> Result<Option<Duration>, String> {
    let Some(text) = env::string(&env::QNN_TIMEOUT).filter(|text| !text.trim().is_empty()) else {
        return Ok(None);
    };
    let seconds = text.trim().parse::<f64>().ok().filter(|seconds| *seconds > 0.0);
    let limit = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    limit.map_or(Err(text), |limit| Ok(Some(limit)))
}

/// Something to do that takes a processor and memory.
pub struct Task<'t, T> {
    /// Memory it is expected to take, bytes.
    pub memory: u64,
    /// Does it. Runs on a thread of its own.
    pub run: Box<dyn FnOnce() -> T + Send + 't>,
}

/// Runs all tasks and returns their results in the order of the tasks. The largest start first.
pub fn run_all<T: Send>(tasks: Vec<Task<'_, T>>, limits: &Limits) -> Vec<T> {
    let tokens = (tasks.len() > 1).then(jobserver).flatten();
    let most =
        limits.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, |n| n.get())).max(1);
    // A tenth is left to everybody else.
    let budget = limits.memory.or_else(|| memory::available().map(|free| free / 10 * 9));

    let mut results: Vec<Option<T>> = tasks.iter().map(|_| None).collect();
    let mut pending: Vec<(usize, Task<'_, T>)> = tasks.into_iter().enumerate().collect();
    pending.sort_by_key(|(_, task)| std::cmp::Reverse(task.memory));
    let mut pending: VecDeque<_> = pending.into();
    std::thread::scope(|scope| {
        let (send, finished) = channel();
        let mut running: Vec<(usize, u64, Option<Acquired>)> = Vec::new();
        loop {
            while let Some((_, next)) = pending.front() {
                let taken: u64 = running.iter().map(|(_, memory, _)| memory).sum();
                let fits = budget.is_none_or(|budget| taken.saturating_add(next.memory) <= budget);
                if !running.is_empty() && (running.len() >= most || !fits) {
                    break;
                }
                // One task runs on the token that this process has anyway.
                let own_is_free = running.iter().all(|(.., token)| token.is_some());
                let token = match tokens {
                    Some(client) if !own_is_free => match client.try_acquire() {
                        Ok(Some(token)) => Some(token),
                        Ok(None) => break,
                        // Systems where asking is impossible without waiting.
                        Err(_) => None,
                    },
                    _ => None,
                };
                let Some((index, task)) = pending.pop_front() else { break };
                running.push((index, task.memory, token));
                let send = send.clone();
                scope.spawn(move || {
                    // The receiver lives until every task has answered.
                    let _ = send.send((index, (task.run)()));
                });
            }
            if running.is_empty() {
                break;
            }
            let wait = if pending.is_empty() { Duration::from_secs(3600) } else { POLL };
            match finished.recv_timeout(wait) {
                Ok((index, result)) => {
                    results[index] = Some(result);
                    running.retain(|(running, ..)| *running != index);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
    });
    results.into_iter().flatten().collect()
}

/// cargo's jobserver, where this process was given one. Taken once and kept: closing it would free numbers of descriptors that
/// the environment still names.
#[expect(
    unsafe_code,
    reason = "the jobserver is inherited as file descriptors, which cannot be taken safely"
)]
fn jobserver() -> Option<&'static Client> {
    static CLIENT: OnceLock<Option<Client>> = OnceLock::new();
    let client = CLIENT.get_or_init(|| {
        env::var(&env::CARGO_MAKEFLAGS)?;
        // SAFETY: cargo opened the descriptors that CARGO_MAKEFLAGS names before it started this process, so they are open
        // from its first instruction on and nothing else here owns them. In case a program in between closed them and their
        // numbers were given away again, `true` has it checked that both are pipes.
        unsafe { Client::from_env_ext(true) }.client.ok()
    });
    client.as_ref()
}

#[cfg(test)]
mod tests {
    use std::sync::{Condvar, Mutex};

    use super::*;

    /// How many tasks run now, and how many ran at once at most.
    #[derive(Default)]
    struct Running {
        now: usize,
        most: usize,
    }

    /// How many tasks ran at once at most. Each waits until `expected` of them have met, however long that takes.
    fn most_at_once(memory: &[u64], limits: &Limits, expected: usize) -> usize {
        let (running, changed) = (Mutex::new(Running::default()), Condvar::new());
        let tasks = memory.iter().enumerate().map(|(i, &memory)| {
            let (running, changed) = (&running, &changed);
            let run = move || {
                let mut now = running.lock().unwrap();
                now.now += 1;
                now.most = now.most.max(now.now);
                changed.notify_all();
                let patience = Duration::from_secs(60);
                drop(changed.wait_timeout_while(now, patience, |now| now.most < expected).unwrap());
                // So that a task too many, were one started, would be seen.
                std::thread::sleep(Duration::from_millis(20));
                running.lock().unwrap().now -= 1;
                i
            };
            Task { memory, run: Box::new(run) }
        });
        let results = run_all(tasks.collect(), limits);
        assert_eq!(results, (0..memory.len()).collect::<Vec<_>>());
        running.into_inner().unwrap().most
    }

    #[test]
    fn tasks_run_side_by_side_up_to_the_limit() {
        let limits = Limits { jobs: Some(2), memory: Some(u64::MAX), timeout: None };
        assert_eq!(most_at_once(&[1; 5], &limits, 2), 2);
        assert_eq!(most_at_once(&[], &limits, 0), 0);
    }

    #[test]
    fn memory_bounds_what_runs_together_but_one_always_runs() {
        let limits = Limits { jobs: Some(8), memory: Some(100), timeout: None };
        assert_eq!(most_at_once(&[60, 60, 60], &limits, 1), 1);
        assert_eq!(most_at_once(&[50, 50, 50], &limits, 2), 2);
        assert_eq!(most_at_once(&[1000], &limits, 1), 1);
    }
}
