//! Calls with baresip through Kamailio: each way, each codec, each transport, and what is heard.

#![allow(clippy::print_stdout, reason = "which case a failure belongs to")]

use offhook_interop::{
    Baresip, Client, DOMAIN, Linphone, PASSWORD, Parts, PhoneAccount, SPEECH_DB, SPEECH_HZ,
    Scratch, Standard, Transport, have, pause, sound, until,
};
use serde_json::json;

/// What we say: 440 Hz at −12 dB.
const OURS_HZ: f64 = 440.0;
const OURS_DB: f64 = -12.0;

/// Foreign phones that speak one codec each, called by its name.
const PHONES: [PhoneAccount<'_>; 4] = [
    PhoneAccount { user: "PCMU", codec: "PCMU/8000/1", more: "" },
    PhoneAccount { user: "PCMA", codec: "PCMA/8000/1", more: "" },
    PhoneAccount { user: "G722", codec: "G722/16000/1", more: "" },
    PhoneAccount { user: "opus", codec: "opus/48000/2", more: "" },
];

/// Foreign phones that encrypt: where the other side does too, and always.
const ENCRYPTING: [PhoneAccount<'_>; 2] = [
    PhoneAccount { user: "willing", codec: "PCMU/8000/1", more: "mediaenc=srtp" },
    PhoneAccount { user: "insisting", codec: "PCMU/8000/1", more: "mediaenc=srtp-mand" },
];

/// Servers, a foreign phone and our client, ready to call.
struct Stage {
    phone: Baresip,
    client: Client,
    // Ended last.
    _servers: Standard,
    _scratch: Scratch,
}

impl Stage {
    fn set(transport: Transport) -> Option<Self> {
        Self::with(transport, &PHONES)
    }

