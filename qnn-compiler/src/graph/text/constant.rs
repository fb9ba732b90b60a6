//! Elements of constants as text.

use crate::graph::{DType, Data};

/// How the elements of a constant are written.
#[derive(Clone, Debug, PartialEq)]
pub enum Elements {
    /// All of them are this one.
    Splat(String),
    /// One by one.
    List(Vec<String>),
    /// The sequence that a seed gives.
    Random(u64),
    /// Not written: there are too many.
    Elided,
}

/// Seeds that a printed constant is held against.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=16;

impl Elements {
    /// How a constant is written that has up to `most` elements in a list.
    pub fn of(data: &Data, dtype: DType, most: usize) -> Self {
        let size = dtype.size();
        let count = data.len() / size.max(1);
        if let Some(first) = data.bytes().get(..size)
            && data.bytes().chunks_exact(size).all(|element| element == first)
        {
            return Self::Splat(texts(&part(data, 0, size), dtype).remove(0));
        }
        let begin = count.min(4);
        let head = part(data, 0, begin * size);
        let seed = SEEDS.filter(|_| count >= 4).find(|&seed| {
            let same = |count, of: &Data| random(seed, count, dtype).bytes() == of.bytes();
            same(begin, &head) && same(count, data)
        });
        match seed {
            Some(seed) => Self::Random(seed),
            None if count <= most => Self::List(texts(data, dtype)),
            None => Self::Elided,
        }
    }

    /// The data of `count` elements.
    ///
    /// # Errors
    /// What is wrong with an element, or with their number.
    pub fn data(&self, dtype: DType, count: usize) -> Result<Data, String> {
        /// A text does not stand for more.
        const MOST: usize = 1 << 28;
        if count.saturating_mul(dtype.size()) > MOST {
            return Err(format!("{count} elements are too many for a text"));
        }
        match self {
            Self::Splat(text) => {
                let one = data(std::slice::from_ref(text), dtype)?;
                Ok(Data::new(one.bytes().repeat(count).into()))
            }
            Self::List(list) if list.len() == count => data(list, dtype),
            Self::List(list) => Err(format!("{} elements where the shape has {count}", list.len())),
            Self::Random(seed) => Ok(random(*seed, count, dtype)),
            Self::Elided => Ok(random(0, count, dtype)),
        }
    }
}

fn part(data: &Data, from: usize, to: usize) -> Data {
    Data::new(data.bytes().slice(from..to))
}

/// Numbers from -1 to 1 in steps of 1/32, or integers of one byte, in a sequence that is the same everywhere.
fn random(seed: u64, count: usize, dtype: DType) -> Data {
    let bits = |i: usize| {
        let mut z = (seed << 40).wrapping_add(i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (z ^ (z >> 27)) >> 32
    };
    match dtype {
        DType::Bool => Data::from_ints(&integers(count, |i| bits(i) & 1), dtype),
        DType::U4 => Data::from_ints(&integers(count, |i| bits(i) & 15), dtype),
        DType::I4 => Data::from_ints(&integers(count, |i| (bits(i) & 15).wrapping_sub(8)), dtype),
        DType::I8 => Data::from_ints(&integers(count, |i| (bits(i) & 255).wrapping_sub(128)), dtype),
        _ if dtype.is_float() => {
            let reals: Vec<f64> = (0..count).map(|i| (bits(i) & 63) as f64 / 32.0 - 1.0).collect();
            Data::from_floats(&reals, dtype)
        }
        _ => Data::from_ints(&integers(count, |i| bits(i) & 255), dtype),
    }
}

fn integers(count: usize, of: impl Fn(usize) -> u64) -> Vec<i64> {
    (0..count).map(|i| of(i) as i64).collect()
}

/// Every element as it is written.
fn texts(data: &Data, dtype: DType) -> Vec<String> {
    match dtype {
        DType::Bool => data.to_i64(dtype).iter().map(|v| (*v != 0).to_string()).collect(),
        DType::F64 => data.to_f64(dtype).into_iter().map(|v| number(v, &format!("{v:?}"))).collect(),
        DType::U64 => {
            data.bytes().as_chunks::<8>().0.iter().map(|c| u64::from_le_bytes(*c).to_string()).collect()
        }
        _ if dtype.is_float() => data.to_f32(dtype).into_iter().map(float).collect(),
        _ => data.to_i64(dtype).iter().map(ToString::to_string).collect(),
    }
}

/// A float in the fewest digits that tell it from its neighbours.
pub(super) fn float(value: f32) -> String {
    number(f64::from(value), &format!("{value:?}"))
}

fn number(value: f64, text: &str) -> String {
    if value.is_nan() { "nan".to_owned() } else { text.to_owned() }
}

/// A float as it is written; `None` where it is none.
pub(super) fn read_float<T: std::str::FromStr>(text: &str) -> Option<T> {
    // `inf` and `nan` are read too, `infinity` is not what is written.
    text.parse().ok()
}

fn data(list: &[String], dtype: DType) -> Result<Data, String> {
    let wrong = |text: &String| format!("{text} is not a number of {dtype}");
    match dtype {
        DType::F64 => {
            let all: Result<Vec<f64>, String> =
                list.iter().map(|text| read_float(text).ok_or_else(|| wrong(text))).collect();
            Ok(Data::from_floats(&all?, dtype))
        }
        _ if dtype.is_float() => {
            let all: Result<Vec<f64>, String> = list
                .iter()
                .map(|text| read_float::<f32>(text).map(f64::from).ok_or_else(|| wrong(text)))
                .collect();
            Ok(Data::from_floats(&all?, dtype))
        }
        _ => {
            let one = |text: &String| match text.as_str() {
                "true" => Some(1),
                "false" => Some(0),
                _ => text.parse::<i128>().ok().filter(|v| fits(*v, dtype)).map(|v| v as i64),
            };
            let all: Result<Vec<i64>, String> =
                list.iter().map(|text| one(text).ok_or_else(|| wrong(text))).collect();
            Ok(Data::from_ints(&all?, dtype))
        }
    }
}

fn fits(value: i128, dtype: DType) -> bool {
    let (low, high): (i128, i128) = match dtype {
        DType::Bool => (0, 1),
        DType::U4 => (0, 15),
        DType::I4 => (-8, 7),
        DType::U8 => (0, 255),
        DType::I8 => (-128, 127),
        DType::U16 => (0, u16::MAX.into()),
        DType::I16 => (i16::MIN.into(), i16::MAX.into()),
        DType::U32 => (0, u32::MAX.into()),
        DType::I32 => (i32::MIN.into(), i32::MAX.into()),
        DType::U64 => (0, u64::MAX.into()),
        _ => (i64::MIN.into(), i64::MAX.into()),
    };
    (low..=high).contains(&value)
}
