//! Registrations: how they come about, fail, move between servers, and end.

use offhook_model::{CallWish, Link, Secret};
use offhook_ports::{PhoneAccount, SipServer};

use crate::ladder::Ladder;
use crate::manager::manager_account;
use crate::stage::{Stage, account, bob, header, secs};

#[test]
fn registrations() {
    let mut out = String::new();
    password(&mut out);
    refused(&mut out);
    silence(&mut out);
    kept(&mut out);
    taken_over(&mut out);
    begun_anew(&mut out);
    messages(&mut out);
    other_server(&mut out);
    stand_in(&mut out);
    crate::page(
        "registration.md",
        "The registration",
        "How the phone gets a server, loses it and finds another one.",
        &out,
    );
}

/// A phone that is about to start.
fn fresh(account: PhoneAccount, title: &'static str, words: &'static str) -> Ladder {
    let mut ladder = Ladder::on(Stage::of(account), title, words);
    ladder.you("sign in", |phone, now| phone.start(now));
    ladder.stage.open();
    ladder.note();
    ladder
}

fn with_password() -> PhoneAccount {
    PhoneAccount { digest: Some(("alice".to_owned(), Secret::from("secret"))), ..account() }
}

/// The server takes the newest REGISTER.
fn taken(ladder: &mut Ladder, expires: u32) {
    let register = ladder.newest("REGISTER ");
    let contact = format!("Contact: {};expires={expires}\r\n", header(&register, "Contact"));
    ladder.answer_with(&register, "200 OK", &contact, "");
}

fn password(out: &mut String) {
    let challenge =
        "WWW-Authenticate: Digest realm=\"example.test\", nonce=\"a\", qop=\"auth\"\r\n";
    for (title, right) in [("With a password", true), ("The password is wrong", false)] {
        let mut ladder = fresh(with_password(), title, "Asked for once (RFC 3261 section 22).");
        let first = ladder.newest("REGISTER ");
        ladder.answer_with(&first, "401 Unauthorized", challenge, "");
        if right {
            taken(&mut ladder, 3600);
            ladder.you("sign out", |phone, now| phone.stop(now));
            let last = ladder.newest("REGISTER ");
            ladder.answer(&last, "200 OK", "");
        } else {
            let second = ladder.newest("REGISTER ");
            ladder.answer_with(
                &second,
                "401 Unauthorized",
                &challenge.replace("\"a\"", "\"b\""),
                "",
            );
            ladder.wait(secs(600));
        }
        ladder.write(out);
    }
}

fn refused(out: &mut String) {
    for (title, status, more) in [
        ("The server is overloaded", "503 Service Unavailable", "Retry-After: 20\r\n"),
        ("The server is out of order", "500 Server Internal Error", ""),
        ("Nobody of this name", "404 Not Found", "Warning: 399 cucm1 \"Unknown device\"\r\n"),
        ("Not allowed", "403 Forbidden", ""),
    ] {
        let words = "Tried again by itself where that can help, with longer and longer pauses.";
        let mut ladder = fresh(account(), title, words);
        for _ in 0..3 {
            let register = ladder.newest("REGISTER ");
            ladder.answer_with(&register, status, more, "");
            again(&mut ladder);
        }
        ladder.write(out);
    }
}

/// The phone tries again by itself, by a new connection.
fn again(ladder: &mut Ladder) {
    let opened = ladder.stage.opened;
    for _ in 0..120 {
        if ladder.stage.opened == opened {
            ladder.wait(secs(1));
        }
    }
    assert_eq!(ladder.stage.opened, opened + 1);
    ladder.stage.open();
    ladder.note();
}

fn silence(out: &mut String) {
    let mut ladder = fresh(
        account(),
        "Nobody answers the registration",
        "Nobody waits longer than eight seconds; then a new connection.",
    );
    ladder.read_network("nothing comes");
    again(&mut ladder);
    taken(&mut ladder, 3600);
    ladder.write(out);
}

fn kept(out: &mut String) {
    let mut ladder = fresh(account(), "Kept alive", "Renewed before it ends.");
    taken(&mut ladder, 120);
    ladder.wait(secs(118));
    taken(&mut ladder, 120);
    ladder.wait(secs(118));
    taken(&mut ladder, 120);
    ladder.write(out);
}

fn taken_over(out: &mut String) {
    let mut ladder = fresh(
        manager_account(),
        "Active on another client",
        "You are asked; nothing is taken from the other one before you agree.",
    );
    let register = ladder.newest("REGISTER ");
    let more = "Warning: 399 cucm1 \"Registration is active for another client\"\r\n";
    ladder.answer_with(&register, "403 Forbidden", more, "");
    ladder.wait(secs(60));
    ladder.wish("take it over", CallWish::TakeOver);
    ladder.stage.open();
    ladder.note();
    taken(&mut ladder, 120);
    assert_eq!(ladder.registered_at(), ["10.0.0.9"]);
    ladder.write(out);
}

