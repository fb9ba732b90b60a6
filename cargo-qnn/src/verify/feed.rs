//! Inputs for verification: the same numbers in the model file's form, and in the form that the app passes.

use std::path::{Path, PathBuf};

use qnn::DataType;
use qnn_compiler::npz::Array;
use qnn_manifest::ModelValue;
use qnn_types::Affine;
use qnn_types::{Diagnostic, GraphInfo, GraphSpec, InputSpec, TensorInfo};

use super::arrays::{Arrays, channels_first, channels_last, from_f64, is_float, read_where, stored, to_f64};
use super::generate::{Random, default_range};
use crate::codes;
use crate::failure::{Failure, Result, list};

/// Where the numbers come from.
pub(crate) enum Inputs {
    /// An `.npz` file with one array per input, in the dtype and layout of the model file or in those of the app.
    File(PathBuf),
    /// Random numbers.
    Generated { seed: u64, range: Option<(f64, f64)> },
}

/// Inputs of a graph, before anything is compiled.
pub(super) struct Feed<'a> {
    ports: Vec<Port<'a>>,
    given: Given,
}

enum Given {
    /// An array for each port, in its form.
    Arrays(Vec<(Array, Form)>),
    Generated {
        seed: u64,
        range: Option<(f64, f64)>,
    },
}

/// Whose dtype and layout an array has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Model,
    App,
}

/// An input with all that is said of it.
struct Port<'a> {
    declared: &'a ModelValue,
    spec: InputSpec,
    /// Dimensions as the model file has them, where these are known without the compile.
    shape: Option<Vec<u64>>,
}

impl<'a> Feed<'a> {
    /// Reads the arrays, and holds them against the model.
    ///
    /// # Errors
    /// `E0802` for the file, `E0803` for every array that is missing or does not fit.
    pub(super) fn new(spec: &GraphSpec, declared: &'a [ModelValue], inputs: &Inputs) -> Result<Self> {
        let ports: Vec<Port<'a>> = declared.iter().map(|declared| Port::new(spec, declared)).collect();
        let given = match inputs {
            Inputs::Generated { seed, range } => Given::Generated { seed: *seed, range: *range },
            Inputs::File(file) => Given::Arrays(arrays_of(&ports, file)?),
        };
        Ok(Self { ports, given })
    }

    /// The same numbers twice: as the context binary takes them, and as the model file takes them.
    ///
    /// # Errors
    /// `E0803` for numbers that the binary's dtype cannot hold.
    pub(super) fn arrays(&self, graph: &GraphInfo) -> Result<(Arrays, Arrays)> {
        let (mut border, mut model) = (Vec::new(), Vec::new());
        for (index, port) in self.ports.iter().enumerate() {
            let name = &port.declared.name;
            // An input that no output depends on is not in the context binary; the reference engine wants it all the same.
            let info = graph.inputs.iter().find(|input| input.name == *name);
            let shape = port.shape.clone().unwrap_or_else(|| port.turned_back(info));
            let affine = port.normalization(&shape)?;
            let (at_border, at_model) = match &self.given {
                Given::Arrays(arrays) => {
                    let (array, form) = &arrays[index];
                    // Floats are rounded on their way to the device's integers; integers have to be the same there.
                    if let Some(info) = info.filter(|_| *form == Form::App || !port.is_real()) {
                        held(name, array, info)?;
                    }
                    port.twice(&to_f64(array, None), *form, &shape, affine.as_ref(), info)
                }
                Given::Generated { seed, range } => {
                    let mut random = Random::new(seed.wrapping_add(index as u64));
                    let count = shape.iter().product::<u64>() as usize;
                    let values = random.uniform(count, range.unwrap_or_else(|| port.range(info)));
                    // The numbers are the app's, in the model's order.
                    let values =
                        if port.nhwc() { channels_last(&values, &app_shape(&shape)) } else { values };
                    port.twice(&values, Form::App, &shape, affine.as_ref(), info)
                }
            };
            border.extend(at_border.map(|array| (name.clone(), array)));
            model.push((name.clone(), at_model));
        }
        Ok((border, model))
    }
}

