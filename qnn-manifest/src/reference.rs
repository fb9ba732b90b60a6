//! The options reference and the JSON schema, made from the table of options.

use serde_json::{Map, Value, json};

use crate::options::{Field, Kind, TOP};

/// The options reference as a Markdown document (docs/OPTIONS.md).
pub fn options_markdown() -> String {
    let mut out = String::from(
        "# Options of `[package.metadata.qnn]`\n\n\
         Generated from `qnn-manifest/src/options.rs`. Values merge in this order, later ones win: defaults,\n\
         `[workspace.metadata.qnn]`, `[package.metadata.qnn]`, environment (`QNN_CONFIG`, `QNN_SOC`), `--config KEY=VALUE`, flags.\n\
         `cargo qnn show` prints the result with the origin of each value.\n",
    );
    section(&mut out, "package.metadata.qnn", TOP);
    out
}

fn section(out: &mut String, path: &str, fields: &[Field]) {
    out.push_str(&format!(
        "\n## `[{path}]`\n\n| key | takes | default | what it does |\n|---|---|---|---|\n"
    ));
    for field in fields {
        let later = matches!(field.kind, Kind::Later(_));
        let about = if later {
            format!("{} Not supported by this version.", field.about)
        } else {
            field.about.to_owned()
        };
        let default = field.default.map_or(String::new(), |json| format!("`{json}`"));
        out.push_str(&format!("| `{}` | {} | {default} | {about} |\n", field.key, takes(field.kind)));
    }
    for field in fields {
        match field.kind {
            Kind::Table(inner) | Kind::Own(inner) => section(out, &format!("{path}.{}", field.key), inner),
            Kind::Named(_, inner) => section(out, &format!("{path}.{}.NAME", field.key), inner),
            _ => {}
        }
    }
}

fn takes(kind: Kind) -> String {
    match kind {
        Kind::Text => "text".to_owned(),
        Kind::Choice(choice) => {
            choice.words.iter().map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", ")
        }
        Kind::Bool => "`true`, `false`".to_owned(),
        Kind::Int(min, max) => format!("{min} to {max}"),
        Kind::Texts => "list of texts".to_owned(),
        Kind::Socs => "list of SoCs".to_owned(),
        Kind::Shape => "list of numbers".to_owned(),
        Kind::Number => "number, or text like `\"1/255\"`".to_owned(),
        Kind::PerChannel => "number or list of numbers".to_owned(),
        Kind::Sizes(what) => format!("table: the size of each {what}"),
        Kind::WordOrInt(word, min, max) => format!("`\"{word}\"`, or {min} to {max}"),
        Kind::Table(_) | Kind::Own(_) => "table".to_owned(),
        Kind::Named(what, _) => format!("one table per {what}"),
        Kind::Each(what, inner) => format!("per {what} a {}", takes(*inner)),
        Kind::Later(_) => "-".to_owned(),
    }
}

/// A JSON schema of `[package.metadata.qnn]`, for editors.
pub fn json_schema() -> Value {
    let mut schema = object(TOP);
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "[package.metadata.qnn]".into();
    schema
}

fn object(fields: &[Field]) -> Value {
    let known = fields.iter().filter(|field| !matches!(field.kind, Kind::Later(_)));
    let properties: Map<String, Value> = known
        .map(|field| {
            let mut value = schema_of(field.kind);
            value["description"] = field.about.into();
            if let Some(default) = field.default.and_then(|json| serde_json::from_str(json).ok()) {
                value["default"] = default;
            }
            (field.key.to_owned(), value)
        })
        .collect();
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

fn schema_of(kind: Kind) -> Value {
    match kind {
        Kind::Text => json!({ "type": "string", "minLength": 1 }),
        Kind::Choice(choice) => json!({ "enum": choice.words }),
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Int(min, max) => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Kind::Texts => json!({ "type": "array", "items": { "type": "string", "minLength": 1 } }),
        Kind::Socs => json!({
            "anyOf": [
                { "type": ["string", "integer"] },
                { "type": "array", "items": { "type": ["string", "integer"] } },
            ]
        }),
        Kind::Shape => {
            json!({ "type": "array", "minItems": 1, "items": { "type": "integer", "minimum": 1 } })
        }
        Kind::Number => number(),
        Kind::PerChannel => {
            let mut either = number();
            if let Some(forms) = either["anyOf"].as_array_mut() {
                forms.push(json!({ "type": "array", "minItems": 1, "items": number() }));
            }
            either
        }
        Kind::Sizes(_) => {
            json!({ "type": "object", "additionalProperties": { "type": "integer", "minimum": 1 } })
        }
        Kind::WordOrInt(word, min, max) => json!({
            "anyOf": [{ "const": word }, { "type": "integer", "minimum": min, "maximum": max }]
        }),
        Kind::Table(fields) | Kind::Own(fields) => object(fields),
        Kind::Named(_, fields) => json!({ "type": "object", "additionalProperties": object(fields) }),
        Kind::Each(_, inner) => json!({ "type": "object", "additionalProperties": schema_of(*inner) }),
        Kind::Later(_) => json!({}),
    }
}

fn number() -> Value {
    json!({ "anyOf": [{ "type": "number" }, { "type": "string", "pattern": "^[^/]+(/[^/]+)?$" }] })
}
