//! The key of an artifact in the store: everything that decides the bytes of a context binary, and nothing else.
//!
//! Paths, modification times, profile, target triple, the name of the model and the name of the SoC do not
//! count: the same model compiled from another checkout, or under another name of the SoC, is the same artifact.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use qnn_llm::{Heads, KvType, Strategy};
use serde::Serialize;

use crate::memo::Memo;
use crate::source::{SourceFacts, hashed};
use qnn_types::{
    Accuracy, CompileJob, Diagnostic, GraphSpec, HtpOptions, InputSpec, LlmPart, LlmPartKind, OpPackage,
    Precision, Samples, SourceFormat, Target, io_problem,
};

/// A blake3 hash over the inputs of a compile, as 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Key(String);

impl Key {
    /// The key of `job` on a model with these facts, as `makers` compile it. Digests of files that the job names are remembered in `memo`.
    ///
    /// # Errors
    /// `E0214` for a file that cannot be read: nothing is kept under an error.
    pub fn new(
        job: &CompileJob,
        source: &SourceFacts,
        makers: Makers<'_>,
        memo: &Memo,
    ) -> Result<Self, Diagnostic> {
        let digests = Digests { memo };
        let onnxruntime = digests.onnxruntime(job)?;
        let ranges =
            |_: &Samples| job.graphs.iter().map(|graph| Self::of_ranges(job, graph, source, makers, memo));
        let ranges = job.samples.iter().flat_map(ranges).collect::<Result<_, _>>()?;
        let job = &canonical(job);
        let htp = &job.htp;
        let input = KeyInput {
            engine: makers.engine,
            build_id: if is_table(job) { "" } else { makers.build_id },
            onnxruntime: onnxruntime.filter(|_| job.format == SourceFormat::Onnx),
            model: &source.blake3,
            external: external(source),
            format: job.format,
            soc: (job.soc.id, job.soc.arch, job.soc.vtcm_mb, job.soc.fp16),
            precision: job.precision,
            accuracy: job.accuracy,
            graphs: job.graphs.iter().map(graph).collect(),
            outputs: &job.outputs,
            // What is left out means the value that the documentation of the option gives.
            vtcm_mb: htp.vtcm_mb.unwrap_or(job.soc.vtcm_mb),
            optimization: htp.optimization(job.format),
            hvx_threads: htp.hvx_threads,
            dlbc: htp.dlbc.unwrap_or(false),
            weight_sharing: htp.weight_sharing(job.graphs.len()),
            samples: job.samples.as_ref().map(|samples| digests.samples(samples)).transpose()?,
            encodings: job.encodings.as_deref().map(|path| digests.file(path)).transpose()?,
            op_packages: digests.op_packages(job)?,
            ranges,
            llm: job.llm.as_ref(),
        };
        Self::of("cargo-qnn 2026-11 artifact key", &input, &job.model)
    }

    /// The key of the ranges that the values of a graph take on the job's samples: all that is before the SoC on the way to a binary, and
    /// nothing that is behind it.
    ///
    /// # Errors
    /// As [`Key::new`].
    pub fn of_ranges(
        job: &CompileJob,
        spec: &GraphSpec,
        source: &SourceFacts,
        makers: Makers<'_>,
        memo: &Memo,
    ) -> Result<Self, Diagnostic> {
        let digests = Digests { memo };
        let input = RangesInput {
            engine: makers.engine,
            onnxruntime: digests.onnxruntime(job)?,
            model: &source.blake3,
            external: external(source),
            format: job.format,
            precision: job.precision,
            // Under whatever name, it is the same graph.
            graph: GraphKey { name: "", ..graph(spec) },
            outputs: &job.outputs,
            samples: job.samples.as_ref().map(|samples| digests.samples(samples)).transpose()?,
            encodings: job.encodings.as_deref().map(|path| digests.file(path)).transpose()?,
            op_packages: digests.op_packages(job)?,
        };
        Self::of("cargo-qnn 2026-12 ranges key", &input, &job.model)
    }

    fn of(context: &str, input: &impl Serialize, model: &str) -> Result<Self, Diagnostic> {
        let text = serde_json::to_vec(input).map_err(|error| {
            Diagnostic::new("E0604", "a compile has no key").model(model).note(error.to_string())
        })?;
        let mut hasher = blake3::Hasher::new_derive_key(context);
        hasher.update(&text);
        Ok(Self(hasher.finalize().to_hex().to_string()))
    }