/// Words of the call manager about its phones (reference sip-dialect.md section 6).
fn service(ladder: &mut Ladder, action: &str, id: &str) {
    let body = format!("action={action}\r\nRegisterCallId={{{id}}}\r\n");
    let more =
        "Event: service-control\r\nSubscription-State: active\r\nContent-Type: text/plain\r\n";
    ladder.stage.server_says("NOTIFY", more, &body);
    ladder.note();
}

fn begun_anew(out: &mut String) {
    let mut ladder = fresh(
        manager_account(),
        "The call manager wants a new beginning",
        "Believed only with the Call-ID of our registration; calls end first, by themselves.",
    );
    let id = header(&ladder.newest("REGISTER "), "Call-ID").to_owned();
    taken(&mut ladder, 120);
    service(&mut ladder, "restart", "somebody");
    assert!(ladder.stage.restarts.is_empty());
    let (call, _) = ladder.talking("Bob", bob());
    service(&mut ladder, "restart", &id);
    assert!(ladder.stage.restarts.is_empty(), "a call goes on");
    ladder.you("hang up", |phone, now| phone.hang_up(call, now)).expect("hung up");
    assert_eq!(ladder.stage.restarts, [false]);
    ladder.read("the phone begins anew");
    ladder.write(out);
}

fn messages(out: &mut String) {
    let mut ladder = fresh(
        manager_account(),
        "Messages wait",
        "Told after the registration, and when it changes (REFER with `bulkupdate`).",
    );
    taken(&mut ladder, 120);
    for lamp in ["yes", "no"] {
        let more = "Require: norefersub\r\nRefer-To: <cid:1@x>\r\nContent-Id: <1@x>\r\n";
        let body = format!(
            "<x-cisco-remotecc-request><bulkupdate><contact line=\"1\"><mwi>{lamp}</mwi></contact>\
             </bulkupdate></x-cisco-remotecc-request>"
        );
        ladder.stage.server_asks("REFER", more, &body);
        ladder.note();
        assert_eq!(ladder.stage.phone.state().messages.waiting, lamp == "yes");
    }
    ladder.write(out);
}

fn node(host: &str) -> SipServer {
    SipServer { host: host.into(), port: 5060, link: Link::Tcp }
}

/// Two call managers and a gateway that stands in for both.
fn cluster() -> PhoneAccount {
    let mut account = manager_account();
    account.servers = vec![node("cucm1"), node("cucm2")];
    account.upkeep.stand_ins = vec![node("srst1")];
    account
}

/// Plays the servers for so long: those that are up take what the phone asks.
fn play(ladder: &mut Ladder, down: &[&str], seconds: u64) {
    for _ in 0..seconds {
        ladder.serve(down);
        ladder.wait(secs(1));
    }
    ladder.serve(down);
}

fn other_server(out: &mut String) {
    let mut ladder = Ladder::on(
        Stage::of(cluster()),
        "A call manager is lost and comes back",
        "The one that stands by takes over at once; the phone goes back when the better one has answered \
         for two minutes.",
    );
    ladder.you("sign in", |phone, now| phone.start(now));
    play(&mut ladder, &[], 130);
    ladder.read_network("cucm1 is down");
    ladder.lose_server("cucm1");
    play(&mut ladder, &["cucm1"], 20);
    ladder.read_network("cucm1 is up again");
    play(&mut ladder, &[], 400);
    let ready: Vec<String> = ladder.registered_at();
    assert_eq!(ready, ["cucm1", "cucm2", "cucm1"]);
    ladder.write(out);
}

fn stand_in(out: &mut String) {
    let mut ladder = Ladder::on(
        Stage::of(cluster()),
        "All call managers are lost",
        "A gateway stands in (SRST): calls, hold and resume, and no more.",
    );
    ladder.you("sign in", |phone, now| phone.start(now));
    play(&mut ladder, &[], 2);
    ladder.read_network("cucm1 and cucm2 are down");
    ladder.lose_server("cucm1");
    ladder.lose_server("cucm2");
    play(&mut ladder, &["cucm1", "cucm2"], 30);
    assert!(ladder.stage.phone.state().reduced);
    assert!(ladder.stage.at("srst1"));
    let (id, _) = ladder.talking("Bob", bob());
    ladder.wish("transfer to 2003", CallWish::Transfer { id, to: crate::ladder::carol() });
    ladder.write(out);
}
