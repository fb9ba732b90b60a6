//! How a C enumeration is declared in this crate.

/// Declares a C enumeration as a transparent `u32` with one associated constant per enumerator.
///
/// A Rust `enum` would be undefined behaviour for a value that a newer library returns and this crate does not know.
/// The string is the C prefix: prefix and constant name together are the C name, which `ALL` lists for decoding and for
/// the comparison with the vendor's headers.
macro_rules! c_enum {
    ($(#[$meta:meta])* $name:ident, $prefix:literal { $($(#[$vmeta:meta])* $variant:ident = $value:expr,)* }) => {
        $(#[$meta])*
        #[repr(transparent)]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            $(
                #[doc = concat!("`", $prefix, stringify!($variant), "`.")]
                $(#[$vmeta])*
                pub const $variant: Self = Self($value);
            )*

            /// Every known constant: its C name and value.
            pub const ALL: &'static [(&'static str, u32)] =
                &[$((concat!($prefix, stringify!($variant)), $value),)*];

            /// The C name of this value, when it is a known one.
            pub fn c_name(self) -> Option<&'static str> {
                Self::ALL.iter().find(|(_, value)| *value == self.0).map(|(name, _)| *name)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self.c_name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, concat!(stringify!($name), "({:#x})"), self.0),
                }
            }
        }
    };
}
