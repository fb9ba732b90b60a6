//! SentencePiece's BPE with a score for each token (Llama 2, Mistral): merges are made from the scores.

use serde_json::{Value, json};

use super::{Kind, Parts, Vocabulary};
use crate::problem::{Class, Problem};

/// Longest token, characters. SentencePiece's own limit is far below.
const LONGEST: usize = 512;

/// SentencePiece writes spaces as this character.
const SPACE: &str = "\u{2581}";

pub(crate) fn sentence_piece(
    vocabulary: &Vocabulary<'_>,
    scores: &[f32],
    prefix: bool,
    unknown: Option<usize>,
) -> Result<Value, Problem> {
    let by_kind = || vocabulary.tokens.iter().position(|token| token.kind == Kind::Unknown);
    let unknown = unknown.or_else(by_kind).and_then(|id| vocabulary.tokens.get(id)).map(|token| token.text);
    let space = json!({ "type": "Replace", "pattern": { "String": " " }, "content": SPACE });
    let prepend = json!({ "type": "Prepend", "prepend": SPACE });
    let normalizers: Vec<Value> = prefix.then_some(prepend).into_iter().chain([space]).collect();
    let mut decoders = vec![
        json!({ "type": "Replace", "pattern": { "String": SPACE }, "content": " " }),
        json!({ "type": "ByteFallback" }),
        json!({ "type": "Fuse" }),
    ];
    if prefix {
        decoders.push(json!({ "type": "Strip", "content": " ", "start": 1, "stop": 0 }));
    }
    Ok(vocabulary.file(Parts {
        normalizer: json!({ "type": "Sequence", "normalizers": normalizers }),
        pre_tokenizer: Value::Null,
        processor: None,
        decoder: json!({ "type": "Sequence", "decoders": decoders }),
        model: json!({
            "type": "BPE",
            "dropout": null,
            "unk_token": unknown,
            "continuing_subword_prefix": null,
            "end_of_word_suffix": null,
            "fuse_unk": true,
            "byte_fallback": true,
            "ignore_merges": false,
            "vocab": vocabulary.vocab(),
            "merges": merges(vocabulary, scores)?,
        }),
    }))
}

/// Every pair of tokens that makes a token, the best token first: the order in which SentencePiece joins them.
fn merges(vocabulary: &Vocabulary<'_>, scores: &[f32]) -> Result<Vec<Value>, Problem> {
    // Control tokens and bytes are never made from parts.
    let plain = |id: usize| {
        vocabulary.tokens.get(id).is_some_and(|token| matches!(token.kind, Kind::Normal | Kind::UserDefined))
    };
    let mut merges = Vec::new();
    for (id, (token, score)) in vocabulary.tokens.iter().zip(scores).enumerate() {
        if !plain(id) {
            continue;
        }
        if score.is_nan() || token.text.chars().take(LONGEST + 1).count() > LONGEST {
            let message =
                format!("token {id} of the tokenizer has no score, or is longer than {LONGEST} characters");
            return Err(Problem::new(Class::Tokenizer, message));
        }
        for (at, _) in token.text.char_indices().skip(1) {
            let (left, right) = token.text.split_at(at);
            if let (Some(first), Some(second)) = (vocabulary.id(left), vocabulary.id(right))
                && plain(first)
                && plain(second)
            {
                merges.push((score, id, first, second, left, right));
            }
        }
    }
    merges.sort_by(|a, b| b.0.total_cmp(a.0).then((a.1, a.2, a.3).cmp(&(b.1, b.2, b.3))));
    Ok(merges.into_iter().map(|(.., left, right)| json!([left, right])).collect())
}
