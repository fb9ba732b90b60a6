//! Constant folding: evaluators of operators that compute.

use super::Call;
use super::lane::Lane;
use super::strided::{View, broadcast, strides};
use crate::graph::{DType, Data};
use crate::infer::axes;

pub(crate) fn abs(c: &Call<'_>) -> Option<Vec<Data>> {
    unary(c, |v| Some(v.wrapping_abs()), f64::abs)
}

pub(crate) fn add(c: &Call<'_>) -> Option<Vec<Data>> {
    fold_inputs(c, |a, b| Some(a.wrapping_add(b)), |a, b| a + b)
}

pub(crate) fn and(c: &Call<'_>) -> Option<Vec<Data>> {
    fold_inputs(c, |a, b| Some(a & b), |_, _| f64::NAN)
}

pub(crate) fn ceil(c: &Call<'_>) -> Option<Vec<Data>> {
    unary(c, Some, f64::ceil)
}

pub(crate) fn cos(c: &Call<'_>) -> Option<Vec<Data>> {
    unary(c, |_| None, f64::cos)
}

pub(crate) fn div(c: &Call<'_>) -> Option<Vec<Data>> {
    fold_inputs(c, |a, b| (b != 0).then(|| a.wrapping_div(b)), |a, b| a / b)
}

pub(crate) fn equal(c: &Call<'_>) -> Option<Vec<Data>> {
    compare(c, |a, b| a == b, |a, b| a == b)
}

pub(crate) fn exp(c: &Call<'_>) -> Option<Vec<Data>> {
    unary(c, |_| None, f64::exp)
}

pub(crate) fn floor(c: &Call<'_>) -> Option<Vec<Data>> {
    unary(c, Some, f64::floor)
}

pub(crate) fn greater(c: &Call<'_>) -> Option<Vec<Data>> {
    compare(c, |a, b| a > b, |a, b| a > b)
}

pub(crate) fn greater_or_equal(c: &Call<'_>) -> Option<Vec<Data>> {
    compare(c, |a, b| a >= b, |a, b| a >= b)
}

pub(crate) fn less(c: &Call<'_>) -> Option<Vec<Data>> {
    compare(c, |a, b| a < b, |a, b| a < b)
}

pub(crate) fn less_or_equal(c: &Call<'_>) -> Option<Vec<Data>> {
    compare(c, |a, b| a <= b, |a, b| a <= b)
}

pub(crate) fn log(c: &Call<'_>) -> Option<Vec<Data>> {
    unary(c, |_| None, f64::ln)
}

pub(crate) fn max(c: &Call<'_>) -> Option<Vec<Data>> {
    fold_inputs(c, |a, b| Some(a.max(b)), |a, b| if a.is_nan() || a > b { a } else { b })
}

pub(crate) fn min(c: &Call<'_>) -> Option<Vec<Data>> {
    fold_inputs(c, |a, b| Some(a.min(b)), |a, b| if a.is_nan() || a < b { a } else { b })
}

pub(crate) fn mul(c: &Call<'_>) -> Option<Vec<Data>> {
    fold_inputs(c, |a, b| Some(a.wrapping_mul(b)), |a, b| a * b)
}

pub(crate) fn neg(c: &Call<'_>) -> Option<Vec<Data>> {
    unary(c, |v| Some(v.wrapping_neg()), |v| -v)
}

pub(crate) fn not(c: &Call<'_>) -> Option<Vec<Data>> {
    unary(c, |v| Some(i64::from(v == 0)), |_| f64::NAN)
}

pub(crate) fn or(c: &Call<'_>) -> Option<Vec<Data>> {
    fold_inputs(c, |a, b| Some(a | b), |_, _| f64::NAN)
}

pub(crate) fn reciprocal(c: &Call<'_>) -> Option<Vec<Data>> {
    unary(c, |_| None, |v| 1.0 / v)
}

