//! Types of the graph's inputs: what the model says, with the free dimensions fixed by the app.

use qnn_platform::nearest::nearest;
use qnn_types::{Diagnostic, InputSpec};
use std::collections::{BTreeMap, HashMap};

use super::element;
use super::proto::{DimensionValue, GraphProto, TypeValue, ValueInfoProto};
use crate::graph::{DType, TensorType};
use crate::infer::{dims, volume};
use crate::problem::problem;

/// A dimension as the model has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Dim {
    Fixed(usize),
    /// Free; with the symbol's name where it has one.
    Free(Option<String>),
}

/// dtype and dimensions of an input as the model has them; no dimensions where not even their number is known.
pub(super) fn declared(info: &ValueInfoProto) -> Result<(DType, Option<Vec<Dim>>), String> {
    let kind = match info.r#type.as_ref().and_then(|t| t.value.as_ref()) {
        Some(TypeValue::Tensor(tensor)) => {
            let dtype = element::dtype(tensor.elem_type.into())?;
            let dim = |value: &Option<DimensionValue>| match value {
                Some(DimensionValue::Value(v)) => match usize::try_from(*v) {
                    Ok(v) if v > 0 => Dim::Fixed(v),
                    _ => Dim::Free(None),
                },
                Some(DimensionValue::Param(p)) if !p.is_empty() && p != "?" => Dim::Free(Some(p.clone())),
                _ => Dim::Free(None),
            };
            return Ok((dtype, tensor.shape.as_ref().map(|s| s.dim.iter().map(|d| dim(&d.value)).collect())));
        }
        Some(TypeValue::Sequence(_)) => "a sequence",
        Some(TypeValue::Map(_)) => "a map",
        Some(TypeValue::Opaque(_)) => "opaque",
        Some(TypeValue::SparseTensor(_)) => "a sparse tensor",
        Some(TypeValue::Optional(_)) => "optional",
        None => "of no type",
    };
    Err(format!("it is {kind}, not a tensor"))
}

/// What came of the inputs.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    /// One for each input asked about; `None` where there is a problem with it.
    pub(super) types: Vec<Option<TensorType>>,
    pub(super) problems: Vec<Diagnostic>,
    pub(super) warnings: Vec<Diagnostic>,
}

struct Input<'a> {
    name: &'a str,
    dtype: DType,
    dims: Option<Vec<Dim>>,
    shape: Option<&'a [u64]>,
}

/// The types that a graph says of its values, those without free dimensions.
pub(super) fn static_types(graph: &GraphProto) -> HashMap<&str, TensorType> {
    let typed = |info: &'_ ValueInfoProto| -> Option<TensorType> {
        let (dtype, dims) = declared(info).ok()?;
        let fixed = |dim: &Dim| match dim {
            Dim::Fixed(extent) => Some(*extent),
            _ => None,
        };
        let shape = dims?.iter().map(fixed).collect::<Option<Vec<usize>>>()?;
        volume(&shape).ok()?;
        Some(TensorType::new(dtype, shape))
    };
    let all = graph.value_info.iter().chain(&graph.output);
    all.filter_map(|info| Some((&*info.name, typed(info)?))).collect()
}

/// Types the inputs that the wanted outputs need. `all` are the names of all inputs of the model.
pub(super) fn types(needed: &[&ValueInfoProto], all: &[&str], specs: &BTreeMap<String, InputSpec>) -> Inputs {
    let mut out = Inputs::default();
    for name in specs.keys().filter(|name| !all.contains(&&***name)) {
        let near = nearest(name, all.iter().copied(), 1);
        out.problems.push(Diagnostic {
            notes: vec![format!("inputs of the model: {}", all.join(", "))],
            help: near.first().map(|n| format!("did you mean '{n}'?")),
            ..problem("E0111", format!("the model has no input '{name}'"))
        });
    }
    let mut inputs = Vec::new();
    for info in needed {
        match declared(info) {
            Ok((dtype, dims)) => {
                let shape = specs.get(&info.name).and_then(|s| s.shape.as_deref());
                inputs.push(Some(Input { name: &info.name, dtype, dims, shape }));
            }
            Err(why) => {
                out.problems.push(problem("E0216", format!("input '{}' cannot be used: {why}", info.name)));
                inputs.push(None);
            }
        }
    }
    let mut symbols: HashMap<&str, (usize, &str)> = HashMap::new();
    let mut fits = Vec::with_capacity(inputs.len());
    for input in &inputs {
        let checked = input.as_ref().map_or(Ok(()), |input| check(input, &mut symbols, &mut out.warnings));
        fits.push(checked.is_ok());
        out.problems.extend(checked.err());
    }
    let refused = !out.problems.is_empty();
    let mut free = Vec::new();
    for (input, fits) in inputs.iter().zip(fits) {
        let Some(input) = input.as_ref().filter(|_| fits) else {
            out.types.push(None);
            continue;
        };
        let shape = shape(input, &symbols);
        if shape.is_none() {
            free.push(input);
        }
        let ty = shape.map(|shape| TensorType::new(input.dtype, shape));
        let small = ty.as_ref().is_none_or(|ty| volume(&ty.shape).is_ok());
        if !small {
            out.problems.push(problem("E0209", format!("the shape of input '{}' is too large", input.name)));
        }
        out.types.push(ty.filter(|_| small));
    }
    if !free.is_empty() && !refused {
        out.problems.push(not_fixed(&free, &symbols));
    }
    out
}

