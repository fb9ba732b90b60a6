//! The kernels as plain C on this machine, against float64.

use std::process::Command;

use op_package_tests::trials::{self, verify};
use op_package_tests::{build, harness};

#[test]
fn kernels_in_plain_c_compute_what_float64_does() {
    let program = build::host_harness(&build::scratch(env!("CARGO_TARGET_TMPDIR"), "portable"));
    let trials = trials::all();
    let cases: Vec<_> = trials.iter().map(|trial| trial.case.clone()).collect();
    let outputs = harness::run(&mut Command::new(program), &cases);
    for (trial, output) in trials.iter().zip(&outputs) {
        verify(trial, output);
    }
}

#[test]
fn a_wrong_output_is_noticed() {
    let program = build::host_harness(&build::scratch(env!("CARGO_TARGET_TMPDIR"), "noticed"));
    let trials = trials::all();
    let cases: Vec<_> = trials.iter().map(|trial| trial.case.clone()).collect();
    let outputs = harness::run(&mut Command::new(program), &cases);
    let mut noticed = 0;
    for (trial, output) in trials.iter().zip(outputs).filter(|(_, output)| !output.is_empty()) {
        // One element, the last, with its highest but one bit flipped.
        let mut output = output;
        *output.last_mut().unwrap() ^= 0x40;
        let verdict = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| verify(trial, &output)));
        assert!(verdict.is_err(), "{}", harness::describe(&trial.case));
        noticed += 1;
    }
    assert!(noticed > 500);
}
