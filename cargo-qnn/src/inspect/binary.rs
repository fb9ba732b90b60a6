//! Context binaries, read by the vendor's System library.

use std::path::{Path, PathBuf};

use qnn::metadata::{HtpGraphInfo, MetadataReader};
use qnn::{GraphInfo, Quant, TensorInfo};
use qnn_compiler::program::described;
use qnn_platform::soc;
use serde::Serialize;

use super::Tensor;
use super::packages::{Package, packages};
use crate::codes;
use crate::encoding::Encoding;
use crate::exit::Exit;
use crate::failure::{Failure, IoContext, Result};
use crate::session::Session;
use crate::table::columns;
use crate::term::size;
use crate::toolchain::ensure;

/// A context binary.
#[derive(Debug, Serialize)]
pub(crate) struct Binary {
    path: PathBuf,
    bytes: u64,
    build_id: String,
    core_api: String,
    backend_api: String,
    blob_version: String,
    soc: Option<&'static str>,
    soc_id: Option<u32>,
    arch: Option<u32>,
    /// Op packages that have to be registered before it is loaded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    op_packages: Vec<Package>,
    graphs: Vec<Graph>,
}

/// One of its graphs.
#[derive(Debug, Serialize)]
struct Graph {
    name: String,
    inputs: Vec<Tensor>,
    outputs: Vec<Tensor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    htp: Option<Htp>,
}

/// What the HTP's compiler recorded; sizes in bytes.
#[derive(Debug, Serialize)]
struct Htp {
    vtcm_bytes: u64,
    spill_fill_bytes: u64,
    optimization: u32,
    dlbc: bool,
    hvx_threads: u64,
    io_bytes: Option<u64>,
    op_data_bytes: Option<u64>,
    constant_bytes: Option<u64>,
    ddr_bytes: Option<u64>,
    shared_weight_bytes: Option<u64>,
}

/// Reads the metadata of a context binary.
pub(crate) fn binary(session: &Session, file: &Path) -> Result<Binary> {
    let bytes = std::fs::read(file).at("cannot read", file)?;
    let libs = ensure(session)?.qnn;
    let reader = MetadataReader::open(&libs)
        .map_err(|error| Failure::new(Exit::Toolchain, codes::NOT_LOADED, error.to_string()))?;
    let info = reader.read(&bytes).map_err(|error| {
        let message = format!("{} is not a context binary, or a damaged one", file.display());
        Failure::new(Exit::User, codes::CONTEXT_BINARY, message).note(error.to_string())
    })?;
    Ok(Binary {
        path: file.to_owned(),
        bytes: bytes.len() as u64,
        build_id: info.build_id,
        core_api: info.core_api_version.to_string(),
        backend_api: info.backend_api_version.to_string(),
        blob_version: info.context_blob_version.to_string(),
        soc: info.soc_id.and_then(soc::by_id).map(|soc| soc.name),
        soc_id: info.soc_id,
        arch: info.arch,
        op_packages: packages(&bytes),
        graphs: info.graphs.iter().map(graph).collect(),
    })
}

fn graph(info: &GraphInfo) -> Graph {
    let tensors = |infos: &[TensorInfo]| infos.iter().map(tensor).collect();
    let (inputs, outputs) = (tensors(&info.inputs), tensors(&info.outputs));
    Graph { name: info.name.clone(), inputs, outputs, htp: info.htp.as_ref().map(htp) }
}

fn htp(info: &HtpGraphInfo) -> Htp {
    let sizes = info.sizes;
    Htp {
        vtcm_bytes: info.vtcm_bytes,
        spill_fill_bytes: info.spill_fill_bytes,
        optimization: info.optimization,
        dlbc: info.dlbc,
        hvx_threads: info.hvx_threads,
        io_bytes: sizes.map(|sizes| sizes.io),
        op_data_bytes: sizes.map(|sizes| sizes.op_data),
        constant_bytes: sizes.map(|sizes| sizes.constants),
        ddr_bytes: sizes.map(|sizes| sizes.ddr),
        shared_weight_bytes: sizes.map(|sizes| sizes.shared_weights),
    }
}

fn tensor(info: &TensorInfo) -> Tensor {
    let shape = info.dims.iter().map(|dim| Some(u64::from(*dim))).collect();
    let dtype = info.dtype.to_string();
    Tensor {
        name: info.name.clone(),
        dtype,
        shape: Some(shape),
        symbols: Vec::new(),
        encoding: encoding(info),
    }
}

fn encoding(info: &TensorInfo) -> Option<Encoding> {
    match (described(info), &info.quant) {
        (Some(encoding), _) => Some(Encoding::from(&encoding)),
        (None, Quant::None) => None,
        (None, other) => Some(Encoding::other(format!("{other:?}"))),
    }
}

impl Binary {
    pub(crate) fn text(&self) -> String {
        let target = match (self.soc, self.soc_id, self.arch) {
            (Some(name), Some(id), Some(arch)) => format!("{name} (id {id}), v{arch}"),
            (_, Some(id), arch) => {
                format!("SoC id {id}{}", arch.map_or(String::new(), |arch| format!(", v{arch}")))
            }
            _ => "not recorded".to_owned(),
        };
        let mut lines = vec![
            format!("{}: context binary, {}", self.path.display(), size(self.bytes)),
            format!("  target   {target}"),
            format!("  QNN      {}", self.build_id),
            format!(
                "  API      core {}, backend {}, blob {}",
                self.core_api, self.backend_api, self.blob_version
            ),
        ];
        for package in &self.op_packages {
            lines.push(format!("  needs    op package {}", package.text()));
        }
        for graph in &self.graphs {
            lines.push(format!("  graph {}", graph.name));
            let inputs = graph.inputs.iter().map(|tensor| tensor.row("in"));
            let rows: Vec<_> = inputs.chain(graph.outputs.iter().map(|tensor| tensor.row("out"))).collect();
            lines.push(columns(&rows));
            lines.extend(graph.htp.as_ref().map(Htp::text));
        }
        lines.join("\n")
    }
}

impl Htp {
    fn text(&self) -> String {
        let mut parts = vec![
            format!("VTCM {} MiB", self.vtcm_bytes >> 20),
            format!("spill-fill {}", size(self.spill_fill_bytes)),
            format!("O{}", self.optimization),
        ];
        let optional = [
            ("I/O", self.io_bytes),
            ("ops", self.op_data_bytes),
            ("constants", self.constant_bytes),
            ("DDR", self.ddr_bytes),
            ("shared weights", self.shared_weight_bytes.filter(|bytes| *bytes > 0)),
        ];
        parts.extend(
            optional.into_iter().filter_map(|(name, bytes)| Some(format!("{name} {}", size(bytes?)))),
        );
        if self.dlbc {
            parts.push("DLBC".to_owned());
        }
        if self.hvx_threads > 0 {
            parts.push(format!("{} HVX threads", self.hvx_threads));
        }
        format!("    {}", parts.join(", "))
    }
}
