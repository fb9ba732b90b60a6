//! A language model from its GGUF file to what it says: compiled as a user compiles it, run by the runtime that apps have.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../cargo-qnn/tests/support/mod.rs"]
mod support;

use qnn::Backend;
use qnn::llm::{Finish, Llm, Sampling, Session};
use support::{Home, installed};

const MODEL: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/llm-chat/models/tinylm-qwen2-Q4_0.gguf");

/// A prompt, and what llama.cpp says after it with this file, always the likeliest token.
const PROMPT: [u32; 14] = [1021, 53, 266, 993, 11, 220, 346, 993, 11, 303, 440, 320, 364, 11];
const GREEDY: [u32; 12] = [635, 279, 259, 401, 336, 344, 268, 401, 11, 442, 336, 344];

/// Compiles the model for the emulator, its weights as float16: in blocks they are slow there.
fn load(home: &Home, options: &[&str]) -> Llm {
    let folder = home.dir.path().join(options.join("_"));
    let mut args = vec!["compile", MODEL, "--soc", "SM8650", "-o", folder.to_str().unwrap()];
    args.extend(["--strategy", "float-fallback", "--no-weight-sharing", "--context", "64"]);
    home.run(&[&args, options].concat()).success();
    Llm::load(&backend(home), folder.as_path()).unwrap()
}

/// The backend of the toolchain that compiles.
fn backend(home: &Home) -> Backend {
    Backend::open(&qnn_platform::libs::resolve(Some(&home.toolchain().join("onnxruntime_qnn"))).unwrap())
        .unwrap()
}

fn logits(session: &mut Session, tokens: &[u32]) -> Vec<f32> {
    let mut all = Vec::new();
    session.feed_each(tokens, |_, logits| all.extend_from_slice(logits)).unwrap();
    all
}

fn decibels(values: &[f32], reference: &[f32]) -> f64 {
    let square = |sum: f64, value: f32| sum + f64::from(value).powi(2);
    let noise = values.iter().zip(reference).map(|(a, b)| a - b).fold(0.0, square);
    10.0 * (reference.iter().copied().fold(0.0, square) / noise).log10()
}

#[test]
fn what_a_model_says_is_what_llama_cpp_says_however_it_is_divided() {
    let home = installed();
    let ways: [&[&str]; 2] = [
        &["--prefill", "8"],
        &[
            "--prefill",
            "16",
            "--heads",
            "fused",
            "--shards",
            "2",
            "--lm-head",
            "inside",
            "--embedding",
            "graph",
        ],
    ];
    for options in ways {
        let llm = load(&home, options);
        let mut session = llm.session();
        let sampling = Sampling::greedy().with_max_tokens(GREEDY.len());
        let said: Vec<u32> = session.generate(&PROMPT, &sampling).map(|piece| piece.unwrap().token).collect();
        assert_eq!(said, GREEDY, "{options:?}");
        assert_eq!(session.finish(), Some(&Finish::MaxTokens));

        // Chunks, one by one, and a chunk after single tokens.
        session.reset();
        let together = logits(&mut session, &PROMPT);
        session.reset();
        let single: Vec<f32> =
            PROMPT.iter().flat_map(|token| logits(&mut session, std::slice::from_ref(token))).collect();
        assert!(decibels(&together, &single) > 40.0, "{options:?}: {}", decibels(&together, &single));
        session.truncate(3);
        let rest = logits(&mut session, &PROMPT[3..]);
        let single = &single[3 * llm.config().vocabulary..];
        assert!(decibels(&rest, single) > 40.0, "{options:?}: {}", decibels(&rest, single));
    }
}

#[test]
fn text_goes_in_and_comes_out_and_a_devices_files_are_refused_here() {
    let home = installed();
    let llm = load(&home, &["--prefill", "8"]);
    let mut session = llm.session();
    let prompt = llm.tokenizer().unwrap().decode(&PROMPT[1..]).unwrap();
    let said: String = {
        let sampling = Sampling::greedy().with_max_tokens(6);
        session.complete(&prompt, &sampling).text().unwrap()
    };
    assert!(!said.is_empty());
    assert!(session.tokens().ends_with(&llm.tokenizer().unwrap().encode(&said).unwrap()), "{said:?}");

    let folder = home.dir.path().join("device");
    let args = ["compile", MODEL, "--soc", "SM8650", "--context", "64", "-o", folder.to_str().unwrap()];
    home.run(&args).success();
    let error = Llm::load(&backend(&home), folder.as_path()).unwrap_err();
    assert!(error.to_string().contains("share weights") && error.help().is_some(), "{error}");
}
