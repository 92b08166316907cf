//! A bus and an X server of our own: notifications as a desktop gets them, and idle time.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stderr, reason = "what is skipped is said aloud")]

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use offhook_platform::{Note, Notifier};
use zbus::zvariant::OwnedValue;

/// A process of ours that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Says that it is skipped, on a machine without the program.
fn start(command: &mut Command) -> Option<(Running, String)> {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let Ok(mut child) = child else {
        eprintln!("SKIPPED: {:?} is not installed", command.get_program());
        return None;
    };
    let out = child.stdout.take().expect("piped");
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line).expect("a line");
    Some((Running(child), line.trim().to_owned()))
}

#[derive(Debug)]
struct Shown {
    replaces: u32,
    title: String,
    body: String,
}

/// The desktop's half, as the specification has it.
struct Desktop(mpsc::SyncSender<Shown>, u32);

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Desktop {
    fn get_capabilities(&self) -> Vec<String> {
        vec!["body".into(), "body-markup".into()]
    }

    #[expect(clippy::too_many_arguments, reason = "the specification has them")]
    fn notify(
        &mut self,
        app_name: String,
        replaces_id: u32,
        _app_icon: String,
        summary: String,
        body: String,
        _actions: Vec<String>,
        _hints: HashMap<String, OwnedValue>,
        _expire_timeout: i32,
    ) -> u32 {
        assert_eq!(app_name, "Offhook");
        let _ = self.0.send(Shown { replaces: replaces_id, title: summary, body });
        self.1 += 1;
        self.1
    }
}

#[tokio::test]
async fn a_notification_reaches_the_desktop_and_the_next_of_its_subject_replaces_it() {
    let daemon = ["--session", "--nofork", "--nopidfile", "--print-address"];
    let Some((bus, address)) = start(Command::new("dbus-daemon").args(daemon)) else { return };
    let connect = || zbus::connection::Builder::address(address.as_str()).expect("an address");
    let (sender, shown) = mpsc::sync_channel(16);
    let desktop = connect()
        .serve_at("/org/freedesktop/Notifications", Desktop(sender, 40))
        .and_then(|it| it.name("org.freedesktop.Notifications"))
        .expect("valid")
        .build()
        .await
        .expect("served");
    let mut notifier = Notifier::on(connect().build().await.expect("connected"));
    let note = |subject: &str, body: &str| Note {
        title: "Bob".into(),
        body: body.into(),
        subject: subject.into(),
    };
    for (subject, body) in [("bob", "<b>&"), ("bob", "two"), ("cara", "three")] {
        notifier.show(&note(subject, body)).await.expect("shown");
    }
    let all: Vec<Shown> = shown.try_iter().collect();
    assert_eq!(all[0].body, "&lt;b&gt;&amp;", "what others write is no markup");
    assert_eq!(all[0].title, "Bob");
    assert_eq!(all.iter().map(|it| it.replaces).collect::<Vec<_>>(), [0, 41, 0]);

    drop(desktop);
    let why = notifier.show(&note("bob", "secret words")).await;
    if let Err(why) = why {
        assert!(!why.contains("secret"), "{why}");
    }
    drop(bus);
}
