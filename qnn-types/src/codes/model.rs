//! E02xx: the model file and its import.

use super::{Code, row};

pub(super) const ROWS: &[Code] = &[
    row(
        "E0201",
        "not an ONNX file",
        "\
The file is empty, or its bytes are not a protobuf message of the ONNX kind. Common causes: a
Git LFS pointer instead of the file (`git lfs pull`), an HTML error page saved under the model's
name, or another format under the extension `.onnx`. `cargo qnn inspect FILE` prints what the
file looks like.
",
    ),
    row(
        "E0202",
        "the model file is truncated",
        "\
A part of the file says that it is longer than what is left of the file: a download or copy that
stopped half way. Fetch the file again and compare its size with the original.
",
    ),
    row(
        "E0203",
        "external data is missing",
        "\
The ONNX file keeps weights in a second file (`external_data`), which is not where the model
says. The path counts from the folder of the ONNX file. Copy both files together, under the
names they were saved with.
",
    ),
    row(
        "E0204",
        "external data is too short",
        "\
A tensor of the ONNX file lies at an offset and length that reach past the end of its external
data file. The two files do not belong together, or the data file was not copied to its end.
",
    ),
    row(
        "E0205",
        "external data lies outside the model's folder",
        "\
An external data path of the model is absolute or leads out of the model's folder with `..`. A
model file could read any file of the machine that way, so it is refused. Save the model again
with its data beside it: `onnx.save(model, \"m.onnx\", save_as_external_data=True,
location=\"m.onnx.data\")`.
",
    ),
    row(
        "E0206",
        "the graph has a cycle",
        "\
The nodes named in the message need each other's outputs, so there is no order in which to run
them. Valid ONNX has no cycles: the file was edited or exported wrongly.
`onnx.checker.check_model` finds the same.
",
    ),
    row(
        "E0207",
        "a value is used and never produced",
        "\
A node reads a value that no node, input or initializer provides. The file was edited or cut
wrongly; `onnx.checker.check_model` finds the same. When a part was cut out on purpose, declare
the value as a graph input.
",
    ),
    row(
        "E0208",
        "the opset is not supported",
        "\
Each ONNX file says which version of the operator set it uses. This one is older or newer than
what the front end knows. Convert it: `onnx.version_converter.convert_version(model, 17)`, or
export it again with `opset_version=17`.
",
    ),
    row(
        "E0209",
        "an input override does not fit the model",
        "\
`shape`, `dtype`, `layout` or the normalization of an input contradicts the model: another rank,
another value for a dimension that the model fixes (or that `dims` fixes), a layout for a tensor
that is no image, a dtype that the value cannot be converted to, or as many numbers of `mean` or
`std` as no axis has channels. `cargo qnn inspect FILE` prints the model's inputs.
",
    ),
    row(
        "E0210",
        "a shape depends on data",
        "\
The shape of a value inside the model cannot be known before it runs (NonZero,
NonMaxSuppression, a Reshape whose shape is computed from an input, a loop without a known
limit, …). The HTP runs graphs of fixed shapes. Cut the model before that node with
`outputs = [..]` and do the rest in Rust, or export it with a fixed number of results.
",
    ),
    row(
        "E0211",
        "the model contradicts itself",
        "\
An attribute is missing or has a wrong type, the shapes of a node's inputs do not fit its
operator, or a declared shape differs from the computed one. The message names the node.
`onnx.checker.check_model(path, full_check=True)` usually finds the same.
",
    ),
    row(
        "E0212",
        "the DLC cannot be read",
        "\
The QNN library could not open the deep learning container, or could not compose its graphs for
the HTP. The notes hold what the library said. A DLC made by a newer SDK than the installed
toolchain is one cause: `cargo qnn doctor` prints the toolchain's version.
",
    ),
    row(
        "E0213",
        "the context binary does not fit",
        "\
A ready `.bin` was given as `source`, and its metadata cannot be read or names another SoC than
the manifest. A context binary is compiled for one SoC and by one QNN version; `cargo qnn
inspect FILE.bin` prints both. Declare the model with the `soc` it was made for, or compile from
the ONNX file instead.
",
    ),
    row(
        "E0214",
        "the model file cannot be read",
        "\
The file is there, but reading it failed: permissions, a folder where a file should be, a
network file system that went away. The note is what the operating system said.
",
    ),
    row(
        "E0215",
        "two values have the same name",
        "\
Every value of an ONNX graph is produced once. Here a name is given to two of them (two nodes'
outputs, or an input and an output of a node). The file was edited or merged wrongly; merge
models with `onnx.compose`, which renames.
",
    ),
    row(
        "E0216",
        "the model uses a type without tensors",
        "\
Sequences, maps, optionals, strings and complex numbers have no counterpart on the HTP. Where
such a value is only an input or output helper (ZipMap after a classifier, for example), cut it
off with `outputs = [..]`.
",
    ),
    row(
        "E0217",
        "a weight's data does not fit its shape",
        "\
The file says how large a tensor is, and holds more or fewer bytes for it, or it has a negative
dimension. The file is damaged or was written by a faulty exporter;
`onnx.checker.check_model(path)` finds the same.
",
    ),
    row(
        "E0218",
        "ONNX Runtime reported an error",
        "\
ONNX Runtime gives the reference results of `cargo qnn verify`, and is asked for what the front
end does not know itself. It could not be loaded, refused the model, or failed to run it; the
message holds what it said. `cargo qnn toolchain install` installs the version that this program
was tested with.
",
    ),
    row(
        "E0219",
        "an encodings file cannot be used",
        "\
The file is no encodings file, or an encoding in it fits no tensor of its name: the message names
the place. AIMET's encodings of versions 0.6.1, 1.0.0 and 2.0.0 are read, those of blocks (PER_BLOCK
and LPBQ) too, and QAIRT quantization overrides (`activation_encodings` and `param_encodings` by
tensor name).
",
    ),
    row(
        "E0220",
        "encodings for tensors that the model does not have",
        "\
The encodings file names tensors that are not in the model, so these have no effect. Exporters
list what their own graph has; an encoding of a constant that is folded away does no harm. When
none of the names fit, the file belongs to another export of the model.
",
    ),
    row(
        "E0230",
        "a file with the weights of a language model cannot be read",
        "\
The GGUF or safetensors file is empty, cut off or damaged, or says of a tensor what cannot be: the
message names the place. Fetch or convert the file again.
",
    ),
    row(
        "E0231",
        "the architecture of a language model is not supported",
        "\
The graph builder knows decoders of the Llama family: qwen2, qwen3, llama and mistral (GGUF files
call mistral llama). The file names another architecture, which computes something else, so it is
not guessed at. An architecture that differs only in names and flags is one row of
`qnn-llm/src/arch.rs`.
",
    ),
    row(
        "E0232",
        "tensors of a language model are missing or misshapen",
        "\
The architecture needs tensors that the file does not have, or that have another shape than the
sizes in the file's metadata (or config.json) say. All of them are listed. The file was cut, was
converted by a tool that names tensors otherwise, or one shard of several is not there.
",
    ),
    row(
        "E0233",
        "the configuration of a language model cannot be used",
        "\
Sizes contradict each other (a tokenizer with more tokens than the embedding table has rows, heads
that do not divide evenly), are missing, or ask for what is not computed: mixtures of experts,
partly rotated heads, longrope scaling, an activation other than silu, attention that sees what
comes later, tensors that the architecture has no place for. Or the file is no language model by
itself (a LoRA adapter, an importance matrix), or its weights are in another tool's form (GPTQ,
AWQ, MLX). The message says which.
",
    ),
    row(
        "E0234",
        "a weight of a language model has an unsupported type",
        "\
Tensors may be F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K or Q6_K in a GGUF file, and
F32, F16 or BF16 in safetensors. Those listed in the message are of another type, which is read
past where nothing needs it, and is an error here. Quantize the model again from its F16 or BF16
file: `llama-quantize model-F16.gguf model-Q4_0.gguf Q4_0`.
",
    ),
    row(
        "E0235",
        "the tokenizer of a language model cannot be converted",
        "\
A GGUF file's tokenizer becomes a `tokenizer.json`. Byte-level BPE (`gpt2`) with the usual
pre-tokenizers and SentencePiece BPE (`llama`) are converted; the message says what is missing or
unknown in this one. Texts would be cut otherwise than the model was trained for, so it is not
guessed at: use the safetensors folder of the model, whose tokenizer.json is taken as it is.

A tokenizer.json is refused where it asks for what no model of the supported architectures has and
what could stop or end the app that reads it: replacements of the empty text, replacements that
make texts many times as long, `Precompiled` tables, hundreds of steps.
",
    ),
    row(
        "E0240",
        "a part of a language model is too large",
        "\
The HTP loads a context binary of up to 2 GiB in one piece, and the vendor's compiler refuses a
graph that needs more than 3.5 GiB. The message names the part that would be larger, with the size
that its weights have in the encoding for this SoC, and proposes what makes it smaller: more
`llm.shards`, a head or an embedding table outside the layers' binaries, or fewer bits a weight.
",
    ),
    row(
        "E0241",
        "weights of a language model are beyond fp16",
        "\
A warning: the largest number of fp16 is 65504, and the weights that are named have larger ones.
The device computes with 65504 instead, so what the model says may be wrong. Trained models have
no such numbers; look for a file that was damaged or scaled, or for one that its makers prepared
for fp16. `cargo qnn verify` tells how near the logits are.
",
    ),
];
