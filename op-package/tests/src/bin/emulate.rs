//! A process of its own for what tests do in the emulator: one compile, or one load and its executions.
//!
//! `emulate compile PACKAGE GRAPHS BINARY`, `emulate run PACKAGE GRAPHS BINARY`, `emulate refuse PACKAGE`,
//! `emulate overflow PACKAGE BINARY`, `emulate without BINARY`

use std::path::Path;

use op_package_tests::emulated::{self, Graph};
use op_package_tests::harness::{Buffer, Case, Kernel};
use op_package_tests::trials::{Trial, verify};
use qnn::{Backend, Context, Device};

fn graphs(name: &str) -> Vec<Graph> {
    match name {
        "neighbours" => emulated::neighbours(),
        "beyond_vtcm" => emulated::beyond_vtcm(),
        op => emulated::graphs(op),
    }
}

fn run(package: &Path, graphs: &[Graph], binary: &Path) -> qnn::Result<()> {
    let context = Context::from_file(&emulated::device(package)?, binary)?;
    for graph in graphs {
        let output = emulated::execute(&context, graph)?;
        // The comparison is that of kernels on buffers.
        let before = Buffer { encoding: graph.encoding, bytes: vec![] };
        let case =
            Case { kernel: Kernel::Convert, begin: 0, end: 0, arguments: vec![], buffers: vec![before] };
        eprintln!("{} {:?} {:?}", graph.name, graph.output.dtype, graph.output.dims);
        verify(&Trial { case, expected: graph.expected.clone(), same_bits: true }, &output);
    }
    println!("\n{} graphs are right", graphs.len());
    Ok(())
}

fn refuse(package: &Path) -> qnn::Result<()> {
    let device = emulated::device(package)?;
    for (graph, words) in emulated::refused() {
        let message = emulated::refusal(&device, &graph);
        let message = message.unwrap_or_else(|| panic!("{} was taken, expected {words:?}", graph.op));
        for word in [emulated::PACKAGE, graph.op, "`op`"].iter().chain(words) {
            assert!(message.contains(word), "`{word}` is not in: {message}");
        }
    }
    println!("\n{} graphs are refused", emulated::refused().len());
    Ok(())
}

/// Appends behind the cache's end, which only the execution can notice.
fn overflow(package: &Path, binary: &Path) -> qnn::Result<()> {
    let context = Context::from_file(&emulated::device(package)?, binary)?;
    let mut graph = emulated::graphs("KVCache").swap_remove(0);
    let position = graph.inputs.last_mut().map(|operand| &mut operand.bytes);
    position.into_iter().for_each(|bytes| *bytes = 16u32.to_le_bytes().to_vec());
    let error = emulated::execute(&context, &graph).err();
    println!("\n{}", error.map_or("it was executed".to_owned(), |error| error.to_string()));
    Ok(())
}

/// Loads a context binary without the package that it needs.
fn without(binary: &Path) -> qnn::Result<()> {
    let device = Device::for_soc(&Backend::htp()?, qnn_platform::soc::find("SM8650")?.id)?;
    let error = Context::from_file(&device, binary).err();
    println!("\n{}", error.map_or("it was loaded".to_owned(), |error| error.to_string()));
    Ok(())
}

fn main() -> qnn::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["compile", package, name, binary] => {
            emulated::compile(Path::new(package), &graphs(name), Path::new(binary))
        }
        ["run", package, name, binary] => run(Path::new(package), &graphs(name), Path::new(binary)),
        ["refuse", package] => refuse(Path::new(package)),
        ["overflow", package, binary] => overflow(Path::new(package), Path::new(binary)),
        ["without", binary] => without(Path::new(binary)),
        _ => panic!("unknown arguments {arguments:?}"),
    }
}
