//! Reads the Cargo.toml of a package and of its workspace, without asking cargo: a build script has milliseconds for it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use qnn_platform::env;
use qnn_platform::nearest::nearest;
use serde::Serialize;
use serde_json::Value;
use toml::Spanned;
use toml::de::DeTable;

use crate::overrides::Overrides;
use crate::schema::{Config, Model};
use crate::tree::{Node, Origin, Table, to_json, toml_table};
use crate::validate::validate;
use qnn_types::{Diagnostic, Samples};
use qnn_types::{Error, Result, io_problem};

/// What a package says about its models, merged with everything above and below it.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// Name of the package.
    pub package: String,
    /// The package's Cargo.toml, as it was given.
    pub path: PathBuf,
    /// The Cargo.toml of the workspace, where it is another file.
    pub workspace: Option<PathBuf>,
    /// The merged settings; paths of model files are absolute (or relative to the working directory, as `path` is).
    pub config: Config,
    /// Whether models were left out because of the package's features.
    pub gated: bool,
    tree: Table,
}

/// One value of the merged manifest, for `cargo qnn show`.
#[derive(Clone, Debug, Serialize)]
pub struct Setting {
    /// The key with its tables, dots between.
    pub key: String,
    /// The value.
    pub value: Value,
    /// The layer it comes from: `default`, `workspace`, `package`, `environment`, `config` or `flag`.
    pub layer: &'static str,
    /// File and line, variable or argument it comes from.
    pub origin: String,
}

impl Manifest {
    /// Reads `path`, a Cargo.toml, and the Cargo.toml of its workspace, and merges them with `overrides`.
    ///
    /// # Errors
    /// All unknown keys, wrong values and unreadable files at once. A package without models is no error here.
    pub fn load(path: &Path, overrides: &Overrides) -> Result<Self> {
        let text = read(path)?;
        let document = parse(path, &text)?;
        let Some((package, _)) = toml_table(&document, &["package"]) else {
            return Err(Diagnostic::new("E0102", "this Cargo.toml has no [package]")
                .at(path.display().to_string())
                .help("name the Cargo.toml of a package, or a package of the workspace with -p")
                .into());
        };
        let name =
            package.get("name").and_then(|name| name.get_ref().as_str()).unwrap_or_default().to_owned();

        let mut tree = Table::default();
        let mut workspace = None;
        if toml_table(&document, &["workspace"]).is_some() {
            merge_layer(&mut tree, &document, &text, &["workspace", "metadata", "qnn"], |line| {
                Origin::Workspace(path.to_owned(), line)
            });
        } else if let Some((root, text)) = find_workspace(path, package)? {
            let document = parse(&root, &text)?;
            merge_layer(&mut tree, &document, &text, &["workspace", "metadata", "qnn"], |line| {
                Origin::Workspace(root.clone(), line)
            });
            workspace = Some(root);
        }
        merge_layer(&mut tree, &document, &text, &["package", "metadata", "qnn"], |line| {
            Origin::Package(path.to_owned(), line)
        });
        let mut problems = overrides.apply(&mut tree);
        problems.extend(validate(&mut tree));

        let folder = path.parent().unwrap_or(Path::new(""));
        problems.extend(resolve_sources(&mut tree, folder));
        problems.extend(resolve_op_packages(&mut tree, folder));
        if let Some(error) = Error::from_problems(problems) {
            return Err(error);
        }
        let config: Config = serde_json::from_value(plain(&tree)).map_err(|error| {
            Diagnostic::new("E0104", "the settings cannot be understood")
                .at(path.display().to_string())
                .note(error.to_string())
        })?;
        let manifest = Self { package: name, path: path.to_owned(), workspace, config, gated: false, tree };
        match Error::from_problems(manifest.unknown_features(&document)) {
            Some(error) => Err(error),
            None => Ok(manifest),
        }
    }

    /// The problem of each feature that a model needs and the package does not have.
    fn unknown_features(&self, document: &Spanned<DeTable<'_>>) -> Vec<Diagnostic> {
        let mut known = vec!["default".to_owned()];
        let tables = [&["features"][..], &["dependencies"]];
        let tables = tables.iter().filter_map(|path| Some(toml_table(document, path)?.0));
        known.extend(tables.flat_map(|table| table.keys().map(|key| key.get_ref().to_string())));
        let mut problems = Vec::new();
        for (name, model) in &self.config.models {
            for feature in model.features.iter().filter(|feature| !known.contains(feature)) {
                let message = format!("package `{}` has no feature `{feature}`", self.package);
                let problem = Diagnostic::new("E0122", message)
                    .model(name)
                    .at(self.origin(&["models", name, "features"]).to_string());
                let near = nearest(feature, known.iter().map(String::as_str), 1);
                problems.push(match near.first() {
                    Some(near) => problem.help(format!("did you mean `{near}`?")),
                    None => problem.help("add it to [features] in Cargo.toml"),
                });
            }
        }
        problems
    }

