/// Wraps generated code, which begins with the protocol that it was generated for. One that this crate does not have ends the build
/// with a sentence instead of a page of names that cannot be found.
#[doc(hidden)]
#[macro_export]
macro_rules! __generated {
    (protocol = 1; $($code:tt)*) => {
        $($code)*
    };
    (protocol = $protocol:tt; $($code:tt)*) => {
        ::core::compile_error!(::core::concat!(
            "the crates `qnn` and `qnn-build` of this app do not fit each other: `qnn-build` generated code of protocol ",
            ::core::stringify!($protocol),
            ", this `qnn` has protocol 1. Give [dependencies] qnn and [build-dependencies] qnn-build the same version in Cargo.toml"
        ));
    };
}
