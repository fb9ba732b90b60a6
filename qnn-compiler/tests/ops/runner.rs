//! Runs cases in child processes of this executable, and speaks like the standard test runner.

use std::io::{BufRead, BufReader, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use qnn::DataType;
use qnn_build::job::{
    CompileJob, ExecuteJob, GraphSpec, HtpOptions, Job, Precision, ReferenceJob, SourceFormat, Target,
    Toolchain,
};
use qnn_compiler::npz::{self, Array};
use qnn_compiler::problem::Problems;

use crate::case::{Case, Draft, Expect};
use crate::compare;

/// Begins each line of a child that is an answer: the vendor's library prints to standard output too.
const MARK: &str = "\u{1}case ";
/// A child is replaced after so many cases, since the library keeps memory.
const PER_CHILD: usize = 60;
/// The SoC to emulate, unless `--soc=NAME` says another.
const SOC: &str = "SM8650";

pub fn main(cases: &[Case]) -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let soc = args.iter().find_map(|a| a.strip_prefix("--soc=")).unwrap_or(SOC);
    if args.iter().any(|a| a == "--child") {
        return child(cases, soc);
    }
    let exact = args.iter().any(|a| a == "--exact");
    let filters: Vec<&String> = args.iter().filter(|a| !a.starts_with('-')).collect();
    let wanted: Vec<&Case> = cases
        .iter()
        .filter(|c| {
            filters.is_empty()
                || filters.iter().any(|f| if exact { c.name == **f } else { c.name.contains(&**f) })
        })
        .collect();
    if args.iter().any(|a| a == "--list") {
        wanted.iter().for_each(|c| println!("{}: test", c.name));
        return ExitCode::SUCCESS;
    }
    parent(&wanted, cases.len(), soc)
}

/// Hands the cases to as many children as there are processors.
fn parent(cases: &[&Case], all: usize, soc: &str) -> ExitCode {
    let started = Instant::now();
    println!("\nrunning {} tests", cases.len());
    let next = AtomicUsize::new(0);
    let failures: Mutex<Vec<(String, String)>> = Mutex::default();
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(cases.len());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                let mut worker: Option<Worker> = None;
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut with = worker.take().unwrap_or_else(|| Worker::start(soc));
                    let answer = with.run(&case.name);
                    match answer {
                        Ok(()) => println!("test {} ... ok", case.name),
                        Err(why) => {
                            println!("test {} ... FAILED", case.name);
                            failures.lock().unwrap().push((case.name.clone(), why));
                        }
                    }
                    worker = with.is_fresh().then_some(with);
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    if !failures.is_empty() {
        println!("\nfailures:");
        failures.iter().for_each(|(name, why)| println!("\n---- {name} ----\n{why}"));
    }
    let verdict = if failures.is_empty() { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {verdict}. {} passed; {} failed; 0 ignored; 0 measured; {} filtered out; finished in {:.2}s\n",
        cases.len() - failures.len(),
        failures.len(),
        all - cases.len(),
        started.elapsed().as_secs_f64()
    );
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(101) }
}

/// A child process.
struct Worker {
    process: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    done: usize,
    alive: bool,
}

