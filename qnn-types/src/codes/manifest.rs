//! E01xx: the manifest, and the plan made from it.

use super::{Code, row};

pub(super) const ROWS: &[Code] = &[
    row(
        "E0101",
        "no model is declared",
        "\
The package has no `[package.metadata.qnn.models.NAME]` table, so there is nothing to compile.

    [package.metadata.qnn]
    soc = [\"SM8650\"]

    [package.metadata.qnn.models.digits]
    source = \"models/digits.onnx\"

`cargo qnn init` writes such a table. In a workspace the table belongs to the package that uses
the model; `[workspace.metadata.qnn]` holds what its packages share, such as `soc`.
",
    ),
    row(
        "E0102",
        "the manifest cannot be read",
        "\
Cargo.toml, or the Cargo.toml of the workspace, could not be opened, or it is not valid TOML.
The note under the message is what the operating system or the TOML parser said, with the line
where there is one.
",
    ),
    row(
        "E0103",
        "unknown key",
        "\
A table of `[package.metadata.qnn]` has a key that does not exist. Unknown keys are errors
because an option that is silently ignored costs more than one that is refused. The message
offers the nearest key; the options reference (docs/OPTIONS.md) lists all of them.

Keys are written with dashes: `vtcm-mb`, not `vtcm_mb`.
",
    ),
    row(
        "E0104",
        "a value has the wrong type or is out of range",
        "\
The message says what the key takes and what was found. Whole numbers are written without
quotes, lists in brackets: `soc = [\"SM8650\"]`, `shape = [1, 3, 224, 224]`, `optimization = 3`,
`dlbc = true`.
",
    ),
    row(
        "E0105",
        "unknown SoC",
        "\
The name is in no row of the SoC table. A SoC may be written as its part number (`SM8650`), by a
marketing name (`snapdragon-8-gen-3`), by the vendor's numeric id (`57`), or as an architecture
(`v75`), which stands for the best known phone SoC of that architecture. `cargo qnn socs` prints
the table.

The vendor's compiler accepts some ids that it cannot compile for, and then makes a binary that
fails later; that is why only listed SoCs are accepted.
",
    ),
    row(
        "E0106",
        "the SoC lacks the precision",
        "\
The HTP of some SoCs has no floating-point unit (for example QCS6490, SM7325, SM8635), and the
model is a float one. The vendor's compiler would produce a binary that computes garbage.

Quantize the model: QuantizeLinear and DequantizeLinear nodes (a QDQ graph), QLinear operators, or
an encodings file (`quantize.encodings`). Or take the SoC out of `soc` for this model
(`models.NAME.soc` overrides the package's list) and run the model on the CPU there. `cargo qnn
socs` tells which SoCs compute in fp16.
",
    ),
    row(
        "E0107",
        "no SoC is given",
        "\
The target is never guessed: a context binary works on one SoC (and what is compatible with it),
and a binary for the wrong one fails on the device at load. Name at least one:

    [package.metadata.qnn]
    soc = [\"SM8650\", \"SM8750\"]

or give `--soc SM8650` on the command line. `adb shell getprop ro.soc.model` prints the SoC of a
phone.
",
    ),
    row(
        "E0108",
        "a file of a model does not exist",
        "\
`models.NAME.source`, `quantize.encodings` or `samples` names a file that is not there. A relative
path counts from the folder of the Cargo.toml that names it (for a value from the command line or
the environment: from the package's folder).

Model files are often kept out of the repository: check whether a download step or `git lfs
pull` is missing.
",
    ),
    row(
        "E0109",
        "this kind of model file cannot be compiled",
        "\
The kind is told by the file name's extension: `.onnx` (ONNX), `.dlc` (Qualcomm deep learning
container), `.gguf` (a language model) and `.bin` (a ready context binary, which is checked and
passed on). A folder is a language model in Hugging Face's form, with config.json and safetensors.

PyTorch models are exported with `torch.onnx.export`, TensorFlow and TFLite models with
`tf2onnx`.
",
    ),
    row(
        "E0110",
        "not supported by this version",
        "\
The key, value or file format is known, but this version of cargo-qnn cannot do it yet. It is an
error and not a warning, because the result without it would be something else than what was
asked for. The message lists what is supported.
",
    ),
    row(
        "E0111",
        "the model has no such input or output",
        "\
`inputs`, `outputs` or `graphs.NAME.inputs` names a value that the model does not have. Names
are those of the model file, letter by letter; `cargo qnn inspect FILE` prints them. The message
offers the nearest.
",
    ),
    row(
        "E0112",
        "a dynamic dimension is not fixed",
        "\
The HTP runs graphs of fixed shapes. The model leaves a dimension of an input open (a batch
size, a sequence length, an image size), and the manifest does not say what it shall be. Fix it:

    [package.metadata.qnn.models.digits.inputs.image]
    shape = [1, 1, 8, 8]

or on the command line `--input image=1,1,8,8`. Where the model has names for its free dimensions
(`cargo qnn inspect FILE` shows them), these fix them in all inputs at once:

    [package.metadata.qnn.models.text]
    dims = { batch = 1, seq = 128 }

or on the command line `--dim batch=1 --dim seq=128`. Several sizes of one model are several
graphs: `graphs.short.dims.seq = 32`, `graphs.long.dims.seq = 512`.
",
    ),
    row(
        "E0113",
        "a name cannot be used",
        "\
Names of models and graphs become Rust modules, functions and file names: ASCII letters, digits,
`-` and `_`, at least one letter or digit. Two models of a package must differ by more than `-`
against `_` and letter case.
",
    ),
    row(
        "E0114",
        "an option does not fit the SoC",
        "\
For example `htp.vtcm-mb` asks for more VTCM (tightly coupled memory) than the SoC has. The
vendor's compiler only logs this and goes on. `cargo qnn socs` prints the VTCM of every SoC.
Leave the option out to use what the SoC has, or give the model its own `soc` list.
",
    ),
    row(
        "E0115",
        "the artifacts of a model disagree",
        "\
One Rust module serves all SoCs of a model, so every context binary of it must have the same
graphs with the same inputs and outputs. They differ, which happens with a ready `.bin` made
elsewhere, or when `source` has another meaning on another SoC. Declare them as two models.
",
    ),
    row(
        "E0116",
        "a context binary is too large",
        "\
A context binary over 2 GiB cannot be loaded by the HTP in one piece, and `include_bytes!` of
more than about 1 GB makes rustc fail. With `embed = \"auto\"` (the default) a model whose
binaries take more than 256 MiB together is shipped as files beside the executable.

Over 2 GiB: divide the model into parts that run one after the other, each a model of its own in
the manifest, or use weights of fewer bits.
",
    ),
    row(
        "E0117",
        "a --config argument cannot be understood",
        "\
`--config` takes `KEY=VALUE`, KEY as in `[package.metadata.qnn]` with dots, VALUE as TOML; a
bare word is taken as text:

    cargo qnn build --config models.digits.precision=fp16
    cargo qnn build --config 'models.digits.htp = { optimization = 1, dlbc = true }'
",
    ),
    row(
        "E0118",
        "an option does not fit the language model",
        "\
A value of `models.NAME.llm` asks for something that this model cannot be: a `context` beyond
the positions it was made for, a `prefill` that fills the whole context (the graph needs at least
one position of the past), more `shards` than layers.

`cargo qnn inspect FILE` prints the limits of the model.
",
    ),
    row(
        "E0119",
        "an option belongs to another kind of model",
        "\
`llm` describes how language models (`.gguf` files, Hugging Face folders) are compiled, and means
nothing for other models. The other way round, the graphs of a language model are made from its
sizes, so `inputs`, `dims`, `outputs`, `graphs`, `samples` and `quantize` change nothing there.

Remove the key, or compile a model of the other kind.
",
    ),
    row(
        "E0120",
        "the model has no such dimension",
        "\
`dims` or `--dim` names a free dimension that no input of the model has. The names are those that
the exporter gave them, letter by letter; `cargo qnn inspect FILE` shows them in the shapes of the
inputs. A dimension without a name, shown as `?`, is fixed by the input's whole shape:
`inputs.NAME.shape`. So is one that the model file itself fixes: another size needs another export.
",
    ),
    row(
        "E0121",
        "names of a model are the same in Rust",
        "\
Inputs, or outputs, of a graph have names that become the same Rust name: `x.1` and `x_1` both want
to be `x_1`. A name that is a Rust name keeps it; the others get numbers, as the warning lists.
The model is not changed by that, only the fields of `Inputs` and `Outputs` are called so. To
choose the names yourself, rename the tensors in the model.
",
    ),
    row(
        "E0122",
        "a model asks for a feature that the package does not have",
        "\
`models.NAME.features` lists features of the package (`[features]` in its Cargo.toml, and optional
dependencies): the model is compiled where all of them are on, and its module exists only there.
The name in the error is none of them.
",
    ),
    row(
        "E0123",
        "a package has models and no build script that takes them",
        "\
The package declares models, and they were compiled, but nothing brings them into the app: it
has no build.rs, or no build-dependency `qnn-build`. `cargo qnn init` writes both. The code then
includes the models with `qnn::include_models!();`.
",
    ),
];
