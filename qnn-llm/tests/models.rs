//! Models of every architecture, from both kinds of files.

#![allow(clippy::unwrap_used, reason = "test code")]

use std::collections::BTreeMap;
use std::path::Path;

use qnn_llm::block::dequantize_rows;
use qnn_llm::synthetic::Synthetic;
use qnn_llm::{Class, Format, Model, Problems, Role, RopeScaling, Weight, kind, open, peek};

const NAMES: [&str; 4] = ["qwen2", "qwen3", "llama", "mistral"];

fn numbers(weight: &Weight) -> Vec<f32> {
    let mut out = vec![0.0; weight.rows * weight.columns];
    dequantize_rows(weight, 0..weight.rows, &mut out).unwrap();
    out
}

fn gguf(model: &Synthetic) -> Vec<u8> {
    let mut file = Vec::new();
    model.write_gguf_to(&mut file).unwrap();
    file
}

fn read(file: Vec<u8>) -> Result<Model, Problems> {
    qnn_llm::of_gguf_bytes(file.into())
}

/// One problem of a class, whose message and notes have all these words.
#[track_caller]
fn refused(result: Result<Model, Problems>, class: Class, words: &[&str]) {
    let problems = result.expect_err("a model that cannot be");
    let [problem] = &problems.0[..] else { panic!("{problems}") };
    assert_eq!(problem.class, class, "{problem}");
    let text = problem.to_string();
    for word in words {
        assert!(text.contains(word), "`{word}` is not in: {text}");
    }
}

#[test]
fn a_folder_and_a_gguf_file_of_the_same_weights_are_the_same_model() {
    let folder = tempfile::tempdir().unwrap();
    for name in NAMES {
        let written = Synthetic::tiny(name, Format::F32).unwrap();
        let (file, parts) = (folder.path().join(format!("{name}.gguf")), folder.path().join(name));
        written.write_gguf(&file).unwrap();
        written.write_folder(&parts, 3).unwrap();
        let (one, other) = (open(&file).unwrap(), open(&parts).unwrap());
        assert_eq!(other.config, written.config, "{name}");
        assert_eq!(other.files.len(), 2 + 3, "{name}: config, index, three files");
        // In GGUF files mistral goes by llama's name, and Llama 3's scaling is a factor for each frequency.
        let mut config = one.config.clone();
        if name == "llama" {
            assert!(matches!(config.rope.scaling, Some(RopeScaling::Factors { .. })));
            let pairs = config.rope_frequencies().into_iter().zip(written.config.rope_frequencies());
            pairs.for_each(|(one, other)| assert!((one / other - 1.0).abs() < 1e-6, "{one} {other}"));
            config.rope = written.config.rope.clone();
        }
        if name == "mistral" {
            assert_eq!(config.architecture, "llama");
            config.architecture = "mistral".to_owned();
        }
        assert_eq!(config, written.config, "{name}");
        let all = |model: &Model| -> BTreeMap<_, _> {
            model.weights.iter().map(|(key, weight)| (*key, numbers(weight))).collect()
        };
        assert_eq!(all(&one), all(&other), "{name}");
        assert_eq!(one.weight(Some(0), Role::QueryNorm).is_some(), name == "qwen3");
        assert_eq!(
            one.head().unwrap().name,
            if name == "qwen3" { "token_embd.weight" } else { "output.weight" }
        );
    }
}

#[test]
fn rows_of_llama_files_are_brought_from_pairs_into_halves_in_every_format() {
    for format in Format::all() {
        let written = Synthetic::tiny("llama", format).unwrap();
        let file = gguf(&written);
        let model = read(file.clone()).unwrap();
        let query = model.weight(Some(1), Role::Query).unwrap();
        // The rows as the file has them, found by a row of their own.
        let row = query.data.len() / query.rows;
        let find = |at: usize| {
            let wanted = &query.data[at * row..(at + 1) * row];
            file.windows(row).position(|window| window == wanted).unwrap()
        };
        let start = find(0);
        let size = written.config.head_dim;
        for (at, from) in
            [(1, 2), (size / 2, 1), (size - 1, size - 1), (size, size), (size + size / 2, size + 1)]
        {
            assert_eq!(find(at), start + from * row, "{format:?}: row {at}");
        }
    }
}

#[test]
fn weights_stay_in_the_file_where_nothing_is_moved() {
    let file = bytes::Bytes::from(gguf(&Synthetic::tiny("qwen2", Format::Q4_0).unwrap()));
    let model = qnn_llm::of_gguf_bytes(file.clone()).unwrap();
    let inside = file.as_ptr_range();
    assert!(model.weights.values().all(|weight| inside.contains(&weight.data.as_ptr())));
}