impl Worker {
    fn start(soc: &str) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--child", &format!("--soc={soc}")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdin = process.stdin.take().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        Self { process, stdin, stdout, done: 0, alive: true }
    }

    /// Whether it can run another case.
    fn is_fresh(&self) -> bool {
        self.alive && self.done < PER_CHILD
    }

    fn run(&mut self, name: &str) -> Result<(), String> {
        self.done += 1;
        // A child that is gone shows when its answer is read.
        let _ = writeln!(self.stdin, "{name}");
        let mut line = Vec::new();
        loop {
            line.clear();
            if self.stdout.read_until(b'\n', &mut line).unwrap_or(0) == 0 {
                self.alive = false;
                let status = self.process.wait().map_or_else(|e| e.to_string(), |s| s.to_string());
                return Err(format!("the process ended: {status}"));
            }
            let text = String::from_utf8_lossy(&line);
            match text.trim_end().strip_prefix(MARK) {
                None => {}
                Some("ok") => return Ok(()),
                Some(why) => return Err(why.replace('\u{2}', "\n")),
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

/// Runs the cases named on standard input, one a line.
fn child(cases: &[Case], soc: &str) -> ExitCode {
    std::panic::set_hook(Box::new(|_| {}));
    for name in std::io::stdin().lines().map_while(Result::ok) {
        let result = match cases.iter().find(|c| c.name == name) {
            None => Err("there is no such case".to_owned()),
            Some(case) => catch_unwind(AssertUnwindSafe(|| run(case, soc))).unwrap_or_else(|panic| {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
                Err(format!("panic: {}", text.unwrap_or("no message")))
            }),
        };
        let answer = result.err().map_or_else(|| "ok".to_owned(), |why| why.replace('\n', "\u{2}"));
        println!("\n{MARK}{answer}");
    }
    ExitCode::SUCCESS
}

fn run(case: &Case, soc: &str) -> Result<(), String> {
    let mut draft = Draft::new(&case.name);
    (case.build)(&mut draft);
    let dir = tempfile::tempdir().map_err(|e| e.to_string())?;
    let dir = dir.path();
    let source = draft.model.save(dir);
    let toolchain = toolchain()?;
    let report = compile(&source, &dir.join("model.bin"), &toolchain, soc);
    if let Expect::Refused(code, words) = case.expect {
        return match report {
            Ok(()) => Err("it was compiled".to_owned()),
            Err(problems) => {
                let found = problems.0.iter().any(|p| p.code == code && p.to_string().contains(words));
                if found {
                    Ok(())
                } else {
                    Err(format!("expected {code} with {words:?}, got: {}", text(&problems)))
                }
            }
        };
    }
    report.map_err(|p| format!("compile: {}", text(&p)))?;
    let write = |file: &str, arrays: &[(String, Array)]| {
        let path = dir.join(file);
        npz::write(&path, arrays.iter().map(|(n, a)| (&**n, a))).map_err(|e| e.to_string())?;
        Ok::<_, String>(path)
    };
    let outputs: Vec<String> = draft.model.graph().output.iter().map(|o| o.name.clone()).collect();
    let reference = Job::Reference(ReferenceJob {
        source,
        inputs: write("in.npz", &draft.inputs)?,
        outputs: dir.join("reference.npz"),
        values: outputs.clone(),
        toolchain: toolchain.clone(),
    });
    job(&reference).map_err(|p| format!("reference: {}", text(&p)))?;
    let narrow: Vec<(String, Array)> = draft.inputs.iter().map(|(n, a)| (n.clone(), narrowed(a))).collect();
    let execute = Job::Execute(ExecuteJob {
        binary: dir.join("model.bin"),
        graph: None,
        soc: None,
        inputs: write("narrow.npz", &narrow)?,
        outputs: dir.join("out.npz"),
        toolchain,
    });
    job(&execute).map_err(|p| format!("execute: {}", text(&p)))?;
    let read = |file: &str| npz::read(&dir.join(file)).map_err(|e| e.to_string());
    let (got, expected) = (read("out.npz")?, read("reference.npz")?);
    for name in &outputs {
        let find =
            |arrays: &[(String, Array)]| arrays.iter().find(|(n, _)| n == name).map(|(_, a)| a.clone());
        let (Some(got), Some(expected)) = (find(&got), find(&expected)) else {
            return Err(format!("output {name} is missing"));
        };
        compare::difference(name, &got, &expected)?;
    }
    Ok(())
}

/// HTP has no 64-bit integers: the app passes 32-bit ones.
fn narrowed(array: &Array) -> Array {
    if array.dtype != DataType::Int64 {
        return array.clone();
    }
    // Little-endian: the low half of each comes first.
    let data = array.data.chunks_exact(8).flat_map(|c| c[..4].to_vec()).collect();
    Array { dtype: DataType::Int32, shape: array.shape.clone(), data }
}

fn toolchain() -> Result<Toolchain, String> {
    let libs = qnn_platform::libs::resolve(None).map_err(|e| e.to_string())?;
    let onnxruntime = qnn_platform::libs::onnxruntime().map_err(|e| e.to_string())?;
    Ok(Toolchain { qnn_lib_dir: libs.dir, onnxruntime: Some(onnxruntime) })
}

fn compile(source: &Path, output: &Path, toolchain: &Toolchain, soc: &str) -> Result<(), Problems> {
    let soc = qnn_platform::soc::find(soc).unwrap();
    job(&Job::Compile(CompileJob {
        model: "case".to_owned(),
        source: source.to_owned(),
        format: SourceFormat::Onnx,
        soc: Target {
            name: soc.name.to_owned(),
            id: soc.id,
            arch: soc.arch,
            vtcm_mb: soc.vtcm_mb,
            fp16: soc.fp16,
        },
        precision: Precision::Fp16,
        graphs: vec![GraphSpec { name: "case".to_owned(), ..GraphSpec::default() }],
        outputs: Vec::new(),
        htp: HtpOptions::default(),
        toolchain: toolchain.clone(),
        output: Some(output.to_owned()),
    }))
}

fn job(job: &Job) -> Result<(), Problems> {
    qnn_compiler::run(job, &mut |_| {}).map(drop)
}

fn text(problems: &Problems) -> String {
    problems.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
