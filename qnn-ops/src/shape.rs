//! Rules for the shapes of outputs. The XML has a shape in the author's words only, so what is not the shape of an input is said by
//! the app: `x`, or one expression an axis such as `x[0], x[1]/2, (x[2]-kernel)/stride + 1`.

use crate::model::Op;

/// The shape of one output, in terms of the inputs and the parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShapeRule {
    /// That of the input of this index.
    Same(usize),
    /// One expression an axis.
    Axes(Vec<Extent>),
}

/// The extent of an axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// A number.
    Number(i64),
    /// An axis of an input by its index; negative axes count from the last.
    Axis(usize, i64),
    /// A parameter's value, by its name.
    Param(String),
    /// Two extents; `/` rounds down.
    Of(Operator, Box<[Extent; 2]>),
}

/// What is done with two extents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
}

const FORM: &str = "a rule is an input's name, or one expression an axis of numbers, `x[0]`, parameters, `+ - * /` and brackets";

/// Deepest brackets of an expression.
const DEEPEST: usize = 32;

impl ShapeRule {
    /// Reads a rule for an op.
    ///
    /// # Errors
    /// What is wrong with it, in words, with its place in the rule.
    pub fn parse(text: &str, op: &Op) -> Result<Self, String> {
        let text = text.trim();
        if let Some(input) = op.inputs.iter().position(|input| input.name == text) {
            return Ok(Self::Same(input));
        }
        // The whole list may stand in brackets.
        let inner =
            text.strip_prefix('[').map(|inner| inner.strip_suffix(']').unwrap_or(inner)).unwrap_or(text);
        let start = text.len() - text.trim_start_matches('[').len();
        let mut reader = Reader { text: inner, at: 0, start, op, depth: 0 };
        let mut axes = Vec::new();
        loop {
            axes.push(reader.sum()?);
            match reader.peek() {
                None => return Ok(Self::Axes(axes)),
                Some(',') => reader.at += 1,
                Some(_) => return Err(reader.wrong()),
            }
        }
    }

    /// The shape for inputs of these shapes and parameters of these values.
    ///
    /// # Errors
    /// An input is left out, or has no such axis, or an axis would have no length that can be; in words.
    pub fn shape(
        &self,
        inputs: &[Option<&[usize]>],
        param: &dyn Fn(&str) -> Option<i64>,
    ) -> Result<Vec<usize>, String> {
        match self {
            Self::Same(index) => input(inputs, *index).map(<[usize]>::to_vec),
            Self::Axes(axes) => axes
                .iter()
                .enumerate()
                .map(|(at, extent)| {
                    let length = extent.length(inputs, param)?;
                    usize::try_from(length)
                        .ok()
                        .filter(|length| *length > 0)
                        .ok_or_else(|| format!("axis {at} would have the length {length}"))
                })
                .collect(),
        }
    }
}

fn input<'i>(inputs: &[Option<&'i [usize]>], index: usize) -> Result<&'i [usize], String> {
    inputs.get(index).copied().flatten().ok_or_else(|| format!("input {index} is left out"))
}

impl Extent {
    fn length(
        &self,
        inputs: &[Option<&[usize]>],
        param: &dyn Fn(&str) -> Option<i64>,
    ) -> Result<i64, String> {
        match self {
            Self::Number(number) => Ok(*number),
            Self::Axis(index, at) => {
                let shape = input(inputs, *index)?;
                let place = if *at < 0 { at + shape.len() as i64 } else { *at };
                let length = usize::try_from(place).ok().and_then(|place| shape.get(place));
                let length = length.ok_or_else(|| format!("input {index} has no axis {at}"))?;
                i64::try_from(*length).map_err(|_| "an axis is too long".to_owned())
            }
            Self::Param(name) => param(name).ok_or_else(|| format!("parameter `{name}` has no whole number")),
            Self::Of(operator, sides) => {
                let [a, b] = &**sides;
                let (a, b) = (a.length(inputs, param)?, b.length(inputs, param)?);
                let result = match operator {
                    Operator::Add => a.checked_add(b),
                    Operator::Subtract => a.checked_sub(b),
                    Operator::Multiply => a.checked_mul(b),
                    // Down, also below zero, as shapes are computed everywhere.
                    Operator::Divide => a.checked_div_euclid(b).filter(|_| b > 0),
                };
                result.ok_or_else(|| format!("{a} and {b} give no length of an axis"))
            }
        }
    }
}

/// Reads the expressions of a rule.
struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// Characters of the rule before `text`.
    start: usize,
    op: &'a Op,
    depth: usize,
}

