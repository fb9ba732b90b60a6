//! From named tensors to weights by role: everything that the architecture needs is there and has its shape.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::Config;
use crate::arch::{Architecture, IDLE, Size, TENSORS, Tensor};
use crate::problem::{Class, Problem, Problems, some};
use crate::weights::{Format, Role, Weight};

/// Most tensor names that one message lists.
const LISTED: usize = 40;

/// How a stored tensor's elements are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Elements {
    Known(Format),
    /// What the file calls its type.
    Unknown(String),
}

/// A tensor as it lies in a file.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    /// Slowest first.
    pub(crate) dims: Vec<u64>,
    pub(crate) elements: Elements,
    /// Empty where the size of the type is not known.
    pub(crate) data: Bytes,
}

/// What a file says of a model beside its tensors.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) architecture: &'static Architecture,
    /// Sizes; what depends on tensors (tied, biases) is set when they are assembled.
    pub(crate) config: Config,
    /// Whether the file says that the head is the embedding table; `None`: it is where there is no head.
    pub(crate) tied: Option<bool>,
    /// Whose names the tensors have.
    pub(crate) naming: Naming,
    /// What a user should know.
    pub(crate) notes: Vec<String>,
}

/// Whose names tensors have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Naming {
    Gguf,
    HuggingFace,
}

/// A model whose weights are all there; rows still lie as in the file.
#[derive(Clone, Debug)]
pub(crate) struct Assembled {
    pub(crate) config: Config,
    pub(crate) weights: BTreeMap<(Option<usize>, Role), Weight>,
    pub(crate) notes: Vec<String>,
    /// Whether rows of query and key lie in pairs.
    pub(crate) pairs: bool,
}

impl Naming {
    pub(crate) fn name(self, tensor: &Tensor, layer: Option<usize>) -> String {
        let pattern = match self {
            Self::Gguf => tensor.gguf,
            Self::HuggingFace => tensor.hugging_face,
        };
        layer.map_or_else(|| pattern.to_owned(), |layer| pattern.replace("{}", &layer.to_string()))
    }
}

impl Size {
    pub(crate) fn of(self, config: &Config) -> usize {
        match self {
            Self::One => 1,
            Self::Hidden => config.hidden,
            Self::HeadDim => config.head_dim,
            Self::QueryRows => config.query_rows(),
            Self::KvRows => config.kv_rows(),
            Self::Intermediate => config.intermediate,
            Self::Vocabulary => config.vocabulary,
        }
    }
}

/// Puts every tensor where it belongs, or says of all of them at once what is wrong.
pub(crate) fn assemble(found: Found, tensors: &BTreeMap<String, Stored>) -> Result<Assembled, Problems> {
    let Found { architecture, mut config, tied, naming, notes } = found;
    check(&config, tensors.len())?;
    let mut picked = Picked::default();
    let head = TENSORS.iter().find(|tensor| tensor.role == Role::Head).map(|head| naming.name(head, None));
    let has_head = head.as_ref().is_some_and(|head| tensors.contains_key(head));
    config.tied = tied.unwrap_or(!has_head);
    for row in TENSORS.iter().filter(|row| architecture.knows(row.role)) {
        let layers: Vec<Option<usize>> =
            if row.in_layers() { (0..config.layers).map(Some).collect() } else { vec![None] };
        let needed = match row.role {
            Role::Head => !config.tied,
            role => {
                // What one layer has, all must have.
                architecture.needs(role)
                    || layers.iter().any(|layer| tensors.contains_key(&naming.name(row, *layer)))
            }
        };
        for layer in layers.into_iter().filter(|_| needed) {
            picked.pick(row, layer, naming.name(row, layer), &config, tensors);
        }
        match row.role {
            Role::QueryBias => config.qkv_bias = needed,
            Role::QueryNorm => config.qk_norm = needed,
            _ => {}
        }
    }
    // A head that the configuration says is the embedding table is passed over, as its makers' own library does.
    let idle = |name: &str| IDLE.iter().any(|end| name.ends_with(end)) || Some(name) == head.as_deref();
    let strangers: Vec<&str> = tensors
        .keys()
        .map(String::as_str)
        .filter(|name| !picked.names.contains(*name) && !idle(name))
        .collect();
    let weights = picked.finish(architecture, &strangers)?;
    Ok(Assembled { config, weights, notes, pairs: naming == Naming::Gguf && architecture.gguf_pairs })
}

#[derive(Default)]
struct Picked {
    names: BTreeSet<String>,
    weights: BTreeMap<(Option<usize>, Role), Weight>,
    missing: Vec<String>,
    misshapen: Vec<String>,
    unsupported: Vec<String>,
    vocabulary: Option<Problem>,
}

