//! What the generated code hands to the runtime: one context binary per SoC, embedded or beside the executable.

/// One compiled model for one SoC. Generated code holds a static array of them per model.
#[derive(Clone, Copy, Debug)]
pub struct Artifact {
    /// Name of the model in the manifest.
    pub model: &'static str,
    /// Name of the SoC it was compiled for, for example `SM8650`.
    pub soc: &'static str,
    /// The vendor's id of that SoC.
    pub soc_id: u32,
    /// Hexagon architecture of that SoC, for example 75.
    pub arch: u32,
    /// Build id of the QNN library that compiled it, for example `v2.51.0.260929181845`.
    pub build_id: &'static str,
    /// Where the context binary is.
    pub source: ArtifactSource,
    /// Op packages that it uses: registered before it is loaded.
    pub op_packages: &'static [OpPackage],
}

/// A library with ops of the app's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpPackage {
    /// The package's name.
    pub name: &'static str,
    /// The function that hands out its interface.
    pub provider: &'static str,
    /// Name of the library: in `QNN_ARTIFACT_DIR`, beside the executable, or in the executable's `qnn` folder; on Android
    /// among the app's native libraries.
    pub file: &'static str,
    /// What a device registers it as, `HTP` or `CPU`; nothing in the emulator.
    pub target: Option<&'static str>,
    /// Where the build put it, for apps that run where they are built.
    pub built: Option<&'static str>,
}

/// Where a context binary is.
#[derive(Clone, Copy)]
pub enum ArtifactSource {
    /// Inside the executable, aligned by [`Aligned`].
    Embedded(&'static [u8]),
    /// A file that comes with the app.
    File(ArtifactFile),
    /// Nowhere: the app was built without compiling its models, for this reason.
    Stub(&'static str),
}

/// A file that comes with the app: in `QNN_ARTIFACT_DIR`, beside the executable, in the folder `qnn` there, or in that of the folder above,
/// each time also in a folder of the package's name; else where the build put it. Files of its name with other bytes are passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArtifactFile {
    /// The package whose model it belongs to.
    pub package: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What its bytes are; any when `None`.
    pub sum: Option<FileSum>,
    /// Where the build put it, for apps that run where they are built.
    pub built: Option<&'static str>,
}

impl ArtifactFile {
    /// A file of this name, whatever is in it.
    pub const fn named(name: &'static str) -> Self {
        Self { package: "", name, sum: None, built: None }
    }
}

/// What tells the bytes of a file from others. It finds damage and mix-ups; against somebody who changes files on purpose it is no help, as
/// whoever can change the app's files can change the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSum {
    /// Their number.
    pub bytes: u64,
    /// Their XXH64.
    pub checksum: u64,
}

impl std::fmt::Debug for ArtifactSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ArtifactSource::Embedded(bytes) => write!(f, "Embedded({} bytes)", bytes.len()),
            ArtifactSource::File(file) => write!(f, "File({:?})", file.name),
            ArtifactSource::Stub(reason) => write!(f, "Stub({reason:?})"),
        }
    }
}

/// Aligns embedded bytes to a page, so that a context binary can be used where it lies:
///
/// ```
/// // With a real file: `qnn::Aligned(*include_bytes!("digits.SM8650.bin"))`.
/// static BYTES: &qnn::Aligned<[u8]> = &qnn::Aligned(*b"a context binary");
/// assert!(BYTES.0.as_ptr().addr().is_multiple_of(4096));
/// ```
#[derive(Debug)]
#[repr(C, align(4096))]
pub struct Aligned<T: ?Sized>(pub T);
