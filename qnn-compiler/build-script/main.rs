//! Tells the crate who it is: see `identity`.

mod identity;

use std::path::Path;

fn main() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    for path in identity::watched(own) {
        println!("cargo::rerun-if-changed={}", path.display());
    }
    println!("cargo::rustc-env=QNN_ENGINE={}", identity::of(own, env!("CARGO_PKG_VERSION")));
}
