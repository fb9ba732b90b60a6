//! Editing Cargo.toml: what is there stays as it is, with its comments and order.

use std::path::PathBuf;

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value, value};

use super::models::ModelEntry;
use crate::codes;
use crate::exit::Exit;
use crate::failure::{Failure, Result};

/// Where the crates `qnn` and `qnn-build` come from.
#[derive(Clone, Debug)]
pub(crate) enum Dependencies {
    /// The registry, at the version of this program.
    Version,
    /// A checkout of their repository.
    Checkout(PathBuf),
}

/// What shall be in the manifest.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    pub(crate) soc: Vec<String>,
    pub(crate) models: Vec<ModelEntry>,
    pub(crate) dependencies: Dependencies,
}

/// An edited manifest.
#[derive(Debug)]
pub(crate) struct Edited {
    pub(crate) text: String,
    /// What was added, one line each; empty when everything was there.
    pub(crate) added: Vec<String>,
}

/// Adds to the Cargo.toml `text` what is missing. What is there wins.
pub(crate) fn edit(text: &str, edit: &Edit) -> Result<Edited> {
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        Failure::new(Exit::User, codes::MANIFEST, "Cargo.toml is not valid TOML").note(error.to_string())
    })?;
    if document.get("package").is_none() {
        return Err(Failure::new(Exit::User, codes::MANIFEST, "this Cargo.toml has no [package]")
            .help("name the Cargo.toml of a package with --manifest-path"));
    }
    let had_comment = text.contains(COMMENT);
    let mut added = Vec::new();
    let features: &[&str] = if edit.models.iter().any(|model| model.llm) { &["llm"] } else { &[] };
    dependency(&mut document, ("dependencies", "qnn"), features, &edit.dependencies, &mut added)?;
    dependency(&mut document, ("build-dependencies", "qnn-build"), &[], &edit.dependencies, &mut added)?;

    let package = table(document.as_table_mut(), "package", false)?;
    let metadata = table(package, "metadata", true)?;
    let qnn = table(metadata, "qnn", false)?;
    socs(qnn, &edit.soc, &mut added)?;
    if !edit.models.is_empty() {
        let models = table(qnn, "models", true)?;
        for model in edit.models.iter() {
            match models.get_mut(&model.name).and_then(Item::as_table_like_mut) {
                Some(there) => sizes(there, model, &mut added)?,
                None => {
                    models.insert(&model.name, Item::Table(model_table(model)));
                    added.push(format!("model `{}` from {}", model.name, model.source));
                }
            }
        }
    }
    let mut text = document.to_string();
    let declared = document["package"]["metadata"]["qnn"].get("models").is_some();
    if !declared && !added.is_empty() {
        text += COMMENT;
    } else if declared && had_comment {
        // It showed what is there now.
        text = text.replace(COMMENT, "");
    }
    Ok(Edited { text, added })
}

/// How a model is declared, for a manifest without one.
const COMMENT: &str = "\n# [package.metadata.qnn.models.NAME]\n# source = \"models/NAME.onnx\"\n";

/// Adds the SoCs that the list does not have yet.
fn socs(qnn: &mut dyn TableLike, wanted: &[String], added: &mut Vec<String>) -> Result<()> {
    let Some(item) = qnn.get_mut("soc") else {
        qnn.insert("soc", value(wanted.iter().collect::<Array>()));
        added.push(format!("soc = {wanted:?}"));
        return Ok(());
    };
    if let Some(one) = item.as_str().map(str::to_owned) {
        *item = value(Array::from_iter([one]));
    }
    let list = item.as_array_mut().ok_or_else(|| {
        Failure::new(Exit::User, codes::MANIFEST, "`package.metadata.qnn.soc` in Cargo.toml is no list")
    })?;
    let id = |name: &str| qnn_platform::soc::find(name).ok().map(|soc| soc.id);
    for name in wanted {
        let same = |value: &Value| match (value.as_str(), value.as_integer()) {
            (Some(text), _) => text == name || (id(text).is_some() && id(text) == id(name)),
            (_, Some(number)) => id(&number.to_string()).is_some() && id(&number.to_string()) == id(name),
            _ => false,
        };
        if !list.iter().any(same) {
            list.push(name);
            added.push(format!("soc \"{name}\""));
        }
    }
    Ok(())
}

