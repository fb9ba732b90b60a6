//! `cargo qnn estimate`: cycles of the library's own simulation, by nodes of the user's model.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../cargo-qnn/tests/support/mod.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use support::installed;

fn digits() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/digits/models/digits.onnx")
}

#[test]
fn a_phone_is_estimated_on_the_chip_that_stands_for_it() {
    let home = installed();
    let digits = digits();
    let args = ["estimate", digits.to_str().unwrap(), "--soc", "SM8650,SA8255", "--json"];
    let first = home.run(&args).success();
    assert!(first.stderr.contains("Compiling"), "{}", first.stderr);
    let answers: Value = first.json();
    let (phone, own) = (&answers[0], &answers[1]);
    assert_eq!((&phone["soc"], &phone["stand_in"]["soc"]), (&"SM8650".into(), &"SA8255".into()));
    assert!(own["stand_in"].is_null(), "{own}");
    let estimate = &phone["estimates"][0];
    let number = |key: &str| estimate[key].as_u64().unwrap_or_else(|| panic!("no {key} in {estimate}"));
    assert!(number("cycles") > 1000 && number("microseconds") > 0);
    assert!(number("cycles_lower") <= number("cycles") && number("cycles") <= number("cycles_upper"));
    for key in ["spill_bytes", "fill_bytes", "input_bytes", "output_bytes", "ops_without_cost"] {
        number(key);
    }

    // From the store, the same.
    let second = home.run(&args).success();
    assert!(!second.stderr.contains("Compiling"), "{}", second.stderr);
    assert_eq!(second.json(), answers);
    let said = home.run(&args[..4]).success().stdout;
    for words in ["stands for SM8650", "no measurement of a device", "µs", "CYCLES"] {
        assert!(said.contains(words), "no {words:?} in:\n{said}");
    }
}

#[test]
fn the_trace_has_the_names_of_the_model() {
    let home = installed();
    let digits = digits();
    let (trace, page) = (home.dir.path().join("trace.json"), home.dir.path().join("page.html"));
    let args = ["estimate", digits.to_str().unwrap(), "--soc", "SM8850", "--top", "3"];
    let files = ["--trace", trace.to_str().unwrap(), "--html", page.to_str().unwrap()];
    let said = home.run(&[&args[..], &files[..]].concat()).success().stdout;
    assert!(said.contains("dearest nodes") && said.contains("Conv"), "{said}");
    let answer = home.run(&[&args[..], &["--json"]].concat()).success().json();
    let graph = &answer[0]["nodes"][0];
    assert!(graph["named"].as_f64().unwrap() >= 0.95, "{graph}");
    assert_eq!(graph["nodes"].as_array().unwrap().len(), 3);

    let chrome: Value = serde_json::from_slice(&fs::read(trace).unwrap()).unwrap();
    let events = chrome["traceEvents"].as_array().unwrap();
    let dearest = graph["nodes"][0]["node"].as_str().unwrap();
    assert!(events.iter().any(|event| event["name"].as_str().is_some_and(|name| name.starts_with(dearest))));
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains(dearest) && page.contains("<polyline") && page.ends_with("</html>\n"));
    // It needs nothing else.
    assert!(!page.contains("http") && !page.contains("src="), "{page}");
}

#[test]
fn what_cannot_be_estimated_is_said() {
    let home = installed();
    let digits = digits();
    let digits = digits.to_str().unwrap();
    home.run(&["estimate", digits]).failure(2, &["name the SoC", "--soc SM8650"]);
    home.run(&["estimate", digits, "--soc", "SM1"]).failure(2, &["unknown SoC"]);
    home.run(&["estimate", "no.onnx", "--soc", "SM8650"]).failure(1, &["no.onnx"]);
}
