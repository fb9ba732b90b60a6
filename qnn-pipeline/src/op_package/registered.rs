//! The op packages of an app: built for this machine before its models are planned, and for what the app runs on.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::build::{Built, Settings, build};
use super::package::Package;
use super::target::Target;
use super::toolchain::Places;
use crate::driver::Limits;
use crate::memo::Memo;
use crate::store::Store;
use crate::toolchain::Resolved;
use qnn_manifest::Manifest;
use qnn_manifest::Spec;
use qnn_types::{Diagnostic, OpPackage};

/// A library that the app ships.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// What the manifest calls the package.
    pub name: String,
    /// The package's own name.
    pub package: String,
    /// The function that hands out its interface.
    pub provider: String,
    /// What it is built for.
    pub target: Target,
    /// The library.
    pub library: PathBuf,
    /// Its blake3, hexadecimal.
    pub blake3: String,
}

impl Device {
    /// Its name in a folder with the builds for other targets.
    pub fn file(&self) -> String {
        let stem = self.target.library(&self.package);
        let stem = stem.strip_suffix(".so").unwrap_or(&stem);
        match self.target {
            Target::HtpX86 | Target::CpuX86 => format!("{stem}.so"),
            Target::Hexagon(arch) => format!("{stem}.v{arch}.so"),
            Target::HtpAarch64Android | Target::CpuAarch64Android => format!("{stem}.aarch64.so"),
        }
    }
}

/// What builds of op packages go by.
#[derive(Clone, Copy, Debug)]
pub struct Builds<'a> {
    /// Where packages are built, one folder each.
    pub store: &'a Store,
    /// The QNN libraries.
    pub resolved: &'a Resolved,
    /// Bounds of what runs side by side.
    pub limits: &'a Limits,
    /// Facts about files.
    pub memo: &'a Memo,
}

impl Builds<'_> {
    /// Builds a package for some targets.
    fn build(&self, package: &Package, targets: &[Target]) -> Result<Vec<Built>, Vec<Diagnostic>> {
        // Checkouts of one package are apart; the QNN libraries are what packages of this machine are linked against.
        let id = format!("{}\0{}", package.folder.display(), self.resolved.build_id);
        let id = blake3::hash(id.as_bytes()).to_hex();
        let out = self.store.op_packages().join(format!("{}-{}", package.definition.name, &id[..16]));
        let settings = Settings {
            out: &out,
            places: &Places::from_env(),
            qnn_lib_dir: Some(&self.resolved.toolchain.qnn_lib_dir),
            build_id: Some(&self.resolved.build_id),
            limits: self.limits,
            memo: self.memo,
        };
        build(package, targets, &settings)
    }
}

/// An op package of the manifest that was read and built for this machine.
#[derive(Clone, Debug)]
pub struct Opened {
    /// As jobs carry it.
    pub job: OpPackage,
    /// What its folder holds.
    pub package: Package,
    /// The build for this machine.
    device: Device,
    /// Targets that the manifest adds.
    more: Vec<Target>,
}

/// Reads every op package of a manifest and builds it for this machine.
///
/// # Errors
/// Every problem of all of them, at the place in the manifest where it has no place of its own.
pub(crate) fn open_all(manifest: &Manifest, builds: &Builds<'_>) -> Result<Vec<Opened>, Vec<Diagnostic>> {
    let (mut opened, mut problems) = (Vec::<Opened>::new(), Vec::new());
    for (name, spec) in &manifest.config.op_packages {
        let at = manifest.origin(&["op-packages", name]).to_string();
        match open(name, spec, builds) {
            Ok(one) => {
                if let Some(other) = opened.iter().find(|other| other.job.domain == one.job.domain) {
                    let message = format!(
                        "op packages `{}` and `{name}` both have the domain `{}`",
                        other.job.name, one.job.domain
                    );
                    problems.push(Diagnostic::new("E0902", message).at(at));
                }
                opened.push(one);
            }
            Err(found) => problems.extend(found.into_iter().map(|mut problem| {
                problem.at.get_or_insert_with(|| at.clone());
                problem
            })),
        }
    }
    if problems.is_empty() { Ok(opened) } else { Err(problems) }
}

