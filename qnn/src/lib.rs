//! Runs neural networks on the Hexagon NPU (HTP) of Snapdragon devices, through Qualcomm's QNN libraries, and in their
//! emulator on x86-64 Linux.
//!
//! A *context binary* is a network that was compiled for one SoC. This crate loads it, checks every buffer against it, and
//! executes its graphs. It does not compile for apps: that is done at build time by `qnn-build`, whose generated code uses this
//! crate. Nothing of the vendor is linked; the libraries are loaded at run time.
//!
//! # In an app with models in its Cargo.toml
//!
//! `qnn_build::compile()` in build.rs compiles what `[package.metadata.qnn]` declares and generates one module per model.
//! [`include_models!`] brings them in; they have `Inputs` and `Outputs` structs with fixed shapes:
//!
//! ```text
//! qnn::include_models!();
//!
//! let backend = qnn::Backend::htp()?;
//! let digits = digits::Model::load(&backend)?;
//! let out = digits.run(digits::Inputs { image: &pixels })?;
//! ```
//!
//! `Model::load_with` takes [`LoadOptions`]: priority, performance mode, memory shared with the NPU, a binary of another QNN build.
//! `Model::prepare` gives a graph with buffers of its own, for many runs:
//!
//! ```text
//! let mut digits = digits.prepare()?;
//! digits.inputs().image.copy_from_slice(&pixels);
//! let logits = digits.run()?.logits;
//! ```
//!
//! # Where there is no NPU
//!
//! ```
//! match qnn::Backend::htp() {
//!     Ok(backend) => println!("QNN {}, {}", backend.build_id(), if backend.is_emulator() { "emulator" } else { "NPU" }),
//!     // No libraries here: the error lists every place that was looked at, and says what to do.
//!     Err(error) if error.kind() == qnn::ErrorKind::LibrariesNotFound => println!("{error}"),
//!     Err(error) => println!("the NPU cannot be used: {error}"),
//! }
//! ```
//!
//! # With a context binary of your own
//!
//! ```no_run
//! use qnn::{Backend, Context, Device, Tensor, TensorMut};
//!
//! # fn main() -> qnn::Result<()> {
//! let backend = Backend::htp()?;
//! // The phone's NPU; on a development machine the emulator, which is told what to be (57 is SM8650).
//! let device = if backend.is_emulator() { Device::for_soc(&backend, 57)? } else { Device::native(&backend)? };
//! let context = Context::from_file(&device, "digits.SM8650.bin")?;
//! let graph = context.graph("digits")?;
//!
//! let image = [0f32; 64];
//! let mut logits = [0f32; 10];
//! graph.execute(&[("image", Tensor::f32(&image))], &mut [("logits", TensorMut::f32(&mut logits))])?;
//! # Ok(())
//! # }
//! ```
//!
//! [`Graph::info`] tells names, types and shapes. Every input and output is given once, by name; a wrong name, type or length is an
//! error before anything runs. [`Graph::run`] takes them in order, and [`Graph::prepare`] binds buffers once. Quantized tensors take their plain integers ([`DataType::storage`]), 16-bit floats are [`F16`].
//!
//! # What else there is
//!
//! * [`LoadOptions`] say how a context is loaded.
//! * [`Device::performance`] raises or lowers the NPU's clocks while the result is alive.
//! * [`Graph::profile`] says where the time of an execution went, per op with [`ProfileLevel::Detailed`].
//! * [`metadata::MetadataReader`] reads what a binary says about itself without loading the backend.
//! * Feature `compose`: `compose` builds graphs and context binaries, `dlc` reads and writes DLC files. It is what the
//!   compiler uses; an app leaves it off.
//!
//! # Language models
//!
//! Feature `llm`: `llm` runs models that were compiled from GGUF files or Hugging Face folders, from text to text: tokenizer, chat template,
//! key and value cache, sampling. `docs/LLM.md` in the repository is the manual.
//!
//! # Where the libraries come from
//!
//! [`Backend::htp`] takes the first of: `QNN_SDK_ROOT`, `QNN_LIB_DIR`, the toolchain that `cargo qnn toolchain install` installed,
//! the folder of the executable, and on Android the app's native libraries. [`qnn_platform::libs`](https://docs.rs/qnn-platform)
//! has the details, and [`LibrariesNotFound`](crate::ErrorKind::LibrariesNotFound) lists every place with what was missing there.
//!
//! A device needs four of the vendor's files, all of the release that compiled the binary: `libQnnHtp.so`, `libQnnSystem.so`,
//! `libQnnHtpV75Stub.so` and `libQnnHtpV75Skel.so` (75 is the architecture). The folder of the last one must be in
//! `ADSP_LIBRARY_PATH` before the first call. An Android app also declares
//! `<uses-native-library android:name="libcdsprpc.so" android:required="false"/>` in its manifest. `docs/DEVICE.md` in
//! the repository tells where the files come from and how they get onto the device.
//!
//! # Errors
//!
//! Every [`Error`] says what was found and, after `help:`, what to do; [`Error::kind`], [`Error::message`] and [`Error::help`] give these
//! alone. A failed call of the vendor's library has [`Error::vendor`]: the code decoded by [`codes`], and what the library logged
//! during the call. A binary of another QNN release, architecture or size of VTCM is [`Incompatible`](ErrorKind::Incompatible) before
//! the library sees it, because the library answers with a number, and its emulator not at all.
//!
//! `QNN_LOG=warn` (or `info`, `verbose`, `debug`) prints the library's log to standard error.
//!
//! # Threads
//!
//! All types are `Send` and `Sync` unless they say otherwise. Calls that create or free something have the process's libraries to
//! themselves: they wait for executions to end, and executions wait for them. Executions take turns per context, in the emulator
//! per process.
//!
//! # Trust
//!
//! Functions that load a library by its path ([`Backend::open`], [`Backend::register_op_package`], [`metadata::MetadataReader::open`]) run its
//! code, and are safe functions by decision: whoever names the path vouches for the file, as for the libraries beside an executable. Context
//! binaries are believed, too: [`Context::from_bytes`] says what that means. A mapped file that another process shortens while it
//! is loaded ends the process with a bus error; replace such files by renaming.
//!
//! # What is promised
//!
//! Data that this crate returns, options and kinds of errors may get more fields and members in any version: they are `non_exhaustive`. The
//! feature `compose`, with `dlc` and the decode loop over any engine in it, is the compiler's side and changes as it needs. What
//! generated code calls is hidden and has a number: give `qnn` and `qnn-build` the same version, and where they do not fit, the build says so.
//!
//! # The emulator
//!
//! It computes what the NPU computes, on one core and slowly; its times say nothing about a device. `QNN_EMULATE_SOC` chooses the
//! SoC that [`LoadedModel`] asks for. All graphs of a process have to be planned for the same amount of VTCM there ([`EmulatedVtcm`](crate::ErrorKind::EmulatedVtcm)).

