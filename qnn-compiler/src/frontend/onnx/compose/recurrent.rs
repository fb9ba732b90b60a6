//! LSTM, GRU and RNN, step by step.
//!
//! A step is one product for each gate, of the input and the state behind one another. One product for all gates would have to be
//! split again, which costs HTP more than the three other products: 12,800 cycles on v81 for four gates of 64 units, in the library's
//! simulation; and an activation that is joined with its product takes no time at all. HTP's own Lstm and Gru take single steps too.

use super::activation::{Activation, activations};
use super::dynamic::{rounded, weight};
use super::parts::Parts;
use super::table::{Row, Written, row};
use crate::graph::{Attr, DType, ValueId};
use crate::infer::{Answer, invalid};
use crate::op::Op;

const NOTE: &str = "steps written out: a Gemm for each gate of a step; all forms; up to 1024 steps";

pub(super) const ROWS: &[Row] = &[
    row("GRU", NOTE, recurrent),
    row("LSTM", NOTE, recurrent),
    row("RNN", NOTE, recurrent),
    Row {
        domain: "com.microsoft",
        ..row(
            "DynamicQuantizeLSTM",
            "as LSTM; the input is rounded to 8 bits by its range, the state is not",
            recurrent,
        )
    },
];

/// The most steps that are written out: beyond it the vendor's library takes many minutes.
const MOST_STEPS: usize = 1024;

/// A kind of cell.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Lstm,
    Gru,
    Rnn,
}

impl Kind {
    fn gates(self) -> usize {
        match self {
            Self::Lstm => 4,
            Self::Gru => 3,
            Self::Rnn => 1,
        }
    }

    /// Activations of one direction where the node names none.
    fn usual(self) -> &'static [&'static str] {
        match self {
            Self::Lstm => &["Sigmoid", "Tanh", "Tanh"],
            Self::Gru => &["Sigmoid", "Tanh"],
            Self::Rnn => &["Tanh"],
        }
    }
}

/// The node's attributes and sizes.
struct Net {
    kind: Kind,
    steps: usize,
    batch: usize,
    hidden: usize,
    dtype: DType,
    clip: Option<f64>,
    linear_before_reset: bool,
    input_forget: bool,
    lengths: Lengths,
}

/// How many steps each sequence of the batch has.
enum Lengths {
    Full,
    Known(Vec<i64>),
    Computed(ValueId),
}

/// One direction's parameters.
struct Cell<'n> {
    net: &'n Net,
    activations: Vec<Activation>,
    /// Those that see the input and the state; GRU's last one is not among them where its part of the state is reset late.
    gates: Vec<Linear>,
    /// GRU's last gate where that is so.
    late: Option<Late>,
    /// Peepholes (hidden) of the input, output and forget gates.
    peepholes: Option<Vec<ValueId>>,
}

/// A product with a bias.
struct Linear {
    /// (hidden, in)
    weight: ValueId,
    /// (hidden)
    bias: Option<ValueId>,
}

/// A gate whose parts are products of their own.
struct Late {
    of_input: Linear,
    of_state: Linear,
}

/// State between steps; absent where it is zero.
#[derive(Clone, Copy)]
struct State {
    h: Option<ValueId>,
    c: Option<ValueId>,
}

