//! The bookkeeping of steps, against a plain list of tokens: a fake of the graphs reports whom each token sees.

use std::cell::Cell;

use qnn_llm::deployment::{Heads, KvType, Part, Source, Strategy, TextInfo};
use qnn_llm::{Config, Rope as RopeConfig};

use super::super::artifacts::Bytes;
use super::*;
use crate::{DataType, Error, F16};

const LAYERS: usize = 3;
const KV_HEADS: usize = 3;
const HEAD_DIM: usize = 4;
const HIDDEN: usize = 3;
const VOCABULARY: usize = 40;
const CONTEXT: usize = 24;

/// Stands for the compiled parts. A token's vector is (token, hash, count). Keys are (token, layer, head, 1), values the same with 2.
/// Each head of each layer reads the tokens that the mask shows from its own rows, in order, and all must read the same; the
/// logits begin with their hash and their number.
struct FakeParts {
    fixed: Arc<Fixed<F16>>,
    executions: Cell<usize>,
    /// The execution that fails.
    fails_at: Option<usize>,
}

impl Execute for FakeParts {
    type Float = F16;
    type Error = Error;

    fn execute(
        &self,
        part: usize,
        graph: &str,
        inputs: &[(&str, Tensor<'_>)],
        outputs: &mut [(&str, TensorMut<'_>)],
    ) -> Result<()> {
        self.executions.set(self.executions.get() + 1);
        if self.fails_at == Some(self.executions.get()) {
            return Err(Error::invalid("fake", "fails here"));
        }
        let deployment = &self.fixed.deployment;
        if graph == HEAD_GRAPH {
            assert!(deployment.parts[part].head && deployment.parts[part].layers == 0);
            let row = halves(inputs, "hidden");
            assert_eq!(row.len(), HIDDEN);
            let mut logits = vec![0.0; VOCABULARY];
            logits[..HIDDEN].copy_from_slice(&row);
            write(outputs, "logits", &logits);
            return Ok(());
        }
        let size = deployment.tokens.iter().copied().find(|size| graph_name(*size) == graph).unwrap();
        let mut hidden = match part == 0 && deployment.embedding == Embedding::Graph {
            true => {
                let tokens = find(inputs, "tokens");
                assert_eq!(tokens.dtype(), DataType::Int32);
                let id = |bytes: &[u8]| i32::from_ne_bytes(bytes.try_into().unwrap()) as f32;
                tokens.bytes().chunks_exact(4).flat_map(|bytes| [id(bytes), 0.0, 0.0]).collect()
            }
            false => halves(inputs, "hidden"),
        };
        assert_eq!(hidden.len(), size * HIDDEN, "{graph}");

        let (past, mask) = (CONTEXT - size, halves(inputs, "mask"));
        assert_eq!(mask.len(), size * CONTEXT);
        let visible = |row: usize| -> Vec<usize> {
            let columns = &mask[row * CONTEXT..][..CONTEXT];
            assert!(columns.iter().all(|value| [0.0, -10000.0].contains(value)));
            (0..CONTEXT).filter(|column| columns[*column] == 0.0).collect()
        };
        let described = &deployment.parts[part];
        let (new_tokens, before) = (tokens_of(&hidden), hidden.clone());
        for layer in described.first_layer..described.first_layer + described.layers {
            for head in 0..KV_HEADS {
                for (kind, mark) in [("k", 1.0), ("v", 2.0)] {
                    let (name, heads, index) = match deployment.heads {
                        Heads::Split => (format!("{kind}.{layer}.{head}"), 1, 0),
                        Heads::Fused => (format!("{kind}.{layer}"), KV_HEADS, head),
                    };
                    let rows = halves(inputs, &name);
                    assert_eq!(rows.len(), heads * past * HEAD_DIM, "{graph} {name}");
                    for row in 0..size {
                        let seen: Vec<f32> = visible(row)
                            .into_iter()
                            .map(|column| match column.checked_sub(past) {
                                Some(new) => new_tokens[new],
                                None => {
                                    let stored = &rows[(index * past + column) * HEAD_DIM..][..HEAD_DIM];
                                    assert_eq!(
                                        stored[1..],
                                        [layer as f32, head as f32, mark],
                                        "{name} row {column}"
                                    );
                                    stored[0]
                                }
                            })
                            .collect();
                        let (hash, count) = (hash(&seen), seen.len());
                        if before[row * HIDDEN + 2] != 0.0 {
                            assert_eq!(before[row * HIDDEN + 1], hash, "layers see the same");
                        }
                        hidden[row * HIDDEN + 1] = hash;
                        hidden[row * HIDDEN + 2] = count as f32;
                        let pairs = HEAD_DIM / 2;
                        let cos = &halves(inputs, "cos")[row * pairs..][..pairs];
                        let expected: Vec<f32> =
                            self.fixed.rope.cos(count - 1, 1).iter().map(|value| f32::from(*value)).collect();
                        assert_eq!(cos, expected, "angles of position {}", count - 1);
                    }
                    let new: Vec<f32> = (0..heads)
                        .flat_map(|other| {
                            let head = if heads == 1 { head } else { other };
                            new_tokens.iter().flat_map(move |token| [*token, layer as f32, head as f32, mark])
                        })
                        .collect();
                    write(outputs, &format!("{name}.new"), &new);
                }
            }
        }
        if described.head {
            let mut logits = vec![0.0; size * VOCABULARY];
            for (logits, hidden) in logits.chunks_exact_mut(VOCABULARY).zip(hidden.chunks_exact(HIDDEN)) {
                logits[..HIDDEN].copy_from_slice(hidden);
            }
            write(outputs, "logits", &logits);
        } else {
            write(outputs, "hidden.out", &hidden);
        }
        let tensors = described.layers * if deployment.heads == Heads::Split { 2 * KV_HEADS } else { 2 };
        assert_eq!((inputs.len(), outputs.len()), (4 + tensors, 1 + tensors));
        Ok(())
    }
}

fn find<'a>(inputs: &[(&str, Tensor<'a>)], name: &str) -> Tensor<'a> {
    inputs.iter().find(|row| row.0 == name).unwrap_or_else(|| panic!("no input {name}")).1
}

