//! Operators on stored integers: QLinear… and …Integer, and quantization by scales a slice, a block, or computed.

use qnn::DataType;
use qnn_compiler::graph::DType;

use crate::case::{Case, Draft, case, steps};
use crate::quant::{S8, Stored, U8, U16, bytes};
use crate::support::{int, ints};

const MS: &str = "com.microsoft";
const RANGE: (f32, f32) = (-2.0, 3.0);

/// An input of stored integers with its scale and zero point.
fn stored(d: &mut Draft, a: Stored, shape: &[usize]) -> Vec<String> {
    let q = a.integers(d, shape);
    let params = a.constants(d, RANGE);
    [vec![q], params.to_vec()].concat()
}

/// Constant integers with one scale and zero point. Of seven bits: on processors without VNNI, ONNX Runtime's products of uint8 and
/// int8 are added in pairs that stop at 32767.
fn weight(d: &mut Draft, shape: &[usize]) -> Vec<String> {
    let values: Vec<i64> =
        d.between(shape.iter().product(), -63.0, 63.0).iter().map(|v| v.round() as i64).collect();
    let q = d.constant_raw(DType::I8, shape, bytes(DType::I8, &values));
    let scale = d.constant(&[], &[0.006]);
    vec![q, scale, d.constant_raw(DType::I8, &[], vec![0])]
}

fn finish(
    d: &mut Draft,
    op: &str,
    domain: &str,
    inputs: &[String],
    attributes: &[qnn_compiler::frontend::onnx::proto::AttributeProto],
) {
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    d.result(op, &inputs, attributes);
    d.domain(domain);
}

pub fn cases() -> Vec<Case> {
    let mut all = linear();
    all.extend(microsoft());
    all.extend(integer());
    all.extend(dynamic());
    all.extend(scales());
    all
}

fn linear() -> Vec<Case> {
    let mut all = Vec::new();
    for a in [U8, S8] {
        all.push(steps(format!("qlinear_conv_{}", a.name), 1, move |d| {
            let mut inputs = stored(d, a, &[1, 8, 7, 6]);
            inputs.extend(weight(d, &[12, 8, 3, 3]));
            inputs.extend(a.constants(d, (-4.0, 4.0)));
            let bias: Vec<i64> = d.between(12, -9000.0, 9000.0).iter().map(|v| *v as i64).collect();
            inputs.push(d.constant_raw(DType::I32, &[12], bytes(DType::I32, &bias)));
            finish(d, "QLinearConv", "", &inputs, &[ints("pads", &[1, 1, 1, 1])]);
        }));
        all.push(steps(format!("qlinear_matmul_{}", a.name), 1, move |d| {
            let mut inputs = stored(d, a, &[2, 5, 16]);
            inputs.extend(weight(d, &[16, 9]));
            inputs.extend(a.constants(d, (-3.0, 3.0)));
            finish(d, "QLinearMatMul", "", &inputs, &[]);
        }));
    }
    all
}

fn microsoft() -> Vec<Case> {
    let mut all = Vec::new();
    for (name, op) in [("add", "QLinearAdd"), ("mul", "QLinearMul")] {
        all.push(steps(format!("qlinear_{name}"), 1, move |d| {
            let mut inputs = stored(d, U8, &[1, 6, 5, 4]);
            inputs.extend(stored(d, U8, &[1, 6, 5, 4]));
            inputs.extend(U8.constants(d, (-6.0, 8.0)));
            finish(d, op, MS, &inputs, &[]);
        }));
    }
    for (name, op, range) in [
        ("sigmoid", "QLinearSigmoid", (0.0, 1.0)),
        ("leaky_relu", "QLinearLeakyRelu", (-0.1, 3.0)),
        ("global_average_pool", "QLinearGlobalAveragePool", (-1.0, 2.0)),
    ] {
        all.push(steps(format!("qlinear_{name}"), 1, move |d| {
            let mut inputs = stored(d, U8, &[1, 6, 5, 4]);
            inputs.extend(U8.constants(d, range));
            finish(d, op, MS, &inputs, &[]);
        }));
    }
    all.push(steps("qlinear_average_pool", 1, |d| {
        let mut inputs = stored(d, U8, &[1, 6, 6, 4]);
        inputs.extend(U8.constants(d, (-1.5, 2.5)));
        finish(
            d,
            "QLinearAveragePool",
            MS,
            &inputs,
            &[ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])],
        );
    }));
    all.push(steps("qlinear_concat", 1, |d| {
        let mut inputs = U8.constants(d, (-2.0, 3.0)).to_vec();
        inputs.extend(stored(d, U8, &[1, 6, 5, 4]));
        inputs.extend(stored(d, U8, &[1, 3, 5, 4]));
        finish(d, "QLinearConcat", MS, &inputs, &[int("axis", 1)]);
    }));
    all.push(steps("qgemm", 1, |d| {
        let mut inputs = stored(d, U8, &[5, 16]);
        inputs.extend(weight(d, &[16, 9]));
        let bias: Vec<i64> = d.between(9, -9000.0, 9000.0).iter().map(|v| *v as i64).collect();
        inputs.push(d.constant_raw(DType::I32, &[9], bytes(DType::I32, &bias)));
        inputs.extend(U8.constants(d, (-3.0, 3.0)));
        finish(d, "QGemm", MS, &inputs, &[int("transA", 0), int("transB", 0)]);
    }));
    all
}