impl<'a> Port<'a> {
    fn new(graph: &GraphSpec, declared: &'a ModelValue) -> Self {
        let spec = graph.inputs.get(&declared.name).cloned().unwrap_or_default();
        let fixed =
            || declared.shape.as_ref().and_then(|dims| dims.iter().copied().collect::<Option<Vec<u64>>>());
        let shape = spec.shape.clone().or_else(fixed);
        Self { declared, spec, shape }
    }

    fn nhwc(&self) -> bool {
        self.spec.layout.as_deref() == Some("nhwc")
    }

    /// Whether the model's own numbers are floats. Those of a quantized input are the integers that are stored, and stay these.
    fn is_real(&self) -> bool {
        is_float(dtype_of(&self.declared.dtype))
    }

    /// The dtype that the app hands over.
    fn app_dtype(&self) -> DataType {
        match (self.spec.dtype.as_deref(), self.declared.dtype.as_str()) {
            (Some(said), _) => dtype_of(said),
            (None, "int64" | "uint64" | "uint32") => DataType::Int32,
            (None, "float64" | "bfloat16") => DataType::Float32,
            (None, declared) => dtype_of(declared),
        }
    }

    /// The model's dimensions from those of the binary.
    fn turned_back(&self, info: Option<&TensorInfo>) -> Vec<u64> {
        let dims = info.map(|info| info.shape.clone()).unwrap_or_default();
        match dims.as_slice() {
            [batch, space @ .., channels] if self.nhwc() => [&[*batch, *channels], space].concat(),
            _ => dims,
        }
    }

    /// What the graph makes of the app's numbers, where that is not themselves.
    fn normalization(&self, shape: &[u64]) -> Result<Option<Affine>> {
        let dims: Vec<Option<u64>> = shape.iter().copied().map(Some).collect();
        let affine = self.spec.normalization();
        let affine =
            affine.map(|affine| affine.of(&self.declared.name, &self.declared.dtype, &dims)).transpose();
        Ok(affine?)
    }

    /// Which random numbers are likely: for stored integers of a quantized input, all there are.
    fn range(&self, info: Option<&TensorInfo>) -> (f64, f64) {
        let dtype = info.map_or(self.declared.dtype.as_str(), |info| info.dtype.as_str());
        default_range(dtype, !self.is_real() && info.is_some_and(|info| info.encoding.is_some()))
    }

    /// The numbers as the model's bfloat16 has them, where that is what it takes and the app passes no other type.
    fn digits(&self, values: &[f64]) -> Vec<f64> {
        let brain = self.declared.dtype == "bfloat16" && self.spec.normalization().is_none();
        if brain { to_f64(&from_f64(values, DataType::BFloat16, &[]), None) } else { values.to_vec() }
    }

    /// Numbers in the app's form, where the binary has the input, and in the model's.
    fn twice(
        &self,
        given: &[f64],
        form: Form,
        shape: &[u64],
        affine: Option<&Affine>,
        info: Option<&TensorInfo>,
    ) -> (Option<Array>, Array) {
        let app = if self.nhwc() { app_shape(shape) } else { shape.to_vec() };
        let to_model = |values: &[f64]| {
            let mut values = if self.nhwc() { channels_first(values, &app) } else { values.to_vec() };
            affine.iter().for_each(|affine| affine.apply(&mut values, shape));
            values
        };
        let batch = batch(given.len(), shape);
        let given = &self.digits(given);
        let model =
            |values: &[f64]| from_f64(values, dtype_of(&self.declared.dtype), &with_batch(batch, shape));
        let Some(info) = info else {
            return (None, if form == Form::App { model(&to_model(given)) } else { model(given) });
        };
        let encoding = info.encoding.as_ref().filter(|_| self.is_real());
        let values = match form {
            Form::App => given.to_vec(),
            Form::Model => {
                let mut values = given.to_vec();
                affine.iter().for_each(|affine| affine.undo(&mut values, shape));
                if self.nhwc() { channels_last(&values, &app) } else { values }
            }
        };
        let dims = with_batch(batch, &info.shape);
        let at_border = from_f64(&stored(&values, encoding, &dims), dtype_of(&info.dtype), &dims);
        // What the border cannot express, the reference must not see either.
        let at_model = model(&to_model(&to_f64(&at_border, encoding)));
        (Some(at_border), at_model)
    }

