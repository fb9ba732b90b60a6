//! One job in one process.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::death::{Death, oom_kills};
use super::progress::{JobId, Progress, ProgressEvent};
use super::worker::Worker;
use crate::log::Log;
use qnn_manifest::files::unique_name;
use qnn_manifest::script::cannot_start;
use qnn_types::io_problem;
use qnn_types::{Diagnostic, Event, Job, Report, Stage};

/// What is kept of standard error for diagnostics.
const TAIL: usize = 16 << 10;
/// An event is not longer than this.
const LONGEST_LINE: u64 = 16 << 20;
/// More than this that is no event comes from something that is no worker.
const MOST_GARBAGE: usize = 4 << 20;
/// How often the process is looked at while it is silent.
const TICK: Duration = Duration::from_millis(100);
/// How long a process may take to end after it closed its output.
const GRACE: Duration = Duration::from_secs(5);

/// What applies to every job of a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunOptions<'a> {
    /// Time after which a job is ended.
    pub timeout: Option<Duration>,
    /// Where everything is written down.
    pub log: Option<&'a Log>,
    /// Folder in which the job description and output of failed jobs are kept.
    pub keep: Option<&'a Path>,
}

/// What became of a job.
#[derive(Debug)]
pub struct Outcome {
    /// The worker's report, or every problem that it found.
    pub result: Result<Report, Vec<Diagnostic>>,
    /// What the user should know in either case.
    pub warnings: Vec<Diagnostic>,
}

impl Outcome {
    fn failed(problem: Diagnostic) -> Self {
        Self { result: Err(vec![problem]), warnings: Vec::new() }
    }
}

/// Runs `job` in a fresh process of `worker` and waits for its end. Whatever happens to that process, this returns.
pub fn run(
    worker: &Worker,
    job: &Job,
    id: &JobId,
    options: RunOptions<'_>,
    progress: &dyn Progress,
) -> Outcome {
    let silent = Log::default();
    // Jobs that run side by side write to the same log.
    let log = &JobLog { log: options.log.unwrap_or(&silent), tag: format!("[{} {}] ", id.model, id.soc) };
    let started = Instant::now();
    let oom_before = oom_kills();
    let text = match serde_json::to_string(job) {
        Ok(text) => text,
        Err(error) => {
            let problem = Diagnostic::new("E0508", "the job cannot be written").note(error.to_string());
            return Outcome::failed(problem.model(&id.model));
        }
    };
    log.text(&format!("== {} worker", worker.path.display()));
    log.text(&text);
    progress.event(id, ProgressEvent::Started);
    let mut child = match spawn(worker, &text) {
        Ok(child) => child,
        Err(error) => {
            progress.event(id, ProgressEvent::Failed { elapsed: started.elapsed() });
            return Outcome::failed(cannot_start(&worker.path, &error).model(&id.model));
        }
    };
    // Dropped at the end of this function: the worker ends itself when its input does.
    let _alive = child.stdin.take();
    let (send, lines) = channel();
    if let Some(stdout) = child.stdout.take() {
        std::thread::spawn(move || read_lines(stdout, &send));
    }
    let stderr = child.stderr.take().map(read_tail);

    let mut conversation = Conversation::new(id, started, log, progress);
    let end = conversation.listen(&mut child, &lines, options.timeout);
    let stderr = stderr.map(Tail::finish).unwrap_or_default();
    log.prefixed("stderr: ", &stderr);
    let how = match (&conversation.answer, end.status) {
        (Some(_), _) => "answered".to_owned(),
        (None, Some(status)) => status.to_string(),
        (None, None) => "lost".to_owned(),
    };
    log.text(&format!("-- {how} after {:.3} s", started.elapsed().as_secs_f64()));

    let Conversation { stage, warnings, mut problems, at_risk, answer, .. } = conversation;
    let result = match answer {
        Some(Ok(report)) => Ok(report),
        Some(Err(summary)) => {
            // It says how many there are, or repeats the only one.
            if problems.is_empty() {
                problems.push(summary);
            }
            Err(problems)
        }
        None => {
            let oom_kill = oom_kills().zip(oom_before).is_some_and(|(after, before)| after > before);
            let death = Death {
                status: end.status,
                soc: &id.soc,
                stage,
                elapsed: started.elapsed(),
                timeout: options.timeout.filter(|_| end.timed_out),
                garbage: end.garbage,
                at_risk: &at_risk,
                stderr: &stderr,
                oom_kill,
            };
            problems.push(death.diagnostic());
            Err(problems)
        }
    };
    let result = result.map_err(|mut problems| {
        for problem in &mut problems {
            problem.model.get_or_insert_with(|| id.model.clone());
        }
        if let Some(folder) = options.keep
            && let Some(last) = problems.last_mut()
        {
            match keep(folder, id, &text, &stderr) {
                Ok(folder) => last.notes.push(format!("the job is kept in {}", folder.display())),
                Err(problem) => problems.push(problem),
            }
        }
        problems
    });
    match &result {
        Ok(report) => progress.event(id, ProgressEvent::Finished { report, elapsed: started.elapsed() }),
        Err(problems) => {
            for problem in problems {
                log.text(&problem.to_string());
            }
            progress.event(id, ProgressEvent::Failed { elapsed: started.elapsed() });
        }
    }
    Outcome { result, warnings }
}

