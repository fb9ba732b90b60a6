//! Any text as a graph: what the verifier accepts goes through every stage, which must leave what it accepts too, and is written and
//! read again.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use qnn_compiler::graph::text::{self, Detail};
use qnn_compiler::graph::verify::{Dialect, verify};
use qnn_compiler::passes::{self, Setting};
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
    let inputs = BTreeMap::new();
    // With floats, and without.
    for (id, arch, fp16) in [(57, 75, true), (93, 68, false)] {
        let soc = Target { name: "SoC".to_owned(), id, arch, vtcm_mb: 8, fp16 };
        if let Err(found) = passes::run(&mut graph.clone(), &mut Setting::new(&soc, &inputs, &mut |_| {})) {
            assert!(found.0.iter().all(|problem| problem.code != "E0512"), "{found}");
        }
    }
});