    /// Which form an array has, or why it fits none.
    fn form(&self, dtype: DataType, dims: &[u64]) -> Result<Form, Diagnostic> {
        let Some(shape) = &self.shape else { return Ok(Form::Model) };
        let app = if self.nhwc() { app_shape(shape) } else { shape.clone() };
        let (declared, own) = (dtype_of(&self.declared.dtype), self.app_dtype());
        // NumPy's own defaults are float64 and int64.
        let counts = dtype == declared || is_float(declared) || !is_float(dtype);
        if has_shape(dims, shape) && dtype == declared {
            Ok(Form::Model)
        } else if has_shape(dims, &app) && dtype == own {
            Ok(Form::App)
        } else if has_shape(dims, shape) && counts {
            Ok(Form::Model)
        } else {
            Err(self.misfit(dtype, dims, shape, &app))
        }
    }

    fn misfit(&self, dtype: DataType, dims: &[u64], shape: &[u64], app: &[u64]) -> Diagnostic {
        let name = &self.declared.name;
        let problem = Diagnostic::new(codes::ARRAYS, format!("the array for input `{name}` does not fit it"))
            .note(format!("the array is {dtype} {dims:?}"))
            .note(format!("the model takes {} {shape:?}, or batches of that", self.declared.dtype));
        let problem = match (self.app_dtype().name(), app) {
            (own, dims) if own != self.declared.dtype || dims != shape => {
                problem.note(format!("the app takes {own} {dims:?}"))
            }
            _ => problem,
        };
        let own = &dims[dims.len().saturating_sub(shape.len())..];
        if shape.len() >= 3 && own == app_shape(shape) && !self.nhwc() {
            return problem.help(format!(
                "the array has its channels last: transpose it, or compile the model so: --input {name}=::nhwc, in Cargo.toml \
                 inputs.{name}.layout = \"nhwc\""
            ));
        }
        problem
    }
}

