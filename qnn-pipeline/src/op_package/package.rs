//! What the folder of an op package holds.

use std::path::{Path, PathBuf};

use qnn_ops::{Finding, Level};
use walkdir::WalkDir;

use qnn_manifest::{Kind, Spec};

use super::target::Target;
use qnn_types::Diagnostic;
use qnn_types::io_problem;

/// An op package, read.
#[derive(Clone, Debug)]
pub struct Package {
    /// What the manifest calls it; the definition's own name on a command line.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Its interface.
    pub kind: Kind,
    /// Its op definitions' file.
    pub xml: PathBuf,
    /// Its op definitions.
    pub definition: qnn_ops::Package,
    /// C, C++ and assembler files that are built for every target, sorted.
    pub sources: Vec<PathBuf>,
    /// Folders of its own headers.
    pub include: Vec<PathBuf>,
    /// What is probably not meant.
    pub warnings: Vec<Diagnostic>,
}

/// Folders that hold what is made, and version control.
const SKIPPED: &[&str] = &["build", "target", "obj", "libs", ".git"];

impl Package {
    /// Reads the folder that `spec` names.
    ///
    /// # Errors
    /// Everything that is missing or wrong: `E0901` for definitions that cannot be read, `E0902` for contradictory ones, `E0904` for
    /// files that are not there.
    pub fn open(name: &str, spec: &Spec) -> Result<Self, Vec<Diagnostic>> {
        let folder = std::path::absolute(&spec.path).unwrap_or_else(|_| spec.path.clone());
        if !folder.is_dir() {
            let message = format!("the op package folder {} does not exist", folder.display());
            return Err(vec![Diagnostic::new("E0904", message).help("correct `path`")]);
        }
        let files = files(&folder);
        let xml = match &spec.ops {
            Some(file) => folder.join(file),
            None => only_xml(&folder, &files)?,
        };
        let text = std::fs::read_to_string(&xml)
            .map_err(|error| vec![io_problem("E0901", "cannot read the op definitions", &xml, &error)])?;
        let definition = qnn_ops::parse(&text).map_err(|found| diagnostics(&xml, "E0901", &found))?;
        let sources = sources(&folder, &files, spec)?;
        let findings = findings(spec.kind, &definition, &folder, &sources);
        let (errors, warnings): (Vec<Finding>, Vec<Finding>) =
            findings.into_iter().partition(|finding| finding.level == Level::Error);
        let (errors, warnings) = (diagnostics(&xml, "E0902", &errors), diagnostics(&xml, "E0903", &warnings));
        // Packages in C++ that were written by hand beside their definitions are built all the same: nothing is generated from those.
        if spec.kind == Kind::Qhpi && !errors.is_empty() {
            return Err(errors);
        }
        let include = std::iter::once(folder.join("include")).filter(|folder| folder.is_dir());
        let include = include.chain(spec.include.iter().map(|more| folder.join(more))).collect();
        let name = if name.is_empty() { definition.name.clone() } else { name.to_owned() };
        let warnings = errors.into_iter().chain(warnings).collect();
        Ok(Self { name, folder, kind: spec.kind, xml, definition, sources, include, warnings })
    }

    /// Every source of a target: those of all targets, and the assembler files that the SDK keeps in a folder of the target's own.
    pub(super) fn sources_for(&self, target: Target) -> Vec<PathBuf> {
        let own = match target {
            Target::HtpX86 => "x86_asm".to_owned(),
            Target::Hexagon(arch) => format!("v{arch}_asm"),
            Target::HtpAarch64Android => "android_asm".to_owned(),
            Target::CpuX86 | Target::CpuAarch64Android => String::new(),
        };
        let is_assembler = |file: &Path| file.extension().is_some_and(|extension| extension == "S");
        let folder = |file: &Path| {
            file.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned()
        };
        let fits = |file: &&PathBuf| !is_assembler(file) || folder(file) == own;
        self.sources.iter().filter(fits).cloned().collect()
    }

    /// The function that hands out the package's interface.
    pub fn provider(&self) -> String {
        format!("{}InterfaceProvider", self.definition.name)
    }

    /// What a built library must export.
    pub(super) fn exports(&self, target: Target) -> Vec<String> {
        let mut names = vec![self.provider()];
        if self.kind == Kind::Qhpi && !target.is_cpu_backend() {
            // The library asks for it by this name.
            names.push("qhpi_init".to_owned());
        }
        names
    }
}

/// Everything that is wrong with the definitions, also where they and the code say different things.
fn findings(kind: Kind, definition: &qnn_ops::Package, folder: &Path, sources: &[PathBuf]) -> Vec<Finding> {
    let mut findings = qnn_ops::lint(definition);
    match kind {
        Kind::Qhpi => findings.extend(qnn_ops::lint_qhpi(definition)),
        Kind::Cpp => findings.extend(qnn_ops::lint_code(definition, &code_params(folder, sources))),
    }
    findings.sort_by_key(|finding| finding.at);
    findings
}

/// Reads an op definitions file and what is wrong with it, for packages of a kind; `E0902` and `E0903`. Without a look at sources.
///
/// # Errors
/// `E0901` where it cannot be read.
pub fn definitions(xml: &Path, kind: Kind) -> Result<(qnn_ops::Package, Vec<Diagnostic>), Vec<Diagnostic>> {
    let text = std::fs::read_to_string(xml)
        .map_err(|error| vec![io_problem("E0901", "cannot read the op definitions", xml, &error)])?;
    let definition = qnn_ops::parse(&text).map_err(|found| diagnostics(xml, "E0901", &found))?;
    let (errors, warnings): (Vec<Finding>, Vec<Finding>) = findings(kind, &definition, Path::new(""), &[])
        .into_iter()
        .partition(|finding| finding.level == Level::Error);
    let found =
        diagnostics(xml, "E0902", &errors).into_iter().chain(diagnostics(xml, "E0903", &warnings)).collect();
    Ok((definition, found))
}