    /// The key of a step: the kind of work, who does it, digests of its inputs, and its parameters, each a part of its own.
    pub fn of_step(parts: &[&str]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("cargo-qnn 2026-12 step key");
        for part in parts {
            // With its length, so that what follows cannot be taken for a part of it.
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        Self(hasher.finalize().to_hex().to_string())
    }

    #[cfg(test)]
    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(blake3::Hash::from_bytes(bytes).to_hex().to_string())
    }

    /// The hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who makes an artifact.
#[derive(Clone, Copy, Debug)]
pub struct Makers<'a> {
    /// Identity of the engine ([`crate::driver::Worker::engine`]).
    pub engine: &'a str,
    /// The build of the QNN libraries.
    pub build_id: &'a str,
}

/// Serialized in this order of fields; maps are sorted.
#[derive(Serialize)]
struct KeyInput<'a> {
    engine: &'a str,
    build_id: &'a str,
    /// The library that evaluates what the engine cannot, and runs samples; it is asked for ONNX models only.
    #[serde(skip_serializing_if = "Option::is_none")]
    onnxruntime: Option<String>,
    model: &'a str,
    external: BTreeMap<&'a str, &'a str>,
    format: SourceFormat,
    soc: (u32, u32, u32, bool),
    precision: Precision,
    accuracy: Accuracy,
    graphs: Vec<GraphKey<'a>>,
    outputs: &'a [String],
    vtcm_mb: u32,
    optimization: u8,
    hvx_threads: Option<u32>,
    dlbc: bool,
    weight_sharing: bool,
    /// Absent without a calibration run.
    #[serde(skip_serializing_if = "Option::is_none")]
    samples: Option<String>,
    /// Absent without an encodings file.
    #[serde(skip_serializing_if = "Option::is_none")]
    encodings: Option<String>,
    /// Absent without op packages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    op_packages: Vec<OpPackageKey<'a>>,
    /// Keys of the ranges of each graph; absent without a calibration run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ranges: Vec<Key>,
    /// Absent for what is no language model.
    #[serde(skip_serializing_if = "Option::is_none")]
    llm: Option<&'a LlmPart>,
}

/// What decides over the ranges of a graph's values, in this order of fields.
#[derive(Serialize)]
struct RangesInput<'a> {
    engine: &'a str,
    onnxruntime: Option<String>,
    model: &'a str,
    external: BTreeMap<&'a str, &'a str>,
    format: SourceFormat,
    precision: Precision,
    graph: GraphKey<'a>,
    outputs: &'a [String],
    samples: Option<String>,
    encodings: Option<String>,
    op_packages: Vec<OpPackageKey<'a>>,
}

/// Files beside the model by their names in it.
fn external(source: &SourceFacts) -> BTreeMap<&str, &str> {
    source.external.iter().map(|file| (file.location.as_str(), file.blake3.as_str())).collect()
}

/// An op package by what it does, not by where it is or what the manifest calls it.
#[derive(Serialize)]
struct OpPackageKey<'a> {
    library: String,
    definition: String,
    shapes: &'a BTreeMap<String, Vec<String>>,
    replace: &'a BTreeMap<String, String>,
}

/// Digests of the files that a job names.
struct Digests<'m> {
    memo: &'m Memo,
}

impl Digests<'_> {
    fn file(&self, path: &Path) -> Result<String, Diagnostic> {
        hashed(path, self.memo)
            .map(|(_, blake3)| blake3)
            .map_err(|error| io_problem("E0214", "cannot read", path, &error))
    }

    fn samples(&self, samples: &Samples) -> Result<String, Diagnostic> {
        match samples {
            Samples::Generated => Ok("generated".to_owned()),
            Samples::File(path) => self.file(path),
        }
    }

    fn onnxruntime(&self, job: &CompileJob) -> Result<Option<String>, Diagnostic> {
        job.toolchain.onnxruntime.as_deref().map(|path| self.file(path)).transpose()
    }

    fn op_packages<'p>(&self, job: &'p CompileJob) -> Result<Vec<OpPackageKey<'p>>, Diagnostic> {
        job.op_packages.iter().map(|package| self.op_package(package)).collect()
    }

    fn op_package<'p>(&self, package: &'p OpPackage) -> Result<OpPackageKey<'p>, Diagnostic> {
        Ok(OpPackageKey {
            library: self.file(&package.library)?,
            definition: self.file(&package.definition)?,
            shapes: &package.shapes,
            replace: &package.replace,
        })
    }
}

/// Whether the job makes a table of numbers, which no library compiles.
fn is_table(job: &CompileJob) -> bool {
    job.llm.as_ref().is_some_and(|part| part.what == LlmPartKind::Embedding)
}

