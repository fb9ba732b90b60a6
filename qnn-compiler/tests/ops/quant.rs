//! Operators between QuantizeLinear and DequantizeLinear. Inputs and outputs of the model are stored integers, so that a
//! difference is a number of steps.

use qnn::DataType;
use qnn_compiler::frontend::onnx::proto::AttributeProto;
use qnn_compiler::graph::{DType, Data};

use crate::case::{Case, Draft, steps};
use crate::support::{float, int, ints, text};

/// Stored integers: type, its name, how many levels, the lowest.
#[derive(Clone, Copy)]
pub struct Stored {
    pub dtype: DType,
    pub array: DataType,
    pub name: &'static str,
    pub low: i64,
    pub high: i64,
}

pub const U8: Stored = Stored { dtype: DType::U8, array: DataType::Uint8, name: "u8", low: 0, high: 255 };
pub const S8: Stored = Stored { dtype: DType::I8, array: DataType::Int8, name: "s8", low: -128, high: 127 };
pub const U16: Stored =
    Stored { dtype: DType::U16, array: DataType::Uint16, name: "u16", low: 0, high: 65535 };
pub const S16: Stored =
    Stored { dtype: DType::I16, array: DataType::Int16, name: "s16", low: -32768, high: 32767 };

impl Stored {
    /// Whether it has eight bits.
    fn narrow(self) -> bool {
        self.high - self.low == 255
    }

    /// Scale and zero point for numbers between two bounds.
    fn params(self, low: f32, high: f32) -> (f32, i64) {
        let scale = (high - low) / (self.high - self.low) as f32;
        (scale, self.low + (-low / scale).round() as i64)
    }

    /// Scale and zero point as constants of the model.
    pub fn constants(self, d: &mut Draft, (low, high): (f32, f32)) -> [String; 2] {
        let (scale, zero) = self.params(low, high);
        let scale = d.constant(&[], &[scale]);
        [scale, d.constant_raw(self.dtype, &[], bytes(self.dtype, &[zero]))]
    }

    /// An input of random integers.
    pub fn integers(self, d: &mut Draft, shape: &[usize]) -> String {
        let count = shape.iter().product();
        let values = d.between(count, self.low as f32, self.high as f32 + 0.99);
        let values: Vec<i64> = values.iter().map(|v| (v.floor() as i64).clamp(self.low, self.high)).collect();
        d.input_raw(self.dtype, self.array, shape, bytes(self.dtype, &values))
    }

    /// An input of random integers, as the numbers that they are between two bounds.
    pub fn input(self, d: &mut Draft, shape: &[usize], range: (f32, f32)) -> String {
        let q = self.integers(d, shape);
        let [scale, zero] = self.constants(d, range);
        d.node("DequantizeLinear", &[&q, &scale, &zero], &[])
    }

    /// A number that is rounded to these integers and goes on as a number.
    pub fn rounded(self, d: &mut Draft, x: &str, range: (f32, f32)) -> String {
        let [scale, zero] = self.constants(d, range);
        let q = d.node("QuantizeLinear", &[x, &scale, &zero], &[]);
        d.node("DequantizeLinear", &[&q, &scale, &zero], &[])
    }

    /// The model's output: a number as stored integers.
    pub fn output(self, d: &mut Draft, y: &str, range: (f32, f32)) {
        let [scale, zero] = self.constants(d, range);
        d.result("QuantizeLinear", &[y, &scale, &zero], &[]);
    }
}

/// Integers as the elements of a type.
pub fn bytes(dtype: DType, values: &[i64]) -> Vec<u8> {
    Data::from_ints(values, dtype).bytes().to_vec()
}

/// How weights are stored.
#[derive(Clone, Copy)]
struct Weights {
    name: &'static str,
    dtype: DType,
    /// The largest integer.
    most: i64,
    /// The zero point.
    zero: i64,
    per_channel: bool,
}

const WEIGHTS: &[Weights] = &[
    Weights { name: "s8", dtype: DType::I8, most: 127, zero: 0, per_channel: true },
    Weights { name: "s8_whole", dtype: DType::I8, most: 127, zero: 0, per_channel: false },
    Weights { name: "u8_whole", dtype: DType::U8, most: 127, zero: 131, per_channel: false },
    Weights { name: "u8_centred", dtype: DType::U8, most: 127, zero: 128, per_channel: true },
    Weights { name: "s4", dtype: DType::I4, most: 7, zero: 0, per_channel: true },
];

