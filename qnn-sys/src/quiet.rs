//! Keeps what the vendor's library prints while it is loaded off the program's standard output.

/// Runs `load` with C's `stdout` standing for standard error: the x86-64 HTP library writes a line to it when it is loaded, which would
/// stand in what a program's user pipes elsewhere. Rust's own standard output is not concerned.
///
/// What other threads write by C's functions meanwhile goes to standard error, too. The library may keep what it finds; standard error is
/// there for as long as the process is.
pub(crate) fn off_stdout<T>(load: impl FnOnce() -> T) -> T {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        let _restored = imp::Swapped::new();
        load()
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    load()
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod imp {
    use std::ffi::c_void;
    use std::sync::atomic::{AtomicPtr, Ordering};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    unsafe extern "C" {
        // glibc has them as variables that a program may assign to.
        static mut stdout: *mut c_void;
        static mut stderr: *mut c_void;
    }

    static TURN: Mutex<()> = Mutex::new(());

    fn cells() -> (&'static AtomicPtr<c_void>, &'static AtomicPtr<c_void>) {
        // SAFETY: both are aligned pointers that live as long as the process. glibc's functions read them with plain loads, which on the
        // architectures that it runs on see either value whole.
        unsafe { (AtomicPtr::from_ptr(&raw mut stdout), AtomicPtr::from_ptr(&raw mut stderr)) }
    }

    /// Puts `stdout` back when dropped.
    pub(super) struct Swapped {
        before: *mut c_void,
        _turn: MutexGuard<'static, ()>,
    }

    impl Swapped {
        pub(super) fn new() -> Self {
            let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
            let (out, err) = cells();
            Self { before: out.swap(err.load(Ordering::SeqCst), Ordering::SeqCst), _turn: turn }
        }
    }

    impl Drop for Swapped {
        fn drop(&mut self) {
            cells().0.store(self.before, Ordering::SeqCst);
        }
    }
}
