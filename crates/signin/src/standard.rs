//! Plain XMPP and SIP accounts: nothing to ask beforehand, the servers check the password when
//! chat and phone start.

use std::time::Duration;

use offhook_model::{Authenticator, Fault, Problem, ProductMode, UserAddress, Via};
use offhook_ports::{
    PhoneAccount, PhoneDialect, PortRange, SipServer, XmppAuth, XmppPlan, XmppServer,
};

use crate::{Credentials, Grant, People, Service};

/// Short enough that address changes heal within minutes; servers may shorten it.
const EXPIRES: Duration = Duration::from_secs(600);
/// Room for a retransmitted refresh.
const REFRESH_BEFORE: Duration = Duration::from_secs(30);
/// DSCP EF for sound and CS3 for signalling (reference qos-ports.md).
const AUDIO_DSCP: u8 = 46;
const SIGNALLING_DSCP: u8 = 24;

pub(crate) fn sign_in(
    address: &UserAddress,
    xmpp: &[XmppServer],
    sip: &[SipServer],
    credentials: &Credentials,
    seed: u64,
) -> Result<Grant, Problem> {
    let mode = match (xmpp.is_empty(), sip.is_empty()) {
        (false, false) => ProductMode::Full,
        (false, true) => ProductMode::ImOnly,
        (true, false) => ProductMode::PhoneOnly,
        (true, true) => return Err(Problem::no_services(address.domain())),
    };
    // People type the whole address where the account name is meant.
    let whole = address.to_string();
    let username = if credentials.username.eq_ignore_ascii_case(&whole) {
        address.user().to_owned()
    } else {
        credentials.username.clone()
    };
    let im = chat(address, xmpp, &username, credentials, seed);
    let phone = phone(address, sip, &username, credentials);
    Ok(Grant {
        authenticator: Authenticator::Standard,
        mode,
        via: Via::Direct,
        display_name: address.user().to_owned(),
        number: None,
        username,
        im,
        phone,
        layers: vec![],
        edge: None,
        restrictions: vec![],
        renewal: None,
        people: People::default(),
    })
}

fn chat(
    address: &UserAddress,
    servers: &[XmppServer],
    username: &str,
    credentials: &Credentials,
    seed: u64,
) -> Service<XmppPlan> {
    let Some(first) = servers.first() else { return Service::NotConfigured };
    let Ok(jid) = address.to_string().parse() else {
        let fault = Fault::Nonsense("the address is no chat address".to_owned());
        return Service::Failed(fault.problem(&first.endpoint()));
    };
    Service::Ready(XmppPlan {
        jid,
        resource: format!("offhook_{}", 1000 + seed % 9000),
        servers: servers.to_vec(),
        names: vec![],
        auth: XmppAuth::Password {
            username: username.to_owned(),
            password: credentials.password.clone(),
        },
    })
}

fn phone(
    address: &UserAddress,
    servers: &[SipServer],
    username: &str,
    credentials: &Credentials,
) -> Service<PhoneAccount> {
    if servers.is_empty() {
        return Service::NotConfigured;
    }
    Service::Ready(PhoneAccount {
        dialect: PhoneDialect::Standard,
        user: address.user().to_owned(),
        domain: address.domain().to_owned(),
        display_name: address.user().to_owned(),
        servers: servers.to_vec(),
        routes: vec![],
        registrar: None,
        encryption: offhook_ports::MediaEncryption::default(),
        secure: None,
        digest: Some((username.to_owned(), credentials.password.clone())),
        expires: EXPIRES,
        refresh_before: REFRESH_BEFORE,
        media_ports: PortRange::default(),
        audio_dscp: AUDIO_DSCP,
        signalling_dscp: SIGNALLING_DSCP,
        voicemail_pilot: None,
        features: offhook_ports::PhoneFeatures::default(),
        upkeep: offhook_ports::PhoneUpkeep { mailbox: true, ..Default::default() },
        ice: None,
    })
}