    fn with(transport: Transport, phones: &[PhoneAccount<'_>]) -> Option<Self> {
        let peers = &["knotd", "kamailio", "kamcmd", "baresip"];
        if !have(&format!("calls over {}", transport.word()), peers) {
            return None;
        }
        let scratch = Scratch::new();
        let servers = Standard::start(&scratch, &Parts::phone(transport));
        let client = Client::start(scratch.path(), "alice", &servers.setup());
        let phone = servers.phone(transport, phones);
        client.sign_in(&format!("alice@{DOMAIN}"), PASSWORD, &["phone"]);
        servers.sip().until_registered("alice", 20);
        Some(Self { phone, client, _servers: servers, _scratch: scratch })
    }

    /// The figures of a call that goes on.
    fn check_streams(&self, id: &str, codec: &str) {
        for direction in ["send", "receive"] {
            let stream = self.client.stream(id, direction);
            assert_eq!(stream["codec"], codec, "{stream:#}");
            assert!(stream["packets"].as_u64() > Some(25), "{stream:#}");
            assert_eq!(stream["lost"], 0, "{stream:#}");
        }
    }

    fn we_call(&mut self, codec: &str, seconds: f64) {
        let (since, theirs, played) =
            (self.client.count(), self.phone.count(), self.client.played());
        let id = self.client.dial(&format!("sip:{codec}@{DOMAIN}"));
        self.client.until_call(&id, "connected", since);
        self.phone.until_event("CALL_ESTABLISHED", theirs);
        pause(seconds);
        self.check_streams(&id, codec);
        self.client.must("call.hangUp", json!({ "id": id }));
        self.client.until_ended(&id, "hungUp", since);
        self.phone.until_event("CALL_CLOSED", theirs);
        self.hear(played, seconds * 0.5);
    }

    fn they_call(&mut self, codec: &str, seconds: f64) {
        let (since, theirs, played) =
            (self.client.count(), self.phone.count(), self.client.played());
        self.phone.become_account(codec, DOMAIN);
        self.phone.command("dial", &format!("sip:alice@{DOMAIN}"));
        let id = self.client.until_called(since);
        self.client.must("call.answer", json!({ "id": id }));
        self.client.until_call(&id, "connected", since);
        self.phone.until_event("CALL_ESTABLISHED", theirs);
        pause(seconds);
        self.check_streams(&id, codec);
        self.phone.command("hangup", "");
        self.client.until_ended(&id, "remoteHungUp", since);
        self.hear(played, seconds * 0.5);
    }

    fn hear(&self, played: f64, seconds: f64) {
        self.phone.recording().expect_tone("baresip", OURS_HZ, OURS_DB, seconds);
        self.client.expect_heard(played, SPEECH_HZ, SPEECH_DB, seconds);
    }
}

fn each_way_with_each_codec(transport: Transport) {
    let Some(mut stage) = Stage::set(transport) else { return };
    for phone in PHONES {
        println!("we call {} over {}", phone.user, transport.word());
        stage.we_call(phone.user, 2.5);
        println!("{} calls us over {}", phone.user, transport.word());
        stage.they_call(phone.user, 2.5);
    }
}

#[test]
fn each_way_with_each_codec_over_udp() {
    each_way_with_each_codec(Transport::Udp);
}

#[test]
fn each_way_with_each_codec_over_tcp() {
    each_way_with_each_codec(Transport::Tcp);
}

#[test]
fn each_way_with_each_codec_over_tls() {
    each_way_with_each_codec(Transport::Tls);
}

/// Half a minute of tone, listened to for silence. A machine that is busy elsewhere leaves gaps as
/// well: of four calls, one has none.
fn no_gap(transport: Transport, codec: &str) {
    let Some(mut stage) = Stage::set(transport) else { return };
    let mut heard = Vec::new();
    for _ in 0..4 {
        let played = stage.client.played();
        stage.we_call(codec, 30.0);
        let there = stage.phone.recording().expect_tone("baresip", OURS_HZ, OURS_DB, 29.0);
        let here = stage.client.expect_heard(played, SPEECH_HZ, SPEECH_DB, 29.0);
        println!("baresip heard {there:?}, we heard {here:?}");
        if there.longest_gap_ms <= 60.0 && here.longest_gap_ms <= 60.0 {
            return;
        }
        heard.push((there, here));
    }
    panic!("each call had a gap, at baresip or here: {heard:#?}");
}

#[test]
fn half_a_minute_of_pcmu_over_udp_has_no_gap() {
    no_gap(Transport::Udp, "PCMU");
}

#[test]
fn half_a_minute_of_opus_over_tls_has_no_gap() {
    no_gap(Transport::Tls, "opus");
}

#[test]
fn keys_pressed_during_a_call_are_heard_by_the_other_side() {
    let Some(stage) = Stage::set(Transport::Udp) else { return };
    let (since, theirs) = (stage.client.count(), stage.phone.count());
    let id = stage.client.dial(&format!("sip:PCMU@{DOMAIN}"));
    stage.client.until_call(&id, "connected", since);
    stage.client.must("call.dtmf", json!({ "id": id, "digits": "1590*#" }));
    until("baresip hears the keys", 20, || (stage.phone.digits(theirs) == "1590*#").then_some(()));
    stage.client.must("call.hangUp", json!({ "id": id }));
    stage.client.until_ended(&id, "hungUp", since);
}

#[test]
fn a_call_is_declined_cancelled_missed_and_refused() {
    let Some(mut stage) = Stage::set(Transport::Udp) else { return };
    let since = stage.client.count();
    stage.phone.command("dial", &format!("sip:alice@{DOMAIN}"));
    let id = stage.client.until_called(since);
    stage.client.must("call.decline", json!({ "id": id }));
    stage.client.until_ended(&id, "declined", since);

    let since = stage.client.count();
    stage.phone.command("dial", &format!("sip:alice@{DOMAIN}"));
    let id = stage.client.until_called(since);
    stage.phone.command("hangup", "");
    stage.client.until_ended(&id, "missed", since);

    for (user, cause, status) in
        [("f486", "busy", 486), ("f404", "notFound", 404), ("f603", "declined", 603)]
    {
        let since = stage.client.count();
        let id = stage.client.dial(&format!("sip:{user}@{DOMAIN}"));
        let end = stage.client.until_ended(&id, cause, since);
        assert_eq!(end["sipStatus"], status, "{end}");
    }
}

#[test]
fn a_call_is_held_and_resumed() {
    let Some(mut stage) = Stage::set(Transport::Tls) else { return };
    let since = stage.client.count();
    let id = stage.client.dial(&format!("sip:PCMA@{DOMAIN}"));
    stage.client.until_call(&id, "connected", since);
    let since = stage.client.count();
    stage.client.must("call.hold", json!({ "id": id }));
    stage.client.until_call(&id, "held", since);
    let since = stage.client.count();
    stage.client.must("call.resume", json!({ "id": id }));
    stage.client.until_call(&id, "connected", since);
    let before = stage.client.stream(&id, "receive")["packets"].as_u64();
    until("sound flows again", 20, || {
        (stage.client.stream(&id, "receive")["packets"].as_u64() > before.map(|it| it + 25))
            .then_some(())
    });
    let since = stage.client.count();
    stage.phone.become_account("PCMA", DOMAIN);
    stage.phone.command("hold", "");
    stage.client.until_call(&id, "remoteHeld", since);
    let since = stage.client.count();
    stage.phone.command("resume", "");
    stage.client.until_call(&id, "connected", since);
    stage.client.must("call.hangUp", json!({ "id": id }));
    stage.client.until_ended(&id, "hungUp", since);
}

/// Calls each way with somebody who encrypts.
fn check_encrypted(stage: &mut Stage, user: &str) {
    for ours in [true, false] {
        println!("{user}, {}", if ours { "we call" } else { "they call" });
        let (since, theirs, played) =
            (stage.client.count(), stage.phone.count(), stage.client.played());
        let id = if ours {
            stage.client.dial(&format!("sip:{user}@{DOMAIN}"))
        } else {
            stage.phone.become_account(user, DOMAIN);
            stage.phone.command("dial", &format!("sip:alice@{DOMAIN}"));
            let id = stage.client.until_called(since);
            stage.client.must("call.answer", json!({ "id": id }));
            id
        };
        stage.client.until_call(&id, "connected", since);
        stage.phone.until_event("CALL_ESTABLISHED", theirs);
        pause(2.0);
        // Of our offer it takes the strongest; itself it offers one only.
        let suite = if ours { "AEAD_AES_256_GCM" } else { "AES_CM_128_HMAC_SHA1_80" };
        for direction in ["send", "receive"] {
            assert_eq!(stage.client.stream(&id, direction)["srtp"], suite, "{user} {direction}");
        }
        let calls = stage.client.must("call.list", json!({}));
        let call = calls["items"].get(0).unwrap_or(&calls);
        assert_eq!(call["security"], "full", "{call}");
        stage.client.must("call.hangUp", json!({ "id": id }));
        stage.client.until_ended(&id, "hungUp", since);
        stage.hear(played, 1.0);
    }
}

#[test]
fn sound_is_encrypted_with_who_can_and_the_call_says_what_that_is_worth() {
    let Some(mut stage) = Stage::with(Transport::Tls, &ENCRYPTING) else { return };
    check_encrypted(&mut stage, "willing");
    check_encrypted(&mut stage, "insisting");
}

/// The only codec of low-bandwidth mode, whichever side calls. linphone plays and writes files.
#[test]
fn g729_goes_each_way_with_linphone() {
    let what = "G.729 with linphone";
    if !have(what, &["knotd", "kamailio", "kamcmd", "linphonec"]) {
        return;
    }
    let scratch = Scratch::new();
    let servers = Standard::start(&scratch, &Parts::phone(Transport::Udp));
    let client = Client::start(scratch.path(), "alice", &servers.setup());
    client.must("settings.set", json!({ "calls": { "lowBandwidth": true } }));
    client.sign_in(&format!("alice@{DOMAIN}"), PASSWORD, &["phone"]);
    servers.sip().until_registered("alice", 60);
    let mut phone = Linphone::start_with(
        scratch.path(),
        (DOMAIN, servers.sip().port),
        ("carol", PASSWORD),
        "none",
        "[audio_codec_2]\nmime=G729\nrate=8000\nenabled=1\n",
    );
    servers.sip().until_registered("carol", 60);
    let speech = scratch.path().join("speech.wav");
    std::fs::write(&speech, sound::tone(8_000, SPEECH_HZ, 60.0, 0.4)).expect("a file to say");
    for ours in [true, false] {
        let recording = scratch.path().join(if ours { "first.wav" } else { "second.wav" });
        let (since, theirs, played) = (client.count(), phone.count(), client.played());
        phone.command(&format!("record {}", recording.display()));
        let id = if ours {
            client.dial(&format!("sip:carol@{DOMAIN}"))
        } else {
            phone.command(&format!("call sip:alice@{DOMAIN}"));
            let id = client.until_called(since);
            client.must("call.answer", json!({ "id": id }));
            id
        };
        client.until_call(&id, "connected", since);
        phone.until_said("to LinphoneCallStreamsRunning", theirs);
        // It plays the file in the second call of its own accord, and twice if told again.
        if ours {
            phone.command(&format!("play {}", speech.display()));
        }
        for direction in ["send", "receive"] {
            assert_eq!(client.stream(&id, direction)["codec"], "G729");
        }
        client.expect_heard(played, SPEECH_HZ, SPEECH_DB, 1.0);
        // Five seconds, of which a busy machine may spoil some.
        until("linphone has written enough", 60, || {
            std::fs::metadata(&recording).is_ok_and(|it| it.len() > 80_000).then_some(())
        });
        client.must("call.hangUp", json!({ "id": id }));
        client.until_ended(&id, "hungUp", since);
        phone.until_said("to LinphoneCallReleased", theirs);
        // Its file says how long it is once it is closed.
        until("linphone writes our tone", 60, || {
            let tone = sound::read(&recording).find(OURS_HZ)?;
            ((tone.level - OURS_DB).abs() < 5.0 && tone.share > 0.5).then_some(())
        });
    }
}