/// Sets the sizes that the command line gives of a model that is declared already.
fn sizes(there: &mut dyn TableLike, model: &ModelEntry, added: &mut Vec<String>) -> Result<()> {
    let number = |size: &u64| i64::try_from(*size).unwrap_or(i64::MAX);
    for (name, shape) in &model.inputs {
        let inputs = table(there, "inputs", true)?;
        let input = inline(inputs, name)?;
        let wanted: Array = shape.iter().map(number).collect();
        let before = input.get("shape").map(|item| item.to_string().trim().to_owned());
        if before != Some(wanted.to_string().trim().to_owned()) {
            input.insert("shape", value(wanted));
            added.push(format!("shape of input `{name}` of model `{}`", model.name));
        }
    }
    for (name, size) in &model.dims {
        let dims = inline(there, "dims")?;
        if dims.get(name).and_then(Item::as_integer) != Some(number(size)) {
            dims.insert(name, value(number(size)));
            added.push(format!("dimension `{name}` of model `{}`", model.name));
        }
    }
    Ok(())
}

/// The table `key`, made in one line where it is missing.
fn inline<'a>(parent: &'a mut dyn TableLike, key: &str) -> Result<&'a mut dyn TableLike> {
    if parent.get(key).is_none() {
        parent.insert(key, value(InlineTable::new()));
    }
    table(parent, key, false)
}

fn dependency(
    document: &mut DocumentMut,
    (kind, name): (&str, &str),
    features: &[&str],
    from: &Dependencies,
    added: &mut Vec<String>,
) -> Result<()> {
    let dependencies = table(document.as_table_mut(), kind, false)?;
    if dependencies.get(name).is_none() {
        let (key, from) = match from {
            Dependencies::Version => ("version", env!("CARGO_PKG_VERSION").to_owned()),
            Dependencies::Checkout(folder) => ("path", folder.join(name).to_string_lossy().into_owned()),
        };
        let spec: Value = if key == "version" && features.is_empty() {
            from.into()
        } else {
            let mut table = InlineTable::from_iter([(key, Value::from(from))]);
            if !features.is_empty() {
                table.insert("features", features.iter().copied().collect::<Array>().into());
            }
            table.into()
        };
        dependencies.insert(name, Item::Value(spec));
        added.push(format!("{kind}.{name}"));
    }
    Ok(())
}

/// The table `key`, made when it is missing; an implicit one gets no heading of its own.
fn table<'a>(parent: &'a mut dyn TableLike, key: &str, implicit: bool) -> Result<&'a mut dyn TableLike> {
    if parent.get(key).is_none() {
        let mut table = Table::new();
        table.set_implicit(implicit);
        parent.insert(key, Item::Table(table));
    }
    parent.get_mut(key).and_then(Item::as_table_like_mut).ok_or_else(|| {
        Failure::new(Exit::User, codes::MANIFEST, format!("`{key}` in Cargo.toml is not a table"))
    })
}

