use std::fs;
use std::path::Path;
use std::sync::mpsc::channel;
use std::time::{Duration, SystemTime};

use super::*;
use crate::key::Key;

fn store(folder: &Path) -> Store {
    Store::new(folder.join("cache"), Some(folder.join("fallback")))
}

fn key(n: u8) -> Key {
    Key::from_bytes([n; 32])
}

fn insert(store: &Store, key: &Key, bytes: &[u8]) -> Entry {
    let lock = store.lock(key, None, |_| {}).unwrap();
    let binary = lock.scratch().join("out.bin");
    fs::write(&binary, bytes).unwrap();
    let record = Record { model: "m".to_owned(), soc: "SM8650".to_owned(), ..Record::default() };
    store.insert(&lock, key, &binary, record).unwrap()
}

fn is_hit(store: &Store, key: &Key) -> bool {
    matches!(store.get(key), Lookup::Hit(_))
}

#[test]
fn an_entry_is_found_again_with_its_bytes_and_record() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(store(folder.path()).get(&key(1)), Lookup::Miss));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "looking creates nothing");
    insert(&store(folder.path()), &key(1), b"binary");
    let Lookup::Hit(entry) = store(folder.path()).get(&key(1)) else { panic!("no hit") };
    assert_eq!(fs::read(&entry.path).unwrap(), b"binary");
    assert_eq!((entry.record.model.as_str(), entry.record.bytes), ("m", 6));
    assert!(!is_hit(&store(folder.path()), &key(2)));
    let tag = fs::read_to_string(folder.path().join("cache/CACHEDIR.TAG")).unwrap();
    assert!(tag.starts_with("Signature: 8a477f597d28d172789f06886806bc55"));
}

#[test]
fn damaged_entries_are_reported_and_removed() {
    let damages: [fn(&Path); 4] = [
        |binary| {
            fs::remove_file(binary).unwrap();
            fs::write(binary, b"binarx").unwrap();
        },
        |binary| {
            fs::remove_file(binary).unwrap();
            fs::write(binary, b"bin").unwrap();
        },
        |binary| fs::remove_file(binary).unwrap(),
        |binary| fs::write(binary.with_extension("json"), "{").unwrap(),
    ];
    for (i, damage) in damages.iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path());
        damage(&insert(&store, &key(1), b"binary").path);
        let Lookup::Damaged(warning) = store.get(&key(1)) else { panic!("damage {i} was not seen") };
        assert_eq!(warning.code, "E0601");
        assert!(matches!(store.get(&key(1)), Lookup::Miss));
        insert(&store, &key(1), b"binary");
        assert!(is_hit(&store, &key(1)));
    }
}

#[test]
fn a_second_process_waits_for_the_first_and_is_told_its_id() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let first = store.lock(&key(1), None, |_| panic!("nobody has the lock")).unwrap();
    let (send, waited) = channel();
    std::thread::scope(|scope| {
        let second = scope.spawn(|| {
            let lock = store.lock(&key(1), None, |pid| send.send(pid).unwrap()).unwrap();
            assert!(lock.scratch().is_dir());
            is_hit(&store, &key(1))
        });
        assert_eq!(waited.recv().unwrap(), Some(std::process::id()));
        let binary = first.scratch().join("out.bin");
        fs::write(&binary, b"binary").unwrap();
        store.insert(&first, &key(1), &binary, Record::default()).unwrap();
        drop(first);
        assert!(second.join().unwrap(), "the second finds what the first made");
    });
}

#[test]
fn what_a_killed_process_left_is_gone_when_the_key_is_compiled_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let lock = store.lock(&key(1), None, |_| {}).unwrap();
    let scratch = lock.scratch().to_owned();
    fs::write(scratch.join("half.bin"), b"ha").unwrap();
    // As a killed process does: no destructor runs, and the system closes the file.
    let left = scratch.with_file_name("kept");
    fs::rename(&scratch, &left).unwrap();
    drop(lock);
    fs::rename(&left, &scratch).unwrap();
    assert!(matches!(store.get(&key(1)), Lookup::Miss));
    let lock = store.lock(&key(1), None, |_| {}).unwrap();
    assert_eq!(fs::read_dir(lock.scratch()).unwrap().count(), 0);
}