fn recurrent(p: &mut Parts<'_, '_>) -> Answer<Written> {
    let kind = match p.node.op {
        Op::LSTM | Op::MsDynamicQuantizeLSTM => Kind::Lstm,
        Op::GRU => Kind::Gru,
        _ => Kind::Rnn,
    };
    let batch_first = p.node.attrs.int_or("layout", 0) != 0;
    let mut x = p.site().id(0)?;
    if batch_first {
        x = p.transpose(x, &[1, 0, 2])?;
    }
    let shape = p.shape(x);
    let (steps, batch, width) = (shape[0], shape[1], shape[2]);
    if steps > MOST_STEPS {
        return p.refuse(format!(
            "{steps} steps; up to {MOST_STEPS} are written out: export the model for shorter pieces that pass their state on"
        ));
    }
    let quantized = p.node.op == Op::MsDynamicQuantizeLSTM;
    if quantized {
        x = rounded(p, x)?;
    }
    let hidden = p.input_shape(2)?[if quantized { 1 } else { 2 }];
    let clip = p.node.attrs.float_or("clip", 0.0);
    let net = Net {
        kind,
        steps,
        batch,
        hidden,
        dtype: p.dtype(x),
        clip: (clip > 0.0).then_some(clip.into()),
        linear_before_reset: p.node.attrs.int_or("linear_before_reset", 0) != 0,
        input_forget: p.node.attrs.int_or("input_forget", 0) != 0,
        lengths: lengths(p, steps, batch)?,
    };
    let directions: &[bool] = match p.node.attrs.str_or("direction", "forward") {
        "forward" => &[false],
        "reverse" => &[true],
        "bidirectional" => &[false, true],
        other => return invalid(format!("attribute direction is {other}")),
    };
    let all = activations(&p.node.attrs, kind.usual(), directions.len())?;
    let flat = p.reshape(x, &[steps * batch, width])?;
    let mut results: [Vec<ValueId>; 3] = Default::default();
    for (i, backwards) in directions.iter().enumerate() {
        let own = all[i * kind.usual().len()..(i + 1) * kind.usual().len()].to_vec();
        let cell = cell(p, &net, own, i)?;
        let state = State { h: initial(p, 5, i, batch_first)?, c: initial(p, 6, i, batch_first)? };
        let (y, state) = cell.run(p, flat, state, *backwards)?;
        results[0].push(p.reshape(y, &[steps, 1, batch, hidden])?);
        for (list, value) in results[1..].iter_mut().zip([state.h, state.c]) {
            let value = value.unwrap_or_else(|| cell.zeros(p));
            list.push(p.reshape(value, &[1, batch, hidden])?);
        }
    }
    let mut outputs = Vec::new();
    for (i, (list, axis)) in results.iter().zip([1, 0, 0]).enumerate().take(p.outputs) {
        let mut value = p.concat(list, axis)?;
        if batch_first {
            value = p.transpose(value, if i == 0 { &[2, 0, 1, 3] } else { &[1, 0, 2] })?;
        }
        outputs.push(value);
    }
    Ok(Some(outputs))
}

fn lengths(p: &mut Parts<'_, '_>, steps: usize, batch: usize) -> Answer<Lengths> {
    let Some(id) = p.node.input(4) else { return Ok(Lengths::Full) };
    if p.shape(id).iter().product::<usize>() != batch {
        return invalid("sequence_lens has not one number a sequence");
    }
    match p.known_ints(id) {
        None => p.reshape(id, &[batch, 1]).map(Lengths::Computed),
        Some(list) if list.iter().all(|n| *n >= steps as i64) => Ok(Lengths::Full),
        Some(list) => Ok(Lengths::Known(list)),
    }
}

/// The state that direction `at` begins with, (batch, hidden); nothing where it is zero.
fn initial(p: &mut Parts<'_, '_>, input: usize, at: usize, batch_first: bool) -> Answer<Option<ValueId>> {
    let Some(id) = p.node.input(input) else { return Ok(None) };
    if p.known_floats(id).is_some_and(|values| values.iter().all(|v| *v == 0.0)) {
        return Ok(None);
    }
    let id = if batch_first { p.transpose(id, &[1, 0, 2])? } else { id };
    let own = p.range(id, 0, at, at + 1)?;
    let shape = p.shape(own);
    p.reshape(own, &shape[1..]).map(Some)
}

/// Row `at` of a parameter, without that axis.
fn own(p: &mut Parts<'_, '_>, parameter: ValueId, at: usize) -> Answer<ValueId> {
    let row = p.range(parameter, 0, at, at + 1)?;
    let shape = p.shape(row);
    p.reshape(row, &shape[1..])
}

/// The weights at input `i` of direction `at`, (gates · hidden, in).
fn matrix(p: &mut Parts<'_, '_>, i: usize, at: usize) -> Answer<ValueId> {
    let w = p.input(i)?;
    let w = own(p, w, at)?;
    if p.node.op != Op::MsDynamicQuantizeLSTM {
        return Ok(w);
    }
    let w = p.transpose(w, &[1, 0])?;
    let scales = if i == 1 { 8 } else { 10 };
    let scale = p.input(scales)?;
    let scale = slice_of(p, scale, at)?;
    let zero = p.node.input(scales + 1).map(|zero| slice_of(p, zero, at)).transpose()?;
    weight(p, w, scale, zero, 0)
}

/// One direction's scales or zero points: one number a direction, or one a gate and unit.
fn slice_of(p: &mut Parts<'_, '_>, list: ValueId, at: usize) -> Answer<ValueId> {
    if p.shape(list).is_empty() { Ok(list) } else { own(p, list, at) }
}

