//! The kernels as Hexagon code under QEMU, and the package as a device gets it.

use std::process::Command;

use op_package_tests::build::{self, Form, Tools};
use op_package_tests::elf::Elf;
use op_package_tests::harness::{self, Case};
use op_package_tests::trials::{self, verify};

fn scratch(test: &str) -> std::path::PathBuf {
    build::scratch(env!("CARGO_TARGET_TMPDIR"), test)
}

/// The oldest architecture, and the newest of which QEMU's v67 has every instruction that the compiler uses.
const EXECUTED: [&str; 2] = ["v68", "v73"];

#[test]
fn hvx_kernels_compute_what_float64_does_and_agree_with_plain_c_to_the_bit() {
    let (tools, dir) = (Tools::find(), scratch("hvx"));
    let trials = trials::all();
    let cases: Vec<Case> = trials.iter().map(|trial| trial.case.clone()).collect();
    let plain = harness::run(&mut Command::new(build::host_harness(&dir)), &cases);
    for arch in EXECUTED {
        let program = tools.harness(&dir, arch, Form::Shim);
        let outputs = harness::run(&mut tools.qemu(&program), &cases);
        for (trial, (output, plain)) in trials.iter().zip(outputs.iter().zip(&plain)) {
            verify(trial, output);
            if trial.same_bits {
                assert_eq!(output, plain, "{}", harness::describe(&trial.case));
            }
        }
    }
}

#[test]
fn the_guard_finds_vector_floats_in_what_a_device_gets_and_none_in_what_qemu_gets() {
    let (tools, dir) = (Tools::find(), scratch("guard"));
    let count = |arch: &str, form: Form| -> usize {
        let files = tools.harness_assembly(&dir, arch, form);
        files.iter().map(|file| build::vector_floats(&std::fs::read_to_string(file).unwrap()).len()).sum()
    };
    for arch in build::ARCHS {
        assert!(count(arch, Form::Hvx) > 100, "{arch}");
    }
    for form in [Form::Shim, Form::Count, Form::Scalar] {
        assert_eq!(count("v73", form), 0, "{form:?}");
    }
}

#[test]
fn the_package_for_a_device_has_the_right_architecture_exports_two_functions_and_needs_only_qhpi() {
    let (tools, dir) = (Tools::find(), scratch("device"));
    for arch in build::ARCHS {
        let file = std::fs::read(tools.package(&dir, arch)).unwrap();
        let elf = Elf::new(&file);
        assert!(elf.is_shared());
        assert_eq!(format!("v{:x}", elf.flags()), arch);
        let symbols = elf.dynamic_symbols();
        let names = |defined: bool| {
            let names = symbols.iter().filter(|symbol| symbol.defined == defined);
            let mut names: Vec<&str> = names.map(|symbol| symbol.name.as_str()).collect();
            names.sort_unstable();
            names
        };
        assert_eq!(names(true), ["QnnLlmOpsInterfaceProvider", "qhpi_init"], "{arch}");
        let needed = [
            "qhpi_num_slices",
            "qhpi_register_ops_v1",
            "qhpi_slice_number",
            "qhpi_tensor_quant_parameters",
            "qhpi_tensor_raw_data",
            "qhpi_tensor_shape",
            "qhpi_tensor_type",
        ];
        assert_eq!(names(false), needed, "{arch}");
    }
}

#[test]
fn the_table_of_instruction_counts_in_the_readme_is_right() {
    let (tools, dir) = (Tools::find(), scratch("counts"));
    let scalar = tools.harness(&dir, "v68", Form::Scalar);
    let vector = tools.harness(&dir, "v68", Form::Count);
    let (names, cases): (Vec<String>, Vec<Case>) = trials::typical().into_iter().unzip();
    let [scalar, vector] = [scalar, vector].map(|program| harness::count(|| tools.qemu(&program), &cases));
    let mut table = String::new();
    for (name, (scalar, vector)) in names.iter().zip(scalar.iter().zip(&vector)) {
        let each = |count: u32| format!("{:.2}", f64::from(count) / 4096.0);
        table += &format!(
            "| {name} | {} | {} | {} | {} | {:.1} |\n",
            each(scalar.instructions),
            each(scalar.packets),
            each(vector.instructions),
            each(vector.packets),
            f64::from(scalar.packets) / f64::from(vector.packets)
        );
    }
    let readme = std::fs::read_to_string(build::package_dir().join("README.md")).unwrap();
    assert!(readme.contains(&table), "the table in op-package/README.md should be\n{table}");
}