/// A weight of numbers around zero, `scale` at most, whose channels are along `axis`.
fn weight(d: &mut Draft, kind: Weights, shape: &[usize], axis: usize, scale: f32) -> (String, Vec<f32>) {
    let count: usize = shape.iter().product();
    let top = kind.most.min(if kind.dtype == DType::U8 { 255 - kind.zero } else { kind.most }) as f32;
    let values: Vec<i64> = d.between(count, -top, top).iter().map(|v| v.round() as i64 + kind.zero).collect();
    let data = match kind.dtype {
        // Two a byte, the first in the low half.
        DType::I4 => values
            .chunks(2)
            .map(|pair| (pair[0] & 15) as u8 | ((pair.get(1).copied().unwrap_or(0) & 15) as u8) << 4)
            .collect(),
        dtype => bytes(dtype, &values),
    };
    let channels = if kind.per_channel { shape[axis] } else { 1 };
    let scales: Vec<f32> = (0..channels).map(|c| scale / top * (0.3 + 0.7 * (c % 5) as f32 / 4.0)).collect();
    let q = d.constant_raw(kind.dtype, shape, data);
    let dims: &[usize] = if kind.per_channel { &[channels] } else { &[] };
    let s = d.constant(dims, &scales);
    let zeros = vec![kind.zero; channels];
    let zeros = match kind.dtype {
        DType::I4 => vec![0; channels.div_ceil(2)],
        dtype => bytes(dtype, &zeros),
    };
    let z = d.constant_raw(kind.dtype, dims, zeros);
    let attributes = if kind.per_channel { vec![int("axis", axis as i64)] } else { vec![] };
    (d.node("DequantizeLinear", &[&q, &s, &z], &attributes), scales)
}

/// An int32 bias in units of the product of the input's scale and the weight's.
fn bias(d: &mut Draft, count: usize, unit: f32, scales: &[f32]) -> String {
    let units: Vec<f32> = scales.iter().map(|s| s * unit).collect();
    let reals = d.between(count, -0.5, 0.5);
    let values: Vec<i64> =
        reals.iter().enumerate().map(|(c, r)| (r / units[c % units.len()]).round() as i64).collect();
    let q = d.constant_raw(DType::I32, &[count], bytes(DType::I32, &values));
    let dims: &[usize] = if units.len() > 1 { &[units.len()] } else { &[] };
    let s = d.constant(dims, &units);
    let attributes = if units.len() > 1 { vec![int("axis", 0)] } else { vec![] };
    d.node("DequantizeLinear", &[&q, &s], &attributes)
}

/// Steps that results may be off: one of 8 bits; of 16 bits so many.
fn off(stored: Stored, wide: i64) -> i64 {
    if stored.narrow() { 1 } else { wide }
}

const IN: (f32, f32) = (-3.0, 5.0);

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for stored in [U8, S8, U16, S16] {
        all.extend(weighted(stored));
        all.extend(unary(stored));
        all.extend(binary(stored));
        all.extend(moving(stored));
        all.extend(reducing(stored));
    }
    all.extend(mixed());
    all
}