/// The cell of direction `at`.
fn cell<'n>(
    p: &mut Parts<'_, '_>,
    net: &'n Net,
    activations: Vec<Activation>,
    at: usize,
) -> Answer<Cell<'n>> {
    let count = net.kind.gates();
    let (w, recurrence) = (matrix(p, 1, at)?, matrix(p, 2, at)?);
    let (w, recurrence) = (p.pieces(w, 0, count)?, p.pieces(recurrence, 0, count)?);
    let mut biases = vec![(None, None); count];
    if let Some(both) = p.node.input(3) {
        let both = own(p, both, at)?;
        if p.shape(both) != [2 * count * net.hidden] {
            return invalid("the bias has not two numbers a gate");
        }
        let all = p.pieces(both, 0, 2 * count)?;
        let (of_input, of_state) = all.split_at(count);
        biases = of_input.iter().copied().map(Some).zip(of_state.iter().copied().map(Some)).collect();
    }
    let reset_late = net.kind == Kind::Gru && net.linear_before_reset;
    let (mut gates, mut late) = (Vec::new(), None);
    for (gate, ((w, r), (of_input, of_state))) in w.into_iter().zip(recurrence).zip(biases).enumerate() {
        if reset_late && gate + 1 == count {
            late = Some(Late {
                of_input: Linear { weight: w, bias: of_input },
                of_state: Linear { weight: r, bias: of_state },
            });
            continue;
        }
        let bias = match (of_input, of_state) {
            (Some(a), Some(b)) => Some(p.op(Op::Add, &[a, b])?),
            (one, other) => one.or(other),
        };
        gates.push(Linear { weight: p.concat(&[w, r], 1)?, bias });
    }
    let peepholes = match p.node.input(7) {
        Some(list) if net.kind == Kind::Lstm => {
            let list = own(p, list, at)?;
            Some(p.pieces(list, 0, 3)?)
        }
        _ => None,
    };
    Ok(Cell { net, activations, gates, late, peepholes })
}

impl Linear {
    /// x · wᵀ, plus the bias.
    fn of(&self, p: &mut Parts<'_, '_>, x: ValueId) -> Answer<ValueId> {
        let operands: Vec<ValueId> = [x, self.weight].into_iter().chain(self.bias).collect();
        p.with(Op::Gemm, &operands, [("transB", Attr::Int(1))])
    }
}

