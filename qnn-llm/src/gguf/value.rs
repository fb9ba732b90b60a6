//! Metadata values. Arrays stay in the file until someone asks for their elements.

use bytes::Bytes;

use super::cursor::Cursor;
use crate::problem::Problem;

/// How deep arrays may lie in arrays. No writer nests them at all.
const DEEPEST: usize = 4;

/// A metadata value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Unsigned numbers of all widths.
    Unsigned(u64),
    /// Signed numbers of all widths.
    Signed(i64),
    /// Floats of both widths.
    Float(f64),
    /// Truth.
    Bool(bool),
    /// Text.
    Text(String),
    /// Many of one kind.
    Array(Array),
}

/// An array, as it lies in the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    kind: Kind,
    count: usize,
    bytes: Bytes,
}

/// Types of metadata values: number in the file, bytes of one (0: not fixed).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    F32,
    Bool,
    Text,
    Array,
    U64,
    I64,
    F64,
}

const KINDS: &[(Kind, usize)] = &[
    (Kind::U8, 1),
    (Kind::I8, 1),
    (Kind::U16, 2),
    (Kind::I16, 2),
    (Kind::U32, 4),
    (Kind::I32, 4),
    (Kind::F32, 4),
    (Kind::Bool, 1),
    (Kind::Text, 0),
    (Kind::Array, 0),
    (Kind::U64, 8),
    (Kind::I64, 8),
    (Kind::F64, 8),
];

impl Kind {
    fn read(cursor: &mut Cursor<'_>, key: &str) -> Result<Self, Problem> {
        let number = cursor.u32("the type of a metadata value")?;
        let kind = usize::try_from(number).ok().and_then(|number| KINDS.get(number));
        kind.map(|(kind, _)| *kind).ok_or_else(|| {
            Problem::damaged(format!("metadata `{key}` has the type {number}, which GGUF does not define"))
        })
    }

    fn bytes(self) -> usize {
        KINDS.iter().find(|(kind, _)| *kind == self).map_or(0, |(_, bytes)| *bytes)
    }

    fn scalar(self, cursor: &mut Cursor<'_>, what: &str) -> Result<Value, Problem> {
        Ok(match self {
            Self::U8 => Value::Unsigned(u64::from(cursor.array::<1>(what)?[0])),
            Self::I8 => Value::Signed(i64::from(i8::from_le_bytes(cursor.array(what)?))),
            Self::U16 => Value::Unsigned(u64::from(u16::from_le_bytes(cursor.array(what)?))),
            Self::I16 => Value::Signed(i64::from(i16::from_le_bytes(cursor.array(what)?))),
            Self::U32 => Value::Unsigned(u64::from(cursor.u32(what)?)),
            Self::I32 => Value::Signed(i64::from(i32::from_le_bytes(cursor.array(what)?))),
            Self::F32 => Value::Float(f64::from(f32::from_le_bytes(cursor.array(what)?))),
            Self::Bool => Value::Bool(cursor.array::<1>(what)?[0] != 0),
            Self::U64 => Value::Unsigned(cursor.u64(what)?),
            Self::I64 => Value::Signed(i64::from_le_bytes(cursor.array(what)?)),
            Self::F64 => Value::Float(f64::from_le_bytes(cursor.array(what)?)),
            // Vendors cut long descriptions within a character, so what is no UTF-8 is replaced.
            Self::Text => Value::Text(String::from_utf8_lossy(cursor.string(what)?).into_owned()),
            Self::Array => return Err(Problem::damaged("an array lies where a single value should be")),
        })
    }
}

/// Reads the value of `key` and steps past it.
pub(super) fn read(cursor: &mut Cursor<'_>, file: &Bytes, key: &str) -> Result<Value, Problem> {
    let kind = Kind::read(cursor, key)?;
    if kind != Kind::Array {
        return kind.scalar(cursor, &format!("metadata `{key}`"));
    }
    let (kind, count) = header(cursor, key)?;
    let start = cursor.at();
    skip(cursor, kind, count, key, DEEPEST)?;
    Ok(Value::Array(Array { kind, count, bytes: file.slice(start..cursor.at()) }))
}

/// Kind and number of an array's elements.
fn header(cursor: &mut Cursor<'_>, key: &str) -> Result<(Kind, usize), Problem> {
    let kind = Kind::read(cursor, key)?;
    // The least that a text (its length) or an array (its header) can take.
    let least = match kind {
        Kind::Text => 8,
        Kind::Array => 12,
        _ => kind.bytes(),
    };
    Ok((kind, cursor.count(least, &format!("elements of metadata `{key}`"))?))
}

fn skip(cursor: &mut Cursor<'_>, kind: Kind, count: usize, key: &str, deeper: usize) -> Result<(), Problem> {
    let what = "an array of metadata";
    match kind {
        Kind::Text => (0..count).try_for_each(|_| cursor.string(what).map(drop)),
        Kind::Array if deeper == 0 => {
            Err(Problem::damaged(format!("metadata `{key}` nests arrays more than {DEEPEST} deep")))
        }
        Kind::Array => (0..count).try_for_each(|_| {
            let (kind, count) = header(cursor, key)?;
            skip(cursor, kind, count, key, deeper - 1)
        }),
        _ => cursor.take(count as u64 * kind.bytes() as u64, what).map(drop),
    }
}

impl Array {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The elements; arrays within the array are left out.
    pub fn values(&self) -> impl Iterator<Item = Value> {
        let mut cursor = Cursor::new(&self.bytes, 0);
        let count = if self.kind == Kind::Array { 0 } else { self.count };
        // All were stepped over once, so reading them cannot fail.
        (0..count).map_while(move |_| self.kind.scalar(&mut cursor, "an element").ok())
    }

    /// The bytes of each text; `None` where the elements are no texts.
    pub(crate) fn texts(&self) -> Option<impl Iterator<Item = &[u8]>> {
        let mut cursor = Cursor::new(&self.bytes, 0);
        (self.kind == Kind::Text)
            .then(|| (0..self.count).map_while(move |_| cursor.string("an element").ok()))
    }
}

impl Value {
    /// A whole number that is not negative.
    pub fn unsigned(&self) -> Option<u64> {
        match self {
            Self::Unsigned(value) => Some(*value),
            Self::Signed(value) => u64::try_from(*value).ok(),
            _ => None,
        }
    }

    /// Any number.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Unsigned(value) => Some(*value as f64),
            Self::Signed(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// Truth.
    pub fn bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// Text.
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(value) = self { Some(value) } else { None }
    }

    /// An array.
    pub fn array(&self) -> Option<&Array> {
        if let Self::Array(value) = self { Some(value) } else { None }
    }
}
