//! What an OpDef XML says, as types.

use std::fmt;

/// Where something stands in the file; both count from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line.
    pub line: u32,
    /// Column.
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The definition can be used; what it says is probably not meant.
    Warning,
    /// The definition cannot be used.
    Error,
}

/// Something that is wrong with a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// Where.
    pub at: Position,
    /// What is wrong, one sentence without a final stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Finding {
    pub(crate) fn error(at: Position, message: impl Into<String>) -> Self {
        Self { level: Level::Error, at, message: message.into(), help: None }
    }

    pub(crate) fn warning(at: Position, message: impl Into<String>) -> Self {
        Self { level: Level::Warning, at, message: message.into(), help: None }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.message)?;
        match &self.help {
            Some(help) => write!(f, " (help: {help})"),
            None => Ok(()),
        }
    }
}

/// The ops of one package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Package {
    /// The package's name, which is that of the library and the first half of every op's full name.
    pub name: String,
    /// The operator domain that a model names the ops by; the package's name where the file says none.
    pub domain: String,
    /// Version of the definitions, as the file writes it.
    pub version: String,
    /// The ops in the file's order.
    pub ops: Vec<Op>,
    /// What single backends add.
    pub supplements: Vec<Supplement>,
    /// Where the package is named.
    pub at: Position,
}

impl Package {
    /// The op of a name.
    pub fn op(&self, name: &str) -> Option<&Op> {
        self.ops.iter().find(|op| op.name == name)
    }

    /// The types that a tensor or parameter of an op has on the HTP: those of the supplement for it where the definition leaves
    /// the choice to the backend, else its own. Empty where nothing is said.
    pub fn datatypes<'a>(&'a self, op: &Op, kind: Kind, name: &str) -> &'a [Datatype] {
        let own: &'a [Datatype] = self
            .op(&op.name)
            .and_then(|op| match kind {
                Kind::Input => op.inputs.iter().find(|t| t.name == name).map(|t| &t.datatypes[..]),
                Kind::Output => op.outputs.iter().find(|t| t.name == name).map(|t| &t.datatypes[..]),
                Kind::Param => op.params.iter().find(|p| p.name == name).map(|p| &p.datatypes[..]),
            })
            .unwrap_or_default();
        if !own.contains(&Datatype::BackendSpecific) {
            return own;
        }
        let htp = self.supplements.iter().filter(|list| list.backend == "HTP");
        htp.flat_map(|list| &list.ops)
            .filter(|(supplemented, _, _)| *supplemented == op.name)
            .flat_map(|(_, _, tensors)| tensors)
            .find(|tensor| tensor.kind == kind && tensor.name == name)
            .map_or(&[], |tensor| &tensor.datatypes)
    }
}

/// An op.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Op {
    /// Name.
    pub name: String,
    /// What it does: the text of its description, paragraphs apart.
    pub description: String,
    /// Inputs in order.
    pub inputs: Vec<Tensor>,
    /// Outputs in order.
    pub outputs: Vec<Tensor>,
    /// Parameters in order.
    pub params: Vec<Param>,
    /// Backends that have it, as the file writes them.
    pub backends: Vec<String>,
    /// Where its name stands.
    pub at: Position,
}

/// What a tensor of an op is to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Read.
    Input,
    /// Written.
    Output,
    /// Fixed when the model is compiled.
    Param,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Input => "input",
            Kind::Output => "output",
            Kind::Param => "parameter",
        })
    }
}

/// An input or output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Whether it may not be left out.
    pub mandatory: bool,
    /// Types of its elements.
    pub datatypes: Vec<Datatype>,
    /// Number of axes.
    pub rank: Rank,
    /// Layout, as the file writes it.
    pub layout: Option<String>,
    /// Shape in the author's words.
    pub shape: Option<String>,
    /// What holds of it beyond type and rank.
    pub constraints: Vec<Constraint>,
    /// Whether any number of tensors may stand in its place; the last input only.
    pub repeated: bool,
    /// Whether it must be constant.
    pub is_static: bool,
    /// Where its name stands.
    pub at: Position,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// Name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Whether it may not be left out.
    pub mandatory: bool,
    /// Types of its elements.
    pub datatypes: Vec<Datatype>,
    /// [`Rank::Scalar`], or a tensor's number of axes.
    pub rank: Rank,
    /// Shape in the author's words.
    pub shape: Option<String>,
    /// The value when it is left out, as the file writes it.
    pub default: Option<String>,
    /// Names of its values, from 0.
    pub values: Vec<String>,
    /// What holds of it beyond type and rank.
    pub constraints: Vec<Constraint>,
    /// Where its name stands.
    pub at: Position,
}

/// A number or rule that a tensor must keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    /// Its number in the op.
    pub id: String,
    /// `Number`, `Shape`, `Value`, `Datatype` or `Description`.
    pub kind: String,
    /// The rule in words.
    pub text: String,
    /// Where it stands.
    pub at: Position,
}

