//! Compiles a package: the objects that are not current side by side, then each library that is not.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::check;
use super::commands::{self, Entry};
use super::flags::{self, Around, flags};
use super::objects::{Made, Step};
use super::package::Package;
use super::target::Target;
use super::toolchain::{self, Places};
use crate::driver::{Limits, Task, run_all};
use qnn_manifest::files::write_if_changed;

use crate::files::{hash_file, write_atomic};
use crate::memo::Memo;
use crate::store::has_no_locks;
use qnn_manifest::Kind;
use qnn_types::Diagnostic;
use qnn_types::io_problem;

/// What a build goes by.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// Folder of everything that is made.
    pub out: &'a Path,
    /// Where compilers are.
    pub places: &'a Places,
    /// Folder of the QNN libraries: packages for this machine are linked against them.
    pub qnn_lib_dir: Option<&'a Path>,
    /// Build id of those libraries.
    pub build_id: Option<&'a str>,
    /// Bounds of what runs side by side.
    pub limits: &'a Limits,
    /// Remembers what compilers say of themselves.
    pub memo: &'a Memo,
}

/// A library of a package.
#[derive(Clone, Debug)]
pub struct Built {
    /// What it is for.
    pub target: Target,
    /// The library.
    pub library: PathBuf,
    /// Its blake3, hexadecimal.
    pub blake3: String,
    /// Sources that were compiled for it now; none when everything was current.
    pub compiled: Vec<PathBuf>,
    /// Whether it was linked now.
    pub linked: bool,
    /// What the compiler said of sources that it compiled.
    pub warnings: Vec<String>,
    /// Where `compile_commands.json` is, when this build was the first to write it.
    pub new_commands: Option<PathBuf>,
}

/// What a folder of objects was made from.
#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    objects: BTreeMap<PathBuf, Made>,
    library: Option<Made>,
    blake3: String,
}

/// A target being built.
struct Job {
    target: Target,
    folder: PathBuf,
    state: State,
    objects: Vec<(PathBuf, Step, PathBuf)>,
    library: PathBuf,
    link: Step,
}

const STATE: &str = "state.json";

