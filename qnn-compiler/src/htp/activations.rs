//! Which activations the library joins with the layer before them.
//!
//! With one graph option the library computes GELU, SiLU, sigmoid and tanh as straight lines in the output stage of a convolution or
//! matrix product. They take no time there, and have 45 to 50 dB where ops of their own have 65 to 75; tanh of small numbers has 29. The option is the whole graph's,
//! so an activation that shall stay exact gets a clamp at the ends of fp16 before it, which changes nothing, costs nothing in the same
//! output stage, and is what the library looks at instead.
//!
//! The error of a joined sigmoid is a part of one, so that it is harmless to a gate and ruins scores that are near zero: [`level`] tells them apart.
//!
//! Figures of QNN 2.51: noise from the emulator (numbers of a spread of 0.3 to 3), cycles from the library's simulation of v73, v81 and
//! v85 (1x64x32x32 and 1x64x64x64, level 3). On v68 the option changes nothing.

use std::collections::HashMap;

use qnn::DataType;
use qnn_types::{Accuracy, Activations, Target};

use crate::graph::DType;
use crate::program::{Activated, Op, Param, Program, Role, Scalar, Tensor, TensorId};

/// An activation that can be joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Gelu,
    Silu,
    Sigmoid,
    Tanh,
}

/// A row of the table.
struct Cost {
    function: Function,
    /// How far below the result the error of the joined form is, dB.
    noise: f64,
    /// Cycles an element that joining saves, by architecture from which on they hold.
    saved: &'static [(u32, f64)],
}

#[rustfmt::skip]
const COSTS: &[Cost] = &[
    Cost { function: Function::Gelu, noise: 47.0, saved: &[(69, 0.5), (79, 0.3), (81, 0.4), (85, 0.3)] },
    Cost { function: Function::Silu, noise: 47.0, saved: &[(69, 0.2), (79, 0.15), (81, 0.2), (85, 0.15)] },
    Cost { function: Function::Sigmoid, noise: 47.5, saved: &[(69, 0.4), (79, 0.2), (81, 0.2), (85, 0.2)] },
    Cost { function: Function::Tanh, noise: 29.0, saved: &[(69, 0.4), (79, 0.3), (81, 0.0), (85, 0.3)] },
];

/// Operators whose gates stay exact unless all shall be fast: what is wrong in a step comes back in the next. Twenty steps of LSTM or GRU
/// lose 12 to 16 dB for 3 % of the cycles where some of their gates are joined, and 18 to 26 dB for 20 to 50 % where all are.
const RECURRENT: &[&str] = &["DynamicQuantizeLSTM", "GRU", "LSTM", "RNN"];

/// What is taken off the error of a branch that is added to what it was computed from. Estimated without it and measured with all
/// joined, dB: RepViT 33 and 46, EfficientFormer 37 and 53, EfficientNet 30 and 43, ConvNeXt V2 36 and 48, MobileViT 33 and 53,
/// TinyViT 35 and 63, FastViT 39 and 44; of nine and twenty layers without such sums 38 and 35, 34 and 26.
const SHORTCUT: f64 = 6.0;
/// How far below the result all errors together may be, dB.
const BUDGET: f64 = 40.0;
/// Elements of lone sigmoids from which on their precise form is too dear.
const MANY: u64 = 1 << 15;
/// The largest number of fp16.
const LARGEST: f32 = 65504.0;
/// Ops that a residual sum is looked for behind an activation.
const FAR: usize = 12;

/// An activation of a program that can be joined.
struct Candidate {
    /// The op, and what multiplies its result with its operand.
    ops: Vec<usize>,
    noise: f64,
    saved: f64,
}