    /// The manifest of a build script: `settings` of the script and the environment on top, without models whose features are off.
    ///
    /// # Errors
    /// As [`Manifest::load`].
    pub fn of_build_script(path: &Path, settings: &[(Vec<String>, Value)]) -> Result<Self> {
        let set = |all: Overrides, (path, value): &(Vec<String>, Value)| {
            all.set(&path.iter().map(String::as_str).collect::<Vec<_>>(), value.clone())
        };
        let overrides = settings.iter().fold(Overrides::default(), set).and(Overrides::from_env());
        let mut manifest = Self::load(path, &overrides)?;
        manifest.retain(|feature| env::family(&env::CARGO_FEATURE, &env::feature_part(feature)).is_some());
        Ok(manifest)
    }

    /// Files and folders that it names, and the workspace's manifest: a change of one may be a change of what is compiled.
    pub fn watched(&self) -> Vec<PathBuf> {
        let models = || self.config.models.values();
        let samples = models().filter_map(|model| match Samples::from_text(model.samples.as_deref()?) {
            Samples::File(file) => Some(file),
            Samples::Generated => None,
        });
        let encodings = models().filter_map(|model| model.quantize.encodings.clone());
        // cargo looks at every file below a folder.
        let packages = self.config.op_packages.values().map(|package| package.path.clone());
        let sources = models().map(|model| model.source.clone());
        samples.chain(encodings).chain(packages).chain(self.workspace.clone()).chain(sources).collect()
    }

    /// Leaves only the models whose features are all on.
    pub fn retain(&mut self, is_on: impl Fn(&str) -> bool) {
        let before = self.config.models.len();
        self.config.models.retain(|_, model| model.features.iter().all(|feature| is_on(feature)));
        self.gated |= self.config.models.len() < before;
    }

    /// What a command line says of one model, without any file. Paths count from the working directory.
    pub fn of_command_line(name: &str, model: Model, soc: Vec<String>) -> Self {
        let tree = Table { origin: Origin::Flag("command line"), ..Table::default() };
        let config = Config { soc, models: BTreeMap::from([(name.to_owned(), model)]), ..Config::default() };
        Self {
            package: String::new(),
            path: PathBuf::from("command line"),
            workspace: None,
            config,
            gated: false,
            tree,
        }
    }

    /// Folder of the package.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// The files that were read.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        std::iter::once(self.path.as_path()).chain(self.workspace.as_deref())
    }

    /// Every value with its origin, sorted by key.
    pub fn settings(&self) -> Vec<Setting> {
        let leaves = self.tree.leaves().into_iter();
        leaves
            .map(|(path, leaf)| Setting {
                key: path.join("."),
                value: leaf.value.clone(),
                layer: leaf.origin.layer(),
                origin: leaf.origin.to_string(),
            })
            .collect()
    }

    /// Where a value comes from; the path is given key by key, and the nearest table above counts where the value itself was
    /// not set.
    pub fn origin(&self, path: &[&str]) -> &Origin {
        let mut table = &self.tree;
        let mut origin = &table.origin;
        for key in path {
            match table.entries.get(*key) {
                Some(Node::Table(inner)) => {
                    table = inner;
                    origin = &inner.origin;
                }
                Some(Node::Leaf(leaf)) => return &leaf.origin,
                None => return origin,
            }
        }
        origin
    }
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path)
        .map_err(|error| io_problem("E0102", "cannot read the manifest", path, &error).into())
}

fn parse<'i>(path: &Path, text: &'i str) -> Result<Spanned<DeTable<'i>>> {
    DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        Diagnostic::new("E0102", "the manifest is not valid TOML")
            .at(format!("{}:{}", path.display(), line_of(text, at)))
            .note(error.message().to_owned())
            .into()
    })
}

fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|&&byte| byte == b'\n').count() + 1
}

fn merge_layer(
    tree: &mut Table,
    document: &Spanned<DeTable<'_>>,
    text: &str,
    path: &[&str],
    origin: impl Fn(usize) -> Origin,
) {
    if let Some((table, at)) = toml_table(document, path) {
        tree.merge(Table::from_toml(table, at, &|at| origin(line_of(text, at))));
    }
}