fn spawn(worker: &Worker, job: &str) -> std::io::Result<Child> {
    let mut child = Command::new(&worker.path)
        .arg("worker")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(stdin) = &mut child.stdin {
        // A process that died already says more by how it died.
        let _ = stdin.write_all(format!("{job}\n").as_bytes()).and_then(|()| stdin.flush());
    }
    Ok(child)
}

/// The lines of one job in the log.
struct JobLog<'a> {
    log: &'a Log,
    tag: String,
}

impl JobLog<'_> {
    fn text(&self, text: &str) {
        self.log.lines(&self.tag, text);
    }

    fn prefixed(&self, prefix: &str, text: &str) {
        self.log.lines(&format!("{}{prefix}", self.tag), text);
    }
}

/// How listening ended.
struct End {
    status: Option<ExitStatus>,
    timed_out: bool,
    garbage: bool,
}

/// What was heard from a worker so far.
struct Conversation<'a> {
    id: &'a JobId,
    started: Instant,
    log: &'a JobLog<'a>,
    progress: &'a dyn Progress,
    stage: Stage,
    warnings: Vec<Diagnostic>,
    problems: Vec<Diagnostic>,
    at_risk: Vec<String>,
    answer: Option<Result<Report, Diagnostic>>,
    garbage: usize,
}

impl<'a> Conversation<'a> {
    fn new(id: &'a JobId, started: Instant, log: &'a JobLog<'a>, progress: &'a dyn Progress) -> Self {
        Self {
            id,
            started,
            log,
            progress,
            stage: Stage::Start,
            warnings: Vec::new(),
            problems: Vec::new(),
            at_risk: Vec::new(),
            answer: None,
            garbage: 0,
        }
    }

    /// Listens until the process has answered or ended, or until it has to be ended.
    fn listen(&mut self, child: &mut Child, lines: &Receiver<Vec<u8>>, timeout: Option<Duration>) -> End {
        let deadline = timeout.and_then(|timeout| self.started.checked_add(timeout));
        let mut exited = None;
        let (timed_out, garbage) = loop {
            match lines.recv_timeout(TICK) {
                Ok(line) => self.hear(&line),
                // The output is closed: the process is ending.
                Err(RecvTimeoutError::Disconnected) => break (false, false),
                // A process of the worker's own may hold the output open after it.
                Err(RecvTimeoutError::Timeout) if exited.is_some() => break (false, false),
                Err(RecvTimeoutError::Timeout) => exited = child.try_wait().ok().flatten(),
            }
            if self.answer.is_some() {
                break (false, false);
            }
            if self.garbage > MOST_GARBAGE {
                break (false, true);
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                break (true, false);
            }
        };
        // After an answer everything is written. The vendor's library takes its time to take itself down, and may crash in it:
        // nobody has to wait for that.
        let over = timed_out || garbage || self.answer.is_some();
        let patience = if over { Duration::ZERO } else { GRACE };
        End { status: exited.or_else(|| wait(child, patience)), timed_out, garbage }
    }

