//! A case: a small model, its inputs, and what is expected of it.

use qnn::DataType;
use qnn_compiler::frontend::onnx::proto::{AttributeProto, OperatorSetIdProto};
use qnn_compiler::graph::DType;
use qnn_compiler::npz::Array;

use crate::support::{Dim, Model, f32s, i64s, node, raw};

/// What a case expects.
#[derive(Clone, Debug)]
pub enum Expect {
    /// The emulator's outputs are ONNX Runtime's, within the tolerance.
    Equal,
    /// The outputs are integers that differ from ONNX Runtime's by so much at most.
    Steps(i64),
    /// The model is refused with this code and a message that has these words.
    Refused(&'static str, &'static str),
}

/// A test case.
pub struct Case {
    /// Says what must hold; unique in its family.
    pub name: String,
    /// What is expected.
    pub expect: Expect,
    /// The most HTP ops that the model may become.
    pub most_ops: Option<u64>,
    /// The SoC that it is about; else that of the run.
    pub soc: Option<&'static str>,
    /// Writes the model.
    pub build: Box<dyn Fn(&mut Draft) + Send + Sync>,
}

/// A case whose outputs must be ONNX Runtime's.
pub fn case(name: impl Into<String>, build: impl Fn(&mut Draft) + Send + Sync + 'static) -> Case {
    Case { name: name.into(), expect: Expect::Equal, most_ops: None, soc: None, build: Box::new(build) }
}

/// A case whose outputs must be ONNX Runtime's, and whose nodes are a pattern: they become at most so many HTP ops.
pub fn pattern(
    name: impl Into<String>,
    most_ops: u64,
    build: impl Fn(&mut Draft) + Send + Sync + 'static,
) -> Case {
    Case { most_ops: Some(most_ops), ..case(name, build) }
}

/// A case whose outputs are stored integers, off by `steps` at most.
pub fn steps(
    name: impl Into<String>,
    steps: i64,
    build: impl Fn(&mut Draft) + Send + Sync + 'static,
) -> Case {
    Case { expect: Expect::Steps(steps), ..case(name, build) }
}

impl Case {
    /// The case for one SoC, whatever the others run on.
    pub fn on(self, soc: &'static str) -> Self {
        Self { soc: Some(soc), ..self }
    }
}

/// A case that must be refused.
pub fn refused(
    name: impl Into<String>,
    code: &'static str,
    words: &'static str,
    build: impl Fn(&mut Draft) + Send + Sync + 'static,
) -> Case {
    Case { expect: Expect::Refused(code, words), ..case(name, build) }
}

/// The model of a case while it is written. Values are known by their names. What is random depends on the case's name alone.
pub struct Draft {
    /// The model so far.
    pub model: Model,
    /// One array an input.
    pub inputs: Vec<(String, Array)>,
    /// What is compiled, where ONNX Runtime runs another model: see [`Draft::oracle`].
    pub subject: Option<Model>,
    state: u64,
    values: usize,
}

impl Draft {
    /// An empty model of opset 21.
    pub fn new(name: &str) -> Self {
        let state = name.bytes().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self { model: Model::new(21), inputs: Vec::new(), subject: None, state, values: 0 }
    }

    /// Writes the model in another opset.
    pub fn opset(&mut self, version: i64) {
        self.model.0.opset_import[0].version = version;
    }

    fn name(&mut self, kind: &str) -> String {
        self.values += 1;
        format!("{kind}{}", self.values)
    }

