//! Sign-in by UDS and SOAP, with a real XMPP server at the end of the chain: ChatServer, which takes the
//! one-time password by `CISCO-VTG-TOKEN` as a chat node does.

use offhook_interop::{Authority, ChatServer, Client, Flaw, Lab, Scratch, Setup, free_port, have};

const ALICE: &str = "alice@lab.example";
const CAROL: &str = "carol@lab.example";

#[test]
fn a_one_time_password_opens_a_real_chat_server_again_and_again() {
    if !have("Prosody behind the SOAP sign-in", &["prosody"]) {
        return;
    }
    let scratch = Scratch::new();
    let port = free_port();
    // Long enough for Prosody to start again.
    let limits = "reloginLower = 6\nreloginUpper = 9\n";
    let config = format!("[im]\nexternalPort = {port}\n{limits}");
    let lab = Lab::start(scratch.path(), &[], &config);
    let tokens = scratch.path().join("lab-on-prem/state/one-time");
    let authority = Authority::new(scratch.path());
    let identity = authority.server("lab.example", Flaw::None);
    let mut prosody =
        ChatServer::behind_soap(scratch.path(), "lab.example", &identity, &tokens, port);

    // Both authorities in one file: the laboratory's for UDS and SOAP, ours for Prosody.
    let both = scratch.path().join("both.pem");
    let pem = [lab.authority(), authority.file].map(|file| std::fs::read(file).expect("a PEM"));
    std::fs::write(&both, pem.concat()).expect("a file");
    let setup =
        Setup { name_server: Some(lab.name_server()), ca_file: Some(both), ..Setup::default() };
    let alice = Client::start(scratch.path(), "alice", &setup);
    let session = alice.sign_in(ALICE, "secret", &["im", "phone"]);
    assert_eq!(session["authenticator"], "cup", "{session:#}");
    let carol = Client::start(scratch.path(), "carol", &setup);
    carol.sign_in(CAROL, "secret", &["im"]);

    let since = carol.count();
    alice.say(CAROL, "through a real server", "delivered");
    carol.until_message(ALICE, "through a real server", since);

    // A password is good once: the way back needs a new one from SOAP.
    prosody.stop();
    alice.until_session("cut off from chat", |it| it["services"]["im"]["state"] != "ready");
    prosody.start_again();
    for client in [&alice, &carol] {
        client.until_session("back in chat", |it| it["services"]["im"]["state"] == "ready");
    }
    let since = alice.count();
    carol.say(ALICE, "and back", "delivered");
    alice.until_message(CAROL, "and back", since);
}
