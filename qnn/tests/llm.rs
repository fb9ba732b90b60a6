//! Language models in the emulator, with one that is made here: each token is followed by a fixed other one.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use common::*;
use qnn::__private::v1::{self, ArtifactSource};
use qnn::compose::{ContextConfig, GraphConfig, Param, Quant, Role, Scalar, TensorId, TensorSpec};
use qnn::llm::{Finish, Llm, LlmArtifacts, LlmSource, Sampling, Tokenizer};
use qnn::{DataType, ErrorKind, F16};

const TOKENIZER: &[u8] = include_bytes!("llm/tokenizer.json");
const VOCABULARY: usize = 1024;
const CONTEXT: u32 = 40;
const HEAD_DIM: u32 = 2;
const SIZES: [u32; 2] = [8, 1];
/// What follows any token that is not in it, to its end and the stop token. No token occurs twice.
const CHAIN: &str = "one🦀 two\nUser: three";
const BOS: u32 = 1021;
const STOP: u32 = 1023;

const TEMPLATE: &str =
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}<|im_start|>";

fn tokenizer() -> Tokenizer {
    Tokenizer::new(TOKENIZER).unwrap()
}

/// Logits after each token.
fn table() -> Vec<u8> {
    let chain = tokenizer().encode(CHAIN).unwrap();
    let mut table = vec![F16::from(-1.0); VOCABULARY * VOCABULARY];
    for token in 0..VOCABULARY {
        let next = match chain.iter().position(|known| *known as usize == token) {
            None => chain[0],
            Some(at) => chain.get(at + 1).copied().unwrap_or(STOP),
        };
        table[token * VOCABULARY + next as usize] = F16::from(9.0);
    }
    bytes(&table)
}

/// A part with embedding, one layer of one head and the head of the model. The layer's values have to do with all of its inputs, its logits
/// only with the token.
fn part(weight_sharing: bool) -> Vec<u8> {
    let device = device(&backend(), "SM8650");
    let context = device.new_context(&ContextConfig { weight_sharing }).unwrap();
    let table = table();
    for size in SIZES {
        let name = if size == 1 { "decode".to_owned() } else { format!("prefill_{size}") };
        let mut graph = context.graph(&name, &GraphConfig::default()).unwrap();
        let mut tensor = |name, dtype, role, dims: &[u32]| {
            let dims = dims.to_vec().leak();
            graph.tensor(&TensorSpec { name, role, dtype, dims, quant: &Quant::None }).unwrap()
        };
        let half = DataType::Float16;
        let tokens = tensor("tokens", DataType::Int32, Role::Input, &[size]);
        let mask = tensor("mask", half, Role::Input, &[1, 1, size, CONTEXT]);
        let cos = tensor("cos", half, Role::Input, &[1, size, HEAD_DIM / 2]);
        let sin = tensor("sin", half, Role::Input, &[1, size, HEAD_DIM / 2]);
        let past = [1, 1, CONTEXT - size, HEAD_DIM];
        let k = tensor("k.0.0", half, Role::Input, &past);
        let v = tensor("v.0.0", half, Role::Input, &past);
        let w = tensor("table", half, Role::Static(&table), &[VOCABULARY as u32, VOCABULARY as u32]);
        let new = [1, 1, size, HEAD_DIM];
        let logits = tensor("logits", half, Role::Output, &[size, VOCABULARY as u32]);
        let k_new = tensor("k.0.0.new", half, Role::Output, &new);
        let v_new = tensor("v.0.0.new", half, Role::Output, &new);
        let angles = tensor("angles", half, Role::Native, &[1, size, HEAD_DIM]);
        let seen = tensor("seen", half, Role::Native, &[1, 1, size, CONTEXT]);
        let all = [1, 1, CONTEXT, HEAD_DIM];
        let keys = tensor("keys", half, Role::Native, &all);
        let values = tensor("values", half, Role::Native, &all);
        let from_keys = tensor("from_keys", half, Role::Native, &new);
        let from_values = tensor("from_values", half, Role::Native, &new);

        let mut add = |name: &str, ty: &str, inputs: &[TensorId], output: TensorId, params: &[Param<'_>]| {
            graph.add(&op(name, ty, inputs, &[output], params)).unwrap();
        };
        let axis = |axis| [Param::Scalar("axis", Scalar::U32(axis))];
        add("look_up", "Gather", &[w, tokens], logits, &[Param::Scalar("axis", Scalar::I32(0))]);
        add("join", "Concat", &[cos, sin], angles, &axis(2));
        add("shape", "Reshape", &[angles], k_new, &[]);
        add("softmax", "Softmax", &[mask], seen, &axis(3));
        add("all_keys", "Concat", &[k, k_new], keys, &axis(2));
        add("all_values", "Concat", &[v, k_new], values, &axis(2));
        add("attend_keys", "MatMul", &[seen, keys], from_keys, &[]);
        add("attend_values", "MatMul", &[seen, values], from_values, &[]);
        add("sum", "ElementWiseAdd", &[from_keys, from_values], v_new, &[]);
        graph.finalize().unwrap();
    }
    binary_of(&context)
}

