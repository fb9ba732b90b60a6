//! Every struct and union of this crate that crosses the C interface: our name, the C name, size and alignment, and the offset
//! of each field by our name and the C name. The numbers are those of 64-bit targets, of the vendor's headers of core 2.37; `since`
//! names the first version that is known to have the struct, `"ir"` the headers of the IR backend. Anonymous members have the names
//! that bindgen gives them.
//!
//! `layouts!` is what the test that includes this module makes of the lists.

pub(crate) mod api;
pub(crate) mod htp;
pub(crate) mod system;
pub(crate) mod types;
