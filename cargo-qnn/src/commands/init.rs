//! `cargo qnn init`: makes an existing package use models.

use std::path::{Path, PathBuf};

use clap::Args;
use qnn_manifest::source_format;
use qnn_pipeline::Memo;
use qnn_pipeline::source::inspect;

use crate::args::{DimArg, InputArg, examples};
use crate::codes;
use crate::exit::Exit;
use crate::failure::{Failure, IoContext, Result};
use crate::project::{
    BUILD_RS, Dependencies, Edit, ModelEntry, edit, is_model, model_entry, open_dimensions,
};
use crate::session::Session;
use crate::target::target;
use crate::workspace::nearest_manifest;

/// Arguments of `cargo qnn init`.
#[derive(Debug, Args)]
#[command(after_help = examples::INIT)]
pub(crate) struct InitArgs {
    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH")]
    manifest_path: Option<PathBuf>,
    /// A model file; may be repeated. Without it, every model in the folder `models`
    #[arg(long, value_name = "FILE")]
    model: Vec<PathBuf>,
    #[command(flatten)]
    common: SetupArgs,
}

/// What `init` and `new` have in common.
#[derive(Clone, Debug, Args)]
pub(crate) struct SetupArgs {
    /// SoCs to compile for, separated by commas; see `cargo qnn socs`
    #[arg(long, value_name = "SOC", value_delimiter = ',', required = true)]
    pub(crate) soc: Vec<String>,
    /// Fix the dimensions that a model leaves open: NAME=SHAPE
    #[arg(long, value_name = "NAME=SHAPE")]
    pub(crate) input: Vec<InputArg>,
    /// Fix a free dimension of all inputs by the model's name for it: NAME=N
    #[arg(long, value_name = "NAME=N")]
    pub(crate) dim: Vec<DimArg>,
    /// Take the crates `qnn` and `qnn-build` from this checkout of their repository; without it, from the one this program was
    /// built from, else from the registry
    #[arg(long, value_name = "FOLDER")]
    pub(crate) path: Option<PathBuf>,
}

impl SetupArgs {
    /// As an edit of a manifest. Unknown SoCs are errors here already.
    pub(crate) fn edit(&self, models: Vec<ModelEntry>) -> Result<Edit> {
        for name in &self.soc {
            target(name)?;
        }
        let dependencies = match &self.path {
            None => own_checkout().map_or(Dependencies::Version, Dependencies::Checkout),
            Some(folder) => {
                let checkout = folder.canonicalize().at("cannot find", folder)?;
                if !is_checkout(&checkout) {
                    return Err(Failure::usage(format!(
                        "{} has no crates `qnn` and `qnn-build`",
                        folder.display()
                    )));
                }
                Dependencies::Checkout(checkout)
            }
        };
        Ok(Edit { soc: self.soc.clone(), models, dependencies })
    }
}

/// The checkout that this program was built from, where it still is: its crates fit, and may not be published. A program
/// that was installed from a registry has none.
fn own_checkout() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    is_checkout(folder).then(|| folder.to_owned())
}

/// Whether a folder holds the crates that an app depends on.
fn is_checkout(folder: &Path) -> bool {
    ["qnn", "qnn-build"].iter().all(|name| folder.join(name).join("Cargo.toml").is_file())
}

pub(crate) fn run(session: &Session, args: &InitArgs) -> Result<Exit> {
    let manifest = args.manifest_path.clone().map_or_else(nearest_manifest, Some).ok_or_else(|| {
        Failure::new(Exit::User, codes::MANIFEST, "there is no Cargo.toml in this folder or above")
            .help("`cargo qnn new NAME` makes a new app")
    })?;
    let folder = manifest.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let files = if args.model.is_empty() { models_in(&folder.join("models")) } else { args.model.clone() };
    let (inputs, dims) = (&args.common.input, &args.common.dim);
    let mut models = Vec::new();
    for file in &files {
        let facts = source_format(file).map_err(Failure::from).and_then(|format| {
            inspect(file, format, &Memo::default()).map_err(|problems| Failure { exit: Exit::User, problems })
        });
        let facts = match facts {
            Ok(facts) => Some(facts),
            Err(failure) => {
                for problem in &failure.problems {
                    let place = problem.at.clone().unwrap_or_else(|| file.display().to_string());
                    session.term.warning(&problem.clone().at(place));
                }
                // A file that was found in passing is left out; one that was named may be fetched later.
                if args.model.is_empty() {
                    continue;
                }
                None
            }
        };
        models.push(model_entry(file, relative(file, folder)?, facts.as_ref(), inputs, dims)?);
        if let Some(problem) = facts.and_then(|facts| open_dimensions(&facts, inputs, dims)) {
            session.term.warning(&problem.at(file.display().to_string()));
        }
    }
    apply(session, &manifest, &args.common.edit(models)?)?;
    build_script(session, folder)?;
    included(session, folder);
    Ok(Exit::Ok)
}