pub(crate) fn reduce_max(c: &Call<'_>) -> Option<Vec<Data>> {
    reduce(c, None, |a, b| Some(a.max(b)), |a, b| if a.is_nan() || a > b { a } else { b })
}

pub(crate) fn reduce_min(c: &Call<'_>) -> Option<Vec<Data>> {
    reduce(c, None, |a, b| Some(a.min(b)), |a, b| if a.is_nan() || a < b { a } else { b })
}

pub(crate) fn reduce_prod(c: &Call<'_>) -> Option<Vec<Data>> {
    reduce(c, Some(1), |a, b| Some(a.wrapping_mul(b)), |a, b| a * b)
}

pub(crate) fn reduce_sum(c: &Call<'_>) -> Option<Vec<Data>> {
    reduce(c, Some(0), |a, b| Some(a.wrapping_add(b)), |a, b| a + b)
}

pub(crate) fn relu(c: &Call<'_>) -> Option<Vec<Data>> {
    unary(c, |v| Some(v.max(0)), |v| if v < 0.0 { 0.0 } else { v })
}

pub(crate) fn round(c: &Call<'_>) -> Option<Vec<Data>> {
    unary(c, Some, f64::round_ties_even)
}

pub(crate) fn sign(c: &Call<'_>) -> Option<Vec<Data>> {
    unary(c, |v| Some(v.signum()), |v| if v == 0.0 || v.is_nan() { v } else { v.signum() })
}

pub(crate) fn sin(c: &Call<'_>) -> Option<Vec<Data>> {
    unary(c, |_| None, f64::sin)
}

pub(crate) fn sqrt(c: &Call<'_>) -> Option<Vec<Data>> {
    unary(c, |_| None, f64::sqrt)
}

pub(crate) fn sub(c: &Call<'_>) -> Option<Vec<Data>> {
    fold_inputs(c, |a, b| Some(a.wrapping_sub(b)), |a, b| a - b)
}

pub(crate) fn sum(c: &Call<'_>) -> Option<Vec<Data>> {
    fold_inputs(c, |a, b| Some(a.wrapping_add(b)), |a, b| a + b)
}

pub(crate) fn xor(c: &Call<'_>) -> Option<Vec<Data>> {
    fold_inputs(c, |a, b| Some(a ^ b), |_, _| f64::NAN)
}

/// The `i`-th input's elements broadcast to a shape.
fn lane(call: &Call<'_>, i: usize, shape: &[usize]) -> Option<Lane> {
    let (ty, data) = call.input(i)?;
    Some(Lane::read(&broadcast(ty, data, shape)?, ty.dtype))
}

/// One stored integer as the number that it is.
pub(crate) fn dequantize(call: &Call<'_>) -> Option<Vec<Data>> {
    let number = |i: usize| {
        let (ty, data) = call.input(i)?;
        data.to_f64(ty.dtype).first().copied()
    };
    let (stored, scale, zero) = (number(0)?, number(1)?, number(2).unwrap_or(0.0));
    let real = (stored - zero) as f32 * scale as f32;
    (call.out().dtype == DType::F32).then(|| vec![Data::from_f32(&[real])])
}

fn unary(call: &Call<'_>, int: fn(i64) -> Option<i64>, float: fn(f64) -> f64) -> Option<Vec<Data>> {
    let (ty, data) = call.input(0)?;
    let result = match Lane::read(data, ty.dtype) {
        Lane::Int(v) => Lane::Int(v.into_iter().map(int).collect::<Option<_>>()?),
        Lane::Float(v) => Lane::Float(v.into_iter().map(float).collect()),
    };
    Some(vec![result.write(call.out().dtype)])
}

/// Integers of 64 unsigned bits are left out: they do not fit the lanes.
fn fits(dtype: DType) -> Option<()> {
    (dtype != DType::U64).then_some(())
}

