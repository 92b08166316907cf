//! Plain accounts need no question: what was found becomes the plans.

use offhook_model::{Authenticator, Link, ProductMode, UserAddress};
use offhook_ports::{Found, PhoneDialect, SipServer, XmppAuth, XmppServer};
use offhook_signin::{Credentials, Grant, Request, Service, sign_in};
use offhook_testkit::TestWorld;

fn grant(chat: bool, calls: bool, username: &str) -> Grant {
    let xmpp = XmppServer { host: "chat".into(), port: 5222, link: Link::StartTls };
    let sip = SipServer { host: "pbx".into(), port: 5061, link: Link::Tls };
    let found = Found::Standard {
        xmpp: chat.then_some(xmpp).into_iter().collect(),
        sip: calls.then_some(sip).into_iter().collect(),
    };
    let address: UserAddress = "Alice@example.com".parse().expect("an address");
    let credentials = Credentials { username: username.into(), password: "hunter2".into() };
    let world = TestWorld::new();
    let ports = world.world();
    let report =
        world.run(sign_in(&ports, &Request::new(address, found, credentials, 9_123), &|_| {}));
    assert!(world.asked().is_empty());
    let shown = format!("{report:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
    report.outcome.expect("a grant")
}

#[test]
fn both_services_use_the_same_password() {
    let grant = grant(true, true, "alice");
    assert_eq!((grant.mode, grant.authenticator), (ProductMode::Full, Authenticator::Standard));
    let chat = grant.im.ready().expect("chat");
    assert_eq!(
        (chat.jid.bare_str(), chat.resource.as_str()),
        ("alice@example.com", "offhook_1123")
    );
    assert!(matches!(&chat.auth, XmppAuth::Password { username, .. } if username == "alice"));
    let phone = grant.phone.ready().expect("phone");
    assert_eq!(phone.dialect, PhoneDialect::Standard);
    assert_eq!((phone.user.as_str(), phone.domain.as_str()), ("Alice", "example.com"));
    assert_eq!(phone.expires.as_secs(), 600);
    assert!(phone.digest.as_ref().is_some_and(|(user, _)| user == "alice"));
}

#[test]
fn records_of_one_kind_give_an_account_of_one_kind() {
    let chat = grant(true, false, "alice");
    assert_eq!(chat.mode, ProductMode::ImOnly);
    assert!(matches!(chat.phone, Service::NotConfigured));
    let phone = grant(false, true, "alice");
    assert_eq!(phone.mode, ProductMode::PhoneOnly);
    assert!(matches!(phone.im, Service::NotConfigured));
}

#[test]
fn a_whole_address_typed_as_user_name_is_cut() {
    assert_eq!(grant(true, false, "ALICE@example.com").username, "Alice");
    assert_eq!(grant(true, false, "alice@other.example").username, "alice@other.example");
}