fn separate() -> &'static [u8] {
    static BINARY: OnceLock<Vec<u8>> = OnceLock::new();
    BINARY.get_or_init(|| part(false))
}

fn description() -> serde_json::Value {
    serde_json::json!({
        "version": 1, "model": "chain", "soc": "SM8650", "strategy": "native", "context": CONTEXT, "tokens": SIZES,
        "source": { "file": "chain.gguf", "blake3": "", "bytes": 0 },
        "config": {
            "architecture": "llama", "hidden": 4, "layers": 1, "heads": 1, "kv-heads": 1, "head-dim": HEAD_DIM,
            "intermediate": 4, "vocabulary": VOCABULARY, "rms-epsilon": 1e-6, "rope": { "theta": 1e4 },
            "max-context": CONTEXT, "qkv-bias": false, "qk-norm": false, "tied": false,
        },
        "heads": "split", "kv": "fp16", "embedding": "graph", "build-id": "",
        "parts": [{ "file": "chain.bin", "first-layer": 0, "layers": 1, "head": true, "bytes": 0 }],
        "text": {
            "tokenizer": "tokenizer.json", "chat-template": TEMPLATE, "bos": BOS, "add-bos": true, "stop": [STOP],
        },
    })
}

/// A folder with a description, and the files that it names.
fn folder(test: &str, description: &serde_json::Value) -> PathBuf {
    let folder = scratch(test);
    std::fs::write(folder.join("chain.SM8650.llm.json"), description.to_string()).unwrap();
    std::fs::write(folder.join("chain.bin"), separate()).unwrap();
    std::fs::write(folder.join("tokenizer.json"), TOKENIZER).unwrap();
    folder
}

fn load(test: &str, description: &serde_json::Value) -> qnn::Result<Llm> {
    Llm::load(&backend(), folder(test, description).as_path())
}

fn llm() -> Llm {
    static LLM: OnceLock<Llm> = OnceLock::new();
    LLM.get_or_init(|| load("llm", &description()).unwrap()).clone()
}

fn message<T: std::fmt::Debug>(result: qnn::Result<T>) -> String {
    let error = result.unwrap_err();
    assert!(error.help().is_some(), "{error}");
    error.to_string()
}

