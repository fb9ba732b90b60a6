//! Examples at the end of help pages.

pub(crate) const COMPILE: &str = "\
Examples:
  cargo qnn compile model.onnx --soc SM8650 -o model.bin
  cargo qnn compile model.onnx --soc SM8650,QCS6490 --dim batch=1 -o out/model.bin
  cargo qnn compile net.onnx --soc SM8650 --input image=1,3,224,224:uint8:nhwc:scale=1/255 -o net.bin
  cargo qnn compile story.gguf --soc SM8750 --context 1024 -o out/";

pub(crate) const EXEC: &str = "\
Examples:
  cargo qnn exec model.bin --inputs in.npz --outputs out.npz";

pub(crate) const VERIFY: &str = "\
Examples:
  cargo qnn verify model.onnx --soc SM8650
  cargo qnn verify model.onnx --soc SM8650 --inputs samples.npz --layers
  cargo qnn verify classifier     # a model of Cargo.toml, for its first SoC
  cargo qnn verify                # all models of Cargo.toml, for all their SoCs
  cargo qnn verify story.gguf --soc SM8750 --text eval.txt";

pub(crate) const ESTIMATE: &str = "\
Examples:
  cargo qnn estimate model.onnx --soc SM8650
  cargo qnn estimate model.onnx --soc SM8550,SM8850 --accuracy fast
  cargo qnn estimate classifier --top 20        # a model of Cargo.toml, for each of its SoCs
  cargo qnn estimate model.onnx --soc SM8650 --trace trace.json --html page.html";

pub(crate) const INSPECT: &str = "\
Examples:
  cargo qnn inspect model.onnx
  cargo qnn inspect target/debug/qnn/classifier.SM8650.bin --json";

pub(crate) const INIT: &str = "\
Examples:
  cargo qnn init --soc SM8650 --model models/classifier.onnx
  cargo qnn init --soc SM8650,SM8750 --dim batch=1";

pub(crate) const NEW: &str = "\
Examples:
  cargo qnn new app --soc SM8650
  cargo qnn new app --soc SM8650 --model classifier.onnx --input image=1,3,224,224";
