//! XML to [`Package`], with every problem of the file and its place.

use qnn_platform::nearest::nearest;
use roxmltree::{Document, Node, NodeType};

use crate::model::{
    Constraint, Datatype, Finding, Kind, Level, Op, Package, Param, Position, Rank, Supplement,
    SupplementedTensor, Tensor,
};

/// Which elements each element may hold. Attributes are read where they are known; others are let pass.
const CHILDREN: &[(&str, &[&str])] = &[
    ("OpDefCollection", &["OpDefList", "SupplementalOpDefList"]),
    ("OpDefList", &["OpDef"]),
    (
        "OpDef",
        &[
            "Name",
            "Description",
            "Reference",
            "Input",
            "Output",
            "Parameter",
            "UseDefaultTranslation",
            "SupportedBackend",
        ],
    ),
    (
        "Input",
        &[
            "Name",
            "Description",
            "Constraint",
            "Mandatory",
            "Datatype",
            "Shape",
            "Default",
            "Repeated",
            "IsStaticTensor",
        ],
    ),
    (
        "Output",
        &["Name", "Description", "Constraint", "Mandatory", "Datatype", "Shape", "Default", "Repeated"],
    ),
    (
        "Parameter",
        &["Name", "Description", "Constraint", "Mandatory", "Datatype", "Shape", "Default", "Enumeration"],
    ),
    ("Shape", &["Rank", "Layout", "Text"]),
    ("Enumeration", &["Enum"]),
    ("SupplementalOpDefList", &["SupportedOps", "SupplementalOpDef"]),
    ("SupportedOps", &["OpName"]),
    ("SupplementalOpDef", &["Name", "Input", "Output", "Parameter"]),
];
const BACKENDS: &[&str] = &["CPU", "GPU", "DSP", "HTP", "LPAI"];
const LAYOUTS: &[&str] = &["NHWC", "NHCW", "NDHWC", "NONTRIVIAL", "UNDEFINED", "BACKEND_SPECIFIC"];
const CONSTRAINTS: &[&str] = &["Number", "Shape", "Value", "Datatype", "Description"];
/// Hundreds of ops are a large package; more elements than this are no definition.
const MOST_BYTES: usize = 16 << 20;

/// Reads an OpDef XML whose root is an `OpDefCollection`.
///
/// # Errors
/// Everything that keeps it from being understood: text that is no XML, unknown and missing elements, words that stand for nothing.
/// What can be understood and is contradictory is [`crate::lint`]'s.
pub fn parse(xml: &str) -> Result<Package, Vec<Finding>> {
    if xml.len() > MOST_BYTES {
        return Err(vec![Finding::error(
            Position { line: 1, column: 1 },
            "the file is too large to be op definitions",
        )]);
    }
    let document = Document::parse(xml).map_err(|error| {
        let at = error.pos();
        let text = error.to_string();
        // The parser's text ends with the place, which is told in front.
        let text = text.split(" at ").next().unwrap_or(&text).to_owned();
        vec![Finding::error(Position { line: at.row, column: at.col }, format!("not valid XML: {text}"))]
    })?;
    let mut reader = Reader { document: &document, findings: Vec::new() };
    let package = reader.collection(document.root_element());
    if reader.findings.iter().any(|finding| finding.level == Level::Error) {
        reader.findings.sort_by_key(|finding| finding.at);
        return Err(reader.findings);
    }
    Ok(package)
}

struct Reader<'d> {
    document: &'d Document<'d>,
    findings: Vec<Finding>,
}

type Element<'d> = Node<'d, 'd>;

fn elements<'d>(node: Element<'d>, name: &'static str) -> impl Iterator<Item = Element<'d>> {
    node.children().filter(move |child| child.has_tag_name(name))
}

/// The text inside an element and its children, spaces joined; paragraphs apart.
fn text(node: Element<'_>) -> String {
    let parts = node.descendants().filter(|n| n.node_type() == NodeType::Text).filter_map(|n| n.text());
    let parts = parts.map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
}

impl<'d> Reader<'d> {
    fn at(&self, node: Element<'d>) -> Position {
        let at = self.document.text_pos_at(node.range().start);
        Position { line: at.row, column: at.col }
    }

    fn error(&mut self, node: Element<'d>, message: impl Into<String>) -> &mut Finding {
        let finding = Finding::error(self.at(node), message);
        self.findings.push(finding);
        let last = self.findings.len() - 1;
        &mut self.findings[last]
    }

    /// An unknown word.
    fn unknown(&mut self, node: Element<'d>, what: &str, word: &str, known: &[&str]) {
        let near =
            nearest(word, known.iter().copied(), 1).first().map(|near| format!("did you mean `{near}`?"));
        let help = near.unwrap_or_else(|| format!("known: {}", known.join(", ")));
        self.error(node, format!("`{word}` is no {what}")).help = Some(help);
    }