#[test]
fn a_cache_that_cannot_be_written_is_read_and_the_fallback_takes_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    insert(&store(folder.path()), &key(1), b"old");
    // A file where a folder should be stops root as well, whom permissions do not.
    let cache = folder.path().join("cache");
    fs::remove_dir_all(cache.join("v1/tmp")).unwrap();
    fs::write(cache.join("v1/tmp"), b"").unwrap();
    let store = store(folder.path());
    assert!(is_hit(&store, &key(1)));
    assert!(store.warnings().is_empty());
    let entry = insert(&store, &key(2), b"new");
    assert!(entry.path.starts_with(folder.path().join("fallback")));
    assert_eq!(store.warnings()[0].code, "E0602");
    assert!(is_hit(&store, &key(2)));
    let strict = Store::new(cache, None);
    assert_eq!(strict.lock(&key(3), None, |_| {}).unwrap_err().code, "E0602");
}

#[test]
fn pruning_removes_the_longest_unused_first() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    for (n, days) in [(1, 3), (2, 1), (3, 2)] {
        let entry = insert(&store, &key(n), &[n; 100]);
        let used = SystemTime::now() - Duration::from_secs(days * 24 * 3600);
        let side = fs::File::options().append(true).open(entry.path.with_extension("json")).unwrap();
        side.set_modified(used).unwrap();
    }
    assert_eq!((store.usage().entries, store.usage().bytes), (3, 300));
    let pruned = store.prune(Prune { max_bytes: Some(250), ..Prune::default() }).unwrap();
    assert_eq!(pruned.entries, 1);
    assert!(!is_hit(&store, &key(1)));
    let pruned =
        store.prune(Prune { unused_for: Some(Duration::from_secs(36 * 3600)), ..Prune::default() }).unwrap();
    assert_eq!(pruned.entries, 1);
    assert!(is_hit(&store, &key(2)));
    // Looking it up was a use.
    let pruned =
        store.prune(Prune { unused_for: Some(Duration::from_secs(3600)), ..Prune::default() }).unwrap();
    assert_eq!(pruned, Pruned::default());
    store.prune(Prune { all: true, ..Prune::default() }).unwrap();
    assert_eq!((store.usage().entries, store.usage().bytes), (0, 0));
    assert!(!is_hit(&store, &key(2)));
    insert(&store, &key(2), b"again");
    assert!(is_hit(&store, &key(2)));
}

#[test]
fn pruning_everything_leaves_what_is_being_compiled() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let lock = store.lock(&key(1), None, |_| {}).unwrap();
    let binary = lock.scratch().join("out.bin");
    fs::write(&binary, b"half").unwrap();
    store.prune(Prune { all: true, ..Prune::default() }).unwrap();
    store.insert(&lock, &key(1), &binary, Record::default()).unwrap();
    drop(lock);
    assert!(is_hit(&store, &key(1)));
}

/// A file that is not the store's, in a folder of it.
fn foreign(folder: &Path, name: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, b"mine").unwrap();
    let old = SystemTime::now() - Duration::from_secs(400 * 24 * 3600);
    fs::File::options().append(true).open(&path).unwrap().set_modified(old).unwrap();
    path
}

fn everything() -> Prune {
    Prune { all: true, ..Prune::default() }
}