#[test]
fn a_peek_tells_the_same_as_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("m.gguf");
    Synthetic::tiny("llama", Format::Q4_K).unwrap().write_gguf(&file).unwrap();
    let (model, peeked) = (open(&file).unwrap(), peek(&file).unwrap());
    assert_eq!((&peeked.config, &peeked.files), (&model.config, &model.files));
    assert_eq!(peeked.bytes, file.metadata().unwrap().len());
    assert_eq!(peeked.format, "GGUF version 3");
    for tensor in &peeked.tensors {
        let weight = model.weight(tensor.layer, tensor.role).unwrap();
        let facts = (&weight.name, weight.format, weight.rows, weight.columns, weight.data.len());
        assert_eq!(facts, (&tensor.name, tensor.format, tensor.rows, tensor.columns, tensor.bytes));
    }
    assert_eq!(peeked.tensors.len(), model.weights.len());
    assert!(model.text.tokenizer.is_some() && peeked.text.tokenizer.is_none());
    assert_eq!(peeked.tokenizer.as_deref(), Some("byte-level BPE (qwen2), 320 tokens"));
    assert_eq!((peeked.text.stop, peeked.text.add_bos), (vec![256], false));
}

#[test]
fn a_file_that_ends_anywhere_is_refused() {
    let file = gguf(&Synthetic::tiny("qwen2", Format::Q8_0).unwrap());
    // Every length within the header and around it, then some of the data.
    let data = file.windows(9).rposition(|window| window == b"wn.weight").unwrap() + 64;
    for length in (0..data).chain((data..file.len() - 32).step_by(4099)) {
        let problems = read(file[..length].to_vec()).expect_err("a file that is cut off");
        assert!(problems.0.iter().all(|problem| problem.class == Class::Damaged), "{length}: {problems}");
    }
    refused(read(file[..file.len() - 4000].to_vec()), Class::Damaged, &["reaches past the end of the file"]);
    refused(read(Vec::new()), Class::Damaged, &["is empty"]);
    refused(read(b"version https://git-lfs.github.com/spec/v1".to_vec()), Class::Damaged, &["LFS"]);
}

/// The file with the bytes behind a text replaced.
fn patched(file: &[u8], text: &str, skip: usize, bytes: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    let at =
        file.windows(text.len()).position(|window| window == text.as_bytes()).unwrap() + text.len() + skip;
    file[at..at + bytes.len()].copy_from_slice(bytes);
    file
}

