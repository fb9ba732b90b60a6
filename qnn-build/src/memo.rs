//! Facts about files that are dear to compute (hashes, versions inside libraries), remembered for as long as the file
//! keeps its length, modification time and inode.

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::files::{Stat, write_atomic};

/// A folder of remembered facts; without one, nothing is remembered.
#[derive(Clone, Debug, Default)]
pub struct Memo {
    folder: Option<PathBuf>,
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
        Self { folder: Some(folder) }
    }

    /// The fact of kind `kind` about `file`: the remembered one, or what `compute` returns.
    ///
    /// # Errors
    /// What `compute` returns; nothing is remembered then.
    pub(crate) fn fact<T, E>(
        &self,
        kind: &str,
        file: &Path,
        compute: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned,
    {
        let place = self.folder.as_deref().and_then(|folder| {
            let path = fs::canonicalize(file).ok()?;
            let name = blake3::hash(format!("{kind}\0{}", path.display()).as_bytes()).to_hex();
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
        if !stat.is_fresh() && Stat::of(file).is_ok_and(|after| after == stat) {
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

    fn age(file: &Path, seconds: u64) {
        let time = SystemTime::now() - Duration::from_secs(seconds);
        fs::File::options().write(true).open(file).unwrap().set_modified(time).unwrap();
    }

    fn length(memo: &Memo, file: &Path, computed: &mut u32) -> u64 {
        let fact = memo.fact("length", file, || {
            *computed += 1;
            Ok::<_, Infallible>(fs::metadata(file).unwrap().len())
        });
        fact.unwrap()
    }

    #[test]
    fn a_fact_is_computed_once_until_the_file_changes() {
        let folder = tempfile::tempdir().unwrap();
        let memo = Memo::new(folder.path().join("memo"));
        let file = folder.path().join("file");
        let mut computed = 0;
        fs::write(&file, "abc").unwrap();
        age(&file, 60);
        assert_eq!((length(&memo, &file, &mut computed), computed), (3, 1));
        assert_eq!((length(&memo, &file, &mut computed), computed), (3, 1));
        fs::write(&file, "abcd").unwrap();
        age(&file, 60);
        assert_eq!((length(&memo, &file, &mut computed), computed), (4, 2));
        age(&file, 30);
        assert_eq!((length(&memo, &file, &mut computed), computed), (4, 3));
    }

    #[test]
    fn a_file_written_just_now_is_not_trusted_to_stay() {
        let folder = tempfile::tempdir().unwrap();
        let memo = Memo::new(folder.path().join("memo"));
        let file = folder.path().join("file");
        let mut computed = 0;
        fs::write(&file, "abc").unwrap();
        length(&memo, &file, &mut computed);
        length(&memo, &file, &mut computed);
        assert_eq!(computed, 2);
    }

    #[test]
    fn a_damaged_memo_and_a_missing_folder_cost_only_time() {
        let folder = tempfile::tempdir().unwrap();
        let memo = Memo::new(folder.path().join("memo"));
        let file = folder.path().join("file");
        let mut computed = 0;
        fs::write(&file, "abc").unwrap();
        age(&file, 60);
        length(&memo, &file, &mut computed);
        for entry in fs::read_dir(folder.path().join("memo")).unwrap() {
            fs::write(entry.unwrap().path(), "{").unwrap();
        }
        assert_eq!((length(&memo, &file, &mut computed), computed), (3, 2));
        let nowhere = Memo::new(file.join("below-a-file"));
        assert_eq!((length(&nowhere, &file, &mut computed), computed), (3, 3));
        assert_eq!((length(&Memo::default(), &file, &mut computed), computed), (3, 4));
    }
}