/// The root of the workspace that the package at `path` belongs to: named by `package.workspace`, else the nearest Cargo.toml
/// above with a `[workspace]` that does not exclude the package.
fn find_workspace(path: &Path, package: &DeTable<'_>) -> Result<Option<(PathBuf, String)>> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = absolute.parent().unwrap_or(Path::new("/"));
    if let Some(root) = package.get("workspace").and_then(|root| root.get_ref().as_str()) {
        let root = folder.join(root).join("Cargo.toml");
        let text = read(&root)?;
        return Ok(Some((root, text)));
    }
    for above in folder.ancestors().skip(1) {
        let root = above.join("Cargo.toml");
        // Parsing is the dear part, and most files above are none of our business.
        let Ok(text) = fs::read_to_string(&root) else { continue };
        if !text.contains("workspace") {
            continue;
        }
        let Ok(document) = DeTable::parse(&text) else { continue };
        let Some((workspace, _)) = toml_table(&document, &["workspace"]) else { continue };
        let excluded = workspace.get("exclude").map(|list| to_json(list.get_ref()));
        let excluded = excluded.as_ref().and_then(Value::as_array).into_iter().flatten();
        if excluded.filter_map(Value::as_str).any(|folder_| folder.starts_with(above.join(folder_))) {
            continue;
        }
        return Ok(Some((root, text)));
    }
    Ok(None)
}

/// Makes every model's `source` absolute by the folder of the file that names it, and reports models without one.
fn resolve_sources(tree: &mut Table, package: &Path) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let Some(models) = tree.table_mut("models") else { return problems };
    let has_source = |node: &Node| matches!(node, Node::Table(model) if model.entries.contains_key("source"));
    let declared: Vec<String> =
        models.entries.iter().filter(|(_, node)| has_source(node)).map(|(name, _)| name.clone()).collect();
    for (name, node) in &mut models.entries {
        let Node::Table(model) = node else { continue };
        if let Some(Node::Leaf(leaf)) = model.entries.get_mut("samples")
            && let Some(Samples::File(file)) = leaf.value.as_str().map(Samples::from_text)
        {
            let folder = leaf.origin.folder().unwrap_or(package);
            leaf.value = folder.join(file).to_string_lossy().into_owned().into();
        }
        if let Some(Node::Table(quantize)) = model.entries.get_mut("quantize")
            && let Some(Node::Leaf(leaf)) = quantize.entries.get_mut("encodings")
            && let Some(file) = leaf.value.as_str()
        {
            let folder = leaf.origin.folder().unwrap_or(package);
            leaf.value = folder.join(file).to_string_lossy().into_owned().into();
        }
        match model.entries.get_mut("source") {
            Some(Node::Leaf(leaf)) => {
                if let Some(source) = leaf.value.as_str() {
                    let folder = leaf.origin.folder().unwrap_or(package);
                    leaf.value = folder.join(source).to_string_lossy().into_owned().into();
                }
            }
            Some(Node::Table(_)) => {}
            None => {
                let problem =
                    Diagnostic::new("E0104", "`source` is missing").model(name).at(model.origin.to_string());
                let near = nearest(name, declared.iter().map(String::as_str), 1);
                problems.push(match near.first() {
                    // Most likely the name of another model, mistyped in a setting.
                    Some(near) => problem.help(format!("did you mean model `{near}`?")),
                    None => problem.help(format!("models.{name}.source = \"models/{name}.onnx\"")),
                });
            }
        }
    }
    problems
}

/// Makes every op package's `path` absolute by the folder of the file that names it, and reports packages without one.
fn resolve_op_packages(tree: &mut Table, package: &Path) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let Some(packages) = tree.table_mut("op-packages") else { return problems };
    for (name, node) in &mut packages.entries {
        let Node::Table(table) = node else { continue };
        match table.entries.get_mut("path") {
            Some(Node::Leaf(leaf)) => {
                if let Some(path) = leaf.value.as_str() {
                    let folder = leaf.origin.folder().unwrap_or(package);
                    leaf.value = folder.join(path).to_string_lossy().into_owned().into();
                }
            }
            Some(Node::Table(_)) => {}
            None => problems.push(
                Diagnostic::new("E0104", "`path` is missing")
                    .at(table.origin.to_string())
                    .help(format!("op-packages.{name}.path = \"../{name}\"")),
            ),
        }
    }
    problems
}

fn plain(table: &Table) -> Value {
    let entries: BTreeMap<&String, Value> = table
        .entries
        .iter()
        .map(|(key, node)| match node {
            Node::Table(inner) => (key, plain(inner)),
            Node::Leaf(leaf) => (key, leaf.value.clone()),
        })
        .collect();
    entries.into_iter().map(|(key, value)| (key.clone(), value)).collect()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
