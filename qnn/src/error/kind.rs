//! What kind of error there was.

/// What kind of error there was. Kinds are added from time to time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The QNN libraries are in none of the places where they may be.
    LibrariesNotFound,
    /// A QNN library was found and could not be used.
    Load,
    /// The loaded library is too old for what was asked of it.
    MissingFunction,
    /// These libraries cannot compose DLC files.
    Dlc,
    /// A call of the vendor's library failed: [`crate::Error::vendor`] has the code and the library's log.
    Vendor,
    /// No SoC of this name or id is known.
    UnknownSoc,
    /// The app was built without its models (`QNN_BUILD=stub`, or on docs.rs).
    Stub,
    /// None of the model's artifacts runs on this device.
    NoArtifact,
    /// A context binary that is kept as a file is not there.
    ArtifactFile,
    /// A context binary that is kept as a file is there, and is not the one that the app was built with: of another build, of another app,
    /// or damaged.
    OtherArtifact,
    /// A loaded context binary does not have the graph, tensors or shapes that the code was generated for.
    OtherShape,
    /// A slice does not have as many elements as the tensor that it is for.
    SliceLength,
    /// A context binary does not fit the library or the device it would be loaded on; [`crate::Error::details`] are the disagreements.
    Incompatible,
    /// The emulator has one amount of VTCM for the whole process, that of the graph that was compiled or loaded last.
    EmulatedVtcm,
    /// A context binary uses ops of packages that were not registered; [`crate::Error::details`] are the ops, as `package::Op` or as the
    /// library names their kernels.
    OpPackageMissing,
    /// The library of an op package is not there.
    OpPackageFile,
    /// A file could not be read or written; [`crate::Error::cause`] is the [`std::io::Error`].
    File,
    /// The context has no graph of this name; [`crate::Error::details`] are the names there are.
    UnknownGraph,
    /// The graph has no input or output of this name; [`crate::Error::details`] are the names there are.
    UnknownTensor,
    /// An input or output of the graph was given no buffer, or two.
    TensorCount,
    /// A buffer's element type is not the tensor's.
    TensorType,
    /// A buffer's length is not the tensor's.
    TensorLength,
    /// A buffer of bytes does not begin where an element may.
    TensorAlignment,
    /// What is to be built or loaded is wrong in a way that the library would not have noticed.
    Invalid,

    /// A folder has no description of a compiled language model.
    LlmNotFound,
    /// A folder has descriptions of several language models; [`crate::Error::details`] are their names.
    SeveralLlms,
    /// The description of a language model cannot be read, or its numbers do not fit each other.
    LlmDescription,
    /// A file of a language model is not what its description says; [`crate::Error::details`] are the disagreements.
    LlmMismatch,
    /// The language model has no tokenizer.
    NoTokenizer,
    /// A tokenizer refuses its file or a text.
    Tokenizer,
    /// The language model has no chat template.
    NoChatTemplate,
    /// A chat template is wrong or refuses a conversation.
    ChatTemplate,
    /// More tokens than the context has room for.
    ContextFull,
    /// No such token.
    UnknownToken,
    /// Nothing was fed from which the next token could follow.
    NoLogits,
    /// The language model computed something that is no number.
    NotANumber,
    /// A sampling option out of its range.
    Sampling,
}
