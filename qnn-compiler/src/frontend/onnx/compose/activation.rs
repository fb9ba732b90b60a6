//! The activations that recurrent operators name.

use super::parts::Parts;
use crate::graph::{Attr, Attrs, ValueId};
use crate::infer::{Answer, invalid};
use crate::op::Op;

/// How an activation is written: an operator of that name, or a formula.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// An operator without attributes.
    Plain(Op),
    /// An operator with attribute alpha.
    Alpha(Op),
    /// An operator with attributes alpha and beta.
    AlphaBeta(Op),
    /// alpha · x + beta
    Affine,
    /// alpha · tanh(beta · x)
    ScaledTanh,
}

/// Name, form, alpha and beta where the node gives none.
const TABLE: &[(&str, Form, f32, f32)] = &[
    ("Affine", Form::Affine, 1.0, 0.0),
    ("Elu", Form::Alpha(Op::Elu), 1.0, 0.0),
    ("HardSigmoid", Form::AlphaBeta(Op::HardSigmoid), 0.2, 0.5),
    ("LeakyRelu", Form::Alpha(Op::LeakyRelu), 0.01, 0.0),
    ("Relu", Form::Plain(Op::Relu), 0.0, 0.0),
    ("ScaledTanh", Form::ScaledTanh, 1.0, 1.0),
    ("Sigmoid", Form::Plain(Op::Sigmoid), 0.0, 0.0),
    ("Softplus", Form::Plain(Op::Softplus), 0.0, 0.0),
    ("Softsign", Form::Plain(Op::Softsign), 0.0, 0.0),
    ("Tanh", Form::Plain(Op::Tanh), 0.0, 0.0),
    ("ThresholdedRelu", Form::Alpha(Op::ThresholdedRelu), 1.0, 0.0),
];

/// An activation with its numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Activation {
    form: Form,
    alpha: f32,
    beta: f32,
}

/// The activations of all directions; `usual` are those of one where the node names none. The lists of alphas and betas have
/// entries for the activations that take them only.
pub(super) fn activations(attrs: &Attrs, usual: &[&str], directions: usize) -> Answer<Vec<Activation>> {
    let names: Vec<&str> = match attrs.get("activations") {
        Some(Attr::Strs(names)) if !names.is_empty() => names.iter().map(String::as_str).collect(),
        _ => usual.repeat(directions),
    };
    if names.len() != usual.len() * directions {
        return invalid(format!("{} activations, {} are needed", names.len(), usual.len() * directions));
    }
    let list = |name: &str| match attrs.get(name) {
        Some(Attr::Floats(values)) => values.clone(),
        _ => Vec::new(),
    };
    let (mut alphas, mut betas) = (list("activation_alpha").into_iter(), list("activation_beta").into_iter());
    names
        .into_iter()
        .map(|name| {
            let Some(&(_, form, alpha, beta)) = TABLE.iter().find(|row| row.0.eq_ignore_ascii_case(name))
            else {
                return invalid(format!("there is no activation {name}"));
            };
            let alpha = if matches!(form, Form::Plain(_)) { alpha } else { alphas.next().unwrap_or(alpha) };
            let with_beta = matches!(form, Form::AlphaBeta(_) | Form::Affine | Form::ScaledTanh);
            let beta = if with_beta { betas.next().unwrap_or(beta) } else { beta };
            Ok(Activation { form, alpha, beta })
        })
        .collect()
}

impl Activation {
    pub(super) fn write(self, p: &mut Parts<'_, '_>, x: ValueId) -> Answer<ValueId> {
        let alpha = ("alpha", Attr::Float(self.alpha));
        match self.form {
            Form::Plain(op) => p.op(op, &[x]),
            Form::Alpha(op) => p.with(op, &[x], [alpha]),
            Form::AlphaBeta(op) => p.with(op, &[x], [alpha, ("beta", Attr::Float(self.beta))]),
            Form::Affine => {
                let scaled = p.by(Op::Mul, x, self.alpha.into())?;
                p.by(Op::Add, scaled, self.beta.into())
            }
            Form::ScaledTanh => {
                let scaled = p.by(Op::Mul, x, self.beta.into())?;
                let bent = p.op(Op::Tanh, &[scaled])?;
                p.by(Op::Mul, bent, self.alpha.into())
            }
        }
    }
}
