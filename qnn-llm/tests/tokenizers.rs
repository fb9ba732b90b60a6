//! Tokenizers of GGUF files, converted and used: ids are those of the libraries that made them (`data/tokenizers.py`).

#![allow(clippy::unwrap_used, reason = "test code")]

use qnn_llm::gguf::Gguf;
use serde_json::Value;
use tokenizers::Tokenizer;

/// The converted tokenizer of a file, and whether it begins texts with a token of its own.
fn converted(file: &'static [u8]) -> (Tokenizer, bool) {
    let text = Gguf::of_bytes(file.into()).unwrap().text(true).unwrap();
    let json = text.tokenizer.expect("the file has a tokenizer");
    (Tokenizer::from_bytes(json).unwrap(), text.add_bos)
}

fn ids(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect()
}

#[test]
fn byte_level_ids_are_those_that_the_model_was_trained_with() {
    let (tokenizer, add_bos) = converted(include_bytes!("data/byte-level.gguf"));
    let case: Value = serde_json::from_slice(include_bytes!("data/byte-level.json")).unwrap();
    let (text, wanted) = (case["text"].as_str().unwrap(), ids(&case["ids"]));
    assert_eq!(tokenizer.encode(text, false).unwrap().get_ids(), wanted);
    assert_eq!(tokenizer.decode(&wanted, true).unwrap(), text);
    // The file says that texts begin with a token of their own.
    assert!(add_bos);
    assert_eq!(tokenizer.encode(text, true).unwrap().get_ids()[..2], [1021, wanted[0]]);
    let chat = tokenizer.encode("<|im_start|>user\n\u{1f389}<|im_end|>", false).unwrap();
    assert_eq!((chat.get_ids().first(), chat.get_ids().last()), (Some(&1022), Some(&1023)));
    assert_eq!(tokenizer.decode(chat.get_ids(), true).unwrap(), "user\n\u{1f389}");
}

/// A GGUF file's value of text, another one in its place.
fn with_text(file: &[u8], key: &str, value: &str) -> Vec<u8> {
    let at = file.windows(key.len()).position(|window| window == key.as_bytes()).unwrap() + key.len() + 4;
    let old = u64::from_le_bytes(file[at..at + 8].try_into().unwrap()) as usize;
    let mut file = file.to_vec();
    let new = [&(value.len() as u64).to_le_bytes()[..], value.as_bytes()].concat();
    file.splice(at..at + 8 + old, new);
    file
}

/// llama.cpp's `llama_vocab` sets these where `tokenizer.ggml.add_bos_token` is missing.
#[test]
fn the_pre_tokenizer_says_whether_texts_begin_with_bos_where_the_file_does_not() {
    let mut file = include_bytes!("data/byte-level.gguf").to_vec();
    let key = b"tokenizer.ggml.add_bos_token";
    let at = file.windows(key.len()).position(|window| window == key).unwrap();
    file[at + key.len() - 1] = b'x';
    for (pre, wanted) in [
        ("qwen2", false),
        ("llama-bpe", true),
        ("tekken", true),
        ("lfm2", true),
        ("smaug-bpe", false),
        ("gpt-2", false),
        ("megrez", false),
    ] {
        let file = with_text(&file, "tokenizer.ggml.pre", pre);
        let text = Gguf::of_bytes(file.into()).unwrap().text(true).unwrap();
        assert_eq!((text.add_bos, text.bos), (wanted, Some(1021)), "{pre}");
        let tokenizer = Tokenizer::from_bytes(text.tokenizer.unwrap()).unwrap();
        let first = tokenizer.encode("a", true).unwrap().get_ids()[0];
        assert_eq!(first == 1021, wanted, "{pre}");
    }
}

#[test]
fn ids_from_scores_are_those_of_sentencepiece() {
    let (tokenizer, add_bos) = converted(include_bytes!("data/sentencepiece.gguf"));
    assert!(add_bos);
    let cases: Value = serde_json::from_slice(include_bytes!("data/sentencepiece.json")).unwrap();
    let cases = cases.as_array().unwrap();
    assert!(cases.len() > 20);
    for case in cases {
        let text = case["text"].as_str().unwrap();
        let encoded = tokenizer.encode(text, true).unwrap();
        assert_eq!(encoded.get_ids(), ids(&case["ids"]), "{text:?}: {:?}", encoded.get_tokens());
        assert_eq!(tokenizer.decode(encoded.get_ids(), true).unwrap(), text);
    }
}
