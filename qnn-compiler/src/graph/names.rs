//! Names that tell the values of a graph apart.

use std::collections::HashMap;

use super::Graph;

impl Graph {
    /// A name for each value, by its id's index: its own where no value before it has that. Inputs come first, then what nodes compute, in
    /// order, so that these keep the model's names; graphs that are made in the same way have the same names.
    pub fn unique_names(&self) -> Vec<String> {
        let computed = self.nodes.iter().flat_map(|node| node.outputs.iter().flatten().copied());
        let order = self.inputs.iter().copied().chain(computed).chain(self.value_ids());
        let mut names = vec![String::new(); self.value_count()];
        // How many values had a name so far.
        let mut taken: HashMap<String, usize> = HashMap::new();
        for id in order {
            if !names[id.index()].is_empty() {
                continue;
            }
            let own = &self.value(id).name;
            let mut name = own.clone();
            while name.is_empty() || taken.contains_key(&name) {
                let count = taken.entry(own.clone()).or_insert(0);
                *count += 1;
                name = format!("{own}#{count}");
            }
            taken.insert(name.clone(), 0);
            names[id.index()] = name;
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Attrs, DType, Data, Node, TensorType};
    use crate::op::Op;

    #[test]
    fn what_is_computed_keeps_its_name_before_constants() {
        let mut graph = Graph::new("g");
        let ty = || TensorType::new(DType::F32, [1]);
        let constant = graph.add_constant("y", ty(), Data::from_f32(&[1.0]));
        let nameless = graph.add_value("", ty());
        let x = graph.add_value("x", ty());
        let y = graph.add_value("y", ty());
        graph.inputs.push(x);
        graph.nodes.push(Node::added(Op::Relu, "n", x, y, Attrs::default()));
        let names = graph.unique_names();
        assert_eq!((&*names[y.index()], &*names[constant.index()]), ("y", "y#1"));
        assert_eq!((&*names[x.index()], &*names[nameless.index()]), ("x", "#1"));
    }
}