/// Holds a given shape against the model's, and notes what it says about symbols.
fn check<'a>(
    input: &'a Input<'_>,
    symbols: &mut HashMap<&'a str, (usize, &'a str)>,
    warnings: &mut Vec<Diagnostic>,
) -> Result<(), Diagnostic> {
    let Some(shape) = input.shape else { return Ok(()) };
    let bad = |message: String| Diagnostic {
        notes: vec![format!("the model declares {}", declared_text(input.dims.as_deref()))],
        ..problem("E0209", message)
    };
    let given = shape.iter().map(u64::to_string).collect::<Vec<_>>().join("x");
    if let Some(d) = shape.iter().find(|d| **d == 0 || **d > crate::infer::LIMIT) {
        return Err(bad(format!("shape {given} given for input '{}' has a dimension of {d}", input.name)));
    }
    let Some(dims) = &input.dims else { return Ok(()) };
    if dims.len() != shape.len() {
        return Err(bad(format!(
            "shape {given} given for input '{}' has {} dimensions, the model's has {}",
            input.name,
            shape.len(),
            dims.len()
        )));
    }
    for (i, (dim, given_dim)) in dims.iter().zip(shape).enumerate() {
        let size = *given_dim as usize;
        match dim {
            Dim::Fixed(d) if *d != size => {
                return Err(bad(format!(
                    "shape {given} given for input '{}' contradicts the model: dimension {i} is fixed at {d}",
                    input.name
                )));
            }
            Dim::Free(Some(symbol)) => match symbols.get(&**symbol) {
                Some((other, first)) if *other != size => warnings.push(problem(
                    "E0209",
                    format!("'{symbol}' is {other} by input '{first}' and {size} by input '{}'", input.name),
                )),
                Some(_) => {}
                None => {
                    symbols.insert(symbol, (size, input.name));
                }
            },
            _ => {}
        }
    }
    Ok(())
}

/// The static shape, where there is one: given, or declared with symbols that other inputs fix.
fn shape(input: &Input<'_>, symbols: &HashMap<&str, (usize, &str)>) -> Option<Vec<usize>> {
    if let Some(shape) = input.shape {
        return shape.iter().map(|d| usize::try_from(*d).ok()).collect();
    }
    let fixed = |dim: &Dim| match dim {
        Dim::Fixed(d) => Some(*d),
        Dim::Free(Some(symbol)) => symbols.get(&**symbol).map(|s| s.0),
        Dim::Free(None) => None,
    };
    input.dims.as_ref()?.iter().map(fixed).collect()
}

/// Dimensions for messages: free ones by their symbol or as `?`.
fn declared_text(dims: Option<&[Dim]>) -> String {
    let Some(dims) = dims else { return "no shape".to_owned() };
    let one = |dim: &Dim| match dim {
        Dim::Fixed(d) => d.to_string(),
        Dim::Free(Some(symbol)) => symbol.clone(),
        Dim::Free(None) => "?".to_owned(),
    };
    format!("[{}]", dims.iter().map(one).collect::<Vec<_>>().join(", "))
}

fn not_fixed(free: &[&Input<'_>], symbols: &HashMap<&str, (usize, &str)>) -> Diagnostic {
    let mut notes = Vec::new();
    let (mut manifest, mut flags) = (Vec::new(), Vec::new());
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    for input in free {
        notes.push(format!(
            "input '{}' is {} {}",
            input.name,
            input.dtype,
            declared_text(input.dims.as_deref())
        ));
        let example: Vec<usize> = match &input.dims {
            Some(dims) => {
                dims.iter().enumerate().map(|(i, dim)| example(i, dims.len(), dim, symbols)).collect()
            }
            None => vec![1, 3, 224, 224],
        };
        for (dim, size) in input.dims.iter().flatten().zip(&example) {
            if let Dim::Free(Some(symbol)) = dim
                && !symbols.contains_key(&**symbol)
            {
                sizes.entry(symbol).or_insert(*size);
            }
        }
        manifest.push(format!("inputs.{} = {{ shape = {example:?} }}", key(input.name)));
        flags.push(format!("--input {}={}", input.name, dims(&example)));
    }
    // Names for all that is free: shorter to say, and the same in every input.
    let named = |input: &&Input<'_>| input.dims.as_ref().is_some_and(|dims| !dims.contains(&Dim::Free(None)));
    if free.iter().all(named) {
        let list: Vec<String> = sizes.iter().map(|(name, size)| format!("{} = {size}", key(name))).collect();
        manifest = vec![format!("dims = {{ {} }}", list.join(", "))];
        flags = sizes.iter().map(|(name, size)| format!("--dim {name}={size}")).collect();
    }
    let names = free.iter().map(|i| format!("'{}'", i.name)).collect::<Vec<_>>().join(", ");
    let plural = if free.len() == 1 { "input" } else { "inputs" };
    Diagnostic {
        notes,
        help: Some(format!(
            "fix every dimension in Cargo.toml, under the model's table:\n{}\nor on the command line: {}",
            manifest.join("\n"),
            flags.join(" ")
        )),
        ..problem("E0112", format!("the shape of {plural} {names} is not fixed"))
    }
}

/// A name as a TOML key.
fn key(name: &str) -> String {
    if name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.escape_default())
    }
}

/// A plausible extent for an example.
fn example(axis: usize, rank: usize, dim: &Dim, symbols: &HashMap<&str, (usize, &str)>) -> usize {
    match dim {
        Dim::Fixed(d) => *d,
        Dim::Free(Some(symbol)) if symbols.contains_key(&**symbol) => symbols[&**symbol].0,
        Dim::Free(_) if axis == 0 => 1,
        Dim::Free(_) if rank == 4 => 224,
        Dim::Free(_) => 128,
    }
}
