//! The package's ops in the HTP emulator. A binary is compiled in one process and loaded and executed in another, as it is in an app.

#![allow(clippy::unwrap_used, reason = "test code")]

use std::path::{Path, PathBuf};
use std::process::Command;

use op_package_tests::{build, emulated};

/// Runs the helper and returns what it printed.
fn emulate(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_emulate")).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "emulate {arguments:?}: {}\n{said}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn package(test: &str) -> (PathBuf, String) {
    let dir = build::scratch(env!("CARGO_TARGET_TMPDIR"), test);
    let package = build::host_package(&dir).to_str().unwrap().to_owned();
    (dir, package)
}

fn compiled(dir: &Path, package: &str, graphs: &str) -> String {
    let binary = dir.join(format!("{graphs}.bin")).to_str().unwrap().to_owned();
    emulate(&["compile", package, graphs, &binary]);
    binary
}

/// The graphs of an op, or others by name, compiled, reloaded and executed; `count` of them at least.
fn holds(graphs: &str, count: usize) {
    let (dir, package) = package(graphs);
    let binary = compiled(&dir, &package, graphs);
    let said = emulate(&["run", &package, graphs, &binary]);
    let right = said.lines().find_map(|line| line.strip_suffix(" graphs are right"));
    assert!(right.is_some_and(|right| right.parse::<usize>().unwrap() >= count), "{said}");
}

macro_rules! ops {
    ($($test:ident $op:literal $count:literal;)*) => {
        $(#[test]
        fn $test() {
            holds($op, $count);
        })*

        #[test]
        fn every_op_has_a_test() {
            assert_eq!([$($op),*], emulated::OPS);
        }
    };
}

ops! {
    silu_computes "SiLU" 30;
    silu_mul_computes "SiluMul" 12;
    rms_norm_computes "RMSNorm" 12;
    layer_norm_computes "LayerNorm" 8;
    rope_computes "RoPE" 24;
    causal_mask_computes "CausalMask" 18;
    quantize_computes "Quantize" 16;
    dequantize_computes "Dequantize" 16;
    dequantize_add_computes "DequantizeAdd" 16;
    kv_cache_computes "KVCache" 24;
}

#[test]
fn an_op_works_between_ops_of_another_layout() {
    holds("neighbours", 1);
}

#[test]
fn an_op_works_on_tensors_that_do_not_fit_vtcm() {
    holds("beyond_vtcm", 1);
}

#[test]
fn what_an_op_does_not_take_is_refused_with_op_operand_found_and_expected() {
    let (_, package) = package("refused");
    let said = emulate(&["refuse", &package]);
    assert!(said.contains("31 graphs are refused"), "{said}");
}

#[test]
fn a_cache_that_is_full_fails_the_execution() {
    let (dir, package) = package("overflow");
    let binary = compiled(&dir, &package, "KVCache");
    let said = emulate(&["overflow", &package, &binary]);
    assert!(said.contains("the new rows do not fit into the cache at this position"), "{said}");
}

#[test]
fn a_binary_is_not_loaded_without_its_package() {
    let (dir, package) = package("without");
    let binary = compiled(&dir, &package, "SiLU");
    let said = emulate(&["without", &binary]);
    assert!(said.contains("no registered op package has: QnnLlmOps::SiLU_kernel"), "{said}");
}