    /// Reports children that the element does not have.
    fn children(&mut self, node: Element<'d>) {
        let name = node.tag_name().name();
        let known = CHILDREN.iter().find(|(parent, _)| *parent == name).map_or(&[][..], |(_, known)| known);
        for child in node.children() {
            let word = child.tag_name().name();
            if child.is_element() && !known.contains(&word) {
                self.unknown(child, &format!("element of `{name}`"), word, known);
            } else if child.is_text() && child.text().is_some_and(|text| !text.trim().is_empty()) {
                self.error(child, format!("text where `{name}` holds only elements"));
            }
        }
    }

    /// The only child of that name, which must be there and must say something.
    fn required(&mut self, node: Element<'d>, name: &'static str) -> Option<Element<'d>> {
        let found = self.optional(node, name);
        if found.is_none() {
            let parent = node.tag_name().name();
            self.error(node, format!("`{parent}` has no `{name}`"));
        }
        found
    }

    fn optional(&mut self, node: Element<'d>, name: &'static str) -> Option<Element<'d>> {
        let mut found = elements(node, name);
        let first = found.next();
        if let Some(second) = found.next() {
            let parent = node.tag_name().name();
            self.error(second, format!("`{parent}` has a second `{name}`"));
        }
        first
    }

    /// The name of an op, tensor or parameter with its place.
    fn name(&mut self, node: Element<'d>) -> (String, Position) {
        let Some(name) = self.required(node, "Name") else { return (String::new(), self.at(node)) };
        let at = self.at(name);
        let word = text(name);
        if word.is_empty() {
            self.error(name, "a name is empty");
        } else if word.contains(char::is_whitespace) {
            self.error(name, format!("the name `{}` has spaces in it", word.replace('\n', " ")));
        }
        (word, at)
    }

    fn flag(&mut self, node: Element<'d>) -> bool {
        match &*text(node) {
            "true" | "1" => true,
            "false" | "0" => false,
            word => {
                let word = word.to_owned();
                self.unknown(node, "truth value", &word, &["true", "false"]);
                false
            }
        }
    }

    fn collection(&mut self, root: Element<'d>) -> Package {
        let mut package = Package { at: self.at(root), ..Package::default() };
        match root.tag_name().name() {
            "OpDefCollection" => {}
            "OpDefList" | "SupplementalOpDefSpecification" | "SupplementalOpDefList" => {
                let word = root.tag_name().name().to_owned();
                self.error(root, format!("`{word}` alone names no package")).help =
                    Some("put it into an `OpDefCollection` with PackageName, Domain and Version".to_owned());
                return package;
            }
            word => {
                let word = word.to_owned();
                self.unknown(root, "root element of op definitions", &word, &["OpDefCollection"]);
                return package;
            }
        }
        self.children(root);
        let attribute = |name: &str| root.attribute(name).unwrap_or_default().trim().to_owned();
        package.name = attribute("PackageName");
        package.domain = attribute("Domain");
        package.version = attribute("Version");
        for (name, value) in [("PackageName", &package.name), ("Version", &package.version)] {
            if value.is_empty() {
                self.error(root, format!("`OpDefCollection` has no attribute `{name}`"));
            }
        }
        if package.domain.is_empty() {
            package.domain.clone_from(&package.name);
        }
        if let Some(list) = self.required(root, "OpDefList") {
            self.children(list);
            for op in elements(list, "OpDef") {
                let op = self.op(op);
                package.ops.push(op);
            }
        }
        for list in elements(root, "SupplementalOpDefList") {
            let list = self.supplement(list);
            package.supplements.push(list);
        }
        package
    }

    fn op(&mut self, node: Element<'d>) -> Op {
        self.children(node);
        let (name, at) = self.name(node);
        let description: Vec<String> = elements(node, "Description").map(text).collect();
        let mut op = Op { name, at, description: description.join("\n\n"), ..Op::default() };
        for input in elements(node, "Input") {
            let input = self.tensor(input);
            op.inputs.push(input);
        }
        for output in elements(node, "Output") {
            let output = self.tensor(output);
            op.outputs.push(output);
        }
        for param in elements(node, "Parameter") {
            let param = self.param(param);
            op.params.push(param);
        }
        for backend in elements(node, "SupportedBackend") {
            for word in text(backend).split([',', ' ']).filter(|word| !word.is_empty()) {
                if BACKENDS.contains(&word) {
                    op.backends.push(word.to_owned());
                } else {
                    self.unknown(backend, "backend", word, BACKENDS);
                }
            }
        }
        op
    }

    fn tensor(&mut self, node: Element<'d>) -> Tensor {
        self.children(node);
        let (name, at) = self.name(node);
        let shape = self.shape(node);
        Tensor {
            name,
            at,
            description: self.optional(node, "Description").map(text).unwrap_or_default(),
            mandatory: self.mandatory(node),
            datatypes: self.datatypes(node, true),
            rank: shape.rank,
            layout: shape.layout,
            shape: shape.text,
            constraints: self.constraints(node),
            repeated: self.optional(node, "Repeated").is_some_and(|flag| self.flag(flag)),
            is_static: self.optional(node, "IsStaticTensor").is_some_and(|flag| self.flag(flag)),
        }
    }

    fn param(&mut self, node: Element<'d>) -> Param {
        self.children(node);
        let (name, at) = self.name(node);
        let shape = self.shape(node);
        let mut values = Vec::new();
        if let Some(list) = self.optional(node, "Enumeration") {
            self.children(list);
            values.extend(elements(list, "Enum").map(text));
        }
        Param {
            name,
            at,
            description: self.optional(node, "Description").map(text).unwrap_or_default(),
            mandatory: self.mandatory(node),
            datatypes: self.datatypes(node, true),
            rank: shape.rank,
            shape: shape.text,
            default: self.optional(node, "Default").map(text).filter(|text| !text.is_empty()),
            values,
            constraints: self.constraints(node),
        }
    }

    fn mandatory(&mut self, node: Element<'d>) -> bool {
        match self.required(node, "Mandatory") {
            Some(flag) => self.flag(flag),
            None => true,
        }
    }

    fn datatypes(&mut self, node: Element<'d>, required: bool) -> Vec<Datatype> {
        let mut found = Vec::new();
        for element in elements(node, "Datatype") {
            let word = text(element);
            match Datatype::find(&word) {
                Some(datatype) if found.contains(&datatype) => {
                    self.error(element, format!("`{word}` is there twice"));
                }
                Some(datatype) => found.push(datatype),
                None => {
                    let known: Vec<&str> = Datatype::ALL
                        .iter()
                        .map(|datatype| datatype.name())
                        .chain(["BACKEND_SPECIFIC"])
                        .collect();
                    self.unknown(element, "datatype", &word, &known);
                }
            }
        }
        if required && elements(node, "Datatype").next().is_none() {
            let parent = node.tag_name().name();
            self.error(node, format!("`{parent}` has no `Datatype`"));
        }
        found
    }

    fn constraints(&mut self, node: Element<'d>) -> Vec<Constraint> {
        let mut found = Vec::new();
        for element in elements(node, "Constraint") {
            let kind = element.attribute("Type").unwrap_or("Description");
            if !CONSTRAINTS.contains(&kind) {
                self.unknown(element, "type of constraint", kind, CONSTRAINTS);
            }
            found.push(Constraint {
                id: element.attribute("id").unwrap_or_default().to_owned(),
                kind: kind.to_owned(),
                text: text(element),
                at: self.at(element),
            });
        }
        found
    }

    fn shape(&mut self, node: Element<'d>) -> Shape {
        let mut shape = Shape { rank: Rank::Any, layout: None, text: None };
        let Some(element) = self.required(node, "Shape") else { return shape };
        self.children(element);
        if let Some(rank) = self.required(element, "Rank") {
            let word = text(rank);
            match &*word {
                "SCALAR" | "0D" => shape.rank = Rank::Scalar,
                "ND" => shape.rank = Rank::Any,
                "1D" | "2D" | "3D" | "4D" | "5D" => shape.rank = Rank::Fixed(word.as_bytes()[0] - b'0'),
                _ => {
                    self.unknown(rank, "rank", &word, &["SCALAR", "0D", "1D", "2D", "3D", "4D", "5D", "ND"]);
                }
            }
        }
        if let Some(layout) = self.optional(element, "Layout") {
            let word = text(layout);
            if !LAYOUTS.contains(&&*word) {
                self.unknown(layout, "layout", &word, LAYOUTS);
            }
            shape.layout = Some(word);
        }
        shape.text = self.optional(element, "Text").map(text).filter(|text| !text.is_empty());
        shape
    }

    fn supplement(&mut self, node: Element<'d>) -> Supplement {
        self.children(node);
        let backend = node.attribute("Backend").unwrap_or_default().trim().to_owned();
        if backend.is_empty() {
            self.error(node, "`SupplementalOpDefList` has no attribute `Backend`");
        } else if !BACKENDS.contains(&&*backend) {
            self.unknown(node, "backend", &backend, BACKENDS);
        }
        let mut list = Supplement { backend, at: self.at(node), ..Supplement::default() };
        if let Some(supported) = self.optional(node, "SupportedOps") {
            self.children(supported);
            let names = elements(supported, "OpName").map(|name| (text(name), self.at(name)));
            list.supported = names.collect();
        }
        for op in elements(node, "SupplementalOpDef") {
            self.children(op);
            let (name, at) = self.name(op);
            let mut tensors = Vec::new();
            for (element, kind) in
                [("Input", Kind::Input), ("Output", Kind::Output), ("Parameter", Kind::Param)]
            {
                for tensor in elements(op, element) {
                    let (name, at) = self.name(tensor);
                    let datatypes = self.datatypes(tensor, false);
                    tensors.push(SupplementedTensor { kind, name, datatypes, at });
                }
            }
            list.ops.push((name, at, tensors));
        }
        list
    }
}

struct Shape {
    rank: Rank,
    layout: Option<String>,
    text: Option<String>,
}