#[test]
fn what_a_file_says_of_a_tensor_is_not_believed() {
    let file = gguf(&Synthetic::tiny("qwen2", Format::Q4_0).unwrap());
    // Behind a tensor's name: rank (4), dimensions (8 each), type (4), offset (8).
    let tensor = "blk.0.attn_k.weight";
    let damaged = |skip: usize, bytes: &[u8], words: &[&str]| {
        refused(read(patched(&file, tensor, skip, bytes)), Class::Damaged, words);
    };
    damaged(0, &9u32.to_le_bytes(), &[tensor, "9 dimensions"]);
    damaged(4, &u64::MAX.to_le_bytes(), &[tensor, "more than any file"]);
    damaged(4, &0u64.to_le_bytes(), &[tensor, "zero"]);
    damaged(4, &33u64.to_le_bytes(), &[tensor, "blocks of 32"]);
    damaged(12, &(1u64 << 40).to_le_bytes(), &[tensor, "past the end"]);
    damaged(24, &(1u64 << 50).to_le_bytes(), &[tensor, "past the end"]);
    damaged(24, &(u64::MAX - 31).to_le_bytes(), &[tensor, "past the end"]);
    damaged(24, &33u64.to_le_bytes(), &[tensor, "no multiple of 32"]);
    damaged(24, &0u64.to_le_bytes(), &["overlap"]);
    // Counts that no file has room for.
    let mut counts = file.clone();
    counts[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
    refused(read(counts), Class::Damaged, &["tensors"]);
    let mut counts = file.clone();
    counts[16..24].copy_from_slice(&u64::MAX.to_le_bytes());
    refused(read(counts), Class::Damaged, &["metadata values"]);
    let tokens = patched(&file, "tokenizer.ggml.tokens", 8, &u64::MAX.to_le_bytes());
    refused(read(tokens), Class::Damaged, &["tokenizer.ggml.tokens"]);
    let mut version = file.clone();
    version[4..8].copy_from_slice(&3u32.to_be_bytes());
    refused(read(version), Class::Damaged, &["big-endian"]);
    let mut version = file.clone();
    version[4] = 1;
    refused(read(version), Class::Damaged, &["version 1", "2 and 3"]);
}

#[test]
fn types_that_are_not_read_are_named_where_a_tensor_is_needed() {
    let file = gguf(&Synthetic::tiny("qwen2", Format::Q4_0).unwrap());
    // IQ4_NL has blocks of the same size; no type has the number 77.
    for (number, name) in [(20u32, "IQ4_NL"), (77, "number 77")] {
        let file = patched(&file, "blk.1.ffn_up.weight", 20, &number.to_le_bytes());
        refused(read(file), Class::UnsupportedType, &["blk.1.ffn_up.weight", name, "Q4_0, Q4_1", "Q6_K"]);
    }
}

#[test]
fn missing_and_misshapen_tensors_are_named_all_at_once() {
    let file = gguf(&Synthetic::tiny("qwen2", Format::Q4_0).unwrap());
    // Another letter in a name, and a tensor of that name is not there any more.
    let file = patched(&file, "blk.0.ffn_up.weigh", 0, b"x");
    let file = patched(&file, "blk.1.attn_q.bia", 0, b"x");
    refused(read(file.clone()), Class::Tensors, &["2 tensors", "blk.0.ffn_up.weight", "blk.1.attn_q.bias"]);
    let file = patched(&file, "qwen2.feed_forward_length", 4, &768u32.to_le_bytes());
    let problems = read(file).unwrap_err();
    assert_eq!(problems.0.len(), 2, "{problems}");
    let misshapen = problems.0[1].to_string();
    assert!(
        misshapen.contains("blk.1.ffn_down.weight is [256, 512] and should be [256, 768]"),
        "{misshapen}"
    );
}

#[test]
fn architectures_and_sizes_that_cannot_be_are_refused() {
    let file = gguf(&Synthetic::tiny("qwen2", Format::Q4_0).unwrap());
    let unknown = patched(&file, "general.architecture", 12, b"gptj!");
    refused(read(unknown), Class::UnknownArchitecture, &["gptj!", "qwen2, qwen3, llama"]);
    let size = |key: &str, value: u32| read(patched(&file, key, 4, &value.to_le_bytes()));
    refused(size("qwen2.attention.head_count", 0), Class::Config, &["number of heads is 0"]);
    refused(size("qwen2.attention.head_count_kv", 3), Class::Config, &["8 heads", "3 key and value heads"]);
    refused(size("qwen2.block_count", u32::MAX), Class::Config, &["number of layers"]);
    refused(size("qwen2.attention.value_length", 16), Class::Config, &["value_length", "not supported"]);
    refused(size("qwen2.rope.freq_base", f32::NAN.to_bits()), Class::Config, &["rotary base"]);
    refused(size("tokenizer.ggml.eos_token_id", 320), Class::Config, &["token 320", "vocabulary has 320"]);
    let strange = patched(&file, "qwen2.context_lengt", 0, b"x");
    refused(read(strange), Class::Config, &["qwen2.context_length", "missing"]);
}

#[test]
fn a_tokenizer_must_have_as_many_tokens_as_the_embedding_table_has_rows() {
    let mut model = Synthetic::tiny("qwen2", Format::Q4_0).unwrap();
    let file = gguf(&model);
    model.config.vocabulary = 352;
    let larger = gguf(&model);
    // The larger model's tensors behind the smaller one's metadata.
    let tensors =
        |file: &[u8]| file.windows(25).position(|window| &window[8..] == b"token_embd.weight").unwrap();
    let head = tensors(&file);
    let mut mixed = file[..head].to_vec();
    let described = &larger[tensors(&larger)..];
    let length = described.len() - described.len() / 32 * 32;
    mixed.extend_from_slice(described);
    // Wherever the data begins now, the descriptions come first, and they do not fit the tokenizer.
    mixed.extend(vec![0; 64 + length]);
    refused(read(mixed), Class::Config, &["352 rows", "320 tokens"]);
}

#[test]
fn folders_that_cannot_be_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let refused = |class: Class, words: &[&str]| refused(open(path), class, words);
    refused(Class::Damaged, &["config.json"]);
    let model = Synthetic::tiny("llama", Format::BF16).unwrap();
    model.write_folder(path, 1).unwrap();
    assert!(open(path).is_ok());
    assert_eq!(kind(path), Some(qnn_llm::Kind::Folder));
    let config = std::fs::read_to_string(path.join("config.json")).unwrap();
    let with = |from: &str, to: &str| {
        assert!(config.contains(from), "{from}");
        std::fs::write(path.join("config.json"), config.replace(from, to)).unwrap();
    };
    with("LlamaForCausalLM", "GPTJForCausalLM");
    refused(Class::UnknownArchitecture, &["GPTJForCausalLM", "Qwen2ForCausalLM", "MistralForCausalLM"]);
    with("\"vocab_size\":320", "\"vocab_size\":321");
    // Both the embedding table and the head are of the wrong size, which is said once.
    refused(Class::Config, &["320 rows", "vocabulary of 321"]);
    with("\"num_hidden_layers\":2", "\"num_hidden_layers\":3");
    refused(
        Class::Tensors,
        &["model.layers.2.self_attn.q_proj.weight", "model.layers.2.mlp.down_proj.weight"],
    );
    with("\"num_hidden_layers\":2", "\"num_hidden_layers\":1");
    refused(Class::Config, &["no place", "model.layers.1.input_layernorm.weight"]);
    with("\"rope_type\":\"llama3\"", "\"rope_type\":\"longrope\"");
    refused(Class::Config, &["longrope"]);
    with("\"hidden_act\":\"silu\"", "\"hidden_act\":\"gelu\"");
    refused(Class::Config, &["gelu", "only silu"]);
    with("\"low_freq_factor\":1.0,", "");
    refused(Class::Config, &["low_freq_factor"]);
    std::fs::write(path.join("config.json"), &config).unwrap();
    let file = std::fs::read(path.join("model.safetensors")).unwrap();
    let cut = |length: usize| std::fs::write(path.join("model.safetensors"), &file[..length]).unwrap();
    cut(file.len() - 1);
    refused(Class::Damaged, &["past the end"]);
    cut(100);
    refused(Class::Damaged, &["ends within its header"]);
    cut(0);
    refused(Class::Damaged, &["empty"]);
    std::fs::write(path.join("model.safetensors"), [&[0xff; 8], &file[8..]].concat()).unwrap();
    refused(Class::Damaged, &["no safetensors file"]);
    let text = String::from_utf8_lossy(&file[..200]).into_owned();
    let at = text.find("\"data_offsets\":[").unwrap() + 16;
    let mut offsets = file.clone();
    offsets[at] = b'9';
    std::fs::write(path.join("model.safetensors"), offsets).unwrap();
    assert!(open(path).unwrap_err().0.iter().all(|problem| problem.class == Class::Damaged));
    std::fs::remove_file(path.join("model.safetensors")).unwrap();
    let index = |name: &str| {
        let text = format!(r#"{{"weight_map":{{"model.norm.weight":"{name}"}}}}"#);
        std::fs::write(path.join("model.safetensors.index.json"), text).unwrap();
    };
    index("../../etc/passwd");
    refused(Class::Damaged, &["no file beside it"]);
    index("model-00001-of-00002.safetensors");
    refused(Class::Damaged, &["1 files", "model-00001-of-00002.safetensors"]);
}

/// The whole file counts, as in Hugging Face transformers: an index beside it may be left from before.
#[test]
fn a_whole_file_counts_before_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let old = Synthetic { seed: 2, ..Synthetic::tiny("qwen2", Format::F32).unwrap() };
    old.write_folder(path, 2).unwrap();
    Synthetic::tiny("qwen2", Format::F32).unwrap().write_folder(path, 1).unwrap();
    let model = open(path).unwrap();
    assert_eq!(model.files.len(), 2, "config.json and model.safetensors");
    let own = read(gguf(&Synthetic::tiny("qwen2", Format::F32).unwrap())).unwrap();
    let head = |model: &Model| numbers(model.head().unwrap());
    assert_eq!(head(&model), head(&own));
}