/// Decides for each activation, and keeps apart those that shall stay exact.
pub(crate) fn choose(program: &mut Program, target: &Target, accuracy: Accuracy) -> Activations {
    if !target.fp16 || accuracy == Accuracy::Exact {
        return Activations::default();
    }
    let readers = readers(program);
    let mut candidates = candidates(program, &readers, target);
    // What saves most for its error first; in the program's order among equals.
    candidates.sort_by(|a, b| (b.saved / b.noise).total_cmp(&(a.saved / a.noise)));
    let mut left = if accuracy == Accuracy::Fast { f64::INFINITY } else { power(BUDGET) };
    let (joined, apart): (Vec<Candidate>, Vec<Candidate>) = candidates.into_iter().partition(|candidate| {
        let fits = candidate.saved > 0.0 && candidate.noise <= left;
        left -= if fits { candidate.noise } else { 0.0 };
        fits
    });
    let lone = lone_sigmoids(program, &readers, &joined);
    if !joined.is_empty() {
        keep_apart(program, &apart);
    }
    // On v68 the precise form is the faster one.
    let dear = target.arch > 68 && (accuracy == Accuracy::Fast || lone >= MANY);
    program.activated = Activated { joined: !joined.is_empty(), precise_sigmoid: !dear };
    Activations { joined: joined.len() as u64, apart: apart.len() as u64 }
}

/// An error so many dB below the result, as a part of its power.
fn power(db: f64) -> f64 {
    10f64.powf(-db / 10.0)
}

/// The ops that read each tensor.
fn readers(program: &Program) -> HashMap<TensorId, Vec<usize>> {
    let mut readers: HashMap<TensorId, Vec<usize>> = HashMap::new();
    for (index, op) in program.ops.iter().enumerate() {
        for id in &op.inputs {
            readers.entry(*id).or_default().push(index);
        }
    }
    readers
}

fn candidates(program: &Program, readers: &HashMap<TensorId, Vec<usize>>, target: &Target) -> Vec<Candidate> {
    let makers: HashMap<TensorId, usize> = program
        .ops
        .iter()
        .enumerate()
        .flat_map(|(index, op)| op.outputs.iter().map(move |id| (*id, index)))
        .collect();
    let sums = sums_before(program);
    let mut found = Vec::new();
    for index in 0..program.ops.len() {
        let Some((function, ops)) = activation(program, readers, index) else { continue };
        let x = program.ops[index].inputs[0];
        let Some(cost) = COSTS.iter().find(|cost| cost.function == function) else { continue };
        let saved = cost.saved.iter().rev().find(|(arch, _)| *arch <= target.arch).map(|(_, saved)| *saved);
        let (Some(saved), Some(layer)) = (saved, layer(program, &makers, x)) else { continue };
        let last = ops.last().map_or(index, |last| *last);
        let loss = match function {
            Function::Sigmoid => 20.0 * (2.0 * level(program, readers, &layer, index)).log10(),
            _ => 0.0,
        };
        let recurs = RECURRENT.contains(&&*program.ops[index].origin.op);
        let noise =
            if recurs { power(0.0) } else { power(cost.noise + loss) * share(program, readers, &sums, last) };
        found.push(Candidate { ops, noise, saved: saved * elements(program, x) as f64 });
    }
    found
}

/// What function of its operand an op begins, and the ops that compute it.
fn activation(
    program: &Program,
    readers: &HashMap<TensorId, Vec<usize>>,
    index: usize,
) -> Option<(Function, Vec<usize>)> {
    let op = &program.ops[index];
    let (&[x], &[y]) = (&op.inputs[..], &op.outputs[..]) else { return None };
    if !matches!(program.tensor(x).dtype, DataType::Float32 | DataType::Float16) {
        return None;
    }
    match &*op.ty {
        "Gelu" => Some((Function::Gelu, vec![index])),
        "Tanh" => Some((Function::Tanh, vec![index])),
        "Sigmoid" => {
            let gated = readers.get(&y).filter(|all| all.len() == 1).map(|all| all[0]).filter(|&reader| {
                let product = &program.ops[reader];
                product.ty == "ElementWiseMultiply" && product.inputs.contains(&x)
            });
            Some(match gated {
                Some(product) => (Function::Silu, vec![index, product]),
                None => (Function::Sigmoid, vec![index]),
            })
        }
        _ => None,
    }
}

/// A layer that an activation can be joined with.
struct Layer {
    /// Constants that are added to its products.
    biases: Vec<TensorId>,
}