impl Reader<'_> {
    fn peek(&mut self) -> Option<char> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        self.text[self.at..].chars().next()
    }

    fn wrong(&self) -> String {
        let place = self.start + self.text[..self.at].chars().count() + 1;
        match self.text[self.at..].chars().next() {
            Some(character) => format!("`{character}` at character {place} does not fit there; {FORM}"),
            None => format!("it ends where something should follow; {FORM}"),
        }
    }

    fn sum(&mut self) -> Result<Extent, String> {
        let mut left = self.product()?;
        while let Some(sign @ ('+' | '-')) = self.peek() {
            self.at += 1;
            let operator = if sign == '+' { Operator::Add } else { Operator::Subtract };
            left = Extent::Of(operator, Box::new([left, self.product()?]));
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Extent, String> {
        let mut left = self.single()?;
        while let Some(sign @ ('*' | '/')) = self.peek() {
            self.at += 1;
            let operator = if sign == '*' { Operator::Multiply } else { Operator::Divide };
            left = Extent::Of(operator, Box::new([left, self.single()?]));
        }
        Ok(left)
    }

    fn single(&mut self) -> Result<Extent, String> {
        match self.peek() {
            Some('(') if self.depth < DEEPEST => {
                self.at += 1;
                self.depth += 1;
                let inner = self.sum()?;
                self.depth -= 1;
                if self.peek() != Some(')') {
                    return Err(self.wrong());
                }
                self.at += 1;
                Ok(inner)
            }
            Some(digit) if digit.is_ascii_digit() => {
                self.number().map(Extent::Number).ok_or_else(|| self.wrong())
            }
            Some(_) => self.named(),
            None => Err(self.wrong()),
        }
    }

    fn number(&mut self) -> Option<i64> {
        let rest = &self.text[self.at..];
        let length = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number = rest[..length].parse().ok()?;
        self.at += length;
        Some(number)
    }

    /// An axis of an input, or a parameter. A name of the XML may have brackets of its own: `in[0][1]` is axis 1 of `in[0]`.
    fn named(&mut self) -> Result<Extent, String> {
        let rest = &self.text[self.at..];
        let inputs = self.op.inputs.iter().enumerate().filter_map(|(index, input)| {
            let (axis, after) =
                rest.strip_prefix(&*input.name)?.trim_start().strip_prefix('[')?.split_once(']')?;
            Some((input.name.len(), Extent::Axis(index, axis.trim().parse().ok()?), rest.len() - after.len()))
        });
        let params = self.op.params.iter().filter_map(|param| {
            let after = rest.strip_prefix(&*param.name)?;
            let whole = !after.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '['));
            whole.then(|| (param.name.len(), Extent::Param(param.name.clone()), param.name.len()))
        });
        match inputs.chain(params).max_by_key(|(length, ..)| *length) {
            Some((_, extent, length)) => {
                self.at += length;
                Ok(extent)
            }
            None => {
                let word = rest.split(|c: char| ",+-*/()".contains(c)).next().unwrap_or_default().trim();
                if word.is_empty() {
                    return Err(self.wrong());
                }
                let names: Vec<&str> = self.op.inputs.iter().map(|input| &*input.name).collect();
                let params: Vec<&str> = self.op.params.iter().map(|param| &*param.name).collect();
                let params = if params.is_empty() {
                    String::new()
                } else {
                    format!(" or parameter ({})", params.join(", "))
                };
                let place = self.start + self.text[..self.at].chars().count() + 1;
                Err(format!(
                    "`{word}` at character {place} names no axis of an input ({}){params}; {FORM}",
                    names.join(", ")
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Param, Position, Rank, Tensor};

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
        let param = Param {
            name: "patch".to_owned(),
            description: String::new(),
            mandatory: true,
            datatypes: vec![],
            rank: Rank::Scalar,
            shape: None,
            constraints: vec![],
            values: vec![],
            default: None,
            at: Position::default(),
        };
        Op { inputs: inputs.iter().map(tensor).collect(), params: vec![param], ..Op::default() }
    }

    fn shape(rule: &str, inputs: &[&[usize]]) -> Result<Vec<usize>, String> {
        let inputs: Vec<Option<&[usize]>> = inputs.iter().map(|shape| Some(*shape)).collect();
        let param = |name: &str| (name == "patch").then_some(3);
        ShapeRule::parse(rule, &op(&["x", "in[0]"]))?.shape(&inputs, &param)
    }

    #[test]
    fn rules_give_shapes() {
        let inputs: &[&[usize]] = &[&[1, 8, 6], &[4, 5]];
        assert_eq!(shape("x", inputs), Ok(vec![1, 8, 6]));
        assert_eq!(shape("in[0]", inputs), Ok(vec![4, 5]));
        assert_eq!(shape("x[0], 2*x[-1], in[0][1], 7", inputs), Ok(vec![1, 12, 5, 7]));
        assert_eq!(shape("[x[0], 3]", inputs), Ok(vec![1, 3]));
        assert_eq!(shape("x[1]/2, x[1]-4, x[1] + x[2]*2, x[2]/patch", inputs), Ok(vec![4, 4, 20, 2]));
        assert_eq!(shape("[x[0], (x[1]-patch)/2+1]", inputs), Ok(vec![1, 3]));
        assert_eq!(shape("x[1]/3", inputs), Ok(vec![2]), "rounded down");
    }

    #[test]
    fn nonsense_is_refused_with_the_form() {
        let inputs: &[&[usize]] = &[&[1, 8, 6], &[4, 5]];
        for rule in
            ["", "y", "x[a]", "a*x[0]", "y[0]", "-1", "x[0]]", "x[1]2", "x[0],", "x[1]%2", "(x[0]", "1.5"]
        {
            assert!(shape(rule, inputs).unwrap_err().contains("a rule is"), "{rule}");
        }
        assert!(shape("x[0], x[1]%2", inputs).unwrap_err().contains("character 11"));
        assert_eq!(shape("x[3]", inputs), Err("input 0 has no axis 3".to_owned()));
        assert!(shape("x[1]-8", inputs).unwrap_err().contains("length 0"));
        assert!(shape("x[1]/(x[0]-1)", inputs).unwrap_err().contains("no length"));
        let deep = format!("{}1{}", "(".repeat(100), ")".repeat(100));
        assert!(shape(&deep, inputs).is_err());
    }
}
