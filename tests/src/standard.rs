//! A whole domain of open standards from real servers: Knot, Prosody (or ejabberd), Kamailio.

use std::path::PathBuf;

use crate::pki::{Authority, Flaw, Identity};
use crate::{
    Baresip, ChatServer, Kamailio, Knot, PhoneAccount, Scratch, Setup, Transport, XmppPeer,
};

/// The domain of the accounts.
pub const DOMAIN: &str = "example.test";
/// Everybody's password. Long and odd, so that it is found if it leaks anywhere.
pub const PASSWORD: &str = "Gr8-secret-0f-the-interop-tests";

/// Which servers there are and what the name server says of them.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Run a chat server and publish it: by direct TLS, by STARTTLS.
    pub xmpp: Option<(bool, bool)>,
    /// Publish Kamailio for these transports, the first one first.
    pub sip: Vec<Transport>,
    /// Publish them by NAPTR as well.
    pub naptr: bool,
    /// Longest registration in seconds.
    pub expires: u32,
    /// What the SIP server knows beyond calls ([`Kamailio::start`]).
    pub sip_extras: Vec<&'static str>,
    /// Certificate of the XMPP server.
    pub xmpp_flaw: Flaw,
    /// Certificate of the SIP server.
    pub sip_flaw: Flaw,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            xmpp: Some((true, true)),
            sip: vec![Transport::Tls, Transport::Tcp, Transport::Udp],
            naptr: true,
            expires: 600,
            sip_extras: vec![],
            xmpp_flaw: Flaw::None,
            sip_flaw: Flaw::None,
        }
    }
}

impl Parts {
    /// Only telephony, by one transport.
    pub fn phone(transport: Transport) -> Self {
        Self { xmpp: None, sip: vec![transport], ..Self::default() }
    }

    /// Only chat.
    pub fn chat() -> Self {
        Self { sip: vec![], ..Self::default() }
    }
}

/// The running servers.
pub struct Standard {
    /// Name server.
    pub knot: Knot,
    /// Chat.
    pub chat: Option<ChatServer>,
    /// Telephony.
    pub kamailio: Option<Kamailio>,
    /// Who signed the certificates.
    pub authority: Authority,
    /// The SIP server's certificate.
    pub identity: Identity,
    folder: PathBuf,
}

impl Standard {
    /// Starts what `parts` names.
    ///
    /// # Panics
    /// Something does not start.
    pub fn start(scratch: &Scratch, parts: &Parts) -> Self {
        Self::start_in(&scratch.folder("servers"), parts)
    }

    /// As [`Self::start`], in a folder of its own.
    ///
    /// # Panics
    /// Something does not start.
    pub fn start_in(folder: &std::path::Path, parts: &Parts) -> Self {
        std::fs::create_dir_all(folder).expect("a folder for servers");
        let authority = Authority::new(folder);
        let chat = authority.server(DOMAIN, parts.xmpp_flaw);
        let identity = authority.server(DOMAIN, parts.sip_flaw);
        let users = ["alice", "bob", "carol"];
        let server = parts.xmpp.map(|_| ChatServer::start(folder, DOMAIN, &chat, &users, PASSWORD));
        let kamailio = (!parts.sip.is_empty()).then(|| {
            Kamailio::start(folder, DOMAIN, &identity, PASSWORD, parts.expires, &parts.sip_extras)
        });
        let records = records(parts, server.as_ref(), kamailio.as_ref());
        let knot = Knot::start(folder, DOMAIN, &records);
        Self { knot, chat: server, kamailio, authority, identity, folder: folder.to_owned() }
    }

    /// How a client has to be started to find all this.
    pub fn setup(&self) -> Setup {
        Setup {
            name_server: Some(self.knot.address.clone()),
            ca_file: Some(self.authority.file.clone()),
            ..Setup::default()
        }
    }

    /// The SIP server.
    ///
    /// # Panics
    /// There is none.
    pub fn sip(&self) -> &Kamailio {
        self.kamailio.as_ref().expect("a SIP server was asked for")
    }

    /// A foreign phone at the SIP server.
    ///
    /// # Panics
    /// It does not start or register.
    pub fn phone(&self, transport: Transport, accounts: &[PhoneAccount<'_>]) -> Baresip {
        Baresip::start(
            &self.folder,
            DOMAIN,
            PASSWORD,
            accounts,
            (transport, self.sip().port_for(transport)),
            (&self.identity, &self.authority.file),
        )
    }

    /// A foreign chat client at the XMPP server.
    ///
    /// # Panics
    /// It does not get in.
    pub fn chat_client(&self, user: &str) -> XmppPeer {
        let port = self.chat.as_ref().expect("an XMPP server was asked for").port;
        let jid = format!("{user}@{DOMAIN}/foreign");
        XmppPeer::start(&self.folder, &jid, PASSWORD, port, &self.authority.file)
    }

    /// A foreign chat client with a device for encryption.
    ///
    /// # Panics
    /// It does not get in.
    pub fn omemo_client(&self, user: &str) -> XmppPeer {
        let port = self.chat.as_ref().expect("an XMPP server was asked for").port;
        let jid = format!("{user}@{DOMAIN}/foreign");
        XmppPeer::start_omemo(&self.folder, &jid, PASSWORD, port, &self.authority.file)
    }
}

fn records(parts: &Parts, server: Option<&ChatServer>, kamailio: Option<&Kamailio>) -> String {
    let mut lines = vec![
        "im IN A 127.0.0.1".to_owned(),
        "sip IN A 127.0.0.1".to_owned(),
        "upload IN A 127.0.0.1".to_owned(),
    ];
    if let (Some((direct, starttls)), Some(server)) = (parts.xmpp, server) {
        if direct {
            lines.push(format!("_xmpps-client._tcp IN SRV 5 0 {} im", server.tls_port));
        }
        if starttls {
            lines.push(format!("_xmpp-client._tcp IN SRV 10 0 {} im", server.port));
        }
    }
    if let Some(kamailio) = kamailio {
        for (order, transport) in (10..).zip(&parts.sip) {
            let (service, name) = match transport {
                Transport::Tls => ("SIPS+D2T", "_sips._tcp"),
                Transport::Tcp => ("SIP+D2T", "_sip._tcp"),
                Transport::Udp => ("SIP+D2U", "_sip._udp"),
            };
            let port = kamailio.port_for(*transport);
            lines.push(format!("{name} IN SRV 10 0 {port} sip"));
            if parts.naptr {
                lines.push(format!("@ IN NAPTR {order} 0 \"s\" \"{service}\" \"\" {name}"));
            }
        }
    }
    lines.join("\n") + "\n"
}