/// Combines all inputs from left to right, rounding to the result's type after every step.
fn fold_inputs(
    call: &Call<'_>,
    int: fn(i64, i64) -> Option<i64>,
    float: fn(f64, f64) -> f64,
) -> Option<Vec<Data>> {
    let out = call.out();
    fits(out.dtype)?;
    let mut result = lane(call, 0, &out.shape)?;
    for i in 1..call.site.node.inputs.len() {
        result = combine(result, lane(call, i, &out.shape)?, int, float)?;
        if i + 1 < call.site.node.inputs.len() {
            result = Lane::read(&result.write(out.dtype), out.dtype);
        }
    }
    Some(vec![result.write(out.dtype)])
}

fn combine(
    a: Lane,
    b: Lane,
    int: impl Fn(i64, i64) -> Option<i64>,
    float: impl Fn(f64, f64) -> f64,
) -> Option<Lane> {
    match (a, b) {
        (Lane::Int(a), Lane::Int(b)) => {
            a.into_iter().zip(b).map(|(a, b)| int(a, b)).collect::<Option<_>>().map(Lane::Int)
        }
        (Lane::Float(a), Lane::Float(b)) => {
            Some(Lane::Float(a.into_iter().zip(b).map(|(a, b)| float(a, b)).collect()))
        }
        _ => None,
    }
}

fn compare(call: &Call<'_>, int: fn(&i64, &i64) -> bool, float: fn(&f64, &f64) -> bool) -> Option<Vec<Data>> {
    let shape = &call.out().shape;
    fits(call.input(0)?.0.dtype)?;
    let result = match (lane(call, 0, shape)?, lane(call, 1, shape)?) {
        (Lane::Int(a), Lane::Int(b)) => a.iter().zip(&b).map(|(a, b)| i64::from(int(a, b))).collect(),
        (Lane::Float(a), Lane::Float(b)) => a.iter().zip(&b).map(|(a, b)| i64::from(float(a, b))).collect(),
        _ => return None,
    };
    Some(vec![Lane::Int(result).write(DType::Bool)])
}

pub(crate) fn cast(call: &Call<'_>) -> Option<Vec<Data>> {
    let (ty, data) = call.input(0)?;
    if ty.dtype == call.out().dtype {
        return Some(vec![data.clone()]);
    }
    fits(ty.dtype)?;
    fits(call.out().dtype)?;
    Some(vec![Lane::read(data, ty.dtype).write(call.out().dtype)])
}

pub(crate) fn clip(call: &Call<'_>) -> Option<Vec<Data>> {
    let out = call.out();
    fits(out.dtype)?;
    let mut result = lane(call, 0, &out.shape)?;
    for (i, lower) in [(1, true), (2, false)] {
        let Some((ty, data)) = call.input(i) else { continue };
        result = match (result, Lane::read(data, ty.dtype)) {
            (Lane::Int(v), Lane::Int(bound)) => {
                let bound = *bound.first()?;
                Lane::Int(v.into_iter().map(|v| if lower { v.max(bound) } else { v.min(bound) }).collect())
            }
            (Lane::Float(v), Lane::Float(bound)) => {
                let bound = *bound.first()?;
                // A value that is not a number stays one.
                let clip = |v: f64| if (lower && v < bound) || (!lower && v > bound) { bound } else { v };
                Lane::Float(v.into_iter().map(clip).collect())
            }
            _ => return None,
        };
    }
    Some(vec![result.write(out.dtype)])
}

/// The sign of the divisor, or with `fmod` of the dividend.
pub(crate) fn modulo(call: &Call<'_>) -> Option<Vec<Data>> {
    let out = call.out();
    fits(out.dtype)?;
    let (a, b) = (lane(call, 0, &out.shape)?, lane(call, 1, &out.shape)?);
    let result = if call.site.node.attrs.int_or("fmod", 0) != 0 {
        combine(a, b, |a, b| (b != 0).then(|| a.wrapping_rem(b)), |a, b| a % b)
    } else {
        let int = |a: i64, b: i64| {
            let r = (b != 0).then(|| a.wrapping_rem(b))?;
            Some(if r != 0 && (r < 0) != (b < 0) { r + b } else { r })
        };
        combine(a, b, int, |a, b| a - b * (a / b).floor())
    };
    Some(vec![result?.write(out.dtype)])
}

