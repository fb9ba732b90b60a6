//! Compiling with the real library.

mod common;

use common::*;
use qnn::DataType;

#[test]
fn a_convolution_compiles() {
    let backend = backend();
    for dtype in [DataType::Float32, DataType::Float16] {
        let binary = conv_binary(&device(&backend, "SM8650"), dtype);
        println!("{dtype} {} bytes, vendor {:?}", binary.len(), backend.vendor_time());
        assert!(binary.len() > 4096);
    }
}
