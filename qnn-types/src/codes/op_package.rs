//! E09xx: op packages.

use super::{Class, Code, row};

pub(super) const ROWS: &[Code] = &[
    row(
        "E0901",
        "the op definitions cannot be read",
        "\
The XML file with the op definitions is missing, is no XML, or holds what such a file does not
have: an unknown element, a datatype, rank or layout that does not exist, an element that is
missing. Each problem has its line and column. The format is the QNN SDK's: an
`OpDefCollection` with `PackageName`, `Domain` and `Version` around an `OpDefList`.

`cargo qnn op new` writes a file that is right, docs/OP-PACKAGES.md explains it.
",
    ),
    row(
        "E0902",
        "the op definitions contradict themselves",
        "\
The file can be understood and says things that cannot both hold: a name twice, a supplement of
an op that is not defined, an optional input before a mandatory one, a default that is no value
of the parameter's type, a parameter that is optional in the XML and mandatory in the code, a
`Version` that is no version. Or what they ask for is nothing that a kernel gets: INT_8 and INT_16
(HTP hands such numbers over as unsigned ones), more than 16 inputs and parameters. Each problem
has its line and column. Two packages of one `Domain` with the same op are refused, too: a node
could mean either.
",
    ),
    row(
        "E0903",
        "the op definitions say what is probably not meant",
        "\
A warning: the definitions can be used. A default of a parameter that is mandatory is never
used; an optional parameter without a default leaves its meaning to the code; a tensor whose
datatypes nobody names is refused by the compiler later, node by node.
",
    ),
    row(
        "E0904",
        "the op package is incomplete",
        "\
The folder that `path` names does not exist, has no source, has no XML file or several, or is
asked for a target that its kind is not built for. Sources are all `.c` files below `src`
(`.cpp` for `kind = \"cpp\"`), the definitions are the only `.xml` file in the folder or in
`config`; `sources` and `ops` say otherwise.
",
    ),
    row(
        "E0905",
        "there is no compiler for the op package",
        "\
An op package is compiled by the C compiler of this machine for the emulator, and for the NPU by
the first of these that there is: the compiler of a Hexagon SDK (`HEXAGON_SDK_ROOT`), the wheel
`ziglang`, a `clang` that knows the architecture together with `lld`. The notes list where it was
looked. Three ways to get one:

    cargo qnn toolchain install hexagon      # the wheel, every architecture
    apt-get install clang-19 lld-19          # up to v73
    export HEXAGON_SDK_ROOT=…                # Qualcomm's own compiler

Packages in C++ (`kind = \"cpp\"`) need the headers of the QNN SDK (`QNN_SDK_ROOT`) and the
Hexagon SDK, whatever else is there.
",
    )
    .class(Class::Toolchain),
    row(
        "E0906",
        "the op package does not compile",
        "\
The compiler or linker refused a source. The notes hold its own text and the command line, which
can be run as it stands. `compile_commands.json` in the build folder has the command of every
source, for editors.
",
    ),
    row(
        "E0907",
        "the op package's library is not what was asked for",
        "\
After linking, the library is read: the processor it is for, the architecture of the NPU, the
functions that it must export (`<Package>InterfaceProvider`, for packages in C also `qhpi_init`),
and what it leaves to others. A function that nobody has would end the process that loads the
library, so it is an error here.
",
    ),
    row(
        "E0908",
        "the op package cannot be registered",
        "\
The HTP library did not take the package: it is built for another processor, offers another
version of the interface, is built with the headers of another QNN release, or its initialization
failed. The notes have the vendor's code and what the library logged. Packages in C++ are built
again for every QNN release; packages in C use an interface that all releases from 2.48 on have.
",
    )
    .class(Class::Compile),
    row(
        "E0909",
        "a node does not fit its op's definition",
        "\
The model uses an op of a package in a way that its definition does not allow: too few or too
many inputs, an attribute that is no parameter, a parameter that is missing, a datatype or rank
that is not listed, an input that must be constant. The message says which, and what the
definition lists. Correct the model, or the XML when the kernel can do it.
",
    ),
    row(
        "E0910",
        "the shape of an op's output is not known",
        "\
The XML describes shapes in words. An output has the shape that the model says (`value_info`, or
the shape of a model output), else the one that a rule of the manifest gives, else that of the
first input. Where none of these can be right, give a rule: one text per output, the name of an
input or one expression an axis.

    [package.metadata.qnn.op-packages.my-ops]
    path = \"../my-ops\"
    shapes.Pool = [\"x[0], x[1], 1\"]
",
    ),
    row(
        "E0911",
        "an op of a package crashed",
        "\
The process that compiled or executed the model died while code of an op package was running:
its checks when a node is added, its kernels when a graph is finalized or executed. The message
names the op, or the few ops that it can have been. The usual reason is a kernel that reads or
writes beyond a tensor. The rest of the build goes on.
",
    )
    .class(Class::Compile),
    row(
        "E0912",
        "an op package is needed",
        "\
The model or context binary uses ops of a package that is not declared. In the manifest:

    [package.metadata.qnn.op-packages.my-ops]
    path = \"../my-ops\"

On a command line: `--op-package FOLDER`. An app registers the package before it loads the model;
generated code does that by itself, and finds the library beside the executable or in
`QNN_ARTIFACT_DIR`.
",
    ),
];
