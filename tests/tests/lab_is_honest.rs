//! The laboratory, used by programs that are not ours: what it speaks is what others speak.

use offhook_interop::{
    Authority, Baresip, Flaw, Lab, PhoneAccount, Scratch, Transport, XmppPeer, have, pause,
};

#[test]
fn a_foreign_chat_client_talks_to_the_robot() {
    if !have("a foreign chat client in the laboratory", &["slixmpp"]) {
        return;
    }
    let scratch = Scratch::new();
    let lab = Lab::start(scratch.path(), &[], "");
    let domain = lab.info["standardDomain"].as_str().unwrap_or_default().to_owned();
    let mut alice = XmppPeer::start(
        scratch.path(),
        &format!("alice@{domain}"),
        "secret",
        lab.port("xmpp"),
        &lab.authority(),
    );
    alice.send(&format!("bob@{domain}"), "hello from outside");
    alice.until_message("You said: hello from outside");
    alice.until_event("gets a receipt", |it| it["event"] == "receipt");
}

fn a_foreign_phone_talks_to_the_robot(transport: Transport, service: &str) {
    if !have("a foreign phone in the laboratory", &["baresip"]) {
        return;
    }
    let scratch = Scratch::new();
    let lab = Lab::start(scratch.path(), &[], "");
    let domain = lab.info["standardDomain"].as_str().unwrap_or_default().to_owned();
    let own = Authority::new(scratch.path()).server("phone.test", Flaw::None);
    let mut phone = Baresip::start(
        scratch.path(),
        &domain,
        "secret",
        &[PhoneAccount { user: "carol", codec: "", more: "" }],
        (transport, lab.port(service)),
        (&own, &lab.authority()),
    );
    let (since, before) = (phone.count(), lab.count());
    phone.command("dial", &format!("sip:2002@{domain}"));
    phone.until_event("CALL_ESTABLISHED", since);
    pause(2.5);
    phone.command("hangup", "");
    phone.until_event("CALL_CLOSED", since);
    let tone = phone.recording().find(1_000.0).expect("the robot's tone");
    assert!(tone.share > 0.8 && tone.seconds > 1.0, "{tone:?}");
    let end = lab.until_event("robotCallEnded", before);
    assert!((end["toneHz"].as_f64().unwrap_or(0.0) - 1_000.0).abs() < 20.0, "{end}");
    assert_eq!(end["cause"], "remoteHungUp", "{end}");
}

#[test]
fn a_foreign_phone_talks_to_the_robot_over_udp() {
    a_foreign_phone_talks_to_the_robot(Transport::Udp, "sipUdp");
}

#[test]
fn a_foreign_phone_talks_to_the_robot_over_tcp() {
    a_foreign_phone_talks_to_the_robot(Transport::Tcp, "sipTcp");
}
