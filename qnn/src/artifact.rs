//! What the generated code hands to the runtime: one context binary per SoC, embedded or beside the executable.

/// One compiled model for one SoC. Generated code holds a static array of them per model, `ARTIFACTS`.
#[derive(Clone, Copy, Debug)]
pub struct Artifact {
    pub(crate) model: &'static str,
    pub(crate) soc: &'static str,
    pub(crate) soc_id: u32,
    pub(crate) arch: u32,
    pub(crate) build_id: &'static str,
    pub(crate) source: ArtifactSource,
    /// Op packages that it uses: registered before it is loaded.
    pub(crate) op_packages: &'static [OpPackage],
}

impl Artifact {
    /// Name of the model in the manifest.
    pub fn model(&self) -> &'static str {
        self.model
    }

    /// Name of the SoC it was compiled for, for example `SM8650`.
    pub fn soc(&self) -> &'static str {
        self.soc
    }

    /// The vendor's id of that SoC, for example 57.
    pub fn soc_id(&self) -> u32 {
        self.soc_id
    }

    /// Hexagon architecture of that SoC, for example 75.
    pub fn arch(&self) -> u32 {
        self.arch
    }

    /// Build id of the QNN library that compiled it, for example `v2.51.0.260929181845`; empty in a stub.
    pub fn build_id(&self) -> &'static str {
        self.build_id
    }

    /// Whether the app was built without the model (`QNN_BUILD=stub`): then it cannot be loaded.
    pub fn is_stub(&self) -> bool {
        matches!(self.source, ArtifactSource::Stub(_))
    }
}

/// A library with ops of the app's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpPackage {
    /// The package's name.
    pub(crate) name: &'static str,
    /// The function that hands out its interface.
    pub(crate) provider: &'static str,
    /// Name of the library: in `QNN_ARTIFACT_DIR`, beside the executable, or in the executable's `qnn` folder; on Android
    /// among the app's native libraries.
    pub(crate) file: &'static str,
    /// What a device registers it as, `HTP` or `CPU`; nothing in the emulator.
    pub(crate) target: Option<&'static str>,
    /// Where the build put it, for apps that run where they are built.
    pub(crate) built: Option<&'static str>,
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
    pub(crate) package: &'static str,
    /// Its name.
    pub(crate) name: &'static str,
    /// What its bytes are; any when `None`.
    pub(crate) sum: Option<FileSum>,
    /// Where the build put it, for apps that run where they are built.
    pub(crate) built: Option<&'static str>,
}

/// Length and checksum of a file. They find damage and mix-ups; against somebody who changes files on purpose it is no help, as
/// whoever can change the app's files can change the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileSum {
    /// Their number.
    pub(crate) bytes: u64,
    /// Their XXH64.
    pub(crate) checksum: u64,
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
/// use qnn::__private::v1::Aligned;
///
/// // With a real file: `Aligned(*include_bytes!("digits.SM8650.bin"))`.
/// static BYTES: &Aligned<[u8]> = &Aligned(*b"a context binary");
/// assert!(BYTES.0.as_ptr().addr().is_multiple_of(4096));
/// ```
#[derive(Debug)]
#[repr(C, align(4096))]
pub struct Aligned<T: ?Sized>(pub T);