impl Picked {
    fn pick(
        &mut self,
        row: &Tensor,
        layer: Option<usize>,
        name: String,
        config: &Config,
        tensors: &BTreeMap<String, Stored>,
    ) {
        let Some(stored) = tensors.get(&name) else {
            self.missing.push(name);
            return;
        };
        let (rows, columns) = (row.rows.of(config), row.columns.of(config));
        let wanted: Vec<u64> =
            if row.rows == Size::One { vec![columns as u64] } else { vec![rows as u64, columns as u64] };
        if stored.dims != wanted {
            match stored.dims[..] {
                [rows, columns] if row.rows == Size::Vocabulary && columns == config.hidden as u64 => {
                    let message =
                        format!("`{name}` has {rows} rows for a vocabulary of {}", config.vocabulary);
                    self.vocabulary.get_or_insert_with(|| Problem::config(message));
                }
                _ => self.misshapen.push(format!("{name} is {:?} and should be {wanted:?}", stored.dims)),
            }
        } else {
            match &stored.elements {
                Elements::Unknown(kind) => self.unsupported.push(format!("{name} ({kind})")),
                Elements::Known(format) => {
                    let weight = Weight {
                        name: name.clone(),
                        rows,
                        columns,
                        format: *format,
                        data: stored.data.clone(),
                    };
                    self.weights.insert((layer, row.role), weight);
                }
            }
        }
        self.names.insert(name);
    }

    fn finish(
        self,
        architecture: &Architecture,
        strangers: &[&str],
    ) -> Result<BTreeMap<(Option<usize>, Role), Weight>, Problems> {
        let mut problems: Vec<Problem> = self.vocabulary.into_iter().collect();
        let name = architecture.name;
        let lists = [
            (Class::Tensors, &self.missing, format!("tensors that {name} needs are missing")),
            (
                Class::Tensors,
                &self.misshapen,
                "tensors have another shape than the model's sizes say".to_owned(),
            ),
            (
                Class::UnsupportedType,
                &self.unsupported,
                "tensors have types that are not supported".to_owned(),
            ),
        ];
        for (class, list, message) in lists {
            if list.is_empty() {
                continue;
            }
            let problem = Problem::new(class, format!("{} {message}", list.len())).note(some(list, LISTED));
            problems.push(match class {
                Class::UnsupportedType => problem.note(format!("supported: {}", Format::names())).help(
                    "quantize the model again from its F16 or BF16 file, for example to Q4_0 or Q4_K_M",
                ),
                _ => problem,
            });
        }
        if problems.is_empty() && !strangers.is_empty() {
            let message = format!("{} tensors have no place in the architecture {name}", strangers.len());
            let problem = Problem::config(message).note(some(strangers, LISTED));
            problems.push(problem.note("without them the model would compute something else"));
        }
        if problems.is_empty() { Ok(self.weights) } else { Err(Problems(problems)) }
    }
}

/// Sizes that can be, so that nothing later multiplies or loops without end.
fn check(config: &Config, tensors: usize) -> Result<(), Problem> {
    const MOST: usize = 1 << 26;
    let sizes = [
        ("hidden size", config.hidden, MOST),
        ("number of layers", config.layers, tensors.max(1024)),
        ("number of heads", config.heads, 1 << 14),
        ("number of key and value heads", config.kv_heads, config.heads),
        ("size of a head", config.head_dim, 1 << 14),
        ("size of the feed-forward layer", config.intermediate, MOST),
        ("vocabulary", config.vocabulary, MOST),
        ("context", config.max_context, 1 << 30),
    ];
    for (what, value, most) in sizes {
        if value == 0 || value > most {
            let why =
                if value > most { format!("at most {most} can be") } else { "at least 1 must be".to_owned() };
            return Err(Problem::config(format!("the {what} is {value}")).note(why));
        }
    }
    if !config.heads.is_multiple_of(config.kv_heads) {
        let message =
            format!("{} heads cannot share {} key and value heads evenly", config.heads, config.kv_heads);
        return Err(Problem::config(message));
    }
    if !config.head_dim.is_multiple_of(2) {
        let message = format!("heads of size {} have no halves to rotate", config.head_dim);
        return Err(Problem::config(message));
    }
    let positive = |value: f32| value.is_finite() && value > 0.0;
    let plausible =
        positive(config.rope.theta) && config.rms_epsilon.is_finite() && config.rms_epsilon >= 0.0;
    if !plausible {
        let message =
            format!("rotary base {} and epsilon {} cannot be", config.rope.theta, config.rms_epsilon);
        return Err(Problem::config(message));
    }
    crate::rope::check(config)
}
