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
