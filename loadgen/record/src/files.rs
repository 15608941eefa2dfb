//! A run's folder: its files, written whole, and those of an earlier run set aside.

use crate::run::{self, RunReport};
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

/// The figures of a run: [`RunReport`].
pub const RUN_FILE: &str = "run.json";
/// Every operation of a run.
pub const HISTORY_FILE: &str = "history.jsonl.zst";
/// The latencies of a run, by second and operation.
pub const HLOG_FILE: &str = "latency.hlog";
/// The run for a pull request.
pub const SUMMARY_FILE: &str = "summary.md";
/// The run for CI.
pub const JUNIT_FILE: &str = "junit.xml";

/// What a load run writes into its folder; an asterisk stands for the rest of a name.
pub const OUTPUTS: [&str; 6] = [RUN_FILE, SUMMARY_FILE, JUNIT_FILE, HLOG_FILE, HISTORY_FILE, "counterexample*.html"];

/// Folder in a run's folder for files of an earlier run.
const PREVIOUS: &str = "previous";

/// Moves the files of an earlier run away, into the folder `previous`: if this run fails before it writes its own, nobody
/// takes the old ones for its results. Those of the run before are removed, so that all are of one run.
///
/// # Errors
/// If one cannot be moved; the message names it.
pub fn set_aside(folder: &Path, outputs: &[&str]) -> io::Result<()> {
    let is_output = |name: &str| {
        outputs.iter().any(|output| match output.split_once('*') {
            Some((begin, end)) => name.starts_with(begin) && name.ends_with(end),
            None => name == *output,
        })
    };
    let files = |folder: &Path| -> io::Result<Vec<PathBuf>> {
        let entries = std::fs::read_dir(folder).map_err(|error| at(folder, &error))?;
        let paths: io::Result<Vec<PathBuf>> = entries.map(|entry| Ok(entry?.path())).collect();
        // What is no file, such as a device, holds no earlier results.
        let is_ours =
            |path: &PathBuf| path.is_file() && path.file_name().and_then(OsStr::to_str).is_some_and(is_output);
        Ok(paths.map_err(|error| at(folder, &error))?.into_iter().filter(is_ours).collect())
    };
    let earlier = files(folder)?;
    if earlier.is_empty() {
        return Ok(());
    }
    let previous = folder.join(PREVIOUS);
    std::fs::create_dir_all(&previous).map_err(|error| at(&previous, &error))?;
    for path in files(&previous)? {
        std::fs::remove_file(&path).map_err(|error| at(&path, &error))?;
    }
    for path in earlier {
        let moved = previous.join(path.file_name().unwrap_or_default());
        std::fs::rename(&path, moved).map_err(|error| at(&path, &error))?;
    }
    Ok(())
}

/// Writes a file so that it is whole at any time, or the one that was there before: a report is written again after the
/// clean-up, when the disk may be full or the run be ended.
///
/// # Errors
/// If it cannot be written.
pub fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let written = std::fs::write(&new, text).and_then(|()| std::fs::rename(&new, path));
    if written.is_err() {
        // It may not be there.
        let _ = std::fs::remove_file(&new);
    }
    written
}

/// Writes `run.json` into a run's folder.
///
/// # Errors
/// If it cannot be written; the message names it.
pub fn write_run(report: &RunReport, folder: &Path) -> io::Result<()> {
    let path = folder.join(RUN_FILE);
    write_whole(&path, &(serde_json::to_string_pretty(report)? + "\n")).map_err(|error| at(&path, &error))
}

/// Reads `run.json` from a run's folder.
///
/// # Errors
/// Where it cannot be read, or is no `run.json` of this version; the message names the file.
pub fn read_run(folder: &Path) -> io::Result<RunReport> {
    let path = folder.join(RUN_FILE);
    let text = std::fs::read_to_string(&path).map_err(|error| at(&path, &error))?;
    let invalid = |reason: String| {
        io::Error::new(io::ErrorKind::InvalidData, format!("{} is no {}: {reason}", path.display(), run::SCHEMA))
    };
    let json: serde_json::Value = serde_json::from_str(&text).map_err(|error| invalid(error.to_string()))?;
    if json["schema"] != run::SCHEMA {
        return Err(invalid(format!("its schema is {}", json["schema"])));
    }
    serde_json::from_value(json).map_err(|error| invalid(error.to_string()))
}

/// The error, with the file that it happened to.
#[must_use]
pub fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::run as sample;

    #[test]
    fn a_report_is_read_back_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        write_run(&sample(), folder.path()).unwrap();
        let again = read_run(folder.path()).unwrap();
        assert_eq!(serde_json::to_value(&again).unwrap(), serde_json::to_value(sample()).unwrap());
    }

    #[test]
    fn files_of_an_earlier_run_are_moved_away_and_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["run.json", "counterexample.html", "counterexample-2.html", "claims.json", "gates.toml"];
        std::os::unix::fs::symlink("/dev/full", folder.path().join("latency.hlog")).unwrap();
        for round in ["first", "second"] {
            names.iter().for_each(|name| std::fs::write(folder.path().join(name), round).unwrap());
            set_aside(folder.path(), &OUTPUTS).unwrap();
            for name in names {
                let is_moved = !folder.path().join(name).exists();
                assert_eq!(is_moved, !["claims.json", "gates.toml"].contains(&name), "{name}");
                let moved = std::fs::read_to_string(folder.path().join(PREVIOUS).join(name));
                assert_eq!(moved.ok().as_deref(), is_moved.then_some(round), "{name}");
            }
            assert!(folder.path().join("latency.hlog").is_symlink());
        }
        std::fs::write(folder.path().join("run.json"), "third").unwrap();
        set_aside(folder.path(), &OUTPUTS).unwrap();
        let previous = std::fs::read_dir(folder.path().join(PREVIOUS)).unwrap();
        assert_eq!(
            previous.map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>(),
            ["run.json"],
            "all of one run"
        );
    }

    #[test]
    fn what_is_no_run_json_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(RUN_FILE);
        let missing = read_run(folder.path()).unwrap_err();
        assert!(missing.to_string().starts_with(&path.display().to_string()), "{missing}");
        for (text, reason) in [
            ("{", "EOF"),
            ("{\"schema\":\"claimcheck.claims/1\"}", "claimcheck.claims/1"),
            ("{\"schema\":\"claimcheck.run/1\"}", "claimcheck.run/1"),
            ("{\"schema\":\"claimcheck.run/2\"}", "missing field"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = read_run(folder.path()).unwrap_err().to_string();
            assert!(error.contains("run.json is no claimcheck.run/2") && error.contains(reason), "{error}");
        }
        let gone = folder.path().join("gone");
        assert!(write_run(&sample(), &gone).unwrap_err().to_string().contains("gone/run.json"));
    }
}