fn halves(inputs: &[(&str, Tensor<'_>)], name: &str) -> Vec<f32> {
    let tensor = find(inputs, name);
    assert_eq!(tensor.dtype(), DataType::Float16, "{name}");
    let half = |bytes: &[u8]| f32::from(F16(u16::from_ne_bytes(bytes.try_into().unwrap())));
    tensor.bytes().chunks_exact(2).map(half).collect()
}

fn write(outputs: &mut [(&str, TensorMut<'_>)], name: &str, values: &[f32]) {
    let tensor = outputs.iter_mut().find(|row| row.0 == name).unwrap_or_else(|| panic!("no output {name}"));
    let bytes = tensor.1.bytes_mut();
    assert_eq!(bytes.len(), 2 * values.len(), "{name}");
    for (bytes, value) in bytes.chunks_exact_mut(2).zip(values) {
        bytes.copy_from_slice(&F16::from(*value).0.to_ne_bytes());
    }
}

fn tokens_of(hidden: &[f32]) -> Vec<f32> {
    hidden.chunks_exact(HIDDEN).map(|row| row[0]).collect()
}

/// Depends on the tokens and their order; exact in float16.
fn hash(tokens: &[f32]) -> f32 {
    tokens.iter().fold(7, |hash, token| (hash * 31 + *token as u32 + 1) % 1009) as f32
}

fn fixed(heads: Heads, embedding: Embedding, parts: &[(usize, bool)], tokens: &[usize]) -> Arc<Fixed<F16>> {
    let config = Config {
        architecture: "fake".into(),
        hidden: HIDDEN,
        layers: LAYERS,
        heads: 2 * KV_HEADS,
        kv_heads: KV_HEADS,
        head_dim: HEAD_DIM,
        intermediate: 1,
        vocabulary: VOCABULARY,
        rms_epsilon: 1e-6,
        rope: RopeConfig { theta: 100.0, scaling: None },
        max_context: CONTEXT,
        qkv_bias: false,
        qk_norm: false,
        tied: false,
    };
    let mut first_layer = 0;
    let parts = parts.iter().map(|(layers, head)| {
        let part = Part {
            file: String::new(),
            first_layer,
            layers: *layers,
            head: *head,
            bytes: 0,
            ops: Vec::new(),
            compile_ms: 0.0,
            peak_rss: 0,
        };
        first_layer += layers;
        part
    });
    let table: Vec<u8> = (0..VOCABULARY)
        .flat_map(|token| [token as f32, 0.0, 0.0])
        .flat_map(|value| F16::from(value).0.to_ne_bytes())
        .collect();
    let table = match embedding {
        Embedding::Host { .. } => Some(Table::new("table", Bytes::Embedded(table.leak()), &config).unwrap()),
        Embedding::Graph => None,
    };
    Arc::new(Fixed {
        rope: Rope::new(&config, CONTEXT, false),
        table,
        deployment: Deployment {
            files: Default::default(),
            version: 1,
            model: "fake".into(),
            soc: "SM8650".into(),
            source: Source::default(),
            strategy: Strategy::Native,
            context: CONTEXT,
            tokens: tokens.to_vec(),
            heads,
            kv: KvType::Fp16,
            embedding,
            parts: parts.collect(),
            text: TextInfo::default(),
            build_id: String::new(),
            config,
        },
    })
}

fn decoder(fixed: &Arc<Fixed<F16>>, fails_at: Option<usize>) -> Decoder<FakeParts> {
    let parts = FakeParts { fixed: fixed.clone(), executions: Cell::new(0), fails_at };
    Decoder::new(parts, fixed.clone())
}

/// All ways to compile a model.
fn variants() -> Vec<Arc<Fixed<F16>>> {
    let mut variants = Vec::new();
    for heads in [Heads::Split, Heads::Fused] {
        for embedding in [Embedding::Host { file: "table".into() }, Embedding::Graph] {
            for parts in [
                &[(3, true)][..],
                &[(3, false), (0, true)],
                &[(1, false), (2, true)],
                &[(2, false), (1, false), (0, true)],
            ] {
                for tokens in [&[8, 4, 1][..], &[5, 1], &[1]] {
                    variants.push(fixed(heads, embedding.clone(), parts, tokens));
                }
            }
        }
    }
    variants
}

fn feed(decoder: &mut Decoder<FakeParts>, tokens: &[u32]) {
    let mut fed = 0;
    while fed < tokens.len() {
        fed += decoder.step(&tokens[fed..], None).unwrap();
    }
}

/// What the logits after these tokens begin with.
fn expected(tokens: &[u32]) -> [f32; HIDDEN] {
    let floats: Vec<f32> = tokens.iter().map(|token| *token as f32).collect();
    [*floats.last().unwrap(), hash(&floats), floats.len() as f32]
}

fn begin(logits: &[F16]) -> Vec<f32> {
    assert_eq!(logits.len(), VOCABULARY);
    logits[..HIDDEN].iter().map(|value| f32::from(*value)).collect()
}

#[test]
fn every_token_sees_all_before_it_and_nothing_else_however_it_is_fed() {
    for fixed in variants() {
        let mut decoder = decoder(&fixed, None);
        let mut sequence: Vec<u32> = Vec::new();
        let mut next = 0;
        // Feed so many tokens, or first roll back to a length.
        for (back, count) in [
            (None, 5),
            (None, 1),
            (None, 1),
            (None, 9),
            (None, 2),
            (None, 1),
            (None, 4),
            (None, 1),
            (Some(17), 3),
            (Some(2), 13),
            (Some(15), 9),
            (Some(23), 1),
            (Some(0), 24),
            (Some(1), 1),
        ] {
            if let Some(length) = back {
                decoder.truncate(length);
                sequence.truncate(length);
            }
            let tokens: Vec<u32> = (0..count).map(|i| (next + 7 * i) % VOCABULARY as u32).collect();
            next += 3;
            feed(&mut decoder, &tokens);
            sequence.extend(&tokens);
            assert_eq!(decoder.past(), sequence.len());
            assert_eq!(begin(decoder.logits()), expected(&sequence), "{:?}", fixed.deployment);
        }
    }
}

#[test]
fn logits_of_every_token_can_be_had() {
    for fixed in variants() {
        let mut decoder = decoder(&fixed, None);
        let tokens: Vec<u32> = (0..CONTEXT as u32).map(|i| (i * i) % 37).collect();
        let mut seen = Vec::new();
        feed(&mut decoder, &tokens[..3]);
        let mut fed = 3;
        while fed < tokens.len() {
            let mut each = |position: usize, logits: &[F16]| {
                assert_eq!(begin(logits), expected(&tokens[..=position]));
                seen.push(position);
            };
            fed += decoder.step(&tokens[fed..], Some(&mut each)).unwrap();
        }
        assert_eq!(seen, (3..CONTEXT).collect::<Vec<_>>());
        assert_eq!(begin(decoder.logits()), expected(&tokens));
    }
}

#[test]
fn a_full_context_takes_nothing_more() {
    let fixed = fixed(Heads::Fused, Embedding::Graph, &[(3, true)], &[8, 1]);
    let mut decoder = decoder(&fixed, None);
    feed(&mut decoder, &[1; CONTEXT]);
    assert_eq!(decoder.step(&[1], None).unwrap(), 0);
    assert_eq!(decoder.past(), CONTEXT);
}

#[test]
fn the_head_of_its_own_is_executed_once_a_prompt_and_parts_once_a_chunk() {
    let fixed = fixed(Heads::Split, Embedding::Graph, &[(2, false), (1, false), (0, true)], &[8, 1]);
    let mut decoder = decoder(&fixed, None);
    feed(&mut decoder, &[3; 13]);
    assert_eq!(decoder.execute.executions.get(), 2 * 2 + 1);
    feed(&mut decoder, &[3]);
    assert_eq!(decoder.execute.executions.get(), 2 * 2 + 1 + 3);
}

#[test]
fn after_a_failure_what_was_fed_before_is_still_right() {
    let parts = &[(2, false), (1, true)];
    for heads in [Heads::Split, Heads::Fused] {
        let fixed = fixed(heads, Embedding::Graph, parts, &[4, 1]);
        // The second part of the second chunk.
        let mut decoder = decoder(&fixed, Some(4));
        let tokens = [5, 6, 7, 8, 9, 10];
        assert_eq!(decoder.step(&tokens, None).unwrap(), 4);
        assert!(decoder.step(&tokens[4..], None).is_err());
        assert_eq!(decoder.past(), 4);
        feed(&mut decoder, &[11, 12]);
        assert_eq!(begin(decoder.logits()), expected(&[5, 6, 7, 8, 11, 12]));
    }
}

#[test]
fn an_embedding_table_of_another_size_is_refused() {
    let fixed = fixed(Heads::Split, Embedding::Graph, &[(3, true)], &[1]);
    let error = Table::<F16>::new("t.f16", Bytes::Embedded(&[0; 10]), &fixed.deployment.config)
        .unwrap_err()
        .to_string();
    for part in ["t.f16", "10 bytes", "240", "help: "] {
        assert!(error.contains(part), "{error}");
    }
}