fn diagnostics(file: &Path, code: &str, findings: &[Finding]) -> Vec<Diagnostic> {
    let one = |finding: &Finding| Diagnostic {
        at: Some(format!("{}:{}", file.display(), finding.at)),
        help: finding.help.clone(),
        ..Diagnostic::new(code, finding.message.clone())
    };
    findings.iter().map(one).collect()
}

/// All files of a folder, by their paths in it with `/`, sorted.
fn files(folder: &Path) -> Vec<String> {
    let skipped = |name: &std::ffi::OsStr| SKIPPED.iter().any(|skipped| name == *skipped);
    let walk = WalkDir::new(folder).follow_links(true).max_depth(8).into_iter();
    let walk = walk.filter_entry(move |entry| entry.depth() == 0 || !skipped(entry.file_name()));
    let mut all: Vec<String> = walk
        .flatten()
        .filter(|entry| entry.file_type().is_file())
        .filter_map(|entry| Some(entry.path().strip_prefix(folder).ok()?.to_str()?.replace('\\', "/")))
        .collect();
    all.sort();
    all
}

/// The only XML file of the package: in its folder, else in `config`, where the SDK's generator puts it.
fn only_xml(folder: &Path, files: &[String]) -> Result<PathBuf, Vec<Diagnostic>> {
    let problem = |message: String| Diagnostic::new("E0904", message).at(folder.display().to_string());
    for place in ["", "config/"] {
        let found: Vec<&String> = files
            .iter()
            .filter(|file| {
                file.strip_prefix(place).is_some_and(|name| !name.contains('/') && name.ends_with(".xml"))
            })
            .collect();
        match found[..] {
            [] => {}
            [only] => return Ok(folder.join(only)),
            [first, ..] => {
                let names = found.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                let message = format!("the op package has several XML files: {names}");
                return Err(vec![
                    problem(message).help(format!("say which one defines its ops: ops = \"{first}\"")),
                ]);
            }
        }
    }
    Err(vec![
        problem("the op package has no XML file with op definitions".to_owned())
            .help("`cargo qnn op new` writes one; `ops = \"FILE\"` names one elsewhere"),
    ])
}

/// The sources that the patterns name; all below `src` where none is given.
fn sources(folder: &Path, files: &[String], spec: &Spec) -> Result<Vec<PathBuf>, Vec<Diagnostic>> {
    let default: &[&str] = match spec.kind {
        Kind::Qhpi => &["src/**/*.c", "src/**/*.S"],
        Kind::Cpp => &["src/**/*.cpp", "src/**/*.S"],
    };
    let patterns: Vec<&str> = match &spec.sources[..] {
        [] => default.to_vec(),
        given => given.iter().map(String::as_str).collect(),
    };
    let mut problems = Vec::new();
    let mut found: Vec<PathBuf> = Vec::new();
    for pattern in &patterns {
        let before = found.len();
        found.extend(files.iter().filter(|file| matches(pattern, file)).map(|file| folder.join(file)));
        // A file outside the package, such as one that two packages share.
        if found.len() == before && folder.join(pattern).is_file() {
            found.push(folder.join(pattern));
        }
        if found.len() == before && !spec.sources.is_empty() {
            let message = format!("no source is called `{pattern}`");
            problems.push(Diagnostic::new("E0904", message).at(folder.display().to_string()));
        }
    }
    found.sort();
    found.dedup();
    if found.is_empty() && problems.is_empty() {
        let message = format!("the op package has no source: nothing is called {}", patterns.join(" or "));
        let help = "put the kernels into `src`, or name them: sources = [\"kernels/*.c\"]";
        problems.push(Diagnostic::new("E0904", message).at(folder.display().to_string()).help(help));
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

/// Whether a path is what a pattern names: `*` stands for any text without `/`, `**/` for any folders.
fn matches(pattern: &str, path: &str) -> bool {
    if let Some(rest) = pattern.strip_prefix("**/") {
        let folders = path.match_indices('/').map(|(at, _)| at + 1);
        return std::iter::once(0).chain(folders).any(|at| matches(rest, &path[at..]));
    }
    match (pattern.chars().next(), path.chars().next()) {
        (None, None) => true,
        (Some('*'), _) => {
            let rest = &pattern[1..];
            matches(rest, path)
                || path.chars().next().is_some_and(|c| c != '/' && matches(pattern, &path[c.len_utf8()..]))
        }
        (Some(a), Some(b)) if a == b => matches(&pattern[a.len_utf8()..], &path[b.len_utf8()..]),
        _ => false,
    }
}

/// What the C++ sources declare of parameters, with the file of each.
fn code_params(folder: &Path, sources: &[PathBuf]) -> Vec<(String, qnn_ops::CodeParam)> {
    let mut found = Vec::new();
    for source in sources {
        let Ok(text) = std::fs::read_to_string(source) else { continue };
        let name = source.strip_prefix(folder).unwrap_or(source).display().to_string();
        found.extend(qnn_ops::param_orders(&text).into_iter().map(|param| (name.clone(), param)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_files_in_folders() {
        for (pattern, path, want) in [
            ("src/**/*.c", "src/a.c", true),
            ("src/**/*.c", "src/ops/deep/a.c", true),
            ("src/**/*.c", "src/a.cpp", false),
            ("src/*.c", "src/ops/a.c", false),
            ("src/*.c", "src/a.c", true),
            ("kernels/si*.c", "kernels/silu.c", true),
            ("**/x.c", "x.c", true),
        ] {
            assert_eq!(matches(pattern, path), want, "{pattern} {path}");
        }
    }
}