#[test]
fn names_without_the_prefix_of_a_model_with_a_head_are_the_same_tensors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    Synthetic::tiny("qwen3", Format::F16).unwrap().write_folder(path, 1).unwrap();
    let all = |model: &Model| -> Vec<Vec<f32>> { model.weights.values().map(numbers).collect() };
    let wanted = all(&open(path).unwrap());
    let file = path.join("model.safetensors");
    let bytes = std::fs::read(&file).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header = String::from_utf8(bytes[8..8 + length].to_vec()).unwrap().replace("\"model.", "\"");
    let bare = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &bytes[8 + length..]].concat();
    std::fs::write(&file, bare).unwrap();
    assert_eq!(all(&open(path).unwrap()), wanted);
    // Such files name the class without a head.
    let config = std::fs::read_to_string(path.join("config.json")).unwrap();
    std::fs::write(path.join("config.json"), config.replace("Qwen3ForCausalLM", "Qwen3Model")).unwrap();
    assert_eq!(all(&open(path).unwrap()), wanted);
}

/// A folder with a changed config.json.
fn configured(changes: &[(&str, &str)]) -> (tempfile::TempDir, Result<qnn_llm::Peek, Problems>) {
    let folder = tempfile::tempdir().unwrap();
    Synthetic::tiny("qwen2", Format::F16).unwrap().write_folder(folder.path(), 1).unwrap();
    let file = folder.path().join("config.json");
    let mut config = std::fs::read_to_string(&file).unwrap();
    for (from, to) in changes {
        assert!(config.contains(from), "{from}");
        config = config.replace(from, to);
    }
    // As some editors save it.
    std::fs::write(&file, format!("\u{feff}{config}")).unwrap();
    let peeked = peek(folder.path());
    (folder, peeked)
}