/// Reads one op package and builds it for this machine.
///
/// # Errors
/// Everything that is wrong with it.
pub fn open(name: &str, spec: &Spec, builds: &Builds<'_>) -> Result<Opened, Vec<Diagnostic>> {
    let package = Package::open(name, spec)?;
    let (mut problems, mut more) = (rules(&package, spec), Vec::new());
    for target in &spec.targets {
        match target.parse() {
            Ok(target) => more.push(target),
            Err(why) => problems.push(Diagnostic::new("E0104", why)),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let built = builds.build(&package, &[Target::HtpX86])?;
    let Some(built) = built.into_iter().next() else { return Err(vec![]) };
    let device = device(&package, built);
    let job = OpPackage {
        name: package.name.clone(),
        package: package.definition.name.clone(),
        domain: package.definition.domain.clone(),
        library: device.library.clone(),
        provider: device.provider.clone(),
        definition: package.xml.clone(),
        shapes: spec.shapes.clone(),
        replace: spec.replace.clone(),
    };
    Ok(Opened { job, package, device, more })
}

fn device(package: &Package, built: Built) -> Device {
    Device {
        name: package.name.clone(),
        package: package.definition.name.clone(),
        provider: package.provider(),
        target: built.target,
        library: built.library,
        blake3: built.blake3,
    }
}

/// What is wrong with what the manifest says of a package's ops.
fn rules(package: &Package, spec: &Spec) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let unknown = |key: &str, op: &str| {
        let names: Vec<&str> = package.definition.ops.iter().map(|op| &*op.name).collect();
        Diagnostic::new("E0104", format!("`{key}`: op package `{}` has no op `{op}`", package.name))
            .help(format!("it has {}", names.join(", ")))
    };
    for (name, rules) in &spec.shapes {
        let Some(op) = package.definition.op(name) else {
            problems.push(unknown("shapes", name));
            continue;
        };
        if rules.len() != op.outputs.len() {
            let message =
                format!("`shapes.{name}` has {} rules, the op has {} outputs", rules.len(), op.outputs.len());
            problems.push(Diagnostic::new("E0104", message));
        }
        let wrong = rules.iter().filter_map(|rule| qnn_ops::ShapeRule::parse(rule, op).err());
        problems.extend(wrong.map(|why| Diagnostic::new("E0104", format!("`shapes.{name}`: {why}"))));
    }
    for (operator, op) in &spec.replace {
        if package.definition.op(op).is_none() {
            problems.push(unknown(&format!("replace.{operator}"), op));
        }
    }
    problems
}

/// The libraries that an app for a target triple (this machine when `None`) ships, for models on SoCs of these architectures.
///
/// # Errors
/// Everything that does not compile, and missing compilers.
pub(crate) fn devices(
    opened: &[Opened],
    triple: Option<&str>,
    archs: &BTreeSet<u32>,
    builds: &Builds<'_>,
) -> Result<Vec<Device>, Vec<Diagnostic>> {
    let here =
        triple.and_then(|triple| triple.split('-').next()).unwrap_or(std::env::consts::ARCH) == "x86_64";
    let (mut all, mut problems) = (Vec::new(), Vec::new());
    for one in opened {
        let mut targets: BTreeSet<Target> = one.more.iter().copied().collect();
        if here {
            all.push(one.device.clone());
            targets.remove(&Target::HtpX86);
        } else {
            targets.extend(archs.iter().map(|arch| Target::Hexagon(*arch)));
        }
        let targets: Vec<Target> = targets.into_iter().collect();
        if targets.is_empty() {
            continue;
        }
        match builds.build(&one.package, &targets) {
            Ok(built) => all.extend(built.into_iter().map(|built| device(&one.package, built))),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() { Ok(all) } else { Err(problems) }
}
