//! The store of what steps make, shared by packages, targets, profiles and checkouts. [`BUCKETS`] is the table of its buckets.
//!
//! ```text
//! <cache>/CACHEDIR.TAG           backup programs skip the folder
//! <cache>/v1/artifacts/ab/ab….bin, ab….json
//! <cache>/v1/locks/ab…           one per key that is being compiled, with the process id
//! <cache>/v1/tmp/ab…/            what a worker is writing
//! <cache>/v1/ranges/             results of steps that are small: a sealed record each
//! <cache>/v1/memo/               facts of files, see `memo`
//! <cache>/v1/op-packages/        objects and libraries of op packages
//! <cache>/v1/scripts/            builds of packages, see `qnn_manifest::record`
//! ```
//!
//! Nothing else in the folder is ours, and nothing else is ever removed.
//!
//! An entry is there when its `.json` is: that is written last, and both files under another name first. So a killed
//! process leaves no entry that is half there; what it leaves in `tmp` goes with the next compile of the same key.

mod bucket;
mod entry;
mod lock;
mod prune;
mod root;
mod seal;

pub use bucket::{BUCKETS, Bucket, Kind};
pub use entry::{Entry, Lookup, Record};
pub use lock::Lock;
pub(crate) use lock::has_no_locks;
pub use prune::{BucketUsage, EntryInfo, Prune, Pruned, Usage};
pub use root::Store;

#[cfg(test)]
mod tests;
