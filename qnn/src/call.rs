//! What the library is handed when a graph is executed: a list of tensors for each side, made once; of an execution only the addresses
//! of its buffers are new.

use qnn_sys::types::{ClientBuffer, Tensor as RawTensor, TensorMemType};

use crate::buffer::Buffer;
use crate::encode::EncodedTensor;
use crate::{Error, GraphInfo, Result, Tensor, TensorInfo, TensorMut};

/// The lists of one graph.
pub(crate) struct Call {
    pub(crate) inputs: Vec<RawTensor>,
    pub(crate) outputs: Vec<RawTensor>,
}

// SAFETY: the pointers lead to memory of the graph's `EncodedTensor`s, which nobody changes, and to buffers, which are only used in
// an execution that borrows them or owns them.
#[expect(unsafe_code, reason = "raw pointers")]
unsafe impl Send for Call {}
// SAFETY: as above; shared references only read.
#[expect(unsafe_code, reason = "raw pointers")]
unsafe impl Sync for Call {}

impl Call {
    /// Lists without buffers. `inputs` and `outputs` must outlive this.
    pub(crate) fn new(inputs: &[EncodedTensor], outputs: &[EncodedTensor]) -> Call {
        let list = |tensors: &[EncodedTensor]| tensors.iter().map(|tensor| tensor.raw).collect();
        Call { inputs: list(inputs), outputs: list(outputs) }
    }

