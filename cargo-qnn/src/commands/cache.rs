//! `cargo qnn cache`: the store of compiled models.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use qnn_pipeline::store::{BucketUsage, Prune};
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Result;
use crate::models::store;
use crate::session::Session;
use crate::term::size;

/// Arguments of `cargo qnn cache`.
#[derive(Debug, Args)]
pub(crate) struct CacheArgs {
    #[command(subcommand)]
    command: CacheCommand,
}

#[derive(Debug, Subcommand)]
enum CacheCommand {
    /// Print the folder
    Dir,
    /// Print how much it holds
    Size {
        /// Answer as JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove what was not used for long, or another version of cargo-qnn compiled; builds make it again when they need it
    Prune(PruneArgs),
}

#[derive(Debug, Args)]
struct PruneArgs {
    /// Remove everything
    #[arg(long)]
    all: bool,
    /// Remove what was not used for this many days; without options, 30
    #[arg(long, value_name = "DAYS")]
    unused_for: Option<u64>,
    /// Remove what was unused for longest until the rest takes at most this: 500M, 10G
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    max_size: Option<u64>,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

/// What `cache size --json` answers.
#[derive(Serialize)]
struct Sizes {
    path: PathBuf,
    entries: usize,
    bytes: u64,
    other_bytes: u64,
    buckets: Vec<BucketSize>,
}

/// A bucket in the answer of `cache size --json`.
#[derive(Serialize)]
struct BucketSize {
    folder: &'static str,
    what: &'static str,
    entries: usize,
    bytes: u64,
}

/// What `cache prune --json` answers.
#[derive(Serialize)]
struct Removed {
    entries: usize,
    bytes: u64,
}

/// Days after which `prune` removes when it is not told anything.
const DEFAULT_DAYS: u64 = 30;

pub(crate) fn run(session: &Session, args: &CacheArgs) -> Result<Exit> {
    let term = &session.term;
    let store = store(None)?;
    match &args.command {
        CacheCommand::Dir => term.data(store.cache().display())?,
        CacheCommand::Size { json } => {
            let usage = store.usage();
            let path = store.cache().to_owned();
            let buckets = store.buckets();
            if *json {
                let (entries, bytes, other_bytes) = (usage.entries, usage.bytes, usage.other_bytes);
                let size = |usage: &BucketUsage| BucketSize {
                    folder: usage.bucket.folder,
                    what: usage.bucket.what,
                    entries: usage.entries,
                    bytes: usage.bytes,
                };
                let buckets = buckets.iter().map(size).collect();
                term.json(&Sizes { path, entries, bytes, other_bytes, buckets })?;
            } else {
                let total = size(usage.bytes + usage.other_bytes);
                term.data(format!("{total}  {} context binaries  {}", usage.entries, path.display()))?;
                for usage in buckets.iter().filter(|usage| usage.entries > 0) {
                    term.data(format!("{:>9}  {} {}", size(usage.bytes), usage.entries, usage.bucket.what))?;
                }
            }
        }
        CacheCommand::Prune(args) => {
            let nothing_said = !args.all && args.max_size.is_none() && args.unused_for.is_none();
            let days = args.unused_for.or(nothing_said.then_some(DEFAULT_DAYS));
            let pruned = store.prune(Prune {
                all: args.all,
                unused_for: days.map(|days| Duration::from_secs(days.saturating_mul(24 * 3600))),
                max_bytes: args.max_size,
                but_for_engine: nothing_said.then_some(qnn_compiler::ENGINE),
            })?;
            if args.json {
                term.json(&Removed { entries: pruned.entries, bytes: pruned.bytes })?;
            } else {
                term.status(
                    "Removed",
                    format!("{} context binaries, {}", pruned.entries, size(pruned.bytes)),
                );
            }
        }
    }
    Ok(Exit::Ok)
}

/// `500M`, `1.5G`, `1000` (bytes).
fn parse_size(text: &str) -> Result<u64, String> {
    let text = text.trim().trim_end_matches(['B', 'b']);
    let (number, unit) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (&text[..at], 1e3),
        Some((at, 'm' | 'M')) => (&text[..at], 1e6),
        Some((at, 'g' | 'G')) => (&text[..at], 1e9),
        Some((at, 't' | 'T')) => (&text[..at], 1e12),
        _ => (text, 1.0),
    };
    match number.trim().parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Ok((number * unit) as u64),
        _ => Err("expected a size such as 500M or 10G".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_unit() {
        assert_eq!(parse_size("500M"), Ok(500_000_000));
        assert_eq!(parse_size("1.5 GB"), Ok(1_500_000_000));
        assert_eq!(parse_size("12"), Ok(12));
        for nonsense in ["", "M", "-1G", "many"] {
            assert!(parse_size(nonsense).is_err(), "{nonsense}");
        }
    }
}
