//! Facts about files that are dear to compute (hashes, versions inside libraries), remembered for as long as the file
//! keeps its length, its times of modification and change, its device and its inode.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::files::{Stat, write_atomic};

/// What other code has computed may be something else: facts belong to the identity of what reads them.
const READER: &str = env!("QNN_PIPELINE");

/// The coarsest clock of a file system: what was written within this time is not remembered.
const COARSEST_CLOCK: Duration = Duration::from_secs(2);

/// A folder of remembered facts; without one, nothing is remembered.
#[derive(Clone, Debug, Default)]
pub struct Memo {
    folder: Option<PathBuf>,
    coarsest: Duration,
}

#[derive(Serialize, Deserialize)]
struct Entry<T> {
    path: PathBuf,
    stat: Stat,
    fact: T,
}

impl Memo {
    /// Remembers in `folder`, which need not exist. A folder that cannot be written is no error: facts are computed anew.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder: Some(folder), coarsest: COARSEST_CLOCK }
    }

    /// The fact of kind `kind` about `file`: the remembered one, or what `compute` returns.
    ///
    /// # Errors
    /// What `compute` returns; nothing is remembered then.
    pub fn fact<T, E>(&self, kind: &str, file: &Path, compute: impl FnOnce() -> Result<T, E>) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned,
    {
        let place = self.folder.as_deref().and_then(|folder| {
            let path = fs::canonicalize(file).ok()?;
            let name = blake3::hash(format!("{kind}\0{READER}\0{}", path.display()).as_bytes()).to_hex();
            Some((folder, path, Stat::of(file).ok()?, format!("{}.json", &name[..32])))
        });
        let Some((folder, path, stat, name)) = place else { return compute() };
        let remembered = fs::read(folder.join(&name)).ok();
        if let Some(entry) = remembered.and_then(|json| serde_json::from_slice::<Entry<T>>(&json).ok())
            && entry.stat == stat
            && entry.path == path
        {
            return Ok(entry.fact);
        }
        let fact = compute()?;
        if !stat.is_fresh(self.coarsest) && Stat::of(file).is_ok_and(|after| after == stat) {
            let entry = Entry { path, stat, fact };
            if let Ok(json) = serde_json::to_vec(&entry) {
                // Forgetting costs time only.
                let _ =
                    fs::create_dir_all(folder).and_then(|()| write_atomic(&folder.join(name), &json, false));
            }
            return Ok(entry.fact);
        }
        Ok(fact)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::time::{Duration, SystemTime};

    use super::*;

    /// A clock so fine that tests need not wait for seconds.
    const CLOCK: Duration = Duration::from_millis(50);

    fn memo(folder: &Path) -> Memo {
        Memo { coarsest: CLOCK, ..Memo::new(folder.join("memo")) }
    }

    /// Writes a file with a time of modification in the past, and waits until that is remembered.
    fn write(file: &Path, bytes: &str, seconds: u64) {
        fs::write(file, bytes).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        fs::File::options().write(true).open(file).unwrap().set_modified(time).unwrap();
        std::thread::sleep(CLOCK * 2);
    }

    fn text(memo: &Memo, file: &Path, computed: &mut u32) -> String {
        let fact = memo.fact("text", file, || {
            *computed += 1;
            Ok::<_, Infallible>(fs::read_to_string(file).unwrap())
        });
        fact.unwrap()
    }

    #[test]
    fn a_fact_is_computed_once_until_the_file_changes() {
        let folder = tempfile::tempdir().unwrap();
        let memo = memo(folder.path());
        let file = folder.path().join("file");
        let mut computed = 0;
        write(&file, "abc", 60);
        for _ in 0..2 {
            assert_eq!((text(&memo, &file, &mut computed).as_str(), computed), ("abc", 1));
        }
        write(&file, "abcd", 60);
        assert_eq!((text(&memo, &file, &mut computed).as_str(), computed), ("abcd", 2));
        write(&file, "abcd", 90);
        assert_eq!((text(&memo, &file, &mut computed).as_str(), computed), ("abcd", 3));
    }

    #[test]
    #[cfg(unix)]
    fn a_file_that_looks_as_before_is_another_when_it_was_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let memo = memo(folder.path());
        let file = folder.path().join("file");
        let mut computed = 0;
        for (count, bytes) in ["one", "two"].iter().enumerate() {
            // The same length, time and inode.
            write(&file, bytes, 60);
            assert_eq!((text(&memo, &file, &mut computed).as_str(), computed as usize), (*bytes, count + 1));
        }
    }

    #[test]
    fn a_file_written_just_now_is_not_trusted_to_stay() {
        let folder = tempfile::tempdir().unwrap();
        let memo = Memo::new(folder.path().join("memo"));
        let file = folder.path().join("file");
        let mut computed = 0;
        fs::write(&file, "abc").unwrap();
        text(&memo, &file, &mut computed);
        text(&memo, &file, &mut computed);
        assert_eq!(computed, 2);
    }

    #[test]
    fn a_damaged_memo_and_a_missing_folder_cost_only_time() {
        let folder = tempfile::tempdir().unwrap();
        let known = memo(folder.path());
        let file = folder.path().join("file");
        let mut computed = 0;
        write(&file, "abc", 60);
        text(&known, &file, &mut computed);
        for entry in fs::read_dir(folder.path().join("memo")).unwrap() {
            fs::write(entry.unwrap().path(), "{").unwrap();
        }
        assert_eq!((text(&known, &file, &mut computed).as_str(), computed), ("abc", 2));
        let nowhere = memo(&file);
        assert_eq!((text(&nowhere, &file, &mut computed).as_str(), computed), ("abc", 3));
        assert_eq!((text(&Memo::default(), &file, &mut computed).as_str(), computed), ("abc", 4));
    }
}
