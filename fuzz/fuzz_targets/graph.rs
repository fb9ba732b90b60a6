//! Any text as a graph: what the verifier accepts is written and read again, and goes through every stage, which must leave what it
//! accepts too, to the list of ops that the vendor's library would get: each tensor of it is made once, before it is read.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use qnn_compiler::custom::OpPackages;
use qnn_compiler::graph::text::{self, Detail};
use qnn_compiler::graph::verify::{Dialect, verify};
use qnn_compiler::lower;
use qnn_compiler::passes::{self, Setting};
use qnn_compiler::program::{self, Program, Role};
use qnn_types::Target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(graph) = text::parse(text) else { return };
    if verify(&graph, Dialect::Model).is_err() {
        return;
    }
    let written = text::print(&graph, Detail::Whole);
    match text::parse(&written) {
        Ok(read) => assert_eq!(text::print(&read, Detail::Whole), written),
        Err(error) => panic!("what is printed is not read: {error}\n{written}"),
    }
    let (inputs, own) = (BTreeMap::new(), OpPackages::default());
    // With floats, and without.
    for (id, arch, fp16) in [(57, 75, true), (93, 68, false)] {
        let soc = Target { name: "SoC".to_owned(), id, arch, vtcm_mb: 8, fp16 };
        let mut graph = graph.clone();
        if let Err(found) = passes::run(&mut graph, &mut Setting::new(&soc, &inputs, &mut |_| {})) {
            assert!(found.0.iter().all(|problem| problem.code != "E0512"), "{found}");
        } else if let Ok(made) = lower::lower(&graph, &soc, &own) {
            in_order(&made);
            let _ = program::print(&made);
        }
    }
});

fn in_order(program: &Program) {
    let mut made: Vec<bool> =
        program.tensors.iter().map(|tensor| matches!(tensor.role, Role::Input | Role::Static(_))).collect();
    for op in &program.ops {
        assert!(op.inputs.iter().all(|id| made[id.0]), "{} reads what is not made yet", op.name);
        for id in &op.outputs {
            assert!(!std::mem::replace(&mut made[id.0], true), "{} makes what is made already", op.name);
        }
    }
}
