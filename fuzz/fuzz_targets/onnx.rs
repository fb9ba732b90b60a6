//! Any bytes as an ONNX model, from the reader to the list of ops that the vendor's library would get.

#![no_main]

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use qnn_compiler::custom::OpPackages;
use qnn_compiler::frontend::onnx::{ImportOptions, OnnxFile};
use qnn_compiler::passes::Setting;
use qnn_compiler::{lower, passes};
use qnn_types::Target;

fuzz_target!(|data: &[u8]| {
    let Ok(file) = OnnxFile::of_bytes(Path::new("model.onnx"), Bytes::copy_from_slice(data)) else { return };
    let inputs = BTreeMap::new();
    let own = OpPackages::default();
    let options = ImportOptions { inputs: &inputs, outputs: &[], reference: None, op_packages: &own };
    let Ok(mut imported) = file.import(&options) else { return };
    let target = Target { name: "SM8650".to_owned(), id: 57, arch: 75, vtcm_mb: 8, fp16: true };
    match passes::run(&mut imported.graph, &mut Setting::new(&target, &inputs, &mut |_| {})) {
        Ok(()) => drop(lower::lower(&imported.graph, &target, &own)),
        // The verifier, which looks at the graph after every stage.
        Err(found) => assert!(found.0.iter().all(|problem| problem.code != "E0512"), "{found}"),
    }
});
