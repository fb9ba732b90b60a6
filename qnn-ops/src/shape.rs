//! Rules for the shapes of outputs. The XML has a shape in the author's words only, so what is not the shape of an input is said by
//! the app: `x`, or one entry an axis such as `x[0], 2*x[1], 1`.

use crate::model::Op;

/// The shape of one output, in terms of the inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShapeRule {
    /// That of the input of this index.
    Same(usize),
    /// One entry an axis.
    Axes(Vec<Axis>),
}

/// The extent of an axis: a factor, times an axis of an input where one is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// The factor.
    pub times: usize,
    /// Index of the input, and its axis; negative axes count from the last.
    pub of: Option<(usize, i64)>,
}

impl ShapeRule {
    /// Reads a rule for an op.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str, op: &Op) -> Result<Self, String> {
        let text = text.trim();
        if let Some(input) = op.inputs.iter().position(|input| input.name == text) {
            return Ok(Self::Same(input));
        }
        let axes = text.trim_start_matches('[').split(',').map(|entry| axis(entry.trim(), op));
        axes.collect::<Result<Vec<_>, _>>().map(Self::Axes)
    }

    /// The shape for inputs of these shapes.
    ///
    /// # Errors
    /// An input is left out, or has no such axis; in words.
    pub fn shape(&self, inputs: &[Option<&[usize]>]) -> Result<Vec<usize>, String> {
        let input = |index: usize| {
            inputs.get(index).copied().flatten().ok_or_else(|| format!("input {index} is left out"))
        };
        match self {
            Self::Same(index) => input(*index).map(<[usize]>::to_vec),
            Self::Axes(axes) => axes
                .iter()
                .map(|axis| {
                    let Some((index, at)) = axis.of else { return Ok(axis.times) };
                    let shape = input(index)?;
                    let place = if at < 0 { at + shape.len() as i64 } else { at };
                    let extent = usize::try_from(place).ok().and_then(|place| shape.get(place));
                    let extent = extent.ok_or_else(|| format!("input {index} has no axis {at}"))?;
                    axis.times.checked_mul(*extent).ok_or_else(|| "an axis would be too long".to_owned())
                })
                .collect(),
        }
    }
}

/// `4`, `x[1]` or `2*x[-1]`; a closing bracket of the whole list may follow.
fn axis(entry: &str, op: &Op) -> Result<Axis, String> {
    const FORM: &str = "a rule is an input's name, or one entry an axis: a number, `x[0]` or `2*x[0]`";
    let (times, rest) = match entry.split_once('*') {
        Some((times, rest)) => (times.trim(), rest.trim()),
        None if entry.contains('[') => ("1", entry),
        None => {
            let times = entry.trim_end_matches(']').trim().parse();
            let times = times.map_err(|_| format!("`{entry}` is no extent of an axis; {FORM}"))?;
            return Ok(Axis { times, of: None });
        }
    };
    let times = times.parse().map_err(|_| format!("`{times}` is no factor; {FORM}"))?;
    // A name of the XML may have brackets of its own: `in[0][1]` is axis 1 of `in[0]`.
    let mut named = op.inputs.iter().enumerate().filter_map(|(index, input)| {
        let axis = rest.strip_prefix(&*input.name)?.trim().strip_prefix('[')?;
        Some((index, axis.split(']').next()?.trim().parse::<i64>().ok()?))
    });
    match named.next_back() {
        Some(of) => Ok(Axis { times, of: Some(of) }),
        None => {
            let names: Vec<&str> = op.inputs.iter().map(|input| &*input.name).collect();
            Err(format!("`{rest}` names no axis of an input ({}); {FORM}", names.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Position, Rank, Tensor};

    fn op(inputs: &[&str]) -> Op {
        let tensor = |name: &&str| Tensor {
            name: (*name).to_owned(),
            description: String::new(),
            mandatory: true,
            datatypes: vec![],
            rank: Rank::Any,
            layout: None,
            shape: None,
            constraints: vec![],
            repeated: false,
            is_static: false,
            at: Position::default(),
        };
        Op { inputs: inputs.iter().map(tensor).collect(), ..Op::default() }
    }

    fn shape(rule: &str, inputs: &[&[usize]]) -> Result<Vec<usize>, String> {
        let inputs: Vec<Option<&[usize]>> = inputs.iter().map(|shape| Some(*shape)).collect();
        ShapeRule::parse(rule, &op(&["x", "in[0]"]))?.shape(&inputs)
    }

    #[test]
    fn rules_give_shapes() {
        let inputs: &[&[usize]] = &[&[1, 8, 6], &[4, 5]];
        assert_eq!(shape("x", inputs), Ok(vec![1, 8, 6]));
        assert_eq!(shape("in[0]", inputs), Ok(vec![4, 5]));
        assert_eq!(shape("x[0], 2*x[-1], in[0][1], 7", inputs), Ok(vec![1, 12, 5, 7]));
        assert_eq!(shape("[x[0], 3]", inputs), Ok(vec![1, 3]));
    }

    #[test]
    fn nonsense_is_refused_with_the_form() {
        let inputs: &[&[usize]] = &[&[1, 8, 6], &[4, 5]];
        for rule in ["", "y", "x[a]", "a*x[0]", "y[0]", "-1"] {
            assert!(shape(rule, inputs).unwrap_err().contains("a rule is"), "{rule}");
        }
        assert_eq!(shape("x[3]", inputs), Err("input 0 has no axis 3".to_owned()));
    }
}
