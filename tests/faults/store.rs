//! The store of compiled models: damaged, full, read-only, used by many at once.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::app::App;
use crate::support::Said;

type Edit = fn(&mut Vec<u8>);

/// Changes a file of the store, which protects its files.
fn change(file: &Path, edit: Edit) {
    let mut bytes = fs::read(file).unwrap();
    edit(&mut bytes);
    fs::set_permissions(file, Permissions::from_mode(0o644)).unwrap();
    fs::write(file, bytes).unwrap();
}

#[test]
fn a_damaged_entry_is_compiled_again_and_reported() {
    let app = App::of_digits();
    app.build().success();
    let good = fs::read(app.collected()).unwrap();
    let damages: [(&str, Edit, &str); 4] = [
        ("bin", |bytes| bytes[60_000] ^= 1, "not those that were written"),
        ("bin", |bytes| bytes.truncate(1000), "it has 1000 bytes"),
        ("bin", Vec::clear, "it has 0 bytes"),
        ("json", |bytes| bytes.truncate(20), "its record cannot be read"),
    ];
    for (extension, damage, why) in damages {
        change(&app.entries(extension)[0], damage);
        let said = app.build().success();
        for part in ["warning[qnn::E0601]", "compiled again", why, "Compiled digits (SM8650)"] {
            assert!(said.stderr.contains(part), "no {part:?} in:\n{}", said.stderr);
        }
        // The damaged file may have been the collected one as well: a link to it.
        assert!(fs::read(app.collected()).unwrap() == good, "{why}");
        let next = app.build().success();
        assert!(!next.stderr.contains("warning") && !next.stderr.contains("Compil"), "{}", next.stderr);
        app.assert_entries(1);
    }
}

/// Runs a shell script in a mount namespace of its own, with `cargo-qnn ARGS` of the app as `"$0" "$@"` and its store's folder
/// as `$QNN_CACHE_DIR`.
fn with_mounts(app: &App, args: &[&str], script: &str) -> Said {
    let allowed = Command::new("unshare").args(["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]).status();
    assert!(
        allowed.is_ok_and(|status| status.success()),
        "`unshare -rm mount …` must work here: it does not in most containers, nor where \
         /proc/sys/kernel/apparmor_restrict_unprivileged_userns is 1; to run the others: -- --skip full_disk --skip read_only"
    );
    fs::create_dir_all(app.store("..")).unwrap();
    let program = app.command(args);
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", script]).arg(program.get_program()).args(program.get_args());
    command.current_dir(app.path(""));
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Said::from(command.output().unwrap())
}

#[test]
fn a_full_disk_is_named_and_the_next_build_is_whole() {
    let app = App::of_digits();
    // Room for folders and locks, not for a context binary of 119 kB.
    let script = "mount -t tmpfs -o size=96k none \"$QNN_CACHE_DIR\" || exit 9\n\
                  \"$0\" \"$@\"; echo \"ended with $?, left: $(find \"$QNN_CACHE_DIR\" -name '*.bin')\"\n\
                  mount -o remount,size=8m \"$QNN_CACHE_DIR\" || exit 9\n\
                  echo enlarged >&2; exec \"$0\" \"$@\"";
    let said = with_mounts(&app, &["build", "--artifacts-only"], script);
    let said = said.success();
    assert!(said.stdout.contains("ended with 1, left: \n"), "{}\n{}", said.stdout, said.stderr);
    let (full, enlarged) = said.stderr.split_once("enlarged\n").unwrap();
    for part in ["error[qnn::E0603]", "the disk is full", "model `digits`", "cargo qnn cache prune"] {
        assert!(full.contains(part), "no {part:?} in:\n{full}");
    }
    assert!(enlarged.contains("Compiled digits") && !enlarged.contains("warning"), "{enlarged}");
}

#[test]
fn results_that_do_not_fit_the_disk_are_an_error() {
    let app = App::of_digits();
    app.compile("digits.onnx", &[]).success();
    let array = qnn_compiler::npz::Array {
        dtype: qnn::DataType::Float32,
        shape: vec![1, 1, 8, 8],
        data: vec![0; 256],
    };
    qnn_compiler::npz::write(&app.path("in.npz"), [("image", &array)]).unwrap();
    let exec = ["exec", "out/digits.onnx.bin", "--inputs", "in.npz", "--outputs"];
    app.run(&[&exec[..], &["/dev/full"]].concat()).failure(1, &["E0603", "the disk is full", "/dev/full"]);
    assert!(!fs::metadata("/dev/full").unwrap().is_file());
    app.run(&[&exec[..], &["out.npz"]].concat()).success();
}

#[test]
fn a_read_only_cache_is_read_and_what_is_new_is_kept_in_the_target_folder() {
    let app = App::of_digits();
    app.build().success();
    let script = "mount --bind \"$QNN_CACHE_DIR\" \"$QNN_CACHE_DIR\" || exit 9\n\
                  mount -o remount,ro,bind \"$QNN_CACHE_DIR\" || exit 9\n\
                  exec \"$0\" \"$@\"";
    let build = |more: &[&str]| {
        let args = [&["build", "--artifacts-only"], more].concat();
        with_mounts(&app, &args, script).success().stderr
    };
    let known = build(&[]);
    assert!(!known.contains("warning") && !known.contains("Compil"), "{known}");
    let new = build(&["--soc", "SM8750"]);
    for part in ["warning[qnn::E0602]", "Compiled digits (SM8750)", "target/qnn-cache", "set QNN_CACHE_DIR"] {
        assert!(new.contains(part), "no {part:?} in:\n{new}");
    }
    let again = build(&["--soc", "SM8750"]);
    assert!(!again.contains("warning") && !again.contains("Compil"), "{again}");
    app.assert_entries(1);
}

#[test]
fn of_eight_builds_at_once_one_compiles_and_the_others_use_it() {
    let app = App::of_digits();
    let start = || {
        let mut command = app.command(&["build", "--artifacts-only", "--message-format", "json"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let builds: Vec<_> = (0..8).map(|_| start()).collect();
    let mut compiled = 0;
    for build in builds {
        let said = Said::from(build.wait_with_output().unwrap()).success();
        let artifact: serde_json::Value = serde_json::from_str(said.stdout.lines().next().unwrap()).unwrap();
        assert_eq!(artifact["reason"], "qnn-artifact");
        let fresh = artifact["fresh"].as_bool().unwrap();
        assert_eq!(said.stderr.contains("Compiled digits"), !fresh, "{}", said.stderr);
        compiled += usize::from(!fresh);
    }
    assert_eq!(compiled, 1);
    app.assert_entries(1);
    assert!(fs::read(app.collected()).unwrap() == fs::read(&app.entries("bin")[0]).unwrap());
}