fn integer() -> Vec<Case> {
    // Few and small enough for sums that fp16 has.
    let small = |d: &mut Draft, shape: &[usize]| {
        let values: Vec<i64> =
            d.between(shape.iter().product(), 0.0, 12.0).iter().map(|v| *v as i64).collect();
        d.input_raw(DType::U8, DataType::Uint8, shape, bytes(DType::U8, &values))
    };
    let zero = |d: &mut Draft, value: u8| d.constant_raw(DType::U8, &[], vec![value]);
    vec![
        case("matmul_integer", move |d| {
            let (a, b) = (small(d, &[4, 6]), small(d, &[6, 3]));
            let (x, y) = (zero(d, 5), zero(d, 3));
            d.result("MatMulInteger", &[&a, &b, &x, &y], &[]);
        }),
        case("matmul_integer_without_zero_points", move |d| {
            let (a, b) = (small(d, &[4, 6]), small(d, &[6, 3]));
            d.result("MatMulInteger", &[&a, &b], &[]);
        }),
        case("conv_integer", move |d| {
            let (x, w) = (small(d, &[1, 1, 5, 5]), small(d, &[2, 1, 2, 2]));
            let z = zero(d, 1);
            d.result("ConvInteger", &[&x, &w, &z], &[ints("pads", &[1, 1, 1, 1])]);
        }),
        steps("dynamic_quantize", 1, |d| {
            let x = d.input(&[3, 8]);
            let y = d.nodes("DynamicQuantizeLinear", &[&x], &[], 3);
            d.output(&y[0]);
            d.output(&y[2]);
        }),
        case("dynamic_quantization_of_a_linear_layer", |d| {
            // From -1 to 3, a quarter of a step beside what 8 bits have: fp16 rounds them as float32 does.
            let levels = d.between(24, 0.0, 255.0);
            let mut x: Vec<f32> = levels.iter().map(|v| v.round() * 4.0 / 255.0 - 1.0).collect();
            (x[0], x[1]) = (-1.0, 3.0);
            let x = d.input_f32(&[3, 8], &x);
            let y = d.nodes("DynamicQuantizeLinear", &[&x], &[], 3);
            let w: Vec<i64> = d.between(40, -20.0, 20.0).iter().map(|v| *v as i64).collect();
            let w = d.constant_raw(DType::I8, &[8, 5], bytes(DType::I8, &w));
            let z = d.constant_raw(DType::I8, &[], vec![0]);
            let sum = d.node("MatMulInteger", &[&y[0], &w, &y[2], &z], &[]);
            let sum = d.node("Cast", &[&sum], &[int("to", 1)]);
            let c = d.constant(&[], &[0.01]);
            let scale = d.node("Mul", &[&y[1], &c], &[]);
            d.result("Mul", &[&sum, &scale], &[]);
        }),
    ]
}

/// Numbers from -1 to 3, a quarter of a step beside what 8 bits have: fp16 rounds them as float32 does.
fn levels(d: &mut Draft, shape: &[usize]) -> String {
    let mut x: Vec<f32> =
        d.between(shape.iter().product(), 0.0, 255.0).iter().map(|v| v.round() * 4.0 / 255.0 - 1.0).collect();
    (x[0], x[1]) = (-1.0, 3.0);
    d.input_f32(shape, &x)
}

/// Weights of seven bits: see [`weight`].
fn narrow(d: &mut Draft, shape: &[usize], low: f32) -> String {
    let dtype = if low < 0.0 { DType::I8 } else { DType::U8 };
    let w: Vec<i64> =
        d.between(shape.iter().product(), low, low + 127.0).iter().map(|v| v.round() as i64).collect();
    d.constant_raw(dtype, shape, bytes(dtype, &w))
}

