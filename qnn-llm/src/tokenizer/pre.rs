//! How byte-level tokenizers cut a text before merging, by the name in `tokenizer.ggml.pre`.

/// A way of cutting.
pub(super) struct Pre {
    names: &'static [&'static str],
    /// Expressions whose matches become pieces, one after the other.
    pub(super) expressions: &'static [&'static str],
    /// Whether a piece that is a token as a whole is not merged.
    pub(super) ignore_merges: bool,
    /// Whether texts begin with `bos` where the file does not say.
    pub(super) add_bos: bool,
}

const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

const ROWS: &[Pre] = &[
    Pre {
        names: &[
            "gpt-2",
            "phi-2",
            "olmo",
            "jina-en",
            "jina-es",
            "jina-de",
            "jina-v2-es",
            "jina-v2-de",
            "exaone4",
            "mpt",
            "gigachat",
            "a.x-4.0",
            "mellum",
            "jais",
            "trillion",
            "granite-docling",
        ],
        expressions: &[GPT2],
        ignore_merges: false,
        add_bos: false,
    },
    Pre {
        names: &["llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2"],
        expressions: &[LLAMA3],
        ignore_merges: true,
        add_bos: true,
    },
    Pre {
        names: &["dbrx", "smaug-bpe", "glm4", "chatglm-bpe"],
        expressions: &[LLAMA3],
        ignore_merges: false,
        add_bos: false,
    },
    Pre {
        names: &[
            "qwen2",
            "deepseek-r1-qwen",
            "stablelm2",
            "hunyuan",
            "kormo",
            "megrez",
            "grok-2",
            "solar-open",
        ],
        expressions: &[QWEN2],
        ignore_merges: false,
        add_bos: false,
    },
    Pre { names: &["tekken"], expressions: &[TEKKEN], ignore_merges: true, add_bos: true },
    Pre {
        names: &["smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"],
        expressions: &[r"\p{N}", GPT2],
        ignore_merges: false,
        add_bos: false,
    },
    Pre {
        names: &["default"],
        expressions: &[r"[\p{P}\$\+<=>\^~\|`]+", GPT2, r"\p{N}+", "[0-9][0-9][0-9]"],
        ignore_merges: false,
        add_bos: false,
    },
];

pub(super) fn find(name: &str) -> Option<&'static Pre> {
    ROWS.iter().find(|row| row.names.contains(&name))
}

/// The names, for messages.
pub(super) fn names() -> String {
    ROWS.iter().flat_map(|row| row.names).copied().collect::<Vec<_>>().join(", ")
}
