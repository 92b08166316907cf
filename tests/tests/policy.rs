//! What administrators have set: the bootstrap file's one launch, and `policy explain`.

use std::path::{Path, PathBuf};

use offhook_interop::{Client, Lab, Scratch, Setup, offhook, until};
use serde_json::{Value, json};

/// Runs `policy explain --json`; exit status and rows.
#[track_caller]
fn explain(profile: &Path, words: &[&Path]) -> (i32, Vec<Value>) {
    let mut command = offhook();
    command.args(["policy", "explain", "--json", "--profile"]).arg(profile).args(words);
    let output = command.output().expect("the program runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let rows = serde_json::from_str(&said).unwrap_or_else(|error| {
        panic!("{error}: {said:?} {}", String::from_utf8_lossy(&output.stderr))
    });
    (output.status.code().unwrap_or(-1), rows)
}

#[track_caller]
fn row<'a>(rows: &'a [Value], key: &str) -> &'a Value {
    rows.iter().find(|row| row["key"] == key).unwrap_or_else(|| panic!("no {key} in {rows:?}"))
}

fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("a file");
    path
}

/// Starts a client with this bootstrap file, waits until the profile knows that it was started, and
/// ends it. Gives the profile, and what the user was told.
fn launch(folder: &Path, bootstrap: &Path) -> (PathBuf, Value) {
    let setup = Setup { bootstrap: Some(bootstrap.to_owned()), ..Setup::default() };
    let mut client = Client::start(folder, "a", &setup);
    let profile = client.profile.clone();
    let kept = profile.join("config/provisioned.json");
    until("the launch is kept", 20, || kept.is_file().then_some(()));
    let problems = client.must("diagnostics.get", Value::Null)["problems"].clone();
    assert_eq!(client.end(), Some(0));
    (profile, problems)
}

#[test]
fn the_bootstrap_file_counts_on_the_first_launch_and_with_clear() {
    let scratch = Scratch::new();
    let folder = scratch.path();
    let path = file(folder, "b.properties", "ServicesDomain: one.example\nNOT_SPECIFIED\n");
    let (profile, told) = launch(folder, &path);
    assert_eq!(told, json!([]));
    let (status, rows) = explain(&profile, &[]);
    let domain = row(&rows, "ServicesDomain");
    assert_eq!((status, &domain["value"]), (0, &json!("one.example")));
    assert_eq!((&domain["source"], &domain["line"]), (&json!("bootstrap"), &json!(1)));
    assert_eq!(domain["overridden"], json!([]));

    file(folder, "b.properties", "SERVICES_DOMAIN=two.example\n");
    let (_, told) = launch(folder, &path);
    assert_eq!(told[0]["rule"], "D23", "{told}");
    let (status, rows) = explain(&profile, &[Path::new("--bootstrap"), &path]);
    assert_eq!((status, &row(&rows, "ServicesDomain")["value"]), (1, &json!("one.example")));
    assert!(rows.iter().any(|row| row["oddities"].to_string().contains("CLEAR=1")), "{rows:?}");

    file(folder, "b.properties", "SERVICES_DOMAIN=three.example\nCLEAR=1\n");
    assert_eq!(launch(folder, &path).1, json!([]));
    let (status, rows) = explain(&profile, &[]);
    assert_eq!((status, &row(&rows, "ServicesDomain")["value"]), (0, &json!("three.example")));
}

#[test]
fn asking_is_no_first_launch_and_changes_nothing() {
    let scratch = Scratch::new();
    let profile = scratch.path().join("profile");
    let path = file(scratch.path(), "b", "TFTP=tftp.example\n");
    let (status, rows) = explain(&profile, &[Path::new("--bootstrap"), &path]);
    assert_eq!((status, &row(&rows, "TftpServer1")["value"]), (0, &json!("tftp.example")));
    assert!(!profile.exists());
}

#[test]
fn files_are_layered_and_judged() {
    let scratch = Scratch::new();
    let folder = scratch.path();
    let bootstrap = file(folder, "jabber-bootstrap.properties", "Telephony_Enabled: true\n");
    let policies = |inner: &str| format!("<config>\n<Policies>\n{inner}\n</Policies>\n</config>");
    let global = file(
        folder,
        "jabber-config.xml",
        &policies("<Telephony_Enabled>false</Telephony_Enabled>\n<im_enabled>false</im_enabled>"),
    );
    let group = file(folder, "sales.xml", &policies("<Telephony_Enabled>TRUE</Telephony_Enabled>"));
    let (status, rows) = explain(folder, &[&bootstrap, &group, &global]);
    assert_eq!(status, 1, "a misspelt name is an error: {rows:?}");
    let telephony = row(&rows, "Telephony_Enabled");
    assert_eq!((&telephony["value"], &telephony["source"]), (&json!("TRUE"), &json!("groupFile")));
    let lost: Vec<_> = telephony["overridden"].as_array().into_iter().flatten().collect();
    let sources: Vec<_> = lost.iter().map(|lost| lost["source"].clone()).collect();
    assert_eq!(sources, ["globalFile", "bootstrap"]);
    assert!(row(&rows, "im_enabled")["oddities"].to_string().contains("IM_Enabled"));

    let (status, rows) = explain(folder, &[&group]);
    assert_eq!((status, rows.len()), (0, 1), "{rows:?}");

    let broken = file(folder, "broken.xml", "<config><Policies></config>");
    let (status, rows) = explain(folder, &[&broken]);
    assert_eq!(status, 1);
    assert!(rows[0]["oddities"].to_string().contains("ignored as a whole"), "{rows:?}");
}

#[test]
fn the_files_of_the_cluster_are_kept_and_explained() {
    let scratch = Scratch::new();
    let lab = Lab::start(scratch.path(), &["misspelt-key", "clear-directory-credentials"], "");
    let setup = Setup {
        name_server: Some(lab.name_server()),
        ca_file: Some(lab.authority()),
        ..Setup::default()
    };
    let mut client = Client::start(scratch.path(), "alice", &setup);
    client.sign_in("alice@lab.example", "secret", &["im", "phone"]);
    let profile = client.profile.clone();
    assert_eq!(client.end(), Some(0));

    let (status, rows) = explain(&profile, &[]);
    assert_eq!(status, 1, "{rows:?}");
    let idle = row(&rows, "Set_Status_Inactive_Timeout");
    assert_eq!((&idle["source"], &idle["value"]), (&json!("groupFile"), &json!("5")));
    assert_eq!(idle["overridden"][0]["source"], "globalFile");
    let kind = row(&rows, "DirectoryServerType");
    assert_eq!((&kind["source"], &kind["value"]), (&json!("serviceProfile"), &json!("UDS")));
    assert_eq!(kind["overridden"][0]["value"], "EDI");
    let password = row(&rows, "ConnectionPassword");
    assert_eq!(password["value"], "");
    assert!(password["oddities"].to_string().contains("travels in clear"), "{password}");
    for (wrong, right) in [
        ("telephony_enabled", "Telephony_Enabled"),
        ("File_Transfer_Enable", "File_Transfer_Enabled"),
    ] {
        assert!(row(&rows, wrong)["oddities"].to_string().contains(right), "{rows:?}");
    }
    let kept = std::fs::read_to_string(profile.join("config/provisioned.json")).expect("kept");
    assert!(!kept.contains("not-a-secret-any-more"));
}