/// Says what is still to be written by hand.
fn included(session: &Session, folder: &Path) {
    let sources = walkdir::WalkDir::new(folder.join("src")).into_iter().filter_map(|entry| entry.ok());
    let rust = sources.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "rs"));
    let includes =
        |file: &Path| std::fs::read_to_string(file).is_ok_and(|text| text.contains("include_models!"));
    if !rust.into_iter().any(|entry| includes(entry.path())) {
        session.term.note("the app has the models' modules where you write `qnn::include_models!();`, for example in src/main.rs");
    }
}

/// Edits the manifest file in one step.
pub(crate) fn apply(session: &Session, manifest: &Path, wanted: &Edit) -> Result<()> {
    let text = std::fs::read_to_string(manifest).at("cannot read", manifest)?;
    let edited = edit(&text, wanted)?;
    if edited.added.is_empty() {
        session.term.status("Unchanged", format!("{} has everything", manifest.display()));
        return Ok(());
    }
    let folder = manifest.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).at("cannot write", manifest)?;
    std::io::Write::write_all(&mut file, edited.text.as_bytes()).at("cannot write", manifest)?;
    let permissions = manifest.metadata().at("cannot read", manifest)?.permissions();
    file.as_file().set_permissions(permissions).at("cannot write", manifest)?;
    file.persist(manifest).map_err(|error| Failure::io("cannot write", manifest, &error.error))?;
    for line in edited.added {
        session.term.status("Added", line);
    }
    if let Dependencies::Checkout(folder) = &wanted.dependencies {
        session.term.note(format!("the crates are taken from {}", folder.display()));
    }
    Ok(())
}

/// Writes build.rs, or says what a build script that is there has to do.
pub(crate) fn build_script(session: &Session, folder: &Path) -> Result<()> {
    let file = folder.join("build.rs");
    if !file.exists() {
        std::fs::write(&file, BUILD_RS).at("cannot write", &file)?;
        session.term.status("Created", file.display());
        return Ok(());
    }
    let text = std::fs::read_to_string(&file).at("cannot read", &file)?;
    if !text.contains("qnn_build::") {
        session.term.warning(
            &qnn_types::Diagnostic::new("", format!("{} does not compile the models yet", file.display()))
                .help("add this line to its main function: qnn_build::compile().unwrap_or_exit();"),
        );
    }
    Ok(())
}

/// The model files of a folder, by name.
fn models_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|file| file.is_file() && is_model(file)).collect();
    files.sort();
    files
}

/// `file` as seen from `folder`, with `/`: a manifest with paths of this machine is no use elsewhere. Links are not followed, for
/// the file that a link leads to changes.
fn relative(file: &Path, folder: &Path) -> Result<String> {
    file.metadata().at("cannot find the model file", file)?;
    let parent = |path: &Path| {
        path.parent().filter(|path| !path.as_os_str().is_empty()).map_or(PathBuf::from("."), Path::to_owned)
    };
    let home = parent(file).canonicalize().at("cannot find the model file", file)?;
    let folder = folder.canonicalize().at("cannot find", folder)?;
    let name = file.file_name().map_or_else(|| file.canonicalize().unwrap_or_default(), PathBuf::from);
    let file = home.join(name);
    let common = file.components().zip(folder.components()).take_while(|(a, b)| a == b).count();
    if common <= 1 && file.components().count() > 1 {
        // Nothing in common but the root, or on another drive.
        return Ok(file.to_string_lossy().replace('\\', "/"));
    }
    let up = folder.components().skip(common).map(|_| "..".to_owned());
    let down = file.components().skip(common).map(|part| part.as_os_str().to_string_lossy().into_owned());
    Ok(up.chain(down).collect::<Vec<_>>().join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_beside_the_package_is_named_relative_to_it() {
        let root = tempfile::tempdir().unwrap();
        let (app, models) = (root.path().join("app"), root.path().join("m"));
        std::fs::create_dir_all(app.join("models")).unwrap();
        std::fs::create_dir_all(&models).unwrap();
        for file in [models.join("x.onnx"), app.join("models/y.onnx")] {
            std::fs::write(file, "").unwrap();
        }
        assert_eq!(relative(&models.join("x.onnx"), &app).unwrap(), "../m/x.onnx");
        assert_eq!(relative(&app.join("models/../models/y.onnx"), &app).unwrap(), "models/y.onnx");
        assert!(relative(&app.join("z.onnx"), &app).is_err());
    }
}
