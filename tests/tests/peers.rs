//! The real servers and peers among themselves, without the product: when one of these fails, it
//! is not the product's fault.

use offhook_interop::{
    DOMAIN, Parts, PhoneAccount, Scratch, Standard, Transport, XmppPeer, have, until,
};

fn two_phones_talk(transport: Transport) {
    if !have("phones among themselves", &["kamailio", "kamcmd", "knotd", "baresip"]) {
        return;
    }
    let scratch = Scratch::new();
    let servers = Standard::start(&scratch, &Parts::phone(transport));
    let accounts = [("caller", ""), ("callee", "PCMA/8000/1")].map(|(user, codec)| PhoneAccount {
        user,
        codec,
        more: "",
    });
    let mut phone = servers.phone(transport, &accounts);
    servers.sip().until_registered("caller", 20);
    servers.sip().until_registered("callee", 20);
    phone.become_account("caller", DOMAIN);
    let since = phone.count();
    phone.command("dial", &format!("sip:callee@{DOMAIN}"));
    phone.until_event("CALL_ESTABLISHED", since);
    std::thread::sleep(std::time::Duration::from_secs(3));
    phone.command("hangup", "");
    phone.until_event("CALL_CLOSED", since);
    phone.recording().expect_tone("a phone", 1_000.0, -8.0, 1.5);
}

#[test]
fn two_phones_talk_over_udp() {
    two_phones_talk(Transport::Udp);
}

#[test]
fn two_phones_talk_over_tcp() {
    two_phones_talk(Transport::Tcp);
}

#[test]
fn two_phones_talk_over_tls() {
    two_phones_talk(Transport::Tls);
}

#[test]
fn two_chat_clients_write_to_each_other() {
    if !have("chat clients among themselves", &["prosody", "knotd", "slixmpp"]) {
        return;
    }
    let scratch = Scratch::new();
    let servers = Standard::start(&scratch, &Parts::chat());
    let mut bob = servers.chat_client("bob");
    let port = servers.chat.as_ref().expect("a chat server").port;
    let jid = format!("carol@{DOMAIN}");
    let carol = XmppPeer::start(
        &scratch.folder("carol"),
        &jid,
        offhook_interop::PASSWORD,
        port,
        &servers.authority.file,
    );
    bob.send(&jid, "grüß Gott");
    carol.until_message("grüß Gott");
    until("a receipt", 20, || bob.events().into_iter().find(|it| it["event"] == "receipt"));
}