#[test]
fn a_text_goes_on_until_the_stop_token() {
    let (llm, mut pieces) = (llm(), Vec::new());
    let mut session = llm.session();
    for piece in session.complete("Hello", &Sampling::greedy()) {
        pieces.push(piece.unwrap());
    }
    let texts: Vec<&str> = pieces.iter().map(|piece| piece.text.as_str()).collect();
    assert_eq!(texts.concat(), CHAIN);
    assert!(texts.contains(&"🦀") && texts.contains(&""), "characters are whole: {texts:?}");
    assert_eq!(session.finish(), Some(&Finish::StopToken(STOP)));

    let prompt = llm.tokenizer().unwrap().encode("Hello").unwrap();
    let mut expected = vec![BOS];
    expected.extend(&prompt);
    expected.extend(pieces.iter().map(|piece| piece.token));
    assert_eq!(session.tokens(), expected);
    assert_eq!(expected.last(), Some(&STOP));
    let statistics = session.statistics();
    assert_eq!(statistics.prompt_tokens, 1 + prompt.len());
    // The stop token is not fed: nothing follows it.
    assert_eq!(statistics.generated_tokens, pieces.len() - 1);
    assert!(statistics.prompt_rate().unwrap() > 0.0 && statistics.generation_rate().unwrap() > 0.0);
    assert!(statistics.to_string().contains(&format!("generated {} in ", pieces.len() - 1)), "{statistics}");
}

#[test]
fn stop_texts_and_the_number_of_tokens_end_an_answer() {
    let mut session = llm().session();
    let stop = Sampling::greedy().with_stop(["\nUser:"]);
    assert_eq!(session.complete("Hello", &stop).text().unwrap(), "one🦀 two");
    assert_eq!(session.finish(), Some(&Finish::StopText("\nUser:".into())));

    session.reset();
    let few = Sampling::greedy().with_max_tokens(2);
    let tokens: Vec<u32> = session.complete("Hello", &few).map(|piece| piece.unwrap().token).collect();
    let chain = tokenizer().encode(CHAIN).unwrap();
    assert_eq!((tokens.as_slice(), session.finish()), (&chain[..2], Some(&Finish::MaxTokens)));
    // What follows goes on from the last token, although it was not fed yet.
    let next: Vec<u32> = session.generate(&[], &few).map(|piece| piece.unwrap().token).collect();
    assert_eq!(next, chain[2..4]);

    let none = Sampling::greedy().with_max_tokens(0);
    assert_eq!(session.complete("Hello", &none).count(), 0);
    assert_eq!(session.finish(), Some(&Finish::MaxTokens));
}

#[test]
fn a_full_context_ends_an_answer_and_refuses_another_prompt() {
    let mut session = llm().session();
    let on = Sampling::greedy().with_ignore_stop_tokens(true);
    let pieces: Vec<_> = session.complete("Hello", &on).map(Result::unwrap).collect();
    assert_eq!(session.finish(), Some(&Finish::ContextFull));
    assert_eq!((session.tokens().len(), session.room()), (CONTEXT as usize, 0));
    let text: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
    assert!(text.starts_with(&format!("{CHAIN}one🦀")), "{text}");

    let error = session.complete("more", &on).next().unwrap().unwrap_err();
    assert!(
        error.kind() == ErrorKind::ContextFull && error.message().contains("40 of the context's 40"),
        "{error}"
    );
    assert!(error.help().unwrap().contains("reset"), "{error}");
    session.reset();
    assert_eq!(session.complete("Hello", &Sampling::greedy()).text().unwrap(), CHAIN);

    let long = vec![5; CONTEXT as usize + 1];
    session.reset();
    assert!(message(session.feed(&long)).contains("41 tokens do not fit: 0 of the context's 40"));
    assert!(session.tokens().is_empty(), "nothing was fed");
}

#[test]
fn a_conversation_computes_only_what_is_new() {
    let llm = llm();
    let (mut session, mut chat) = (llm.session(), llm.chat().unwrap());
    let short = Sampling::greedy().with_max_tokens(3);
    chat.user("Hi");
    let answer = session.answer(&chat, &short).text().unwrap();
    let first = session.statistics().prompt_tokens;
    let prompt = chat.prompt().unwrap();
    assert_eq!(prompt, "<|im_start|>user\nHi<|im_end|>\n<|im_start|>");
    assert_eq!(first, 1 + llm.tokenizer().unwrap().encode(&prompt).unwrap().len());

    chat.assistant(answer).user("Yes");
    session.answer(&chat, &short).text().unwrap();
    let all = 1 + llm.tokenizer().unwrap().encode(&chat.prompt().unwrap()).unwrap().len();
    let second = session.statistics().prompt_tokens - first;
    // The first prompt is known; the answer is not, the template writes a role before it.
    assert_eq!(second, all - first);
    assert_eq!(session.tokens().len(), all + 3);

    // The same again: the last token alone is computed once more.
    let before = session.statistics().prompt_tokens;
    session.answer(&chat, &short).text().unwrap();
    assert_eq!(session.statistics().prompt_tokens - before, 1);
}