#[test]
fn pruning_touches_nothing_that_is_not_the_stores() {
    let folder = tempfile::tempdir().unwrap();
    // As when `QNN_CACHE_DIR` is a home folder below a folder called `tmp`.
    let home = folder.path().join("tmp/home");
    let store = Store::new(home.clone(), None);
    let kept = insert(&store, &key(1), b"binary").path;
    let files: Vec<_> = [
        "thesis.tex",
        ".ssh/id",
        "tmp/old.txt",
        "v1/notes.txt",
        "v1/artifacts/paper.bin",
        "v1/artifacts/ab/paper.json",
        "v1/locks/door",
        "v1/memo/todo.txt",
        "artifacts/model.bin",
    ]
    .map(|name| foreign(&home, name))
    .into();
    store.prune(Prune::default()).unwrap();
    assert!(kept.is_file(), "below a folder called tmp, nothing is old scratch");
    let usage = store.usage();
    assert_eq!((usage.entries, usage.bytes), (1, 6), "{usage:?}");
    store.prune(everything()).unwrap();
    assert!(!kept.exists());
    for file in &files {
        assert_eq!(fs::read(file).unwrap(), b"mine", "{}", file.display());
    }
    let left = foreign(&home, "v1/tmp/left/half.bin");
    let old = SystemTime::now() - Duration::from_secs(4 * 24 * 3600);
    fs::File::open(left.parent().unwrap()).unwrap().set_modified(old).unwrap();
    store.prune(Prune::default()).unwrap();
    assert!(!left.exists(), "what a killed process left days ago");
}

#[test]
fn a_folder_without_our_tag_is_not_pruned() {
    for tag in [None, Some("Signature: 8a477f597d28d172789f06886806bc55\n# made by cargo\n")] {
        let folder = tempfile::tempdir().unwrap();
        let file = foreign(folder.path(), "v1/artifacts/ab/abc.bin");
        if let Some(tag) = tag {
            fs::write(folder.path().join("CACHEDIR.TAG"), tag).unwrap();
        }
        let store = Store::new(folder.path().to_owned(), None);
        assert_eq!(store.prune(everything()).unwrap_err().code, "E0606");
        assert!(file.is_file());
        // A store that was made in the folder is one, whoever else has a tag there.
        insert(&store, &key(1), b"binary");
        if tag.is_some() {
            assert_eq!(store.prune(everything()).unwrap().entries, 1);
        }
    }
    let nowhere = tempfile::tempdir().unwrap();
    assert_eq!(Store::new(nowhere.path().to_owned(), None).prune(everything()).unwrap(), Pruned::default());
}

#[test]
#[cfg(unix)]
fn links_out_of_the_store_are_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    insert(&store, &key(1), b"binary");
    let mine = foreign(folder.path(), "mine/ab/file");
    let root = folder.path().join("cache/v1");
    for name in ["tmp", "op-packages", "memo"] {
        let _ = fs::remove_dir_all(root.join(name));
        std::os::unix::fs::symlink(folder.path().join("mine"), root.join(name)).unwrap();
    }
    store.prune(everything()).unwrap();
    assert!(mine.is_file());
    fs::remove_file(root.join("tmp")).unwrap();

    // A lock file that leads to a file of the user's.
    let lock = root.join("locks").join(key(2).as_str());
    std::os::unix::fs::symlink(&mine, &lock).unwrap();
    assert_eq!(store.lock(&key(2), None, |_| {}).unwrap_err().code, "E0604");
    assert_eq!(fs::read(&mine).unwrap(), b"mine");
}