/// The convolution or product with constants that makes a tensor, which may have been moved, scaled or added to since.
fn layer(program: &Program, makers: &HashMap<TensorId, usize>, mut x: TensorId) -> Option<Layer> {
    let mut biases = Vec::new();
    for _ in 0..FAR {
        let op = makers.get(&x).map(|index| &program.ops[*index])?;
        match &*op.ty {
            "Conv2d" | "DepthWiseConv2d" | "TransposeConv2d" | "FullyConnected" => {
                biases.extend(op.inputs.get(2));
                return Some(Layer { biases });
            }
            "MatMul" => {
                biases.extend(op.inputs.get(2));
                return op
                    .inputs
                    .get(1)
                    .is_some_and(|id| is_static(program, *id))
                    .then_some(Layer { biases });
            }
            "Reshape" | "Transpose" => x = op.inputs[0],
            "ElementWiseAdd" | "ElementWiseMultiply" => {
                if op.ty == "ElementWiseAdd" {
                    biases.extend(op.inputs.iter().find(|id| is_static(program, **id)));
                }
                x = *op.inputs.iter().find(|id| !is_static(program, **id))?;
            }
            _ => return None,
        }
    }
    None
}

/// How large the results of a sigmoid are, at most one half: by the layer's bias (a detector's scores begin at 0.01), and by a constant that
/// they are multiplied with, which says that they are small. The error of the joined form is a part of one, however small the result is.
fn level(program: &Program, readers: &HashMap<TensorId, Vec<usize>>, layer: &Layer, sigmoid: usize) -> f64 {
    let mean = |id: &TensorId| {
        let numbers = floats(program.tensor(*id))?;
        let sum: f64 = numbers.iter().map(|&v| 1.0 / (1.0 + (-f64::from(v)).exp())).sum();
        (!numbers.is_empty()).then(|| sum / numbers.len() as f64)
    };
    let factor = |reader: &usize| {
        let op = &program.ops[*reader];
        let constants = op.inputs.iter().filter_map(|id| floats(program.tensor(*id)));
        let largest = constants.flatten().map(|v| f64::from(v).abs()).fold(0.0, f64::max);
        (op.ty == "ElementWiseMultiply" && largest > 1.0).then(|| 1.0 / largest)
    };
    let behind = program.ops[sigmoid].outputs.first().and_then(|y| readers.get(y)).into_iter().flatten();
    // A bias of -1000 makes a zero, whose error would have no logarithm.
    layer.biases.iter().filter_map(mean).chain(behind.filter_map(factor)).fold(0.5, f64::min).max(1e-6)
}

/// The numbers of a constant.
fn floats(tensor: &Tensor) -> Option<Vec<f32>> {
    let Role::Static(data) = &tensor.role else { return None };
    match tensor.dtype {
        DataType::Float32 => Some(data.to_f32(DType::F32)),
        DataType::Float16 => Some(data.to_f32(DType::F16)),
        _ => None,
    }
}

/// How many sums of two computed tensors lie one behind another up to each tensor that is such a sum, or one that was moved.
fn sums_before(program: &Program) -> HashMap<TensorId, u32> {
    let mut sums: HashMap<TensorId, u32> = HashMap::new();
    for op in &program.ops {
        let before = |id: &TensorId| sums.get(id).copied().unwrap_or(0);
        let (Some(&y), Some(most)) = (op.outputs.first(), op.inputs.iter().map(before).max()) else {
            continue;
        };
        let is_sum = op.ty == "ElementWiseAdd" && !op.inputs.iter().any(|id| is_static(program, *id));
        if is_sum {
            sums.insert(y, most + 1);
        } else if matches!(&*op.ty, "Reshape" | "Transpose") && most > 0 {
            sums.insert(y, most);
        }
    }
    sums
}

/// What part of a sum's error an op's is, where its result is added to something else that was computed before anything else is done with
/// it. Branches of a residual network have about the same power, and the first sum has two: behind the ninth, a branch is a tenth.
fn share(
    program: &Program,
    readers: &HashMap<TensorId, Vec<usize>>,
    sums: &HashMap<TensorId, u32>,
    mut index: usize,
) -> f64 {
    for _ in 0..FAR {
        let Some(y) = program.ops[index].outputs.first() else { return 1.0 };
        if let Some(sums) = sums.get(y) {
            return power(SHORTCUT) / (f64::from(*sums) + 1.0);
        }
        // A mean over the image is what a gate is made of, and goes the same way.
        let is_mean = |at: &usize| matches!(&*program.ops[*at].ty, "PoolAvg2d" | "ReduceMean");
        let mut further = readers.get(y).into_iter().flatten().filter(|at| !is_mean(at));
        let (Some(&next), None) = (further.next(), further.next()) else { return 1.0 };
        index = next;
    }
    1.0
}

