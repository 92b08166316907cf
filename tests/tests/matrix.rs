//! The matrix of interoperation: our client with each foreign phone through Kamailio, feature by
//! feature. A cell is green, or has a reason that names who cannot do it. `cargo xtask interop`
//! prints it.

#![allow(clippy::print_stdout, reason = "the matrix is printed")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use offhook_interop::{
    Baresip, Client, DOMAIN, Linphone, PASSWORD, Parts, PhoneAccount, Scenario, Scratch, Standard,
    Transport, description, free_port, have, pause, until,
};
use serde_json::{Value, json};

/// What came of a cell.
enum Cell {
    Green,
    /// Not possible with this peer, and why.
    Named(&'static str),
}

/// Plays the cells of one peer; all are played, then the red ones fail the test.
struct Row {
    peer: &'static str,
    red: Vec<String>,
}

impl Row {
    fn new(peer: &'static str) -> Self {
        Self { peer, red: vec![] }
    }

    fn cell(&mut self, feature: &str, play: impl FnOnce() -> Cell) {
        let said = match catch_unwind(AssertUnwindSafe(play)) {
            Ok(Cell::Green) => "green".to_owned(),
            Ok(Cell::Named(why)) => why.to_owned(),
            Err(_) => {
                self.red.push(feature.to_owned());
                "RED".to_owned()
            }
        };
        // One line a cell, for whoever makes a table of them.
        println!("\nMATRIX|{}|{feature}|{said}", self.peer);
    }

    fn end(self) {
        assert!(self.red.is_empty(), "{}: red are {}", self.peer, self.red.join(", "));
    }
}

/// Our client at a Kamailio.
struct Desk {
    client: Client,
    servers: Standard,
    scratch: Scratch,
}

impl Desk {
    fn set(transport: Transport) -> Self {
        let scratch = Scratch::new();
        let servers = Standard::start(&scratch, &Parts::phone(transport));
        let client = Client::start(scratch.path(), "alice", &servers.setup());
        client.sign_in(&format!("alice@{DOMAIN}"), PASSWORD, &["phone"]);
        servers.sip().until_registered("alice", 20);
        Self { client, servers, scratch }
    }

    /// Calls and waits until somebody takes it.
    fn call(&self, user: &str) -> String {
        let since = self.client.count();
        let id = self.client.dial(&format!("sip:{user}@{DOMAIN}"));
        self.client.until_call(&id, "connected", since);
        id
    }

    /// Takes the call that comes after `since`.
    fn take(&self, since: usize) -> String {
        let id = self.client.until_called(since);
        self.client.must("call.answer", json!({ "id": id }));
        self.client.until_call(&id, "connected", since);
        id
    }

    fn wish(&self, method: &str, id: &str) {
        self.client.must(method, json!({ "id": id }));
    }

    /// Hangs up and sees it end.
    fn hang_up(&self, id: &str) {
        let since = self.client.count();
        self.wish("call.hangUp", id);
        self.client.until_ended(id, "hungUp", since);
    }

    /// Sound comes, more of it than before.
    fn hears(&self, id: &str) {
        let packets = || self.client.stream(id, "receive")["packets"].as_u64().unwrap_or(0);
        let before = packets();
        until("sound comes", 20, || (packets() > before + 20).then_some(()));
    }

    /// Puts on hold and takes back.
    fn hold(&self, id: &str) {
        for (method, state) in [("call.hold", "held"), ("call.resume", "connected")] {
            let since = self.client.count();
            self.wish(method, id);
            self.client.until_call(id, state, since);
        }
        self.hears(id);
    }

    fn the_call(&self, id: &str) -> Value {
        let calls = self.client.must("call.list", Value::Null);
        let items = calls["items"].as_array().cloned().unwrap_or_default();
        items.into_iter().find(|it| it["id"] == id).unwrap_or_default()
    }

