//! The hidden subcommand that runs one job in this process. `qnn_pipeline::job` describes its life.

use std::io::{BufRead, Read, Write};

use qnn_pipeline::Memo;
use qnn_types::{Diagnostic, Event, Job};

use crate::exit::Exit;
use crate::models;
use crate::toolchain::contents;

/// Runs the job that standard input holds.
pub(crate) fn run() -> Exit {
    let mut events = match events() {
        Ok(events) => events,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "the worker cannot move its standard output: {error}");
            return Exit::User;
        }
    };
    // The driver is gone: the result is not wanted any more.
    let mut send = |event: Event| {
        if write(&mut events, &event).is_err() {
            std::process::exit(Exit::User.code().into());
        }
    };
    let job = match read_job() {
        Ok(job) => job,
        Err(error) => {
            send(Event::Failed {
                error: Diagnostic::new("E0508", format!("the job cannot be read: {error}")),
            });
            return Exit::User;
        }
    };
    std::thread::spawn(end_with_driver);
    if let Err(error) = libraries(&job) {
        send(Event::Failed { error });
        return Exit::User;
    }
    match qnn_compiler::run(&job, &mut send) {
        Ok(mut report) => {
            report.peak_rss = peak_rss();
            send(Event::Done(Box::new(report)));
            Exit::Ok
        }
        Err(problems) => {
            let error = problems.summary();
            for problem in problems.0 {
                send(Event::Problem(problem));
            }
            send(Event::Failed { error });
            Exit::User
        }
    }
}

/// What is loaded must be what was installed: it runs with the user's rights.
fn libraries(job: &Job) -> Result<(), Diagnostic> {
    let toolchain = match job {
        Job::Compile(job) | Job::Check(job) | Job::Observe(job) | Job::Values(job) => &job.toolchain,
        Job::Execute(job) => &job.toolchain,
        Job::Reference(job) => &job.toolchain,
        Job::Export(job) => &job.toolchain,
        Job::Evaluate(job) => &job.toolchain,
    };
    let memo = models::store(None).map_or_else(|_| Memo::default(), |store| store.memo());
    contents::check(&toolchain.qnn_lib_dir, &memo)
}

/// The most memory this process ever had, bytes; 0 where the system does not tell.
fn peak_rss() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB"));
    peak.and_then(|kib| kib.trim().parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// The pipe that was standard output. Descriptor 1 becomes standard error: the vendor library prints to it.
#[cfg(unix)]
pub(crate) fn events() -> std::io::Result<std::fs::File> {
    let events = rustix::io::fcntl_dupfd_cloexec(std::io::stdout(), 3)?;
    rustix::stdio::dup2_stdout(std::io::stderr())?;
    Ok(std::fs::File::from(events))
}

#[cfg(not(unix))]
pub(crate) fn events() -> std::io::Result<std::io::Stdout> {
    Ok(std::io::stdout())
}

fn write(events: &mut impl Write, event: &Event) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(event)?;
    line.push(b'\n');
    events.write_all(&line)?;
    events.flush()
}

fn read_job() -> Result<Job, String> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(|e| e.to_string())?;
    serde_json::from_str(&line).map_err(|e| e.to_string())
}

/// Ends this process as soon as the driver's end of standard input closes, so that no worker outlives its driver.
pub(crate) fn end_with_driver() {
    let mut rest = [0u8; 64];
    let mut stdin = std::io::stdin().lock();
    while matches!(stdin.read(&mut rest), Ok(n) if n > 0) {}
    end_now();
}

/// Ends without running destructors, which could not be sound while the vendor's library is at work on another thread.
#[cfg(unix)]
fn end_now() {
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
}

#[cfg(not(unix))]
fn end_now() {
    std::process::abort();
}
