//! Every operator in the HTP emulator against ONNX Runtime.
//!
//! Each case is a model of one node or a few, compiled for an SM8650 by the engine's front door, executed in the emulator
//! and compared with what ONNX Runtime computes from the same file and the same inputs. Cases run in child processes of
//! this executable: where the vendor's library ends its process, the case is named and the others go on.
//!
//! `cargo test -p qnn-compiler --test ops -- conv` runs the cases whose names contain `conv`; `--soc=SM8750` runs them for
//! another SoC. A new operator's cases go into the file of its family, or a new file that is added to [`FAMILIES`].

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "test code, of which each family uses a part"
)]

mod algebra;
mod arithmetic;
mod attention;
mod case;
mod cast;
mod composed;
mod control;
mod conv;
mod conv_transpose;
mod crop;
#[path = "../emulate/mod.rs"]
mod emulate;
mod exporters;
mod far;
mod function;
mod fused;
mod index;
mod logic;
mod matmul;
mod ml;
mod movement;
mod norm;
mod order;
mod pattern;
mod pool;
mod quant;
mod quant_alone;
mod quant_between;
mod quant_graph_io;
mod quant_integers;
mod quant_saturation;
mod range;
mod recurrent;
mod reduce;
mod resize;
mod runner;
mod sampled;
mod softmax;
mod spatial;
#[path = "../support/mod.rs"]
mod support;
mod transformer;

use case::Case;

/// Family name and its cases.
type Family = (&'static str, fn() -> Vec<Case>);

/// Every family, in alphabetical order.
const FAMILIES: &[Family] = &[
    ("algebra", algebra::cases),
    ("arithmetic", arithmetic::cases),
    ("attention", attention::cases),
    ("cast", cast::cases),
    ("composed", composed::cases),
    ("control", control::cases),
    ("conv", conv::cases),
    ("conv_transpose", conv_transpose::cases),
    ("crop", crop::cases),
    ("exporters", exporters::cases),
    ("far", far::cases),
    ("function", function::cases),
    ("fused", fused::cases),
    ("index", index::cases),
    ("logic", logic::cases),
    ("matmul", matmul::cases),
    ("ml", ml::cases),
    ("movement", movement::cases),
    ("norm", norm::cases),
    ("order", order::cases),
    ("pattern", pattern::cases),
    ("pool", pool::cases),
    ("quant", quant::cases),
    ("quant_alone", quant_alone::cases),
    ("quant_between", quant_between::cases),
    ("quant_graph_io", quant_graph_io::cases),
    ("quant_integers", quant_integers::cases),
    ("quant_saturation", quant_saturation::cases),
    ("range", range::cases),
    ("recurrent", recurrent::cases),
    ("reduce", reduce::cases),
    ("resize", resize::cases),
    ("sampled", sampled::cases),
    ("softmax", softmax::cases),
    ("spatial", spatial::cases),
    ("transformer", transformer::cases),
];

fn main() -> std::process::ExitCode {
    let mut cases = Vec::new();
    for (family, list) in FAMILIES {
        for mut case in list() {
            case.name = format!("{family}::{}", case.name);
            assert!(!cases.iter().any(|c: &Case| c.name == case.name), "two cases are named {}", case.name);
            cases.push(case);
        }
    }
    runner::main(&cases)
}