impl Cell<'_> {
    fn zeros(&self, p: &mut Parts<'_, '_>) -> ValueId {
        let shape = [self.net.batch, self.net.hidden];
        p.floats(self.net.dtype, &shape, &vec![0.0; shape[0] * shape[1]])
    }

    /// All states, (steps · batch, hidden), and the last.
    fn run(
        &self,
        p: &mut Parts<'_, '_>,
        inputs: ValueId,
        mut state: State,
        backwards: bool,
    ) -> Answer<(ValueId, State)> {
        let (steps, batch) = (self.net.steps, self.net.batch);
        // By one node for all steps: each op costs the vendor's compiler time and the binary room.
        let inputs = p.split(inputs, 0, &vec![batch; steps])?;
        let mut all = vec![None; steps];
        for i in 0..steps {
            let t = if backwards { steps - 1 - i } else { i };
            let running = self.running(p, t)?;
            if matches!(running, Running::None) {
                all[t] = Some(self.zeros(p));
                continue;
            }
            let h = state.h.unwrap_or_else(|| self.zeros(p));
            let next = match self.net.kind {
                Kind::Lstm => self.lstm(p, inputs[t], h, state.c)?,
                Kind::Gru => self.gru(p, inputs[t], h)?,
                Kind::Rnn => self.rnn(p, inputs[t], h)?,
            };
            let Running::Some(running) = running else {
                all[t] = next.h;
                state = next;
                continue;
            };
            // A sequence that is over keeps its state, and gives zero.
            let zeros = self.zeros(p);
            if let Some(h) = next.h {
                all[t] = Some(p.op(Op::Where, &[running, h, zeros])?);
            }
            for (old, new) in [(&mut state.h, next.h), (&mut state.c, next.c)] {
                if let Some(new) = new {
                    *old = Some(p.op(Op::Where, &[running, new, old.unwrap_or(zeros)])?);
                }
            }
        }
        let all: Vec<ValueId> = all.into_iter().flatten().collect();
        Ok((p.concat(&all, 0)?, state))
    }

    /// Which sequences have a step `t`.
    fn running(&self, p: &mut Parts<'_, '_>, t: usize) -> Answer<Running> {
        match &self.net.lengths {
            Lengths::Full => Ok(Running::All),
            Lengths::Known(list) => {
                let on: Vec<i64> = list.iter().map(|n| i64::from(*n > t as i64)).collect();
                Ok(match on.iter().sum::<i64>() {
                    0 => Running::None,
                    n if n as usize == on.len() => Running::All,
                    _ => Running::Some(p.ints(DType::Bool, &[on.len(), 1], &on)),
                })
            }
            Lengths::Computed(lengths) => {
                let t = p.ints(p.dtype(*lengths), &[], &[t as i64]);
                p.op(Op::Greater, &[*lengths, t]).map(Running::Some)
            }
        }
    }

    /// What an input and the state give to a gate.
    fn gate(&self, p: &mut Parts<'_, '_>, which: usize, both: ValueId) -> Answer<ValueId> {
        self.gates[which].of(p, both)
    }

    fn activate(&self, p: &mut Parts<'_, '_>, which: usize, x: ValueId) -> Answer<ValueId> {
        let x = match self.net.clip {
            Some(clip) => {
                let x = p.by(Op::Max, x, -clip)?;
                p.by(Op::Min, x, clip)?
            }
            None => x,
        };
        self.activations[which].write(p, x)
    }

    /// Gates in the order input, output, forget, cell.
    fn lstm(&self, p: &mut Parts<'_, '_>, x: ValueId, h: ValueId, old: Option<ValueId>) -> Answer<State> {
        let both = p.concat(&[x, h], 1)?;
        let peeps = self.peepholes.as_deref();
        let (mut i, mut f) = (self.gate(p, 0, both)?, self.gate(p, 2, both)?);
        if let Some(peeps) = peeps {
            i = self.peep(p, i, peeps[0], old)?;
            f = self.peep(p, f, peeps[2], old)?;
        }
        let (i, f) = (self.activate(p, 0, i)?, self.activate(p, 0, f)?);
        let mut o = self.gate(p, 1, both)?;
        let candidate = self.gate(p, 3, both)?;
        let candidate = self.activate(p, 1, candidate)?;
        let f = if self.net.input_forget {
            let one = p.floats(self.net.dtype, &[], &[1.0]);
            p.op(Op::Sub, &[one, i])?
        } else {
            f
        };
        let mut c = p.op(Op::Mul, &[i, candidate])?;
        if let Some(old) = old {
            let kept = p.op(Op::Mul, &[f, old])?;
            c = p.op(Op::Add, &[kept, c])?;
        }
        if let Some(peeps) = peeps {
            o = self.peep(p, o, peeps[1], Some(c))?;
        }
        let o = self.activate(p, 0, o)?;
        let shown = self.activations[2].write(p, c)?;
        let h = p.op(Op::Mul, &[o, shown])?;
        Ok(State { h: Some(h), c: Some(c) })
    }

    /// A gate that sees the cell.
    fn peep(
        &self,
        p: &mut Parts<'_, '_>,
        gate: ValueId,
        weight: ValueId,
        c: Option<ValueId>,
    ) -> Answer<ValueId> {
        let Some(c) = c else { return Ok(gate) };
        let seen = p.op(Op::Mul, &[c, weight])?;
        p.op(Op::Add, &[gate, seen])
    }

    /// Gates in the order update, reset, hidden.
    fn gru(&self, p: &mut Parts<'_, '_>, x: ValueId, old: ValueId) -> Answer<State> {
        let both = p.concat(&[x, old], 1)?;
        let [z, r] = [0, 1].map(|gate| self.gate(p, gate, both));
        let (z, r) = (self.activate(p, 0, z?)?, self.activate(p, 0, r?)?);
        let candidate = match &self.late {
            Some(Late { of_input, of_state }) => {
                let (early, late) = (of_input.of(p, x)?, of_state.of(p, old)?);
                let reset = p.op(Op::Mul, &[r, late])?;
                p.op(Op::Add, &[early, reset])?
            }
            None => {
                let reset = p.op(Op::Mul, &[r, old])?;
                let both = p.concat(&[x, reset], 1)?;
                self.gate(p, 2, both)?
            }
        };
        let candidate = self.activate(p, 1, candidate)?;
        // (1 - z) · candidate + z · h
        let change = p.op(Op::Sub, &[old, candidate])?;
        let kept = p.op(Op::Mul, &[z, change])?;
        let h = p.op(Op::Add, &[candidate, kept])?;
        Ok(State { h: Some(h), c: None })
    }

    fn rnn(&self, p: &mut Parts<'_, '_>, x: ValueId, h: ValueId) -> Answer<State> {
        let both = p.concat(&[x, h], 1)?;
        let gate = self.gate(p, 0, both)?;
        let h = self.activate(p, 0, gate)?;
        Ok(State { h: Some(h), c: None })
    }
}

/// Which sequences of a batch have a step.
enum Running {
    All,
    None,
    /// Truths, (batch, 1).
    Some(ValueId),
}
