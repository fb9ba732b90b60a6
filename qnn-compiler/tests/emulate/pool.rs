//! Child processes of this executable that answer cases one by one.

use std::io::{BufRead, BufReader, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Child, ChildStdin, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// Begins each line of a child that is an answer: the vendor's library prints to standard output too.
const MARK: &str = "\u{1}case ";
/// Stands for a line break within an answer.
const BREAK: &str = "\u{2}";
/// Makes this executable a child.
const CHILD: &str = "--child";
/// A child is replaced after so many cases, since the library keeps memory.
const PER_CHILD: usize = 60;
/// A case that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// How a case ended.
#[derive(Debug)]
pub enum Ended {
    /// The child's answer.
    Answered(String),
    /// The child is gone, or was ended because it hung; the text says how.
    Died(String),
}

/// Hands the cases to as many children as there are processors. `done` hears each answer.
///
/// A case whose child died after others had run in it gets a second, fresh child: the fault may be another case's.
pub fn each(names: &[&str], args: &[String], done: impl Fn(&str, Ended) + Sync) {
    let next = AtomicUsize::new(0);
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(names.len());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                let mut worker: Option<Worker> = None;
                while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut with = worker.take().unwrap_or_else(|| Worker::start(args));
                    let used = with.done > 0;
                    let mut ended = with.run(name);
                    if used && matches!(ended, Ended::Died(_)) {
                        with = Worker::start(args);
                        ended = with.run(name);
                    }
                    done(name, ended);
                    worker = with.is_fresh().then_some(with);
                }
            });
        }
    });
}

/// Answers the cases named on standard input, one a line, if this process is a child.
pub fn serve(answer: impl Fn(&str) -> String) -> Option<ExitCode> {
    std::env::args().any(|a| a == CHILD).then(|| {
        std::panic::set_hook(Box::new(|_| {}));
        for name in std::io::stdin().lines().map_while(Result::ok) {
            let said = catch_unwind(AssertUnwindSafe(|| answer(&name))).unwrap_or_else(|panic| {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
                format!("panic: {}", text.unwrap_or("no message"))
            });
            println!("\n{MARK}{}", said.replace('\n', BREAK));
        }
        ExitCode::SUCCESS
    })
}

/// A child process.
struct Worker {
    process: Child,
    stdin: ChildStdin,
    answers: Receiver<String>,
    done: usize,
    alive: bool,
}

impl Worker {
    fn start(args: &[String]) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .arg(CHILD)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdin = process.stdin.take().unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let (send, answers) = channel();
        std::thread::spawn(move || {
            let mut line = Vec::new();
            while stdout.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                if let Some(said) =
                    String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).strip_prefix(MARK)
                    && send.send(said.replace(BREAK, "\n")).is_err()
                {
                    break;
                }
                line.clear();
            }
        });
        Self { process, stdin, answers, done: 0, alive: true }
    }

    /// Whether it can run another case.
    fn is_fresh(&self) -> bool {
        self.alive && self.done < PER_CHILD
    }

    fn run(&mut self, name: &str) -> Ended {
        self.done += 1;
        // A child that is gone shows when its answer is read.
        let _ = writeln!(self.stdin, "{name}");
        match self.answers.recv_timeout(PATIENCE) {
            Ok(said) => Ended::Answered(said),
            Err(RecvTimeoutError::Disconnected) => {
                self.alive = false;
                let status = self.process.wait().map_or_else(|e| e.to_string(), |s| s.to_string());
                Ended::Died(format!("the process ended: {status}"))
            }
            Err(RecvTimeoutError::Timeout) => {
                self.alive = false;
                Ended::Died(format!("no answer in {} s", PATIENCE.as_secs()))
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