fn weighted(a: Stored) -> Vec<Case> {
    let mut all = Vec::new();
    for &w in WEIGHTS {
        // Four bits with inputs of 16: HTP's own arithmetic is off by up to 15 of 65536 steps.
        let wide = if w.dtype == DType::I4 { 24 } else { 3 };
        let conv =
            move |name: &str, shape: [usize; 4], group: i64, attributes: fn() -> Vec<AttributeProto>| {
                steps(format!("conv_{name}_{}_{}", a.name, w.name), off(a, wide), move |d| {
                    let x = a.input(d, &[1, 16, 10, 9], IN);
                    let (weights, scales) = weight(d, w, &shape, 0, 0.2);
                    let b = bias(d, shape[0], a.params(IN.0, IN.1).0, &scales);
                    let mut attributes = attributes();
                    attributes.push(int("group", group));
                    let y = d.node("Conv", &[&x, &weights, &b], &attributes);
                    a.output(d, &y, (-8.0, 8.0));
                })
            };
        all.push(conv("3x3", [24, 16, 3, 3], 1, || vec![ints("pads", &[1, 1, 1, 1])]));
        all.push(conv("strided", [24, 16, 3, 3], 1, || {
            vec![ints("pads", &[1, 1, 1, 1]), ints("strides", &[2, 2])]
        }));
        all.push(conv("point", [24, 16, 1, 1], 1, Vec::new));
        all.push(conv("depthwise", [16, 1, 3, 3], 16, || vec![ints("pads", &[1, 1, 1, 1])]));
        all.push(conv("groups", [24, 8, 3, 3], 2, || vec![ints("pads", &[1, 1, 1, 1])]));
        all.push(steps(format!("conv_transpose_{}_{}", a.name, w.name), off(a, wide), move |d| {
            let x = a.input(d, &[1, 16, 6, 5], IN);
            let (weights, scales) = weight(d, w, &[16, 8, 2, 2], 1, 0.2);
            let b = bias(d, 8, a.params(IN.0, IN.1).0, &scales);
            let y = d.node("ConvTranspose", &[&x, &weights, &b], &[ints("strides", &[2, 2])]);
            a.output(d, &y, (-6.0, 6.0));
        }));
        for turned in [false, true] {
            let name = if turned { "gemm_turned" } else { "gemm" };
            all.push(steps(format!("{name}_{}_{}", a.name, w.name), off(a, wide), move |d| {
                let x = a.input(d, &[6, 32], IN);
                let (shape, axis) = if turned { ([20, 32], 0) } else { ([32, 20], 1) };
                let (weights, scales) = weight(d, w, &shape, axis, 0.2);
                let b = bias(d, 20, a.params(IN.0, IN.1).0, &scales);
                let y = d.node("Gemm", &[&x, &weights, &b], &[int("transB", turned.into())]);
                a.output(d, &y, (-6.0, 6.0));
            }));
        }
        all.push(steps(format!("matmul_{}_{}", a.name, w.name), off(a, wide), move |d| {
            let x = a.input(d, &[2, 5, 32], IN);
            let (weights, _) = weight(d, w, &[32, 20], 1, 0.2);
            let y = d.node("MatMul", &[&x, &weights], &[]);
            a.output(d, &y, (-6.0, 6.0));
        }));
    }
    all.push(steps(format!("matmul_of_two_inputs_{}", a.name), off(a, 60), move |d| {
        let x = a.input(d, &[2, 5, 32], (-1.0, 1.0));
        let y = a.input(d, &[2, 32, 7], (-1.0, 1.0));
        let z = d.node("MatMul", &[&x, &y], &[]);
        a.output(d, &z, (-6.0, 6.0));
    }));
    all.push(steps(format!("conv_transpose_then_add_{}", a.name), off(a, 4) + 1, move |d| {
        let x = a.input(d, &[1, 16, 6, 5], IN);
        let (weights, _) = weight(d, WEIGHTS[0], &[16, 8, 2, 2], 1, 0.2);
        let y = d.node("ConvTranspose", &[&x, &weights], &[ints("strides", &[2, 2])]);
        let y = a.rounded(d, &y, (-6.0, 6.0));
        let c = d.between(8, -1.0, 1.0);
        let c = d.constant(&[1, 8, 1, 1], &c);
        let c = a.rounded(d, &c, (-1.0, 1.0));
        let z = d.node("Add", &[&y, &c], &[]);
        a.output(d, &z, (-7.0, 7.0));
    }));
    all
}