fn model_table(model: &ModelEntry) -> Table {
    let mut table = Table::new();
    table.insert("source", value(&model.source));
    if !model.inputs.is_empty() {
        let mut inputs = Table::new();
        inputs.set_dotted(true);
        for (name, shape) in &model.inputs {
            let shape: Array = shape.iter().map(|dim| i64::try_from(*dim).unwrap_or(i64::MAX)).collect();
            let mut input = InlineTable::new();
            input.insert("shape", shape.into());
            inputs.insert(name, value(input));
        }
        table.insert("inputs", Item::Table(inputs));
    }
    if !model.dims.is_empty() {
        let mut dims = InlineTable::new();
        for (name, size) in &model.dims {
            dims.insert(name, i64::try_from(*size).unwrap_or(i64::MAX).into());
        }
        table.insert("dims", value(dims));
    }
    table
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const BEFORE: &str = "# The app.\n[package]\nname = \"app\" # a name\nversion = \"0.1.0\"\n\n[dependencies]\n\
                          # kept\nserde = \"1\"\n\n[profile.release]\nlto = true # slow\n";

    fn digits() -> Edit {
        let inputs = BTreeMap::from([("image".to_owned(), vec![1, 1, 8, 8])]);
        let dims = BTreeMap::from([("past + seq".to_owned(), 4)]);
        let model = ModelEntry {
            name: "digits".into(),
            source: "models/digits.onnx".into(),
            inputs,
            dims,
            llm: false,
        };
        Edit { soc: vec!["SM8650".into()], models: vec![model], dependencies: Dependencies::Version }
    }

    #[test]
    fn what_is_there_stays_with_its_comments() {
        let after = edit(BEFORE, &digits()).unwrap().text;
        let mut rest = after.as_str();
        for line in BEFORE.lines() {
            let at = rest.find(line).unwrap_or_else(|| panic!("{line:?} is gone or moved in:\n{after}"));
            rest = &rest[at + line.len()..];
        }
    }

    #[test]
    fn the_settings_are_added_and_understood() {
        let after = edit(BEFORE, &digits()).unwrap();
        let parsed: DocumentMut = after.text.parse().unwrap();
        let qnn = &parsed["package"]["metadata"]["qnn"];
        assert_eq!(qnn["soc"][0].as_str(), Some("SM8650"));
        assert_eq!(qnn["models"]["digits"]["source"].as_str(), Some("models/digits.onnx"));
        let shape = qnn["models"]["digits"]["inputs"]["image"]["shape"].as_array().unwrap();
        assert_eq!(shape.iter().filter_map(Value::as_integer).collect::<Vec<_>>(), [1, 1, 8, 8]);
        assert_eq!(qnn["models"]["digits"]["dims"]["past + seq"].as_integer(), Some(4));
        assert_eq!(parsed["build-dependencies"]["qnn-build"].as_str(), Some(env!("CARGO_PKG_VERSION")));
        assert!(after.text.contains("\n[package.metadata.qnn]\n"), "{}", after.text);
        assert!(!after.text.contains("[package.metadata]\n"), "{}", after.text);
    }

    #[test]
    fn a_language_model_needs_a_feature_of_the_runtime() {
        let model = ModelEntry {
            name: "story".into(),
            source: "models/story.gguf".into(),
            inputs: BTreeMap::new(),
            dims: BTreeMap::new(),
            llm: true,
        };
        let after = edit(BEFORE, &Edit { models: vec![model], ..digits() }).unwrap().text;
        let parsed: DocumentMut = after.parse().unwrap();
        assert_eq!(parsed["dependencies"]["qnn"]["version"].as_str(), Some(env!("CARGO_PKG_VERSION")));
        assert_eq!(parsed["dependencies"]["qnn"]["features"][0].as_str(), Some("llm"), "{after}");
        assert_eq!(parsed["build-dependencies"]["qnn-build"].as_str(), Some(env!("CARGO_PKG_VERSION")));
    }

    #[test]
    fn a_second_time_changes_nothing() {
        let once = edit(BEFORE, &digits()).unwrap().text;
        let twice = edit(&once, &digits()).unwrap();
        assert_eq!(twice.text, once);
        assert_eq!(twice.added, [""; 0]);
    }

    #[test]
    fn what_a_second_time_gives_is_added_to_what_is_there() {
        let first = edit(BEFORE, &Edit { models: vec![], ..digits() }).unwrap().text;
        let mut again = digits();
        again.soc = vec!["snapdragon-8-gen-3".into(), "SM8750".into()];
        let second = edit(&first, &again).unwrap();
        assert!(!second.text.contains("models.NAME"), "{}", second.text);
        let socs = |text: &str| {
            let parsed: DocumentMut = text.parse().unwrap();
            let list = parsed["package"]["metadata"]["qnn"]["soc"].as_array().unwrap().clone();
            list.iter().map(|soc| soc.as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(socs(&second.text), ["SM8650", "SM8750"]);
        again.models[0].dims = BTreeMap::from([("past + seq".to_owned(), 8), ("batch".to_owned(), 1)]);
        again.models[0].inputs = BTreeMap::from([("mask".to_owned(), vec![1, 4])]);
        let third = edit(&second.text, &again).unwrap();
        let parsed: DocumentMut = third.text.parse().unwrap();
        let model = &parsed["package"]["metadata"]["qnn"]["models"]["digits"];
        assert_eq!(
            (model["dims"]["past + seq"].as_integer(), model["dims"]["batch"].as_integer()),
            (Some(8), Some(1))
        );
        assert_eq!(model["inputs"]["mask"]["shape"].as_array().unwrap().len(), 2, "{}", third.text);
        assert_eq!(model["inputs"]["image"]["shape"].as_array().unwrap().len(), 4);
        assert_eq!(third.added.len(), 3, "{:?}", third.added);
        assert_eq!(edit(&third.text, &again).unwrap().added, [""; 0]);
    }

    #[test]
    fn without_a_model_the_table_is_shown_as_a_comment() {
        let after = edit(BEFORE, &Edit { models: vec![], ..digits() }).unwrap().text;
        assert!(after.contains("# [package.metadata.qnn.models.NAME]"), "{after}");
        after.parse::<DocumentMut>().unwrap();
    }

    #[test]
    fn a_workspace_without_a_package_is_refused() {
        let failure = edit("[workspace]\nmembers = []\n", &digits()).unwrap_err();
        assert!(failure.message().contains("no [package]"));
    }
}
