//! Holds the SoC table against what the library makes of each row.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::*;
use qnn::compose::{ContextConfig, GraphBuilder, GraphConfig, Quant, Role, TensorSpec};
use qnn::metadata::MetadataReader;
use qnn::{DataType, Device};
use qnn_platform::soc::SOCS;

const ENCODING: Quant = Quant::PerTensor { scale: 0.1, offset: 0 };

fn add_relu(graph: &mut GraphBuilder<'_>, dtype: DataType, quant: &'static Quant) -> qnn::Result<()> {
    let spec = |name, role| TensorSpec { name, role, dtype, dims: &[1, 8, 8, 16], quant };
    let x = graph.tensor(&spec("x", Role::Input))?;
    let y = graph.tensor(&spec("y", Role::Output))?;
    graph.add(&op("relu", "Relu", &[x], &[y], &[]))
}

#[test]
fn every_row_compiles_and_its_architecture_vtcm_and_fp16_are_the_librarys() {
    let backend = backend();
    let reader = MetadataReader::open(backend.libs()).unwrap();
    for soc in SOCS {
        // Named before the library is called: should it end the process, the last line says at which row.
        println!("{} (id {})", soc.name, soc.id);
        let device = Device::for_soc(&backend, soc.id).unwrap();

        let context = device.new_context(&ContextConfig::default()).unwrap();
        let mut graph =
            context.graph("relu", &GraphConfig { fp16: false, ..GraphConfig::default() }).unwrap();
        add_relu(&mut graph, DataType::UFixed8, &ENCODING).unwrap();
        graph.finalize().unwrap();
        let info = reader.read(&binary_of(&context)).unwrap();
        let vtcm = info.graphs[0].htp.map(|htp| htp.vtcm_bytes >> 20);
        let row = (Some(soc.id), Some(soc.arch), Some(u64::from(soc.vtcm_mb)));
        assert_eq!((info.soc_id, info.arch, vtcm), row, "{}", soc.name);

        let context = device.new_context(&ContextConfig::default()).unwrap();
        let mut graph = context.graph("relu", &GraphConfig::default()).unwrap();
        let fp16 = add_relu(&mut graph, DataType::Float16, &Quant::None);
        assert_eq!(fp16.is_ok(), soc.fp16, "{}: {fp16:?}", soc.name);
    }
}
