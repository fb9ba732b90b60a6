//! A graph with buffers of its own.

use std::fmt;

use crate::buffer::Buffer;
use crate::call::Call;
use crate::shared_memory::SharedMemory;
use crate::{Element, Error, Graph, GraphInfo, Result, Tensor, TensorInfo, TensorMut};

/// A graph whose inputs and outputs are bound to buffers of its own: write the inputs, run, read the outputs, as often as needed. Made by
/// [`Graph::prepare`].
///
/// A run looks for no names, allocates nothing and tells the library no new addresses. Buffers are zeros at first, and keep what was written
/// to them from run to run.
///
/// ```no_run
/// # fn main() -> qnn::Result<()> {
/// # let backend = qnn::Backend::htp()?;
/// # let device = qnn::Device::for_soc(&backend, 57)?;
/// let context = qnn::Context::from_file(&device, "digits.SM8650.bin")?;
/// let mut digits = context.graph("digits")?.prepare()?;
/// for image in [[0f32; 64], [1f32; 64]] {
///     digits.input::<f32>(0)?.copy_from_slice(&image);
///     digits.run()?;
///     println!("{:?}", digits.output::<f32>(0)?);
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Threads
/// `Send` and `Sync`; a run needs it alone. Runs of one context take turns, also those of several of these.
pub struct Prepared {
    /// Drops before the context that its memory may be registered with.
    call: Call,
    inputs: Vec<Buffer>,
    outputs: Vec<Buffer>,
    graph: Graph,
}

impl Prepared {
    pub(crate) fn new(graph: &Graph) -> Result<Prepared> {
        let loaded = &graph.loaded;
        let shares = loaded.options.shared_memory;
        let allocator = shares.then(|| loaded.owned.backend.core().rpcmem()).flatten();
        let buffer = |tensor: &TensorInfo| {
            if let Some(allocator) = allocator
                && let Some(memory) = SharedMemory::new(allocator, &loaded.owned, tensor)?
            {
                return Ok(Buffer::shared(memory, tensor.byte_len()));
            }
            Ok(Buffer::new(tensor.byte_len()))
        };
        let buffers = |tensors: &[TensorInfo]| tensors.iter().map(buffer).collect::<Result<Vec<_>>>();
        let (inputs, outputs) = (buffers(&graph.info().inputs)?, buffers(&graph.info().outputs)?);
        let encoded = &loaded.graphs[graph.index];
        let mut call = Call::new(&encoded.inputs, &encoded.outputs);
        call.bind_buffers(&inputs, &outputs);
        Ok(Prepared { call, inputs, outputs, graph: graph.clone() })
    }

    /// Executes the graph on what is in the inputs.
    ///
    /// # Errors
    /// [`Vendor`](crate::ErrorKind::Vendor) when the execution fails, [`EmulatedVtcm`](crate::ErrorKind::EmulatedVtcm).
    pub fn run(&mut self) -> Result<()> {
        self.graph.call_bound(&mut self.call)
    }

    /// Names, types and shapes of inputs and outputs.
    pub fn info(&self) -> &GraphInfo {
        self.graph.info()
    }

    /// Whether all buffers are in memory that the NPU shares, see [`crate::LoadOptions::shared_memory`].
    pub fn is_shared(&self) -> bool {
        self.inputs.iter().chain(&self.outputs).all(|buffer| buffer.as_shared().is_some())
    }

    /// Elements of the input at an index of [`Prepared::info`], to write to: row-major.
    ///
    /// # Errors
    /// [`UnknownTensor`](crate::ErrorKind::UnknownTensor) for an index beyond the last, [`TensorType`](crate::ErrorKind::TensorType) for
    /// another type of elements.
    pub fn input<T: Element>(&mut self, index: usize) -> Result<&mut [T]> {
        let info = self.graph.info();
        let tensor = at(info, "input", &info.inputs, index)?;
        tensor.check_type(&info.name, T::DTYPE)?;
        Ok(TensorMut::raw(T::DTYPE, self.inputs[index].bytes_mut()).into_elements())
    }

    /// Elements of the output at an index of [`Prepared::info`], as the last run left them: row-major.
    ///
    /// # Errors
    /// As [`Prepared::input`].
    pub fn output<T: Element>(&self, index: usize) -> Result<&[T]> {
        let info = self.graph.info();
        let tensor = at(info, "output", &info.outputs, index)?;
        tensor.check_type(&info.name, T::DTYPE)?;
        Ok(Tensor::raw(T::DTYPE, self.outputs[index].bytes()).into_elements())
    }

    /// Index of an input, for [`Prepared::input`].
    ///
    /// # Errors
    /// [`UnknownTensor`](crate::ErrorKind::UnknownTensor) with the names there are.
    pub fn input_index(&self, name: &str) -> Result<usize> {
        let info = self.info();
        position(info, "input", &info.inputs, name)
    }

    /// Index of an output, for [`Prepared::output`].
    ///
    /// # Errors
    /// [`UnknownTensor`](crate::ErrorKind::UnknownTensor) with the names there are.
    pub fn output_index(&self, name: &str) -> Result<usize> {
        let info = self.info();
        position(info, "output", &info.outputs, name)
    }

    /// All inputs at once, in the graph's order.
    pub(crate) fn inputs_mut(&mut self) -> impl Iterator<Item = TensorMut<'_>> {
        let tensors = &self.graph.loaded.info.graphs[self.graph.index].inputs;
        let raw =
            |(tensor, buffer): (&TensorInfo, _)| TensorMut::raw(tensor.dtype, Buffer::bytes_mut(buffer));
        tensors.iter().zip(&mut self.inputs).map(raw)
    }

    /// All outputs at once, in the graph's order.
    pub(crate) fn outputs(&self) -> impl Iterator<Item = Tensor<'_>> {
        let raw = |(tensor, buffer): (&TensorInfo, _)| Tensor::raw(tensor.dtype, Buffer::bytes(buffer));
        self.info().outputs.iter().zip(&self.outputs).map(raw)
    }
}

fn at<'a>(graph: &GraphInfo, side: &str, tensors: &'a [TensorInfo], index: usize) -> Result<&'a TensorInfo> {
    tensors.get(index).ok_or_else(|| unknown(graph, side, tensors, &index.to_string()))
}

fn position(graph: &GraphInfo, side: &str, tensors: &[TensorInfo], name: &str) -> Result<usize> {
    let found = tensors.iter().position(|tensor| tensor.name == name);
    found.ok_or_else(|| unknown(graph, side, tensors, name))
}

fn unknown(graph: &GraphInfo, side: &str, tensors: &[TensorInfo], name: &str) -> Error {
    Error::unknown_tensor(&graph.name, side, name, tensors.iter().map(|tensor| tensor.name.clone()).collect())
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prepared({:?}, shared memory: {})", self.graph, self.is_shared())
    }
}