/// The job without what does not count for a part of a language model.
fn canonical(job: &CompileJob) -> Cow<'_, CompileJob> {
    let Some(part) = job.llm.as_ref().filter(|part| !matches!(part.what, LlmPartKind::Layers { .. })) else {
        return Cow::Borrowed(job);
    };
    let mut job = job.clone();
    // A head sees one hidden state, a table nothing at all.
    let plain = LlmPart {
        what: part.what.clone(),
        context: 0,
        heads: Heads::default(),
        kv: KvType::default(),
        strategy: part.strategy,
        layers: false,
    };
    if is_table(&job) {
        job.soc = Target { name: String::new(), id: 0, arch: 0, vtcm_mb: 0, fp16: true };
        job.htp = HtpOptions::default();
        job.llm = Some(LlmPart { strategy: Strategy::default(), ..plain });
    } else {
        job.llm = Some(plain);
    }
    Cow::Owned(job)
}

#[derive(Serialize)]
struct GraphKey<'a> {
    name: &'a str,
    inputs: BTreeMap<&'a str, &'a InputSpec>,
    /// Absent for what is no language model.
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens: Option<u32>,
}

fn graph(spec: &GraphSpec) -> GraphKey<'_> {
    // An input that is named and not changed says nothing.
    let said = spec.inputs.iter().filter(|(_, input)| **input != InputSpec::default());
    GraphKey {
        name: &spec.name,
        inputs: said.map(|(name, input)| (name.as_str(), input)).collect(),
        tokens: spec.tokens,
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::source::ExternalFile;
    use qnn_types::{PerChannel, Toolchain};

    fn job() -> CompileJob {
        CompileJob {
            model: "digits".to_owned(),
            source: PathBuf::from("/a/digits.onnx"),
            format: SourceFormat::Onnx,
            soc: Target { name: "SM8650".to_owned(), id: 57, arch: 75, vtcm_mb: 8, fp16: true },
            precision: Precision::Fp16,
            graphs: vec![GraphSpec { name: "digits".to_owned(), inputs: BTreeMap::new(), tokens: None }],
            outputs: Vec::new(),
            samples: None,
            ranges: Vec::new(),
            accuracy: Default::default(),
            trace: None,
            encodings: None,
            op_packages: Vec::new(),
            llm: None,
            htp: HtpOptions::default(),
            toolchain: Toolchain { qnn_lib_dir: PathBuf::from("/lib"), onnxruntime: None },
            output: None,
        }
    }

    fn made(build_id: &str, engine: &str, job: &CompileJob, facts: &SourceFacts) -> Key {
        Key::new(job, facts, Makers { engine, build_id }, &Memo::default()).unwrap()
    }

    /// Files that are there.
    fn package() -> OpPackage {
        let file = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        OpPackage { library: file("Cargo.toml"), definition: file("src/lib.rs"), ..OpPackage::default() }
    }

    fn facts() -> SourceFacts {
        SourceFacts { blake3: "00".to_owned(), bytes: 1, ..SourceFacts::default() }
    }

    fn key(change: impl FnOnce(&mut CompileJob, &mut SourceFacts)) -> Key {
        let (mut job, mut facts) = (job(), facts());
        change(&mut job, &mut facts);
        made("v2.51.0", "engine", &job, &facts)
    }

    #[test]
    fn places_and_names_of_things_do_not_count() {
        let base = key(|_, _| {});
        assert_eq!(key(|job, _| job.source = "/elsewhere/x.onnx".into()), base);
        assert_eq!(key(|job, _| job.model = "other".to_owned()), base);
        assert_eq!(key(|job, _| job.soc.name = "snapdragon-8-gen-3".to_owned()), base);
        assert_eq!(key(|job, _| job.toolchain.qnn_lib_dir = "/other".into()), base);
        assert_eq!(key(|job, _| job.output = Some("/out".into())), base);
        assert_eq!(base.as_str().len(), 64);
    }

    #[test]
    fn what_is_said_and_what_is_meant_by_silence_are_the_same() {
        let base = key(|_, _| {});
        assert_eq!(key(|job, _| job.htp.optimization = Some(3)), base);
        assert_eq!(key(|job, _| job.htp.vtcm_mb = Some(8)), base);
        assert_eq!(key(|job, _| job.htp.dlbc = Some(false)), base);
        let silent = |job: &mut CompileJob, _: &mut SourceFacts| {
            job.graphs[0].inputs.insert("image".to_owned(), InputSpec::default());
        };
        assert_eq!(key(silent), base);
    }

    /// The key of a part of a language model, whose options `change` may change.
    fn part_key(what: LlmPartKind, change: impl FnOnce(&mut CompileJob, &mut LlmPart)) -> Key {
        let mut part = LlmPart {
            what,
            context: 1024,
            heads: Heads::Split,
            kv: KvType::Fp16,
            strategy: Strategy::Auto,
            layers: false,
        };
        let mut job = job();
        job.graphs.clear();
        change(&mut job, &mut part);
        job.llm = Some(part);
        made("v2.51.0", "engine", &job, &facts())
    }

    fn layers(first: u32, count: u32) -> LlmPartKind {
        LlmPartKind::Layers { first, count, embedding: false, head: false }
    }

    #[test]
    fn every_part_of_a_language_model_has_a_key_of_its_own() {
        let same = |_: &mut CompileJob, _: &mut LlmPart| {};
        let mut seen = vec![
            part_key(layers(0, 7), same),
            part_key(layers(7, 7), same),
            part_key(layers(0, 8), same),
            part_key(LlmPartKind::Layers { first: 0, count: 7, embedding: true, head: false }, same),
            part_key(LlmPartKind::Layers { first: 0, count: 7, embedding: false, head: true }, same),
            part_key(LlmPartKind::Head, same),
            part_key(LlmPartKind::Embedding, same),
        ];
        type Change = fn(&mut CompileJob, &mut LlmPart);
        let changes: &[Change] = &[
            |_, part| part.context = 512,
            |_, part| part.heads = Heads::Fused,
            |_, part| part.strategy = Strategy::RequantizeInt4,
            |job, _| {
                let graph = GraphSpec { tokens: Some(32), ..GraphSpec::default() };
                job.graphs.push(graph);
            },
        ];
        seen.extend(changes.iter().map(|change| part_key(layers(0, 7), change)));
        for (i, one) in seen.iter().enumerate() {
            assert!(!seen[..i].contains(one), "part {i} is taken for another");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_no_key() {
        let mut job = job();
        job.encodings = Some("/no/such/encodings.json".into());
        let makers = Makers { engine: "engine", build_id: "v2.51.0" };
        let problem = Key::new(&job, &facts(), makers, &Memo::default()).unwrap_err();
        assert_eq!(problem.code, "E0214");
    }

    #[test]
    fn parts_of_a_steps_key_are_told_apart() {
        assert_ne!(Key::of_step(&["ab", "c"]), Key::of_step(&["a", "bc"]));
        assert_eq!(Key::of_step(&["ab", "c"]), Key::of_step(&["ab", "c"]));
    }

    #[test]
    fn what_a_part_does_not_see_does_not_count() {
        let head = |change: fn(&mut CompileJob, &mut LlmPart)| part_key(LlmPartKind::Head, change);
        let plain = head(|_, _| {});
        assert_eq!(head(|_, part| (part.context, part.heads) = (512, Heads::Fused)), plain);
        assert_ne!(head(|_, part| part.strategy = Strategy::RequantizeInt8), plain);
        assert_ne!(head(|job, _| job.soc.id = 69), plain);

        let table = |change: fn(&mut CompileJob, &mut LlmPart)| part_key(LlmPartKind::Embedding, change);
        let plain = table(|_, _| {});
        assert_eq!(table(|job, _| (job.soc.id, job.soc.arch, job.soc.vtcm_mb) = (69, 79, 4)), plain);
        assert_eq!(table(|job, _| job.htp.optimization = Some(3)), plain);
        assert_eq!(table(|_, part| (part.context, part.strategy) = (512, Strategy::Native)), plain);
    }

    /// The key of the ranges of a job's graph after a change.
    fn ranges(change: impl FnOnce(&mut CompileJob, &mut SourceFacts)) -> Key {
        let (mut job, mut facts) = (job(), facts());
        job.samples = Some(Samples::Generated);
        change(&mut job, &mut facts);
        let makers = Makers { engine: "engine", build_id: "v2.51.0" };
        Key::of_ranges(&job, &job.graphs[0], &facts, makers, &Memo::default()).unwrap()
    }

    #[test]
    fn ranges_do_not_depend_on_what_comes_after_them() {
        type Change = fn(&mut CompileJob, &mut SourceFacts);
        let behind: &[Change] = &[
            |job, _| (job.soc.id, job.soc.arch, job.soc.vtcm_mb, job.soc.fp16) = (69, 68, 4, false),
            |job, _| job.htp.optimization = Some(1),
            |job, _| job.accuracy = Accuracy::Fast,
            |job, _| job.graphs[0].name = "another".to_owned(),
            |job, _| job.graphs.push(GraphSpec::default()),
        ];
        let plain = ranges(|_, _| {});
        assert!(behind.iter().all(|change| ranges(change) == plain));

        fn file() -> PathBuf {
            Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")
        }
        let before: &[Change] = &[
            |_, facts| facts.blake3 = "01".to_owned(),
            |job, _| job.samples = Some(Samples::File(file())),
            |job, _| job.encodings = Some(file()),
            |job, _| job.toolchain.onnxruntime = Some(file()),
            |job, _| job.outputs.push("logits".to_owned()),
            |job, _| job.op_packages.push(package()),
            |job, _| {
                let input = InputSpec { shape: Some(vec![1, 2]), ..InputSpec::default() };
                job.graphs[0].inputs.insert("image".to_owned(), input);
            },
            |job, _| {
                let input = InputSpec { scale: Some(0.5), ..InputSpec::default() };
                job.graphs[0].inputs.insert("image".to_owned(), input);
            },
        ];
        let mut seen = vec![plain];
        seen.extend(before.iter().map(|change| ranges(change)));
        for (i, one) in seen.iter().enumerate() {
            assert!(!seen[..i].contains(one), "change {i} does not count");
        }
    }

    #[test]
    fn a_binary_has_the_keys_of_its_ranges_in_its_own() {
        let with = |samples: Option<Samples>| key(|job, _| job.samples = samples);
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let keys = [None, Some(Samples::Generated), Some(Samples::File(file))].map(with);
        assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2]);
    }

    #[test]
    fn everything_that_changes_the_binary_changes_the_key() {
        let mut seen = vec![key(|_, _| {}), made("v2.50.0", "engine", &job(), &facts())];
        seen.push(made("v2.51.0", "other engine", &job(), &facts()));
        type Change = fn(&mut CompileJob, &mut SourceFacts);
        let changes: &[Change] = &[
            // Another ONNX Runtime.
            |job, _| {
                job.toolchain.onnxruntime = Some(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml").into())
            },
            |_, facts| facts.blake3 = "01".to_owned(),
            |_, facts| {
                facts.external.push(ExternalFile {
                    location: "w".to_owned(),
                    path: "w".into(),
                    bytes: 1,
                    blake3: "02".to_owned(),
                });
            },
            |job, _| job.format = SourceFormat::Dlc,
            |job, _| job.soc.id = 69,
            |job, _| job.soc.vtcm_mb = 4,
            |job, _| job.graphs[0].name = "main".to_owned(),
            |job, _| job.outputs.push("logits".to_owned()),
            |job, _| job.htp.optimization = Some(1),
            |job, _| job.htp.optimization = Some(2),
            |job, _| job.htp.hvx_threads = Some(2),
            |job, _| job.htp.dlbc = Some(true),
            |job, _| job.htp.weight_sharing = Some(true),
            |job, _| job.op_packages.push(package()),
            |job, _| {
                let shapes = BTreeMap::from([("Op".to_owned(), vec!["x".to_owned()])]);
                job.op_packages.push(OpPackage { shapes, ..package() });
            },
            |job, _| {
                job.op_packages.push(OpPackage {
                    library: concat!(env!("CARGO_MANIFEST_DIR"), "/src/key.rs").into(),
                    ..package()
                })
            },
            |job, _| {
                let input = InputSpec { dtype: Some("uint8".to_owned()), ..InputSpec::default() };
                job.graphs[0].inputs.insert("image".to_owned(), input);
            },
            |job, _| {
                let input = InputSpec { shape: Some(vec![1, 2]), ..InputSpec::default() };
                job.graphs[0].inputs.insert("image".to_owned(), input);
            },
            |job, _| {
                let input = InputSpec { scale: Some(0.5), ..InputSpec::default() };
                job.graphs[0].inputs.insert("image".to_owned(), input);
            },
            |job, _| {
                let input = InputSpec { mean: Some(PerChannel::One(0.5)), ..InputSpec::default() };
                job.graphs[0].inputs.insert("image".to_owned(), input);
            },
            |job, _| {
                let input = InputSpec { std: Some(PerChannel::Each(vec![0.5])), ..InputSpec::default() };
                job.graphs[0].inputs.insert("image".to_owned(), input);
            },
        ];
        seen.extend(changes.iter().map(|change| key(change)));
        for (i, one) in seen.iter().enumerate() {
            assert!(!seen[..i].contains(one), "change {i} does not count");
        }
    }
}
