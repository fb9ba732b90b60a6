//! Branches, loops and scans.

use qnn_compiler::frontend::onnx::proto::{GraphProto, NodeProto, ValueInfoProto};
use qnn_compiler::graph::DType;

use crate::case::{Case, Draft, case, refused};
use crate::support::{graph_attr, int, ints, node};

/// A graph among a node's attributes; `i` and `on` are a loop's counter and condition.
fn body(inputs: &[&str], outputs: &[&str], nodes: &[NodeProto]) -> GraphProto {
    let info = |name: &&str| match *name {
        "i" => crate::support::info(name, DType::I64, &[]),
        "on" => crate::support::info(name, DType::Bool, &[]),
        name => ValueInfoProto { name: name.to_owned(), r#type: None },
    };
    GraphProto {
        name: "body".to_owned(),
        node: nodes.to_vec(),
        input: inputs.iter().map(info).collect(),
        output: outputs.iter().map(info).collect(),
        ..GraphProto::default()
    }
}

pub fn cases() -> Vec<Case> {
    let mut all = branches();
    all.extend(loops());
    all.extend(scans());
    all
}

/// A branch on an input between x · 2 and relu(x).
fn branch(d: &mut Draft, condition: &str, x: &str) -> String {
    let then = body(&[], &["a"], &[node("Add", &[x, x], &["a"], &[])]);
    let other = body(&[], &["b"], &[node("Relu", &[x], &["b"], &[])]);
    d.node("If", &[condition], &[graph_attr("then_branch", then), graph_attr("else_branch", other)])
}

fn branches() -> Vec<Case> {
    let mut all: Vec<Case> = [true, false]
        .map(|taken| {
            case(format!("branch_on_an_input_that_is_{taken}"), move |d| {
                let (x, condition) = (d.input(&[2, 3, 4]), d.input_bool(&[], &[taken]));
                let y = branch(d, &condition, &x);
                d.output(&y);
            })
        })
        .into();
    all.push(case("branch_on_what_is_computed", |d| {
        let (x, limit) = (d.input(&[2, 3, 4]), d.constant(&[], &[0.0]));
        let sum = d.node("ReduceSum", &[&x], &[int("keepdims", 0)]);
        let condition = d.node("Greater", &[&sum, &limit], &[]);
        let y = branch(d, &condition, &x);
        d.output(&y);
    }));
    all.push(refused("branches_of_different_shapes", "E0210", "different shapes", |d| {
        let (x, condition) = (d.input(&[2, 3, 4]), d.input_bool(&[], &[true]));
        let then = body(&[], &["a"], &[node("Transpose", &[&x], &["a"], &[])]);
        let other = body(&[], &["b"], &[node("Relu", &[&x], &["b"], &[])]);
        let y =
            d.node("If", &[&condition], &[graph_attr("then_branch", then), graph_attr("else_branch", other)]);
        d.output(&y);
    }));
    all
}

/// A loop whose state doubles and has a constant taken from it; each state is a scan output.
fn doubling(d: &mut Draft, times: &str, start: &str, outputs: usize) {
    let (x, c) = (d.input(&[2, 3]), d.weight(&[2, 3]));
    let nodes = [
        node("Identity", &["on"], &["on_out"], &[]),
        node("Add", &["s", "s"], &["twice"], &[]),
        node("Sub", &["twice", &c], &["s_out"], &[]),
        node("Identity", &["s_out"], &["seen"], &[]),
    ];
    let names = ["on_out", "s_out", "seen"];
    let graph = body(&["i", "on", "s"], &names[..=outputs], &nodes);
    for y in d.nodes("Loop", &[times, start, &x], &[graph_attr("body", graph)], outputs) {
        d.output(&y);
    }
}

fn number(d: &mut Draft, value: i64) -> String {
    let bytes = value.to_le_bytes().to_vec();
    d.constant_raw(DType::I64, &[], bytes)
}

fn loops() -> Vec<Case> {
    vec![
        case("loop_of_four_iterations_with_a_scan_output", |d| {
            let times = number(d, 4);
            doubling(d, &times, "", 2);
        }),
        case("loop_that_a_computed_condition_ends", |d| {
            let (x, times) = (d.input_f32(&[2, 2], &[0.5, 0.7, 0.2, 0.4]), number(d, 6));
            let limit = d.constant(&[], &[9.0]);
            let nodes = [
                node("Add", &["s", "s"], &["s_out"], &[]),
                node("ReduceSum", &["s_out"], &["sum"], &[int("keepdims", 0)]),
                node("Less", &["sum", &limit], &["on_out"], &[]),
            ];
            let graph = body(&["i", "on", "s"], &["on_out", "s_out"], &nodes);
            d.result("Loop", &[&times, "", &x], &[graph_attr("body", graph)]);
        }),
        case("loop_over_the_rows_of_a_tensor_by_its_counter", |d| {
            let (x, rows, times) = (d.input(&[3]), d.input(&[5, 3]), number(d, 5));
            let nodes = [
                node("Identity", &["on"], &["on_out"], &[]),
                node("Gather", &[&rows, "i"], &["row"], &[]),
                node("Add", &["s", "row"], &["s_out"], &[]),
            ];
            let graph = body(&["i", "on", "s"], &["on_out", "s_out"], &nodes);
            d.result("Loop", &[&times, "", &x], &[graph_attr("body", graph)]);
        }),
        case("loop_that_gathers_a_sequence", |d| {
            let (x, times) = (d.input(&[2, 3]), number(d, 3));
            let empty = d.node("SequenceEmpty", &[], &[]);
            let nodes = [
                node("Identity", &["on"], &["on_out"], &[]),
                node("Add", &["s", "s"], &["s_out"], &[]),
                node("SequenceInsert", &["list", "s_out"], &["list_out"], &[]),
            ];
            let graph = body(&["i", "on", "s", "list"], &["on_out", "s_out", "list_out"], &nodes);
            let y = d.nodes("Loop", &[&times, "", &x, &empty], &[graph_attr("body", graph)], 2);
            d.result("ConcatFromSequence", &[&y[1]], &[int("axis", 0)]);
        }),
        refused("loop_of_an_unknown_number_of_iterations", "E0210", "how often the loop runs", |d| {
            let times = d.input_i64(&[], &[3]);
            doubling(d, &times, "", 1);
        }),
        refused("loop_of_too_many_iterations", "E0302", "up to 1024", |d| {
            let times = number(d, 5000);
            doubling(d, &times, "", 1);
        }),
    ]
}

fn scans() -> Vec<Case> {
    [(0, 0), (1, 1)]
        .map(|(axis, backwards)| {
            case(format!("scan_along_axis_{axis}_backwards_{backwards}"), move |d| {
                let (state, x) = (d.input(&[3]), d.input(if axis == 0 { &[4, 3] } else { &[3, 4] }));
                let nodes =
                    [node("Add", &["s", "e"], &["s_out"], &[]), node("Mul", &["s_out", "e"], &["seen"], &[])];
                let graph = body(&["s", "e"], &["s_out", "seen"], &nodes);
                let attributes = [
                    graph_attr("body", graph),
                    int("num_scan_inputs", 1),
                    ints("scan_input_axes", &[axis]),
                    ints("scan_output_axes", &[axis]),
                    ints("scan_input_directions", &[backwards]),
                    ints("scan_output_directions", &[backwards]),
                ];
                for y in d.nodes("Scan", &[&state, &x], &attributes, 2) {
                    d.output(&y);
                }
            })
        })
        .into()
}