fn is_static(program: &Program, id: TensorId) -> bool {
    matches!(program.tensor(id).role, Role::Static(_))
}

fn elements(program: &Program, id: TensorId) -> u64 {
    program.tensor(id).dims.iter().map(|&dim| u64::from(dim)).product()
}

/// How many elements sigmoids have that stay ops of their own.
fn lone_sigmoids(program: &Program, readers: &HashMap<TensorId, Vec<usize>>, joined: &[Candidate]) -> u64 {
    let is_lone = |index: &usize| {
        matches!(activation(program, readers, *index), Some((Function::Sigmoid, _)))
            && !joined.iter().any(|candidate| candidate.ops.contains(index))
    };
    let lone = (0..program.ops.len()).filter(is_lone);
    lone.map(|index| elements(program, program.ops[index].inputs[0])).sum()
}

/// Puts a clamp before each of the activations.
fn keep_apart(program: &mut Program, apart: &[Candidate]) {
    let mut clamps: HashMap<usize, Op> = HashMap::new();
    for candidate in apart {
        let first = candidate.ops[0];
        let x = program.ops[first].inputs[0];
        let mut tensor: Tensor = program.tensor(x).clone();
        tensor.name = format!("{}_apart", program.ops[first].name);
        tensor.role = Role::Native;
        let clamped = TensorId(program.tensors.len());
        program.tensors.push(tensor);
        let limit = |name, value| Param::Scalar(std::borrow::Cow::Borrowed(name), Scalar::F32(value));
        clamps.insert(
            first,
            Op {
                name: format!("{}_clamp", program.ops[first].name),
                package: program.ops[first].package.clone(),
                ty: "ReluMinMax".into(),
                inputs: vec![x],
                outputs: vec![clamped],
                params: vec![limit("min_value", -LARGEST), limit("max_value", LARGEST)],
                origin: program.ops[first].origin.clone(),
            },
        );
        for &index in &candidate.ops {
            for id in program.ops[index].inputs.iter_mut().filter(|id| **id == x) {
                *id = clamped;
            }
        }
    }
    let ops = std::mem::take(&mut program.ops);
    for (index, op) in ops.into_iter().enumerate() {
        program.ops.extend(clamps.remove(&index));
        program.ops.push(op);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::graph::Origin;
    use crate::program::Quant;

    /// A program of ops with one result each, all of whose tensors are computed: types, and the tensors that they read.
    fn program(ops: &[(&'static str, &[usize])]) -> Program {
        let mut program = Program::default();
        for id in 0..=ops.len() {
            program.tensors.push(Tensor {
                name: format!("t{id}"),
                role: Role::Native,
                dtype: DataType::Float16,
                dims: vec![1],
                quant: Quant::None,
            });
        }
        for (index, (ty, inputs)) in ops.iter().enumerate() {
            program.ops.push(Op {
                name: format!("op{index}"),
                package: "".into(),
                ty: (*ty).into(),
                inputs: inputs.iter().map(|&id| TensorId(id)).collect(),
                outputs: vec![TensorId(index + 1)],
                params: Vec::new(),
                origin: Arc::new(Origin { node: String::new(), op: (*ty).to_owned() }),
            });
        }
        program
    }

    #[test]
    fn each_branch_of_a_residual_network_is_a_smaller_part_of_the_sum() {
        let ops: &[(&str, &[usize])] = &[
            ("Gelu", &[0]),
            ("Conv2d", &[1]),
            ("ElementWiseAdd", &[0, 2]),
            ("Reshape", &[3]),
            ("Gelu", &[4]),
            ("Conv2d", &[5]),
            ("ElementWiseAdd", &[4, 6]),
            ("Gelu", &[7]),
        ];
        let program = program(ops);
        let (readers, sums) = (readers(&program), sums_before(&program));
        let shares = [0, 4, 7].map(|index| share(&program, &readers, &sums, index));
        assert_eq!(shares, [power(SHORTCUT) / 2.0, power(SHORTCUT) / 3.0, 1.0]);
    }
}
