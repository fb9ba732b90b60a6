//! Protocol 1.

use std::fmt;

use crate::artifact::{ArtifactFile, FileSum};
use crate::{Artifact, Backend, Element, Error, Graph, LoadOptions, LoadedModel, Result, Tensor, TensorMut};

pub use crate::artifact::{Aligned, ArtifactSource, OpPackage};

/// A library of an op package: its name, the function that hands out its interface, the file, what a device registers it as, and where the
/// build has put it.
pub const fn op_package(
    name: &'static str,
    provider: &'static str,
    file: &'static str,
    target: Option<&'static str>,
    built: Option<&'static str>,
) -> OpPackage {
    OpPackage { name, provider, file, target, built }
}

/// A context binary inside the executable.
pub const fn embedded(bytes: &'static [u8]) -> ArtifactSource {
    ArtifactSource::Embedded(bytes)
}

/// A file that comes with the app: the package of its model, its name, length and XXH64, and where the build has put it.
pub const fn file(
    package: &'static str,
    name: &'static str,
    bytes: u64,
    checksum: u64,
    built: Option<&'static str>,
) -> ArtifactSource {
    ArtifactSource::File(ArtifactFile { package, name, sum: Some(FileSum { bytes, checksum }), built })
}

/// A file that comes with the app, whatever is in it.
pub const fn any_file(name: &'static str) -> ArtifactSource {
    ArtifactSource::File(ArtifactFile { package: "", name, sum: None, built: None })
}

/// Nothing, for this reason.
pub const fn stub(reason: &'static str) -> ArtifactSource {
    ArtifactSource::Stub(reason)
}

/// A compiled model: its name, the SoC with its id and architecture, the QNN build that made it, where it is, and what it needs.
pub const fn artifact(
    model: &'static str,
    (soc, soc_id, arch): (&'static str, u32, u32),
    build_id: &'static str,
    source: ArtifactSource,
    op_packages: &'static [OpPackage],
) -> Artifact {
    Artifact { model, soc, soc_id, arch, build_id, source, op_packages }
}

/// A compiled language model for a SoC: its name, the description's text, and the files that it names.
#[cfg(feature = "llm")]
pub const fn llm_artifacts(
    model: &'static str,
    description: &'static str,
    files: &'static [(&'static str, ArtifactSource)],
) -> crate::llm::LlmArtifacts {
    crate::llm::LlmArtifacts::new(model, description, files)
}

/// Loads the artifact that fits the backend's device.
///
/// # Errors
/// As `Model::load` of generated code.
pub fn load(backend: &Backend, artifacts: &'static [Artifact], options: &LoadOptions) -> Result<LoadedModel> {
    LoadedModel::load(backend, artifacts, options)
}

