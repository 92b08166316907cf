//! Many calls in a row from SIPp through Kamailio to a client that takes them: none fails, none is
//! left over, and memory does not grow. 200 calls by default, 10,000 with `OFFHOOK_SOAK=full`.
#![cfg(unix)]
#![allow(clippy::print_stdout, reason = "what was measured, to be read by somebody")]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::thread::JoinHandle;

use offhook_interop::{
    Client, DOMAIN, PASSWORD, Parts, Running, Scratch, Standard, Transport, free_port, have, pause,
    program, until,
};
use serde_json::{Value, json};

/// Calls, and how many of them are made before memory is first looked at.
fn amount() -> (usize, usize) {
    match std::env::var_os("OFFHOOK_SOAK") {
        Some(word) if word == "full" => (10_000, 1_000),
        _ => (200, 100),
    }
}

/// A connection to the control socket that takes every call. It ends with the client.
fn take_calls(client: &Client) -> JoinHandle<()> {
    let socket = UnixStream::connect(client.profile.join("run/control.sock")).expect("the socket");
    let mut out = socket.try_clone().expect("its other direction");
    std::thread::spawn(move || {
        for line in BufReader::new(socket).lines().map_while(Result::ok) {
            let event: Value = serde_json::from_str(&line).unwrap_or_default();
            let told = &event["params"];
            if told["type"] == "call" && told["state"] == "incoming" {
                let params = json!({ "id": told["id"] });
                let wish =
                    json!({ "jsonrpc": "2.0", "id": 1, "method": "call.answer", "params": params });
                if writeln!(out, "{wish}").is_err() {
                    return;
                }
            }
        }
    })
}

/// Lets SIPp make so many calls, one after the other, at up to `rate` a second; its last words when
/// one of them fails.
fn calls(folder: &Path, server: u16, count: usize, rate: usize) -> Result<(), String> {
    let scenario = include_str!("../fixtures/sipp-caller.xml").replace("@DOMAIN@", DOMAIN);
    let file = folder.join("caller.xml");
    std::fs::write(&file, scenario).expect("a scenario");
    let mut command = Command::new(program("sipp").expect("sipp"));
    command.arg(format!("127.0.0.1:{server}")).arg("-sf").arg(&file).current_dir(folder);
    command.args(["-t", "u1", "-i", "127.0.0.1", "-mi", "127.0.0.1", "-nostdin"]);
    command.args(["-p", &free_port().to_string(), "-mp", &free_port().to_string()]);
    command.args(["-au", "bob", "-ap", PASSWORD, "-l", "1", "-trace_err"]);
    command.args(["-m", &count.to_string(), "-r", &rate.to_string(), "-timeout", "1800"]);
    let mut sipp = Running::start(&format!("sipp-{count}"), &mut command, folder);
    match sipp.wait(1_800) {
        Some(status) if status.success() => Ok(()),
        status => {
            let errors = std::fs::read_dir(folder).into_iter().flatten().flatten();
            let errors = errors.filter(|it| it.file_name().to_string_lossy().contains("errors"));
            let said: String =
                errors.filter_map(|it| std::fs::read_to_string(it.path()).ok()).collect();
            let words = sipp.words();
            let from = words.len().saturating_sub(2_500);
            Err(format!("{status:?}\n{}\n{said:.3000}", words.get(from..).unwrap_or("")))
        }
    }
}

/// What the client has in memory, in bytes.
fn memory(client: &Client) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", client.running.id()));
    let status = status.expect("the client runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") * 1_024.0
}

#[test]
fn many_calls_leave_nothing_behind() {
    if !have("many calls from SIPp", &["knotd", "kamailio", "kamcmd", "sipp"]) {
        return;
    }
    let scratch = Scratch::new();
    let servers = Standard::start(&scratch, &Parts::phone(Transport::Udp));
    let client = Client::start(scratch.path(), "alice", &servers.setup());
    client.sign_in(&format!("alice@{DOMAIN}"), PASSWORD, &["phone"]);
    servers.sip().until_registered("alice", 20);
    let _taking = take_calls(&client);
    let (count, warm_up) = amount();
    let folder = scratch.folder("sipp");
    let port = servers.sip().port;
    calls(&folder, port, warm_up, 50).expect("calls to warm up");
    // What ended stays in the list for a moment.
    let over = || {
        let calls = client.must("call.list", Value::Null);
        calls["items"].as_array().is_some_and(Vec::is_empty).then_some(())
    };
    until("no call is left", 60, over);
    let before = memory(&client);
    calls(&folder, port, count - warm_up, 50).expect("calls");
    until("no call is left", 60, over);
    // Threads that are done give their stacks back in their own time.
    pause(2.0);
    let after = memory(&client);
    let grown = after / before - 1.0;
    println!("{count} calls: {:.1} MB, then {:.1} MB", before / 1e6, after / 1e6);
    assert!(grown < 0.05, "memory has grown by {:.1} % from {before} bytes", grown * 100.0);
    assert_eq!(client.session()["services"]["phone"]["state"], "ready");
}
