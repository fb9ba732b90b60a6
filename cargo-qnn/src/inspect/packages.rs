//! Op packages that a context binary needs: it stores the names of the kernels that it calls, and those of packages in C say package, op and
//! version (`Package::Op_kernel_v1_2_0`).

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

/// A package, and what is called of it.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Package {
    name: String,
    /// The version that the binary was compiled with.
    version: String,
    ops: BTreeSet<String>,
}

/// What every such name has between op and version.
const MARK: &[u8] = b"_kernel";

/// Longest name that is looked at, bytes.
const LONGEST: usize = 512;

/// The packages of a context binary.
pub(super) fn packages(binary: &[u8]) -> Vec<Package> {
    let mut found: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    let mut from = 0;
    while let Some(at) = binary[from..].windows(MARK.len()).position(|window| window == MARK) {
        let mark = from + at;
        from = mark + MARK.len();
        if let Some((package, op, version)) = kernel(binary, mark) {
            found.entry((package, version)).or_default().insert(op);
        }
    }
    found.into_iter().map(|((name, version), ops)| Package { name, version, ops }).collect()
}

/// Package, op and version of the kernel whose name has the mark at this place.
fn kernel(binary: &[u8], mark: usize) -> Option<(String, String, String)> {
    let part = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':');
    let before = binary[..mark].iter().rev().take(LONGEST).take_while(part).count();
    let after = binary[mark..].iter().take(LONGEST).take_while(part).count();
    let name = std::str::from_utf8(&binary[mark - before..mark + after]).ok()?;
    let (package, rest) = name.split_once("::")?;
    let (op, rest) = rest.rsplit_once("_kernel")?;
    let version = rest.rsplit_once("_v")?.1;
    let digits = |number: &str| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let plain = !package.is_empty() && !op.is_empty() && version.split('_').all(digits);
    plain.then(|| (package.to_owned(), op.to_owned(), version.replace('_', ".")))
}

impl Package {
    /// `Package 1.2.0: Op, Other`
    pub(super) fn text(&self) -> String {
        let ops: Vec<&str> = self.ops.iter().map(String::as_str).collect();
        format!("{} {}: {}", self.name, self.version, ops.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_kernels_say_what_is_needed() {
        let binary =
            b"\0Ver::A_kernel_v1_0_0\0xq::Relu_kernel\0Ver::B_kernel_2_v1_0_0\0My::Op_kernel_v2_10_3!_kernel";
        let texts: Vec<String> = packages(binary).iter().map(Package::text).collect();
        assert_eq!(texts, ["My 2.10.3: Op", "Ver 1.0.0: A, B"]);
        assert!(packages(b"").is_empty());
    }
}