    /// Gives every tensor its buffer, in the graph's order.
    pub(crate) fn bind(
        &mut self,
        info: &GraphInfo,
        inputs: &[Tensor<'_>],
        outputs: &mut [TensorMut<'_>],
    ) -> Result<()> {
        count(info, "input", &info.inputs, inputs.len())?;
        count(info, "output", &info.outputs, outputs.len())?;
        for ((raw, tensor), given) in self.inputs.iter_mut().zip(&info.inputs).zip(inputs) {
            bind_input(raw, info, tensor, given)?;
        }
        for ((raw, tensor), given) in self.outputs.iter_mut().zip(&info.outputs).zip(outputs) {
            bind_output(raw, info, tensor, given)?;
        }
        Ok(())
    }

    /// Gives every tensor its buffer, each with its place in the graph.
    pub(crate) fn bind_at<'a, 'b: 'a>(
        &mut self,
        info: &GraphInfo,
        inputs: impl Iterator<Item = (&'a Tensor<'b>, &'a usize)>,
        outputs: impl Iterator<Item = (TensorMut<'b>, &'a usize)>,
    ) -> Result<()> {
        self.inputs.iter_mut().chain(&mut self.outputs).for_each(unbind);
        for (given, at) in inputs {
            bind_input(&mut self.inputs[*at], info, &info.inputs[*at], given)?;
        }
        for (mut given, at) in outputs {
            bind_output(&mut self.outputs[*at], info, &info.outputs[*at], &mut given)?;
        }
        bound(info, "input", &info.inputs, &self.inputs)?;
        bound(info, "output", &info.outputs, &self.outputs)
    }

    /// Gives every tensor its buffer, by name, in any order; in the graph's own there is nothing to search.
    pub(crate) fn bind_by_name(
        &mut self,
        info: &GraphInfo,
        inputs: &[(&str, Tensor<'_>)],
        outputs: &mut [(&str, TensorMut<'_>)],
    ) -> Result<()> {
        self.inputs.iter_mut().chain(&mut self.outputs).for_each(unbind);
        for (at, (name, given)) in inputs.iter().enumerate() {
            let index = position(info, "input", &info.inputs, at, name)?;
            once(&self.inputs[index], info, "input", name, || {
                inputs.iter().filter(|row| row.0 == *name).count()
            })?;
            bind_input(&mut self.inputs[index], info, &info.inputs[index], given)?;
        }
        let names = |outputs: &[(&str, TensorMut<'_>)], name: &str| {
            outputs.iter().filter(|row| row.0 == name).count()
        };
        for at in 0..outputs.len() {
            let name = outputs[at].0;
            let index = position(info, "output", &info.outputs, at, name)?;
            once(&self.outputs[index], info, "output", name, || names(outputs, name))?;
            bind_output(&mut self.outputs[index], info, &info.outputs[index], &mut outputs[at].1)?;
        }
        bound(info, "input", &info.inputs, &self.inputs)?;
        bound(info, "output", &info.outputs, &self.outputs)
    }

    /// Gives every tensor a buffer of its own, for all executions.
    pub(crate) fn bind_buffers(&mut self, inputs: &[Buffer], outputs: &[Buffer]) {
        let tensors = self.inputs.iter_mut().chain(&mut self.outputs);
        for (raw, buffer) in tensors.zip(inputs.iter().chain(outputs)) {
            match buffer.as_shared() {
                None => set(raw, buffer.as_ptr(), buffer.bytes().len()),
                Some(memory) => {
                    if let Some(common) = raw.common_mut() {
                        common.mem_type = TensorMemType::MEMHANDLE;
                        common.data.mem_handle = memory.handle;
                    }
                }
            }
        }
    }
}

fn set(raw: &mut RawTensor, data: *mut u8, len: usize) {
    if let Some(common) = raw.common_mut() {
        // A tensor has at most 4 GiB: `TensorInfo::new` sees to it.
        let data_size = u32::try_from(len).unwrap_or(u32::MAX);
        common.data.client_buffer = ClientBuffer { data: data.cast(), data_size };
    }
}

fn unbind(raw: &mut RawTensor) {
    if let Some(common) = raw.common_mut() {
        common.data.client_buffer = ClientBuffer::NULL;
    }
}

#[expect(unsafe_code, reason = "reads a union")]
fn is_bound(raw: &RawTensor) -> bool {
    // SAFETY: tensors that are bound by name have client buffers, all of them.
    raw.common().is_some_and(|common| !unsafe { common.data.client_buffer }.data.is_null())
}

fn bind_input(raw: &mut RawTensor, graph: &GraphInfo, tensor: &TensorInfo, given: &Tensor<'_>) -> Result<()> {
    let bytes = given.bytes();
    tensor.check(&graph.name, given.dtype(), bytes.as_ptr(), bytes.len())?;
    // The library only reads inputs, although its struct has no const pointer for them.
    set(raw, bytes.as_ptr().cast_mut(), bytes.len());
    Ok(())
}

fn bind_output(
    raw: &mut RawTensor,
    graph: &GraphInfo,
    tensor: &TensorInfo,
    given: &mut TensorMut<'_>,
) -> Result<()> {
    let dtype = given.dtype();
    let bytes = given.bytes_mut();
    tensor.check(&graph.name, dtype, bytes.as_ptr(), bytes.len())?;
    set(raw, bytes.as_mut_ptr(), bytes.len());
    Ok(())
}

/// Index of a name, which is likely `at`.
fn position(graph: &GraphInfo, side: &str, tensors: &[TensorInfo], at: usize, name: &str) -> Result<usize> {
    let here = tensors.get(at).filter(|tensor| tensor.name == name).map(|_| at);
    here.or_else(|| tensors.iter().position(|tensor| tensor.name == name)).ok_or_else(|| {
        let known = tensors.iter().map(|tensor| tensor.name.clone()).collect();
        Error::unknown_tensor(&graph.name, side, name, known)
    })
}

fn once(
    raw: &RawTensor,
    graph: &GraphInfo,
    side: &str,
    name: &str,
    given: impl FnOnce() -> usize,
) -> Result<()> {
    match is_bound(raw) {
        true => Err(Error::tensor_count(&graph.name, side, name, given())),
        false => Ok(()),
    }
}

fn bound(graph: &GraphInfo, side: &str, tensors: &[TensorInfo], raw: &[RawTensor]) -> Result<()> {
    match raw.iter().position(|raw| !is_bound(raw)) {
        Some(missing) => Err(Error::tensor_count(&graph.name, side, &tensors[missing].name, 0)),
        None => Ok(()),
    }
}

fn count(graph: &GraphInfo, side: &str, tensors: &[TensorInfo], given: usize) -> Result<()> {
    match given == tensors.len() {
        true => Ok(()),
        false => Err(Error::list_length(&graph.name, side, tensors.len(), given)),
    }
}
