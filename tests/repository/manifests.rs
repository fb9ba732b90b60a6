//! Manifests in pages.

use std::fs;
use std::process::Command;

use crate::texts;

/// The code blocks of a language in a page.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let begin = format!("```{language}\n");
    page.split(begin.as_str())
        .skip(1)
        .filter_map(|rest| rest.split_once("\n```"))
        .map(|(block, _)| block)
        .collect()
}

#[test]
fn every_manifest_in_a_page_is_one() {
    let mut tried = 0;
    for page in texts::pages() {
        for block in blocks(&page.text, "toml").into_iter().filter(|block| block.contains("metadata.qnn")) {
            let folder = tempfile::tempdir().unwrap();
            let package = "[package]\nname = \"app\"\nversion = \"0.1.0\"\n\n[features]\nbig = []\n\n";
            // Dependencies would be looked for; whether they are right is seen in the examples.
            let kept = block
                .split("\n[")
                .filter(|table| !table.contains("dependencies]") && !table.starts_with("package]"));
            let kept = kept.filter(|table| !table.starts_with("[package]")).collect::<Vec<_>>().join("\n[");
            // Without a model there is nothing to show.
            let model = "\n[package.metadata.qnn.models.first]\nsource = \"first.onnx\"\n";
            let model = if kept.contains("qnn.models.") { "" } else { model };
            let kept = if kept.starts_with('[') || kept.starts_with('#') { kept } else { format!("[{kept}") };
            fs::create_dir(folder.path().join("src")).unwrap();
            fs::write(folder.path().join("src/lib.rs"), "").unwrap();
            fs::write(folder.path().join("Cargo.toml"), format!("{package}{kept}{model}")).unwrap();
            let said = Command::new(env!("CARGO_BIN_EXE_cargo-qnn"))
                .args(["qnn", "show"])
                .current_dir(folder.path())
                .output()
                .unwrap();
            let errors = String::from_utf8_lossy(&said.stderr);
            assert!(said.status.success(), "{}:\n{kept}\n{errors}", page.path.display());
            tried += 1;
        }
    }
    assert!(tried >= 5, "{tried}");
}
