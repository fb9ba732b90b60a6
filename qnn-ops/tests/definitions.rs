//! Op definitions: what is read, what is refused and where, what is generated.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use qnn_ops::{Finding, Level, lint, lint_code, lint_qhpi, param_orders, parse};

/// A definition of one op with `inner` in it.
fn collection(inner: &str) -> String {
    format!(
        "<OpDefCollection PackageName=\"P\" Domain=\"p.ops\" Version=\"1.2\"><OpDefList>\n{inner}\n</OpDefList></OpDefCollection>"
    )
}

fn tensor(element: &str, name: &str, more: &str) -> String {
    format!(
        "<{element}><Name>{name}</Name><Mandatory>true</Mandatory><Datatype>QNN_DATATYPE_FLOAT_32</Datatype>\
         <Shape><Rank>ND</Rank></Shape>{more}</{element}>"
    )
}

fn op(name: &str, parts: &str) -> String {
    format!(
        "<OpDef><Name>{name}</Name><Description><Content>Does it.</Content></Description>\n{parts}\n\
         <SupportedBackend>HTP</SupportedBackend></OpDef>"
    )
}

/// What is wrong with a text, as `line:column message`.
fn refused(xml: &str) -> Vec<String> {
    match parse(xml) {
        Ok(package) => {
            let found = lint(&package).into_iter().chain(lint_qhpi(&package));
            found.filter(|finding| finding.level == Level::Error).map(|finding| finding.to_string()).collect()
        }
        Err(findings) => findings.iter().map(Finding::to_string).collect(),
    }
}

#[track_caller]
fn only(xml: &str, at: &str, part: &str) {
    let found = refused(xml);
    let fits = |text: &String| text.starts_with(at) && text.contains(part);
    assert!(found.iter().any(fits), "no `{at}` with `{part}` in {found:#?}");
}

#[test]
fn a_right_definition_has_no_finding() {
    let xml = collection(&op("Twice", &(tensor("Input", "x", "") + &tensor("Output", "y", ""))));
    let package = parse(&xml).unwrap();
    assert_eq!(lint(&package), []);
    assert_eq!(lint_qhpi(&package), []);
    assert_eq!((package.domain.as_str(), package.ops[0].name.as_str()), ("p.ops", "Twice"));
}

#[test]
fn what_cannot_be_read_is_told_with_line_and_column() {
    only("<OpDefCollection", "1:", "not valid XML");
    only("<a>\n<b></a>", "2:", "not valid XML");
    only("<OpDefList/>", "1:1", "names no package");
    only("<OpDefColection/>", "1:1", "did you mean `OpDefCollection`?");
    only(&collection("<OpDeff/>"), "2:1", "did you mean `OpDef`?");
    only(&collection("<OpDef/>"), "2:1", "`OpDef` has no `Name`");
    only(&collection(&op("X", "<Input><Name>x</Name></Input>")), "3:1", "`Input` has no `Mandatory`");
    only(
        &collection(&op("X", &tensor("Input", "x", "<Rank>1D</Rank>"))),
        "3:",
        "`Rank` is no element of `Input`",
    );
    let wrong = |from: &str, to: &str| collection(&op("X", &tensor("Output", "y", "").replace(from, to)));
    only(&wrong("FLOAT_32", "FLOAT_23"), "3:", "did you mean `QNN_DATATYPE_FLOAT_32`?");
    only(&wrong("ND", "6D"), "3:", "`6D` is no rank");
    only(&wrong("true", "yes"), "3:", "`yes` is no truth value");
    only(&wrong("</Shape>", "<Layout>NCHW</Layout></Shape>"), "3:", "`NCHW` is no layout");
    only(&collection("<OpDef>text</OpDef>"), "2:8", "only elements");
    only("<OpDefCollection Domain=\"d\"><OpDefList/></OpDefCollection>", "1:1", "no attribute `PackageName`");
}

#[test]
fn contradictions_are_told_with_line_and_column() {
    let (x, y) = (tensor("Input", "x", ""), tensor("Output", "y", ""));
    let twice = collection(&(op("A", &y) + &op("A", &y)));
    only(&twice, "4:", "op `A` is there twice; first at 2:8");
    only(&collection(&op("A", &(x.clone() + &x + &y))), "3:", "input `x` is there twice");
    only(&collection(&op("A", &x)), "2:", "has no output");
    let optional = x.replace("true", "false");
    let order = optional + &tensor("Input", "z", "") + &y;
    only(&collection(&op("A", &order)), "3:", "input `z` is mandatory and follows `x`, which is optional");
    let param = |name: &str, mandatory: &str, default: &str| {
        format!(
            "<Parameter><Name>{name}</Name><Mandatory>{mandatory}</Mandatory><Datatype>QNN_DATATYPE_FLOAT_32</Datatype>\
             <Shape><Rank>SCALAR</Rank></Shape>{default}</Parameter>"
        )
    };
    let bad = param("a", "false", "<Default>N-1</Default>");
    only(&collection(&op("A", &(x.clone() + &y + &bad))), "3:", "the default `N-1` of parameter `a`");
    let order = param("a", "false", "<Default>1</Default>") + &param("b", "true", "");
    only(&collection(&op("A", &(x + &y + &order))), "3:", "parameter `b` is mandatory and follows `a`");
    only(&collection(&op("A-B", &y)), "2:", "is no name in C");
}

