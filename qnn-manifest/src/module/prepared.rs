//! Writes what a graph with buffers of its own is: the views of its inputs and outputs, and how to run it.

use std::fmt::Write;

use super::rust::{Graph, SUPPORT, debug, text};
use super::tensor::Field;

/// `InputsMut`, `OutputsRef` and `Prepared` of a graph.
pub(super) fn structs(out: &mut String, graph: &Graph<'_>) {
    let (prefix, about) = (&graph.prefix, text(&graph.info.name));
    view(
        out,
        &format!("{prefix}InputsMut"),
        &format!("Inputs of graph `{about}`, to write to."),
        "mut ",
        &graph.inputs,
    );
    view(
        out,
        &format!("{prefix}OutputsRef"),
        &format!("Outputs of graph `{about}`, to read."),
        "",
        &graph.outputs,
    );
    let inputs =
        construct(&format!("{prefix}InputsMut"), "inputs(&mut self.inner)", "elements_mut", &graph.inputs);
    let outputs =
        construct(&format!("{prefix}OutputsRef"), "outputs(&self.inner)", "elements", &graph.outputs);
    put!(
        out,
        "    /// Graph `{about}` with buffers of its own: write the inputs, run, read the outputs, as often as needed.
    #[derive(::core::fmt::Debug)]
    pub struct {prefix}Prepared {{
        inner: {SUPPORT}::Prepared,
    }}

    impl {prefix}Prepared {{
        /// The inputs, to write to. They keep what was written from run to run, and are zeros at first.
        pub fn inputs(&mut self) -> {prefix}InputsMut<'_> {{
{inputs}        }}

        /// Runs the graph on what is in the inputs, and gives its outputs.
        ///
        /// # Errors
        /// The library's error, decoded.
        pub fn run(&mut self) -> ::core::result::Result<{prefix}OutputsRef<'_>, ::qnn::Error> {{
            {SUPPORT}::run_prepared(&mut self.inner)?;
            ::core::result::Result::Ok(self.outputs())
        }}

        /// The outputs as the last run left them.
        pub fn outputs(&self) -> {prefix}OutputsRef<'_> {{
{outputs}        }}

        /// Whether the NPU shares the memory of inputs and outputs (`LoadOptions::shared_memory`).
        pub fn is_shared(&self) -> bool {{
            {SUPPORT}::is_shared(&self.inner)
        }}
    }}
"
    );
}

fn view(out: &mut String, ty: &str, about: &str, mutable: &str, fields: &[Field<'_>]) {
    put!(out, "    /// {about}");
    put!(out, "    pub struct {ty}<'a> {{");
    for field in fields {
        put!(out, "        /// {}.", field.about());
        put!(out, "        pub {}: &'a {mutable}{},", field.name, field.array());
    }
    if fields.is_empty() {
        put!(out, "        /// There are none.");
        put!(out, "        pub none: ::core::marker::PhantomData<&'a {mutable}()>,");
    }
    put!(out, "    }}\n");
    debug(out, ty, "<'_>", fields);
}

/// The body of a function that makes a view of the buffers that `call` gives.
fn construct(ty: &str, call: &str, convert: &str, fields: &[Field<'_>]) -> String {
    let mut out = String::new();
    let names: Vec<String> = (0..fields.len()).map(|index| format!("t{index}")).collect();
    put!(out, "            let [{}] = {SUPPORT}::{call};", names.join(", "));
    put!(out, "            {ty} {{");
    for (field, name) in fields.iter().zip(&names) {
        let (element, array) = (field.element, field.array());
        put!(out, "                {}: {SUPPORT}::{convert}::<{element}, {array}>({name}),", field.name);
    }
    if fields.is_empty() {
        put!(out, "                none: ::core::marker::PhantomData,");
    }
    put!(out, "            }}");
    out
}