/// Operator, attributes, range of the result, steps of 16 bits that it may be off.
type Unary = (&'static str, fn() -> Vec<AttributeProto>, (f32, f32), i64);

const UNARY: &[Unary] = &[
    ("Relu", Vec::new, (0.0, 5.0), 1),
    ("Sigmoid", Vec::new, (0.0, 1.0), 8),
    ("Sigmoid", Vec::new, (0.1, 0.7), 16),
    ("Tanh", Vec::new, (-1.0, 1.0), 8),
    ("Tanh", Vec::new, (-0.9, 0.5), 16),
    ("HardSwish", Vec::new, (-0.5, 5.0), 4),
    ("HardSigmoid", Vec::new, (0.0, 1.0), 4),
    ("HardSigmoid", Vec::new, (0.0, 0.6), 8),
    ("Gelu", Vec::new, (-0.2, 5.0), 24),
    ("LeakyRelu", || vec![float("alpha", 0.1)], (-0.3, 5.0), 8),
    ("Elu", Vec::new, (-1.0, 5.0), 8),
    ("Neg", Vec::new, (-5.0, 3.0), 1),
    ("Abs", Vec::new, (0.0, 5.0), 16),
    ("Exp", Vec::new, (0.0, 150.0), 70),
    ("Erf", Vec::new, (-1.0, 1.0), 90),
    ("Softmax", || vec![int("axis", 1)], (0.0, 0.8), 60),
];

fn unary(a: Stored) -> Vec<Case> {
    let mut all: Vec<Case> = UNARY
        .iter()
        .enumerate()
        .map(|(i, &(op, attributes, range, wide))| {
            let twice = UNARY[..i].iter().any(|row| row.0 == op);
            let name = format!("{}{}_{}", op.to_lowercase(), if twice { "_saturated" } else { "" }, a.name);
            // A softmax of 8 bits is rounded in an encoding of its own before it gets the model's.
            let extra = i64::from(op == "Softmax");
            steps(name, off(a, wide) + extra, move |d| {
                let x = a.input(d, &[1, 12, 6, 7], IN);
                let y = d.node(op, &[&x], &attributes());
                a.output(d, &y, range);
            })
        })
        .collect();
    all.push(steps(format!("clip_{}", a.name), 1, move |d| {
        let x = a.input(d, &[1, 12, 6, 7], IN);
        let (low, high) = (d.constant(&[], &[-1.0]), d.constant(&[], &[2.5]));
        let y = d.node("Clip", &[&x, &low, &high], &[]);
        a.output(d, &y, (-1.5, 3.0));
    }));
    // Of 16 bits in fp16, whose numbers are 32 steps apart at the end of the range.
    all.push(steps(format!("prelu_{}", a.name), off(a, 32), move |d| {
        let x = a.input(d, &[1, 12, 6, 7], IN);
        let slope = d.between(12, 0.0, 0.5);
        let slope = d.constant(&[12, 1, 1], &slope);
        let slope = a.rounded(d, &slope, (0.0, 0.5));
        let y = d.node("PRelu", &[&x, &slope], &[]);
        a.output(d, &y, (-1.5, 5.0));
    }));
    all.push(steps(format!("relu_by_saturation_{}", a.name), 1, move |d| {
        let x = a.input(d, &[1, 12, 6, 7], IN);
        let (weights, _) = weight(d, WEIGHTS[0], &[12, 12, 1, 1], 0, 0.2);
        let y = d.node("Conv", &[&x, &weights], &[]);
        let y = d.node("Relu", &[&y], &[]);
        a.output(d, &y, (0.0, 4.0));
    }));
    all.push(steps(format!("layer_normalization_{}", a.name), off(a, 60), move |d| {
        let x = a.input(d, &[2, 5, 24], IN);
        let (s, b) = (d.scale(&[24]), d.scale(&[24]));
        let y = d.node("LayerNormalization", &[&x, &s, &b], &[]);
        a.output(d, &y, (-3.0, 5.0));
    }));
    all
}

fn binary(a: Stored) -> Vec<Case> {
    let mut all = Vec::new();
    for (op, range, wide) in [
        ("Add", (-4.0, 7.0), 2),
        ("Sub", (-5.0, 6.0), 2),
        ("Mul", (-6.0, 10.0), 4),
        ("Div", (-4.0, 6.0), 40),
        ("Max", (-1.0, 5.0), 1),
        ("Min", (-3.0, 2.0), 1),
    ] {
        let second = if op == "Div" { (0.0, 2.5) } else { (-1.0, 2.0) };
        all.push(steps(format!("{}_{}", op.to_lowercase(), a.name), off(a, wide), move |d| {
            let x = a.input(d, &[1, 6, 5, 7], IN);
            let y = a.input(d, &[1, 6, 5, 7], second);
            let y = if op == "Div" {
                let one = d.constant(&[], &[1.0]);
                let y = d.node("Max", &[&y, &one], &[]);
                a.rounded(d, &y, second)
            } else {
                y
            };
            let z = d.node(op, &[&x, &y], &[]);
            a.output(d, &z, range);
        }));
        for (form, shape) in [("channels", &[6, 1, 1][..]), ("scalar", &[])] {
            all.push(steps(format!("{}_{form}_{}", op.to_lowercase(), a.name), off(a, wide), move |d| {
                let x = a.input(d, &[1, 6, 5, 7], IN);
                let values = d.between(shape.iter().product(), 1.0, 2.0);
                let c = d.constant(shape, &values);
                let c = a.rounded(d, &c, (0.0, 2.0));
                let z = d.node(op, &[&x, &c], &[]);
                a.output(d, &z, range);
            }));
        }
    }
    all
}

fn moving(a: Stored) -> Vec<Case> {
    let one = move |name: &str,
                    op: &'static str,
                    tail: fn(&mut Draft) -> Vec<String>,
                    attributes: fn() -> Vec<AttributeProto>| {
        steps(format!("{name}_{}", a.name), 0, move |d| {
            let x = a.input(d, &[1, 8, 6, 4], IN);
            let mut inputs = vec![x];
            inputs.extend(tail(d));
            let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
            let y = d.node(op, &inputs, &attributes());
            a.output(d, &y, IN);
        })
    };
    vec![
        one("reshape", "Reshape", |d| vec![d.ints(&[4, 48])], Vec::new),
        one("transpose", "Transpose", |_| vec![], || vec![ints("perm", &[0, 2, 3, 1])]),
        one(
            "slice",
            "Slice",
            |d| vec![d.ints(&[1, 5]), d.ints(&[7, 0]), d.ints(&[1, 2]), d.ints(&[2, -1])],
            Vec::new,
        ),
        one("gather", "Gather", |d| vec![d.ints(&[3, 0, 0])], || vec![int("axis", 2)]),
        one("tile", "Tile", |d| vec![d.ints(&[1, 2, 1, 3])], Vec::new),
        one("depth_to_space", "DepthToSpace", |_| vec![], || vec![int("blocksize", 2)]),
        one(
            "max_pool",
            "MaxPool",
            |_| vec![],
            || vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])],
        ),
        one(
            "max_pool_padded",
            "MaxPool",
            |_| vec![],
            || vec![ints("kernel_shape", &[3, 3]), ints("strides", &[2, 2]), ints("pads", &[1, 1, 1, 1])],
        ),
        one(
            "nearest",
            "Resize",
            |d| vec![String::new(), d.constant(&[4], &[1.0, 1.0, 2.0, 2.0])],
            || vec![text("coordinate_transformation_mode", "asymmetric"), text("nearest_mode", "floor")],
        ),
        one("pad", "Pad", |d| vec![d.ints(&[0, 0, 1, 2, 0, 0, 1, 0])], Vec::new),
        steps(format!("split_{}", a.name), 0, move |d| {
            let x = a.input(d, &[1, 8, 6, 4], IN);
            let sizes = d.ints(&[3, 5]);
            let parts = d.nodes("Split", &[&x, &sizes], &[int("axis", 1)], 2);
            for part in parts {
                a.output(d, &part, IN);
            }
        }),
        steps(format!("concat_{}", a.name), 1, move |d| {
            let x = a.input(d, &[1, 8, 6, 4], IN);
            let y = a.input(d, &[1, 3, 6, 4], (-1.0, 2.0));
            let z = d.node("Concat", &[&x, &y], &[int("axis", 1)]);
            a.output(d, &z, IN);
        }),
    ]
}