#[test]
fn a_supplement_must_be_about_an_op_and_what_it_has() {
    let input = tensor("Input", "in", "").replace("QNN_DATATYPE_FLOAT_32", "BACKEND_SPECIFIC");
    let main = collection(&op("Rope", &(input + &tensor("Output", "out", ""))));
    let with = |list: &str| {
        let list =
            format!("</OpDefList>\n<SupplementalOpDefList Backend=\"HTP\">{list}</SupplementalOpDefList>");
        main.replace("</OpDefList>", &list)
    };
    let about = |op: &str, tensor: &str, datatype: &str| {
        format!(
            "<SupplementalOpDef><Name>{op}</Name><Input><Name>{tensor}</Name><Datatype>QNN_DATATYPE_{datatype}</Datatype></Input></SupplementalOpDef>"
        )
    };
    only(&with(&about("Attention", "in", "FLOAT_16")), "6:", "`Attention`, which no `OpDef` defines");
    only(&with("<SupportedOps><OpName>Roope</OpName></SupportedOps>"), "6:", "did you mean `Rope`?");
    only(&with(&about("Rope", "x", "FLOAT_16")), "6:", "op `Rope` has no input `x`");
    let package = parse(&with(&about("Rope", "in", "FLOAT_16"))).unwrap();
    assert_eq!(lint(&package), []);
    let types = package.datatypes(&package.ops[0], qnn_ops::Kind::Input, "in");
    assert_eq!(types, [qnn_ops::Datatype::Float16]);
}

#[test]
fn a_parameter_that_only_the_code_insists_on_is_found() {
    let param = "<Parameter><Name>pose_type</Name><Mandatory>false</Mandatory><Datatype>QNN_DATATYPE_UINT_32</Datatype>\
                 <Shape><Rank>SCALAR</Rank></Shape><Default>0</Default></Parameter>";
    let package = parse(&collection(&op("RoPE", &(tensor("Output", "y", "") + param)))).unwrap();
    let code = |mandatory: &str, name: &str| {
        let text = format!("\nDEF_PACKAGE_PARAM_ORDER(\"RoPE\", \"{name}\", {mandatory}, nullptr)");
        param_orders(&text).into_iter().map(|param| ("RoPE.cpp".to_owned(), param)).collect::<Vec<_>>()
    };
    assert_eq!(lint_code(&package, &code("false", "pose_type")), []);
    let found = lint_code(&package, &code("true", "pose_type"));
    assert_eq!(found.len(), 1);
    assert!(
        found[0].to_string().contains("optional here and mandatory in the code (RoPE.cpp:2)"),
        "{found:?}"
    );
    let found = lint_code(&package, &code("true", "pose"));
    assert!(found.iter().any(|one| one.message.contains("not in DEF_PACKAGE_PARAM_ORDER")), "{found:?}");
    assert!(found.iter().any(|one| one.message.contains("a parameter `pose`")), "{found:?}");
}

#[test]
fn the_header_has_what_the_glue_and_the_kernels_need() {
    let param = "<Parameter><Name>epsilon</Name><Mandatory>false</Mandatory><Datatype>QNN_DATATYPE_FLOAT_32</Datatype>\
                 <Shape><Rank>SCALAR</Rank></Shape><Default>1e-6</Default></Parameter>";
    let norm = tensor("Input", "x", "") + &tensor("Output", "y", "") + param;
    let fixed = tensor("Input", "q", "").replace("FLOAT_32", "UFIXED_POINT_8") + &tensor("Output", "r", "");
    let package = parse(&collection(&(op("RMSNorm", &norm) + &op("Wide", &fixed)))).unwrap();
    let header = qnn_ops::c_header(&package, "p.xml");
    for line in [
        "#define QNN_PACKAGE_NAME \"P\"",
        "#define QNN_PACKAGE_VERSION {1, 2, 0}",
        "#define QNN_PACKAGE_PROVIDER PInterfaceProvider",
        "enum { OP_RMSNorm = 0, OP_Wide = 1, QNN_PACKAGE_NUM_OPS = 2 };",
        "#define QNN_PACKAGE_EACH_OP(X) X(RMSNorm) X(Wide)",
        "enum { RMSNorm_PARAM_epsilon = 0, RMSNorm_NUM_PARAMS = 1 };",
        ".fallback = {.f32 = 1e-6f}",
        ".dtypes = (const qnn_dtype[]){QNN_UFIXED_8}",
    ] {
        assert!(header.contains(line), "no {line} in\n{header}");
    }
    let rust = qnn_ops::rust_constants(&package, "p.xml");
    assert!(
        rust.contains("pub mod rms_norm {") && rust.contains("PARAM_EPSILON: &str = \"epsilon\""),
        "{rust}"
    );
    let page = qnn_ops::markdown(&package);
    assert!(
        page.contains("## RMSNorm")
            && page.contains("| parameter | `epsilon` | float32 | scalar | default 1e-6 |"),
        "{page}"
    );
}

#[test]
fn damaged_definitions_are_refused_or_read_and_never_crash() {
    let xml = collection(&op("Twice", &(tensor("Input", "x", "") + &tensor("Output", "y", ""))));
    for end in 0..xml.len() {
        assert!(parse(&xml[..end]).is_err(), "the first {end} bytes");
    }
    for at in 0..xml.len() {
        for c in ["<", ">", "/", "\"", "&", "x"] {
            let mut text = xml.clone();
            text.replace_range(at..at + 1, c);
            if let Ok(package) = parse(&text) {
                let _ = (lint(&package), lint_qhpi(&package), qnn_ops::c_header(&package, "p.xml"));
            }
        }
    }
}