#[test]
fn tokens_can_be_fed_and_taken_back_one_by_one() {
    let mut session = llm().session();
    let chain = tokenizer().encode(CHAIN).unwrap();
    assert_eq!(session.logits().unwrap_err().kind(), ErrorKind::NoLogits);
    let likeliest = |logits: &[f32]| (0..).zip(logits).max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;

    session.feed(&chain[..10]).unwrap();
    assert_eq!(likeliest(session.logits().unwrap()), chain[10]);
    assert_eq!((session.logits().unwrap().len(), session.room()), (VOCABULARY, 30));
    session.truncate(3);
    assert!(session.logits().is_err(), "logits of what was taken back");
    session.feed(&chain[3..4]).unwrap();
    assert_eq!(likeliest(session.logits().unwrap()), chain[4]);

    session.reset();
    let mut seen = Vec::new();
    session.feed_each(&chain[..11], |at, logits| seen.push((at, likeliest(logits)))).unwrap();
    let expected: Vec<(usize, u32)> = (0..11).map(|at| (at, chain[at + 1])).collect();
    assert_eq!(seen, expected);

    let error = message(session.feed(&[3, VOCABULARY as u32]));
    assert!(error.contains("no token 1024"), "{error}");
    assert_eq!(session.tokens(), &chain[..11]);
    let wrong = Sampling::default().with_top_p(2.0);
    assert!(message(session.complete("", &wrong).text()).contains("`top_p` is 2"));
}

#[test]
fn an_app_has_the_same_model_embedded() {
    let leak = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    let files: &'static [(&'static str, ArtifactSource)] = Box::leak(Box::new([
        ("chain.bin", v1::embedded(separate())),
        ("tokenizer.json", v1::embedded(TOKENIZER)),
    ]));
    let rows = |files| -> &'static [LlmArtifacts] {
        Box::leak(Box::new([v1::llm_artifacts("chain", leak(description().to_string()), files)]))
    };
    let llm = Llm::load(&backend(), rows(files)).unwrap();
    assert_eq!(llm.session().complete("Hello", &Sampling::greedy()).text().unwrap(), CHAIN);
    assert!(message(Llm::load(&backend(), rows(&files[..1]))).contains("`tokenizer.json`"));

    const FILES: &[(&str, ArtifactSource)] = &[("", v1::stub("QNN_BUILD=stub"))];
    static STUB: &[LlmArtifacts] = &[v1::llm_artifacts("chain", "", FILES)];
    let stub = Llm::load(&backend(), STUB);
    let stub = stub.unwrap_err();
    assert!(stub.kind() == ErrorKind::Stub && stub.message().contains("`chain`"), "{stub}");
    assert!(message(Llm::load(&backend(), LlmSource::Artifacts(&[]))).contains("no artifact"));
}

#[test]
fn a_binary_with_shared_weights_is_refused_in_the_emulator_with_the_remedy() {
    let folder = folder("shared", &description());
    std::fs::write(folder.join("chain.bin"), part(true)).unwrap();
    let error = message(Llm::load(&backend(), folder.as_path()));
    assert!(error.contains("chain.bin") && error.contains("share weights"), "{error}");
    assert!(error.contains("weight-sharing=false"), "{error}");
}

/// Changes the description at a JSON pointer.
fn changed(pointer: &str, value: serde_json::Value) -> serde_json::Value {
    let mut changed = description();
    *changed.pointer_mut(pointer).unwrap() = value;
    changed
}