fn reducing(a: Stored) -> Vec<Case> {
    let one = move |name: &str,
                    wide: i64,
                    op: &'static str,
                    tail: fn(&mut Draft) -> Vec<String>,
                    attributes: fn() -> Vec<AttributeProto>| {
        steps(format!("{name}_{}", a.name), off(a, wide), move |d| {
            let x = a.input(d, &[1, 8, 6, 4], IN);
            let mut inputs = vec![x];
            inputs.extend(tail(d));
            let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
            let y = d.node(op, &inputs, &attributes());
            a.output(d, &y, (-2.0, 4.0));
        })
    };
    vec![
        one("global_average", 2, "GlobalAveragePool", |_| vec![], Vec::new),
        one(
            "average_pool",
            2,
            "AveragePool",
            |_| vec![],
            || vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])],
        ),
        one(
            "average_pool_padded",
            4,
            "AveragePool",
            |_| vec![],
            || vec![ints("kernel_shape", &[3, 3]), ints("pads", &[1, 1, 1, 1])],
        ),
        one("reduce_mean", 2, "ReduceMean", |d| vec![d.ints(&[1])], Vec::new),
        one("reduce_max", 1, "ReduceMax", |d| vec![d.ints(&[2, 3])], Vec::new),
        one(
            "bilinear",
            2,
            "Resize",
            |d| vec![String::new(), d.constant(&[4], &[1.0, 1.0, 2.0, 2.0])],
            || vec![text("mode", "linear")],
        ),
    ]
}

