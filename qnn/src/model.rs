//! Loading a model: choosing the artifact for the device, finding its bytes.

use std::path::PathBuf;

use qnn_platform::env;
use qnn_platform::soc::{self, Soc};

use crate::artifact::{ArtifactSource, OpPackage};
use crate::{
    Artifact, Backend, Context, Device, DeviceInfo, Error, Graph, LoadOptions, Result, Tensor, TensorMut,
    files,
};

/// A model of the app, loaded on the device: what generated code wraps.
///
/// `Send` and `Sync`: executions take turns.
#[derive(Clone, Debug)]
pub struct LoadedModel {
    artifact: &'static Artifact,
    context: Context,
}

impl LoadedModel {
    /// Loads the artifact that fits: on a device the one for its SoC, else one for its architecture; in the emulator the one for
    /// `QNN_EMULATE_SOC`, else the first.
    ///
    /// # Errors
    /// [`Stub`](crate::ErrorKind::Stub) when the app was built without its models, [`NoArtifact`](crate::ErrorKind::NoArtifact) when none fits,
    /// [`ArtifactFile`](crate::ErrorKind::ArtifactFile) when its file is missing, [`OtherArtifact`](crate::ErrorKind::OtherArtifact) when it is another, else as [`Context::load`].
    pub(crate) fn load(
        backend: &Backend,
        artifacts: &'static [Artifact],
        options: &LoadOptions,
    ) -> Result<LoadedModel> {
        let Some(first) = artifacts.first() else {
            return Err(Error::invalid("model", "the app contains no artifact of it"));
        };
        if let ArtifactSource::Stub(reason) = first.source {
            return Err(Error::stub(first.model, reason));
        }
        let candidates: Vec<Candidate> = artifacts.iter().map(Candidate::from).collect();
        let (device, index) = choose_device(backend, first.model, &candidates)?;
        let artifact = &artifacts[index];
        artifact.op_packages.iter().try_for_each(|package| register(backend, package))?;
        let context = load(&device, artifact, options)?;
        Ok(LoadedModel { artifact, context })
    }

    /// Executes a graph, see [`Graph::execute`].
    ///
    /// # Errors
    /// [`UnknownGraph`](crate::ErrorKind::UnknownGraph), else as [`Graph::execute`].
    pub fn run(
        &self,
        graph: &str,
        inputs: &[(&str, Tensor<'_>)],
        outputs: &mut [(&str, TensorMut<'_>)],
    ) -> Result<()> {
        self.graph(graph)?.execute(inputs, outputs)
    }

    /// A graph of the model.
    ///
    /// # Errors
    /// [`UnknownGraph`](crate::ErrorKind::UnknownGraph) with the names there are.
    pub fn graph(&self, name: &str) -> Result<Graph> {
        self.context.graph(name)
    }

    /// The artifact that was chosen.
    pub fn artifact(&self) -> &'static Artifact {
        self.artifact
    }

    /// The device that it is loaded on, for example to choose its performance.
    pub fn device(&self) -> &Device {
        self.context.device()
    }

    /// The loaded context.
    pub fn context(&self) -> &Context {
        &self.context
    }
}

fn emulated_soc() -> Result<Option<&'static Soc>> {
    Ok(env::string(&env::QNN_EMULATE_SOC).map(|name| soc::find(&name)).transpose()?)
}

/// The SoC that something was compiled for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    soc: &'static str,
    soc_id: u32,
    arch: u32,
}

impl From<&'static Artifact> for Candidate {
    fn from(artifact: &'static Artifact) -> Candidate {
        Candidate { soc: artifact.soc, soc_id: artifact.soc_id, arch: artifact.arch }
    }
}

#[cfg(feature = "llm")]
impl From<&'static Soc> for Candidate {
    fn from(soc: &'static Soc) -> Candidate {
        Candidate { soc: soc.name, soc_id: soc.id, arch: soc.arch }
    }
}