#[test]
fn a_description_that_does_not_fit_its_files_or_itself_is_refused() {
    for (pointer, value, said) in [
        ("/version", serde_json::json!(9), "version 9"),
        ("/tokens", serde_json::json!([1, 8]), "`tokens`"),
        ("/tokens", serde_json::json!([8, 0]), "`tokens`"),
        ("/tokens", serde_json::json!([40, 1]), "no room"),
        ("/config/kv-heads", serde_json::json!(0), "sizes"),
        ("/config/vocabulary", serde_json::json!(1u64 << 40), "sizes"),
        ("/config/layers", serde_json::json!(2), "1 of 2 layers"),
        ("/parts/0/first-layer", serde_json::json!(1), "begins with layer 1"),
        ("/parts/0/layers", serde_json::json!(u64::MAX), "layers"),
        ("/parts/0/head", serde_json::json!(false), "must have the head"),
        ("/config/vocabulary", serde_json::json!(1000), "`logits` of graph `prefill_8`"),
        ("/context", serde_json::json!(41), "`mask` of graph `decode`"),
        ("/tokens", serde_json::json!([16, 8, 1]), "no graph `prefill_16`"),
        ("/heads", serde_json::json!("fused"), "no input `k.0`"),
        ("/parts/0/file", serde_json::json!("other.bin"), "other.bin"),
        ("/soc", serde_json::json!("SM0"), "SM0"),
    ] {
        let error = load("refused", &changed(pointer, value)).unwrap_err().to_string();
        assert!(error.contains(said), "{pointer}: {error}");
    }
    let folder = scratch("no-json");
    std::fs::write(folder.join("x.SM8650.llm.json"), "{").unwrap();
    assert!(message(Llm::load(&backend(), folder.as_path())).contains("x.SM8650.llm.json"));
}

#[test]
fn a_folder_has_one_model() {
    let empty = scratch("empty");
    assert!(message(Llm::load(&backend(), empty.as_path())).contains("no description of a language model"));
    assert!(Llm::load(&backend(), Path::new("/no/such/folder")).is_err());

    let folder = folder("several", &description());
    let other = changed("/model", serde_json::json!("other"));
    let file = folder.join("other.SM8650.llm.json");
    std::fs::write(&file, other.to_string()).unwrap();
    assert!(message(Llm::load(&backend(), folder.as_path())).contains("several models: chain, other"));
    assert_eq!(Llm::load(&backend(), file).unwrap().deployment().model, "other");
}

#[test]
fn what_a_model_lacks_is_said_when_it_is_asked_for() {
    let mut bare = changed("/text/tokenizer", serde_json::Value::Null);
    bare["text"]["chat-template"] = serde_json::Value::Null;
    let llm = load("bare", &bare).unwrap();
    assert!(message(llm.session().complete("x", &Sampling::greedy()).text()).contains("no tokenizer"));
    assert!(message(llm.chat()).contains("no chat template"));
    // Tokens alone work.
    let pieces: Vec<_> = llm.session().generate(&[7], &Sampling::greedy()).map(Result::unwrap).collect();
    assert_eq!(pieces.last().unwrap().token, STOP);
    assert!(pieces.iter().all(|piece| piece.text.is_empty()));
}

#[test]
fn files_of_another_build_are_refused() {
    let described = |binary: &[u8]| {
        let sum = |bytes: &[u8]| {
            let checksum = qnn_platform::checksum::checksum(bytes).to_string();
            serde_json::json!({ "bytes": bytes.len(), "checksum": checksum })
        };
        let mut description = description();
        description["files"] =
            serde_json::json!({ "chain.bin": sum(binary), "tokenizer.json": sum(TOKENIZER) });
        description
    };
    let own = separate();
    load("own-parts", &described(own)).unwrap();
    // A part of the same shapes and length: one weight is another.
    let mut other = own.to_vec();
    let last = other.len() - 1;
    other[last] ^= 1;
    let error = load("other-parts", &described(&other)).unwrap_err();
    assert!(error.kind() == ErrorKind::OtherArtifact && error.message().contains("`chain.bin`"), "{error}");
    other.push(0);
    let error = load("longer-parts", &described(&other)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OtherArtifact, "{error}");
}