/// Builds `package` for every target. One process at a time builds in a folder; another waits for it.
///
/// # Errors
/// Every source that does not compile, for every target: `E0905` to `E0908`.
pub fn build(
    package: &Package,
    targets: &[Target],
    settings: &Settings<'_>,
) -> Result<Vec<Built>, Vec<Diagnostic>> {
    let generated = settings.out.join("generated");
    let one = |problem: Diagnostic| vec![problem];
    fs::create_dir_all(&generated)
        .map_err(|error| one(io_problem("E0605", "cannot create", &generated, &error)))?;
    let _lock = lock(settings.out).map_err(one)?;
    generate(package, &generated).map_err(one)?;

    let around = Around {
        generated: &generated,
        qnn_sdk: settings.places.qnn_sdk.as_deref(),
        qnn_lib_dir: settings.qnn_lib_dir,
    };
    let (mut jobs, mut problems) = (Vec::new(), Vec::new());
    for target in targets {
        match prepare(package, *target, settings, around) {
            Ok(job) => jobs.push(job),
            Err(problem) => problems.push(problem),
        }
    }
    let entries =
        jobs.iter().flat_map(|job| job.objects.iter().map(|(source, step, _)| entry(package, source, step)));
    let new = commands::write(settings.out, entries.collect());
    let new = new.map_err(|error| {
        one(io_problem("E0605", "cannot write", &settings.out.join(commands::FILE), &error))
    })?;
    let new_commands = new.then(|| settings.out.join(commands::FILE));

    let stale: Vec<(usize, &PathBuf, &Step, &PathBuf)> = jobs
        .iter()
        .enumerate()
        .flat_map(|(at, job)| {
            job.objects.iter().map(move |(source, step, depfile)| (at, source, step, depfile))
        })
        .filter(|(at, source, step, _)| {
            !jobs[*at]
                .state
                .objects
                .get(*source)
                .is_some_and(|made| made.is_current(&step.hash(), &step.output))
        })
        .collect();
    let tasks = stale.iter().map(|(at, source, step, depfile)| {
        let name = source.strip_prefix(&package.folder).unwrap_or(source).display();
        let what = format!("{name} does not compile for {}", jobs[*at].target);
        // A compiler at work on one file.
        Task {
            memory: 256 << 20,
            run: Box::new(move || step.run(&what, std::slice::from_ref(*source), Some(depfile))),
        }
    });
    let results = run_all(tasks.collect(), settings.limits);
    let mut fresh: Vec<(usize, PathBuf, Made, String)> = Vec::new();
    for ((at, source, ..), result) in stale.into_iter().zip(results) {
        match result {
            Ok((made, said)) => fresh.push((at, source.clone(), made, said)),
            Err(problem) => problems.push(problem.at(source.display().to_string())),
        }
    }
    let mut built = Vec::new();
    for (at, mut job) in jobs.into_iter().enumerate() {
        let (mut compiled, mut warnings) = (Vec::new(), Vec::new());
        for (_, source, made, said) in fresh.extract_if(.., |(index, ..)| *index == at) {
            job.state.objects.insert(source.clone(), made);
            warnings.extend((!said.is_empty()).then_some(said));
            compiled.push(source);
        }
        let complete = job.objects.iter().all(|(source, ..)| job.state.objects.contains_key(source));
        let linked =
            if complete { link(package, &mut job, settings, !compiled.is_empty()) } else { Ok(false) };
        save(&job);
        match linked {
            Ok(_) if !complete => {}
            Ok(linked) => built.push(Built {
                target: job.target,
                library: job.library,
                blake3: job.state.blake3,
                compiled,
                linked,
                warnings,
                new_commands: new_commands.clone(),
            }),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(built) } else { Err(problems) }
}

/// Held while a folder is built in. The operating system takes it back from a process that dies.
fn lock(out: &Path) -> Result<File, Diagnostic> {
    let path = out.join(".lock");
    let problem = |error: std::io::Error| io_problem("E0605", "cannot lock", &path, &error);
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(problem)?;
    match file.lock() {
        Ok(()) => Ok(file),
        Err(error) if has_no_locks(&error) => Ok(file),
        Err(error) => Err(problem(error)),
    }
}

/// Writes the header that the definitions become, and those that come with it.
fn generate(package: &Package, folder: &Path) -> Result<(), Diagnostic> {
    if package.kind == Kind::Cpp {
        return Ok(());
    }
    let from = package.xml.file_name().unwrap_or_default().to_string_lossy();
    let header =
        (format!("{}_ops.h", package.definition.name), qnn_ops::c_header(&package.definition, &from));
    let given = qnn_ops::C_HEADERS.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    for (name, text) in given.chain([header]) {
        let path = folder.join(name);
        write_if_changed(&path, text.as_bytes())
            .map_err(|error| io_problem("E0605", "cannot write", &path, &error))?;
    }
    Ok(())
}

/// Finds the compiler of a target and makes the commands.
fn prepare(
    package: &Package,
    target: Target,
    settings: &Settings<'_>,
    around: Around<'_>,
) -> Result<Job, Diagnostic> {
    if package.kind == Kind::Qhpi && target.is_cpu_backend() {
        let message = format!("packages in C are not built for {target}");
        return Err(Diagnostic::new("E0904", message)
            .help("the C interface belongs to the HTP: htp-x86 on this machine, hexagon-vNN on a device"));
    }
    if let Some(looked) = flags::missing_headers(package, around) {
        let problem = Diagnostic::new("E0905", "packages in C++ need the headers of the QNN SDK");
        let problem = looked
            .iter()
            .fold(problem, |problem, path| problem.note(format!("there is no {}", path.display())));
        return Err(
            problem.help("set QNN_SDK_ROOT to a full QAIRT SDK, or move the package to C (kind = \"qhpi\")")
        );
    }
    let compiler = toolchain::find(package.kind, target, settings.places, settings.memo)?;
    let flags = flags(package, target, &compiler, around);
    let folder = settings.out.join(target.folder());
    let mut objects = Vec::new();
    for source in package.sources_for(target) {
        let object = folder.join(object_name(package, &source));
        let depfile = object.with_extension("d");
        let place = object.parent().unwrap_or(&folder);
        fs::create_dir_all(place).map_err(|error| io_problem("E0605", "cannot create", place, &error))?;
        let mut arguments = flags.compile.clone();
        arguments.extend(["-MMD".into(), "-MF".into(), depfile.clone().into_os_string(), "-c".into()]);
        arguments.extend([source.clone().into_os_string(), "-o".into(), object.clone().into_os_string()]);
        let step =
            Step { compiler: compiler.clone(), arguments, output: object, folder: package.folder.clone() };
        objects.push((source, step, depfile));
    }
    fs::create_dir_all(&folder).map_err(|error| io_problem("E0605", "cannot create", &folder, &error))?;
    let library = folder.join(target.library(&package.definition.name));
    // Linked under another name: a library that has its name was checked.
    let unchecked = library.with_extension("so.unchecked");
    let mut arguments = flags.link;
    arguments.extend(["-o".into(), unchecked.clone().into_os_string()]);
    arguments.extend(objects.iter().map(|(_, step, _)| step.output.clone().into_os_string()));
    arguments.extend(flags.libraries);
    let link = Step { compiler, arguments, output: unchecked, folder: package.folder.clone() };
    let state = fs::read(folder.join(STATE)).ok().and_then(|json| serde_json::from_slice(&json).ok());
    Ok(Job { target, state: state.unwrap_or_default(), folder, objects, library, link })
}

/// Where a source's object goes, in the folder of the target: as the source lies below `src`, as in the SDK's Makefiles.
fn object_name(package: &Package, source: &Path) -> PathBuf {
    let plain = |path: &Path| path.components().all(|part| matches!(part, Component::Normal(_)));
    let inside = source.strip_prefix(&package.folder).ok().filter(|path| plain(path));
    let mut name = match inside {
        Some(path) => path.strip_prefix("src").unwrap_or(path).to_owned(),
        None => {
            let hash = blake3::hash(source.as_os_str().as_encoded_bytes()).to_hex();
            Path::new(&format!("outside-{}", &hash[..8])).join(source.file_name().unwrap_or_default())
        }
    };
    // `a.c` and `a.S` may lie side by side.
    name.as_mut_os_string().push(".o");
    name
}

/// Links the library unless it is current, and holds it against what was asked for.
fn link(
    package: &Package,
    job: &mut Job,
    settings: &Settings<'_>,
    changed: bool,
) -> Result<bool, Diagnostic> {
    let current = |made: &Made| made.is_current(&job.link.hash(), &job.library);
    if !changed && job.state.library.as_ref().is_some_and(current) {
        return Ok(false);
    }
    job.state.library = None;
    let inputs: Vec<PathBuf> = job.objects.iter().map(|(_, step, _)| step.output.clone()).collect();
    let what = format!("the package does not link for {}", job.target);
    let (made, _) = job.link.run(&what, &inputs, None)?;
    let problem = |error: std::io::Error| io_problem("E0605", "cannot write", &job.library, &error);
    check::linked(package, job.target, &job.link.output)?;
    if let (Kind::Cpp, Some(build_id)) = (package.kind, settings.build_id) {
        same_sdk(package, &job.link.output, build_id)?;
    }
    let (_, hash) = hash_file(&job.link.output).map_err(problem)?;
    fs::rename(&job.link.output, &job.library).map_err(problem)?;
    job.state.blake3 = hash.to_hex().to_string();
    job.state.library = Some(made);
    Ok(true)
}

/// A package in C++ holds the build id of the SDK whose headers it was compiled with; its classes are those of that build alone.
fn same_sdk(package: &Package, library: &Path, build_id: &str) -> Result<(), Diagnostic> {
    match crate::toolchain::build_id_of(library) {
        Ok(found) if found != build_id => {
            let message = format!("op package `{}` is built for another QNN release", package.name);
            Err(Diagnostic::new("E0908", message)
                .at(library.display().to_string())
                .note(format!("its headers are those of QNN {found}, models are compiled by QNN {build_id}"))
                .help("set QNN_SDK_ROOT to the SDK that compiles the models: packages in C++ are rebuilt for every release"))
        }
        _ => Ok(()),
    }
}

/// Remembers what was made. Forgetting costs time only.
fn save(job: &Job) {
    if let Ok(json) = serde_json::to_vec(&job.state) {
        let _ = write_atomic(&job.folder.join(STATE), &json, false);
    }
}

fn entry(package: &Package, source: &Path, step: &Step) -> Entry {
    let words = step.words().iter().map(|word| word.to_string_lossy().into_owned()).collect();
    Entry {
        directory: package.folder.clone(),
        file: source.to_owned(),
        arguments: words,
        output: step.output.clone(),
    }
}