#[doc(hidden)]
#[path = "private/mod.rs"]
pub mod __private;
mod artifact;
mod backend;
mod buffer;
mod call;
pub mod codes;
mod compat;
#[cfg(feature = "compose")]
pub mod compose;
mod context;
mod device;
#[cfg(feature = "compose")]
pub mod dlc;
mod dtype;
mod encode;
mod error;
#[cfg(test)]
mod fake;
mod files;
mod gate;
mod graph;
mod library;
#[cfg(feature = "llm")]
pub mod llm;
mod log;
pub mod metadata;
mod model;
mod op_package;
mod options;
mod performance;
mod pinned;
mod prepared;
mod profile;
mod shared_memory;
mod tensor;

pub use artifact::Artifact;
pub use backend::Backend;
pub use context::Context;
pub use device::{Device, DeviceInfo};
pub use dtype::{DataType, F16};
pub use error::{Error, ErrorKind, Result, VendorError};
pub use graph::Graph;
pub use metadata::{BinaryInfo, GraphInfo};
pub use model::LoadedModel;
pub use options::{LoadOptions, Priority};
pub use performance::{Performance, PerformanceMode};
pub use prepared::Prepared;
pub use profile::{Profile, ProfileEvent, ProfileLevel, ProfileUnit, Trace};
pub use qnn_platform::libs::{QnnLibs, Source as LibrarySource};
pub use qnn_platform::soc::Soc;
pub use qnn_sys::types::Version;
pub use tensor::{Element, Quant, Tensor, TensorInfo, TensorMut};

/// Includes the modules that `qnn_build::compile()` generated, one per model of the manifest.
#[macro_export]
macro_rules! include_models {
    () => {
        include!(concat!(env!("OUT_DIR"), "/qnn.rs"));
    };
}