pub(crate) fn power(call: &Call<'_>) -> Option<Vec<Data>> {
    let out = call.out();
    fits(out.dtype)?;
    let exponents = match lane(call, 1, &out.shape)? {
        Lane::Int(v) => v.into_iter().map(|v| v as f64).collect(),
        Lane::Float(v) => v,
    };
    let result = match lane(call, 0, &out.shape)? {
        Lane::Float(v) => Lane::Float(v.into_iter().zip(exponents).map(|(a, b)| a.powf(b)).collect()),
        Lane::Int(v) => {
            let whole = |b: f64| (b >= 0.0 && b.fract() == 0.0 && b <= 64.0).then_some(b as u32);
            let powers = v.into_iter().zip(exponents).map(|(a, b)| Some(a.wrapping_pow(whole(b)?)));
            Lane::Int(powers.collect::<Option<_>>()?)
        }
    };
    Some(vec![result.write(out.dtype)])
}

pub(crate) fn choose(call: &Call<'_>) -> Option<Vec<Data>> {
    let out = call.out();
    let (condition, data) = call.input(0)?;
    let picks = broadcast(condition, data, &out.shape)?;
    let sides = [call.input(1)?, call.input(2)?].map(|(ty, data)| broadcast(ty, data, &out.shape));
    let [Some(yes), Some(no)] = sides else { return None };
    let size = out.dtype.size();
    let mut bytes = Vec::with_capacity(out.bytes());
    for (i, pick) in picks.bytes().iter().enumerate() {
        let from = if *pick != 0 { &yes } else { &no };
        bytes.extend_from_slice(from.bytes().get(i * size..(i + 1) * size)?);
    }
    Some(vec![Data::new(bytes.into())])
}

/// Combines the elements along the reduced axes, in 64 bits; `empty` is the result where there are none.
fn reduce(
    call: &Call<'_>,
    empty: Option<i64>,
    int: fn(i64, i64) -> Option<i64>,
    float: fn(f64, f64) -> f64,
) -> Option<Vec<Data>> {
    let (ty, data) = call.input(0)?;
    fits(ty.dtype)?;
    let rank = ty.shape.len();
    let list = call.site.opt_ints(1).ok()?.unwrap_or_default();
    let gone = if list.is_empty() {
        if call.site.node.attrs.int_or("noop_with_empty_axes", 0) != 0 {
            return Some(vec![data.clone()]);
        }
        (0..rank).collect()
    } else {
        axes(&list, rank).ok()?
    };
    // The kept axes first, then the reduced ones: each row of the dense copy is one result.
    let own = strides(&ty.shape);
    let order: Vec<usize> = (0..rank).filter(|a| !gone.contains(a)).chain(gone.iter().copied()).collect();
    let row: usize = gone.iter().map(|a| ty.shape[*a]).product();
    let view = View {
        bytes: data.bytes(),
        size: ty.dtype.size(),
        offset: 0,
        shape: order.iter().map(|a| ty.shape[*a]).collect(),
        strides: order.iter().map(|a| own[*a]).collect(),
    };
    if row == 0 {
        let value = empty?;
        return Some(vec![Lane::Int(vec![value; call.out().elements()]).write(call.out().dtype)]);
    }
    let result = match Lane::read(&view.dense()?, ty.dtype) {
        Lane::Int(v) => Lane::Int(
            v.chunks_exact(row)
                .map(|r| r[1..].iter().try_fold(r[0], |a, b| int(a, *b)))
                .collect::<Option<_>>()?,
        ),
        Lane::Float(v) => {
            Lane::Float(v.chunks_exact(row).map(|r| r.iter().copied().reduce(float)).collect::<Option<_>>()?)
        }
    };
    Some(vec![result.write(call.out().dtype)])
}
