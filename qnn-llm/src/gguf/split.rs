//! Models in several GGUF files, `NAME-00001-of-00003.gguf`: the first has the metadata, each has some of the tensors.

use std::path::{Path, PathBuf};

use super::{Gguf, Value};
use crate::problem::Problem;

/// Digits of a number in such a name.
const DIGITS: usize = 5;

/// Most files of a model.
const MOST: u64 = 1024;

/// A file of a split model: what its siblings are called.
struct Name<'a> {
    stem: &'a str,
    count: u64,
}

impl<'a> Name<'a> {
    fn of(path: &'a Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.strip_suffix(".gguf")?;
        let (rest, count) = name.rsplit_once("-of-")?;
        let (stem, number) = rest.rsplit_once('-')?;
        let digits = |text: &str| text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
        (digits(number) && digits(count)).then(|| Some(Self { stem, count: count.parse().ok()? }))?
    }

    fn file(&self, number: u64) -> String {
        format!("{}-{:0DIGITS$}-of-{:0DIGITS$}.gguf", self.stem, number + 1, self.count)
    }
}

/// The other files of a split model that are there, by their names alone.
pub fn siblings(path: &Path) -> Vec<PathBuf> {
    let Some(name) = Name::of(path) else { return Vec::new() };
    // A name can say any number; no more files than this are looked for.
    let paths = (0..name.count.min(MOST)).map(|number| path.with_file_name(name.file(number)));
    paths.filter(|other| other != path && other.is_file()).collect()
}

/// The whole model that `first`, the file at `path`, is one file of, with the paths of all files. A file that is not split stays as it is.
pub(crate) fn whole(first: Gguf, path: &Path) -> Result<(Gguf, Vec<PathBuf>), Problem> {
    let number = |gguf: &Gguf, key: &str| gguf.get(key).and_then(Value::unsigned);
    let count = number(&first, "split.count").unwrap_or(1);
    if count <= 1 {
        return Ok((first, vec![path.to_owned()]));
    }
    let Some(name) = Name::of(path).filter(|name| name.count == count && count <= MOST) else {
        let message =
            format!("this is one of {count} files of a split model, and its name does not say which");
        return Err(Problem::config(message)
            .help(format!("give it back its name, `NAME-00001-of-{count:0DIGITS$}.gguf`"))
            .of_file(path));
    };
    let paths: Vec<PathBuf> = (0..count).map(|number| path.with_file_name(name.file(number))).collect();
    let missing: Vec<String> =
        paths.iter().filter(|path| !path.is_file()).map(|path| path.display().to_string()).collect();
    if !missing.is_empty() {
        let message = format!("{} of the {count} files of a split model are missing", missing.len());
        return Err(Problem::damaged(message).note(crate::problem::some(&missing, 20)).of_file(path));
    }
    let mut all = Gguf::open(&paths[0])?;
    let expected = number(&all, "split.tensors.count");
    for (place, path) in paths.iter().enumerate() {
        let part = if place == 0 { None } else { Some(Gguf::open(path)?) };
        let read = part.as_ref().unwrap_or(&all);
        let said = (number(read, "split.no"), number(read, "split.count"));
        if said != (Some(place as u64), Some(count)) {
            let message = "the file is not the part of the split model that its name says";
            return Err(Problem::damaged(message)
                .note(format!("it says that it is number {:?} of {:?}, counted from 0", said.0, said.1))
                .of_file(path));
        }
        for (name, tensor) in part.into_iter().flat_map(|part| part.tensors) {
            if all.tensors.insert(name.clone(), tensor).is_some() {
                return Err(Problem::damaged(format!("tensor `{name}` is in two files")).of_file(path));
            }
        }
    }
    match expected.filter(|expected| *expected != all.tensors.len() as u64) {
        Some(expected) => {
            let message = format!("the files have {} tensors, and should have {expected}", all.tensors.len());
            Err(Problem::damaged(message).of_file(path))
        }
        None => Ok((all, paths)),
    }
}