/// How many axes a tensor has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// A single value, no tensor: parameters only.
    Scalar,
    /// Exactly so many.
    Fixed(u8),
    /// Any number.
    Any,
}

impl Rank {
    /// Whether a tensor of so many axes is meant.
    pub fn fits(self, axes: usize) -> bool {
        match self {
            Rank::Scalar => axes == 0,
            Rank::Fixed(rank) => axes == usize::from(rank),
            Rank::Any => true,
        }
    }
}

impl fmt::Display for Rank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rank::Scalar => f.write_str("scalar"),
            Rank::Fixed(rank) => write!(f, "{rank}-D"),
            Rank::Any => f.write_str("any rank"),
        }
    }
}

/// A `SupplementalOpDefList`: what one backend says about ops that are defined elsewhere in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Supplement {
    /// The backend: `CPU`, `GPU`, `DSP`, `HTP`.
    pub backend: String,
    /// The ops it has, each with its place; empty where the list is left out.
    pub supported: Vec<(String, Position)>,
    /// What it says of ops: name, place, tensors.
    pub ops: Vec<(String, Position, Vec<SupplementedTensor>)>,
    /// Where the list begins.
    pub at: Position,
}

/// What a backend says about a tensor or parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SupplementedTensor {
    /// Which of the three.
    pub kind: Kind,
    /// Name.
    pub name: String,
    /// Types that the backend takes; empty where it says nothing of them.
    pub datatypes: Vec<Datatype>,
    /// Where its name stands.
    pub at: Position,
}

macro_rules! datatypes {
    ($($ident:ident, $name:literal, $number:literal, $onnx:literal, $c:literal;)*) => {
        /// A type of elements, as QNN has them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "each is its own name")]
        pub enum Datatype { BackendSpecific, $($ident,)* }

        impl Datatype {
            /// Every type that a tensor can have.
            pub const ALL: &'static [Datatype] = &[$(Datatype::$ident,)*];

            /// As the XML writes it.
            pub fn name(self) -> &'static str {
                match self {
                    Datatype::BackendSpecific => "BACKEND_SPECIFIC",
                    $(Datatype::$ident => concat!("QNN_DATATYPE_", $name),)*
                }
            }

            /// The number that the C API has for it; `None` for [`Datatype::BackendSpecific`].
            pub fn number(self) -> Option<u32> {
                match self {
                    Datatype::BackendSpecific => None,
                    $(Datatype::$ident => Some($number),)*
                }
            }

            /// What a model and the manifest call it; for fixed point the storage behind `fixed`.
            pub fn short(self) -> &'static str {
                match self {
                    Datatype::BackendSpecific => "backend's choice",
                    $(Datatype::$ident => $onnx,)*
                }
            }

            /// The C type of an element; `None` where C has none.
            pub fn c_type(self) -> Option<&'static str> {
                match self {
                    Datatype::BackendSpecific => None,
                    $(Datatype::$ident => if $c.is_empty() { None } else { Some($c) },)*
                }
            }
        }
    };
}

datatypes! {
    Int8, "INT_8", 0x008, "int8", "int8_t";
    Int16, "INT_16", 0x016, "int16", "int16_t";
    Int32, "INT_32", 0x032, "int32", "int32_t";
    Int64, "INT_64", 0x064, "int64", "int64_t";
    Uint8, "UINT_8", 0x108, "uint8", "uint8_t";
    Uint16, "UINT_16", 0x116, "uint16", "uint16_t";
    Uint32, "UINT_32", 0x132, "uint32", "uint32_t";
    Uint64, "UINT_64", 0x164, "uint64", "uint64_t";
    Float16, "FLOAT_16", 0x216, "float16", "";
    Float32, "FLOAT_32", 0x232, "float32", "float";
    SFixed8, "SFIXED_POINT_8", 0x308, "sfixed8", "int8_t";
    SFixed16, "SFIXED_POINT_16", 0x316, "sfixed16", "int16_t";
    SFixed32, "SFIXED_POINT_32", 0x332, "sfixed32", "int32_t";
    UFixed8, "UFIXED_POINT_8", 0x408, "ufixed8", "uint8_t";
    UFixed16, "UFIXED_POINT_16", 0x416, "ufixed16", "uint16_t";
    UFixed32, "UFIXED_POINT_32", 0x432, "ufixed32", "uint32_t";
    Bool8, "BOOL_8", 0x508, "bool", "uint8_t";
}

impl Datatype {
    /// The type of a name of the XML.
    pub fn find(name: &str) -> Option<Self> {
        std::iter::once(&Datatype::BackendSpecific)
            .chain(Datatype::ALL)
            .find(|datatype| datatype.name() == name)
            .copied()
    }

    /// Whether its integers stand for real numbers by a scale and an offset.
    pub fn is_fixed_point(self) -> bool {
        self.name().contains("FIXED_POINT")
    }
}

impl fmt::Display for Datatype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.short())
    }
}