    /// Whatever goes on is ended, so that the next cell begins with nothing.
    fn clear(&self) {
        let calls = self.client.must("call.list", Value::Null);
        for call in calls["items"].as_array().into_iter().flatten() {
            if call["state"] != "ended" {
                let _ = self.client.ctl("call.hangUp", json!({ "id": call["id"] }));
            }
        }
        until("no call is left", 30, || {
            let calls = self.client.must("call.list", Value::Null);
            calls["items"].as_array().is_some_and(Vec::is_empty).then_some(())
        });
    }
}

const PLAIN: PhoneAccount<'_> = PhoneAccount { user: "plain", codec: "PCMU/8000/1", more: "" };

#[test]
fn baresip() {
    if !have("the matrix with baresip", &["knotd", "kamailio", "kamcmd", "baresip"]) {
        return;
    }
    let desk = Desk::set(Transport::Tls);
    let phones = [
        PLAIN,
        PhoneAccount { user: "other", ..PLAIN },
        PhoneAccount { user: "early", more: "answermode=early", ..PLAIN },
        PhoneAccount { user: "secret", more: "mediaenc=srtp-mand", ..PLAIN },
    ];
    let mut phone = desk.servers.phone(Transport::Tls, &phones);
    let mut row = Row::new("baresip 1.0");
    let both = (&desk, &mut phone);
    with_baresip(&mut row, both.0, both.1);
    row.end();
}

fn with_baresip(row: &mut Row, desk: &Desk, phone: &mut Baresip) {
    row.cell("dial", || {
        let id = desk.call("plain");
        desk.hears(&id);
        desk.hang_up(&id);
        Cell::Green
    });
    desk.clear();
    row.cell("be dialled", || {
        let since = desk.client.count();
        phone.become_account("plain", DOMAIN);
        phone.command("dial", &format!("sip:alice@{DOMAIN}"));
        let id = desk.take(since);
        desk.hears(&id);
        phone.command("hangup", "");
        desk.client.until_ended(&id, "remoteHungUp", since);
        Cell::Green
    });
    desk.clear();
    row.cell("hold", || {
        desk.hold(&desk.call("plain"));
        Cell::Green
    });
    desk.clear();
    row.cell("be held", || {
        let id = desk.call("plain");
        phone.become_account("plain", DOMAIN);
        for (word, state) in [("hold", "remoteHeld"), ("resume", "connected")] {
            let since = desk.client.count();
            phone.command(word, "");
            desk.client.until_call(&id, state, since);
        }
        Cell::Green
    });
    desk.clear();
    row.cell("blind transfer", || {
        let since = desk.client.count();
        let theirs = phone.count();
        let id = desk.call("plain");
        let to = format!("sip:other@{DOMAIN}");
        desk.client.must("call.transfer", json!({ "id": id, "to": to }));
        desk.client.until_ended(&id, "transferred", since);
        // The two accounts of the phone talk to each other now: both ends are established.
        until("the two talk", 20, || {
            let events = phone.events();
            let up = events.iter().skip(theirs).filter(|it| it["type"] == "CALL_ESTABLISHED");
            (up.count() >= 3).then_some(())
        });
        phone.command("hangup", "");
        Cell::Green
    });
    desk.clear();
    row.cell("be transferred", || {
        let id = desk.call("plain");
        phone.become_account("plain", DOMAIN);
        let theirs = phone.count();
        phone.command("transfer", &format!("sip:other@{DOMAIN}"));
        phone.until_event("CALL_ESTABLISHED", theirs);
        until("the call is with the other", 20, || {
            let call = desk.the_call(&id);
            (call["remote"].as_str().is_some_and(|it| it.contains("other"))
                && call["state"] == "connected")
                .then_some(())
        });
        desk.hears(&id);
        Cell::Green
    });
    desk.clear();
    row.cell("attended transfer", || {
        Cell::Named("baresip 1.0 writes Replaces into the URI of its INVITE, no header")
    });
    row.cell("DTMF", || {
        let theirs = phone.count();
        let id = desk.call("plain");
        desk.client.must("call.dtmf", json!({ "id": id, "digits": "159#" }));
        until("baresip hears the keys", 20, || (phone.digits(theirs) == "159#").then_some(()));
        Cell::Green
    });
    desk.clear();
    row.cell("early media", || {
        let since = desk.client.count();
        let id = desk.client.dial(&format!("sip:early@{DOMAIN}"));
        desk.client.until_call(&id, "early", since);
        phone.become_account("early", DOMAIN);
        phone.command("accept", "");
        desk.client.until_call(&id, "connected", since);
        desk.hears(&id);
        Cell::Green
    });
    desk.clear();
    row.cell("session timer", || Cell::Named("baresip 1.0 has none (RFC 4028)"));
    row.cell("re-INVITE codec change", || {
        Cell::Named("baresip 1.0 has no command that changes the codec of a call")
    });
    row.cell("SRTP", || {
        let id = desk.call("secret");
        desk.hears(&id);
        assert_eq!(desk.client.stream(&id, "send")["srtp"], "AEAD_AES_256_GCM");
        assert_eq!(desk.the_call(&id)["security"], "full");
        Cell::Green
    });
    desk.clear();
    // All of this row went over TLS.
    row.cell("TLS", || {
        let phone = &desk.client.session()["services"]["phone"];
        assert_eq!(phone["protocol"], "SIP/TLS", "{phone}");
        Cell::Green
    });
}

#[test]
fn linphone() {
    if !have("the matrix with linphone", &["knotd", "kamailio", "kamcmd", "linphonec"]) {
        return;
    }
    let desk = Desk::set(Transport::Udp);
    let server = (DOMAIN, desk.servers.sip().port);
    let folder = desk.scratch.folder("linphone");
    let mut phone = Linphone::start(&folder, server, ("lin", PASSWORD), "srtp");
    let mut row = Row::new("linphone 5.1");
    with_linphone(&mut row, &desk, &mut phone);
    row.end();
}

fn with_linphone(row: &mut Row, desk: &Desk, phone: &mut Linphone) {
    row.cell("dial", || {
        let theirs = phone.count();
        let id = desk.call("lin");
        phone.until_said("to LinphoneCallStreamsRunning", theirs);
        desk.hang_up(&id);
        phone.until_said("to LinphoneCallReleased", theirs);
        Cell::Green
    });
    desk.clear();
    row.cell("DTMF", || Cell::Named("linphonec tells nobody of the keys it hears"));
    row.cell("be transferred to somebody busy", || {
        let id = desk.call("lin");
        let theirs = phone.count();
        phone.command(&format!("transfer sip:f486@{DOMAIN}"));
        // What we report of the new call is what they hear.
        phone.until_said("SIP/2.0 486", theirs);
        desk.hang_up(&id);
        Cell::Green
    });
    desk.clear();
    row.cell("be dialled", || {
        let since = desk.client.count();
        phone.command(&format!("call sip:alice@{DOMAIN}"));
        let id = desk.take(since);
        phone.command("terminate");
        desk.client.until_ended(&id, "remoteHungUp", since);
        Cell::Green
    });
    desk.clear();
    row.cell("hold", || {
        let id = desk.call("lin");
        for (method, state) in [("call.hold", "held"), ("call.resume", "connected")] {
            let since = desk.client.count();
            desk.wish(method, &id);
            desk.client.until_call(&id, state, since);
        }
        Cell::Green
    });
    desk.clear();
    row.cell("be held", || {
        let id = desk.call("lin");
        for (word, state) in [("pause", "remoteHeld"), ("resume", "connected")] {
            let since = desk.client.count();
            phone.command(word);
            desk.client.until_call(&id, state, since);
        }
        Cell::Green
    });
    desk.clear();
    row.cell("SRTP", || {
        // It offers the encrypted transport; over UDP the keys are there to be read.
        let since = desk.client.count();
        phone.command(&format!("call sip:alice@{DOMAIN}"));
        let id = desk.take(since);
        assert!(desk.client.stream(&id, "send")["srtp"].is_string());
        assert_eq!(desk.the_call(&id)["security"], "none");
        Cell::Green
    });
    desk.clear();
    for feature in ["early media", "re-INVITE codec change"] {
        row.cell(feature, || Cell::Named("linphonec has no command for it"));
    }
}

#[test]
fn sipp() {
    if !have("the matrix with SIPp", &["knotd", "kamailio", "kamcmd", "sipp"]) {
        return;
    }
    let desk = Desk::set(Transport::Udp);
    let mut row = Row::new("SIPp 3.6");
    called_by_sipp(&mut row, &desk);
    calling_sipp(&mut row, &desk);
    row.cell("SRTP", || Cell::Named("SIPp 3.6 of Debian has no SRTP"));
    row.cell("TLS", || Cell::Named("SIPp 3.6 of Debian is built without TLS"));
    row.end();
}

fn pcmu() -> String {
    description("0", "a=rtpmap:0 PCMU/8000\n")
}

/// SIPp calls.
fn called_by_sipp(row: &mut Row, desk: &Desk) {
    let folder = desk.scratch.folder("callers");
    let ways = || (free_port(), desk.servers.sip().port);
    let caller = || Scenario::new("bob", DOMAIN).call("alice", "", &pcmu());
    row.cell("be dialled", || {
        let since = desk.client.count();
        let script = caller().pause(500).in_call("alice", "BYE", "", "").answered(200);
        let sipp = script.play(&folder, "dialled", ways(), PASSWORD);
        let id = desk.take(since);
        desk.client.until_ended(&id, "remoteHungUp", since);
        sipp.until_played();
        Cell::Green
    });
    desk.clear();
    row.cell("be held", || {
        let since = desk.client.count();
        let mut script = caller();
        for flow in ["a=sendonly\n", "a=sendrecv\n"] {
            script = script
                .pause(400)
                .in_call("alice", "INVITE", "", &(pcmu() + flow))
                .answered(200)
                .in_call("alice", "ACK", "", "");
        }
        let script = script.pause(300).in_call("alice", "BYE", "", "").answered(200);
        let sipp = script.play(&folder, "held", ways(), PASSWORD);
        let id = desk.take(since);
        let since = desk.client.count();
        desk.client.until_call(&id, "remoteHeld", since.saturating_sub(1));
        desk.client.until_call(&id, "connected", since);
        sipp.until_played();
        Cell::Green
    });
    desk.clear();
    row.cell("re-INVITE codec change", || {
        let since = desk.client.count();
        let pcma = description("8", "a=rtpmap:8 PCMA/8000\n");
        let script = caller()
            .pause(300)
            .in_call("alice", "INVITE", "", &pcma)
            .answered(200)
            .in_call("alice", "ACK", "", "")
            .pause(3_000)
            .in_call("alice", "BYE", "", "")
            .answered(200);
        let sipp = script.play(&folder, "codec", ways(), PASSWORD);
        let id = desk.take(since);
        until("PCMA is spoken", 20, || {
            (desk.client.stream(&id, "send")["codec"] == "PCMA").then_some(())
        });
        sipp.until_played();
        Cell::Green
    });
    desk.clear();
    row.cell("be transferred to somebody busy", || {
        let since = desk.client.count();
        let refer = format!("Refer-To: <sip:f486@{DOMAIN}>\nReferred-By: <sip:bob@{DOMAIN}>\n");
        // Where it goes is busy: they hear so, and the call is with them again.
        let script = caller()
            .pause(300)
            .in_call("alice", "REFER", &refer, "")
            .answered(202)
            .asked("NOTIFY")
            .answer("200 OK", "", "")
            .asked("NOTIFY")
            .answer("200 OK", "", "")
            .pause(300)
            .in_call("alice", "BYE", "", "")
            .answered(200);
        let sipp = script.play(&folder, "transferred", ways(), PASSWORD);
        let id = desk.take(since);
        desk.client.until_ended(&id, "remoteHungUp", since);
        let said = sipp.messages();
        assert!(said.contains("SIP/2.0 486"), "{said}");
        sipp.until_played();
        Cell::Green
    });
    desk.clear();
    row.cell("attended transfer", || {
        let since = desk.client.count();
        let script = caller().asked("BYE").answer("200 OK", "", "");
        let first = script.play(&folder, "first", ways(), PASSWORD);
        let id = desk.take(since);
        let replaces = until("the first call's dialog", 20, || dialog(&first.messages()));
        let script = Scenario::new("carol", DOMAIN)
            .call("alice", &format!("Require: replaces\nReplaces: {replaces}\n"), &pcmu())
            .pause(500)
            .in_call("alice", "BYE", "", "")
            .answered(200);
        let second = script.play(&folder, "second", ways(), PASSWORD);
        first.until_played();
        until("the other is there", 20, || {
            let call = desk.the_call(&id);
            call["remote"].as_str().is_some_and(|it| it.contains("carol")).then_some(())
        });
        second.until_played();
        Cell::Green
    });
    desk.clear();
}

/// `Call-ID;to-tag=…;from-tag=…` of the call that SIPp made, as the other side of it has to name it
/// (RFC 3891): the to-tag is the callee's.
fn dialog(messages: &str) -> Option<String> {
    let answer = messages.split("SIP/2.0 200").nth(1)?;
    let value = |name: &str| {
        let line = answer.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let tag = |name: &str| Some(value(name)?.split_once(";tag=")?.1.to_owned());
    let (call, to, from) = (value("Call-ID:")?, tag("To:")?, tag("From:")?);
    Some(format!("{call};to-tag={to};from-tag={from}"))
}

/// SIPp is called.
fn calling_sipp(row: &mut Row, desk: &Desk) {
    let folder = desk.scratch.folder("callees");
    let server = desk.servers.sip().port;
    let port = free_port();
    let callee = || Scenario::new("sipp", DOMAIN);
    callee()
        .register(port)
        .play(&folder, "register", (free_port(), server), PASSWORD)
        .until_played();
    let play = |script: Scenario, name: &str| script.play(&folder, name, (port, server), PASSWORD);
    let taken = || {
        callee()
            .asked("INVITE")
            .answer("180 Ringing", "", "")
            .answer("200 OK", "", &pcmu())
            .asked("ACK")
    };
    row.cell("dial", || {
        let sipp = play(taken().asked("BYE").answer("200 OK", "", ""), "dial");
        desk.hang_up(&desk.call("sipp"));
        sipp.until_played();
        Cell::Green
    });
    desk.clear();
    row.cell("hold", || {
        let mut script = taken();
        for flow in ["a=recvonly\n", "a=sendrecv\n"] {
            script = script.asked("INVITE").answer("200 OK", "", &(pcmu() + flow)).asked("ACK");
        }
        let sipp = play(script.asked("BYE").answer("200 OK", "", ""), "hold");
        let id = desk.call("sipp");
        for (acks, method, state) in [(2, "call.hold", "held"), (3, "call.resume", "connected")] {
            let since = desk.client.count();
            desk.wish(method, &id);
            desk.client.until_call(&id, state, since);
            // Hold is in force here at once; there, when the change is acknowledged.
            until("the change is acknowledged", 20, || {
                (sipp.messages().matches("\nACK sip:").count() >= acks).then_some(())
            });
        }
        desk.hang_up(&id);
        sipp.until_played();
        Cell::Green
    });
    desk.clear();
    row.cell("DTMF", || {
        // No telephone events in its description: the digits come by INFO.
        let script = taken().asked("INFO").answer("200 OK", "", "").asked("BYE");
        let sipp = play(script.answer("200 OK", "", ""), "dtmf");
        let id = desk.call("sipp");
        desk.client.must("call.dtmf", json!({ "id": id, "digits": "5" }));
        until("the digit is there", 20, || sipp.messages().contains("Signal=5").then_some(()));
        desk.hang_up(&id);
        sipp.until_played();
        Cell::Green
    });
    desk.clear();
    row.cell("blind transfer, refused", || {
        let script = taken().asked("REFER").answer("603 Declined", "", "").asked("BYE");
        let sipp = play(script.answer("200 OK", "", ""), "refer");
        let id = desk.call("sipp");
        let since = desk.client.count();
        let to = format!("sip:other@{DOMAIN}");
        desk.client.must("call.transfer", json!({ "id": id, "to": to }));
        // Declined: the call is with us again.
        until("the call is back", 20, || {
            let events = desk.client.events();
            let told = events.iter().skip(since);
            let states: Vec<_> =
                told.filter(|it| it["id"] == id).map(|it| it["state"].clone()).collect();
            states.last().is_some_and(|it| it == "connected" || it == "held").then_some(())
        });
        desk.hang_up(&id);
        sipp.until_played();
        Cell::Green
    });
    desk.clear();
    row.cell("early media", || {
        let script = callee()
            .asked("INVITE")
            .answer("183 Session Progress", "", &pcmu())
            .pause(1_500)
            .answer("200 OK", "", &pcmu())
            .asked("ACK")
            .asked("BYE");
        let sipp = play(script.answer("200 OK", "", ""), "early");
        let since = desk.client.count();
        let id = desk.client.dial(&format!("sip:sipp@{DOMAIN}"));
        desk.client.until_call(&id, "early", since);
        desk.client.until_call(&id, "connected", since);
        desk.hang_up(&id);
        sipp.until_played();
        Cell::Green
    });
    desk.clear();
    row.cell("session timer", || {
        // The shortest that RFC 4028 allows; half of it later we refresh. SIPp sends no sound and
        // says so: a side that promised some and sends none is told once more what was agreed, and
        // that would be a refresh of its own.
        let timer = "Require: timer\nSession-Expires: 90;refresher=uac\n";
        let listens = pcmu() + "a=recvonly\n";
        let script = callee()
            .asked("INVITE")
            .answer("200 OK", timer, &listens)
            .asked("ACK")
            .asked("UPDATE")
            .answer("200 OK", timer, "")
            .asked("BYE");
        let sipp = play(script.answer("200 OK", "", ""), "timer");
        let id = desk.call("sipp");
        until("the session is refreshed", 70, || {
            sipp.messages().contains("UPDATE sip:").then_some(())
        });
        pause(0.5);
        desk.hang_up(&id);
        sipp.until_played();
        Cell::Green
    });
    desk.clear();
}
