//! The binary: its one line, its help, its end.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const BINARY: &str = env!("CARGO_BIN_EXE_upload-emulator");

fn spawn(arguments: &[&str], temporary: &Path) -> Child {
    Command::new(BINARY)
        .args(arguments)
        .env("TMPDIR", temporary)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn address(child: &mut Child) -> (String, BufReader<std::process::ChildStdout>) {
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    let address = line.trim_end().strip_prefix("upload-emulator listening on ").unwrap();
    assert!(address.starts_with("http://127.0.0.1:"), "{line}");
    (address.to_owned(), stdout)
}

fn folders(path: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test]
async fn it_prints_its_address_and_ends_on_signals_leaving_nothing() {
    for signal in ["-TERM", "-INT"] {
        let temporary = tempfile::tempdir().unwrap();
        let mut child = spawn(&["--port", "0", "--quiet"], temporary.path());
        let (address, mut stdout) = address(&mut child);
        assert_eq!(folders(temporary.path()).len(), 1);
        // A request that never ends must not keep it alive.
        let client = reqwest::Client::new();
        let rules = serde_json::json!([{"operation": "get", "fault": {"kind": "stall", "when": "before_body"}}]);
        client.post(format!("{address}/_emulator/faults")).json(&rules).send().await.unwrap();
        let stalled = tokio::spawn(client.get(format!("{address}/file-storage/upload-sessions/a")).send());
        while folders(temporary.path()).len() == 1 && left(&client, &address).await > 0 {}
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        assert!(child.wait().unwrap().success(), "{signal}");
        assert!(stalled.await.unwrap().is_err());
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "", "one line only");
        let mut errors = String::new();
        child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        assert_eq!(errors, "", "quiet");
        assert_eq!(folders(temporary.path()), Vec::<PathBuf>::new(), "the temporary directory is gone");
    }
}

async fn left(client: &reqwest::Client, address: &str) -> usize {
    let answer = client.get(format!("{address}/_emulator/faults")).send().await.unwrap();
    answer.json::<Vec<serde_json::Value>>().await.unwrap().len()
}

#[test]
fn help_explains_every_flag() {
    let output = Command::new(BINARY).arg("--help").output().unwrap();
    assert!(output.status.success());
    let help = String::from_utf8(output.stdout).unwrap();
    let flags = ["port", "dir", "discard", "rate", "part-size", "parallel", "expires-in", "mount", "quiet"];
    for flag in flags {
        assert!(help.contains(&format!("--{flag}")), "{flag} is missing in:\n{help}");
    }
    for word in ["x-apideck-service-id", "/_emulator", "google-drive"] {
        assert!(help.contains(word), "{word} is missing in:\n{help}");
    }
}

#[test]
fn flags_that_make_no_sense_are_refused() {
    let wrong: [&[&str]; 5] = [
        &["--rate", "0"],
        &["--part-size", "0"],
        &["--parallel", "perhaps"],
        &["--mount", "/demo=/nowhere/at/all"],
        &["--port", "70000"],
    ];
    for arguments in wrong {
        let output = Command::new(BINARY).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(String::from_utf8(output.stderr).unwrap().contains(arguments[0]));
    }
}

#[tokio::test]
async fn a_given_directory_keeps_finished_files_only() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path().join("kept");
    let mut child = spawn(&["--port", "0", "--dir", dir.to_str().unwrap()], temporary.path());
    let (address, _stdout) = address(&mut child);
    let request = |path: &str| {
        let request = reqwest::Client::new().post(format!("{address}/file-storage/{path}"));
        request.bearer_auth("key").header("x-apideck-app-id", "app").header("x-apideck-consumer-id", "consumer")
    };
    let body = serde_json::json!({"name": "a", "parent_folder_id": "root", "size": 1});
    let created = request("upload-sessions").json(&body).send().await.unwrap();
    assert_eq!(created.status(), 201);
    let metadata = r#"{"name":"a","parent_folder_id":"root"}"#;
    let file = request("files").header("x-apideck-metadata", metadata).body("bytes").send().await.unwrap();
    let id = file.json::<serde_json::Value>().await.unwrap()["data"]["id"].as_str().unwrap().to_owned();
    assert_eq!(folders(&dir).len(), 2, "parts and files");
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    assert!(child.wait().unwrap().success());
    assert_eq!(folders(&dir), [dir.join("files")]);
    assert_eq!(std::fs::read(dir.join("files").join(id)).unwrap(), b"bytes");
    let mut log = String::new();
    child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert!(log.contains("operation=Direct") && !log.contains("key"), "{log}");
}

#[test]
fn what_keeps_it_from_starting_is_told_in_words() {
    let temporary = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let file = temporary.path().join("file");
    std::fs::write(&file, "").unwrap();
    let dir = file.to_str().unwrap();
    for (arguments, words) in [
        (["--port", &port], format!("error: cannot listen on port {port} of 127.0.0.1: ")),
        (["--port=0", &format!("--dir={dir}")], format!("error: cannot keep parts and files in {dir}: ")),
    ] {
        let output = spawn(&arguments, temporary.path()).wait_with_output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{errors}");
        assert!(errors.starts_with(&words) && !errors.contains("Os {"), "{errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
    }
}
