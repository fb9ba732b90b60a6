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
    let lock = store.lock(key, |_| {}).unwrap();
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
    let first = store.lock(&key(1), |_| panic!("nobody has the lock")).unwrap();
    let (send, waited) = channel();
    std::thread::scope(|scope| {
        let second = scope.spawn(|| {
            let lock = store.lock(&key(1), |pid| send.send(pid).unwrap()).unwrap();
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
    let lock = store.lock(&key(1), |_| {}).unwrap();
    let scratch = lock.scratch().to_owned();
    fs::write(scratch.join("half.bin"), b"ha").unwrap();
    // As a killed process does: no destructor runs, and the system closes the file.
    let left = scratch.with_file_name("kept");
    fs::rename(&scratch, &left).unwrap();
    drop(lock);
    fs::rename(&left, &scratch).unwrap();
    assert!(matches!(store.get(&key(1)), Lookup::Miss));
    let lock = store.lock(&key(1), |_| {}).unwrap();
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
    assert_eq!(store.warning(), None);
    let entry = insert(&store, &key(2), b"new");
    assert!(entry.path.starts_with(folder.path().join("fallback")));
    assert_eq!(store.warning().map(|warning| warning.code.as_str()), Some("E0602"));
    assert!(is_hit(&store, &key(2)));
    let strict = Store::new(cache, None);
    assert_eq!(strict.lock(&key(3), |_| {}).unwrap_err().code, "E0602");
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
    let lock = store.lock(&key(1), |_| {}).unwrap();
    let binary = lock.scratch().join("out.bin");
    fs::write(&binary, b"half").unwrap();
    store.prune(Prune { all: true, ..Prune::default() }).unwrap();
    store.insert(&lock, &key(1), &binary, Record::default()).unwrap();
    drop(lock);
    assert!(is_hit(&store, &key(1)));
}