/// What quantizers make of layers whose inputs have no known range. The sums of integers are far beyond fp16.
fn dynamic() -> Vec<Case> {
    let mut all = Vec::new();
    for (name, rows, depth, low) in
        [("row", 1, 768, -63.0), ("rows", 5, 768, -63.0), ("deep", 3, 4096, -63.0), ("unsigned", 3, 768, 0.0)]
    {
        all.push(case(format!("dynamic_{name}_by_a_scale_a_column"), move |d| {
            let x = levels(d, &[rows, depth]);
            let y = d.nodes("DynamicQuantizeLinear", &[&x], &[], 3);
            let w = narrow(d, &[depth, 12], low);
            let zero = if low < 0.0 { (DType::I8, 0) } else { (DType::U8, 60) };
            let z = d.constant_raw(zero.0, &[], vec![zero.1]);
            let sum = d.node("MatMulInteger", &[&y[0], &w, &y[2], &z], &[]);
            let sum = d.node("Cast", &[&sum], &[int("to", 1)]);
            let scales = d.between(12, 0.002, 0.006);
            let scales = d.constant(&[12], &scales);
            let scale = d.node("Mul", &[&y[1], &scales], &[]);
            let sum = d.node("Mul", &[&sum, &scale], &[]);
            let bias = d.weight(&[12]);
            d.result("Add", &[&sum, &bias], &[]);
        }));
    }
    all.push(case("dynamic_scales_one_after_the_other_for_two_products", |d| {
        let x = levels(d, &[2, 3, 512]);
        let y = d.nodes("DynamicQuantizeLinear", &[&x], &[], 3);
        for scale in [0.003, 0.005] {
            let w = narrow(d, &[512, 12], -63.0);
            let sum = d.node("MatMulInteger", &[&y[0], &w, &y[2]], &[]);
            let sum = d.node("Cast", &[&sum], &[int("to", 1)]);
            let sum = d.node("Mul", &[&y[1], &sum], &[]);
            let scale = d.constant(&[1], &[scale]);
            // Read twice, as GELU is written: it is one product.
            let sum = d.node("Mul", &[&sum, &scale], &[]);
            let gate = d.node("Sigmoid", &[&sum], &[]);
            d.result("Mul", &[&sum, &gate], &[]);
        }
    }));
    all.push(case("dynamic_integers_that_are_moved", |d| {
        let x = levels(d, &[512, 6]);
        let y = d.nodes("DynamicQuantizeLinear", &[&x], &[], 3);
        let rows = d.node("Transpose", &[&y[0]], &[ints("perm", &[1, 0])]);
        let w = narrow(d, &[512, 12], -63.0);
        let sum = d.node("MatMulInteger", &[&rows, &w, &y[2]], &[]);
        let sum = d.node("Cast", &[&sum], &[int("to", 1)]);
        let scale = d.constant(&[], &[0.003]);
        let scale = d.node("Mul", &[&y[1], &scale], &[]);
        d.result("Mul", &[&sum, &scale], &[]);
    }));
    all.push(case("dynamic_products_of_two_computed_operands", |d| {
        let (a, b) = (levels(d, &[2, 7, 128]), levels(d, &[2, 128, 5]));
        let a = d.nodes("DynamicQuantizeLinear", &[&a], &[], 3);
        let b = d.nodes("DynamicQuantizeLinear", &[&b], &[], 3);
        let sum = d.node("MatMulInteger", &[&a[0], &b[0], &a[2], &b[2]], &[]);
        let sum = d.node("Cast", &[&sum], &[int("to", 1)]);
        let scale = d.node("Mul", &[&a[1], &b[1]], &[]);
        d.result("Mul", &[&sum, &scale], &[]);
    }));
    all.push(case("dynamic_conv", |d| {
        let x = levels(d, &[1, 128, 6, 6]);
        let y = d.nodes("DynamicQuantizeLinear", &[&x], &[], 3);
        let w = narrow(d, &[16, 128, 3, 3], -63.0);
        let z = d.constant_raw(DType::I8, &[], vec![0]);
        let sum = d.node("ConvInteger", &[&y[0], &w, &y[2], &z], &[ints("pads", &[1, 1, 1, 1])]);
        let sum = d.node("Cast", &[&sum], &[int("to", 1)]);
        let scale = d.constant(&[], &[0.003]);
        let scale = d.node("Mul", &[&y[1], &scale], &[]);
        d.result("Mul", &[&sum, &scale], &[]);
    }));
    all.push(case("sums_with_a_bias_of_integers_that_are_scaled_once", |d| {
        let x = U8.integers(d, &[3, 512]);
        let z = d.constant_raw(DType::U8, &[], vec![128]);
        let w = narrow(d, &[512, 12], -63.0);
        let sum = d.node("MatMulInteger", &[&x, &w, &z], &[]);
        let bias: Vec<i64> = d.between(12, -90000.0, 90000.0).iter().map(|v| *v as i64).collect();
        let bias = d.constant_raw(DType::I32, &[12], bytes(DType::I32, &bias));
        let sum = d.node("Add", &[&sum, &bias], &[]);
        let sum = d.node("Cast", &[&sum], &[int("to", 1)]);
        let scale = d.constant(&[], &[1.2e-4]);
        d.result("Mul", &[&sum, &scale], &[]);
    }));
    all.push(case("dynamic_quantize_matmul", |d| {
        let (x, w) = (levels(d, &[2, 3, 512]), narrow(d, &[512, 12], -63.0));
        let scales = d.between(12, 0.002, 0.006);
        let (scales, bias) = (d.constant(&[12], &scales), d.weight(&[12]));
        d.result("DynamicQuantizeMatMul", &[&x, &w, &scales, "", &bias], &[]);
        d.domain(MS);
    }));
    all.push(case("matmul_integer_to_float", |d| {
        let (x, w) = (levels(d, &[2, 3, 512]), narrow(d, &[512, 12], 0.0));
        let y = d.nodes("DynamicQuantizeLinear", &[&x], &[], 3);
        let (scale, bias) = (d.constant(&[], &[0.004]), d.weight(&[12]));
        let z = d.constant_raw(DType::U8, &[], vec![60]);
        d.result("MatMulIntegerToFloat", &[&y[0], &w, &y[1], &scale, &y[2], &z, &bias], &[]);
        d.domain(MS);
    }));
    all
}