    fn uniform(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Numbers between two bounds.
    pub fn between(&mut self, count: usize, low: f32, high: f32) -> Vec<f32> {
        (0..count).map(|_| low + (high - low) * self.uniform() as f32).collect()
    }

    /// Normally distributed numbers, mean 0, deviation `scale`.
    pub fn normal(&mut self, count: usize, scale: f32) -> Vec<f32> {
        (0..count)
            .map(|_| {
                let (u, v) = (self.uniform().max(1e-12), self.uniform());
                ((-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()) as f32 * scale
            })
            .collect()
    }

    /// A float input of normally distributed numbers.
    pub fn input(&mut self, shape: &[usize]) -> String {
        let values = self.normal(shape.iter().product(), 1.0);
        self.input_f32(shape, &values)
    }

    /// A float input with these numbers.
    pub fn input_f32(&mut self, shape: &[usize], values: &[f32]) -> String {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.input_raw(DType::F32, DataType::Float32, shape, bytes)
    }

    /// An int64 input with these numbers.
    pub fn input_i64(&mut self, shape: &[usize], values: &[i64]) -> String {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.input_raw(DType::I64, DataType::Int64, shape, bytes)
    }

    /// An int32 input with these numbers.
    pub fn input_i32(&mut self, shape: &[usize], values: &[i32]) -> String {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.input_raw(DType::I32, DataType::Int32, shape, bytes)
    }

    /// A boolean input with these values.
    pub fn input_bool(&mut self, shape: &[usize], values: &[bool]) -> String {
        self.input_raw(DType::Bool, DataType::Bool, shape, values.iter().map(|&v| u8::from(v)).collect())
    }

    /// An input of any type, from its bytes.
    pub fn input_raw(&mut self, dtype: DType, array: DataType, shape: &[usize], data: Vec<u8>) -> String {
        assert_eq!(data.len(), shape.iter().product::<usize>() * dtype.size(), "an input's data");
        let name = self.name("x");
        let dims: Vec<Dim> = shape.iter().map(|&d| Dim::Fixed(d as i64)).collect();
        self.model.graph().input.push(crate::support::info(&name, dtype, &dims));
        let shape = shape.iter().map(|&d| d as u64).collect();
        self.inputs.push((name.clone(), Array { dtype: array, shape, data }));
        name
    }

    /// A float constant of normally distributed numbers, scaled down by the root of how many meet in one result.
    pub fn weight(&mut self, shape: &[usize]) -> String {
        let meet: usize = shape.iter().skip(1).product();
        let values = self.normal(shape.iter().product(), 1.0 / (meet as f32).sqrt());
        self.constant(shape, &values)
    }

    /// A float constant of numbers around 1.
    pub fn scale(&mut self, shape: &[usize]) -> String {
        let values = self.between(shape.iter().product(), 0.5, 1.5);
        self.constant(shape, &values)
    }

    /// A float constant.
    pub fn constant(&mut self, shape: &[usize], values: &[f32]) -> String {
        let name = self.name("c");
        let tensor = f32s(&name, &dims(shape), values);
        self.model.graph().initializer.push(tensor);
        name
    }

    /// A list of int64 as a constant.
    pub fn ints(&mut self, values: &[i64]) -> String {
        let name = self.name("c");
        self.model.graph().initializer.push(i64s(&name, &[values.len() as i64], values));
        name
    }

    /// A constant of any type, from its bytes.
    pub fn constant_raw(&mut self, dtype: DType, shape: &[usize], data: Vec<u8>) -> String {
        let name = self.name("c");
        self.model.graph().initializer.push(raw(&name, dtype, &dims(shape), data));
        name
    }

    /// A node with one output; `""` stands for an input that is left out.
    pub fn node(&mut self, op: &str, inputs: &[&str], attributes: &[AttributeProto]) -> String {
        self.nodes(op, inputs, attributes, 1).remove(0)
    }

    /// A node with several outputs.
    pub fn nodes(
        &mut self,
        op: &str,
        inputs: &[&str],
        attributes: &[AttributeProto],
        outputs: usize,
    ) -> Vec<String> {
        let outputs: Vec<String> = (0..outputs).map(|_| self.name("y")).collect();
        let names: Vec<&str> = outputs.iter().map(String::as_str).collect();
        let mut node = node(op, inputs, &names, attributes);
        node.name = format!("node of {}", outputs[0]);
        self.model.graph().node.push(node);
        outputs
    }

    /// Says that the last node is of another domain.
    pub fn domain(&mut self, domain: &str) {
        self.model.graph().node.last_mut().unwrap().domain = domain.to_owned();
        let sets = &mut self.model.0.opset_import;
        if !sets.iter().any(|set| set.domain == domain) {
            sets.push(OperatorSetIdProto { domain: domain.to_owned(), version: 1 });
        }
    }

    /// Writes the operators of a domain in another version.
    pub fn version(&mut self, domain: &str, version: i64) {
        self.model
            .0
            .opset_import
            .iter_mut()
            .filter(|set| set.domain == domain)
            .for_each(|set| set.version = version);
    }

    /// Makes a value an output of the model.
    pub fn output(&mut self, name: &str) {
        let info =
            qnn_compiler::frontend::onnx::proto::ValueInfoProto { name: name.to_owned(), r#type: None };
        self.model.graph().output.push(info);
    }

    /// What follows is for ONNX Runtime, which has no kernel for the nodes so far: the same from the same inputs, in operators of
    /// the standard. [`Draft::answer`] says what is the same.
    pub fn oracle(&mut self) {
        self.subject = Some(self.model.clone());
        let graph = self.model.graph();
        graph.node.clear();
        graph.output.clear();
    }

    /// A value of the oracle that must be an output of the model before it.
    pub fn answer(&mut self, value: &str, output: &str) {
        self.model.graph().node.push(node("Identity", &[value], &[output], &[]));
        self.output(output);
    }

    /// A node whose only output is the model's.
    pub fn result(&mut self, op: &str, inputs: &[&str], attributes: &[AttributeProto]) {
        let y = self.node(op, inputs, attributes);
        self.output(&y);
    }
}

fn dims(shape: &[usize]) -> Vec<i64> {
    shape.iter().map(|&d| d as i64).collect()
}