    fn hear(&mut self, line: &[u8]) {
        let elapsed = self.started.elapsed();
        let Ok(event) = serde_json::from_slice::<Event>(line) else {
            self.garbage += line.len() + 1;
            if self.garbage <= MOST_GARBAGE {
                self.log.prefixed("stdout: ", &String::from_utf8_lossy(line));
            }
            return;
        };
        match event {
            Event::Stage { stage } => {
                self.stage = stage;
                self.log.text(&format!("{:9.3} {stage}", elapsed.as_secs_f64()));
                self.progress.event(self.id, ProgressEvent::Stage { stage, elapsed });
            }
            Event::Progress { done, total } => {
                self.progress.event(self.id, ProgressEvent::Step { done, total });
            }
            Event::Warning(mut warning) => {
                warning.model.get_or_insert_with(|| self.id.model.clone());
                self.log.text(&format!("warning: {warning}"));
                self.progress.event(self.id, ProgressEvent::Warning(&warning));
                self.warnings.push(warning);
            }
            Event::AtRisk { ops } => self.at_risk = ops,
            Event::Problem(problem) => self.problems.push(problem),
            Event::Done(report) => self.answer = Some(Ok(*report)),
            Event::Failed { error } => self.answer = Some(Err(error)),
        }
    }
}

/// Waits for the end of a process, and ends it after `patience`.
fn wait(child: &mut Child, patience: Duration) -> Option<ExitStatus> {
    let since = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if since.elapsed() < patience => std::thread::sleep(Duration::from_millis(2)),
            _ => {
                // It may have ended by itself just now.
                let _ = child.kill();
                return child.wait().ok();
            }
        }
    }
}

fn read_lines(stdout: ChildStdout, send: &Sender<Vec<u8>>) {
    let mut stdout = BufReader::new(stdout);
    loop {
        let mut line = Vec::new();
        match stdout.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                if line.last() == Some(&b'\n') {
                    line.pop();
                }
                if send.send(line).is_err() {
                    return;
                }
            }
        }
    }
}

/// Standard error, read by a thread of its own; only the end is kept.
struct Tail {
    thread: JoinHandle<Vec<u8>>,
}

fn read_tail(mut stderr: ChildStderr) -> Tail {
    let thread = std::thread::spawn(move || {
        let mut tail = Vec::new();
        let mut buffer = [0; 4096];
        while let Ok(n @ 1..) = stderr.read(&mut buffer) {
            tail.extend_from_slice(&buffer[..n]);
            if tail.len() > 4 * TAIL {
                tail.drain(..tail.len() - TAIL);
            }
        }
        tail
    });
    Tail { thread }
}

impl Tail {
    fn finish(self) -> String {
        // A process of the worker's own may hold standard error open after it; then its words are lost.
        let since = Instant::now();
        while !self.thread.is_finished() && since.elapsed() < Duration::from_secs(1) {
            std::thread::sleep(Duration::from_millis(1));
        }
        if !self.thread.is_finished() {
            return String::new();
        }
        let tail = self.thread.join().unwrap_or_default();
        String::from_utf8_lossy(&tail[tail.len().saturating_sub(TAIL)..]).into_owned()
    }
}

/// Puts what is needed to repeat a failed job into a folder of its own.
fn keep(folder: &Path, id: &JobId, job: &str, stderr: &str) -> Result<PathBuf, Diagnostic> {
    let folder = folder.join(unique_name(&format!("{}-{}-", id.model, id.soc)));
    let written = std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(folder.join("job.json"), job))
        .and_then(|()| std::fs::write(folder.join("stderr.txt"), stderr));
    match written {
        Ok(()) => Ok(folder),
        Err(error) => Err(io_problem("E0605", "cannot keep the job in", &folder, &error)),
    }
}
