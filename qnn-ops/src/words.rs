//! Names in the spelling of the language that is generated: C, Rust.

/// `SiLUMul` and `my-op` as `SI_LU_MUL`, `MY_OP`: what a C macro or a Rust constant is called.
pub(crate) fn upper(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (i, &c) in chars.iter().enumerate() {
        if !c.is_ascii_alphanumeric() {
            if !out.ends_with('_') && !out.is_empty() {
                out.push('_');
            }
            continue;
        }
        let before = i.checked_sub(1).map(|i| chars[i]);
        let after = chars.get(i + 1);
        let starts = c.is_ascii_uppercase()
            && before.is_some_and(|b| {
                b.is_ascii_lowercase()
                    || b.is_ascii_digit()
                    || (b.is_ascii_uppercase() && after.is_some_and(|a| a.is_ascii_lowercase()))
            });
        if starts && !out.ends_with('_') {
            out.push('_');
        }
        out.push(c.to_ascii_uppercase());
    }
    out
}

/// Whether C and C++ take the text as a name.
pub(crate) fn is_identifier(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_apart_by_case_and_signs() {
        for (name, want) in [
            ("SiLU", "SI_LU"),
            ("RMSNorm", "RMS_NORM"),
            ("RoPE2D", "RO_PE2_D"),
            ("my-op", "MY_OP"),
            ("in[0]", "IN_0_"),
            ("h_cnt", "H_CNT"),
            ("QLayerNorm", "Q_LAYER_NORM"),
        ] {
            assert_eq!(upper(name), want);
        }
    }
}