fn scales() -> Vec<Case> {
    let mut all = Vec::new();
    for a in [U8, S8, U16] {
        all.push(case(format!("dequantize_channels_{}", a.name), move |d| {
            let x = a.integers(d, &[2, 3, 4]);
            let (s, z) = (d.scale(&[3]), d.constant_raw(a.dtype, &[3], bytes(a.dtype, &[3, 17, 90])));
            d.result("DequantizeLinear", &[&x, &s, &z], &[int("axis", 1)]);
        }));
        all.push(steps(format!("quantize_channels_{}", a.name), 1, move |d| {
            let x = d.input(&[2, 3, 4]);
            let s = d.constant(&[3], &[0.02, 0.03, 0.05]);
            let z = d.constant_raw(a.dtype, &[3], bytes(a.dtype, &[30, 17, 90]));
            d.result("QuantizeLinear", &[&x, &s, &z], &[int("axis", 1)]);
        }));
    }
    all.push(case("dequantize_blocks", |d| {
        let x = U8.integers(d, &[2, 6, 4]);
        let s = d.scale(&[2, 3, 4]);
        let z: Vec<i64> = d.between(24, 0.0, 200.0).iter().map(|v| *v as i64).collect();
        let z = d.constant_raw(DType::U8, &[2, 3, 4], bytes(DType::U8, &z));
        d.result("DequantizeLinear", &[&x, &s, &z], &[int("axis", 1), int("block_size", 2)]);
    }));
    all.push(case("weights_by_block", |d| {
        let x = d.input(&[3, 8]);
        let q: Vec<i64> = d.between(40, -100.0, 100.0).iter().map(|v| *v as i64).collect();
        let q = d.constant_raw(DType::I8, &[8, 5], bytes(DType::I8, &q));
        let s = d.between(10, 0.001, 0.01);
        let s = d.constant(&[2, 5], &s);
        let w = d.node("DequantizeLinear", &[&q, &s], &[int("axis", 0), int("block_size", 4)]);
        d.result("MatMul", &[&x, &w], &[]);
    }));
    all.push(case("weights_of_numbers_that_are_quantized_in_the_model", |d| {
        let x = d.input(&[3, 8]);
        let w = d.weight(&[8, 5]);
        let s = d.constant(&[5], &[0.01, 0.02, 0.015, 0.012, 0.03]);
        let z = d.constant_raw(DType::I8, &[5], vec![0; 5]);
        let q = d.node("QuantizeLinear", &[&w, &s, &z], &[int("axis", 1)]);
        let w = d.node("DequantizeLinear", &[&q, &s, &z], &[int("axis", 1)]);
        d.result("MatMul", &[&x, &w], &[]);
    }));
    all
}