#[test]
#[cfg(unix)]
fn what_others_put_into_the_store_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    insert(&store, &key(1), b"binary");
    let entry = |n| insert(&store, &key(n), b"binary");
    let fifo = |path: &Path| {
        fs::remove_file(path).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    };
    let link = |path: &Path| {
        fs::remove_file(path).unwrap();
        std::os::unix::fs::symlink("/dev/zero", path).unwrap();
    };
    type Damage<'a> = (&'a str, &'a dyn Fn(&Path));
    let damages: [Damage<'_>; 6] = [
        ("fifo", &|binary| fifo(binary)),
        ("fifo", &|binary| fifo(&binary.with_extension("json"))),
        ("link", &|binary| link(binary)),
        ("link", &|binary| link(&binary.with_extension("json"))),
        ("other report", &|binary| {
            let side = binary.with_extension("json");
            let text = fs::read_to_string(&side).unwrap().replace("\"model\": \"m\"", "\"model\": \"n\"");
            fs::write(side, text).unwrap();
        }),
        ("other entry", &|binary| {
            let Lookup::Hit(other) = store.get(&key(1)) else { panic!("no hit") };
            for extension in ["bin", "json"] {
                let to = binary.with_extension(extension);
                fs::remove_file(&to).unwrap();
                fs::copy(other.path.with_extension(extension), to).unwrap();
            }
        }),
    ];
    for (n, (what, damage)) in (2..).zip(damages) {
        damage(&entry(n).path);
        assert!(matches!(store.get(&key(n)), Lookup::Damaged(_)), "{what} {n}");
        entry(n);
        assert!(is_hit(&store, &key(n)), "{what} {n}");
    }
}

#[test]
#[cfg(unix)]
fn a_store_that_everybody_may_write_to_is_said() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    insert(&store, &key(1), b"binary");
    assert!(store.warnings().is_empty(), "{:?}", store.warnings());
    for mode in [0o777, 0o1777] {
        fs::set_permissions(folder.path().join("cache/v1"), fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(store.warnings()[0].code, "E0607");
    }
}

#[test]
fn pruning_leaves_running_compiles_and_what_builds_have_found() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let found = insert(&store, &key(1), b"found");
    let lock = store.lock(&key(2), None, |_| {}).unwrap();
    for prune in [everything(), Prune { max_bytes: Some(1), ..Prune::default() }, Prune::default()] {
        store.prune(prune).unwrap();
        assert!(lock.scratch().is_dir(), "the worker has not written into it yet");
    }
    let binary = lock.scratch().join("out.bin");
    fs::write(&binary, b"binary").unwrap();
    store.insert(&lock, &key(2), &binary, Record::default()).unwrap();
    assert!(is_hit(&store, &key(2)));
    // The name is gone, the bytes are not.
    assert!(!found.path.exists());
    let to = folder.path().join("placed.bin");
    crate::files::link_or_copy(&found.path, found.held.as_deref(), &to).unwrap();
    assert_eq!(fs::read(to).unwrap(), b"found");
}

#[test]
fn waiting_for_another_process_has_the_limit_of_a_job() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let _first = store.lock(&key(1), None, |_| {}).unwrap();
    let limit = Some(Duration::from_millis(120));
    let problem = store.lock(&key(1), limit, |_| {}).unwrap_err();
    assert_eq!(problem.code, "E0505");
    assert!(problem.message.contains(&format!("process {}", std::process::id())), "{problem}");
}

#[test]
fn pruning_can_remove_what_other_engines_made() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    for (n, engine) in [(1, "ours"), (2, "theirs")] {
        let lock = store.lock(&key(n), None, |_| {}).unwrap();
        let binary = lock.scratch().join("out.bin");
        fs::write(&binary, [n; 10]).unwrap();
        let record = Record { engine: engine.to_owned(), ..Record::default() };
        store.insert(&lock, &key(n), &binary, record).unwrap();
    }
    store.keep(Kind::Ranges, &key(3), &vec![1.0]).unwrap();
    let sizes: Vec<_> = store.buckets().iter().map(|usage| (usage.bucket.kind, usage.entries)).collect();
    assert!(sizes.contains(&(Kind::Binary, 2)) && sizes.contains(&(Kind::Ranges, 1)), "{sizes:?}");
    let pruned = store.prune(Prune { but_for_engine: Some("ours"), ..Prune::default() }).unwrap();
    assert_eq!(pruned.entries, 1);
    assert!(is_hit(&store, &key(1)) && !is_hit(&store, &key(2)));
    assert!(store.result::<Vec<f64>>(Kind::Ranges, &key(3)).is_some(), "its key says which engine it is of");
    store.prune(everything()).unwrap();
    assert!(store.result::<Vec<f64>>(Kind::Ranges, &key(3)).is_none());
}