/// A linear layer with a scale a channel behind another encoding of what it reads.
fn before_channels(d: &mut Draft) {
    let x = U16.input(d, &[5, 32], IN);
    let y = U16.rounded(d, &x, (-2.0, 2.0));
    of_channels(d, &y);
}

/// A linear layer with a scale a channel, of 16 bits between -2 and 2.
fn of_channels(d: &mut Draft, x: &str) {
    let (weights, scales) = weight(d, WEIGHTS[0], &[24, 32], 0, 0.3);
    let bias = bias(d, 24, 4.0 / 65535.0, &scales);
    let y = d.node("Gemm", &[x, &weights, &bias], &[int("transB", 1)]);
    U16.output(d, &y, (-6.0, 6.0));
}

/// Types that meet.
fn mixed() -> Vec<Case> {
    vec![
        steps("eight_and_sixteen_bits_added", 2, |d| {
            let (x, y) = (U8.input(d, &[1, 6, 5, 7], IN), U16.input(d, &[1, 6, 5, 7], (-1.0, 1.0)));
            let z = d.node("Add", &[&x, &y], &[]);
            U16.output(d, &z, (-4.0, 6.0));
        }),
        steps("sixteen_bits_to_eight", 1, |d| {
            let x = U16.input(d, &[1, 16, 5, 7], IN);
            let (weights, _) = weight(d, WEIGHTS[0], &[8, 16, 1, 1], 0, 0.2);
            let y = d.node("Conv", &[&x, &weights], &[]);
            U8.output(d, &y, (-5.0, 5.0));
        }),
        steps("requantized", 1, |d| {
            let x = U8.input(d, &[1, 6, 5, 7], IN);
            U8.output(d, &x, (-1.0, 2.0));
        }),
        steps("requantized_before_channels_of_their_own", 2, before_channels),
        steps("requantized_before_channels_of_their_own_without_floats", 30, before_channels).on("QCS6490"),
        steps("tokens_requantized_before_a_convolution", 2, |d| {
            let x = U16.input(d, &[1, 20, 32], IN);
            let y = U16.rounded(d, &x, (-2.0, 2.0));
            let y = d.node("Transpose", &[&y], &[ints("perm", &[0, 2, 1])]);
            let y = U16.rounded(d, &y, (-2.0, 2.0));
            let (weights, scales) = weight(d, WEIGHTS[0], &[24, 32, 3], 0, 0.3);
            let bias = bias(d, 24, 4.0 / 65535.0, &scales);
            let y = d.node("Conv", &[&y, &weights, &bias], &[ints("pads", &[1, 1])]);
            U16.output(d, &y, (-9.0, 9.0));
        }),
        steps("tanh_before_channels_of_their_own", 2, |d| {
            let x = U16.input(d, &[5, 32], IN);
            let y = d.node("Tanh", &[&x], &[]);
            let y = U16.rounded(d, &y, (-2.0, 2.0));
            of_channels(d, &y);
        }),
        steps("positions_with_scales_a_row", 2, |d| {
            let x = U16.input(d, &[1, 2, 6, 16], IN);
            let (table, _) = weight(d, WEIGHTS[0], &[1, 2, 16, 11], 1, 0.3);
            let y = d.node("MatMul", &[&x, &table], &[]);
            U16.output(d, &y, (-6.0, 6.0));
        })
        .on("QCS6490"),
        steps("cubic_of_sixteen_bits", 64, |d| {
            let x = U16.input(d, &[1, 3, 6, 5], IN);
            let scales = d.constant(&[4], &[1.0, 1.0, 2.0, 2.0]);
            let y = d.node("Resize", &[&x, "", &scales], &[text("mode", "cubic")]);
            U16.output(d, &y, (-5.0, 7.0));
        })
        .on("QCS6490"),
        steps("a_value_of_two_encodings", 1, |d| {
            let x = U8.input(d, &[1, 6, 5, 7], IN);
            let y = d.node("Relu", &[&x], &[]);
            U8.output(d, &y, (0.0, 2.0));
            U8.output(d, &y, (0.0, 5.0));
        }),
    ]
}