/// The device, and the index of the candidate that fits it.
pub(crate) fn choose_device(
    backend: &Backend,
    model: &str,
    candidates: &[Candidate],
) -> Result<(Device, usize)> {
    let device = if backend.is_emulator() {
        let first = candidates.first().map_or(0, |candidate| candidate.soc_id);
        Device::for_soc(backend, emulated_soc()?.map_or(first, |soc| soc.id))?
    } else {
        Device::native(backend)?
    };
    let index = choose(model, candidates, &device.info())?;
    Ok((device, index))
}

/// The candidate that runs on a device: one for its SoC, else one for its architecture.
pub(crate) fn choose(model: &str, candidates: &[Candidate], device: &DeviceInfo) -> Result<usize> {
    let exact = candidates.iter().position(|candidate| candidate.soc_id == device.soc_id);
    let same_arch = || candidates.iter().position(|candidate| candidate.arch == device.arch);
    exact.or_else(same_arch).ok_or_else(|| {
        let name = device.soc().map_or_else(|| format!("v{}", device.arch), |soc| soc.name.to_owned());
        let built = candidates.iter().map(|candidate| candidate.soc.to_owned()).collect();
        Error::no_artifact(model, &device.to_string(), built, &name)
    })
}

/// The vendor's code for a package whose name is taken.
const REGISTERED_BEFORE: u32 = 4009;

/// Registers an op package, unless another model has brought it already.
fn register(backend: &Backend, package: &OpPackage) -> Result<()> {
    let path = find_library(package)?;
    match backend.register_op_package(path, package.provider, package.target) {
        Err(error) if error.vendor().is_some_and(|error| error.code.code == REGISTERED_BEFORE) => Ok(()),
        result => result,
    }
}

fn find_library(package: &OpPackage) -> Result<PathBuf> {
    let looked = files::folders();
    let placed = looked.iter().map(|dir| dir.join(package.file)).find(|file| file.is_file());
    let built = || package.built.map(PathBuf::from).filter(|file| file.is_file());
    // Android's loader finds the app's native libraries by name.
    let by_name = || cfg!(target_os = "android").then(|| PathBuf::from(package.file));
    placed
        .or_else(built)
        .or_else(by_name)
        .ok_or_else(|| Error::op_package_file(package.name, package.file, &looked))
}

fn load(device: &Device, artifact: &'static Artifact, options: &LoadOptions) -> Result<Context> {
    let Artifact { model, soc, .. } = artifact;
    match artifact.source {
        ArtifactSource::Embedded(bytes) => {
            Context::load(device, bytes, &format!("the artifact of model `{model}` for {soc}"), options)
        }
        ArtifactSource::File(file) => {
            let (path, map) = files::open(model, &file)?;
            let what = format!("the artifact of model `{model}` for {soc} ({})", path.display());
            Context::load(device, &map, &what, options)
        }
        ArtifactSource::Stub(reason) => Err(Error::stub(artifact.model, reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn candidate(soc: &'static str, soc_id: u32, arch: u32) -> Candidate {
        Candidate { soc, soc_id, arch }
    }

    const TWO: &[Candidate] = &[candidate("SM8650", 57, 75), candidate("SM8750", 69, 79)];

    fn device(soc_id: u32, arch: u32) -> DeviceInfo {
        DeviceInfo { soc_id, arch, vtcm_mb: 8 }
    }

    #[test]
    fn the_devices_own_soc_wins_over_its_architecture() {
        let same_arch = &[candidate("QCS8300", 82, 75), candidate("SM8650", 57, 75)];
        assert_eq!(choose("digits", same_arch, &device(57, 75)).unwrap(), 1);
    }

    #[test]
    fn an_artifact_of_the_same_architecture_serves_another_soc() {
        assert_eq!(choose("digits", TWO, &device(82, 75)).unwrap(), 0);
        // A SoC that the table does not know, too.
        assert_eq!(choose("digits", TWO, &device(9999, 79)).unwrap(), 1);
    }

    #[test]
    fn without_a_fitting_artifact_the_error_names_device_and_what_was_built() {
        let message = choose("digits", TWO, &device(43, 73)).unwrap_err().to_string();
        for part in ["`digits`", "SM8550 (v73)", "`SM8650`, `SM8750`", "add \"SM8550\" to `soc`"] {
            assert!(message.contains(part), "{message}");
        }
    }
}
