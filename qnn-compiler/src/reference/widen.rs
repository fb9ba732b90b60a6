//! Models in bfloat16 as the same models in float32: ONNX Runtime has no kernels for the former on a CPU. No weight changes its value,
//! and computed values keep more digits than the model asks for, as they do on the device.

use half::bf16;

use crate::frontend::onnx::proto::{
    AttributeProto, EXTERNAL, GraphProto, ModelProto, NodeProto, TensorProto, TypeValue, ValueInfoProto,
};

/// The standard's numbers of the two types.
const BFLOAT16: i32 = 16;
const FLOAT: i32 = 1;

/// Attributes that hold the number of a type.
const TYPES: &[&str] = &["to", "dtype", "output_dtype", "stash_type"];

/// The model with float32 in place of bfloat16; `None` where it has none, or keeps it in files beside it.
pub(super) fn widened(model: &ModelProto) -> Option<ModelProto> {
    let mut wide = model.clone();
    let mut pass = Pass { changed: false, external: false };
    if let Some(graph) = &mut wide.graph {
        pass.graph(graph);
    }
    for function in &mut wide.functions {
        pass.nodes(&mut function.node);
        function.attribute_proto.iter_mut().for_each(|attribute| pass.attribute(attribute));
    }
    (pass.changed && !pass.external).then_some(wide)
}

struct Pass {
    changed: bool,
    external: bool,
}

impl Pass {
    fn graph(&mut self, graph: &mut GraphProto) {
        graph.initializer.iter_mut().for_each(|tensor| self.tensor(tensor));
        let sparse = graph.sparse_initializer.iter_mut().filter_map(|sparse| sparse.values.as_mut());
        sparse.for_each(|tensor| self.tensor(tensor));
        let values = graph.input.iter_mut().chain(&mut graph.output).chain(&mut graph.value_info);
        values.for_each(|value| self.value(value));
        self.nodes(&mut graph.node);
    }

    fn nodes(&mut self, nodes: &mut [NodeProto]) {
        for node in nodes {
            node.attribute.iter_mut().for_each(|attribute| self.attribute(attribute));
        }
    }

    fn attribute(&mut self, attribute: &mut AttributeProto) {
        if attribute.i == Some(BFLOAT16.into()) && TYPES.contains(&attribute.name.as_str()) {
            attribute.i = Some(FLOAT.into());
            self.changed = true;
        }
        attribute.t.iter_mut().chain(&mut attribute.tensors).for_each(|tensor| self.tensor(tensor));
        attribute.g.iter_mut().chain(&mut attribute.graphs).for_each(|graph| self.graph(graph));
    }

    fn value(&mut self, value: &mut ValueInfoProto) {
        if let Some(TypeValue::Tensor(tensor)) = value.r#type.as_mut().and_then(|ty| ty.value.as_mut())
            && tensor.elem_type == BFLOAT16
        {
            tensor.elem_type = FLOAT;
            self.changed = true;
        }
    }

    fn tensor(&mut self, tensor: &mut TensorProto) {
        if tensor.data_type != BFLOAT16 {
            return;
        }
        self.changed = true;
        if tensor.data_location == EXTERNAL {
            self.external = true;
            return;
        }
        let wide: Vec<u8> = match tensor.raw_data.take() {
            Some(raw) => {
                raw.chunks_exact(2).flat_map(|two| float(u16::from_le_bytes([two[0], two[1]]))).collect()
            }
            None => tensor.int32_data.drain(..).flat_map(|bits| float(bits as u16)).collect(),
        };
        tensor.raw_data = Some(wide.into());
        tensor.data_type = FLOAT;
    }
}

fn float(bits: u16) -> [u8; 4] {
    bf16::from_bits(bits).to_f32().to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_keep_their_values_and_types_follow() {
        let tensor = |raw: Option<Vec<u8>>, ints: Vec<i32>| TensorProto {
            dims: vec![2],
            data_type: BFLOAT16,
            raw_data: raw.map(Into::into),
            int32_data: ints,
            ..TensorProto::default()
        };
        // 1.5 and -2.
        let cast = AttributeProto { name: "to".into(), i: Some(16), ..AttributeProto::default() };
        let axis = AttributeProto { name: "axis".into(), i: Some(16), ..AttributeProto::default() };
        let node = NodeProto { attribute: vec![cast, axis], ..NodeProto::default() };
        let graph = GraphProto {
            initializer: vec![
                tensor(Some(vec![0xc0, 0x3f, 0, 0xc0]), vec![]),
                tensor(None, vec![0x3fc0, 0xc000]),
            ],
            node: vec![node],
            ..GraphProto::default()
        };
        let model = ModelProto { graph: Some(graph), ..ModelProto::default() };
        let wide = widened(&model).unwrap().graph.unwrap();
        for tensor in &wide.initializer {
            let floats: Vec<f32> = tensor
                .raw_data
                .as_ref()
                .unwrap()
                .chunks_exact(4)
                .map(|four| f32::from_le_bytes(four.try_into().unwrap()))
                .collect();
            assert_eq!((tensor.data_type, &floats[..]), (FLOAT, &[1.5, -2.0][..]));
        }
        assert_eq!(wide.node[0].attribute.iter().map(|a| a.i).collect::<Vec<_>>(), [Some(1), Some(16)]);
        assert!(widened(&ModelProto::default()).is_none());
    }
}
