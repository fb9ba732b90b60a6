//! What the fake library notes about the calls it gets.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Notes of one backend.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// What was created, freed and configured, in order. Executions are not in it.
    events: Mutex<Vec<String>>,
    /// Executions that run now, and the most that did.
    running: AtomicUsize,
    most: AtomicUsize,
    executions: AtomicUsize,
}

/// What runs in the process now: of all fakes, as the gate is the process's.
static INSIDE: RwLock<()> = RwLock::new(());

thread_local! {
    static CURRENT: RefCell<Option<Arc<State>>> = const { RefCell::new(None) };
}

/// Notes for the backend that this thread creates next.
pub(super) fn begin() -> Arc<State> {
    let state = Arc::new(State::default());
    CURRENT.set(Some(state.clone()));
    state
}

pub(super) fn current() -> Arc<State> {
    CURRENT.with_borrow(|state| state.clone().unwrap_or_default())
}

impl State {
    /// Notes something.
    pub(crate) fn note(&self, event: impl Into<String>) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event.into());
    }

    /// What was noted so far.
    pub(crate) fn events(&self) -> Vec<String> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many things of each kind are alive: `+context` and `-context` are noted.
    pub(crate) fn alive(&self) -> BTreeMap<String, i64> {
        let mut alive = BTreeMap::new();
        for event in self.events() {
            let (count, what) = match event.split_at_checked(1) {
                Some(("+", what)) => (1, what),
                Some(("-", what)) => (-1, what),
                _ => continue,
            };
            *alive.entry(what.to_owned()).or_insert(0) += count;
        }
        alive.retain(|_, count| *count != 0);
        alive
    }

    /// Executions so far, and the most that ran at a time.
    pub(crate) fn executions(&self) -> (usize, usize) {
        (self.executions.load(Ordering::SeqCst), self.most.load(Ordering::SeqCst))
    }
}

/// Does what creates, changes or frees something. Fails where anything else is in the library.
pub(super) fn exclusive<T>(work: impl FnOnce() -> T) -> T {
    let _inside = INSIDE.try_write().unwrap_or_else(|_| fail("a call that must be alone overlaps another"));
    work()
}

/// Executes. Fails where a call that must be alone is in the library, and where the context executes already.
pub(super) fn execute<T>(state: &State, busy: &AtomicUsize, work: impl FnOnce() -> T) -> T {
    let _inside =
        INSIDE.try_read().unwrap_or_else(|_| fail("an execution overlaps a call that must be alone"));
    if busy.fetch_add(1, Ordering::SeqCst) != 0 {
        fail("two executions of one context overlap");
    }
    let now = state.running.fetch_add(1, Ordering::SeqCst) + 1;
    state.most.fetch_max(now, Ordering::SeqCst);
    let result = work();
    state.running.fetch_sub(1, Ordering::SeqCst);
    state.executions.fetch_add(1, Ordering::SeqCst);
    busy.fetch_sub(1, Ordering::SeqCst);
    result
}

/// Ends the test process: a panic cannot leave a function that C calls.
fn fail(what: &str) -> ! {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "fake library: {what}");
    std::process::abort()
}

/// A handle to something of the library's.
pub(super) fn handle<T>(object: T) -> *mut c_void {
    Box::into_raw(Box::new(object)).cast()
}

/// What is behind a handle.
///
/// # Safety
/// The handle must be alive and of this type.
#[expect(unsafe_code, reason = "a library's side of a C interface")]
pub(super) unsafe fn behind<'a, T>(handle: *mut c_void) -> &'a T {
    // SAFETY: by this function's contract.
    unsafe { &*handle.cast::<T>() }
}

/// Frees what is behind a handle and gives it back.
///
/// # Safety
/// As [`behind`], and the handle must not be used any more.
#[expect(unsafe_code, reason = "a library's side of a C interface")]
pub(super) unsafe fn free<T>(handle: *mut c_void) -> T {
    // SAFETY: by this function's contract.
    *unsafe { Box::from_raw(handle.cast::<T>()) }
}
