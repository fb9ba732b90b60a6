//! Tells the crate who it is: see [`qnn_platform::identity`].

use std::path::Path;

use qnn_platform::identity;

fn main() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    identity::build_script(&identity::ENGINE, own, env!("CARGO_PKG_VERSION"), "QNN_ENGINE");
}