/// An array for each input, whose header fits before its data is read.
fn arrays_of(ports: &[Port<'_>], file: &Path) -> Result<Vec<(Array, Form)>> {
    let mut misfits = Vec::new();
    let port = |name: &str| ports.iter().find(|port| port.declared.name == name);
    let mut names = Vec::new();
    let mut arrays = read_where(file, |name, dtype, dims| {
        names.push(name.to_owned());
        let Some(port) = port(name) else { return false };
        match port.form(dtype, dims) {
            Ok(_) => true,
            Err(problem) => {
                misfits.push(problem);
                false
            }
        }
    })?;
    let mut found = Vec::new();
    for port in ports {
        let name = &port.declared.name;
        match arrays.iter().position(|(other, _)| other == name) {
            Some(at) => {
                let (_, array) = arrays.swap_remove(at);
                let form = port.form(array.dtype, &array.shape)?;
                found.push((array, form));
            }
            None if names.contains(name) => {}
            None => misfits.push(
                Diagnostic::new(codes::ARRAYS, format!("there is no array for input `{name}`"))
                    .note(format!("the file has {}", list(&names))),
            ),
        }
    }
    match misfits.is_empty() {
        true => Ok(found),
        false => Err(misfits.into_iter().fold(Failure::silent(crate::exit::Exit::User), |mut all, one| {
            all.problems.push(one.at(file.display().to_string()));
            all
        })),
    }
}

/// Refuses integers that the binary's integers cannot hold: they would be others there.
fn held(name: &str, array: &Array, info: &TensorInfo) -> Result<()> {
    let dtype = dtype_of(&info.dtype);
    if is_float(dtype) || is_float(array.dtype) {
        return Ok(());
    }
    let values = to_f64(array, None);
    let kept = to_f64(&from_f64(&values, dtype, &array.shape), None);
    match values.iter().zip(&kept).find(|(value, kept)| value != kept && dtype != DataType::Bool) {
        None => Ok(()),
        Some((value, _)) => {
            let message = format!("the array for input `{name}` holds {value}, which {dtype} cannot");
            Err(Diagnostic::new(codes::ARRAYS, message)
                .note(format!("the compiled model takes this input as {dtype}"))
                .into())
        }
    }
}

/// Whether dimensions are those of an input, or a batch of it. Scalars are tensors of one element on HTP.
fn has_shape(found: &[u64], wanted: &[u64]) -> bool {
    let scalar = |dims: &[u64]| dims.iter().all(|dim| *dim == 1) && dims.len() <= 1;
    found == wanted
        || (scalar(found) && scalar(wanted))
        || found.split_first().is_some_and(|(samples, rest)| *samples > 0 && rest == wanted)
}

/// Batch, space, channels of batch, channels, space.
fn app_shape(shape: &[u64]) -> Vec<u64> {
    match shape {
        [batch, channels, space @ ..] => [&[*batch], space, &[*channels]].concat(),
        _ => shape.to_vec(),
    }
}

/// Samples in `count` elements of a tensor.
fn batch(count: usize, dims: &[u64]) -> Option<u64> {
    let one = dims.iter().product::<u64>().max(1);
    let samples = count as u64 / one;
    (samples > 1).then_some(samples)
}

fn with_batch(batch: Option<u64>, dims: &[u64]) -> Vec<u64> {
    batch.into_iter().chain(dims.iter().copied()).collect()
}

fn dtype_of(name: &str) -> DataType {
    DataType::from_name(name).unwrap_or(DataType::Float32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> ModelValue {
        ModelValue {
            name: "image".into(),
            dtype: "float32".into(),
            shape: Some(vec![Some(1), Some(3), Some(4), Some(4)]),
            symbols: Vec::new(),
        }
    }

    fn form(spec: &InputSpec, dtype: DataType, dims: &[u64]) -> Result<Form, Diagnostic> {
        let image = image();
        Port { declared: &image, spec: spec.clone(), shape: Some(vec![1, 3, 4, 4]) }.form(dtype, dims)
    }

    #[test]
    fn arrays_are_the_models_or_the_apps() {
        let app =
            InputSpec { dtype: Some("uint8".into()), layout: Some("nhwc".into()), ..InputSpec::default() };
        assert_eq!(form(&app, DataType::Uint8, &[1, 4, 4, 3]).unwrap(), Form::App);
        assert_eq!(form(&app, DataType::Uint8, &[9, 1, 4, 4, 3]).unwrap(), Form::App);
        assert_eq!(form(&app, DataType::Float64, &[1, 3, 4, 4]).unwrap(), Form::Model);
        let both = form(&app, DataType::Float32, &[1, 4, 4, 3]).unwrap_err();
        assert_eq!(both.notes.len(), 3, "{both:?}");
        assert!(both.notes[0].contains("float32 [1, 4, 4, 3]") && both.notes[1].contains("[1, 3, 4, 4]"));
    }

    #[test]
    fn channels_that_are_last_are_told() {
        let plain = InputSpec::default();
        let found = form(&plain, DataType::Float32, &[1, 4, 4, 3]).unwrap_err();
        assert!(found.help.unwrap().contains("channels last"));
        assert!(form(&plain, DataType::Float32, &[1, 4, 4, 4]).unwrap_err().help.is_none());
    }

    #[test]
    fn integers_beyond_the_binarys_are_refused() {
        let ids = from_f64(&[1.0, 3e9], DataType::Int64, &[2]);
        let (name, dtype) = ("ids".into(), "int32".into());
        let info = TensorInfo { name, dtype, shape: vec![2], ..TensorInfo::default() };
        let failure = held("ids", &ids, &info).unwrap_err();
        assert!(failure.message().contains("3000000000"), "{}", failure.message());
        assert!(held("ids", &from_f64(&[-7.0], DataType::Int64, &[1]), &info).is_ok());
    }
}
