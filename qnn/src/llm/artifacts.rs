//! Where the files of a compiled language model are: in a folder, in the executable, or beside it.

use std::borrow::Cow;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use qnn_llm::Deployment;
use qnn_platform::checksum::Sum;

use crate::artifact::{ArtifactSource, FileSum};
use crate::error::texts;
use crate::{Error, Result, context, files};

/// One compiled language model for one SoC. Generated code holds a static array of them per model.
///
/// A model that was not compiled (`QNN_BUILD=stub`) has one of these, which cannot be loaded.
#[derive(Clone, Copy, Debug)]
pub struct LlmArtifacts {
    model: &'static str,
    /// The description that the compiler wrote, `<model>.<soc>.llm.json`: its text. Empty in a stub.
    description: &'static str,
    /// The files that the description names, by these names: context binaries, embedding table, tokenizer.
    files: &'static [(&'static str, ArtifactSource)],
}

impl LlmArtifacts {
    pub(crate) const fn new(
        model: &'static str,
        description: &'static str,
        files: &'static [(&'static str, ArtifactSource)],
    ) -> Self {
        Self { model, description, files }
    }

    /// Name of the model in the manifest.
    pub fn model(&self) -> &'static str {
        self.model
    }
}

/// Where [`crate::llm::Llm::load`] finds a model.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum LlmSource {
    /// A folder with the description `<model>.<soc>.llm.json` of one model, for any number of SoCs, and the files that these name; or
    /// the path of such a description, its files beside it.
    Path(PathBuf),
    /// What generated code holds, one for each SoC.
    Artifacts(&'static [LlmArtifacts]),
}

impl From<&Path> for LlmSource {
    fn from(path: &Path) -> LlmSource {
        LlmSource::Path(path.to_owned())
    }
}

impl From<PathBuf> for LlmSource {
    fn from(path: PathBuf) -> LlmSource {
        LlmSource::Path(path)
    }
}

impl From<&'static [LlmArtifacts]> for LlmSource {
    fn from(artifacts: &'static [LlmArtifacts]) -> LlmSource {
        LlmSource::Artifacts(artifacts)
    }
}

/// A description's text and the place of the files that it names.
#[derive(Clone, Debug)]
pub(super) struct Described {
    /// Where the text is from, for errors.
    pub(super) origin: String,
    pub(super) text: Cow<'static, str>,
    files: Files,
}

#[derive(Clone, Debug)]
enum Files {
    Folder(PathBuf),
    Artifacts(&'static LlmArtifacts),
}

/// The end of a description's file name.
const SUFFIX: &str = ".llm.json";

/// All descriptions of a source, in the order of the manifest or of their file names.
pub(super) fn descriptions(source: &LlmSource) -> Result<Vec<Described>> {
    match source {
        LlmSource::Path(path) if path.is_dir() => {
            let file_error = texts::file(path);
            let mut names = Vec::new();
            for entry in std::fs::read_dir(path).map_err(&file_error)? {
                let name = entry.map_err(&file_error)?.file_name();
                if name.to_string_lossy().ends_with(SUFFIX) {
                    names.push(path.join(name));
                }
            }
            names.sort();
            names.into_iter().map(from_file).collect()
        }
        LlmSource::Path(path) => Ok(vec![from_file(path.clone())?]),
        LlmSource::Artifacts(artifacts) => artifacts.iter().map(from_artifacts).collect(),
    }
}

fn from_file(path: PathBuf) -> Result<Described> {
    let text = std::fs::read_to_string(&path).map_err(texts::file(&path))?;
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    Ok(Described { origin: path.display().to_string(), text: text.into(), files: Files::Folder(folder) })
}

fn from_artifacts(artifacts: &'static LlmArtifacts) -> Result<Described> {
    if let Some(reason) = artifacts.files.iter().find_map(|(_, source)| match source {
        ArtifactSource::Stub(reason) => Some(*reason),
        _ => None,
    }) {
        return Err(Error::stub(artifacts.model, reason));
    }
    Ok(Described {
        origin: format!("the description of model `{}`", artifacts.model),
        text: artifacts.description.into(),
        files: Files::Artifacts(artifacts),
    })
}

/// Bytes of a file, wherever they are.
#[derive(Debug)]
pub(super) enum Bytes {
    Embedded(&'static [u8]),
    Mapped(memmap2::Mmap),
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Bytes::Embedded(bytes) => bytes,
            Bytes::Mapped(map) => map,
        }
    }
}

impl Described {
    /// A file that the description names, mapped or embedded. Of another build's it is refused: parts of two builds do not fit, though
    /// their shapes do.
    pub(super) fn file(&self, deployment: &Deployment, name: &str) -> Result<Bytes> {
        match &self.files {
            Files::Folder(folder) => {
                let path = folder.join(name);
                let map = context::map(&path)?;
                let sum = deployment.files.get(name).and_then(|file| {
                    let Sum(checksum) = file.checksum.parse().ok()?;
                    Some(FileSum { bytes: file.bytes, checksum })
                });
                match sum.and_then(|sum| files::difference(&map, sum)) {
                    None => Ok(Bytes::Mapped(map)),
                    Some(why) => {
                        let others = vec![format!("{} is another file: {why}", path.display())];
                        Err(Error::other_artifact(&deployment.model, name, others))
                    }
                }
            }
            Files::Artifacts(artifacts) => {
                let row = artifacts.files.iter().find(|row| row.0 == name);
                match row.map(|row| row.1) {
                    Some(ArtifactSource::Embedded(bytes)) => Ok(Bytes::Embedded(bytes)),
                    Some(ArtifactSource::File(file)) => {
                        Ok(Bytes::Mapped(files::open(artifacts.model, &file)?.1))
                    }
                    Some(ArtifactSource::Stub(reason)) => Err(Error::stub(artifacts.model, reason)),
                    None => Err(Error::invalid(
                        format!("model `{}`", artifacts.model),
                        format!("its description names the file `{name}`, which is not among its artifacts"),
                    )
                    .with_help("build the app again")),
                }
            }
        }
    }
}