#[test]
fn scaling_of_long_contexts_is_read() {
    let scaled =
        |scaling: &str| configured(&[("\"rope_scaling\":null", &format!("\"rope_scaling\":{scaling}"))]).1;
    let yarn =
        scaled(r#"{"type":"yarn","factor":4.0,"original_max_position_embeddings":512}"#).unwrap().config;
    assert_eq!(yarn.max_context, 2048);
    assert!((yarn.rope_amplitude() - (0.1 * 4f64.ln() + 1.0)).abs() < 1e-6);
    let dynamic = scaled(r#"{"type":"dynamic","factor":4.0}"#).unwrap();
    assert_eq!((dynamic.config.max_context, &dynamic.config.rope.scaling), (512, &None));
    assert!(dynamic.notes[0].contains("512 tokens"), "{:?}", dynamic.notes);
    for kind in ["longrope", "su"] {
        let problems =
            scaled(&format!(r#"{{"type":"{kind}","short_factor":[1.0],"factor":4.0}}"#)).unwrap_err();
        assert!(problems.to_string().contains(kind), "{problems}");
        assert!(problems.0[0].help.as_ref().unwrap().contains("trained with it"));
    }
}

#[test]
fn forms_of_other_tools_are_named() {
    let head = "\"hidden_act\":\"silu\"";
    let cases = [
        (r#""quantization_config":{"quant_method":"gptq","bits":4},"#, "GPTQ"),
        (r#""quantization":{"group_size":64,"bits":4},"#, "MLX"),
        (r#""is_causal":false,"#, "sees what comes later"),
        (r#""rms_norm_eps2":1,"#, ""),
    ];
    for (key, word) in cases {
        let (_folder, peeked) = configured(&[(head, &format!("{key}{head}"))]);
        match word {
            "" => assert!(peeked.is_ok()),
            _ => assert!(peeked.as_ref().is_err_and(|p| p.to_string().contains(word)), "{word}: {peeked:?}"),
        }
    }
    let (_folder, peeked) = configured(&[("\"rms_norm_eps\":", "\"rms_norm_eps\":\"abc\",\"was\":")]);
    assert!(peeked.is_err_and(|problems| problems.to_string().contains("no number")));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("adapter_config.json"), "{}").unwrap();
    refused(open(folder.path()), Class::Config, &["LoRA adapter"]);
    let pointer = "version https://git-lfs.github.com/spec/v1\n";
    std::fs::write(folder.path().join("config.json"), pointer).unwrap();
    refused(open(folder.path()), Class::Damaged, &["LFS", "config.json"]);
}

#[test]
fn special_tokens_of_templates_are_the_tokenizers_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    Synthetic::tiny("qwen2", Format::F16).unwrap().write_folder(path, 1).unwrap();
    let write = |name: &str, text: &str| std::fs::write(path.join(name), text).unwrap();
    write(
        "tokenizer.json",
        r#"{"added_tokens":[{"id":1,"content":"<s>"},{"id":2,"content":"</s>"},{"id":3,"content":"<|im_end|>"}],"model":{"type":"BPE","vocab":{}}}"#,
    );
    write("generation_config.json", r#"{"eos_token_id":[2,3],"temperature":0.6,"top_k":20,"top_p":0.95}"#);
    write(
        "tokenizer_config.json",
        r#"{"eos_token":{"content":"<|im_end|>"},"bos_token":null,"tokenizer_class":"LlamaTokenizerFast"}"#,
    );
    let text = peek(path).unwrap().text;
    assert_eq!((text.bos, text.add_bos, &text.stop[..]), (None, false, &[2, 3][..]));
    let special: Vec<_> =
        text.special_tokens.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    assert_eq!(special, [("eos_token", "<|im_end|>"), ("unk_token", "<unk>")]);
    assert_eq!((text.advice.temperature, text.advice.top_k, text.advice.min_p), (Some(0.6), Some(20), None));
    // Llama's class has these texts and begins texts with the first where its settings do not say.
    write("tokenizer_config.json", r#"{"tokenizer_class":"LlamaTokenizer"}"#);
    let text = peek(path).unwrap().text;
    assert_eq!((text.bos, text.add_bos), (Some(1), true));
    assert_eq!(text.special_tokens["eos_token"], "</s>");
    write("tokenizer_config.json", r#"{"tokenizer_class":"PreTrainedTokenizerFast","bos_token":"<s>"}"#);
    assert!(!peek(path).unwrap().text.add_bos);
}

#[test]
fn files_that_are_no_language_model_by_themselves_are_named() {
    let file = gguf(&Synthetic::tiny("qwen2", Format::Q4_0).unwrap());
    // A name of the same length becomes the key that tells the kind.
    let kind = |value: &str| {
        let mut file = file.clone();
        let at = file.windows(12).position(|window| window == b"general.name").unwrap();
        file.splice(
            at..at + 12 + 4 + 8 + 14,
            [
                &b"general.type"[..],
                &8u32.to_le_bytes(),
                &(value.len() as u64).to_le_bytes(),
                value.as_bytes(),
            ]
            .concat(),
        );
        // The tensors' data begin at the next multiple of 32, a little earlier.
        file.extend([0; 64]);
        read(file)
    };
    refused(kind("adapter"), Class::Config, &["LoRA adapter"]);
    refused(kind("imatrix"), Class::Config, &["importance matrix"]);
    refused(kind("mmproj"), Class::Config, &["sees or hears"]);
}

#[test]
fn a_model_in_several_gguf_files_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let name = |number: usize| folder.path().join(format!("m-{number:05}-of-00002.gguf"));
    let model = Synthetic::tiny("qwen2", Format::Q8_0).unwrap();
    for part in 0..2 {
        model.write_split(&name(part + 1), part, 2).unwrap();
    }
    let whole = read(gguf(&model)).unwrap();
    for part in [1, 2] {
        let opened = open(&name(part)).unwrap();
        assert_eq!(opened.files, [name(1), name(2)]);
        assert_eq!(opened.config, whole.config);
        let all = |model: &Model| -> Vec<Vec<f32>> { model.weights.values().map(numbers).collect() };
        assert_eq!(all(&opened), all(&whole));
    }
    assert_eq!(qnn_llm::gguf::siblings(&name(1)), [name(2)]);
    std::fs::copy(name(1), folder.path().join("renamed.gguf")).unwrap();
    refused(open(&folder.path().join("renamed.gguf")), Class::Config, &["one of 2 files"]);
    std::fs::copy(name(1), name(2)).unwrap();
    refused(open(&name(1)), Class::Damaged, &["not the part"]);
    std::fs::remove_file(name(2)).unwrap();
    refused(open(&name(1)), Class::Damaged, &["1 of the 2 files"]);
}

#[test]
fn a_sliding_window_limits_the_context() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    Synthetic::tiny("mistral", Format::F16).unwrap().write_folder(path, 1).unwrap();
    let config = std::fs::read_to_string(path.join("config.json")).unwrap();
    for (window, context, notes) in [(128, 128, 1), (512, 512, 0), (4096, 512, 0)] {
        let text = config.replace("\"sliding_window\":null", &format!("\"sliding_window\":{window}"));
        std::fs::write(path.join("config.json"), text).unwrap();
        let peeked = peek(path).unwrap();
        let said = peeked.notes.iter().filter(|note| note.contains("sliding window")).count();
        assert_eq!((peeked.config.max_context, said), (context, notes), "{window}");
    }
}

#[test]
fn a_file_that_is_not_there_is_said_so() {
    let problems = open(Path::new("nowhere/m.gguf")).unwrap_err();
    assert_eq!(problems.0[0].class, Class::Unreadable);
    assert!(problems.to_string().contains("nowhere/m.gguf"), "{problems}");
}