/// A tensor as the code was generated for it: name, type and shape.
pub type TensorRow = (&'static str, &'static str, &'static [u64]);

/// A graph whose inputs and outputs are known by their place in the generated code.
#[derive(Clone, Debug)]
pub struct Bound {
    graph: Graph,
    /// Place in the graph of each input, in the generated code's order.
    inputs: Box<[usize]>,
    outputs: Box<[usize]>,
}

/// Holds a graph of a loaded model against what the code was generated for.
///
/// # Errors
/// [`UnknownGraph`](crate::ErrorKind::UnknownGraph), [`OtherShape`](crate::ErrorKind::OtherShape).
pub fn bind(model: &LoadedModel, graph: &str, inputs: &[TensorRow], outputs: &[TensorRow]) -> Result<Bound> {
    let graph = model.graph(graph)?;
    let places = |side: &str, rows: &[TensorRow], tensors: &[crate::TensorInfo]| {
        let other = |what: String| Error::other_shape(model.artifact().model, what);
        if rows.len() != tensors.len() {
            let name = &graph.info().name;
            let (found, known) = (tensors.len(), rows.len());
            return Err(other(format!("graph `{name}` has {found} {side}s, not {known}")));
        }
        let place = |(name, dtype, shape): &TensorRow| {
            let found = tensors.iter().position(|tensor| tensor.name == *name);
            let index = found.ok_or_else(|| other(format!("it has no {side} `{name}`")))?;
            let tensor = &tensors[index];
            let same = tensor.dtype.name() == *dtype
                && tensor.dims.iter().map(|dim| u64::from(*dim)).eq(shape.iter().copied());
            match same {
                true => Ok(index),
                false => Err(other(format!(
                    "its {side} `{name}` is {} {:?}, not {dtype} {shape:?}",
                    tensor.dtype, tensor.dims
                ))),
            }
        };
        rows.iter().map(place).collect::<Result<Box<[usize]>>>()
    };
    let inputs = places("input", inputs, &graph.info().inputs)?;
    let outputs = places("output", outputs, &graph.info().outputs)?;
    Ok(Bound { graph, inputs, outputs })
}

/// Executes with buffers in the generated code's order. Looks for no names and allocates nothing.
///
/// # Errors
/// As [`Graph::execute`].
pub fn run<const I: usize, const O: usize>(
    bound: &Bound,
    inputs: [Tensor<'_>; I],
    outputs: [TensorMut<'_>; O],
) -> Result<()> {
    bound.graph.run_at(inputs.iter().zip(&bound.inputs), outputs.into_iter().zip(&bound.outputs))
}

/// A graph with buffers of its own.
#[derive(Debug)]
pub struct Prepared {
    inner: crate::Prepared,
    inputs: Box<[usize]>,
    outputs: Box<[usize]>,
}

/// Allocates and binds buffers.
///
/// # Errors
/// As [`Graph::prepare`].
pub fn prepare(bound: &Bound) -> Result<Prepared> {
    let Bound { graph, inputs, outputs } = bound.clone();
    Ok(Prepared { inner: graph.prepare()?, inputs, outputs })
}

/// Executes on what is in the inputs.
///
/// # Errors
/// As [`crate::Prepared::run`].
pub fn run_prepared(prepared: &mut Prepared) -> Result<()> {
    prepared.inner.run()
}

/// Whether the NPU shares the memory of the buffers.
pub fn is_shared(prepared: &Prepared) -> bool {
    prepared.inner.is_shared()
}

/// Buffers of all inputs in the generated code's order.
pub fn inputs<const I: usize>(prepared: &mut Prepared) -> [TensorMut<'_>; I] {
    let mut found: [Option<TensorMut<'_>>; I] = [const { None }; I];
    for (index, tensor) in prepared.inner.inputs_mut().enumerate() {
        if let Some(place) = prepared.inputs.iter().position(|at| *at == index) {
            found[place] = Some(tensor);
        }
    }
    found.map(|tensor| tensor.unwrap_or_else(|| unreachable!("`bind` has found a place for every input")))
}

/// Buffers of all outputs in the generated code's order.
pub fn outputs<const O: usize>(prepared: &Prepared) -> [Tensor<'_>; O] {
    let mut found: [Option<Tensor<'_>>; O] = [None; O];
    for (index, tensor) in prepared.inner.outputs().enumerate() {
        if let Some(place) = prepared.outputs.iter().position(|at| *at == index) {
            found[place] = Some(tensor);
        }
    }
    found.map(|tensor| tensor.unwrap_or_else(|| unreachable!("`bind` has found a place for every output")))
}

/// The elements of a buffer of [`inputs`], whose type `bind` has checked.
pub fn elements_mut<'a, T: Element, A>(tensor: TensorMut<'a>) -> &'a mut A
where
    A: ?Sized,
    &'a mut A: TryFrom<&'a mut [T]>,
{
    match tensor.into_elements::<T>().try_into() {
        Ok(elements) => elements,
        Err(_) => unreachable!("`bind` has checked the shape"),
    }
}

/// The elements of a buffer of [`outputs`], whose type `bind` has checked.
pub fn elements<'a, T: Element, A>(tensor: Tensor<'a>) -> &'a A
where
    A: ?Sized,
    &'a A: TryFrom<&'a [T]>,
{
    match tensor.into_elements::<T>().try_into() {
        Ok(elements) => elements,
        Err(_) => unreachable!("`bind` has checked the shape"),
    }
}

/// Elements that [`Preview`] shows of a longer tensor.
const SHOWN: usize = 8;
/// A tensor of at most this many elements is shown whole.
const WHOLE: usize = 32;

/// Shows the beginning of a tensor: an image would fill a terminal for minutes.
pub struct Preview<'a, T>(pub &'a [T]);

impl<T: fmt::Debug> fmt::Debug for Preview<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.len() <= WHOLE {
            return fmt::Debug::fmt(self.0, f);
        }
        let mut list = f.debug_list();
        list.entries(&self.0[..SHOWN]);
        list.entry(&format_args!("… {} elements", self.0.len()));
        list.finish()
    }
}

/// A slice as the array that a tensor is.
///
/// # Errors
/// [`SliceLength`](crate::ErrorKind::SliceLength) with the tensor and both lengths.
pub fn array<'a, T, const N: usize>(graph: &str, tensor: &str, values: &'a [T]) -> Result<&'a [T; N]> {
    values.try_into().map_err(|_| Error::slice_length(graph, tensor, N, values.len()))
}

/// An array of zeros that never was on the stack.
pub fn zeroed<T: Element + Default, const N: usize>() -> Box<[T; N]> {
    let zeros = vec![T::default(); N].into_boxed_slice();
    match zeros.try_into() {
        Ok(zeros) => zeros,
        // An array made here instead would be on the stack.
        Err(_) => unreachable!("a slice of N elements is an array of N elements"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_tensors_are_shown_by_their_beginning() {
        assert_eq!(format!("{:?}", Preview(&[1.5f32, 2.0])), "[1.5, 2.0]");
        let text = format!("{:?}", Preview(&vec![0u8; 3_000_000]));
        assert_eq!(text, "[0, 0, 0, 0, 0, 0, 0, 0, … 3000000 elements]");
    }

    #[test]
    fn a_slice_of_another_length_names_the_tensor_and_both_lengths() {
        assert_eq!(array::<f32, 2>("g", "image", &[1.0, 2.0]).unwrap(), &[1.0, 2.0]);
        let text = array::<f32, 3>("g", "image", &[1.0, 2.0]).unwrap_err().to_string();
        for part in ["`image`", "`g`", "3 elements", "2"] {
            assert!(text.contains(part), "no {part:?} in {text}");
        }
    }

    #[test]
    fn large_arrays_are_made_on_the_heap() {
        let image = zeroed::<f32, { 16 << 20 }>();
        assert_eq!((image.len(), image[1]), (16 << 20, 0.0));
    }
}
