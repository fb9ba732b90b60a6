//! BPE over bytes, each written as a printable character (GPT-2's way; Qwen, Llama 3).

use serde_json::{Value, json};

use super::{Parts, Vocabulary, pre};
use crate::problem::{Class, Problem};

pub(crate) fn byte_level(vocabulary: &Vocabulary<'_>, merges: &[&str], name: &str) -> Result<Value, Problem> {
    let pre = pre::find(name).ok_or_else(|| {
        Problem::new(Class::Tokenizer, format!("the pre-tokenizer `{name}` is not supported"))
            .note(format!("supported: {}", pre::names()))
            .help("use the model's safetensors folder, whose tokenizer.json says how texts are cut")
    })?;
    let merges: Vec<Value> = merges.iter().map(|merge| pair(vocabulary, merge)).collect::<Result<_, _>>()?;
    let bytes = |use_regex: bool| json!({ "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": use_regex });
    let cuts = pre.expressions.iter().map(|expression| {
        json!({ "type": "Split", "pattern": { "Regex": expression }, "behavior": "Isolated", "invert": false })
    });
    let steps: Vec<Value> = cuts.chain([bytes(false)]).collect();
    Ok(vocabulary.file(Parts {
        normalizer: Value::Null,
        pre_tokenizer: json!({ "type": "Sequence", "pretokenizers": steps }),
        processor: Some(bytes(false)),
        decoder: bytes(true),
        model: json!({
            "type": "BPE",
            "dropout": null,
            "unk_token": null,
            "continuing_subword_prefix": null,
            "end_of_word_suffix": null,
            "fuse_unk": false,
            "byte_fallback": false,
            "ignore_merges": pre.ignore_merges,
            "vocab": vocabulary.vocab(),
            "merges": merges,
        }),
    }))
}

/// The two tokens of a merge. The library refuses a file in which one of them, or what they become, is no token.
fn pair(vocabulary: &Vocabulary<'_>, merge: &str) -> Result<Value, Problem> {
    // Neither side is empty, so the space that parts them is not the first character.
    let first = merge.chars().next().map_or(0, char::len_utf8);
    let parts = merge.get(first..).and_then(|rest| rest.find(' ')).map(|at| merge.split_at(first + at));
    let known = parts.map(|(left, right)| (left, &right[1..])).filter(|(left, right)| {
        let whole = format!("{left}{right}");
        [left, right, whole.as_str()].iter().all(|text| vocabulary.id(text).is_some())
    });
    match known {
        Some((left, right)) => Ok(json!([left, right])),
        None => Err(Problem::new(
            Class::Tokenizer,
            format!("the merge `{merge}` is not of two tokens that make a third"),
        )),
    }
}
